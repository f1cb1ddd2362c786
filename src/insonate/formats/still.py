"""PNG and JPEG: pictures whose spacing nobody wrote down.

Grey of a colored picture is its luma, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), as Pillow computes it. The "pixels
per meter" of a PNG is a size on paper, not of tissue, and is not read. A picture that a camera marked as turned (EXIF
Orientation) is turned upright. Transparency is not read: the colors are taken as they are stored.
"""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageOps

from insonate.core import FormatError, Image, PixelGrid, Quantity, Step
from insonate.formats.writing import replacing

NAME = "still"
SUFFIXES = (".png", ".jpg", ".jpeg")
SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")

MOST_PIXELS = 64_000_000
"""A picture of more pixels is refused: no ultrasound machine makes one."""

FEW_VALUES = 6
"""A picture with no more different values than this, in connected blocks, is a label mask, not a scan."""

VERSION = "1"


def can_read(path: Path) -> bool:
    """Whether the file begins as a PNG or a JPEG."""
    with path.open("rb") as file:
        head = file.read(8)
    return any(head.startswith(signature) for signature in SIGNATURES)


def _decoded(path: Path) -> Picture.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library's remarks on a file that bends its standard
            warnings.simplefilter("error", Picture.DecompressionBombWarning)
            with Picture.open(path, formats=("PNG", "JPEG")) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise FormatError(
                        f"{path.name}: a picture may have at most {MOST_PIXELS:,} pixels, its header claims "
                        f"{picture.width} x {picture.height}"
                    )
                picture.load()
                return ImageOps.exif_transpose(picture)
    except FormatError:
        raise
    except (Picture.DecompressionBombError, Picture.DecompressionBombWarning) as error:
        raise FormatError(
            f"{path.name}: refused, its header claims far more pixels than a scan has"
        ) from error
    except Exception as error:  # a damaged file makes the library stumble in many ways
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise FormatError(
            f"{path.name}: expected a whole PNG or JPEG, got a damaged or truncated one ({reason})"
        ) from error


def _brightness(picture: Picture.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Give grey 0..1 and, where the picture is colored, its 8-bit colors."""
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, dtype=np.float64)
        return (values / 65535.0).clip(0, 1).astype(np.float32), None
    if picture.mode in ("P", "PA"):  # by way of the palette's own colors, whatever it says of transparency
        picture = picture.convert("RGBA")
    whole = picture.convert("RGB")
    color = np.asarray(whole)
    grey = np.asarray(whole.convert("L"), dtype=np.float32) / 255
    spread = int(np.ptp(color.astype(np.int16), axis=-1).max(initial=0))
    return grey, color if spread > 2 else None


def _refuse_mask(path: Path, picture: Picture.Image) -> None:
    values = np.asarray(picture)
    samples = values.reshape(-1, values.shape[-1]) if values.ndim == 3 else values.reshape(-1, 1)
    one_number = samples[:, 0].astype(np.int64)
    for sample in samples.T[1:]:
        one_number = one_number << 16 | sample.astype(np.int64)
    for n_looked_at in (2_000, 200_000):  # a scan is told by its first few pixels
        kinds = np.unique(one_number[:: max(1, len(one_number) // n_looked_at)])
        if len(kinds) > FEW_VALUES:
            return
    if len(kinds) > 1:
        raise FormatError(
            f"{path.name}: expected a picture, got what looks like a label mask ({len(kinds)} different values)"
        )


def read(path: Path) -> tuple[Image, ...]:
    """Read a PNG or JPEG.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple of Image
        One image of one frame; spacing unknown.

    Raises
    ------
    FormatError
        If it is damaged, too large, or a label mask.
    """
    picture = _decoded(path)
    _refuse_mask(path, picture)
    grey, color = _brightness(picture)
    grid = PixelGrid(rows=grey.shape[0], columns=grey.shape[1], spacing=None)
    return (
        Image(
            values=grey[np.newaxis],
            color=None if color is None else color[np.newaxis],
            quantity=Quantity.BRIGHTNESS,
            grid=grid,
            provenance=(Step(name="read still", settings={"mode": picture.mode}, version=VERSION),),
        ),
    )


def png(pixels: np.ndarray) -> bytes:
    """Give grey or colored pixels, (rows, columns) or (rows, columns, 3) uint8, as the bytes of a PNG."""
    room = io.BytesIO()
    Picture.fromarray(np.ascontiguousarray(pixels)).save(room, format="PNG")
    return room.getvalue()


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write grey or colored pixels as a PNG, whole or not at all.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    pixels : numpy.ndarray
        (rows, columns) or (rows, columns, 3) uint8.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with replacing(path) as room:
        Picture.fromarray(np.ascontiguousarray(pixels)).save(room, format="PNG")


def write_labels(path: Path, labels: np.ndarray, colors: Sequence[tuple[int, int, int]]) -> None:
    """Write labels as an indexed PNG: the pixel's value is the label, the palette only shows it.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    labels : numpy.ndarray
        (rows, columns) uint8.
    colors : sequence of (int, int, int)
        Red, green, blue of labels 0, 1, …

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    picture = Picture.frombytes(
        "P", (labels.shape[1], labels.shape[0]), np.ascontiguousarray(labels).tobytes()
    )
    picture.putpalette([value for color in colors for value in color])
    with replacing(path) as room:
        picture.save(room, format="PNG")
