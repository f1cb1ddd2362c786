"""The thread beside a live source: choosing records, a path lays the needle, the end makes a report, one pilot at a time."""

import json
import math
import time
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from app.serving import becomes
from insonate.app import examination as module
from insonate.app.examination import Examination
from insonate.app.leading import Leading
from insonate.app.messages import MoveNeedle
from insonate.core import Cue, InputError, Level, NeedlePath
from insonate.pipeline import chain, patients
from insonate.record.timeline import scan
from insonate.simulation.patient import SimulatedPatient
from insonate.training.block import read_block
from insonate.training.telling import told
from pipeline.fakes import LABELLER
from refusals import refused
from simulation.analytic_body import AnalyticBody


@pytest.fixture(scope="module")
def body():
    return AnalyticBody()


@pytest.fixture
def leading(monkeypatch, body, tmp_path):
    monkeypatch.setattr(chain, "SEGMENTERS", LABELLER)
    monkeypatch.setattr(
        "insonate.app.examination.source_of", lambda choice: SimulatedPatient(choice.seed, body=body)
    )
    examination = Examination("LL01", recordings=tmp_path)
    one = Leading(examination)
    assert one.now(None) is None
    examination.show_patient(patients.Choice())
    examination.pilots.enter(), examination.pilots.enter()
    becomes(lambda: examination.live.readings.probe is not None)
    yield one
    one.stop()
    examination.stop()


def stage(leading):
    return next(one.id for one in leading.now(None).stages if one.state == "now")


def test_choosing_begins_a_recording_that_keeps_every_step(leading):
    examination = leading.examination
    assert stage(leading) == "choose"
    leading.go_on(1, None)
    assert stage(leading) == "check"
    assert examination.hello().recording
    for _ in range(4):
        leading.go_on(1, None)
    leading.go_on(1, "shown only")
    leading.go_back(1, "scan")
    assert stage(leading) == "scan"
    name = examination.library.entries()[0].name
    examination.record(False)
    told = [event for event in scan(examination.library.path(name)) if event.kind == "step"]
    kept = [event.content["what"] for event in told]
    assert kept[0] == "left choose"
    assert kept[-2:] == ["left scan before it was done: shown only", "back to scan"]


def test_only_the_pilot_leads(leading):
    leading.go_on(2, None)
    leading.examination.cockpit.pilots.check(2)
    for deed in (lambda: leading.go_on(1, None), lambda: leading.go_back(1, "choose")):
        with refused(InputError, "Viewer 2 holds the probe. Ask for it to take over."):
            deed()
    with refused(InputError, "there is no stage 'nowhere'"):
        leading.go_back(2, "nowhere")


def test_another_procedure_begins_the_thread_anew(leading):
    leading.go_on(1, None)
    leading.examination.set_procedure("UL03")
    assert stage(leading) == "choose"


def test_a_needle_is_laid_so_that_it_goes_on_along_the_path(leading):
    cockpit = leading.examination.cockpit
    angle = math.radians(40)
    cockpit.lay((0.001, -0.025), angle, 1)
    pressed = float(cockpit.live.readings.probe.translation[2])
    now = cockpit.now(1).needle
    assert now.angle == pytest.approx(angle)
    assert now.yaw == 0
    # where its line meets the depth at which the path begins, it is at the path's entry
    assert now.beside + (0.001 + pressed) / math.tan(angle) == pytest.approx(-0.025, abs=1e-6)
    assert pressed >= 0


def test_the_end_of_a_block_makes_its_report(leading, monkeypatch):
    asked = []
    monkeypatch.setattr(leading.reporting, "make", asked.append)
    thread = leading._current()
    thread.stage = type(thread.stage).RECORD
    leading.go_on(1, None)
    assert stage(leading) == "report"
    assert not leading.examination.hello().recording
    (block,) = asked
    assert block["target"] == "femoral nerve"
    assert block["seed"] == 7
    assert isinstance(block["commands"], list)


def test_a_report_is_told_in_words(leading):
    leading.reporting.state = "ready"
    leading.reporting.facts = {
        "sentence": "Keep clear.",
        "findings": [{"severity": "harm", "sentence": "Keep clear.", "time_s": 1.0}],
        "needling_s": 20.2, "passes": 1, "in_view": 0.416, "blind_mm": 0.0, "ring": None,
        "approaches": [{"structure": "femoral nerve", "shaft_mm": -0.3}, {"structure": "vein", "shaft_mm": 4.0}],
    }  # fmt: skip
    told = leading.report()
    assert told.sentence == "Keep clear."
    assert {one.name: one.value for one in told.facts} == {
        "Time with the needle": "20 s", "Passes": "1", "Tip in view while advancing": "42 %", "Gone blind": "0.0 mm",
        "Needle to femoral nerve": "0.3 mm inside", "Needle to vein": "4.0 mm", "Edge of the target with fluid": "unknown",
        "Furthest from the planned path": "unknown",
    }  # fmt: skip
    levels = ("caution", "stop", "caution", "unknown")
    leading.reporting.facts |= {"beside_mm": 1.26, "told": [{"level": one} for one in levels]}
    told = {one.name: one.value for one in leading.report().facts}
    assert told["Furthest from the planned path"] == "1.3 mm" and told["Cautions, stops told"] == "2, 1"


def test_what_was_told_and_the_path_that_was_taken_come_with_the_block(leading, tmp_path):
    examination = leading.examination
    path = NeedlePath(
        entry=(0.001, -0.025), target=(0.018, 0.0), unit="m", length=0.03, angle=0.6, aims_at="femoral nerve",
        clearances=(), unknown=(), not_seen=0.0, rank=1, reason="",
    )  # fmt: skip
    examination.take_path(path, 1.0)
    examination.take_path(replace(path, unit="px"), 1.0)
    watched = SimpleNamespace(cues=[Cue(
        level=Level.STOP, about="injection", rule="pressure", message="Stop injecting.", reason="1 kPa", clearance=None,
        time=0.5, since=0.5, acknowledged_by=None,
    )])  # fmt: skip
    [row] = module._rows(watched)
    becomes(lambda: examination.live.elapsed > 1.2)
    examination._told += [{"time": 0.5, "cues": [row]}, {"time": 1e5, "cues": []}]
    kept = examination.block()
    assert kept["planned"] == [{"time": 1.0, "entry": [0.001, -0.025], "goal": [0.018, 0.0]}]
    assert kept["told"][-1] == {"time": 0.5, "cues": [row]}  # what comes after its end is none of it
    (tmp_path / "examination.json").write_text(json.dumps(kept))
    back = read_block(tmp_path)
    assert back.planned[0].goal == (0.018, 0.0)
    assert told(back.told, back.commands, back.seconds)[-1].message == "Stop injecting."


def test_cues_are_remembered_as_they_change_and_not_as_their_numbers_do(leading):
    examination = leading.examination
    becomes(lambda: examination.live.frame is not None)
    before = len(examination._told)
    leading.examination.cockpit.obey(MoveNeedle(advance=0.02), 1)
    becomes(lambda: len(examination._told) > before)
    rows = [[module._same(one) for one in row["cues"]] for row in list(examination._told)]
    assert all(one != two for one, two in pairwise(rows))


def test_a_file_has_a_thread_without_hands(leading, tmp_path):
    from PIL import Image as Picture

    path = tmp_path / "still.png"
    Picture.fromarray(np.full((120, 160), 90, np.uint8)).save(path)
    leading.examination.show_file(path, "still.png")
    time.sleep(0.2)
    now = leading.now(None)
    assert now.do == "Press {Enter} to start a guided block."
    thread = leading._current()
    thread.stage = type(thread.stage).RECORD
    leading.go_on(1, None)
    assert leading.report().state == "none"  # its truth is not known: nothing is looked back upon
