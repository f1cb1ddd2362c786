"""The slice in compiled code agrees with the reference, with every instruction set that runs here."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.simulation.anatomy import kernels
from insonate.simulation.anatomy.kernels import native_, numba_, reference
from simulation.anatomy.kernels.test_numba import RTOL_SLICE, SHARE_ODD
from simulation.anatomy.phantoms import femoral, held, plane

native = pytest.importorskip(
    "insonate_native", reason="the native kernels are not built: make native", exc_type=ImportError
)
if not native_.is_available():
    pytest.skip("the native kernels were built before the slice came: make native", allow_module_level=True)


@settings(max_examples=6)
@given(
    x=st.floats(-0.02, 0.012),
    y=st.floats(-3e-3, 3e-3),
    yaw=st.floats(-3.2, 3.2),
    tilt=st.floats(-0.1, 0.1),
    size=st.sampled_from([0.0, 5e-5, 4e-4]),
    n_axial=st.integers(300, 420),
    seed=st.integers(0, 99),
)
def test_it_agrees_with_the_reference(x, y, yaw, tilt, size, n_axial, seed):
    body = femoral()
    motion = np.random.default_rng(seed).normal(0, 1, (6, 9, 3)) * size
    at = plane(held(x + 1.37e-5, y + 0.71e-5, yaw=yaw, tilt=tilt), (24, n_axial))
    truth = body.cut(at, motion, kernel="reference")
    given_ = {}

    def catch(*arguments):
        given_["all"] = arguments
        return truth.reflectivity, truth.labels, truth.transmission

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native_, "cut", catch)
        body.cut(at, motion, kernel="native")
    for instructions in native.available():
        for threads in (1, 2):
            made = native.cut(
                *given_["all"], shapes=native_.SHAPES, instructions=instructions, threads=threads
            )
            for one, other in zip(made, truth_of(truth), strict=True):
                assert one.dtype == other.dtype
            wrong = np.abs(made[0] - truth.reflectivity) > RTOL_SLICE * 6
            assert wrong.mean() < SHARE_ODD
            assert (made[1] != truth.labels).mean() < SHARE_ODD
            assert np.abs(made[2] - truth.transmission).max() < 1e-3


def truth_of(medium):
    return medium.reflectivity, medium.labels, medium.transmission


def caught(shape=(12, 330)):
    """Arguments of a cut that runs out of the body on one side."""
    body, found = femoral(), {}

    def catch(*arguments):
        found["all"] = arguments
        return reference.cut(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native_, "cut", catch)
        body.cut(plane(held(-0.036, 0.0), shape), np.zeros((2, 2, 3)), kernel="native")
    return list(found["all"])


def test_outside_there_is_nothing():
    arguments = caught()
    arguments[0] = arguments[0] - np.float32(0.05)
    reflectivity, labels, through = native.cut(*arguments, shapes=native_.SHAPES)
    assert not reflectivity.any()
    assert not labels.any()
    assert (through == 1).all()


def test_the_tile_may_lie_in_memory_as_it_will():
    arguments = caught()
    made = []
    for noise in (np.ascontiguousarray(arguments[6]), np.asfortranarray(arguments[6])):
        arguments[6] = noise
        made.append(native.cut(*arguments, shapes=native_.SHAPES))
    assert np.array_equal(made[0][0], made[1][0])


@pytest.mark.parametrize(
    ("which", "value", "why"),
    [
        (6, np.zeros((3, 4, 8), np.int8), "the tile's sides must be powers of two"),
        (0, np.full((12, 22, 3), np.nan, np.float32), "places must be finite and near"),
        (0, np.full((12, 22, 3), 1e9, np.float32), "places must be finite and near"),
        (2, 1000, "nodes must reach the end of a column"),
        (5, 0.0, "steps must be positive"),
        (12, np.zeros(300, np.uint8), "there must be at most 256 materials"),
    ],
)
def test_what_it_does_not_cover_is_refused_before_anything_is_read(which, value, why):
    arguments = caught()
    arguments[which] = value
    with pytest.raises(native.NotCoveredError, match=why):
        native.cut(*arguments, shapes=native_.SHAPES)


@pytest.mark.parametrize(("which", "shape"), [(0, (12, 22)), (3, (4, 4, 4, 7)), (8, (2, 64)), (13, (255,))])
def test_arrays_that_do_not_fit_are_refused(which, shape):
    arguments = caught()
    arguments[which] = np.zeros(shape, arguments[which].dtype)
    with pytest.raises(ValueError, match="must have shape"):
        native.cut(*arguments, shapes=native_.SHAPES)


def test_what_it_does_not_cover_goes_to_the_next_kernel():
    arguments = caught()
    arguments[6] = np.zeros((3, 4, 8), np.int8)
    assert [one.shape for one in native_.cut(*arguments)] == [(12, 330)] * 3


def test_it_comes_first_and_says_its_instructions():
    assert kernels.available()[0] == "native"
    assert kernels.described() == f"native ({native.instructions()})"
    assert kernels.after("native") is numba_


def test_without_the_library_the_next_kernel_is_taken(monkeypatch):
    native_.is_available.cache_clear()
    monkeypatch.setitem(sys.modules, "insonate_native", None)
    try:
        assert kernels.available() == ("numba", "reference")
    finally:
        monkeypatch.undo()
        native_.is_available.cache_clear()


def test_a_library_without_the_slice_still_does_the_rest(monkeypatch):
    native_.is_available.cache_clear()
    monkeypatch.setattr(native, "has", lambda name: False)
    try:
        assert kernels.available() == ("numba", "reference")
        with pytest.raises(native.NotCoveredError, match="this build has no slice"):
            native.cut(*caught_without(), shapes=native_.SHAPES)
    finally:
        monkeypatch.undo()
        native_.is_available.cache_clear()


def caught_without():
    return [None] * 18


def test_what_is_made_once_is_left_to_the_next_kernel():
    rng = np.random.default_rng(3)
    noise, cells = rng.standard_normal((8, 8, 8), np.float32), rng.normal(size=(3, 9)).astype(np.float32)
    assert np.array_equal(native_.lattice(noise, cells), numba_.lattice(noise, cells))
    u, v = rng.normal(size=(2, 4, 4, 4)).astype(np.float32)
    waves = np.full((4, 1, 1, 2), 0.1j, np.complex64)
    assert np.array_equal(native_.outline(u, v, waves), numba_.outline(u, v, waves))
    sheets = (
        np.ones((2, 2, 2), np.float32),
        np.zeros((2, 2, 2), np.float32),
        np.zeros((2, 2, 2, 3), np.int8),
        np.zeros((2, 2, 2), bool),
    )
    at = tuple(np.array([1]) for _ in range(3))
    native_.lay(
        sheets, at, np.full(1, 0.5), np.array([[0.0, 0, 1]]), np.full(1, -3.0), np.ones(1, bool), True, 1e-4
    )
    assert sheets[0][1, 1, 1] == 0.5
    assert sheets[3].sum() == 1
