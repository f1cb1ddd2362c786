"""Clips in MP4, MOV and AVI, decoded by FFmpeg's libraries through PyAV.

Grey is the luma that FFmpeg computes. Spacing is never known. Times are those of the file, counted from its first frame.
"""

import contextlib
from pathlib import Path

import av
import numpy as np

from insonate.core import FormatError, Image, PixelGrid, Quantity, Step

NAME = "video"
SUFFIXES = (".mp4", ".mov", ".avi")
VERSION = "1"

MOST_BYTES = 2 << 30
"""Frames that would take more memory as single precision are refused."""


def can_read(path: Path) -> bool:
    """Whether the file begins as MP4, MOV or AVI."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip") or (
        head[:4] == b"RIFF" and head[8:12] == b"AVI "
    )


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
        # A file object, not a name: the libraries never see an address that they could follow elsewhere.
        with path.open("rb") as file, av.open(file, mode="r", metadata_errors="ignore") as container:
            if container.format.name.split(",")[0] not in ("mov", "avi"):
                raise FormatError(f"{path.name}: expected MP4, MOV or AVI, got {container.format.long_name}")
            return (_frames(path, container),)
    except FormatError:
        raise
    except (av.error.FFmpegError, ValueError, OSError, MemoryError) as error:
        raise FormatError(
            f"{path.name}: expected a whole clip, got a damaged or truncated one ({error})"
        ) from error


def _frames(path: Path, container: "av.container.InputContainer") -> Image:
    if not container.streams.video:
        raise FormatError(f"{path.name}: expected moving pictures, got a file without a video stream")
    stream = container.streams.video[0]
    frame_bytes = 4 * stream.width * stream.height
    values: list[np.ndarray] = []
    times: list[float | None] = []
    for frame in container.decode(stream):
        if (len(values) + 1) * frame_bytes > MOST_BYTES:
            raise FormatError(
                f"{path.name}: at most {MOST_BYTES >> 30} GB of frames are read, got more than {len(values)} of "
                f"{stream.width} x {stream.height} (cut the clip)"
            )
        grey = frame.to_ndarray(format="gray")
        if values and grey.shape != values[0].shape:
            raise FormatError(
                f"{path.name}: the picture changes its size from {values[0].shape} to {grey.shape}"
            )
        values.append(grey)
        times.append(None if frame.time is None else float(frame.time))
    if not values:
        raise FormatError(f"{path.name}: expected at least one frame, got none (truncated?)")
    line: np.ndarray | None = None
    with contextlib.suppress(TypeError):
        line = np.array(times, dtype=float) - float(times[0] or 0.0)
        if len(line) > 1 and (not np.isfinite(line).all() or (np.diff(line) <= 0).any()):
            line = None
    stack = np.stack(values)
    grid = PixelGrid(rows=stack.shape[1], columns=stack.shape[2], spacing=None)
    settings = {"codec": stream.codec_context.name, "frames": len(stack)}
    return Image(
        values=stack.astype(np.float32) / np.float32(255),
        quantity=Quantity.BRIGHTNESS,
        grid=grid,
        times=line,
        provenance=(Step(name="read video", settings=settings, version=VERSION),),
    )
