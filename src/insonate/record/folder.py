"""Results in a folder, all of them or none: made beside it under a temporary name, then moved into place."""

import errno
import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from insonate.core.anatomy import Segmentation
from insonate.core.errors import InputError, OutputError
from insonate.core.grid import Grid, PixelGrid, PolarGrid
from insonate.display.palette import label_colors
from insonate.formats.still import write_labels, write_png


def _in_words(error: OSError) -> str:
    return error.strerror or type(error).__name__


@contextmanager
def folder(out: Path) -> Iterator[Path]:
    """Give a temporary folder whose files are moved into `out` when all is done, and removed if anything fails.

    Parameters
    ----------
    out : pathlib.Path
        The folder wanted; made if missing, its other files left alone.

    Yields
    ------
    pathlib.Path
        Where to write.

    Raises
    ------
    InputError
        If `out` is a file.
    OutputError
        If it cannot be written.
    """
    room: Path | None = None
    missing: list[Path] = []
    done = False
    try:
        _check_place(out)
        # Inside the folder where there is one: it may be a disk of its own, and the one above it closed to us.
        above = out if out.is_dir() else out.parent
        room = above / f".{out.name}-{secrets.token_hex(6)}.partial"
        missing = _missing(out)
        room.mkdir(parents=True, mode=0o700)
        yield room
        _move(room, out)
        done = True
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be written: {_in_words(error)}; nothing was left half-written"
        ) from error
    finally:  # an interruption finds its way here from any line above
        if room is not None:
            shutil.rmtree(room, ignore_errors=True)
        if not done:
            _remove_empty(missing)


def _check_place(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InputError(f"--out must be a folder, got the file {out}")
    there = next(place for place in out.absolute().parents if place.exists())
    if not there.is_dir():
        raise OutputError(f"{out}: cannot be written: {there} is a file, not a folder")


def _missing(out: Path) -> list[Path]:
    """Give the folders of a path that do not exist yet, deepest first."""
    return list(takewhile(lambda place: not place.exists(), (out, *out.parents)))


def _remove_empty(folders: list[Path]) -> None:
    """Remove folders that were made here, deepest first, unless somebody put something there by now."""
    for place in folders:
        with suppress(OSError):
            place.rmdir()


def _move(room: Path, out: Path) -> None:
    """Move every file of `room` to its place in `out`; if one cannot be, put back what was there before.

    What it replaces is kept in `room` until all is moved.
    """
    files = sorted(path for path in room.rglob("*") if path.is_file())
    kept = room / f"before-{secrets.token_hex(6)}"
    kept.mkdir()
    undo: list[tuple[Path, Path | None]] = []
    folders: list[Path] = []
    try:
        for number, path in enumerate(files):
            place = out / path.relative_to(room)
            folders = _missing(place.parent) + folders
            place.parent.mkdir(parents=True, exist_ok=True)
            before = kept / str(number) if place.exists() or place.is_symlink() else None
            if before is not None:
                if place.is_dir():
                    raise IsADirectoryError(errno.EISDIR, f"{place.name} is a folder")
                undo.append((place, before))
                place.replace(before)
            else:
                undo.append((place, None))
            path.replace(place)
    except BaseException:  # an interruption as well
        for place, before in reversed(undo):
            if before is None:
                place.unlink(missing_ok=True)
            elif before.exists() or before.is_symlink():
                before.replace(place)
        _remove_empty(folders)
        raise


def on_picture(
    values: np.ndarray,
    grid: Grid | PolarGrid | PixelGrid,
    area: tuple[int, int, int, int] | None,
    whole: Grid | PolarGrid | PixelGrid,
) -> np.ndarray:
    """Put values of the part that holds echoes back on the input's own pixel grid, zero elsewhere.

    Parameters
    ----------
    values : numpy.ndarray
        (rows, columns) of the part.
    grid : Grid, PolarGrid or PixelGrid
        Of the part; a `PixelGrid` knows where in its picture it lies.
    area : (int, int, int, int) or None
        Where the part lies on `whole`.
    whole : Grid, PolarGrid or PixelGrid
        Of the image as read.

    Returns
    -------
    numpy.ndarray
        Rows and columns of the input's own picture.
    """
    if isinstance(grid, PixelGrid):
        shape, corner = grid.picture or grid.shape, grid.corner
    else:
        shape, corner = whole.shape, (0, 0) if area is None else area[:2]
    out = np.zeros(shape, values.dtype)
    rows, columns = values.shape
    out[corner[0] : corner[0] + rows, corner[1] : corner[1] + columns] = values
    return out


def write_segmentation(
    room: Path,
    segmentation: Segmentation,
    area: tuple[int, int, int, int] | None,
    whole: Grid | PolarGrid | PixelGrid,
) -> list[str]:
    """Write labels and confidence of every frame as PNG on the input's own pixel grid.

    Parameters
    ----------
    room : pathlib.Path
        Where to write.
    segmentation : Segmentation
        Of the part that holds echoes.
    area : (int, int, int, int) or None
        Where that part lies on `whole`.
    whole : Grid, PolarGrid or PixelGrid
        Of the image as read.

    Returns
    -------
    list of str
        Names of the files: `labels.png`, `confidence.png`; `labels-0001.png` … for clips.
    """
    colors = label_colors(tuple(structure.tissue for structure in segmentation.structures))
    n_frames = len(segmentation.labels)
    names = []
    for frame in range(n_frames):
        tail = "" if n_frames == 1 else f"-{frame + 1:04d}"
        labels = on_picture(segmentation.labels[frame], segmentation.grid, area, whole)
        sure = on_picture(segmentation.confidence[frame], segmentation.grid, area, whole)
        write_labels(room / f"labels{tail}.png", labels, colors)
        write_png(room / f"confidence{tail}.png", (255 * sure + 0.5).astype(np.uint8))
        names += [f"labels{tail}.png", f"confidence{tail}.png"]
    return names


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write plain values as JSON, one key a line, without NaN."""
    path.write_text(
        json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )


def write_picture(path: Path, pixels: np.ndarray) -> None:
    """Write pixels as a PNG, under a temporary name first.

    Parameters
    ----------
    path : pathlib.Path
        Ends in `.png`.
    pixels : numpy.ndarray
        (rows, columns) or (rows, columns, 3) uint8.

    Raises
    ------
    InputError
        If the name does not end in `.png`.
    OutputError
        If it cannot be written.
    """
    check_picture_name(path)
    write_png(path, pixels)


def check_picture_name(path: Path) -> None:
    """Raise `InputError` unless a name ends in `.png`: to be asked before long work."""
    if path.suffix.lower() != ".png":
        raise InputError(f"--out must end in .png, got {path.name!r}")
