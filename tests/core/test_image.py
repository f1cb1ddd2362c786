import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import AxesError, Grid, Image, InputError, IQImage, PixelGrid, Quantity, RangeError, Step
from refusals import refused
from strategies import images, iq_images, poses
from tolerances import ATOL_GREY8, RTOL_FLOAT32

PICTURE = PixelGrid(rows=2, columns=3, spacing=None)
LINES = Grid(axial=np.array([0.01, 0.02]), lateral=np.array([0, 0.01, 0.02]))


def image(**changes):
    grey = np.array([[[0, 0.25, 0.5], [0.75, 0.9, 1]]], np.float32)
    return Image(**{"values": grey, "quantity": Quantity.BRIGHTNESS, "grid": PICTURE} | changes)


def iq(**changes):
    return IQImage(
        **{
            "values": np.ones((1, 2, 3), complex),
            "grid": LINES,
            "times": None,
            "center_frequency": 5e6,
            "sound_speed": 1540.0,
        }
        | changes
    )


def b_mode(values, **changes):
    return image(values=np.array([values], float), quantity=Quantity.B_MODE, **changes)


def decode_png(data):
    """Grey values of a PNG, read by the letter of its specification, every checksum checked."""
    assert data[:8] == bytes([137, 80, 78, 71, 13, 10, 26, 10])
    at, chunks = 8, {}
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + body),)
        chunks[kind] = body
        at += 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert chunks[b"IEND"] == b""
    columns, rows, depth, color, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, color, rest) == (8, 0, [0, 0, 0])
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, columns + 1)
    assert (lines[:, 0] == 0).all()
    return lines[:, 1:]


def test_quantities_have_a_label_and_a_unit():
    assert [(q.label, q.unit) for q in Quantity] == [("B-mode", "dB"), ("brightness", "1")]


@given(images())
def test_brightness_is_what_a_picture_already_is(picture):
    np.testing.assert_array_equal(picture.brightness(), picture.values)
    assert picture.n_frames == len(picture.values)
    assert picture.times is picture.poses is picture.color is None
    doubled = replace(picture, values=picture.values.astype(np.float64))
    assert picture.brightness().dtype == doubled.brightness().dtype == np.float32


def test_decibels_run_from_black_to_white_over_the_dynamic_range():
    made = b_mode([[0, -15, -30], [-45, -60, -90]])
    np.testing.assert_allclose(made.brightness()[0], [[1, 0.75, 0.5], [0.25, 0, 0]], rtol=RTOL_FLOAT32)
    assert made.brightness().dtype == np.float32
    np.testing.assert_allclose(made.brightness(dynamic_range=30)[0, 0], [1, 0.5, 0], rtol=RTOL_FLOAT32)


def test_nothing_is_whiter_than_white():
    assert b_mode([[0, 1, 6], [0, 0, 0]]).brightness().max() == 1


@pytest.mark.parametrize("dynamic_range", [0, -60, 201, np.nan])
def test_a_dynamic_range_that_shows_nothing_is_refused(dynamic_range):
    with refused(RangeError, f"dynamic_range must lie in 1..200 dB, got {dynamic_range}"):
        image().brightness(dynamic_range=dynamic_range)


@pytest.mark.parametrize("dynamic_range", [1, 200])
def test_the_limits_of_dynamic_range_pass(dynamic_range):
    assert b_mode([[0, -0.5, -100], [0, 0, 0]]).brightness(dynamic_range=dynamic_range)[0, 0, 0] == 1


@given(images())
def test_a_notebook_gets_a_png_of_the_first_frame(picture):
    shown = decode_png(picture._repr_png_())
    np.testing.assert_allclose(shown / 255, picture.brightness()[0], atol=ATOL_GREY8)


def test_grey_is_rounded_to_the_nearest_step():
    made = image(values=np.array([[[0.4 / 255, 0.6 / 255, 1], [0, 1.4 / 255, 254.6 / 255]]], np.float32))
    assert decode_png(made._repr_png_()).tolist() == [[0, 1, 255], [0, 1, 255]]


def test_supplied_spacing_changes_the_grid_alone():
    made = image(times=[0.5], provenance=[Step(name="read", version="1")])
    measured = made.with_spacing((1e-4, 2e-4))
    assert measured.grid == replace(PICTURE, spacing=(1e-4, 2e-4))
    np.testing.assert_array_equal(measured.values, made.values)
    np.testing.assert_array_equal(measured.times, made.times)
    assert measured.provenance == made.provenance


def test_a_cut_keeps_its_place_when_spacing_is_supplied():
    cut = PixelGrid(rows=4, columns=5, spacing=None).cut((1, 2), (2, 3))
    assert image(grid=cut).with_spacing((1e-4, 1e-4)).grid.corner == (1, 2)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (
            PixelGrid(rows=2, columns=3, spacing=(1e-4, 2.5e-4)),
            "spacing can only be supplied where it is unknown, the file itself says 0.1 x 0.25 mm",
        ),
        (LINES, "spacing can only be supplied for a picture, this image's grid is already in meters"),
    ],
)
def test_nobody_overrules_what_a_file_says_of_spacing(grid, message):
    with refused(InputError, message):
        image(grid=grid).with_spacing((1e-4, 1e-4))


def test_what_is_given_is_kept():
    step = Step(name="read", version="1")
    color = np.arange(18, dtype=np.uint8).reshape(1, 2, 3, 3)
    made = image(times=[0.5], color=color, provenance=[step])
    assert made.n_frames == 1
    assert made.provenance == (step,)
    np.testing.assert_array_equal(made.times, [0.5])
    np.testing.assert_array_equal(made.color, color)


@given(poses())
def test_one_pose_per_frame(pose):
    assert image(poses=[pose]).poses == (pose,)
    with refused(AxesError, "Image.poses must be one per frame (1), got 2"):
        image(poses=[pose, pose])


COLOR = "Image.color must be uint8 of shape (1, 2, 3, 3), got "
FRAMES = (
    (np.zeros((2, 3)), "must be (frame, axial, lateral), got shape (2, 3)"),
    (np.zeros((0, 2, 3)), "must hold at least one frame, got shape (0, 2, 3)"),
    (np.zeros((1, 3, 2)), "must have 2 x 3 pixels as its grid, got shape (1, 3, 2)"),
)


@pytest.mark.parametrize(("values", "message"), FRAMES)
def test_frames_must_lie_on_their_grid(values, message):
    with refused(AxesError, f"Image.values {message}"):
        image(values=values)
    with refused(AxesError, f"IQImage.values {message}"):
        iq(values=values.astype(complex))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"values": np.zeros((1, 2, 3), np.uint8)},
            AxesError,
            "Image.values must be floating point, got uint8 (8-bit grey? divide by 255)",
        ),
        (
            {"values": np.full((1, 2, 3), np.nan)},
            RangeError,
            "Image.values must be finite, got 6 NaN or infinite, the first at (0, 0, 0)",
        ),
        (
            {"values": np.full((1, 2, 3), 255.0)},
            InputError,
            "Image.values of brightness must lie in 0..1, got 255..255 (8-bit?)",
        ),
        (
            {"values": np.full((1, 2, 3), 1.01)},
            InputError,
            "Image.values of brightness must lie in 0..1, got 1.01..1.01 (8-bit?)",
        ),
        (
            {"values": np.array([[[0, 0, 1], [0, -0.5, 0.5]]])},
            InputError,
            "Image.values of brightness must lie in 0..1, got -0.5..1 (8-bit?)",
        ),
        (
            {"color": np.zeros((1, 2, 3), np.uint8)},
            AxesError,
            "Image.color must be (frame, axial, lateral, 3), got shape (1, 2, 3)",
        ),
        ({"color": np.zeros((2, 2, 3, 3), np.uint8)}, AxesError, COLOR + "uint8 of (2, 2, 3, 3)"),
        ({"color": np.zeros((1, 2, 3, 3))}, AxesError, COLOR + "float64 of (1, 2, 3, 3)"),
        ({"times": [0, 1]}, AxesError, "Image.times must have one time per frame (1), got 2"),
    ],
)
def test_an_image_that_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        image(**changes)


def test_decibels_may_be_anything_finite():
    assert b_mode([[-200, 3, 0], [0, 0, 0]]).values.min() == -200


@given(iq_images())
def test_baseband_frames_are_kept(made):
    assert made.n_frames == len(made.values)
    assert made.provenance == ()


def test_what_a_file_of_beamformed_lines_does_not_say_is_none():
    made = iq(center_frequency=None, sound_speed=None, provenance=[Step(name="read", version="1")])
    assert made.center_frequency is made.sound_speed is None
    assert isinstance(made.provenance, tuple)
    assert len(made.provenance) == 1


def test_baseband_frames_have_times():
    np.testing.assert_array_equal(iq(times=[2.0]).times, [2.0])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"values": np.ones((1, 2, 3))},
            AxesError,
            "IQImage.values must be complex, got float64 (an envelope?)",
        ),
        (
            {"values": np.full((1, 2, 3), 1j * np.inf)},
            RangeError,
            "IQImage.values must be finite, got 6 NaN or infinite, the first at (0, 0, 0)",
        ),
        (
            {"center_frequency": 5},
            RangeError,
            "IQImage.center_frequency must lie in 100000..1e+09 Hz, got 5 (MHz?)",
        ),
        (
            {"sound_speed": 1.54},
            RangeError,
            "IQImage.sound_speed must lie in 300..6000 m/s, got 1.54 (km/s?)",
        ),
        ({"times": [0, 1]}, AxesError, "IQImage.times must have one time per frame (1), got 2"),
    ],
)
def test_baseband_that_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        iq(**changes)


@pytest.mark.parametrize("field", ["values", "times", "color"])
def test_arrays_of_an_image_are_frozen(field):
    made = image(times=[0.0], color=np.zeros((1, 2, 3, 3), np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        getattr(made, field)[0] = 0


@pytest.mark.parametrize("field", ["values", "times"])
def test_arrays_of_baseband_are_frozen(field):
    with pytest.raises(ValueError, match="read-only"):
        getattr(iq(times=[0.0]), field)[0] = 0


@given(st.sampled_from(["values", "grid", "quantity"]))
def test_no_field_can_be_set(field):
    with pytest.raises(AttributeError):
        setattr(image(), field, None)
