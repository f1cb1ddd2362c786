import numpy as np
import pytest

from insonate.core import Drawn
from insonate.simulation.instrument.injector import Syringe, opening, resistance
from insonate.simulation.motion.injection import Place

PSI = 6894.76
SEEDS = range(2000)


def drawn(place, distance):
    return np.array([opening(seed, place, distance, 1) for seed in SEEDS]) / PSI


@pytest.mark.parametrize(
    ("place", "distance", "mean", "deviation"),
    [
        (Place.PLANE, 1e-3, 8.2, 2.4),
        (Place.PLANE, 0.1e-3, 20.9, 3.7),
        (Place.NERVE, -1e-3, 24.9, 9.6),
        (Place.VESSEL, 5e-3, 3.5, 0.9),
    ],
)
def test_opening_pressures_keep_the_published_distributions(place, distance, mean, deviation):
    found = drawn(place, distance)
    assert found.mean() == pytest.approx(mean, rel=0.03)
    assert found.std() == pytest.approx(deviation, rel=0.08)


def test_fifteen_psi_separates_but_proves_nothing():
    contact, near, inside = drawn(Place.PLANE, 0.0), drawn(Place.PLANE, 1e-3), drawn(Place.NERVE, -1e-3)
    assert 0.90 < (contact >= 15).mean() < 0.99  # 35 of 36 published
    assert (near < 15).mean() > 0.98
    assert 0.05 < (inside < 15).mean() < 0.3
    assert (inside > np.median(contact)).mean() < 0.9


def test_a_needle_resists_as_poiseuille_says():
    radius = 0.39e-3 / 2
    assert resistance(22) == pytest.approx(8 * 1e-3 * 0.08 / (np.pi * radius**4))
    assert resistance(25) / resistance(22) == pytest.approx((0.39 / 0.232) ** 4)


def test_pressure_rises_to_what_is_asked_and_falls_when_released():
    syringe = Syringe(rate=1.667e-7)
    for _ in range(100):
        syringe.press(60e3, 22, 0.05)
    assert syringe.pressure == pytest.approx(60e3, rel=1e-3)
    one = Syringe(rate=1.667e-7)
    one.press(60e3, 22, 0.25)
    assert one.pressure == pytest.approx(60e3 * (1 - np.exp(-1)), rel=1e-3)
    faster = Syringe(rate=5e-7)
    for _ in range(100):
        faster.press(60e3, 22, 0.05)
    assert faster.pressure - 60e3 == pytest.approx(resistance(22) * (5e-7 - 1.667e-7), rel=1e-2)
    syringe.rate = 0.0
    for _ in range(200):
        syringe.press(60e3, 22, 0.05)
    assert syringe.pressure == pytest.approx(0, abs=10)


def test_aspiration_pulls():
    syringe = Syringe(rate=-2e-7)
    for _ in range(100):
        syringe.press(60e3, 22, 0.05)
    assert -8.5e4 <= syringe.pressure < 0


def test_what_comes_back_is_seen_once_needle_and_line_are_full_of_it():
    syringe = Syringe(rate=-4e-7)
    seen = []
    for _ in range(12):
        syringe.press(60e3, 22, 0.05)
        seen.append(syringe.shows(Place.VESSEL, fluid=False))
    assert seen == [None] * 9 + [Drawn.BLOOD] * 3  # 0.2 mL at 0.4 mL/s
    shown = [
        syringe.shows(place, fluid=fluid)
        for place, fluid in ((Place.OUTSIDE, True), (Place.PLANE, True), (Place.NERVE, False))
    ]
    assert shown == [Drawn.AIR, Drawn.FLUID, Drawn.NOTHING]
    syringe.rate = 0.0
    syringe.press(60e3, 22, 0.05)
    assert syringe.shows(Place.VESSEL, fluid=False) is None


def test_no_rate_makes_a_pressure_that_no_hand_gives():
    for rate, bound in ((2e-6, 1.2e6), (-2e-6, -8.5e4)):
        syringe = Syringe(rate=rate)
        for _ in range(100):
            syringe.press(300e3, 25, 0.05)
        assert syringe.pressure == pytest.approx(bound, rel=1e-3)
        syringe.reading(1, 1, 1.0)  # is a reading


def test_a_reading_is_of_the_syringe_with_noise():
    syringe = Syringe(rate=1e-7, volume=2e-6, pressure=50e3)
    readings = [syringe.reading(1, tick, 0.05 * tick) for tick in range(400)]
    noise = np.array([r.pressure for r in readings]) - 50e3
    assert noise.std() == pytest.approx(1.5e3, rel=0.12)
    assert abs(noise.mean()) < 300
    assert readings[3].volume == 2e-6 and readings[3].rate == 1e-7 and readings[3].time == pytest.approx(0.15)
