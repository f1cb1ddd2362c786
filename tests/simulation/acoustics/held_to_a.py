"""Engine K beside engine A: the same points, frequencies and record."""

import numpy as np

from insonate.core import Transmit
from insonate.simulation.acoustics import frequency
from insonate.simulation.acoustics.scatterers import Scatterers


def record_of_a(engine, scatterers, angle, *, unbounded=True):
    """Give engine A's echoes as engine K would record them, (n_elements, n_samples) complex128."""
    step = 1 / engine.duration
    center = engine.probe.center_frequency
    bins = np.arange(int(0.4 * center / step), int(1.6 * center / step) + 1)
    frequencies = bins * step
    waves = [Transmit.plane(steering_angle=angle, initial_time=0.0)]
    heard = frequency.transfer(
        scatterers,
        engine.probe,
        waves,
        frequencies,
        sound_speed=engine.sound_speed,
        dimensions=2,
        unbounded=unbounded,
    )[0]
    heard = heard * np.exp(
        -4 * np.log(2) * ((frequencies - center) / (engine.probe.fractional_bandwidth * center)) ** 2
    )
    slow = np.zeros((len(heard), engine.n_samples), complex)
    slow[:, (bins - round(center / step)) % engine.n_samples] = heard.conj()
    return np.fft.ifft(slow, axis=1) * engine.n_samples


def random_points(engine, *, n, seed=0, depths=(5e-3, 40e-3)):
    """Give a map with random points on it within the array's width, and the same points for engine A."""
    rng = np.random.default_rng(seed)
    half = int(np.abs(engine.probe.element_positions[:, 0]).max() / engine.lateral_step)
    columns = engine.shape[0] // 2 + rng.integers(-half, half + 1, n)
    rows = rng.integers(int(depths[0] / engine.axial_step) + 1, int(depths[1] / engine.axial_step), n)
    reflectivity = np.zeros(engine.shape, np.float32)
    np.add.at(reflectivity, (columns, rows), rng.normal(size=n))
    columns, rows = np.nonzero(reflectivity)
    positions = np.stack(
        [(columns - engine.shape[0] // 2) * engine.lateral_step, 0.0 * columns, rows * engine.axial_step],
        axis=1,
    )
    return reflectivity, Scatterers(
        positions=positions, amplitudes=reflectivity[columns, rows] * engine.lateral_step
    )


def difference_from_a(engine, *, n, degrees, seed=0, unbounded=True):
    """Give the relative difference, root of mean square, and the correlation."""
    reflectivity, points = random_points(engine, n=n, seed=seed)
    angle = float(np.radians(degrees))
    made = engine.echoes(engine.spectrum(reflectivity), angle)
    truth = record_of_a(engine, points, angle, unbounded=unbounded)
    if not unbounded:
        truth = truth * (np.vdot(truth, made) / np.vdot(truth, truth)).real
    correlation = abs(np.vdot(truth, made)) / np.linalg.norm(truth) / np.linalg.norm(made)
    return float(np.linalg.norm(made - truth) / np.linalg.norm(truth)), float(correlation)
