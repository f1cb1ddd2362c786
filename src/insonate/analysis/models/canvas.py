"""From a picture to a network's canvas and back.

A picture is cut to its content (dark borders go), made isotropic, scaled by s so that it fits the canvas, and laid
at the top, centered from side to side, on black. With (r0, c0) the content's corner, (s_r, s_c) the two scales and
(0, x0) the place on the canvas, the canvas point (y, x) is the picture point

    row = r0 + y / s_r,    column = c0 + (x - x0) / s_c

counted from the outer edge of the first pixel. Pictures are made smaller with a triangle filter as wide as a canvas
pixel, so that nothing is aliased; class probabilities come back by the same filter.

A network that reads even canvases is handed ranks in place of brightness: with n lit pixels, one of level v becomes

    (pixels darker than v + half of those like it) / n,

so that gain, dynamic range and gray curve of a machine, whatever they are, change nothing.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array

from insonate.core import AxesError, RangeError

DARK = 0.02
"""Brightness up to which a border counts as black, 0..1."""

LEVELS = 256
"""Of gray, told apart when a canvas is made even."""

SPECKS = 0.005
"""Share of a border row or column that may be brighter and still be border: dust, ticks of a scale."""


MARK = 0.05
"""A run of bright lines at the edge, shorter than this share and set apart by dark, is a mark of the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where the content of a picture lies on a canvas."""

    rows: tuple[int, int]
    """First row of the content and the row after its last, in the picture."""
    columns: tuple[int, int]
    """First column of the content and the column after its last, in the picture."""
    height: int
    """Rows of the content on the canvas."""
    width: int
    """Columns of the content on the canvas."""
    left: int
    """Column of the canvas where the content begins."""
    size: int
    """Rows and columns of the canvas."""


def _span(bright: np.ndarray) -> tuple[int, int]:
    """First and after-last of the bright lines, without marks that stand apart at either end."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bright, [False]]).astype(np.int8)))
    runs = [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
    if not runs:
        return 0, len(bright)
    while len(runs) > 1 and runs[0][1] - runs[0][0] < MARK * len(bright):
        runs.pop(0)
    while len(runs) > 1 and runs[-1][1] - runs[-1][0] < MARK * len(bright):
        runs.pop()
    return runs[0][0], runs[-1][1]


def content(picture: np.ndarray) -> tuple[tuple[int, int], tuple[int, int]]:
    """Find the rectangle that is left when dark borders are cut off.

    Parameters
    ----------
    picture : numpy.ndarray
        (n_axial, n_lateral) brightness, 0..1.

    Returns
    -------
    tuple
        Rows (first, after last) and columns (first, after last); the whole picture if all of it is dark.
    """
    bright = picture > DARK
    rows = _span(bright.mean(axis=1) > SPECKS)
    columns = _span(bright[rows[0] : rows[1]].mean(axis=0) > SPECKS)
    return rows, columns


def place(picture: np.ndarray, *, size: int, aspect: float = 1.0) -> Placement:
    """Decide where a picture's content goes on a square canvas.

    Parameters
    ----------
    picture : numpy.ndarray
        (n_axial, n_lateral) brightness, 0..1.
    size : int
        Rows and columns of the canvas.
    aspect : float
        Height of a pixel over its width; 1 for square pixels.

    Returns
    -------
    Placement
        The content and its place.

    Raises
    ------
    AxesError
        If `picture` is not two-dimensional.
    RangeError
        If `aspect` is not a positive number.
    """
    if picture.ndim != 2 or 0 in picture.shape:
        raise AxesError(f"picture must be (axial, lateral), got shape {picture.shape}")
    if not 0 < aspect < np.inf:
        raise RangeError(f"aspect (pixel height over width) must be a positive number, got {aspect}")
    rows, columns = content(picture)
    height, width = (rows[1] - rows[0]) * aspect, float(columns[1] - columns[0])
    scale = size / max(height, width)
    on_canvas = [min(size, max(1, round(length * scale))) for length in (height, width)]
    return Placement(
        rows=rows,
        columns=columns,
        height=on_canvas[0],
        width=on_canvas[1],
        left=(size - on_canvas[1]) // 2,
        size=size,
    )


@lru_cache(maxsize=64)
def _filter(n_from: int, n_to: int) -> csr_array:
    """Triangle weights (n_to, n_from); rows sum to 1. Sparse: each row holds but a few."""
    step = n_from / n_to
    reach = max(step, 1.0)
    centers = (np.arange(n_to) + 0.5) * step - 0.5
    near = np.arange(int(np.ceil(2 * reach)) + 1)
    columns = np.floor(centers - reach).astype(int)[:, None] + near + 1
    weights = np.maximum(0, 1 - np.abs(columns - centers[:, None]) / reach)
    weights[(columns < 0) | (columns >= n_from)] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(n_to), len(near))
    kept = weights.ravel() > 0
    return csr_array(
        (weights.ravel()[kept].astype(np.float32), (rows[kept], columns.ravel()[kept])), shape=(n_to, n_from)
    )


def resize(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resample the last two axes to `shape`, without aliasing.

    Parameters
    ----------
    values : numpy.ndarray
        (..., rows, columns).
    shape : (int, int)
        Rows and columns to give.

    Returns
    -------
    numpy.ndarray
        (..., *shape) float32.
    """
    down, across = _filter(values.shape[-2], shape[0]), _filter(values.shape[-1], shape[1])
    planes = values.reshape(-1, *values.shape[-2:]).astype(np.float32, copy=False)
    small = [(across @ (down @ plane).T).T for plane in planes]
    return np.stack(small).reshape(*values.shape[:-2], *shape)


def to_canvas(picture: np.ndarray, placement: Placement) -> np.ndarray:
    """Lay a picture's content on its canvas.

    Parameters
    ----------
    picture : numpy.ndarray
        (n_axial, n_lateral) brightness, 0..1.
    placement : Placement
        From `place`.

    Returns
    -------
    numpy.ndarray
        (size, size) float32, black beside and below the content.
    """
    cut = picture[slice(*placement.rows), slice(*placement.columns)]
    canvas = np.zeros((placement.size, placement.size), np.float32)
    inside = resize(cut, (placement.height, placement.width))
    canvas[: placement.height, placement.left : placement.left + placement.width] = inside
    return canvas


def even(canvas: np.ndarray) -> np.ndarray:
    """Give every canvas one and the same histogram: what is lit is spread evenly over 0..1.

    Parameters
    ----------
    canvas : numpy.ndarray
        (size, size) brightness, 0..1.

    Returns
    -------
    numpy.ndarray
        (size, size) float32; what is not brighter than `DARK` is 0.
    """
    level = np.minimum(canvas * np.float32(LEVELS - 1) + np.float32(0.5), LEVELS - 1).astype(np.intp)
    lit = canvas > DARK
    count = np.bincount(level[lit], minlength=LEVELS)
    rank = (np.cumsum(count) - count / 2) / max(int(count.sum()), 1)
    return np.where(lit, rank[level], 0).astype(np.float32)


def from_canvas(planes: np.ndarray, placement: Placement, shape: tuple[int, int]) -> np.ndarray:
    """Bring planes of a canvas back to the picture's pixels; zero outside its content.

    Parameters
    ----------
    planes : numpy.ndarray
        (n_planes, size, size).
    placement : Placement
        The one the picture was laid with.
    shape : (int, int)
        Rows and columns of the picture.

    Returns
    -------
    numpy.ndarray
        (n_planes, *shape) float32.
    """
    inside = planes[:, : placement.height, placement.left : placement.left + placement.width]
    rows, columns = placement.rows, placement.columns
    picture = np.zeros((len(planes), *shape), np.float32)
    picture[:, slice(*rows), slice(*columns)] = resize(inside, (rows[1] - rows[0], columns[1] - columns[0]))
    return picture
