"""The remap in Numba: rows of the spectrum in parallel."""

import os
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from insonate.simulation.acoustics.kernels.reference import GRAZING, HALF


def is_available() -> bool:
    """Whether Numba is installed."""
    return find_spec("numba") is not None


@cache
def _compiled() -> Any:
    if "NUMBA_CACHE_DIR" not in os.environ:
        from platformdirs import user_cache_dir

        os.environ["NUMBA_CACHE_DIR"] = user_cache_dir("insonate", appauthor=False)
    import numba

    @numba.njit(parallel=True, fastmath=True, nogil=True, cache=True)
    def kernel(spectrum, lateral, k, pulse, window, sine, cosine, step, middle, width, offset, taps, fade):  # type: ignore[no-untyped-def]
        n_lateral, n_padded = spectrum.shape
        least, full = fade
        repeats = lateral[1] * n_lateral
        out = np.zeros((n_lateral, len(k)), np.complex64)
        for i in numba.prange(n_lateral):
            row = spectrum[i]
            for j in range(len(k)):
                slant = k[j] * sine
                kx = lateral[i] + slant
                kx -= repeats * np.floor(kx / repeats + HALF)
                steepness = 1 - (kx / k[j]) * (kx / k[j])
                if steepness <= least:
                    continue
                kz = k[j] * np.sqrt(steepness)
                depth = -(kz + k[j] * cosine)
                at = depth / step
                first = int(np.floor(at)) - taps // 2 + 1
                real = np.float32(0)
                imaginary = np.float32(0)
                for tap in range(taps):
                    far = abs(at - (first + tap)) * 1000.0
                    index = int(far)
                    if index < len(window) - 1:
                        share = np.float32(far - index)
                        weight = window[index] + (window[index + 1] - window[index]) * share
                        value = row[(first + tap) % n_padded]
                        real += weight * value.real
                        imaginary += weight * value.imag
                half = 0.5 * kx * width
                directivity = 1.0 if abs(half) < 1e-9 else np.sin(half) / half
                if steepness < full:
                    directivity *= np.sin(0.5 * np.pi * (steepness - least) / (full - least)) ** 2
                scale = pulse[j] * directivity / kz
                turn = (kx - slant) * offset - depth * middle
                c, s = np.cos(turn) * scale, np.sin(turn) * scale
                out[i, j] = np.complex64(complex(real * c - imaginary * s, real * s + imaginary * c))
        return out

    return kernel


def remap(
    spectrum: np.ndarray,
    lateral: np.ndarray,
    wavenumbers: np.ndarray,
    pulse: np.ndarray,
    window: np.ndarray,
    *,
    angle: float,
    axial_step: float,
    middle: float,
    element_width: float,
    offset: float,
) -> np.ndarray:
    """Sample a spectrum on the circles of one plane wave; see `reference.remap`, which it must agree with.

    Parameters
    ----------
    spectrum : numpy.ndarray
        (n_lateral, n_padded) complex64.
    lateral : numpy.ndarray
        (n_lateral,) Kx of its rows [rad/m].
    wavenumbers : numpy.ndarray
        (n_frequencies,) k [rad/m].
    pulse : numpy.ndarray
        (n_frequencies,) two-way spectrum of the pulse, 1.
    window : numpy.ndarray
        (TAPS / 2 * 1000 + 1,) interpolation window over half its width.
    angle : float
        Of the plane wave [rad].
    axial_step : float
        Of the map [m].
    middle : float
        Depth that the spectrum is counted from [m].
    element_width : float
        [m].
    offset : float
        Of the elements from the map's columns [m].

    Returns
    -------
    numpy.ndarray
        (n_lateral, n_frequencies) complex64.
    """
    taps = 2 * (len(window) - 1) // 1000
    step = 2 * np.pi / (spectrum.shape[1] * axial_step)
    sine, cosine = float(np.sin(angle)), float(np.cos(angle))
    made: np.ndarray = _compiled()(
        np.ascontiguousarray(spectrum, dtype=np.complex64),
        lateral,
        wavenumbers,
        pulse,
        window,
        sine,
        cosine,
        step,
        middle,
        element_width,
        offset,
        taps,
        GRAZING,
    )
    return made
