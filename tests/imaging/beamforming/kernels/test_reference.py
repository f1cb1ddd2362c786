"""The reference kernel against what can be counted on one hand: one element, one transmit, echoes of ones."""

import numpy as np
import pytest

from insonate.imaging.beamforming import kernels

SPEED = 1500.0
RATE = 10e6
FREQUENCY = 3e6
N_SAMPLES = 50
ATOL_KERNEL = 3e-6
"""Sine and cosine of the compiled kernel by polynomials, in single precision."""
BOTH = pytest.mark.parametrize("kernel", ["reference", "numba"])


def one_tap(kernel, at, *, samples=None, start=0.0, x=0.0, z=0.01, f_number=1.0):
    """Beamform one pixel whose echo on its only element lies at sample `at`."""
    samples = np.ones((1, 1, N_SAMPLES), np.complex64) if samples is None else samples
    back = np.hypot(x, z) / SPEED
    made = kernels.get(kernel).delay_and_sum(
        samples,
        np.array([[[at / RATE - back]]]),
        np.array([start]),
        np.zeros((1, 3)),
        np.array([z]),
        np.array([x]),
        frequency=FREQUENCY,
        sampling_frequency=RATE,
        sound_speed=SPEED,
        f_number=f_number,
    )
    assert made.shape == (1, 1)
    assert made.dtype == np.complex64
    return complex(made[0, 0])


@BOTH
def test_the_phase_is_that_of_the_moment_less_two_ways(kernel):
    for at, start in ((12.3, 0.0), (30.7, 4.4e-6)):
        turns = FREQUENCY * (at / RATE + start) - 2 * FREQUENCY * 0.01 / SPEED
        expected = np.exp(2j * np.pi * turns)
        assert one_tap(kernel, at, start=start) == pytest.approx(expected, abs=10 * ATOL_KERNEL)


@BOTH
@pytest.mark.parametrize(
    ("at", "strength"), [(-0.01, 0), (0.01, 1), (1.0, 1), (48.99, 1), (49.01, 0), (70, 0), (-60, 0)]
)
def test_beside_the_record_there_is_nothing(kernel, at, strength):
    assert abs(one_tap(kernel, at)) == pytest.approx(strength, abs=ATOL_KERNEL)


@BOTH
@pytest.mark.parametrize("at", [7.0, 7.25, 7.5, 7.96875])
def test_between_samples_the_echo_goes_straight(kernel, at):
    samples = np.zeros((1, 1, N_SAMPLES), np.complex64)
    samples[0, 0, 7], samples[0, 0, 8] = 2, 2j
    share = at - 7
    strength = abs(complex(2 * (1 - share), 2 * share))
    assert abs(one_tap(kernel, at, samples=samples)) == pytest.approx(strength, abs=1e-4)


@BOTH
@pytest.mark.parametrize(
    ("x", "f_number", "strength"),
    [
        (0.0049, 1.0, 1),
        (0.0051, 1.0, 0),
        (-0.0049, 1.0, 1),
        (-0.0051, 1.0, 0),
        (0.0051, 0.9, 1),
        (0.0024, 2.1, 0),
    ],
)
def test_an_element_listens_to_depths_beyond_twice_the_f_number_of_its_distance(
    kernel, x, f_number, strength
):
    assert abs(one_tap(kernel, 20.3, x=x, f_number=f_number)) == pytest.approx(strength, abs=ATOL_KERNEL)


@BOTH
def test_an_element_does_not_listen_behind_itself(kernel):
    assert one_tap(kernel, 20.3, z=-0.001) == 0


@BOTH
def test_the_mean_is_over_the_taps_that_lie_in_the_record(kernel):
    """Three elements above one pixel: 1, 4 and a record that ended before the echo came."""
    samples = np.ones((1, 3, N_SAMPLES), np.complex64)
    samples[0, 1] = 4
    elements = np.array([[0.0, 0, 0.0], [0.0, 0, 0.0], [0.0, 0, -0.9]])
    made = kernels.get(kernel).delay_and_sum(
        samples,
        np.zeros((1, 1, 1)),
        np.zeros(1),
        elements,
        np.array([0.003]),
        np.array([0.0]),
        frequency=FREQUENCY,
        sampling_frequency=RATE,
        sound_speed=SPEED,
        f_number=1.0,
    )
    assert abs(made.item()) == pytest.approx(2.5, abs=10 * ATOL_KERNEL)
