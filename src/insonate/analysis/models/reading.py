"""What a network for pictures says about one picture, whatever network it is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from insonate.core import ModelVersion, Tissue


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """Class and confidence of every pixel of one picture."""

    labels: np.ndarray
    """(n_axial, n_lateral) uint8; 0 is none of the classes, k is `PictureModel.tissues[k - 1]`."""
    confidence: np.ndarray
    """Like `labels`, float32, 0..1: that the label is right."""
    nothing: np.ndarray
    """Like `confidence`: that label 0 is right, whatever the label."""
    familiarity: float
    """How like the pictures the network was fitted on this one is, 0..1; already in the confidence."""
    n_content: int
    """Pixels of the picture without its dark borders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureModel:
    """A network that reads pictures, and what must be known to use what it says."""

    version: ModelVersion
    """Its name, version and threshold of confidence."""
    tissues: tuple[Tissue, ...]
    """What the classes 1, 2, … are."""
    smallest: float
    """Share of a picture's content below which a connected component is not taken for a structure, 0..1."""
    read: Callable[[np.ndarray, float], Reading]
    """From (n_axial, n_lateral) brightness 0..1 and the height of a pixel over its width to a `Reading`."""
    only_simulated: bool = False
    """Whether it may read pictures of sources marked SIMULATED alone."""
