"""Distances against closed forms; cloth that neither cuts what it covers nor stands off it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.core import FormatError
from insonate.simulation.anatomy.shapes import Ellipsoid, Outline, Tube, arch, draped, overlap, undulation
from refusals import refused

ROUNDING = 1e-9
"""Of a distance of millimeters in double precision [m]."""

EVEN = Outline(sizes=np.zeros(5), phases=np.zeros(5), drift=np.zeros(5))


def straight(radius=4e-3, slope=0.0, axis=1, closed=(False, False), height=None):
    rows = [[-0.04, -0.04 * slope, 0.012], [0.04, 0.04 * slope, 0.012]]
    size = [2 * radius, 2 * (height or radius), 0.0]
    return Tube(
        name="t", axis=axis, stations=np.array([[*row, *size] for row in rows]), outline=EVEN, closed=closed
    )


coordinate = st.floats(-0.02, 0.02)


def split(points):
    return points[:, 0], points[:, 1], points[:, 2]


@given(st.lists(st.tuples(coordinate, coordinate, st.floats(0, 0.03)), min_size=1, max_size=30))
def test_the_distance_of_a_straight_round_tube_is_exact(points):
    at = np.array(points)
    truth = np.hypot(at[:, 0], at[:, 2] - 0.012) - 4e-3
    far = np.hypot(at[:, 0], at[:, 2] - 0.012) > 1e-5
    assert np.allclose(straight().distance(split(at))[far], truth[far], atol=ROUNDING)


@pytest.mark.parametrize("axis", [0, 2])
def test_a_tube_may_run_along_any_axis(axis):
    at = np.random.default_rng(1).uniform(-0.02, 0.02, (200, 3))
    first, second = (k for k in range(3) if k != axis)
    truth = np.hypot(at[:, first], at[:, second] - 0.012) - 4e-3
    assert np.allclose(straight(axis=axis).distance(split(at)), truth, atol=ROUNDING)


def test_the_distance_of_an_oblique_tube_is_that_across_it():
    """At its surface a tube of slope 0.5 in x lies nearer than its section says, by the cosine of its tilt."""
    tube = straight(slope=0.5)
    beside = tube.distance((np.array([4.5e-3]), np.array([0.0]), np.array([0.012])))
    assert beside[0] == pytest.approx(0.5e-3 / np.hypot(1, 0.5), rel=1e-6)


def test_an_end_is_closed():
    tube = straight(closed=(False, True))
    y = np.array([0.041, 0.043, 0.0])
    x = np.array([0.0, 0.007, 0.0])
    assert np.allclose(
        tube.distance((x, y, np.full(3, 0.0121)))[:2], [0.001, np.hypot(0.003, 0.003)], atol=1e-5
    )


def test_the_distance_of_a_sphere_is_exact():
    sphere = Ellipsoid(name="s", middle=np.array([0, 0, 0.02]), half=np.full(3, 5e-3), turn=0.4, outline=EVEN)
    at = np.random.default_rng(0).uniform(-0.02, 0.04, (500, 3))
    truth = np.linalg.norm(at - [0, 0, 0.02], axis=1) - 5e-3
    assert np.allclose(sphere.distance(split(at)), truth, atol=ROUNDING)


def test_the_distance_is_zero_on_an_ellipse_and_has_unit_slope_there():
    tube = straight(6e-3, height=2e-3)
    angle = np.linspace(0, 2 * np.pi, 40)
    on = np.stack([6e-3 * np.cos(angle), np.zeros(40), 0.012 + 2e-3 * np.sin(angle)], axis=1)
    normal = np.stack([np.cos(angle) / 6e-3, np.zeros(40), np.sin(angle) / 2e-3], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    assert np.allclose(tube.distance(split(on)), 0, atol=ROUNDING)
    little = 1e-5
    assert np.allclose(tube.distance(split(on + little * normal)), little, rtol=0.02)


def test_top_and_bottom_lie_on_the_surface():
    tube = Tube(
        name="t",
        axis=1,
        stations=np.array([[-0.04, 0.0, 0.012, 8e-3, 3e-3, 0.4], [0.04, 0.002, 0.014, 8e-3, 3e-3, 0.4]]),
        outline=EVEN,
    )
    x, y = np.linspace(-2e-3, 3e-3, 9)[:, None], np.linspace(-5e-3, 5e-3, 5)[None, :]
    for bottom in (False, True):
        depth = tube.top(x, y, bottom=bottom)
        assert np.allclose(tube.distance(np.broadcast_arrays(x, y, depth)), 0, atol=1e-6)
    assert (tube.top(x, y) < tube.top(x, y, bottom=True)).all()
    assert np.isnan(tube.top(np.array([[0.01]]), y)).all()


@pytest.mark.parametrize("under", [False, True])
def test_cloth_covers_what_it_is_laid_over(under):
    tube = straight()
    x, y = np.linspace(-0.02, 0.02, 134)[:, None], np.linspace(-2e-3, 2e-3, 5)[None, :]
    depth = np.full((134, 5), 0.012)
    cloth = draped(depth, tube, x, y, gap=0.3e-3, under=under)
    edge = tube.top(x, y, bottom=under)
    over = ~np.isnan(edge)
    sign = -1 if under else 1
    assert (sign * (edge - cloth)[over] >= 0.3e-3 - 1e-6).all()
    assert np.allclose(cloth[[0, -1]], 0.012, atol=0.1e-3)
    assert np.abs(np.diff(cloth, axis=0)).max() <= 0.56 * 0.04 / 133


@settings(max_examples=30)
@given(depth=st.floats(0, 3e-3))
def test_overlap_is_half_of_how_far_two_rods_pass_into_each_other(depth):
    one = straight()
    rows = np.array([[-0.04, 8e-3 - depth, 0.012, 8e-3, 8e-3, 0], [0.04, 8e-3 - depth, 0.012, 8e-3, 8e-3, 0]])
    other = Tube(name="o", axis=1, stations=rows, outline=EVEN)
    grid = (np.linspace(0, 8e-3, 801)[:, None, None], np.zeros((1, 1, 1)), np.full((1, 1, 1), 0.012))
    assert overlap(one, other, grid) == pytest.approx(depth / 2, abs=1e-5)


def test_undulations_have_the_size_they_were_given():
    x = np.linspace(-0.5, 0.5, 2000)[:, None]
    waves = undulation(np.random.default_rng(0), x, np.array([[0.0]]), length=3e-3, size=2e-3)
    assert waves.std() == pytest.approx(2e-3, rel=0.1)


def test_stations_must_go_on():
    with refused(FormatError, "tube 't' must have two stations or more, each further along its axis"):
        Tube(name="t", axis=1, stations=np.zeros((2, 6)), outline=EVEN)


def ring(half=(3e-3, 3e-3), span=(0.3, 2.6), *, pitch=25.0, roll=-40.0):
    block = {
        "name": "rib",
        **{"x_mm": 2, "y_mm": -5, "z_mm": 20, "radius_mm": 30, "pitch_deg": pitch, "roll_deg": roll},
        "from_deg": np.degrees(span[0]),
        "to_deg": np.degrees(span[1]),
        "width_mm": 2e3 * half[0],
        "height_mm": 2e3 * half[1],
    }
    return arch(block, np.random.default_rng(1))


def on_ring(of, angle, outward, across):
    """Places at angles along the circle, so far outward and across its plane."""
    far = of.radius + outward
    local = np.stack([far * np.cos(angle), far * np.sin(angle), np.broadcast_to(across, np.shape(far))], -1)
    return np.moveaxis(of.middle + local @ of.axes, -1, 0)


def test_the_distance_of_a_round_arch_is_that_of_a_torus_and_ends_in_half_a_sphere():
    of = ring()
    rng = np.random.default_rng(4)
    angle, outward, across = (
        rng.uniform(0.3, 2.6, 200),
        rng.uniform(-8e-3, 8e-3, 200),
        rng.uniform(-8e-3, 8e-3, 200),
    )
    measured = of.distance(tuple(on_ring(of, angle, outward, across)))
    assert measured == pytest.approx(np.hypot(outward, across) - 3e-3, abs=1e-9)
    # beyond an end: the way to the end of the circle
    angle = rng.uniform(2.6, 3.6, 50)
    places = on_ring(of, angle, np.zeros(50), 0.0)
    end = on_ring(of, np.array(2.6), np.array(0.0), 0.0)
    away = np.linalg.norm(places - end[:, None], axis=0)
    assert of.distance(tuple(places)) == pytest.approx(away - 3e-3, abs=1e-9)


def test_an_arch_lies_within_its_bounds_and_is_met_from_above_and_below_on_its_surface():
    of = ring(half=(6e-3, 2.5e-3))
    low, high = of.bounds()
    places = on_ring(of, np.linspace(0.3, 2.6, 50), np.full(50, 5.99e-3), 0.0)
    assert (low < places.T).all()
    assert (high > places.T).all()
    x, y = np.linspace(low[0], high[0], 41)[:, None], np.linspace(low[1], high[1], 37)[None, :]
    top, bottom = of.top(x, y), of.top(x, y, bottom=True)
    met = ~np.isnan(top)
    assert (met == ~np.isnan(bottom)).all()
    assert 0.05 < met.mean() < 0.95
    x, y = np.broadcast_to(x, met.shape)[met], np.broadcast_to(y, met.shape)[met]
    for depth in (top[met], bottom[met]):
        assert np.abs(of.distance((x, y, depth))).max() < 0.06e-3
    assert (top[met] < bottom[met]).all()


def test_an_arch_is_less_than_a_turn():
    with refused(FormatError, "arch 'rib' must end less than a turn after it begins, got 20 to 10 degrees"):
        ring(span=(np.radians(20), np.radians(10)))
