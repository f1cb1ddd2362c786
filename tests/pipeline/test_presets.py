"""Presets: those that come along are within range, one's own are kept whole, and a foreign file is refused in words."""

import json

import pytest

from insonate.core import FormatError, InputError, OutputError, RangeError
from insonate.pipeline import presets as module
from insonate.pipeline.appearance import CONTROLS
from insonate.pipeline.presets import MOST, Preset, Presets, built_in

FIRST = {name: first for name, (_, _, first, _) in CONTROLS.items()}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "settings" / "presets.json"


def test_those_that_come_along_are_told_apart_and_the_first_is_the_beginning():
    names = [one.name for one in built_in()]
    assert len(set(names)) == len(names) >= 3
    assert all(one.about and not one.own for one in built_in())
    assert {name: built_in()[0].value(name) for name in CONTROLS} == FIRST


def test_ones_own_are_kept_and_found_again(file):
    one = Presets(file)
    one.save("  My   knee ", FIRST | {"gain": 4.0, "persistence": 0.5})
    again = Presets(file)
    assert again.all()[-1] == Preset(name="My knee", values={"gain": 4.0, "persistence": 0.5}, own=True)
    assert again.get("My knee").value("gain") == 4.0 and again.get("My knee").value("depth") == 0.04
    again.save("My knee", FIRST)
    assert Presets(file).get("My knee").values == {}
    again.delete("My knee")
    assert Presets(file).all() == built_in()
    assert [path.name for path in file.parent.iterdir()] == ["presets.json"]


def test_a_name_that_is_taken_or_none_is_refused(file):
    one = Presets(file)
    with pytest.raises(InputError, match="comes with the software"):
        one.save("general", FIRST)
    for name in ("", "  ", "x" * 41, "a\x07b"):
        with pytest.raises(InputError, match="needs a name"):
            one.save(name, FIRST)
    with pytest.raises(InputError, match="no preset 'nobody'"):
        one.get("nobody")
    with pytest.raises(InputError, match="of your own named 'General'"):
        one.delete("General")
    assert not file.exists()


def test_there_is_an_end_to_them(file):
    one = Presets(file)
    for n in range(MOST):
        one.save(f"number {n}", FIRST)
    with pytest.raises(InputError, match="delete one first"):
        one.save("one more", FIRST)
    one.save("number 3", FIRST | {"gain": 1.0})  # one that is there can be changed


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"presets": {}}'[:-2] + "3}",
        '{"presets": [{"name": "x"}]}',
        '{"presets": [{"name": "x", "values": {"gain": "loud"}}]}',
        '{"presets": [{"name": "x", "values": {"power": 3}}]}',
        '{"presets": [{"name": "x", "values": {"gain": 300}}]}',
        '{"presets": [{"name": "x", "values": {"gain": NaN}}]}',
        "[" * 100_000,
    ],
)
def test_a_file_that_holds_none_is_told_and_left_as_it_is(file, text):
    file.parent.mkdir()
    file.write_text(text)
    one = Presets(file)
    assert one.all() == built_in()
    assert one.trouble
    with pytest.raises(InputError, match="cannot be read"):
        one.save("mine", FIRST)
    assert file.read_text() == text


def test_a_file_too_long_is_not_read(file, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 20)
    file.parent.mkdir()
    file.write_text(json.dumps({"presets": [{"name": "x", "values": {}}]}))
    assert "longer than 20 bytes" in Presets(file).trouble


def test_one_that_cannot_be_written_changes_nothing(tmp_path):
    (tmp_path / "settings").write_text("a file, no folder")
    one = Presets(tmp_path / "settings" / "presets.json")
    with pytest.raises((OutputError, InputError)):
        one.save("mine", FIRST)
    assert one.all() == built_in()


def test_values_out_of_range_are_no_preset():
    with pytest.raises(RangeError, match="gain"):
        Preset(name="x", values={"gain": 99.0})
    with pytest.raises(InputError, match="no control 'power'"):
        Preset(name="x", values={"power": 1.0})
    assert issubclass(FormatError, InputError)
