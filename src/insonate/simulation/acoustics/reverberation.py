r"""Reverberation: copies of an echo, each later by one round trip between two walls and weaker by their reflections.

    y(t) = \sum_{m = 0}^{M} q^m x(t - m T),   T = 2 d / c

with d the distance of the walls (of a needle, or of the face and a bright interface), q the product of their reflection
coefficients. Baseband keeps its phase: x turns by exp(-2 pi i fd m T) at the demodulation frequency fd.
"""

import numpy as np
from scipy import fft

from insonate.core.checks import check_axes, check_count, check_range
from insonate.core.units import Hertz, Seconds


def reverberated(
    samples: np.ndarray,
    *,
    round_trip: Seconds,
    reflection: float,
    copies: int,
    sampling_frequency: Hertz,
    demodulation_frequency: Hertz,
) -> np.ndarray:
    """Add delayed, decaying copies to the echoes of what reverberates.

    Parameters
    ----------
    samples : numpy.ndarray
        (n_elements, n_samples) float32 RF or complex64 baseband.
    round_trip : float
        Between the walls, T [s].
    reflection : float
        What one round trip leaves of the amplitude, q, its sign that of the echo; magnitude below 1.
    copies : int
        How many, M.
    sampling_frequency : float
        [Hz].
    demodulation_frequency : float
        0 for RF [Hz].

    Returns
    -------
    numpy.ndarray
        Of the shape and kind of `samples`; what comes after the record's end is lost.

    Raises
    ------
    RangeError
        If a setting cannot be.
    """
    check_axes("samples", samples, "element sample")
    check_range("round_trip", round_trip, (1e-9, 1e-2), "s", hint="microseconds?")
    check_range("reflection", reflection, (-0.999, 0.999), "1")
    check_count("copies", copies, (0, 10_000), "copies")
    n_samples = samples.shape[-1]
    last = min(copies, int(n_samples / sampling_frequency / round_trip))
    # Copies later than the record are not laid down, so that twice its length is room enough.
    length = fft.next_fast_len(2 * n_samples)
    complex_ = np.iscomplexobj(samples)
    frequencies = (
        fft.fftfreq(length, 1 / sampling_frequency)
        if complex_
        else fft.rfftfreq(length, 1 / sampling_frequency)
    ) + demodulation_frequency
    turn = reflection * np.exp(-2j * np.pi * frequencies * round_trip)
    passing = ((1 - turn ** (last + 1)) / (1 - turn)).astype(np.complex64)
    if complex_:
        made = fft.ifft(fft.fft(samples, length, axis=-1) * passing, axis=-1)
    else:
        made = fft.irfft(fft.rfft(samples, length, axis=-1) * passing, length, axis=-1)
    return np.asarray(made[..., :n_samples], dtype=samples.dtype)
