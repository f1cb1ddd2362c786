"""A painted crease: the same for the same seed, with blood dark, bone that shadows, and an artery where it says."""

from functools import cache

import numpy as np
import pytest

from insonate.simulation.crease import paint

X = (np.arange(512) - 256) * 0.15
Z = np.arange(1024) * 0.04
ATTENUATION = 0.75
"""0.5 dB/(cm MHz) at 7.5 MHz, two ways [dB/mm]."""


@cache
def painted(seed, attenuation=ATTENUATION):
    return paint(np.random.default_rng(seed), X, Z, attenuation=attenuation)


@pytest.fixture(scope="module", name="crease")
def _crease():
    return painted(7)


def level(reflectivity, where):
    """Give the mean strength of a part [dB]."""
    return 10 * np.log10(np.mean(reflectivity[where].astype(float) ** 2))


def around(crease, reach):
    x, z, radius = crease.artery
    return np.hypot(X[:, None] - x, Z[None, :] - z) / radius < reach


def test_the_map_is_finite_and_lies_as_the_engine_wants_it(crease):
    assert crease.reflectivity.shape == (512, 1024)
    assert crease.reflectivity.dtype == np.float32
    assert np.isfinite(crease.reflectivity).all()


def test_the_same_generator_paints_the_same_body(crease):
    again = painted.__wrapped__(7)
    assert again.reflectivity.tobytes() == crease.reflectivity.tobytes()
    assert again.artery == crease.artery
    other = painted(8)
    assert other.artery != crease.artery
    assert not np.array_equal(other.reflectivity, crease.reflectivity)


@pytest.mark.parametrize("seed", [7, 8])
def test_blood_in_the_artery_is_dark_and_its_wall_bright(seed):
    crease = painted(seed)
    x, z, radius = crease.artery
    assert abs(x) < 19
    assert 10 < z < 25
    assert 3 < radius < 5
    lumen, wall = around(crease, 0.8), around(crease, 1.25) & ~around(crease, 0.9)
    beside = around(crease, 1.6) & ~around(crease, 1.3)
    assert level(crease.reflectivity, lumen) < level(crease.reflectivity, beside) - 20
    assert level(crease.reflectivity, wall) > level(crease.reflectivity, beside)


def test_behind_bone_there_is_nothing(crease):
    beneath = np.abs(X)[:, None] + 0 * Z < 15
    over, behind = (Z > 30) & (Z < 32), Z > 39
    assert level(crease.reflectivity, beneath & behind) < level(crease.reflectivity, beneath & over) - 40


def test_behind_the_artery_the_gain_finds_more():
    """Blood takes a tenth of what tissue takes, and the gain does not know: 0.9 x 2 a x attenuation more behind it."""
    lit, plain = painted(7), painted(7, 0.0)
    x, z, radius = lit.artery
    behind = np.ix_(np.abs(X - x) < 0.5, (z + radius + 1 < Z) & (z + radius + 4 > Z))
    away = np.ix_(np.abs(X + 15) < 3, (Z > 8) & (Z < 12))
    more = [level(lit.reflectivity, part) - level(plain.reflectivity, part) for part in (behind, away)]
    uneven = 0.5  # the ellipse's outline is uneven by four percent
    np.testing.assert_allclose(more, [0.9 * 2 * 0.96 * radius * ATTENUATION, 0], atol=uneven)


def test_the_gain_ends_before_the_depth_does():
    """Above 24 dB there is no more gain: at 28 mm of 1 dB/mm, 4 dB are lost."""
    lit, plain = painted(7, 1.0), painted(7, 0.0)
    deep = np.ix_(np.abs(X + 15) < 3, (Z > 27.85) & (Z < 28.15))
    assert level(lit.reflectivity, deep) - level(plain.reflectivity, deep) == pytest.approx(-4, abs=0.2)


def test_the_map_fades_out_at_its_sides(crease):
    assert (crease.reflectivity[np.abs(X) >= 38.1] == 0).all()
    assert np.abs(crease.reflectivity[np.abs(X) < 20]).max() > 0.1
