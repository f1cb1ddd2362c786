"""The distance of features: about one for its own kind, large for others."""

import numpy as np

from insonate.analysis.fitting.gate import feature_space


def features(n, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    scale = np.linspace(0.2, 3, 48)
    mixing = np.linalg.qr(np.random.default_rng(99).normal(size=(48, 48)))[0]
    return (rng.normal(size=(n, 48)) * scale + shift) @ mixing + 5


def test_own_kind_lies_at_about_one():
    space = feature_space(features(2000, 0))
    assert abs(np.sqrt((space.distance(features(2000, 1)) ** 2).mean()) - 1) < 0.06


def test_farther_is_larger_in_any_unit():
    near = feature_space(features(300, 0))
    far = feature_space(1000 * features(300, 0))
    assert near.distance(features(50, 2, shift=6.0)).min() > near.distance(features(300, 3)).max()
    np.testing.assert_allclose(
        far.distance(1000 * features(50, 2)), near.distance(features(50, 2)), rtol=1e-3
    )
