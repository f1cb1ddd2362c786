import numpy as np
import pytest

from insonate.core import AxesError, RangeError
from insonate.imaging.b_mode.speckle_reduction import EDGE, speckle_reduction
from refusals import refused

LEVEL = 0.2
"""Change of mean brightness that nobody sees [dB]."""


def speckle(seed=0, shape=(200, 200)):
    """Decibels of fully developed speckle, correlated over about two pixels as a picture's is."""
    from scipy.ndimage import gaussian_filter

    parts = np.random.default_rng(seed).standard_normal((2, *shape))
    smooth = [gaussian_filter(part, 1.0) for part in parts]
    return 20 * np.log10(np.hypot(*smooth) / np.std(smooth[0]))


def test_even_brightness_and_an_even_slope_are_left_alone():
    assert np.array_equal(speckle_reduction(np.full((9, 9), -20.0)), np.full((9, 9), -20, np.float32))
    slope = np.add.outer(np.arange(40.0), np.zeros(40)) / 4
    np.testing.assert_allclose(speckle_reduction(slope)[8:-8], slope[8:-8], atol=1e-4)


def test_speckle_evens_out_and_its_mean_stays():
    before = speckle()
    after = speckle_reduction(before)
    assert after.std() < 0.65 * before.std()
    assert after.mean() == pytest.approx(before.mean(), abs=LEVEL)


def test_more_passes_even_out_more_and_none_nothing():
    before = speckle()
    spreads = [speckle_reduction(before, passes=n).std() for n in (0, 1, 3, 9)]
    assert spreads == sorted(spreads, reverse=True)
    assert np.array_equal(speckle_reduction(before, passes=0), before.astype(np.float32))


def test_an_edge_stays_where_it_is():
    step = np.zeros((60, 60))
    step[:, 30:] = 40.0
    after = speckle_reduction(step)
    assert np.argmax(np.diff(after[30])) == 29
    assert after[30, 30] - after[30, 29] > 0.9 * 40
    assert np.abs(after - step).max() < 0.05 * 40


def test_a_lower_edge_smooths_less():
    before = speckle()
    assert speckle_reduction(before, edge=EDGE / 4).std() > speckle_reduction(before).std()


def test_a_line_of_pixels_passes_through():
    assert np.array_equal(speckle_reduction(np.arange(5.0)[None]), np.arange(5, dtype=np.float32)[None])


def test_what_does_not_fit_is_refused():
    with refused(AxesError, "decibels must be (axial, lateral), got shape (1, 4, 4)"):
        speckle_reduction(np.zeros((1, 4, 4)))
    with refused(RangeError, "passes must lie in 0..100 passes, got -1"):
        speckle_reduction(np.zeros((4, 4)), passes=-1)
    with refused(RangeError, "edge must lie in 0.001..1000 dB, got 0"):
        speckle_reduction(np.zeros((4, 4)), edge=0)
