import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import Clearance, InputError, RangeError
from refusals import refused


def clearance(**changes):
    return Clearance(
        **{
            "structure": "artery",
            "distance": 0.004,
            "interval": (0.003, 0.005),
            "unit": "m",
            "contact_probability": 0.01,
            "margin": 0.002,
            "reason": "nearest boundary",
        }
        | changes
    )


def unknown(**changes):
    nothing = dict.fromkeys(("distance", "interval", "unit", "contact_probability"))
    return clearance(**nothing | {"reason": "not seen"} | changes)


@given(
    low=st.floats(0, 0.1),
    wider=st.floats(0, 0.1),
    margin=st.floats(0, 0.05),
)
def test_a_margin_is_kept_only_if_the_whole_interval_lies_beyond_it(low, wider, margin):
    middle = low + wider / 2
    judged = clearance(distance=middle, interval=(low, low + wider), margin=margin)
    assert (judged.keeps_margin is True) is (low >= margin and low > 0)
    assert (judged.keeps_margin is False) is (middle < margin)


def test_a_distance_that_exceeds_the_margin_is_not_enough_if_its_interval_does_not():
    assert clearance(distance=0.003, interval=(0.001, 0.005)).keeps_margin is None
    assert clearance(distance=0.0019, interval=(0.001, 0.005)).keeps_margin is False
    assert clearance(distance=0.003, interval=(0.002, 0.005)).keeps_margin is True


def test_a_margin_of_nothing_is_no_leave_to_touch():
    """An interval is held at zero: one that begins there may be of contact."""
    assert clearance(distance=0.001, interval=(0.0, 0.003), margin=0.0).keeps_margin is None
    assert clearance(distance=0.001, interval=(1e-6, 0.003), margin=0.0).keeps_margin is True
    assert clearance(distance=0.0, interval=(0.0, 0.0), margin=0.0).keeps_margin is None


@pytest.mark.parametrize(
    ("distance", "interval", "keeps"),
    [(0.0, (0.0, 0.0), False), (0.001, (0.0, 0.002), None), (0.001, (0.0001, 0.002), True)],
)
def test_a_target_is_free_only_if_the_whole_interval_is_and_never_while_it_is_touched(
    distance, interval, keeps
):
    near = clearance(distance=distance, interval=interval, margin=0.0, target=True)
    assert near.keeps_margin is keeps


def test_unknown_is_never_clear():
    assert unknown().keeps_margin is None
    assert unknown(margin=0.0).keeps_margin is None


def test_pixels_are_never_judged_against_a_margin():
    far = clearance(unit="px", distance=900.0, interval=(800.0, 1000.0), contact_probability=None, margin=0.0)
    assert far.keeps_margin is None


TOGETHER = "Clearance must hold distance, interval and unit together or none of them, got "
IN_METERS = "Clearance.contact_probability can only be known where distance is known in meters"


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"distance": None}, InputError, TOGETHER + "None, (0.003, 0.005), 'm'"),
        ({"interval": None}, InputError, TOGETHER + "0.004, None, 'm'"),
        ({"unit": None}, InputError, TOGETHER + "0.004, (0.003, 0.005), None"),
        ({"unit": "px"}, InputError, IN_METERS),
        ({"unit": "mm"}, InputError, IN_METERS),
        (
            {"unit": "mm", "contact_probability": None},
            InputError,
            "Clearance.unit must be 'm' or 'px', got 'mm'",
        ),
        ({"margin": 2}, RangeError, "Clearance.margin must lie in 0..0.05 m, got 2 (millimeters?)"),
        ({"margin": -0.001}, RangeError, "Clearance.margin must lie in 0..0.05 m, got -0.001 (millimeters?)"),
        ({"distance": -0.001}, RangeError, "Clearance.distance must lie in 0..2 m, got -0.001"),
        ({"distance": 4, "interval": (3, 5)}, RangeError, "Clearance.distance must lie in 0..2 m, got 4"),
        ({"interval": (-0.001, 0.005)}, RangeError, "Clearance.interval must lie in 0..0.004 m, got -0.001"),
        ({"interval": (0.0045, 0.005)}, RangeError, "Clearance.interval must lie in 0..0.004 m, got 0.0045"),
        ({"interval": (0.003, 0.0035)}, RangeError, "Clearance.interval must lie in 0.004..2 m, got 0.0035"),
        ({"interval": (0.003, 3)}, RangeError, "Clearance.interval must lie in 0.004..2 m, got 3"),
        (
            {"contact_probability": 50},
            RangeError,
            "Clearance.contact_probability must lie in 0..1 1, got 50 (percent?)",
        ),
        (
            {"contact_probability": -0.1},
            RangeError,
            "Clearance.contact_probability must lie in 0..1 1, got -0.1 (percent?)",
        ),
        (
            {"unit": "px", "distance": 2e6, "interval": (0, 3e6), "contact_probability": None},
            RangeError,
            "Clearance.distance must lie in 0..1e+06 px, got 2e+06",
        ),
        (
            {"unit": "px", "distance": 5.0, "interval": (6.0, 7.0), "contact_probability": None},
            RangeError,
            "Clearance.interval must lie in 0..5 px, got 6",
        ),
        (
            {"unit": "px", "distance": 5.0, "interval": (4.0, 4.5), "contact_probability": None},
            RangeError,
            "Clearance.interval must lie in 5..1e+06 px, got 4.5",
        ),
    ],
)
def test_a_clearance_that_says_more_than_is_known_is_refused(changes, error, message):
    with refused(error, message):
        clearance(**changes)


def test_nothing_known_has_no_probability_of_contact():
    with refused(InputError, IN_METERS):
        unknown(contact_probability=0.0)
    with refused(RangeError, "Clearance.margin must lie in 0..0.05 m, got 2 (millimeters?)"):
        unknown(margin=2)


@pytest.mark.parametrize(
    "changes",
    [
        {"distance": 0.0, "interval": (0.0, 0.001), "contact_probability": 1.0},
        {"distance": 2.0, "interval": (2.0, 2.0), "contact_probability": 0.0},
        {"distance": 2.0, "interval": (0.0, 2.0), "margin": 0.05},
        {"unit": "px", "distance": 1e6, "interval": (0.0, 1e6), "contact_probability": None, "margin": 0.0},
        {"contact_probability": None},
    ],
)
def test_the_limits_pass(changes):
    clearance(**changes)
