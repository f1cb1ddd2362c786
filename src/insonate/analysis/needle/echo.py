"""Whether a picture shows a needle where it is said to lie: the contrast of lines along its shaft, and where the line ends.

    c(d, a) = m(d, a) - (m over 1.0..2.4 mm to either side) / 2,   m(d, a) = mean over the shaft of g

with g the picture in decibels, d across the shaft, positive deeper, and a a small turn about the middle of what is seen
of it. The best c within `BESIDE` is that of the needle as it is said to lie, the best further off that of what may be it
instead. Along the best line on the shaft, the end of the echo is the place that parts it best from what lies beyond: the
maximum of the sum of c(s) less half its median, from the far end on (a change point of a step in noise). Thresholds are of
the simulated picture; a steep needle gives little echo in a real one.
"""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import map_coordinates, uniform_filter1d

from insonate.core import Grid, Image, InputError, NeedleEcho, NeedlePose, NeedleState
from insonate.core.units import Decibels, Meters, Radians, Seconds

STEP: Meters = 2e-4
"""Between samples."""
REACH: Meters = 7.6e-3
"""So far across the shaft lines are looked for."""
BESIDE: Meters = 1.2e-3
"""A line so near is that of the shaft: the tracker's doubt and the width of the echo."""
TURNS: tuple[Radians, ...] = (-0.07, -0.035, 0.0, 0.035, 0.07)
"""So far it may be turned: the tracker's doubt, and a bent shaft."""
INNER, OUTER = 5, 12
"""From a line to what it is compared with [samples]."""
SKIN: Meters = 2e-3
"""What lies above is the skin, bright all over."""
LONGEST: Meters = 24e-3
"""More of the shaft is not looked at."""
LEAST: Meters = 5e-3
"""Of a shaft less in the picture, nothing is said: fibers of a muscle look like that."""
FLOOR: Decibels = -60.0
"""What is darker counts as this: a picture shows no more."""
FROM_TIP: Meters = 1e-3
"""The bevel is left out."""
PAST: Meters = 8e-3
"""So far beyond the tip, and so far behind, the end of the echo is looked for."""


def needle_echo(image: Image, needle: NeedlePose, *, half_slice: Meters, time: Seconds) -> NeedleEcho | None:
    """Look along a needle.

    Parameters
    ----------
    image : Image
        One frame in decibels, on a `Grid`.
    needle : NeedlePose
        Where it is said to lie, in the probe's frame.
    half_slice : float
        What of the shaft lies further off the plane is not looked at [m].
    time : float
        Of the picture [s].

    Returns
    -------
    NeedleEcho or None
        None where too little of it lies in the picture to say anything, its tip least of all.

    Raises
    ------
    InputError
        If the picture has no lengths.
    """
    grid = image.grid
    if not isinstance(grid, Grid):
        raise InputError(f"a needle is looked for on a Grid, got {type(grid).__name__}")
    if needle.state is not NeedleState.TIP or needle.tip is None or needle.direction is None:
        return None
    tip, way = needle.tip[[2, 0]], needle.direction[[2, 0]]
    within = float(np.linalg.norm(way))
    if within < 0.5:
        return None
    way = way / within
    length = _seen(grid, tip, way, float(needle.tip[1]), float(needle.direction[1]) / within, half_slice)
    if length < LEAST:
        return None
    shaft = _Shaft(
        np.maximum(np.asarray(image.values[0], float), FLOOR), grid, tip, way, FROM_TIP + length / 2
    )
    along, across = np.arange(FROM_TIP, FROM_TIP + length, STEP), np.arange(-REACH, REACH + STEP / 2, STEP)
    contrast = np.stack([_contrast(shaft.sampled(turn, along, across).mean(axis=0)) for turn in TURNS])
    across = across[OUTER:-OUTER]
    on = np.where(np.abs(across) <= BESIDE, contrast, -np.inf)
    off = np.where(np.abs(across) <= BESIDE + INNER * STEP, -np.inf, contrast)
    turn, best = np.unravel_index(int(np.argmax(on)), on.shape)
    return NeedleEcho(
        contrast=float(on.max()),
        elsewhere=float(off.max()),
        offset=float(across[int(np.argmax(off)) % off.shape[1]]),
        beyond=_beyond(shaft, TURNS[turn], float(across[best]), length),
        length=length,
        time=time,
    )


def _seen(
    grid: Grid, tip: np.ndarray, way: np.ndarray, elevation: Meters, rise: float, half_slice: Meters
) -> Meters:
    """Give how much of the shaft lies in the picture without a break, from behind the tip."""
    back = np.arange(0.0, LONGEST, STEP)
    places = tip - back[:, None] * way
    low, high = np.array([SKIN, grid.lateral[0]]), np.array([grid.axial[-1], grid.lateral[-1]])
    inside = ((places >= low) & (places <= high)).all(axis=1) & (
        np.abs(elevation - back * rise) <= half_slice
    )
    count = len(back) if inside.all() else int(np.argmin(inside))
    return max(count * STEP - FROM_TIP, 0.0)


class _Shaft(NamedTuple):
    """A picture and a shaft in it."""

    values: np.ndarray
    """(n_axial, n_lateral) [dB]."""
    grid: Grid
    tip: np.ndarray
    """(2,) axial, lateral [m]."""
    way: np.ndarray
    """(2,) unit vector to it."""
    middle: Meters
    """How far behind the tip it is turned about [m]."""

    def sampled(self, turn: Radians, along: np.ndarray, across: np.ndarray) -> np.ndarray:
        """Give the picture at places behind the tip and across the turned shaft, (along, across)."""
        c, s = np.cos(turn), np.sin(turn)
        turned = np.array([c * self.way[0] - s * self.way[1], s * self.way[0] + c * self.way[1]])
        deeper = np.array([-turned[1], turned[0]])
        deeper = deeper if deeper[0] >= 0 else -deeper
        center = self.tip - self.middle * self.way
        places = center + (self.middle - along)[:, None, None] * turned + across[:, None] * deeper
        at = np.moveaxis((places - np.array(self.grid.origin)) / np.array(self.grid.step), -1, 0)
        return np.asarray(map_coordinates(self.values, at, order=1, mode="nearest"))


def _contrast(profile: np.ndarray) -> np.ndarray:
    """Give how much each place of a profile stands out of what is beside it, (n - 2 OUTER,) [dB]."""
    smooth = uniform_filter1d(profile, 3)[OUTER:-OUTER]
    total = np.concatenate([[0.0], np.cumsum(profile)])
    at = np.arange(OUTER, len(profile) - OUTER)
    width = OUTER - INNER + 1
    sides = total[at - INNER + 1] - total[at - OUTER] + total[at + OUTER + 1] - total[at + INNER]
    return np.asarray(smooth - sides / (2 * width))


def _beyond(shaft: _Shaft, turn: Radians, offset: Meters, length: Meters) -> Meters:
    """Give how far a line goes on beyond the tip."""
    along = np.arange(-PAST, min(length, PAST), STEP)
    table = shaft.sampled(turn, along, offset + STEP * np.arange(-OUTER, OUTER + 1))
    sides = table[:, : OUTER - INNER + 1].mean(axis=1) + table[:, OUTER + INNER :].mean(axis=1)
    line = uniform_filter1d(table[:, OUTER - 1 : OUTER + 2].mean(axis=1) - sides / 2, 5)
    more = line - 0.5 * float(np.median(line[along > FROM_TIP]))
    return float(-along[int(np.argmax(np.cumsum(more[::-1])[::-1]))])
