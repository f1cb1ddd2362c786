"""Color flow: how fast what moves comes toward the probe, pixel by pixel, and how far that can be believed."""

from dataclasses import dataclass

import numpy as np

from insonate.core.checks import check_axes, check_finite, check_range, frozen
from insonate.core.errors import AxesError
from insonate.core.grid import Grid
from insonate.core.provenance import Step
from insonate.core.units import MetersPerSecond, Seconds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColorFlow:
    """One estimate over a box; a pixel without color is unknown, and not still."""

    doppler_velocity: np.ndarray
    """(n_axial, n_lateral) positive toward the probe, within the Nyquist velocity; faster flow is folded into it [m/s]."""
    power: np.ndarray
    """(n_axial, n_lateral) of what moves, below the strongest echo of the box [dB]."""
    leakage: np.ndarray
    """(n_axial, n_lateral) of what tissue that moves as it does there leaves in that, below the same [dB]."""
    coherence: np.ndarray
    """(n_axial, n_lateral) how alike what moves is from shot to shot, 0 (noise) to 1."""
    nyquist_velocity: MetersPerSecond
    """The fastest that is not folded [m/s]."""
    grid: Grid
    """Where the pixels are."""
    time: Seconds | None
    """Of the first shot; None where not known [s]."""
    provenance: tuple[Step, ...] = ()
    """The steps that made it."""

    def __post_init__(self) -> None:
        for name in ("doppler_velocity", "power", "leakage", "coherence"):
            values = getattr(self, name)
            check_axes(f"ColorFlow.{name}", values, "axial lateral")
            if values.shape != self.grid.shape:
                raise AxesError(
                    f"ColorFlow.{name} must have {self.grid.shape} pixels as its grid, got shape {values.shape}"
                )
            check_finite(f"ColorFlow.{name}", values)
            object.__setattr__(self, name, frozen(values))
        check_range("ColorFlow.nyquist_velocity", self.nyquist_velocity, (1e-4, 100), "m/s", hint="cm/s?")
        top = float(np.abs(self.doppler_velocity).max(initial=0))
        check_range(
            "ColorFlow.doppler_velocity", top, (0, 1.001 * self.nyquist_velocity), "m/s", hint="cm/s?"
        )
        check_range("ColorFlow.coherence", float(self.coherence.min(initial=1)), (0, 1), "1")
        check_range("ColorFlow.coherence", float(self.coherence.max(initial=0)), (0, 1.001), "1")
        object.__setattr__(self, "provenance", tuple(self.provenance))
