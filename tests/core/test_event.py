"""An event has a number, a time and a kind."""

import pytest

from insonate.core import Event, InputError, RangeError
from refusals import refused


def test_an_event_holds_what_it_is_given():
    one = Event(sequence=3, time=1.5, kind="frame", content={"number": 7}, data=b"abc")
    assert (one.sequence, one.time, one.kind, one.content["number"], one.data) == (3, 1.5, "frame", 7, b"abc")


def test_an_event_of_no_kind_is_refused():
    with refused(InputError, "Event.kind must not be empty, got ''"):
        Event(sequence=0, time=0.0, kind=" ")


@pytest.mark.parametrize(
    "told", [{"sequence": -1}, {"sequence": 1.5}, {"time": -0.1}, {"time": float("nan")}]
)
def test_numbers_that_none_can_have_are_refused(told):
    with pytest.raises(RangeError):
        Event(**({"sequence": 0, "time": 0.0, "kind": "frame"} | told))
