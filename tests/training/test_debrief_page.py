import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from insonate.app.cli import main
from insonate.core import OutputError
from insonate.pipeline.commands import plain
from insonate.simulation.course import Settings
from insonate.training.block import Block, Planned
from insonate.training.debrief import debrief
from insonate.training.debrief_page import LABEL, MOST_TOLD, as_values, beside, page, write_page
from simulation.analytic_body import AnalyticBody
from simulation.scripts import inject, needle_to, probe

OF = Block(
    seed=7,
    settings=Settings(region="<b>body</b>", truth_step=4e-4),
    commands=(probe(), *needle_to((4e-3, 0.0, 18e-3), speed=0.06), inject(1.0, rate=1e-6)),
    seconds=2.0,
    target="femoral nerve",
    operator='a "hand" & eye',
)


STOPS = {
    "level": "stop",
    "rule": "clearance",
    "about": "femoral artery",
    "message": "Hold. <i>Too</i> near.",
    "reason": "0.0 mm",
    "acknowledged_by": None,
}
PLAN = Planned(time=0.0, entry=(0.0, -0.028), goal=(0.018, 0.004))


@pytest.fixture(scope="module")
def block():
    return debrief(
        OF.seed,
        OF.settings,
        OF.commands,
        OF.seconds,
        body=AnalyticBody(),
        target=OF.target,
        told=[
            {"time": 0.1, "cues": [STOPS | {"level": "caution"}]},
            {"time": 0.2, "cues": [STOPS]},
            {"time": 1.5, "cues": []},
        ],
        planned=[PLAN],
    )


def test_what_was_told_stands_beside_what_was_done(block):
    text = page(block, OF)
    assert text.count('<rect class="stop"') == 1 and text.count('<rect class="caution"') == 1
    assert "Hold. &lt;i&gt;Too&lt;/i&gt; near." in text
    [stop] = [one for one in block.told if one.level.value == "stop"]
    assert f"the needle went on by {1e3 * stop.advanced:.0f} mm" in text and stop.advanced > 1e-3
    assert any("Stop when you are told to" in one.sentence and one.time == 0.2 for one in block.findings)
    quiet = page(replace(block, told=()), OF)
    assert "Nothing was told" in quiet and '<rect class="stop"' not in quiet
    assert "kept without its cues" in page(replace(block, told=None), OF)
    many = page(replace(block, told=(stop,) * (MOST_TOLD + 3)), OF)
    assert "And 3 more" in many


def test_the_planned_path_lies_beside_the_way_that_was_taken_as_a_ghost(block):
    text = page(block, OF)
    assert text.count('class="ghost"') == 2 and 'class="way"' in text
    assert beside(replace(block, planned=())) is None
    there = [one for one in block.moments if one.place is not None]
    # a path along the very way: what is left is how the tip was pushed off it
    first, last = there[0].place, there[-1].place
    along = Planned(time=0.0, entry=first[:2], goal=last[:2])
    assert beside(replace(block, planned=(along,))) < 1.5e-3
    aside = replace(along, entry=(first[0], first[1] + 5e-3), goal=(last[0], last[1] + 5e-3))
    assert beside(replace(block, planned=(aside,))) > 2e-3
    assert (
        beside(replace(block, planned=(replace(along, time=99.0),))) is None
    )  # it was taken after all of it
    moved = replace(along, until=there[-1].time)  # the probe slid away from that picture: nobody knows
    assert beside(replace(block, planned=(moved,))) is None
    assert "no path was taken" in page(replace(block, planned=()), OF)


class Reader(HTMLParser):
    """Every tag closes, nothing is loaded or run."""

    VOID = ("meta", "rect", "line", "circle", "polyline", "br")

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_is_whole_and_loads_nothing(block):
    reader = Reader()
    reader.feed(page(block, OF))
    assert reader.open == []
    assert {tag for tag, _ in reader.seen}.isdisjoint({"script", "link", "img", "iframe", "b>body"})
    assert not [
        one for _, given in reader.seen for one in given if one.startswith("on") or one in ("src", "href")
    ]
    words = " ".join(reader.text)
    assert LABEL in words and block.sentence in words
    assert 'Debrief: <b>body</b>, seed 7, a "hand" & eye' in words


def test_the_chart_shows_each_structure_where_it_was(block):
    text = page(block, OF)
    artery = next(one for one in block.approaches if one.structure == "femoral artery")
    [height] = re.findall(r'cy="([\d.]+)" r="3.5" fill="#FD3A36"', text)
    assert float(height) == pytest.approx(14 + 300 * (0.02 - max(artery.tip, -4e-3)) / 0.024, abs=0.06)
    assert text.count("<polyline") >= 2
    assert 'class="fluid"' in text


def test_plain_values_are_json_with_units(block):
    values = json.loads(json.dumps(as_values(block), allow_nan=False))
    assert values["simulated"] is True and values["sentence"] == block.sentence
    assert values["given_mL"]["vessel"] == pytest.approx(1e6 * block.given["vessel"], abs=1e-3)
    nearest = values["approaches"][0]
    assert nearest["structure"] == "femoral artery"
    assert nearest["tip_mm"] == pytest.approx(1e3 * block.approaches[0].tip, abs=0.006)


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path, block):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        write_page(tmp_path / "file" / "page.html", page(block, OF))
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_the_command_tells_and_writes(tmp_path, monkeypatch, capsys):
    values = {
        "simulated": True,
        "seed": 7,
        "settings": {"region": "a test", "truth_step": 4e-4},
        "commands": [plain(one) for one in OF.commands],
        "seconds": 0.6,
        "target": "femoral nerve",
    }
    (tmp_path / "examination.json").write_text(json.dumps(values))
    monkeypatch.setattr("insonate.simulation.answer.body_of", lambda settings, seed: AnalyticBody())
    out = tmp_path / "debrief.html"
    monkeypatch.setattr("sys.argv", ["insonate", "debrief", str(tmp_path), "--out", str(out), "--json"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    assert json.loads(capsys.readouterr().out)["target"] == "femoral nerve"
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
