"""The answer key beside a live patient: asked of a process, of the frame that is shown, noted where it is recorded."""

import base64
import json
import subprocess
import sys
import zlib
from dataclasses import asdict

import numpy as np
import pytest

from app.browser import browsing, live, module, serving, until
from app.serving import becomes
from insonate.app.examination import Examination, key_now
from insonate.app.messages import AnswerKeyNow
from insonate.core import CoordinateFrame, InputError, MoveProbe, Pose
from insonate.pipeline.patients import Choice
from insonate.record.timeline import scan
from insonate.simulation.answer import replay
from insonate.simulation.course import TICK, Settings
from refusals import refused


@pytest.fixture(scope="module")
def examination(tmp_path_factory):
    one = Examination("LL01", recordings=tmp_path_factory.mktemp("recordings"))
    one.show_patient(Choice())
    one.pilots.enter(), one.pilots.enter()
    becomes(lambda: one.live.frame is not None)
    yield one
    one.stop()


def test_nobody_asks_and_nothing_is_known(examination):
    assert examination.answers and examination.hello().answers
    assert key_now(examination.key).state == "off"
    assert key_now(None).labels == ""


def test_the_answer_is_the_truth_of_the_frame_that_is_held(examination):
    live = examination.live
    pose = live.readings.probe
    moved = Pose(
        rotation=pose.rotation,
        translation=pose.translation + np.array([0.004, 0.002, 0]),
        source=CoordinateFrame.PROBE,
        target=CoordinateFrame.PATIENT,
        time=0,
    )
    live.command(MoveProbe(pose=moved, contact_force=3.0, time=0.0, given_by="a test"))
    examination.record(True)
    examination.show_key(True, 1)
    assert examination.key.state in ("working", "ready")
    becomes(lambda: examination.key.state == "ready")
    examination.freeze(True)
    held = live.frame.source_time
    becomes(lambda: examination.key.answer["time"] == pytest.approx(held))
    now = key_now(examination.key)
    assert isinstance(now, AnswerKeyNow) and now.state == "ready"
    labels = np.frombuffer(zlib.decompress(base64.b64decode(now.labels)), np.uint8).reshape(
        now.rows, now.columns
    )
    settings = Settings(**{**asdict(Choice().settings), "truth_step": now.step[0]})
    given = [one for one in examination._given if one.time <= held]
    assert any(isinstance(one, MoveProbe) for one in given)
    truth = list(replay(7, settings, given, held + TICK, at=lambda t: abs(t - held) < 1e-6))[-1]
    np.testing.assert_array_equal(labels, truth.labels)
    named = {one.name: one.color for one in now.structures}
    assert (
        named["femoral artery"] == "#FD3A36"
        and named["subcutaneous fat" if "subcutaneous fat" in named else "skin"] == ""
    )
    examination.freeze(False)


def test_taking_it_away_ends_its_process_and_both_are_noted(examination):
    process = examination.key._process
    examination.show_key(False, 1)
    assert examination.key is None and key_now(None).state == "off"
    process.wait(timeout=10)
    name = examination.library.entries()[0].name
    examination.record(False)
    told = [one.content["what"] for one in scan(examination.library.path(name)) if one.kind == "step"]
    assert told == ["answer key laid over the picture", "answer key taken away"]


def test_only_the_pilot_asks(examination):
    examination.pilots.check(1)
    with refused(InputError, "Viewer 1 holds the probe. Ask for it to take over."):
        examination.show_key(True, 2)


def test_a_process_that_dies_is_told_and_can_be_asked_again(examination):
    examination.show_key(True, 1)
    key = examination.key
    becomes(lambda: key.state == "ready")
    key._process.kill()
    becomes(lambda: key.state == "failed")
    assert key.answer is None and key_now(key).trouble
    examination.show_key(True, 1)
    assert examination.key is not key
    becomes(lambda: examination.key.state == "ready")


def test_another_patient_takes_it_away(examination):
    key = examination.key
    examination.show_patient(Choice(seed=7))
    assert examination.key is None
    key._process.wait(timeout=10)


def test_what_is_no_patient_in_the_hand_has_none(examination):
    examination.show_patient(Choice(operator="expert"))
    assert not examination.answers and not examination.hello().answers
    with refused(InputError, "Only a simulated patient that is held by hand has an answer key."):
        examination.show_key(True, 1)


def test_the_command_says_in_one_line_what_is_wrong():
    done = subprocess.run(
        [sys.executable, "-m", "insonate", "answer-key"],
        check=False,
        input="{}\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("insonate: the first line needs seed and settings")
    assert done.stderr.count("\n") == 1


def test_edges_are_full_insides_a_tint_and_the_ground_is_left_alone():
    labels = np.zeros((6, 8), np.uint8)
    labels[1:5, 1:6], labels[5, 7] = 1, 2
    asked = f"Array.from(tinted(new Uint8Array({json.dumps(labels.ravel().tolist())}), 8, ['#ff0080', '']))"
    pixels = np.array(module("answers", asked)).reshape(6, 8, 4)
    assert pixels[2, 3].tolist() == [255, 0, 128, 96]
    assert pixels[1, 3, 3] == pixels[2, 1, 3] == pixels[4, 5, 3] == 255
    assert (pixels[labels != 1] == 0).all()


def cover(page):
    """How many pixels the answer covers; None where none is shown."""
    return page.evaluate(
        """() => {
            const canvas = document.querySelector('[data-answer]')
            if (!canvas) return null
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
            return data.filter((value, index) => index % 4 === 3 && value).length
        }"""
    )


@pytest.mark.browser
@pytest.mark.slow
def test_the_answer_key_is_laid_over_by_a_key_shown_as_such_slid_and_taken_away():
    with serving() as server, browsing() as page:
        live(page, server.url)
        assert cover(page) is None
        page.keyboard.press("d")
        page.wait_for_selector("[data-key=ready]", timeout=60_000)
        page.keyboard.press("f")  # of a picture that is held it is the very answer
        until(lambda: page.inner_text("[data-key]") == "ANSWER KEY, practice", 40)
        until(lambda: (cover(page) or 0) > 2000, 40)
        assert "femoral artery" in page.inner_text(".clip:has([data-answer])")
        slider = page.get_by_role("slider", name="How far the answer key covers the picture")
        before = float(
            page.evaluate("getComputedStyle(document.querySelector('.clip:has([data-answer])')).opacity")
        )
        slider.focus()
        page.keyboard.press("End")
        until(
            lambda: (
                page.evaluate("getComputedStyle(document.querySelector('.clip:has([data-answer])')).opacity")
                == "1"
            )
        )
        assert 0.3 < before < 1
        page.keyboard.press("d")
        page.wait_for_selector("[data-key]", state="detached")
        assert cover(page) is None
