"""A needle in the picture: coherent points along shaft and bevel, so that its lobe follows from the wave itself.

A straight line of points at an angle b returns a plane wave about 2 b off, as a mirror does. Sound that bounces within the
tube comes back later by the inner diameter's way: copies below the shaft at multiples of it, each weaker. An echogenic
shaft carries dimples, points of random strength, which answer at any angle. Points lie between the samples of the map:
each is spread by a windowed sinc, so that none of the map's band is lost and nothing is folded.
"""

from collections.abc import Sequence

import numpy as np

from insonate.core import RangeError
from insonate.core.units import Meters
from insonate.simulation.facts import facts
from insonate.simulation.medium import Plane
from insonate.simulation.motion.insertion import Shaft

SPACING: Meters = 5e-5
"""Between points along the shaft: a quarter of a wavelength at 7.5 MHz [m]."""
MOST_POINTS = 8000
"""Along the longest shaft that can be commanded, 0.3 m, and some more."""
TAPS = (6, 10)
"""Width of the windowed sinc along the array and down [samples]."""
WINDOW_AT = np.linspace(0, 1, 513)
"""Share of half the width of the sinc."""
WINDOW = np.i0(3.0 * np.sqrt(1 - WINDOW_AT**2)) / np.i0(3.0)
"""Its Kaiser window: waves up to 0.8 of what the map holds keep their strength to half a percent with ten taps."""


def diameters(gauge: int) -> tuple[Meters, Meters]:
    """Give outer and inner diameter of a gauge [m].

    Raises
    ------
    RangeError
        If the table has no such gauge.
    """
    values = facts("insonate.simulation.instrument", "instruments")["needle"]
    gauges = list(values["gauges"])
    if gauge not in gauges:
        raise RangeError(f"gauge must be one of {', '.join(str(g) for g in gauges)} G, got {gauge:g}")
    at = gauges.index(gauge)
    return float(values["outer"][at]), float(values["inner"][at])


def stiffness(gauge: int) -> float:
    """Give the stiffness of a shaft against bending as a share of 22 gauge: d^4 less the bore's."""

    def second_moment(of: int) -> float:
        outer, inner = diameters(of)
        return outer**4 - inner**4

    return second_moment(gauge) / second_moment(22)


def draw(
    reflectivity: np.ndarray, plane: Plane, shaft: Shaft, *, gauge: int, echogenic: bool, seed: int
) -> None:
    """Add a needle to a map, in place.

    Parameters
    ----------
    reflectivity : numpy.ndarray
        (n_lateral, n_axial) float32, of `plane`.
    plane : Plane
        Where the map lies.
    shaft : Shaft
        Where the needle lies, patient frame.
    gauge : int
        One of the table's.
    echogenic : bool
        Whether its last 20 mm carry dimples.
    seed : int
        Of the dimples.
    """
    values = facts("insonate.simulation.instrument", "instruments")["needle"]
    if shaft.inserted <= SPACING:
        return
    outer, inner = diameters(gauge)
    to_probe = plane.pose.inverse()
    stations = np.arange(0, shaft.inserted, SPACING)
    line = to_probe.apply(shaft.at(stations))
    strength = float(values["strength"]) * 2 * SPACING / plane.lateral_step
    heading = to_probe.rotation @ shaft.heading
    toward = np.array([0.0, 0.0, -1.0]) + heading * heading[2]
    toward /= max(float(np.linalg.norm(toward)), 1e-9)
    layers = [(line + toward * (outer / 2), np.full(len(line), strength))]
    for bounce in range(1, int(values["bounces"]) + 1):
        copy = line + toward * (outer / 2 - bounce * inner)
        layers.append((copy, np.full(len(line), strength * float(values["bounce"]) ** bounce)))
    layers.append(
        _bevel(
            to_probe.apply(shaft.tip[np.newaxis])[0],
            to_probe.rotation @ shaft.bevel,
            heading,
            outer,
            strength,
        )
    )
    if echogenic:
        rng = np.random.default_rng((seed, 0xD1))
        dimples = rng.normal(size=MOST_POINTS)[: len(line)] * strength * float(values["dimple_share"])
        dimples[stations < shaft.inserted - 0.02] = 0
        layers.append((line + toward * (outer / 2), dimples))
    _deposit(reflectivity, plane, layers, float(values["slice"]))


def _bevel(
    tip: np.ndarray, side: np.ndarray, heading: np.ndarray, outer: Meters, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    angle = float(facts("insonate.simulation.instrument", "instruments")["needle"]["bevel_angle"])
    length = outer / np.tan(angle)
    share = np.arange(0, 1, SPACING / np.hypot(length, outer))[:, None]
    # The point lies on the side away from the face, the heel on the side that it faces.
    points = tip - side * (outer / 2) - share * (heading * length - side * outer)
    return points, np.full(len(points), strength)


def _deposit(
    reflectivity: np.ndarray, plane: Plane, layers: Sequence[tuple[np.ndarray, np.ndarray]], thickness: Meters
) -> None:
    """Add points in probe axes, weighted by the thickness of the plane."""
    points = np.concatenate([points for points, _ in layers])
    strength = np.concatenate([strength for _, strength in layers])
    strength = strength * np.exp(-0.5 * (points[:, 1] / thickness) ** 2)
    column = points[:, 0] / plane.lateral_step + plane.shape[0] // 2
    row = points[:, 2] / plane.axial_step
    n, m = plane.shape
    kept = (
        (np.abs(strength) > 1e-4)
        & (column > TAPS[0])
        & (column < n - TAPS[0])
        & (row > TAPS[1])
        & (row < m - TAPS[1])
    )
    if not kept.any():
        return
    column, row, strength = column[kept], row[kept], strength[kept]
    first, across = _spread(column, TAPS[0])
    top, down = _spread(row, TAPS[1])
    box = (int(first.min()), int(top.min()), int(first.max()) + TAPS[0], int(top.max()) + TAPS[1])
    wide, high = box[2] - box[0], box[3] - box[1]
    index = ((first - box[0])[:, None, None] + np.arange(TAPS[0])[:, None]) * high + (
        (top - box[1])[:, None, None] + np.arange(TAPS[1])
    )
    weight = strength[:, None, None] * across[:, :, None] * down[:, None, :]
    added = np.bincount(index.ravel(), weight.ravel(), minlength=wide * high).reshape(wide, high)
    reflectivity[box[0] : box[2], box[1] : box[3]] += added.astype(np.float32)


def _spread(place: np.ndarray, taps: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the first sample and the weights of a sinc under a Kaiser window."""
    first = np.floor(place).astype(int) - taps // 2 + 1
    away = first[:, None] + np.arange(taps) - place[:, None]
    return first, np.sinc(away) * np.interp(np.abs(2 * away / taps), WINDOW_AT, WINDOW)
