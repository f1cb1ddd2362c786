import pytest

from insonate.core import InputError, RangeError, SetControl
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
