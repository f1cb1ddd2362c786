"""A sector of a function that bends neither along its lines nor across them comes out as that function."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import CoordinateFrame, Grid, Image, InputError, PixelGrid, PolarGrid, Pose, Quantity
from insonate.imaging.b_mode import scan_convert
from refusals import refused
from strategies import images, polar_grids

ATOL_PIXEL = 1e-5
"""Single precision, of values of order one interpolated between four samples."""
APEX = (0.002, 0.0, -0.04)
RIM = 1e-9
"""Pixels this near the rim may fall to either side [m or rad]."""


def sector(**changes):
    lines = {
        "radius": np.linspace(0.04, 0.09, 60),
        "azimuth": np.linspace(-0.6, 0.5, 41),
        "apex": np.array(APEX),
    }
    return PolarGrid(**lines | changes)


def coordinates(grid, apex):
    x, z = grid.lateral[None, :] - apex[0], grid.axial[:, None] - apex[2]
    return np.hypot(x, z), np.arctan2(x, z)


def bilinear(radius, azimuth):
    return -1 + 8 * radius + 0.3 * azimuth + 5 * radius * azimuth


def on(polar, function, **changes):
    values = function(polar.radius[:, None], polar.azimuth[None, :])[np.newaxis].astype(np.float32)
    return Image(**{"values": values, "quantity": Quantity.B_MODE, "grid": polar} | changes)


FRAMES = tuple(CoordinateFrame)
WIDE = Grid(axial=np.linspace(-0.05, 0.06, 111), lateral=np.linspace(-0.06, 0.06, 121))


@pytest.mark.parametrize(
    "polar",
    [
        sector(),
        sector(radius=[0.04, 0.0405, 0.05, 0.07, 0.071, 0.09]),  # uneven lines
        sector(azimuth=[-0.6, -0.58, 0.0, 0.3, 0.5]),
    ],
)
def test_a_bilinear_function_comes_out_as_it_is_and_the_outside_is_darkest(polar):
    made = scan_convert(on(polar, bilinear), WIDE)
    radius, azimuth = coordinates(WIDE, APEX)
    inside = (radius >= 0.04) & (radius <= 0.09) & (azimuth >= -0.6) & (azimuth <= 0.5)
    assert 0.1 < inside.mean() < 0.9
    np.testing.assert_allclose(made.values[0][inside], bilinear(radius, azimuth)[inside], atol=ATOL_PIXEL)
    darkest = bilinear(polar.radius[:, None], polar.azimuth).astype(np.float32).min()
    assert (made.values[0][~inside] == darkest).all()
    assert made.values.dtype == np.float32


def test_a_curved_function_is_off_by_what_chords_are_off():
    """Linear interpolation misses at most h^2 / 8 of the second derivative."""
    polar = sector()
    step = 0.05 / 59
    waves = 2 * np.pi / 0.01
    made = scan_convert(on(polar, lambda radius, azimuth: np.cos(waves * radius) + 0 * azimuth), WIDE)
    radius, azimuth = coordinates(WIDE, APEX)
    inside = (radius > 0.04) & (radius < 0.09) & (azimuth > -0.6) & (azimuth < 0.5)
    error = np.abs(made.values[0] - np.cos(waves * radius))[inside].max()
    bound = (step * waves) ** 2 / 8
    assert 0.5 * bound < error <= bound + ATOL_PIXEL


def test_one_bright_line_lies_at_its_angle():
    polar = sector(azimuth=np.linspace(-0.5, 0.5, 101))
    values = np.zeros((1, 60, 101), np.float32)
    values[0, :, 80] = 1  # 0.3 rad toward +x
    made = scan_convert(Image(values=values, quantity=Quantity.BRIGHTNESS, grid=polar), WIDE)
    rows, columns = np.nonzero(made.values[0] > 0.6)
    x, z = WIDE.lateral[columns] - APEX[0], WIDE.axial[rows] - APEX[2]
    np.testing.assert_allclose(np.arctan2(x, z), 0.3, atol=0.01)
    assert len(rows) > 20


@given(polar_grids(max_size=6), st.integers(0, 5), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_a_pixel_on_a_sample_takes_its_value(polar, row, column, seed):
    row, column = min(row, polar.shape[0] - 1), min(column, polar.shape[1] - 1)
    values = np.random.default_rng(seed).random((1, *polar.shape), dtype=np.float32)
    image = Image(values=values, quantity=Quantity.BRIGHTNESS, grid=polar)
    inward = 1 - RIM if row else 1 + RIM
    radius = polar.radius[row] * inward if polar.shape[0] > 1 else polar.radius[row]
    azimuth = polar.azimuth[column] * (1 - RIM)
    pixel = Grid(
        axial=[polar.apex[2] + radius * np.cos(azimuth)], lateral=[polar.apex[0] + radius * np.sin(azimuth)]
    )
    made = scan_convert(image, pixel).values.item()
    sample = float(values[0, row, column])
    on_rim = polar.shape[0] == 1  # a sector of one sample depth has no inside, but for rounding
    assert made == pytest.approx(sample, abs=1e-4) or (on_rim and made == values.min())


def test_every_frame_is_converted_and_keeps_its_time_and_pose():
    polar = sector()
    pose = Pose(rotation=np.eye(3), translation=np.zeros(3), source=FRAMES[0], target=FRAMES[1], time=0.0)
    one = on(polar, bilinear).values
    image = on(
        polar,
        bilinear,
        values=np.concatenate([one, one - 3]),
        times=[0.0, 0.1],
        poses=(pose, pose),
        color=np.zeros((2, *polar.shape, 3), np.uint8),
    )
    made = scan_convert(image, WIDE)
    assert made.values.shape == (2, 111, 121)
    radius, azimuth = coordinates(WIDE, APEX)
    inside = (radius > 0.04) & (radius < 0.09) & (azimuth > -0.6) & (azimuth < 0.5)
    np.testing.assert_allclose((made.values[0] - made.values[1])[inside], 3, atol=ATOL_PIXEL)
    assert made.times.tolist() == [0.0, 0.1]
    assert made.poses == (pose, pose)
    assert made.color is None
    assert made.quantity is Quantity.B_MODE
    assert made.provenance[-1].name == "scan_convert"


def test_the_whole_way_round_has_no_outside_but_the_middle():
    polar = sector(radius=[0.01, 0.03], azimuth=np.linspace(-np.pi, np.pi, 73), apex=np.zeros(3))
    grid = Grid(axial=[-0.02, 0.005, 0.02], lateral=[-0.0001, 0.02])
    made = scan_convert(on(polar, lambda r, a: r + 0 * a), grid).values[0]
    radius, _ = coordinates(grid, (0, 0, 0))
    np.testing.assert_allclose(made[[0, 2]], radius[[0, 2]], atol=ATOL_PIXEL)
    assert made[1, 0] == np.float32(0.01)


@pytest.mark.parametrize("grid", [WIDE, PixelGrid(rows=111, columns=121, spacing=None)])
def test_what_is_no_sector_is_refused(grid):
    image = Image(values=np.zeros((1, 111, 121), np.float32), quantity=Quantity.B_MODE, grid=grid)
    name = type(grid).__name__
    with refused(InputError, f"scan_convert needs an image on a PolarGrid, got one on a {name}"):
        scan_convert(image, WIDE)


@given(st.data(), polar_grids())
def test_nothing_is_brighter_or_darker_than_it_was(data, polar):
    image = data.draw(images(grid=polar))
    made = scan_convert(image, Grid(axial=np.linspace(-0.01, 0.06, 20), lateral=np.linspace(-0.05, 0.05, 20)))
    assert made.values.min() >= image.values.min()
    assert made.values.max() <= image.values.max() + ATOL_PIXEL
