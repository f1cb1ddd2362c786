"""The compiled slice agrees with the reference, over poses and motions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.core import UnknownNameError
from insonate.simulation.anatomy import kernels
from insonate.simulation.anatomy.kernels import numba_, reference
from refusals import refused
from simulation.anatomy.phantoms import femoral, held, plane

RTOL_SLICE = 1e-4
"""Of the brightest sheet: places in single precision, to 2 nm of a profile of 32 um."""
SHARE_ODD = 1e-3
"""Of samples that may lie on a limit (a sheet's reach, two sheets that agree just so) and fall to either side."""


@pytest.mark.skipif(not numba_.is_available(), reason="Numba is not installed")
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
    # Off the lattice: a place just between two voxels may fall to either, by the last bit.
    at = plane(held(x + 1.37e-5, y + 0.71e-5, yaw=yaw, tilt=tilt), (24, n_axial))
    made, truth = (body.cut(at, motion, kernel=name) for name in ("numba", "reference"))
    wrong = np.abs(made.reflectivity - truth.reflectivity) > RTOL_SLICE * 6
    assert wrong.mean() < SHARE_ODD
    assert (made.labels != truth.labels).mean() < SHARE_ODD
    assert np.abs(made.transmission - truth.transmission).max() < 1e-3


@given(seed=st.integers(0, 99), far=st.floats(1, 1e3))
@settings(max_examples=20)
def test_noise_agrees_with_the_reference(seed, far):
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((16, 16, 16), dtype=np.float32)
    cells = (rng.normal(size=(3, 50)) * far).astype(np.float32)
    assert np.allclose(numba_.lattice(noise, cells), reference.lattice(noise, cells), atol=1e-4 * far)


@given(seed=st.integers(0, 99), n=st.integers(1, 5))
@settings(max_examples=20)
def test_outlines_agree_with_the_reference(seed, n):
    rng = np.random.default_rng(seed)
    u, v = rng.normal(size=(2, 5, 1, 7)).astype(np.float32)
    u[0, 0, 0] = v[0, 0, 0] = 0
    waves = (rng.normal(size=(1, 4, 1, n)) * 0.2 * np.exp(1j * rng.normal(size=(1, 4, 1, n)))).astype(
        np.complex64
    )
    made, truth = (kernel.outline(u, v, waves) for kernel in (numba_, reference))
    assert made.shape == truth.shape == (5, 4, 7)
    assert np.allclose(made, truth, atol=1e-5)
    assert truth.min() >= np.float32(0.4)


@given(seed=st.integers(0, 99), border=st.booleans())
@settings(max_examples=20)
def test_a_sheet_is_laid_as_by_the_reference(seed, border):
    rng = np.random.default_rng(seed)
    shape = (4, 3, 5)
    held = rng.normal(size=shape).astype(np.float32)
    at = np.unravel_index(rng.permutation(60)[:30], shape)
    given_ = (rng.normal(size=30).astype(np.float32), rng.normal(size=(30, 3)) / 4, rng.normal(0, 8, 30))
    keep = rng.uniform(size=30) < 0.7
    made = []
    for kernel in (numba_, reference):
        sheets = (
            held.copy(),
            np.zeros(shape, np.float32),
            np.zeros((*shape, 3), np.int8),
            np.zeros(shape, bool),
        )
        kernel.lay(sheets, at, *given_, keep, border, 0.5)
        made.append(sheets)
    for one, other in zip(*made, strict=True):
        assert np.allclose(one, other, atol=1e-6)
    new, here, louder = np.abs(given_[0]), np.abs(held[at]), given_[2]
    kept = np.where(louder > 6, (new < 0.5) | (new < here), (new < here) & ~((louder < -6) & (here < 0.5)))
    assert (made[0][0][at] == np.where(keep & kept, given_[0], held[at])).all()


def test_the_fastest_comes_first_and_others_are_refused():
    names = kernels.available()
    assert names[-2:] == ("numba", "reference")
    assert kernels.get("numba") is numba_
    assert kernels.chosen() == names[0]
    with refused(UnknownNameError, f"kernel must be one of {', '.join(names)}, got 'cuda'"):
        kernels.get("cuda")
