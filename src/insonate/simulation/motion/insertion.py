"""A needle pushed through tissue: what it drags, membranes that tent and give way, a shaft that bends a little.

The shaft lies on c(s) = e + n s + k s^2 / 2 under the skin, with k toward the bevel's side. Tissue follows the shaft until
the drag reaches its limit, then slips. A membrane before the tip is pushed along: it tents until its limit, then gives, and
the tissue springs back. Depth in tissue and depth under the skin differ by the tent. The side of a shaft cuts nothing: it
lies within what its tip has passed into, and against what tissue in motion brings to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from insonate.core import Structure, Tissue
from insonate.core.units import Meters, Radians, Seconds
from insonate.simulation.facts import facts
from insonate.simulation.motion.fields import Drag

STEP: Meters = 1e-4
"""Between the places along the path at which membranes are looked for [m]."""

AFAR: Meters = 4e-3
"""A membrane so much further away than the needle has gone is not asked for: tissue moves less than that [m]."""

Within = Callable[[np.ndarray, tuple[int, ...]], Mapping[int, np.ndarray]]
"""Places now and labels to distances at rest."""

LIMITS = {
    Tissue.SKIN: "tent_skin",
    Tissue.FASCIA: "tent_fascia",
    Tissue.NERVE: "tent_nerve",
    Tissue.ARTERY: "tent_vessel",
    Tissue.VEIN: "tent_vessel",
    Tissue.VESSEL: "tent_vessel",
}
"""Tissues whose surface is a membrane, and the name of its limit."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shaft:
    """Where a needle lies."""

    entry: np.ndarray
    """(3,) on the skin, patient frame [m]."""
    direction: np.ndarray
    """(3,) unit vector at the skin."""
    inserted: Meters
    """Length under the skin [m]."""
    curvature: np.ndarray
    """(3,) across the direction [1/m]."""
    rotation: Radians
    """Of the bevel; 0 faces up [rad]."""

    def at(self, depth: np.ndarray) -> np.ndarray:
        """Give (n, 3) places at lengths (n,) under the skin [m]."""
        s = np.asarray(depth, dtype=float)[:, None]
        return np.asarray(self.entry + self.direction * s + self.curvature * (s**2 / 2))

    @property
    def tip(self) -> np.ndarray:
        """(3,) patient frame [m]."""
        return np.asarray(self.at(np.array([self.inserted]))[0])

    @property
    def heading(self) -> np.ndarray:
        """(3,) unit vector at the tip."""
        vector = self.direction + self.curvature * self.inserted
        return np.asarray(vector / np.linalg.norm(vector))

    @property
    def bevel(self) -> np.ndarray:
        """(3,) unit vector across the shaft that the bevel faces."""
        return bevel_side(self.direction, self.rotation)


def bevel_side(direction: np.ndarray, rotation: Radians) -> np.ndarray:
    """Give the unit vector across a direction that a bevel turned by `rotation` faces: 0 is up, out of the body."""
    up = np.array([0.0, 0.0, -1.0]) + direction * direction[2]
    if np.linalg.norm(up) < 1e-6:
        up = np.array([1.0, 0.0, 0.0]) - direction * direction[0]
    up = up / np.linalg.norm(up)
    side = np.cross(direction, up)
    return np.asarray(np.cos(rotation) * up + np.sin(rotation) * side)


def drawn_shaft(
    entry: np.ndarray, direction: np.ndarray, inserted: Meters, rotation: Radians, stiffness: float
) -> Shaft:
    """Give the shaft of a needle held so; its path bends away from the bevel's face.

    Parameters
    ----------
    entry, direction : numpy.ndarray
        (3,) patient frame [m]; unit vector.
    inserted : float
        Length under the skin [m].
    rotation : float
        Of the bevel [rad].
    stiffness : float
        Of the shaft, 1 for 22 gauge.

    Returns
    -------
    Shaft
        Under the skin.
    """
    bend = float(facts("insonate.simulation.instrument", "instruments")["needle"]["bend"]) / stiffness
    return Shaft(
        entry=np.asarray(entry, dtype=float),
        direction=np.asarray(direction, dtype=float),
        inserted=float(inserted),
        curvature=-bend * bevel_side(np.asarray(direction, dtype=float), rotation),
        rotation=float(rotation),
    )


class Insertion:
    """What one needle has done to the tissue round it; it has memory."""

    def __init__(self, structures: tuple[Structure, ...]) -> None:
        """Take the structures that have membranes."""
        self._values = facts("insonate.simulation.motion", "motion")["insertion"]
        self._limits: dict[int, Meters] = {
            number: float(self._values[LIMITS[structure.tissue]])
            for number, structure in enumerate(structures, start=1)
            if structure.tissue in LIMITS
        }
        self._sheets = {n for n in self._limits if structures[n - 1].tissue is Tissue.FASCIA}
        self.shaft: Shaft | None = None
        """Where the needle lies; None outside the skin."""
        self.tent: Meters = 0.0
        """How far a membrane is pushed ahead [m]."""
        self.recoil: Meters = 0.0
        """What is left of the last tent that gave [m]."""
        self.drag: Meters = 0.0
        """How far tissue along the shaft follows it [m]."""
        self._clear: dict[int, Meters] = {}
        self._entered: np.ndarray | None = None
        self.pops = 0
        """Membranes that gave so far."""
        self.passed: dict[int, Meters] = {}
        """At which depth the tip passed into each structure that the shaft lies in now, by label [m]."""

    @property
    def membranes(self) -> tuple[int, ...]:
        """Labels whose surface is a membrane."""
        return tuple(self._limits)

    def follow(
        self,
        shaft: Shaft | None,
        within: Within,
        elapsed: Seconds,
    ) -> None:
        """Take the needle's new place.

        Parameters
        ----------
        shaft : Shaft or None
            Where it lies now; None outside the skin.
        within : callable
            Gives, for (n, 3) places now and labels, the distance at rest to each, negative inside, by label [m].
        elapsed : float
            Since it was asked last [s].
        """
        before = self.shaft
        self.drag *= float(np.exp(-elapsed / self._values["drag_time"]))
        self.recoil *= float(np.exp(-elapsed / self._values["tent_time"]))
        if shaft is None or shaft.inserted <= 0:
            self.shaft, self.tent, self.drag, self.passed = None, 0.0, 0.0, {}
            return
        depth = 0.0 if before is None else before.inserted
        moved = shaft.inserted - depth
        limit = float(self._values["drag_limit"])
        self.drag = float(np.clip(self.drag + moved, -limit, limit))
        if moved > 0:
            self._push(shaft, max(depth - self.tent, 0.0), within)
        else:
            self._clear = dict.fromkeys(
                self._limits, 0.0
            )  # what fluid moves meanwhile is asked for at the next push
            self.tent = max(self.tent + moved, 0.0)
            self.passed = {label: at for label, at in self.passed.items() if at < shaft.inserted}
        self.shaft = shaft

    def _push(self, shaft: Shaft, reached: Meters, within: Within) -> None:
        """Go on in tissue from the depth reached; stop at a membrane whose limit is not exceeded."""
        stations = np.linspace(reached, shaft.inserted, max(2, int((shaft.inserted - reached) / STEP) + 2))
        crossed = np.full(len(stations), np.inf)
        length = float(stations[-1] - stations[0])
        if self._entered is None or np.linalg.norm(shaft.entry - self._entered) > AFAR / 4 or reached <= 0:
            self._clear = dict.fromkeys(self._limits, 0.0)
            self._entered, self.passed = shaft.entry, {}
        asked = tuple(label for label in self._limits if self._clear[label] < length + AFAR)
        for label in self._limits:
            self._clear[label] -= length
        met: list[tuple[int, int]] = []
        for label, distance in within(shaft.at(stations), asked).items():
            self._clear[label] = float(np.abs(distance).min())
            edge = self._values["sheet"] if label in self._sheets else 0.0
            inside = distance < edge
            if reached <= 0:
                inside[0] = False  # the needle comes from outside
            entered = np.nonzero(inside[1:] & ~inside[:-1])[0] + 1
            crossed[entered] = np.minimum(crossed[entered], self._limits[label])
            met += [(int(at), label) for at in entered]
            if inside[0] and label not in self._sheets and inside[1:].any():
                # what moved onto the tip is passed into as the tip goes on
                self.passed.setdefault(label, reached)
        self.tent = 0.0
        for at in np.nonzero(np.isfinite(crossed))[0]:
            # held just before the membrane, so that the next push meets it again
            ahead = shaft.inserted - float(stations[at - 1])
            if ahead <= crossed[at]:
                self.tent = ahead
                return
            self.recoil = float(crossed[at])
            self.pops += 1
            self.passed |= {label: float(stations[at]) for station, label in met if station == at}

    def maps(self, released: Callable[[np.ndarray], np.ndarray]) -> list[Drag]:
        """Give what the needle does to the tissue now.

        Parameters
        ----------
        released : callable
            Takes (n, 3) places now to where they were before the probe pressed [m].

        Returns
        -------
        list of Drag
            Empty without a needle.
        """
        if self.shaft is None:
            return []
        out = []
        behind = float(self._values["roll_behind"])
        if abs(self.drag) > 1e-6:
            amount = self.drag * min(1.0, self.shaft.inserted / behind)
            middle = released(self.shaft.at(np.array([max(self.shaft.inserted - behind, 0.0)])))[0]
            width = float(self._values["roll_above"]) / np.sqrt(2)
            out.append(Drag(middle=middle, direction=self.shaft.heading, amount=amount, width=width))
        ahead = max(self.tent, self.recoil)
        if ahead > 1e-6:
            middle = released(self.shaft.tip[np.newaxis])[0]
            width = float(self._values["tent_width"])
            out.append(Drag(middle=middle, direction=self.shaft.heading, amount=ahead, width=width))
        return out
