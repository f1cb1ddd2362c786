"""From scores on pictures not seen to honest probabilities, and to the border where Dice is best.

Temperature: the T for which softmax(s / T) gives the truth the highest mean log probability. Bias: what is added to the
log probability of each class before the label is chosen, searched on a grid for the best mean Dice. Trust: for the
pixels that got one label, the line a logit(p) + c whose sigmoid is nearest to whether the label was right (logistic
regression), so that a label's confidence is honest among the pixels that carry it.

C. Gupta, A. Ramdas, "Top-label calibration and multiclass-to-binary reductions", ICLR 2022.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_expit, log_softmax, logit


def temperature(scores: Sequence[np.ndarray], masks: Sequence[np.ndarray]) -> float:
    """Find the temperature.

    Parameters
    ----------
    scores : sequence of numpy.ndarray
        (n_classes, rows, columns) of each picture, on its content only.
    masks : sequence of numpy.ndarray
        (rows, columns) true class.

    Returns
    -------
    float
        Over 1 if the scores were too sure.
    """
    flat = np.concatenate([s.reshape(len(s), -1)[:, ::5] for s in scores], axis=1).astype(np.float32)
    true = np.concatenate([m.ravel()[::5] for m in masks]).astype(int)

    def cost(log_t: float) -> float:
        return -float(
            np.take_along_axis(log_softmax(flat / np.exp(log_t), axis=0), true[None], axis=0).mean()
        )

    return float(np.exp(minimize_scalar(cost, bounds=(-1, 2), method="bounded").x))


def bias(
    scores: Sequence[np.ndarray], masks: Sequence[np.ndarray], t: float, *, grid: Sequence[float]
) -> tuple[float, float, float]:
    """Find the bias of none, nerve and vessel.

    Parameters
    ----------
    scores, masks : sequence of numpy.ndarray
        As for `temperature`.
    t : float
        The temperature.
    grid : sequence of float
        Values tried for nerve and for vessel.

    Returns
    -------
    (float, float, float)
        0 for none, and the pair whose sum of mean Dice is largest.
    """
    logs = [log_softmax(s.astype(np.float32) / t, axis=0) for s in scores]

    def quality(pair: tuple[float, float]) -> float:
        moved = np.array([0, *pair], np.float32)[:, None, None]
        dice: list[list[float]] = [[], []]
        for log, mask in zip(logs, masks, strict=True):
            labels = np.argmax(log + moved, axis=0)
            for k in (1, 2):
                true, labeled = mask == k, labels == k
                if true.any():
                    dice[k - 1].append(2 * float((true & labeled).sum()) / float(true.sum() + labeled.sum()))
        return float(sum(np.mean(one) for one in dice if one))

    best = max(product(grid, grid), key=quality)
    return (0.0, float(best[0]), float(best[1]))


STEEPEST = 20.0
"""Slope and offset of trust stay within this: few pixels would else lead anywhere."""

CERTAIN = 1e-4
"""Probabilities are kept this far from 0 and 1."""


def trust(probability: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Find how far the probabilities of one label's pixels can be trusted.

    Parameters
    ----------
    probability : numpy.ndarray
        (n,) of the label that was given, 0..1.
    right : numpy.ndarray
        (n,) bool, whether it was right.

    Returns
    -------
    (float, float)
        a and c; (1, 0) would be honest already.
    """
    odds = logit(np.clip(probability.astype(float), CERTAIN, 1 - CERTAIN))

    def cost(line: np.ndarray) -> float:
        z = line[0] * odds + line[1]
        return -float(np.where(right, log_expit(z), log_expit(-z)).mean())

    a, c = minimize(
        cost,
        np.array([1.0, 0.0]),
        method="Nelder-Mead",
        bounds=((0, STEEPEST), (-STEEPEST, STEEPEST)),  # surer is never less right
        options={"xatol": 1e-3, "fatol": 1e-7},
    ).x
    return float(a), float(c)
