"""What moves in the simulated patient, each as a closed form: pulse, breath, contact, muscle, needle, fluid.

Maps between the body now and the body at rest, both ways. No echoes, no instruments.
"""
