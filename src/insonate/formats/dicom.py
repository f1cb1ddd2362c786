"""DICOM ultrasound: one image per two-dimensional region and spacing.

Spacing comes from the Sequence of Ultrasound Regions (PS3.3 C.8.5.5): Physical Delta X, Y in centimeters where both
Physical Units are 3 (cm) and the region shows tissue in two dimensions. A negative delta says that the axis runs the
other way; its size is the spacing. Without regions, per-frame or shared Pixel Measures and then Pixel Spacing are taken
[mm], a placeholder of 1 1 counting as unknown. Grey is the luma 0.299 R + 0.587 G + 0.114 B.

Nothing that names a patient is read into any noun or message.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.pixels import apply_color_lut, pixel_array

from insonate.core import FormatError, Image, PixelGrid, Quantity, RangeError, Step

NAME = "dicom"
SUFFIXES = (".dcm", ".dicom", "")
VERSION = "1"

MOST_BYTES = 2 << 30
"""Frames that would take more memory as single precision are refused."""

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


def _dataset(path: Path) -> pydicom.Dataset:
    try:
        data = pydicom.dcmread(path, force=True, defer_size=None)
        modality = str(data.get("Modality", ""))
        has_pixels = "PixelData" in data
        rows, columns = int(data.get("Rows", 0) or 0), int(data.get("Columns", 0) or 0)
        frames = int(data.get("NumberOfFrames", 1) or 1)
    except Exception as error:  # damaged files make the parser stumble in many ways
        raise FormatError(
            f"{path.name}: expected a whole DICOM file, got a damaged or truncated one ({_short(error)})"
        ) from error
    if modality not in MODALITIES:
        raise FormatError(
            f"{path.name}: expected ultrasound (modality US), got DICOM of modality {modality[:16]!r}"
        )
    if not has_pixels:
        raise FormatError(f"{path.name}: DICOM without pixels, such as a report or a truncated image")
    if rows < 1 or columns < 1 or frames < 1:
        raise FormatError(
            f"{path.name}: expected rows, columns and frames of at least 1, got {rows}, {columns}, {frames}"
        )
    claimed = 4 * rows * columns * frames
    if claimed > MOST_BYTES:
        raise FormatError(
            f"{path.name}: at most {MOST_BYTES >> 30} GB of frames are read, its header claims {claimed / 1e9:.1f} GB"
        )
    if "TransferSyntaxUID" not in getattr(data, "file_meta", {}):
        data.file_meta = getattr(data, "file_meta", None) or pydicom.dataset.FileMetaDataset()
        data.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    return data


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _pixels(path: Path, data: pydicom.Dataset) -> tuple[np.ndarray, np.ndarray | None]:
    """Give frames as grey 0..1 (frame, row, column), and 8-bit colors where it is colored."""
    try:
        kind = str(data.PhotometricInterpretation)
        # raw=False: luma and chroma come back as RGB, whatever the transfer syntax.
        stored = pixel_array(data, raw=False)
        n_frames = int(data.get("NumberOfFrames", 1) or 1)
        if kind == "PALETTE COLOR":
            stored = apply_color_lut(stored, data)
            bits = 16 if stored.dtype == np.uint16 else 8
            stored = (stored >> 8).astype(np.uint8) if bits == 16 else stored
    except Exception as error:
        raise FormatError(f"{path.name}: its pixels cannot be decoded: {_short(error)}") from error
    if stored.ndim == (3 if kind.startswith("MONOCHROME") else 4):
        frames = stored
    else:
        frames = stored[np.newaxis]
    if len(frames) != n_frames:
        raise FormatError(f"{path.name}: expected {n_frames} frames as its header says, got {len(frames)}")
    if kind.startswith("MONOCHROME"):
        return _monochrome(data, frames, inverted=kind == "MONOCHROME1"), None
    if frames.shape[-1] != 3 or frames.dtype != np.uint8:
        raise FormatError(
            f"{path.name}: expected three 8-bit colors a pixel, got {frames.shape[-1]} of {frames.dtype}"
        )
    weights = np.array([0.299, 0.587, 0.114], np.float32) / np.float32(255)
    grey = np.stack([frame.astype(np.float32) @ weights for frame in frames])
    spread = max(int(np.ptp(frame[::2, ::2].astype(np.int16), axis=-1).max(initial=0)) for frame in frames)
    return np.clip(grey, 0, 1), np.ascontiguousarray(frames) if spread > COLORED else None


def _monochrome(data: pydicom.Dataset, frames: np.ndarray, *, inverted: bool) -> np.ndarray:
    bits = int(data.get("BitsStored", 8))
    low = -(2 ** (bits - 1)) if int(data.get("PixelRepresentation", 0)) else 0
    grey = np.clip((frames.astype(np.float32) - low) / (2**bits - 1), 0, 1)
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
            spacing = (dy, dx)
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
        data = _dataset(path)
    except InvalidDicomError as error:
        raise FormatError(f"{path.name}: expected DICOM, got something else") from error
    regions = _regions(path, data)
    grey, color = _pixels(path, data)
    times = _times(data, len(grey))
    picture = grey.shape[1:]
    images = []
    for region in _whole(data, len(grey)) if regions is None else regions:
        (row, column), (rows, columns) = region.corner, region.shape
        frames = list(range(len(grey))) if region.frames is None else list(region.frames)
        part = (frames, slice(row, row + rows), slice(column, column + columns))
        try:
            grid = PixelGrid(
                rows=rows,
                columns=columns,
                spacing=region.spacing,
                corner=region.corner,
                picture=(int(picture[0]), int(picture[1])),
            )
        except RangeError as error:
            raise FormatError(f"{path.name}: {error}") from error
        syntax = str(data.file_meta.TransferSyntaxUID)
        settings: dict[str, Any] = {
            "transfer_syntax": syntax,
            "photometric": str(data.PhotometricInterpretation),
            "regions": regions is not None,
        }
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
