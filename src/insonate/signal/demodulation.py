"""Take the carrier out of an analytic signal.

    q(t) = z(t) exp(-j 2 pi f t)

and, where the band's width is known, drop what lies outside it with a raised-cosine edge in the spectrum, whose -6 dB
points are half the width away from the carrier. Beyond its ends the record counts as silent.
"""

import numpy as np
from scipy import fft

RING = 8
"""How long the filter rings beside an echo, in reciprocals of its width: it is 60 dB down by then."""


def baseband(
    signal: np.ndarray,
    frequency: float,
    sampling: float,
    start: np.ndarray | float,
    *,
    width: float | None = None,
) -> np.ndarray:
    """Give the baseband of an analytic signal along its last axis.

    Parameters
    ----------
    signal : numpy.ndarray
        (..., n_samples) complex.
    frequency : float
        Carrier [Hz].
    sampling : float
        Sampling rate [Hz].
    start : numpy.ndarray or float
        Time of the first sample, shaped to broadcast against signal without its last axis [s].
    width : float, optional
        -6 dB width of the band; all is kept by default [Hz].

    Returns
    -------
    numpy.ndarray
        Like `signal`, complex64.
    """
    n = signal.shape[-1]
    time = np.asarray(start)[..., np.newaxis] + np.arange(n) / sampling
    slow = signal * np.exp(-2j * np.pi * frequency * time)
    if width is not None:
        padded = fft.next_fast_len(n + int(np.ceil(RING * sampling / width)))
        away = np.abs(fft.fftfreq(padded, 1 / sampling)) / (width / 2)
        keep = np.where(away < 1.5, 0.5 + 0.5 * np.cos(np.pi * np.clip(away - 0.5, 0, 1)), 0.0)
        slow = fft.ifft(fft.fft(slow, padded, axis=-1) * keep, axis=-1)[..., :n]
    return np.ascontiguousarray(slow, dtype=np.complex64)
