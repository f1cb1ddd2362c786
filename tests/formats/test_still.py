"""PNG and JPEG, made here and read back; and pictures that lie about their size, or are none."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image as Picture

from formats.hostile import (
    FOREIGN,
    SWOLLEN,
    damaged,
    full_disk,
    modest_memory,
    noun_or_refusal,
    pickle_that_acts,
    refusal,
    swelling,
    truncations,
)
from insonate.core import FormatError, OutputError, Quantity
from insonate.formats import still
from refusals import refused
from tolerances import ATOL_GREY8

ROWS, COLUMNS = 20, 30
ATOL_JPEG = 4 / 255
"""JPEG at quality 100 of a smooth picture: quantization and the rounding of two color spaces."""
LUMA = np.array([0.299, 0.587, 0.114])


def smooth():
    """Give a ramp in both directions, (ROWS, COLUMNS) uint8."""
    row, column = np.mgrid[:ROWS, :COLUMNS]
    return (20 + 4 * row + 5 * column).astype(np.uint8)


def colors():
    """Give three different ramps, (ROWS, COLUMNS, 3) uint8."""
    return np.stack([smooth(), 255 - smooth(), smooth() // 2 + 60], axis=-1)


def saved(tmp_path, picture, name="scan.png", **settings):
    path = tmp_path / name
    picture = picture if isinstance(picture, Picture.Image) else Picture.fromarray(picture)
    picture.save(path, **settings)
    return path


def png(width, height, *chunks, bits=8, kind=0):
    """Give a PNG of given chunks, whatever its header claims."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *(chunk(*part) for part in chunks), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


# --- what is read ----------------------------------------------------------------------------------------------------


@given(arrays(np.uint8, st.tuples(st.integers(4, 12), st.integers(4, 12)), elements=st.integers(0, 255)))
def test_grey_comes_back_bit_for_bit(tmp_path_factory, pixels):
    pixels.ravel()[:8] = range(8)  # more values than a mask has
    path = saved(tmp_path_factory.getbasetemp(), pixels)
    (image,) = still.read(path)
    np.testing.assert_array_equal(np.round(image.values[0] * 255), pixels)
    assert image.values.dtype == np.float32
    assert image.color is None


def test_one_image_of_one_frame_of_unknown_spacing(tmp_path):
    path = saved(tmp_path, smooth(), dpi=(300, 300))
    assert still.can_read(path)
    (image,) = still.read(path)
    assert image.values.shape == (1, ROWS, COLUMNS)
    assert image.quantity is Quantity.BRIGHTNESS
    assert image.grid.spacing is None  # dots per inch are a size on paper
    assert (image.times, image.poses) == (None, None)
    assert image.provenance[0].settings == {"mode": "L"}


def test_sixteen_bits_are_read_in_full(tmp_path):
    values = np.linspace(0, 65535, ROWS * COLUMNS).astype(np.uint16).reshape(ROWS, COLUMNS)
    (image,) = still.read(saved(tmp_path, values))
    np.testing.assert_allclose(image.values[0], values / 65535, atol=1e-7)


def test_color_is_kept_beside_its_luma(tmp_path):
    (image,) = still.read(saved(tmp_path, colors()))
    np.testing.assert_array_equal(image.color[0], colors())
    np.testing.assert_allclose(image.values[0], colors() @ LUMA / 255, atol=ATOL_GREY8)


def test_grey_stored_as_color_is_grey(tmp_path):
    (image,) = still.read(saved(tmp_path, np.repeat(smooth()[..., np.newaxis], 3, axis=2)))
    assert image.color is None
    np.testing.assert_array_equal(np.round(image.values[0] * 255), smooth())


@pytest.mark.parametrize("alpha", [0, 100, 255])
def test_transparency_is_not_read(tmp_path, alpha):
    layer = np.full((ROWS, COLUMNS, 1), alpha, np.uint8)
    layer[0, 0] = 255
    (image,) = still.read(saved(tmp_path, np.concatenate([colors(), layer], axis=-1)))
    np.testing.assert_array_equal(image.color[0], colors())
    grey = Picture.merge("LA", [Picture.fromarray(smooth()), Picture.fromarray(layer[..., 0])])
    (image,) = still.read(saved(tmp_path, grey))
    np.testing.assert_array_equal(np.round(image.values[0] * 255), smooth())


@pytest.mark.parametrize("transparency", [None, 7, bytes(range(256))])
def test_a_palette_gives_each_value_its_color(tmp_path, transparency):
    table = np.stack([np.arange(256), 255 - np.arange(256), np.arange(256) // 2], axis=-1).astype(np.uint8)
    picture = Picture.frombytes("P", (COLUMNS, ROWS), smooth().tobytes())
    picture.putpalette(table.tobytes())
    settings = {} if transparency is None else {"transparency": transparency}
    (image,) = still.read(saved(tmp_path, picture, **settings))
    np.testing.assert_array_equal(image.color[0], table[smooth()])


@pytest.mark.parametrize("name", ["scan.jpg", "scan.jpeg"])
def test_jpeg_of_grey_and_of_color(tmp_path, name):
    (image,) = still.read(saved(tmp_path, smooth(), name, quality=100))
    np.testing.assert_allclose(image.values[0], smooth() / 255, atol=ATOL_JPEG)
    assert image.color is None
    (image,) = still.read(saved(tmp_path, colors(), name, quality=100, subsampling=0))
    np.testing.assert_allclose(image.color[0] / 255, colors() / 255, atol=ATOL_JPEG)


def test_four_inks_become_three_colors(tmp_path):
    inks = Picture.fromarray(colors()).convert("CMYK")
    (image,) = still.read(saved(tmp_path, inks, "scan.jpg", quality=100, subsampling=0))
    np.testing.assert_allclose(image.color[0] / 255, colors() / 255, atol=ATOL_JPEG)


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_a_picture_taken_with_a_turned_camera_is_turned_upright(tmp_path, orientation, turns):
    exif = Picture.Exif()
    exif[0x0112] = orientation
    (image,) = still.read(saved(tmp_path, smooth(), exif=exif))
    np.testing.assert_array_equal(np.round(image.values[0] * 255), np.rot90(smooth(), turns))


def test_a_name_that_lies_is_overruled_by_the_content(tmp_path):
    path = saved(tmp_path, smooth(), "scan.bin", format="PNG")
    assert still.can_read(path)
    assert len(still.read(path)) == 1


# --- refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_labels", [2, 3, 6])
@pytest.mark.parametrize("mode", ["L", "P", "RGB", "1"])
def test_a_mask_is_refused(tmp_path, n_labels, mode):
    labels = (smooth() % n_labels) * 40
    picture = Picture.fromarray(labels.astype(np.uint8)).convert(mode, dither=None)
    n_values = 2 if mode == "1" else n_labels
    line = f"mask.png: expected a picture, got what looks like a label mask ({n_values} different values)"
    with refused(FormatError, line):
        still.read(saved(tmp_path, picture, "mask.png"))


def test_seven_values_are_no_mask(tmp_path):
    assert len(still.read(saved(tmp_path, (smooth() % 7) * 30))) == 1


def test_a_picture_of_many_colors_is_no_mask_whatever_bits_they_share(tmp_path):
    pixels = np.stack([smooth(), ~smooth(), smooth()], axis=-1)  # red or green is always all ones
    pixels[0, 0] = 0
    assert len(still.read(saved(tmp_path, pixels))) == 1


def test_a_picture_larger_than_any_scan_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "huge.png"
    path.write_bytes(png(8000, 8001, (b"IDAT", zlib.compress(bytes(100)))))
    line = "huge.png: a picture may have at most 64,000,000 pixels, its header claims 8000 x 8001"
    with modest_memory(32 << 20), refused(FormatError, line):
        still.read(path)


@pytest.mark.parametrize("side", [11_000, 60_000, 2_000_000_000])
def test_a_picture_that_claims_a_hundred_gigabytes_is_refused_before_it_is_decoded(tmp_path, side):
    path = tmp_path / "huge.png"
    path.write_bytes(png(side, side, (b"IDAT", zlib.compress(bytes(100))), bits=16, kind=6))
    with (
        modest_memory(32 << 20),
        refused(FormatError, "huge.png: refused, its header claims far more pixels than a scan has"),
    ):
        still.read(path)


@pytest.mark.parametrize("kind", ["zTXt", "iTXt", "iCCP"])
def test_a_note_that_swells_without_end_costs_no_memory(tmp_path, kind):
    head = {"zTXt": b"note\0\0", "iTXt": b"note\0\1\0\0\0", "iCCP": b"profile\0\0"}[kind]
    lines = b"".join(b"\0" + row.tobytes() for row in smooth())
    path = tmp_path / "scan.png"
    path.write_bytes(png(COLUMNS, ROWS, (kind.encode(), head + swelling()), (b"IDAT", zlib.compress(lines))))
    with modest_memory(SWOLLEN // 2):
        noun_or_refusal(still.read, path)


def test_pixels_that_swell_beyond_the_header_are_cut_off(tmp_path):
    path = tmp_path / "scan.png"
    path.write_bytes(png(COLUMNS, ROWS, (b"IDAT", swelling())))
    with modest_memory(SWOLLEN // 2):
        noun_or_refusal(still.read, path)


@pytest.mark.parametrize("name", ["scan.png", "scan.jpg"])
def test_cut_anywhere_it_is_refused(tmp_path, name):
    data = saved(tmp_path, colors(), name).read_bytes()
    path = tmp_path / f"cut-{name}"
    for part in truncations(data):
        path.write_bytes(part)
        nouns = noun_or_refusal(still.read, path)
        # Only the end mark may be missing: then every pixel is still there.
        assert nouns is None or len(data) - len(part) <= 20


@given(st.data())
@pytest.mark.parametrize("name", ["scan.png", "scan.jpg"])
def test_damaged_anywhere_it_gives_a_noun_or_one_line(tmp_path_factory, name, data):
    folder = tmp_path_factory.getbasetemp()
    whole = folder / f"whole-{name}"
    if not whole.exists():
        exif = Picture.Exif()
        exif[0x0112] = 6
        saved(folder, colors(), whole.name, exif=exif, dpi=(72, 72))
    path = folder / f"damaged-{name}"
    path.write_bytes(data.draw(damaged(whole.read_bytes())))
    noun_or_refusal(still.read, path)


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_picture_is_refused(tmp_path, kind):
    path = tmp_path / "foreign.png"
    path.write_bytes(FOREIGN[kind])
    assert not still.can_read(path)
    refusal(still.read, path)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "WEBP", "PPM", "EPS"])
def test_other_pictures_are_refused_even_under_the_name_of_a_png(tmp_path, kind):
    path = saved(tmp_path, smooth(), "scan.png", format=kind)
    assert not still.can_read(path)
    refusal(still.read, path)


def test_a_pickle_is_never_loaded(tmp_path):
    path, mark = tmp_path / "scan.png", tmp_path / "loaded"
    path.write_bytes(pickle_that_acts(mark))
    refusal(still.read, path)
    assert not mark.exists()


# --- written ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pixels", [smooth(), colors()], ids=["grey", "color"])
def test_what_is_written_is_read(tmp_path, pixels):
    still.write_png(tmp_path / "out.png", pixels)
    np.testing.assert_array_equal(np.asarray(Picture.open(tmp_path / "out.png")), pixels)
    (image,) = still.read(tmp_path / "out.png")
    assert (image.color is not None) == (pixels.ndim == 3)


def test_labels_are_their_own_values_and_the_palette_only_shows_them(tmp_path):
    labels = (smooth() % 3).astype(np.uint8)
    shown = [(0, 0, 0), (200, 100, 0), (0, 90, 180)]
    still.write_labels(tmp_path / "labels.png", labels, shown)
    with Picture.open(tmp_path / "labels.png") as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.asarray(picture), labels)
        np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), np.array(shown)[labels])


def test_a_full_disk_leaves_nothing_half_written(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (200, 200), dtype=np.uint8)
    path = tmp_path / "out.png"
    path.write_bytes(b"old")
    for write in (still.write_png, lambda path, pixels: still.write_labels(path, pixels, [(0, 0, 0)] * 256)):
        with (
            full_disk(),
            pytest.raises(OutputError, match=r"cannot be written: .*; nothing was left half-written"),
        ):
            write(path, noise)
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]


# --- real files ------------------------------------------------------------------------------------------------------


@pytest.mark.data
def test_real_pictures_are_read_and_their_masks_refused(shared_data):
    folder = shared_data("carotid-ccaui")
    pictures, masks = sorted((folder / "images").iterdir()), sorted((folder / "masks").iterdir())
    assert len(pictures) == len(masks) > 0
    for path in pictures[:6]:
        (image,) = still.read(path)
        width, height = struct.unpack_from(">II", path.read_bytes(), 16)  # of the PNG's own header
        assert image.grid.shape == (height, width)
        assert image.grid.spacing is None
        assert 0.02 < image.values.mean() < 0.6
    for path in masks:
        assert "got what looks like a label mask" in refusal(still.read, path)
    assert not still.can_read(folder / "SOURCE.md")
