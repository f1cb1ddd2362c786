"""Time that runs faster: a recorded command, for a simulated source alone, and only while nothing warns."""

import time
from dataclasses import replace

import numpy as np
import pytest

from insonate.core import Cue, Inject, InputError, Level, SetControl
from insonate.guidance.procedures import procedure
from insonate.pipeline import chain, live, pace
from insonate.pipeline.live import Live
from insonate.simulation.course import CONTROLS, TICK
from insonate.simulation.patient import SimulatedPatient
from pipeline.fakes import LABELLER
from simulation.analytic_body import AnalyticBody

SOON = 40.0
WHO = "a test"


def becomes(condition):
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def cue(level, rule, about="something"):
    return Cue(
        level=level,
        about=about,
        rule=rule,
        message="Hold.",
        reason="for a test",
        clearance=None,
        time=1.0,
        since=1.0,
    )


def compressed(value):
    return SetControl(name=pace.CONTROL, value=float(value), time=0.0, given_by=WHO)


@pytest.mark.parametrize("compression", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("first", range(11))
def test_the_last_tick_of_each_advance_is_one_that_is_pictured(first, compression):
    since = first * TICK
    for _ in range(4):
        end = pace.until(since, TICK, compression)
        ticks = np.arange(round(since / TICK), round(end / TICK))
        assert 1 <= len(ticks) <= compression
        assert ticks[-1] % compression == 0
        assert [tick for tick in ticks[:-1] if tick % compression == 0] == []
        since = end
    assert len(ticks) == compression


def test_the_pace_is_that_of_the_last_command():
    other = SetControl(name="needle_gauge", value=22.0, time=0.0, given_by=WHO)
    assert pace.compression_of((), 3) == 3
    assert pace.compression_of((compressed(4), other), 1) == 4
    assert pace.compression_of((compressed(4), compressed(2)), 1) == 2


@pytest.mark.parametrize("rule", ["clearance", "tip", "image", "echo", "pressure", "twitch"])
@pytest.mark.parametrize("level", list(Level))
def test_whatever_is_more_than_word_lets_time_run_no_faster(level, rule):
    stops = level in (Level.CAUTION, Level.STOP) or (level is Level.UNKNOWN and rule != "clearance")
    found = pace.warns((cue(Level.INFO, "clearance"), cue(level, rule)))
    assert (found is not None) == stops


def test_the_patient_knows_the_command_and_a_recording_its_range():
    assert CONTROLS[pace.CONTROL] == (1.0, 5.0)
    assert pace.FASTER <= 5


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(chain, "SEGMENTERS", LABELLER)
    monkeypatch.setattr(live, "RESTED", 0.01)
    told, running = [], []

    def go(source=None):
        one = Live(source=source or SimulatedPatient(7, body=AnalyticBody()), procedure=procedure("LL01"))
        one.witness = told.append
        running.append(one)
        return one.start(), told

    yield go
    for one in running:
        one.stop()


def commands(told):
    return [one for one in told if isinstance(one, SetControl) and one.name == pace.CONTROL]


def test_time_runs_faster_by_a_command_that_is_told_and_as_it_is_again_when_the_syringe_is_let_go(run):
    one, told = run()
    assert one.wait(3, SOON) is not None
    assert one.hurry(True, by="the thread")
    becomes(lambda: one.compression == pace.FASTER)
    frames = [one.wait(one.frame.number, SOON) for _ in range(8)]
    steps = np.diff([frame.source_time for frame in frames[3:]]) / (pace.FASTER * TICK)
    assert np.allclose(steps, np.round(steps)) and steps.min() > 0.5
    one.command(Inject(rate=0.0, agent="water", time=0.0, given_by=WHO))
    becomes(lambda: one.compression == 1)
    assert [(c.value, c.given_by) for c in commands(told)] == [
        (pace.FASTER, "the thread"),
        (1.0, "the hand that let go"),
    ]


def test_asked_for_again_and_again_it_is_one_command(run):
    one, told = run()
    assert one.wait(3, SOON) is not None
    for _ in range(50):
        one.hurry(True, by="the thread")
    becomes(lambda: one.compression == pace.FASTER)
    for _ in range(50):
        one.hurry(False, by="the thread")
    becomes(lambda: one.compression == 1)
    assert [c.value for c in commands(told)] == [pace.FASTER, 1.0]


def test_what_warns_ends_it_at_once_and_lets_it_not_begin(run):
    one, told = run()
    assert one.wait(3, SOON) is not None
    assert one.hurry(True, by="the thread")
    becomes(lambda: one.compression == pace.FASTER)
    watched = one.alarm._watch.judge(None, None, None, 0.0, 0.0)
    warned = replace(watched, cues=(cue(Level.CAUTION, "clearance", "femoral artery"),))
    one.alarm.judge = lambda *_: setattr(one.alarm, "watched", warned)
    becomes(lambda: one.compression == 1)
    assert commands(told)[-1].given_by == "the alarm: clearance femoral artery"
    assert not one.hurry(True, by="the thread")
    assert one.compression == 1


def test_a_source_that_is_not_simulated_is_never_hurried():
    class Real(SimulatedPatient):
        simulated = False

    one = Live(source=Real(7, body=AnalyticBody()), procedure=procedure("LL01"))
    assert not one.hurry(True, by="the thread")
    assert not one._commands


def test_it_is_no_control_that_any_page_may_turn():
    one = Live(source=SimulatedPatient(7, body=AnalyticBody()), procedure=procedure("LL01"))
    with pytest.raises(InputError, match=f"got '{pace.CONTROL}'"):
        one.set_control(pace.CONTROL, 4.0)
    assert not one._commands


def test_a_held_picture_is_not_hurried():
    one = Live(source=SimulatedPatient(7, body=AnalyticBody()), procedure=procedure("LL01"))
    one.freeze(True)
    assert not one.hurry(True, by="the thread")
