"""A direct sum in time over scatterers and pieces of elements, which knows nothing of Fourier planes.

Each scatterer answers with the field of a line source far away, g dx / 2 sqrt(2 / (pi k r)) exp(i pi / 4) after Hankel, as
a pulse shaped once and looked up at every delay; an element is the mean of the pieces it is cut into.
"""

import numpy as np

from insonate.core import Probe
from insonate.simulation.acoustics import FourierEngine

SPEED = 1540.0
CENTER = 7.5e6
BANDWIDTH = 0.7


def engine(n_lateral=512, lateral_step=0.15e-3, n_axial=1024, **probe):
    settings = {
        "name": "points",
        "n_elements": 128,
        "pitch": 0.3e-3,
        "element_width": 0.27e-3,
        "center_frequency": CENTER,
        "fractional_bandwidth": BANDWIDTH,
    }
    return FourierEngine(
        probe=Probe.linear(**settings | probe),
        lateral_step=lateral_step,
        axial_step=0.04e-3,
        shape=(n_lateral, n_axial),
        sound_speed=SPEED,
        duration=64e-6,
    )


def pulse(time, duration, demodulation):
    """Give the far field's pulse at baseband: the band's Gaussian over sqrt(k), summed as the bins are."""
    sigma = BANDWIDTH * CENTER / (2 * np.sqrt(2 * np.log(2)))
    frequency = np.linspace(0.4 * CENTER, 1.6 * CENTER, 2001)
    shape = np.exp(-0.5 * ((frequency - CENTER) / sigma) ** 2)
    shape *= np.sqrt(SPEED / (2 * np.pi * frequency)) * duration * (frequency[1] - frequency[0])
    turning = np.exp(2j * np.pi * np.outer(time, frequency - demodulation))
    return turning @ shape


def direct_sum(made_by, columns, rows, strengths, angle, *, pieces=5):
    """Give (n_elements, n_samples) echoes of points on the map of an engine, at its samples."""
    x = made_by.probe.element_positions[:, 0]
    cuts = ((np.arange(pieces) - (pieces - 1) / 2) / pieces) * made_by.probe.element_width
    demodulation, duration = made_by.demodulation_frequency, made_by.duration
    n_samples = round(made_by.sampling_frequency * duration)
    clock = np.arange(n_samples) / made_by.sampling_frequency
    lag = np.linspace(-6e-6, 6e-6, 6001)
    shape = pulse(lag, duration, demodulation)
    total = np.zeros((len(x), n_samples), complex)
    for column, row, strength in zip(columns, rows, strengths, strict=True):
        px = (column - made_by.shape[0] // 2) * made_by.lateral_step
        pz = row * made_by.axial_step
        there = (px * np.sin(angle) + pz * np.cos(angle)) / SPEED
        for cut in cuts:
            r = np.hypot(x + cut - px, pz)
            delay = there + r / SPEED
            late = clock[None, :] - delay[:, None]
            here = np.interp(late, lag, shape.real, 0, 0) + 1j * np.interp(late, lag, shape.imag, 0, 0)
            field = strength * made_by.lateral_step / 2 * np.sqrt(2 / (np.pi * r)) * np.exp(1j * np.pi / 4)
            total += (field * np.exp(-2j * np.pi * demodulation * delay))[:, None] * here / pieces
    return total


def map_of(made_by, columns, rows, strengths):
    """Give the reflectivity of these points."""
    reflectivity = np.zeros(made_by.shape, np.float32)
    np.add.at(reflectivity, (columns, rows), strengths)
    return reflectivity


def difference(made, truth):
    """Give the relative difference, root of mean square."""
    return float(np.linalg.norm(made - truth) / np.linalg.norm(truth))
