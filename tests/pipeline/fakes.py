"""What the pipeline is tested with: pictures whose structures are known, a labeller that a formula replaces, sources."""

import threading

import numpy as np

from insonate.core import (
    Acquisition,
    ChannelData,
    Grid,
    Image,
    ModelVersion,
    PixelGrid,
    Probe,
    Quantity,
    Segmentation,
    Structure,
    Tissue,
    Transmit,
)
from insonate.pipeline.catalog import Catalog

NERVE, VESSEL = 1.0, 0.99
"""Brightness that the labeller of `by_brightness` takes for a nerve and for a vessel."""

SPEED, RATE, CARRIER, PITCH = 1540.0, 20e6, 5e6, 0.3e-3
"""Of `shot` [m/s, Hz, Hz, m]."""


def by_brightness(image, *, simulated=False, progress=None):
    """Label exactly what is painted: 1 the nerve, 2 the vessel, sure to 0.9."""
    values = image.brightness()
    labels = np.zeros(values.shape, np.uint8)
    labels[values == np.float32(NERVE)] = 1
    labels[np.abs(values - VESSEL) < 1e-4] = 2
    for done in range(image.n_frames + 1):
        if progress is not None:
            progress(done, image.n_frames)
    return Segmentation(
        labels=labels,
        structures=(
            Structure(name="nerve", tissue=Tissue.NERVE),
            Structure(name="vessel", tissue=Tissue.VESSEL),
        ),
        confidence=np.full(labels.shape, 0.9, np.float32),
        grid=image.grid,
        times=image.times,
        model=ModelVersion(name="by brightness", version="1", confidence_threshold=0.5),
    )


LABELLER = Catalog(
    "insonate.segmenters",
    {"nerve_vessel": "pipeline.fakes:by_brightness", "simulated_tissues": "pipeline.fakes:by_brightness"},
)
"""In the place of `SEGMENTERS`."""


def painted(rows=240, columns=300, *, nerve=(60, 70, 14), vessel=(70, 220, 12), seed=3):
    """Grey tissue, (rows, columns) float32, with a nerve and a vessel at (row, column, radius) or None."""
    tissue = np.random.default_rng(seed).uniform(0.2, 0.8, (rows, columns)).astype(np.float32)
    row, column = np.mgrid[:rows, :columns]
    for disk, value in ((nerve, NERVE), (vessel, VESSEL)):
        if disk is not None:
            tissue[np.hypot(row - disk[0], column - disk[1]) <= disk[2]] = value
    return tissue


def picture(*frames, spacing=(1e-4, 1e-4), times=None, color=False):
    """An image of painted frames; of one by default."""
    values = np.stack(frames) if frames else painted()[np.newaxis]
    return Image(
        values=values,
        quantity=Quantity.BRIGHTNESS,
        grid=PixelGrid(rows=values.shape[1], columns=values.shape[2], spacing=spacing),
        times=times,
        color=np.stack([(255 * values).astype(np.uint8)] * 3, axis=-1) if color else None,
    )


def bordered(frame, *, top=20, left=30, bottom=25, right=35):
    """The frame within black borders, and where it lies: (picture, (row, column, rows, columns))."""
    rows, columns = frame.shape
    whole = np.zeros((top + rows + bottom, left + columns + right), np.float32)
    whole[top : top + rows, left : left + columns] = frame
    return whole, (top, left, rows, columns)


def shot(depth=0.02, x=0.0, *, n_elements=32, n_samples=900, times=None, n_frames=1):
    """A plane wave's RF echo of one point at (x, depth), by its travel time."""
    probe = Probe.linear(name="test", n_elements=n_elements, pitch=PITCH, center_frequency=CARRIER)
    acquisition = Acquisition(
        probe=probe,
        transmits=(Transmit.plane(steering_angle=0.0, initial_time=0.0),),
        sampling_frequency=RATE,
        demodulation_frequency=0.0,
        sound_speed=SPEED,
    )
    away = np.hypot(probe.element_positions[:, 0] - x, depth)
    time = np.arange(n_samples) / RATE - ((depth + away) / SPEED)[:, None]
    echo = np.exp(-((time * CARRIER) ** 2)) * np.cos(2 * np.pi * CARRIER * time)
    samples = np.repeat(echo[np.newaxis, np.newaxis].astype(np.float32), n_frames, axis=0)
    return ChannelData(samples=samples, scale=1.0, acquisition=acquisition, times=times)


def on_grid(values, *, axial=0.01, step=1e-4):
    """A B-mode image on a `Grid` in meters."""
    rows, columns = values.shape[-2:]
    return Image(
        values=values,
        quantity=Quantity.B_MODE,
        grid=Grid(axial=axial + step * np.arange(rows), lateral=step * (np.arange(columns) - columns / 2)),
    )


class Script:
    """A source that gives what it is told to, one thing an advance, then nothing."""

    accepts = frozenset({"power"})
    simulated = True
    name = "script"
    tick = 0.005

    def __init__(self, *things, forever=False):
        self.things, self.forever = list(things), forever
        self.commands, self.until = [], []
        self.given = 0
        self.gate = threading.Event()
        """Cleared by a test to hold the source within an advance."""
        self.gate.set()
        self.held = threading.Event()
        """Set while it is held there."""

    def advance(self, commands, until):
        self.commands += commands
        self.until.append(until)
        if not self.things or (not self.forever and self.given >= len(self.things)):
            return
        thing = self.things[self.given % len(self.things)]
        self.given += 1
        if not self.gate.is_set():
            self.held.set()
            self.gate.wait(20)
            self.held.clear()
        if isinstance(thing, Exception):
            raise thing
        yield thing
