"""What a source is told: timed commands, and who gave them. With the seed and the settings they are the replay."""

from dataclasses import dataclass

import numpy as np

from insonate.core.checks import check_axes, check_finite, check_range, frozen
from insonate.core.coordinates import CoordinateFrame, Pose
from insonate.core.errors import FrameError, InputError, RangeError
from insonate.core.needle import UNIT_LENGTH
from insonate.core.stimulation import Stimulus
from insonate.core.units import CubicMetersPerSecond, Meters, Newtons, Radians, Seconds


def _check_given(kind: str, time: Seconds, given_by: str) -> None:
    check_range(f"{kind}.time", time, (0, 1e9), "s")
    if not given_by.strip():
        raise InputError(f"{kind}.given_by must not be empty, got ''")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetControl:
    """Set one control of the machine, such as "depth" or "gain"."""

    name: str
    """Name of the control."""
    value: float
    """In the SI unit of the control; decibels for gain and dynamic range."""
    time: Seconds
    """When it was given, on the clock of the examination [s]."""
    given_by: str
    """Who gave it: a person's name, "operator", a program."""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError("SetControl.name must not be empty, got ''")
        check_range(f"SetControl {self.name}", self.value, (-1e12, 1e12), "SI")
        _check_given("SetControl", self.time, self.given_by)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MoveProbe:
    """Hold the probe there, and press so hard."""

    pose: Pose
    """Patient <- probe."""
    contact_force: Newtons
    """Of the face on the skin; 0 lifts off [N]."""
    time: Seconds
    """When it was given, on the clock of the examination [s]."""
    given_by: str
    """Who gave it."""

    def __post_init__(self) -> None:
        if (self.pose.target, self.pose.source) != (CoordinateFrame.PATIENT, CoordinateFrame.PROBE):
            raise FrameError(
                "MoveProbe.pose must be 'patient <- probe', got "
                f"'{self.pose.target.value} <- {self.pose.source.value}'"
            )
        check_range("MoveProbe.contact_force", self.contact_force, (0, 60), "N", hint="grams?")
        _check_given("MoveProbe", self.time, self.given_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveBody:
    """Move a joint or tense a muscle."""

    part: str
    """Name of the joint or muscle as the region has it."""
    amount: float
    """Share of its whole range, -1..1."""
    time: Seconds
    """When it was given, on the clock of the examination [s]."""
    given_by: str
    """Who gave it."""

    def __post_init__(self) -> None:
        if not self.part.strip():
            raise InputError("MoveBody.part must not be empty, got ''")
        check_range("MoveBody.amount", self.amount, (-1, 1), "1", hint="percent or degrees?")
        _check_given("MoveBody", self.time, self.given_by)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AdvanceNeedle:
    """Hold the needle so: where it enters the skin, where it points, how much of it lies under the skin."""

    entry: np.ndarray
    """(3,) on the skin, patient frame [m]."""
    direction: np.ndarray
    """(3,) unit vector from hub to tip, patient frame."""
    inserted: Meters
    """Length under the skin; 0 is outside [m]."""
    rotation: Radians
    """Of the bevel about the shaft; 0 faces up [rad]."""
    time: Seconds
    """When it was given, on the clock of the examination [s]."""
    given_by: str
    """Who gave it."""

    def __post_init__(self) -> None:
        for name in ("entry", "direction"):
            array = np.asarray(getattr(self, name), dtype=float)
            check_axes(f"AdvanceNeedle.{name}", array, "3")
            check_finite(f"AdvanceNeedle.{name}", array)
            object.__setattr__(self, name, frozen(array))
        length = float(np.linalg.norm(self.direction))
        if abs(length - 1) > UNIT_LENGTH:
            raise RangeError(f"AdvanceNeedle.direction must have length 1, got {length:.4g}")
        check_range("AdvanceNeedle.inserted", self.inserted, (0, 0.3), "m", hint="millimeters?")
        check_range("AdvanceNeedle.rotation", self.rotation, (-7, 7), "rad", hint="degrees?")
        _check_given("AdvanceNeedle", self.time, self.given_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inject:
    """Press the syringe at this rate until told otherwise."""

    rate: CubicMetersPerSecond
    """0 stops; negative aspirates [m^3/s]."""
    agent: str
    """What is in the syringe, such as "ropivacaine 0.5 %"."""
    time: Seconds
    """When it was given, on the clock of the examination [s]."""
    given_by: str
    """Who gave it."""

    def __post_init__(self) -> None:
        check_range("Inject.rate", self.rate, (-2e-6, 2e-6), "m^3/s", hint="mL/s?")
        if not self.agent.strip():
            raise InputError("Inject.agent must not be empty, got ''")
        _check_given("Inject", self.time, self.given_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stimulate:
    """Set the nerve stimulator, or switch it off."""

    stimulus: Stimulus | None
    """None is off."""
    time: Seconds
    """When it was given, on the clock of the examination [s]."""
    given_by: str
    """Who gave it."""

    def __post_init__(self) -> None:
        _check_given("Stimulate", self.time, self.given_by)


Command = SetControl | MoveProbe | MoveBody | AdvanceNeedle | Inject | Stimulate
"""Any command."""
