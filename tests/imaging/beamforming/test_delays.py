"""When a transmitted wave passes, against wavefronts built from the firing of single points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.beamforming.echoes import SPEED, transmit
from insonate.core import Grid, RangeError, Transmit
from insonate.imaging.beamforming import transmit_times
from refusals import refused
from tolerances import RTOL_FLOAT64

FIRING = np.linspace(-0.2, 0.2, 40_001)
"""A line of points at z = 0 that fire in turn, as a dense and wide array would [m]."""
ATOL_HUYGENS = 1e-10
"""Ten micrometers of firing points leave the first arrival this much late [s]."""
POINTS = st.tuples(st.floats(-0.01, 0.01), st.floats(0.005, 0.05))


def one(settings, point):
    grid = Grid(axial=[point[1]], lateral=[point[0]])
    return float(transmit_times(settings, grid, SPEED)[0, 0])


def arrivals(fires, point):
    """When the wavelets of the firing points reach a point [s]."""
    return fires + np.hypot(FIRING - point[0], point[1]) / SPEED


@given(POINTS, st.floats(-0.5, 0.5))
def test_a_plane_wave_is_the_first_arrival_of_points_fired_in_a_row(point, angle):
    fires = FIRING * np.sin(angle) / SPEED
    made = one(Transmit.plane(steering_angle=angle, initial_time=0.0), point)
    assert made == pytest.approx(arrivals(fires, point).min(), abs=ATOL_HUYGENS)


@given(POINTS, st.floats(-0.3, 0.3), st.floats(0.005, 0.05))
def test_a_diverging_wave_is_the_first_arrival_from_behind_the_array(point, angle, distance):
    source = -distance * np.array([np.sin(angle), np.cos(angle)])
    fires = (np.hypot(FIRING - source[0], source[1]) - distance) / SPEED
    made = one(transmit(-distance, angle), point)
    assert made == pytest.approx(arrivals(fires, point).min(), abs=ATOL_HUYGENS)


@given(
    st.floats(-0.01, 0.01), st.floats(0.001, 0.05), st.floats(-0.3, 0.3), st.floats(0.02, 0.05), st.booleans()
)
def test_a_focused_wave_converges_before_its_focus_and_diverges_behind(beside, away, angle, distance, behind):
    focus = distance * np.array([np.sin(angle), np.cos(angle)])
    ray = np.array([beside, 0.0]) - focus  # from the focus to a point of the array
    ray /= np.hypot(*ray)
    share = min(away, 0.9 * distance * np.cos(angle))
    point = focus + (-share if behind else share) * ray
    fires = (distance - np.hypot(FIRING - focus[0], focus[1])) / SPEED
    at = arrivals(fires, point)
    # every wavelet meets in the focus: before it the front is the earliest of them, behind it the latest
    made = one(transmit(distance, angle), point)
    assert made == pytest.approx(at.max() if behind else at.min(), abs=ATOL_HUYGENS)


@pytest.mark.parametrize("distance", [np.inf, 0.03, -0.02])
def test_time_is_counted_from_the_origin_of_the_transmit(distance):
    shifted = transmit(distance, 0.2, origin=(0.004, 0.0, 0.001))
    assert one(shifted, (0.004, 0.001)) == pytest.approx(0.0, abs=1e-15)
    point = np.array([-0.002, 0.017])
    by_hand = one(transmit(distance, 0.2), point)
    assert one(shifted, point + np.array([0.004, 0.001])) == pytest.approx(by_hand, rel=RTOL_FLOAT64)


def test_along_the_beam_time_is_the_way():
    way = np.linspace(0.0, 0.06, 13)
    for distance in (np.inf, 0.03, -0.02):
        settings = transmit(distance, 0.2)
        made = [one(settings, (s * np.sin(0.2), s * np.cos(0.2))) for s in way]
        np.testing.assert_allclose(made, way / SPEED, rtol=RTOL_FLOAT64, atol=1e-15)


def test_a_focus_beside_the_plane_counts_its_elevation():
    """The focal plane is square to the beam, also where the beam leaves the plane of the picture."""
    direction = np.array([0.0, 0.6, 0.8])
    tilted = Transmit(
        origin=np.zeros(3),
        direction=direction,
        focus_distance=0.02,
        delays=None,
        apodization=None,
        waveform=None,
        initial_time=0.0,
    )
    focus = 0.02 * direction  # 12 mm beside and 16 mm deep: the plane meets z = 25 mm where y = 0
    for depth, side in ((0.018, -1), (0.024, -1), (0.026, 1), (0.03, 1)):
        away = np.linalg.norm(np.array([0.0, 0.0, depth]) - focus)
        assert one(tilted, (0.0, depth)) == pytest.approx((0.02 + side * away) / SPEED, rel=RTOL_FLOAT64)


def test_the_axes_are_axial_and_lateral():
    grid = Grid(axial=[0.01, 0.02, 0.03], lateral=[-0.001, 0.004])
    made = transmit_times(Transmit.plane(steering_angle=0.3, initial_time=0.0), grid, SPEED)
    by_hand = (grid.axial[:, None] * np.cos(0.3) + grid.lateral * np.sin(0.3)) / SPEED
    np.testing.assert_allclose(made, by_hand, rtol=RTOL_FLOAT64)


def test_a_speed_in_other_units_is_refused():
    with refused(RangeError, "sound_speed must lie in 300..6000 m/s, got 1.54 (km/s?)"):
        transmit_times(transmit(), Grid(axial=[0.01], lateral=[0.0]), 1.54)
