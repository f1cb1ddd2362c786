"""Instruments of the simulated patient and how they err: needle, tracker, nerve stimulator, injector.

They are told what is so and give what a device would say of it. No advice.
"""
