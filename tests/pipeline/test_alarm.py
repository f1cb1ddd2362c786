"""Cues are judged as the source goes on, told when they change, and begun anew with another procedure."""

from insonate.core import Level
from insonate.guidance.procedures import procedure
from insonate.pipeline.alarm import EVERY, Alarm
from insonate.pipeline.watch import Watched
from pipeline.test_readings import needle, pose
from simulation.scripts import needle_to


def alarm():
    told = []
    return Alarm(procedure("LL01"), told.append), told


def test_it_judges_in_steps_of_the_source_and_tells_what_changed():
    one, told = alarm()
    assert one.cues == () and one.watched is None
    one.take([needle_to((0, 0, 0.02))[-1]], [pose(0.0), needle(0.0)])
    one.judge(None, 0.0, 0.0)
    first = one.watched
    assert isinstance(first, Watched) and told == [first]
    one.judge(None, 0.0, EVERY / 2)
    assert one.watched is first  # not yet
    one.take((), [pose(EVERY), needle(EVERY)])
    one.judge(None, EVERY, EVERY)
    assert one.watched is not first and len(told) == 1  # nothing changed
    late = 5.0
    one.judge(None, EVERY, late)  # no frame, no needle for seconds
    assert any(cue.rule == "image" and cue.level is Level.UNKNOWN for cue in one.cues)
    assert any(cue.about == "needle" and cue.level.rank >= Level.UNKNOWN.rank for cue in one.cues)
    assert len(told) == 2


def test_nothing_is_called_for_before_there_is_a_needle():
    one, told = alarm()
    one.take((), [pose(0.0)])
    one.judge(None, None, 5.0)
    assert one.watched is None and told == []


def test_what_is_taken_note_of_is_told_and_still_stands():
    one, told = alarm()
    one.take((), [needle(0.0)])
    one.judge(None, None, 0.0)
    one.acknowledge("image", "image", "viewer 1")
    one.judge(None, None, 0.01)  # at once
    (cue,) = [cue for cue in one.cues if cue.rule == "image"]
    assert cue.acknowledged_by == "viewer 1" and len(told) == 2


def test_another_procedure_forgets_all():
    one, _ = alarm()
    one.take((), [needle(0.0)])
    one.judge(None, None, 0.0)
    one.begin(procedure("UL03"))
    assert one.cues == ()
    one.judge(None, None, 0.0)
    assert one.cues
