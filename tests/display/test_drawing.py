import json
from dataclasses import FrozenInstanceError

import pytest

from insonate.core import InputError
from insonate.display.drawing import Drawing, Label, Line, Stroke
from refusals import refused

LOOK = Stroke(color="#FBD20A", dash=(6.0, 4.0))


def test_a_line_needs_two_places():
    with refused(InputError, "Line 'Needle' must have at least two points, got 1"):
        Line(role="path", name="Needle", points=((0.0, 0.0),), stroke=LOOK)


def test_the_list_comes_through_json_with_every_field():
    drawing = Drawing(
        unit="m",
        lines=(
            Line(role="path", name="Needle", points=((0.0, 0.0), (0.01, 0.02)), stroke=LOOK, closed=True),
        ),
        labels=(Label(role="unknown", text="? vein", at=(0.02, 0.0), color="#C9D1D8", unknown=True),),
        title="LL01",
        notice="simulated",
    )
    told = json.loads(json.dumps(drawing.to_json(), allow_nan=False))
    assert set(told) == {"unit", "lines", "labels", "title", "notice"}
    (line,), (label,) = told["lines"], told["labels"]
    assert line["points"] == [[0.0, 0.0], [0.01, 0.02]]
    assert line["stroke"] == {
        "color": "#FBD20A",
        "width": 1.8,
        "dash": [6.0, 4.0],
        "opacity": 1.0,
        "double": False,
    }
    assert (line["closed"], line["fill_opacity"]) == (True, 0.0)
    assert label == {
        "role": "unknown",
        "text": "? vein",
        "detail": "",
        "at": [0.02, 0.0],
        "anchor": None,
        "color": "#C9D1D8",
        "unknown": True,
    }


def test_the_page_knows_every_field():
    """The page's hand-written types of the drawing name the fields of the list, no more and no fewer."""
    import re
    from dataclasses import fields

    from conftest import CHECKOUT

    text = (CHECKOUT / "web" / "src" / "drawing.ts").read_text(encoding="utf-8")
    for noun in (Stroke, Line, Label, Drawing):
        body = re.search(rf"export interface {noun.__name__} \{{(.*?)\n\}}", text, re.DOTALL)
        assert body, noun.__name__
        assert set(re.findall(r"^\s+(\w+):", body[1], re.MULTILINE)) == {one.name for one in fields(noun)}


@pytest.mark.parametrize(
    ("noun", "name"),
    [(LOOK, "color"), (Drawing(unit="m", lines=(), labels=(), title=None, notice=None), "unit")],
)
def test_what_was_drawn_cannot_be_changed(noun, name):
    with pytest.raises(FrozenInstanceError):
        setattr(noun, name, "px")
