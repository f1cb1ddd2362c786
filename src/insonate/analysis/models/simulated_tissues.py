"""The network that names what lies in simulated pictures; it has seen no real one and must never read one.

A picture is laid on a square canvas (`canvas`) and its scores s are read as

    p = softmax(s / T),    label k = argmax p,    confidence = sigmoid(a(k) logit(p(k)) + c(k))

T, a and c come from simulated individuals that the fit had not seen. Skin, fat, muscle and fluid are told apart within the
network, but are no structures: they come back as label 0, "no structure named here", as sure as their p together. What the
network misses is unknown: a card gives its rates, and nothing that it did not name is clear for that.

All these numbers stand in the card, `cards/simulated_tissues.toml`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from scipy.special import expit, logit, softmax

from insonate.analysis.models import stored
from insonate.analysis.models.canvas import from_canvas, place, to_canvas
from insonate.analysis.models.reading import PictureModel, Reading
from insonate.core import ModelVersion, Tissue

NAME = "simulated_tissues"
"""Of the model, its card and its entry in the table of weights."""

GROUND = (Tissue.SKIN, Tissue.FAT, Tissue.MUSCLE, Tissue.FLUID)
"""What a needle goes through and what it leaves: no structures."""

SEEN = 0.1
"""A structure whose probability reaches this nowhere in a picture is left out, so that less has to be brought back."""

CERTAIN = np.float32(1e-4)
"""Probabilities are kept this far from 0 and 1."""

Ask = Callable[[np.ndarray], np.ndarray]
"""From canvases (n, 1, size, size) to scores (n, n_classes, size, size)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The numbers of the card that turn scores into labels and confidence."""

    size: int
    """Rows and columns of the canvas."""
    temperature: float
    """Divides the scores."""
    classes: tuple[Tissue, ...]
    """What classes 1, 2, … are; class 0 is nothing."""
    trust: tuple[tuple[float, float], ...]
    """a and c of label 0 and of each of `named`."""

    @property
    def named(self) -> tuple[Tissue, ...]:
        """What labels 1, 2, … are: the classes that are structures."""
        return tuple(tissue for tissue in self.classes if tissue not in GROUND)

    def grouped(self, share: np.ndarray) -> np.ndarray:
        """Sum the probabilities of nothing and ground, and keep the rest.

        Parameters
        ----------
        share : numpy.ndarray
            (n_classes, n_axial, n_lateral).

        Returns
        -------
        numpy.ndarray
            (1 + len(named), n_axial, n_lateral).
        """
        named = [k for k, tissue in enumerate(self.classes, start=1) if tissue not in GROUND]
        rest = [k for k in range(len(share)) if k not in named]
        return np.concatenate([share[rest].sum(axis=0, keepdims=True), share[named]])

    def trusted(self, labels: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Say how far labels can be trusted.

        Parameters
        ----------
        labels : numpy.ndarray
            Of any shape, 0 to len(named).
        chosen : numpy.ndarray
            Like `labels`: the probability of each label, 0..1.

        Returns
        -------
        numpy.ndarray
            Confidence, 0..1.
        """
        slope, offset = np.array(self.trust, np.float32).T
        z = logit(np.clip(chosen, CERTAIN, 1 - CERTAIN))
        return np.asarray(expit(slope[labels] * z + offset[labels]), np.float32)


@cache
def _session(threads: int) -> Any:
    return stored.session(stored.content(stored.entry(NAME)), threads)


def ask(canvases: np.ndarray, *, threads: int = 1) -> np.ndarray:
    """Ask the network about canvases as they are.

    Parameters
    ----------
    canvases : numpy.ndarray
        (n, 1, size, size) float32 brightness, 0..1.
    threads : int
        Processor threads.

    Returns
    -------
    numpy.ndarray
        Scores (n, n_classes, size, size).
    """
    (scores,) = _session(threads).run(None, {"picture": canvases})
    return np.asarray(scores)


def shares(picture: np.ndarray, aspect: float, *, calibration: Calibration, ask: Ask) -> np.ndarray:
    """Give the probability of every class at every pixel.

    Parameters
    ----------
    picture : numpy.ndarray
        (n_axial, n_lateral) brightness, 0..1.
    aspect : float
        Height of a pixel over its width.
    calibration : Calibration
        Numbers of the card.
    ask : callable
        Gives the scores for canvases.

    Returns
    -------
    numpy.ndarray
        (n_classes, n_axial, n_lateral); all of class 0 in a border that was cut off.
    """
    placement = place(picture, size=calibration.size, aspect=aspect)
    scores = ask(to_canvas(picture, placement)[None, None])[0]
    share = from_canvas(softmax(scores / calibration.temperature, axis=0), placement, picture.shape)
    share[0] += np.maximum(0, 1 - share.sum(axis=0))
    return share


def read(picture: np.ndarray, aspect: float, *, calibration: Calibration, ask: Ask) -> Reading:
    """Label one simulated picture.

    Parameters
    ----------
    picture : numpy.ndarray
        (n_axial, n_lateral) brightness, 0..1.
    aspect : float
        Height of a pixel over its width.
    calibration : Calibration
        Numbers of the card.
    ask : callable
        Gives the scores for canvases.

    Returns
    -------
    Reading
        Label k is `calibration.named[k - 1]`. Familiarity is 1: the source says that it is simulated, nothing is judged.
    """
    placement = place(picture, size=calibration.size, aspect=aspect)
    scores = ask(to_canvas(picture, placement)[None, None])[0]
    small = calibration.grouped(softmax(scores / calibration.temperature, axis=0))
    there = np.flatnonzero(small.max(axis=(1, 2)) >= SEEN)
    there = np.concatenate([[0], there[there > 0]])  # all others are nowhere the most likely
    share = np.zeros((len(there), *picture.shape), np.float32)
    if len(there) > 1:
        share[1:] = from_canvas(small[there[1:]], placement, picture.shape)
    share[0] = np.maximum(0, 1 - share[1:].sum(axis=0))
    chosen = share.max(axis=0)
    labels = np.zeros(picture.shape, np.uint8)
    for number, plane in zip(
        there[:0:-1], share[:0:-1], strict=True
    ):  # where two are alike, the first of them
        labels[plane == chosen] = number
    labels[share[0] == chosen] = 0
    nothing = calibration.trusted(np.zeros(1, np.uint8), share[0])
    confidence = nothing.copy()  # that of all but the structures, which are few
    of = labels > 0
    confidence[of] = calibration.trusted(labels[of], chosen[of])
    return Reading(
        labels=labels,
        confidence=confidence,
        nothing=nothing,
        familiarity=1.0,
        n_content=picture.size,
    )


@cache
def calibration() -> Calibration:
    """Give the numbers of the card that turn scores into labels."""
    reading = stored.card(NAME)["reading"]
    return Calibration(
        size=reading["size"],
        temperature=reading["temperature"],
        classes=tuple(Tissue(word) for word in reading["classes"]),
        trust=tuple((float(a), float(c)) for a, c in reading["trust"]),
    )


@cache
def simulated_tissues() -> PictureModel:
    """Give the model, with the thresholds of its card. The weights are read at the first picture.

    Returns
    -------
    PictureModel
        For pictures of simulated sources alone.
    """
    table = stored.card(NAME)
    return PictureModel(
        version=ModelVersion(
            name=NAME,
            version=table["version"],
            confidence_threshold=table["reading"]["confidence_threshold"],
        ),
        tissues=calibration().named,
        smallest=table["reading"]["smallest"],
        read=partial(read, calibration=calibration(), ask=ask),
        only_simulated=True,
    )
