"""Anatomy becomes advice: procedures, paths, clearances.

Sees what a sensor would see, and says unknown where it does not. No picture made, no file of a patient read.
"""
