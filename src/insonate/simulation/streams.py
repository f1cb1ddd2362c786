"""All blood of a body as one plane meets it: points with their strengths, in the axes of the probe.

Only what lies in the vessels that the plane cuts, and within twice the thickness of the plane, is looked for. A lumen that
is squeezed holds less blood: its points lie closer and each is weaker. Echoes of the points together are as strong as those
of white noise of the deviation that `motion.toml` names, on a map with rows of 0.04 mm, whatever their number.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from insonate.core import Structure, Tissue
from insonate.core.units import Meters, Seconds
from insonate.simulation.facts import facts
from insonate.simulation.medium import Plane
from insonate.simulation.motion.blood import Blood, Chart
from insonate.simulation.motion.deformation import Deformation
from insonate.simulation.motion.rhythm import Rhythm
from insonate.simulation.motion.tubes import Tube
from insonate.simulation.points import SAMPLE, weight

SLICE, SIDE = 1.75, 7
"""Points further beside the plane, in halves of its thickness, are left out: their echoes lie 13 dB lower. And how many
places across a lumen are asked where they are now."""
PICTURED_SLICE, PICTURED_SIDE, PICTURED_EVERY = 1.5, 3, 2
"""The same for a picture, in which blood is all but dark and nobody measures how fast it goes, and of how many points one
is looked for."""
AROUND: Meters = 0.8e-3
"""Beyond the stations that the plane's nodes, 0.8 mm apart, show of a lumen [m]."""
ONWARD: Meters = 1e-3
"""How far along the flow a point's way is looked for beyond where it is [m]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stream:
    """The blood of one vessel near one plane."""

    label: int
    """Of the vessel."""
    blood: Blood
    """All its points."""
    places: np.ndarray
    """(n, 3) now, probe axes [m]."""
    onward: np.ndarray
    """(n, 3) how a point's place changes for each meter that the middle of the vessel goes, 1."""
    strengths: np.ndarray
    """(n,) as samples of the map, were they in the plane."""

    def at(self, start: Seconds, time: Seconds) -> np.ndarray:
        """Give where the points are at a time soon after that of the places, (n, 3) probe axes [m]."""
        return np.asarray(self.places + self.onward * (self.blood.travel(time) - self.blood.travel(start)))


class Streams:
    """The blood of every vessel wide enough."""

    def __init__(
        self,
        seed: int,
        tubes: Mapping[int, Tube],
        structures: tuple[Structure, ...],
        rhythm: Rhythm,
        *,
        least_radius: Meters,
    ) -> None:
        """Take the vessels; points are drawn when they are first looked at.

        Parameters
        ----------
        seed : int
            Of the individual.
        tubes : mapping of int to Tube
            By label; those of nerves are passed over.
        structures : tuple of Structure
            What labels stand for.
        rhythm : Rhythm
            Of the individual.
        least_radius : float
            The blood of narrower vessels is not seen to move [m].
        """
        self._seed, self._rhythm = seed, rhythm
        self._tubes = {
            label: tube
            for label, tube in tubes.items()
            if structures[label - 1].tissue.is_vessel and float(tube.radius.mean()) >= least_radius
        }
        self._arteries = {n for n in self._tubes if structures[n - 1].tissue is Tissue.ARTERY}
        self._drawn: dict[int, Blood] = {}

    def blood(self, label: int) -> Blood:
        """Give the points of one vessel."""
        if label not in self._drawn:
            self._drawn[label] = Blood(
                self._seed, self._tubes[label], self._rhythm, artery=label in self._arteries
            )
        return self._drawn[label]

    def met(
        self,
        plane: Plane,
        now: Deformation,
        time: Seconds,
        labels: np.ndarray,
        rest: np.ndarray,
        *,
        moving: bool = False,
    ) -> list[Stream]:
        """Give the blood that a plane meets.

        Parameters
        ----------
        plane : Plane
            Where.
        now : Deformation
            How the body lies at the time.
        time : float
            [s].
        labels : numpy.ndarray
            (n,) of some places of the plane: a vessel that shows in none is not looked for.
        rest : numpy.ndarray
            (n, 3) where their tissue is at rest [m].
        moving : bool
            Whether it is asked for how points go on.

        Returns
        -------
        list of Stream
            One for each vessel that shows.
        """
        reach, side = (SLICE, SIDE) if moving else (PICTURED_SLICE, PICTURED_SIDE)
        beyond = reach * plane_thickness() + AROUND
        lattices = []
        for label, tube in self._tubes.items():
            stations = rest[labels == label, tube.axis]
            if len(stations):
                low, high = float(stations.min()) - beyond, float(stations.max()) + beyond
                lattice = self.blood(label).lattice(low, high, side)
                if lattice is not None:
                    lattices.append((label, lattice))
        if not lattices:
            return []
        placed = now.place(np.concatenate([lattice.rest for _, lattice in lattices]))
        ends = np.cumsum([len(lattice.rest) for _, lattice in lattices])[:-1]
        return [
            self._stream(label, lattice.chart(part), plane, time, reach * plane_thickness(), moving)
            for (label, lattice), part in zip(lattices, np.split(placed, ends), strict=True)
        ]

    def _stream(
        self, label: int, chart: Chart, plane: Plane, time: Seconds, reach: Meters, moving: bool
    ) -> Stream:
        blood, to_probe = chart.blood, plane.pose.inverse()
        travel = blood.travel(time)
        every = 1 if moving else PICTURED_EVERY
        which = chart.within(travel, every)
        places = to_probe.apply(chart.places(which, travel))
        near = np.abs(places[:, 1]) < reach
        which, places = which[near], places[near]
        onward = np.zeros_like(places)
        if moving:
            onward = (to_probe.apply(chart.places(which, travel, ONWARD)) - places) / ONWARD
        sample = plane.lateral_step * SAMPLE
        crowd = blood.density / every * plane_thickness() * np.sqrt(np.pi) * sample / chart.opened
        level = 10 ** (facts("insonate.simulation.motion", "motion")["blood"]["echo"] / 20)
        return Stream(
            label=label,
            blood=blood,
            places=places,
            onward=onward,
            strengths=weight(plane) * level / np.sqrt(max(crowd, 1e-9)) * blood.strengths(which, travel),
        )


def plane_thickness() -> Meters:
    """Give where the strength of what lies beside the image plane has fallen to exp(-1/2) [m]."""
    return float(facts("insonate.simulation.instrument", "instruments")["needle"]["slice"])
