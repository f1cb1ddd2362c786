"""Near-duplicates find each other; folds never split them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from insonate.analysis.fitting.grouping import folds, groups, similarity


def scene(seed, shape=(120, 150)):
    """A picture of its own, 0.1..1."""
    values = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 5)
    return (0.1 + 0.9 * (values - values.min()) / np.ptp(values)).astype(np.float32)


def test_copies_in_another_light_size_or_mirror_are_one_group():
    first, second = scene(1), scene(2)
    darker = np.clip(0.6 * first**1.3, 0, 1)
    framed = np.zeros((200, 260), np.float32)
    framed[30:150, 40:190] = first
    noisy = np.clip(second + np.random.default_rng(3).normal(0, 0.03, second.shape), 0, 1)
    group = groups(similarity([first, darker, framed, first[:, ::-1], second, noisy]))
    assert len(set(group[:4])) == 1 and len(set(group[4:])) == 1 and group[0] != group[4]


def test_different_pictures_stay_apart():
    assert len(set(groups(similarity([scene(seed) for seed in range(12)])))) == 12


def test_alike_through_a_third_is_one_group():
    likeness = np.eye(4)
    likeness[0, 1] = likeness[1, 0] = likeness[1, 2] = likeness[2, 1] = 0.8
    group = groups(likeness)
    assert group[0] == group[1] == group[2] != group[3]


@settings(deadline=None, max_examples=50)
@given(group=st.lists(st.integers(0, 30), min_size=5, max_size=120), seed=st.integers(0, 99))
def test_folds_keep_groups_whole_and_are_the_same_again(group, seed):
    number = np.unique(group, return_inverse=True)[1]
    fold = folds(number, 5, seed=seed)
    assert all(len(set(fold[number == one])) == 1 for one in set(number))
    assert np.array_equal(fold, folds(number, 5, seed=seed))


def test_folds_are_of_about_equal_size():
    sizes = np.bincount(folds(np.repeat(np.arange(60), 2), 5, seed=0))
    assert sizes.tolist() == [24] * 5
