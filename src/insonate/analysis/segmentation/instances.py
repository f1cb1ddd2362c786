"""From a map of classes to separate structures, and the same structure under the same number in the next frame.

A structure is a connected component of one class (8 neighbors). From frame to frame, components are joined to the
structures of the last frame in which these were seen, largest overlap (intersection over union) first; a component
that overlaps none gets the smallest number that is free.
"""

import numpy as np
from scipy.ndimage import label as connected

EIGHT = np.ones((3, 3), int)
"""Neighbors of a pixel, corners included."""

MOST = 24
"""Structures of one class in one frame; the smallest beyond it are dropped."""

SAME = 0.1
"""Overlap from which a component is the structure of an earlier frame, 0..1."""


def components(mask: np.ndarray, *, floor: float) -> list[np.ndarray]:
    """Split a class into its connected components, the largest first.

    Parameters
    ----------
    mask : numpy.ndarray
        (n_axial, n_lateral) bool.
    floor : float
        Components smaller than this are left out [pixels].

    Returns
    -------
    list of numpy.ndarray
        Masks like the one that came; at most `MOST`.
    """
    numbered, _ = connected(mask, EIGHT)
    sizes = np.bincount(numbered.ravel())[1:]
    order = np.argsort(-sizes, kind="stable")[:MOST]
    return [numbered == index + 1 for index in order if sizes[index] >= floor]


class Instances:
    """Numbers the structures of one class through the frames of an image; it remembers where each was seen last."""

    def __init__(self) -> None:
        self._last: dict[int, np.ndarray] = {}

    def number(self, parts: list[np.ndarray]) -> list[int]:
        """Give each component of the next frame its number, from 1.

        Parameters
        ----------
        parts : list of numpy.ndarray
            From `components`.

        Returns
        -------
        list of int
            One for each, all different.
        """
        overlaps = sorted(
            (
                (float((part & seen).sum() / (part | seen).sum()), -number, index)
                for index, part in enumerate(parts)
                for number, seen in self._last.items()
            ),
            reverse=True,
        )
        given: dict[int, int] = {}
        for overlap, negative, index in overlaps:
            if overlap >= SAME and index not in given and -negative not in given.values():
                given[index] = -negative
        for index in range(len(parts)):
            if index not in given:
                given[index] = min(set(range(1, len(parts) + 1)) - set(given.values()))
        self._last |= {given[index]: part for index, part in enumerate(parts)}
        return [given[index] for index in range(len(parts))]
