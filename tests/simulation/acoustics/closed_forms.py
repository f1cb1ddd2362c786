"""Closed forms that an engine is held to, and what each is computed from."""

import numpy as np

from insonate.core import Probe, Transmit
from insonate.simulation.acoustics.frequency import pressure
from insonate.simulation.acoustics.scatterers import Scatterers
from insonate.simulation.acoustics.transmits import toward

SPEED = 1540.0


def piston(radius, frequency, z):
    """Pressure on the axis of a baffled circular piston: the wave of its middle less that of its rim."""
    k = 2 * np.pi * frequency / SPEED
    return np.exp(1j * k * z) - np.exp(1j * k * np.hypot(z, radius))


def piston_probe(radius, frequency, n):
    """Give a disk of small squares, each at the middle of what it covers and weighted by how much."""
    side = 2 * radius / n
    x, y = np.meshgrid(*[(np.arange(n) - (n - 1) / 2) * side] * 2, indexing="ij")
    fine = (np.arange(16) - 7.5) / 16 * side
    covered, sum_x, sum_y = np.zeros((3, n, n))
    for dx in fine:
        for dy in fine:
            inside = (x + dx) ** 2 + (y + dy) ** 2 < radius**2
            covered += inside
            sum_x += inside * (x + dx)
            sum_y += inside * (y + dy)
    kept = covered > 0
    positions = np.stack([sum_x[kept] / covered[kept], sum_y[kept] / covered[kept], 0 * x[kept]], axis=1)
    probe = Probe(
        name="piston",
        element_positions=positions,
        element_normals=np.tile([0.0, 0, 1], (len(positions), 1)),
        element_width=side,
        element_height=side,
        center_frequency=frequency,
        fractional_bandwidth=0.6,
        elevation_focus=None,
    )
    together = Transmit(
        origin=np.zeros(3),
        direction=np.array([0.0, 0, 1]),
        focus_distance=np.inf,
        delays=np.zeros(len(positions)),
        apodization=covered[kept] / 256,
        waveform=None,
        initial_time=0.0,
    )
    return probe, together


def rayleigh(probe, places, frequency):
    """Rayleigh's integral over one rectangle under a thin lens, by Gauss and Legendre's quadrature."""
    k = 2 * np.pi * frequency / SPEED
    (gu, wu), (gv, wv) = (np.polynomial.legendre.leggauss(n) for n in (40, 300))
    u, v = np.meshgrid(gu * probe.element_width / 2, gv * probe.element_height / 2, indexing="ij")
    area = np.outer(wu, wv) * probe.element_width * probe.element_height / 4
    lens = 0 if probe.elevation_focus is None else -(v**2) / (2 * probe.elevation_focus)
    r = np.sqrt(
        (places[:, 0, None, None] - u) ** 2
        + (places[:, 1, None, None] - v) ** 2
        + places[:, 2, None, None] ** 2
    )
    return -1j * k / (2 * np.pi) * np.sum(area * np.exp(1j * k * (r + lens)) / r, axis=(1, 2))


def focal_width(*, n_elements, pitch, center_frequency, f_number):
    """Width at -6 dB across the focus, made and as diffraction has it: 1.207 wavelengths times the f-number [m]."""
    probe = Probe.linear(
        name="focused",
        n_elements=n_elements,
        pitch=pitch,
        center_frequency=center_frequency,
        element_width=pitch,
        fractional_bandwidth=0.6,
    )
    depth = f_number * n_elements * pitch
    wavelength = SPEED / center_frequency
    x = np.linspace(-2, 2, 801) * wavelength * f_number
    strength = np.abs(
        pressure(
            np.stack([x, 0 * x, np.full_like(x, depth)], axis=1),
            probe,
            toward(np.array([0, 0, depth])),
            np.array([center_frequency]),
            dimensions=2,
            baffle="soft",
        )[:, 0]
    )
    half = strength.max() / 2
    above = np.flatnonzero(strength >= half)
    first, last = above[0], above[-1]
    left = np.interp(half, [strength[first - 1], strength[first]], [x[first - 1], x[first]])
    right = np.interp(-half, [-strength[last], -strength[last + 1]], [x[last], x[last + 1]])
    return float(right - left), 1.207 * wavelength * f_number


def arrival(simulate, **settings):
    """Moments of one point's echo at every element, by the peak of its envelope and as the way has it, (n,), (n,) [s]."""
    probe = Probe.linear(
        name="arrival",
        n_elements=16,
        pitch=0.2e-3,
        center_frequency=5e6,
        element_width=0.1e-3,
        element_height=0.2e-3,  # a higher element hears its edges later, by h^2 / 24 z c
        fractional_bandwidth=0.5,
    )
    place = np.array([1.1e-3, 0.0, 17.3e-3])
    alone = Scatterers(positions=place[None], amplitudes=np.array([1.0]))
    angle = 0.15
    plane = Transmit.plane(steering_angle=angle, initial_time=2e-6)
    data = simulate(
        alone,
        probe,
        [plane],
        unbounded=True,
        demodulation_frequency=5e6,
        sampling_frequency=200e6,
        **settings,
    )
    envelope = np.abs(data.samples[0, 0])
    at = np.argmax(envelope, axis=1)
    a, b, c = (envelope[np.arange(len(at)), at + n] for n in (-1, 0, 1))
    made = 2e-6 + (at + 0.5 * (a - c) / (a - 2 * b + c)) / 200e6
    there = place[0] * np.sin(angle) + place[2] * np.cos(angle)
    back = np.linalg.norm(place - probe.element_positions, axis=1)
    return made, (there + back) / SPEED
