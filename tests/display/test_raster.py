"""Drawing lists to pixels: what is drawn is where the list says."""

import numpy as np
import pytest

from insonate.core import Image, PixelGrid, Quantity
from insonate.display.drawing import Drawing, Label, Line, Stroke
from insonate.display.raster import _dashes, grey, rasterise

ROWS, COLUMNS = 100, 120
RED = Stroke(color="#FF0000", width=3)


def picture(value=0.5, spacing=(1e-4, 1e-4)):
    grid = PixelGrid(rows=ROWS, columns=COLUMNS, spacing=spacing)
    return Image(
        values=np.full((1, ROWS, COLUMNS), value, np.float32), quantity=Quantity.BRIGHTNESS, grid=grid
    )


def drawing(*lines, labels=(), notice=None):
    return Drawing(unit="m", lines=lines, labels=tuple(labels), title=None, notice=notice)


def line(*points, **more):
    return Line(role="test", name="line", points=points, stroke=RED, **more)


def reddish(pixels):
    red, green, blue = np.moveaxis(pixels.astype(int), -1, 0)
    return (red > 150) & (green < 90) & (blue < 90)


def test_grey_of_b_mode_runs_from_black_at_the_dynamic_range_to_white_at_zero():
    values = np.array([[[0.0, -30.0, -60.0, -90.0]]], dtype=np.float32)
    image = Image(values=values, quantity=Quantity.B_MODE, grid=PixelGrid(rows=1, columns=4, spacing=None))
    np.testing.assert_array_equal(grey(image, dynamic_range=60)[0], [255, 128, 0, 0])


def test_an_empty_drawing_leaves_the_image_as_it_is():
    pixels = rasterise(picture(), drawing(), height=200)
    assert pixels.shape == (200, 240, 3)
    assert np.ptp(pixels) == 0


def test_a_line_is_drawn_where_it_says():
    pixels = rasterise(picture(), drawing(line((0.005, 0.002), (0.005, 0.010))), height=200)
    rows, columns = np.nonzero(reddish(pixels))
    assert np.mean(rows) == pytest.approx(2 * (50 + 0.5), abs=1.0)
    assert columns.min() == pytest.approx(2 * 20, abs=5)
    assert columns.max() == pytest.approx(2 * 100, abs=5)


def test_pixels_need_not_be_square():
    pixels = rasterise(picture(spacing=(1e-4, 2e-4)), drawing(), height=100)
    assert pixels.shape[:2] == (67, 160)  # 10 mm by 24 mm, held to a width of 1.6 heights


def test_what_reaches_beside_the_image_gets_room():
    wide = rasterise(picture(), drawing(line((0.0, -0.004), (0.005, 0.002))), height=200)
    assert wide.shape[1] > 240 + 70
    rows, columns = np.nonzero(reddish(wide))
    assert columns.min() < 20
    assert rows.min() < 6


def test_a_closed_line_is_filled_as_faintly_as_it_says():
    square = line(
        (0.002, 0.002), (0.002, 0.008), (0.008, 0.008), (0.008, 0.002), closed=True, fill_opacity=0.2
    )
    inside = rasterise(picture(), drawing(square), height=200)[100, 100]
    assert inside[0] == pytest.approx(128 + 0.2 * 127, abs=2)
    assert inside[1] == pytest.approx(128 * 0.8, abs=2)


def test_a_notice_is_written_on_the_picture():
    with_words = rasterise(picture(), drawing(notice="not a medical device"), height=300)
    without = rasterise(picture(), drawing(), height=300)
    changed = np.argwhere((with_words != without).any(axis=-1))
    assert len(changed) > 100
    assert changed[:, 0].min() > 250


def test_two_labels_at_one_place_do_not_cover_each_other():
    labels = [
        Label(role="structure", text=text, at=(0.005, 0.006), color="#FF0000") for text in ("Artery", "Nerve")
    ]
    both = rasterise(picture(), drawing(labels=labels), height=300)
    marks = reddish(both).any(axis=1)
    runs = int(np.sum(np.diff(marks.astype(int)) == 1))
    assert runs == 2


def test_dashes_cover_their_share_of_a_line():
    pieces = _dashes([(0.0, 0.0), (100.0, 0.0)], [6.0, 4.0])
    assert sum(piece[-1][0] - piece[0][0] for piece in pieces) == pytest.approx(60.0)
    assert len(pieces) == 10


def test_dashes_go_on_round_a_corner():
    pieces = _dashes([(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)], [8.0, 2.0])
    assert pieces[0] == [(0.0, 0.0), (5.0, 0.0), (5.0, 3.0)]
