import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import AxesError, Grid, PixelGrid, PolarGrid, RangeError
from refusals import refused
from strategies import any_grids, grids, pixel_grids, polar_grids
from tolerances import RTOL_FLOAT64


def grid(**changes):
    return Grid(**{"axial": np.array([0.01, 0.012, 0.014]), "lateral": np.array([-0.001, 0.002])} | changes)


def polar(**changes):
    sector = {
        "radius": np.array([0.05, 0.06, 0.08]),
        "azimuth": np.array([-0.5, 0.1, 0.5]),
        "apex": np.array([0, 0, -0.05]),
    }
    return PolarGrid(**sector | changes)


def picture(**changes):
    return PixelGrid(**{"rows": 4, "columns": 6, "spacing": (1e-4, 2e-4)} | changes)


@given(any_grids())
def test_every_grid_has_a_shape_and_describes_itself(any_grid):
    rows, columns = any_grid.shape
    assert rows >= 1
    assert columns >= 1
    assert any_grid.describe().startswith(f"{rows} x {columns} ")


@given(grids(), st.integers(0, 11), st.integers(0, 11))
def test_origin_and_step_lead_to_every_pixel_of_an_even_grid(even, row, column):
    row, column = min(row, even.shape[0] - 1), min(column, even.shape[1] - 1)
    reached = np.array(even.origin) + np.array(even.step) * (row, column)
    np.testing.assert_allclose(
        reached, (even.axial[row], even.lateral[column]), rtol=RTOL_FLOAT64, atol=1e-12
    )


def test_a_grid_in_numbers():
    assert grid().shape == (3, 2)
    assert grid().unit == "m"
    assert grid().origin == (0.01, -0.001)
    np.testing.assert_allclose(grid().step, (0.002, 0.003), rtol=RTOL_FLOAT64)
    assert grid().describe() == "3 x 2 pixels, 4.0 mm deep, 3.0 mm wide"


def test_a_single_line_has_a_step_of_a_millimeter():
    assert grid(axial=[0.02], lateral=[0.0]).step == (1e-3, 1e-3)
    np.testing.assert_allclose(grid(axial=[0.02, 0.025]).step[0], 0.005, rtol=RTOL_FLOAT64)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"axial": np.eye(2)}, AxesError, "Grid.axial must be (n), got shape (2, 2)"),
        ({"axial": []}, RangeError, "Grid.axial must hold at least one value [m], got none"),
        (
            {"axial": [0.02, 0.01]},
            RangeError,
            "Grid.axial must increase [m], got 0.02 before 0.01 at 0 (reversed?)",
        ),
        ({"axial": [10, 20]}, RangeError, "Grid.axial must lie in 0..2 m, got 20 (millimeters?)"),
        ({"lateral": [-20, 1]}, RangeError, "Grid.lateral must lie in 0..2 m, got 20 (millimeters?)"),
        (
            {"lateral": [0, np.nan]},
            RangeError,
            "Grid.lateral must be finite, got 1 NaN or infinite, the first at (1,)",
        ),
    ],
)
def test_a_grid_that_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        grid(**changes)


@pytest.mark.parametrize("line", [[-2.0, 2.0], [2.0]])
def test_two_meters_are_within_reach(line):
    assert grid(axial=line).shape[0] == len(line)


def test_a_sector_in_numbers():
    assert polar().shape == (3, 3)
    assert polar().describe() == "3 x 3 sector, 30.0 mm deep, 57.3 deg"
    assert polar(radius=[0, 1]).describe() == "2 x 3 sector, 1000.0 mm deep, 57.3 deg"


@given(polar_grids())
def test_a_sector_keeps_its_lines(sector):
    assert sector.shape == (len(sector.radius), len(sector.azimuth))
    assert sector.apex.shape == (3,)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"radius": [50, 60]}, RangeError, "PolarGrid.radius must lie in 0..2 m, got 60 (millimeters?)"),
        ({"azimuth": np.eye(2)}, AxesError, "PolarGrid.azimuth must be (n), got shape (2, 2)"),
        (
            {"azimuth": [0.5, -0.5]},
            RangeError,
            "PolarGrid.azimuth must increase [rad], got 0.5 before -0.5 at 0 (reversed?)",
        ),
        (
            {"azimuth": [-30, 30]},
            RangeError,
            "PolarGrid.azimuth must lie in 0..3.14159 rad, got 30 (degrees?)",
        ),
        ({"apex": [0, 0]}, AxesError, "PolarGrid.apex must be (3), got shape (2,)"),
        (
            {"apex": [0, np.nan, 0]},
            RangeError,
            "PolarGrid.apex must be finite, got 1 NaN or infinite, the first at (1,)",
        ),
    ],
)
def test_a_sector_that_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        polar(**changes)


def test_a_sector_may_go_all_the_way_round():
    assert polar(azimuth=[-np.pi, np.pi]).shape == (3, 2)


@pytest.mark.parametrize(
    ("made", "field"),
    [(grid, "axial"), (grid, "lateral"), (polar, "radius"), (polar, "azimuth"), (polar, "apex")],
)
def test_lines_are_frozen_double_precision(made, field):
    line = getattr(made(**{field: [0, 1, 2]}), field)
    assert line.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        line[0] = 1


def test_a_picture_with_spacing_is_measured_in_meters():
    assert picture().unit == "m"
    assert picture().step == (1e-4, 2e-4)
    assert picture().describe() == "4 x 6 pixels of 0.1 x 0.2 mm, 0.4 mm deep, 1.2 mm wide"


def test_a_picture_without_spacing_is_measured_in_pixels_and_says_so():
    unknown = picture(spacing=None)
    assert unknown.unit == "px"
    assert unknown.step == (1.0, 1.0)
    assert unknown.describe() == "4 x 6 pixels, spacing unknown"


def test_a_whole_picture_starts_at_its_own_corner():
    assert picture().corner == (0, 0)
    assert picture().picture is None
    assert picture().origin == (0.0, 0.0)


def test_spacing_becomes_plain_numbers():
    made = picture(spacing=[np.float32(0.5e-3), np.float64(1e-3)])
    assert isinstance(made.spacing, tuple)
    assert [type(value) for value in made.spacing] == [float, float]


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": 1, "columns": 1},
        {"rows": 65_536, "columns": 65_536},
        {"spacing": (1e-7, 1e-2)},
        {"corner": (1, 2), "picture": (5, 8)},
        {"corner": (3, 3)},
    ],
)
def test_the_limits_of_a_picture_pass(changes):
    picture(**changes)


INSIDE = "PixelGrid must lie inside its picture of "


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": 0}, "PixelGrid.rows must lie in 1..65536 pixels, got 0"),
        ({"rows": 65_537}, "PixelGrid.rows must lie in 1..65536 pixels, got 65537"),
        ({"rows": 1.5}, "PixelGrid.rows must be a whole number of pixels, got 1.5"),
        ({"columns": 0}, "PixelGrid.columns must lie in 1..65536 pixels, got 0"),
        ({"columns": 65_537}, "PixelGrid.columns must lie in 1..65536 pixels, got 65537"),
        ({"columns": 1.5}, "PixelGrid.columns must be a whole number of pixels, got 1.5"),
        ({"spacing": (1.0, 1.0)}, "PixelGrid.spacing must lie in 1e-07..0.01 m, got 1 (millimeters?)"),
        ({"spacing": (1e-4, 0)}, "PixelGrid.spacing must lie in 1e-07..0.01 m, got 0 (millimeters?)"),
        ({"corner": (-1, 0)}, INSIDE + "3 x 6 pixels, got 4 x 6 at row -1, column 0"),
        ({"corner": (0, -1)}, INSIDE + "4 x 5 pixels, got 4 x 6 at row 0, column -1"),
        ({"picture": (3, 9)}, INSIDE + "3 x 9 pixels, got 4 x 6 at row 0, column 0"),
        ({"picture": (9, 5)}, INSIDE + "9 x 5 pixels, got 4 x 6 at row 0, column 0"),
        ({"corner": (1, 0), "picture": (4, 6)}, INSIDE + "4 x 6 pixels, got 4 x 6 at row 1, column 0"),
        ({"corner": (0, 1), "picture": (4, 6)}, INSIDE + "4 x 6 pixels, got 4 x 6 at row 0, column 1"),
    ],
)
def test_a_picture_that_cannot_be_is_refused(changes, message):
    with refused(RangeError, message):
        picture(**changes)


@given(pixel_grids(), st.data())
def test_a_cut_of_a_cut_is_one_cut(whole, data):
    def any_cut(of):
        corner = tuple(data.draw(st.integers(0, n - 1)) for n in of.shape)
        shape = tuple(data.draw(st.integers(1, n - c)) for n, c in zip(of.shape, corner, strict=True))
        return corner, shape

    (first, size), once = (cut := any_cut(whole)), whole.cut(*cut)
    assert once.shape == size
    (second, smaller), twice = (cut := any_cut(once)), once.cut(*cut)
    assert twice == whole.cut((first[0] + second[0], first[1] + second[1]), smaller)
    assert twice.picture == whole.shape
    assert twice.spacing == whole.spacing


def test_a_cut_in_numbers():
    part = picture().cut((1, 2), (3, 4))
    assert (part.rows, part.columns, part.corner, part.picture) == (3, 4, (1, 2), (4, 6))


@pytest.mark.parametrize(
    ("corner", "shape", "message"),
    [
        ((-1, 0), (2, 2), "rectangle must lie inside 4 x 6 pixels, got 2 x 2 at row -1, column 0"),
        ((0, -1), (2, 2), "rectangle must lie inside 4 x 6 pixels, got 2 x 2 at row 0, column -1"),
        ((3, 0), (2, 1), "rectangle must lie inside 4 x 6 pixels, got 2 x 1 at row 3, column 0"),
        ((0, 5), (2, 2), "rectangle must lie inside 4 x 6 pixels, got 2 x 2 at row 0, column 5"),
    ],
)
def test_no_cut_leaves_the_picture(corner, shape, message):
    with refused(RangeError, message):
        picture().cut(corner, shape)
