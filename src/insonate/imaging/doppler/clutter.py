"""The clutter filter of short ensembles: what a polynomial of slow time explains is tissue, and is taken away.

    y = (I - Q Q^H) x,    Q an orthonormal basis of 1, n, ..., n^d over the shots n = 0 .. N - 1

Of a steady shift f it lets pass G(f) = |(I - Q Q^H) e(f)|^2 / N with e_n = exp(j 2 pi f n / f_PRF): nothing at rest, half of
the power at the cut-off, nearly all beyond it.

A. P. G. Hoeks, J. J. W. van de Vorst, A. Dabekaussen, P. J. Brands, R. S. Reneman, "An efficient algorithm to remove low
frequency Doppler signals in digital Doppler systems", Ultrason. Imaging 13(2), 135-144, 1991; S. Bjaerum, H. Torp,
K. Kristoffersen, "Clutter filter design for ultrasound color flow imaging", IEEE UFFC 49(2), 204-216, 2002.
"""

import numpy as np

from insonate.core import AxesError, RangeError
from insonate.core.checks import check_count


def basis(n_shots: int, degree: int) -> np.ndarray:
    """Give an orthonormal basis of the polynomials up to a degree.

    Parameters
    ----------
    n_shots : int
        N.
    degree : int
        d.

    Returns
    -------
    numpy.ndarray
        (n_shots, degree + 1).

    Raises
    ------
    RangeError
        If so short an ensemble leaves nothing beside them to compare.
    """
    check_count("n_shots", n_shots, (2, 4096), "shots")
    check_count("degree", degree, (0, 16), "1")
    if n_shots < degree + 3:
        raise RangeError(
            f"an ensemble must have at least {degree + 3} shots for a filter of degree {degree}, got {n_shots}"
        )
    powers = np.linspace(-1, 1, n_shots)[:, None] ** np.arange(degree + 1)
    return np.asarray(np.linalg.qr(powers)[0])


def polynomial_filter(values: np.ndarray, *, degree: int = 1) -> np.ndarray:
    """Take away what a polynomial of slow time explains.

    Parameters
    ----------
    values : numpy.ndarray
        (n_shots, ...) complex.
    degree : int
        Of the polynomial; a higher one follows tissue that moves faster, and takes more of slow flow with it.

    Returns
    -------
    numpy.ndarray
        Like `values`.

    Raises
    ------
    AxesError
        If there is no axis of shots.
    RangeError
        If the ensemble is too short.
    """
    if values.ndim < 1:
        raise AxesError("values must have shots along their first axis, got a single number")
    q = basis(len(values), degree).astype(values.real.dtype)
    flat = values.reshape(len(values), -1)
    return np.asarray((flat - q @ (q.T @ flat)).reshape(values.shape))


def response(shift: np.ndarray, n_shots: int, *, degree: int = 1) -> np.ndarray:
    """Give the share of power that the filter lets pass.

    Parameters
    ----------
    shift : numpy.ndarray
        Doppler shift over the pulse repetition frequency.
    n_shots : int
        Of the ensemble.
    degree : int
        Of the polynomial.

    Returns
    -------
    numpy.ndarray
        Like `shift`, 0..1.
    """
    tone = np.exp(2j * np.pi * np.arange(n_shots)[:, None] * np.ravel(shift))
    passed = tone - (q := basis(n_shots, degree)) @ (q.T @ tone)
    return np.asarray((np.abs(passed) ** 2).mean(axis=0).reshape(np.shape(shift)))
