"""Speckle reduction in NumPy: the truth that the other kernel is held to; see `speckle_reduction` for its law."""

import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter


def is_available() -> bool:
    """Whether this kernel can run here: always."""
    return True


def evened(decibels: np.ndarray, passes: int, edge: float) -> np.ndarray:
    """Even out what has no edge.

    Parameters
    ----------
    decibels : numpy.ndarray
        (n_axial, n_lateral) float32, at least two samples either way [dB].
    passes : int
        How often.
    edge : float
        Slope at which smoothing falls to half [dB a pixel].

    Returns
    -------
    numpy.ndarray
        Like `decibels` [dB].
    """
    out = np.array(decibels, dtype=np.float32)
    down, across = np.gradient(gaussian_filter(out, 1.0))
    weight = (0.5 / (1 + (down * down + across * across) / edge**2)).astype(np.float32)
    for _ in range(passes):
        out += weight * (uniform_filter(out, 3) - out)
    return out
