"""A needle in the picture: coherent points along shaft and bevel, so that its lobe follows from the wave itself.

A straight line of points at an angle b returns a plane wave about 2 b off, as a mirror does. Sound that bounces within the
tube comes back later by the inner diameter's way: copies below the shaft at multiples of it, each weaker. An echogenic
shaft carries dimples, points of random strength, which answer at any angle. Points lie between the map's samples (`points`).

A needle casts a shadow: of the beam's thickness, exp(-y^2 / 2 s^2) there and back, it takes the share that its diameter
covers, b = Phi((y + d / 2) / s) - Phi((y - d / 2) / s). What lies below is left sqrt(1 - b) on the way there, straight
down, and the mean of that over directions back to eight sub-apertures: behind a tip or a shaft across the plane sound comes
round.
"""

import numpy as np
from scipy.special import ndtr

from insonate.core import RangeError
from insonate.core.units import Meters
from insonate.simulation.acoustics.shadow import BACK
from insonate.simulation.facts import facts
from insonate.simulation.medium import Plane
from insonate.simulation.motion.insertion import Shaft
from insonate.simulation.points import Patch, spread, weight

SPACING: Meters = 5e-5
"""Between points along the shaft: a quarter of a wavelength at 7.5 MHz [m]."""
MOST_POINTS = 8000
"""Along the longest shaft that can be commanded, 0.3 m, and some more."""
SHADE_STRIDE = (2, 12)
"""Columns and rows from place to place at which the shadow is worked out."""


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
    """Add a needle to a map, in place: what `echo` gives, (n_lateral, n_axial) float32 of `plane`."""
    for box, values in echo(plane, shaft, gauge=gauge, echogenic=echogenic, seed=seed):
        reflectivity[box] += values


def echo(plane: Plane, shaft: Shaft, *, gauge: int, echogenic: bool, seed: int) -> list[Patch]:
    """Give what a needle adds to a map.

    Parameters
    ----------
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

    Returns
    -------
    list of Patch
        One, or none.
    """
    values = facts("insonate.simulation.instrument", "instruments")["needle"]
    if shaft.inserted <= SPACING:
        return []
    outer, inner = diameters(gauge)
    to_probe = plane.pose.inverse()
    stations = np.arange(0, shaft.inserted, SPACING)
    line = to_probe.apply(shaft.at(stations))
    strength = float(values["strength"]) * weight(plane) * 2 * SPACING / plane.lateral_step
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
    points = np.concatenate([points for points, _ in layers])
    strengths = np.concatenate([strengths for _, strengths in layers])
    return spread(plane, points, strengths, thickness=float(values["slice"]))


def shade(reflectivity: np.ndarray, plane: Plane, shaft: Shaft, *, gauge: int) -> None:
    """Weaken what lies in the shadow of a needle, in place, before the needle is drawn: by what `shadow` gives."""
    for box, values in shadow(plane, shaft, gauge=gauge):
        reflectivity[box] *= values


def shadow(plane: Plane, shaft: Shaft, *, gauge: int) -> list[Patch]:
    """Give what a needle leaves of what lies in its shadow.

    Parameters
    ----------
    plane : Plane
        Where the map lies.
    shaft : Shaft
        Where the needle lies, patient frame.
    gauge : int
        One of the table's.

    Returns
    -------
    list of Patch
        One, or none.
    """
    if shaft.inserted <= SPACING:
        return []
    outer, _ = diameters(gauge)
    thickness = float(facts("insonate.simulation.instrument", "instruments")["needle"]["slice"])
    stations = np.arange(0, shaft.inserted, outer / 4)
    at = plane.pose.inverse().apply(shaft.at(stations))
    beside = at[:, 1]
    covered = ndtr((beside + outer / 2) / thickness) - ndtr((beside - outer / 2) / thickness)
    if covered.max() < 0.01:
        return []
    across, down = SHADE_STRIDE
    top = max(int(at[:, 2].min() / plane.axial_step), 0)
    x, z = plane.lateral[::across], plane.axial[top::down]
    if len(z) == 0:
        return []
    reach = float(np.tan(np.abs(BACK).max())) * float(z[-1]) + 3 * outer
    near = np.flatnonzero((x > at[:, 0].min() - reach) & (x < at[:, 0].max() + reach))
    if len(near) == 0:
        return []
    left = np.ones((len(x), len(z)), np.float32)
    some = x[near]
    past = _past(some, z, at, covered, outer, 0.0)
    back = sum((_past(some, z, at, covered, outer, np.tan(angle)) for angle in BACK), np.float32(0))
    left[near] = past * (back / np.float32(len(BACK)))
    dark = np.flatnonzero(left.min(axis=1) < 1)
    if len(dark) == 0:
        return []
    begin, end = across * int(dark[0]), min(across * (int(dark[-1]) + 1), plane.shape[0])
    some = np.repeat(left[dark[0] : dark[-1] + 1], down, axis=1)[:, : plane.shape[1] - top]
    return [((slice(begin, end), slice(top, plane.shape[1])), np.repeat(some, across, axis=0)[: end - begin])]


def _past(
    x: np.ndarray, z: np.ndarray, at: np.ndarray, covered: np.ndarray, outer: Meters, slope: float
) -> np.ndarray:
    """Give what passes a needle one way along lines x + slope z, for open places x, z, (n, m) float32."""
    step = outer / 2
    way = at[:, 0] + slope * at[:, 2]
    first = way.min() - 2 * outer
    bins = np.floor((way - first) / step).astype(int)
    count = int(bins.max()) + 4
    wide = max(round(np.hypot(1, slope) * outer / step), 1)
    share, depth = np.zeros(count + wide), np.full(count + wide, np.inf)
    for more in range(wide):
        np.maximum.at(share, bins + more - wide // 2, covered)
        np.minimum.at(depth, bins + more - wide // 2, at[:, 2] + outer / 2)
    # a place of nothing before the first and after the last: there it is open, wherever a line leads to
    open_ = np.concatenate([[1.0], np.sqrt(1 - share), [1.0]]).astype(np.float32)
    below = np.concatenate([[np.inf], depth, [np.inf]]).astype(np.float32)
    where = (
        ((x / step + 1)[:, None] + ((slope * z - first) / step)[None, :])
        .clip(0, len(open_) - 1)
        .astype(np.int32)
    )
    return np.where(z.astype(np.float32) > below[where], open_[where], np.float32(1))


def _bevel(
    tip: np.ndarray, side: np.ndarray, heading: np.ndarray, outer: Meters, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    angle = float(facts("insonate.simulation.instrument", "instruments")["needle"]["bevel_angle"])
    length = outer / np.tan(angle)
    share = np.arange(0, 1, SPACING / np.hypot(length, outer))[:, None]
    # The point lies on the side away from the face, the heel on the side that it faces.
    points = tip - side * (outer / 2) - share * (heading * length - side * outer)
    return points, np.full(len(points), strength)
