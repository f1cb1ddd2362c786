"""The compiled kernels: CPU time with each instruction set that runs here, beside numba's, and error against NumPy's."""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.calibration import calibration
from benchmarks.rows import row
from insonate.core import Probe
from insonate.imaging.beamforming import kernels as beamforming
from insonate.simulation.acoustics import FourierEngine
from insonate.simulation.acoustics import kernels as acoustics
from insonate.simulation.acoustics.kernels.reference import GRAZING, NEAREST
from insonate.simulation.motion.fields import Drag, Pool, Slide
from insonate.simulation.motion.tubes import Sleeve, Tube, Wall

SPEED, PITCH, ELEMENTS = 1540.0, 3e-4, 128
CARRIER = 5.2e6
QUICK = "INSONATE_BENCHMARK_QUICK" in os.environ
ADVANCED = "avx512"
"""The instruction set that the target of delay and sum was set for."""


def frame(
    samples_a_period: int, angles: int, column: float = PITCH / 2
) -> tuple[tuple[Any, ...], dict[str, float]]:
    """Arguments of delay and sum: 128 elements, 256 x 512 pixels of 40 mm, plane waves, noise."""
    rng = np.random.default_rng(0)
    rate = CARRIER * samples_a_period
    shape = (angles, ELEMENTS, int(6.5e-5 * rate), 2)
    samples = rng.standard_normal(shape, dtype=np.float32).view(np.complex64)[..., 0].copy()
    elements = np.zeros((ELEMENTS, 3))
    elements[:, 0] = (np.arange(ELEMENTS) - (ELEMENTS - 1) / 2) * PITCH
    axial, lateral = np.linspace(3e-3, 4.3e-2, 512), (np.arange(256) - 127.5) * column
    turned = np.linspace(-0.2, 0.2, angles)[:, None, None] if angles > 1 else np.array([[[0.05]]])
    arrival = (axial[:, None] * np.cos(turned) + lateral * np.sin(turned)) / SPEED
    settings = {"frequency": CARRIER, "sampling_frequency": rate, "sound_speed": SPEED, "f_number": 1.5}
    return (samples, arrival, np.zeros(angles), elements, axial, lateral), settings


def spectrum() -> tuple[tuple[Any, ...], dict[str, float]]:
    """Arguments of the remap: a map of 77 x 41 mm, 512 x 1024, under a probe of 7.6 MHz."""
    probe = Probe.linear(
        name="benchmark",
        n_elements=ELEMENTS,
        pitch=PITCH,
        center_frequency=7.6e6,
        fractional_bandwidth=0.7,
        element_width=2.7e-4,
    )
    engine = FourierEngine(
        probe=probe,
        lateral_step=1.5e-4,
        axial_step=4e-5,
        shape=(512, 1024),
        sound_speed=SPEED,
        duration=6.4e-5,
    )
    caught: dict[str, Any] = {}

    class Catch:
        @staticmethod
        def remap(*arrays: Any, **settings: Any) -> np.ndarray:
            caught.update(arrays=arrays, settings=settings)
            return np.zeros((len(arrays[1]), len(arrays[2])), np.complex64)

    reflectivity = np.random.default_rng(1).standard_normal((512, 1024)).astype(np.float32)
    real, acoustics.get = acoustics.get, lambda _: Catch  # what the engine itself hands to its kernel
    try:
        engine.echoes(engine.spectrum(reflectivity), 0.1)
    finally:
        acoustics.get = real
    return caught["arrays"], {"grazing": GRAZING} | caught["settings"]


def points(n: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments of the deposit: points in 40 x 2 x 37 mm under a plane wave, lines of 3000 samples at 48 MHz."""
    rng = np.random.default_rng(2)
    low, high = (-0.02, -0.001, 0.003, -1), (0.02, 0.001, 0.04, 1)
    scatterers = rng.uniform(low, high, (n, 4)).astype(np.float32)
    settings = {
        "n_samples": 3000,
        "sampling_frequency": 4.8e7,
        "start": 0.0,
        "sound_speed": SPEED,
        "frequency": 7.6e6,
        "element_width": 2.7e-4,
        "soft_baffle": False,
        "from_lines": False,
    }
    elements = (np.arange(ELEMENTS) - (ELEMENTS - 1) / 2) * PITCH
    return (scatterers, scatterers[:, 2].astype(float) / SPEED, elements), settings


def deformed() -> tuple[np.ndarray, list[Any]]:
    """Places of a live map, 97 x 53 over 77 x 41 mm, and what moves them: needle, breath, fluid, vessels."""
    rng = np.random.default_rng(3)
    x, z = np.meshgrid(np.linspace(-0.0385, 0.0385, 97), np.linspace(0, 0.041, 53), indexing="ij")
    places = np.stack([x.ravel(), np.zeros(x.size), z.ravel()], axis=1)

    def tube(radius: float) -> Tube:
        along = np.linspace(-0.02, 0.02, 21)
        middle = rng.uniform((-0.02, 0.01), (0.02, 0.03)) + np.stack([0.05 * along, 0.02 * along], axis=1)
        stretch = np.tile(np.diag([0.9, 1 / 0.9]), (21, 1, 1))
        return Tube(label=1, axis=1, along=along, middle=middle, radius=np.full(21, radius), stretch=stretch)

    tip = np.array([-3e-3, 0.0, 0.012])
    maps = [
        Drag(middle=tip, direction=np.array([0.8, 0, 0.6]), amount=4e-4, width=9.5e-4),
        Slide(amount=np.array([1e-4, 6e-4, 0]), depth=0.015),
        *(
            Pool(
                middle=tip + 2e-3 * n * np.array([0.8, 0, 0.6]),
                normal=np.array([0.0, 0, 1.0]),
                volume=3e-7,
                flatness=3.5,
            )
            for n in range(6)
        ),
        *(
            Sleeve(tube=tube(2e-3), volume=3e-7, station=0.0, half_length=0.014, inside=False)
            for _ in range(6)
        ),
        *(Wall(tube=tube(4e-3), area=1.08) for _ in range(3)),
        *(Wall(tube=tube(4e-3), area=0.6, flat=0.3) for _ in range(2)),
    ]
    return places, maps


def _costs(work: Callable[[], Any], times: int) -> list[float]:
    work()
    costs = []
    for _ in range(2 if QUICK else times):
        start = time.process_time()
        work()
        costs.append(1e3 * (time.process_time() - start))
    return costs


def _timed(
    id: str, what: str, work: Callable[[], Any], times: int, target: float | None
) -> list[dict[str, Any]]:
    costs, unit = _costs(work, times), calibration()
    sense = None if target is None else "max"
    return [
        row(id, what, costs, "core-ms", sense=sense, target=target, truth="clock"),
        row(
            f"{id}-ratio",
            "the same over the calibration kernel",
            [c / unit for c in costs],
            "1",
            truth="clock",
        ),
    ]


def _error(id: str, what: str, made: np.ndarray, truth: np.ndarray, target: float) -> dict[str, Any]:
    off = float(np.linalg.norm(made - truth) / np.linalg.norm(truth))
    return row(id, what, [off], "1", sense="max", target=target, truth="the NumPy kernel")


def rows() -> list[dict[str, Any]]:
    """Time every kernel, and hold it to its reference."""
    if "native" not in beamforming.available():
        return [row("native/built", "the library is there", [0], "1", sense="min", target=1, truth="import")]
    import insonate_native as native

    frames = {
        "das": ("one angle, 1 sample a period, columns of half a pitch", frame(1, 1)),
        "das-2": ("one angle, 2 samples a period", frame(2, 1)),
        "das-11": ("eleven angles, 1 sample a period", frame(1, 11)),
        "das-free": ("one angle, columns of no relation to the pitch", frame(1, 1, 1.2345e-4)),
    }
    waves, settings = spectrum()
    cloud, medium = points(100_000)
    places, maps = deformed()
    moves = native.Moves(
        [(one.kind, one.numbers, one.table, one.axis, one.inside) for one in (m.move for m in maps)]
    )
    found = []
    for chosen in native.available():
        how: dict[str, Any] = {"instructions": chosen, "threads": 1}
        for name, (what, (arguments, names)) in frames.items():
            target = 1.2 if name == "das" and chosen == ADVANCED else None
            found += _timed(
                f"native/{name}/{chosen}",
                f"128 elements, 256 x 512 pixels, {what}",
                lambda a=arguments, n=names, h=how: native.delay_and_sum(*a, **n, **h),
                31,
                target,
            )
        found += _timed(
            f"native/remap/{chosen}",
            f"512 x 2048 spectrum, {len(waves[2])} frequencies",
            lambda h=how: native.remap(*waves, **settings, **h),
            31,
            10.0 if chosen != "plain" else None,
        )
        found += _timed(
            f"native/deposit/{chosen}",
            "100,000 scatterers, 128 elements",
            lambda h=how: native.deposit(*cloud, **medium, nearest=NEAREST, **h),
            9,
            30.0 if chosen != "plain" else None,
        )
        found += _timed(
            f"native/motion/{chosen}",
            f"{len(places)} places through {len(maps)} maps of a body that moves",
            lambda h=how: native.carried(places, moves, **h),
            31,
            None,
        )
    found += _timed(
        "native/das/numba",
        "as native/das",
        lambda: beamforming.get("numba").delay_and_sum(*frames["das"][1][0], **frames["das"][1][1]),
        9,
        None,
    )
    found += _timed(
        "native/remap/numba",
        "as native/remap",
        lambda: acoustics.get("numba").remap(*waves, **settings),
        9,
        None,
    )
    found += _timed(
        "native/deposit/numba",
        "as native/deposit",
        lambda: acoustics.get("numba").deposit(*cloud, **medium),
        3,
        None,
    )
    for name in ("das", "das-2", "das-free"):
        arguments, names = frames[name][1]
        truth = beamforming.get("reference").delay_and_sum(*arguments, **names)
        for chosen in native.available():
            made = native.delay_and_sum(*arguments, **names, instructions=chosen)
            found.append(_error(f"native/{name}-error/{chosen}", "of the image, in norm", made, truth, 1e-3))
    rested = places
    for one in maps:
        rested = one.back(rested)
    for chosen in native.available():
        off = float(np.abs(native.carried(places, moves, instructions=chosen) - rested).max())
        found.append(
            row(
                f"native/motion-error/{chosen}",
                "farthest that a place is off",
                [off],
                "m",
                sense="max",
                target=1e-12,
                truth="the closed forms, in NumPy",
            )
        )
    truth = acoustics.get("reference").remap(*waves, **settings)
    few, medium = points(2000)
    lines = acoustics.get("reference").deposit(*few, **medium)
    for chosen in native.available():
        made = native.remap(*waves, **settings, instructions=chosen)
        found.append(_error(f"native/remap-error/{chosen}", "of the spectrum, in norm", made, truth, 1e-4))
        made = native.deposit(*few, **medium, nearest=NEAREST, instructions=chosen)
        found.append(_error(f"native/deposit-error/{chosen}", "of the lines, in norm", made, lines, 1e-3))
    return found
