"""Hands over a live patient: what is told comes from the tracker, a silent page lets go, and what is old is unknown."""

import math
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from app.serving import becomes
from insonate.app import cockpit as module
from insonate.app.cockpit import Cockpit, can_be_held
from insonate.app.messages import MoveNeedle, MoveProbe, Press, Stimulate
from insonate.app.pilots import Pilots
from insonate.core import (
    AdvanceNeedle,
    Clearance,
    CoordinateFrame,
    Cue,
    InputError,
    Level,
    NeedlePose,
    NeedleState,
    RangeError,
    SetControl,
)
from insonate.guidance.procedures import procedure
from insonate.pipeline import chain
from insonate.pipeline.hands import BESIDE, LEAST_FLOW, Held
from insonate.pipeline.live import Live
from insonate.pipeline.playback import Playback
from insonate.simulation.patient import SimulatedPatient
from pipeline.fakes import LABELLER, picture
from refusals import refused
from simulation.analytic_body import AnalyticBody

OUTSIDE, INSIDE = Held(), Held(inserted=0.02)


@pytest.fixture(scope="module")
def body():
    return AnalyticBody()


@pytest.fixture
def cockpit(monkeypatch, body):
    monkeypatch.setattr(chain, "SEGMENTERS", LABELLER)
    live = Live(source=SimulatedPatient(7, body=body), procedure=procedure("LL01")).start()
    pilots = Pilots()
    pilots.enter(), pilots.enter()
    becomes(lambda: live.readings.probe is not None)
    yield Cockpit(live, pilots)
    live.stop()


def test_a_patient_can_be_held_and_a_file_can_not(cockpit):
    assert can_be_held(cockpit.live)
    assert not can_be_held(Live(source=Playback("a file", picture()), procedure=procedure("LL01")))


def test_what_a_hand_does_is_seen_by_tracker_and_probe(cockpit):
    cockpit.obey(MoveProbe(slide=0.003), 1)
    cockpit.obey(MoveNeedle(advance=0.02), 1)
    becomes(lambda: cockpit.live.readings.last_tip is not None and cockpit.now(1).track.tip[0] > 0.007)
    now = cockpit.now(1)
    assert now.probe.x == pytest.approx(0.003)
    assert (now.you, now.pilot, now.asking, now.at_edge) == (1, 1, None, False)
    assert now.needle.inserted == 0.02 and now.needle.length == procedure("LL01").needle.length.value
    track = now.track
    assert track.state == "tip" and 0 <= track.age < 2
    tip = [0.02 * math.sin(0.52), -BESIDE + 0.02 * math.cos(0.52), 0.0]
    np.testing.assert_allclose(track.tip, tip, atol=3e-3)  # tissue, noise and calibration between
    assert track.tail[0] == pytest.approx(0.0, abs=1e-9)
    assert track.in_plane is (abs(track.tip[2]) <= 0.9e-3)
    assert track.ellipse[0] >= track.ellipse[1] > 0.1e-3


def test_only_the_pilot_moves_anything(cockpit):
    cockpit.obey(MoveProbe(slide=0.001), 2)
    for deed in (MoveProbe(slide=0.001), MoveNeedle(), Press(on=True), Stimulate(on=True)):
        with refused(InputError, "Viewer 2 holds the probe. Ask for it to take over."):
            cockpit.obey(deed, 1)


def test_a_page_that_falls_silent_lets_go_of_the_syringe(cockpit, monkeypatch):
    read = cockpit.live.readings
    cockpit.obey(MoveNeedle(advance=0.02), 1)
    cockpit.obey(Press(on=True), 1)
    assert cockpit.now(1).injector.pressing
    becomes(lambda: read.injection is not None and read.injection.rate > 0)
    cockpit.obey(Press(on=True), 1)
    assert not cockpit.watch()
    monkeypatch.setattr(module, "LET_GO", 0.05)
    time.sleep(0.06)
    assert cockpit.watch() and not cockpit.now(1).injector.pressing
    becomes(lambda: read.injection.rate == 0)


def test_a_held_picture_takes_no_movement_and_still_lets_go(cockpit):
    cockpit.obey(MoveNeedle(advance=0.02), 1)
    cockpit.obey(Stimulate(on=True), 1)
    cockpit.live.freeze(True)
    with refused(InputError, "The picture is frozen. Let it go on before you move anything."):
        cockpit.obey(MoveNeedle(advance=0.001), 1)
    cockpit.obey(Stimulate(on=False), 1)
    assert not cockpit.now(1).stimulator.on
    cockpit.live.freeze(False)


def test_the_stimulator_tells_what_is_set_and_what_came(cockpit):
    cockpit.obey(MoveNeedle(advance=0.03), 1)
    cockpit.obey(Stimulate(on=True, current=0.8e-3), 1)
    becomes(lambda: cockpit.live.readings.stimulation is not None)
    said = cockpit.now(1).stimulator
    assert said.on and said.current == 0.8e-3 and said.grade in (0, 1, 2) and said.impedance > 1e3
    cockpit.rest()
    assert not cockpit.now(1).stimulator.on


def test_how_near_the_needle_is_is_what_the_alarm_judged(cockpit):
    assert cockpit.now(1).near == []  # outside
    cockpit.obey(MoveNeedle(advance=0.03), 1)
    becomes(lambda: cockpit.live.alarm.watched is not None and cockpit.live.alarm.watched.clearances)
    rows = cockpit.now(1).near
    assert {row.structure for row in rows} >= {one.structure for one in procedure("LL01").hazards}
    assert all((row.interval_mm is None) <= (row.keeps_margin is None) for row in rows)


def test_a_tip_that_left_the_plane_takes_its_distances_with_it(cockpit):
    cockpit.obey(MoveNeedle(advance=0.03), 1)
    live = cockpit.live
    becomes(
        lambda: live.alarm.watched is not None and live.alarm.watched.clearances and live.readings.last_tip
    )
    live.stop()
    known = Clearance(
        structure="femoral vein",
        distance=0.02,
        interval=(0.018, 0.022),
        unit="m",
        contact_probability=0.0,
        margin=0.002,
        reason="a test",
    )
    live.alarm.watched = replace(live.alarm.watched, clearances=(known,))
    seen = live.readings.last_tip
    probe = live.readings.probe_at(seen.time)
    for off, interval in ((0.0, [20.0, 18.0, 22.0]), (5e-3, None)):
        tip = probe.apply(np.array([[0.0, off, 0.02]]))[0]
        live.readings.needle = live.readings.last_tip = replace(seen, tip=tip)
        (row,) = cockpit.now(1).near
        assert row.interval_mm == interval
        assert row.keeps_margin is (True if interval else None)
    assert row.reason == "the tip is out of the image plane"


def test_cues_stand_and_are_taken_note_of(cockpit):
    cockpit.obey(MoveNeedle(advance=0.03), 1)
    becomes(lambda: any(one.level != "info" for one in cockpit.cues().cues))
    row = cockpit.cues().cues[0]
    assert row.message and row.reason and row.acknowledged_by is None
    cockpit.acknowledge(row.rule, row.about, 2)
    becomes(
        lambda: (
            any(one.acknowledged_by == "viewer 2" for one in cockpit.cues().cues)
            or not any((one.rule, one.about) == (row.rule, row.about) for one in cockpit.cues().cues)
        )
    )
    with refused(InputError, "there is no cue of the rule 'none' about 'nothing'"):
        cockpit.acknowledge("none", "nothing", 2)


def test_a_needle_outside_calls_for_nothing(cockpit):
    cockpit.now(1)  # takes hold: the machine says that the needle is outside
    becomes(lambda: cockpit.live.alarm.watched is not None and cockpit.live.alarm.watched.under_skin is False)
    assert not any(one.about == "needle" and one.level != "info" for one in cockpit.cues().cues)


def test_a_lost_needle_keeps_its_last_place_and_says_that_it_is_lost(cockpit):
    cockpit.obey(MoveNeedle(advance=0.02), 1)
    live = cockpit.live
    becomes(lambda: live.readings.last_tip is not None)
    live.stop()
    live.readings.take(
        NeedlePose(
            state=NeedleState.LOST,
            tip=None,
            direction=None,
            covariance=None,
            frame=CoordinateFrame.PATIENT,
            time=live.readings.probe.time,
        )
    )
    track = cockpit.now(1).track
    assert track.state == "lost" and track.in_plane is None
    assert track.tip is not None and track.tip_age >= track.age


def test_before_the_first_reading_there_is_nothing_to_hold(body):
    one = Cockpit(Live(source=SimulatedPatient(7, body=body), procedure=procedure("LL01")), Pilots())
    assert one.now(1) is None
    with refused(InputError, "There is no patient under the probe yet."):
        one.obey(MoveProbe(slide=0.001), 1)


def test_a_pipeline_that_stalls_is_noticed_and_lets_go_of_all(cockpit, monkeypatch):
    live = cockpit.live
    becomes(lambda: live.frame is not None)
    cockpit.obey(MoveNeedle(advance=0.02), 1)
    cockpit.obey(Stimulate(on=True), 1)
    assert live.silent_for() < 0.5
    assert not any(one.rule == "watchdog" for one in cockpit.cues().cues)
    stuck = threading.Event()
    advance = live.source.advance

    def hang(commands, until):
        stuck.wait(30)
        return advance(commands, until)

    monkeypatch.setattr(live.source, "advance", hang)
    try:
        becomes(lambda: any(one.rule == "watchdog" for one in cockpit.cues().cues))
        (cue,) = (one for one in cockpit.cues().cues if one.rule == "watchdog")
        assert (cue.level, cue.message) == ("caution", "Hold. Wait for the image.")
        assert cue.reason.startswith("No frame for 0.")
        cockpit.acknowledge("watchdog", "image", 2)
        assert (
            next(one for one in cockpit.cues().cues if one.rule == "watchdog").acknowledged_by == "viewer 2"
        )
        becomes(lambda: live.silent_for() > module.BLIND)
        assert cockpit.watch()
        assert not cockpit.now(1).stimulator.on
        assert not cockpit.watch()
    finally:
        stuck.set()
    becomes(lambda: live.silent_for() < 0.3)
    assert not any(one.rule == "watchdog" for one in cockpit.cues().cues)
    live.freeze(True)
    time.sleep(0.6)
    assert live.silent_for() is None
    live.freeze(False)
    assert live.silent_for() < 0.3


@pytest.mark.parametrize("agent", [True, False])
def test_a_needle_that_another_holds_is_not_taken_out_by_who_only_looks(cockpit, agent):
    told = []
    cockpit.live.witness = told.append
    tracked = NeedlePose(
        state=NeedleState.TIP, tip=np.array([0.0, 0.0, 0.015]), direction=np.array([0.8, 0.0, 0.6]),
        covariance=np.eye(3) * 1e-8, frame=CoordinateFrame.PATIENT, time=cockpit.live.readings.probe.time,
    )  # fmt: skip
    if agent:
        cockpit.live.source.operated = True
    else:
        cockpit.live.readings.take(tracked)
    assert cockpit.now(1).needle.inserted == 0.0
    becomes(lambda: any(isinstance(one, SetControl) for one in told))  # its gauge is told all the same
    assert not any(isinstance(one, AdvanceNeedle) for one in told)


def near_artery(level, since):
    return Cue(
        level=level,
        about="artery",
        rule="clearance",
        message="Hold. Too near to the artery.",
        reason="0.4 mm",
        clearance=None,
        time=10.0,
        since=since,
    )


def test_what_is_not_labelled_any_more_is_waited_for_before_the_needle_goes_back(cockpit, monkeypatch):
    caution = near_artery(Level.CAUTION, 2.0)
    far = Clearance(
        structure="artery", distance=0.4e-3, interval=(0.0, 1e-3), unit="m", contact_probability=0.2,
        margin=3e-3, reason="seen",
    )  # fmt: skip
    lost = replace(far, distance=None, interval=None, unit=None, contact_probability=None)
    said = []
    for now, one in (
        (10.0, far),
        (10.1, lost),
        (10.0 + module.LOOKED_FOR + 0.1, lost),
        (14.0, far),
        (14.1, lost),
    ):
        watched = SimpleNamespace(time=now, clearances=(one,))
        monkeypatch.setattr(cockpit.live, "alarm", SimpleNamespace(watched=watched))
        said.append(module._with_key(caution, INSIDE, cockpit._unseen(caution)))
    near, wait, back = (
        "Press {↓} 2 times: too near to the artery.",
        "Wait. Look for the artery.",
        "Hold {↓} to withdraw: artery not seen now.",
    )
    assert said == [near, wait, back, near, wait]
    assert module._with_key(caution, OUTSIDE, None) is None  # no needle is inside


def test_a_needle_that_steps_do_not_bring_back_is_drawn_back_at_once():
    echo = replace(near_artery(Level.UNKNOWN, 8.0), rule="echo", about="needle", reason="No echo there")
    long = replace(echo, since=10.0 - module.LOOKED_AGAIN - 0.1)
    assert module._with_key(echo, INSIDE, None) == "Press {↓} 2 times, look again: no echo there."
    assert module._with_key(long, INSIDE, None) == "Hold {↓} to withdraw: no echo there."
    assert module._with_key(long, OUTSIDE, None) is None


@pytest.mark.parametrize(
    ("rule", "level", "message", "flow", "do"),
    [
        ("pressure", Level.CAUTION, "Slower.", 2 * LEAST_FLOW, "Press {U} to inject slower: pressure near its limit."),
        ("pressure", Level.CAUTION, "Inject slower.", LEAST_FLOW, "Stop injecting. Press {↓} to withdraw 1 mm."),
        ("pressure", Level.STOP, "Stop injecting.", 2 * LEAST_FLOW, "Stop injecting. Press {↓} to withdraw 1 mm."),
        ("pressure", Level.UNKNOWN, "Stop injecting.", 2 * LEAST_FLOW, None),
        ("aspiration", Level.STOP, "Do not inject. Withdraw 1 mm.", 2 * LEAST_FLOW, "Blood. Press {↓} to withdraw 1 mm."),
        ("aspiration", Level.STOP, "Do not inject. Aspirate again.", 2 * LEAST_FLOW, "Blood. Hold {Z} to aspirate again."),
    ],
)  # fmt: skip
def test_what_a_cue_of_the_syringe_asks_for_can_be_done(rule, level, message, flow, do):
    cue = replace(near_artery(level, 8.0), rule=rule, about="injection", message=message)
    assert module._with_key(cue, replace(INSIDE, flow=flow), None) == do


def test_a_syringe_is_drawn_pressed_slower_and_let_go_where_its_page_falls_silent(cockpit, monkeypatch):
    cockpit.obey(MoveNeedle(advance=0.02), 1)
    cockpit.obey(Press(on=True, draw=True), 1)
    becomes(lambda: (one := cockpit.now(1).injector).drawing and one.drawn == "nothing" and one.rate < 0)
    becomes(lambda: cockpit.now(1).injector.aspirated == 0.0)
    monkeypatch.setattr(module, "LET_GO", 0.0)
    assert cockpit.watch() and not cockpit.now(1).injector.drawing
    cockpit.obey(Press(on=True, flow=LEAST_FLOW), 1)
    becomes(lambda: cockpit.now(1).injector.rate == LEAST_FLOW)
    with refused(RangeError, "flow must lie in 8.33333e-08..5e-07 m^3/s, got 20 (mL/min?)"):
        cockpit.obey(Press(on=True, flow=20.0), 1)
