"""The analytic signal against tones and pulses whose quadrature is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from insonate.signal.analytic import analytic, is_mirrored
from tolerances import RTOL_FLOAT64

ATOL_SPECTRUM = 1e-10
"""A Fourier transform and back in double precision, of numbers of order one."""


@pytest.mark.parametrize("n", [64, 65])
@pytest.mark.parametrize("turns", [1, 7, 31])
def test_a_cosine_becomes_a_phasor(n, turns):
    phase = 2 * np.pi * turns * np.arange(n) / n + 0.4
    np.testing.assert_allclose(analytic(np.cos(phase)), np.exp(1j * phase), atol=ATOL_SPECTRUM)


@pytest.mark.parametrize("n", [64, 65])
def test_kept_from_the_other_half_the_phasor_turns_backward(n):
    phase = 2 * np.pi * 7 * np.arange(n) / n + 0.4
    np.testing.assert_allclose(
        analytic(np.cos(phase), mirrored=True), np.exp(-1j * phase), atol=ATOL_SPECTRUM
    )


def test_the_envelope_of_a_known_modulation_is_that_modulation():
    time = np.arange(400) / 400
    modulation = 1 + 0.6 * np.cos(2 * np.pi * 5 * time)
    np.testing.assert_allclose(
        np.abs(analytic(modulation * np.sin(2 * np.pi * 60 * time))), modulation, atol=ATOL_SPECTRUM
    )


@given(arrays(float, st.integers(1, 40), elements=st.floats(-1, 1)), st.booleans())
def test_the_real_part_is_the_signal_and_half_the_spectrum_is_empty(signal, mirrored):
    made = analytic(signal, mirrored=mirrored)
    np.testing.assert_allclose(made.real, signal, atol=ATOL_SPECTRUM)
    spectrum = np.fft.fft(made)
    n = len(signal)
    negative = np.arange(n) > n / 2
    positive = (np.arange(n) > 0) & (np.arange(n) < n / 2)
    np.testing.assert_allclose(spectrum[positive if mirrored else negative], 0, atol=n * ATOL_SPECTRUM)


def test_the_middle_bin_and_the_mean_are_not_doubled():
    np.testing.assert_allclose(analytic(np.array([3.0, 1, 3, 1])), [3, 1, 3, 1], rtol=RTOL_FLOAT64)


def test_any_axis_is_as_good_as_the_last():
    signal = np.random.default_rng(0).normal(size=(3, 16, 5))
    by_hand = np.stack(
        [[analytic(signal[i, :, j]) for j in range(5)] for i in range(3)],
    ).swapaxes(1, 2)
    np.testing.assert_allclose(analytic(signal, axis=1), by_hand, atol=ATOL_SPECTRUM)


def test_single_precision_stays_single():
    assert analytic(np.zeros(8, np.float32)).dtype == np.complex64
    assert analytic(np.zeros(8, np.int16)).dtype == np.complex128


@pytest.mark.parametrize(
    ("carrier", "sampling", "mirrored"),
    [
        (5e6, 40e6, False),
        (5e6, 10.1e6, False),
        (5e6, 9.9e6, True),  # just below twice the carrier
        (5e6, 20e6 / 3, True),  # must-planewave
        (5e6, 5.1e6, True),
        (5e6, 4.9e6, False),  # between fs and 3/2 fs
        (5e6, 4e6, False),
        (5e6, 3.2e6, True),
    ],
)
def test_the_half_zone_of_the_carrier_says_whether_it_is_mirrored(carrier, sampling, mirrored):
    assert is_mirrored(carrier, sampling) is mirrored


@given(carrier=st.floats(1e6, 2e7), sampling=st.floats(2e6, 1e8))
def test_an_undersampled_tone_keeps_turning_with_its_own_carrier(carrier, sampling):
    folds = 2 * carrier / sampling
    if abs(folds - round(folds)) < 0.1:  # on the fold the two halves cannot be told apart
        return
    n = 400
    time = np.arange(n) / sampling
    made = analytic(
        np.hanning(n) * np.cos(2 * np.pi * carrier * time), mirrored=is_mirrored(carrier, sampling)
    )
    slow = made * np.exp(-2j * np.pi * carrier * time)
    window_leak = 1e-3  # a Hann window's side lobes 20 bins and more away from the carrier
    np.testing.assert_allclose(slow, np.hanning(n), atol=window_leak)
