"""How near a needle or a planned path comes to a structure."""

from dataclasses import dataclass

from insonate.core.checks import check_range
from insonate.core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """Nearest distance to one structure: all of it known, or none of it."""

    structure: str
    """Name of the structure."""
    distance: float | None
    """Nearest distance to its boundary, 0 inside it [`unit`]; None where the structure is not known."""
    interval: tuple[float, float] | None
    """95 % interval of the distance [`unit`]; None where not known."""
    unit: str | None
    """"m", or "px" where spacing is not known; None where the structure is not known."""
    contact_probability: float | None
    """That the path touches it, 0..1; None where not known, and where spacing is unknown."""
    margin: float
    """Distance that must be kept [m]."""
    reason: str
    """Why it is unknown or not judged, or how it was judged, as one sentence."""
    target: bool = False
    """Whether it is what is aimed at: to be neared, not touched."""

    def __post_init__(self) -> None:
        parts = (self.distance, self.interval, self.unit)
        if len({part is None for part in parts}) != 1:
            raise InputError(
                "Clearance must hold distance, interval and unit together or none of them, got "
                f"{self.distance!r}, {self.interval!r}, {self.unit!r}"
            )
        if self.contact_probability is not None and self.unit != "m":
            raise InputError(
                "Clearance.contact_probability can only be known where distance is known in meters"
            )
        check_range("Clearance.margin", self.margin, (0, 0.05), "m", hint="millimeters?")
        if self.distance is None or self.interval is None:
            return
        if self.unit not in ("m", "px"):
            raise InputError(f"Clearance.unit must be 'm' or 'px', got {self.unit!r}")
        largest = 2.0 if self.unit == "m" else 1e6
        low, high = self.interval
        check_range("Clearance.distance", self.distance, (0, largest), self.unit)
        check_range("Clearance.interval", low, (0, self.distance), self.unit)
        check_range("Clearance.interval", high, (self.distance, largest), self.unit)
        if self.contact_probability is not None:
            check_range(
                "Clearance.contact_probability", self.contact_probability, (0, 1), "1", hint="percent?"
            )

    @property
    def keeps_margin(self) -> bool | None:
        """True if the whole interval lies beyond the margin, False if the distance does not, None in between.

        A target has no margin: True if the whole interval is free of it, False where it is touched, None in between.
        None too where it cannot be judged: the structure is not known, or the distance is in pixels.
        """
        if self.distance is None or self.interval is None or self.unit != "m":
            return None
        if self.target:
            return False if self.distance <= 0 else True if self.interval[0] > 0 else None
        if self.distance < self.margin:
            return False
        # a margin of nothing is no leave to touch: an interval is held at zero, and says nothing of contact there
        return True if self.interval[0] >= self.margin and self.interval[0] > 0 else None
