"""The analytic signal of a real one: its spectrum without the negative half.

    z = x + j H(x),    Z(f) = 2 X(f) for f > 0, X(0) for f = 0, 0 for f < 0

A band that was sampled below twice its frequency (bandpass sampling) is folded: a carrier f0 between (k - 1/2) fs and
k fs appears at |f0 - k fs| with its spectrum mirrored. Keeping the negative half instead keeps the true order of the
band, so that the phase still turns with +f0.

R. G. Vaughan, N. L. Scott, D. R. White, "The theory of bandpass sampling", IEEE Trans. Signal Process. 39(9),
1973-1984, 1991.
"""

import numpy as np
from scipy import fft


def analytic(signal: np.ndarray, *, mirrored: bool = False, axis: int = -1) -> np.ndarray:
    """Give the analytic signal along one axis.

    Parameters
    ----------
    signal : numpy.ndarray
        Real, any shape.
    mirrored : bool
        Whether sampling folded the band with its spectrum mirrored: the negative half is kept then.
    axis : int
        Along which.

    Returns
    -------
    numpy.ndarray
        Complex, of the same shape; complex64 from single precision.
    """
    moved = np.moveaxis(np.asarray(signal), axis, -1)
    n = moved.shape[-1]
    spectrum = fft.rfft(moved, axis=-1)
    weights = np.full(spectrum.shape[-1], 2.0, dtype=spectrum.real.dtype)
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    full = np.zeros((*moved.shape[:-1], n), spectrum.dtype)
    full[..., : spectrum.shape[-1]] = spectrum * weights
    made = fft.ifft(full, axis=-1)
    return np.moveaxis(made.conj() if mirrored else made, -1, axis)


def is_mirrored(carrier: float, sampling: float) -> bool:
    """Whether sampling folds a carrier with its spectrum mirrored.

    Parameters
    ----------
    carrier : float
        Center of the band [Hz].
    sampling : float
        Sampling rate [Hz].

    Returns
    -------
    bool
        True where the carrier lies in an even half-zone, such as between fs/2 and fs.
    """
    return int(np.floor(2 * carrier / sampling)) % 2 == 1
