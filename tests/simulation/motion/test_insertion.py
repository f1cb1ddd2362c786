import numpy as np
import pytest

from insonate.simulation.motion.insertion import Insertion, bevel_side, drawn_shaft
from simulation.analytic_body import ARTERY, NERVE, AnalyticBody
from tolerances import ATOL_ZERO

TICK = 0.05
BODY = AnalyticBody()
SKIN_MM, FASCIA_MM, NERVE_MM = 1.2, 1.0, 1.2


def within(points, labels):
    return {label: BODY.distance(label, points) for label in labels}


def straight_down(depth, x=0.0):
    return drawn_shaft(np.array([x, 0, -1e-3]), np.array([0, 0, 1.0]), depth, 0.0, 1e9)


def pushed(to, x=0.0, step=0.2e-3):
    one = Insertion(BODY.structures)
    for depth in np.arange(step, to, step):
        one.follow(straight_down(depth, x), within, TICK)
    return one


def test_membranes_are_skin_fascia_vessels_and_nerves():
    assert Insertion(BODY.structures).membranes == (1, 3, 6, 7, 8)


def test_skin_tents_then_gives():
    assert pushed(1e-3 + 0.5e-3).tent == pytest.approx(0.5e-3, abs=2.5e-4)
    assert pushed(1e-3 + 0.5e-3).pops == 0
    through = pushed(1e-3 + 2.5e-3)
    assert through.pops == 1 and through.tent == 0


def test_each_membrane_on_the_way_gives_once():
    assert pushed(0.008).pops == 1
    assert pushed(0.013).pops == 2  # the fascia at 9 mm
    assert pushed(0.024, x=-8e-3).pops == 3  # and the nerve, 14.5 to 19.5 mm


def test_a_nerve_is_pushed_ahead_before_it_is_entered():
    touched = pushed(1e-3 + 14.5e-3 + 0.8e-3, x=-8e-3)
    assert touched.pops == 2
    assert touched.tent == pytest.approx(0.8e-3, abs=3e-4)
    tip = touched.shaft.tip[None]
    held = touched.maps(lambda p: p)[-1].back(tip)
    assert BODY.distance(NERVE, held)[0] == pytest.approx(
        0, abs=2e-4
    )  # tissue at the tip is that before the nerve


def test_the_shaft_lies_within_what_its_tip_has_passed_into_until_it_is_drawn_back():
    one = pushed(0.024, x=-8e-3)
    assert one.passed[NERVE] == pytest.approx(1e-3 + 14.5e-3, abs=3e-4)
    assert ARTERY not in one.passed
    one.follow(straight_down(0.017, -8e-3), within, TICK)
    assert NERVE in one.passed
    one.follow(straight_down(0.014, -8e-3), within, TICK)
    assert NERVE not in one.passed
    assert NERVE not in pushed(1e-3 + 14.5e-3 + 0.8e-3, x=-8e-3).passed  # it tents before the tip
    through = pushed(0.030, x=-8e-3)
    assert NERVE in through.passed  # the tip lies beyond it
    through.follow(None, within, TICK)
    assert through.passed == {}


def test_what_moved_onto_the_tip_is_passed_into_as_the_tip_goes_on():
    one = pushed(0.012, x=0.0)

    def moved(points, labels):  # all of it 8 mm to the side and 3 mm up: the nerve lies round the tip
        return {label: BODY.distance(label, points + np.array([-8e-3, 0, 3e-3])) for label in labels}

    one._clear = dict.fromkeys(one._clear, 0.0)
    assert NERVE not in one.passed
    one.follow(straight_down(0.0155), moved, TICK)
    one.follow(straight_down(0.0157), moved, TICK)
    assert NERVE in one.passed


def test_a_fast_push_meets_what_a_slow_one_meets():
    one = Insertion(BODY.structures)
    one.follow(straight_down(0.025, -8e-3), within, TICK)
    assert one.pops == pushed(0.025, -8e-3).pops == 3


def test_a_tent_springs_back_when_it_gives_and_when_it_is_withdrawn():
    one = pushed(1e-3 + 2.5e-3)
    first = one.recoil
    one.follow(one.shaft, within, TICK)
    assert one.recoil == pytest.approx(first * np.exp(-TICK / 0.06), rel=1e-6)
    tented = pushed(1e-3 + 0.8e-3)
    tented.follow(straight_down(1e-3 + 0.3e-3), within, TICK)
    assert tented.tent < 0.4e-3


def test_tissue_follows_the_shaft_until_it_slips():
    one = pushed(0.006)
    assert one.drag == pytest.approx(0.45e-3, rel=0.05)
    one.follow(straight_down(0.004), within, TICK)
    assert one.drag < 0
    for _ in range(200):
        one.follow(straight_down(0.004), within, TICK)
    assert abs(one.drag) < 1e-6


def test_the_roll_lies_where_it_was_measured():
    roll = pushed(0.02).maps(lambda p: p)[0]
    assert np.linalg.norm(roll.middle - pushed(0.02).shaft.tip) == pytest.approx(4.53e-3, rel=1e-6)
    beside = roll.middle + np.array([[1.34e-3 * 0.98, 0, 0], [1.34e-3 * 1.02, 0, 0]])
    moved = beside - roll.back(beside)
    assert moved[0, 2] > 0 > moved[1, 2]


def test_without_a_needle_nothing_moves():
    one = pushed(0.01)
    one.follow(None, within, TICK)
    assert one.shaft is None and one.maps(lambda p: p) == [] and one.tent == one.drag == 0


@pytest.mark.parametrize("rotation", [0.0, np.pi / 2, np.pi])
def test_a_shaft_bends_away_from_its_bevel_and_little(rotation):
    direction = np.array([0.8, 0.0, 0.6])
    shaft = drawn_shaft(np.zeros(3), direction, 0.05, rotation, 1.0)
    off = shaft.tip - 0.05 * direction
    assert off @ direction == pytest.approx(0, abs=ATOL_ZERO)
    assert off @ bevel_side(direction, rotation) == pytest.approx(-0.35 * 0.05**2 / 2, rel=1e-9)
    assert np.linalg.norm(shaft.heading) == pytest.approx(1)


def test_a_bevel_turned_by_zero_faces_up():
    np.testing.assert_allclose(bevel_side(np.array([1.0, 0, 0]), 0.0), [0, 0, -1], atol=ATOL_ZERO)
    np.testing.assert_allclose(
        bevel_side(np.array([1.0, 0, 0]), np.pi / 2), np.cross([1, 0, 0], [0, 0, -1]), atol=ATOL_ZERO
    )
    assert abs(bevel_side(np.array([0.0, 0, 1]), 0.3) @ [0, 0, 1]) < ATOL_ZERO


def test_a_vessel_gives_earlier_than_a_nerve():
    vessel = pushed(1e-3 + 14e-3 + 1.1e-3, x=4e-3)
    assert BODY.distance(ARTERY, vessel.shaft.tip[None])[0] < 0
    assert vessel.pops == 3
