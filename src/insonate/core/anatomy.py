"""What is seen: kinds of tissue, named structures, and where each lies in an image."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from insonate.core.checks import check_axes, check_count, check_kind, check_range, frame_times, frozen
from insonate.core.errors import AxesError, InputError, RangeError
from insonate.core.grid import Grid, PixelGrid, PolarGrid


class Tissue(Enum):
    """Kinds of tissue that ultrasound tells apart."""

    SKIN = "skin"
    FAT = "fat"
    MUSCLE = "muscle"
    FASCIA = "fascia"
    NERVE = "nerve"
    ARTERY = "artery"
    VEIN = "vein"
    VESSEL = "vessel"
    TENDON = "tendon"
    LIGAMENT = "ligament"
    CARTILAGE = "cartilage"
    BONE = "bone"
    BURSA = "bursa"
    SYNOVIUM = "synovium"
    FLUID = "fluid"
    PLEURA = "pleura"
    PERITONEUM = "peritoneum"
    LYMPH_NODE = "lymph node"

    @property
    def is_vessel(self) -> bool:
        """Whether blood flows in it: artery, vein, or a vessel whose kind is not known."""
        return self in (Tissue.ARTERY, Tissue.VEIN, Tissue.VESSEL)


class Side(Enum):
    """Side of the body."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """One thing in the body, as far as it is known."""

    name: str
    """Its proper name ("femoral nerve") where a stated rule or a person gave one, else the word for its tissue."""
    tissue: Tissue
    """What it is made of."""
    code: str | None = None
    """SNOMED CT code of the structure; None where not known."""
    side: Side | None = None
    """Side of the body; None where not known."""
    instance: int = 1
    """Counts structures of one name in one image, from 1."""
    named_by: str | None = None
    """The rule or person that gave a proper name, with its error rate; None where the name is only the tissue's."""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError("Structure.name must not be empty, got ''")
        check_count("Structure.instance", self.instance, (1, 255), "of its name")
        if self.named_by is None and self.name != self.tissue.value:
            raise InputError(
                f"Structure.name must be the tissue's own word '{self.tissue.value}' unless a rule or person named it, "
                f"got '{self.name}' with named_by None"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """Which model said so."""

    name: str
    """Name of the model."""
    version: str
    """Version of its weights."""
    confidence_threshold: float
    """Below this confidence a pixel counts as not known, 0..1."""

    def __post_init__(self) -> None:
        check_range(
            "ModelVersion.confidence_threshold", self.confidence_threshold, (0, 1), "1", hint="percent?"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segmentation:
    """Where structures lie in an image, and how sure that is."""

    labels: np.ndarray
    """(n_frames, n_axial, n_lateral) uint8; 0 is "no structure named here", k is `structures[k - 1]`."""
    structures: tuple[Structure, ...]
    """The structures that labels 1, 2, … stand for."""
    confidence: np.ndarray
    """Like `labels`, float32, 0..1: that the pixel's label is right. Under the model's threshold: not known."""
    grid: Grid | PolarGrid | PixelGrid
    """Where the pixels lie."""
    times: np.ndarray | None
    """(n_frames,) [s]; None where not known."""
    model: ModelVersion
    """Which model or person said so."""

    def __post_init__(self) -> None:
        check_axes("Segmentation.labels", self.labels, "frame axial lateral")
        check_axes("Segmentation.confidence", self.confidence, "frame axial lateral")
        check_kind("Segmentation.labels", self.labels, ("uint8",))
        check_kind("Segmentation.confidence", self.confidence, ("float32",))
        if len(self.labels) == 0:
            raise AxesError(
                f"Segmentation.labels must hold at least one frame, got shape {self.labels.shape}"
            )
        if self.labels.shape[1:] != self.grid.shape:
            raise AxesError(
                f"Segmentation.labels must have {self.grid.shape[0]} x {self.grid.shape[1]} pixels as its grid, got "
                f"shape {self.labels.shape}"
            )
        if self.confidence.shape != self.labels.shape:
            raise AxesError(
                f"Segmentation.confidence must be like labels {self.labels.shape}, got shape {self.confidence.shape}"
            )
        object.__setattr__(self, "structures", tuple(self.structures))
        if len(self.structures) > 255 or int(self.labels.max()) > len(self.structures):
            raise RangeError(
                f"Segmentation.labels must not exceed its {len(self.structures)} structures, got "
                f"{int(self.labels.max())}"
            )
        # min and max are NaN where any value is, and NaN fails the comparison
        if not (self.confidence.min() >= 0 and self.confidence.max() <= 1):
            raise RangeError(
                f"Segmentation.confidence must lie in 0..1, got {self.confidence.min():g}..{self.confidence.max():g} "
                "(percent?)"
            )
        object.__setattr__(self, "times", frame_times("Segmentation.times", self.times, len(self.labels)))
        object.__setattr__(self, "labels", frozen(self.labels))
        object.__setattr__(self, "confidence", frozen(self.confidence))

    def known(self) -> np.ndarray:
        """Where the label can be relied on, structure or none.

        Returns
        -------
        numpy.ndarray
            Like `labels`, bool: confidence is at least the model's threshold.
        """
        return self.confidence >= self.model.confidence_threshold

    def mask(self, label: int, frame: int = 0) -> np.ndarray:
        """Where one structure lies in one frame.

        Parameters
        ----------
        label : int
            1 to the number of structures.
        frame : int
            Index of the frame.

        Returns
        -------
        numpy.ndarray
            (n_axial, n_lateral) bool.

        Raises
        ------
        RangeError
            If there is no such structure or frame.
        """
        check_count("label", label, (1, max(len(self.structures), 1)), "structures")
        check_count("frame", frame, (0, len(self.labels) - 1), "frames from 0")
        return np.asarray(self.labels[frame] == label)
