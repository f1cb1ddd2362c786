import numpy as np
import pytest

from insonate.core import (
    AdvanceNeedle,
    AxesError,
    CoordinateFrame,
    FrameError,
    Inject,
    InputError,
    MoveBody,
    MoveProbe,
    Pose,
    RangeError,
    SetControl,
    Stimulate,
)
from refusals import refused


def control(**changes):
    return SetControl(**{"name": "gain", "value": 12.0, "time": 0.5, "given_by": "operator"} | changes)


def test_keeps_what_it_was_given():
    command = control()
    assert (command.name, command.value, command.time, command.given_by) == ("gain", 12.0, 0.5, "operator")


@pytest.mark.parametrize("changes", [{"value": 1e12}, {"value": -1e12}, {"time": 0}, {"time": 1e9}])
def test_the_limits_themselves_pass(changes):
    control(**changes)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"name": " "}, InputError, "SetControl.name must not be empty, got ''"),
        ({"value": 2e12}, RangeError, "SetControl gain must lie in -1e+12..1e+12 SI, got 2e+12"),
        ({"value": -2e12}, RangeError, "SetControl gain must lie in -1e+12..1e+12 SI, got -2e+12"),
        ({"time": -1}, RangeError, "SetControl.time must lie in 0..1e+09 s, got -1"),
        ({"time": 2e9}, RangeError, "SetControl.time must lie in 0..1e+09 s, got 2e+09"),
        ({"time": None}, RangeError, "SetControl.time must be a number in 0..1e+09 s, got None"),
    ],
)
def test_what_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        control(**changes)


def held(source=CoordinateFrame.PROBE, target=CoordinateFrame.PATIENT):
    return Pose(rotation=np.eye(3), translation=np.zeros(3), source=source, target=target, time=0.0)


GIVEN = {"time": 0.5, "given_by": "operator"}
USUAL = {
    MoveProbe: {"pose": held(), "contact_force": 3.0},
    MoveBody: {"part": "hip", "amount": 0.2},
    AdvanceNeedle: {
        "entry": np.zeros(3),
        "direction": np.array([0, 0.6, 0.8]),
        "inserted": 0.02,
        "rotation": 0.0,
    },
    Inject: {"rate": 2e-7, "agent": "saline"},
    Stimulate: {"stimulus": None},
}


@pytest.mark.parametrize("kind", USUAL)
def test_every_command_knows_when_and_by_whom(kind):
    command = kind(**USUAL[kind] | GIVEN)
    assert (command.time, command.given_by) == (0.5, "operator")
    with refused(InputError, f"{kind.__name__}.given_by must not be empty, got ''"):
        kind(**USUAL[kind] | GIVEN | {"given_by": " "})
    with refused(RangeError, f"{kind.__name__}.time must lie in 0..1e+09 s, got -1"):
        kind(**USUAL[kind] | GIVEN | {"time": -1})


@pytest.mark.parametrize(
    ("kind", "changes", "error", "message"),
    [
        (
            MoveProbe,
            {"pose": held(CoordinateFrame.PATIENT, CoordinateFrame.PROBE)},
            FrameError,
            "MoveProbe.pose must be 'patient <- probe', got 'probe <- patient'",
        ),
        (
            MoveProbe,
            {"contact_force": 300.0},
            RangeError,
            "MoveProbe.contact_force must lie in 0..60 N, got 300 (grams?)",
        ),
        (MoveBody, {"part": ""}, InputError, "MoveBody.part must not be empty, got ''"),
        (
            MoveBody,
            {"amount": 20},
            RangeError,
            "MoveBody.amount must lie in -1..1 1, got 20 (percent or degrees?)",
        ),
        (
            AdvanceNeedle,
            {"inserted": 20},
            RangeError,
            "AdvanceNeedle.inserted must lie in 0..0.3 m, got 20 (millimeters?)",
        ),
        (
            AdvanceNeedle,
            {"rotation": 45},
            RangeError,
            "AdvanceNeedle.rotation must lie in -7..7 rad, got 45 (degrees?)",
        ),
        (
            AdvanceNeedle,
            {"direction": np.array([0, 0, 2.0])},
            RangeError,
            "AdvanceNeedle.direction must have length 1, got 2",
        ),
        (AdvanceNeedle, {"entry": np.zeros(2)}, AxesError, "AdvanceNeedle.entry must be (3), got shape (2,)"),
        (
            AdvanceNeedle,
            {"entry": [0, np.nan, 0]},
            RangeError,
            "AdvanceNeedle.entry must be finite, got 1 NaN or infinite, the first at (1,)",
        ),
        (Inject, {"rate": 0.2}, RangeError, "Inject.rate must lie in -2e-06..2e-06 m^3/s, got 0.2 (mL/s?)"),
        (Inject, {"agent": " "}, InputError, "Inject.agent must not be empty, got ''"),
    ],
)
def test_a_command_that_cannot_be_obeyed_is_refused(kind, changes, error, message):
    with refused(error, message):
        kind(**USUAL[kind] | GIVEN | changes)
