"""Delay and sum in Numba: columns in parallel, depth innermost, no table.

Sine and cosine are polynomials of the half angle, fitted for the smallest error over -90 to 90 degrees (below 1e-6 in
single precision), because the library calls keep the loop from being vectorised.
"""

import os
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np


def is_available() -> bool:
    """Whether Numba is installed."""
    return find_spec("numba") is not None


def _cache_folder() -> None:
    """Keep compiled code in the user's cache folder, unless told where."""
    if "NUMBA_CACHE_DIR" not in os.environ:
        from platformdirs import user_cache_dir

        os.environ["NUMBA_CACHE_DIR"] = user_cache_dir("insonate", appauthor=False)


@cache
def _compiled() -> Any:
    _cache_folder()
    import numba

    @numba.njit(parallel=True, fastmath=True, nogil=True, cache=True)
    def kernel(real, imaginary, arrival, starts, x, z, axial, lateral, frequency, sampling, speed, f_number):  # type: ignore[no-untyped-def]
        n_transmits, n_elements, n_samples = real.shape
        n_axial, n_lateral = len(axial), len(lateral)
        out = np.zeros((n_axial, n_lateral), np.complex64)
        last = np.float32(n_samples - 1)
        one = np.float32(1)
        half = np.float32(0.5)
        per_speed = one / speed
        for column in numba.prange(n_lateral):
            sum_real = np.zeros(n_axial, np.float32)
            sum_imaginary = np.zeros(n_axial, np.float32)
            taps = np.zeros(n_axial, np.float32)
            for i in range(n_transmits):
                for e in range(n_elements):
                    beside = lateral[column] - x[e]
                    square = beside * beside
                    reach = np.float32(2) * f_number * abs(beside)
                    top = np.searchsorted(axial, reach + z[e])
                    row_real = real[i, e]
                    row_imaginary = imaginary[i, e]
                    for k in range(top, n_axial):
                        below = axial[k] - z[e]
                        time = arrival[i, column, k] + np.sqrt(square + below * below) * per_speed
                        at = time * sampling
                        if at >= 0 and at < last:
                            first = np.uint32(at)
                            share = at - np.float32(first)
                            a = row_real[first] + share * (row_real[first + np.uint32(1)] - row_real[first])
                            b = row_imaginary[first] + share * (
                                row_imaginary[first + np.uint32(1)] - row_imaginary[first]
                            )
                            turns = (time + starts[i]) * frequency
                            u = (turns - np.floor(turns + half)) * np.float32(3.14159265358979)
                            w = u * u
                            s = u * (
                                one
                                + w
                                * (
                                    np.float32(-1.66666571e-1)
                                    + w
                                    * (
                                        np.float32(8.33301729e-3)
                                        + w * (np.float32(-1.98066151e-4) + w * np.float32(2.60005462e-6))
                                    )
                                )
                            )
                            c = one + w * (
                                np.float32(-4.99999323e-1)
                                + w
                                * (
                                    np.float32(4.16639894e-2)
                                    + w * (np.float32(-1.38559271e-3) + w * np.float32(2.31943849e-5))
                                )
                            )
                            sine = np.float32(2) * s * c
                            cosine = one - np.float32(2) * s * s
                            sum_real[k] += a * cosine - b * sine
                            sum_imaginary[k] += a * sine + b * cosine
                            taps[k] += one
            for k in range(n_axial):
                count = max(taps[k], one)
                out[k, column] = np.complex64(complex(sum_real[k] / count, sum_imaginary[k] / count))
        return out

    return kernel


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
    """Sum the delayed echoes of one frame; see `reference.delay_and_sum`, which it must agree with.

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
        (n_axial, n_lateral) complex64.
    """
    single = np.float32
    # Microseconds and megahertz keep the phase exact in single precision: hundreds of turns, five digits of each.
    summed = _compiled()(
        np.ascontiguousarray(samples.real, dtype=single),
        np.ascontiguousarray(samples.imag, dtype=single),
        np.ascontiguousarray(arrival.transpose(0, 2, 1) * 1e6, dtype=single),
        np.asarray(starts * 1e6, dtype=single),
        np.ascontiguousarray(elements[:, 0] * 1e3, dtype=single),
        np.ascontiguousarray(elements[:, 2] * 1e3, dtype=single),
        np.asarray(axial * 1e3, dtype=single),
        np.asarray(lateral * 1e3, dtype=single),
        single(frequency / 1e6),
        single(sampling_frequency / 1e6),
        single(sound_speed / 1e3),
        single(f_number),
    )
    back = np.exp(-4j * np.pi * frequency * axial / sound_speed)
    return np.asarray(summed * back[:, None], dtype=np.complex64)
