"""Envelope and decibels of echoes whose strength is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import Grid, IQImage, Quantity, RangeError, Step
from insonate.imaging.b_mode import b_mode, envelope, log_compression
from refusals import refused
from strategies import iq_images

ATOL_DECIBELS = 1e-5
"""Rounding of single precision, of numbers up to 100 dB."""
TINY = 1e-320
"""An amplitude near the smallest that there is."""


def iq(values, **changes):
    values = np.asarray(values, dtype=complex)
    grid = Grid(axial=0.01 + 1e-4 * np.arange(values.shape[1]), lateral=1e-4 * np.arange(values.shape[2]))
    settings = {"grid": grid, "times": None, "center_frequency": 5e6, "sound_speed": 1540.0}
    return IQImage(values=values, **settings | changes)


def test_the_envelope_of_a_modulated_tone_is_its_modulation():
    depth = np.arange(200)
    modulation = 2 + np.sin(2 * np.pi * depth / 50)
    tone = modulation * np.exp(1j * (0.9 * depth + 0.3))
    made = envelope(iq(tone[None, :, None]))
    assert made.shape == (1, 200, 1)
    np.testing.assert_allclose(made[0, :, 0], modulation, rtol=1e-12)


@pytest.mark.parametrize(
    ("ratio", "decibels"), [(1, 0), (0.5, -6.0205999), (0.1, -20), (1e-3, -60), (1e-4, -60), (0, -60)]
)
def test_a_tenth_is_twenty_decibels_less(ratio, decibels):
    made = log_compression(np.array([7.0, 7.0 * ratio]), dynamic_range=60)
    np.testing.assert_allclose(made, [0, decibels], atol=ATOL_DECIBELS)
    assert made.dtype == np.float32


@given(iq_images(), st.floats(1, 200))
def test_the_brightest_is_zero_and_nothing_leaves_the_dynamic_range(image, dynamic_range):
    made = b_mode(image, dynamic_range=dynamic_range)
    assert made.values.max() == 0
    assert made.values.min() >= np.float32(-dynamic_range)
    strongest = np.argmax(np.abs(image.values))
    assert made.values.ravel()[strongest] == 0


@given(iq_images(), st.floats(1e-12, 1e12))
def test_gain_changes_nothing_where_the_maximum_is_the_reference(image, gain):
    before = log_compression(np.abs(image.values), dynamic_range=60)
    after = log_compression(gain * np.abs(image.values), dynamic_range=60)
    np.testing.assert_allclose(after, before, atol=ATOL_DECIBELS)


def test_a_reference_of_ones_own_holds_what_is_louder_at_zero():
    made = log_compression(np.array([20.0, 10.0, 1.0, 0.1]), dynamic_range=30, reference=10.0)
    np.testing.assert_allclose(made, [0, 0, -20, -30], atol=ATOL_DECIBELS)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_where_there_is_no_echo_at_all_the_picture_is_black(kind):
    assert log_compression(np.zeros((2, 3), kind), dynamic_range=50).tolist() == [[-50.0] * 3] * 2


@pytest.mark.parametrize("strength", [np.array([1e-37, 0], np.float32), np.array([TINY, 0])])
def test_the_faintest_echoes_are_still_compressed_to_finite_numbers(strength):
    assert log_compression(strength, dynamic_range=200).tolist() == [0.0, -200.0]


def test_zero_decibels_is_the_brightest_of_all_frames_so_that_a_clip_does_not_flicker():
    clip = b_mode(iq([[[1.0, 0.1]], [[10.0, 1.0]]]), dynamic_range=60)
    np.testing.assert_allclose(clip.values, [[[-20, -40]], [[0, -20]]], atol=ATOL_DECIBELS)


def test_what_is_known_of_the_echoes_is_kept():
    before = Step(name="delay_and_sum", version="1")
    made = b_mode(iq(np.ones((2, 1, 1)), times=[0.0, 0.05], provenance=(before,)), reference=2.0)
    assert made.quantity is Quantity.B_MODE
    assert made.times.tolist() == [0.0, 0.05]
    assert made.provenance[0] == before
    assert made.provenance[1].name == "b_mode"
    assert dict(made.provenance[1].settings) == {"dynamic_range": 60.0, "reference": 2.0}


@pytest.mark.parametrize("value", [0.9, 201, -60, float("nan")])
def test_a_dynamic_range_that_cannot_be_is_refused(value):
    with refused(RangeError, f"dynamic_range must lie in 1..200 dB, got {value:g}"):
        b_mode(iq(np.ones((1, 1, 1))), dynamic_range=value)


@pytest.mark.parametrize("value", [0.0, -20.0, float("nan"), float("inf")])
def test_a_reference_that_is_no_amplitude_is_refused(value):
    with refused(RangeError, f"reference must be a finite amplitude above 0, got {value:g} (in decibels?)"):
        b_mode(iq(np.ones((1, 1, 1))), reference=value)
