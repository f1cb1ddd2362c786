"""Demodulation of tones and pulses with a known baseband."""

import numpy as np
import pytest

from insonate.signal.analytic import analytic, is_mirrored
from insonate.signal.demodulation import baseband

ATOL_SINGLE = 2e-6
"""Rounding of complex64, of numbers of order one."""
RATE = 20e6
CARRIER = 5e6


def tone(offset, n=200, start=0.0, phase=0.0):
    time = start + np.arange(n) / RATE
    return np.exp(1j * (2 * np.pi * (CARRIER + offset) * time + phase))


def test_a_tone_at_the_carrier_stands_still_at_its_phase():
    start = 3.217e-6
    made = baseband(tone(0, start=start, phase=0.7), CARRIER, RATE, start)
    assert made.dtype == np.complex64
    np.testing.assert_allclose(made, np.full(200, np.exp(0.7j)), atol=ATOL_SINGLE)


def test_a_tone_above_the_carrier_turns_forward():
    time = np.arange(200) / RATE
    made = baseband(tone(0.3e6), CARRIER, RATE, 0.0)
    np.testing.assert_allclose(made, np.exp(2j * np.pi * 0.3e6 * time), atol=ATOL_SINGLE)


def test_each_transmit_has_its_own_start():
    starts = np.array([1e-6, 2.3e-6])
    signal = np.stack([np.stack([tone(0, start=start)] * 3) for start in starts])
    np.testing.assert_allclose(
        baseband(signal, CARRIER, RATE, starts[:, None]), np.ones((2, 3, 200)), atol=ATOL_SINGLE
    )


@pytest.mark.parametrize(
    ("offset", "kept"),
    [(0.0, 1.0), (0.4e6, 1.0), (1e6, 0.5), (-1e6, 0.5), (1.25e6, 0.1464466), (1.5e6, 0.0), (3e6, 0.0)],
)
def test_the_band_is_six_decibels_down_at_half_its_width(offset, kept):
    n = 4000
    middle = slice(n // 2 - 200, n // 2 + 200)
    made = baseband(tone(offset, n), CARRIER, RATE, 0.0, width=2e6)
    ends = 2e-4  # the record's ends, switched on and off, still ring in its middle
    np.testing.assert_allclose(np.abs(made[middle]), kept, atol=ends)


def test_an_echo_keeps_its_place_and_phase_through_the_filter():
    time = np.arange(400) / RATE
    pulse = np.exp(-0.5 * ((time - 8.03e-6) / 0.8e-6) ** 2)
    signal = pulse * np.exp(2j * np.pi * CARRIER * (time - 8.03e-6))
    made = baseband(signal, CARRIER, RATE, 0.0, width=4e6)
    expected = pulse * np.exp(-2j * np.pi * CARRIER * 8.03e-6)
    np.testing.assert_allclose(made, expected, atol=1e-5)


@pytest.mark.parametrize("n", [200, 333])
def test_what_ends_the_record_does_not_ring_at_its_start(n):
    signal = np.zeros(n, complex)
    signal[-1] = 1
    made = np.abs(baseband(signal, CARRIER, RATE, 0.0, width=1.5e6))
    sixty_decibels = 1e-3
    assert made[:20].max() < sixty_decibels * made[-1]


def test_bandpass_sampled_echoes_come_out_as_if_sampled_well():
    """Sampled at 4/3 of the carrier, as must-planewave is, against the closed form of the baseband."""
    slow_rate, start, delay = 20e6 / 3, 9.95e-6, 25.3e-6
    time = start + np.arange(300) / slow_rate
    width = 0.6e-6
    envelope = np.exp(-0.5 * ((time - delay) / width) ** 2)
    rf = envelope * np.cos(2 * np.pi * CARRIER * (time - delay))
    signal = analytic(rf, mirrored=is_mirrored(CARRIER, slow_rate))
    made = baseband(signal, CARRIER, slow_rate, start)
    folded_tail = 1e-5  # of the Gaussian's spectrum beyond the fold
    np.testing.assert_allclose(made, envelope * np.exp(-2j * np.pi * CARRIER * delay), atol=folded_tail)
