"""The needle over a picture: rails beside the shaft, a ring of the tip's own region, nothing certain about what is not."""

import numpy as np
import pytest

from insonate.display.needle import BESIDE, SMALLEST, UNSURE, needle_lines
from insonate.display.palette import table

TIP, TAIL = (0.02, 0.01), (0.0, -0.02)
ELLIPSE = (2e-3, 1e-3, 0.4)
DIAMETER = 0.8e-3


def drawn(state, **changed):
    given = {"diameter": DIAMETER} | changed
    return needle_lines(TIP, TAIL, ELLIPSE, state=state, **given)


def away(point):
    """How far a place lies from the line of the shaft, and how far along it from the tail."""
    along = np.subtract(TIP, TAIL) / np.linalg.norm(np.subtract(TIP, TAIL))
    from_tail = np.subtract(point, TAIL)
    return abs(from_tail[0] * along[1] - from_tail[1] * along[0]), float(from_tail @ along)


@pytest.mark.parametrize(
    ("state", "short"), [("seen", 0), ("off plane", UNSURE), ("lost", UNSURE), ("doubted", UNSURE)]
)
def test_rails_lie_beside_the_shaft_up_to_where_it_is_known(state, short):
    *rails, _ = drawn(state)
    length = np.linalg.norm(np.subtract(TIP, TAIL))
    assert len(rails) == 2
    for rail in rails:
        beside, along = zip(*(away(point) for point in rail.points), strict=True)
        assert beside == pytest.approx([DIAMETER / 2 + BESIDE] * 2)
        assert along == pytest.approx([0, length - short])


def test_the_ring_is_the_tips_own_region_turned_as_it_lies():
    ring = np.array(drawn("seen")[-1].points) - TIP
    first = np.array([np.sin(0.4), np.cos(0.4)])  # axial, lateral
    second = np.array([np.cos(0.4), -np.sin(0.4)])
    on_it = (ring @ first / 2e-3) ** 2 + (ring @ second / 1e-3) ** 2
    np.testing.assert_allclose(on_it, 1, atol=1e-9)


def test_only_a_tip_that_is_seen_is_drawn_whole_and_what_is_lost_bears_no_color_of_the_needle():
    green, gray = table()["needle"]["color"], table()["state"]["unknown"]["color"]
    assert {line.stroke.color for line in drawn("seen")} == {green}
    assert all(not line.stroke.dash for line in drawn("seen"))
    assert {line.stroke.color for line in drawn("off plane")} == {green}
    assert drawn("off plane")[-1].stroke.dash
    for state in ("lost", "doubted"):
        assert {line.stroke.color for line in drawn(state)} == {gray}
        assert all(line.stroke.dash for line in drawn(state))
        assert state in drawn(state)[-1].name


def test_what_has_no_region_or_no_length_is_drawn_without():
    assert [line.name for line in needle_lines(TIP, TAIL, None, diameter=0.0, state="seen")] == [
        "shaft of the needle"
    ] * 2
    [ring] = needle_lines(TIP, TIP, (0.0, 0.0, 0.0), diameter=DIAMETER, state="lost")
    assert np.abs(np.array(ring.points) - TIP).max() == pytest.approx(SMALLEST)
    [ring] = needle_lines(
        TIP, (0.015, 0.009), ELLIPSE, diameter=DIAMETER, state="lost"
    )  # all of it is not known
    assert ring.closed
