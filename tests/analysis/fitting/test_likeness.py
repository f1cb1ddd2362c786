"""Measures of likeness against closed forms: widths, lengths, areas under curves, and what must not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from insonate.analysis.fitting.likeness import (
    APERTURE,
    CROP,
    STEP,
    auc,
    auc_interval,
    converted,
    crops,
    distances,
    features,
    logistic,
    resampled,
    same_histogram,
    scores,
    texture,
)

RNG = np.random.default_rng(4)


def grain(seed, sigma=(1.5, 3.0), shape=(200, 320)):
    """Even gray with grain of a known width."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma)
    return np.clip(0.4 + 0.08 * noise / noise.std(), 0.05, 1).astype(np.float32)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40))
def test_the_area_under_the_curve_is_the_share_of_pairs(examples):
    score, y = np.array([s for s, _ in examples], float), np.array([k for _, k in examples])
    if y.all() or not y.any():
        return
    pairs = [(a > b) + 0.5 * (a == b) for a in score[y] for b in score[~y]]
    assert auc(score, y) == pytest.approx(np.mean(pairs))


def test_an_interval_holds_its_value_and_draws_whole_groups():
    y = np.repeat([True, False], 60)
    group = np.arange(120) // 4
    score = RNG.normal(size=120) + y
    value, low, high = auc_interval(score, y, group, n_draws=200)
    assert low < value < high
    drawn = resampled(group, np.random.default_rng(0))
    assert (np.bincount(group[drawn], minlength=30) % 4 == 0).all()


def test_a_picture_is_brought_to_the_arrays_width_or_to_its_own_spacing():
    picture = np.full((300, 534), 0.5, np.float32)
    assert converted(picture).shape == (round(300 * APERTURE / 534 / STEP), round(APERTURE / STEP))
    assert converted(picture, 1e-4).shape == (250, 445)


def test_crops_cover_a_picture_and_leave_the_black_out():
    assert crops(np.full((CROP, 3 * CROP), 0.5)).shape == (3, CROP, CROP)
    assert len(crops(np.full((CROP - 1, 400), 0.5))) == 0
    dark = np.full((2 * CROP, CROP), 0.5)
    dark[CROP:] = 0.01
    assert len(crops(dark)) == 1


def test_gray_curves_do_not_matter_to_the_classifier():
    crop = grain(1)[:CROP, :CROP]
    np.testing.assert_allclose(
        same_histogram(crop), same_histogram(np.sqrt(crop) * 0.7 + 0.1), atol=1e-3
    )  # equal after rounding
    assert same_histogram(np.zeros((CROP, CROP))).std() == 0


def test_a_logistic_regression_finds_the_border():
    x = RNG.normal(size=(400, 3))
    y = x @ np.array([2.0, -1.0, 0.0]) + 0.1 * RNG.normal(size=400) > 0
    w = logistic(x, y)
    assert abs(w[2]) < 0.1 * abs(w[0]) and w[0] / w[1] == pytest.approx(-2, rel=0.25)


def told_apart(first, second):
    cut = [np.concatenate([crops(one) for one in some]) for some in (first, second)]
    x = features(np.stack([same_histogram(one) for some in cut for one in some]))
    y = np.repeat([True, False], [len(some) for some in cut])
    each = [np.arange(len(some)) * len(first) // len(some) for some in cut]
    return auc(scores(x, y, np.concatenate(each) % 4), y)


def test_other_grain_is_told_apart_and_the_same_is_not():
    shape = (CROP, 2 * CROP)
    first = [grain(k, shape=shape) for k in range(8)]
    same = told_apart(first, [grain(k, shape=shape) for k in range(8, 16)])
    other = told_apart(first, [grain(k, (2.0, 2.0), shape) for k in range(8, 16)])
    assert 0.3 < same < 0.7
    assert other > 0.97


@pytest.mark.parametrize("sigma", [(0.9, 1.7), (1.2, 1.2)])
def test_the_width_of_speckle_is_that_of_the_filter(sigma):
    """White noise under a Gaussian of s has a Gaussian autocorrelation of sqrt(2) s, full width at half height 3.33 s."""
    found = texture(grain(2, sigma))
    expected = 2 * np.sqrt(2 * np.log(2)) * np.sqrt(2) * np.array(sigma) * STEP
    np.testing.assert_allclose([found.speckle_axial, found.speckle_lateral], expected, rtol=0.2)


def test_the_length_and_contrast_of_lines_are_those_drawn():
    picture = np.full((200, 320), 0.2, np.float32)
    for row, left, long in ((40, 20, 60), (100, 120, 60), (160, 200, 60)):
        picture[row : row + 3, left : left + long] = 0.8
    found = texture(picture)
    assert found.fascia_length == pytest.approx(60 * STEP, rel=0.1)
    assert 0.2 < found.fascia_contrast < 0.6
    assert found.fascia_share == pytest.approx(3 * 60 * 3 / picture.size, rel=0.7)
    empty = texture(np.full((200, 320), 0.2, np.float32))
    assert (empty.fascia_length, empty.fascia_share) == (0, 0)


def test_a_set_lies_nowhere_from_itself_and_brighter_by_what_was_added():
    some = [texture(grain(k)) for k in range(6)]
    group = np.arange(6)
    found = distances(some, some, (group, group), n_draws=50)
    assert found["speckle_axial"][0] == 1 and found["gray"][0] == 0 and found["spectrum"][0] == 0
    brighter = [texture(grain(k) + 0.1) for k in range(6)]
    value, low, high = distances(brighter, some, (group, group), n_draws=50)["gray"]
    assert value == pytest.approx(0.1, abs=1e-3) and low <= value <= high
