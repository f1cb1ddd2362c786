"""Flow to colors, by the one color table: red toward the probe, blue away, brighter the faster."""

import numpy as np

from insonate.core.checks import check_axes, check_kind
from insonate.display.palette import rgb, table

COVER = 225
"""How much of the picture a color covers, 0..255."""


def flow_colors(velocities: np.ndarray, *, unknown: int = -128) -> np.ndarray:
    """Color each pixel by how fast what is there comes toward the probe.

    Parameters
    ----------
    velocities : numpy.ndarray
        (n_axial, n_lateral) int8: -127..127 for the Nyquist velocity either way, positive toward the probe.
    unknown : int
        Of a pixel without color.

    Returns
    -------
    numpy.ndarray
        (n_axial, n_lateral, 4) uint8: red, green, blue and cover; none covers where flow is unknown.
    """
    check_axes("velocities", velocities, "axial lateral")
    check_kind("velocities", velocities, ("int8",))
    share = np.abs(velocities.astype(float))[..., np.newaxis] / 127
    out = np.zeros((*velocities.shape, 4), np.uint8)
    for side, here in (("toward", velocities >= 0), ("away", velocities < 0)):
        slow, fast = (np.array(rgb(color), float) for color in table()["flow"][side])
        colors = np.rint(slow + np.clip(share, 0, 1) * (fast - slow))
        out[here, :3] = colors[here]
    out[..., 3] = np.where(velocities == unknown, 0, COVER)
    return out
