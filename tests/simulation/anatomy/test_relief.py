"""Ground and what lies on it, against closed forms: planes, balls, layers of even thickness, layers that lift each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.core import FormatError
from insonate.simulation.anatomy.relief import Relief, Shell, relief, shell
from refusals import refused

ROUNDING = 1e-6
"""Of a distance looked up in a table of cells of 0.25 mm, in single precision [m]."""
BALL = 24e-3
"""Radius of a head of bone [m]."""
BENT = 3e-5
"""A monotone cubic through points of a circle 2 mm apart strays by less [m]."""


def plane(slope=0.0):
    return Relief(name="p", stations=np.array([[-0.02, 0.02 - 0.02 * slope], [0.02, 0.02 + 0.02 * slope]]))


def ball(**more):
    """A ridge of a circle over x, its top 20 mm deep."""
    x = np.linspace(-18e-3, 18e-3, 19)
    return Relief(name="b", stations=np.stack([x, 20e-3 + BALL - np.sqrt(BALL**2 - x**2)], axis=1), **more)


def layer(on, inner=1e-3, outer=5e-3, **more):
    return Shell(name="l", on=on, stations=np.array([[-16e-3, inner, outer], [16e-3, inner, outer]]), **more)


def split(points):
    return points[:, 0], points[:, 1], points[:, 2]


places = st.lists(
    st.tuples(st.floats(-0.015, 0.015), st.floats(-0.02, 0.02), st.floats(0, 0.03)), min_size=1, max_size=30
)


@given(points=places, slope=st.floats(-1.5, 1.5))
@settings(max_examples=30)
def test_the_distance_of_a_plane_is_exact(points, slope):
    at = np.array(points)
    truth = (0.02 + slope * at[:, 0] - at[:, 2]) / np.hypot(1, slope)
    assert np.allclose(plane(slope).distance(split(at)), truth, atol=ROUNDING)


@given(angle=st.floats(-0.6, 0.6), away=st.floats(-1e-3, 10e-3))
@settings(max_examples=60)
def test_the_distance_of_a_round_ridge_is_that_along_its_radius(angle, away):
    reach = BALL + away
    at = np.array([[reach * np.sin(angle), 0.004, 20e-3 + BALL - reach * np.cos(angle)]])
    assert ball().distance(split(at))[0] == pytest.approx(away, abs=BENT)


def test_over_a_groove_and_a_cliff_it_is_the_nearest_point_that_counts():
    """Against a search of the whole surface, level along y: no point is missed where normals meet or the ground falls."""
    stations = [
        [-0.012, 0.015],
        [-0.005, 0.014],
        [-0.003, 0.018],
        [0.003, 0.018],
        [0.005, 0.014],
        [0.01, 0.015],
    ]
    ground = Relief(name="g", stations=np.array([*stations, [0.0115, 0.05]]))
    x = np.arange(-0.03, 0.03, 1e-5)
    depth = ground.top(x, np.zeros_like(x))
    at = np.random.default_rng(2).uniform([-0.014, -0.01, 0.003], [0.014, 0.01, 0.022], (300, 3))
    far = np.sqrt(((at[:, None, 0] - x) ** 2 + (at[:, None, 2] - depth) ** 2).min(axis=1))
    truth = far * np.sign(np.interp(at[:, 0], x, depth) - at[:, 2])
    assert np.abs(ground.distance(split(at)) - truth).max() < 0.05e-3


def test_on_a_bent_ground_it_is_near_to_that_of_the_surface():
    """A head of bone of 24 mm in both directions, layers up to 6 mm high, 10 mm beside its middle: 1 part in 30 at most."""
    ground = ball(radius=BALL)
    x, y = np.meshgrid(np.arange(-0.02, 0.02, 2e-4), np.arange(-0.02, 0.02, 2e-4), indexing="ij")
    surface = np.stack([x, y, ground.top(x, y)], axis=-1).reshape(-1, 3)
    at = np.random.default_rng(2).uniform([-0.01, -0.01, 0.010], [0.01, 0.01, 0.022], (60, 3))
    truth = np.linalg.norm(at[:, None] - surface, axis=2).min(axis=1)
    found = np.abs(ground.distance(split(at)))
    assert np.abs(found - truth).max() < 0.2e-3
    close = truth < 6e-3
    assert (np.abs(found - truth)[close] < 0.03 * truth[close] + 0.03e-3).all()


def test_ground_is_bent_along_y():
    bent = Relief(name="r", stations=plane().stations, radius=30e-3, middle=2e-3)
    top = bent.top(np.zeros((1, 1)), np.array([[2e-3, 8e-3, -10e-3]]))
    assert np.allclose(top, 20e-3 + np.array([[0, 6e-3, 12e-3]]) ** 2 / 60e-3, atol=ROUNDING)


def test_open_grids_and_lists_of_places_agree():
    rough = ball(radius=40e-3, rough=((0.2e-3, 3e-3),), rng_seed=(5,))
    x, y, z = np.linspace(-0.01, 0.01, 7), np.linspace(-0.01, 0.01, 5), np.linspace(0, 0.03, 11)
    grid = rough.distance((x[:, None, None], y[None, :, None], z[None, None, :]))
    at = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).reshape(-1, 3)
    assert np.allclose(grid.ravel(), rough.distance(split(at)), atol=ROUNDING)
    assert (
        np.abs(rough.top(x[:, None], y[None, :]) - ball(radius=40e-3).top(x[:, None], y[None, :])).max()
        > 1e-4
    )


def test_arc_length_is_that_of_the_circle():
    angle = np.array([-0.5, 0.0, 0.5])
    at = np.stack([BALL * np.sin(angle), 0 * angle, 20e-3 + BALL - BALL * np.cos(angle)], axis=1)
    along, _, down = ball().frame(split(at))
    assert np.allclose(np.diff(along), BALL * 0.5, atol=0.05e-3)  # a fifth of a cell
    assert np.abs(down).max() < BENT


def test_a_layer_has_its_thickness_along_the_normal():
    angle = 0.4
    for away, inside in ((0.8e-3, False), (1.2e-3, True), (4.8e-3, True), (5.2e-3, False)):
        reach = BALL + away
        at = np.array([[reach * np.sin(angle), 0.0, 20e-3 + BALL - reach * np.cos(angle)]])
        assert (layer(ball()).distance(split(at))[0] < 0) == inside


def test_the_distance_of_a_layer_is_that_to_its_nearer_face():
    at = np.array([[0.0, 0.0, 0.02 - away] for away in (0.0, 1.5e-3, 3e-3, 6e-3)])
    assert np.allclose(layer(plane()).distance(split(at)), [1e-3, -0.5e-3, -2e-3, 1e-3], atol=ROUNDING)


def test_beyond_its_ends_a_layer_is_as_far_as_they_are():
    at = np.array([[0.019, 0.0, 0.02]])
    assert layer(plane()).distance(split(at))[0] == pytest.approx(3e-3, rel=0.1)


@given(swelling=st.floats(0, 6e-3))
@settings(max_examples=20)
def test_what_swells_below_lifts_what_lies_above(swelling):
    """Faces of stacked layers are shared: neither a gap nor an overlap, whatever the thickness."""
    low = layer(ball(), 0.0, 1e-3 + swelling, waves=((0.2e-3, 4e-3),), rng_seed=(3,))
    high = layer(low, 0.0, 2e-3, waves=((0.2e-3, 4e-3),), rng_seed=(4,))
    x, y = np.linspace(-0.015, 0.015, 21)[:, None], np.linspace(-0.01, 0.01, 5)[None, :]
    assert np.array_equal(low.faces(x, y)[1], high.faces(x, y)[0])
    assert high.ground is low.ground
    assert np.allclose((high.faces(x, y)[1] - high.faces(x, y)[0]).mean(), 2e-3, rtol=0.2)


def test_top_and_bottom_lie_on_its_faces():
    one = layer(ball(radius=50e-3), waves=((0.1e-3, 5e-3),))
    x, y = np.linspace(-0.012, 0.012, 9)[:, None], np.linspace(-0.01, 0.01, 5)[None, :]
    for bottom in (False, True):
        depth = one.top(x, y, bottom=bottom)
        flat = np.broadcast_arrays(x, y, depth)
        assert np.abs(one.distance(tuple(part.ravel() for part in flat))).max() < 2e-6
    assert (one.top(x, y) < one.top(x, y, bottom=True)).all()
    assert np.isnan(one.top(np.array([[0.03]]), np.array([[0.0]]))).all()


def test_a_layer_thins_out_toward_its_sides():
    one = layer(plane(), 0.0, 4e-3, sides=(-5e-3, 8e-3), edge=3e-3)
    thick = np.diff(np.array(one.faces(np.zeros(5), np.array([-6e-3, -4.9e-3, 0.0, 7e-3, 9e-3]))), axis=0)[0]
    assert thick[[0, 4]] == pytest.approx(0, abs=1e-9)
    assert thick[2] == pytest.approx(4e-3)
    assert 0 < thick[1] < thick[3] < 4e-3


def test_fibers_follow_the_ground_and_leave_it_by_their_pennation():
    """At an angle a on a ball fibers run along (cos a, 0, sin a); pennation turns them out by as much."""
    for angle, pennation in ((0.0, 0.0), (0.5, 0.0), (-0.4, 0.2)):
        at = np.array([[(BALL + 2e-3) * np.sin(angle), 0.0, 20e-3 + BALL - (BALL + 2e-3) * np.cos(angle)]])
        along = layer(ball()).direction(at, pennation)[0]
        turned = angle - pennation
        assert np.allclose(along, [np.cos(turned), 0, np.sin(turned)], atol=6e-3)
    across = layer(ball(), grain="y").direction(np.array([[0.002, 0.0, 0.018]]))[0]
    assert np.allclose(np.abs(across), [0, 1, 0], atol=1e-6)


def test_level_sets_of_its_own_depth_are_parallel_to_its_faces():
    one = Shell(name="beak", on=plane(), stations=np.array([[-0.016, 0, 1e-3], [0.016, 0, 5e-3]]))
    x = np.linspace(-0.012, 0.012, 9)
    for share in (0.25, 0.5, 1.0):
        outer = one.faces(x, np.zeros(9))[1]
        down = one.frame((x, np.zeros(9), 0.02 - share * outer))[2]
        assert np.allclose(down, down[0], atol=1e-6)


def test_stations_must_go_on():
    with refused(FormatError, "relief 'p' must have two stations or more, each further along x"):
        Relief(name="p", stations=np.array([[0.0, 0.01], [0.0, 0.02]]))
    with refused(FormatError, "shell 'l' must have two stations or more, each further along x"):
        Shell(name="l", on=plane(), stations=np.array([[0.0, 0, 1e-3]]))
    with refused(FormatError, "shell 'l': grain must be x or y, got 'z'"):
        layer(plane(), grain="z")


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"on": "bone"}, "shell 's' must lie on a relief or a shell before it (p), got 'bone'"),
        ({"on": "p", "stations": [{"x_mm": 0}]}, "shell 's': each station must have 'to_mm'"),
    ],
)
def test_a_slip_in_a_shell_is_named(block, message):
    with refused(FormatError, message):
        shell({"name": "s", "stations": [], **block}, {"p": plane()}, (0,))


def test_a_slip_in_a_relief_is_named():
    with refused(FormatError, "relief 'r': each station must have 'z_mm'"):
        relief({"name": "r", "stations": [{"x_mm": 0}]}, (0,))
