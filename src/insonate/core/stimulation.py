"""Nerve stimulation: what is set, and what was answered."""

from dataclasses import dataclass

from insonate.core.checks import check_range
from insonate.core.errors import InputError
from insonate.core.units import Amperes, Hertz, Ohms, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Stimulus:
    """Square current pulses from the tip."""

    current: Amperes
    """Of each pulse [A]."""
    pulse_width: Seconds
    """Of each pulse [s]."""
    rate: Hertz
    """Pulses a second [Hz]."""

    def __post_init__(self) -> None:
        check_range("Stimulus.current", self.current, (0, 0.02), "A", hint="milliamperes?")
        check_range("Stimulus.pulse_width", self.pulse_width, (1e-5, 2e-3), "s", hint="milliseconds?")
        check_range("Stimulus.rate", self.rate, (0.1, 150), "Hz")


@dataclass(frozen=True, slots=True, kw_only=True)
class StimulationReading:
    """What one stimulus brought; an absent twitch is no proof of distance."""

    stimulus: Stimulus
    """What was set."""
    delivered: Amperes | None
    """Current that flowed; None where the device does not say [A]."""
    muscle: str | None
    """The muscle that answered; None where no answer was seen."""
    grade: int | None
    """0 none, 1 weak, 2 strong; None where nobody looked."""
    impedance: Ohms | None
    """Between tip and return electrode; None where not measured [ohm]."""
    time: Seconds
    """Of the stimulus [s]."""

    def __post_init__(self) -> None:
        check_range("StimulationReading.time", self.time, (-1e12, 1e12), "s")
        if self.delivered is not None:
            check_range("StimulationReading.delivered", self.delivered, (0, 0.02), "A", hint="milliamperes?")
        if self.impedance is not None:
            check_range("StimulationReading.impedance", self.impedance, (0, 1e7), "ohm", hint="kiloohms?")
        if self.grade not in (None, 0, 1, 2):
            raise InputError(f"StimulationReading.grade must be 0, 1, 2 or None, got {self.grade!r}")
        if bool(self.grade) != (self.muscle is not None):
            raise InputError(
                f"StimulationReading.muscle must be named with grade 1 or 2 and with no other, got {self.muscle!r} with "
                f"grade {self.grade!r}"
            )
