"""Readers: CPU time to open files of one known size, as a ratio to the calibration kernel."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.calibration import calibration
from benchmarks.rows import row
from insonate.core import Image, PixelGrid, Quantity
from insonate.formats import insonate_hdf5
from insonate.formats.still import write_png
from insonate.pipeline.reading import open as open_file

SHAPE = (30, 512, 512)
"""A short clip [frames, rows, columns]."""


def _cost(work: Callable[[], object], repeats: int) -> list[float]:
    work()
    costs = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        costs.append(1e3 * (time.process_time() - start))
    return costs


def rows() -> list[dict[str, Any]]:
    """Write files of known content, read them back, time both."""
    repeats = 2 if os.environ.get("INSONATE_BENCHMARK_QUICK") else 7
    rng = np.random.default_rng(1)
    values = rng.random(SHAPE, dtype=np.float32)
    grid = PixelGrid(rows=SHAPE[1], columns=SHAPE[2], spacing=(1e-4, 1e-4))
    image = Image(values=values, quantity=Quantity.BRIGHTNESS, grid=grid)
    unit = calibration()
    with tempfile.TemporaryDirectory() as room:
        still, clip = Path(room) / "a.png", Path(room) / "a.h5"
        write_png(still, (255 * values[0]).astype(np.uint8))
        insonate_hdf5.write(clip, image)
        png = _cost(lambda: open_file(still), repeats)
        h5 = _cost(lambda: open_file(clip), repeats)
        (back,) = open_file(clip)
        lossless = float(np.array_equal(back.values, values))  # type: ignore[union-attr]
    return [
        row("readers/png", "open a 512 x 512 PNG of noise", png, "core-ms", truth="clock"),
        row(
            "readers/png-ratio",
            "the same over the calibration kernel",
            [v / unit for v in png],
            "1",
            truth="clock",
        ),
        row(
            "readers/hdf5",
            "open 30 frames of 512 x 512 float32 from Insonate HDF5",
            h5,
            "core-ms",
            truth="clock",
        ),
        row(
            "readers/hdf5-lossless",
            "what is read equals what was written",
            [lossless],
            "1",
            sense="min",
            target=1.0,
            truth="round trip",
        ),
    ]
