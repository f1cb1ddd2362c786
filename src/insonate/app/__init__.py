"""The doors: the command line and the local server with its page.

A request, a click or a key becomes a call of the rooms below. No estimator, no format, no drawing.
"""
