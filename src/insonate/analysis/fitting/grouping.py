"""Near-duplicate pictures, and folds that never split them.

Two pictures are near-duplicates if their thumbnails (content only, local mean removed, unit variance) correlate
by more than a threshold, straight or mirrored, within a shift of a few thumbnail pixels. Groups are the connected
components of that relation: what is alike through a third picture is in one group too.
"""

import numpy as np
from scipy.ndimage import uniform_filter
from scipy.sparse.csgraph import connected_components

from insonate.analysis.models.canvas import content, resize

THUMBNAIL = 32
"""Rows and columns of a thumbnail."""

ALIKE = 0.5
"""Correlation of thumbnails over which two pictures count as near-duplicates, 0..1."""

SHIFT = 2
"""Largest shift tried, in thumbnail pixels."""


def thumbnail(picture: np.ndarray) -> np.ndarray:
    """Give a picture's thumbnail: small, without slow shading, compressed.

    Parameters
    ----------
    picture : numpy.ndarray
        (n_axial, n_lateral) brightness, 0..1.

    Returns
    -------
    numpy.ndarray
        (THUMBNAIL, THUMBNAIL) float32.
    """
    rows, columns = content(picture)
    small = np.sqrt(resize(picture[slice(*rows), slice(*columns)], (THUMBNAIL, THUMBNAIL)))
    return np.asarray(small - uniform_filter(small, 11, mode="nearest"))


def similarity(pictures: list[np.ndarray]) -> np.ndarray:
    """Correlate every picture with every other.

    Parameters
    ----------
    pictures : list of numpy.ndarray
        Brightness, 0..1, each (n_axial, n_lateral).

    Returns
    -------
    numpy.ndarray
        (n, n) the largest correlation over shifts and mirroring, -1..1.
    """
    small = np.stack([thumbnail(picture) for picture in pictures])

    def unit(stack: np.ndarray) -> np.ndarray:
        flat = stack.reshape(len(stack), -1)
        flat = flat - flat.mean(axis=1, keepdims=True)
        return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12))

    inner = slice(SHIFT, -SHIFT)
    still = unit(small[:, inner, inner])
    best = np.full((len(small), len(small)), -1.0)
    for stack in (small, small[:, :, ::-1]):
        for dy in range(-SHIFT, SHIFT + 1):
            for dx in range(-SHIFT, SHIFT + 1):
                moved = np.roll(stack, (dy, dx), axis=(1, 2))[:, inner, inner]
                best = np.maximum(best, still @ unit(moved).T)
    return np.asarray(np.maximum(best, best.T))


def groups(likeness: np.ndarray, *, threshold: float = ALIKE) -> np.ndarray:
    """Number the groups of near-duplicates.

    Parameters
    ----------
    likeness : numpy.ndarray
        (n, n) from `similarity`.
    threshold : float
        Correlation over which two pictures are near-duplicates.

    Returns
    -------
    numpy.ndarray
        (n,) int, the group of each picture.
    """
    return np.asarray(connected_components(likeness > threshold, directed=False)[1])


def folds(group: np.ndarray, n_folds: int, *, seed: int) -> np.ndarray:
    """Share whole groups out to folds of about equal size, the largest groups first.

    Parameters
    ----------
    group : numpy.ndarray
        (n,) int, the group of each picture.
    n_folds : int
        Number of folds.
    seed : int
        Decides between groups of one size.

    Returns
    -------
    numpy.ndarray
        (n,) int, the fold of each picture.
    """
    rng = np.random.default_rng(seed)
    sizes = np.bincount(group)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    load = np.zeros(n_folds, int)
    fold_of_group = np.zeros(len(sizes), int)
    for one in order:
        fold_of_group[one] = np.argmin(load)
        load[fold_of_group[one]] += sizes[one]
    return np.asarray(fold_of_group[group])
