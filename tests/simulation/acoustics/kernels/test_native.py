"""The compiled remap and deposit agree with the reference over random scenes, with every instruction set that runs here."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.simulation.acoustics import kernels
from insonate.simulation.acoustics.kernels import native_, numba_, reference
from simulation.acoustics.kernels.scenes import deposits
from simulation.acoustics.points import engine

native = pytest.importorskip(
    "insonate_native", reason="the native kernels are not built: make native", exc_type=ImportError
)

RTOL_REMAP = 1e-4
"""Of the largest value: products in single precision, and the window from a table at 1/250 of a step, whose chord is 4e-6
off for a window of six taps."""
RTOL_ENGINE = 1e-5
"""The same for the window and the geometry that the engine uses, in norm."""


def agree(made, truth, rtol):
    assert made.shape == truth.shape
    assert made.dtype == truth.dtype
    np.testing.assert_allclose(made, truth, atol=rtol * max(np.abs(truth).max(), 1e-12), rtol=0)


@settings(max_examples=100)
@given(
    n_lateral=st.integers(2, 24),
    n_padded=st.integers(8, 80),
    n_frequencies=st.integers(1, 40),
    taps=st.sampled_from([2, 4, 6, 8]),
    angle=st.floats(-0.6, 0.6),
    lateral_step=st.floats(3e-5, 4e-4),
    axial_step=st.floats(1e-5, 1e-4),
    offset=st.floats(0, 1e-4),
    width=st.floats(1e-6, 5e-4),
    threads=st.sampled_from([1, 2]),
    grazing=st.sampled_from([reference.GRAZING, (0.0, 0.2), (0.3, 0.31)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_remap_agrees_with_the_reference(
    n_lateral,
    n_padded,
    n_frequencies,
    taps,
    angle,
    lateral_step,
    axial_step,
    offset,
    width,
    grazing,
    threads,
    seed,
):
    rng = np.random.default_rng(seed)
    arguments = (
        (rng.normal(size=(n_lateral, n_padded, 2)) @ (1, 1j)).astype(np.complex64),
        2 * np.pi * np.fft.fftfreq(n_lateral, lateral_step),
        np.sort(rng.uniform(5e3, 5e4, n_frequencies)),
        rng.uniform(0.1, 1, n_frequencies),
        (np.cos(np.linspace(0, np.pi / 2, taps * 500 + 1)) ** 2).astype(np.float32),
    )
    settings = {
        "angle": angle,
        "axial_step": axial_step,
        "middle": (n_padded // 4) * axial_step,
        "element_width": width,
        "offset": offset,
        "grazing": grazing,
    }
    truth = reference.remap(*arguments, **settings)
    for instructions in native.available():
        made = native.remap(*arguments, **settings, instructions=instructions, threads=threads)
        agree(made, truth, RTOL_REMAP)
        assert not made[truth == 0].any()  # what grazes is nothing, not little


@pytest.mark.parametrize("instructions", native.available())
@pytest.mark.parametrize("taps", [2, 6])
def test_remap_agrees_where_a_circle_meets_samples_of_the_spectrum(instructions, taps):
    """And where rounding may put it on either side of one, or of the end of the spectrum."""
    n_padded, axial_step = 16, 5e-5
    step = 2 * np.pi / (n_padded * axial_step)
    whole = np.arange(1, 5 * n_padded) * step / 2  # straight down at no angle, k sends to -2 k
    near = [whole]
    for _ in range(3):
        near = [np.nextafter(near[0], 0), *near, np.nextafter(near[-1], np.inf)]
    rng = np.random.default_rng(8)
    arguments = (
        (rng.normal(size=(4, n_padded, 2)) @ (1, 1j)).astype(np.complex64),
        2 * np.pi * np.fft.fftfreq(4, 1e-3),
        np.sort(np.concatenate(near)),
        np.ones(7 * len(whole)),
        (np.cos(np.linspace(0, np.pi / 2, taps * 500 + 1)) ** 2).astype(np.float32),
    )
    settings = {"angle": 0.0, "axial_step": axial_step, "middle": 0.0, "element_width": 1e-4, "offset": 0.0}
    truth = reference.remap(*arguments, **settings)
    made = native.remap(*arguments, **settings, grazing=reference.GRAZING, instructions=instructions)
    k = arguments[2]
    agree(made * k.astype(np.float32), truth * k.astype(np.float32), RTOL_REMAP)


@pytest.mark.parametrize("degrees", [-25.0, 0.0, 10.0])
def test_the_engine_gets_the_same_echoes_from_every_kernel(degrees):
    made_by = engine(256, n_axial=512, n_elements=48)
    spectrum = made_by.spectrum(np.random.default_rng(3).normal(size=made_by.shape).astype(np.float32))
    truth = made_by.echoes(spectrum, np.radians(degrees), kernel="reference")
    made = made_by.echoes(spectrum, np.radians(degrees), kernel="native")
    assert np.linalg.norm(made - truth) <= RTOL_ENGINE * np.linalg.norm(truth)


@settings(max_examples=100)
@given(deposits(), st.sampled_from([1, 2]))
def test_deposit_agrees_with_the_reference(scene, threads):
    truth = reference.deposit(*scene.arguments, **scene.names)
    for instructions in native.available():
        made = native.deposit(
            *scene.arguments,
            **scene.names,
            nearest=reference.NEAREST,
            instructions=instructions,
            threads=threads,
        )
        assert made.shape == truth.shape
        assert made.dtype == truth.dtype
        np.testing.assert_allclose(made, truth, atol=scene.tolerance, rtol=0)


@pytest.mark.parametrize("wavelengths", [0.0, 0.3, 1.0, 1.9, 2.7])
def test_the_directivity_of_elements_of_any_usual_width_is_a_sinc(wavelengths):
    """As a polynomial, fitted anew for each width."""
    squared = np.linspace(0, 1, 1001)
    powers = native._directivity(wavelengths)
    assert len(powers) % 2 == 0  # the library takes them by twos
    made = np.polyval(powers.astype(float), squared)
    np.testing.assert_allclose(made, np.sinc(wavelengths * np.sqrt(squared)), atol=native.STEEPEST)


def test_the_native_kernel_is_the_fastest_there_is_and_the_next_follows_it(monkeypatch):
    assert kernels.available() == ("native", "numba", "reference")
    assert kernels.get() is native_
    assert kernels.chosen() == "native"
    assert kernels.described() == f"native ({native.instructions()})"
    assert kernels.after("native") is numba_
    monkeypatch.setitem(sys.modules, "insonate_native", None)
    assert not native_.is_available.__wrapped__()
    monkeypatch.setattr(native_, "is_available", lambda: False)
    assert kernels.get() is numba_
    assert kernels.described() == "numba"


def test_what_it_does_not_cover_goes_to_the_next_kernel(monkeypatch):
    monkeypatch.setattr(numba_, "is_available", lambda: False)
    arguments = (
        np.ones((4, 7), np.complex64),
        2 * np.pi * np.fft.fftfreq(4, 1e-4),
        np.array([1e4, 2e4]),
        np.ones(2),
        np.linspace(1, 0, 3001, dtype=np.float32),
    )
    names = {"angle": 0.1, "axial_step": 4e-5, "middle": 1e-4, "element_width": 2e-4, "offset": 0.0}
    names["grazing"] = (0.2, 0.9)
    made = native_.remap(*arguments, **names)
    assert np.array_equal(made, reference.remap(*arguments, **names))
    points = np.array([[0, 0, 2e-3, 1]], np.float32)
    wide = {
        "n_samples": 300,
        "sampling_frequency": 4e7,
        "start": 0.0,
        "sound_speed": 1500.0,
        "frequency": 5e6,
        "element_width": 2e-2,
        "soft_baffle": False,
        "from_lines": True,
    }
    made = native_.deposit(points, np.zeros(1), np.array([0.0, 1e-3]), **wide)
    assert np.array_equal(made, reference.deposit(points, np.zeros(1), np.array([0.0, 1e-3]), **wide))
    assert np.abs(made).max() > 0
