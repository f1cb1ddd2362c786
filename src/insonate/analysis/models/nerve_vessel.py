"""The network that labels nerve and vessel, asked through ONNX Runtime.

A picture is laid on a square canvas (`canvas`), made even where the card says so, asked straight and mirrored, and the mean
scores s are read as

    p = softmax(s / T),    label k = argmax over classes of (log p + b)
    confidence = sigmoid(a(k) logit(p(k)) + c(k)) x familiarity of the picture

T (temperature), b (bias), a and c (trust, one pair a label) come from pictures that the fits had not seen; b moves
the border of a structure to where Dice is best, a and c make the confidence honest among the pixels of a label.
Familiarity is near 1 for pictures like those fitted on and near 0 for others, as two judges see it, a learned one with
log odds z and the distance d of the pooled features from those of the fitted pictures, in standard deviations:

    familiarity = min(sigmoid((z - z0) / w_z), sigmoid((d0 - d) / w_d))

All these numbers stand in the card, `cards/nerve_vessel.toml`.

C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks", ICML 2017.
K. Lee, K. Lee, H. Lee, J. Shin, "A simple unified framework for detecting out-of-distribution samples and
adversarial attacks", NeurIPS 2018 (the distance).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from scipy.special import expit, logit, softmax

from insonate.analysis.models import stored
from insonate.analysis.models.canvas import content, even, from_canvas, place, to_canvas
from insonate.analysis.models.reading import PictureModel, Reading
from insonate.core import ModelVersion, Tissue

NAME = "nerve_vessel"
"""Of the model, its card and its entry in the table of weights."""

TISSUES = (Tissue.NERVE, Tissue.VESSEL)
"""Classes 1 and 2. A vessel's kind, artery or vein, is not told."""

CERTAIN = np.float32(1e-4)
"""Probabilities are kept this far from 0 and 1."""

Ask = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""From canvases (n, 1, size, size) to scores (n, 3, size, size), log odds (n,) and distances (n,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The numbers of the card that turn scores into labels and confidence."""

    size: int
    """Rows and columns of the canvas."""
    even: bool
    """Whether the canvas is made even first (`canvas.even`)."""
    temperature: float
    """Divides the scores."""
    bias: tuple[float, float, float]
    """Added to the log probabilities of none, nerve and vessel before the label is chosen."""
    trust: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    """a and c of none, nerve and vessel."""
    odds: tuple[float, float]
    """z0 and w_z of the learned judge [log odds]."""
    distance: tuple[float, float]
    """d0 and w_d of the features' distance [standard deviations]."""

    def familiarity(self, odds: float, distance: float) -> float:
        """Say how like the fitted pictures a picture is, 0..1."""
        learned = expit((odds - self.odds[0]) / self.odds[1])
        near = expit((self.distance[0] - distance) / self.distance[1])
        return float(min(learned, near))

    def decide(self, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Choose the labels, and say how far each can be trusted.

        Parameters
        ----------
        share : numpy.ndarray
            (3, n_axial, n_lateral) probability of none, nerve and vessel.

        Returns
        -------
        tuple of numpy.ndarray
            Labels (n_axial, n_lateral) uint8, and confidence like them, 0..1, of a picture wholly familiar.
        """
        bias = np.exp(np.array(self.bias, np.float32))[:, None, None]
        labels = np.argmax(share * bias, axis=0).astype(np.uint8)
        chosen = np.clip(np.take_along_axis(share, labels[None], axis=0)[0], CERTAIN, 1 - CERTAIN)
        slope, offset = np.array(self.trust, np.float32).T
        return labels, expit(slope[labels] * logit(chosen) + offset[labels])


@cache
def card() -> dict[str, Any]:
    """Give the machine-readable card: thresholds, calibration, error rates, license.

    Returns
    -------
    dict
        Tables of `cards/nerve_vessel.toml`.
    """
    return stored.card(NAME)


@cache
def weights() -> dict[str, Any]:
    """Give this model's entry in the table of weights: version, file, size, sha256, license.

    Returns
    -------
    dict
        The entry of `weights.toml`.
    """
    return stored.entry(NAME)


def _bytes() -> bytes:
    """Bytes of the weights, checked against their hash."""
    return stored.content(weights())


@cache
def _session(threads: int) -> Any:
    return stored.session(_bytes(), threads)


def ask(canvases: np.ndarray, *, threads: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ask the network about canvases as they are.

    Parameters
    ----------
    canvases : numpy.ndarray
        (n, 1, size, size) float32 brightness, 0..1.
    threads : int
        Processor threads.

    Returns
    -------
    tuple of numpy.ndarray
        Scores (n, 3, size, size), log odds of being familiar (n,), distances of the features (n,).
    """
    scores, odds, distance = _session(threads).run(None, {"picture": canvases})
    return scores, odds, distance


def shares(
    picture: np.ndarray, aspect: float, *, calibration: Calibration, ask: Ask
) -> tuple[np.ndarray, float]:
    """Give the probability of every class at every pixel, and how familiar the picture is.

    Parameters
    ----------
    picture, aspect, calibration, ask
        As of `read`.

    Returns
    -------
    tuple
        (3, n_axial, n_lateral) probability of none, nerve and vessel; familiarity, 0..1.
    """
    placement = place(picture, size=calibration.size, aspect=aspect)
    canvas = to_canvas(picture, placement)
    if calibration.even:
        canvas = even(canvas)
    scores, odds, distance = ask(np.stack([canvas, canvas[:, ::-1]])[:, None])
    mean = (scores[0] + scores[1][:, :, ::-1]) / 2
    share = from_canvas(softmax(mean / calibration.temperature, axis=0), placement, picture.shape)
    share[0] += np.maximum(0, 1 - share.sum(axis=0))  # nothing is named in a border that was cut off
    return share, calibration.familiarity(float(odds.mean()), float(distance.mean()))


def read(picture: np.ndarray, aspect: float, *, calibration: Calibration, ask: Ask) -> Reading:
    """Label one picture.

    Parameters
    ----------
    picture : numpy.ndarray
        (n_axial, n_lateral) brightness, 0..1.
    aspect : float
        Height of a pixel over its width; 1 where spacing is not known.
    calibration : Calibration
        Numbers of the card.
    ask : callable
        Gives the scores for canvases.

    Returns
    -------
    Reading
        Label 0 with confidence of the picture's familiarity where a dark border was cut off.
    """
    share, familiarity = shares(picture, aspect, calibration=calibration, ask=ask)
    labels, sure = calibration.decide(share)
    (top, bottom), (first, last) = content(picture)
    return Reading(
        labels=labels,
        confidence=np.clip(sure * familiarity, 0, 1).astype(np.float32),
        nothing=np.clip(share[0] * familiarity, 0, 1).astype(np.float32),
        familiarity=familiarity,
        n_content=(bottom - top) * (last - first),
    )


@cache
def nerve_vessel() -> PictureModel:
    """Give the model, with the thresholds of its card. The weights are read at the first picture.

    Returns
    -------
    PictureModel
        Classes nerve and vessel.
    """
    numbers = card()
    reading, gate = numbers["reading"], numbers["gate"]

    def pair(label: int) -> tuple[float, float]:
        a, c = reading["trust"][label]
        return float(a), float(c)

    calibration = Calibration(
        size=reading["size"],
        even=reading["even"],
        temperature=reading["temperature"],
        bias=tuple(reading["bias"]),
        trust=(pair(0), pair(1), pair(2)),
        odds=tuple(gate["odds"]),
        distance=tuple(gate["distance"]),
    )
    return PictureModel(
        version=ModelVersion(
            name=NAME, version=numbers["version"], confidence_threshold=reading["confidence_threshold"]
        ),
        tissues=TISSUES,
        smallest=reading["smallest"],
        read=partial(read, calibration=calibration, ask=ask),
    )
