import itertools

import pytest

from insonate.core import Tissue
from insonate.display.palette import ground, label_colors, rgb, stroke, table, tissue_stroke

CASING_CONTRAST = 3.0
"""Of a line against the black casing under it: what WCAG 2.2 asks of graphics (1.4.11)."""


def luminance(color: str) -> float:
    """Relative luminance after WCAG 2.2."""
    parts = [value / 255 for value in rgb(color)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_a_color_is_three_bytes():
    assert rgb("#FF8000") == (255, 128, 0)


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group in ("tissue", "path", "state") for name in table()[group]]
)
def test_every_line_stands_out_from_its_casing(group, name):
    look = stroke(group, name)
    assert contrast(look.color, ground("casing")) >= CASING_CONTRAST
    assert 0 < look.opacity <= 1 and look.width > 0 and all(length > 0 for length in look.dash)


def test_nerve_artery_and_vein_differ_without_color():
    patterns = {
        (tissue_stroke(one).dash, tissue_stroke(one).double)
        for one in (Tissue.NERVE, Tissue.ARTERY, Tissue.VEIN)
    }
    assert len(patterns) == 3


def test_a_vessel_of_unknown_kind_looks_like_neither_kind():
    unknown = tissue_stroke(Tissue.VESSEL)
    for kind in (Tissue.ARTERY, Tissue.VEIN):
        assert unknown.color != tissue_stroke(kind).color and unknown.dash != tissue_stroke(kind).dash


def test_what_is_not_listed_is_drawn_as_other():
    assert tissue_stroke(Tissue.LYMPH_NODE) == stroke("tissue", "other")


def test_what_is_unknown_is_dashed():
    assert stroke("state", "unknown").dash
    assert stroke("path", "not_seen").dash


def test_label_colors_begin_with_black_and_follow_the_tissues():
    colors = label_colors((Tissue.NERVE, Tissue.VESSEL))
    assert colors == [
        (0, 0, 0),
        rgb(tissue_stroke(Tissue.NERVE).color),
        rgb(tissue_stroke(Tissue.VESSEL).color),
    ]


def test_text_can_be_read_on_every_ground():
    for text, back in itertools.product(("text", "text_dim"), ("background", "panel")):
        assert contrast(ground(text), ground(back)) >= 7
