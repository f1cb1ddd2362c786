"""Anything becomes a picture: images, scenes and plans to pixels and to one drawing list.

What a line looks like is decided here once, for the page and for the PNG. No file format, no web, no window.
"""

from insonate.display.drawing import Drawing, Label, Line, Stroke
from insonate.display.overlay import guidance_drawing
from insonate.display.raster import grey, rasterise

__all__ = ["Drawing", "Label", "Line", "Stroke", "grey", "guidance_drawing", "rasterise"]
