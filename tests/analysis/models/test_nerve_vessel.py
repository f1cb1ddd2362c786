"""The runner with scores set by hand, then the weights themselves."""

import hashlib
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from scipy.special import expit, logit, softmax

from conftest import shared_data
from insonate.analysis.fitting.negatives import negatives
from insonate.analysis.models import nerve_vessel as runner
from insonate.analysis.models.canvas import even
from insonate.analysis.models.nerve_vessel import Calibration, ask, card, nerve_vessel, read, weights
from insonate.core import InputError, Tissue
from tolerances import RTOL_FLOAT32

SIZE = 32
HONEST = (1.0, 0.0)
CALIBRATION = Calibration(
    size=SIZE,
    even=False,
    temperature=2.0,
    bias=(0.0, 0.5, 0.0),
    trust=(HONEST, HONEST, HONEST),
    odds=(0.0, 1.0),
    distance=(2.0, 0.5),
)
PICTURE = np.full((SIZE, SIZE), 0.5, np.float32)


def said(scores, odds=50.0, distance=-50.0):
    """A network that always gives these scores (3,), or (3, SIZE, SIZE)."""
    planes = np.broadcast_to(
        np.asarray(scores, np.float32).reshape(3, *np.shape(scores)[1:] or (1, 1)), (3, SIZE, SIZE)
    )

    def asked(canvases):
        assert canvases.shape == (2, 1, SIZE, SIZE) and canvases.dtype == np.float32
        return np.stack([planes, planes[:, :, ::-1]]), np.full(2, odds), np.full(2, distance)

    return asked


def reading(scores, picture=PICTURE, **judges):
    return read(picture, 1.0, calibration=CALIBRATION, ask=said(scores, **judges))


def test_confidence_is_the_tempered_probability_of_the_label():
    result = reading([1.0, 0.0, 3.0])
    assert (result.labels == 2).all()
    expected = softmax(np.array([1.0, 0.0, 3.0]) / 2)
    np.testing.assert_allclose(result.confidence, expected[2], rtol=RTOL_FLOAT32)
    np.testing.assert_allclose(result.nothing, expected[0], rtol=RTOL_FLOAT32)


def test_each_label_has_its_own_trust():
    doubting = replace(CALIBRATION, trust=(HONEST, (0.5, -1.0), (2.0, 0.0)))
    for scores, label in (([0.0, 4.0, 0.0], 1), ([0.0, 0.0, 4.0], 2), ([4.0, 0.0, 0.0], 0)):
        result = read(PICTURE, 1.0, calibration=doubting, ask=said(scores))
        a, c = doubting.trust[label]
        chance = softmax(np.array(scores) / 2)[label]
        np.testing.assert_allclose(result.confidence, expit(a * logit(chance) + c), rtol=RTOL_FLOAT32)


@pytest.mark.parametrize(("lead", "label"), [(0.9, 1), (1.1, 0)])
def test_bias_moves_the_label_but_not_the_confidence(lead, label):
    # a lead of 1 in the scores is 0.5 in the log probability at temperature 2: just the bias of nerve
    result = reading([lead, 0.0, -9.0])
    assert (result.labels == label).all()
    np.testing.assert_allclose(
        result.confidence, softmax(np.array([lead, 0.0, -9.0]) / 2)[label], rtol=RTOL_FLOAT32
    )


def test_straight_and_mirrored_are_laid_on_each_other():
    planes = np.zeros((3, SIZE, SIZE))
    planes[0] = 4.0
    planes[1, :, :10] = 8.0
    assert np.array_equal(reading(planes).labels == 1, np.arange(SIZE)[None] < np.full((SIZE, 1), 10))


@pytest.mark.parametrize(("odds", "distance"), [(1.5, 0.0), (50.0, 2.7), (-2.0, 0.0), (-1.0, 4.0)])
def test_the_stricter_judge_scales_the_confidence(odds, distance):
    result = reading([9.0, 0.0, 0.0], odds=odds, distance=distance)
    expected = min(expit(odds), expit((2.0 - distance) / 0.5))
    assert result.familiarity == pytest.approx(expected, rel=RTOL_FLOAT32)
    sure = softmax(np.array([4.5, 0, 0]))[0]
    np.testing.assert_allclose(result.confidence, sure * expected, rtol=RTOL_FLOAT32)


def test_nothing_is_named_in_a_border_that_was_cut_off():
    picture = np.zeros((50, 60), np.float32)
    picture[10:40, 5:55] = 0.5
    result = reading([0.0, 9.0, 0.0], picture=picture)
    assert np.array_equal(result.labels == 1, picture > 0)
    np.testing.assert_allclose(
        result.confidence[0], (1 - runner.CERTAIN) * result.familiarity, rtol=RTOL_FLOAT32
    )
    assert result.n_content == 30 * 50


def test_weights_are_those_of_the_table():
    entry = weights()
    content = files("insonate.analysis.models").joinpath("weights", entry["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert len(content) == entry["bytes"] <= 4 * 2**20
    assert entry["version"] == card()["version"] == nerve_vessel().version.version
    assert card()["parameters"] <= 2_000_000


def test_damaged_weights_are_refused(monkeypatch):
    monkeypatch.setattr(runner, "weights", lambda: {**weights(), "sha256": "0" * 64})
    with pytest.raises(InputError, match=r"must have sha256 000.*damaged"):
        runner._bytes()


def test_network_answers_each_picture_by_itself_and_the_same_again():
    rng = np.random.default_rng(0)
    size = card()["reading"]["size"]
    canvases = rng.uniform(size=(3, 1, size, size)).astype(np.float32)
    scores, odds, distance = ask(canvases)
    assert scores.shape == (3, 3, size, size) and odds.shape == distance.shape == (3,)
    again = ask(canvases[1:2])
    np.testing.assert_allclose(again[0], scores[1:2], rtol=RTOL_FLOAT32, atol=1e-3)
    np.testing.assert_allclose(again[2], distance[1:2], rtol=RTOL_FLOAT32)
    assert np.isfinite(scores).all()


def test_mirrored_picture_has_mirrored_labels():
    picture = negatives(1, 120, seed=9)[0]
    straight, mirrored = nerve_vessel().read(picture, 1.0), nerve_vessel().read(picture[:, ::-1], 1.0)
    np.testing.assert_allclose(mirrored.confidence[:, ::-1], straight.confidence, atol=1e-3)


@pytest.mark.parametrize(
    "picture", [np.zeros((64, 64)), np.ones((64, 64)), np.ones((1, 1)), np.ones((3, 900))]
)
def test_empty_and_odd_pictures_give_an_answer(picture):
    result = nerve_vessel().read(picture.astype(np.float32), 1.0)
    assert result.labels.shape == picture.shape
    assert np.isfinite(result.confidence).all()


def test_pictures_that_are_no_anatomy_are_not_labeled_with_confidence():
    threshold = nerve_vessel().version.confidence_threshold
    for picture in negatives(30, 256, seed=77):
        result = nerve_vessel().read(picture, 1.0)
        assert ((result.labels > 0) & (result.confidence >= threshold)).mean() <= 0.01


def test_every_number_of_the_card_is_in_range():
    numbers = card()
    for tissue in ("nerve", "vessel"):
        for value, low, high in numbers["measured"][tissue].values():
            assert 0 <= low <= value <= high
        assert numbers["measured"][tissue]["mean_dice"][0] > numbers["prior"][tissue]["mean_dice"][0]
    assert 0 <= numbers["measured"]["confidence"]["calibration_error"] < 0.1


MARKS = {"nerve": 0.55, "vessel": 0.70}
"""Mean Dice on pictures not seen that the network must reach, well over a rule that ignores the picture."""


@pytest.mark.parametrize("tissue", MARKS)
def test_the_card_reaches_its_mark_beside_a_rule_and_a_human(tissue):
    numbers = card()
    value, low, high = numbers["measured"][tissue]["mean_dice"]
    assert value >= MARKS[tissue]
    assert low < value < high
    assert low > numbers["prior"][tissue]["mean_dice"][2]
    assert {"found", "missed", "invented"} <= set(numbers["measured"][tissue])
    assert numbers["measured"][tissue]["missed"][0] == pytest.approx(
        1 - numbers["measured"][tissue]["found"][0], abs=2e-4
    )
    assert (numbers["human"]["nerve"], numbers["human"]["artery"]) == (0.48, 0.88)
    assert (numbers["fitted"]["pictures"], numbers["fitted"]["folds"]) == (204, 5)
    assert numbers["measured"]["gate"]["labeled"] <= 0.01


@pytest.mark.data
def test_finds_nerves_and_vessels_in_pictures_it_was_fitted_on():
    from PIL import Image

    folder = shared_data("usgra-seg")
    dice = {1: [], 2: []}
    for path in sorted((folder / "images").glob("*.png"))[::34]:
        picture = np.asarray(Image.open(path).convert("L"), np.float32) / 255
        mask = np.asarray(Image.open(folder / "masks" / path.name))
        labels = nerve_vessel().read(picture, 1.0).labels
        for k, values in dice.items():
            if (mask == k).any():
                values.append(
                    2 * ((labels == k) & (mask == k)).sum() / ((labels == k).sum() + (mask == k).sum())
                )
    assert np.mean(dice[1]) > 0.6 and np.mean(dice[2]) > 0.7


def test_classes_are_nerve_and_vessel_of_unknown_kind():
    assert nerve_vessel().tissues == (Tissue.NERVE, Tissue.VESSEL)


def test_a_card_that_says_so_has_its_canvas_made_even():
    seen = []

    def asked(canvases):
        seen.append(canvases)
        return np.zeros((2, 3, SIZE, SIZE), np.float32), np.full(2, 9.0), np.full(2, 0.0)

    picture = np.random.default_rng(0).random((SIZE, SIZE)).astype(np.float32) * 0.2 + 0.05
    read(picture, 1.0, calibration=replace(CALIBRATION, even=True), ask=asked)
    np.testing.assert_array_equal(seen[0][0, 0], even(picture))
    np.testing.assert_array_equal(seen[0][1, 0], even(picture)[:, ::-1])
