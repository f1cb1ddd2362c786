import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.simulation.motion.rhythm import Rhythm, poiseuille, vein_area, vein_flatness
from tolerances import RTOL_FLOAT64


def test_rates_are_drawn_within_what_the_source_says():
    drawn = [Rhythm.drawn(seed) for seed in range(200)]
    heart = np.array([one.heart_rate for one in drawn])
    breath = np.array([one.breathing_rate for one in drawn])
    assert heart.min() >= 1.0 and heart.max() <= 1.33 and np.ptp(heart) > 0.25
    assert breath.min() >= 0.2 and breath.max() <= 0.33 and np.ptp(breath) > 0.1
    assert Rhythm.drawn(3).heart_rate == Rhythm.drawn(3).heart_rate != Rhythm.drawn(4).heart_rate
    assert all(one.slide[2] == 0 for one in drawn)


@given(st.floats(0, 600), st.integers(0, 50))
def test_a_pulse_returns_after_a_beat_and_never_shrinks_the_artery(time, seed):
    one = Rhythm.drawn(seed)
    assert one.distension(time) == pytest.approx(one.distension(time + 1 / one.heart_rate), abs=1e-9)
    assert 0 <= one.distension(time) <= 1.1 * one.arterial_strain


def test_the_pulse_tops_at_the_strain_drawn_and_the_flow_at_the_speed_of_the_source():
    one = Rhythm.drawn(1)
    beat = np.arange(2000) / 2000 / one.heart_rate
    assert max(one.distension(t) for t in beat) == pytest.approx(one.arterial_strain, rel=0.05)
    speed = [one.arterial_speed(t) for t in beat]
    assert max(speed) == pytest.approx(1.14, rel=0.01)
    assert -0.30 < min(speed) / max(speed) < -0.20
    assert 0.07 <= one.venous_speed(1.0) <= 0.23


def test_poiseuille_carries_half_its_peak():
    r = (np.arange(10_000) + 0.5) / 10_000
    speed = poiseuille(r, 0.8)
    assert speed[0] == pytest.approx(0.8, rel=1e-6)
    assert np.sum(speed * r) / np.sum(r) == pytest.approx(0.4, rel=1e-6)  # mean over the section
    assert poiseuille(np.array([1.0, 1.5]), 0.8).tolist() == [0, 0]


def test_a_vein_near_the_chest_empties_with_a_breath_in_and_the_lung_glides_across_and_down():
    one = Rhythm.drawn(5)
    top, end = 0.25 / one.breathing_rate, 0.75 / one.breathing_rate
    assert one.venous_filling(end) == pytest.approx(1)
    assert one.venous_filling(top) == pytest.approx(0.88)
    for drawn in (Rhythm.drawn(seed).glide for seed in range(50)):
        assert 2e-3 <= np.linalg.norm(drawn) <= 5e-3
        assert drawn[2] == 0 > drawn[1]


def test_a_vein_closes_under_the_probe():
    assert vein_area(0.0) == 1.0
    assert vein_area(3.0) == pytest.approx(0.5, rel=RTOL_FLOAT64)
    assert vein_area(60.0) == 0.02
    assert (np.diff([vein_area(f) for f in np.linspace(0, 8, 20)]) < 0).all()
    assert vein_flatness(1.0) == 0 < vein_flatness(0.5)


@given(time=st.floats(0, 30), seed=st.integers(0, 50))
def test_travel_is_the_integral_of_speed(time, seed):
    one, step = Rhythm.drawn(seed), 1e-5
    for travel, speed in (
        (one.arterial_travel, one.arterial_speed),
        (one.venous_travel, one.venous_speed),
    ):
        slope = (travel(time + step) - travel(time)) / step
        assert slope == pytest.approx(speed(time + step / 2), abs=2e-3)
        assert travel(0.0) == pytest.approx(0, abs=1e-12)
