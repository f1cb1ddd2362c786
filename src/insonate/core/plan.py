"""What could be done in one picture: the target, every hazard known or unknown, and the paths, best first."""

from dataclasses import dataclass

from insonate.core.anatomy import Tissue
from insonate.core.checks import check_range
from insonate.core.errors import InputError
from insonate.core.needle_path import NeedlePath
from insonate.core.units import Meters


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardSighting:
    """One thing not to touch, and whether the picture shows it."""

    structure: str
    """Name of the hazard as the procedure has it, or of a further structure in the picture."""
    tissue: Tissue
    """Its tissue."""
    margin: Meters
    """Distance that must be kept [m]."""
    label: int | None
    """Its label in the segmentation; None where it is not known where it lies."""
    reason: str
    """How it is known, or why it is not, as one sentence."""
    belongs: bool = False
    """Whether it belongs to the target, as another nerve of a plexus does: it is to be neared, not touched."""

    def __post_init__(self) -> None:
        check_range("HazardSighting.margin", self.margin, (0, 0.05), "m", hint="millimeters?")

    @property
    def known(self) -> bool:
        """Whether it is known where it lies."""
        return self.label is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Needle paths for one procedure in one picture."""

    procedure: str
    """Id of the procedure."""
    target: int | None
    """Label of the target in the segmentation; None where it was not found."""
    hazards: tuple[HazardSighting, ...]
    """Every hazard of the procedure, known or not, and every further structure in the picture."""
    paths: tuple[NeedlePath, ...]
    """Best first; empty where there is none."""
    reason: str
    """Why the first path is first, or why there is none, as one sentence."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hazards", tuple(self.hazards))
        object.__setattr__(self, "paths", tuple(self.paths))
        if self.paths and self.target is None:
            raise InputError(f"Plan cannot hold {len(self.paths)} paths without a target")
        if [path.rank for path in self.paths] != list(range(1, len(self.paths) + 1)):
            raise InputError(f"Plan.paths must be ranked 1, 2, …, got {[path.rank for path in self.paths]}")

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of the hazards that are not known."""
        return tuple(hazard.structure for hazard in self.hazards if not hazard.known)
