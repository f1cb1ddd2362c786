"""Find the right reader for a file, and read it."""

import os
from dataclasses import replace
from pathlib import Path

from insonate.core.errors import FormatError, InputError
from insonate.core.grid import PixelGrid
from insonate.core.image import Image
from insonate.core.stages import Readable
from insonate.core.units import Meters
from insonate.pipeline.catalog import READERS


def reader_of(path: Path) -> str:
    """Give the name of the reader that knows this file.

    Parameters
    ----------
    path : pathlib.Path
        An existing file.

    Returns
    -------
    str
        A name in `READERS`.

    Raises
    ------
    FormatError
        If the path is no readable, non-empty file, or no reader knows it.
    """
    try:
        if not path.exists():
            raise FormatError(f"{path}: no such file")
        if path.is_dir():
            raise FormatError(f"{path}: expected a file, got a folder")
        if not path.is_file():
            raise FormatError(f"{path}: expected an ordinary file, got a device or pipe")
        with path.open("rb") as file:
            first = file.read(1)
    except OSError as error:  # a name too long and a folder closed to us come out here as well
        raise FormatError(f"{path.name}: cannot be opened: {error.strerror}") from error
    if not first:
        raise FormatError(f"{path.name}: expected an image, clip or channel data, got an empty file")
    for name in READERS.names():
        if READERS.get(name).can_read(path):
            return name
    raise FormatError(
        f"{path.name}: not a kind that is read. Expected DICOM, PNG, JPEG, MP4, MOV, AVI, MetaImage (.mha, .mhd), MUST "
        "plane-wave .mat, or Insonate HDF5"
    )


def open(
    path: str | os.PathLike[str], *, spacing: tuple[Meters, Meters] | None = None
) -> tuple[Readable, ...]:
    """Read any file that a reader knows.

    Parameters
    ----------
    path : str or path-like
        The file.
    spacing : (float, float), optional
        Distance between rows and between columns, for a picture whose file does not say [m].

    Returns
    -------
    tuple of ChannelData, IQImage or Image
        One per region and spacing in the file.

    Raises
    ------
    FormatError
        If the file is damaged or of no kind that is read.
    InputError
        If a spacing is given that the file itself defines.
    """
    file = Path(path)
    nouns: tuple[Readable, ...] = READERS.get(reader_of(file)).read(file)
    return nouns if spacing is None else tuple(supply_spacing(noun, spacing) for noun in nouns)


def supply_spacing(noun: Readable, spacing: tuple[Meters, Meters]) -> Readable:
    """Give what was read with a spacing that somebody supplied.

    Parameters
    ----------
    noun : ChannelData, IQImage or Image
        As read.
    spacing : (float, float)
        Distance between rows and between columns [m].

    Returns
    -------
    ChannelData, IQImage or Image
        The same on a grid with that spacing.

    Raises
    ------
    InputError
        If the file itself says where its pixels are.
    """
    if isinstance(noun, Image):
        return noun.with_spacing(spacing)
    grid = getattr(noun, "grid", None)
    if not isinstance(grid, PixelGrid) or grid.spacing is not None:
        raise InputError("spacing can only be supplied where it is unknown, this file defines its own")
    return replace(noun, grid=replace(grid, spacing=spacing))  # type: ignore[arg-type]
