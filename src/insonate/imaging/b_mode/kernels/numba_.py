"""Speckle reduction in Numba: float32 throughout, sums along a row first, so that each loop runs in vectors."""

import os
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

REACH = 4
"""Of the Gaussian of one pixel, as the reference's."""


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

    @numba.njit(nogil=True, cache=True, fastmath={"contract", "reassoc"})
    def kernel(out, window, passes, edge, smooth, weight):  # type: ignore[no-untyped-def]
        rows, columns = out.shape
        line = np.empty(columns + 2 * REACH, np.float32)
        for i in range(rows):
            line[:] = np.float32(0)
            for t in range(2 * REACH + 1):
                at = (i + t - REACH) % (2 * rows)  # a picture and its mirror, again and again
                at = at if at < rows else 2 * rows - 1 - at
                tap = window[t]
                for j in range(columns):
                    line[REACH + j] += tap * out[at, j]
            for j in range(REACH):
                left, right = (-j - 1) % (2 * columns), (columns + j) % (2 * columns)
                line[REACH - 1 - j] = line[REACH + (left if left < columns else 2 * columns - 1 - left)]
                line[REACH + columns + j] = line[
                    REACH + (right if right < columns else 2 * columns - 1 - right)
                ]
            for j in range(columns):
                total = np.float32(0)
                for t in range(2 * REACH + 1):
                    total += window[t] * line[j + t]
                smooth[i, j] = total
        per = np.float32(1) / (edge * edge)
        half, one, nine = np.float32(0.5), np.float32(1), np.float32(9)
        for i in range(rows):
            above, below = max(i - 1, 0), min(i + 1, rows - 1)
            step = one / np.float32(below - above)
            for j in range(1, columns - 1):
                down = (smooth[below, j] - smooth[above, j]) * step
                across = (smooth[i, j + 1] - smooth[i, j - 1]) * half
                weight[i, j] = half / (one + (down * down + across * across) * per)
            for j, other in ((0, 1), (columns - 1, columns - 2)):
                down = (smooth[below, j] - smooth[above, j]) * step
                across = smooth[i, other] - smooth[i, j]
                weight[i, j] = half / (one + (down * down + across * across) * per)
        sums = smooth  # of three along a row; not needed as what it was any more
        for _ in range(passes):
            for i in range(rows):
                for j in range(1, columns - 1):
                    sums[i, j] = out[i, j - 1] + out[i, j] + out[i, j + 1]
                sums[i, 0] = out[i, 0] + out[i, 0] + out[i, 1]
                sums[i, columns - 1] = out[i, columns - 2] + out[i, columns - 1] + out[i, columns - 1]
            for i in range(rows):
                above, below = max(i - 1, 0), min(i + 1, rows - 1)
                for j in range(columns):
                    mean = (sums[above, j] + sums[i, j] + sums[below, j]) / nine
                    out[i, j] += weight[i, j] * (mean - out[i, j])

    return kernel


@cache
def _window() -> np.ndarray:
    """Give the weights of the Gaussian of one pixel, (2 REACH + 1,) float32."""
    window = np.exp(-0.5 * np.arange(-REACH, REACH + 1) ** 2)
    return np.asarray(window / window.sum(), np.float32)


def evened(decibels: np.ndarray, passes: int, edge: float) -> np.ndarray:
    """Even out what has no edge; see `reference.evened`, which it must agree with.

    Parameters
    ----------
    decibels : numpy.ndarray
        (n_axial, n_lateral) float32, at least two samples either way [dB].
    passes : int
        How often.
    edge : float
        Slope at which smoothing falls to half [dB a pixel].

    Returns
    -------
    numpy.ndarray
        Like `decibels` [dB].
    """
    out = np.array(decibels, dtype=np.float32, order="C")
    smooth, weight = np.empty_like(out), np.empty_like(out)
    _compiled()(out, _window(), passes, np.float32(edge), smooth, weight)
    return out
