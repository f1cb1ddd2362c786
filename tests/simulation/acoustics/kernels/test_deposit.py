"""Deposited echoes against closed forms: a spline of unit area, at its moment, of its strength; and the twins agree."""

import numpy as np
import pytest
from hypothesis import given, settings

from insonate.simulation.acoustics import kernels
from insonate.simulation.acoustics.kernels import numba_, reference
from simulation.acoustics.kernels.scenes import deposits

EVERY = pytest.mark.parametrize("kernel", kernels.available())
SPEED, RATE, CARRIER, WIDTH = 1540.0, 4e7, 7e6, 2.5e-4
RTOL = 3e-5
"""Single precision over a dozen products, and a moment rounded at some hundred samples."""


def lines(kernel, points, delays, elements, **changes):
    names = {
        "n_samples": 600,
        "sampling_frequency": RATE,
        "start": 0.0,
        "sound_speed": SPEED,
        "frequency": CARRIER,
        "element_width": WIDTH,
        "soft_baffle": False,
        "from_lines": False,
    }
    made = kernels.get(kernel).deposit(
        np.array(points, np.float32), np.array(delays), np.array(elements), **names | changes
    )
    assert made.dtype == np.float32
    return made


@EVERY
@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.9375])
def test_an_echo_is_a_cubic_spline_at_its_moment(kernel, share):
    """Of depth z on the axis: at delay + z / c, of area a / z."""
    z, delay = 1540 / RATE * 200, (40 + share) / RATE
    made = lines(kernel, [[0, 0, z, 3.0]], [delay], [0.0])[0]
    away = np.abs(np.arange(600) - (240 + share))
    spline = np.where(away < 1, 2 / 3 - away**2 + away**3 / 2, np.maximum(2 - away, 0) ** 3 / 6)
    np.testing.assert_allclose(made, 3 / z * spline, atol=3 / z * 3e-5)
    assert made.sum() == pytest.approx(3 / z, rel=RTOL)


@EVERY
def test_its_spectrum_less_that_of_the_spline_is_a_pure_delay(kernel):
    """sinc^4 is taken from each frequency f; what is left is exp(-i w t) but for what folds in, (f / (fs - f))^4."""
    z, delay = 0.00771, 3.21e-6
    made = lines(kernel, [[0, 0, z, 1.0]], [delay], [0.0])[0]
    frequencies = np.fft.rfftfreq(600, 1 / RATE)
    heard = np.fft.rfft(made) / np.sinc(frequencies / RATE) ** 4 * z
    pure = np.exp(-2j * np.pi * frequencies * (delay + z / SPEED))
    for highest, folded in ((RATE / 8, (1 / 7) ** 4), (RATE / 4, (1 / 3) ** 4)):
        low = frequencies <= highest
        assert np.abs(heard - pure)[low].max() <= 1.3 * folded + 1e-4
    assert (
        np.abs(heard - pure)[frequencies <= RATE / 4].max() > 1e-3
    )  # the closed form is no looser than it must be


@EVERY
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("from_lines", [False, True])
@pytest.mark.parametrize("point", [(0.0, 0.0, 0.006), (0.003, 0.0, 0.004), (-0.0045, 0.001, 0.003)])
def test_its_strength_is_that_of_distance_directivity_and_baffle(kernel, point, soft, from_lines):
    x, y, z = point
    elements = np.array([-1e-3, 0.0, 2e-3])
    r = np.sqrt((elements - x) ** 2 + y**2 + z**2)
    expected = 2.0 * np.sinc(WIDTH * CARRIER / SPEED * (elements - x) / r) / (np.sqrt(r) if from_lines else r)
    expected *= z / r if soft else 1
    made = lines(kernel, [[*point, 2.0]], [0.0], elements, soft_baffle=soft, from_lines=from_lines)
    np.testing.assert_allclose(made.sum(axis=1), expected, rtol=RTOL)
    middle = (made @ np.arange(600)) / made.sum(axis=1)
    np.testing.assert_allclose(middle, r / SPEED * RATE, atol=1e-3)


@EVERY
def test_nearer_than_the_nearest_an_echo_grows_no_further(kernel):
    made = lines(kernel, [[0, 0, 1e-6, 1.0]], [1e-6], [0.0])
    assert made.sum() == pytest.approx(1 / reference.NEAREST, rel=RTOL)
    on_the_face = lines(kernel, [[0, 0, 0, 1.0]], [1e-6], [0.0])
    assert on_the_face.sum() == pytest.approx(1 / reference.NEAREST, rel=RTOL)


@EVERY
@pytest.mark.parametrize("at", [-9, -2.5, -1.5, -0.5, 0.5, 597.5, 598.5, 599.5, 600.5, 601.5, 700, 1e6, -1e6])
def test_what_falls_beside_the_record_is_lost_and_nothing_else(kernel, at):
    z = 1540 / RATE * 100
    made = lines(kernel, [[0, 0, z, z]], [(at - 100) / RATE], [0.0])[0]
    away = np.abs(np.arange(600) - at)
    spline = np.where(away < 1, 2 / 3 - away**2 + away**3 / 2, np.maximum(2 - away, 0) ** 3 / 6)
    np.testing.assert_allclose(made, spline, atol=1e-3 if abs(at) < 1000 else 0)


@EVERY
def test_the_clock_begins_with_the_first_sample(kernel):
    point = [[1e-3, 0, 5e-3, 1.0]]
    one = lines(kernel, point, [2e-6], [0.0])
    other = lines(kernel, point, [7e-6], [0.0], start=5e-6)
    np.testing.assert_allclose(one, other, atol=RTOL * one.max() * 10)


@EVERY
def test_echoes_add_in_any_order(kernel):
    rng = np.random.default_rng(4)
    points = rng.uniform(-4e-3, 4e-3, (400, 4))
    points[:, 2] += 5e-3
    delays, elements = points[:, 2] / SPEED, np.linspace(-3e-3, 3e-3, 21)
    whole = lines(kernel, points, delays, elements)
    mixed = rng.permutation(400)
    np.testing.assert_allclose(lines(kernel, points[mixed], delays[mixed], elements), whole, atol=2e-6 * 400)
    halves = lines(kernel, points[:150], delays[:150], elements) + lines(
        kernel, points[150:], delays[150:], elements
    )
    np.testing.assert_allclose(halves, whole, atol=2e-6 * 400)


@settings(max_examples=60)
@given(deposits())
def test_numba_agrees_with_the_reference(scene):
    truth = reference.deposit(*scene.arguments, **scene.names)
    made = numba_.deposit(*scene.arguments, **scene.names)
    assert made.shape == truth.shape
    assert made.dtype == truth.dtype
    np.testing.assert_allclose(made, truth, atol=scene.tolerance, rtol=0)
