"""Fluid from the tip: along a plane, round a nerve, into a nerve, or away with the blood.

Of what is given near a nerve a share finds its sheath and rings it, the rest opens a flat channel along it at the tip:
both are a `Sleeve`, whose motion lies across the nerve, so that it keeps its section while it is pushed aside. Far from
any nerve a flat `Pool` opens. Each keeps its volume, and together they keep the whole. In a nerve all of it swells the
nerve, in a vessel the blood takes it away and nothing is seen. A tip that has moved on makes a new deposit.

Left alone, fluid goes on by itself: a film of height h that its own pressure drives along a plane obeys h_t = (h^3 h_x)_x,
whose spread from a given volume is x ~ t^(1/5) along a channel and r ~ t^(1/8) round a point (Barenblatt's similarity; H. E.
Huppert, "The propagation of two-dimensional and axisymmetric viscous gravity currents over a rigid horizontal surface",
J. Fluid Mech. 121, 43-58, 1982, has both exponents). Here the length grows as (1 + age / T)^(1/5) and the radius of a pool
as (1 + age / T)^(1/8), the age being the mean over the volume; what gets longer gets thinner, and no volume is lost.
"""

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from insonate.core.units import CubicMeters, Meters, Seconds
from insonate.simulation.facts import facts
from insonate.simulation.motion.fields import Pool
from insonate.simulation.motion.tubes import Sleeve, Tube

MOST_DEPOSITS = 12
"""Of more than these the last one takes what comes."""


class Place(Enum):
    """What a tip lies in."""

    OUTSIDE = "outside"
    PLANE = "plane"
    NERVE = "nerve"
    VESSEL = "vessel"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deposit:
    """Fluid given at one place."""

    place: Place
    """What the tip lay in."""
    site: np.ndarray
    """(3,) where, before any fluid was there [m]."""
    normal: np.ndarray
    """(3,) unit vector across the plane that opens."""
    tube: Tube | None
    """The nerve that is ringed or swells; None where none is near."""
    channel: Tube | None
    """A flat channel beside a nerve that what does not ring it follows; None far from any, where a pool opens."""
    station: Meters
    """Where along them [m]."""
    share: float
    """Of the fluid that goes with the nerve, 0..1."""
    volume: CubicMeters
    """[m^3]."""
    age: Seconds = 0.0
    """Since it was given, mean over the volume [s]."""

    def maps(self) -> tuple[list[Pool | Sleeve], list[Sleeve]]:
        """Give what it does to the tissue: along planes, and along nerves."""
        values = facts("insonate.simulation.motion", "motion")["injection"]
        pools: list[Pool | Sleeve] = []
        sleeves: list[Sleeve] = []
        along = self.volume * self.share if self.tube is not None else 0.0
        apart = self.volume - along if self.place is Place.PLANE else 0.0
        if apart > 1e-12 and self.channel is not None:
            pools.append(self._sleeve(self.channel, apart, inside=True))
        elif apart > 1e-12:
            pools.append(
                Pool(
                    middle=self.site,
                    normal=self.normal,
                    volume=apart,
                    flatness=float(values["pool_flatness"]) * self._grown ** (3 / 8),
                )
            )
        if along > 1e-12 and self.tube is not None:
            sleeves.append(self._sleeve(self.tube, along, inside=self.place is Place.NERVE))
        return pools, sleeves

    @property
    def _grown(self) -> float:
        """1 + age / T."""
        spread = facts("insonate.simulation.motion", "motion")["injection"]["spread_time"]
        return float(1 + self.age / spread)

    def _sleeve(self, tube: Tube, volume: CubicMeters, *, inside: bool) -> Sleeve:
        length = facts("insonate.simulation.motion", "motion")["injection"]["ring_length"]
        return Sleeve(
            tube=tube,
            volume=volume,
            station=self.station,
            half_length=float(
                length
                * np.cbrt(max(volume, 1e-8) / 1e-6)
                * (1.0 if self.place is Place.NERVE else self._grown ** (1 / 5))
            ),
            inside=inside,
        )


def beside(tube: Tube, site: np.ndarray, normal: np.ndarray, flatness: float) -> Tube:
    """Give the channel through a place that runs as a nerve does.

    Parameters
    ----------
    tube : Tube
        The nerve.
    site : numpy.ndarray
        (3,) a place within the channel [m].
    normal : numpy.ndarray
        (3,) unit vector across the plane that opens.
    flatness : float
        Width over thickness of the channel.

    Returns
    -------
    Tube
        Its radius has no meaning.
    """
    middle, _, _, _ = tube.at(site[np.newaxis])
    thin = normal[tube.across]
    length = float(np.linalg.norm(thin))
    thin = thin / length if length > 1e-6 else np.array([0.0, 1.0])
    across = np.outer(thin, thin)
    stretch = across * np.sqrt(flatness) + (np.eye(2) - across) / np.sqrt(flatness)
    return Tube(
        label=0,
        axis=tube.axis,
        along=tube.along,
        middle=tube.middle + (site[tube.across] - middle[0]),
        radius=tube.radius,
        stretch=np.repeat(stretch[np.newaxis], len(tube.along), axis=0),
    )


class Deposits:
    """All fluid that was given; it has memory, and a bound."""

    def __init__(self) -> None:
        """Begin without any."""
        self._values = facts("insonate.simulation.motion", "motion")["injection"]
        self.given: tuple[Deposit, ...] = ()
        """Oldest first."""

    def share_of_sheath(self, distance: Meters) -> float:
        """Give which share finds the sheath of a nerve at a distance [m]."""
        near = np.clip(1 - max(distance, 0.0) / float(self._values["ring_reach"]), 0, 1)
        return float(self._values["ring_share"] * near)

    def continues(self, place: Place, site: np.ndarray) -> bool:
        """Whether fluid given there goes where the last went."""
        if not self.given:
            return False
        last = self.given[-1]
        near = float(np.linalg.norm(last.site - site)) <= float(self._values["new_site"])
        return (near and last.place is place) or len(self.given) >= MOST_DEPOSITS

    def begin(self, deposit: Deposit) -> None:
        """Begin a new one."""
        self.given = (*self.given, deposit)

    def add(self, volume: CubicMeters) -> None:
        """Add to the last, or take from it as far as it has any [m^3]."""
        last = self.given[-1]
        now = max(last.volume + volume, 0.0)
        age = last.age * last.volume / now if volume > 0 and now > 0 else last.age
        self.given = (*self.given[:-1], replace(last, volume=now, age=age))

    def rest(self, elapsed: Seconds) -> None:
        """Let all of them grow older [s]."""
        self.given = tuple(replace(one, age=one.age + elapsed) for one in self.given)

    def near(self, tube: Tube) -> CubicMeters:
        """Give how much went with a nerve [m^3]."""
        return float(sum(one.volume * one.share for one in self.given if one.tube is tube))
