"""What a source is told: timed commands, and who gave them."""

from dataclasses import dataclass

from insonate.core.checks import check_range
from insonate.core.errors import InputError
from insonate.core.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SetControl:
    """Set one control of the machine, such as "depth" or "gain"."""

    name: str
    """Name of the control."""
    value: float
    """In the SI unit of the control; decibels for gain and dynamic range."""
    time: Seconds
    """When it was given, on the clock of the examination [s]."""
    given_by: str
    """Who gave it: a person's name, "operator", a program."""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError("SetControl.name must not be empty, got ''")
        check_range(f"SetControl {self.name}", self.value, (-1e12, 1e12), "SI")
        check_range("SetControl.time", self.time, (0, 1e9), "s")


Command = SetControl
"""Any command; more kinds join with the simulated patient."""
