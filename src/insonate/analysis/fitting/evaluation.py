"""How good a segmentation is: Dice, found, missed, invented, calibration, with intervals over groups.

For one picture and one class, with P the labeled and T the true pixels,

    dice = 2 |P and T| / (|P| + |T|),    iou = |P and T| / |P or T|

*Mean Dice* is the mean over the pictures whose truth holds the class (a class missed altogether counts 0); *pooled
Dice* takes P and T over all pictures at once. A structure is a connected component (8 neighbors) of the true mask of
one class; it is **found** if at least a third of its pixels carry the right class or if one labeled component
overlaps it with an IoU of at least 0.3, else **missed**; it is **untouched** if not one of its pixels does. A labeled
component is **invented** if it touches no true pixel of its class. Components below a size floor do not count on
either side. Expected calibration error: pixels in bins of confidence, the mean of |share right - mean confidence|
weighted by the bins' size.

Intervals: 95 %, percentile bootstrap that draws whole groups of near-duplicates with replacement.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label as connected

EIGHT = np.ones((3, 3), int)
"""Neighbors of a pixel, corners included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One class in one picture."""

    present: bool
    """Whether the truth holds the class."""
    both: int
    """Pixels labeled and true."""
    labeled: int
    """Pixels labeled."""
    true: int
    """Pixels true."""
    n_true: int
    """True structures."""
    n_found: int
    """Of them found."""
    n_untouched: int
    """Of them without one labeled pixel."""
    n_labeled: int
    """Labeled components."""
    n_invented: int
    """Of them invented: no true pixel."""

    @property
    def dice(self) -> float | None:
        """Dice; None where neither the truth nor the labels hold the class."""
        total = self.labeled + self.true
        return 2 * self.both / total if total else None


def _components(mask: np.ndarray, floor: int) -> list[np.ndarray]:
    numbered, n = connected(mask, EIGHT)
    return [part for k in range(1, n + 1) if (part := numbered == k).sum() >= floor]


def tally(labeled: np.ndarray, true: np.ndarray, *, floor: int = 1) -> Tally:
    """Compare the labels of one class with the truth, in one picture.

    Parameters
    ----------
    labeled, true : numpy.ndarray
        (n_axial, n_lateral) bool.
    floor : int
        Components smaller than this do not count [pixels].

    Returns
    -------
    Tally
        Pixels and structures.
    """
    truths, labels = _components(true, floor), _components(labeled, floor)

    def found(one: np.ndarray) -> bool:
        if (labeled & one).sum() >= one.sum() / 3:
            return True
        return any((part & one).sum() >= 0.3 * (part | one).sum() for part in labels)

    return Tally(
        present=bool(true.any()),
        both=int((labeled & true).sum()),
        labeled=int(labeled.sum()),
        true=int(true.sum()),
        n_true=len(truths),
        n_found=sum(found(one) for one in truths),
        n_untouched=sum(not (labeled & one).any() for one in truths),
        n_labeled=len(labels),
        n_invented=sum(not (true & part).any() for part in labels),
    )


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom else float("nan")


MEASURES: dict[str, Callable[[Sequence[Tally]], float]] = {
    "mean_dice": lambda some: float(np.mean([t.dice or 0.0 for t in some if t.present] or [np.nan])),
    "pooled_dice": lambda some: _ratio(2 * sum(t.both for t in some), sum(t.labeled + t.true for t in some)),
    "found": lambda some: _ratio(sum(t.n_found for t in some), sum(t.n_true for t in some)),
    "missed": lambda some: _ratio(sum(t.n_true - t.n_found for t in some), sum(t.n_true for t in some)),
    "untouched": lambda some: _ratio(sum(t.n_untouched for t in some), sum(t.n_true for t in some)),
    "invented": lambda some: _ratio(sum(t.n_invented for t in some), sum(t.n_labeled for t in some)),
    "invented_per_picture": lambda some: _ratio(sum(t.n_invented for t in some), len(some)),
}
"""What is told of a class, from the tallies of all pictures."""


def measure(
    tallies: Sequence[Tally], group: np.ndarray, *, n_draws: int = 2000, seed: int = 0
) -> dict[str, list[float]]:
    """Measure a class over many pictures, with intervals.

    Parameters
    ----------
    tallies : sequence of Tally
        One per picture.
    group : numpy.ndarray
        (n,) int, the group of near-duplicates of each picture.
    n_draws : int
        Bootstrap draws.
    seed : int
        Of the draws.

    Returns
    -------
    dict
        For each of `MEASURES` [value, low, high], 95 %.
    """
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(group == one) for one in np.unique(group)]
    draws = [
        [tallies[index] for one in rng.integers(len(members), size=len(members)) for index in members[one]]
        for _ in range(n_draws)
    ]
    result = {}
    for name, rule in MEASURES.items():
        drawn = np.array([rule(draw) for draw in draws])
        drawn = drawn[~np.isnan(drawn)]
        # a class that is never labelled has no share of what was invented, in no draw
        low, high = np.percentile(drawn, [2.5, 97.5]) if drawn.size else (np.nan, np.nan)
        result[name] = [rule(tallies), float(low), float(high)]
    return result


def calibration_error(confidence: np.ndarray, right: np.ndarray, *, n_bins: int = 15) -> float:
    """Expected calibration error.

    Parameters
    ----------
    confidence : numpy.ndarray
        (n,) 0..1.
    right : numpy.ndarray
        (n,) bool, whether the label was right.
    n_bins : int
        Equal bins of confidence.

    Returns
    -------
    float
        0 (honest) to 1.
    """
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    sure = np.bincount(bins, confidence, n_bins)
    good = np.bincount(bins, right, n_bins)
    return float(np.abs(sure - good).sum() / len(confidence))


def prior(masks: np.ndarray) -> np.ndarray:
    """Give the mean mask of each class: a rule that ignores the picture.

    Parameters
    ----------
    masks : numpy.ndarray
        (n, size, size) class of each pixel.

    Returns
    -------
    numpy.ndarray
        (n_classes, size, size) share of the pictures, 0..1.
    """
    return np.stack([(masks == k).mean(axis=0) for k in range(int(masks.max()) + 1)])
