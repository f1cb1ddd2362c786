import pytest

from insonate.core import Cue, InputError, Level, RangeError
from refusals import refused


def cue(**changes):
    usual = {
        "level": Level.CAUTION,
        "about": "femoral nerve",
        "rule": "clearance",
        "message": "Hold.",
        "reason": "1.6 mm",
        "clearance": None,
        "time": 2.0,
        "since": 1.0,
    }
    return Cue(**usual | changes)


def test_levels_are_in_order_of_loudness():
    assert [level.rank for level in (Level.INFO, Level.UNKNOWN, Level.CAUTION, Level.STOP)] == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["about", "rule", "message", "reason"])
def test_a_cue_without_words_is_refused(name):
    with refused(InputError, f"Cue.{name} must not be empty, got ''"):
        cue(**{name: " "})


def test_a_cue_cannot_stand_since_later_than_now():
    with refused(RangeError, "Cue.since must lie in -1e+12..2 s, got 3"):
        cue(since=3.0)
