"""The compiled kernel agrees with the reference over random geometries, with every instruction set that runs here."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.core import UnknownNameError
from insonate.imaging.beamforming import kernels
from insonate.imaging.beamforming.kernels import native_, numba_, reference
from refusals import refused

native = pytest.importorskip(
    "insonate_native", reason="the native kernels are not built: make native", exc_type=ImportError
)

ROUNDINGS = 8
"""Times over, that a moment is rounded to single precision on its way to a sample: the wave's, the depth's, the way beyond
it, their two sums, and the table's own arithmetic."""
ATOL_PHASE = 2e-6
"""Polynomials of sine and cosine, and products of single precision; the carrier is turned in double precision."""
RTOL_IMAGE = 1e-4
"""Of a whole image, in norm, where a thousand samples round a moment to 1e-4 of one; the aperture's edge is exact."""

SETS = pytest.mark.parametrize("instructions", native.available())


@dataclass
class Case:
    """Arguments of a kernel, which pixels no end of a record runs through, and how far they may differ."""

    arguments: tuple
    names: dict
    clear: np.ndarray
    tolerance: float


def case(samples, arrival, starts, x, axial, lateral, *, rate, frequency, speed, f_number, depth=0.0):
    elements = np.zeros((len(x), 3))
    elements[:, 0], elements[:, 2] = x, depth
    names = {
        "frequency": frequency,
        "sampling_frequency": rate,
        "sound_speed": speed,
        "f_number": f_number,
    }
    way = np.hypot(lateral[:, None] - x, (axial - depth)[:, None, None]) / speed
    at = (arrival[..., None] + way) * rate
    longest = (np.abs(arrival).max() + 2 * way.max()) * rate
    late = ROUNDINGS * 2**-24 * longest  # in samples
    ends = np.minimum(np.abs(at), np.abs(at - (samples.shape[2] - 1)))
    tolerance = np.abs(samples).max() * (2 * late + ATOL_PHASE * np.sqrt(len(x)))
    return Case(
        (samples, arrival, starts, elements, axial, lateral),
        names,
        ~(ends < late).any(axis=(0, 3)),
        tolerance,
    )


def noise(rng, *shape):
    return (rng.normal(size=(*shape, 2)) @ (1, 1j)).astype(np.complex64)


@st.composite
def geometries(draw):
    """Any grid, any moment: plane waves over fine and coarse steps, and moments that jump."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_transmits, n_elements, n_samples = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 40)),
        draw(st.integers(2, 200)),
    )
    n_axial, n_lateral = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    speed, f_number = draw(st.floats(1300, 1700)), draw(st.floats(0.3, 4))
    rate, frequency = draw(st.floats(1e6, 4e7)), draw(st.floats(1e6, 2e7))
    pitch = draw(st.floats(5e-5, 5e-4))
    x = (np.arange(n_elements) - (n_elements - 1) / 2) * pitch
    if draw(st.booleans()):
        x = np.sort(rng.uniform(-0.01, 0.01, n_elements))
    lateral = x[0] + np.arange(n_lateral) * pitch * draw(st.sampled_from([1, 0.5, 2 / 3, 0.123]))
    axial = draw(st.floats(-1e-3, 5e-3)) + np.arange(n_axial) * draw(st.floats(1e-6, 4e-4))
    if draw(st.booleans()):
        axial = np.sort(rng.uniform(-1e-3, 1e-2, n_axial))
    angles = rng.uniform(-0.5, 0.5, n_transmits)[:, None, None]
    arrival = (axial[:, None] * np.cos(angles) + lateral * np.sin(angles)) / speed
    kind = draw(st.sampled_from(["plane", "late", "random"]))
    if kind == "late":
        arrival = arrival + rng.uniform(-0.5, 0.5) * n_samples / rate
    if kind == "random":
        arrival = rng.uniform(-0.2, 1.2, arrival.shape) * n_samples / rate - axial[:, None] / speed
    return case(
        noise(rng, n_transmits, n_elements, n_samples),
        arrival,
        rng.uniform(-1e-5, 1e-5, n_transmits),
        x,
        axial,
        lateral,
        rate=rate,
        frequency=frequency,
        speed=speed,
        f_number=f_number,
        depth=draw(st.sampled_from([0.0, 1e-3, -2e-3])),
    )


def check(wanted, **how):
    truth = reference.delay_and_sum(*wanted.arguments, **wanted.names)
    made = native.delay_and_sum(*wanted.arguments, **wanted.names, **how)
    assert made.shape == truth.shape
    assert made.dtype == truth.dtype
    np.testing.assert_allclose(made[wanted.clear], truth[wanted.clear], atol=wanted.tolerance, rtol=0)


@settings(max_examples=150)
@given(geometries(), st.sampled_from([1, 2]))
def test_every_instruction_set_agrees_with_the_reference(geometry, threads):
    for instructions in native.available():
        check(geometry, instructions=instructions, threads=threads)


def plane(*, step, rate, lateral_step, n_axial=83, n_samples=600, n_transmits=2, start=3e-3, f_number=1.0):
    rng = np.random.default_rng(5)
    x, speed = (np.arange(32) - 15.5) * 3e-4, 1540.0
    lateral, axial = (np.arange(40) - 20) * lateral_step, start + np.arange(n_axial) * step
    angles = np.linspace(-0.2, 0.2, n_transmits)[:, None, None]
    arrival = (axial[:, None] * np.cos(angles) + lateral * np.sin(angles)) / speed
    return case(
        noise(rng, n_transmits, 32, n_samples),
        arrival,
        np.full(n_transmits, 2e-6),
        x,
        axial,
        lateral,
        rate=rate,
        frequency=5e6,
        speed=speed,
        f_number=f_number,
    )


@SETS
@pytest.mark.parametrize("lateral_step", [1.5e-4, 1.2345e-4], ids=["shared distances", "own distances"])
@pytest.mark.parametrize(
    ("step", "rate"),
    [(2e-5, 1e7), (6e-5, 1e7), (1.2e-4, 1e7), (2.4e-4, 1e7), (6e-4, 1e7)],
    ids=["fine", "narrow", "wide", "broad", "far"],
)
@pytest.mark.parametrize("n_samples", [2000, 250], ids=["inside the record", "over its end"])
def test_every_way_through_the_kernel_agrees_with_the_reference(
    instructions, lateral_step, step, rate, n_samples
):
    check(
        plane(step=step, rate=rate, lateral_step=lateral_step, n_samples=n_samples), instructions=instructions
    )


@SETS
@pytest.mark.parametrize("f_number", [0.5, 1.0, 1.5, 2.0])
def test_pixels_on_the_edge_of_an_aperture_fall_to_the_same_side(instructions, f_number):
    """Depths, columns and elements that are multiples of each other put pixels on edges by the hundred."""
    wanted = plane(step=7.5e-5, rate=1e7, lateral_step=1.5e-4, f_number=f_number, n_samples=2000)
    elements, axial, lateral = wanted.arguments[3:]
    reach = 2 * f_number * np.abs(lateral[:, None] - elements[:, 0])
    assert (np.abs(reach - axial[:, None, None]) < 1e-9).sum() > 100
    truth = reference.delay_and_sum(*wanted.arguments, **wanted.names)
    made = native.delay_and_sum(*wanted.arguments, **wanted.names, instructions=instructions)
    assert np.linalg.norm(made - truth) <= RTOL_IMAGE * np.linalg.norm(truth)


@SETS
def test_a_focused_wave_agrees_before_and_behind_its_focus(instructions):
    """Its moments run backward across the axis, and jump at the focus."""
    wanted = plane(step=6e-5, rate=1e7, lateral_step=1.5e-4, n_transmits=1)
    samples, arrival, starts, elements, axial, lateral = wanted.arguments
    away = np.hypot(lateral, axial[:, None] - 5.5e-3)
    arrival = ((5.5e-3 + np.sign(axial[:, None] - 5.5e-3) * away) / 1540.0)[None]
    check(
        case(
            samples,
            arrival,
            starts,
            elements[:, 0],
            axial,
            lateral,
            rate=1e7,
            frequency=5e6,
            speed=1540.0,
            f_number=1.0,
        ),
        instructions=instructions,
    )


def test_the_native_kernel_is_the_fastest_there_is():
    assert kernels.available() == ("native", "numba", "reference")
    assert kernels.get() is native_
    assert kernels.chosen() == "native"
    assert kernels.described() == f"native ({native.instructions()})"
    assert kernels.after("native") is numba_


def test_without_the_library_the_next_is_taken(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "insonate_native", None)
    assert not native_.is_available.__wrapped__()
    monkeypatch.setattr(native_, "is_available", lambda: False)
    assert kernels.get() is numba_
    assert kernels.described() == "numba"
    with refused(UnknownNameError, "kernel must be one of numba, reference, got 'native'"):
        kernels.get("native")


def test_the_room_s_kernel_is_the_library_s():
    wanted = plane(step=6e-5, rate=1e7, lateral_step=1.5e-4)
    made = native_.delay_and_sum(*wanted.arguments, **wanted.names)
    assert np.array_equal(made, native.delay_and_sum(*wanted.arguments, **wanted.names))


@pytest.mark.parametrize("spoil", ["deep", "backward"])
def test_what_it_does_not_cover_goes_to_the_next_kernel(spoil, monkeypatch):
    wanted = plane(step=6e-5, rate=1e7, lateral_step=1.5e-4)
    samples, arrival, starts, elements, axial, lateral = wanted.arguments
    elements = elements.copy()
    if spoil == "deep":
        elements[3, 2] = 5e-4
    else:
        elements, samples = elements[::-1], samples[:, ::-1]
    arguments = (samples, arrival, starts, elements, axial, lateral)
    monkeypatch.setattr(numba_, "is_available", lambda: False)
    made = native_.delay_and_sum(*arguments, **wanted.names)
    assert np.array_equal(made, reference.delay_and_sum(*arguments, **wanted.names))
