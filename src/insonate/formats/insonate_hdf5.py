"""Our own layout in HDF5: every noun without loss, one frame a chunk, so that a recorder can append to it.

The file's attributes are `format` = "insonate" and `version`. Each noun is a group "0", "1", … with an attribute `noun`;
its arrays are datasets, its numbers attributes in SI units, and what is not known is simply absent. The layout is written
out in the reference of the documentation. Object types, links to other files and anything pickled are refused.
"""

import json
import math
from collections.abc import Callable
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
"""Arrays that would take more memory are refused."""
MOST_NOUNS = 1000
"""Groups in one file."""


def can_read(path: Path) -> bool:
    """Whether the file begins as HDF5; whose it is, is told on reading."""
    with path.open("rb") as file:
        return file.read(8) == SIGNATURE


# --- writing ---------------------------------------------------------------------------------------------------------


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
    if not nouns:
        raise InputError("a file must hold at least one noun, got none")
    with replacing(path) as room, h5py.File(room, "w") as file:
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
            group.attrs["provenance"] = json.dumps(steps)


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
        poses.attrs["source"] = [pose.source.name for pose in noun.poses]
        poses.attrs["target"] = [pose.target.name for pose in noun.poses]


# --- reading ---------------------------------------------------------------------------------------------------------


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
        with h5py.File(path, "r") as file:
            _check_ours(path, file)
            names = sorted((name for name in file if name.isdigit()), key=int)[:MOST_NOUNS]
            if not names:
                raise FormatError(
                    f"{path.name}: expected at least one noun, got an Insonate file without any"
                )
            return tuple(_noun(path, _group(path, file, name)) for name in names)
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(f"{path.name}: {error}") from error
    except Exception as error:  # a damaged file makes the library stumble in many ways
        reason = " ".join(str(error).split())[:120]
        raise FormatError(
            f"{path.name}: expected a whole Insonate file, got a damaged or truncated one ({reason})"
        ) from error


def _check_ours(path: Path, file: h5py.File) -> None:
    if _text(file.attrs.get("format")) != FORMAT:
        raise FormatError(f"{path.name}: expected HDF5 of the Insonate layout, got another kind of HDF5 file")
    version = int(file.attrs.get("version", 0))
    if version != VERSION:
        raise FormatError(
            f"{path.name}: version {VERSION} of the Insonate layout is read, got version {version}"
        )


def _group(path: Path, parent: h5py.Group, name: str) -> h5py.Group:
    link = parent.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink) or not isinstance(parent[name], h5py.Group):
        raise FormatError(f"{path.name}: {name} must be a group of this very file, got a link or an array")
    return parent[name]


def _array(path: Path, group: h5py.Group, name: str) -> np.ndarray | None:
    if name not in group:
        return None
    data = group[name] if isinstance(group.get(name, getlink=True), h5py.HardLink) else None
    if (
        not isinstance(data, h5py.Dataset)
        or data.external
        or data.is_virtual
        or data.dtype.kind not in "biufc"
    ):
        raise FormatError(f"{path.name}: {name} must be numbers stored in this very file")
    claimed = math.prod(data.shape) * data.dtype.itemsize
    if claimed > MOST_BYTES:
        raise FormatError(
            f"{path.name}: at most {MOST_BYTES >> 30} GB are read, {name} claims {claimed / 1e9:.1f} GB"
        )
    values: np.ndarray = data[()]
    return values


def _needed(path: Path, group: h5py.Group, name: str) -> np.ndarray:
    values = _array(path, group, name)
    if values is None:
        raise FormatError(f"{path.name}: {group.name} must hold {name}, which is missing")
    return values


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _number(group: h5py.Group, name: str) -> float | None:
    value = group.attrs.get(name)
    return None if value is None else float(value)


def _known(path: Path, group: h5py.Group, name: str) -> float:
    value = _number(group, name)
    if value is None:
        raise FormatError(f"{path.name}: {group.name} must hold the number {name}, which is missing")
    return value


def _provenance(group: h5py.Group) -> tuple[Step, ...]:
    def plain(value: Any) -> Any:
        return tuple(plain(part) for part in value) if isinstance(value, list) else value

    steps = json.loads(_text(group.attrs.get("provenance")) or "[]")
    return tuple(
        Step(
            name=str(step["name"]),
            settings={str(key): plain(value) for key, value in step["settings"].items()},
            version=str(step["version"]),
        )
        for step in steps
    )


def _noun(path: Path, group: h5py.Group) -> Readable:
    kinds: dict[str, Callable[[Path, h5py.Group], Readable]] = {
        "ChannelData": _read_channel_data,
        "IQImage": _read_iq,
        "Image": _read_image,
    }
    kind = _text(group.attrs.get("noun"))
    if kind not in kinds:
        raise FormatError(f"{path.name}: noun must be one of {', '.join(kinds)}, got {kind!r}")
    return kinds[kind](path, group)


def _read_channel_data(path: Path, group: h5py.Group) -> ChannelData:
    stored = _group(path, group, "probe")
    probe = Probe(
        name=_text(stored.attrs.get("name")) or "unnamed",
        element_positions=_needed(path, stored, "element_positions"),
        element_normals=_needed(path, stored, "element_normals"),
        element_width=_number(stored, "element_width"),
        element_height=_number(stored, "element_height"),
        center_frequency=_known(path, stored, "center_frequency"),
        fractional_bandwidth=_number(stored, "fractional_bandwidth"),
        elevation_focus=_number(stored, "elevation_focus"),
    )
    events = _group(path, group, "transmits")
    acquisition = Acquisition(
        probe=probe,
        transmits=tuple(_read_transmit(path, _group(path, events, name)) for name in sorted(events, key=int)),
        sampling_frequency=_known(path, group, "sampling_frequency"),
        demodulation_frequency=_known(path, group, "demodulation_frequency"),
        sound_speed=_known(path, group, "sound_speed"),
    )
    return ChannelData(
        samples=_needed(path, group, "samples"),
        scale=_known(path, group, "scale"),
        acquisition=acquisition,
        times=_array(path, group, "times"),
        provenance=_provenance(group),
    )


def _read_transmit(path: Path, event: h5py.Group) -> Transmit:
    center = _number(event, "waveform_center_frequency")
    waveform = None
    if center is not None:
        polarity = int(_known(path, event, "waveform_polarity"))
        waveform = Waveform(
            center_frequency=center, cycles=_known(path, event, "waveform_cycles"), polarity=polarity
        )
    return Transmit(
        origin=_needed(path, event, "origin"),
        direction=_needed(path, event, "direction"),
        focus_distance=_known(path, event, "focus_distance"),
        delays=_array(path, event, "delays"),
        apodization=_array(path, event, "apodization"),
        waveform=waveform,
        initial_time=_known(path, event, "initial_time"),
    )


def _read_grid(path: Path, group: h5py.Group) -> Grid | PolarGrid | PixelGrid:
    kind = _text(group.attrs.get("grid"))
    if kind == "Grid":
        return Grid(axial=_needed(path, group, "axial"), lateral=_needed(path, group, "lateral"))
    if kind == "PolarGrid":
        return PolarGrid(
            radius=_needed(path, group, "radius"),
            azimuth=_needed(path, group, "azimuth"),
            apex=_needed(path, group, "apex"),
        )
    if kind != "PixelGrid":
        raise FormatError(f"{path.name}: grid must be Grid, PolarGrid or PixelGrid, got {kind!r}")

    def pair(name: str) -> tuple[Any, Any] | None:
        value = group.attrs.get(name)
        return None if value is None else (value[0].item(), value[1].item())

    return PixelGrid(
        rows=int(_known(path, group, "rows")),
        columns=int(_known(path, group, "columns")),
        spacing=pair("spacing"),
        corner=pair("corner") or (0, 0),
        picture=pair("picture"),
    )


def _read_iq(path: Path, group: h5py.Group) -> IQImage:
    return IQImage(
        values=_needed(path, group, "values"),
        grid=_read_grid(path, group),
        times=_array(path, group, "times"),
        center_frequency=_number(group, "center_frequency"),
        sound_speed=_number(group, "sound_speed"),
        provenance=_provenance(group),
    )


def _read_image(path: Path, group: h5py.Group) -> Image:
    quantity = _text(group.attrs.get("quantity"))
    if quantity is None or quantity not in Quantity.__members__:
        raise FormatError(
            f"{path.name}: quantity must be one of {', '.join(Quantity.__members__)}, got {quantity!r}"
        )
    return Image(
        values=_needed(path, group, "values"),
        quantity=Quantity[quantity],
        grid=_read_grid(path, group),
        times=_array(path, group, "times"),
        poses=_read_poses(path, group),
        color=_array(path, group, "color"),
        provenance=_provenance(group),
    )


def _read_poses(path: Path, group: h5py.Group) -> tuple[Pose, ...] | None:
    if "poses" not in group:
        return None
    stored = _group(path, group, "poses")
    rotation, translation = _needed(path, stored, "rotation"), _needed(path, stored, "translation")
    time, source, target = _needed(path, stored, "time"), stored.attrs["source"], stored.attrs["target"]
    return tuple(
        Pose(
            rotation=rotation[i],
            translation=translation[i],
            source=CoordinateFrame[str(_text(source[i]))],
            target=CoordinateFrame[str(_text(target[i]))],
            time=float(time[i]),
        )
        for i in range(len(time))
    )
