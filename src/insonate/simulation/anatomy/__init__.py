"""Body regions: a file of shapes and sizes, a seed for the individual, and volumes that a frame is sliced from.

Regions are data (`regions/*.toml`, the language is `language.py`). No motion, no needle, no wave: those are neighbors.
"""

from insonate.simulation.anatomy.body import CompiledBody, compiled
from insonate.simulation.anatomy.language import Individual, Region, Window, read, region, regions

__all__ = ["CompiledBody", "Individual", "Region", "Window", "compiled", "read", "region", "regions"]
