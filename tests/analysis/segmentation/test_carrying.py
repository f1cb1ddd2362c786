"""An outline goes with the picture under it, and where the picture does not say where, nothing is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, shift

from insonate.analysis.segmentation.carrying import COARSE, REACH, carried

BOX = (60.0, 70.0, 100.0, 120.0)
WITHIN = 0.6
"""Of a pixel."""


def speckle(seed=0, shape=(180, 200)):
    return gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 2.5).astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(st.floats(-11, 11), st.floats(-11, 11), st.integers(0, 99))
def test_what_moved_as_one_is_found(down, across, seed):
    then = speckle(seed)
    (found,) = carried(then, shift(then, (down, across), order=3, mode="nearest"), [BOX])
    assert found is not None
    assert (found.rows, found.columns) == pytest.approx((down, across), abs=WITHIN)
    assert 0.6 <= found.likeness <= 1


def test_what_stayed_has_not_moved():
    (found,) = carried(speckle(), speckle(), [BOX])
    assert (found.rows, found.columns, found.likeness) == pytest.approx((0, 0, 1), abs=0.02)


def test_gain_and_offset_change_nothing():
    then = speckle()
    (found,) = carried(then, 3 * np.roll(then, 4, axis=1) - 20, [BOX])
    assert (found.rows, found.columns) == pytest.approx((0, 4), abs=WITHIN)


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(speckle(1), id="another picture"),
        pytest.param(np.zeros((180, 200), np.float32), id="nothing"),
        pytest.param(np.roll(speckle(), COARSE * (REACH + 6), axis=0), id="a jump"),
        pytest.param(speckle(0, (181, 200)), id="another shape"),
    ],
)
def test_what_the_picture_does_not_say_is_not_said(now):
    assert carried(speckle(), now, [BOX]) == [None]


def test_what_splits_is_not_said():
    then = speckle()
    now = then.copy()
    now[:, :88] = np.roll(then, -9, axis=0)[:, :88]
    now[:, 88:] = np.roll(then, 3, axis=0)[:, 88:]
    assert carried(then, now, [BOX]) == [None]


def test_each_outline_has_its_own_shift_and_a_sliver_none():
    then = speckle()
    now = then.copy()
    now[:, 130:] = np.roll(then, 6, axis=0)[:, 130:]
    first, second, sliver, beyond = carried(
        then, now, [BOX, (60, 140, 100, 175), (2.0, 2.0, 3.0, 3.0), (-50, -50, -20, -20)]
    )
    assert first.rows == pytest.approx(0, abs=WITHIN)
    assert second.rows == pytest.approx(6, abs=WITHIN)
    assert sliver is None and beyond is None


def test_a_part_of_an_even_picture_says_nothing():
    flat = np.full((180, 200), -30, np.float32)
    assert carried(flat, flat, [BOX]) == [None]


def test_an_outline_as_wide_as_the_picture_is_looked_at_coarsely():
    then = speckle()
    (found,) = carried(then, np.roll(then, 8, axis=0), [(40.0, 0.0, 140.0, 199.0)])
    assert found.rows == pytest.approx(8, abs=3)
