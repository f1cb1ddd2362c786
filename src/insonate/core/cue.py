"""Advice to the operator, with a level: what to do, why, and by which rule."""

from dataclasses import dataclass
from enum import Enum

from insonate.core.checks import check_range
from insonate.core.clearance import Clearance
from insonate.core.errors import InputError
from insonate.core.units import Seconds


class Level(Enum):
    """How loud a cue is; in this order."""

    INFO = "info"
    UNKNOWN = "unknown"
    CAUTION = "caution"
    STOP = "stop"

    @property
    def rank(self) -> int:
        """0 for info to 3 for stop."""
        return list(Level).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One piece of advice, as it stands at one moment."""

    level: Level
    """How loud."""
    about: str
    """A structure's name, or "needle", "image", "injection", "stimulator"."""
    rule: str
    """Name of the rule that gave it, as `alerting.toml` has it."""
    message: str
    """What to do, first."""
    reason: str
    """Why, with numbers."""
    clearance: Clearance | None
    """The distance that it is about; None where it is about another thing."""
    time: Seconds
    """When it was judged [s]."""
    since: Seconds
    """Since when its level stands [s]."""
    acknowledged_by: str | None = None
    """Who has taken note of it at this level; None if nobody."""

    def __post_init__(self) -> None:
        for name in ("about", "rule", "message", "reason"):
            if not str(getattr(self, name)).strip():
                raise InputError(f"Cue.{name} must not be empty, got ''")
        check_range("Cue.time", self.time, (-1e12, 1e12), "s")
        check_range("Cue.since", self.since, (-1e12, self.time), "s")
