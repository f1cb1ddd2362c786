import numpy as np
import pytest
from hypothesis import given

from insonate.core import (
    AxesError,
    InputError,
    ModelVersion,
    PixelGrid,
    RangeError,
    Segmentation,
    Side,
    Structure,
    Tissue,
)
from refusals import refused
from strategies import segmentations

NERVE = Structure(name="nerve", tissue=Tissue.NERVE)
VESSEL = Structure(name="vessel", tissue=Tissue.VESSEL)


def segmentation(**changes):
    labels = np.array([[[0, 1, 2], [0, 0, 2]]], np.uint8)
    return Segmentation(
        **{
            "labels": labels,
            "structures": (NERVE, VESSEL),
            "confidence": np.full(labels.shape, 0.5, np.float32),
            "grid": PixelGrid(rows=2, columns=3, spacing=None),
            "times": None,
            "model": ModelVersion(name="u-net", version="1", confidence_threshold=0.5),
        }
        | changes
    )


def test_a_vessel_of_unknown_kind_is_a_vessel():
    vessels = {tissue for tissue in Tissue if tissue.is_vessel}
    assert vessels == {Tissue.ARTERY, Tissue.VEIN, Tissue.VESSEL}


def test_a_structure_without_a_rule_has_its_tissue_for_a_name():
    assert (NERVE.code, NERVE.side, NERVE.instance, NERVE.named_by) == (None, None, 1, None)


def test_a_proper_name_needs_the_rule_that_gave_it():
    named = Structure(name="femoral nerve", tissue=Tissue.NERVE, side=Side.LEFT, named_by="a person")
    assert named.name == "femoral nerve"
    with refused(
        InputError,
        "Structure.name must be the tissue's own word 'nerve' unless a rule or person named it, "
        "got 'femoral nerve' with named_by None",
    ):
        Structure(name="femoral nerve", tissue=Tissue.NERVE)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"name": "  "}, InputError, "Structure.name must not be empty, got ''"),
        ({"instance": 0}, RangeError, "Structure.instance must lie in 1..255 of its name, got 0"),
        ({"instance": 1.5}, RangeError, "Structure.instance must be a whole number of of its name, got 1.5"),
        ({"instance": 256}, RangeError, "Structure.instance must lie in 1..255 of its name, got 256"),
    ],
)
def test_a_structure_that_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        Structure(**{"name": "nerve", "tissue": Tissue.NERVE} | changes)


def test_there_may_be_255_of_a_name():
    assert Structure(name="nerve", tissue=Tissue.NERVE, instance=255).instance == 255


@pytest.mark.parametrize("threshold", [0, 0.5, 1])
def test_thresholds_are_shares(threshold):
    assert (
        ModelVersion(name="u-net", version="1", confidence_threshold=threshold).confidence_threshold
        == threshold
    )


@pytest.mark.parametrize("threshold", [-0.1, 50])
def test_a_threshold_in_percent_is_told_so(threshold):
    message = f"ModelVersion.confidence_threshold must lie in 0..1 1, got {threshold} (percent?)"
    with refused(RangeError, message):
        ModelVersion(name="u-net", version="1", confidence_threshold=threshold)


@given(segmentations())
def test_masks_of_all_labels_are_disjoint_and_cover_what_is_labelled(made):
    for frame in range(len(made.labels)):
        covered = sum(made.mask(label, frame).astype(int) for label in (1, 2))
        np.testing.assert_array_equal(covered, made.labels[frame] > 0)


@given(segmentations())
def test_known_is_at_or_over_the_threshold(made):
    np.testing.assert_array_equal(made.known(), made.confidence >= made.model.confidence_threshold)


def test_the_threshold_itself_is_known():
    assert segmentation().known().all()
    assert not segmentation(confidence=np.full((1, 2, 3), 0.49, np.float32)).known().any()


def test_a_mask_is_where_the_label_lies_in_its_frame():
    two = segmentation(
        labels=np.array([[[0, 1, 2], [0, 0, 2]], [[1, 1, 0], [0, 0, 0]]], np.uint8),
        confidence=np.ones((2, 2, 3), np.float32),
    )
    assert two.mask(1).tolist() == [[False, True, False], [False, False, False]]
    assert two.mask(2).tolist() == [[False, False, True], [False, False, True]]
    assert two.mask(1, 1).tolist() == [[True, True, False], [False, False, False]]


@pytest.mark.parametrize(
    ("label", "frame", "message"),
    [
        (0, 0, "label must lie in 1..2 structures, got 0"),
        (3, 0, "label must lie in 1..2 structures, got 3"),
        (1, 1, "frame must lie in 0..0 frames from 0, got 1"),
        (1, -1, "frame must lie in 0..0 frames from 0, got -1"),
    ],
)
def test_no_mask_of_what_is_not_there(label, frame, message):
    with refused(RangeError, message):
        segmentation().mask(label, frame)


def test_an_image_without_structures_has_no_mask():
    empty = segmentation(labels=np.zeros((1, 2, 3), np.uint8), structures=())
    assert not empty.mask(1).any()
    with refused(RangeError, "label must lie in 1..1 structures, got 2"):
        empty.mask(2)


def test_times_are_one_per_frame_and_frozen():
    made = segmentation(times=[0.5])
    assert made.times.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        made.times[0] = 1


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"labels": np.zeros((2, 3), np.uint8)},
            AxesError,
            "Segmentation.labels must be (frame, axial, lateral), got shape (2, 3)",
        ),
        (
            {"confidence": np.zeros((2, 3), np.float32)},
            AxesError,
            "Segmentation.confidence must be (frame, axial, lateral), got shape (2, 3)",
        ),
        (
            {"labels": np.zeros((0, 2, 3), np.uint8), "confidence": np.zeros((0, 2, 3), np.float32)},
            AxesError,
            "Segmentation.labels must hold at least one frame, got shape (0, 2, 3)",
        ),
        ({"times": [0, 1]}, AxesError, "Segmentation.times must have one time per frame (1), got 2"),
        ({"labels": np.zeros((1, 2, 3))}, AxesError, "Segmentation.labels must be of uint8, got float64"),
        (
            {"confidence": np.zeros((1, 2, 3))},
            AxesError,
            "Segmentation.confidence must be of float32, got float64",
        ),
        (
            {"grid": PixelGrid(rows=3, columns=2, spacing=None)},
            AxesError,
            "Segmentation.labels must have 3 x 2 pixels as its grid, got shape (1, 2, 3)",
        ),
        (
            {"confidence": np.zeros((2, 2, 3), np.float32)},
            AxesError,
            "Segmentation.confidence must be like labels (1, 2, 3), got shape (2, 2, 3)",
        ),
        ({"structures": (NERVE,)}, RangeError, "Segmentation.labels must not exceed its 1 structures, got 2"),
        (
            {"structures": (NERVE,) * 256},
            RangeError,
            "Segmentation.labels must not exceed its 256 structures, got 2",
        ),
        (
            {"confidence": np.full((1, 2, 3), 50, np.float32)},
            RangeError,
            "Segmentation.confidence must lie in 0..1, got 50..50 (percent?)",
        ),
        (
            {"confidence": np.full((1, 2, 3), 1.5, np.float32)},
            RangeError,
            "Segmentation.confidence must lie in 0..1, got 1.5..1.5 (percent?)",
        ),
        (
            {"confidence": np.array([[[-0.5, 0, 0], [0, 0, 1]]], np.float32)},
            RangeError,
            "Segmentation.confidence must lie in 0..1, got -0.5..1 (percent?)",
        ),
        (
            {"confidence": np.array([[[np.nan, 0, 0], [0, 0, 1]]], np.float32)},
            RangeError,
            "Segmentation.confidence must lie in 0..1, got nan..nan (percent?)",
        ),
    ],
)
def test_a_segmentation_that_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        segmentation(**changes)


def test_confidence_may_reach_both_ends_and_255_structures_may_be():
    ends = np.array([[[0, 1, 0], [1, 0, 1]]], np.float32)
    made = segmentation(confidence=ends, structures=[NERVE] * 255)
    assert isinstance(made.structures, tuple)
    np.testing.assert_array_equal(made.confidence, ends)


@pytest.mark.parametrize("field", ["labels", "confidence"])
def test_arrays_are_frozen(field):
    with pytest.raises(ValueError, match="read-only"):
        getattr(segmentation(), field)[0] = 0
