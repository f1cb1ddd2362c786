"""The drawing list: lines and labels at places in the image, drawn alike by the page and by the PNG.

Places are (axial, lateral) in the unit of the image's grid, meters or pixels, so that one list fits every zoom.
"""

from dataclasses import asdict, dataclass
from typing import Any

from insonate.core.errors import InputError

Point = tuple[float, float]
"""(axial, lateral), in the drawing's unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """How a line is drawn. Widths and dashes are in screen pixels, whatever the zoom."""

    color: str
    """#RRGGBB."""
    width: float = 1.8
    """[screen pixels]."""
    dash: tuple[float, ...] = ()
    """Lengths on and off [screen pixels]; empty for a solid line."""
    opacity: float = 1.0
    """0..1."""
    double: bool = False
    """Two parallel lines instead of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line, open or closed."""

    role: str
    """What it is for: "structure", "path", "target", "clearance", "scale"."""
    name: str
    """What it shows, in words; for people who cannot see it."""
    points: tuple[Point, ...]
    """At least two places."""
    stroke: Stroke
    """How it is drawn."""
    closed: bool = False
    """Whether the last point joins the first."""
    fill_opacity: float = 0.0
    """How strongly a closed line is filled with its own color, 0..1."""

    def __post_init__(self) -> None:
        if len(self.points) < 2:
            raise InputError(f"Line '{self.name}' must have at least two points, got {len(self.points)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Words at a place, with a leader to what they are about."""

    role: str
    """What it is for: "structure", "path", "clearance", "unknown", "scale"."""
    text: str
    """The words."""
    detail: str = ""
    """A second, quieter text on the same line, such as a confidence."""
    at: Point
    """Where the words belong."""
    anchor: Point | None = None
    """Where the leader ends; None for no leader."""
    color: str
    """Of the mark beside the words, #RRGGBB."""
    unknown: bool = False
    """Drawn with a dashed frame and a question mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What is drawn over one frame of an image."""

    unit: str
    """Unit of all places: "m" or "px"."""
    lines: tuple[Line, ...]
    """Drawn in this order."""
    labels: tuple[Label, ...]
    """Drawn over the lines."""
    title: str | None
    """What is planned, in words; None where nothing is."""
    notice: str | None
    """Words that must stay on the picture: that this is no medical device, or that it is simulated."""

    def to_json(self) -> dict[str, Any]:
        """Give the list as plain JSON values, as the page receives it."""
        return asdict(self)
