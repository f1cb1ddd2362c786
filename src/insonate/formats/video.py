"""Clips in MP4, MOV and AVI, decoded by FFmpeg's libraries through PyAV.

Grey is the luma that FFmpeg computes. Spacing is never known. Times are those of the file, counted from its first frame.
A clip that a camera marked as turned by quarters is turned upright. A clip that was cut short is refused by the sizes that
its own boxes give, because the libraries would show what is left of it as if it were all.
"""

import struct
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from insonate.core import FormatError, Image, InputError, PixelGrid, Quantity, Step
from insonate.core.checks import check_axes, check_kind, check_range
from insonate.core.units import Hertz
from insonate.formats.writing import replacing

NAME = "video"
SUFFIXES = (".mp4", ".mov", ".avi")
VERSION = "1"

MOST_BYTES = 2 << 30
"""Frames that would take more memory as single precision are refused."""
MOST_PIXELS = 64_000_000
"""A frame of more pixels is refused: no ultrasound machine makes one."""
BOXES = (
    b"ftyp",
    b"moov",
    b"mdat",
    b"wide",
    b"free",
    b"skip",
    b"moof",
    b"mfra",
    b"sidx",
    b"styp",
    b"uuid",
    b"meta",
)
"""Outermost boxes of MP4 and MOV whose size is believed."""


def can_read(path: Path) -> bool:
    """Whether the file begins as MP4, MOV or AVI."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] in BOXES[:6] or _is_avi(head)


def _is_avi(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"AVI "


def _check_whole(path: Path) -> str:
    """Refuse a file that ends before its outermost boxes do, and give its container's name for the library."""
    size, at = path.stat().st_size, 0
    with path.open("rb") as file:
        avi = _is_avi(file.read(12))
        while at + 16 <= size:
            file.seek(at)
            head = file.read(16)
            if avi and head[:4] in (b"RIFF", b"JUNK"):
                length = 8 + int(struct.unpack_from("<I", head, 4)[0])
            elif not avi and head[4:8] in BOXES:
                short, _, long = struct.unpack(">I4sQ", head)
                length = {0: size - at, 1: long}.get(short, short)  # to the end of the file; or in 64 bits
            else:
                break  # what follows is not part of the clip
            if length < 8 or at + length > size:
                raise FormatError(
                    f"{path.name}: expected a whole clip, got {size:,} bytes of at least {at + length:,} (truncated?)"
                )
            at += length + (length % 2 if avi else 0)
    return "avi" if avi else "mov"


def read(path: Path) -> tuple[Image, ...]:
    """Read every frame of a clip.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple of Image
        One; spacing unknown.

    Raises
    ------
    FormatError
        If it is damaged, holds no picture, or is too large.
    """
    try:
        kind = _check_whole(path)
        # A file object, not a name, and a container by name: the libraries never see an address to follow elsewhere.
        # They decode a frame to learn what it is, so the bound is there from the start.
        bound = {"max_pixels": str(MOST_PIXELS)}
        with (
            path.open("rb") as file,
            av.open(file, mode="r", format=kind, options=bound, metadata_errors="ignore") as container,
        ):
            return (_frames(path, container),)
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(f"{path.name}: {error}") from error
    except Exception as error:  # a damaged file makes the libraries stumble in many ways
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise FormatError(
            f"{path.name}: expected a whole MP4, MOV or AVI, got a damaged or truncated one ({reason})"
        ) from error


def _frames(path: Path, container: "av.container.InputContainer") -> Image:
    if not container.streams.video:
        raise FormatError(f"{path.name}: expected moving pictures, got a file without a video stream")
    stream = container.streams.video[0]
    context = stream.codec_context
    if context is None:
        raise FormatError(f"{path.name}: its codec is not one that is decoded")
    if (
        not 0 < context.width * context.height <= MOST_PIXELS
    ):  # the libraries give 0 where it is over the bound
        raise FormatError(
            f"{path.name}: its frames have no size that can be told, or more than {MOST_PIXELS:,} pixels"
        )
    context.options = {"max_pixels": str(MOST_PIXELS)}  # frames may say otherwise than the header
    values: list[np.ndarray] = []
    times: list[float] = []
    taken = 0
    for frame in container.decode(stream):
        if frame.is_corrupt:
            raise FormatError(f"{path.name}: expected whole frames, got a damaged one at frame {len(values)}")
        taken += 4 * frame.width * frame.height
        if taken > MOST_BYTES:
            raise FormatError(
                f"{path.name}: at most {MOST_BYTES >> 30} GB of frames are read, got more than {len(values)} of "
                f"{frame.height} x {frame.width} (cut the clip)"
            )
        grey = frame.to_ndarray(format="gray")
        if frame.rotation % 90 == 0:  # counterclockwise
            grey = np.rot90(grey, frame.rotation // 90)
        if values and grey.shape != values[0].shape:
            raise FormatError(
                f"{path.name}: the picture changes its size from {values[0].shape} to {grey.shape}"
            )
        values.append(grey)
        times.append(np.nan if frame.time is None else float(frame.time))
    if not values:
        raise FormatError(f"{path.name}: expected at least one frame, got none (truncated?)")
    line = np.array(times) - times[0]
    known = bool(np.isfinite(line).all() and (np.diff(line) > 0).all())
    grid = PixelGrid(rows=values[0].shape[0], columns=values[0].shape[1], spacing=None)
    brightness = np.empty((len(values), *grid.shape), np.float32)
    for into, grey in zip(brightness, values, strict=True):
        np.divide(grey, np.float32(255), out=into)
    return Image(
        values=brightness,
        quantity=Quantity.BRIGHTNESS,
        grid=grid,
        times=line if known else None,
        provenance=(
            Step(name="read video", settings={"codec": context.name, "frames": len(values)}, version=VERSION),
        ),
    )


def write(path: Path, pictures: Iterable[np.ndarray], *, frame_rate: Hertz) -> int:
    """Write pictures as VP9 in MP4, which every browser plays, whole or not at all; they are taken one by one.

    Parameters
    ----------
    path : pathlib.Path
        Ends in `.mp4`.
    pictures : iterable of numpy.ndarray
        (rows, columns) grey or (rows, columns, 3) color, uint8, all alike; an odd last row or column is left out.
    frame_rate : float
        [Hz].

    Returns
    -------
    int
        How many there were.

    Raises
    ------
    InputError
        If the name does not end in `.mp4`, or there is none.
    AxesError
        If one is no picture, or of another size.
    OutputError
        If it cannot be written.
    """
    if path.suffix.lower() != ".mp4":
        raise InputError(f"a clip's name must end in .mp4, got {path.name!r}")
    check_range("frame_rate", frame_rate, (0.1, 1000), "Hz")
    rate = Fraction(frame_rate).limit_denominator(1000)
    count, rows, columns = 0, 0, 0
    with replacing(path) as room, av.open(str(room), mode="w", format="mp4") as container:
        stream = container.add_stream("libvpx-vp9", rate=rate)
        stream.pix_fmt = "yuv420p"
        stream.options = {"deadline": "realtime", "cpu-used": "7", "crf": "24", "b": "0"}
        for picture in pictures:
            check_axes("picture", picture, "row column" if picture.ndim == 2 else "row column 3")
            check_kind("picture", picture, ("uint8",))
            if count == 0:
                rows, columns = (n - n % 2 for n in picture.shape[:2])
                stream.width, stream.height = columns, rows
            kept, more = picture[:rows, :columns], "" if picture.ndim == 2 else " 3"
            check_axes("picture", kept, f"{rows} {columns}{more}")
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(kept), format="gray" if kept.ndim == 2 else "rgb24"
            )
            frame.pts, frame.time_base = count, 1 / rate
            container.mux(stream.encode(frame))
            count += 1
        if count == 0:
            raise InputError("a clip must hold at least one picture, got none")
        container.mux(stream.encode(None))
    return count
