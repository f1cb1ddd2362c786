"""Baseband pixels to B-mode: envelope, log compression, scan conversion.

No beamforming, no Doppler, no drawing.
"""

from insonate.imaging.b_mode.b_mode import b_mode, envelope, log_compression
from insonate.imaging.b_mode.scan_conversion import scan_convert

__all__ = ["b_mode", "envelope", "log_compression", "scan_convert"]
