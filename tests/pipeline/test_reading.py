"""The right reader for every file, and one clear refusal for everything else."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

import insonate
from insonate.core import FormatError, InputError, InsonateError, IQImage, PixelGrid
from insonate.formats import insonate_hdf5
from insonate.pipeline.catalog import READERS
from insonate.pipeline.reading import open as open_file
from insonate.pipeline.reading import reader_of, supply_spacing
from pipeline.fakes import on_grid, painted, picture, shot
from refusals import refused

KINDS = (
    "not a kind that is read. Expected DICOM, PNG, JPEG, MP4, MOV, AVI, MetaImage (.mha, .mhd), MUST plane-wave .mat, "
    "or Insonate HDF5"
)


@pytest.fixture
def still(tmp_path):
    path = tmp_path / "scan.png"
    Picture.fromarray((255 * painted()).astype(np.uint8)).save(path)
    return path


def test_the_content_says_what_a_file_is_and_not_its_name(still, tmp_path):
    for name in ("scan.jpg", "scan.dcm", "scan", "scan.mat"):
        other = tmp_path / name
        other.write_bytes(still.read_bytes())
        assert reader_of(other) == "still"
    insonate_hdf5.write(tmp_path / "echoes.png", shot())
    assert reader_of(tmp_path / "echoes.png") == "insonate_hdf5"


def test_a_file_is_opened_through_the_front_door_and_by_text(still):
    (image,) = insonate.open(str(still))
    assert image.grid.spacing is None
    np.testing.assert_allclose(image.values[0], painted(), atol=1 / 255)


def test_every_part_of_a_file_is_given(tmp_path):
    insonate_hdf5.write(tmp_path / "both.h5", shot(), picture())
    data, image = open_file(tmp_path / "both.h5")
    assert data.samples.shape == (1, 1, 32, 900)
    assert image.grid.shape == (240, 300)


def test_a_path_that_is_no_file_is_refused(tmp_path):
    gone = tmp_path / "gone.png"
    with refused(FormatError, f"{gone}: no such file"):
        reader_of(gone)
    with refused(FormatError, f"{tmp_path}: expected a file, got a folder"):
        reader_of(tmp_path)
    with refused(FormatError, f"{gone / 'deeper'}: no such file"):
        reader_of(gone / "deeper")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in its file system")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    with refused(FormatError, f"{pipe}: expected an ordinary file, got a device or pipe"):
        reader_of(pipe)


def test_an_empty_file_is_refused(tmp_path):
    empty = tmp_path / "empty.dcm"
    empty.touch()
    with refused(FormatError, "empty.dcm: expected an image, clip or channel data, got an empty file"):
        reader_of(empty)


def test_words_are_refused(tmp_path):
    words = tmp_path / "SOURCE.md"
    words.write_text("# a note\n")
    with refused(FormatError, f"SOURCE.md: {KINDS}"):
        reader_of(words)


def test_a_name_that_no_system_takes_is_one_line_too(tmp_path):
    long = tmp_path / f"{'a' * 300}.png"
    with refused(FormatError, f"{long.name}: cannot be opened: File name too long"):
        reader_of(long)


@pytest.mark.parametrize("asked", ["open", "exists"])
def test_a_file_that_is_closed_to_us_is_refused(still, monkeypatch, asked):
    def closed(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, asked, closed)
    with refused(FormatError, "scan.png: cannot be opened: Permission denied"):
        reader_of(still)


@given(st.binary(min_size=1, max_size=600))
@example(b"\x89PNG\r\n\x1a\n")
@example(b"\xff\xd8\xff\xe0")
@example(b"\x89HDF\r\n\x1a\n" + bytes(100))
@example(bytes(128) + b"DICM" + bytes(50))
@example(b"MATLAB 5.0 MAT-file" + b" " * 105 + b"\x00\x01IM" + bytes(64))
@example(b"ObjectType = Image\nNDims = 2\nDimSize = 4 4\n")
@example(b"\x00\x00\x00\x18ftypmp42" + bytes(64))
@example(b"RIFF\x24\x00\x00\x00AVI " + bytes(64))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_the_bytes_the_answer_is_a_noun_or_one_line(tmp_path, content):
    path = tmp_path / "any"
    path.write_bytes(content)
    try:
        open_file(path)
    except InsonateError as error:
        assert str(error).startswith("any: ")
        assert "\n" not in str(error)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_refused(still, kept):
    content = still.read_bytes()
    still.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(FormatError, match=r"^scan\.png: expected a whole PNG or JPEG, got a damaged"):
        open_file(still)


def test_readers_are_asked_in_their_order(still, monkeypatch):
    asked = []

    class Reader:
        def __init__(self, name):
            self.name = name

        def can_read(self, path):
            asked.append(self.name)
            return self.name == "mat_must"

    monkeypatch.setattr(READERS, "get", Reader)
    assert reader_of(still) == "mat_must"
    assert asked == ["dicom", "insonate_hdf5", "mat_must"]


# --- spacing that somebody supplied ---


def test_a_spacing_is_given_to_a_picture_without(still):
    (image,) = open_file(still, spacing=(1e-4, 2e-4))
    assert image.grid.spacing == (1e-4, 2e-4)


def test_a_spacing_is_given_to_lines_without():
    grid = PixelGrid(rows=20, columns=10, spacing=None)
    lines = IQImage(
        values=np.ones((1, 20, 10), complex), grid=grid, times=None, center_frequency=5e6, sound_speed=1540.0
    )
    assert supply_spacing(lines, (1e-4, 2e-4)).grid.spacing == (1e-4, 2e-4)


@pytest.mark.parametrize(
    ("noun", "message"),
    [
        (picture(), "spacing can only be supplied where it is unknown, the file itself says 0.1 x 0.1 mm"),
        (
            on_grid(np.zeros((1, 5, 5), np.float32)),
            "spacing can only be supplied for a picture, this image's grid is already in meters",
        ),
        (shot(), "spacing can only be supplied where it is unknown, this file defines its own"),
    ],
    ids=["picture", "image in meters", "channel data"],
)
def test_a_spacing_is_refused_where_the_file_says_its_own(noun, message):
    with refused(InputError, message):
        supply_spacing(noun, (1e-4, 1e-4))
