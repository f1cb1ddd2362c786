"""What was so, in a file: a sequence of truths in our own layout of HDF5, without loss.

The file's attributes are `format` = "insonate truth" and `version`; structures are one JSON text, the grid is stored once,
maps are (frame, …) one frame a chunk, compressed without loss, volumes, clearances and sections one column for each name,
NaN where a frame has none. Only those who may know the truth read it (`tests/architecture/test_homes.py`).
"""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from insonate.core import FormatError, Grid, InputError, Structure, Tissue
from insonate.core.anatomy import Side
from insonate.core.truth import Truth
from insonate.formats.writing import replacing

NAME = "truth"
FORMAT, VERSION = "insonate truth", 2
MOST_BYTES = 4 << 30
"""A file whose arrays would together take more memory is neither written nor read."""
MOST_FRAMES = 100_000
"""More truths in one file are neither written nor read."""
MOST_TEXT = 1 << 20
"""Longest text of structures and names [bytes]."""

MAPS = {
    "labels": "uint8",
    "displacement": "float",
    "velocity": "float",
    "shear_modulus": "float",
    "injectate": "bool",
}
"""Maps of a truth, and their kind."""

TABLES = ("given", "clearances", "shaft_clearances", "cross_sections")
"""Numbers by name."""


def write(path: Path, truths: Iterable[Truth]) -> int:
    """Write truths of one plane's grid to one file, whole or not at all; they are taken one by one.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    truths : iterable of Truth
        At least one; all on the same grid and of the same structures.

    Returns
    -------
    int
        How many there were.

    Raises
    ------
    InputError
        If there is none, or they differ in grid or structures.
    OutputError
        If it cannot be written.
    """
    with replacing(path) as room, h5py.File(room, "w") as file:
        file.attrs["format"], file.attrs["version"] = FORMAT, VERSION
        scalars: list[tuple[float, float, np.ndarray, np.ndarray]] = []
        tables: dict[str, list[Mapping[str, float]]] = {name: [] for name in TABLES}
        first: Truth | None = None
        taken = 0
        for number, truth in enumerate(truths):
            if first is None:
                first = truth
                _begin(file, truth)
            _check_alike(first, truth, number)
            for name in MAPS:
                taken += getattr(truth, name).nbytes
                data = file[name]
                if number >= MOST_FRAMES or taken > MOST_BYTES:
                    raise InputError(
                        f"a file can hold at most {MOST_FRAMES} truths and {MOST_BYTES >> 30} GB, got more"
                    )
                data.resize(number + 1, axis=0)
                data[number] = getattr(truth, name)
            nothing = np.full(3, np.nan)
            tip = nothing if truth.needle_tip is None else truth.needle_tip
            heading = nothing if truth.needle_direction is None else truth.needle_direction
            scalars.append((truth.time, truth.injected, tip, heading))
            for name, rows in tables.items():
                rows.append(getattr(truth, name))
        if first is None:
            raise InputError("a file must hold at least one truth, got none")
        for name, values in zip(
            ("times", "injected", "needle_tip", "needle_direction"), zip(*scalars, strict=True), strict=True
        ):
            file.create_dataset(name, data=np.array(values, dtype=float))
        for name, rows in tables.items():
            names = sorted({key for row in rows for key in row})
            _text(file, f"{name}_names", names)
            values = np.array([[row.get(key, np.nan) for key in names] for row in rows], dtype=float)
            file.create_dataset(name, data=values.reshape(len(rows), len(names)))
        return len(scalars)


def _begin(file: h5py.File, truth: Truth) -> None:
    file.create_dataset("axial", data=truth.grid.axial)
    file.create_dataset("lateral", data=truth.grid.lateral)
    _text(
        file,
        "structures",
        [
            {
                "name": one.name,
                "tissue": one.tissue.value,
                "code": one.code,
                "side": None if one.side is None else one.side.value,
                "instance": one.instance,
                "named_by": one.named_by,
            }
            for one in truth.structures
        ],
    )
    for name in MAPS:
        values = getattr(truth, name)
        file.create_dataset(
            name,
            shape=(0, *values.shape),
            maxshape=(None, *values.shape),
            chunks=(1, *values.shape),
            dtype=values.dtype,
            compression="gzip",
            compression_opts=1,
            shuffle=True,
        )


def _text(file: h5py.File, name: str, value: Any) -> None:
    file.create_dataset(name, data=np.array(json.dumps(value), dtype=bytes))


def _check_alike(first: Truth, truth: Truth, number: int) -> None:
    same = np.array_equal(truth.grid.axial, first.grid.axial) and np.array_equal(
        truth.grid.lateral, first.grid.lateral
    )
    kinds = all(getattr(truth, name).dtype == getattr(first, name).dtype for name in MAPS)
    if not same or not kinds or truth.structures != first.structures:
        raise InputError(
            f"truths of one file must share grid, structures and kinds of number, got another one at {number}"
        )


def read(path: Path) -> tuple[Truth, ...]:
    """Read all truths of a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple of Truth
        In the order they were written.

    Raises
    ------
    FormatError
        If it is damaged, not ours, of a later version, or too large.
    """
    try:
        with h5py.File(path, "r") as file:
            if _plain(file.attrs.get("format")) != FORMAT:
                raise FormatError(f"{path.name}: expected HDF5 of truths, got another kind of HDF5 file")
            version = int(file.attrs.get("version", 0))
            if version != VERSION:
                raise FormatError(f"{path.name}: version {VERSION} of truths is read, got version {version}")
            return _read(path.name, file)
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(f"{path.name}: {error}") from error
    except Exception as error:  # a damaged file makes the library stumble in many ways
        reason = " ".join(str(error).split())[:120]
        raise FormatError(
            f"{path.name}: expected a whole file of truths, got a damaged or truncated one ({reason})"
        ) from error


def _read(name: str, file: h5py.File) -> tuple[Truth, ...]:
    left = MOST_BYTES
    arrays: dict[str, np.ndarray] = {}
    singles = ("axial", "lateral", "times", "injected", "needle_tip", "needle_direction")
    for key in (*MAPS, *singles, *TABLES):
        data = _dataset(name, file, key, "biuf")
        left -= math.prod(data.shape) * data.dtype.itemsize
        if left < 0:
            raise FormatError(f"{name}: at most {MOST_BYTES >> 30} GB are read, {key} claims more")
        if data.chunks is not None and key in MAPS:
            expected = math.prod(-(-n // chunk) for n, chunk in zip(data.shape, data.chunks, strict=True))
            if data.id.get_num_chunks() < expected:  # the library would fill in zeros
                raise FormatError(f"{name}: {key} was not stored in full (an interrupted writing?)")
        arrays[key] = np.asarray(data[()])
    count = len(arrays["times"])
    if not 1 <= count <= MOST_FRAMES:
        raise FormatError(f"{name}: expected 1..{MOST_FRAMES} truths, got {count or 'none'}")
    for key in (*MAPS, "injected", "needle_tip", "needle_direction", *TABLES):
        if len(arrays[key]) != count:
            raise FormatError(
                f"{name}: {key} must have one entry for each of {count} truths, got {len(arrays[key])}"
            )
    structures = tuple(_structure(one) for one in _json(name, file, "structures"))
    grid = Grid(axial=arrays["axial"], lateral=arrays["lateral"])
    names = {key: _json(name, file, f"{key}_names") for key in TABLES}

    def table(key: str, at: int) -> dict[str, float]:
        pairs = zip(names[key], arrays[key][at], strict=True)
        return {str(one): float(value) for one, value in pairs if not np.isnan(value)}

    return tuple(
        Truth(
            time=float(arrays["times"][at]),
            grid=grid,
            labels=arrays["labels"][at],
            structures=structures,
            displacement=arrays["displacement"][at],
            velocity=arrays["velocity"][at],
            shear_modulus=arrays["shear_modulus"][at],
            injectate=arrays["injectate"][at],
            injected=float(arrays["injected"][at]),
            needle_tip=_known(arrays["needle_tip"][at]),
            needle_direction=_known(arrays["needle_direction"][at]),
            **{key: table(key, at) for key in TABLES},
        )
        for at in range(count)
    )


def _dataset(name: str, file: h5py.File, key: str, kinds: str) -> h5py.Dataset:
    # The link is looked at before it is followed: a link to another file would open that file.
    link = file.get(key, getlink=True)
    data = file[key] if isinstance(link, h5py.HardLink) else None
    if (
        not isinstance(data, h5py.Dataset)
        or data.external
        or data.is_virtual
        or data.shape is None
        or data.dtype.kind not in kinds
    ):
        raise FormatError(
            f"{name}: {key} must be {'text' if kinds == 'S' else 'numbers'} stored in this very file"
        )
    return data


def _json(name: str, file: h5py.File, key: str) -> list[Any]:
    data = _dataset(name, file, key, "S")
    if data.shape != () or data.dtype.itemsize > MOST_TEXT:
        raise FormatError(f"{name}: {key} must be one text of at most {MOST_TEXT} bytes")
    value = json.loads(data[()])
    if not isinstance(value, list):
        raise FormatError(f"{name}: {key} must be a list")
    return value


def _structure(one: Mapping[str, Any]) -> Structure:
    return Structure(
        name=str(one["name"]),
        tissue=Tissue(one["tissue"]),
        code=one["code"],
        side=None if one["side"] is None else Side(one["side"]),
        instance=int(one["instance"]),
        named_by=one["named_by"],
    )


def _known(vector: np.ndarray) -> np.ndarray | None:
    return None if np.isnan(vector).all() else vector


def _plain(value: Any) -> str | None:
    return (
        value.decode("utf-8", "replace")
        if isinstance(value, bytes)
        else None
        if value is None
        else str(value)
    )
