"""Our own layout in HDF5: every noun without loss, one frame a chunk, so that a recorder can append to it.

The file's attributes are `format` = "insonate" and `version`. Each noun is a group "0", "1", … with an attribute `noun`;
its arrays and long texts are datasets, its numbers and short texts attributes in SI units, and what is not known is simply
absent. The layout is written out in the reference of the documentation. Object types, links to other files, anything
pickled, and arrays of which a part was never stored are refused.
"""

import io
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from insonate.core import (
    Acquisition,
    ChannelData,
    CoordinateFrame,
    FormatError,
    Grid,
    Image,
    InputError,
    IQImage,
    PixelGrid,
    PolarGrid,
    Pose,
    Probe,
    Quantity,
    Readable,
    Step,
    Transmit,
    Waveform,
)
from insonate.formats.writing import replacing

NAME = "insonate_hdf5"
SUFFIXES = (".h5", ".hdf5", ".insonate")
FORMAT, VERSION = "insonate", 1

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MOST_BYTES = 4 << 30
"""A file whose arrays would together take more memory is refused."""
MOST_NOUNS = 1000
"""More nouns in one file are neither written nor read."""


def can_read(path: Path) -> bool:
    """Whether the file begins as HDF5; whose it is, is told on reading."""
    with path.open("rb") as file:
        return file.read(8) == SIGNATURE


# --- writing ---------------------------------------------------------------------------------------------------------


class _Patient:
    """A file for the library to write to, which keeps an error to itself until the library has closed.

    On a full disk the library itself ends the whole process when it closes a file that it could not write.
    """

    def __init__(self, file: io.FileIO) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        done = 0
        try:
            while done < len(view) and self.error is None:
                done += self.file.write(view[done:]) or 0
        except OSError as error:
            self.error = error
        return len(view)

    def truncate(self, size: int) -> int:
        try:
            return self.file.truncate(size)
        except OSError as error:
            self.error = error
            return size

    def readinto(self, into: Any) -> int:
        return int(self.file.readinto(into) or 0)

    def read(self, size: int) -> bytes:
        return self.file.read(size) or b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def flush(self) -> None:
        """Do nothing: the file has no buffer."""


def write(path: Path, *nouns: Readable) -> None:
    """Write nouns to one file, whole or not at all.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    *nouns : ChannelData, IQImage or Image
        At least one.

    Raises
    ------
    InputError
        If there is nothing to write.
    OutputError
        If it cannot be written.
    """
    if not 1 <= len(nouns) <= MOST_NOUNS:
        raise InputError(f"a file must hold 1..{MOST_NOUNS} nouns, got {len(nouns) or 'none'}")
    for noun in nouns:
        if not isinstance(noun, ChannelData | IQImage | Image):
            raise InputError(
                f"a file can hold ChannelData, IQImage and Image, got {type(noun).__name__} (a result? see `record`)"
            )
    with replacing(path) as room, room.open("w+b", buffering=0) as raw:
        patient = _Patient(raw)
        try:
            _write(patient, nouns)
        finally:
            if patient.error is not None:
                raise patient.error


def _write(patient: _Patient, nouns: tuple[Readable, ...]) -> None:
    with h5py.File(patient, "w") as file:
        file.attrs["format"], file.attrs["version"] = FORMAT, VERSION
        for number, noun in enumerate(nouns):
            group = file.create_group(str(number))
            if isinstance(noun, ChannelData):
                _write_channel_data(group, noun)
            elif isinstance(noun, IQImage):
                _write_iq(group, noun)
            else:
                _write_image(group, noun)
            steps = [
                {"name": s.name, "settings": dict(s.settings), "version": s.version} for s in noun.provenance
            ]
            _text_dataset(group, "provenance", json.dumps(steps))


def _text_dataset(group: h5py.Group, name: str, text: str | list[str]) -> None:
    """Write ASCII text of any length, which an attribute could not hold."""
    group.create_dataset(name, data=np.array(text, dtype=bytes))


def _frames(group: h5py.Group, name: str, values: np.ndarray) -> None:
    group.create_dataset(name, data=values, chunks=(1, *values.shape[1:]), maxshape=(None, *values.shape[1:]))


def _optional(group: h5py.Group, **values: Any) -> None:
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, np.ndarray):
            group.create_dataset(name, data=value)
        else:
            group.attrs[name] = value


def _write_channel_data(group: h5py.Group, noun: ChannelData) -> None:
    group.attrs["noun"] = "ChannelData"
    group.attrs["scale"] = noun.scale
    _frames(group, "samples", noun.samples)
    _optional(group, times=noun.times)
    acquisition = noun.acquisition
    group.attrs["sampling_frequency"] = acquisition.sampling_frequency
    group.attrs["demodulation_frequency"] = acquisition.demodulation_frequency
    group.attrs["sound_speed"] = acquisition.sound_speed
    probe = group.create_group("probe")
    _optional(
        probe,
        name=acquisition.probe.name,
        element_positions=acquisition.probe.element_positions,
        element_normals=acquisition.probe.element_normals,
        element_width=acquisition.probe.element_width,
        element_height=acquisition.probe.element_height,
        center_frequency=acquisition.probe.center_frequency,
        fractional_bandwidth=acquisition.probe.fractional_bandwidth,
        elevation_focus=acquisition.probe.elevation_focus,
    )
    for number, transmit in enumerate(acquisition.transmits):
        event = group.create_group(f"transmits/{number}")
        waveform = transmit.waveform
        _optional(
            event,
            origin=transmit.origin,
            direction=transmit.direction,
            focus_distance=transmit.focus_distance,
            initial_time=transmit.initial_time,
            delays=transmit.delays,
            apodization=transmit.apodization,
            waveform_center_frequency=None if waveform is None else waveform.center_frequency,
            waveform_cycles=None if waveform is None else waveform.cycles,
            waveform_polarity=None if waveform is None else waveform.polarity,
        )


def _write_grid(group: h5py.Group, grid: Grid | PolarGrid | PixelGrid) -> None:
    group.attrs["grid"] = type(grid).__name__
    if isinstance(grid, Grid):
        _optional(group, axial=grid.axial, lateral=grid.lateral)
    elif isinstance(grid, PolarGrid):
        _optional(group, radius=grid.radius, azimuth=grid.azimuth, apex=grid.apex)
    else:
        _optional(
            group,
            rows=grid.rows,
            columns=grid.columns,
            spacing=grid.spacing,
            corner=grid.corner,
            picture=grid.picture,
        )


def _write_iq(group: h5py.Group, noun: IQImage) -> None:
    group.attrs["noun"] = "IQImage"
    _frames(group, "values", noun.values)
    _write_grid(group, noun.grid)
    _optional(group, times=noun.times, center_frequency=noun.center_frequency, sound_speed=noun.sound_speed)


def _write_image(group: h5py.Group, noun: Image) -> None:
    group.attrs["noun"] = "Image"
    group.attrs["quantity"] = noun.quantity.name
    _frames(group, "values", noun.values)
    if noun.color is not None:
        _frames(group, "color", noun.color)
    _write_grid(group, noun.grid)
    _optional(group, times=noun.times)
    if noun.poses is not None:
        poses = group.create_group("poses")
        poses.create_dataset("rotation", data=np.stack([pose.rotation for pose in noun.poses]))
        poses.create_dataset("translation", data=np.stack([pose.translation for pose in noun.poses]))
        poses.create_dataset("time", data=np.array([pose.time for pose in noun.poses]))
        _text_dataset(poses, "source", [pose.source.name for pose in noun.poses])
        _text_dataset(poses, "target", [pose.target.name for pose in noun.poses])


# --- reading ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _File:
    """The file that is read: how it is called, and how much of the memory allowed is left."""

    name: str
    left: int


def read(path: Path) -> tuple[Readable, ...]:
    """Read every noun of a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple of ChannelData, IQImage or Image
        In the order they were written.

    Raises
    ------
    FormatError
        If it is damaged, not ours, of a later version, or too large.
    """
    try:
        source = _File(name=path.name, left=MOST_BYTES)
        with h5py.File(path, "r") as file:
            _check_ours(source, file)
            names = sorted((name for name in file if name.isdecimal()), key=int)
            if not 1 <= len(names) <= MOST_NOUNS:
                raise FormatError(
                    f"{path.name}: expected 1..{MOST_NOUNS} nouns in an Insonate file, got {len(names) or 'none'}"
                )
            return tuple(_noun(source, _group(source, file, name)) for name in names)
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(f"{path.name}: {error}") from error
    except Exception as error:  # a damaged file makes the library stumble in many ways
        reason = " ".join(str(error).split())[:120]
        raise FormatError(
            f"{path.name}: expected a whole Insonate file, got a damaged or truncated one ({reason})"
        ) from error


def _check_ours(source: _File, file: h5py.File) -> None:
    if _text(file.attrs.get("format")) != FORMAT:
        raise FormatError(
            f"{source.name}: expected HDF5 of the Insonate layout, got another kind of HDF5 file"
        )
    version = int(file.attrs.get("version", 0))
    if version != VERSION:
        raise FormatError(
            f"{source.name}: version {VERSION} of the Insonate layout is read, got version {version}"
        )


def _group(source: _File, parent: h5py.Group, name: str) -> h5py.Group:
    # The link is looked at before it is followed: a link to another file would open that file.
    link = parent.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink) or not isinstance(parent[name], h5py.Group):
        raise FormatError(f"{source.name}: {name} must be a group of this very file, got a link or an array")
    return parent[name]


def _array(source: _File, group: h5py.Group, name: str, kinds: str = "biufc") -> np.ndarray | None:
    link = group.get(name, getlink=True)
    if link is None:
        return None
    data = group[name] if isinstance(link, h5py.HardLink) else None
    if (
        not isinstance(data, h5py.Dataset)
        or data.external
        or data.is_virtual
        or data.shape is None
        or data.dtype.kind not in kinds
    ):
        what = "text" if kinds == "S" else "numbers"
        raise FormatError(f"{source.name}: {name} must be {what} stored in this very file")
    claimed = max(math.prod(data.shape), math.prod(data.chunks or ())) * data.dtype.itemsize
    source.left -= claimed
    if source.left < 0:
        raise FormatError(
            f"{source.name}: at most {MOST_BYTES >> 30} GB are read, {name} claims {claimed / 1e9:.1f} GB"
        )
    if data.chunks is None:
        whole = data.id.get_storage_size() >= claimed
    else:
        expected = math.prod(-(-n // chunk) for n, chunk in zip(data.shape, data.chunks, strict=True))
        whole = data.id.get_num_chunks() >= expected
    if not whole:  # the library would fill in zeros
        raise FormatError(f"{source.name}: {name} was not stored in full (an interrupted recording?)")
    values = np.asarray(data[()])
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _needed(source: _File, group: h5py.Group, name: str, kinds: str = "biufc") -> np.ndarray:
    values = _array(source, group, name, kinds)
    if values is None:
        raise FormatError(f"{source.name}: {group.name} must hold {name}, which is missing")
    return values


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _number(group: h5py.Group, name: str) -> float | None:
    value = group.attrs.get(name)
    return None if value is None else float(value)


def _known(source: _File, group: h5py.Group, name: str) -> float:
    value = _number(group, name)
    if value is None:
        raise FormatError(f"{source.name}: {group.name} must hold the number {name}, which is missing")
    return value


def _provenance(source: _File, group: h5py.Group) -> tuple[Step, ...]:
    def plain(value: Any) -> Any:
        return tuple(plain(part) for part in value) if isinstance(value, list) else value

    stored = _needed(source, group, "provenance", "S")
    steps = json.loads(stored.item())
    return tuple(
        Step(
            name=str(step["name"]),
            settings={str(key): plain(value) for key, value in step["settings"].items()},
            version=str(step["version"]),
        )
        for step in steps
    )


def _noun(source: _File, group: h5py.Group) -> Readable:
    kinds: dict[str, Callable[[_File, h5py.Group], Readable]] = {
        "ChannelData": _read_channel_data,
        "IQImage": _read_iq,
        "Image": _read_image,
    }
    kind = _text(group.attrs.get("noun"))
    if kind not in kinds:
        raise FormatError(f"{source.name}: noun must be one of {', '.join(kinds)}, got {kind!r}")
    return kinds[kind](source, group)


def _read_channel_data(source: _File, group: h5py.Group) -> ChannelData:
    stored = _group(source, group, "probe")
    probe = Probe(
        name=_text(stored.attrs.get("name", "unnamed")) or "",
        element_positions=_needed(source, stored, "element_positions"),
        element_normals=_needed(source, stored, "element_normals"),
        element_width=_number(stored, "element_width"),
        element_height=_number(stored, "element_height"),
        center_frequency=_known(source, stored, "center_frequency"),
        fractional_bandwidth=_number(stored, "fractional_bandwidth"),
        elevation_focus=_number(stored, "elevation_focus"),
    )
    events = _group(source, group, "transmits")
    acquisition = Acquisition(
        probe=probe,
        transmits=tuple(
            _read_transmit(source, _group(source, events, name)) for name in sorted(events, key=int)
        ),
        sampling_frequency=_known(source, group, "sampling_frequency"),
        demodulation_frequency=_known(source, group, "demodulation_frequency"),
        sound_speed=_known(source, group, "sound_speed"),
    )
    return ChannelData(
        samples=_needed(source, group, "samples"),
        scale=_known(source, group, "scale"),
        acquisition=acquisition,
        times=_array(source, group, "times"),
        provenance=_provenance(source, group),
    )


def _read_transmit(source: _File, event: h5py.Group) -> Transmit:
    center = _number(event, "waveform_center_frequency")
    waveform = None
    if center is not None:
        polarity = int(_known(source, event, "waveform_polarity"))
        waveform = Waveform(
            center_frequency=center, cycles=_known(source, event, "waveform_cycles"), polarity=polarity
        )
    return Transmit(
        origin=_needed(source, event, "origin"),
        direction=_needed(source, event, "direction"),
        focus_distance=_known(source, event, "focus_distance"),
        delays=_array(source, event, "delays"),
        apodization=_array(source, event, "apodization"),
        waveform=waveform,
        initial_time=_known(source, event, "initial_time"),
    )


def _read_grid(source: _File, group: h5py.Group) -> Grid | PolarGrid | PixelGrid:
    kind = _text(group.attrs.get("grid"))
    if kind == "Grid":
        return Grid(axial=_needed(source, group, "axial"), lateral=_needed(source, group, "lateral"))
    if kind == "PolarGrid":
        return PolarGrid(
            radius=_needed(source, group, "radius"),
            azimuth=_needed(source, group, "azimuth"),
            apex=_needed(source, group, "apex"),
        )
    if kind != "PixelGrid":
        raise FormatError(f"{source.name}: grid must be Grid, PolarGrid or PixelGrid, got {kind!r}")

    def pair(name: str) -> tuple[Any, Any] | None:
        value = group.attrs.get(name)
        return None if value is None else (value[0].item(), value[1].item())

    return PixelGrid(
        rows=int(_known(source, group, "rows")),
        columns=int(_known(source, group, "columns")),
        spacing=pair("spacing"),
        corner=pair("corner") or (0, 0),
        picture=pair("picture"),
    )


def _read_iq(source: _File, group: h5py.Group) -> IQImage:
    return IQImage(
        values=_needed(source, group, "values"),
        grid=_read_grid(source, group),
        times=_array(source, group, "times"),
        center_frequency=_number(group, "center_frequency"),
        sound_speed=_number(group, "sound_speed"),
        provenance=_provenance(source, group),
    )


def _read_image(source: _File, group: h5py.Group) -> Image:
    quantity = _text(group.attrs.get("quantity"))
    if quantity is None or quantity not in Quantity.__members__:
        raise FormatError(
            f"{source.name}: quantity must be one of {', '.join(Quantity.__members__)}, got {quantity!r}"
        )
    return Image(
        values=_needed(source, group, "values"),
        quantity=Quantity[quantity],
        grid=_read_grid(source, group),
        times=_array(source, group, "times"),
        poses=_read_poses(source, group),
        color=_array(source, group, "color"),
        provenance=_provenance(source, group),
    )


def _read_poses(source: _File, group: h5py.Group) -> tuple[Pose, ...] | None:
    if group.get("poses", getlink=True) is None:
        return None
    stored = _group(source, group, "poses")
    rotation, translation = _needed(source, stored, "rotation"), _needed(source, stored, "translation")
    time = _needed(source, stored, "time")
    frames = [_needed(source, stored, name, "S") for name in ("source", "target")]
    return tuple(
        Pose(
            rotation=r,
            translation=t,
            source=CoordinateFrame[a.decode()],
            target=CoordinateFrame[b.decode()],
            time=float(when),
        )
        for r, t, a, b, when in zip(rotation, translation, *frames, time, strict=True)
    )
