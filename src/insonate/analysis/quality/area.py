"""Where in a picture the echoes are, without menus, text and black borders.

Tissue fills its place with grey, text and marks are thin strokes on black. So: brightness averaged over the frames is
called lit above a floor, the share of lit pixels in a small box is taken, and the largest connected block whose share
is at least a half is the tissue, with blocks above and below it that fluid parts from it. Its columns are kept. Downward
it is followed as far as the same columns hold any noise at all, because depth fades into darkness; what is exactly black
below belongs to no echo.
"""

import numpy as np
from scipy.ndimage import label, uniform_filter

from insonate.core import Image, PixelGrid

LIT = 12 / 255
"""Brighter than this is lit: above the dark grey of menus, below that of deep tissue."""

NOISE = 2 / 255
"""Brighter than this is not exactly black."""

BOX = 0.03
"""Side of the small box, as a share of the longer side of the picture."""

SMALLEST = 0.08
"""A block that covers less of the picture than this is not trusted: the whole picture is kept."""

PART = 0.05
"""A block at least this share of the largest one's size, over the same columns, belongs to it: fluid parts tissue."""

MOST_FRAMES = 24
"""Frames that are averaged, evenly spread: borders do not move."""


def echo_area(image: Image) -> tuple[int, int, int, int]:
    """Find the rectangle that holds the echoes.

    Parameters
    ----------
    image : Image
        All frames of one picture.

    Returns
    -------
    (int, int, int, int)
        First row, first column, rows, columns; the whole picture where no block is found that can be trusted, and for an
        image that was formed here and so has no menus.
    """
    rows, columns = image.grid.shape
    whole = (0, 0, rows, columns)
    if not isinstance(image.grid, PixelGrid):
        return whole
    chosen = np.unique(np.linspace(0, image.n_frames - 1, MOST_FRAMES).astype(int))
    mean = image.brightness()[chosen].mean(axis=0) if image.n_frames > 1 else image.brightness()[0]
    block = _largest_block(mean)
    if block is None or block.mean() < SMALLEST:
        return whole
    across = np.flatnonzero(block.any(axis=0))
    down = np.flatnonzero(block.any(axis=1))
    left, right, top = int(across[0]), int(across[-1]) + 1, int(down[0])
    left, right = _grown(mean, left, right, slice(top, int(down[-1]) + 1))
    top = _first_lit(mean[:, left:right], top)
    bottom = _last_noise(mean[:, left:right], int(down[-1]) + 1)
    return top, left, bottom - top, right - left


def _largest_block(mean: np.ndarray) -> np.ndarray | None:
    side = max(3, int(BOX * max(mean.shape))) | 1  # odd, or the box lies to one side of its pixel
    dense = uniform_filter((mean > LIT).astype(np.float32), side, mode="constant") >= 0.5
    numbered, count = label(dense)
    if count == 0:
        return None
    sizes = np.bincount(numbered.ravel())
    sizes[0] = 0
    largest = int(sizes.argmax())
    columns = (numbered == largest).any(axis=0)
    block = numbered == largest
    for other in np.flatnonzero(sizes >= PART * sizes[largest]):
        part = numbered == other
        above = part.any(axis=0)
        if (above & columns).sum() >= 0.5 * above.sum():  # the same tissue above or below something dark
            block |= part
    return np.asarray(block)


def _grown(mean: np.ndarray, left: int, right: int, rows: slice) -> tuple[int, int]:
    """Give back the half box that the averaging took from each side: columns that are as lit as tissue."""
    lit = (mean[rows] > LIT).mean(axis=0)
    needed = 0.25 * float(np.median(lit[left:right]))
    while left > 0 and lit[left - 1] > needed:
        left -= 1
    while right < len(lit) and lit[right] > needed:
        right += 1
    return left, right


def _first_lit(part: np.ndarray, top: int) -> int:
    lit = (part > LIT).mean(axis=1)
    while top > 0 and lit[top - 1] > 0.3:
        top -= 1
    while top < len(lit) - 1 and lit[top] <= 0.05:
        top += 1
    return top


def _last_noise(part: np.ndarray, bottom: int) -> int:
    """Follow tissue down while a tenth of its columns is not exactly black, over gaps of a few rows."""
    noisy = (part > NOISE).mean(axis=1) > 0.1
    gap = max(2, len(noisy) // 50)
    while bottom < len(noisy) and noisy[bottom : bottom + gap].any():
        bottom += 1
    while bottom > 1 and not noisy[bottom - 1]:
        bottom -= 1
    return bottom
