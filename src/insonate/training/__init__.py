"""People learn: what happened in a simulated block, and what to do better next.

It may know the truth of a simulated patient; nothing that advises may import it.
"""
