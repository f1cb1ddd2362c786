"""Measures against squares whose Dice can be counted by hand."""

import numpy as np
import pytest

from insonate.analysis.fitting.evaluation import calibration_error, measure, prior, tally


def box(*boxes, shape=(40, 40)):
    mask = np.zeros(shape, bool)
    for row, column, size in boxes:
        mask[row : row + size, column : column + size] = True
    return mask


def test_dice_of_two_squares():
    assert tally(box((0, 5, 10)), box((0, 0, 10))).dice == pytest.approx(0.5)


def test_dice_of_nothing_and_nothing_is_not_known():
    assert tally(box(), box()).dice is None


def test_found_missed_untouched_invented():
    true = box((0, 0, 10), (0, 20, 10), (20, 0, 10))
    labeled = box((0, 1, 10), (0, 29, 1), (25, 25, 6))
    result = tally(labeled, true)
    assert (result.n_true, result.n_found, result.n_untouched) == (3, 1, 1)
    assert (result.n_labeled, result.n_invented) == (3, 1)


@pytest.mark.parametrize(("rows", "found"), [(3, 0), (4, 1)])
def test_found_is_a_third_of_its_pixels(rows, found):
    labeled = box(shape=(40, 40))
    labeled[:rows, :10] = True
    labeled[:rows, 10:40] = True  # so large beside it that the overlap alone would not do
    assert tally(labeled, box((0, 0, 10))).n_found == found


def test_small_components_do_not_count():
    result = tally(box((30, 30, 2)), box((0, 0, 2)), floor=5)
    assert (result.n_true, result.n_labeled) == (0, 0)
    assert result.dice == 0.0


def test_a_class_missed_altogether_counts_zero_and_an_absent_one_not_at_all():
    tallies = [
        tally(box((0, 0, 10)), box((0, 0, 10))),
        tally(box(), box((0, 0, 10))),
        tally(box((0, 0, 5)), box()),
    ]
    result = measure(tallies, np.arange(3), n_draws=50)
    assert result["mean_dice"][0] == 0.5
    assert result["pooled_dice"][0] == pytest.approx(2 * 100 / (100 + 100 + 100 + 25))
    assert result["found"][0] == result["missed"][0] == result["untouched"][0] == 0.5
    assert result["invented"][0] == 0.5


def test_interval_covers_the_truth_and_widens_when_groups_are_whole():
    rng = np.random.default_rng(0)
    quality = np.repeat(rng.uniform(size=20), 5)
    tallies = [tally(box((0, round(10 * (1 - q)), 10)), box((0, 0, 10))) for q in quality]
    alone = measure(tallies, np.arange(100), n_draws=300)["mean_dice"]
    whole = measure(tallies, np.repeat(np.arange(20), 5), n_draws=300)["mean_dice"]
    assert alone[1] < alone[0] < alone[2]
    assert whole[2] - whole[1] > 1.5 * (alone[2] - alone[1])


def test_calibration_error_of_honest_and_of_boastful_confidence():
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.3, 1, 200_000)
    right = rng.uniform(size=confidence.size) < confidence
    assert calibration_error(confidence, right) < 0.005
    assert calibration_error(np.full(1000, 0.9), np.arange(1000) % 2 == 0) == pytest.approx(0.4)


def test_prior_is_the_share_of_the_pictures():
    masks = np.stack([np.full((2, 2), k) for k in (0, 1, 1, 2)])
    np.testing.assert_allclose(prior(masks)[:, 0, 0], [0.25, 0.5, 0.25])


def test_a_class_that_is_never_labelled_has_no_share_invented():
    true = np.zeros((20, 20), bool)
    true[5:10, 5:10] = True
    missed = tally(np.zeros((20, 20), bool), true, floor=2)
    found = measure([missed, missed], np.array([0, 1]), n_draws=20)
    assert np.isnan(found["invented"]).all()
    assert found["missed"] == [1.0, 1.0, 1.0]
