"""All that moves, at one moment: one map from the body now to the body at rest, and back.

Going back, the outermost comes first: the probe's pressure, then the needle's drag, breath, fluid along planes, muscles,
fluid along nerves, and the walls of vessels. Each keeps volume, and so does the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from insonate.simulation.motion.contact import Contact
from insonate.simulation.motion.fields import Pool
from insonate.simulation.motion.tubes import Sleeve


class Map(Protocol):
    """One cause of motion."""

    def back(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue was, (n, 3) [m]."""
        ...

    def forth(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue is, (n, 3) [m]."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deformation:
    """The body at one moment."""

    contact: Contact
    """The probe on the skin."""
    inner: Sequence[Map]
    """All else, outermost first."""

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
        at = self.contact.back(points) if released is None else released
        for one in self.inner:
            at = one.back(at)
        return at

    def place(self, points: np.ndarray) -> np.ndarray:
        """Give where the tissue of each place at rest is now, (n, 3) [m]."""
        for one in reversed(self.inner):
            points = one.forth(points)
        return self.contact.forth(points)

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
        at = self.contact.back(points) if released is None else released
        for one in self.inner:
            if isinstance(one, Pool | Sleeve):
                depth = np.maximum(depth, one.depth(at))
            at = one.back(at)
        return depth

    def fluid_at(self, place: np.ndarray) -> Pool | Sleeve | None:
        """Give the fluid that a place (3,) lies in; None where it lies in none [m]."""
        at = self.contact.back(place[np.newaxis])
        for one in self.inner:
            if isinstance(one, Pool | Sleeve) and float(one.depth(at)[0]) > 0:
                return one
            at = one.back(at)
        return None

    @property
    def has_fluid(self) -> bool:
        """Whether any fluid was given and is still there."""
        return any(isinstance(one, Pool | Sleeve) for one in self.inner)
