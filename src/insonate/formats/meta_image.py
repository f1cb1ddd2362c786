"""MetaImage (.mha, .mhd): pictures, and the beamformed lines that ITK and PLUS keep in it.

The header is lines `key = value`, ended by ElementDataFile. DimSize runs fast to slow. A spacing of exactly 1 1 1 is the
format's default and counts as unknown. What the lines are is told by PLUS's UltrasoundImageType, else by the type of the
elements: 8 bits are a picture, more are RF.

RF lines become baseband of unknown carrier: the analytic signal z = x + j H(x), at the carrier it was recorded with.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from insonate.core import FormatError, Grid, Image, IQImage, PixelGrid, Quantity, Step
from insonate.signal.analytic import analytic

NAME = "meta_image"
SUFFIXES = (".mha", ".mhd")
VERSION = "1"

MOST_HEADER = 4 << 20
"""A longer header is refused [bytes]."""
MOST_BYTES = 1 << 30
"""Elements that would take more memory are refused."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    fields: dict[str, str]
    data_start: int

    def numbers(self, path: Path, *names: str) -> list[float] | None:
        for name in names:
            if name in self.fields:
                try:
                    return [float(word) for word in self.fields[name].split()]
                except ValueError as error:
                    raise FormatError(
                        f"{path.name}: {name} must be numbers, got {self.fields[name][:40]!r}"
                    ) from error
        return None


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
        raise FormatError(f"{path.name}: ElementType must be one of {', '.join(TYPES)}, got {kind!r}")
    sizes = header.numbers(path, "DimSize") or []
    if len(sizes) not in (2, 3, 4) or any(size != int(size) or size < 0 for size in sizes):
        raise FormatError(
            f"{path.name}: DimSize must be two to four whole numbers, got {header.fields.get('DimSize')!r}"
        )
    if 0 in sizes:
        raise FormatError(
            f"{path.name}: holds no picture (DimSize {header.fields['DimSize']}): a record of a tracker alone?"
        )
    channels = header.numbers(path, "ElementNumberOfChannels") or [1.0]
    if channels != [1.0]:
        raise FormatError(f"{path.name}: one value a pixel is read, got {channels[0]:g} channels")
    shape = tuple(int(size) for size in reversed(sizes))
    claimed = float(np.prod([float(size) for size in sizes])) * np.dtype(TYPES[kind]).itemsize
    if claimed > MOST_BYTES:
        raise FormatError(
            f"{path.name}: at most {MOST_BYTES >> 30} GB are read, its header claims {claimed / 1e9:.1f} GB"
        )
    return shape, TYPES[kind]


def _stored(path: Path, header: _Header) -> bytes:
    where = header.fields["ElementDataFile"]
    if where == "LOCAL":
        with path.open("rb") as file:
            file.seek(header.data_start)
            return file.read(MOST_BYTES + 1)
    if Path(where).name != where or where in ("", ".", "..") or "%" in where or where == "LIST":
        raise FormatError(
            f"{path.name}: its elements must lie in one file of the same folder, got {where[:60]!r}"
        )
    beside = path.parent / where
    if not beside.is_file() or beside.is_symlink():
        raise FormatError(f"{path.name}: its elements should lie beside it in {where!r}, which is not there")
    with beside.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _elements(path: Path, header: _Header) -> np.ndarray:
    shape, kind = _shape(path, header)
    order = ">" if header.fields.get("BinaryDataByteOrderMSB", "False").lower() == "true" else "<"
    dtype = np.dtype(order + kind)
    need = int(np.prod(shape)) * dtype.itemsize
    data = _stored(path, header)
    if header.fields.get("CompressedData", "False").lower() == "true":
        unpack = zlib.decompressobj()
        try:
            data = unpack.decompress(data, need + 1)
        except zlib.error as error:
            raise FormatError(f"{path.name}: its compressed elements are damaged ({error})") from error
    if len(data) < need:
        raise FormatError(f"{path.name}: expected {need} bytes of elements, got {len(data)} (truncated?)")
    values = np.frombuffer(data[:need], dtype).reshape(shape)
    return values.astype(dtype.newbyteorder("="), copy=False)


def _spacing(path: Path, header: _Header) -> tuple[float, float, float] | None:
    """Give the steps along columns, rows and frames [mm], or None where they are the format's default."""
    steps = header.numbers(path, "ElementSpacing", "ElementSize")
    if steps is None or len(steps) < 2 or all(step == 1 for step in steps[:2]):
        return None
    if not all(np.isfinite(step) and step > 0 for step in steps):
        raise FormatError(
            f"{path.name}: ElementSpacing must be positive [mm], got {header.fields['ElementSpacing']!r}"
        )
    return steps[0], steps[1], steps[2] if len(steps) > 2 else 1.0


def _times(header: _Header, n_frames: int) -> np.ndarray | None:
    times = [header.fields.get(f"Seq_Frame{frame:04d}_Timestamp") for frame in range(n_frames)]
    try:
        line = np.array([float(time) for time in times if time is not None])
    except ValueError:
        return None
    return line if len(line) == n_frames and np.isfinite(line).all() and (np.diff(line) > 0).all() else None


def _picture(
    values: np.ndarray, orientation: str, spacing: tuple[float, float, float] | None
) -> tuple[np.ndarray, PixelGrid]:
    """Turn rows down and columns to the marked side, as far as the file tells."""
    if orientation.startswith("U"):
        values = values[:, :, ::-1]
    if orientation[1:2] == "N":
        values = values[:, ::-1]
    step = None if spacing is None else (spacing[1] / 1e3, spacing[0] / 1e3)
    return values, PixelGrid(rows=values.shape[1], columns=values.shape[2], spacing=step)


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
    header = _header(path)
    values = _elements(path, header)
    if values.ndim == 2:
        values = values[np.newaxis]
    elif values.ndim == 4:
        values = values.reshape(-1, *values.shape[2:])
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise FormatError(f"{path.name}: its elements must be finite, got NaN or infinite ones")
    kind = header.fields.get("UltrasoundImageType", "BRIGHTNESS" if values.dtype.itemsize == 1 else "RF_REAL")
    orientation = header.fields.get("UltrasoundImageOrientation", "")
    spacing = _spacing(path, header)
    times = _times(header, len(values))
    step = Step(
        name="read meta_image", settings={"type": kind, "orientation": orientation or None}, version=VERSION
    )
    if kind == "BRIGHTNESS":
        top = (
            float(np.iinfo(values.dtype).max)
            if values.dtype.kind in "iu"
            else max(float(values.max()), 1e-30)
        )
        shown, grid = _picture(values, "" if orientation.startswith("F") else orientation, spacing)
        grey = np.clip(shown.astype(np.float32) / np.float32(top), 0, 1)
        if orientation.startswith("F"):  # stored line by line: the fast axis is depth
            grey = np.ascontiguousarray(grey.transpose(0, 2, 1))
            grid = PixelGrid(
                rows=grid.columns,
                columns=grid.rows,
                spacing=None if grid.spacing is None else grid.spacing[::-1],
            )
        return (
            Image(
                values=np.ascontiguousarray(grey),
                quantity=Quantity.BRIGHTNESS,
                grid=grid,
                times=times,
                provenance=(step,),
            ),
        )
    return (_lines(path, kind, orientation, values, spacing, times, step),)


def _lines(
    path: Path,
    kind: str,
    orientation: str,
    values: np.ndarray,
    spacing: tuple[float, float, float] | None,
    times: np.ndarray | None,
    step: Step,
) -> IQImage:
    """Give beamformed lines, stored (frame, line, sample), as baseband pixels (frame, sample, line)."""
    lines = values.astype(np.float32)
    if kind in ("RF_REAL", "RF_I_LINE_Q_LINE", "RF_IQ_LINE"):
        if kind == "RF_REAL":
            made = analytic(lines)
        elif kind == "RF_I_LINE_Q_LINE":
            if lines.shape[1] % 2:
                raise FormatError(f"{path.name}: lines must come in pairs I, Q, got {lines.shape[1]}")
            made = lines[:, 0::2] + 1j * lines[:, 1::2]
        else:
            if lines.shape[2] % 2:
                raise FormatError(f"{path.name}: samples must come in pairs I, Q, got {lines.shape[2]}")
            made = lines[:, :, 0::2] + 1j * lines[:, :, 1::2]
    else:
        raise FormatError(
            f"{path.name}: UltrasoundImageType must be BRIGHTNESS, RF_REAL, RF_I_LINE_Q_LINE or RF_IQ_LINE, "
            f"got {kind[:40]!r}"
        )
    if orientation[:1] == "N":  # samples run toward the probe
        made = made[:, :, ::-1]
    if orientation[1:2] == "U":
        made = made[:, ::-1]
    pixels = np.ascontiguousarray(made.transpose(0, 2, 1), dtype=np.complex64)
    n_axial, n_lateral = pixels.shape[1:]
    grid: Grid | PixelGrid
    if spacing is None:
        grid = PixelGrid(rows=n_axial, columns=n_lateral, spacing=None)
    else:
        along, across = spacing[0] / 1e3, spacing[1] / 1e3
        if along * n_axial > 1.0 or across * n_lateral > 1.0:
            raise FormatError(
                f"{path.name}: a spacing of {spacing[0]:g} x {spacing[1]:g} mm is no scan's (micrometers?)"
            )
        lateral = (np.arange(n_lateral) - (n_lateral - 1) / 2) * across
        grid = Grid(axial=np.arange(n_axial) * along, lateral=lateral)
    return IQImage(
        values=pixels, grid=grid, times=times, center_frequency=None, sound_speed=None, provenance=(step,)
    )
