"""Echoes become pictures: channel data to baseband pixels, baseband pixels to images.

A folder a family, and families are strangers to each other. No file, no anatomy, no advice.
"""
