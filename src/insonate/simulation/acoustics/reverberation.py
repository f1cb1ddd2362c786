r"""Reverberation: copies of an echo, each later by one round trip between two walls and weaker by their reflections.

    y(t) = \sum_{m = 0}^{M} q^m x(t - m T),   T = 2 d / c

with d the distance of the walls (of a needle, or of the face and a bright interface), q the product of their reflection
coefficients. Baseband keeps its phase: x turns by exp(-2 pi i fd m T) at the demodulation frequency fd.

Air is a mirror: what lies above it at the height h is heard again as if it lay h below, and again one round trip between
air and face later. With the mirror at the depth p of a column,

    g'(z) = g(z) + q g(2 p - z)   for p < z <= 2 p,     g(z) + q r g(z - 2 p)   for 2 p < z <= 3 p,

where the face itself, an echo of strength r at z = 0, comes back at 2 p: the A-line.
"""

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter1d

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


SMOOTH = 6.0
"""Columns over which the depth of a mirror is smoothed for its A-line, so that it is found between samples."""


def mirrored(reflectivity: np.ndarray, behind: np.ndarray, *, strength: float, face: float) -> np.ndarray:
    """Add what a mirror shows again of the tissue above it.

    Parameters
    ----------
    reflectivity : numpy.ndarray
        (n_lateral, n_axial) float32, the face at the first sample.
    behind : numpy.ndarray
        (n_lateral, n_axial) bool: what lies behind the mirror. The mirror of a column is where it begins.
    strength : float
        What the mirror leaves of an echo's amplitude, q, 0..1.
    face : float
        Strength of the face as a reflector, r, 0..1.

    Returns
    -------
    numpy.ndarray
        (n_lateral, n_axial) float32; only what lies behind is changed.

    Raises
    ------
    RangeError
        If a strength lies outside 0..1.
    """
    check_axes("reflectivity", reflectivity, "lateral axial")
    n_lateral, n_axial = reflectivity.shape
    check_axes("behind", behind, f"{n_lateral} {n_axial}")
    check_range("strength", strength, (0.0, 1.0), "1")
    check_range("face", face, (0.0, 1.0), "1")
    columns = np.flatnonzero(behind.any(axis=1))
    out = np.array(reflectivity, np.float32)
    if len(columns) == 0:
        return out
    first = np.argmax(behind[columns], axis=1)
    top = int(first.min())
    row = np.arange(top, n_axial)[None, :]
    once = 2 * first[:, None] - row
    again = -once
    from_row = np.clip(np.where(once >= 0, once, again), 0, n_axial - 1)
    share = np.where(once >= 0, strength, strength * face) * (again <= first[:, None])
    echo = np.take_along_axis(reflectivity[columns], from_row, axis=1) * share
    smooth = 2 * gaussian_filter1d(first.astype(float), SMOOTH, mode="nearest")[:, None]
    echo += strength * face * np.exp(-0.5 * ((row - smooth) / 0.8) ** 2)
    out[columns[:, None], row] += np.where(behind[columns][:, top:], echo, 0).astype(np.float32)
    return out
