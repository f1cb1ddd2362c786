"""The drawing list says what is known and what is not, in the unit of the image."""

import numpy as np
import pytest

from insonate.core import (
    Clearance,
    Grid,
    HazardSighting,
    Image,
    InputError,
    ModelVersion,
    NeedlePath,
    PixelGrid,
    PolarGrid,
    Quantity,
    Segmentation,
    Structure,
    Tissue,
)
from insonate.display.overlay import NOTICE, clearance_text, guidance_drawing, length_text, outlines

SPACING = (1e-4, 2e-4)
ROWS, COLUMNS = 60, 80


def pixel_grid(spacing=SPACING):
    return PixelGrid(rows=ROWS, columns=COLUMNS, spacing=spacing)


def black(grid):
    return Image(values=np.zeros((1, ROWS, COLUMNS), np.float32), quantity=Quantity.BRIGHTNESS, grid=grid)


def one_nerve(grid, confidence=0.9):
    labels = np.zeros((1, ROWS, COLUMNS), np.uint8)
    labels[0, 20:30, 30:50] = 1
    return Segmentation(
        labels=labels,
        structures=(Structure(name="nerve", tissue=Tissue.NERVE),),
        confidence=np.full(labels.shape, confidence, np.float32),
        grid=grid,
        times=None,
        model=ModelVersion(name="test", version="1", confidence_threshold=0.5),
    )


def clearance(distance=0.004, interval=(0.003, 0.005), unit="m"):
    return Clearance(
        structure="vessel",
        distance=distance,
        interval=interval,
        unit=unit,
        contact_probability=None,
        margin=0.002,
        reason="test",
    )


def sighting(label):
    return HazardSighting(
        structure="femoral vein",
        tissue=Tissue.VEIN,
        margin=0.002,
        label=label,
        reason="not seen in the picture",
    )


def path(rank=1, clearances=(), not_seen=0.0):
    return NeedlePath(
        entry=(0.0, 0.0),
        target=(0.003, 0.004),
        unit="m",
        length=0.005,
        angle=0.6,
        aims_at="nerve",
        clearances=clearances,
        unknown=(),
        not_seen=not_seen,
        rank=rank,
        reason="test",
    )


def test_an_outline_encloses_the_area_of_its_mask():
    grid = pixel_grid()
    mask = one_nerve(grid).mask(1)
    (loop,) = outlines(mask, grid)
    axial, lateral = np.array(loop).T
    area = abs(np.sum(axial * np.roll(lateral, -1) - lateral * np.roll(axial, -1))) / 2
    expected = 10 * 20 * SPACING[0] * SPACING[1]
    corners = 0.5 * SPACING[0] * SPACING[1]  # each corner of the half level is cut by an eighth of a pixel
    assert area == pytest.approx(expected - corners, rel=1e-6)


def test_an_outline_starts_at_the_origin_of_its_grid():
    grid = Grid(axial=0.01 + 1e-4 * np.arange(ROWS), lateral=-0.004 + 1e-4 * np.arange(COLUMNS))
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[20:30, 30:50] = True
    (loop,) = outlines(mask, grid)
    np.testing.assert_allclose(np.mean(loop, axis=0), [0.01 + 24.5e-4, -0.004 + 39.5e-4], atol=1e-6)


def test_a_structure_at_the_border_is_closed():
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[:10, :10] = True
    (loop,) = outlines(mask, pixel_grid())
    assert min(axial for axial, _ in loop) < 0


def test_a_sure_structure_is_named_with_its_confidence():
    grid = pixel_grid()
    drawing = guidance_drawing(black(grid), one_nerve(grid))
    (label,) = (label for label in drawing.labels if label.role == "structure")
    assert (label.text, label.detail, label.unknown) == ("Nerve", "90 %", False)


def test_an_unsure_structure_is_drawn_as_unknown_and_not_filled():
    grid = pixel_grid()
    drawing = guidance_drawing(black(grid), one_nerve(grid, confidence=0.4))
    (label,) = (label for label in drawing.labels if label.role == "structure")
    (line,) = (line for line in drawing.lines if line.role == "structure")
    assert label.unknown
    assert label.text == "Nerve?"
    assert line.fill_opacity == 0
    assert line.stroke.dash


def test_hazards_that_are_not_seen_are_written_as_unknown():
    grid = pixel_grid()
    drawing = guidance_drawing(black(grid), None, hazards=[sighting(None), sighting(3)])
    (label,) = (label for label in drawing.labels if label.role == "unknown")
    assert (label.text, label.detail) == ("? femoral vein", "not seen in the picture")
    assert label.unknown


def test_the_stretch_that_is_not_seen_is_a_line_of_its_own():
    drawing = guidance_drawing(black(pixel_grid()), None, [path(not_seen=0.002)])
    hidden, seen = (line for line in drawing.lines if line.role == "path")
    assert hidden.points[0] == (0.0, 0.0)
    assert hidden.points[1] == seen.points[0] == pytest.approx((0.0012, 0.0016))


def test_clearance_is_that_of_the_nearest_structure():
    far, near = clearance(), clearance(0.002, (0.001, 0.003))
    drawing = guidance_drawing(black(pixel_grid()), None, [path(clearances=(far, near))])
    (label,) = (label for label in drawing.labels if label.role == "clearance")
    assert label.text == "2.0 mm (1.0 to 3.0) to vessel"


def test_a_path_with_nothing_known_beside_it_says_unknown():
    nothing = clearance(None, None, None)
    drawing = guidance_drawing(black(pixel_grid()), None, [path(clearances=(nothing,))])
    (label,) = (label for label in drawing.labels if label.role == "clearance")
    assert label.text == "clearance unknown"
    assert label.unknown


def test_no_words_of_a_drawing_promise_safety():
    grid = pixel_grid()
    drawing = guidance_drawing(
        black(grid), one_nerve(grid), [path(clearances=(clearance(),))], [sighting(None)]
    )
    words = str(drawing.to_json()).lower()
    assert not any(word in words for word in ("safe", " clear ", "'clear'", "ok'"))


def test_without_spacing_lengths_are_pixels_and_say_so():
    grid = pixel_grid(spacing=None)
    drawing = guidance_drawing(black(grid), None)
    assert drawing.unit == "px"
    (scale,) = (label for label in drawing.labels if label.role == "scale")
    assert scale.text == "20 px, spacing unknown"
    assert clearance_text(clearance(12.0, (8.0, 15.0), "px")) == "12 px (8 to 15)"
    assert length_text(12.4, "px") == "12 px"
    assert length_text(0.0124, "m") == "12.4 mm"


def test_the_scale_bar_is_as_long_as_it_says():
    drawing = guidance_drawing(black(pixel_grid()), None)
    (bar,) = (line for line in drawing.lines if line.role == "scale")
    (words,) = (label.text for label in drawing.labels if label.role == "scale")
    (_, left), (_, right) = bar.points
    assert words == "2 mm"
    assert right - left == pytest.approx(0.002)


@pytest.mark.parametrize(("simulated", "notice"), [(False, NOTICE), (True, "simulated")])
def test_every_drawing_says_what_it_is_drawn_on(simulated, notice):
    assert guidance_drawing(black(pixel_grid()), None, simulated=simulated).notice == notice


def test_a_sector_must_be_converted_first():
    grid = PolarGrid(
        radius=0.01 + 1e-4 * np.arange(ROWS), azimuth=np.linspace(-0.5, 0.5, COLUMNS), apex=np.zeros(3)
    )
    with pytest.raises(InputError, match="convert the scan first"):
        guidance_drawing(black(grid), None)
