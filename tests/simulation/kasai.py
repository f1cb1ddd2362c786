"""A reference estimator of color Doppler: beamform each shot, take what stands still away, phase of the lag-one product.

C. Kasai, K. Namekawa, A. Koyano, R. Omoto, "Real-time two-dimensional blood flow imaging using an autocorrelation
technique", IEEE Trans. Sonics Ultrason. 32(3), 458-464, 1985. Positive is flow toward the probe.
"""

import numpy as np
from scipy.ndimage import uniform_filter

from insonate.core import ChannelData
from insonate.imaging.beamforming.delay_and_sum import delay_and_sum


def beamformed(data, grid):
    """Give (n_shots, n_axial, n_lateral) complex pictures."""
    shots = [
        ChannelData(
            samples=data.samples[n : n + 1],
            scale=data.scale,
            acquisition=data.acquisition,
            times=data.times[n : n + 1],
        )
        for n in range(data.n_frames)
    ]
    return np.stack([delay_and_sum(shot, grid).values[0] for shot in shots])


def doppler(data, grid, *, window=(5, 5)):
    """Give the mean Doppler shift [Hz] and the power of what moves, both (n_axial, n_lateral)."""
    pictures = beamformed(data, grid)
    moving = pictures - pictures.mean(axis=0)
    lag = (moving[1:] * moving[:-1].conj()).sum(axis=0)
    mean = uniform_filter(lag.real, window) + 1j * uniform_filter(lag.imag, window)
    rate = 1 / float(np.diff(data.times[:2, 0])[0])
    return np.angle(mean) * rate / (2 * np.pi), (np.abs(moving) ** 2).mean(axis=0)


def shift_of(velocity, data):
    """Give the Doppler shift [Hz] of (..., 3) velocities in probe axes: there along the wave, back straight up."""
    transmit, of = data.acquisition.transmits[0], data.acquisition
    toward = -(velocity @ transmit.direction + velocity[..., 2])
    return toward * of.demodulation_frequency / of.sound_speed


def sampled(shift, *, radius, thickness, window=(5, 5)):
    """Give what a slice of a thickness and a window of the estimate hold of a parabolic profile along the picture.

    Echoes count as their power, exp(-y^2 / s^2): of v (1 - (r^2 + y^2) / a^2) the mean is less by v s^2 / 2 a^2.

    Parameters
    ----------
    shift : numpy.ndarray
        (n_axial, n_lateral) of the image plane, its largest that of the middle [Hz].
    radius, thickness : float
        a of the vessel, s of the slice [m].
    """
    middle = shift.flat[np.abs(shift).argmax()]
    return uniform_filter(shift, window) - middle * thickness**2 / (2 * radius**2)
