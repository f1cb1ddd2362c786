"""Pictures without anatomy: in range, all different, the same for the same seed."""

import numpy as np
import pytest

from insonate.analysis.fitting.negatives import NO_ANATOMY, NOT_ULTRASOUND, negatives


@pytest.mark.parametrize("maker", sorted(set(NOT_ULTRASOUND + NO_ANATOMY), key=lambda one: one.__name__))
def test_each_maker_fills_the_picture(maker):
    for seed in range(4):
        picture = maker(np.random.default_rng(seed), 96)
        assert picture.shape == (96, 96) and np.isfinite(picture).all()


def test_same_seed_same_pictures():
    first, again, other = negatives(16, 64, seed=1), negatives(16, 64, seed=1), negatives(16, 64, seed=2)
    assert first.dtype == np.float32 and first.min() >= 0 and first.max() <= 1
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert len({picture.tobytes() for picture in first}) == 16
