import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import AxesError, CoordinateFrame, InputError, NeedlePose, NeedleState, RangeError
from refusals import refused

TIP, ALONG, SPREAD = np.array([0.001, 0, 0.02]), np.array([0.6, 0.0, 0.8]), np.diag([1e-7, 2e-7, 1e-7])
KNOWN = {"tip": TIP, "direction": ALONG, "covariance": SPREAD}


def pose(**changes):
    return NeedlePose(
        **{"state": NeedleState.TIP, "frame": CoordinateFrame.PROBE, "time": 1.0} | KNOWN | changes
    )


def test_what_is_known_is_kept_and_cannot_be_changed():
    known = pose()
    assert np.array_equal(known.tip, TIP)
    with pytest.raises(ValueError, match="read-only"):
        known.tip[0] = 1


def test_whole_numbers_become_floating_point():
    known = pose(tip=[0, 0, 1], direction=[0, 0, 1], covariance=np.zeros((3, 3), int))
    assert {getattr(known, name).dtype.name for name in KNOWN} == {"float64"}


@given(
    st.sampled_from(NeedleState),
    st.sampled_from([None, TIP]),
    st.sampled_from([None, ALONG]),
    st.sampled_from([None, SPREAD]),
)
def test_no_value_stands_beside_a_state_that_denies_it(state, tip, direction, covariance):
    allowed = {
        NeedleState.TIP: (True, True, True),
        NeedleState.SHAFT_ONLY: (False, True, False),
        NeedleState.LOST: (False, False, False),
    }[state]
    given_ = tuple(value is not None for value in (tip, direction, covariance))
    make = lambda: pose(state=state, tip=tip, direction=direction, covariance=covariance)  # noqa: E731
    if given_ == allowed:
        make()
    else:
        with pytest.raises(InputError):
            make()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"state": NeedleState.LOST},
            InputError,
            "NeedlePose.tip must be there with state 'tip' and with no other, got state 'lost' with a tip",
        ),
        (
            {"tip": None},
            InputError,
            "NeedlePose.tip must be there with state 'tip' and with no other, got state 'tip' without a tip",
        ),
        ({"covariance": None}, InputError, "NeedlePose.tip and covariance must be both there or both None"),
        (
            {"direction": None},
            InputError,
            "NeedlePose.direction must be None when lost and else not, got state 'tip' without a direction",
        ),
        (
            {"state": NeedleState.LOST, "tip": None, "covariance": None},
            InputError,
            "NeedlePose.direction must be None when lost and else not, got state 'lost' with a direction",
        ),
        ({"tip": np.zeros(2)}, AxesError, "NeedlePose.tip must be (3), got shape (2,)"),
        ({"direction": np.ones(1)}, AxesError, "NeedlePose.direction must be (3), got shape (1,)"),
        (
            {"covariance": np.zeros((3, 2))},
            AxesError,
            "NeedlePose.covariance must be (3, 3), got shape (3, 2)",
        ),
        (
            {"covariance": SPREAD + 1e-9 * np.eye(3, k=1)},
            RangeError,
            "NeedlePose.covariance must be symmetric and have no negative eigenvalue",
        ),
        (
            {"direction": 2 * ALONG},
            RangeError,
            "NeedlePose.direction must have length 1, got 2",
        ),
        (
            {"covariance": np.diag([1e-7, -1e-7, 1e-7])},
            RangeError,
            "NeedlePose.covariance must be symmetric and have no negative eigenvalue",
        ),
        (
            {"tip": np.array([np.nan, 0, 0])},
            RangeError,
            "NeedlePose.tip must be finite, got 1 NaN or infinite, the first at (0,)",
        ),
        ({"time": np.inf}, RangeError, "NeedlePose.time must lie in -1e+12..1e+12 s, got inf"),
    ],
)
def test_what_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        pose(**changes)
