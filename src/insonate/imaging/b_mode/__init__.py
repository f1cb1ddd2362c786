"""Baseband pixels to B-mode: envelope, compounding, log compression, speckle reduction, scan conversion.

No beamforming, no Doppler, no drawing.
"""

from insonate.imaging.b_mode.b_mode import b_mode, envelope, log_compression
from insonate.imaging.b_mode.compounding import Compounding
from insonate.imaging.b_mode.scan_conversion import scan_convert
from insonate.imaging.b_mode.speckle_reduction import speckle_reduction

__all__ = ["Compounding", "b_mode", "envelope", "log_compression", "scan_convert", "speckle_reduction"]
