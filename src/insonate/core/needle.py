"""Where a needle is, as far as it is known: a state, and beside it only what that state allows."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from insonate.core.checks import check_axes, check_finite, check_range, frozen
from insonate.core.coordinates import CoordinateFrame
from insonate.core.errors import InputError, RangeError
from insonate.core.units import Decibels, Meters, Seconds

UNIT_LENGTH = 1e-6
"""How far the length of a direction may be from 1: rounding of three numbers stored with six digits."""

UNEVEN = 1e-6
"""How far a covariance may be from symmetric, as a share of its largest number: the same rounding."""


class NeedleState(Enum):
    """What is known of a needle."""

    TIP = "tip"
    SHAFT_ONLY = "shaft only"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeedlePose:
    """A needle at one moment, from a tracker or an image."""

    state: NeedleState
    """What is known."""
    tip: np.ndarray | None
    """(3,) [m]; only with TIP."""
    direction: np.ndarray | None
    """(3,) unit vector from hub to tip; None when LOST."""
    covariance: np.ndarray | None
    """(3, 3) of the tip, with it [m^2]."""
    frame: CoordinateFrame
    """The frame of tip, direction and covariance."""
    time: Seconds
    """When it was so, not when it was told [s]."""

    def __post_init__(self) -> None:
        check_range("NeedlePose.time", self.time, (-1e12, 1e12), "s")
        if (self.state is NeedleState.TIP) != (self.tip is not None):
            raise InputError(
                f"NeedlePose.tip must be there with state 'tip' and with no other, got state '{self.state.value}' "
                f"{'without' if self.tip is None else 'with'} a tip"
            )
        if (self.tip is None) != (self.covariance is None):
            raise InputError("NeedlePose.tip and covariance must be both there or both None")
        if (self.state is NeedleState.LOST) != (self.direction is None):
            raise InputError(
                f"NeedlePose.direction must be None when lost and else not, got state '{self.state.value}' "
                f"{'without' if self.direction is None else 'with'} a direction"
            )
        for name, axes in (("tip", "3"), ("direction", "3"), ("covariance", "3 3")):
            value = getattr(self, name)
            if value is not None:
                array = np.asarray(value, dtype=float)
                check_axes(f"NeedlePose.{name}", array, axes)
                check_finite(f"NeedlePose.{name}", array)
                object.__setattr__(self, name, frozen(array))
        if self.direction is not None and abs(float(np.linalg.norm(self.direction)) - 1) > UNIT_LENGTH:
            raise RangeError(
                f"NeedlePose.direction must have length 1, got {float(np.linalg.norm(self.direction)):.4g}"
            )
        if self.covariance is not None:
            spread = self.covariance
            uneven = np.abs(spread - spread.T).max() > UNEVEN * np.abs(spread).max()
            if uneven or np.linalg.eigvalsh(spread)[0] < -1e-15:
                raise RangeError("NeedlePose.covariance must be symmetric and have no negative eigenvalue")


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedleEcho:
    """What one picture shows along the shaft of a needle that is said to lie in it."""

    contrast: Decibels
    """Of the best line on the shaft as it is said to lie, over what is beside it [dB]."""
    elsewhere: Decibels
    """Of the best line that runs along it further off [dB]."""
    offset: Meters
    """How far off that one lies, positive deeper [m]."""
    beyond: Meters
    """How far the line on the shaft goes on beyond the tip as it is said to lie, negative where it ends before it [m]."""
    length: Meters
    """Of the shaft that was looked at [m]."""
    time: Seconds
    """Of the picture [s]."""

    def __post_init__(self) -> None:
        check_range("NeedleEcho.contrast", self.contrast, (-200, 200), "dB")
        check_range("NeedleEcho.elsewhere", self.elsewhere, (-200, 200), "dB")
        check_range("NeedleEcho.offset", self.offset, (-1, 1), "m", hint="mm?")
        check_range("NeedleEcho.beyond", self.beyond, (-1, 1), "m", hint="mm?")
        check_range("NeedleEcho.length", self.length, (0, 1), "m", hint="mm?")
        check_range("NeedleEcho.time", self.time, (-1e12, 1e12), "s")
