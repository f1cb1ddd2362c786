r"""Shadow: what is left of the wave along the line of sight, there along the plane wave and back to the array.

With a local loss a(x, z) [1/m], the amplitude of an echo is

    T(x, z) = exp(-A(x, z, t)) mean_r exp(-A(x, z, r)),   A(x, z, t) = \int a ds up to (x, z) along the angle t

r over a few directions back to the array, each a sub-aperture. It multiplies the map of reflectivity, one for each transmit
angle. Lines are straight: nothing bends at an interface, and nothing comes around an edge by diffraction.
"""

from collections.abc import Sequence

import numpy as np

from insonate.core import RangeError
from insonate.core.checks import check_axes, check_range
from insonate.core.units import Meters, Radians

BACK = tuple(np.radians((-24.0, -17.0, -10.0, -3.0, 3.0, 10.0, 17.0, 24.0)))
"""Directions of eight sub-apertures, of an f-number of 1.1 [rad]."""


def _lost(loss: np.ndarray, shift: float, length: float) -> np.ndarray:
    """Sum a loss from the top along lines that move by `shift` columns a row.

    The map is sheared once so that lines stand upright, summed, and sheared back: carried on from row to row, a shadow would
    blur.
    """
    n_lateral, n_axial = loss.shape
    slid = shift * np.arange(n_axial)[None, :]
    first, last = int(np.floor(min(0.0, -slid[0, -1]))), n_lateral + int(np.ceil(max(0.0, -slid[0, -1])))
    rows = np.broadcast_to(np.arange(n_axial), (last - first, n_axial))
    upright = _between(loss, np.arange(first, last)[:, None] + slid, rows)
    summed = (np.cumsum(upright, axis=1) - 0.5 * (upright + upright[:, :1])) * length
    back = np.arange(n_lateral)[:, None] - slid - first
    return _between(summed, back, rows[:n_lateral])


def _between(values: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Take values between columns; beside them there is nothing."""
    whole = np.floor(columns).astype(int)
    part = (columns - whole).astype(np.float32)
    padded = np.pad(values, ((1, 1), (0, 0)))
    n = len(values)
    left, right = (padded[np.clip(whole + m, 0, n + 1), rows] for m in (1, 2))
    return np.asarray((1 - part) * left + part * right)


def line_of_sight(
    loss: np.ndarray,
    *,
    lateral_step: Meters,
    axial_step: Meters,
    steering_angle: Radians,
    back: Sequence[Radians] = BACK,
) -> np.ndarray:
    """Give what is left of an echo of every sample.

    Parameters
    ----------
    loss : numpy.ndarray
        (n_lateral, n_axial) of amplitude along the way [1/m]; what lies outside the map takes nothing.
    lateral_step, axial_step : float
        Of the map, which begins at the face [m].
    steering_angle : float
        Of the plane wave [rad].
    back : sequence of float
        Directions back to the array, from straight up toward -x as steering angles are from straight down toward +x [rad].

    Returns
    -------
    numpy.ndarray
        (n_lateral, n_axial) float32, 0..1, for the reflectivity to be multiplied by.

    Raises
    ------
    RangeError
        If a loss is negative or an angle lies beyond 80 degrees.
    """
    check_axes("loss", loss, "lateral axial")
    if not (np.isfinite(loss).all() and loss.min() >= 0):
        raise RangeError("loss must be finite and at least 0 per meter")
    if len(back) == 0:
        raise RangeError("back must hold at least one direction, got none")
    taken = np.ascontiguousarray(loss, dtype=np.float32)

    def along(angle: float) -> np.ndarray:
        check_range("angle", angle, (-np.radians(80), np.radians(80)), "rad", hint="degrees?")
        shift = np.tan(angle) * axial_step / lateral_step
        return np.asarray(np.exp(-_lost(taken, shift, axial_step / np.cos(angle))))

    there = along(float(steering_angle))
    returned = np.mean([along(float(angle)) for angle in back], axis=0)
    return np.asarray(there * returned, dtype=np.float32)
