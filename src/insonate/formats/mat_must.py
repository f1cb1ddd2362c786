"""MATLAB files of the MUST plane-wave kind: `RF` (sample, element, frame) with a structure `param`.

`param` holds fs, fc [Hz], pitch, width [m], c [m/s], t0 [s], PRF [Hz], TXdelay [s] and bandwidth [%]. t0 is the time of the
first sample after the wave leaves the array. Where fs is below 2 fc the echoes were bandpass-sampled; they are kept as
they are, and unfolded when beamformed. A file with B-mode frames `I` (row, column, frame) of 8 bits is read as pictures.

The file's elements are read here and not by SciPy, whose reader ends the process on a damaged or deeply nested file and
does not bound what it inflates. Only the variables above are read: numbers, and one structure of numbers; whatever else a
structure holds counts as no number.

MathWorks, "MAT-File Format", versions 5 to 7.
D. Garcia, "Make the most of MUST, an open-source MATLAB UltraSound Toolbox", IEEE IUS 2021.
"""

import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from insonate.core import (
    Acquisition,
    ChannelData,
    FormatError,
    Image,
    InputError,
    PixelGrid,
    Probe,
    Quantity,
    Step,
    Transmit,
    Waveform,
)

NAME = "mat_must"
SUFFIXES = (".mat",)
VERSION = "1"

MOST_BYTES = 2 << 30
"""A file that would take more memory is refused."""
MOST_STRUCTURE = 1 << 20
"""A structure of parameters that takes more bytes is refused."""
MOST_HEAD = 1 << 12
"""Flags, shape and name of a variable take no more bytes."""
WANTED = ("RF", "param", "I")
"""The variables that are read."""

MATRIX, COMPRESSED = 14, 15
"""Types of the elements that hold a variable."""
TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""Types of the elements that hold numbers."""
STRUCTURE, NUMBERS = 2, range(6, 16)
"""Classes of variables that are read."""
IMAGINARY = 0x800
"""Flag of a variable that has an imaginary part."""

Structure = dict[str, np.ndarray | None]
"""Fields by name; None for one that does not hold real numbers."""


def can_read(path: Path) -> bool:
    """Whether the file begins as a MATLAB file of version 5 or 7.3."""
    with path.open("rb") as file:
        return file.read(10) == b"MATLAB 5.0" or _is_73(path)


def _is_73(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(10) == b"MATLAB 7.3"


def _content(file: BinaryIO, length: int, most: int, *, packed: bool) -> bytes:
    """Give what an element of so many bytes holds, inflated, but no more than `most` bytes of it."""
    if not packed:
        return file.read(min(length, most))
    unpack = zlib.decompressobj()
    data = unpack.decompress(file.read(min(length, 1 << 16) if most == MOST_HEAD else length), most + 8)
    if data[:4] not in (b"\x0e\0\0\0", b"\0\0\0\x0e") or (most > len(data) and not unpack.eof):
        raise ValueError("compressed elements end too early or hold no matrix")
    return data[8:]  # without the tag of the matrix inside


def _part(data: bytes, at: int, order: str) -> tuple[int, bytes, int]:
    """Give type and content of the small element at `at`, and where the next one begins."""
    first, length = struct.unpack_from(f"{order}II", data, at)
    start, after = at + 8, at + 8 + length + -length % 8
    if first >> 16:  # packed into the tag itself
        first, length, start, after = first & 0xFFFF, first >> 16, at + 4, at + 8
    content = data[start : start + length]
    if len(content) != length:
        raise ValueError("an element ends too early")
    return first, content, after


def _begin(data: bytes, at: int, order: str) -> tuple[int, int, tuple[int, ...], str, int]:
    """Give class, flags, shape and name of the variable whose content begins at `at`, and where its values begin."""
    _, flags, at = _part(data, at, order)
    _, sizes, at = _part(data, at, order)
    _, label, at = _part(data, at, order)
    word = int(struct.unpack(f"{order}I", flags[:4])[0])
    shape = struct.unpack(f"{order}{len(sizes) // 4}i", sizes)
    return word & 0xFF, word & 0xFF00, shape, label.decode("latin-1"), at


def _numbers(data: bytes, at: int, order: str) -> np.ndarray | None:
    """Give the variable whose content begins at `at` as it is stored, or None where it is not real numbers."""
    kind, flags, shape, _, at = _begin(data, at, order)
    if kind not in NUMBERS or flags & IMAGINARY or min(shape, default=-1) < 0:
        return None
    stored, content, _ = _part(data, at, order)
    dtype = np.dtype(order + TYPES[stored])
    values = np.frombuffer(content, dtype).reshape(shape, order="F")
    return values.astype(dtype.newbyteorder("="), copy=False)


def _structure(data: bytes, at: int, order: str) -> Structure:
    """Give the fields of the structure whose content begins at `at`."""
    *_, at = _begin(data, at, order)
    _, width, at = _part(data, at, order)
    _, names, at = _part(data, at, order)
    n = max(int(struct.unpack(f"{order}i", width)[0]), 1)
    fields: Structure = {}
    for start in range(0, len(names), n):
        tag, size = struct.unpack_from(f"{order}II", data, at)
        if tag != MATRIX or at + 8 + size > len(data):
            raise ValueError("a structure ends too early")
        name = names[start : start + n].split(b"\0", 1)[0].decode("latin-1")
        fields[name] = _numbers(data, at + 8, order) if size else None
        at += 8 + size
    return fields


def _variable(
    path: Path, file: BinaryIO, length: int, order: str, *, packed: bool
) -> tuple[str, np.ndarray | Structure | None]:
    """Give name and value of the variable in an element of so many bytes; None for one that is not wanted or not numbers."""
    start = file.tell()
    kind, flags, shape, name, _ = _begin(_content(file, length, MOST_HEAD, packed=packed), 0, order)
    if name not in WANTED or kind not in (STRUCTURE, *NUMBERS) or flags & IMAGINARY:
        return name, None
    claimed = 8 * math.prod(shape)
    if claimed > MOST_BYTES or min(shape, default=-1) < 0:
        raise FormatError(
            f"{path.name}: at most 2 GB are read, {name} claims {' x '.join(str(n) for n in shape)} values"
        )
    most = MOST_STRUCTURE if kind == STRUCTURE else claimed + MOST_HEAD
    file.seek(start)
    data = _content(file, length, most + 1, packed=packed)
    if len(data) > most or (kind == STRUCTURE and claimed != 8):
        raise FormatError(f"{path.name}: {name} must be numbers, or one structure of a few, got a larger one")
    return name, _structure(data, 0, order) if kind == STRUCTURE else _numbers(data, 0, order)


def _variables(path: Path) -> dict[str, np.ndarray | Structure | None]:
    """Give the variables of a file by name; those that are not wanted have no value."""
    if _is_73(path):
        raise FormatError(
            f"{path.name}: expected a MATLAB file of version 5 to 7, got 7.3 (save it with -v7)"
        )
    found: dict[str, np.ndarray | Structure | None] = {}
    try:
        size, at = path.stat().st_size, 128
        with path.open("rb") as file:
            order = {b"IM": "<", b"MI": ">"}[file.read(128)[126:]]
            while at < size:
                file.seek(at)
                kind, length = struct.unpack(f"{order}II", file.read(8))
                at += 8 + length
                if kind not in (MATRIX, COMPRESSED) or at > size:
                    raise ValueError("no variable, or one that ends too early")
                name, value = _variable(path, file, length, order, packed=kind == COMPRESSED)
                found[name] = value
    except FormatError:
        raise
    except Exception as error:  # a damaged file makes the walk stumble in many ways
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise FormatError(
            f"{path.name}: expected a whole MATLAB file, got a damaged or truncated one ({reason})"
        ) from error
    return found


def _listed(names: tuple[str, ...]) -> str:
    """Give names of a foreign file as one short line."""
    line = ", ".join(names) or "nothing"
    return (line if line.isprintable() else repr(line))[:200]


def _number(path: Path, param: Structure, name: str) -> float:
    if name not in param:
        raise FormatError(f"{path.name}: param must hold {name}, got {_listed(tuple(param))}")
    value = param[name]
    if value is None or value.size != 1 or not np.isfinite(value).all():
        raise FormatError(f"{path.name}: param.{name} must be one finite number, got {_shown(value)}")
    return float(value.ravel()[0])


def _shown(value: np.ndarray | Structure | None) -> str:
    """Say what a variable is."""
    if isinstance(value, np.ndarray):
        return f"{value.ravel()[0]:g}" if value.size == 1 else f"numbers of shape {value.shape}"
    return "no real numbers" if value is None else "a structure"


def _transmit(
    path: Path, param: Structure, x: np.ndarray, speed: float, start: float, waveform: Waveform
) -> Transmit:
    """Give the plane wave whose delays the file holds."""
    stored = param.get("TXdelay", np.zeros(len(x)))
    if stored is None or stored.size != x.size or not np.isfinite(stored).all():
        raise FormatError(
            f"{path.name}: param.TXdelay must hold one finite delay per element, got {_shown(stored)}"
        )
    delays = stored.ravel().astype(float)
    slope, offset = np.polyfit(x, delays, 1) if len(x) > 1 else (0.0, delays[0])
    if np.abs(delays - slope * x - offset).max() > 1e-9 or abs(slope * speed) >= 1:
        raise FormatError(
            f"{path.name}: only plane waves are read from a MUST file, got delays of a focused one"
        )
    return Transmit.plane(
        steering_angle=math.asin(slope * speed), initial_time=start - float(offset), waveform=waveform
    )


def _channel_data(
    path: Path, rf: np.ndarray | Structure | None, param: np.ndarray | Structure | None
) -> ChannelData:
    if not isinstance(rf, np.ndarray) or rf.ndim not in (2, 3):
        raise FormatError(f"{path.name}: RF must be (sample, element, frame) real numbers, got {_shown(rf)}")
    if not isinstance(param, dict):
        raise FormatError(f"{path.name}: param must be one structure, got {_shown(param)}")
    rf = rf[..., np.newaxis] if rf.ndim == 2 else rf
    n_elements = rf.shape[1]
    speed, center = _number(path, param, "c"), _number(path, param, "fc")
    radius = param.get("radius")
    if "radius" in param and (radius is None or radius.size != 1 or not np.isposinf(radius).all()):
        raise FormatError(f"{path.name}: only linear arrays are read from a MUST file, got a curved one")
    bandwidth = _number(path, param, "bandwidth") / 100 if "bandwidth" in param else None
    probe = Probe.linear(
        name="MUST linear array",
        n_elements=n_elements,
        pitch=_number(path, param, "pitch"),
        center_frequency=center,
        element_width=_number(path, param, "width") if "width" in param else None,
        fractional_bandwidth=bandwidth,
    )
    start = _number(path, param, "t0") if "t0" in param else 0.0
    waveform = Waveform(
        center_frequency=center, cycles=1.0 if bandwidth is None else max(1.0, 0.9 / bandwidth)
    )
    transmit = _transmit(path, param, probe.element_positions[:, 0], speed, start, waveform)
    acquisition = Acquisition(
        probe=probe,
        transmits=(transmit,),
        sampling_frequency=_number(path, param, "fs"),
        demodulation_frequency=0.0,
        sound_speed=speed,
    )
    samples = np.ascontiguousarray(rf.transpose(2, 1, 0)[:, np.newaxis])
    rate = _number(path, param, "PRF") if "PRF" in param else 0.0
    if rate < 0:
        raise FormatError(f"{path.name}: param.PRF must not be negative [Hz], got {rate:g}")
    with np.errstate(over="ignore"):  # what single precision cannot hold is refused as infinite
        single = samples if samples.dtype == np.int16 else samples.astype(np.float32)
    return ChannelData(
        samples=single,
        scale=1.0,
        acquisition=acquisition,
        times=None if not rate else (np.arange(len(samples)) / rate)[:, np.newaxis],
        provenance=(Step(name="read mat_must", settings={"frames": len(samples)}, version=VERSION),),
    )


def read(path: Path) -> tuple[ChannelData | Image, ...]:
    """Read channel data or B-mode frames of MUST.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple of ChannelData or Image
        One.

    Raises
    ------
    FormatError
        If it is damaged, too large, or holds neither.
    """
    variables = _variables(path)
    try:
        return (_noun(path, variables),)
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(f"{path.name}: {error}") from error


def _noun(path: Path, variables: dict[str, np.ndarray | Structure | None]) -> ChannelData | Image:
    if "RF" in variables and "param" in variables:
        return _channel_data(path, variables["RF"], variables["param"])
    frames = variables.get("I")
    if isinstance(frames, np.ndarray) and frames.dtype == np.uint8 and frames.ndim in (2, 3) and frames.size:
        frames = frames[..., np.newaxis] if frames.ndim == 2 else frames
        values = np.divide(frames.transpose(2, 0, 1), np.float32(255), dtype=np.float32)
        step = Step(name="read mat_must", settings={"variable": "I"}, version=VERSION)
        grid = PixelGrid(rows=values.shape[1], columns=values.shape[2], spacing=None)
        return Image(values=values, quantity=Quantity.BRIGHTNESS, grid=grid, provenance=(step,))
    raise FormatError(
        f"{path.name}: expected RF with param, or 8-bit frames I, as MUST writes them; got {_listed(tuple(variables))}"
    )
