"""What the wave meets at one tick: the body cut and moved, with fluid, needle and lost contact drawn in; and its blood."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from insonate.simulation.acoustics import kernels
from insonate.simulation.course import Course
from insonate.simulation.facts import facts
from insonate.simulation.instrument.needle import echo, shadow
from insonate.simulation.medium import Medium, Plane
from insonate.simulation.motion.deformation import Deformation
from insonate.simulation.motion.insertion import Shaft
from insonate.simulation.points import Patch, weight
from insonate.simulation.streams import Stream

COARSER = 4
"""Attenuation is summed at every so many samples."""
WIDEST = 0.22
"""Steering angle that the map is wide enough for [rad]."""
BESIDE = 3e-3
"""Over which the wave fades beside the array's face [m]."""
EDGE = 1e-4
"""Over which the edge of fluid fades [m]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Section:
    """One plane at one tick."""

    medium: Medium
    """With needle, fluid and air."""
    displacement: np.ndarray
    """(n, m, 3) u at the nodes, patient axes [m]."""
    fluid: np.ndarray
    """(n, m) how deep the nodes lie in fluid, negative outside [m]."""


class Cutter:
    """Cuts one plane's shape again and again; it remembers where the probe pressed last."""

    def __init__(
        self,
        shape: tuple[int, int],
        lateral_step: float,
        axial_step: float,
        nodes: tuple[int, int],
        *,
        beside: float = 0.0,
        columns: slice = slice(None),
    ) -> None:
        """Take the map's shape and steps, how many nodes carry the motion, how far beside the image plane it cuts, and which
        columns are asked for.
        """
        self._columns = columns
        self._beside = beside
        self._shape, self._steps, self._nodes = shape, (lateral_step, axial_step), nodes
        self._across = _linear(nodes[0], shape[0])
        self._down = _linear(nodes[1], shape[1])
        self._key: object = None
        self._places = np.zeros((0, 3))
        self._released = np.zeros((0, 3))
        self._drawn: tuple[object, list[Patch], list[Patch]] | None = None

    def plane(self, course: Course) -> Plane:
        """Give the image plane of the probe now, or the one beside it."""
        pose = course.now.contact.pose
        if self._beside:
            pose = replace(pose, translation=pose.translation + self._beside * pose.rotation[:, 1])
        return Plane(
            pose=pose,
            shape=self._shape,
            lateral_step=self._steps[0],
            axial_step=self._steps[1],
        )

    def nodes(self, course: Course) -> tuple[np.ndarray, np.ndarray]:
        """Give the nodes' places, (n, 3), and where the probe's pressure took them from [m]."""
        contact = course.now.contact
        if self._key is not contact:
            plane = self.plane(course)
            lateral = np.linspace(plane.lateral[0], plane.lateral[-1], self._nodes[0])
            axial = np.linspace(plane.axial[0], plane.axial[-1], self._nodes[1])
            self._places = plane.points(lateral, axial).reshape(-1, 3)
            self._released = contact.back(self._places)
            self._key = contact
        return self._places, self._released

    @property
    def node_shape(self) -> tuple[int, int]:
        """(n, m) of the nodes."""
        return self._nodes

    def spread(self, values: np.ndarray, box: tuple[slice, slice] = (slice(None), slice(None))) -> np.ndarray:
        """Interpolate (n, m) values of the nodes to every sample, or to those of a box, float32."""
        low, share = (part[box[0]] for part in self._across)
        rows = values.astype(np.float32)
        rows = rows[low] * (1 - share[:, None]) + rows[low + 1] * share[:, None]
        low, share = (part[box[1]] for part in self._down)
        return np.asarray(rows[:, low] * (1 - share) + rows[:, low + 1] * share)

    def cut(self, course: Course, *, needle: bool = True, now: Deformation | None = None) -> Section:
        """Cut the body as it is now.

        Parameters
        ----------
        course : Course
            The examination.
        needle : bool
            Whether the needle is drawn.
        now : Deformation, optional
            How the body lies, soon after the last tick; as then by default.

        Returns
        -------
        Section
            Of the image plane.
        """
        plane = self.plane(course)
        places, released = self.nodes(course)
        now = course.now if now is None else now
        origin, depth = now.looked(released)
        displacement = (places - origin).reshape(*self._nodes, 3)
        medium = course.body.cut(plane, displacement, columns=self._columns)
        reflectivity, labels = np.asarray(medium.reflectivity, np.float32), medium.labels
        fluid = depth.reshape(self._nodes)
        if now.has_fluid:
            self._wet(reflectivity, labels, fluid)
        shaft = course.insertion.shaft
        if needle and shaft is not None:
            left, added = self._needle(course, plane, shaft)
            for box, values in left:
                reflectivity[box] *= values
            for box, values in added:
                reflectivity[box] += values
        transmission = self._coupled(course, plane, reflectivity, medium.transmission)
        drawn = replace(medium, reflectivity=reflectivity, labels=labels, transmission=transmission)
        return Section(medium=drawn, displacement=displacement, fluid=fluid)

    def _needle(self, course: Course, plane: Plane, shaft: Shaft) -> tuple[list[Patch], list[Patch]]:
        """Give what a needle leaves of the map and what it adds, worked out anew only where needle or plane has moved."""
        echogenic = course.controls["needle_echogenic"] > 0.5
        held = (shaft.entry, shaft.direction, shaft.curvature, shaft.inserted, shaft.rotation)
        place = (*held, plane.pose.rotation, plane.pose.translation)
        key = (course.seed, course.gauge, echogenic, *(np.asarray(one).tobytes() for one in place))
        if self._drawn is None or self._drawn[0] != key:
            left = shadow(plane, shaft, gauge=course.gauge)
            added = echo(plane, shaft, gauge=course.gauge, echogenic=echogenic, seed=course.seed)
            self._drawn = (key, left, added)
        return self._drawn[1:]

    def streams(self, course: Course, section: Section, *, moving: bool = False) -> list[Stream]:
        """Give the blood of the image plane at the last tick.

        Parameters
        ----------
        course : Course
            The examination.
        section : Section
            Cut at that tick.
        moving : bool
            Whether it is asked for how points go on.

        Returns
        -------
        list of Stream
            One for each vessel that shows.
        """
        columns, rows = (
            np.linspace(0, n - 1, count).astype(int)
            for n, count in zip(self._shape, self._nodes, strict=True)
        )
        places, _ = self.nodes(course)
        return course.streams.met(
            section.medium.plane,
            course.now,
            course.lived,
            section.medium.labels[np.ix_(columns, rows)].ravel(),
            places - section.displacement.reshape(-1, 3),
            moving=moving,
        )

    def _wet(self, reflectivity: np.ndarray, labels: np.ndarray, fluid: np.ndarray) -> None:
        """Let fluid be dark, in place, only where it may be."""
        rows, columns = np.nonzero(np.maximum.reduce([fluid, *_shifted(fluid)]) > 0)
        if len(rows) == 0:
            return
        sides = []
        for at, count, n in (
            (rows, self._nodes[0], self._shape[0]),
            (columns, self._nodes[1], self._shape[1]),
        ):
            step = (n - 1) / (count - 1)
            sides.append(slice(int(max(at.min() - 1, 0) * step), int(np.ceil((at.max() + 1) * step)) + 1))
        box = (sides[0], sides[1])
        depth = self.spread(fluid, box)
        dry = np.clip(0.5 - depth / EDGE, 0, 1)
        weak = float(facts("insonate.simulation.instrument", "instruments")["fluid"]["strength"])
        reflectivity[box] *= weak + (1 - weak) * dry
        labels[box] = np.where(depth > 0, 0, labels[box])

    def _coupled(
        self, course: Course, plane: Plane, reflectivity: np.ndarray, transmission: np.ndarray | None
    ) -> np.ndarray | None:
        """Let nothing through where the face is on air, and ring there."""
        touching = course.now.contact.touching(plane.lateral).astype(np.float32)
        if touching.min() > 0.999:
            return transmission
        air = facts("insonate.simulation", "patient")["air"]
        rows = min(int(air["depth"] / plane.axial_step), plane.shape[1])
        reflectivity *= touching[:, None]
        at = np.round(
            np.arange(1, int(air["depth"] / air["spacing"]) + 1) * air["spacing"] / plane.axial_step
        ).astype(int)
        for number, row in enumerate(at[at < rows]):
            reflectivity[:, row] += (1 - touching) * (air["strength"] * weight(plane) * 0.6**number)
        through = (
            np.ones(plane.shape, np.float32) if transmission is None else np.array(transmission, np.float32)
        )
        through[:, rows:] *= touching[:, None]
        return through


def _linear(nodes: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Give, for each of evenly spaced samples, the node before it and how far it lies toward the next."""
    at = np.linspace(0, nodes - 1, samples)
    low = np.minimum(at.astype(int), nodes - 2)
    return low, (at - low).astype(np.float32)


def _shifted(values: np.ndarray) -> list[np.ndarray]:
    padded = np.pad(values, 1, mode="edge")
    return [padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]]


def levels(medium: Medium, frequency: float) -> np.ndarray:
    """Give what the way there and back takes and the machine's time gain gives, without transmission.

    Parameters
    ----------
    medium : Medium
        Of one plane.
    frequency : float
        Of the probe [Hz].

    Returns
    -------
    numpy.ndarray
        One of each `COARSER` samples either way, (n_lateral / COARSER, n_axial / COARSER) float32.
    """
    wave = facts("insonate.simulation", "patient")["wave"]
    table = medium.properties["attenuation"] * (frequency / 1e6) ** medium.properties["attenuation_exponent"]
    coarse = np.take(table.astype(np.float32), medium.labels[::COARSER, ::COARSER])
    step = medium.plane.axial_step * COARSER
    way = np.cumsum(coarse, axis=1) * np.float32(step)
    depth = np.arange(way.shape[1]) * step
    gain = np.minimum(depth * wave["gain_slope"], wave["gain_limit"]).astype(np.float32)
    return np.asarray(np.power(np.float32(10), (gain - 2 * way) / 20))


def heard(medium: Medium, frequency: float) -> np.ndarray:
    """Give what is heard of a map: what the way there and back takes, and what the machine's time gain gives.

        10^((gain(z) - 2 int_0^z alpha f^b dz) / 20) T(x, z) g(x, z) w(x, z)

    w is 1 where a wave sent by the array's face can pass, steered by `WIDEST` at most, and falls to 0 beside it: the
    engine's plane waves are endless, and a flat fascia beside the array would answer them before the first echo.

    Parameters
    ----------
    medium : Medium
        Of one plane.
    frequency : float
        Of the probe [Hz].

    Returns
    -------
    numpy.ndarray
        (n_lateral, n_axial) float32.
    """
    plane = medium.plane
    level = levels(medium, frequency) * _footprint(*plane.shape, plane.lateral_step, plane.axial_step)
    made = kernels.get().heard(level, COARSER, medium.reflectivity, medium.transmission)
    return np.asarray(made)


@cache
def hearing(shape: tuple[int, int], lateral_step: float, axial_step: float) -> slice:
    """Give the columns of a map in which anything can be heard at any depth, and a little more.

    Parameters
    ----------
    shape : (int, int)
        Of the map.
    lateral_step, axial_step : float
        [m].

    Returns
    -------
    slice
        Of the map's columns.
    """
    heard_of = np.flatnonzero(_footprint(*shape, lateral_step, axial_step).any(axis=1))
    return slice(max(int(heard_of[0]) - 1, 0) * COARSER, min((int(heard_of[-1]) + 2) * COARSER, shape[0]))


@cache
def _footprint(n: int, m: int, lateral_step: float, axial_step: float) -> np.ndarray:
    """Give where a wave sent by the array can pass, at one sample in `COARSER`, float32."""
    probe = facts("insonate.simulation", "patient")["probe"]
    half = probe["n_elements"] * probe["pitch"] / 2
    x = np.abs(np.arange(0, n, COARSER) - n // 2) * lateral_step
    z = np.arange(0, m, COARSER) * axial_step
    beyond = x[:, None] - half - z[None, :] * np.tan(WIDEST)
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.clip(beyond / BESIDE, 0, 1)), np.float32)
