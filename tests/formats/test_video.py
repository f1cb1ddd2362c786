"""Clips encoded here and read back: every frame, its time, its right way up; and clips that lie or end too early."""

import io
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

from formats.hostile import (
    FOREIGN,
    damaged,
    modest_memory,
    noun_or_refusal,
    pickle_that_acts,
    refusal,
    truncations,
)
from insonate.core import AxesError, FormatError, InputError, Quantity, RangeError
from insonate.formats import video
from refusals import refused

ROWS, COLUMNS, RATE = 48, 64, 25
ATOL_CODEC = 5 / 255
"""A smooth picture at the codec's best quality, and the rounding of two ranges of luma."""

LOSSLESS = {
    "raw.avi": ("rawvideo", "gray", {}),
    "ffv1.avi": ("ffv1", "gray", {}),
    "png.mov": ("png", "gray", {}),
}
LOSSY = {
    "h264.mp4": ("libx264", "yuv420p", {"crf": "1"}),
    "h264.mov": ("libx264", "yuv444p", {"crf": "1"}),
    "mpeg4.mp4": ("mpeg4", "yuv420p", {"flags": "+qscale", "global_quality": "118"}),
    "mpeg4.avi": ("mpeg4", "yuv420p", {"flags": "+qscale", "global_quality": "118"}),
    "jpeg.avi": ("mjpeg", "yuvj420p", {"flags": "+qscale", "global_quality": "118"}),
}
CODECS = LOSSLESS | LOSSY


def smooth(n_frames=6):
    """Give a ramp in both directions, brighter from frame to frame, (n_frames, ROWS, COLUMNS) uint8."""
    row, column = np.mgrid[:ROWS, :COLUMNS]
    return np.stack([20 + 2 * row + column + 5 * frame for frame in range(n_frames)]).astype(np.uint8)


def clip(folder, name="raw.avi", frames=None, *, at=None, sound=False):
    """Encode frames, each shown from `at` on, in units of 1/RATE s."""
    codec, pixels, settings = CODECS[name]
    frames = smooth() if frames is None else frames
    path = folder / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt, stream.options = pixels, settings
        stream.codec_context.time_base = Fraction(1, RATE)
        if sound:
            noise = container.add_stream("pcm_s16le", rate=8000)
        for number, grey in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(grey, format="gray" if grey.ndim == 2 else "rgb24")
            frame = frame.reformat(format=pixels)
            frame.pts, frame.time_base = number if at is None else at[number], Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound:
            heard = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
            heard.sample_rate, heard.pts = 8000, 0
            container.mux(noise.encode(heard))
            container.mux(noise.encode())
    return path


# --- what is read ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOSSLESS)
def test_grey_comes_back_bit_for_bit(tmp_path, name):
    path = clip(tmp_path, name)
    assert video.can_read(path)
    (image,) = video.read(path)
    np.testing.assert_array_equal(np.round(image.values * 255), smooth())


@pytest.mark.parametrize("name", LOSSY)
def test_every_frame_comes_back_at_its_time(tmp_path, name):
    path = clip(tmp_path, name)
    assert video.can_read(path)
    (image,) = video.read(path)
    np.testing.assert_allclose(image.values, smooth() / 255, atol=ATOL_CODEC)
    np.testing.assert_allclose(image.times, np.arange(6) / RATE, atol=1e-6)
    assert image.quantity is Quantity.BRIGHTNESS
    assert image.grid.shape == (ROWS, COLUMNS)
    assert image.grid.spacing is None
    assert image.provenance[0].settings["frames"] == 6


def test_uneven_times_are_those_of_the_file_from_its_first_frame(tmp_path):
    at = [10, 11, 13, 20, 21, 25]
    (image,) = video.read(clip(tmp_path, "png.mov", at=at))
    np.testing.assert_allclose(image.times, (np.array(at) - at[0]) / RATE, atol=1e-6)


def test_the_grey_of_color_is_its_luma(tmp_path):
    color = np.zeros((2, ROWS, COLUMNS, 3), np.uint8)
    color[:, :, :20], color[:, :, 20:40], color[:, :, 40:] = (200, 0, 0), (0, 200, 0), (0, 0, 200)
    (image,) = video.read(clip(tmp_path, "h264.mov", color))
    for column, weight in ((10, 0.299), (30, 0.587), (50, 0.114)):
        assert image.values[0, 20, column] == pytest.approx(200 * weight / 255, abs=ATOL_CODEC)


def test_a_single_frame_is_a_clip_too(tmp_path):
    (image,) = video.read(clip(tmp_path, frames=smooth(1)))
    assert image.n_frames == 1


def test_sound_is_passed_over(tmp_path):
    (image,) = video.read(clip(tmp_path, "png.mov", sound=True))
    np.testing.assert_array_equal(np.round(image.values * 255), smooth())


@pytest.mark.parametrize(
    ("matrix", "turns"), [((1, 0, 0, 1), 0), ((0, 1, -1, 0), -1), ((-1, 0, 0, -1), 2), ((0, -1, 1, 0), 1)]
)
def test_a_clip_taken_with_a_turned_camera_is_turned_upright(tmp_path, matrix, turns):
    """The track's matrix (a b c d) of ISO 14496-12 shows the stored (column, row) at (a x + c y, b x + d y)."""
    path = clip(tmp_path, "png.mov")
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in matrix)
    struct.pack_into(">9i", data, at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    (image,) = video.read(path)
    shown = np.stack([np.rot90(frame, turns) for frame in smooth()])
    np.testing.assert_array_equal(np.round(image.values * 255), shown)
    corner = np.array([[matrix[0], matrix[2]], [matrix[1], matrix[3]]]) @ (COLUMNS, ROWS)
    assert image.grid.shape == (abs(corner[1]), abs(corner[0]))


# --- refused ---------------------------------------------------------------------------------------------------------


def test_sound_alone_is_refused(tmp_path):
    path = tmp_path / "sound.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        heard = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        heard.sample_rate = 8000
        container.mux(stream.encode(heard))
        container.mux(stream.encode())
    line = "sound.mov: expected moving pictures, got a file without a video stream"
    with refused(FormatError, line):
        video.read(path)


def test_an_unknown_codec_is_refused(tmp_path):
    path = clip(tmp_path, "png.mov")
    path.write_bytes(path.read_bytes().replace(b"png ", b"zzz\1"))
    refusal(video.read, path)


def test_a_header_larger_than_any_scan_is_refused_before_it_is_decoded(tmp_path):
    path = clip(tmp_path)
    data = bytearray(path.read_bytes())
    at = data.index(b"strf") + 8 + 4
    line = "raw.avi: its frames have no size that can be told, or more than 64,000,000 pixels"
    for side in (9000, 200_000):
        struct.pack_into("<ii", data, at, side, 8000)
        path.write_bytes(data)
        with modest_memory(), refused(FormatError, line):
            video.read(path)


def of_pictures(tmp_path, *frames):
    """Put frames of any size, each a PNG, into one clip."""
    path = tmp_path / "pictures.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=RATE)
        stream.height, stream.width = frames[0].shape
        stream.pix_fmt = "gray"
        for number, grey in enumerate(frames):
            file = io.BytesIO()
            Picture.fromarray(grey).save(file, "PNG")
            packet = av.Packet(file.getvalue())
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base = Fraction(1, RATE)
            container.mux(packet)
    return path


def test_a_picture_that_changes_its_size_is_refused(tmp_path):
    path = of_pictures(tmp_path, smooth()[0], smooth()[1], smooth()[2, :24])
    with refused(FormatError, "pictures.mov: the picture changes its size from (48, 64) to (24, 64)"):
        video.read(path)


@pytest.mark.parametrize("first", [0, 1])
def test_a_frame_that_claims_more_than_the_header_is_not_decoded(tmp_path, monkeypatch, first):
    monkeypatch.setattr(video, "MOST_PIXELS", ROWS * COLUMNS)
    larger = np.zeros((ROWS, COLUMNS + 1), np.uint8)
    frames = [larger] if first else [smooth()[0], larger]
    line = refusal(video.read, of_pictures(tmp_path, *frames))
    expected = (
        "got a damaged or truncated one",
        "its frames have no size that can be told, or more than 3,072 pixels",
    )
    assert expected[first] in line


def test_more_frames_than_are_read_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(video, "MOST_BYTES", 4 * 4 * ROWS * COLUMNS)
    line = "raw.avi: at most 0 GB of frames are read, got more than 4 of 48 x 64 (cut the clip)"
    with refused(FormatError, line):
        video.read(clip(tmp_path))
    monkeypatch.setattr(video, "MOST_BYTES", 6 * 4 * ROWS * COLUMNS)
    assert len(video.read(clip(tmp_path))) == 1


@pytest.mark.parametrize("name", ["raw.avi", "jpeg.avi", "h264.mp4", "png.mov"])
def test_cut_anywhere_it_is_refused(tmp_path, name):
    data = clip(tmp_path, name).read_bytes()
    path = tmp_path / f"cut-{name}"
    for part in truncations(data):
        path.write_bytes(part)
        assert noun_or_refusal(video.read, path) is None, len(part)


def test_a_clip_cut_among_its_frames_says_so(tmp_path):
    data = clip(tmp_path).read_bytes()
    path = tmp_path / "cut.avi"
    path.write_bytes(data[:9000])
    line = f"cut.avi: expected a whole clip, got 9,000 bytes of at least {len(data):,} (truncated?)"
    with refused(FormatError, line):
        video.read(path)


def test_what_follows_the_last_box_is_passed_over(tmp_path):
    path = clip(tmp_path, "png.mov")
    path.write_bytes(path.read_bytes() + b"a note of forty bytes that is not a box.")
    assert len(video.read(path)) == 1


def test_a_chunk_of_odd_length_is_followed_by_one_more_byte(tmp_path):
    path = clip(tmp_path)
    data = path.read_bytes()
    odd, short = b"JUNK" + struct.pack("<I", 5) + bytes(6), b"JUNK" + struct.pack("<I", 100) + bytes(8)
    path.write_bytes(data + odd + b"JUNK" + struct.pack("<I", 8) + bytes(8))
    assert len(video.read(path)) == 1
    path.write_bytes(data + odd + short)
    assert "truncated?" in refusal(video.read, path)


def test_a_box_of_sixty_four_bits_is_followed(tmp_path):
    path = clip(tmp_path, "png.mov")
    data = path.read_bytes()
    box = struct.pack(">I4sQ", 1, b"free", 24) + bytes(8)
    path.write_bytes(data + box)
    assert len(video.read(path)) == 1
    path.write_bytes(data + struct.pack(">I4sQ", 1, b"free", 1 << 40) + bytes(8))
    assert "truncated?" in refusal(video.read, path)


@given(st.data())
@pytest.mark.parametrize("name", ["raw.avi", "jpeg.avi", "mpeg4.avi", "h264.mp4", "png.mov"])
def test_damaged_anywhere_it_gives_a_noun_or_one_line(tmp_path_factory, name, data):
    folder = tmp_path_factory.getbasetemp()
    if not (folder / name).exists():
        clip(folder, name, smooth(3))
    path = folder / f"damaged-{name}"
    path.write_bytes(data.draw(damaged((folder / name).read_bytes())))
    noun_or_refusal(video.read, path)


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_clip_is_refused(tmp_path, kind):
    path = tmp_path / "foreign.mp4"
    path.write_bytes(FOREIGN[kind])
    assert not video.can_read(path)
    refusal(video.read, path)


def test_a_list_of_other_files_is_not_followed(tmp_path):
    other = clip(tmp_path, "h264.mp4")
    path = tmp_path / "list.mp4"
    for text in (
        f"ffconcat version 1.0\nfile {other.name}\n",
        f"#EXTM3U\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n",
    ):
        path.write_text(text)
        assert not video.can_read(path)
        refusal(video.read, path)


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_other_moving_pictures_are_refused(tmp_path, kind):
    path = tmp_path / "clip.mp4"
    file = io.BytesIO()
    frames = [Picture.fromarray(frame) for frame in smooth(3)]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    path.write_bytes(file.getvalue())
    assert not video.can_read(path)
    refusal(video.read, path)


def test_a_pickle_is_never_loaded(tmp_path):
    path, mark = tmp_path / "clip.mp4", tmp_path / "loaded"
    path.write_bytes(pickle_that_acts(mark))
    refusal(video.read, path)
    assert not mark.exists()


# --- clips that we write ---------------------------------------------------------------------------------------------


def moving(count=12, shape=(64, 80)):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for number in range(count):
        yield (127 + 100 * np.sin(rows / 9 + number / 3) * np.cos(columns / 11)).astype(np.uint8)


def test_a_clip_that_we_write_comes_back_with_its_times(tmp_path):
    path = tmp_path / "clip.mp4"
    assert video.write(path, moving(), frame_rate=20.0) == 12
    (clip,) = video.read(path)
    np.testing.assert_allclose(clip.times, np.arange(12) / 20, atol=1e-3)
    given = np.stack(list(moving())) / 255
    assert np.abs(clip.values - given).mean() < 0.03  # a lossy codec
    assert clip.provenance[0].settings["codec"] in ("vp9", "libvpx-vp9")


def test_color_is_kept(tmp_path):
    pictures = np.zeros((5, 64, 80, 3), np.uint8)
    pictures[:, :32, :, 0], pictures[:, 32:, :, 2] = 200, 180
    assert video.write(tmp_path / "clip.mp4", pictures, frame_rate=20.0) == 5
    with av.open(str(tmp_path / "clip.mp4")) as container:
        read = np.stack([one.to_ndarray(format="rgb24") for one in container.decode(video=0)])
    assert np.abs(read.astype(int) - pictures)[:, 4:28].mean() < 6
    assert np.abs(read.astype(int) - pictures)[:, 36:60].mean() < 6


def test_an_odd_row_or_column_is_left_out(tmp_path):
    video.write(tmp_path / "clip.mp4", moving(2, (63, 81)), frame_rate=20.0)
    assert video.read(tmp_path / "clip.mp4")[0].values.shape[1:] == (62, 80)


@pytest.mark.parametrize(
    ("name", "pictures", "rate", "error", "message"),
    [
        ("clip.avi", [], 20.0, InputError, "a clip's name must end in .mp4, got 'clip.avi'"),
        ("clip.mp4", [], 20.0, InputError, "a clip must hold at least one picture, got none"),
        ("clip.mp4", [], 0.0, RangeError, "frame_rate must lie in 0.1..1000 Hz, got 0"),
        (
            "clip.mp4",
            [np.zeros((4, 4, 4), np.uint8)],
            20.0,
            AxesError,
            "picture must be (row, column, 3), got shape (4, 4, 4)",
        ),
        (
            "clip.mp4",
            [np.zeros((4, 4))],
            20.0,
            AxesError,
            "picture must be of uint8, got float64",
        ),
        (
            "clip.mp4",
            [np.zeros((8, 8), np.uint8), np.zeros((6, 8), np.uint8)],
            20.0,
            AxesError,
            "picture must be (8, 8), got shape (6, 8)",
        ),
    ],
)
def test_what_is_no_clip_is_not_written(tmp_path, name, pictures, rate, error, message):
    with refused(error, message):
        video.write(tmp_path / name, pictures, frame_rate=rate)
    assert list(tmp_path.iterdir()) == []


# --- real files ------------------------------------------------------------------------------------------------------


@pytest.mark.data
def test_a_real_clip_has_the_frames_and_times_of_its_tables(shared_data):
    """The sample table of the MP4 (stts: runs of equal durations) is read by hand."""
    path = shared_data("lung-pleura") / "Reg_Image_181432_crop.mp4"
    data = path.read_bytes()
    scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 4 + 12)[0]
    at = data.index(b"stts") + 8
    runs = struct.unpack_from(f">{2 * struct.unpack_from('>I', data, at)[0]}I", data, at + 4)
    lengths = np.repeat(runs[1::2], runs[::2])
    (image,) = video.read(path)
    assert image.n_frames == len(lengths)
    assert image.grid.spacing is None
    np.testing.assert_allclose(np.diff(image.times), lengths[:-1] / scale, atol=1e-6)
