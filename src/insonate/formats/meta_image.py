"""MetaImage (.mha, .mhd): pictures, and the beamformed lines that ITK and PLUS keep in it.

The header is lines `key = value`, ended by ElementDataFile. DimSize runs fast to slow. A spacing of exactly 1 1 1 is the
format's default and counts as unknown. What the elements are is told by PLUS's UltrasoundImageType, else by their type: 8
bits are a picture, more are RF.

PLUS's UltrasoundImageOrientation says where the fast axis and then the next one run: F far from the probe, N near to it, M
to the marked side, U to the unmarked one. Without it, the fast axis of a picture runs to the marked side and that of lines
away from the probe. Frames are turned so that rows run away from the probe and columns to the marked side.

RF lines become baseband of unknown carrier: the analytic signal z = x + j H(x), at the carrier it was recorded with. Where
I and Q are stored as elements of their own, the spacing of the elements is not that of the pixels, and counts as unknown.
"""

import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from insonate.core import FormatError, Grid, Image, InputError, IQImage, PixelGrid, Quantity, Step
from insonate.signal.analytic import analytic

NAME = "meta_image"
SUFFIXES = (".mha", ".mhd")
VERSION = "1"

MOST_HEADER = 4 << 20
"""A longer header is refused [bytes]."""
MOST_BYTES = 1 << 30
"""Elements that as they are stored, or as single precision, would take more memory are refused."""

TYPES = {
    "MET_UCHAR": "u1",
    "MET_CHAR": "i1",
    "MET_USHORT": "u2",
    "MET_SHORT": "i2",
    "MET_UINT": "u4",
    "MET_INT": "i4",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
"""Element types by their names in the format."""
KINDS = ("BRIGHTNESS", "RF_REAL", "RF_I_LINE_Q_LINE", "RF_IQ_LINE")
"""What the elements can be, as PLUS names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    fields: dict[str, str]
    data_start: int

    def numbers(self, path: Path, *names: str) -> list[float] | None:
        """Give the finite numbers of the first of these fields that there is."""
        for name in names:
            if name in self.fields:
                try:
                    numbers = [float(word) for word in self.fields[name].split()]
                except ValueError:
                    numbers = []
                if not numbers or not np.isfinite(numbers).all():
                    raise FormatError(
                        f"{path.name}: {name} must be finite numbers, got {self.fields[name][:40]!r}"
                    )
                return numbers
        return None

    def is_true(self, path: Path, default: bool, *names: str) -> bool:
        """Give the first of these fields that there is, as true or false."""
        for name in names:
            if name in self.fields:
                word = self.fields[name].lower()
                if word not in ("true", "t", "1", "false", "f", "0"):
                    raise FormatError(
                        f"{path.name}: {name} must be True or False, got {self.fields[name][:40]!r}"
                    )
                return word in ("true", "t", "1")
        return default


def can_read(path: Path) -> bool:
    """Whether the file begins as a MetaImage header."""
    with path.open("rb") as file:
        head = file.read(512)
    first = head.split(b"\n", 1)[0].split(b"=")[0].strip()
    return first in (b"ObjectType", b"NDims", b"Comment") and b"=" in head


def _header(path: Path) -> _Header:
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        while file.tell() < MOST_HEADER:
            line = file.readline(1 << 16)
            if not line:
                break
            if not line.strip():
                continue
            key, equals, value = line.decode("latin-1").partition("=")
            if not equals:
                raise FormatError(f"{path.name}: expected 'key = value' in its header, got {line[:30]!r}")
            fields[key.strip()] = value.strip()
            if key.strip() == "ElementDataFile":
                return _Header(fields=fields, data_start=file.tell())
    raise FormatError(
        f"{path.name}: expected a header that ends with ElementDataFile, got none within {MOST_HEADER >> 20} MB"
    )


def _shape(path: Path, header: _Header) -> tuple[tuple[int, ...], str]:
    kind = header.fields.get("ElementType", "")
    if kind not in TYPES:
        raise FormatError(f"{path.name}: ElementType must be one of {', '.join(TYPES)}, got {kind[:40]!r}")
    sizes = header.numbers(path, "DimSize") or []
    if len(sizes) not in (2, 3, 4) or any(size != int(size) or size < 0 for size in sizes):
        raise FormatError(
            f"{path.name}: DimSize must be two to four whole numbers, got {header.fields.get('DimSize', '')[:40]!r}"
        )
    if header.numbers(path, "NDims") not in (None, [float(len(sizes))]):
        raise FormatError(
            f"{path.name}: NDims and DimSize must agree, got {header.fields['NDims'][:40]} and {len(sizes)} sizes"
        )
    if 0 in sizes:
        raise FormatError(
            f"{path.name}: holds no picture (DimSize {header.fields['DimSize'][:40]}): a record of a tracker alone?"
        )
    channels = header.numbers(path, "ElementNumberOfChannels") or [1.0]
    if channels != [1.0]:
        raise FormatError(f"{path.name}: one value a pixel is read, got {channels[0]:g} channels")
    if not header.is_true(path, True, "BinaryData"):
        raise FormatError(f"{path.name}: elements written as text are not read (BinaryData is False)")
    shape = tuple(int(size) for size in reversed(sizes))
    claimed = math.prod(sizes) * max(np.dtype(TYPES[kind]).itemsize, 4)
    if claimed > MOST_BYTES:
        raise FormatError(
            f"{path.name}: at most {MOST_BYTES >> 30} GB are read, its header claims {claimed / 1e9:.1f} GB"
        )
    return shape, TYPES[kind]


def _stored(path: Path, header: _Header) -> tuple[Path, int]:
    """Give the file that holds the elements, and where in it they begin; -1 for as far from its end as they are long."""
    where = header.fields["ElementDataFile"]
    if where.upper() == "LOCAL":
        return path, header.data_start
    if Path(where).name != where or where in ("", ".", "..") or "%" in where or where.split()[0] == "LIST":
        raise FormatError(
            f"{path.name}: its elements must lie in one file of the same folder, got {where[:60]!r}"
        )
    beside = path.parent / where
    try:
        there = beside.is_file() and not beside.is_symlink()
    except OSError:  # a name that no file can have
        there = False
    if not there:
        raise FormatError(
            f"{path.name}: its elements should lie beside it in {where[:60]!r}, which is not there"
        )
    skipped = header.numbers(path, "HeaderSize") or [0.0]
    if len(skipped) != 1 or skipped[0] != int(skipped[0]) or skipped[0] < -1:
        raise FormatError(
            f"{path.name}: HeaderSize must be a number of bytes, or -1, got {header.fields['HeaderSize'][:40]!r}"
        )
    return beside, int(skipped[0])


def _elements(path: Path, header: _Header) -> np.ndarray:
    shape, kind = _shape(path, header)
    big = header.is_true(path, False, "BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    dtype = np.dtype((">" if big else "<") + kind)
    need = int(np.prod(shape)) * dtype.itemsize
    packed = header.is_true(path, False, "CompressedData")
    stored, start = _stored(path, header)
    size = stored.stat().st_size
    if start == -1:
        start = max(size - need, 0)
    if not packed and size - start != need:
        raise FormatError(
            f"{path.name}: expected {need:,} bytes of elements as its header says, got {max(size - start, 0):,}"
            f"{' (truncated?)' if size - start < need else ''}"
        )
    with stored.open("rb") as file:
        file.seek(start)
        data = file.read(min(size - start, MOST_BYTES) if packed else need)
    if packed:
        unpack = zlib.decompressobj()
        try:
            data = unpack.decompress(data, need + 1)
        except zlib.error as error:
            raise FormatError(f"{path.name}: its compressed elements are damaged ({error})") from error
        if len(data) != need or not unpack.eof:
            raise FormatError(
                f"{path.name}: expected {need:,} bytes of elements as its header says, got "
                f"{f'{len(data):,} (truncated?)' if len(data) <= need else 'more'}"
            )
    values = np.frombuffer(data, dtype).reshape(shape)
    return values.astype(dtype.newbyteorder("="), copy=False)


def _spacing(path: Path, header: _Header) -> tuple[float, float] | None:
    """Give the steps along the fast axis and the next [m], or None where they are the format's default."""
    steps = header.numbers(path, "ElementSpacing", "ElementSize")
    if steps is None or len(steps) < 2 or all(step == 1 for step in steps[:2]):
        return None
    fast, slow = steps[0] / 1e3, steps[1] / 1e3
    if not 1e-7 <= min(fast, slow) <= max(fast, slow) <= 1e-2:
        raise FormatError(
            f"{path.name}: ElementSpacing must lie in 0.0001..10 mm, got {steps[0]:g} x {steps[1]:g} (micrometers?)"
        )
    return fast, slow


def _times(header: _Header, n_frames: int) -> np.ndarray | None:
    line: list[float] = []
    for frame in range(n_frames):
        try:
            line.append(float(header.fields[f"Seq_Frame{frame:04d}_Timestamp"]))
        except (KeyError, ValueError):
            return None
    times = np.array(line)
    return times if np.isfinite(times).all() and (np.diff(times) > 0).all() else None


def _orientation(path: Path, header: _Header, kind: str) -> tuple[bool, bool, bool]:
    """Give whether the fast axis is depth, whether depth runs toward the probe, and whether columns run unmarked."""
    given = header.fields.get("UltrasoundImageOrientation", "").upper()
    letters = given[:2] or ("MF" if kind == "BRIGHTNESS" else "FM")
    first, second = letters[:1], letters[1:2]
    if {first in "FN", second in "FN"} != {True, False} or not {first, second} <= set("FNMU"):
        raise FormatError(
            f"{path.name}: UltrasoundImageOrientation must name depth (F, N) and side (M, U), got {given[:40]!r}"
        )
    return first in "FN", "N" in letters, "U" in letters


def read(path: Path) -> tuple[Image | IQImage, ...]:
    """Read pictures or beamformed lines.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple of Image or IQImage
        One: an image of brightness, or lines at baseband.

    Raises
    ------
    FormatError
        If it is damaged, too large, holds no picture, or its elements lie elsewhere.
    """
    try:
        return (_noun(path),)
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(f"{path.name}: {error}") from error


def _noun(path: Path) -> Image | IQImage:
    header = _header(path)
    values = _elements(path, header)
    if values.ndim != 3:
        values = values.reshape(-1, *values.shape[-2:])
    top = float(np.abs(values).max()) if values.dtype.kind == "f" else 0.0
    if not np.isfinite(top) or top > float(np.finfo(np.float32).max):
        raise FormatError(
            f"{path.name}: its elements must be finite in single precision, got NaN, infinite or larger ones"
        )
    kind = header.fields.get("UltrasoundImageType", "BRIGHTNESS" if values.dtype.itemsize == 1 else "RF_REAL")
    if kind not in KINDS:
        raise FormatError(
            f"{path.name}: UltrasoundImageType must be one of {', '.join(KINDS)}, got {kind[:40]!r}"
        )
    depth_first, near, unmarked = _orientation(path, header, kind)
    orientation = header.fields.get("UltrasoundImageOrientation")
    step = Step(name="read meta_image", settings={"type": kind, "orientation": orientation}, version=VERSION)
    spacing = _spacing(path, header)
    if spacing is not None and not depth_first:
        spacing = spacing[::-1]
    # (frame, slow, fast) becomes (frame, axial, lateral).
    frames = values.astype(np.float32)
    frames = _pairs(path, frames, kind) if kind in KINDS[2:] else frames
    frames = frames.transpose(0, 2, 1) if depth_first else frames
    frames = frames[:, ::-1] if near else frames
    frames = np.ascontiguousarray(frames[:, :, ::-1] if unmarked else frames)
    times, (rows, columns) = _times(header, len(frames)), frames.shape[1:]
    if kind == "BRIGHTNESS":
        white = top if values.dtype.kind == "f" else float(np.iinfo(values.dtype).max)
        return Image(
            values=np.clip(frames / np.float32(max(white, 1e-30)), 0, 1),
            quantity=Quantity.BRIGHTNESS,
            grid=PixelGrid(rows=rows, columns=columns, spacing=spacing),
            times=times,
            provenance=(step,),
        )
    grid: Grid | PixelGrid = PixelGrid(rows=rows, columns=columns, spacing=None)
    if spacing is not None and kind == "RF_REAL":
        grid = Grid(
            axial=np.arange(rows) * spacing[0],
            lateral=(np.arange(columns) - (columns - 1) / 2) * spacing[1],
        )
    return IQImage(
        values=_baseband(frames) if kind == "RF_REAL" else frames,
        grid=grid,
        times=times,
        center_frequency=None,
        sound_speed=None,
        provenance=(step,),
    )


def _pairs(path: Path, elements: np.ndarray, kind: str) -> np.ndarray:
    """Give complex values of I and Q, stored as lines in turn or as elements in turn."""
    axis, name = (1, "lines") if kind == "RF_I_LINE_Q_LINE" else (2, "samples")
    if elements.shape[axis] % 2:
        raise FormatError(f"{path.name}: {name} must come in pairs I, Q, got {elements.shape[axis]}")
    even, odd = (np.take(elements, range(start, elements.shape[axis], 2), axis) for start in (0, 1))
    return np.asarray(even + np.complex64(1j) * odd)


def _baseband(lines: np.ndarray) -> np.ndarray:
    """Give the analytic signal along depth, a few frames at a time to bound the memory it takes."""
    made = np.empty(lines.shape, np.complex64)
    at_once = max(1, (1 << 24) // math.prod(lines.shape[1:]))
    for start in range(0, len(lines), at_once):
        made[start : start + at_once] = analytic(lines[start : start + at_once], axis=1)
    return made
