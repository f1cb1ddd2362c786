import numpy as np
import pytest

from insonate.core import RangeError
from insonate.simulation.acoustics.reverberation import mirrored, reverberated
from refusals import refused

RATE, CARRIER = 20e6, 7.5e6


def pulse(t):
    return np.exp(-((t / 0.2e-6) ** 2))


def settings(**changes):
    return {
        "round_trip": 2.345e-6,
        "reflection": -0.6,
        "copies": 3,
        "sampling_frequency": RATE,
        "demodulation_frequency": CARRIER,
    } | changes


def test_copies_come_later_weaker_and_turned():
    t = np.arange(400) / RATE
    samples = (pulse(t - 5e-6) * np.exp(0.3j))[None].astype(np.complex64)
    made = reverberated(samples, **settings())
    truth = sum(
        (-0.6) ** m * pulse(t - 5e-6 - m * 2.345e-6) * np.exp(0.3j - 2j * np.pi * CARRIER * m * 2.345e-6)
        for m in range(4)
    )
    assert made.dtype == np.complex64
    np.testing.assert_allclose(made[0], truth, atol=1e-5)


def test_rf_is_copied_as_it_is():
    t = np.arange(400) / RATE
    made = reverberated(
        pulse(t - 5e-6)[None].astype(np.float32),
        **settings(demodulation_frequency=0.0, round_trip=2e-6, reflection=0.5),
    )
    truth = sum(0.5**m * pulse(t - 5e-6 - m * 2e-6) for m in range(4))
    assert made.dtype == np.float32
    np.testing.assert_allclose(made[0], truth, atol=1e-5)


def test_what_comes_after_the_end_does_not_come_round():
    t = np.arange(200) / RATE
    made = reverberated(
        pulse(t - 6e-6)[None].astype(np.complex64),
        **settings(round_trip=1.5e-6, reflection=0.99, copies=10_000),
    )
    assert np.abs(made[0, :80]).max() < 1e-5
    assert np.abs(made[0, 150]) > 0.5


def test_no_copy_changes_nothing():
    samples = np.random.default_rng(0).normal(size=(2, 50)).astype(np.float32)
    made = reverberated(samples, **settings(copies=0, demodulation_frequency=0.0))
    np.testing.assert_allclose(made, samples, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"round_trip": 2.0}, "round_trip must lie in 1e-09..0.01 s, got 2 (microseconds?)"),
        ({"reflection": 1.0}, "reflection must lie in -0.999..0.999 1, got 1"),
        ({"copies": -1}, "copies must lie in 0..10000 copies, got -1"),
    ],
)
def test_walls_that_cannot_be_are_refused(changes, message):
    with refused(RangeError, message):
        reverberated(np.zeros((1, 9), np.float32), **settings(**changes))


def layered(rows=100, mirror=40):
    image = np.zeros((24, rows), np.float32)
    image[:, mirror - 12] = 1.0
    behind = np.zeros(image.shape, bool)
    behind[:, mirror:] = True
    return image, behind


def test_what_lies_above_a_mirror_is_seen_again_as_far_below_it_and_once_more_a_round_trip_later():
    image, behind = layered()
    image[:, 90] = 0.3  # what lies behind stays
    seen = mirrored(image, behind, strength=0.2, face=0.1)
    assert (seen[:, :40] == image[:, :40]).all()
    assert seen[:, 52] == pytest.approx(0.2)
    assert seen[:, 80] == pytest.approx(0.2 * 0.1)  # the face, by the mirror
    assert seen[:, 90] == pytest.approx(0.3)


def test_the_second_round_trip_is_weaker_by_the_face():
    image, behind = layered(rows=120)
    seen = mirrored(image, behind, strength=0.2, face=0.1)
    assert seen[:, 108] == pytest.approx(0.2 * 0.1)


def test_a_column_without_a_mirror_is_as_it_was():
    image, behind = layered()
    behind[:10] = False
    seen = mirrored(image, behind, strength=0.2, face=0.1)
    assert (seen[:10] == image[:10]).all()
    assert (mirrored(image, np.zeros_like(behind), strength=0.2, face=0.1) == image).all()


def test_a_mirror_takes_no_more_than_all():
    image, behind = layered()
    with refused(RangeError, "strength must lie in 0..1 1, got 1.5"):
        mirrored(image, behind, strength=1.5, face=0.1)
