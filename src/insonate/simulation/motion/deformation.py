"""All that moves, at one moment: one map from the body now to the body at rest, and back.

Going back, the outermost comes first: the probe's pressure, then the needle's drag, breath, fluid along planes, muscles,
fluid along nerves, and the walls of vessels. Each keeps volume, and so does the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from insonate.simulation.motion import kernels
from insonate.simulation.motion.contact import Contact
from insonate.simulation.motion.fields import Pool
from insonate.simulation.motion.move import Move
from insonate.simulation.motion.tubes import Sleeve


class Map(Protocol):
    """One cause of motion."""

    def back(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue was, (n, 3) [m]."""
        ...

    def forth(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue is, (n, 3) [m]."""
        ...


_Run = tuple[Sequence[Map], Any]
"""Maps that follow each other, and what a kernel is told of them; nothing where it does not know them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deformation:
    """The body at one moment."""

    contact: Contact
    """The probe on the skin."""
    inner: Sequence[Map]
    """All else, outermost first."""
    _parted: list[list[_Run]] = field(init=False, repr=False, default_factory=list)

    def origin(self, points: np.ndarray, *, released: np.ndarray | None = None) -> np.ndarray:
        """Give where the tissue now at each place was at rest.

        Parameters
        ----------
        points : numpy.ndarray
            (n, 3) patient frame [m].
        released : numpy.ndarray, optional
            `contact.back` of them, where it is known already.

        Returns
        -------
        numpy.ndarray
            (n, 3) [m].
        """
        return self._back(points, None, released)

    def _runs(self) -> tuple[list[_Run], list[_Run]]:
        """Give the runs of all maps, and of the inner ones alone; parted once."""
        if kernels.get() is None:
            return [([self.contact, *self.inner], None)], [(self.inner, None)]
        if not self._parted:
            self._parted.extend([_runs((self.contact, *self.inner)), _runs(self.inner)])
        return self._parted[0], self._parted[1]

    def _back(
        self, points: np.ndarray, depth: np.ndarray | None, released: np.ndarray | None = None
    ) -> np.ndarray:
        """Take places through the maps, and tell the depth in fluid on the way where it is asked for."""
        at = points if released is None else released
        for maps, moves in self._runs()[released is not None]:
            if moves:
                at = kernels.get().carried(at, moves, forward=False, depth=depth)
                continue
            for one in maps:
                if depth is not None and isinstance(one, Pool | Sleeve):
                    np.maximum(depth, one.depth(at), out=depth)
                at = one.back(at)
        return at

    def looked(self, released: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give `origin` and `fluid` of places at once.

        Parameters
        ----------
        released : numpy.ndarray
            (n, 3) where the probe's pressure took them from, `contact.back` [m].

        Returns
        -------
        origin, fluid : numpy.ndarray
            (n, 3), (n,) [m].
        """
        depth = np.full(len(released), -1.0)
        return self._back(released, depth if self.has_fluid else None, released), depth

    def place(self, points: np.ndarray) -> np.ndarray:
        """Give where the tissue of each place at rest is now, (n, 3) [m]."""
        for maps, moves in reversed(self._runs()[0]):
            if moves:
                points = kernels.get().carried(points, moves, forward=True)
                continue
            for one in reversed(maps):
                points = one.forth(points)
        return points

    def fluid(self, points: np.ndarray, *, released: np.ndarray | None = None) -> np.ndarray:
        """Give how deep places lie in injected fluid, negative outside.

        Parameters
        ----------
        points : numpy.ndarray
            (n, 3) patient frame [m].
        released : numpy.ndarray, optional
            As of `origin`.

        Returns
        -------
        numpy.ndarray
            (n,) [m]; -1 where there is no fluid at all.
        """
        depth = np.full(len(points), -1.0)
        if not self.has_fluid:
            return depth
        self._back(points, depth, released)
        return depth

    def fluids_at(self, places: np.ndarray) -> list[Pool | Sleeve | None]:
        """Give the fluid that each place lies in; None where it lies in none.

        Parameters
        ----------
        places : numpy.ndarray
            (n, 3) patient frame [m].

        Returns
        -------
        list
            n of them.
        """
        out: list[Pool | Sleeve | None] = [None] * len(places)
        if not self.has_fluid:
            return out
        at, left = self.contact.back(places), np.arange(len(places))
        for one in self.inner:
            if isinstance(one, Pool | Sleeve):
                within = one.depth(at) > 0
                for number in left[within]:
                    out[number] = one
                at, left = at[~within], left[~within]
                if not len(left):
                    break
            at = one.back(at)
        return out

    @property
    def has_fluid(self) -> bool:
        """Whether any fluid was given and is still there."""
        return any(isinstance(one, Pool | Sleeve) for one in self.inner)


def _runs(maps: Sequence[Map]) -> list[_Run]:
    """Part maps into those that a kernel takes together, with what it is told, and those that it does not know."""
    out: list[tuple[list[Map], list[Move]]] = []
    for one in maps:
        move = getattr(one, "move", None)
        if out and bool(out[-1][1]) == (move is not None):
            out[-1][0].append(one)
        else:
            out.append(([one], []))
        if move is not None:
            out[-1][1].append(move)
    return [(maps, kernels.get().told(moves) if moves else None) for maps, moves in out]
