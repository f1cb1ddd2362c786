import numpy as np
import pytest

from insonate.simulation.motion.tubes import FINE, Sleeve, Tube, Wall, trace
from simulation.analytic_body import ARTERY, NERVE, TUBES, VEIN, AnalyticBody
from tolerances import RTOL_FLOAT64

ATOL_TRACE = FINE / 8
"""Middle and radius from cells of 0.4 mm, each weighted by how far it lies inside [m]."""


def straight(radius=3e-3, stretch=None):
    along = np.linspace(-0.03, 0.03, 31)
    one = np.eye(2) if stretch is None else stretch
    return Tube(
        label=1,
        axis=1,
        along=along,
        middle=np.stack([2e-3 + 0.1 * along, np.full(31, 0.017)], axis=1),
        radius=np.full(31, radius),
        stretch=np.repeat(one[None], 31, axis=0),
    )


def places(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform([-0.01, -0.02, 0.006], [0.014, 0.02, 0.03], (n, 3))


def volume_kept(one, at, step=1e-6):
    columns = [(one.back(at + step * unit) - one.back(at - step * unit)) / (2 * step) for unit in np.eye(3)]
    return np.linalg.det(np.stack(columns, axis=2))


@pytest.mark.parametrize("label", [ARTERY, VEIN, NERVE])
def test_a_straight_tube_is_found_where_it_is(label):
    tube = trace(AnalyticBody(), label)
    x, z, radius = TUBES[label]
    assert tube.axis == 1
    np.testing.assert_allclose(tube.middle, np.tile([x, z], (len(tube.along), 1)), atol=ATOL_TRACE)
    np.testing.assert_allclose(tube.radius, radius, atol=ATOL_TRACE)
    np.testing.assert_allclose(tube.stretch, np.tile(np.eye(2), (len(tube.along), 1, 1)), atol=0.02)
    assert tube.along[0] < -0.027 and tube.along[-1] > 0.027


def test_what_does_not_show_is_no_tube():
    body = AnalyticBody(tubes={**TUBES, NERVE: (0.2, 0.017, 2e-3)})
    assert trace(body, NERVE) is None


def test_an_ellipse_becomes_a_circle():
    class Flat(AnalyticBody):
        def distance(self, label, points):  # not a true distance, but negative just inside: 5 x 2 mm, turned
            x, z = points[:, 0], points[:, 2] - 0.017
            turned = np.stack([x * 0.8 + z * 0.6, z * 0.8 - x * 0.6], 1)
            return 2e-3 * (np.hypot(turned[:, 0] / 5e-3, turned[:, 1] / 2e-3) - 1)

    tube = trace(Flat(), NERVE)
    np.testing.assert_allclose(tube.radius, np.sqrt(10e-6), rtol=0.02)
    angle = np.linspace(0, 2 * np.pi, 50)
    edge = np.stack([5e-3 * np.cos(angle), 2e-3 * np.sin(angle)], 1)
    rim = np.zeros((50, 3))
    rim[:, 0] = edge[:, 0] * 0.8 - edge[:, 1] * 0.6
    rim[:, 2] = 0.017 + edge[:, 0] * 0.6 + edge[:, 1] * 0.8
    offset, stretch, radius, _ = tube.circular(rim)
    np.testing.assert_allclose(np.linalg.norm(offset, axis=1), radius, rtol=0.05)
    np.testing.assert_allclose(np.linalg.det(stretch), 1, rtol=RTOL_FLOAT64)


@pytest.mark.parametrize("area", [1.1, 0.4, 0.05])
@pytest.mark.parametrize("flat", [0.0, 0.5])
def test_a_wall_keeps_the_volume_of_what_lies_outside(area, flat):
    wall = Wall(tube=straight(stretch=np.diag([0.7, 1 / 0.7])), area=area, flat=flat)
    at = places()
    outside = wall.share_of_radius(wall.back(at)) > 1.1
    np.testing.assert_allclose(volume_kept(wall, at[outside]), 1, atol=3e-3)  # three midpoint steps
    np.testing.assert_allclose(wall.forth(wall.back(at[outside])), at[outside], atol=2e-5)


def test_an_artery_grows_by_the_area_told_and_a_station_does_not_move_along():
    wall = Wall(tube=straight(), area=1.21)
    middle = np.array([2e-3, 0.0, 0.017])
    np.testing.assert_allclose(
        wall.forth(middle + np.array([[3e-3, 0, 0]])), middle + np.array([[3.3e-3, 0, 0]]), rtol=RTOL_FLOAT64
    )
    at = places()
    np.testing.assert_array_equal(wall.back(at)[:, 1], at[:, 1])


def test_beyond_its_ends_a_tube_rests():
    wall = Wall(tube=straight(), area=1.5)
    far = places() + np.array([0, 0.07, 0])
    np.testing.assert_allclose(wall.back(far), far, atol=1e-12)


@pytest.mark.parametrize("inside", [False, True])
def test_a_sleeve_holds_the_volume_that_was_given(inside):
    sleeve = Sleeve(tube=straight(), volume=1.5e-6, station=1e-3, half_length=0.012, inside=inside)
    x, y, z = np.linspace(-5e-3, 9e-3, 141), np.linspace(-0.012, 0.014, 105), np.linspace(0.01, 0.024, 141)
    grid = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).reshape(-1, 3)
    wet = (sleeve.depth(grid) > 0).sum() * (x[1] - x[0]) * (y[1] - y[0]) * (z[1] - z[0])
    assert wet == pytest.approx(1.5e-6, rel=0.01)


def test_fluid_round_a_nerve_leaves_the_nerve_and_pushes_the_rest():
    sleeve = Sleeve(tube=straight(), volume=1e-6, station=0.0, half_length=0.012, inside=False)
    at = places()
    offset, _, radius, _ = sleeve.tube.circular(at)
    nerve = np.linalg.norm(offset, axis=1) < radius * 0.999
    np.testing.assert_allclose(sleeve.back(at)[nerve], at[nerve], atol=1e-12)
    dry = (sleeve.depth(at) < -1e-4) & ~nerve
    np.testing.assert_allclose(volume_kept(sleeve, at[dry]), 1, atol=1e-5)
    np.testing.assert_allclose(sleeve.forth(sleeve.back(at[dry])), at[dry], atol=1e-9)


def test_fluid_in_a_nerve_swells_it_by_its_own_area():
    tube = straight()
    sleeve = Sleeve(tube=tube, volume=1e-6, station=0.0, half_length=0.012, inside=True)
    x = np.linspace(-6e-3, 6e-3, 601)
    plane = np.stack(np.meshgrid(2e-3 + x, [0.0], 0.017 + x, indexing="ij"), axis=-1).reshape(-1, 3)
    offset, _, radius, _ = tube.circular(sleeve.back(plane))
    area = (np.linalg.norm(offset, axis=1) < radius).sum() * (x[1] - x[0]) ** 2
    assert area == pytest.approx(np.pi * 3e-3**2 + 3 * 1e-6 / (4 * 0.012), rel=0.01)
