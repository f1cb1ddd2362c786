"""What an engine takes and gives: a medium or a list of scatterers in, channel data out.

| engine | module | takes | use |
|---|---|---|---|
| K | `fourier` | a dense map of one plane | live: cost does not grow with the scatterers |
| A | `frequency` | scatterers | the reference that the others answer to |
| B | `deposit` | scatterers | sparse scenes: blood in a color box |

Time zero is when the wave passes `Transmit.origin`; an echo of unit strength is a pulse of height one; `Scatterers` says
what an amplitude is. A medium goes to A and B by `Scatterers.of_medium`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from insonate import __version__
from insonate.core import ChannelData, Probe, Step, Transmit
from insonate.core.checks import check_range
from insonate.core.units import Hertz, MetersPerSecond, Seconds
from insonate.simulation.acoustics.scatterers import Scatterers
from insonate.simulation.medium import Medium

NEPER = 20 / np.log(10)
"""Decibels of one neper, of amplitude."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attenuation:
    """How much of the wave tissue takes: a power of the frequency, without dispersion."""

    coefficient: float
    """At 1 MHz, one way [dB/m]; 50 is the 0.5 dB/(cm MHz) of soft tissue."""
    exponent: float = 1.0
    """Of the frequency, 1."""

    def __post_init__(self) -> None:
        check_range("Attenuation.coefficient", self.coefficient, (0, 5000), "dB/m at 1 MHz")
        check_range("Attenuation.exponent", self.exponent, (0, 2), "1")

    def nepers(self, frequencies: np.ndarray) -> np.ndarray:
        """Give the attenuation of amplitude, one way, at frequencies [Hz], as an array of their shape [1/m]."""
        return np.asarray(self.coefficient * (np.abs(frequencies) / 1e6) ** self.exponent / NEPER)


def described(
    engine: str,
    scatterers: Scatterers,
    *,
    dimensions: int,
    baffle: str,
    unbounded: bool,
    attenuation: Attenuation | None,
) -> Step:
    """Write down how echoes were simulated.

    Parameters
    ----------
    engine : str
        "A" or "B".
    scatterers : Scatterers
        Only their number is kept.
    dimensions, baffle, unbounded, attenuation
        Settings of the engine.

    Returns
    -------
    Step
        Of the provenance.
    """
    return Step(
        name="simulate",
        settings={
            "engine": engine,
            "scatterers": len(scatterers),
            "dimensions": dimensions,
            "baffle": baffle,
            "unbounded": unbounded,
            "attenuation": None if attenuation is None else attenuation.coefficient,
            "attenuation_exponent": None if attenuation is None else attenuation.exponent,
        },
        version=__version__,
    )


class ScattererEngine(Protocol):
    """Scatterers to channel data: engines A and B, with the same words."""

    def __call__(
        self,
        scatterers: Scatterers,
        probe: Probe,
        transmits: Sequence[Transmit],
        *,
        sound_speed: MetersPerSecond = ...,
        dimensions: int = ...,
        attenuation: Attenuation | None = ...,
        sampling_frequency: Hertz | None = ...,
        demodulation_frequency: Hertz = ...,
        duration: Seconds | None = ...,
    ) -> ChannelData:
        """Give one frame, one record for each transmit."""
        ...


class MediumEngine(Protocol):
    """A medium to channel data: engine K with what is around it."""

    def __call__(self, medium: Medium, steering_angles: Sequence[float], *, time: Seconds) -> ChannelData:
        """Give one frame, one plane wave for each angle [rad]."""
        ...
