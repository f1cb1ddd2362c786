"""An image to the structures in it, with a confidence for every pixel.

Models stand in `analysis.models`; proper names are given in `analysis.naming`. No file, no advice.
"""

from insonate.analysis.segmentation.segment import segment, segment_simulated

__all__ = ["segment", "segment_simulated"]
