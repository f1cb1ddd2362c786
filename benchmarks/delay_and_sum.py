"""Delay-and-sum: taps per core-second, a tap being one sample of one element added to one pixel.

128 elements, three plane waves, IQ at three times the carrier, 192 x 384 pixels, f-number 1.75: the frame of a live picture.
The echoes are noise; their values change nothing.
"""

import os
import time
from typing import Any

import numpy as np

from benchmarks.calibration import calibration
from benchmarks.rows import row
from insonate.core import Acquisition, ChannelData, Grid, Probe, Transmit
from insonate.imaging.beamforming import delay_and_sum, kernels, transmit_times

CARRIER = 5e6
ANGLES = (-0.14, 0.0, 0.14)
"""Of the plane waves [rad]."""
F_NUMBER = 1.75
N_SAMPLES = 900
"""60 us at three times the carrier: 46 mm."""


def echoes() -> ChannelData:
    """Give one frame of noise."""
    rng = np.random.default_rng(5)
    shape = (1, len(ANGLES), 128, N_SAMPLES, 2)
    return ChannelData(
        samples=rng.standard_normal(shape, dtype=np.float32).view(np.complex64)[..., 0],
        scale=1.0,
        acquisition=Acquisition(
            probe=Probe.linear(name="L128", n_elements=128, pitch=0.3e-3, center_frequency=CARRIER),
            transmits=tuple(Transmit.plane(steering_angle=angle, initial_time=0.0) for angle in ANGLES),
            sampling_frequency=3 * CARRIER,
            demodulation_frequency=CARRIER,
            sound_speed=1540.0,
        ),
        times=None,
    )


def taps_of(data: ChannelData, grid: Grid, f_number: float) -> int:
    """Count the samples that are added up: within the aperture and within the record."""
    acquisition, count = data.acquisition, 0
    for transmit in acquisition.transmits:
        there = transmit_times(transmit, grid, acquisition.sound_speed) - transmit.initial_time
        for x, _, z in acquisition.probe.element_positions:
            beside, below = np.abs(grid.lateral[None, :] - x), grid.axial[:, None] - z
            at = (there + np.hypot(beside, below) / acquisition.sound_speed) * acquisition.sampling_frequency
            count += int(
                np.sum((2 * f_number * beside <= below) & (at >= 0) & (at < data.samples.shape[-1] - 1))
            )
    return count


def rows() -> list[dict[str, Any]]:
    """Count, time and compare."""
    quick = bool(os.environ.get("INSONATE_BENCHMARK_QUICK"))
    data = echoes()
    grid = Grid(axial=np.linspace(0.002, 0.040, 384), lateral=np.linspace(-0.019, 0.019, 192))
    taps = taps_of(data, grid, F_NUMBER)
    fastest = kernels.chosen()
    delay_and_sum(data, grid, f_number=F_NUMBER)
    unit = calibration()
    costs = []
    for _ in range(3 if quick else 15):
        start = time.process_time()
        delay_and_sum(data, grid, f_number=F_NUMBER)
        costs.append(time.process_time() - start)
    few = Grid(axial=grid.axial[::16], lateral=grid.lateral[::16])
    made, truth = (
        delay_and_sum(data, few, f_number=F_NUMBER, kernel=kernel).values for kernel in (fastest, "reference")
    )
    error = float(np.linalg.norm(made - truth) / np.linalg.norm(truth))
    return [
        row(
            "delay-and-sum/taps",
            f"{taps / 1e6:.1f} M taps a frame of 192 x 384 pixels, 3 plane waves, kernel {fastest}",
            [taps / 1e6 / cost for cost in costs],
            "Mtap/core-s",
            truth="clock",
        ),
        row(
            "delay-and-sum/frame", "the same frame", [1e3 * cost for cost in costs], "core-ms", truth="clock"
        ),
        row(
            "delay-and-sum/frame-ratio",
            "the same over the calibration kernel",
            [1e3 * cost / unit for cost in costs],
            "1",
            truth="clock",
        ),
        row(
            "delay-and-sum/parity",
            f"relative difference of kernel {fastest} from the reference, root of mean square",
            [error],
            "1",
            sense="max",
            target=1e-3,
            truth="NumPy reference",
        ),
    ]
