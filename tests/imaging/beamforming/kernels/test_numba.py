"""The compiled kernel agrees with the reference over random geometries, but where rounding decides who listens."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from insonate.core import UnknownNameError
from insonate.imaging.beamforming import kernels
from insonate.imaging.beamforming.kernels import native_, numba_, reference
from refusals import refused

ROUNDINGS = 4
"""Times over, that a moment is rounded to single precision on its way to a sample and a phase."""
ATOL_SINE = 2e-6
"""Polynomials, and products of single precision."""
EDGE = 1e-4
"""Taps closer than this to the edge of the aperture or of the record may fall to either side in single precision."""


@st.composite
def geometries(draw):
    """Arguments of a kernel, at random, and which pixels no edge runs through."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_transmits, n_elements = draw(st.integers(1, 3)), draw(st.integers(1, 9))
    n_samples = draw(st.integers(1, 80))
    n_axial, n_lateral = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    speed = draw(st.floats(1300, 1700))
    rate, frequency = draw(st.floats(1e6, 4e7)), draw(st.floats(1e6, 2e7))
    f_number = draw(st.floats(0.3, 10))
    elements = np.zeros((n_elements, 3))
    elements[:, 0] = np.sort(rng.uniform(-0.02, 0.02, n_elements))
    elements[:, 2] = draw(st.sampled_from([0.0, 0.001, -0.002]))
    axial = np.sort(rng.uniform(-0.002, 0.04, n_axial))
    lateral = np.sort(rng.uniform(-0.02, 0.02, n_lateral))
    span = n_samples / rate
    way = np.hypot(lateral, axial[:, None]) / speed
    arrival = rng.uniform(-0.2, 1.2, (n_transmits, n_axial, n_lateral)) * span - way
    samples = rng.normal(size=(n_transmits, n_elements, n_samples, 2)) @ (1, 1j)
    arguments = (
        samples.astype(np.complex64),
        arrival,
        rng.uniform(-1e-5, 1e-5, n_transmits),
        elements,
        axial,
        lateral,
    )
    names = {
        "frequency": frequency,
        "sampling_frequency": rate,
        "sound_speed": speed,
        "f_number": f_number,
    }
    beside = np.abs(lateral[None, :, None] - elements[:, 0])
    below = axial[:, None, None] - elements[:, 2]
    on_aperture = np.abs(2 * f_number * beside - below).min(axis=-1) < EDGE * 0.01
    at = (arrival[..., None] + np.hypot(beside, below) / speed) * rate
    edge = EDGE * max(n_samples, 40 * rate / 1e6)
    on_record = (np.minimum(np.abs(at), np.abs(at - (n_samples - 1))) < edge).any(axis=(0, 3))
    return arguments, names, ~(on_aperture | on_record)


@settings(max_examples=200)
@given(geometries())
def test_it_agrees_with_the_reference(geometry):
    arguments, names, clear = geometry
    assume(clear.any())
    truth = reference.delay_and_sum(*arguments, **names)
    made = numba_.delay_and_sum(*arguments, **names)
    assert made.shape == truth.shape
    assert made.dtype == truth.dtype
    arrival, starts = np.abs(arguments[1]).max(), np.abs(arguments[2]).max()
    moment = arrival + starts + np.hypot(0.04, 0.042) / names["sound_speed"]  # the longest there is [s]
    late = ROUNDINGS * 2**-24 * moment
    between = 2 * late * names["sampling_frequency"]  # two samples of noise differ by twice the largest
    turned = 2 * np.pi * late * names["frequency"]
    tolerance = np.abs(arguments[0]).max() * (between + turned + ATOL_SINE)
    np.testing.assert_allclose(made[clear], truth[clear], atol=tolerance, rtol=0)


@pytest.mark.parametrize("turns", np.linspace(-3.1, 9.7, 41))
def test_its_sine_and_cosine_are_those_of_the_library(turns):
    frequency, rate = 1e6, 1e6
    made = numba_.delay_and_sum(
        np.ones((1, 1, 40), np.complex64),
        np.full((1, 1, 1), (turns + 10) / frequency),
        np.array([-10 / frequency]),
        np.zeros((1, 3)),
        np.array([0.0]),
        np.array([0.0]),
        frequency=frequency,
        sampling_frequency=rate,
        sound_speed=1500.0,
        f_number=1.0,
    )
    rounded = float(np.float32(np.float32(turns + 10) - np.float32(10)))  # as the kernel adds its two moments
    assert made.item() == pytest.approx(np.exp(2j * np.pi * rounded), abs=ATOL_SINE)


def test_the_fastest_kernel_is_taken_where_none_is_asked_for(monkeypatch):
    monkeypatch.setattr(native_, "is_available", lambda: False)
    assert kernels.available() == ("numba", "reference")
    assert kernels.chosen() == "numba"
    assert kernels.get() is numba_
    assert kernels.get("reference") is reference


def test_without_numba_the_reference_is_taken(monkeypatch):
    monkeypatch.setattr(native_, "is_available", lambda: False)
    monkeypatch.setattr(numba_, "find_spec", lambda name: None)
    assert not numba_.is_available()
    assert kernels.available() == ("reference",)
    assert kernels.get() is reference
    with refused(UnknownNameError, "kernel must be one of reference, got 'numba'"):
        kernels.get("numba")


def test_compiled_code_is_kept_where_the_user_says(monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    numba_._cache_folder()
    import os

    assert os.environ["NUMBA_CACHE_DIR"].rstrip("/").endswith("insonate")
    monkeypatch.setenv("NUMBA_CACHE_DIR", "elsewhere")
    numba_._cache_folder()
    assert os.environ["NUMBA_CACHE_DIR"] == "elsewhere"
