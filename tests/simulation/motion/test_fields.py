import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.simulation.motion.fields import (
    Contraction,
    Drag,
    Excursion,
    Pool,
    Slide,
    dragged,
    flattened,
    grown,
    pool_opened,
    pooled,
    shortened,
    sleeve_opened,
    sleeved,
)
from tolerances import RTOL_FLOAT64

DIFFERENCE = 1e-6
"""Half the step of central differences [m]."""
ATOL_DIVERGENCE = 1e-6
"""What central differences of a field that varies over a millimeter leave of a divergence of zero, 1."""
ATOL_FLOW = 4e-3
"""Change of area that three steps of the midpoint rule leave of a flow that widens by half: (q / 3)^3, 1."""
MILLIMETER = 1e-3


def jacobian(field, points):
    """(n, d, d) of a map of (n, d) places, by central differences."""
    d = points.shape[1]
    columns = []
    for axis in range(d):
        step = np.zeros(d)
        step[axis] = DIFFERENCE
        columns.append((field(points + step) - field(points - step)) / (2 * DIFFERENCE))
    return np.stack(columns, axis=2)


def cloud(n, d, size, seed=0):
    return np.random.default_rng(seed).uniform(-size, size, (n, d))


@pytest.mark.parametrize(
    "field",
    [
        lambda p: dragged(p, np.array([0.6, 0.0, 0.8]), 0.5e-3, 1e-3),
        lambda p: shortened(p, np.array([0.0, 1.0, 0.0]), 0.1, 8e-3),
        Slide(amount=np.array([2e-4, 5e-4, 0]), depth=0.015)._displacement,
    ],
    ids=["drag", "contraction", "slide"],
)
def test_no_volume_is_made(field):
    trace = np.trace(jacobian(field, cloud(400, 3, 3e-3)), axis1=1, axis2=2)
    assert np.abs(trace).max() < ATOL_DIVERGENCE


def test_a_wall_that_grows_a_little_pushes_as_one_over_the_distance():
    radius, strain = 4e-3, 1e-4
    r = np.array([5e-3, 8e-3, 16e-3])
    offset = np.stack([r * 0.6, r * 0.8], axis=1)
    moved = offset - grown(offset, np.full(3, radius), np.full(3, radius * (1 + strain)))
    outward = moved @ np.array([0.6, 0.8])
    np.testing.assert_allclose(outward, strain * radius**2 / r, rtol=1e-3)  # to first order in the strain
    np.testing.assert_allclose(moved @ np.array([0.8, -0.6]), 0, atol=1e-15)


@given(st.floats(0.3, 1.6), st.integers(0, 100))
def test_tissue_outside_a_wall_keeps_its_area_and_comes_back(share, seed):
    rest, now = np.full(50, 4e-3), np.full(50, 4e-3 * share)
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, 50)
    r = np.random.default_rng(seed + 1).uniform(max(share, 1) * 4.2e-3, 2e-2, 50)
    places = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)

    def field(p):
        return grown(p, rest, now)

    np.testing.assert_allclose(np.linalg.det(jacobian(field, places)), 1, atol=1e-5)  # central differences
    np.testing.assert_allclose(grown(field(places), now, rest), places, rtol=RTOL_FLOAT64)


def test_the_wall_itself_comes_from_the_wall():
    on_wall = np.array([[5e-3, 0.0], [0.0, -5e-3]])
    rest = grown(on_wall, np.full(2, 4e-3), np.full(2, 5e-3))
    np.testing.assert_allclose(np.linalg.norm(rest, axis=1), 4e-3, rtol=RTOL_FLOAT64)


def test_a_sleeve_holds_its_area_and_the_core_stays():
    core, area = np.array([2e-3]), np.array([3e-6])
    x = np.linspace(-6e-3, 6e-3, 1201)
    places = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    before, depth = sleeved(places, np.repeat(core, len(places)), np.repeat(area, len(places)))
    wet = float((depth > 0).sum()) * (x[1] - x[0]) ** 2
    assert wet == pytest.approx(np.pi * area[0], rel=5e-3)  # counted in squares of 10 um
    inside = np.linalg.norm(places, axis=1) < core[0]
    np.testing.assert_array_equal(before[inside], places[inside])
    np.testing.assert_allclose(np.linalg.norm(before[depth > 0], axis=1), core[0], rtol=RTOL_FLOAT64)
    outside = (depth < 0) & ~inside
    back = sleeve_opened(before[outside], np.repeat(core, outside.sum()), np.repeat(area, outside.sum()))
    np.testing.assert_allclose(back, places[outside], rtol=1e-7)


def test_fluid_in_the_middle_of_a_core_is_a_disk():
    radius = np.array([[0.0, 0.0], [0.9e-3, 0], [1.1e-3, 0]])
    _, depth = sleeved(radius, np.zeros(3), np.full(3, 1e-6))
    np.testing.assert_allclose(depth, [1e-3, 1e-4, -1e-4], atol=1e-12)


def test_tissue_round_a_sphere_of_fluid_keeps_its_volume_and_comes_back():
    places = cloud(300, 3, 6e-3)
    places = places[np.linalg.norm(places, axis=1) > 2.2e-3]
    rest, depth = pooled(places, 2e-3)
    assert (depth < 0).all()
    volume = np.linalg.det(jacobian(lambda p: pooled(p, 2e-3)[0], places))
    np.testing.assert_allclose(volume, 1, atol=1e-4)  # central differences near the fluid
    np.testing.assert_allclose(pool_opened(rest, 2e-3), places, rtol=1e-7)


@pytest.mark.parametrize("volume", [0.2e-6, 2e-6, 20e-6])
@pytest.mark.parametrize("normal", [(0.0, 0.0, 1.0), (0.6, 0.0, 0.8)])
def test_a_pool_holds_the_volume_that_was_given(volume, normal):
    pool = Pool(middle=np.array([1e-3, 2e-3, 15e-3]), normal=np.array(normal), volume=volume, flatness=3.5)
    half = 1.05 * np.cbrt(volume)
    x = np.linspace(-half, half, 71)
    places = pool.middle + np.stack(np.meshgrid(x, x, x, indexing="ij"), axis=-1).reshape(-1, 3)
    wet = (pool.depth(places) > 0).sum() * (x[1] - x[0]) ** 3
    assert wet == pytest.approx(volume, rel=0.01)
    dry = places[pool.depth(places) < -1e-4][::97]
    np.testing.assert_allclose(pool.forth(pool.back(dry)), dry, atol=1e-9)


def test_a_pool_is_flat_across_its_normal():
    pool = Pool(middle=np.zeros(3), normal=np.array([0.0, 0, 1]), volume=1e-6, flatness=3.5)
    along = np.linspace(0, 2e-2, 20001)

    def reach(axis):
        line = np.zeros((len(along), 3))
        line[:, axis] = along
        return along[pool.depth(line) > 0].max()

    assert reach(0) / reach(2) == pytest.approx(3.5, rel=1e-3)
    assert reach(0) == pytest.approx(reach(1), rel=1e-3)


def test_what_is_dragged_turns_back_beside_the_axis():
    width = 1e-3
    beside = np.array([[0.0, width * np.sqrt(2) * share, 0.0] for share in (0.99, 1.01)])
    u = dragged(beside, np.array([1.0, 0, 0]), 1e-4, width)
    assert u[0, 0] > 0 > u[1, 0]
    np.testing.assert_allclose(dragged(np.zeros((1, 3)), np.array([1.0, 0, 0]), 1e-4, width)[0], [1e-4, 0, 0])


def test_a_muscle_shortens_along_its_fibers_and_thickens_half_as_much():
    fiber = np.array([0.0, 1.0, 0.0])
    slope = jacobian(lambda p: shortened(p, fiber, 0.1, 8e-3), np.zeros((1, 3)))[0]
    np.testing.assert_allclose(slope, np.diag([0.05, -0.1, 0.05]), atol=ATOL_DIVERGENCE)


def test_flattening_keeps_area_widens_the_first_axis_and_can_be_undone():
    places = cloud(400, 2, 8e-3)
    rate, width = np.full(400, 0.5), np.full(400, 6e-3)
    area = np.linalg.det(jacobian(lambda p: flattened(p, rate, width), places))
    np.testing.assert_allclose(area, 1, atol=ATOL_FLOW)
    back = flattened(flattened(places, rate, width), -rate, width)
    np.testing.assert_allclose(back, places, atol=5e-6)
    slope = jacobian(lambda p: flattened(p, rate[:1], width[:1]), np.zeros((1, 2)))[0]
    np.testing.assert_allclose(np.diag(slope), [np.exp(0.5), np.exp(-0.5)], rtol=5e-3)


@pytest.mark.parametrize(
    "one",
    [
        Drag(middle=np.array([0, 0, 0.01]), direction=np.array([0.6, 0, 0.8]), amount=0.45e-3, width=0.95e-3),
        Drag(middle=np.array([0, 0, 0.01]), direction=np.array([0.6, 0, 0.8]), amount=1.2e-3, width=2.6e-3),
        Contraction(middle=np.zeros(3), fiber=np.array([0.0, 1, 0]), strain=0.12, width=0.01),
        Excursion(middle=np.array([0, 0, 0.01]), direction=np.array([1.0, 0, 0]), amount=3e-3, width=11e-3),
        Slide(amount=np.array([2e-4, 5e-4, 0]), depth=0.015),
    ],
    ids=["roll", "tent", "contraction", "excursion", "slide"],
)
def test_forth_undoes_back(one):
    places = cloud(500, 3, 5e-3) + np.array([0, 0, 0.01])
    np.testing.assert_allclose(one.forth(one.back(places)), places, atol=1e-6)
    assert np.abs(one.back(places) - places).max() > 1e-4
