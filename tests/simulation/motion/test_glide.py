"""A lung glides along its pleura: a shear where that is flat, and never up or down."""

import numpy as np
import pytest

from insonate.simulation.motion.glide import SOFT, Glide
from tolerances import RTOL_FLOAT64

AMOUNT = np.array([3e-3, -2e-3, 0.0])


def flat(points):
    return 0.02 - points[:, 2]


def dome(points):
    """Distance to a sphere of 80 mm, negative inside."""
    return np.linalg.norm(points - np.array([0, 0, 0.1]), axis=1) - 0.08


def cloud(n=200):
    rng = np.random.default_rng(2)
    return np.stack(
        [rng.uniform(-0.02, 0.02, n), rng.uniform(-0.02, 0.02, n), rng.uniform(0.01, 0.04, n)], axis=1
    )


def test_below_a_flat_pleura_all_moves_alike_and_above_it_nothing():
    points = cloud()
    moved = Glide(distance=flat, amount=AMOUNT).forth(points) - points
    deep = points[:, 2] > 0.02 + SOFT
    assert moved[deep] == pytest.approx(
        np.broadcast_to(AMOUNT, moved[deep].shape), rel=RTOL_FLOAT64, abs=1e-12
    )
    assert (moved[points[:, 2] < 0.02] == 0).all()


def test_the_pleura_glides_in_itself():
    points = cloud()
    one = Glide(distance=dome, amount=AMOUNT)
    assert dome(one.back(points)) == pytest.approx(dome(points), abs=2e-6)
    assert np.abs(one.back(points) - points).max() > 2e-3


def test_back_undoes_forth():
    points = cloud()
    one = Glide(distance=dome, amount=AMOUNT)
    assert one.back(one.forth(points)) == pytest.approx(points, abs=1e-6)


def test_no_breath_moves_nothing():
    points = cloud()
    assert (Glide(distance=dome, amount=np.zeros(3)).back(points) == points).all()
