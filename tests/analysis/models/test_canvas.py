"""The canvas: constants, ramps and rectangles come through in closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.analysis.models.canvas import DARK, content, even, from_canvas, place, resize, to_canvas
from insonate.core import AxesError, RangeError
from tolerances import RTOL_FLOAT32

SIZES = st.integers(1, 90)

TENTH_OF_A_PIXEL = 0.1 / 100
"""Of the ramp: triangle weights are sampled at the pixels, so their center is off by a little."""


def framed(shape=(60, 80), rows=(10, 50), columns=(20, 70), value=0.5):
    """A bright rectangle on black."""
    picture = np.zeros(shape, np.float32)
    picture[slice(*rows), slice(*columns)] = value
    return picture


@settings(deadline=None, max_examples=40)
@given(n=SIZES, m=SIZES, rows=SIZES, columns=SIZES)
def test_resizing_keeps_a_constant(n, m, rows, columns):
    np.testing.assert_allclose(resize(np.full((n, m), 0.3), (rows, columns)), 0.3, rtol=RTOL_FLOAT32)


@pytest.mark.parametrize("n", [20, 55, 160])
def test_resizing_keeps_a_ramp_away_from_its_ends(n):
    ramp = np.broadcast_to((np.arange(100) + 0.5) / 100, (4, 100))
    expected = (np.arange(n) + 0.5) / n
    inner = slice(n // 8, -(n // 8))
    np.testing.assert_allclose(resize(ramp, (4, n))[0, inner], expected[inner], atol=TENTH_OF_A_PIXEL)


def test_making_smaller_does_not_alias():
    stripes = np.indices((120, 120)).sum(axis=0) % 2.0
    small = resize(stripes, (30, 30))
    assert np.abs(small[2:-2, 2:-2] - 0.5).max() < 0.02


def test_dark_borders_are_cut():
    assert content(framed()) == ((10, 50), (20, 70))


def test_a_mark_of_the_machine_beside_the_picture_is_border():
    picture = framed(shape=(60, 200), columns=(60, 190))
    picture[10:18, 2:8] = 1.0
    assert content(picture) == ((10, 50), (60, 190))


def test_single_specks_in_the_border_are_border():
    picture = framed(shape=(400, 500), rows=(100, 300), columns=(50, 450))
    picture[350, 60] = 1.0
    assert content(picture)[0] == (100, 300)


def test_a_dark_picture_is_kept_whole():
    assert content(np.zeros((7, 9))) == ((0, 7), (0, 9))


def test_content_fills_the_canvas_and_keeps_its_proportion():
    placement = place(framed(), size=100)
    assert (placement.height, placement.width, placement.left) == (80, 100, 0)


def test_tall_content_stands_in_the_middle():
    placement = place(framed(rows=(0, 60), columns=(20, 50)), size=100)
    assert (placement.height, placement.width, placement.left) == (100, 50, 25)


def test_pixels_twice_as_high_as_wide_are_stretched():
    flat = place(framed(rows=(10, 30)), size=100, aspect=2.0)
    assert (flat.height, flat.width) == (80, 100)


def test_canvas_is_black_outside_the_content():
    placement = place(framed(), size=50)
    canvas = to_canvas(framed(), placement)
    np.testing.assert_allclose(canvas[: placement.height], 0.5, rtol=RTOL_FLOAT32)
    assert not canvas[placement.height :].any()


def test_a_blob_comes_back_to_where_it_was():
    rows, columns = np.indices((90, 120))
    blob = np.exp(-((rows - 40) ** 2 + (columns - 75) ** 2) / 200).astype(np.float32)
    picture = np.maximum(blob, 0.1)
    placement = place(picture, size=160)
    back = from_canvas(to_canvas(picture, placement)[None], placement, picture.shape)[0]
    assert np.abs(back - picture).max() < 0.02


def test_nothing_comes_back_outside_the_content():
    picture = framed()
    placement = place(picture, size=40)
    back = from_canvas(np.ones((2, 40, 40)), placement, picture.shape)
    assert np.array_equal(back[1] > 0, picture > 0)


@settings(deadline=None, max_examples=40)
@given(rows=st.integers(1, 200), columns=st.integers(1, 200), aspect=st.floats(0.2, 5))
def test_any_shape_fits(rows, columns, aspect):
    picture = np.ones((rows, columns), np.float32)
    placement = place(picture, size=32, aspect=aspect)
    assert 1 <= placement.height <= 32 and 1 <= placement.width <= 32
    assert max(placement.height, placement.width) == 32
    assert from_canvas(to_canvas(picture, placement)[None], placement, picture.shape).shape == (
        1,
        rows,
        columns,
    )


def test_frames_are_refused():
    with pytest.raises(AxesError, match=r"picture must be \(axial, lateral\), got shape \(1, 4, 4\)"):
        place(np.ones((1, 4, 4)), size=8)


@pytest.mark.parametrize("aspect", [0.0, -1.0, np.nan, np.inf])
def test_impossible_pixels_are_refused(aspect):
    with pytest.raises(RangeError, match="positive number"):
        place(np.ones((4, 4)), size=8, aspect=aspect)


@settings(deadline=None, max_examples=40)
@given(gamma=st.floats(0.4, 2.0), gain=st.floats(0.7, 1.0))
def test_an_even_canvas_knows_no_gray_curve(gamma, gain):
    levels = np.linspace(0.25, 1.0, 40)  # so far apart that no curve joins two, and none is lost in the dark
    canvas = levels[np.random.default_rng(0).integers(0, 40, (60, 60))].astype(np.float32)
    np.testing.assert_allclose(even(gain * canvas**gamma), even(canvas), atol=1e-6)


def test_what_is_lit_is_spread_evenly_and_what_is_dark_stays_dark():
    canvas = np.random.default_rng(1).random((100, 100)).astype(np.float32) ** 3
    canvas[:30] = 0
    out = even(canvas)
    lit = canvas > DARK
    assert not out[~lit].any()
    np.testing.assert_allclose(np.quantile(out[lit], [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.02)
    order = np.argsort(canvas[lit])
    assert (np.diff(out[lit][order]) >= 0).all()
    assert out.max() <= 1 and out.dtype == np.float32


def test_a_black_canvas_stays_black():
    assert not even(np.zeros((8, 8), np.float32)).any()
