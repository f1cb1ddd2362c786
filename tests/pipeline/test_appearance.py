"""How a picture is shown: greys in closed form, and a persistence that is of the eye alone."""

import numpy as np
import pytest

from insonate.pipeline.appearance import BANDS, CONTROLS, SHOWN, TGC, Persistence, decibels, gains, greys
from pipeline.fakes import on_grid, picture

FIRST = {name: first for name, (_, _, first, _) in CONTROLS.items()}


def test_every_first_value_lies_within_its_range():
    for low, high, first, unit in CONTROLS.values():
        assert low <= first <= high and unit
    assert set(SHOWN) <= set(CONTROLS)


def test_greys_follow_the_formula():
    values = np.array([[0.0, -15.0, -30.0, -60.0, -90.0]], np.float32)
    wanted = np.clip(1 + values / 60, 0, 1) * 255
    np.testing.assert_array_equal(greys(values, FIRST), np.floor(wanted + 0.5).astype(np.uint8))
    louder = greys(values, FIRST | {"gain": 15.0})
    assert louder[0].tolist() == greys(values + 15, FIRST)[0].tolist()


def test_gain_by_depth_is_each_bands_own_in_its_middle_and_a_line_between():
    controls = FIRST | {"gain": 2.0, TGC[3]: 10.0}
    rows = 17 * BANDS
    found = gains(rows, controls)[:, 0]
    middles = 17 * np.arange(BANDS) + 8
    np.testing.assert_allclose(found[middles], 2 + 10 * (np.arange(BANDS) == 3), atol=1e-5)
    assert found[middles[3] + 8] == pytest.approx(2 + 10 * 9 / 17, abs=1e-5)


def test_brightness_is_taken_for_sixty_decibels():
    np.testing.assert_allclose(decibels(picture(np.full((3, 4), 0.5, np.float32))), -30)
    np.testing.assert_array_equal(decibels(on_grid(np.full((1, 3, 4), -7.0, np.float32))), -7)


def test_what_was_shown_fades_by_its_share_from_picture_to_picture():
    persistence, dark, bright = Persistence(), np.full((2, 2), -60.0), np.zeros((2, 2))
    persistence.add(dark, 0.75)
    for n in range(1, 6):
        np.testing.assert_allclose(persistence.add(bright, 0.75), -60 * 0.75**n)


def test_without_persistence_each_picture_is_its_own_and_another_shape_begins_anew():
    persistence = Persistence()
    persistence.add(np.full((2, 2), -60.0), 0.9)
    assert (persistence.add(np.zeros((2, 2)), 0.0) == 0).all()
    assert (persistence.add(np.full((3, 2), -6.0), 0.9) == -6).all()
    persistence.clear()
    assert (persistence.add(np.zeros((3, 2)), 0.9) == 0).all()
