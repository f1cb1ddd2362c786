"""Write a file whole or not at all: under a temporary name in the same folder, then moved into place."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from insonate.core.errors import OutputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path that becomes `path` when all is done, and is removed if anything fails.

    Parameters
    ----------
    path : pathlib.Path
        The file wanted; its folder is made if missing.

    Yields
    ------
    pathlib.Path
        Where to write.

    Raises
    ------
    OutputError
        If the folder or the file cannot be written, with the system's reason.
    """
    room: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", suffix=".partial", dir=path.parent)
        os.close(handle)
        room = Path(name)
        yield room
        room.replace(path)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written: {error.strerror or error}; nothing was left half-written"
        ) from error
    finally:
        if room is not None:
            room.unlink(missing_ok=True)
