"""Points that lie between the samples of a map: each is spread by a windowed sinc, so that none of the map's band is lost
and nothing is folded. Where there are many faint ones the nearest sample will do.
"""

from functools import cache

import numpy as np

from insonate.core.units import Meters
from insonate.simulation.medium import Plane

TAPS = (6, 10)
"""Width of the windowed sinc along the array and down [samples]."""
WINDOW_AT = np.linspace(0, 1, 513)
"""Share of half the width of the sinc."""
WINDOW = np.i0(3.0 * np.sqrt(1 - WINDOW_AT**2)) / np.i0(3.0)
"""Its Kaiser window: waves up to 0.8 of what the map holds keep their strength to half a percent with ten taps."""
FRACTIONS = 512
"""Of a sample, at which the weights are kept."""
LEAST = 1e-4
"""Strength re a bright fascia below which a point is left out."""
SAMPLE: Meters = 0.04e-3
"""Depth of the sample that a strength is counted in [m]."""


Patch = tuple[tuple[slice, slice], np.ndarray]
"""Values for a box of a map: columns and rows, and (n, m) float32."""


def weight(plane: Plane) -> float:
    """Give what a point takes on a map of other rows: what is spread over depth is summed over as many more of them, 1."""
    return SAMPLE / plane.axial_step


def lay(
    reflectivity: np.ndarray,
    plane: Plane,
    points: np.ndarray,
    strengths: np.ndarray,
    *,
    thickness: Meters,
) -> None:
    """Add points to a map, in place: what `spread` gives for them, (n_lateral, n_axial) float32 of `plane`."""
    for box, values in spread(plane, points, strengths, thickness=thickness):
        reflectivity[box] += values


def spread(plane: Plane, points: np.ndarray, strengths: np.ndarray, *, thickness: Meters) -> list[Patch]:
    """Give what points add to a map, each weaker by how far it lies beside the plane.

    Parameters
    ----------
    plane : Plane
        Where the map lies.
    points : numpy.ndarray
        (n, 3) probe axes [m].
    strengths : numpy.ndarray
        (n,) 1 is one sample of the map as bright as a bright fascia: `weight` brings a point to its rows.
    thickness : float
        Where strength has fallen to exp(-1/2) beside the plane [m].

    Returns
    -------
    list of Patch
        One, or none where no point shows.
    """
    strengths = strengths * np.exp(-0.5 * (points[:, 1] / thickness) ** 2)
    column = points[:, 0] / plane.lateral_step + plane.shape[0] // 2
    row = points[:, 2] / plane.axial_step
    n, m = plane.shape
    kept = (
        (np.abs(strengths) > LEAST)
        & (column > TAPS[0])
        & (column < n - TAPS[0])
        & (row > TAPS[1])
        & (row < m - TAPS[1])
    )
    if not kept.any():
        return []
    column, row, strengths = column[kept], row[kept], strengths[kept]
    first, across = _spread(column, TAPS[0])
    top, down = _spread(row, TAPS[1])
    box = (int(first.min()), int(top.min()), int(first.max()) + TAPS[0], int(top.max()) + TAPS[1])
    wide, high = box[2] - box[0], box[3] - box[1]
    index = ((first - box[0])[:, None, None] + np.arange(TAPS[0])[:, None]) * high + (
        (top - box[1])[:, None, None] + np.arange(TAPS[1])
    )
    weight = strengths[:, None, None] * across[:, :, None] * down[:, None, :]
    added = np.bincount(index.ravel(), weight.ravel(), minlength=wide * high).reshape(wide, high)
    return [((slice(box[0], box[2]), slice(box[1], box[3])), added.astype(np.float32))]


def drop(
    reflectivity: np.ndarray, plane: Plane, points: np.ndarray, strengths: np.ndarray, *, thickness: Meters
) -> None:
    """Add points to the nearest samples of a map, in place: for many faint ones of which nobody asks where each lies.

    Parameters
    ----------
    reflectivity, plane, points, strengths, thickness
        As of `lay`.
    """
    n, m = plane.shape
    column = np.rint(points[:, 0] / plane.lateral_step).astype(int) + n // 2
    row = np.rint(points[:, 2] / plane.axial_step).astype(int)
    kept = (column >= 0) & (column < n) & (row >= 0) & (row < m)
    column, row = column[kept], row[kept]
    if len(column) == 0:
        return
    weight = strengths[kept] * np.exp(-0.5 * (points[kept, 1] / thickness) ** 2)
    box = (int(column.min()), int(row.min()))
    wide, high = int(column.max()) - box[0] + 1, int(row.max()) - box[1] + 1
    added = np.bincount((column - box[0]) * high + row - box[1], weight, minlength=wide * high)
    reflectivity[box[0] : box[0] + wide, box[1] : box[1] + high] += added.reshape(wide, high).astype(
        np.float32
    )


def _spread(place: np.ndarray, taps: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the first sample and the weights of a sinc under a Kaiser window."""
    whole = np.floor(place)
    part = (place - whole) * FRACTIONS
    at = part.astype(int)
    table = _weights(taps)
    low = table[at]
    weights = low + (table[at + 1] - low) * (part - at)[:, None]
    return whole.astype(int) - taps // 2 + 1, weights


@cache
def _weights(taps: int) -> np.ndarray:
    """Give the weights at fractions of a sample, (FRACTIONS + 2, taps); straight lines between are 2e-6 off."""
    fraction = np.arange(FRACTIONS + 2)[:, None] / FRACTIONS
    away = np.arange(taps) - taps // 2 + 1 - fraction
    inside = np.minimum(np.abs(2 * away / taps), 1)
    return np.asarray(np.sinc(away) * np.interp(inside, WINDOW_AT, WINDOW))
