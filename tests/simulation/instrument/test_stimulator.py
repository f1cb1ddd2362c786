import numpy as np
import pytest

from insonate.core import Stimulus
from insonate.simulation.instrument.stimulator import (
    Neighborhood,
    impedance,
    motor_answer,
    stimulated,
    threshold,
)
from tolerances import RTOL_FLOAT64

SEEDS = range(4000)


def near(distance=0.0, **changes):
    usual = {"nerve": "femoral nerve", "distance": distance, "in_vessel": False, "visit": 1, "washed": 0.0}
    return Neighborhood(**usual | changes)


def thresholds(where, width=1e-4):
    return np.array([threshold(seed, where, width) for seed in SEEDS])


def test_touching_and_a_millimeter_away_keep_the_published_means_and_deviations():
    for distance, mean, deviation in ((0.0, 0.39e-3, 0.33e-3), (1e-3, 0.92e-3, 0.33e-3)):
        found = thresholds(near(distance))
        assert found.mean() == pytest.approx(mean, rel=0.06)  # 4000 draws of a long tail
        assert found.std() == pytest.approx(deviation, rel=0.35)
        assert found.min() > 0.2e-3  # never so low outside a nerve


def test_one_intraneural_tip_in_eight_is_falsely_high():
    found = thresholds(near(-0.5e-3))
    assert (found >= 0.8e-3).mean() == pytest.approx(0.125, abs=0.016)  # three deviations of a share of 4000
    assert found.mean() == pytest.approx(0.56e-3, rel=0.04)
    assert found.max() <= 1.8e-3 and found.min() >= 0.05e-3
    assert (found <= 0.2e-3).mean() > 0.05  # and low currents are seen there


def test_the_current_grows_with_the_square_of_the_distance():
    one = [threshold(3, near(d * 1e-3), 1e-4) for d in (0.0, 1.0, 2.0, 3.0)]
    rise = np.array(one) - one[0]
    np.testing.assert_allclose(rise / rise[1], [0, 1, 4, 9], rtol=RTOL_FLOAT64)


def test_nothing_answers_far_away_or_without_a_nerve():
    assert threshold(0, near(5e-3), 1e-4) is None
    assert threshold(0, near(4.99e-3), 1e-4) is not None
    assert threshold(0, near(nerve=None), 1e-4) is None


def test_longer_pulses_need_less_current():
    base, long = threshold(1, near(), 1e-4), threshold(1, near(), 3e-4)
    assert long / base == pytest.approx((1 + 0.25) / (1 + 0.75), rel=RTOL_FLOAT64)


def test_each_visit_draws_anew_and_the_same_visit_does_not():
    assert threshold(1, near(), 1e-4) == threshold(1, near(), 1e-4) != threshold(1, near(visit=2), 1e-4)


def test_conducting_fluid_takes_the_twitch():
    assert threshold(1, near(washed=1.5e-6), 1e-4) == pytest.approx(4 * threshold(1, near(), 1e-4))


@pytest.mark.parametrize(("distance", "mean", "deviation"), [(1e-3, 10.8e3, 2.9e3), (-1e-3, 18.2e3, 6.1e3)])
def test_impedance_keeps_the_published_distributions_and_their_overlap(distance, mean, deviation):
    found = np.array([impedance(seed, near(distance), 0) for seed in SEEDS])
    assert found.mean() == pytest.approx(mean, rel=0.02)
    assert found.std() == pytest.approx(deviation, rel=0.06)
    if distance < 0:
        outside = np.array([impedance(seed, near(1e-3), 0) for seed in SEEDS])
        assert 0.05 < (found < np.quantile(outside, 0.75)).mean() < 0.5


def test_impedance_falls_in_a_vessel():
    assert impedance(1, near(1e-3, in_vessel=True), 0) == pytest.approx(0.6 * impedance(1, near(1e-3), 0))


def test_a_twitch_is_graded_and_named():
    least = threshold(1, near(), 1e-4)
    for share, grade in ((0.99, 0), (1.01, 1), (1.51, 2)):
        reading = stimulated(1, near(), Stimulus(current=least * share, pulse_width=1e-4, rate=2.0), 1.0, 1)
        assert reading.grade == grade
        assert reading.muscle == ("quadriceps" if grade else None)
        assert reading.delivered == pytest.approx(least * share)
        assert reading.time == 1.0 and reading.impedance > 0


def test_a_sensory_nerve_moves_nothing():
    assert motor_answer("lateral femoral cutaneous nerve") is None
    assert motor_answer("Femoral nerve") == "quadriceps"
    assert motor_answer(None) is None
    where = near(nerve="lateral femoral cutaneous nerve")
    reading = stimulated(1, where, Stimulus(current=5e-3, pulse_width=1e-4, rate=1), 0.0, 1)
    assert reading.grade == 0


def test_a_device_cannot_drive_more_than_its_voltage():
    reading = stimulated(1, near(1e-3), Stimulus(current=0.02, pulse_width=1e-4, rate=1), 0.0, 1)
    assert reading.delivered * reading.impedance == pytest.approx(95.0)
