"""Machines that are there: what they show or say → core nouns, live. None of them is obeyed from here yet."""
