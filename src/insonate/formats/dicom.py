"""DICOM ultrasound: one image per two-dimensional region and spacing.

Spacing comes from the Sequence of Ultrasound Regions (PS3.3 C.8.5.5): Physical Delta X, Y in centimeters where both
Physical Units are 3 (cm) and the region shows tissue in two dimensions. A negative delta says that the axis runs the
other way; its size is the spacing. Without regions, per-frame or shared Pixel Measures and then Pixel Spacing are taken
[mm]. A placeholder of 1 1 counts as unknown everywhere. Grey is the luma 0.299 R + 0.587 G + 0.114 B.

Only the elements named in `ELEMENTS` are read: nothing that names a patient reaches any noun or message, and the memory
that a crafted file can ask for is bounded.
"""

import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.encaps import generate_frames
from pydicom.pixels import apply_color_lut, iter_pixels

from insonate.core import FormatError, Image, InputError, PixelGrid, Quantity, Step
from insonate.core.provenance import Setting

NAME = "dicom"
SUFFIXES = (".dcm", ".dicom", "")
VERSION = "1"

MOST_BYTES = 2 << 30
"""Files, and frames that as single precision, would take more memory are refused."""
MOST_PIXELS = 64_000_000
"""A frame of more pixels is refused: no ultrasound machine makes one."""
ELEMENTS = [
    *("Modality", "SequenceOfUltrasoundRegions", "PixelSpacing"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *("NumberOfFrames", "FrameTimeVector", "FrameTime", "CineRate", "RecommendedDisplayFrameRate"),
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPresentation"),
    *(
        f"{kind}{color}PaletteColorLookupTable{part}"
        for color in ("Red", "Green", "Blue")
        for kind, part in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
    ),
    *("PixelData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths"),
]
"""The elements that are read, by keyword; everything else is passed over."""
MOST_ELEMENTS = 20_000
"""A file of more elements is refused: the parser would take minutes over what no machine writes."""

TWO_DIMENSIONAL = 1
"""Region Spatial Format: 2-D."""
CENTIMETERS = 3
"""Physical Units: cm."""
MODALITIES = ("US", "IVUS", "OT", "")
"""Ultrasound, and the values under which ultrasound is found stored."""
COLORED = 8
"""A picture whose channels differ by no more than this is grey."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Region:
    corner: tuple[int, int]
    shape: tuple[int, int]
    spacing: tuple[float, float] | None
    frames: tuple[int, ...] | None = None  # None: all


def can_read(path: Path) -> bool:
    """Whether the file has DICOM's mark, or begins with an element of its first groups."""
    with path.open("rb") as file:
        head = file.read(132)
    if head[128:132] == b"DICM":
        return True
    # Without the preamble: group 0002 or 0008, little endian, and a plausible value representation or short length.
    return (
        len(head) >= 132
        and head[:2] in (b"\x08\x00", b"\x02\x00")
        and head[3:4] == b"\x00"
        and head[7:8] in (b"\x00",)
    )


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _check_deflated(path: Path) -> None:
    """Refuse a deflated file that would swell beyond what is read, without keeping what it holds."""
    with path.open("rb") as file:
        pydicom.filereader.read_preamble(file, force=True)
        meta = pydicom.filereader.read_dataset(
            file,
            is_implicit_VR=False,
            is_little_endian=True,
            stop_when=lambda tag, _vr, _length: tag.group != 2,
        )
        if meta.get("TransferSyntaxUID") != pydicom.uid.DeflatedExplicitVRLittleEndian:
            return
        unpack, seen = zlib.decompressobj(-zlib.MAX_WBITS), 0
        while not unpack.eof and (piece := unpack.unconsumed_tail or file.read(1 << 16)):
            seen += len(unpack.decompress(piece, 1 << 20))
            if seen > MOST_BYTES:
                raise FormatError(f"{path.name}: at most {MOST_BYTES >> 30} GB are read, it inflates to more")


def _parsed(path: Path) -> pydicom.Dataset:
    """Parse the elements that are read; refuse a file of so many that only a crafted one can have."""
    n_seen = 0

    def too_many(_tag: Any, _vr: Any, _length: Any) -> bool:
        nonlocal n_seen
        n_seen += 1
        if n_seen > MOST_ELEMENTS:
            raise FormatError(
                f"{path.name}: at most {MOST_ELEMENTS:,} elements are read, got more (damaged?)"
            )
        return False

    tags = [pydicom.tag.Tag(name) for name in ELEMENTS]
    with path.open("rb") as file:
        return pydicom.filereader.read_partial(file, stop_when=too_many, force=True, specific_tags=tags)


def _dataset(path: Path) -> pydicom.Dataset:
    if path.stat().st_size > MOST_BYTES:
        raise FormatError(
            f"{path.name}: at most {MOST_BYTES >> 30} GB are read, got {path.stat().st_size / 1e9:.1f} GB"
        )
    _check_deflated(path)
    data = _parsed(path)
    modality = str(data.get("Modality", ""))
    if modality not in MODALITIES:
        raise FormatError(
            f"{path.name}: expected ultrasound (modality US), got DICOM of modality {modality[:16]!r}"
        )
    if "PixelData" not in data:
        raise FormatError(f"{path.name}: DICOM without pixels, such as a report or a truncated image")
    rows, columns, frames = _size(data)
    if rows < 1 or columns < 1 or frames < 1:
        raise FormatError(
            f"{path.name}: expected rows, columns and frames of at least 1, got {rows}, {columns}, {frames}"
        )
    if rows * columns > MOST_PIXELS:
        raise FormatError(
            f"{path.name}: a frame may have at most {MOST_PIXELS:,} pixels, its header claims {rows} x {columns}"
        )
    claimed = 4 * rows * columns * frames
    if claimed > MOST_BYTES:
        raise FormatError(
            f"{path.name}: at most {MOST_BYTES >> 30} GB of frames are read, its header claims {claimed / 1e9:.1f} GB"
        )
    if "TransferSyntaxUID" not in getattr(data, "file_meta", {}):
        implicit, little = data.original_encoding
        data.file_meta = getattr(data, "file_meta", None) or pydicom.dataset.FileMetaDataset()
        data.file_meta.TransferSyntaxUID = (
            pydicom.uid.ImplicitVRLittleEndian
            if implicit
            else pydicom.uid.ExplicitVRLittleEndian
            if little
            else pydicom.uid.ExplicitVRBigEndian
        )
    return data


def _size(data: pydicom.Dataset) -> tuple[int, int, int]:
    """Give rows, columns and frames as the header claims them."""
    rows, columns = (int(data.get(name, 0) or 0) for name in ("Rows", "Columns"))
    return rows, columns, int(data.get("NumberOfFrames", 1) or 1)


def _claimed_by(code: bytes) -> tuple[int, int, int] | None:
    """Give the rows, columns and samples that a JPEG, JPEG-LS or JPEG 2000 stream claims; None if it does not say."""
    if code[:2] != b"\xff\xd8":
        at = code.find(b"\xff\x4f\xff\x51")  # JPEG 2000, bare or in a box
        if at < 0:
            return None
        right, bottom, left, top, *_, samples = struct.unpack_from(">8IH", code, at + 8)
        return bottom - top, right - left, samples
    at = 2
    while at + 10 <= len(code) and code[at] == 0xFF and code[at + 1] != 0xDA:  # up to the start of a scan
        marker = code[at + 1]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            rows, columns, samples = struct.unpack_from(">2HB", code, at + 5)
            return rows, columns, samples
        at += 1 if marker == 0xFF else 2 + int(struct.unpack_from(">H", code, at + 2)[0])
    return None


def _check_streams(path: Path, data: pydicom.Dataset) -> None:
    """Refuse compressed frames of another size than the header says, before a decoder asks for their memory."""
    syntax = data.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        return
    rows, columns, n_frames = _size(data)
    expected = (rows, columns, int(data.SamplesPerPixel))
    table = data.get("ExtendedOffsetTable")
    offsets = None if table is None else (table, data.ExtendedOffsetTableLengths)
    found = 0
    for frame in generate_frames(data.PixelData, number_of_frames=n_frames, extended_offsets=offsets):
        claimed = expected if syntax == pydicom.uid.RLELossless else _claimed_by(frame)
        if syntax in pydicom.uid.JPEGLSTransferSyntaxes and not frame.rstrip(b"\0").endswith(b"\xff\xd9"):
            raise FormatError(
                f"{path.name}: expected whole frames, got one that ends early"
            )  # takes the codec minutes
        if claimed != expected:
            raise FormatError(
                f"{path.name}: expected frames of {rows} x {columns} pixels of {expected[2]} sample(s) as its header "
                f"says, got {'none' if claimed is None else '{} x {} of {}'.format(*claimed)}"
            )
        found += 1
    if found != n_frames:
        raise FormatError(f"{path.name}: expected {n_frames} frames as its header says, got {found}")


def _palette(data: pydicom.Dataset) -> tuple[int, np.ndarray]:
    """Give the first stored value that the palette maps, and its colors (entry, 3) uint8."""
    descriptor = data.RedPaletteColorLookupTableDescriptor
    n_entries, first = int(descriptor[0]) or 1 << 16, int(descriptor[1])
    table = apply_color_lut(np.arange(first, first + n_entries, dtype=np.int32), data)[:, :3]
    # Colors of 16 bits fill all 16; where none does, they were stored as 8 bits in 16.
    if table.dtype == np.uint16 and table.max() > 255:
        table = table >> 8
    return first, table.astype(np.uint8)


def _pixels(path: Path, data: pydicom.Dataset) -> tuple[np.ndarray, np.ndarray | None]:
    """Give frames as grey 0..1 (frame, row, column), and 8-bit colors where it is colored."""
    kind = str(data.PhotometricInterpretation)
    rows, columns, n_frames = _size(data)
    _check_streams(path, data)
    mono = kind.startswith("MONOCHROME")
    first, palette = _palette(data) if kind == "PALETTE COLOR" else (0, None)
    grey, color = np.empty(0), None
    weights = np.array([0.299, 0.587, 0.114], np.float32) / np.float32(255)
    colored, n_read = False, 0
    # raw=False: luma and chroma come back as RGB, whatever the transfer syntax.
    for frame in iter_pixels(data, raw=False):
        if palette is not None:
            frame = palette[np.clip(frame.astype(np.int32) - first, 0, len(palette) - 1)]
        if n_read == n_frames or frame.shape != (rows, columns, *(() if mono else (3,))):
            raise FormatError(
                f"{path.name}: expected {n_frames} frames of {rows} x {columns} pixels in {kind[:16]!r}, got "
                f"{n_read + 1} or more of shape {frame.shape}"
            )
        if (
            n_read == 0
        ):  # the library has found as many bytes as the header claims: now memory may be asked for
            grey = np.empty((n_frames, rows, columns), np.float32)
            color = None if mono else np.empty((n_frames, rows, columns, 3), np.uint8)
        if color is None:
            grey[n_read] = _monochrome(data, frame, inverted=kind == "MONOCHROME1")
        else:
            if frame.dtype != np.uint8:
                raise FormatError(f"{path.name}: expected colors of 8 bits, got {frame.dtype}")
            grey[n_read], color[n_read] = np.clip(frame.astype(np.float32) @ weights, 0, 1), frame
            spread = int(np.ptp(frame.astype(np.int16), axis=-1).max(initial=0))
            colored = colored or spread > COLORED
        n_read += 1
    if n_read != n_frames:
        raise FormatError(f"{path.name}: expected {n_frames} frames, got {n_read}")
    return grey, color if colored else None


def _monochrome(data: pydicom.Dataset, frame: np.ndarray, *, inverted: bool) -> np.ndarray:
    bits = int(data.get("BitsStored", 8))
    low = -(2 ** (bits - 1)) if int(data.get("PixelRepresentation", 0)) else 0
    grey = np.clip((frame.astype(np.float32) - low) / (2**bits - 1), 0, 1)
    return np.asarray(1 - grey if inverted else grey)


def _number(item: Any, name: str) -> float | None:
    value = item.get(name)
    try:
        number = None if value is None else float(value)
    except (TypeError, ValueError):
        return None
    return number if number is not None and np.isfinite(number) else None


def _regions(path: Path, data: pydicom.Dataset) -> list[_Region] | None:
    """Give the two-dimensional regions, or None where the file names no region at all."""
    sequence = data.get("SequenceOfUltrasoundRegions")
    if not sequence:
        return None
    rows, columns = int(data.Rows), int(data.Columns)
    found: list[_Region] = []
    for item in sequence:
        corners = [_number(item, f"RegionLocation{name}") for name in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
        if _number(item, "RegionSpatialFormat") != TWO_DIMENSIONAL or None in corners:
            continue
        x0, y0, x1, y1 = (int(value) for value in corners if value is not None)
        x0, y0 = max(x0, 0), max(y0, 0)
        x1, y1 = min(x1, columns - 1), min(y1, rows - 1)
        if x1 <= x0 or y1 <= y0:
            continue
        units = [_number(item, f"PhysicalUnits{axis}Direction") for axis in "XY"]
        deltas = [_number(item, f"PhysicalDelta{axis}") for axis in "XY"]
        spacing = None
        if units == [CENTIMETERS, CENTIMETERS] and all(deltas):
            dx, dy = (abs(value or 0.0) / 100 for value in deltas)
            spacing = None if (dx, dy) == (0.01, 0.01) else (dy, dx)
        region = _Region(corner=(y0, x0), shape=(y1 - y0 + 1, x1 - x0 + 1), spacing=spacing)
        if region not in found:
            found.append(region)
    if not found:
        raise FormatError(
            f"{path.name}: shows no tissue in two dimensions (its {len(sequence)} region(s) are M-mode, spectra or curves)"
        )
    return found


def _measured(item: Any) -> tuple[float, float] | None:
    """Give a Pixel Spacing in meters; None where it is missing or the placeholder 1 1."""
    values = item.get("PixelSpacing") if item is not None else None
    try:
        rows, columns = (float(value) for value in values or ())
    except (TypeError, ValueError):
        return None
    if not (np.isfinite([rows, columns]).all() and rows > 0 and columns > 0) or (rows, columns) == (1.0, 1.0):
        return None
    return rows / 1e3, columns / 1e3


def _whole(data: pydicom.Dataset, n_frames: int) -> Iterator[_Region]:
    """Give the whole picture, once for each spacing that its frames have."""
    shape = (int(data.Rows), int(data.Columns))
    shared = next(iter(data.get("SharedFunctionalGroupsSequence") or []), None)
    common = _measured(data) or _measured(_measures(shared))
    groups = data.get("PerFrameFunctionalGroupsSequence") or []
    if len(groups) != n_frames:
        yield _Region(corner=(0, 0), shape=shape, spacing=common)
        return
    by_spacing: dict[tuple[float, float] | None, list[int]] = {}
    for frame, group in enumerate(groups):
        by_spacing.setdefault(_measured(_measures(group)) or common, []).append(frame)
    for spacing, frames in by_spacing.items():
        yield _Region(corner=(0, 0), shape=shape, spacing=spacing, frames=tuple(frames))


def _measures(group: Any) -> Any:
    return None if group is None else next(iter(group.get("PixelMeasuresSequence") or []), None)


def _times(data: pydicom.Dataset, n_frames: int) -> np.ndarray | None:
    """Give the time of each frame [s], from the Frame Time Vector, the Frame Time, or the rate."""
    vector = data.get("FrameTimeVector")
    try:
        if vector is not None and len(vector) == n_frames:
            steps = np.array([float(value) for value in vector]) / 1e3
            line = np.cumsum(steps) - steps[0]
        else:
            rate = _number(data, "CineRate") or _number(data, "RecommendedDisplayFrameRate")
            step = (_number(data, "FrameTime") or (1e3 / rate if rate else 0.0)) / 1e3
            line = np.arange(n_frames) * step
    except (TypeError, ValueError):
        return None
    usable = n_frames > 1 and np.isfinite(line).all() and (np.diff(line) > 0).all()
    return line if usable else None


def read(path: Path) -> tuple[Image, ...]:
    """Read DICOM ultrasound.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple of Image
        One per two-dimensional region and spacing, each cut from the picture; spacing unknown where the file does not
        say.

    Raises
    ------
    FormatError
        If it is damaged, no ultrasound, too large, or shows no tissue in two dimensions.
    """
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # the library's remarks on a file that bends the standard
            return _images(path)
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(f"{path.name}: {error}") from error
    except Exception as error:  # damaged files make the parser and the codecs stumble in many ways
        raise FormatError(
            f"{path.name}: expected a whole DICOM file, got a damaged or truncated one ({_short(error)})"
        ) from error


def _images(path: Path) -> tuple[Image, ...]:
    data = _dataset(path)
    regions = _regions(path, data)
    try:
        grey, color = _pixels(path, data)
    except FormatError:
        raise
    except Exception as error:
        raise FormatError(f"{path.name}: its pixels cannot be decoded: {_short(error)}") from error
    times = _times(data, len(grey))
    settings: dict[str, Setting] = {
        "transfer_syntax": str(data.file_meta.TransferSyntaxUID),
        "photometric": str(data.PhotometricInterpretation),
        "regions": regions is not None,
    }
    images = []
    for region in _whole(data, len(grey)) if regions is None else regions:
        (row, column), (rows, columns) = region.corner, region.shape
        frames = list(range(len(grey))) if region.frames is None else list(region.frames)
        grid = PixelGrid(
            rows=rows,
            columns=columns,
            spacing=region.spacing,
            corner=region.corner,
            picture=(int(grey.shape[1]), int(grey.shape[2])),
        )
        part = (frames, slice(row, row + rows), slice(column, column + columns))
        images.append(
            Image(
                values=np.ascontiguousarray(grey[part]),
                color=None if color is None else np.ascontiguousarray(color[part]),
                quantity=Quantity.BRIGHTNESS,
                grid=grid,
                times=None if times is None else times[frames],
                provenance=(Step(name="read dicom", settings=settings, version=VERSION),),
            )
        )
    return tuple(images)
