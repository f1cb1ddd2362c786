"""The simulated body: commands in, echoes of a body that is not there out.

No beamforming, no picture, no advice; what is so inside it is told to nobody here.
"""
