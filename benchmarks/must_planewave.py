"""Delay-and-sum and B-mode on real echoes: a rotating disk, held against the B-mode that MUST made of them.

The reference's grid and dynamic range are not in its file. They are fitted on frame 1 alone, beginning from the grid of
MUST's own example, and scored on frames 2 to 32, frame by frame: Pearson correlation of eight-bit pictures, ours at 0 dB
for the brightest echo of all frames. The f-number is 1.2 as it was in the trial that set the mark, near the 1.1 at which
an element this wide for its wavelength hears 3 dB less (V. Perrot et al., Ultrasonics 111, 106309, 2021).
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rows import row
from insonate.core import ChannelData, Grid
from insonate.formats import mat_must
from insonate.imaging.b_mode import b_mode
from insonate.imaging.beamforming import delay_and_sum

F_NUMBER = 1.2
MARK = 0.93
START = {"left": -0.0125, "right": 0.0125, "top": 0.010, "bottom": 0.035, "dynamic_range": 32.0}
"""Of the trial that set the mark [m, dB]."""
STEPS = {"left": 1e-4, "right": 1e-4, "top": 1e-4, "bottom": 1e-4, "dynamic_range": 1.0}
"""Of the fit: a pixel, a decibel."""
ROUNDS = 6
"""The fit stops after so many, if it has not before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What makes our picture of frame 1 most like the reference's."""

    left: float
    right: float
    top: float
    bottom: float
    dynamic_range: float

    def grid(self, shape: tuple[int, int]) -> Grid:
        """Give the grid of a picture of this shape."""
        return Grid(
            axial=np.linspace(self.top, self.bottom, shape[0]),
            lateral=np.linspace(self.left, self.right, shape[1]),
        )


def read(folder: Path) -> tuple[ChannelData, np.ndarray]:
    """Give the echoes and the reference, (n_frames, n_axial, n_lateral) 0..255."""
    (echoes,) = mat_must.read(folder / "PWI_disk.mat")
    (reference,) = mat_must.read(folder / "bmode_PWI_disk.mat")
    return echoes, np.round(255 * reference.values)  # type: ignore[return-value, union-attr]


def frames_of(echoes: ChannelData, frames: slice) -> ChannelData:
    """Give some of the frames."""
    times = None if echoes.times is None else echoes.times[frames]
    return replace(echoes, samples=echoes.samples[frames], times=times)


def pictures(echoes: ChannelData, fit: Fit, shape: tuple[int, int], f_number: float) -> np.ndarray:
    """Give our pictures, (n_frames, n_axial, n_lateral) 0..255."""
    iq = delay_and_sum(echoes, fit.grid(shape), f_number=f_number)
    image = b_mode(iq, dynamic_range=fit.dynamic_range)
    return np.round(255 * image.brightness(dynamic_range=fit.dynamic_range))


def correlations(made: np.ndarray, reference: np.ndarray) -> list[float]:
    """Give the Pearson correlation of each frame."""
    return [
        float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
        for one, other in zip(made, reference, strict=True)
    ]


def fitted(echoes: ChannelData, reference: np.ndarray, f_number: float = F_NUMBER) -> Fit:
    """Fit grid and dynamic range on frame 1, one step of one number at a time, as long as it gets better."""
    first, shape = frames_of(echoes, slice(0, 1)), reference.shape[1:]

    def score(fit: Fit) -> float:
        return correlations(pictures(first, fit, shape, f_number), reference[:1])[0]

    best = Fit(**START)
    most = score(best)
    for _ in range(ROUNDS):
        before = most
        for name, step in STEPS.items():
            for sign in (1, -1):
                most, best = _walked(best, most, name, sign * step, score)
        if most == before:
            break
    return best


def _walked(
    best: Fit, most: float, name: str, step: float, score: Callable[[Fit], float]
) -> tuple[float, Fit]:
    while True:
        tried = replace(best, **{name: round(getattr(best, name) + step, 9)})
        value = score(tried)
        if value <= most:
            return most, best
        most, best = value, tried


def folder() -> Path:
    """Give the data set's folder, as the tests look for it."""
    data = Path(os.environ.get("INSONATE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    return data / "must-planewave"


def rows() -> list[dict[str, Any]]:
    """Fit on frame 1, score on the others; none where the data set is not at hand."""
    if not folder().is_dir():
        print("must_planewave is left out: real data set 'must-planewave' is not at hand", file=sys.stderr)
        return []
    echoes, reference = read(folder())
    last = 6 if os.environ.get("INSONATE_BENCHMARK_QUICK") else None
    scored = slice(1, last)
    made = []
    for f_number, id, what in (
        (F_NUMBER, "must-planewave/correlation", "f-number 1.2"),
        (1.5, "must-planewave/correlation-as-shipped", "our default f-number 1.5"),
    ):
        fit = fitted(echoes, reference, f_number)
        values = correlations(
            pictures(frames_of(echoes, scored), fit, reference.shape[1:], f_number), reference[scored]
        )
        has_target = f_number == F_NUMBER
        made.append(
            row(
                id,
                f"B-mode of frames 2 to {1 + len(values)} against MUST's, {what}; fitted on frame 1: "
                f"{1e3 * fit.left:.1f}..{1e3 * fit.right:.1f} x {1e3 * fit.top:.1f}..{1e3 * fit.bottom:.1f} mm, "
                f"{fit.dynamic_range:g} dB",
                values,
                "1",
                sense="min" if has_target else None,
                target=MARK if has_target else None,
                truth="must-planewave, bmode_PWI_disk.mat",
            )
        )
    return made
