"""Remap and deposit in Numba: rows of the spectrum, and elements, in parallel."""

import os
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from insonate.simulation.acoustics.kernels.reference import GRAZING, HALF, NEAREST


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
    grazing: tuple[float, float] = GRAZING,
    period: int | None = None,
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
    grazing : (float, float)
        (kz / k)^2 between which the wave fades out, 1.
    period : int, optional
        Where the columns are only the first of so many, and turned round: column j holds Kz = -2 pi j / (period axial_step).
        Every sample that is asked for must lie within them. Else the columns are all, from Kz = 0 upward.

    Returns
    -------
    numpy.ndarray
        (n_lateral, n_frequencies) complex64.
    """
    taps = 2 * (len(window) - 1) // 1000
    step = 2 * np.pi / ((spectrum.shape[1] if period is None else -period) * axial_step)
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
        grazing,
    )
    return made


@cache
def _compiled_deposit() -> Any:
    _cache_folder()
    import numba

    @numba.njit(parallel=True, fastmath=True, nogil=True, cache=True)
    def kernel(scatterers, moments, elements, n_samples, per_meter, wide, soft, lines, nearest):  # type: ignore[no-untyped-def]
        out = np.zeros((len(elements), n_samples), np.float32)
        one, three, four, sixth = np.float32(1), np.float32(3), np.float32(4), np.float32(1 / 6)
        for e in numba.prange(len(elements)):
            line = np.zeros(n_samples + 16, np.float32)
            for i in range(len(moments)):
                x, y, z = scatterers[i, 0], scatterers[i, 1], scatterers[i, 2]
                across = elements[e] - x
                distance = max(np.sqrt(across * across + y * y + z * z), nearest)
                turn = wide * across / distance
                strength = scatterers[i, 3] / (np.sqrt(distance) if lines else distance)
                if abs(turn) > np.float32(1e-4):
                    strength *= np.sin(turn) / turn
                if soft:
                    strength *= z / distance
                at = min(max(moments[i] + distance * per_meter, one), np.float32(n_samples + 12))
                first = int(at)
                share = at - np.float32(first)
                rest = one - share
                weight = strength * sixth
                line[first - 1] += weight * rest * rest * rest
                line[first] += weight * (four - three * share * share * (one + rest))
                line[first + 1] += weight * (four - three * rest * rest * (one + share))
                line[first + 2] += weight * share * share * share
            out[e] = line[8 : n_samples + 8]
        return out

    return kernel


def deposit(
    scatterers: np.ndarray,
    delays: np.ndarray,
    elements: np.ndarray,
    *,
    n_samples: int,
    sampling_frequency: float,
    start: float,
    sound_speed: float,
    frequency: float,
    element_width: float,
    soft_baffle: bool,
    from_lines: bool,
) -> np.ndarray:
    """Lay the echo of every scatterer down on every element's line; see `reference.deposit`, which it must agree with.

    Parameters
    ----------
    scatterers : numpy.ndarray
        (n_scatterers, 4) float32: x, y, z [m] and amplitude; finite.
    delays : numpy.ndarray
        (n_scatterers,) when the wave passes [s].
    elements : numpy.ndarray
        (n_elements,) x of elements in the face z = 0 [m].
    n_samples : int
        Of a line; echoes beside it are lost.
    sampling_frequency : float
        Of the lines [Hz].
    start : float
        Time of the first sample [s].
    sound_speed : float
        [m/s].
    frequency : float
        That the directivity is taken at [Hz].
    element_width : float
        [m].
    soft_baffle : bool
        Whether elements lie in a soft baffle, else in a rigid one.
    from_lines : bool
        Whether waves spread from lines, as in two dimensions, else from points.

    Returns
    -------
    numpy.ndarray
        (n_elements, n_samples) float32.
    """
    single = np.float32
    made: np.ndarray = _compiled_deposit()(
        np.ascontiguousarray(scatterers, dtype=single),
        np.asarray((delays - start) * sampling_frequency + 8, dtype=single),
        np.asarray(elements, dtype=single),
        n_samples,
        single(sampling_frequency / sound_speed),
        single(np.pi * element_width * frequency / sound_speed),
        soft_baffle,
        from_lines,
        single(NEAREST),
    )
    return made


@cache
def _compiled_heard() -> Any:
    _cache_folder()
    import numba

    @numba.njit(fastmath=True, nogil=True, cache=True)
    def kernel(levels, stride, reflectivity, transmission, out):  # type: ignore[no-untyped-def]
        n, m = reflectivity.shape
        rows, columns = levels.shape
        # First along columns, on every `stride`-th row; then between those, in loops that a compiler makes vectors of.
        lines = np.empty((rows, m), np.float32)
        for i in range(rows):
            for k in range(columns):
                rise = (levels[i, min(k + 1, columns - 1)] - levels[i, k]) / np.float32(stride)
                for j in range(k * stride, min((k + 1) * stride, m)):
                    lines[i, j] = levels[i, k] + rise * np.float32(j - k * stride)
        for i in range(n):
            low = i // stride
            line, onward, made, strong = lines[low], lines[min(low + 1, rows - 1)], out[i], reflectivity[i]
            share = np.float32(i % stride) / np.float32(stride)
            if transmission.size:
                through = transmission[i]
                for j in range(m):
                    made[j] = strong[j] * through[j] * (line[j] + (onward[j] - line[j]) * share)
            else:
                for j in range(m):
                    made[j] = strong[j] * (line[j] + (onward[j] - line[j]) * share)

    return kernel


def heard(
    levels: np.ndarray, stride: int, reflectivity: np.ndarray, transmission: np.ndarray | None
) -> np.ndarray:
    """Spread levels over the samples of a map, and let the map be heard through them: as the reference."""
    out = np.empty(reflectivity.shape, np.float32)
    through = np.empty((0, 0), np.float32) if transmission is None else transmission
    given = (np.ascontiguousarray(one, dtype=np.float32) for one in (reflectivity, through))
    _compiled_heard()(np.ascontiguousarray(levels, dtype=np.float32), stride, *given, out)
    return out
