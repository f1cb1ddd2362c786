"""Fluid that was just injected looks like a vessel: dark and round. It is told apart by where and when it appeared.

    reach = r0 + sqrt(V / (pi L))

A part that is labelled a vessel is the operator's own injectate where (1) its nearest pixel lies within `reach` of the tip,
with V the volume given and L the length along which it spreads, and (2) no vessel lay there in any picture before the
injection that was taken with the probe held as it is now. What is found comes back as not known, never as clear: a vessel
may hide in fluid. Fluid that has run up to a vessel of before stays that vessel: where it ends is not known. Without a
picture of before, or with the probe moved or pressed otherwise, nothing is told apart, and the vessel stands.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.ndimage import binary_dilation

from insonate.core import Grid, Segmentation
from insonate.core.checks import check_range
from insonate.core.units import CubicMeters, Meters

AT_LEAST: Meters = 3e-3
"""r0: the tip's own spread and the outline's; a design assumption [m]."""

SPREAD: Meters = 20e-3
"""L: fluid spreads along planes, so far about; a design assumption [m]."""

BORDER: Meters = 1e-3
"""A vessel of before may have moved so far: tissue gives way [m]."""

SAME = 0.1
"""Share of a part that may overlap a vessel of before and still be new."""


def vessels(segmentation: Segmentation) -> np.ndarray:
    """Tell where any vessel is labelled, sure or not.

    Parameters
    ----------
    segmentation : Segmentation
        Of one frame.

    Returns
    -------
    numpy.ndarray
        (n_axial, n_lateral) bool.
    """
    numbers = [k for k, one in enumerate(segmentation.structures, start=1) if one.tissue.is_vessel]
    return np.asarray(np.isin(segmentation.labels[0], numbers))


def injectate(
    segmentation: Segmentation,
    before: np.ndarray,
    tips: Sequence[tuple[Meters, Meters]],
    volume: CubicMeters,
) -> np.ndarray:
    """Find what is labelled a vessel and is the fluid that was given.

    Parameters
    ----------
    segmentation : Segmentation
        Of one frame, on a `Grid`.
    before : numpy.ndarray
        (n_axial, n_lateral) bool, where vessels were labelled before anything was given, with the probe where it is now.
    tips : sequence of (float, float)
        Where the needle's tip was while it was given, down and to the right [m]; all of it may have gone to any of them.
    volume : float
        Given so far [m^3].

    Returns
    -------
    numpy.ndarray
        (n_axial, n_lateral) bool; nowhere on another kind of grid, or if nothing was given.
    """
    check_range("volume", volume, (0, 1e-3), "m^3", hint="milliliters?")
    nowhere = np.zeros(segmentation.grid.shape, bool)
    grid = segmentation.grid
    if not isinstance(grid, Grid) or volume <= 0 or before.shape != nowhere.shape or not tips:
        return nowhere
    reach = AT_LEAST + math.sqrt(volume / (math.pi * SPREAD))
    axial, lateral = np.array(tips, float).T
    steps = max(round(BORDER / float(grid.axial[1] - grid.axial[0])), 1)
    there = binary_dilation(before, iterations=steps)
    found = nowhere
    for number, structure in enumerate(segmentation.structures, start=1):
        if not structure.tissue.is_vessel:
            continue
        part = segmentation.mask(number)
        rows, columns = np.nonzero(part)
        if len(rows) == 0:
            continue
        away = np.hypot(
            grid.axial[rows][:, None] - axial, grid.lateral[columns][:, None] - lateral
        )  # of its pixels from each tip: a vessel is a small part of a picture
        if away.min() <= reach and there[rows, columns].mean() <= SAME:
            found = found | part
    return found


def without(segmentation: Segmentation, found: np.ndarray) -> Segmentation:
    """Give the same without the fluid: its pixels are no structure, and not known.

    Parameters
    ----------
    segmentation : Segmentation
        Of one frame.
    found : numpy.ndarray
        (n_axial, n_lateral) bool.

    Returns
    -------
    Segmentation
        The same one where nothing was found.
    """
    if not found.any():
        return segmentation
    labels, confidence = segmentation.labels.copy(), segmentation.confidence.copy()
    labels[0][found] = 0
    confidence[0][found] = 0.0
    return replace(segmentation, labels=labels, confidence=confidence)
