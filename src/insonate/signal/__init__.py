"""The shared maths of waves: arrays in, arrays out.

No ultrasound noun, no file, no setting with a unit of anatomy.
"""
