"""The rectangle of echoes, on pictures that are painted: tissue of known place, text, menus, fluid, fading."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.analysis.quality import echo_area
from insonate.analysis.quality.area import BOX, LIT, MOST_FRAMES, NOISE
from insonate.core import Grid, Image, PixelGrid, PolarGrid, Quantity

ROWS, COLUMNS = 300, 400
LONGER = max(ROWS, COLUMNS)
A_BOX = int(BOX * LONGER)
"""An edge is known to about half of it, where it isn't followed further."""


def image(*frames, grid=None):
    values = np.stack([np.asarray(frame, np.float32) for frame in frames])
    grid = grid or PixelGrid(rows=values.shape[1], columns=values.shape[2], spacing=None)
    return Image(values=values, quantity=Quantity.BRIGHTNESS, grid=grid)


def canvas(shape=(ROWS, COLUMNS), value=0.0):
    return np.full(shape, value, np.float32)


def tissue(picture, rows, columns, low=0.15, high=0.9, seed=0):
    """Speckle, every pixel of it lit."""
    part = picture[slice(*rows), slice(*columns)]
    part[:] = np.random.default_rng(seed).uniform(low, high, part.shape)
    return picture


def edges(area):
    top, left, rows, columns = area
    return top, top + rows, left, left + columns


@settings(max_examples=40)
@given(
    st.integers(0, 100), st.integers(0, 120), st.integers(110, 200), st.integers(130, 280), st.integers(0, 9)
)
def test_tissue_on_black_is_found_to_the_pixel(top, left, rows, columns, seed):
    bottom, right = min(top + rows, ROWS), min(left + columns, COLUMNS)
    picture = tissue(canvas(), (top, bottom), (left, right), seed=seed)
    assert edges(echo_area(image(picture))) == (top, bottom, left, right)


def test_a_picture_full_of_tissue_is_kept_whole():
    assert echo_area(image(tissue(canvas(), (0, ROWS), (0, COLUMNS)))) == (0, 0, ROWS, COLUMNS)


def test_text_and_thin_marks_beside_tissue_are_cut_off():
    picture = tissue(canvas(), (60, 260), (80, 320))
    for row in range(70, 200, 14):  # a column of letters: thin strokes with black around them
        picture[row : row + 8, 10:50:4] = 0.9
    picture[60:260:10, 335:340] = 0.9  # ticks of a scale
    picture[20, 30:370] = 0.9  # a thin line
    assert edges(echo_area(image(picture))) == (60, 260, 80, 320)


def test_the_dark_grey_of_a_menu_is_not_lit():
    picture = canvas(value=LIT - 0.002)
    tissue(picture, (60, 260), (80, 320))
    top, _, left, right = edges(echo_area(image(picture)))
    assert (top, left, right) == (60, 80, 320)


def test_a_small_bright_panel_apart_from_tissue_is_left_out():
    picture = tissue(canvas(), (60, 260), (150, 390))
    picture[60:200, 10:60] = 0.7
    assert edges(echo_area(image(picture))) == (60, 260, 150, 390)


def test_fluid_between_two_layers_of_tissue_belongs_to_it():
    picture = tissue(canvas(), (20, 280), (50, 350))
    picture[110:190, 50:350] = 0
    assert edges(echo_area(image(picture))) == (20, 280, 50, 350)


def test_a_caption_above_a_gap_over_the_same_columns_is_too_small_to_belong():
    picture = tissue(canvas(), (100, 280), (50, 350))
    tissue(picture, (10, 24), (100, 160))
    top, bottom, *_ = edges(echo_area(image(picture)))
    assert (top, bottom) == (100, 280)


def test_depth_that_fades_is_followed_as_long_as_a_tenth_of_it_is_not_black():
    picture = tissue(canvas(), (30, 150), (50, 350))
    rng = np.random.default_rng(1)
    faint = (rng.random((100, 300)) < 0.2) * np.float32(NOISE + 0.004)  # noise that is not lit
    picture[150:250, 50:350] = faint
    picture[250:290, 50:350] = (rng.random((40, 300)) < 0.05) * np.float32(NOISE + 0.004)
    assert edges(echo_area(image(picture)))[1] == 250


def test_what_is_exactly_black_or_as_dark_as_noise_below_is_cut_off():
    picture = tissue(canvas(value=NOISE), (30, 150), (50, 350))
    assert edges(echo_area(image(picture)))[1] == 150


@pytest.mark.parametrize("value", [0.0, LIT, NOISE])
def test_a_dark_picture_is_kept_whole(value):
    assert echo_area(image(canvas(value=value))) == (0, 0, ROWS, COLUMNS)


def test_a_block_too_small_to_be_trusted_leaves_the_picture_whole():
    picture = tissue(canvas(), (100, 180), (100, 200))  # 7 % of the picture
    assert echo_area(image(picture)) == (0, 0, ROWS, COLUMNS)
    assert edges(echo_area(image(tissue(canvas(), (100, 200), (100, 210))))) == (100, 200, 100, 210)  # 9 %


def test_frames_are_averaged_so_that_what_moves_is_covered_by_all_of_them():
    left, right = tissue(canvas(), (60, 260), (80, 220)), tissue(canvas(), (60, 260), (180, 320))
    assert edges(echo_area(image(left, right))) == (60, 260, 80, 320)


def test_of_a_long_clip_frames_are_taken_from_first_to_last():
    frames = [canvas((60, 80)) for _ in range(3 * MOST_FRAMES)]
    tissue(frames[0], (5, 55), (10, 40), low=0.9, high=1.0)
    tissue(frames[-1], (5, 55), (39, 75), low=0.9, high=1.0)
    blank = image(*[canvas((60, 80))] * (3 * MOST_FRAMES))
    assert echo_area(blank) == (0, 0, 60, 80)
    mean_is_lit = image(*[np.minimum(2 * frame, 1) for frame in frames])
    # one frame in 24 of brightness one is lit only just under 12 / 255: only frames that are taken count
    assert 1 / MOST_FRAMES < LIT
    assert echo_area(mean_is_lit) == (0, 0, 60, 80)
    repeated = [frames[0]] * 36 + [frames[-1]] * 36
    assert edges(echo_area(image(*repeated))) == (5, 55, 10, 75)


@pytest.mark.parametrize(
    "grid",
    [
        Grid(axial=np.arange(ROWS) * 1e-4, lateral=np.arange(COLUMNS) * 1e-4),
        PolarGrid(
            radius=0.01 + np.arange(ROWS) * 1e-4, azimuth=np.linspace(-0.5, 0.5, COLUMNS), apex=np.zeros(3)
        ),
    ],
)
def test_an_image_formed_here_has_no_menus(grid):
    picture = tissue(canvas(), (60, 260), (80, 320))
    assert echo_area(image(picture, grid=grid)) == (0, 0, ROWS, COLUMNS)


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 3), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_whatever_the_picture_the_area_lies_in_it_and_holds_a_pixel(rows, columns, frames, seed, share):
    rng = np.random.default_rng(seed)
    pictures = rng.random((frames, rows, columns)) * (rng.random((frames, rows, columns)) < share)
    top, bottom, left, right = edges(echo_area(image(*pictures)))
    assert 0 <= top < bottom <= rows
    assert 0 <= left < right <= columns


def test_the_same_picture_turned_left_to_right_gives_the_area_turned():
    picture = tissue(canvas(), (60, 260), (40, 250))
    top, bottom, left, right = edges(echo_area(image(picture)))
    turned = edges(echo_area(image(picture[:, ::-1])))
    assert turned == (top, bottom, COLUMNS - right, COLUMNS - left)


def sprinkled(shape, tenths):
    """(rows, columns) 0.5 in so many tenths of each ten pixels of a row or of a column, else black."""
    rows, columns = np.indices(shape)
    return np.where((3 * rows + 7 * columns) % 10 < tenths, np.float32(0.5), np.float32(0))


@pytest.mark.parametrize(("tenths", "taken"), [(4, True), (2, False)])
def test_sides_that_are_less_lit_are_followed_to_a_quarter_of_what_tissue_is(tenths, taken):
    picture = tissue(canvas(), (60, 260), (80, 320))
    picture[60:260, 60:80] = sprinkled((200, 20), tenths)
    picture[60:260, 320:345] = sprinkled((200, 25), tenths)
    left, right = edges(echo_area(image(picture)))[2:]
    if taken:
        assert (left, right) == (60, 345)
    else:  # what lies within half a box of tissue is in its block already
        assert 80 - A_BOX // 2 <= left <= 80
        assert 320 <= right <= 320 + A_BOX // 2


@pytest.mark.parametrize(("tenths", "taken"), [(4, True), (2, False)])
def test_a_top_that_is_less_lit_is_followed_to_three_tenths(tenths, taken):
    picture = tissue(canvas(), (60, 260), (80, 320))
    picture[50:60, 80:320] = sprinkled((10, 240), tenths)
    top = edges(echo_area(image(picture)))[0]
    assert top == 50 if taken else 60 - A_BOX // 2 <= top <= 60


def test_a_tip_is_cut_off_where_it_is_a_twentieth_of_the_width_or_less():
    """A sector that begins in a point: its first rows hold next to nothing of the columns."""
    picture = canvas()
    for row in range(20, 280):
        half = 3 + (row - 20) // 2
        tissue(picture, (row, row + 1), (200 - half, 200 + half), seed=row)
    top, _, left, right = edges(echo_area(image(picture)))
    first = next(row for row in range(20, 280) if 6 + 2 * ((row - 20) // 2) > 0.05 * (right - left))
    assert top == first
    assert top > 20


def test_a_bottom_that_ends_in_a_point_is_cut_off_where_it_is_a_tenth_of_the_width_or_less():
    picture = canvas()
    for row in range(20, 280):
        half = 3 + (279 - row) // 2
        tissue(picture, (row, row + 1), (200 - half, 200 + half), seed=row)
    top, bottom, left, right = edges(echo_area(image(picture)))
    last = max(row for row in range(20, 280) if 6 + 2 * ((279 - row) // 2) > 0.1 * (right - left))
    assert top == 20
    assert bottom == last + 1


@pytest.mark.parametrize(("gap", "followed"), [(ROWS // 50 - 1, True), (ROWS // 50, False)])
def test_depth_is_followed_over_gaps_of_a_few_rows(gap, followed):
    picture = tissue(canvas(), (30, 150), (50, 350))
    picture[150:200, 50:350] = np.minimum(sprinkled((50, 300), 3), NOISE + 0.004)
    picture[200 + gap : 240, 50:350] = np.minimum(sprinkled((40 - gap, 300), 3), NOISE + 0.004)
    assert edges(echo_area(image(picture)))[1] == (240 if followed else 200)


@pytest.mark.parametrize(("floor", "bright"), [(LIT, 12.6 / 255), (NOISE, 2.6 / 255)])
def test_just_over_a_floor_counts_and_the_floor_itself_does_not(floor, bright):
    for value, counts in ((bright, True), (floor, False)):
        picture = tissue(canvas(), (30, 150), (50, 350))
        if floor == LIT:
            picture[10:30, 50:350] = value
            assert edges(echo_area(image(picture)))[0] == (10 if counts else 30)
        else:
            picture[150:190, 50:350] = value
            assert edges(echo_area(image(picture)))[1] == (190 if counts else 150)
