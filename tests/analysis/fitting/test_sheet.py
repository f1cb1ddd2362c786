"""A contact sheet: panels of the right size, outlines where the mask's edge is, one cell a picture."""

import numpy as np
import pytest
from PIL import Image

from insonate.analysis.fitting.pairs import Pair
from insonate.analysis.fitting.sheet import COLORS, PANEL, contact_sheet, outlined


def pair(shape=(120, 240), value=0.25, name="a"):
    mask = np.zeros(shape, np.uint8)
    mask[20:60, 30:90] = 1
    mask[70:100, 150:200] = 2
    return Pair(name=name, picture=np.full(shape, value, np.float32), mask=mask)


def colored(panel, k):
    return (panel == COLORS[k]).all(axis=2)


def test_a_panel_has_its_width_and_the_pictures_proportions():
    one = pair((120, 240))
    assert outlined(one.picture, one.mask).shape == (120, PANEL, 3)
    assert outlined(one.picture, one.mask, width=120).shape == (60, 120, 3)
    assert outlined(one.picture, one.mask).dtype == np.uint8


def test_grey_is_the_root_of_brightness():
    one = pair(value=0.25)
    panel = outlined(one.picture, np.zeros_like(one.mask))
    assert (panel == 127).all()  # half of 255, cut off
    dazzling = outlined(np.full((120, 240), 1.0, np.float32), np.zeros_like(one.mask))
    assert (dazzling == 255).all()


def test_outlines_lie_on_the_edges_of_their_masks():
    one = pair()
    panel = outlined(one.picture, one.mask)
    for k, (top, bottom, left, right) in ((1, (20, 60, 30, 90)), (2, (70, 100, 150, 200))):
        line = colored(panel, k)
        rows, columns = np.nonzero(line)
        assert (rows.min(), rows.max() + 1) == pytest.approx((top, bottom), abs=1)
        assert (columns.min(), columns.max() + 1) == pytest.approx((left, right), abs=1)
        assert not line[top + 3 : bottom - 3, left + 3 : right - 3].any()  # the inside is not painted
        assert line[top - 1 : top + 1, left + 3 : right - 3].any(axis=0).all()  # the edge has no gap
    grey = ~(colored(panel, 1) | colored(panel, 2))
    assert (panel[grey] == 127).all()


def test_dark_borders_are_cut_off():
    picture = np.zeros((120, 300), np.float32)
    picture[:, 60:] = 0.25
    mask = np.zeros(picture.shape, np.uint8)
    assert (outlined(picture, mask, width=240) == 127).all()


def test_a_dark_picture_is_drawn_all_the_same():
    assert outlined(np.zeros((30, 40), np.float32), np.zeros((30, 40), np.uint8)).shape == (180, PANEL, 3)


@pytest.mark.parametrize(("n", "across"), [(1, 1), (3, 2), (4, 2), (5, 3)])
def test_the_sheet_has_a_cell_for_every_picture(tmp_path, n, across):
    ones = [pair(name=str(index)) for index in range(n)]
    said = np.zeros_like(ones[0].mask)
    path = tmp_path / "sheet.png"
    contact_sheet([(f"number {one.name}", one, said) for one in ones], path, across=across)
    with Image.open(path) as file:
        sheet = np.asarray(file.convert("RGB")).astype(int)
    lines = -(-n // across)
    gap, head, height = 6, 16, 120
    assert sheet.shape == (lines * (height + head + gap) - gap, across * (2 * PANEL + gap) - gap, 3)
    for index in range(n):
        line, column = divmod(index, across)
        top, left = line * (height + head + gap) + head, column * (2 * PANEL + gap)
        expert = sheet[top : top + height, left : left + PANEL]
        network = sheet[top : top + height, left + PANEL : left + 2 * PANEL]
        for k in (1, 2):  # the palette of the file may be off by a shade
            near = np.abs(expert - COLORS[k]).max(axis=2) < 12
            assert near.sum() > 100
            assert not (np.abs(network - COLORS[k]).max(axis=2) < 12).any()
        assert np.abs(network - 127).max() < 12
        heading = sheet[top - head : top, left : left + PANEL]
        assert heading.max() > 150  # something is written


def test_pictures_of_different_heights_do_not_lie_on_each_other(tmp_path):
    low, high = pair((120, 240)), pair((480, 240))
    path = tmp_path / "sheet.png"
    said = np.zeros_like
    contact_sheet(
        [("a", low, said(low.mask)), ("b", high, said(high.mask)), ("c", low, said(low.mask))], path
    )
    with Image.open(path) as file:
        sheet = np.asarray(file.convert("RGB")).astype(int)
    assert sheet.shape == (480 + 120 + 2 * 16 + 6, 4 * PANEL + 6, 3)
    assert np.abs(sheet[480 + 16 + 6 + 16 + 60, PANEL + 5] - 127).max() < 12
