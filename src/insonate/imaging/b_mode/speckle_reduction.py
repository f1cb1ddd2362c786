"""Speckle reduction: smooth where the picture is even, leave it where it has an edge.

    a <- a + w (box(a) - a),    w = 1 / (2 (1 + (|grad G * a| / e)^2))

a few times over, on decibels, with box the mean of 3 x 3 pixels, G a Gaussian of one pixel and e the slope of an edge. One
pass takes at most half of a pixel's difference from its neighbors; brightness as a whole is kept. After P. Perona, J. Malik,
"Scale-space and edge detection using anisotropic diffusion", IEEE Trans. Pattern Anal. 12(7), 629-639, 1990, with the
weights taken once.
"""

import numpy as np

from insonate.core.checks import check_axes, check_count, check_range
from insonate.imaging.b_mode import kernels

EDGE = 2.2
"""Slope at which smoothing falls to half: steeper than speckle after one pixel of smoothing [dB a pixel]."""


def speckle_reduction(decibels: np.ndarray, *, passes: int = 5, edge: float = EDGE) -> np.ndarray:
    """Even out speckle and keep edges.

    Parameters
    ----------
    decibels : numpy.ndarray
        (n_axial, n_lateral) of one picture [dB].
    passes : int
        How often; 0 changes nothing.
    edge : float
        Slope at which smoothing falls to half [dB a pixel].

    Returns
    -------
    numpy.ndarray
        Like `decibels`, float32 [dB].

    Raises
    ------
    AxesError
        If it is not one picture.
    RangeError
        If a number is out of range.
    """
    check_axes("decibels", decibels, "axial lateral")
    check_count("passes", passes, (0, 100), "passes")
    check_range("edge", edge, (1e-3, 1e3), "dB")
    evened = np.array(decibels, dtype=np.float32)
    if passes == 0 or min(evened.shape) < 2:
        return evened
    return np.asarray(kernels.get().evened(evened, passes, edge))
