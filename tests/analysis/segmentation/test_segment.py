"""The door, with a model whose answer is known."""

import numpy as np
import pytest

from insonate.analysis.models import PictureModel, Reading
from insonate.analysis.segmentation import segment
from insonate.core import Grid, Image, InputError, ModelVersion, PixelGrid, PolarGrid, Quantity, Tissue

SHAPE = (40, 60)


def reader(*, smallest=0.001, seen=None):
    """Nerve where the picture is bright, vessel where it is half bright; sure by 0.8, of nothing by 0.3."""

    def read(picture, aspect):
        if seen is not None:
            seen.append((picture, aspect))
        labels = np.select([picture > 0.9, picture > 0.4], [1, 2], 0).astype(np.uint8)
        return Reading(
            labels=labels,
            confidence=np.where(labels > 0, 0.8, 0.6).astype(np.float32),
            nothing=np.where(labels > 0, 0.3, 0.6).astype(np.float32),
            familiarity=1.0,
            n_content=picture.size,
        )

    return PictureModel(
        version=ModelVersion(name="bright", version="1", confidence_threshold=0.5),
        tissues=(Tissue.NERVE, Tissue.VESSEL),
        smallest=smallest,
        read=read,
    )


def picture(*boxes, shape=SHAPE):
    """Boxes (row, column, size, value) on black."""
    values = np.zeros(shape, np.float32)
    for row, column, size, value in boxes:
        values[row : row + size, column : column + size] = value
    return values


def image(*frames, spacing=None):
    grid = PixelGrid(rows=SHAPE[0], columns=SHAPE[1], spacing=spacing)
    return Image(
        values=np.stack(frames), quantity=Quantity.BRIGHTNESS, grid=grid, times=np.arange(len(frames)) * 0.1
    )


def test_each_component_is_a_structure_of_its_own():
    given = image(picture((5, 5, 8, 1.0), (5, 30, 6, 1.0), (25, 10, 9, 0.5)))
    found = segment(given, model=reader())
    assert [(s.name, s.tissue, s.instance) for s in found.structures] == [
        ("nerve", Tissue.NERVE, 1),
        ("nerve", Tissue.NERVE, 2),
        ("vessel", Tissue.VESSEL, 1),
    ]
    assert [int(found.mask(k).sum()) for k in (1, 2, 3)] == [64, 36, 81]
    assert found.labels[0, 0, 0] == 0
    assert found.grid is given.grid and found.model.name == "bright"
    np.testing.assert_array_equal(found.times, given.times)


def test_confidence_is_that_of_the_label_that_is_given():
    found = segment(image(picture((5, 5, 8, 1.0))), model=reader())
    assert set(np.unique(found.confidence[found.labels > 0])) == {np.float32(0.8)}
    assert set(np.unique(found.confidence[found.labels == 0])) == {np.float32(0.6)}


def test_a_component_too_small_is_not_named_and_not_known():
    found = segment(image(picture((5, 5, 8, 1.0), (30, 30, 2, 1.0))), model=reader(smallest=5 / 2400))
    assert len(found.structures) == 1
    assert found.labels[0, 30, 30] == 0
    assert found.confidence[0, 30, 30] == np.float32(0.3)
    assert not found.known()[0, 30, 30]


def test_structures_keep_their_label_through_a_clip():
    found = segment(
        image(picture((5, 5, 8, 1.0), (5, 30, 6, 1.0)), picture((5, 7, 5, 1.0), (5, 29, 9, 1.0))),
        model=reader(),
    )
    assert found.labels[0, 8, 8] == found.labels[1, 8, 8] == 1
    assert found.labels[0, 8, 32] == found.labels[1, 8, 32] == 2


def test_nothing_found_is_no_structure():
    found = segment(image(picture()), model=reader())
    assert found.structures == () and not found.labels.any()


def test_decibels_are_read_as_brightness():
    seen = []
    grid = Grid(axial=np.arange(SHAPE[0]) * 1e-4, lateral=np.arange(SHAPE[1]) * 2e-4)
    values = np.full((1, *SHAPE), -30.0)
    values[0, 0] = 0.0
    values[0, 1] = -90.0
    segment(Image(values=values, quantity=Quantity.B_MODE, grid=grid), model=reader(seen=seen))
    asked, aspect = seen[0]
    np.testing.assert_allclose(asked[:3, 0], [1.0, 0.0, 0.5])
    assert aspect == pytest.approx(0.5)


@pytest.mark.parametrize(("spacing", "expected"), [(None, 1.0), ((3e-4, 1e-4), 3.0)])
def test_pixels_are_square_only_where_spacing_says_so_or_is_unknown(spacing, expected):
    seen = []
    segment(image(picture(), spacing=spacing), model=reader(seen=seen))
    assert seen[0][1] == pytest.approx(expected)


def test_every_frame_is_told():
    told = []
    segment(image(picture(), picture()), model=reader(), progress=lambda *at: told.append(at))
    assert told == [(1, 2), (2, 2)]


def test_a_sector_is_refused():
    sector = PolarGrid(
        radius=np.linspace(0.01, 0.05, 20), azimuth=np.linspace(-0.5, 0.5, 30), apex=np.zeros(3)
    )
    values = np.zeros((1, 20, 30))
    with pytest.raises(InputError, match="scan-convert it first"):
        segment(Image(values=values, quantity=Quantity.B_MODE, grid=sector), model=reader())
