"""Bytes of a standard to nouns and back: one file or folder a standard, reading and writing together.

Foreign files are data: bounded, no pickle, no code. No estimate, no picture made, no other stage.
"""
