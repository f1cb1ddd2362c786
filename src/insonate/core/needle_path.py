"""A straight way for the needle, with all that is known and not known along it."""

from dataclasses import dataclass

from insonate.core.checks import check_count, check_range
from insonate.core.clearance import Clearance
from insonate.core.errors import InputError
from insonate.core.units import Radians


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedlePath:
    """One planned straight path in the image plane."""

    entry: tuple[float, float]
    """Where the needle passes the skin: (axial, lateral) in the image [`unit`]."""
    target: tuple[float, float]
    """Where the tip comes to rest: (axial, lateral) in the image [`unit`]."""
    unit: str
    """"m", or "px" where spacing is not known."""
    length: float
    """From entry to target [`unit`]."""
    angle: Radians
    """Between needle and skin line, 0 along the skin [rad]."""
    aims_at: str
    """Name of the structure it leads to."""
    clearances: tuple[Clearance, ...]
    """One per hazard of the procedure and per further structure in the picture, known or not."""
    unknown: tuple[str, ...]
    """What could lie in the way and is not known: hazards not seen, pixels under the threshold, stretches not seen."""
    not_seen: float
    """Length of the stretch that lies outside the picture [`unit`]."""
    rank: int
    """1 is best."""
    reason: str
    """Why it ranks where it does, as one sentence."""

    def __post_init__(self) -> None:
        if self.unit not in ("m", "px"):
            raise InputError(f"NeedlePath.unit must be 'm' or 'px', got {self.unit!r}")
        reach = 2.0 if self.unit == "m" else 1e6
        for name in ("entry", "target"):
            for coordinate in getattr(self, name):
                check_range(f"NeedlePath.{name}", coordinate, (-reach, reach), self.unit)
        check_range("NeedlePath.length", self.length, (0, reach), self.unit)
        check_range("NeedlePath.angle", self.angle, (0, 1.6), "rad", hint="degrees?")
        check_range("NeedlePath.not_seen", self.not_seen, (0, self.length), self.unit)
        check_count("NeedlePath.rank", self.rank, (1, 10_000), "th best")

    @property
    def keeps_margins(self) -> bool | None:
        """False if any margin is broken, None if any is not known or anything on the way is unknown, else True."""
        judged = [clearance.keeps_margin for clearance in self.clearances]
        if False in judged:
            return False
        unknown = None in judged or bool(self.unknown) or self.not_seen > 0
        return None if unknown or not judged else True
