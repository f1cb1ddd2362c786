import numpy as np
import pytest

from insonate.simulation.motion.contact import Contact, layers
from insonate.simulation.motion.deformation import Deformation
from insonate.simulation.motion.fields import Drag, Pool, Slide
from insonate.simulation.motion.tubes import Sleeve, Wall, trace
from simulation.analytic_body import ARTERY, NERVE, VEIN, AnalyticBody
from simulation.motion.poses import held

BODY = AnalyticBody()
ATOL_BACK = 5e-5
"""There and back through midpoint steps and fixed points [m]."""


def whole(force=4.0, fluid=1.5e-6):
    nerve = trace(BODY, NERVE)
    inner = (
        Drag(
            middle=np.array([-3e-3, 0, 0.012]), direction=np.array([-0.8, 0, 0.6]), amount=4e-4, width=9.5e-4
        ),
        Slide(amount=np.array([1e-4, 6e-4, 0]), depth=0.015),
        Pool(middle=np.array([-5e-3, 0, 0.017]), normal=np.array([1.0, 0, 0]), volume=fluid, flatness=3.5),
        Sleeve(tube=nerve, volume=fluid, station=0.0, half_length=0.014, inside=False),
        Wall(tube=trace(BODY, ARTERY), area=1.08),
        Wall(tube=trace(BODY, VEIN), area=0.5, flat=0.3),
    )
    return Deformation(contact=Contact(layers(BODY), held(), force), inner=inner)


def places(n=4000, seed=0):
    return np.random.default_rng(seed).uniform([-0.02, -0.01, 0.008], [0.02, 0.01, 0.035], (n, 3))


def test_the_way_there_leads_back():
    deformed, at = whole(), places()
    origin = deformed.origin(at)
    dry = deformed.fluid(at) < -3e-4
    lumen = np.minimum(BODY.distance(VEIN, origin), BODY.distance(ARTERY, origin)) < 5e-4
    kept = dry & ~lumen
    assert kept.sum() > 2000
    np.testing.assert_allclose(deformed.place(origin[kept]), at[kept], atol=ATOL_BACK)
    assert np.abs(origin - at).max() > 1e-3


def test_the_whole_keeps_volume():
    deformed, at = whole(), places()
    step = 2e-6
    slopes = np.stack(
        [(deformed.origin(at + step * e) - deformed.origin(at - step * e)) / (2 * step) for e in np.eye(3)], 2
    )
    origin = deformed.origin(at)
    solid = (deformed.fluid(at) < -5e-4) & (
        np.minimum(BODY.distance(VEIN, origin), BODY.distance(ARTERY, origin)) > 5e-4
    )
    change = np.linalg.det(slopes)[solid]
    assert abs(change.mean() - 1) < 2e-3
    assert (
        np.quantile(np.abs(change - 1), 0.98) < 0.02
    )  # what drags by 0.4 mm over 1 mm is kept to first order


def test_all_fluid_is_found_again_however_the_body_is_pressed():
    deformed = whole(force=5.0)
    x, y, z = np.linspace(-0.017, 0.006, 81), np.linspace(-0.016, 0.016, 49), np.linspace(0.006, 0.032, 91)
    grid = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).reshape(-1, 3)
    wet = (deformed.fluid(grid) > 0).sum() * (x[1] - x[0]) * (y[1] - y[0]) * (z[1] - z[0])
    assert wet == pytest.approx(3e-6, rel=0.01)


def test_what_was_released_already_need_not_be_again():
    deformed, at = whole(), places(500)
    released = deformed.contact.back(at)
    np.testing.assert_array_equal(deformed.origin(at), deformed.origin(at, released=released))
    np.testing.assert_array_equal(deformed.fluid(at), deformed.fluid(at, released=released))


def test_without_fluid_all_is_dry():
    deformed = Deformation(contact=whole().contact, inner=whole().inner[:2])
    assert not deformed.has_fluid
    assert (deformed.fluid(places(100)) == -1).all()
