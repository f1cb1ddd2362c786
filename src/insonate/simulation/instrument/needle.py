"""A needle in the picture: coherent points along shaft and bevel, so that its lobe follows from the wave itself.

A straight line of points at an angle b returns a plane wave about 2 b off, as a mirror does. Sound that bounces within the
tube comes back later by the inner diameter's way: copies below the shaft at multiples of it, each weaker. An echogenic
shaft carries dimples, points of random strength, which answer at any angle. Points lie between the map's samples (`points`).
"""

import numpy as np

from insonate.core import RangeError
from insonate.core.units import Meters
from insonate.simulation.facts import facts
from insonate.simulation.medium import Plane
from insonate.simulation.motion.insertion import Shaft
from insonate.simulation.points import lay

SPACING: Meters = 5e-5
"""Between points along the shaft: a quarter of a wavelength at 7.5 MHz [m]."""
MOST_POINTS = 8000
"""Along the longest shaft that can be commanded, 0.3 m, and some more."""


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
    points = np.concatenate([points for points, _ in layers])
    strengths = np.concatenate([strengths for _, strengths in layers])
    lay(reflectivity, plane, points, strengths, thickness=float(values["slice"]))


def _bevel(
    tip: np.ndarray, side: np.ndarray, heading: np.ndarray, outer: Meters, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    angle = float(facts("insonate.simulation.instrument", "instruments")["needle"]["bevel_angle"])
    length = outer / np.tan(angle)
    share = np.arange(0, 1, SPACING / np.hypot(length, outer))[:, None]
    # The point lies on the side away from the face, the heel on the side that it faces.
    points = tip - side * (outer / 2) - share * (heading * length - side * outer)
    return points, np.full(len(points), strength)
