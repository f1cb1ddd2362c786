"""What was told is read off the changes of what stood, and what was done off the commands of that time."""

from dataclasses import replace

import pytest

from insonate.core import FormatError, Level
from insonate.training.telling import told
from simulation.scripts import inject, needle_to

NEEDLE = needle_to((-0.0115, 0.0, 0.0175), speed=0.01)
"""Begins at 0, 10 mm a second."""


def cue(level="caution", about="femoral artery", rule="clearance", by=None):
    return {
        "level": level,
        "rule": rule,
        "about": about,
        "message": "Hold.",
        "reason": "",
        "acknowledged_by": by,
    }


def rows(*moments):
    return [{"time": time, "cues": list(cues)} for time, *cues in moments]


def test_a_cue_is_told_from_when_it_stood_until_it_stood_no_more():
    louder = cue("stop")
    said = told(rows((1.0, cue()), (2.0, cue(), louder), (2.5, louder), (4.0,)), (), 9.0)
    assert [(one.level, one.begin, one.end) for one in said] == [
        (Level.CAUTION, 1.0, 2.5),
        (Level.STOP, 2.0, 4.0),
    ]


def test_what_stands_at_the_end_stood_until_then_and_what_came_back_is_told_again():
    said = told(rows((1.0, cue()), (2.0,), (3.0, cue())), (), 5.0)
    assert [(one.begin, one.end) for one in said] == [(1.0, 2.0), (3.0, 5.0)]


def test_unknown_is_told_of_the_needle_and_of_no_structure():
    many = [
        cue("unknown"),
        cue("unknown", rule="tip", about="needle"),
        cue("info", rule="tip", about="needle"),
    ]
    assert [one.rule for one in told(rows((1.0, *many)), (), 2.0)] == ["tip"]


def test_who_took_note_of_it_is_told_and_how_soon():
    [one] = told(rows((1.0, cue()), (2.2, cue(by="viewer 1")), (3.0, cue(by="viewer 1"))), (), 4.0)
    assert one.acknowledged == ("viewer 1", 2.2)
    assert one.done == "viewer 1 took note after 1.2 s"


def test_how_far_the_needle_went_and_what_was_given_is_read_off_the_commands():
    begin = NEEDLE[0].time
    reached = max(one.inserted for one in NEEDLE if one.time <= begin + 0.5) - max(
        one.inserted for one in NEEDLE if one.time <= begin + 0.2
    )
    [one] = told(rows((begin + 0.2, cue()), (begin + 0.5,)), NEEDLE, 9.0)
    assert one.advanced == pytest.approx(reached) and one.withdrawn == 0.0
    assert one.done == f"the needle went on by {1e3 * reached:.0f} mm"
    back = [*NEEDLE, replace(NEEDLE[-1], time=5.0, inserted=NEEDLE[-1].inserted - 4e-3)]
    [one] = told(rows((4.5, cue()), (5.5,)), back, 9.0)
    assert one.withdrawn == pytest.approx(4e-3) and one.advanced == 0.0
    fluid = [inject(1.0, rate=3e-7), inject(3.0, rate=0.0), inject(3.5, rate=-4e-7)]
    given = [
        told(rows((a, cue()), (b,)), fluid, 9.0)[0].given
        for a, b in ((0.5, 2.0), (2.0, 2.5), (2.5, 6.0), (4, 5))
    ]
    assert given == pytest.approx([3e-7, 1.5e-7, 1.5e-7, 0.0])


@pytest.mark.parametrize(
    "bad",
    [
        {"time": "soon", "cues": []},
        {"cues": []},
        {"time": 1.0, "cues": [{"level": "loud"}]},
        {"time": 1.0, "cues": 3},
    ],
)
def test_what_is_no_list_of_cues_is_refused(bad):
    with pytest.raises(FormatError, match="what was told is no list of cues"):
        told([bad], (), 1.0)
