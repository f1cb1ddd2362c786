"""The network that labels nerve and vessel, asked through ONNX Runtime.

A picture is laid on a square canvas (`canvas`), made even where the card says so, asked straight and mirrored, and the mean
scores s are read as

    p = softmax(s / T),    label k = argmax over classes of (log p + b)

Where the card says so, it is asked about the four corners as well, each as large on the canvas as the whole was, and p is
the mean of both answers: what is small in the whole is larger there. And

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

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from scipy.special import expit, logit, softmax

from insonate.analysis.models import stored
from insonate.analysis.models.canvas import Placement, content, even, from_canvas, place, to_canvas
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
    corner: float
    """Height and width of a corner over those of the picture's content, 0.5..1; 1 where corners are not asked about."""
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
    parts = [(slice(None), slice(None)), *corners(picture, calibration.corner)]
    placements = [place(picture[part], size=calibration.size, aspect=aspect) for part in parts]
    laid = [to_canvas(picture[part], at) for part, at in zip(parts, placements, strict=True)]
    canvases = np.stack([even(canvas) for canvas in laid] if calibration.even else laid)
    both = np.stack([canvases, canvases[:, :, ::-1]], axis=1).reshape(-1, 1, *canvases.shape[1:])
    scores, odds, distance = ask(both)
    mean = (scores[::2] + scores[1::2, :, :, ::-1]) / 2
    share = softmax(mean / calibration.temperature, axis=1)
    back = [
        laid_back(said, placement, picture[part].shape)
        for said, placement, part in zip(share, placements, parts, strict=True)
    ]
    whole = together(back[0], parts[1:], back[1:])
    # how familiar a picture is, is a matter of the whole of it
    return whole, calibration.familiarity(float(odds[:2].mean()), float(distance[:2].mean()))


def corners(picture: np.ndarray, size: float) -> list[tuple[slice, slice]]:
    """Give the four corners of a picture's content, which overlap in its middle.

    Parameters
    ----------
    picture : numpy.ndarray
        (n_axial, n_lateral) brightness, 0..1.
    size : float
        Height and width of a corner over those of the content, 0.5..1.

    Returns
    -------
    list of (slice, slice)
        Rows and columns; none where `size` is 1.
    """
    if size >= 1:
        return []
    (top, bottom), (first, last) = content(picture)
    high, wide = (max(int(size * whole), 1) for whole in (bottom - top, last - first))
    return [
        (slice(row, row + high), slice(column, column + wide))
        for row in (top, bottom - high)
        for column in (first, last - wide)
    ]


def laid_back(share: np.ndarray, placement: Placement, shape: tuple[int, ...]) -> np.ndarray:
    """Bring probabilities from the canvas back to a picture's pixels; nothing is named in a border that was cut off.

    Parameters
    ----------
    share : numpy.ndarray
        (3, size, size) probability of none, nerve and vessel.
    placement : Placement
        How the picture was laid.
    shape : tuple of int
        Of the picture.

    Returns
    -------
    numpy.ndarray
        (3, *shape) float32.
    """
    back = from_canvas(share, placement, (shape[0], shape[1]))
    back[0] += np.maximum(0, 1 - back.sum(axis=0))
    return back


def together(
    whole: np.ndarray, parts: Sequence[tuple[slice, slice]], said: Sequence[np.ndarray]
) -> np.ndarray:
    """Give the mean of what was said of a picture and of its parts.

    Parameters
    ----------
    whole : numpy.ndarray
        (3, n_axial, n_lateral) probability of none, nerve and vessel.
    parts : sequence of (slice, slice)
        Rows and columns of each part.
    said : sequence of numpy.ndarray
        Of each part, like `whole`.

    Returns
    -------
    numpy.ndarray
        Like `whole`; where no part lies, `whole` itself.
    """
    near, times = np.zeros_like(whole), np.zeros(whole.shape[1:], np.float32)
    for part, one in zip(parts, said, strict=True):
        near[:, *part] += one
        times[part] += 1
    return np.where(times > 0, (whole + near / np.maximum(times, 1)) / 2, whole)


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
        corner=reading["corner"],
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
