import numpy as np
import pytest

from insonate.simulation.motion.blood import Blood
from insonate.simulation.motion.rhythm import Rhythm, poiseuille
from insonate.simulation.motion.tubes import Tube, trace
from simulation.analytic_body import ARTERY, AnalyticBody

RHYTHM = Rhythm.drawn(3)
TUBE = trace(AnalyticBody(), ARTERY)


def bent():
    """A tube that runs down as it goes, on an ellipse."""
    along = np.linspace(-0.02, 0.02, 21)
    stretch = np.diag([1.25, 0.8])
    return Tube(
        label=4,
        axis=1,
        along=along,
        middle=np.stack([1e-3 * np.sin(along / 8e-3), 0.02 + 0.3 * along], axis=1),
        radius=np.full(21, 3e-3),
        stretch=np.repeat(stretch[np.newaxis], 21, axis=0),
    )


def test_points_fill_the_lumen_evenly_and_stay_in_it_forever():
    blood = Blood(5, TUBE, RHYTHM, artery=True)
    for travel in (0.0, 123.4):
        at = blood.places(np.arange(len(blood)), travel)
        share = np.hypot(at[:, 0] - 4e-3, at[:, 2] - 18e-3) / 4e-3
        assert share.max() < 1.002
        assert (share < 0.5).mean() == pytest.approx(0.25, abs=0.01)
        assert np.histogram(at[:, 1], 8)[0].std() / (len(blood) / 8) < 0.03
    assert blood.density == pytest.approx(20e9, rel=1e-3)


@pytest.mark.parametrize("artery", [True, False])
def test_a_point_goes_as_poiseuille_says_along_the_tube(artery):
    blood, time, step = Blood(5, bent(), RHYTHM, artery=artery), 0.13, 1e-5
    which = np.arange(len(blood))
    before, after = (blood.places(which, blood.travel(t)) for t in (time, time + step))
    speed = RHYTHM.arterial_speed(time) if artery else RHYTHM.venous_speed(time)
    offset, _, radius, _ = blood.tube.circular(before)
    imposed = poiseuille(np.hypot(*offset.T) / radius, -speed if artery else speed)
    velocity = (after - before) / step
    here = np.abs(before[:, 1]) < 0.015
    along = np.einsum("ij,ij->i", velocity, blood.tube.heading(before))
    np.testing.assert_allclose(along[here], imposed[here], atol=0.01 * speed)
    across = velocity - along[:, None] * blood.tube.heading(before)
    assert np.abs(across[here]).max() < 0.06 * speed  # straight between stations


def test_a_chart_finds_points_where_the_body_has_them():
    """Moved by a map that bends: straight lines between its places are as near as its curvature lets them be."""

    def placed(points):
        return points + np.stack(
            [1e-3 * np.sin(points[:, 1] / 6e-3), 0 * points[:, 0], 20.0 * points[:, 0] ** 2], axis=1
        )

    blood = Blood(5, bent(), RHYTHM, artery=True)
    lattice = blood.lattice(-5e-3, 5e-3, 7)
    chart = lattice.chart(placed(lattice.rest))
    which = chart.within(0.02)
    truth = placed(blood.places(which, 0.02))
    assert len(which) > 2000
    assert np.abs(chart.places(which, 0.02) - truth).max() < 2e-5
    assert chart.opened == pytest.approx(1, abs=0.02)
    onward = chart.places(which, 0.02, 1e-4) - chart.places(which, 0.02)
    assert np.abs(onward).max() < 1.5e-4


def test_a_lumen_that_closed_to_half_is_seen_as_half_open():
    lattice = Blood(5, TUBE, RHYTHM, artery=False).lattice(-5e-3, 5e-3, 3)
    assert lattice.chart(lattice.rest * [1, 1, 0.5]).opened == pytest.approx(0.5, rel=0.01)


def test_beyond_the_tube_there_is_none():
    assert Blood(5, TUBE, RHYTHM, artery=True).lattice(0.05, 0.06, 3) is None


def test_a_seed_has_its_points_and_another_has_others():
    one, same, other = (Blood(seed, TUBE, RHYTHM, artery=True) for seed in (5, 5, 6))
    which = np.arange(100)
    np.testing.assert_array_equal(one.places(which, 0.1), same.places(which, 0.1))
    assert (one.strengths(which, 0.1) != other.strengths(which, 0.1)).all()
