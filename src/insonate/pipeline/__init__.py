"""Stages chained and kept in time: the only room that names two stages in one line.

Choices by name, reading any file, image to guidance, live sources. No estimator, no drawing, no web.
"""
