"""Blood that flows: points carried along a vessel, found at any time from the seed and the time alone.

A point keeps its place in the section, q of the radius from the middle, and goes along the middle line by

    l(t) = l0 + s (1 - q^2) D(t)   modulo the length of the tube,   D(t) = int_0^t v dt,

Poiseuille's profile of the speed v in the middle; s is -1 in arteries, away from the heart, and +1 in veins, counted toward
the larger station of the tube. Nothing is remembered from one look to the next, so that looks left out change nothing. Where
a tube widens points thin out and are stronger by as much.
"""

from dataclasses import dataclass

import numpy as np

from insonate.core.units import Meters, Seconds
from insonate.simulation.facts import facts
from insonate.simulation.motion.rhythm import Rhythm
from insonate.simulation.motion.tubes import Tube

MOST_POINTS = 120_000
"""In one vessel: a wider one holds them less densely, and stronger."""

CHART_STEP: Meters = 1.5e-3
"""Along a vessel between places that are asked where they are now [m]."""


class Blood:
    """The points of one vessel."""

    def __init__(self, seed: int, tube: Tube, rhythm: Rhythm, *, artery: bool) -> None:
        """Draw them.

        Parameters
        ----------
        seed : int
            Of the individual.
        tube : Tube
            The lumen at rest.
        rhythm : Rhythm
            Of the individual.
        artery : bool
            Whether it flows as an artery does, else as a vein.
        """
        self.tube, self._rhythm, self._artery = tube, rhythm, artery
        steps = np.hypot(np.diff(tube.along), np.linalg.norm(np.diff(tube.middle, axis=0), axis=1))
        self._way = np.concatenate([[0.0], np.cumsum(steps)])
        self.length: Meters = float(self._way[-1])
        """Of the middle line [m]."""
        self._typical = float(np.sqrt((tube.radius**2).mean()))
        volume = np.pi * self._typical**2 * self.length
        wanted = volume * 1e9 * facts("insonate.simulation.motion", "motion")["blood"]["points_per_mm3"]
        count = int(min(wanted, MOST_POINTS))
        self.density: float = count / volume if volume > 0 else 0.0
        """Points to a cubic meter, where the tube is of its typical radius [1/m^3]."""
        rng = np.random.default_rng((seed, 0xB100D, tube.label))
        self._begin = rng.uniform(0, self.length, count)
        far, turn = np.sqrt(rng.uniform(size=count)), rng.uniform(0, 2 * np.pi, count)
        self._offset = far[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        self._pace = (-1.0 if artery else 1.0) * (1 - far**2)
        self._strength = rng.standard_normal(count)
        self._known: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __len__(self) -> int:
        return len(self._begin)

    def travel(self, time: Seconds) -> Meters:
        """Give D, how far the middle has gone since time 0 [m]."""
        return self._rhythm.arterial_travel(time) if self._artery else self._rhythm.venous_travel(time)

    def places(self, which: np.ndarray, travel: Meters) -> np.ndarray:
        """Give where points are in the body at rest.

        Parameters
        ----------
        which : numpy.ndarray
            (n,) indices.
        travel : float
            D [m].

        Returns
        -------
        numpy.ndarray
            (n, 3) patient frame [m].
        """
        return self._placed(self._ways(which, travel), self._offset[which])

    def strengths(self, which: np.ndarray, travel: Meters) -> np.ndarray:
        """Give the strength of points, (n,) of unit deviation where the tube is of its typical radius."""
        at = self._ways(which, travel)
        radius = np.interp(np.interp(at, self._way, self.tube.along), self.tube.along, self.tube.radius)
        return np.asarray(self._strength[which] * radius / self._typical)

    def lattice(self, low: Meters, high: Meters, side: int) -> "Lattice | None":
        """Give places of a part of the lumen at rest, to be asked where they are now.

        Parameters
        ----------
        low, high : float
            Stations of the tube [m].
        side : int
            Places across the lumen, either way.

        Returns
        -------
        Lattice or None
            None where the tube does not reach.
        """
        low, high = max(low, float(self.tube.along[0])), min(high, float(self.tube.along[-1]))
        if self.length <= 0 or high <= low:
            return None
        ends = np.interp([low, high], self.tube.along, self._way)
        ways = np.linspace(ends[0], ends[1], max(2, int(np.ceil((ends[1] - ends[0]) / CHART_STEP)) + 1))
        across = np.linspace(-1, 1, side)
        at = np.stack(np.meshgrid(ways, across, across, indexing="ij"), axis=-1).reshape(-1, 3)
        return Lattice(
            blood=self,
            first=float(ends[0]),
            last=float(ends[1]),
            side=side,
            rest=self._placed(at[:, 0], at[:, 1:]),
        )

    def _ways(self, which: np.ndarray | slice, travel: Meters) -> np.ndarray:
        """Give how far along the middle line points are, (n,) [m]."""
        at = self._begin[which] + self._pace[which] * travel
        at -= self.length * np.floor(at * (1 / self.length))
        return np.asarray(at)

    def _across(self, side: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the four places of a lattice's section round each point, (n, 4) int, and their shares, (n, 4)."""
        if side not in self._known:
            cell = (self._offset + 1) / 2 * (side - 1)
            low = np.clip(cell.astype(int), 0, side - 2)
            u, v = (cell - low).T
            first = low[:, 0] * side + low[:, 1]
            corner = first[:, None] + np.array([0, 1, side, side + 1])
            share = np.stack([(1 - u) * (1 - v), (1 - u) * v, u * (1 - v), u * v], axis=1)
            self._known[side] = (corner, share)
        return self._known[side]

    def _placed(self, way: np.ndarray, offset: np.ndarray) -> np.ndarray:
        places = np.zeros((len(way), 3))
        places[:, self.tube.axis] = np.interp(way, self._way, self.tube.along)
        middle, stretch, radius, _ = self.tube.at(places)
        return self.tube.placed(places, offset * radius[:, None], stretch, middle)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lattice:
    """Places of a part of a lumen at rest, evenly spread along and across it."""

    blood: Blood
    """Whose lumen."""
    first: Meters
    """Along the middle line [m]."""
    last: Meters
    """[m]."""
    side: int
    """Places across, either way."""
    rest: np.ndarray
    """(n side side, 3) patient frame [m]."""

    def chart(self, now: np.ndarray) -> "Chart":
        """Give the chart of where they are now, (n side side, 3) patient frame [m]."""
        shape = (-1, self.side, self.side, 3)
        return Chart(blood=self.blood, first=self.first, last=self.last, now=now.reshape(shape))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chart:
    """A part of a lumen as it is now: where points of blood are, by straight lines between places that were asked for."""

    blood: Blood
    """Whose points."""
    first: Meters
    """Along the middle line [m]."""
    last: Meters
    """[m]."""
    now: np.ndarray
    """(n, side, side, 3) places, patient frame [m]."""

    @property
    def opened(self) -> float:
        """The section of the lumen now as a share of that at rest."""
        half = self.now.shape[1] // 2
        across = self.now[:, -1, half] - self.now[:, 0, half]
        down = self.now[:, half, -1] - self.now[:, half, 0]
        wide = np.linalg.norm(np.cross(across, down), axis=1)
        return max(float(wide.mean()) / (4 * float((self.blood.tube.radius**2).mean())), 1e-3)

    def within(self, travel: Meters, every: int = 1) -> np.ndarray:
        """Give the indices of points that lie in this part, of every so manyth point alone, (n,) int."""
        at = self.blood._ways(slice(None, None, every), travel)
        return every * np.flatnonzero((at >= self.first) & (at <= self.last))

    def places(self, which: np.ndarray, travel: Meters, onward: Meters = 0.0) -> np.ndarray:
        """Give where points are now.

        Parameters
        ----------
        which : numpy.ndarray
            (n,) indices.
        travel : float
            D [m].
        onward : float
            Beyond it, without coming round from one end of the tube to the other [m].

        Returns
        -------
        numpy.ndarray
            (n, 3) patient frame; beyond the ends of the chart it goes straight on [m].
        """
        blood, (stations, side) = self.blood, self.now.shape[:2]
        at = blood._ways(which, travel) + blood._pace[which] * onward
        cell = (at - self.first) * ((stations - 1) / (self.last - self.first))
        low = np.clip(cell.astype(int), 0, stations - 2)
        part = (cell - low)[:, None]
        corner, share = blood._across(side)
        # each place beside the one of the next section: one look for both
        flat = self.now.reshape(-1, 3)
        pairs = np.concatenate([flat[: -(side**2)], flat[side**2 :]], axis=1)
        asked = (low * side**2)[:, None] + corner.take(which, axis=0)
        found = pairs.take(asked.ravel(), axis=0).reshape(len(which), 4, 6)
        both = np.einsum("nk,nkc->nc", share.take(which, axis=0), found)
        return np.asarray(both[:, :3] + (both[:, 3:] - both[:, :3]) * part)
