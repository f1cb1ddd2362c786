"""Operators who err: an expert and a novice, by the same commands as a hand.

They plan from the body, which a hand sees in the image; after that they have what instruments say, late and noisy.
"""
