r"""Attenuation as a filter that changes with time: a sum of a few terms, each a filter of the band and a weight in time.

An echo that comes at the time t has gone c t through tissue, and lacks H(f, t) = exp(-a(f) c t). Over a band and a record
H is smooth, so that it is nearly of low rank:

    H(f, t) ~ \sum_n u_n(f) v_n(t)      (singular values, the rest below a bound)

and the attenuated record is \sum_n u_n * (v_n x): a multiplication and a filter a term, in place of one filter a sample.
What a pulse smears in time before it is weighted is a second-order error, of the slope of H over the length of the pulse.
"""

import numpy as np
from scipy import fft

from insonate.core.units import Hertz, MetersPerSecond, Seconds
from insonate.simulation.acoustics.engine import Attenuation

BOUND = 1e-3
"""Of the largest error of H, whose largest value is 1."""


def low_rank(
    attenuation: Attenuation, frequencies: np.ndarray, paths: np.ndarray, *, bound: float = BOUND
) -> tuple[np.ndarray, np.ndarray]:
    """Cut attenuation over a band and a range of paths into a few terms.

    Parameters
    ----------
    attenuation : Attenuation
        Of the tissue.
    frequencies : numpy.ndarray
        (n_frequencies,) [Hz].
    paths : numpy.ndarray
        (n_paths,) there and back [m].
    bound : float
        Of the largest error, 1.

    Returns
    -------
    filters, weights
        (n_terms, n_frequencies) and (n_terms, n_paths) float64, as few terms as keep the bound.
    """
    nepers = attenuation.nepers(frequencies)
    few_f = np.unique(np.linspace(0, len(nepers) - 1, 96).round().astype(int))
    few_p = np.unique(np.linspace(0, len(paths) - 1, 256).round().astype(int))
    small = np.exp(-np.multiply.outer(nepers[few_f], paths[few_p]))
    left, values, right = np.linalg.svd(small, full_matrices=False)
    off = [float(np.abs((left[:, :n] * values[:n]) @ right[:n] - small).max()) for n in range(1, len(values))]
    rank = next((n for n, error in enumerate(off, start=1) if error <= bound), len(values))
    # Filters are sums of H at a few paths, and weights those of H at a few frequencies: so they are known everywhere.
    filters = np.exp(-np.multiply.outer(nepers, paths[few_p])) @ (right[:rank] / values[:rank, None]).T
    shares = left[:, :rank].T @ np.exp(-np.multiply.outer(nepers[few_f], paths))
    return np.ascontiguousarray(filters.T), shares


def attenuated(
    samples: np.ndarray,
    attenuation: Attenuation,
    *,
    sampling_frequency: Hertz,
    demodulation_frequency: Hertz,
    sound_speed: MetersPerSecond,
    band: tuple[Hertz, Hertz],
    start: Seconds = 0.0,
    bound: float = BOUND,
) -> np.ndarray:
    """Attenuate a baseband record by the way that each echo has gone.

    Parameters
    ----------
    samples : numpy.ndarray
        (..., n_samples) complex64 baseband.
    attenuation : Attenuation
        Of the tissue.
    sampling_frequency : float
        [Hz].
    demodulation_frequency : float
        [Hz].
    sound_speed : float
        [m/s].
    band : (float, float)
        Frequencies that hold the echoes [Hz].
    start : float
        Time of the first sample [s].
    bound : float
        Of the largest error of the filter, 1.

    Returns
    -------
    numpy.ndarray
        Of the shape and kind of `samples`.
    """
    n_samples = samples.shape[-1]
    clock = start + np.arange(n_samples) / sampling_frequency
    frequencies = fft.fftfreq(n_samples, 1 / sampling_frequency) + demodulation_frequency
    heard = (frequencies >= band[0]) & (frequencies <= band[1])
    order = np.argsort(frequencies[heard])
    filters, weights = low_rank(
        attenuation, frequencies[heard][order], np.maximum(clock, 0) * sound_speed, bound=bound
    )
    total = np.zeros(samples.shape, np.complex64)
    for passing, weight in zip(filters, weights, strict=True):
        full = np.zeros(n_samples, np.float32)
        full[np.flatnonzero(heard)[order]] = passing
        total += fft.fft(samples * weight.astype(np.float32), axis=-1) * full
    return np.asarray(fft.ifft(total, axis=-1), dtype=samples.dtype)
