"""The compiled remap agrees with the reference over random spectra."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.core import UnknownNameError
from insonate.simulation.acoustics import kernels
from insonate.simulation.acoustics.kernels import native_, numba_, reference
from refusals import refused

RTOL_PARITY = 1e-4
"""Of the largest value: six products in single precision, and the window looked up by a rounded distance."""


@settings(max_examples=80)
@given(
    n_lateral=st.integers(2, 24),
    n_padded=st.integers(8, 80),
    angle=st.floats(-0.6, 0.6),
    lateral_step=st.floats(3e-5, 4e-4),
    axial_step=st.floats(1e-5, 1e-4),
    offset=st.floats(0, 1e-4),
    width=st.floats(1e-6, 5e-4),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_agrees_with_the_reference(
    n_lateral, n_padded, angle, lateral_step, axial_step, offset, width, seed
):
    rng = np.random.default_rng(seed)
    spectrum = (rng.normal(size=(n_lateral, n_padded, 2)) @ (1, 1j)).astype(np.complex64)
    lateral = 2 * np.pi * np.fft.fftfreq(n_lateral, lateral_step)
    wavenumbers = np.sort(rng.uniform(5e3, 5e4, 17))
    window = np.cos(np.linspace(0, np.pi / 2, 3001)).astype(np.float32) ** 2
    made, truth = (
        kernel.remap(
            spectrum,
            lateral,
            wavenumbers,
            np.linspace(0.1, 1, 17),
            window,
            angle=angle,
            axial_step=axial_step,
            middle=(n_padded // 4) * axial_step,
            element_width=width,
            offset=offset,
        )
        for kernel in (numba_, reference)
    )
    assert made.shape == truth.shape == (n_lateral, 17)
    assert made.dtype == truth.dtype
    np.testing.assert_allclose(made, truth, atol=RTOL_PARITY * max(np.abs(truth).max(), 1e-12), rtol=0)


def test_the_fastest_is_taken_and_without_numba_the_reference(monkeypatch):
    monkeypatch.setattr(native_, "is_available", lambda: False)
    assert kernels.available() == ("numba", "reference")
    assert kernels.get() is numba_
    assert kernels.get("reference") is reference
    monkeypatch.setattr(numba_, "find_spec", lambda name: None)
    assert kernels.get() is reference
    with refused(UnknownNameError, "kernel must be one of reference, got 'numba'"):
        kernels.get("numba")


@pytest.mark.parametrize("where", [None, "elsewhere"])
def test_compiled_code_is_kept_where_the_user_says(monkeypatch, where):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "elsewhere")
    if where is None:
        monkeypatch.delenv("NUMBA_CACHE_DIR")
    numba_._cache_folder()
    kept = os.environ["NUMBA_CACHE_DIR"]
    assert kept == where or (where is None and kept.rstrip("/").endswith("insonate"))


@given(
    stride=st.integers(1, 5),
    shape=st.tuples(st.integers(1, 13), st.integers(1, 17)),
    seed=st.integers(0, 99),
    through=st.booleans(),
)
def test_what_is_heard_agrees_with_the_reference(stride, shape, seed, through):
    rng = np.random.default_rng(seed)
    levels = rng.uniform(0.1, 2, [-(-n // stride) for n in shape]).astype(np.float32)
    reflectivity = rng.standard_normal(shape, dtype=np.float32)
    transmission = rng.uniform(size=shape).astype(np.float32) if through else None
    made, truth = (kernel.heard(levels, stride, reflectivity, transmission) for kernel in (numba_, reference))
    np.testing.assert_allclose(made, truth, rtol=1e-5, atol=1e-6)
    at_levels = levels * reflectivity[::stride, ::stride]
    if not through:
        np.testing.assert_allclose(made[::stride, ::stride], at_levels, rtol=1e-6)
