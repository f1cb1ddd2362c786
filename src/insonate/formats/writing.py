"""Write a file whole or not at all: under a temporary name in the same folder, then moved into place."""

import os
import secrets
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
        room = path.parent / f".{path.name[:40]}-{secrets.token_hex(8)}.partial"
        # New, and with the rights that the user's own files have: a temporary file's would be for the user alone.
        os.close(os.open(room, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
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
