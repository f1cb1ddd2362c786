"""Delay and sum in NumPy: readable, and the truth that the other kernels are held to."""

import numpy as np


def is_available() -> bool:
    """Whether this kernel can run here: always."""
    return True


def delay_and_sum(
    samples: np.ndarray,
    arrival: np.ndarray,
    starts: np.ndarray,
    elements: np.ndarray,
    axial: np.ndarray,
    lateral: np.ndarray,
    *,
    frequency: float,
    sampling_frequency: float,
    sound_speed: float,
    f_number: float,
) -> np.ndarray:
    """Sum the delayed echoes of one frame, each turned back to the moment of its echo.

    Parameters
    ----------
    samples : numpy.ndarray
        (n_transmits, n_elements, n_samples) complex64 baseband echoes.
    arrival : numpy.ndarray
        (n_transmits, n_axial, n_lateral) when the wave passes the pixel, after the first sample [s].
    starts : numpy.ndarray
        (n_transmits,) time of the first sample [s].
    elements : numpy.ndarray
        (n_elements, 3) [m].
    axial, lateral : numpy.ndarray
        (n_axial,), (n_lateral,) pixels [m].
    frequency : float
        Carrier taken out of the echoes [Hz].
    sampling_frequency : float
        [Hz].
    sound_speed : float
        [m/s].
    f_number : float
        Depth over active aperture, 1.

    Returns
    -------
    numpy.ndarray
        (n_axial, n_lateral) complex64: the mean over the taps that lie in the record, 0 where none does.
    """
    n_transmits, n_elements, n_samples = samples.shape
    total = np.zeros((len(axial), len(lateral)), np.complex128)
    taps = np.zeros(total.shape)
    for i in range(n_transmits):
        for e in range(n_elements):
            beside = lateral[None, :] - elements[e, 0]
            below = axial[:, None] - elements[e, 2]
            time = arrival[i] + np.sqrt(beside**2 + below**2) / sound_speed
            at = time * sampling_frequency
            first = np.floor(at).astype(int)
            inside = (2 * f_number * np.abs(beside) <= below) & (first >= 0) & (first < n_samples - 1)
            first = np.clip(first, 0, n_samples - 2)
            share = at - first
            echo = (1 - share) * samples[i, e, first] + share * samples[i, e, first + 1]
            turned = echo * np.exp(2j * np.pi * frequency * (time + starts[i]))
            total += np.where(inside, turned, 0)
            taps += inside
    mean = total / np.maximum(taps, 1)
    back = np.exp(-4j * np.pi * frequency * axial / sound_speed)  # the carrier of the way there and back
    return np.asarray(mean * back[:, None], dtype=np.complex64)
