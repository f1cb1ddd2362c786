"""A nerve block or injection as a plan: what to reach, what not to touch, and how near is allowed."""

from dataclasses import dataclass
from enum import Enum

from insonate.core.anatomy import Tissue
from insonate.core.checks import check_count, check_range
from insonate.core.errors import InputError


class TargetKind(Enum):
    """How the needle relates to what is aimed at."""

    AROUND = "around"
    PLANE = "plane"
    SPACE = "space"
    POINT = "point"


class Approach(Enum):
    """How the needle lies to the image plane."""

    IN_PLANE = "in-plane"
    OUT_OF_PLANE = "out-of-plane"


class Review(Enum):
    """Whether a clinician has checked the facts."""

    NOT_REVIEWED = "not reviewed by a clinician"
    REVIEWED = "reviewed by a clinician"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """A number with where it comes from."""

    value: float
    """In the SI unit of the field that holds it."""
    source: str
    """Page, paper or derivation."""
    evidence: str
    """Tag: S-nnn read in a page, M from memory to be verified, U uncertain, C computed, D design assumption."""

    def __post_init__(self) -> None:
        if not self.source.strip() or not self.evidence.strip():
            raise InputError(
                f"a clinical number needs its source and evidence tag, got {self.value:g} with source {self.source!r} "
                f"and evidence {self.evidence!r}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the needle is to reach."""

    kind: TargetKind
    """Around a structure, a plane between two, a space, or a point on bone."""
    structures: tuple[str, ...]
    """Names of the structures that define it."""
    tissue: Tissue
    """Their tissue."""
    standoff: Sourced
    """Distance from the structure's boundary to where the tip should come to rest [m]."""
    together: Sourced | None = None
    """What of its tissue, without a name of its own, lies so near to it belongs to it, as the nerves of a plexus do, and so
    on from one to the next; None where nothing does [m]."""

    def __post_init__(self) -> None:
        if not self.structures:
            raise InputError("Target.structures must name at least one structure, got none")
        check_range("Target.standoff", self.standoff.value, (0, 0.05), "m", hint="millimeters?")
        if self.together is not None:
            check_range("Target.together", self.together.value, (0, 0.02), "m", hint="millimeters?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """What the needle must not touch."""

    structure: str
    """Name of the structure."""
    tissue: Tissue
    """Its tissue."""
    margin: Sourced
    """Distance that must be kept from its boundary [m]."""

    def __post_init__(self) -> None:
        check_range("Hazard.margin", self.margin.value, (0, 0.05), "m", hint="millimeters?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """By what a structure is told from others of its tissue: it bears its name only where all of this holds."""

    structure: str
    """Name of the structure."""
    tissue: Tissue
    """Its tissue."""
    diameter: tuple[Sourced, Sourced]
    """Smallest and largest, of a circle of its area; it is the only one of its tissue between them [m]."""
    between: tuple[str, ...]
    """A name, and a name or a tissue: it lies between both, about on a line; empty where that is no part of it."""
    beyond: tuple[str, ...]
    """Two names: it lies further on, seen from the first past the second; empty where that is no part of it."""
    above: tuple[Tissue, ...]
    """Tissues that lie below its middle."""
    measured: str
    """How often it was right, on what, as one sentence."""

    def __post_init__(self) -> None:
        low, high = (number.value for number in self.diameter)
        check_range("Sign.diameter", low, (0, 0.1), "m", hint="millimeters?")
        check_range("Sign.diameter", high, (low, 0.1), "m", hint="millimeters?")
        for name, pair in (("between", self.between), ("beyond", self.beyond)):
            if pair and len(pair) != 2:
                raise InputError(f"Sign.{name} must name two, got {', '.join(pair)}")
        if not (self.between or self.beyond or self.above):
            raise InputError(
                f"Sign of {self.structure} must say where it lies: size alone tells no structure"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """The needle a procedure calls for."""

    gauge: int
    """A name, not a size."""
    diameter: Sourced
    """Outer diameter [m]."""
    length: Sourced
    """Usable length [m]."""

    def __post_init__(self) -> None:
        check_count("Needle.gauge", self.gauge, (14, 34), "gauge")
        check_range("Needle.diameter", self.diameter.value, (1e-4, 3e-3), "m", hint="millimeters?")
        check_range("Needle.length", self.length.value, (0.01, 0.3), "m", hint="millimeters?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Injectate:
    """How much is usually injected. A reference, never an order."""

    volume: tuple[Sourced, Sourced]
    """Usual range for an adult, one side, single injection [m3]."""

    def __post_init__(self) -> None:
        low, high = (number.value for number in self.volume)
        check_range("Injectate.volume", low, (0, 2e-4), "m3", hint="milliliters?")
        check_range("Injectate.volume", high, (low, 2e-4), "m3", hint="milliliters?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One block or injection, each number with its source."""

    id: str
    """Stable key of the catalog, such as "LL01"."""
    name: str
    """Standard name."""
    target: Target
    """What to reach."""
    hazards: tuple[Hazard, ...]
    """What not to touch."""
    view: str
    """Where the probe lies and what is seen there, in words."""
    landmarks: tuple[str, ...]
    """Structures to find first, in order."""
    approach: Approach
    """In-plane or out-of-plane."""
    direction: str
    """Usual direction of the needle, in words."""
    depth: tuple[Sourced, Sourced]
    """Usual depth of the target below the skin, adult of normal build [m]."""
    angle_limit: Sourced
    """Steepest angle to the skin at which the shaft is planned [rad]."""
    needle: Needle
    """The needle."""
    injectate: Injectate
    """Usual volume."""
    warnings: tuple[str, ...]
    """What can go wrong, in words."""
    review: Review
    """Whether a clinician has checked it."""
    sources: tuple[str, ...]
    """Pages and papers, as text."""
    signs: tuple[Sign, ...] = ()
    """By what structures are told in the picture, in the order in which they are looked for."""

    def __post_init__(self) -> None:
        if not self.hazards:
            raise InputError(f"Procedure {self.id} must name its hazards, got none")
        low, high = (number.value for number in self.depth)
        check_range("Procedure.depth", low, (0, 0.3), "m", hint="centimeters?")
        check_range("Procedure.depth", high, (low, 0.3), "m", hint="centimeters?")
        check_range("Procedure.angle_limit", self.angle_limit.value, (0.05, 1.6), "rad", hint="degrees?")
