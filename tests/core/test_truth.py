import numpy as np
import pytest

from insonate.core import AxesError, Grid, InputError, RangeError, Structure, Tissue
from insonate.core.truth import Truth
from refusals import refused

GRID = Grid(axial=np.linspace(0.001, 0.03, 4), lateral=np.linspace(-0.01, 0.01, 3))
NERVE = Structure(name="femoral nerve", tissue=Tissue.NERVE, named_by="the simulation")


def truth(**changes):
    plane = (4, 3)
    usual = {
        "time": 0.5,
        "grid": GRID,
        "labels": np.zeros(plane, np.uint8),
        "structures": (NERVE,),
        "displacement": np.zeros((*plane, 3), np.float32),
        "velocity": np.zeros((*plane, 3), np.float32),
        "shear_modulus": np.full(plane, 5e3, np.float32),
        "injectate": np.zeros(plane, bool),
        "injected": 0.0,
        "needle_tip": np.array([0, 0, 0.01]),
        "needle_direction": np.array([0.6, 0, 0.8]),
        "given": {"plane": 1e-6},
        "clearances": {"femoral nerve": -0.001},
        "shaft_clearances": {"femoral nerve": -0.002},
        "cross_sections": {"femoral nerve": 2e-5},
    }
    return Truth(**usual | changes)


def test_maps_lie_on_the_grid_and_cannot_be_changed():
    known = truth()
    assert known.labels.shape == GRID.shape
    with pytest.raises(ValueError, match="read-only"):
        known.labels[0, 0] = 1


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"labels": np.zeros((3, 4), np.uint8)},
            AxesError,
            "Truth.labels must be (4, 3), got shape (3, 4)",
        ),
        (
            {"labels": np.full((4, 3), 2, np.uint8)},
            AxesError,
            "Truth.labels must stand for one of 1 structures, got 2",
        ),
        ({"labels": np.zeros((4, 3), int)}, AxesError, "Truth.labels must be of uint8, got int64"),
        (
            {"needle_tip": None},
            InputError,
            "Truth.needle_tip and needle_direction must be both there or both None",
        ),
        (
            {"needle_tip": None, "needle_direction": None},
            InputError,
            "Truth.clearances must be empty without a needle under the skin",
        ),
        (
            {"needle_tip": None, "needle_direction": None, "clearances": {}},
            InputError,
            "Truth.shaft_clearances must be empty without a needle under the skin",
        ),
        (
            {"given": {"vessel": 1.0}},
            RangeError,
            "Truth.given[vessel] must lie in 0..0.001 m^3, got 1",
        ),
        (
            {"clearances": {"femoral nerve": 2.0}},
            RangeError,
            "Truth.clearances[femoral nerve] must lie in -1..1 m, got 2",
        ),
        (
            {"clearances": {"femoral nerve": -1.1}},
            RangeError,
            "Truth.clearances[femoral nerve] must lie in -1..1 m, got -1.1",
        ),
        (
            {"cross_sections": {"femoral nerve": 0.02}},
            RangeError,
            "Truth.cross_sections[femoral nerve] must lie in 0..0.01 m^2, got 0.02",
        ),
        (
            {"cross_sections": {"femoral nerve": -2e-5}},
            RangeError,
            "Truth.cross_sections[femoral nerve] must lie in 0..0.01 m^2, got -2e-05",
        ),
        (
            {"shear_modulus": np.zeros((4, 3, 1))},
            AxesError,
            "Truth.shear_modulus must be (4, 3), got shape (4, 3, 1)",
        ),
        (
            {"injectate": np.zeros((4, 2), bool)},
            AxesError,
            "Truth.injectate must be (4, 3), got shape (4, 2)",
        ),
        ({"injectate": np.zeros((4, 3))}, AxesError, "Truth.injectate must be of bool, got float64"),
        (
            {"displacement": np.zeros((4, 3, 2))},
            AxesError,
            "Truth.displacement must be (4, 3, 3), got shape (4, 3, 2)",
        ),
        ({"velocity": np.zeros((4, 3))}, AxesError, "Truth.velocity must be (4, 3, 3), got shape (4, 3)"),
        ({"needle_tip": np.zeros(2)}, AxesError, "Truth.needle_tip must be (3), got shape (2,)"),
        (
            {"needle_direction": [0, 0, np.inf]},
            RangeError,
            "Truth.needle_direction must be finite, got 1 NaN or infinite, the first at (2,)",
        ),
        ({"injected": 5.0}, RangeError, "Truth.injected must lie in 0..0.001 m^3, got 5 (mL?)"),
        ({"time": -1}, RangeError, "Truth.time must lie in 0..1e+09 s, got -1"),
        (
            {"velocity": np.full((4, 3, 3), np.nan)},
            RangeError,
            "Truth.velocity must be finite, got 36 NaN or infinite, the first at (0, 0, 0)",
        ),
    ],
)
def test_what_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        truth(**changes)


def test_every_structure_may_be_seen():
    assert truth(labels=np.ones((4, 3), np.uint8)).labels.max() == 1


def test_whole_numbers_of_a_needle_become_floating_point_and_cannot_be_changed():
    known = truth(needle_tip=[0, 0, 1], needle_direction=[0, 0, 1])
    for line in (known.needle_tip, known.needle_direction):
        assert line.dtype == np.float64
        with pytest.raises(ValueError, match="read-only"):
            line[0] = 1


def test_it_is_not_offered_by_the_room():
    import insonate.core

    assert not hasattr(insonate.core, "Truth")
