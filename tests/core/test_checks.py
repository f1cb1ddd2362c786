import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import AxesError, RangeError
from insonate.core.checks import (
    check_axes,
    check_count,
    check_finite,
    check_increasing,
    check_kind,
    check_range,
    frame_times,
    frozen,
)
from refusals import refused


@pytest.mark.parametrize(
    ("shape", "axes"), [((2, 3), "axial lateral"), ((7, 3), "n_elements 3"), ((), ""), ((0,), "n")]
)
def test_right_axes_pass(shape, axes):
    check_axes("values", np.zeros(shape), axes)


@pytest.mark.parametrize(
    ("shape", "axes", "message"),
    [
        ((2, 3), "frame axial lateral", "values must be (frame, axial, lateral), got shape (2, 3)"),
        (
            (2, 3, 4, 5),
            "frame axial lateral",
            "values must be (frame, axial, lateral), got shape (2, 3, 4, 5)",
        ),
        ((3, 7), "n_elements 3", "values must be (n_elements, 3), got shape (3, 7)"),
        ((4, 3), "3 3", "values must be (3, 3), got shape (4, 3)"),
        ((3, 4), "3 3", "values must be (3, 3), got shape (3, 4)"),
    ],
)
def test_other_axes_are_refused(shape, axes, message):
    with refused(AxesError, message):
        check_axes("values", np.zeros(shape), axes)


def test_a_list_is_no_array():
    with refused(AxesError, "values must be (n) in a numpy array, got list"):
        check_axes("values", [1, 2], "n")


@given(value=st.floats(-3, 5) | st.integers(-3, 5))
def test_all_within_the_limits_pass(value):
    check_range("value", value, (-3, 5), "m")


@pytest.mark.parametrize("value", [np.float32(1), np.int16(1), np.float64(1), 1, 1.0])
def test_any_real_number_is_a_number(value):
    check_range("value", value, (0, 2), "m")


@pytest.mark.parametrize(
    ("value", "hint", "message"),
    [
        (1.54, "km/s?", "sound_speed must lie in 300..6000 m/s, got 1.54 (km/s?)"),
        (299.999, None, "sound_speed must lie in 300..6000 m/s, got 299.999"),
        (6000.01, None, "sound_speed must lie in 300..6000 m/s, got 6000.01"),
        (np.nan, "km/s?", "sound_speed must lie in 300..6000 m/s, got nan"),
        (np.inf, "km/s?", "sound_speed must lie in 300..6000 m/s, got inf"),
        ("fast", "km/s?", "sound_speed must be a number in 300..6000 m/s, got 'fast'"),
        (None, None, "sound_speed must be a number in 300..6000 m/s, got None"),
        (True, None, "sound_speed must be a number in 300..6000 m/s, got True"),
        (1540 + 0j, None, "sound_speed must be a number in 300..6000 m/s, got (1540+0j)"),
    ],
)
def test_outside_the_limits_is_refused_with_unit_and_slip(value, hint, message):
    with refused(RangeError, message):
        check_range("sound_speed", value, (300, 6000), "m/s", hint=hint)


@pytest.mark.parametrize(
    "array", [np.zeros(3), np.zeros(3, complex), np.array([1, 2]), np.array([True]), np.zeros(0)]
)
def test_finite_numbers_pass(array):
    check_finite("values", array)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.array([[0, 1], [2, np.nan]]),
            "values must be finite, got 1 NaN or infinite, the first at (1, 1)",
        ),
        (np.array([0, np.inf, -np.inf]), "values must be finite, got 2 NaN or infinite, the first at (1,)"),
        (np.array([1j * np.nan]), "values must be finite, got 1 NaN or infinite, the first at (0,)"),
    ],
)
def test_nan_and_infinity_are_counted_and_placed(array, message):
    with refused(RangeError, message):
        check_finite("values", array)


@given(steps=st.lists(st.floats(1e-6, 1), max_size=9))
def test_increasing_lines_pass(steps):
    check_increasing("axial", np.concatenate([[0.0], np.cumsum(steps)]), "m")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "axial must hold at least one value [m], got none"),
        ([0.1, np.nan], "axial must be finite, got 1 NaN or infinite, the first at (1,)"),
        ([0, 1, 1], "axial must increase [m], got 1 before 1 at 1 (reversed?)"),
        ([0.5, 0.25, 2.0], "axial must increase [m], got 0.5 before 0.25 at 0 (reversed?)"),
    ],
)
def test_lines_that_do_not_increase_are_refused(values, message):
    with refused(RangeError, message):
        check_increasing("axial", np.array(values, float), "m")


def test_a_plane_is_no_line():
    with refused(AxesError, "axial must be (n), got shape (2, 2)"):
        check_increasing("axial", np.eye(2), "m")


def test_kinds():
    check_kind("labels", np.zeros(2, np.uint8), ("int16", "uint8"))
    with refused(AxesError, "labels must be of int16 or uint8, got float64"):
        check_kind("labels", np.zeros(2), ("int16", "uint8"))


def test_frozen_refuses_writes_but_shares_memory():
    own = np.arange(3)
    view = frozen(own)
    assert np.shares_memory(own, view)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 5
    assert own.flags.writeable


@pytest.mark.parametrize("value", [1, 8, np.int16(3), np.uint8(8)])
def test_whole_numbers_count(value):
    check_count("rows", value, (1, 8), "pixels")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (2.5, "rows must be a whole number of pixels, got 2.5"),
        (2.0, "rows must be a whole number of pixels, got 2.0"),
        (0, "rows must lie in 1..8 pixels, got 0"),
        (9, "rows must lie in 1..8 pixels, got 9"),
        ("2", "rows must be a number in 1..8 pixels, got '2'"),
        (True, "rows must be a number in 1..8 pixels, got True"),
    ],
)
def test_what_cannot_be_counted_is_refused(value, message):
    with refused(RangeError, message):
        check_count("rows", value, (1, 8), "pixels")


def test_times_of_frames_are_frozen_or_unknown():
    assert frame_times("times", None, 3) is None
    times = frame_times("times", [0, 1, 2], 3)
    assert times.dtype == np.float64
    assert not times.flags.writeable
    np.testing.assert_array_equal(times, [0, 1, 2])


@pytest.mark.parametrize(
    ("times", "error", "message"),
    [
        ([0, 1], AxesError, "times must have one time per frame (3), got 2"),
        (np.zeros((3, 1)), AxesError, "times must be (frame), got shape (3, 1)"),
        ([0, np.nan, 1], RangeError, "times must be finite, got 1 NaN or infinite, the first at (1,)"),
    ],
)
def test_times_that_are_not_those_of_the_frames_are_refused(times, error, message):
    with refused(error, message):
        frame_times("times", times, 3)
