import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import Grid, Probe, RangeError, Transmit
from insonate.imaging.beamforming import transmit_times
from insonate.simulation.acoustics.transmits import (
    diverging,
    firing_times,
    passing_times,
    single_element,
    toward,
)
from refusals import refused
from tolerances import RTOL_FLOAT64

SPEED = 1540.0
ARRAY = Probe.linear(name="any", n_elements=16, pitch=0.3e-3, center_frequency=5e6)
ATOL = 1e-15
"""A femtosecond, of delays of microseconds."""

events = st.one_of(
    st.floats(-0.6, 0.6).map(lambda angle: Transmit.plane(steering_angle=angle, initial_time=0.0)),
    st.tuples(st.floats(-5e-3, 5e-3), st.floats(5e-3, 0.05)).map(
        lambda at: toward(np.array([at[0], 0, at[1]]))
    ),
    st.tuples(st.floats(5e-3, 0.05), st.floats(-0.4, 0.4)).map(
        lambda to: diverging(to[0], steering_angle=to[1])
    ),
)


@given(events)
def test_beamformer_and_simulator_agree_on_when_a_front_passes(event):
    grid = Grid(axial=np.array([0.004, 0.021, 0.06]), lateral=np.array([-0.01, 0.002, 0.011]))
    z, x = np.meshgrid(grid.axial, grid.lateral, indexing="ij")
    places = np.stack([x, 0 * x, z], axis=-1).reshape(-1, 3)
    np.testing.assert_allclose(
        passing_times(event, places, SPEED).reshape(3, 3), transmit_times(event, grid, SPEED), atol=ATOL
    )


def test_waves_of_all_elements_meet_at_the_focus_at_once():
    focus = np.array([1e-3, 0, 0.02])
    event = toward(focus)
    meet = firing_times(event, ARRAY, SPEED) + np.linalg.norm(ARRAY.element_positions - focus, axis=1) / SPEED
    np.testing.assert_allclose(meet, event.focus_distance / SPEED, rtol=RTOL_FLOAT64)


def test_a_diverging_wave_is_late_at_the_edges():
    times = firing_times(diverging(0.01), ARRAY, SPEED)
    x = ARRAY.element_positions[:, 0]
    np.testing.assert_allclose(times, (np.hypot(x, 0.01) - 0.01) / SPEED, atol=ATOL)


def test_one_element_fires_alone_at_time_zero():
    event = single_element(ARRAY, 3)
    assert event.apodization.tolist() == [0, 0, 0, 1] + [0] * 12
    np.testing.assert_array_equal(firing_times(event, ARRAY, SPEED), np.zeros(16))
    np.testing.assert_array_equal(event.origin, ARRAY.element_positions[3])
    here = event.origin + np.array([[0.0, 0, 0.02]])
    assert passing_times(event, here, SPEED)[0] == pytest.approx(0.02 / SPEED, rel=RTOL_FLOAT64)


def test_delays_of_its_own_are_taken_as_they_are():
    own = np.linspace(0, 1e-6, 16)
    event = Transmit(
        origin=np.zeros(3),
        direction=np.array([0.0, 0, 1]),
        focus_distance=np.inf,
        delays=own,
        apodization=None,
        waveform=None,
        initial_time=0.0,
    )
    np.testing.assert_array_equal(firing_times(event, ARRAY, SPEED), own)
    few = Probe.linear(name="few", n_elements=3, pitch=0.3e-3, center_frequency=5e6)
    with refused(RangeError, "Transmit.delays must be one per element (3), got 16"):
        firing_times(event, few, SPEED)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: toward(np.array([0, 0, -0.02])),
            "depth of the focus must lie in 1e-06..1 m, got -0.02 (millimeters?)",
        ),
        (
            lambda: toward(np.array([0, 0, 20])),
            "depth of the focus must lie in 1e-06..1 m, got 20 (millimeters?)",
        ),
        (
            lambda: diverging(-0.02),
            "distance of the virtual source must lie in 1e-06..1 m, got -0.02 (millimeters?)",
        ),
        (
            lambda: diverging(0.02, steering_angle=10),
            "steering_angle must lie in -1.5708..1.5708 rad, got 10 (degrees?)",
        ),
        (lambda: single_element(ARRAY, 16), "index must lie in 0..15 elements, got 16"),
    ],
)
def test_events_that_cannot_be_are_refused(make, message):
    with refused(RangeError, message):
        make()
