"""Echoes of moving points on the record of engine K: blood in a color box over the tissue of one map.

Engine B's deposits, planned so that what they give can be added to engine K's echoes of the same plane wave: its sampling,
its pulse, its front without edges, its units (a point of strength 1 is one sample of the map). Lines are laid out only for
the time in which the points answer, a whole number of the record's samples.
"""

import numpy as np
from scipy import fft

from insonate.core.checks import check_axes
from insonate.core.units import Radians
from insonate.simulation.acoustics import kernels
from insonate.simulation.acoustics.deposit import SAMPLES_A_PERIOD
from insonate.simulation.acoustics.fourier import FourierEngine

RINGING = 16.0
"""Room before the first and after the last echo, over the width of the band."""


def point_echoes(
    engine: FourierEngine,
    points: np.ndarray,
    strengths: np.ndarray,
    steering_angle: Radians,
    *,
    kernel: str | None = None,
) -> np.ndarray:
    """Give what each element receives from points after one plane wave.

    Parameters
    ----------
    engine : FourierEngine
        Whose record it becomes.
    points : numpy.ndarray
        (n, 2) lateral and axial, z > 0 [m].
    strengths : numpy.ndarray
        (n,) as samples of the map.
    steering_angle : float
        Of the plane wave [rad].
    kernel : str, optional
        The fastest there is by default.

    Returns
    -------
    numpy.ndarray
        (n_elements, n_samples) complex64, to be added to `FourierEngine.echoes`.
    """
    check_axes("points", points, "n 2")
    plan, speed = engine._plan, engine.sound_speed
    rate, bins = engine.sampling_frequency, plan["bins"]
    n_record = engine.n_samples
    elements = np.ascontiguousarray(engine.probe.element_positions[:, 0])
    out = np.zeros((len(elements), n_record), np.complex64)
    if len(points) == 0:
        return out
    x, z = points[:, 0], points[:, 1]
    passing = (x * np.sin(steering_angle) + z * np.cos(steering_angle)) / speed
    beside = np.maximum(np.maximum(x - elements[0], elements[-1] - x), 0)
    low, high = float(bins[0]) / engine.duration, float(bins[-1]) / engine.duration
    room = RINGING / (high - low)
    first = int(np.floor((float((passing + z / speed).min()) - room) * rate))
    last = int(np.ceil((float((passing + np.hypot(z, beside) / speed).max()) + room) * rate))
    n_slow = fft.next_fast_len(last - first)
    period, start = n_slow / rate, first / rate
    n_fast = fft.next_fast_len(int(np.ceil(SAMPLES_A_PERIOD * high * period)), real=True)
    table = np.zeros((len(points), 4), np.float32)
    table[:, 0], table[:, 2], table[:, 3] = x, z, strengths * engine.lateral_step
    lines = kernels.get(kernel).deposit(
        table,
        passing,
        elements,
        n_samples=n_fast,
        sampling_frequency=n_fast / period,
        start=start,
        sound_speed=speed,
        frequency=engine.probe.center_frequency,
        element_width=float(engine.probe.element_width or 0),
        soft_baffle=False,
        from_lines=True,
    )
    heard = np.arange(int(np.ceil(low * period)), int(np.floor(high * period)) + 1)
    frequencies = heard / period
    pulse = np.interp(frequencies, bins / engine.duration, plan["pulse"])
    pulse = pulse / np.sinc(frequencies * period / n_fast) ** 4
    pulse = pulse * (4 * np.pi**2 * frequencies / speed) ** -0.5 * (engine.duration / period)
    spectrum = np.zeros((len(elements), n_slow), np.complex64)
    shape = (pulse * np.exp(0.25j * np.pi)).astype(np.complex64)
    spectrum[:, heard % n_slow] = fft.rfft(lines, axis=1)[:, heard] * shape
    clock = start + np.arange(n_slow) / rate
    turned = np.exp(-2j * np.pi * engine.demodulation_frequency * clock).astype(np.complex64)
    slow = fft.ifft(spectrum, axis=1) * (turned * np.float32(n_slow))
    kept = slice(max(first, 0), min(first + n_slow, n_record))
    out[:, kept] = slow[:, kept.start - first : kept.stop - first]
    return out
