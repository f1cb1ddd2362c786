"""A reading and a model hold what they are given, under names, and cannot be changed."""

import dataclasses

import numpy as np
import pytest

from insonate.analysis.models import PictureModel
from insonate.analysis.models.nerve_vessel import nerve_vessel
from insonate.analysis.models.reading import Reading
from insonate.core import ModelVersion, Tissue

VERSION = ModelVersion(name="test", version="1", confidence_threshold=0.5)


def reading(n_rows=3, n_columns=4):
    shape = (n_rows, n_columns)
    return Reading(
        labels=np.zeros(shape, np.uint8),
        confidence=np.ones(shape, np.float32),
        nothing=np.ones(shape, np.float32),
        familiarity=1.0,
        n_content=n_rows * n_columns,
    )


@pytest.mark.parametrize(
    ("thing", "field"),
    [(reading(), "familiarity"), (nerve_vessel(), "smallest"), (nerve_vessel(), "tissues")],
)
def test_what_a_model_says_and_is_cannot_be_changed(thing, field):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(thing, field, None)


def test_fields_are_given_by_name():
    with pytest.raises(TypeError):
        PictureModel(VERSION, (Tissue.NERVE,), 0.0, reading)


def test_a_model_is_asked_with_a_picture_and_its_aspect():
    asked = []

    def read(picture, aspect):
        asked.append((picture.shape, aspect))
        return reading(*picture.shape)

    model = PictureModel(version=VERSION, tissues=(Tissue.NERVE,), smallest=0.0, read=read)
    assert model.read(np.zeros((5, 6), np.float32), 2.0).labels.shape == (5, 6)
    assert asked == [((5, 6), 2.0)]


def test_the_default_model_keeps_the_promises_of_a_reading():
    """Shapes, types and ranges are those that the fields' descriptions state."""
    picture = np.random.default_rng(0).uniform(0.2, 0.8, (70, 90)).astype(np.float32)
    picture[60:] = 0
    said = nerve_vessel().read(picture, 1.0)
    for plane, kind in ((said.labels, np.uint8), (said.confidence, np.float32), (said.nothing, np.float32)):
        assert plane.shape == picture.shape
        assert plane.dtype == kind
    assert said.labels.max() <= len(nerve_vessel().tissues)
    for share in (said.confidence, said.nothing, np.array(said.familiarity)):
        assert share.min() >= 0
        assert share.max() <= 1
    assert said.n_content == 60 * 90  # without its dark border
