"""The reader with scores set by hand; then that no real picture is ever read, and the weights themselves."""

import numpy as np
import pytest
from scipy.special import expit, logit, softmax

from insonate.analysis.models import simulated_tissues as runner
from insonate.analysis.models import stored
from insonate.analysis.models.simulated_tissues import (
    GROUND,
    NAME,
    Calibration,
    read,
    shares,
    simulated_tissues,
)
from insonate.analysis.segmentation import segment, segment_simulated
from insonate.core import Image, InputError, PixelGrid, Quantity, Tissue
from insonate.pipeline.catalog import SEGMENTERS
from refusals import refused
from tolerances import RTOL_FLOAT32

SIZE = 32
CLASSES = (Tissue.FAT, Tissue.NERVE, Tissue.ARTERY)
CALIBRATION = Calibration(
    size=SIZE, temperature=2.0, classes=CLASSES, trust=((1.0, 0.0), (1.0, 0.0), (0.5, -1.0))
)
PICTURE = np.full((SIZE, SIZE), 0.5, np.float32)
REFUSAL = (
    "simulated_tissues labels pictures of sources marked SIMULATED only, got a real one (it was fitted on no real "
    "picture; nerve_vessel was)"
)


def said(scores):
    """A network that always gives these scores, one a class."""
    planes = np.broadcast_to(np.asarray(scores, np.float32)[:, None, None], (len(scores), SIZE, SIZE))
    return lambda canvases: planes[None]


def reading(scores, picture=PICTURE):
    return read(picture, 1.0, calibration=CALIBRATION, ask=said(scores))


def real_image():
    grid = PixelGrid(rows=64, columns=80, spacing=None)
    values = np.random.default_rng(0).random((1, 64, 80)).astype(np.float32)
    return Image(values=values, quantity=Quantity.BRIGHTNESS, grid=grid)


def test_ground_is_no_structure_and_is_as_sure_as_its_classes_together():
    assert CALIBRATION.named == (Tissue.NERVE, Tissue.ARTERY)
    result = reading([1.0, 2.0, 2.5, 0.0])
    share = softmax(np.array([1.0, 2.0, 2.5, 0.0]) / 2)
    assert share[2] > max(
        share[0], share[1]
    )  # the nerve is the likeliest class, and yet there is more ground
    assert (result.labels == 0).all()
    np.testing.assert_allclose(result.nothing, share[0] + share[1], rtol=RTOL_FLOAT32)
    np.testing.assert_allclose(result.confidence, share[0] + share[1], rtol=RTOL_FLOAT32)


def test_a_label_has_its_own_trust():
    for scores, label in (([0.0, 0.0, 6.0, 0.0], 1), ([0.0, 0.0, 0.0, 6.0], 2)):
        result = reading(scores)
        assert (result.labels == label).all()
        chance = softmax(np.array(scores) / 2)[label + 1]
        a, c = CALIBRATION.trust[label]
        np.testing.assert_allclose(result.confidence, expit(a * logit(chance) + c), rtol=RTOL_FLOAT32)


def test_reading_is_the_shares_of_every_class_brought_together():
    rng = np.random.default_rng(2)
    planes = (8 * rng.normal(size=(4, 4, 4))).repeat(8, axis=1).repeat(8, axis=2).astype(np.float32)
    picture = rng.uniform(0.2, 1, (50, 60)).astype(np.float32)
    result = read(picture, 1.0, calibration=CALIBRATION, ask=lambda _: planes[None])
    grouped = CALIBRATION.grouped(shares(picture, 1.0, calibration=CALIBRATION, ask=lambda _: planes[None]))
    assert set(np.unique(result.labels)) == {0, 1, 2}
    np.testing.assert_array_equal(result.labels, grouped.argmax(axis=0))
    chosen = np.take_along_axis(grouped, result.labels[None].astype(int), axis=0)[0]
    np.testing.assert_allclose(result.confidence, CALIBRATION.trusted(result.labels, chosen), atol=1e-4)


def test_nothing_is_named_in_a_border_that_was_cut_off():
    framed = np.zeros((SIZE + 16, SIZE), np.float32)
    framed[:SIZE] = 0.5
    result = reading([0.0, 0.0, 0.0, 9.0], framed)
    assert (result.labels[:SIZE] == 2).all() and (result.labels[SIZE:] == 0).all()
    share = shares(framed, 1.0, calibration=CALIBRATION, ask=said([0.0, 0.0, 0.0, 9.0]))
    np.testing.assert_allclose(share.sum(axis=0), 1, atol=1e-5)


def test_a_real_picture_is_refused_by_every_door():
    image = real_image()
    for door in (
        segment_simulated,
        SEGMENTERS.get(NAME),
        lambda one: segment(one, model=simulated_tissues()),
        lambda one: segment_simulated(one, simulated=False),
    ):
        with refused(InputError, REFUSAL):
            door(image)


def test_a_simulated_picture_is_labelled_and_the_model_is_told():
    found = segment_simulated(real_image(), simulated=True)
    assert found.model.name == NAME
    assert all(structure.tissue not in GROUND for structure in found.structures)


def test_the_card_names_tissues_and_rates_for_each():
    card = stored.card(NAME)
    calibration = runner.calibration()
    assert len(calibration.trust) == len(calibration.named) + 1
    assert {Tissue.NERVE, Tissue.ARTERY, Tissue.VEIN} <= set(calibration.named)
    assert card["fitted"]["data"] == "simulated pictures only"
    for tissue in calibration.classes:
        rates = card["measured"].get(tissue.value)
        if rates is not None:
            for low_to_high in rates.values():
                value, low, high = low_to_high
                assert low <= value <= high or np.isnan(value)


def test_the_weights_answer_for_each_class():
    scores = runner.ask(np.zeros((1, 1, runner.calibration().size, runner.calibration().size), np.float32))
    assert scores.shape[1] == len(runner.calibration().classes) + 1
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("tissue", GROUND)
def test_ground_is_never_named(tissue):
    assert tissue not in runner.calibration().named
