import pytest

from insonate.core import Clearance, InputError, NeedlePath, RangeError
from refusals import refused


def clear(low=0.003, **changes):
    known = {
        "structure": "artery",
        "distance": low,
        "interval": (low, low),
        "unit": "m",
        "contact_probability": None,
        "margin": 0.002,
        "reason": "nearest boundary",
    }
    return Clearance(**known | changes)


NOT_SEEN = clear(distance=None, interval=None, unit=None, reason="not seen")
TOO_NEAR = clear(0.001)


def path(**changes):
    return NeedlePath(
        **{
            "entry": (0.0, -0.01),
            "target": (0.02, 0.005),
            "unit": "m",
            "length": 0.025,
            "angle": 0.9,
            "aims_at": "nerve",
            "clearances": (clear(),),
            "unknown": (),
            "not_seen": 0.0,
            "rank": 1,
            "reason": "keeps every margin",
        }
        | changes
    )


def test_every_margin_kept_and_all_of_it_known():
    assert path().keeps_margins is True


@pytest.mark.parametrize(
    "changes",
    [
        {"clearances": (clear(), NOT_SEEN)},
        {"clearances": (NOT_SEEN,)},
        {"unknown": ("vein",)},
        {"clearances": ()},
        {"not_seen": 0.001},
    ],
)
def test_unknown_is_never_clear(changes):
    assert path(**changes).keeps_margins is None


@pytest.mark.parametrize(
    "changes",
    [
        {"clearances": (clear(), TOO_NEAR)},
        {"clearances": (NOT_SEEN, TOO_NEAR)},
        {"clearances": (TOO_NEAR,), "unknown": ("vein",), "not_seen": 0.001},
    ],
)
def test_a_broken_margin_is_broken_whatever_else_is_unknown(changes):
    assert path(**changes).keeps_margins is False


@pytest.mark.parametrize(
    "changes",
    [
        {"length": 0},
        {"length": 2.0},
        {"angle": 0},
        {"angle": 1.6},
        {"not_seen": 0.025},
        {"rank": 10_000},
        {"entry": (-2.0, 2.0), "target": (2.0, -2.0)},
        {"unit": "px", "length": 1e6, "entry": (-1e6, 1e6), "target": (1e6, -1e6)},
    ],
)
def test_the_limits_pass(changes):
    path(**changes)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"unit": "mm"}, InputError, "NeedlePath.unit must be 'm' or 'px', got 'mm'"),
        ({"length": 25}, RangeError, "NeedlePath.length must lie in 0..2 m, got 25"),
        ({"length": -1}, RangeError, "NeedlePath.length must lie in 0..2 m, got -1"),
        ({"length": 2e6, "unit": "px"}, RangeError, "NeedlePath.length must lie in 0..1e+06 px, got 2e+06"),
        ({"angle": 45}, RangeError, "NeedlePath.angle must lie in 0..1.6 rad, got 45 (degrees?)"),
        ({"angle": -0.1}, RangeError, "NeedlePath.angle must lie in 0..1.6 rad, got -0.1 (degrees?)"),
        ({"not_seen": 0.03}, RangeError, "NeedlePath.not_seen must lie in 0..0.025 m, got 0.03"),
        ({"not_seen": -0.03}, RangeError, "NeedlePath.not_seen must lie in 0..0.025 m, got -0.03"),
        ({"rank": 0}, RangeError, "NeedlePath.rank must lie in 1..10000 th best, got 0"),
        ({"rank": 10_001}, RangeError, "NeedlePath.rank must lie in 1..10000 th best, got 10001"),
        ({"rank": 1.5}, RangeError, "NeedlePath.rank must be a whole number of th best, got 1.5"),
        ({"entry": (0, float("nan"))}, RangeError, "NeedlePath.entry must lie in -2..2 m, got nan"),
        ({"target": (20, 5)}, RangeError, "NeedlePath.target must lie in -2..2 m, got 20"),
        ({"entry": (-20, 5)}, RangeError, "NeedlePath.entry must lie in -2..2 m, got -20"),
        (
            {"target": (0, -2e6), "unit": "px"},
            RangeError,
            "NeedlePath.target must lie in -1e+06..1e+06 px, got -2e+06",
        ),
    ],
)
def test_a_path_that_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        path(**changes)
