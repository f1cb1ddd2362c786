"""Echoes of every element, before beamforming."""

from dataclasses import dataclass

import numpy as np

from insonate.core.acquisition import Acquisition
from insonate.core.checks import check_axes, check_finite, check_kind, check_range, frozen
from insonate.core.errors import AxesError, RangeError
from insonate.core.provenance import Step

ENSEMBLE = "color ensemble"
"""Of a step in the provenance: frames are shots of one direction in quick succession, for Doppler, and no pictures."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelData:
    """Per-element echoes of one or more frames."""

    samples: np.ndarray
    """(n_frames, n_transmits, n_elements, n_samples) int16, float32 (RF) or complex64 (IQ)."""
    scale: float
    """What one unit of `samples` stands for, 1."""
    acquisition: Acquisition
    """How they were taken."""
    times: np.ndarray | None
    """(n_frames, n_transmits) time of each transmit [s]; None where the file does not say."""
    provenance: tuple[Step, ...] = ()
    """The steps that made it."""

    def __post_init__(self) -> None:
        check_axes("ChannelData.samples", self.samples, "frame transmit element sample")
        check_kind("ChannelData.samples", self.samples, ("int16", "float32", "complex64"))
        n_frames, n_transmits, n_elements, n_samples = self.samples.shape
        if n_frames == 0 or n_samples == 0:
            raise AxesError(
                f"ChannelData.samples must hold at least one frame and sample, got shape {self.samples.shape}"
            )
        expected = (len(self.acquisition.transmits), self.acquisition.probe.n_elements)
        if (n_transmits, n_elements) != expected:
            raise AxesError(
                f"ChannelData.samples must have {expected[0]} transmits and {expected[1]} elements as its acquisition "
                f"says, got {n_transmits} and {n_elements} (axes swapped?)"
            )
        if np.iscomplexobj(self.samples) != (self.acquisition.demodulation_frequency != 0):
            raise RangeError(
                "ChannelData.samples must be complex where demodulation_frequency is set and real where it is 0 Hz, "
                f"got {self.samples.dtype.name} with {self.acquisition.demodulation_frequency:g} Hz"
            )
        check_finite("ChannelData.samples", self.samples)
        check_range("ChannelData.scale", self.scale, (1e-30, 1e30), "1")
        object.__setattr__(self, "samples", frozen(self.samples))
        object.__setattr__(self, "provenance", tuple(self.provenance))
        if self.times is not None:
            times = np.asarray(self.times, dtype=float)
            check_axes("ChannelData.times", times, "frame transmit")
            check_finite("ChannelData.times", times)
            if times.shape != (n_frames, n_transmits):
                raise AxesError(
                    f"ChannelData.times must be {(n_frames, n_transmits)}, got shape {times.shape}"
                )
            object.__setattr__(self, "times", frozen(times))

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self.samples.shape[0])

    @property
    def is_ensemble(self) -> bool:
        """Whether its frames are the shots of an ensemble for Doppler, and no pictures."""
        return any(step.name == ENSEMBLE for step in self.provenance)
