import json

import pytest

from insonate.core import AdvanceNeedle, FormatError, InputError, MoveProbe
from insonate.pipeline.commands import plain
from insonate.simulation.course import Settings
from insonate.training.block import Planned, read_block
from refusals import refused
from simulation.scripts import block

GIVEN = block()


def values(**changes):
    usual = {
        "simulated": True,
        "seed": 3,
        "settings": {
            "region": "femoral_crease",
            "variant": "high_division",
            "pathologies": ["swollen_nerve"],
        },
        "commands": [plain(one) for one in GIVEN],
        "seconds": 2.5,
        "target": "femoral nerve",
        "operator": "novice",
    }
    return usual | changes


def test_what_was_told_and_planned_comes_with_it_where_it_was_kept(tmp_path):
    plain_block = read_block(written(tmp_path, json.dumps(values())))
    assert plain_block.told is None and plain_block.planned == ()
    more = {
        "told": [{"time": 1.0, "cues": []}],
        "planned": [{"time": 0.5, "entry": [0.0, -0.02], "goal": [0.018, 0.001]}],
    }
    one = read_block(written(tmp_path, json.dumps(values(**more))))
    assert [dict(row) for row in one.told] == more["told"]
    assert one.planned == (Planned(time=0.5, entry=(0.0, -0.02), goal=(0.018, 0.001)),)
    for bad, said in (
        ({"told": 3}, "told must be a list"),
        (
            {"planned": [{"time": 0.5, "entry": [0.0, 20.0], "goal": [0, 0]}]},
            "planned entry must lie in -0.5..0.5 m",
        ),
        ({"planned": [{"time": 0.5, "entry": [0.0], "goal": [0, 0]}]}, "not a whole examination"),
    ):
        with pytest.raises(FormatError) as caught:
            read_block(written(tmp_path, json.dumps(values(**bad))))
        assert said in str(caught.value)


def written(tmp_path, text):
    (tmp_path / "examination.json").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_block_comes_back_as_it_was(tmp_path):
    folder = written(tmp_path, json.dumps(values()))
    for path in (folder, folder / "examination.json"):
        one = read_block(path)
        assert one.settings == Settings(variant="high_division", pathologies=("swollen_nerve",))
        assert (one.seed, one.seconds, one.target, one.operator) == (3, 2.5, "femoral nerve", "novice")
        assert [plain(command) for command in one.commands] == [plain(command) for command in GIVEN]
        assert {type(command) for command in one.commands} >= {MoveProbe, AdvanceNeedle}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "examination.json: this is no JSON: Expecting property name"),
        ("[" * 100_000, "examination.json: this is no JSON: "),
        ("[1]", "examination.json: expected a simulated examination, got another kind of file"),
        (json.dumps(values(simulated=False)), "examination.json: expected a simulated examination"),
        (json.dumps(values(seed="7")), "examination.json: seed must be a whole number, got '7'"),
        (
            json.dumps(values(seconds=None)),
            "examination.json: not a whole examination: float() argument must be",
        ),
        (json.dumps({"simulated": True}), "examination.json: not a whole examination: settings is missing"),
        (
            json.dumps(values(settings={"zone": 1})),
            "examination.json: not a whole examination: Settings.__init__()",
        ),
        (json.dumps(values(settings=[1])), "examination.json: not a whole examination: "),
        (
            json.dumps(values(commands=[{"kind": "Eval"}])),
            "examination.json: a command must be one of SetControl",
        ),
        (json.dumps(values(commands=[{"kind": "Inject", "rate": 1.0}])), "examination.json: "),
    ],
)
def test_another_file_is_refused_in_one_sentence(tmp_path, text, message):
    with pytest.raises(FormatError) as found:
        read_block(written(tmp_path, text))
    assert str(found.value).startswith(message)


def test_a_missing_file_names_what_was_expected(tmp_path):
    with refused(
        InputError,
        f"{tmp_path}: expected a folder that `insonate simulate REGION` wrote, or its examination.json: "
        "there is no examination.json",
    ):
        read_block(tmp_path)
