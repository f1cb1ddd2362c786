"""Simulation of echoes: engine A against closed forms, Rayleigh's integral and SIMUS; engines K and B against A; times.

Rows K1 to K5 and S1 to S8, S10 are those of the algorithms' targets. With `INSONATE_PEERS` naming a folder of packages that
holds PyMUST, FastSIMUS or SonoSK (`pip install --target FOLDER pymust fastsimus jax sonosk`), the same scatterers are given
to them: their time as a ratio to ours, their difference from engine A. The closed forms stand in tests/simulation/acoustics.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from benchmarks import simulated_scenes
from benchmarks.calibration import calibration
from benchmarks.rows import row
from insonate.core import Acquisition, ChannelData, Grid, Probe, Transmit
from insonate.imaging.beamforming import delay_and_sum
from insonate.simulation.acoustics import deposit, frequency, kernels
from insonate.simulation.acoustics.attenuation import attenuated
from insonate.simulation.acoustics.engine import Attenuation
from insonate.simulation.acoustics.fourier import FourierEngine
from insonate.simulation.acoustics.profiles import planned
from insonate.simulation.acoustics.scatterers import Scatterers
from insonate.simulation.acoustics.transmits import diverging, single_element

SPEED = 1540.0
PROBE = Probe.linear(
    name="benchmark",
    n_elements=128,
    pitch=0.3e-3,
    center_frequency=7.5e6,
    element_width=0.27e-3,
    element_height=4.5e-3,
    fractional_bandwidth=0.7,
    elevation_focus=20e-3,
)
SMALL = Probe.linear(
    name="benchmark, small",
    n_elements=64,
    pitch=0.2e-3,
    center_frequency=5e6,
    element_width=0.18e-3,
    element_height=4e-3,
    fractional_bandwidth=0.6,
    elevation_focus=20e-3,
)
FLAT = Transmit.plane(steering_angle=0.0, initial_time=0.0)
TESTS = Path(__file__).resolve().parents[1] / "tests"


@contextmanager
def _tests() -> Iterator[None]:
    """Let the truths that the tests are held to be imported."""
    sys.path.insert(0, str(TESTS))
    try:
        yield
    finally:
        sys.path.remove(str(TESTS))


def _relative(made: np.ndarray, truth: np.ndarray) -> float:
    return float(np.linalg.norm(made - truth) / np.linalg.norm(truth))


def _correlation(made: np.ndarray, truth: np.ndarray) -> float:
    return float(abs(np.vdot(truth, made)) / np.linalg.norm(truth) / np.linalg.norm(made))


def _core_ms(work: Callable[[], Any], repeats: int) -> list[float]:
    work()
    costs = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        costs.append(1e3 * (time.process_time() - start))
    return costs


def reference(quick: bool) -> list[dict[str, Any]]:
    """S1 to S4, S8: engine A."""
    with _tests():
        from simulation.acoustics import closed_forms, simus

    radius, center = 5e-3, 5e6
    made_of, together = closed_forms.piston_probe(radius, center, 120 if quick else 240)
    z = np.linspace(radius, 8 * radius, 30 if quick else 120)
    axis = np.stack([0 * z, 0 * z, z], axis=1)
    made = frequency.pressure(axis, made_of, together, np.array([center]))[:, 0]
    disk = np.abs(made - closed_forms.piston(radius, center, z)).max() / 2
    one = Probe.linear(
        name="one",
        n_elements=1,
        pitch=0.3e-3,
        center_frequency=7.5e6,
        element_width=0.27e-3,
        element_height=5e-3,
        fractional_bandwidth=0.7,
        elevation_focus=15e-3,
    )
    rectangle = []
    for element in (one, replace(one, elevation_focus=None)):
        for depth in (2.5e-3, 5e-3, 20e-3):
            places = np.array([[x * depth, y, depth] for x in (0, 0.4, 0.8) for y in (0.0, 1e-3, 2e-3)])
            truth = closed_forms.rayleigh(element, places, 7.5e6)
            made = frequency.pressure(places, element, FLAT, np.array([7.5e6]))[:, 0]
            rectangle.append(float(np.abs(made - truth).max() / np.abs(truth).max()))
    width, expected = closed_forms.focal_width(
        n_elements=192, pitch=0.1e-3, center_frequency=7.5e6, f_number=4.0
    )
    came, due = closed_forms.arrival(frequency.simulate, dimensions=2)
    cases = [name for name in simus.cases() if "curved" in name] if quick else simus.cases()
    held = {name: simus.compare(*simus.both(name)) for name in cases}
    flat = [value for name, value in held.items() if "3d" not in name]
    rows = [
        row(
            "simulation/S1-piston",
            "engine A, field on the axis of a circular piston from one radius on, largest error over its largest value",
            [disk],
            "1",
            sense="max",
            target=0.01,
            truth="closed form",
        ),
        row(
            "simulation/S1-rectangle",
            "engine A, field of a rectangular element with and without lens, largest error over its largest value",
            [max(rectangle)],
            "1",
            sense="max",
            target=0.01,
            truth="Rayleigh's integral",
        ),
        row(
            "simulation/S2",
            "engine A, -6 dB width of a focused aperture over 1.207 wavelengths times the f-number, less 1",
            [abs(width / expected - 1)],
            "1",
            sense="max",
            target=0.02,
            truth="closed form",
        ),
        row(
            "simulation/S3",
            "engine A, latest or earliest echo of a point beside its time of flight",
            [1e9 * float(np.abs(came - due).max())],
            "ns",
            sense="max",
            target=1.0,
            truth="closed form",
        ),
        row(
            "simulation/S4-correlation",
            f"engine A beside SIMUS, {len(flat)} tables of 200 scatterers in two dimensions, the worst",
            [min(value[0] for value in flat)],
            "1",
            sense="min",
            target=0.999,
            truth="PyMUST 0.1.9",
        ),
        row(
            "simulation/S4-difference",
            "the same, root of mean square over that of the truth, the worst",
            [max(value[1] for value in flat)],
            "1",
            sense="max",
            target=0.03,
            truth="PyMUST 0.1.9",
        ),
    ]
    for name, value in held.items():
        if "3d" in name:
            rows.append(
                row(
                    "simulation/S4-lens",
                    "engine A beside SIMUS in three dimensions, a lens, scatterers in the plane: difference",
                    [value[1]],
                    "1",
                    sense="max",
                    target=0.03,
                    truth="PyMUST 0.1.9",
                )
            )
    rows.append(
        row(
            "simulation/S8",
            "engine A, worst of reciprocity, linearity and spreading as 1 / r there and back, relative",
            [_laws()],
            "1",
            sense="max",
            target=1e-5,
            truth="closed form",
        )
    )
    return rows


def _laws() -> float:
    rng = np.random.default_rng(8)
    array = replace(
        SMALL, element_positions=SMALL.element_positions[:16], element_normals=SMALL.element_normals[:16]
    )
    band = np.linspace(3e6, 7e6, 9)
    positions = np.stack(
        [rng.uniform(-4e-3, 4e-3, 20), rng.uniform(-1e-3, 1e-3, 20), rng.uniform(8e-3, 30e-3, 20)], axis=1
    )
    strengths = rng.normal(size=20)

    def echoes(part: slice, factor: float = 1.0) -> np.ndarray:
        events = [single_element(array, n) for n in range(16)]
        some = Scatterers(positions=positions[part], amplitudes=factor * strengths[part])
        return frequency.transfer(some, array, events, band, pieces=(2, 24))

    whole = echoes(slice(None))
    reciprocity = _relative(whole.transpose(1, 0, 2), whole)
    linearity = _relative(echoes(slice(8), 3.0) / 3 + echoes(slice(8, 20)), whole)
    small = replace(
        array,
        element_positions=np.zeros((1, 3)),
        element_normals=array.element_normals[:1],
        element_width=0.05e-3,
        element_height=0.05e-3,
        elevation_focus=None,
    )
    near, far = (
        abs(
            frequency.transfer(
                Scatterers(positions=np.array([[0, 0, depth]]), amplitudes=np.ones(1)),
                small,
                [FLAT],
                band[:1],
            )
        ).item()
        for depth in (0.1, 0.4)
    )
    return max(reciprocity, linearity, abs(near / far / 16 - 1))


def _record_of(engine: FourierEngine, records: list[np.ndarray], angles: list[float]) -> ChannelData:
    described = engine.acquisition(0.0)
    return ChannelData(
        samples=np.stack(records)[np.newaxis].astype(np.complex64),
        scale=1.0,
        acquisition=Acquisition(
            probe=engine.probe,
            transmits=tuple(Transmit.plane(steering_angle=a, initial_time=0.0) for a in angles),
            sampling_frequency=engine.sampling_frequency,
            demodulation_frequency=described.demodulation_frequency,
            sound_speed=engine.sound_speed,
        ),
        times=None,
    )


def live(quick: bool) -> list[dict[str, Any]]:
    """K1, K2: engine K beside A, and how fast."""
    with _tests():
        from simulation.acoustics.held_to_a import difference_from_a

    rows = []
    n = 40 if quick else 200
    for profile, target in (("accurate", 0.03), ("live", 0.10)):
        engine = planned(profile, PROBE, depth=41e-3)
        held = [difference_from_a(engine, n=n, degrees=degrees) for degrees in (-20.0, 0.0, 11.0)]
        shape = f"{engine.shape[0]} x {engine.shape[1]}"
        rows.append(
            row(
                f"simulation/K1-{profile}",
                f"engine K, {profile} profile ({shape}), {n} points 5-40 mm, -20, 0, 11 degrees, beside A without edges",
                [value[0] for value in held],
                "1",
                sense="max",
                target=target,
                truth="engine A",
            )
        )
        if profile == "accurate":
            rows.append(
                row(
                    "simulation/K1-correlation",
                    "the same, correlation",
                    [value[1] for value in held],
                    "1",
                    sense="min",
                    target=0.999,
                    truth="engine A",
                )
            )
            edges = difference_from_a(engine, n=n, degrees=0.0, unbounded=False)
            rows.append(
                row(
                    "simulation/K1-edges",
                    "at 0 degrees beside A with waves from the array's edges, heights fitted: what K leaves out",
                    [edges[0]],
                    "1",
                    truth="engine A",
                )
            )
    budget = FourierEngine(
        probe=PROBE,
        lateral_step=0.15e-3,
        axial_step=0.032e-3,
        shape=(512, 1280),
        sound_speed=SPEED,
        duration=64e-6,
    )
    held_budget = [difference_from_a(budget, n=n, degrees=degrees)[0] for degrees in (-20.0, 0.0, 11.0)]
    rows.append(
        row(
            "simulation/K1-budget-map",
            "engine K on the map of the live patient, 77 x 41 mm, 512 x 1280 samples of 0.15 x 0.032 mm, beside A",
            held_budget,
            "1",
            sense="max",
            target=0.10,
            truth="engine A",
        )
    )
    dense = replace(budget, lateral_step=0.075e-3, shape=(1024, 1024))
    rng = np.random.default_rng(2)
    unit = calibration()
    for name, engine, waves, target in (
        ("K2", dense, 3, 160.0),
        ("K-frame", budget, 1, 40.0),
        ("K-frame-live", planned("live", PROBE, depth=41e-3), 1, 40.0),
    ):
        reflectivity = rng.standard_normal(engine.shape, dtype=np.float32)

        def work(
            engine: FourierEngine = engine, reflectivity: np.ndarray = reflectivity, waves: int = waves
        ) -> None:
            spectrum = engine.spectrum(reflectivity)
            for number in range(waves):
                engine.echoes(spectrum, 0.1 * (number - 1))

        costs = _core_ms(work, 3 if quick else 15)
        what = f"{reflectivity.size / 1e6:.2f} M scatterers, 128 elements, {waves} plane waves of one scene"
        rows += [
            row(
                f"simulation/{name}",
                f"engine K, {what}, kernel {kernels.described()}",
                costs,
                "core-ms",
                sense="max",
                target=target,
                truth="clock",
            ),
            row(
                f"simulation/{name}-ratio",
                "the same over the calibration kernel",
                [cost / unit for cost in costs],
                "1",
                truth="clock",
            ),
        ]
    return rows


def _half_width(x: np.ndarray, strength: np.ndarray) -> float:
    half = strength.max() / 2
    above = np.flatnonzero(strength >= half)
    first, last = above[0], above[-1]
    left = np.interp(half, strength[first - 1 : first + 1], x[first - 1 : first + 1])
    right = np.interp(-half, -strength[last : last + 2], x[last : last + 2])
    return float(right - left)


def _points_of(engine: FourierEngine, reflectivity: np.ndarray) -> Scatterers:
    columns, rows = np.nonzero(reflectivity)
    positions = np.stack(
        [(columns - engine.shape[0] // 2) * engine.lateral_step, 0.0 * columns, rows * engine.axial_step],
        axis=1,
    )
    return Scatterers(positions=positions, amplitudes=reflectivity[columns, rows] * engine.lateral_step)


def _laid(engine: FourierEngine, x: np.ndarray, z: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Lay points between the samples of a map, by a sine cardinal under a Hann window, six samples either way."""
    reflectivity = np.zeros(engine.shape, np.float32)
    column, line = x / engine.lateral_step + engine.shape[0] // 2, z / engine.axial_step

    def shares(at: np.ndarray, n: int) -> np.ndarray:
        away = np.floor(at) + n - at
        return np.asarray(np.sinc(away) * np.cos(0.5 * np.pi * np.clip(away / 6, -1, 1)) ** 2)

    taps = range(-5, 7)
    rights = [shares(column, n) * strengths for n in taps]
    downs = [shares(line, n) for n in taps]
    for n, right in zip(taps, rights, strict=True):
        for m, down in zip(taps, downs, strict=True):
            np.add.at(
                reflectivity, (np.floor(column).astype(int) + n, np.floor(line).astype(int) + m), right * down
            )
    return reflectivity


def _gcnr(inside: np.ndarray, outside: np.ndarray) -> float:
    both = np.concatenate([inside, outside])
    edges = np.quantile(both, np.linspace(0, 1, 101))
    parts = [np.histogram(part, edges)[0] / part.size for part in (inside, outside)]
    return float(1 - np.minimum(*parts).sum())


def pictures(quick: bool) -> list[dict[str, Any]]:
    """K3, K4: beamformed points, a cyst and a needle from K and from A."""
    with _tests():
        from simulation.acoustics.held_to_a import record_of_a

    rng = np.random.default_rng(3)
    engine = planned("live", PROBE, depth=26e-3)
    angles = [-0.1, 0.0, 0.1]

    def beamformed(reflectivity: np.ndarray, grid: Grid) -> list[np.ndarray]:
        spectrum = engine.spectrum(reflectivity)
        points = _points_of(engine, reflectivity)
        ours = [engine.echoes(spectrum, angle) for angle in angles]
        truth = [record_of_a(engine, points, angle) for angle in angles]
        return [
            np.abs(delay_and_sum(_record_of(engine, records, angles), grid).values[0])
            for records in (ours, truth)
        ]

    widths = []
    for depth in (8e-3, 15e-3, 23e-3):
        reflectivity = np.zeros(engine.shape, np.float32)
        at = round(depth / engine.axial_step)
        reflectivity[engine.shape[0] // 2 + 11, at] = 1
        x = 11 * engine.lateral_step + np.linspace(-1e-3, 1e-3, 201)
        z = at * engine.axial_step + np.linspace(-0.4e-3, 0.4e-3, 81)
        ours, truth = beamformed(reflectivity, Grid(axial=z, lateral=x))
        widths += [
            abs(_half_width(x, ours.max(axis=0)) / _half_width(x, truth.max(axis=0)) - 1),
            abs(_half_width(z, ours.max(axis=1)) / _half_width(z, truth.max(axis=1)) - 1),
        ]
    n = 3000 if quick else 14_000
    side = 7e-3
    reflectivity = np.zeros(engine.shape, np.float32)
    columns = engine.shape[0] // 2 + rng.integers(
        *(round(s * side / 2 / engine.lateral_step) for s in (-1, 1)), n
    )
    lines = round(15e-3 / engine.axial_step) + rng.integers(
        *(round(s * side / 2 / engine.axial_step) for s in (-1, 1)), n
    )
    np.add.at(reflectivity, (columns, lines), rng.normal(size=n))
    center_x, center_z, radius = 0.0, 15e-3, 1.8e-3
    x = (np.arange(engine.shape[0]) - engine.shape[0] // 2) * engine.lateral_step
    z = np.arange(engine.shape[1]) * engine.axial_step
    reflectivity[np.hypot(x[:, None] - center_x, z[None] - center_z) < radius] *= 0.2
    grid = Grid(axial=15e-3 + np.linspace(-3e-3, 3e-3, 240), lateral=np.linspace(-3e-3, 3e-3, 120))
    far = np.hypot(grid.lateral[None] - center_x, grid.axial[:, None] - center_z)
    contrasts = [
        _gcnr(picture[far < 0.8 * radius], picture[(far > 1.2 * radius) & (far < 2.8e-3)])
        for picture in beamformed(reflectivity, grid)
    ]
    lobes = []
    for degrees in range(-25, 26, 25 if quick else 5):
        tilt = np.radians(degrees)
        along = np.arange(-4e-3, 4e-3, 0.04e-3)
        place_x, place_z = along * np.cos(tilt), 15e-3 + along * np.sin(tilt)
        reflectivity = _laid(engine, place_x, place_z, np.ones(len(along)))
        needle = Scatterers(
            positions=np.stack([place_x, 0 * place_x, place_z], axis=1),
            amplitudes=np.full(len(along), engine.lateral_step),
        )
        ours = engine.echoes(engine.spectrum(reflectivity), 0.0)
        truth = record_of_a(engine, needle, 0.0)
        seen = Grid(axial=15e-3 + np.linspace(-2.5e-3, 2.5e-3, 160), lateral=np.linspace(-4.5e-3, 4.5e-3, 60))
        levels = [
            np.abs(delay_and_sum(_record_of(engine, [r], [0.0]), seen).values[0]).max() for r in (ours, truth)
        ]
        lobes.append(20 * np.log10(levels[0] / levels[1]))
    return [
        row(
            "simulation/K3-widths",
            "engine K, live profile: lateral and axial -6 dB widths of points at 8, 15, 23 mm beside A, worst",
            [max(widths)],
            "1",
            sense="max",
            target=0.03,
            truth="engine A",
        ),
        row(
            "simulation/K3-cyst",
            f"engine K, live profile: gCNR of a cyst among {n} scatterers, less that from A ({contrasts[1]:.3f})",
            [abs(contrasts[0] - contrasts[1])],
            "1",
            sense="max",
            target=0.02,
            truth="engine A",
        ),
        row(
            "simulation/K4",
            "engine K, live profile: brightness of a needle of coherent points tilted to +-25 degrees, worst from A",
            [float(np.abs(lobes).max())],
            "dB",
            sense="max",
            target=3.0,
            truth="engine A, points off the map's grid",
        ),
    ]


def motion(quick: bool) -> list[dict[str, Any]]:
    """K5: flow and strain that were put into the map, found again."""
    rng = np.random.default_rng(5)
    engine = planned("live", SMALL, depth=30e-3)
    tissue = ndimage.gaussian_filter1d(rng.standard_normal(engine.shape), 1.0, axis=1)
    kz = 2 * np.pi * np.fft.fftfreq(engine.shape[1], engine.axial_step)
    transformed = np.fft.fft(tissue, axis=1)
    grid = Grid(axial=np.arange(12e-3, 22e-3, 0.02e-3), lateral=np.linspace(-3e-3, 3e-3, 25))

    def seen(reflectivity: np.ndarray) -> np.ndarray:
        records = engine.echoes(engine.spectrum(reflectivity.astype(np.float32)), 0.0)
        return np.asarray(delay_and_sum(_record_of(engine, [records], [0.0]), grid).values[0])

    def moved_by(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Displacement down over windows of 1 mm (Loupas): phase over frames by the mean frequency over depth [m]."""
        carrier = engine.demodulation_frequency
        over_frames = ndimage.uniform_filter1d((second * first.conj()).sum(axis=1), 50)
        both = [(image[1:] * image[:-1].conj()).sum(axis=1) for image in (first, second)]
        over_depth = ndimage.uniform_filter1d(both[0] + both[1], 50)
        mean = carrier + np.angle(over_depth) / (4 * np.pi * 0.02e-3 / SPEED)
        return np.asarray(-np.angle(over_frames[:-1]) * SPEED / (4 * np.pi * mean))

    rest = seen(tissue)
    flows = []
    for shift in (5e-6, 20e-6) if quick else (2e-6, 5e-6, 10e-6, 20e-6, 40e-6):
        shifted = np.fft.ifft(transformed * np.exp(-1j * kz * shift), axis=1).real
        found = moved_by(rest, seen(shifted))[50:-50]
        flows.append(abs(abs(float(np.median(found))) / shift - 1))
    strain, n, slopes = 0.004, 4_000 if quick else 30_000, []
    for _ in range(1 if quick else 6):
        x, depth = rng.uniform(-7e-3, 7e-3, n), rng.uniform(10e-3, 24e-3, n)
        strengths = rng.normal(size=n)
        before, after = (
            seen(_laid(engine, x, depth + part * (depth - 17e-3), strengths)) for part in (0.0, strain)
        )
        slopes.append(float(np.polyfit(grid.axial[50:-51], moved_by(before, after)[50:-50], 1)[0]))
    slope = abs(float(np.mean(slopes)))
    return [
        row(
            "simulation/K5-flow",
            "engine K, displacement of the map by 2 to 40 um, found by autocorrelation, worst bias",
            [max(flows)],
            "1",
            sense="max",
            target=0.02,
            truth="what was imposed",
        ),
        row(
            "simulation/K5-strain",
            "engine K, strain of 0.4 % of the map, found as the slope of the displacement, mean of six, bias",
            [abs(slope / strain - 1)],
            "1",
            sense="max",
            target=0.02,
            truth="what was imposed",
        ),
    ]


def speckle(quick: bool) -> list[dict[str, Any]]:
    """S6, S7: first-order statistics of speckle, and the attenuation that its spectrum tells."""
    rng = np.random.default_rng(6)
    engine = planned("live", SMALL, depth=30e-3)
    grid = Grid(axial=np.arange(12e-3, 27e-3, 0.75e-3), lateral=np.linspace(-5e-3, 5e-3, 20))
    looks = []
    for _ in range(40 if quick else 120):
        tissue = rng.standard_normal(engine.shape, dtype=np.float32)
        records = engine.echoes(engine.spectrum(tissue), 0.0)
        looks.append(np.abs(delay_and_sum(_record_of(engine, [records], [0.0]), grid).values[0]).ravel())
    envelope = np.stack(looks)
    envelope /= np.sqrt(np.mean(envelope**2, axis=0))
    # Heights are fitted to few looks, which takes 1 / 4 n from the relative variance.
    snr = float((np.var(envelope) / np.mean(envelope) ** 2 + 1 / (4 * len(envelope))) ** -0.5)
    decibels = 20 * np.log10(envelope)
    rejected = _rejections(envelope)
    slopes = []
    band = (3.5e6, 6.5e6)
    length = round(6e-6 * engine.sampling_frequency)
    windows = [round(t * engine.sampling_frequency) + np.arange(length) for t in (14e-6, 28e-6)]
    path = 14e-6 * SPEED
    frequencies = (
        np.fft.fftfreq(len(windows[0]), 1 / engine.sampling_frequency) + engine.demodulation_frequency
    )
    order = np.argsort(frequencies)
    kept = order[(frequencies[order] > band[0]) & (frequencies[order] < band[1])]
    for coefficient in (30.0, 60.0, 100.0):
        powers = np.zeros((2, 2, len(kept)))
        for _ in range(2 if quick else 8):
            tissue = rng.standard_normal(engine.shape, dtype=np.float32)
            bare = engine.echoes(engine.spectrum(tissue), 0.0)
            taken = attenuated(
                bare,
                Attenuation(coefficient=coefficient),
                sampling_frequency=engine.sampling_frequency,
                demodulation_frequency=engine.demodulation_frequency,
                sound_speed=SPEED,
                band=(0.4 * 5e6, 1.6 * 5e6),
            )
            for r, records in enumerate((bare, taken)):
                for w, window in enumerate(windows):
                    cut = records[:, window] * np.hanning(len(window))
                    powers[r, w] += (np.abs(np.fft.fft(cut, axis=1)) ** 2).sum(axis=0)[kept]
        lost = 10 * np.log10(powers[1, 0] / powers[0, 0] / (powers[1, 1] / powers[0, 1]))
        slope = np.polyfit(frequencies[kept] / 1e6, lost, 1, w=np.sqrt(powers[0].sum(axis=0)))[0] / path
        slopes.append(abs(float(slope) / coefficient - 1))
    return [
        row(
            "simulation/S6-snr",
            f"engine K, beamformed speckle: mean over deviation of the envelope, {envelope.size} looks",
            [snr],
            "1",
            sense="in",
            target=(1.88, 1.94),
            truth="Rayleigh: 1.913",
        ),
        row(
            "simulation/S6-log",
            "the same, deviation of its decibels",
            [float(np.std(decibels))],
            "dB",
            sense="in",
            target=(5.4, 5.74),
            truth="Rayleigh: 5.57",
        ),
        row(
            "simulation/S6-rejections",
            f"the same, pixels of {envelope.shape[1]} whose looks a Kolmogorov-Smirnov test at 5 % calls not Rayleigh",
            [100 * rejected],
            "%",
            sense="in",
            target=(3.0, 7.0),
            truth="Rayleigh, height fitted",
        ),
        row(
            "simulation/S7",
            "attenuation of 0.3, 0.6, 1 dB/(cm MHz) found from spectra at two depths beside those without it, worst bias",
            [max(slopes)],
            "1",
            sense="max",
            target=0.03,
            truth="what was imposed",
        ),
    ]


def _rejections(envelope: np.ndarray) -> float:
    """Give the share of columns rejected at 5 %, the limit found by drawing as many from Rayleigh's law."""

    def farthest(values: np.ndarray) -> np.ndarray:
        n = len(values)
        ordered = np.sort(values / np.sqrt(np.mean(values**2, axis=0)), axis=0)
        law = 1 - np.exp(-(ordered**2))
        steps = np.arange(n)[:, None]
        return np.maximum((steps + 1) / n - law, law - steps / n).max(axis=0)

    drawn = np.random.default_rng(60).rayleigh(size=(len(envelope), 20_000))
    return float(np.mean(farthest(envelope) > np.quantile(farthest(drawn), 0.95)))


def deposits(quick: bool) -> list[dict[str, Any]]:
    """S5, S10: engine B beside A, and how fast."""
    rng = np.random.default_rng(7)
    n = 60 if quick else 300
    x, z = rng.uniform(-5e-3, 5e-3, n), rng.uniform(12e-3, 30e-3, n)
    cloud = Scatterers(positions=np.stack([x, 0 * x, z], axis=1), amplitudes=rng.normal(size=n))
    cases: list[tuple[str, Transmit, dict[str, Any]]] = [
        ("", FLAT, {"unbounded": True}),
        ("", Transmit.plane(steering_angle=0.2, initial_time=0.0), {"unbounded": True}),
        ("", single_element(SMALL, 40), {}),
        ("edges", FLAT, {}),
        ("edges", diverging(0.03), {}),
    ]
    held: dict[str, list[tuple[float, float]]] = {"": [], "edges": []}
    for name, transmit, settings in cases:
        truth, made = (
            run.simulate(cloud, SMALL, [transmit], dimensions=2, **settings).samples
            for run in (frequency, deposit)
        )
        held[name].append((_correlation(made, truth), _relative(made, truth)))
    many = 20_000 if quick else 100_000
    table = np.column_stack(
        [
            rng.uniform(-19e-3, 19e-3, many),
            np.zeros(many),
            rng.uniform(2e-3, 40e-3, many),
            rng.normal(size=many),
        ]
    ).astype(np.float32)
    lay = kernels.get().deposit
    arguments = {
        "n_samples": 4096,
        "sampling_frequency": 64e6,
        "start": 0.0,
        "sound_speed": SPEED,
        "frequency": 7.5e6,
        "element_width": 0.27e-3,
        "soft_baffle": False,
        "from_lines": False,
    }
    x = np.ascontiguousarray(PROBE.element_positions[:, 0])
    moments = table[:, 2].astype(float) / SPEED
    costs = _core_ms(lambda: lay(table, moments, x, **arguments), 3 if quick else 9)
    scene = Scatterers(positions=table[:, :3].astype(float), amplitudes=table[:, 3].astype(float))
    whole = _core_ms(
        lambda: deposit.simulate(scene, PROBE, [FLAT], demodulation_frequency=7.5e6), 2 if quick else 5
    )
    rows = [
        row(
            "simulation/S5-correlation",
            "engine B beside A, plane waves without edges at 0 and 0.2 rad and one element alone, 45 degrees, worst",
            [min(value[0] for value in held[""])],
            "1",
            sense="min",
            target=0.99,
            truth="engine A",
        ),
        row(
            "simulation/S5-difference",
            "the same, root of mean square over that of A, worst",
            [max(value[1] for value in held[""])],
            "1",
            sense="max",
            target=0.12,
            truth="engine A",
        ),
        row(
            "simulation/S5-edges",
            "engine B, plane and diverging waves of a 13 mm array beside A with waves from its edges: what B leaves out",
            [max(value[1] for value in held["edges"])],
            "1",
            truth="engine A",
        ),
    ]
    unit = calibration()
    scale = many / 100_000
    return [
        *rows,
        row(
            "simulation/S10",
            f"engine B, deposits of {many} scatterers, 128 elements, one plane wave, kernel {kernels.described()}",
            costs,
            "core-ms",
            sense="max",
            target=30.0 * scale,
            truth="clock",
        ),
        row(
            "simulation/S10-ratio",
            "the same over the calibration kernel",
            [cost / unit for cost in costs],
            "1",
            truth="clock",
        ),
        row(
            "simulation/S10-record",
            "the whole of it in Python, pulse and baseband record included",
            whole,
            "core-ms",
            truth="clock",
        ),
    ]


def peers(quick: bool) -> list[dict[str, Any]]:
    """PyMUST, FastSIMUS and SonoSK beside engines A and B: the same scatterers, soft baffle, one plane wave.

    The first two know two dimensions and waves from the array's edges. SonoSK spreads sound in three and knows neither edges
    nor a height of elements: it and B are held to A so.
    """
    folder = os.environ.get("INSONATE_PEERS")
    if not folder:
        return []
    sys.path.append(folder)
    with _tests():
        from simulation.acoustics.simus import spectrum_of_simus
    n = 500 if quick else 10_000
    rng = np.random.default_rng(9)
    center = PROBE.center_frequency
    positions = np.stack([rng.uniform(-18e-3, 18e-3, n), np.zeros(n), rng.uniform(8e-3, 35e-3, n)], axis=1)
    positions = positions.astype(np.float32).astype(float)
    strengths = rng.normal(size=n)
    cloud = Scatterers(positions=positions, amplitudes=strengths)
    together = replace(FLAT, delays=np.zeros(128))
    settings: dict[str, Any] = {
        "dimensions": 2,
        "baffle": "soft",
        "spectrum": spectrum_of_simus(center, 0.7, False),
        "sampling_frequency": 4 * center,
        "band": (0.02 * center, 2 * center * (1 - 1e-9)),
        "duration": 55e-6,
    }

    def clocked(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
        start = time.process_time()
        made = work()
        return made, 1e3 * (time.process_time() - start)

    truth, cost_a = clocked(
        lambda: frequency.simulate(cloud, PROBE, [together], **settings).samples[0, 0].astype(float)
    )

    def off(made: np.ndarray) -> float:
        made = made[:, : truth.shape[1]].astype(float)
        made = np.pad(made, ((0, 0), (0, truth.shape[1] - made.shape[1])))
        return _relative(made * (np.vdot(made, truth) / np.vdot(made, made)), truth)

    deposit.simulate(cloud, PROBE, [FLAT], **settings)
    made_b, cost_b = clocked(lambda: deposit.simulate(cloud, PROBE, [FLAT], **settings).samples[0, 0])
    rows = [
        row(
            f"simulation/peers-A-{n}",
            f"engine A, {n} scatterers, one plane wave",
            [cost_a],
            "core-ms",
            truth="clock",
        ),
        row(f"simulation/peers-B-{n}", f"engine B, the same {n}", [cost_b], "core-ms", truth="clock"),
        row(
            f"simulation/peers-B-{n}-difference",
            "its difference from A",
            [off(made_b)],
            "1",
            truth="engine A",
        ),
    ]
    for name, work in (("PyMUST", _pymust), ("FastSIMUS", _fastsimus)):
        try:
            runner = work(positions, strengths)
        except ImportError:
            continue
        made, cost = clocked(runner)
        if name == "FastSIMUS":
            made, cost = clocked(runner)  # the first run compiles
        rows += [
            row(f"simulation/peers-{name}-{n}", f"{name}, the same {n}", [cost], "core-ms", truth="clock"),
            row(
                f"simulation/peers-{name}-{n}-difference",
                "its difference from A",
                [off(made)],
                "1",
                truth="engine A",
            ),
            row(
                f"simulation/peers-{name}-{n}-over-A",
                "its time over engine A's",
                [cost / cost_a],
                "1",
                truth="clock",
            ),
            row(
                f"simulation/peers-{name}-{n}-over-B",
                "its time over engine B's",
                [cost / cost_b],
                "1",
                truth="clock",
            ),
        ]
    return [*rows, *_sonosk(positions, strengths)]


def _sonosk(positions: np.ndarray, strengths: np.ndarray) -> list[dict[str, Any]]:
    """SonoSK and B beside A: as many scatterers as A can be asked for, then ten times as many on the clock alone."""
    try:
        from sonosk import imaging, transducer
    except ImportError:
        return []
    array = transducer.linear_array(128, 0.3e-3, 0.27e-3, 0.1e-3)
    flat = replace(PROBE, element_height=0.1e-3, elevation_focus=None)
    center = PROBE.center_frequency
    settings: dict[str, Any] = {
        "dimensions": 3,
        "baffle": "soft",
        "spectrum": lambda f: np.exp(-4 * np.log(2) * ((np.abs(f) - center) / (0.7 * center)) ** 2),
        "sampling_frequency": 4 * center,
        "band": (0.02 * center, 2 * center * (1 - 1e-9)),
        "duration": 55e-6,
        "unbounded": True,
    }
    rows, n = [], len(strengths)
    truth = None
    for many in (n, 10 * n):
        rng = np.random.default_rng(many)
        if many > n:
            positions = np.stack(
                [rng.uniform(-18e-3, 18e-3, many), np.zeros(many), rng.uniform(8e-3, 35e-3, many)], axis=1
            )
            strengths = rng.normal(size=many)
        cloud = Scatterers(positions=positions, amplitudes=strengths)

        def theirs(positions: np.ndarray = positions, strengths: np.ndarray = strengths) -> np.ndarray:
            made, _ = imaging.simulate(
                array,
                imaging.Transmit.plane(0.0),
                positions,
                strengths,
                imaging.Pulse(center, 0.7),
                c=SPEED,
                fs=4 * center,
            )
            return np.asarray(made.real)

        def ours(cloud: Scatterers = cloud) -> np.ndarray:
            return np.asarray(deposit.simulate(cloud, flat, [FLAT], **settings).samples[0, 0], float)

        costs = {"SonoSK": min(_core_ms(theirs, 2)), "B-3d": min(_core_ms(ours, 3))}
        for name, cost in costs.items():
            what = f"{name.removesuffix('-3d')} in three dimensions, {many} scatterers, one plane wave"
            rows.append(row(f"simulation/peers-{name}-{many}", what, [cost], "core-ms", truth="clock"))
        rows.append(
            row(
                f"simulation/peers-SonoSK-{many}-over-B",
                "SonoSK's time over engine B's",
                [costs["SonoSK"] / costs["B-3d"]],
                "1",
                truth="clock",
            )
        )
        if truth is None:
            start = time.process_time()
            truth = frequency.simulate(cloud, flat, [FLAT], **settings).samples[0, 0].astype(float)
            cost = 1e3 * (time.process_time() - start)
            for name, made in (("SonoSK", theirs()), ("B-3d", ours())):
                same = np.zeros_like(truth)
                shared = min(made.shape[1], truth.shape[1])
                same[:, :shared] = made[:, :shared]
                off = _relative(same * (np.vdot(same, truth) / np.vdot(same, same)), truth)
                what = "its difference from A in three dimensions, without edges, heights fitted"
                rows.append(
                    row(f"simulation/peers-{name}-{many}-difference", what, [off], "1", truth="engine A")
                )
            rows.append(
                row(
                    f"simulation/peers-SonoSK-{many}-over-A",
                    "SonoSK's time over engine A's",
                    [costs["SonoSK"] / cost],
                    "1",
                    truth="clock",
                )
            )
    return rows


def _pymust(positions: np.ndarray, strengths: np.ndarray) -> Callable[[], np.ndarray]:
    import pymust

    param = pymust.utils.Param()
    param.fc, param.pitch, param.kerf, param.Nelements, param.bandwidth = 7.5e6, 0.3e-3, 0.03e-3, 128, 70
    param.radius, param.c, param.fs, param.TXnow, param.baffle = np.inf, SPEED, 4 * 7.5e6, 1, "soft"
    options = pymust.utils.Options()
    options.FullFrequencyDirectivity, options.ParPool = True, False
    x, z, strength = (part.reshape(1, -1) for part in (positions[:, 0], positions[:, 2], strengths))
    return lambda: np.asarray(pymust.simus(x, z, strength, np.zeros((1, 128)), param, options)[0]).T


def _fastsimus(positions: np.ndarray, strengths: np.ndarray) -> Callable[[], np.ndarray]:
    import jax.numpy as jnp
    from fast_simus.simus import simus
    from fast_simus.transducer_params import TransducerParams

    params = TransducerParams(
        freq_center=7.5e6, pitch=0.3e-3, kerf=0.03e-3, n_elements=128, bandwidth=0.7, baffle="soft"
    )
    places = jnp.asarray(positions[:, [0, 2]], dtype=jnp.float32)
    given = (places, jnp.asarray(strengths, dtype=jnp.float32), jnp.zeros(128, dtype=jnp.float32), params)

    def run() -> np.ndarray:
        made = simus(*given, fs=4 * 7.5e6, full_frequency_directivity=True)
        return np.asarray(made.rf if hasattr(made, "rf") else made[0]).T

    return run


def rows() -> list[dict[str, Any]]:
    """Hold engine A to its truths first, then the others to A."""
    quick = bool(os.environ.get("INSONATE_BENCHMARK_QUICK"))
    made: list[dict[str, Any]] = []
    for part in (reference, live, pictures, motion, speckle, deposits, peers):
        made += part(quick)
    return made + simulated_scenes.rows()
