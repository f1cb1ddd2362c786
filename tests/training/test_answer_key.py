"""The answer key: what was lived again says what a replay says, of the frame that was asked for, line by line."""

import base64
import json
import zlib
from dataclasses import asdict

import numpy as np
import pytest

from insonate.core import FormatError, InputError
from insonate.pipeline.commands import plain
from insonate.simulation.answer import Following, replay
from insonate.simulation.course import TICK, Settings
from insonate.training.answer_key import LIVED_AT_ONCE, STEP, answer, as_values
from simulation.analytic_body import AnalyticBody
from simulation.scripts import block, probe

BODY = AnalyticBody()
SETTINGS = Settings(truth_step=STEP)
BEGIN = json.dumps({"seed": 7, "settings": asdict(SETTINGS)})


def labels_of(values):
    flat = np.frombuffer(zlib.decompress(base64.b64decode(values["labels"])), np.uint8)
    return flat.reshape(values["rows"], values["columns"])


def step(time, commands=()):
    return json.dumps({"time": time, "commands": [plain(one) for one in commands]})


def answers(*lines):
    told = []
    answer([BEGIN, *lines], told.append, body=BODY)
    return [json.loads(one) for one in told]


def test_what_follows_an_examination_knows_what_a_replay_knows():
    truths = {round(one.time / TICK): one for one in replay(7, SETTINGS, block(), 2.6, body=BODY)}
    following = Following(7, SETTINGS, body=BODY)
    given = sorted(block(), key=lambda one: one.time)
    for tick in (4, 21, 22, 51):
        now = tick * TICK
        following.advance([one for one in given if one.time <= now + 1e-9], now + TICK)
        given = [one for one in given if one.time > now + 1e-9]
        truth, wanted = following.truth(), truths[tick]
        assert truth.time == pytest.approx(wanted.time)
        np.testing.assert_array_equal(truth.labels, wanted.labels)
        np.testing.assert_array_equal(truth.injectate, wanted.injectate)
        assert truth.clearances == wanted.clearances
    following.advance((), 0.3)  # what lies behind is not lived again
    assert following.truth().time == truth.time


def test_a_frame_is_answered_with_labels_and_where_each_structure_stands():
    [values] = answers(step(0.4, [probe()]))
    truth = next(
        one for one in replay(7, SETTINGS, [probe()], 0.45, body=BODY) if round(one.time / TICK) == 8
    )
    assert values["time"] == pytest.approx(0.4)
    np.testing.assert_array_equal(labels_of(values), truth.labels)
    assert values["step"] == pytest.approx([STEP, STEP])
    assert values["origin"] == [truth.grid.axial[0], truth.grid.lateral[0]]
    for number, one in enumerate(values["structures"], start=1):
        here = labels_of(values) == number
        assert (one["at"] is not None) == here.any()
        if one["at"] is not None:
            row = round((one["at"][0] - values["origin"][0]) / STEP)
            column = round((one["at"][1] - values["origin"][1]) / STEP)
            down, right = np.nonzero(here)
            assert down.min() <= row <= down.max() and right.min() <= column <= right.max()


def test_injected_fluid_is_a_structure_of_its_own():
    last = answers(step(2.5, block()))[-1]
    assert last["structures"][-1]["name"] == "injected fluid"
    assert (labels_of(last) == len(last["structures"])).any()
    before = answers(step(0.4, block()))[-1]
    assert "injected fluid" not in [one["name"] for one in before["structures"]]


def test_a_long_past_is_told_step_by_step():
    told = answers(step(5.2, [probe()]))
    assert [one["lived"] for one in told[:-1]] == pytest.approx([LIVED_AT_ONCE, 2 * LIVED_AT_ONCE])
    assert told[-1]["time"] == pytest.approx(5.2)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["{"], "a line must be JSON"),
        (["[]"], "a line must be a JSON object, got list"),
        (['{"seed": 7}'], "the first line needs seed and settings"),
        (['{"seed": "x", "settings": {}}'], "the first line needs seed and settings"),
        (['{"seed": 7, "settings": {"angle": 3}}'], "the first line needs seed and settings"),
        ([BEGIN, '{"commands": []}'], "a step needs a time and commands"),
        ([BEGIN, '{"time": 1, "commands": [{"kind": "Eval"}]}'], "a step needs a time and commands"),
    ],
)
def test_a_line_that_is_none_is_refused(lines, said):
    with pytest.raises(FormatError, match=said.replace("[", r"\[")):
        answer(lines, lambda line: None, body=BODY)


def test_a_command_that_the_body_cannot_obey_is_refused():
    far = probe(at=(9.0, 0.0, 0.0))
    with pytest.raises(InputError, match="within the window"):
        answers(step(0.4, [far]))


def test_values_are_plain():
    [truth] = list(replay(7, SETTINGS, [], TICK, body=BODY))
    assert json.loads(json.dumps(as_values(truth))) == as_values(truth)
