"""Hands over a live patient: what is told comes from the tracker, a silent page lets go, and what is old is unknown."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest

from app.serving import becomes
from insonate.app import cockpit as module
from insonate.app.cockpit import Cockpit, can_be_held
from insonate.app.messages import MoveNeedle, MoveProbe, Press, Stimulate
from insonate.app.pilots import Pilots
from insonate.core import CoordinateFrame, InputError, NeedlePose, NeedleState
from insonate.guidance.procedures import procedure
from insonate.pipeline import chain
from insonate.pipeline.hands import BESIDE
from insonate.pipeline.live import Live
from insonate.pipeline.playback import Playback
from insonate.simulation.patient import SimulatedPatient
from pipeline.fakes import LABELLER, picture
from refusals import refused
from simulation.analytic_body import AnalyticBody


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


def test_what_is_old_is_unknown(cockpit):
    live = cockpit.live
    cockpit.obey(MoveNeedle(advance=0.03), 1)
    becomes(
        lambda: live.seen is not None and live.seen.guided is not None and live.readings.needle is not None
    )
    live.stop()
    live.seen = replace(live.seen, made=live.frame.made - 2.0)
    rows = cockpit.now(1).near
    assert rows and all(row.interval_mm is None and row.keeps_margin is None for row in rows)
    assert {row.reason for row in rows} == {"seen 2.0 s ago"}
    live.seen = replace(live.seen, made=live.frame.made)
    live.readings.needle = replace(live.readings.needle, time=live.readings.probe.time - 3.0)
    assert {row.reason for row in cockpit.now(1).near} == {"needle seen 3.0 s ago: too old"}


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
