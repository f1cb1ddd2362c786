"""A syringe with a pressure gauge: what the tissue asks for, and what the needle adds.

Opening pressures at 10 mL/min are drawn for each spot from the distributions of CLINICAL.md C3: 1 mm from a nerve, touching
it, inside it, in a vessel. They overlap: no pressure proves where a tip is. Another rate changes what the needle itself
takes, Poiseuille's R = 8 eta L / (pi r^4). The gauge follows with the time constant of syringe and line. What a drawn
syringe shows comes once needle and line are full of it.
"""

from dataclasses import dataclass

import numpy as np

from insonate.core import Drawn, InjectionReading
from insonate.core.units import CubicMeters, CubicMetersPerSecond, Meters, Pascals, Seconds
from insonate.simulation.facts import facts
from insonate.simulation.instrument.needle import diameters
from insonate.simulation.motion.injection import Place

TOUCHING: Meters = 0.3e-3
"""A tip nearer to a nerve touches it [m]."""


def resistance(gauge: int) -> float:
    """Give the pressure a needle takes for each flow [Pa s/m^3]."""
    tables = facts("insonate.simulation.instrument", "instruments")
    radius = diameters(gauge)[1] / 2
    return float(8 * tables["injector"]["viscosity"] * tables["needle"]["length"] / (np.pi * radius**4))


def opening(seed: int, place: Place, distance: Meters, spot: int) -> Pascals:
    """Give the pressure at which tissue takes 10 mL/min.

    Parameters
    ----------
    seed : int
        Of the individual.
    place : Place
        What the tip lies in.
    distance : float
        To the nearest nerve, negative inside [m].
    spot : int
        Each spot draws anew.

    Returns
    -------
    float
        Over that of the room [Pa].
    """
    values = facts("insonate.simulation.instrument", "instruments")["injector"]
    if place is Place.OUTSIDE:
        return 0.0
    kind = {Place.NERVE: "inside", Place.VESSEL: "vessel"}.get(
        place, "contact" if distance < TOUCHING else "near"
    )
    rng = np.random.default_rng((seed, 0x1E7, spot, *kind.encode()))
    return float(max(rng.normal(values[f"{kind}_mean"], values[f"{kind}_deviation"]), 7e3))


@dataclass(slots=True)
class Syringe:
    """One syringe; it has memory."""

    rate: CubicMetersPerSecond = 0.0
    """Pressed now; negative aspirates [m^3/s]."""
    agent: str = ""
    """What is in it."""
    volume: CubicMeters = 0.0
    """Given so far [m^3]."""
    pressure: Pascals = 0.0
    """At the syringe [Pa]."""
    back: CubicMeters = 0.0
    """Drawn since it was pressed or left alone last [m^3]."""

    def press(self, wanted: Pascals, gauge: int, elapsed: Seconds) -> None:
        """Let the pressure follow what tissue and needle ask for.

        Parameters
        ----------
        wanted : float
            Opening pressure at the reference rate [Pa].
        gauge : int
            Of the needle.
        elapsed : float
            [s].
        """
        values = facts("insonate.simulation.instrument", "instruments")["injector"]
        needle = resistance(gauge)
        if self.rate > 0:
            target = max(wanted - needle * values["reference_rate"], 0.0) + needle * self.rate
            target = min(target, values["highest"])
        else:
            target = max(needle * self.rate, values["lowest"])
        self.back = self.back - self.rate * elapsed if self.rate < 0 else 0.0
        slow = values["rise_time"] if target > self.pressure else values["fall_time"]
        self.pressure += (target - self.pressure) * float(1 - np.exp(-elapsed / slow))

    def shows(self, place: Place, *, fluid: bool) -> Drawn | None:
        """Give what is seen in it.

        Parameters
        ----------
        place : Place
            What the tip lies in.
        fluid : bool
            Whether fluid that was given lies there.

        Returns
        -------
        Drawn or None
            None while it is not drawn, and until needle and line are full.
        """
        full = facts("insonate.simulation.instrument", "instruments")["injector"]["dead_space"]
        if self.back < full * (1 - 1e-9):  # sums of ticks
            return None
        if place is Place.VESSEL:
            return Drawn.BLOOD
        if place is Place.OUTSIDE:
            return Drawn.AIR
        return Drawn.FLUID if fluid else Drawn.NOTHING

    def reading(self, seed: int, tick: int, time: Seconds, drawn: Drawn | None = None) -> InjectionReading:
        """Read the gauge, and tell what comes back."""
        values = facts("insonate.simulation.instrument", "instruments")["injector"]
        noise = np.random.default_rng((seed, 0x6A0, tick)).normal(0, values["reading_noise"])
        return InjectionReading(
            rate=self.rate,
            volume=self.volume,
            pressure=float(self.pressure + noise),
            time=time,
            drawn=drawn,
        )
