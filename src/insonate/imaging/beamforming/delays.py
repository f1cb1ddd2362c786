"""When the transmitted wave passes a point, counted from its passing the transmit's origin.

    plane      t = (p - o) . d / c
    focused    t = (F + s |p - f|) / c,  f = o + F d,  s = sign((p - f) . d)   before the focus -, behind it +
    diverging  t = (|p - v| - |o - v|) / c,  v = o + F d with F < 0

with o the origin, d the unit direction, F the focus distance. Positive is later. G. Montaldo et al., "Coherent
plane-wave compounding", IEEE Trans. Ultrason. Ferroelectr. Freq. Control 56(3), 489-506, 2009, for the plane wave.
"""

import numpy as np

from insonate.core import Grid, Transmit
from insonate.core.acquisition import check_sound_speed
from insonate.core.units import MetersPerSecond


def transmit_times(transmit: Transmit, grid: Grid, sound_speed: MetersPerSecond) -> np.ndarray:
    """Give when the wave passes each pixel.

    Parameters
    ----------
    transmit : Transmit
        Plane, focused or diverging.
    grid : Grid
        Pixels in the plane of elevation zero.
    sound_speed : float
        [m/s].

    Returns
    -------
    numpy.ndarray
        (n_axial, n_lateral) [s].
    """
    check_sound_speed("sound_speed", sound_speed)
    x, z = grid.lateral[None, :], grid.axial[:, None]
    if np.isinf(transmit.focus_distance):
        dx, dy, dz = transmit.direction
        ox, oy, oz = transmit.origin
        path = (x - ox) * dx - oy * dy + (z - oz) * dz
        return np.asarray(path / sound_speed)
    focus = transmit.origin + transmit.focus_distance * transmit.direction
    away = np.sqrt((x - focus[0]) ** 2 + focus[1] ** 2 + (z - focus[2]) ** 2)
    if transmit.focus_distance < 0:
        return np.asarray((away + transmit.focus_distance) / sound_speed)
    dx, dy, dz = transmit.direction
    beyond = (x - focus[0]) * dx - focus[1] * dy + (z - focus[2]) * dz
    return np.asarray((transmit.focus_distance + np.sign(beyond) * away) / sound_speed)
