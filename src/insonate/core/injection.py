"""Injection: how much, how fast, against what pressure, and of what."""

from dataclasses import dataclass
from enum import Enum

from insonate.core.checks import check_range
from insonate.core.errors import InputError
from insonate.core.units import CubicMeters, CubicMetersPerSecond, Kilograms, Pascals, Seconds


class Drawn(Enum):
    """What comes back into a syringe that is drawn."""

    NOTHING = "nothing"
    FLUID = "fluid"
    """Of what was given before."""
    BLOOD = "blood"
    AIR = "air"


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectionReading:
    """One reading at the syringe."""

    rate: CubicMetersPerSecond
    """Flow now [m^3/s]."""
    volume: CubicMeters
    """Given so far [m^3]."""
    pressure: Pascals | None
    """At the syringe over that of the room; None where not measured [Pa]."""
    time: Seconds
    """When it was read [s]."""
    drawn: Drawn | None = None
    """What comes back now; None while it is not drawn, or nobody looked, or the line is not yet full of it."""

    def __post_init__(self) -> None:
        check_range("InjectionReading.rate", self.rate, (-1e-5, 1e-5), "m^3/s", hint="mL/s?")
        check_range("InjectionReading.volume", self.volume, (0, 1e-3), "m^3", hint="mL?")
        check_range("InjectionReading.time", self.time, (-1e12, 1e12), "s")
        if self.pressure is not None:
            check_range("InjectionReading.pressure", self.pressure, (-1e5, 2e6), "Pa", hint="psi or kPa?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """What was given of one agent."""

    agent: str
    """Its name, such as "ropivacaine 0.5 %"."""
    mass: Kilograms | None
    """Of the active substance; None where there is none or it is not known [kg]."""
    volume: CubicMeters
    """[m^3]."""

    def __post_init__(self) -> None:
        if not self.agent.strip():
            raise InputError("Dose.agent must not be empty, got ''")
        check_range("Dose.volume", self.volume, (0, 1e-3), "m^3", hint="mL?")
        if self.mass is not None:
            check_range("Dose.mass", self.mass, (0, 0.01), "kg", hint="milligrams?")
