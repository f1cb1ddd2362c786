"""Shots in quick succession become flow: clutter filter, color Doppler, what of it is shown.

No beamforming, no picture of its own color, no anatomy.
"""

from insonate.imaging.doppler.clutter import polynomial_filter
from insonate.imaging.doppler.color_doppler import color_doppler
from insonate.imaging.doppler.priority import shows

__all__ = ["color_doppler", "polynomial_filter", "shows"]
