import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import AxesError, CoordinateFrame, FrameError, Pose, RangeError
from refusals import refused
from strategies import points, poses
from tolerances import ATOL_ZERO, RTOL_FLOAT64

QUARTER_ABOUT_Z = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])


def pose(**changes):
    return Pose(
        **{
            "rotation": QUARTER_ABOUT_Z,
            "translation": np.array([0.01, 0.02, 0.03]),
            "source": CoordinateFrame.IMAGE,
            "target": CoordinateFrame.PROBE,
            "time": 2.0,
        }
        | changes
    )


def test_a_quarter_turn_about_z_takes_x_to_y():
    np.testing.assert_allclose(pose().apply(np.array([1.0, 0, 0])), [0.01, 1.02, 0.03], rtol=RTOL_FLOAT64)


def test_points_may_have_any_number_of_axes():
    moved = pose().apply(np.zeros((4, 5, 3)))
    assert moved.shape == (4, 5, 3)
    np.testing.assert_allclose(moved[3, 4], [0.01, 0.02, 0.03], rtol=RTOL_FLOAT64)


@given(
    first=poses(source=CoordinateFrame.IMAGE, target=CoordinateFrame.PROBE),
    then=poses(source=CoordinateFrame.PROBE, target=CoordinateFrame.PATIENT),
    where=points(),
)
def test_composing_is_applying_one_after_the_other(first, then, where):
    both = then @ first
    np.testing.assert_allclose(both.apply(where), then.apply(first.apply(where)), atol=ATOL_ZERO)
    assert (both.source, both.target) == (CoordinateFrame.IMAGE, CoordinateFrame.PATIENT)
    assert both.time == min(first.time, then.time)


@given(there=poses(), where=points())
def test_the_inverse_brings_back(there, where):
    back = there.inverse()
    np.testing.assert_allclose(back.apply(there.apply(where)), where, atol=ATOL_ZERO)
    assert (back.source, back.target, back.time) == (there.target, there.source, there.time)


@given(there=poses(), where=points())
def test_distances_are_kept(there, where):
    def distances(x):
        return np.linalg.norm(x[:, None] - x[None], axis=-1)

    np.testing.assert_allclose(distances(there.apply(where)), distances(where), atol=ATOL_ZERO)


def test_frames_that_do_not_meet_are_refused():
    first = pose(source=CoordinateFrame.NEEDLE, target=CoordinateFrame.TRACKER)
    with refused(FrameError, "'probe <- image' cannot follow 'tracker <- needle'"):
        pose() @ first


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"rotation": np.eye(4)}, AxesError, "Pose.rotation must be (3, 3), got shape (4, 4)"),
        ({"translation": np.zeros(2)}, AxesError, "Pose.translation must be (3), got shape (2,)"),
        (
            {"rotation": np.full((3, 3), np.nan)},
            RangeError,
            "Pose.rotation must be finite, got 9 NaN or infinite, the first at (0, 0)",
        ),
        (
            {"translation": [0, np.inf, 0]},
            RangeError,
            "Pose.translation must be finite, got 1 NaN or infinite, the first at (1,)",
        ),
        ({"time": np.nan}, RangeError, "Pose.time must lie in -1e+12..1e+12 s, got nan"),
        ({"time": 2e12}, RangeError, "Pose.time must lie in -1e+12..1e+12 s, got 2e+12"),
        ({"time": -2e12}, RangeError, "Pose.time must lie in -1e+12..1e+12 s, got -2e+12"),
        (
            {"rotation": 2 * np.eye(3)},
            RangeError,
            "Pose.rotation must be a proper rotation, got a matrix off by 3 with determinant 8 (scaled or mirrored?)",
        ),
        (
            {"rotation": np.diag([1.0, 1, -1])},
            RangeError,
            "Pose.rotation must be a proper rotation, got a matrix off by 0 with determinant -1 (scaled or mirrored?)",
        ),
    ],
)
def test_what_is_no_rigid_transform_is_refused(changes, error, message):
    with refused(error, message):
        pose(**changes)


@pytest.mark.parametrize(("error", "fits"), [(0.9e-6, True), (1.1e-6, False)])
def test_a_rotation_may_be_off_by_the_rounding_of_six_digits(error, fits):
    rotation = np.eye(3)
    rotation[0, 1] = error  # R^T R is off by this much, beside the diagonal
    if fits:
        pose(rotation=rotation)
    else:
        with pytest.raises(RangeError, match=r"off by 1\.1e-06 with determinant 1 "):
            pose(rotation=rotation)


def test_lists_become_frozen_double_precision():
    made = pose(rotation=[[1, 0, 0], [0, 1, 0], [0, 0, 1]], translation=[0, 0, 1])
    for array in (made.rotation, made.translation):
        assert array.dtype == np.float64
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@given(st.sampled_from(CoordinateFrame))
def test_frames_are_named_for_people(frame):
    assert frame.value == frame.name.lower()


@pytest.mark.parametrize("time", [-1e12, 0, 1e12])
def test_any_clock_will_do(time):
    assert pose(time=time).time == time
