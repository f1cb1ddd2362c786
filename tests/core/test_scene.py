import numpy as np
import pytest
from hypothesis import given

from insonate.core import AxesError, Image, ModelVersion, PixelGrid, Quantity, Scene, Segmentation
from refusals import refused
from strategies import images, segmentations


def picture(rows, columns):
    values = np.zeros((1, rows, columns), np.float32)
    return Image(
        values=values, quantity=Quantity.BRIGHTNESS, grid=PixelGrid(rows=rows, columns=columns, spacing=None)
    )


def labelled(rows, columns):
    return Segmentation(
        labels=np.zeros((1, rows, columns), np.uint8),
        structures=(),
        confidence=np.zeros((1, rows, columns), np.float32),
        grid=PixelGrid(rows=rows, columns=columns, spacing=None),
        times=None,
        model=ModelVersion(name="none", version="1", confidence_threshold=0.5),
    )


def test_nothing_is_known_until_it_is():
    empty = Scene()
    assert empty.image is empty.segmentation is empty.area is None


@given(images(), segmentations())
def test_either_part_may_be_unknown(image, segmentation):
    assert Scene(image=image).segmentation is None
    assert Scene(segmentation=segmentation).image is None


def test_parts_on_one_grid_meet():
    scene = Scene(image=picture(2, 3), segmentation=labelled(2, 3), area=(0, 0, 2, 3))
    assert scene.area == (0, 0, 2, 3)


@pytest.mark.parametrize("shape", [(3, 2), (2, 4), (1, 3)])
def test_labels_of_another_picture_are_refused(shape):
    with refused(
        AxesError,
        f"Scene.segmentation must lie on the image's grid of 2 x 3 pixels, got {shape[0]} x {shape[1]}",
    ):
        Scene(image=picture(2, 3), segmentation=labelled(*shape))
