"""Where a tracker has the needle in the picture, from readings alone: live, replayed, or read from a recording.

A tip keeps its own time. What is too old, off the plane or doubted stays so: who draws it draws it so.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from insonate.core import NeedlePose, NeedleState
from insonate.core.units import Meters, Radians, Seconds
from insonate.display.needle import TipState
from insonate.guidance.nearness import in_probe_frame
from insonate.guidance.rules import rules
from insonate.pipeline.readings import Readings
from insonate.pipeline.watch import Watched

CHI_SQUARE = 5.991
"""95 % of a normal spread in two dimensions lies within this, in variances."""

FRESH: Seconds = 0.5
"""A tip that was tracked longer ago is lost [s]."""

LONGEST: Meters = 0.1
"""A straight shaft that would leave the skin nowhere is drawn so long [m]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What is known of a needle; places are (axial, lateral, off the plane) in the picture [m]."""

    state: NeedleState
    """As the tracker said last."""
    age: Seconds
    """Since it was so [s]."""
    tip: tuple[float, float, float] | None
    """Where it was told last."""
    tip_age: Seconds | None
    """Since then [s]."""
    tail: tuple[float, float, float] | None
    """Where the shaft leaves the skin."""
    in_plane: bool | None
    """Whether the tip lies within half a slice; None where it is not known now."""
    under_skin: bool | None
    """Whether the needle is under the skin, by the commands; None where nobody knows."""
    shown: bool | None
    """Whether the picture shows it there too; None where no picture could tell."""
    doubt: str
    """Why the tracker is not relied on, if it is not."""
    ellipse: tuple[Meters, Meters, Radians] | None
    """95 % region of the tip in the plane: half axes, and the angle of the first to the lateral axis."""

    @property
    def tip_state(self) -> TipState:
        """In one word, as it is drawn."""
        if self.state is not NeedleState.TIP or self.age > FRESH:
            return "lost"
        if self.doubt:
            return "doubted"
        return "seen" if self.in_plane else "off plane"


def track_of(
    readings: Readings, now: Seconds, *, watched: Watched | None = None, doubt: str = ""
) -> Track | None:
    """Say what is known of the needle.

    Parameters
    ----------
    readings : Readings
        Of the source.
    now : float
        On its clock [s].
    watched : Watched, optional
        What was judged of it.
    doubt : str
        Why the tracker is not relied on, where nothing is judged now.

    Returns
    -------
    Track or None
        None where no tracker has said anything.
    """
    needle, last = readings.needle, readings.last_tip
    if needle is None:
        return None
    seen = None if last is None else in_probe_frame(last, readings.probe_at(last.time))
    return Track(
        state=needle.state,
        age=max(now - needle.time, 0.0),
        tip=None if seen is None else _place(seen.tip),
        tip_age=None if last is None else max(now - last.time, 0.0),
        tail=None if seen is None else _skinward(seen),
        in_plane=_in_plane(seen) if needle.state is NeedleState.TIP else None,
        under_skin=None if watched is None else watched.under_skin,
        shown=None if watched is None else watched.shown,
        doubt=doubt if watched is None else watched.doubt or "",
        ellipse=None if seen is None else _ellipse(seen),
    )


def doubt_in(cues: Iterable[Mapping[str, Any]]) -> str:
    """Give why the tracker was not relied on, by cues as a recording keeps them; empty where none says so."""
    return next((str(one.get("reason", "")) for one in cues if one.get("rule") == "echo"), "")


def _place(tip: np.ndarray | None) -> tuple[float, float, float] | None:
    return None if tip is None else (float(tip[2]), float(tip[0]), float(tip[1]))


def _skinward(needle: NeedlePose) -> tuple[float, float, float] | None:
    """Give where a straight shaft would leave the skin, or be a decimeter long."""
    if needle.tip is None or needle.direction is None:
        return None
    down = float(needle.direction[2])
    length = min(float(needle.tip[2]) / down, LONGEST) if down > 1e-3 else LONGEST
    return _place(needle.tip - needle.direction * max(length, 0.0))


def _in_plane(needle: NeedlePose | None) -> bool | None:
    if needle is None or needle.tip is None:
        return None
    return abs(float(needle.tip[1])) <= rules()["needle"]["half_slice"]


def _ellipse(needle: NeedlePose) -> tuple[Meters, Meters, Radians] | None:
    if needle.covariance is None:
        return None
    in_image = needle.covariance[np.ix_([0, 2], [0, 2])]  # lateral, axial
    spread, axes = np.linalg.eigh(in_image)
    first, second = (math.sqrt(max(float(one), 0.0) * CHI_SQUARE) for one in spread[::-1])
    return first, second, math.atan2(float(axes[1, 1]), float(axes[0, 1]))
