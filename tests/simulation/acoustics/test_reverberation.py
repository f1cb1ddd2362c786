import numpy as np
import pytest

from insonate.core import RangeError
from insonate.simulation.acoustics.reverberation import reverberated
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
