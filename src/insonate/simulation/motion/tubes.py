"""Vessels and nerves as tubes, found in any body by asking for distances: middle, radius and ellipse at each station.

A tube runs mostly along one axis of the patient. At a station of that axis its section is the part where the distance is
negative: area A and covariance C give the radius sqrt(A / pi) and the matrix S = det(C)^(1/4) C^(-1/2) of determinant one
which makes a circle of its ellipse. What moves the tube moves in the plane across the axis alone, so that no volume is
made or lost however middle and radius change from station to station. Of a tube that branches only the thickest part of
each section is found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from insonate.core.units import Meters
from insonate.simulation.medium import Body
from insonate.simulation.motion import kernels
from insonate.simulation.motion.fields import flattened, grown, sleeve_opened, sleeved
from insonate.simulation.motion.move import Move

COARSE: Meters = 2e-3
"""Between the points at which a tube is looked for [m]."""
FINE: Meters = 0.4e-3
"""Between the points at which its section is measured [m]."""
REACH: Meters = 9e-3
"""Half the width of a section [m]."""
TAPER: Meters = 4e-3
"""Beyond its last station a tube's motion fades over this [m]."""
MOST_POINTS = 60_000
"""The coarse points of a window: a larger one is looked through more coarsely."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tube:
    """One vessel or nerve at rest."""

    label: int
    """Of the body's structure."""
    axis: int
    """It runs along this axis of the patient."""
    along: np.ndarray
    """(n,) stations, increasing [m]."""
    middle: np.ndarray
    """(n, 2) on the two other axes, in their order [m]."""
    radius: np.ndarray
    """(n,) of the circle of the same area [m]."""
    stretch: np.ndarray
    """(n, 2, 2) S, symmetric, of determinant one."""

    @property
    def across(self) -> list[int]:
        """The two other axes."""
        return [axis for axis in range(3) if axis != self.axis]

    @property
    def table(self) -> np.ndarray:
        """(n, 7) along, middle, radius and stretch (00, 01, 11) of each station."""
        s = self.stretch
        return np.column_stack([self.along, self.middle, self.radius, s[:, 0, 0], s[:, 0, 1], s[:, 1, 1]])

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Give places as the tube has them.

        Parameters
        ----------
        points : numpy.ndarray
            (n, 3) patient frame [m].

        Returns
        -------
        middle : numpy.ndarray
            (n, 2) of the tube there [m].
        stretch : numpy.ndarray
            (n, 2, 2) S there.
        radius : numpy.ndarray
            (n,) there [m].
        share : numpy.ndarray
            (n,) 1 along the tube, fading to 0 beyond its ends.
        """
        where = points[:, self.axis]
        low = np.clip(np.searchsorted(self.along, where) - 1, 0, max(len(self.along) - 2, 0))
        high = np.minimum(low + 1, len(self.along) - 1)
        gap = self.along[high] - self.along[low]
        toward = np.clip((where - self.along[low]) / np.where(gap > 0, gap, 1), 0, 1)[:, None]
        packed = np.column_stack(
            [self.middle, self.radius, self.stretch[:, 0, 0], self.stretch[:, 0, 1], self.stretch[:, 1, 1]]
        )
        values = packed[low] + (packed[high] - packed[low]) * toward
        parts = values[:, 3:]
        parts = parts / np.sqrt(parts[:, :1] * parts[:, 2:] - parts[:, 1:2] ** 2)
        stretch = parts[:, [0, 1, 1, 2]].reshape(-1, 2, 2)
        beyond = np.maximum(np.maximum(self.along[0] - where, where - self.along[-1]), 0)
        share = np.clip(1 - beyond / TAPER, 0, 1)
        return values[:, :2], stretch, values[:, 2], share

    def carried(self, walls: Sequence["Wall"]) -> "Tube":
        """Give the tube where walls of vessels have moved its middle; the last is nearest to the body at rest."""
        if not walls:
            return self
        places = np.zeros((len(self.along), 3))
        places[:, self.axis] = self.along
        places[:, self.across] = self.middle
        kernel = kernels.get()
        if kernel is not None:
            places = kernel.carried(places, kernel.told([wall.move for wall in walls]), forward=True)
        else:
            for wall in reversed(walls):
                places = wall.forth(places)
        return replace(self, middle=places[:, self.across])

    def heading(self, points: np.ndarray) -> np.ndarray:
        """Give the unit vector along the tube at (n, 3) places, toward the larger station, (n, 3)."""
        out = np.zeros((len(points), 3))
        out[:, self.axis] = 1.0
        if len(self.along) > 1:
            for number, axis in enumerate(self.across):
                slope = np.gradient(self.middle[:, number], self.along)
                out[:, axis] = np.interp(points[:, self.axis], self.along, slope)
        return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True))

    def circular(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Give (n, 2) offsets in stretched coordinates, with the matrix, radius and share of `at`."""
        middle, stretch, radius, share = self.at(points)
        offset = np.einsum("nij,nj->ni", stretch, points[:, self.across] - middle)
        return offset, stretch, radius, share

    def placed(
        self, points: np.ndarray, offset: np.ndarray, stretch: np.ndarray, middle: np.ndarray
    ) -> np.ndarray:
        """Give `points` with other offsets in stretched coordinates."""
        out = points.copy()
        adjugate = np.stack(
            [stretch[:, 1, 1], -stretch[:, 0, 1], -stretch[:, 1, 0], stretch[:, 0, 0]], axis=1
        ).reshape(-1, 2, 2)  # the inverse, of determinant one
        out[:, self.across] = middle + np.einsum("nij,nj->ni", adjugate, offset)
        return out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wall:
    """A vessel whose wall has moved: an artery's out with the pulse, a vein's in under the probe, then flat."""

    tube: Tube
    """The vessel at rest."""
    area: float
    """Of the lumen, as a share of that at rest, 1."""
    flat: float = 0.0
    """Logarithm of the widening of a lumen that is flattened."""

    @property
    def move(self) -> Move:
        """As numbers: area, flatness."""
        numbers = np.array([self.area, self.flat])
        return Move(kind="wall", numbers=numbers, table=self.tube.table, axis=self.tube.axis)

    def _radii(self, radius: np.ndarray, share: np.ndarray) -> np.ndarray:
        return np.asarray(radius * np.sqrt(1 + (self.area - 1) * share))

    def back(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue was, (n, 3) [m]."""
        middle, stretch, radius, share = self.tube.at(points)
        offset = np.einsum("nij,nj->ni", stretch, points[:, self.tube.across] - middle)
        if self.flat:
            offset = flattened(offset, -self.flat * share, 1.6 * radius)
        offset = grown(offset, radius, self._radii(radius, share))
        return self.tube.placed(points, offset, stretch, middle)

    def forth(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue is, (n, 3) [m]."""
        middle, stretch, radius, share = self.tube.at(points)
        offset = np.einsum("nij,nj->ni", stretch, points[:, self.tube.across] - middle)
        offset = grown(offset, self._radii(radius, share), radius)
        if self.flat:
            offset = flattened(offset, self.flat * share, 1.6 * radius)
        return self.tube.placed(points, offset, stretch, middle)

    def share_of_radius(self, points: np.ndarray) -> np.ndarray:
        """Give how far places at rest lie from the middle of the lumen, 1 on its wall, (n,)."""
        offset, _, radius, _ = self.tube.circular(points)
        return np.asarray(np.hypot(offset[:, 0], offset[:, 1]) / radius)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sleeve:
    """Fluid round a nerve, or in its middle, thickest where it was given."""

    tube: Tube
    """The nerve at rest."""
    volume: float
    """[m^3]."""
    station: Meters
    """Where along the tube it was given [m]."""
    half_length: Meters
    """It ends so far from there, on either side [m]."""
    inside: bool
    """Whether it lies in the nerve rather than round it."""

    @property
    def in_nerve(self) -> bool:
        """Whether the fluid lies in a structure of the body, rather than in a channel beside one."""
        return self.inside and self.tube.label > 0

    @property
    def move(self) -> Move:
        """As numbers: the area over pi at its thickest, station, half length."""
        peak = 3 * self.volume / (4 * np.pi * self.half_length)
        numbers = np.array([peak, self.station, self.half_length])
        tube = self.tube
        return Move(
            kind="sleeve", numbers=numbers, table=tube.table, axis=tube.axis, inside=self.inside, fluid=True
        )

    def _area(self, points: np.ndarray) -> np.ndarray:
        """Give the fluid's area over pi at the station of each place: a parabola whose integral is the volume."""
        away = (points[:, self.tube.axis] - self.station) / self.half_length
        peak = 3 * self.volume / (4 * np.pi * self.half_length)
        return np.asarray(peak * np.maximum(1 - away**2, 0))

    def _core(self, radius: np.ndarray) -> np.ndarray:
        return np.zeros_like(radius) if self.inside else radius

    def back(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue was, (n, 3) [m]."""
        middle, stretch, radius, _ = self.tube.at(points)
        offset = np.einsum("nij,nj->ni", stretch, points[:, self.tube.across] - middle)
        before, _ = sleeved(offset, self._core(radius), self._area(points))
        return self.tube.placed(points, before, stretch, middle)

    def forth(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue is, (n, 3) [m]."""
        middle, stretch, radius, _ = self.tube.at(points)
        offset = np.einsum("nij,nj->ni", stretch, points[:, self.tube.across] - middle)
        after = sleeve_opened(offset, self._core(radius), self._area(points))
        return self.tube.placed(points, after, stretch, middle)

    def depth(self, points: np.ndarray) -> np.ndarray:
        """Give how deep places lie in the fluid, negative outside, (n,) [m] of the stretched circle."""
        offset, _, radius, _ = self.tube.circular(points)
        return sleeved(offset, self._core(radius), self._area(points))[1]


def _lattice(extent: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    size = extent[1] - extent[0]
    step = max(COARSE, float(np.cbrt(np.prod(size) / MOST_POINTS)))
    lines = [np.arange(extent[0, i] + step / 2, extent[1, i], step) for i in range(3)]
    return lines, np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1)


def trace(body: Body, label: int) -> Tube | None:
    """Find a tube.

    Parameters
    ----------
    body : Body
        Any.
    label : int
        Of a vessel or nerve.

    Returns
    -------
    Tube or None
        None where the structure does not show within the window.
    """
    lines, points = _lattice(body.extent)
    shape = points.shape[:3]
    distance = body.distance(label, points.reshape(-1, 3)).reshape(shape)
    step = float(lines[0][1] - lines[0][0]) if len(lines[0]) > 1 else COARSE
    near = distance < step
    if not near.any():
        return None
    spans = [np.ptp(np.nonzero(near)[axis]) for axis in range(3)]
    axis = int(np.argmax(spans))
    others = [i for i in range(3) if i != axis]
    stations: list[float] = []
    middles: list[np.ndarray] = []
    radii: list[float] = []
    stretches: list[np.ndarray] = []
    for number, station in enumerate(lines[axis]):
        plane = np.take(distance, number, axis=axis)
        i, j = np.unravel_index(int(np.argmin(plane)), plane.shape)
        if plane[i, j] > step:
            continue
        section = _section(body, label, axis, others, station, (lines[others[0]][i], lines[others[1]][j]))
        if section is not None:
            stations.append(float(station))
            middles.append(section[0])
            radii.append(section[1])
            stretches.append(section[2])
    if not stations:
        return None
    return Tube(
        label=label,
        axis=axis,
        along=np.array(stations),
        middle=np.array(middles),
        radius=np.array(radii),
        stretch=np.array(stretches),
    )


def _section(
    body: Body, label: int, axis: int, others: Sequence[int], station: float, near: tuple[float, float]
) -> tuple[np.ndarray, float, np.ndarray] | None:
    """Measure middle, radius and stretch of one section; None where nothing of it lies inside."""
    from scipy.ndimage import label as parts

    line = np.arange(-REACH, REACH + FINE / 2, FINE)
    u, v = np.meshgrid(near[0] + line, near[1] + line, indexing="ij")
    points = np.empty((u.size, 3))
    points[:, axis], points[:, others[0]], points[:, others[1]] = station, u.ravel(), v.ravel()
    depth = -body.distance(label, points).reshape(u.shape)
    if (depth > 0).sum() < 4:
        return None
    inside = depth > -FINE / 2
    numbers, _ = parts(inside)
    inside = numbers == numbers[np.unravel_index(int(np.argmax(depth)), depth.shape)]
    # A cell that the edge crosses counts as far as it lies inside.
    weight = np.where(inside, np.clip(depth / FINE + 0.5, 0, 1), 0)
    total = float(weight.sum())
    middle = np.array([(weight * u).sum(), (weight * v).sum()]) / total
    du, dv = u - middle[0], v - middle[1]
    covariance = (
        np.array(
            [
                [(weight * du * du).sum(), (weight * du * dv).sum()],
                [(weight * du * dv).sum(), (weight * dv * dv).sum()],
            ]
        )
        / total
        + np.eye(2) * FINE**2 / 100
    )
    values, vectors = np.linalg.eigh(covariance)
    stretch = vectors @ np.diag(1 / np.sqrt(values)) @ vectors.T * np.prod(values) ** 0.25
    return middle, float(np.sqrt(total * FINE**2 / np.pi)), stretch
