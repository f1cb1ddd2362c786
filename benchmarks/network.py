"""The labelling network: CPU time of one picture, and how rarely it is sure of what is no nerve or vessel."""

import os
import time
from typing import Any

import numpy as np

from benchmarks.calibration import calibration
from benchmarks.rows import row
from insonate.core import Image, PixelGrid, Quantity
from insonate.pipeline.catalog import SEGMENTERS

SHAPE = (512, 534)


def _image(values: np.ndarray) -> Image:
    grid = PixelGrid(rows=values.shape[0], columns=values.shape[1], spacing=None)
    return Image(values=values[None].astype(np.float32), quantity=Quantity.BRIGHTNESS, grid=grid)


def pictures_of_nothing() -> dict[str, np.ndarray]:
    """Give pictures without ultrasound anatomy, made here: noise, ramps, stripes, disks, speckle."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    speckle = np.abs(rng.normal(size=SHAPE) + 1j * rng.normal(size=SHAPE))
    return {
        "black": np.zeros(SHAPE),
        "noise": rng.random(SHAPE),
        "ramp": x / SHAPE[1],
        "stripes": 0.5 + 0.5 * np.sin(y / 7),
        "checker": ((x // 32 + y // 32) % 2).astype(float),
        "disk": (np.hypot(x - 260, y - 250) < 90).astype(float),
        "speckle": np.clip(speckle / 4, 0, 1),
    }


def rows() -> list[dict[str, Any]]:
    """Time and test the default network."""
    segment = SEGMENTERS.get("nerve_vessel")
    rng = np.random.default_rng(3)
    picture = _image(np.clip(np.abs(rng.normal(size=SHAPE)) / 3, 0, 1))
    segment(picture)
    costs = []
    for _ in range(2 if os.environ.get("INSONATE_BENCHMARK_QUICK") else 9):
        start = time.process_time()
        segment(picture)
        costs.append(1e3 * (time.process_time() - start))
    unit = calibration()
    shares = []
    for values in pictures_of_nothing().values():
        found = segment(_image(values))
        shares.append(100 * float(np.mean((found.labels > 0) & (found.confidence >= 0.5))))
    return [
        row("network/picture", "label one 512 x 534 picture", costs, "core-ms", truth="clock"),
        row(
            "network/picture-ratio",
            "the same over the calibration kernel",
            [v / unit for v in costs],
            "1",
            truth="clock",
        ),
        row(
            "network/false-labels",
            "worst share labelled at confidence >= 0.5 on pictures that are no ultrasound",
            [max(shares)],
            "%",
            sense="max",
            target=1.0,
            truth="made here, empty by construction",
        ),
    ]
