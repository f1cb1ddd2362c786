"""Separate structures, and the same number in the next frame."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.analysis.segmentation.instances import MOST, Instances, components


def disc(row, column, radius, shape=(40, 60)):
    rows, columns = np.indices(shape)
    return np.hypot(rows - row, columns - column) <= radius


def test_the_largest_comes_first():
    parts = components(disc(10, 10, 3) | disc(20, 40, 8), floor=1)
    assert [part.sum() for part in parts] == [disc(20, 40, 8).sum(), disc(10, 10, 3).sum()]


def test_pixels_that_meet_at_a_corner_are_one():
    assert len(components(np.eye(5, dtype=bool), floor=1)) == 1


def test_what_is_below_the_floor_is_left_out():
    size = disc(10, 10, 3).sum()
    assert len(components(disc(10, 10, 3), floor=size)) == 1
    assert components(disc(10, 10, 3), floor=size + 1) == []


def test_no_more_than_fits_the_labels():
    dots = np.zeros((40, 60), bool)
    dots[::2, ::2] = True
    assert len(components(dots, floor=1)) == MOST


def test_a_structure_keeps_its_number_while_it_moves_and_shrinks():
    tracker = Instances()
    assert tracker.number([disc(20, 15, 8), disc(20, 45, 6)]) == [1, 2]
    # the second is now the larger, so it comes first
    assert tracker.number([disc(20, 43, 9), disc(21, 17, 5)]) == [2, 1]


def test_a_structure_out_of_sight_for_a_frame_gets_its_number_back():
    tracker = Instances()
    tracker.number([disc(20, 15, 8), disc(20, 45, 6)])
    assert tracker.number([disc(20, 45, 6)]) == [2]
    assert tracker.number([disc(20, 16, 8), disc(20, 45, 6)]) == [1, 2]


def test_a_new_structure_gets_a_free_number():
    tracker = Instances()
    tracker.number([disc(20, 15, 8)])
    assert sorted(tracker.number([disc(5, 50, 4), disc(20, 15, 8)])) == [1, 2]


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_numbers_of_a_frame_differ_and_stay_small(seed):
    rng = np.random.default_rng(seed)
    tracker = Instances()
    for _ in range(4):
        parts = components(rng.uniform(size=(20, 20)) < 0.2, floor=2)
        numbers = tracker.number(parts)
        assert len(set(numbers)) == len(parts)
        assert all(1 <= number <= MOST for number in numbers)
