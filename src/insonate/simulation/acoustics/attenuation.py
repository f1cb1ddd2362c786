r"""Attenuation as a filter that changes with time: a sum of a few terms, each a filter of the band and a weight in time.

An echo that comes at the time t has gone c t through tissue, and lacks H(f, t) = exp(-a(f) c t). Over a band and a record
H is smooth, so that it is nearly of low rank:

    H(f, t) ~ \sum_n u_n(f) v_n(t)      (singular values, the rest below a bound times what is left a quarter up the band)

and the attenuated record is \sum_n u_n * (v_n x): a multiplication and a filter a term, in place of one filter a sample.
What a pulse smears in time before it is weighted is a second-order error, of the slope of H over the length of the pulse.
"""

from functools import lru_cache

import numpy as np
from scipy import fft

from insonate.core.units import Hertz, MetersPerSecond, Seconds
from insonate.simulation.acoustics.engine import Attenuation

BOUND = 1e-2
"""Of the largest error of H over what is left of the lower band: -40 dB of any echo."""


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
        Of the largest error at each path, over what is left there of a frequency a quarter up the band, 1: deep echoes are
        faint, and must be right all the same.

    Returns
    -------
    filters, weights
        (n_terms, n_frequencies) and (n_terms, n_paths) float64, as few terms as keep the bound.
    """
    nepers = attenuation.nepers(frequencies)
    few_f = np.unique(np.linspace(0, len(nepers) - 1, 96).round().astype(int))
    few_p = np.unique(np.linspace(0, len(paths) - 1, 256).round().astype(int))
    # Beside what is left of one frequency, so that the error is relative to echoes as they come.
    least = float(attenuation.nepers(np.array(0.75 * frequencies.min() + 0.25 * frequencies.max())))
    beside = nepers - least
    small = np.exp(-np.multiply.outer(beside[few_f], paths[few_p]))
    left, values, right = np.linalg.svd(small, full_matrices=False)
    off = [float(np.abs((left[:, :n] * values[:n]) @ right[:n] - small).max()) for n in range(1, len(values))]
    rank = next((n for n, error in enumerate(off, start=1) if error <= bound), len(values))
    # Filters are sums of H at a few paths, and weights those of H at a few frequencies: so they are known everywhere.
    filters = np.exp(-np.multiply.outer(beside, paths[few_p])) @ (right[:rank] / values[:rank, None]).T
    shares = left[:, :rank].T @ np.exp(-np.multiply.outer(beside[few_f], paths)) * np.exp(-least * paths)
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
    filters, weights = _plan(
        attenuation,
        samples.shape[-1],
        sampling_frequency,
        demodulation_frequency,
        sound_speed,
        band,
        start,
        bound,
    )
    total = np.zeros(samples.shape, np.complex64)
    for passing, weight in zip(filters, weights, strict=True):
        total += fft.fft(samples * weight, axis=-1) * passing
    return np.asarray(fft.ifft(total, axis=-1), dtype=samples.dtype)


@lru_cache(maxsize=16)
def _plan(
    attenuation: Attenuation,
    n_samples: int,
    sampling_frequency: float,
    demodulation_frequency: float,
    sound_speed: float,
    band: tuple[float, float],
    start: float,
    bound: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Give filters over the bins of a record and weights over its samples, float32: the same for every frame."""
    clock = start + np.arange(n_samples) / sampling_frequency
    frequencies = fft.fftfreq(n_samples, 1 / sampling_frequency) + demodulation_frequency
    heard = np.flatnonzero((frequencies >= band[0]) & (frequencies <= band[1]))
    heard = heard[np.argsort(frequencies[heard])]
    filters, weights = low_rank(
        attenuation, frequencies[heard], np.maximum(clock, 0) * sound_speed, bound=bound
    )
    full = np.zeros((len(filters), n_samples), np.float32)
    full[:, heard] = filters
    return full, weights.astype(np.float32)
