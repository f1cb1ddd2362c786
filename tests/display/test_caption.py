import numpy as np
import pytest

from insonate.core import AxesError
from insonate.display.caption import LEAST_WIDE, LINE, captioned


def drawn(pixels, shape=(0.04, 0.06), below=("0:01.0", ""), height=200):
    return captioned(pixels, shape=shape, above=("a source", "SIMULATED"), below=below, height=height)


def test_the_frame_keeps_its_proportion_and_no_word_lies_on_it():
    pixels = np.full((80, 60), 200, np.uint8)
    picture = drawn(pixels)
    wide = round(200 * 1.5)
    assert picture.shape == (200 + 3 * LINE, LEAST_WIDE)
    left = (LEAST_WIDE - wide) // 2
    assert (picture[LINE : LINE + 200, left : left + wide] == 200).all()


def test_words_stand_above_and_below_it():
    picture = drawn(np.zeros((80, 60), np.uint8), below=("one", "two"))
    for start in (0, LINE + 200, 2 * LINE + 200):
        assert picture[start : start + LINE].max() > 150
    assert drawn(np.zeros((80, 60), np.uint8), below=("", ""))[LINE + 200 :].max() < 20


def test_a_line_that_is_too_long_is_cut_within_the_picture():
    picture = drawn(np.zeros((80, 60), np.uint8), below=("long words " * 40,))
    assert picture[LINE + 200 :, -7:].max() < 20


def test_both_sides_are_even_as_a_clip_needs():
    picture = captioned(
        np.zeros((5, 5), np.uint8), shape=(1.0, 2.335), above=("", ""), below=("",), height=201
    )
    assert picture.shape[0] % 2 == picture.shape[1] % 2 == 0


def test_colors_stay_colors_and_words_stand_beside_them():
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[..., 0] = 200
    picture = drawn(pixels)
    assert picture.ndim == 3
    left = (LEAST_WIDE - 300) // 2
    assert (picture[LINE : LINE + 200, left : left + 300] == [200, 0, 0]).all()
    assert picture[:LINE].max() > 150


def test_what_is_no_picture_is_refused():
    with pytest.raises(AxesError):
        drawn(np.zeros((4, 4, 2), np.uint8))
