"""Pictures that a network can learn in a minute."""

import numpy as np


def discs(n, size=32, seed=0):
    """Dark grounds (n, size, size) with a bright disc each, and masks where it is class 1."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((size, size))
    pictures = np.full((n, size, size), 0.1, np.float32)
    masks = np.zeros((n, size, size), np.uint8)
    for picture, mask in zip(pictures, masks, strict=True):
        row, column = rng.integers(8, size - 8, 2)
        inside = np.hypot(rows - row, columns - column) < 6
        picture[inside], mask[inside] = 0.9, 1
    return pictures, masks
