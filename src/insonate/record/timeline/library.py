"""A folder of recordings: listed, renamed, deleted. A name is that of the file without its ending."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from insonate.core.checks import check_name
from insonate.core.errors import InputError, InsonateError, OutputError
from insonate.record.timeline.log import BEGIN, SUFFIX, Damage, scan

LONGEST_NAME = 80
"""Characters."""

ALLOWED = re.compile(r"[^\W_][\w .,()+-]*")
"""Letters, digits and plain signs; no path, no hidden file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One recording of a folder."""

    name: str
    """Without ending."""
    path: Path
    """Of the file."""
    size: int
    """[bytes]"""
    begin: dict[str, Any]
    """What was examined; empty where it cannot be read."""


def home() -> Path:
    """Give the folder of a user's recordings; it need not exist."""
    from platformdirs import user_data_path

    return user_data_path("insonate", appauthor=False) / "recordings"


def check_title(name: str) -> str:
    """Give a name without the blanks around it.

    Raises
    ------
    InputError
        If it is none that a recording may have.
    """
    clean = name.strip()
    if not 1 <= len(clean) <= LONGEST_NAME or not ALLOWED.fullmatch(clean):
        raise InputError(
            f"a recording's name must be 1..{LONGEST_NAME} letters, digits, blanks or . , ( ) + - and begin with a "
            f"letter or digit, got {name[:LONGEST_NAME]!r}"
        )
    return clean


class Library:
    """The recordings of one folder."""

    def __init__(self, folder: Path) -> None:
        """Take a folder; it need not exist yet."""
        self.folder = folder

    def entries(self) -> tuple[Entry, ...]:
        """Give all recordings, newest first."""
        return tuple(sorted(self._entries(), key=lambda one: one.begin.get("began", 0.0), reverse=True))

    def _entries(self) -> Iterator[Entry]:
        if not self.folder.is_dir():
            return
        for path in self.folder.glob(f"*{SUFFIX}"):
            try:
                first = next((one for one in scan(path, data=False)), None)
                size = path.stat().st_size
            except (InsonateError, OSError):
                continue  # it went away, or is none
            known = first is not None and not isinstance(first, Damage) and first.kind == BEGIN
            yield Entry(
                name=path.name.removesuffix(SUFFIX),
                path=path,
                size=size,
                begin=dict(first.content) if known and not isinstance(first, Damage) and first else {},
            )

    def path(self, name: str) -> Path:
        """Give the file of a recording.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        known = {one.name: one.path for one in self.entries()}
        check_name("recording", name, known)
        return known[name]

    def fresh(self, title: str) -> Path:
        """Give a file that does not exist yet, for a new recording."""
        stamp = datetime.now(UTC).astimezone().strftime("%Y-%m-%d %H.%M.%S")
        words = re.sub(r"[^\w .,()+-]", " ", title).strip()[: LONGEST_NAME - 30] or "examination"
        for number in range(1, 1000):
            name = f"{stamp} {words}" if number == 1 else f"{stamp} {words} ({number})"
            path = self.folder / f"{name}{SUFFIX}"
            if not path.exists():
                return path
        raise OutputError(f"{self.folder}: too many recordings of one second")

    def rename(self, name: str, to: str) -> Path:
        """Give a recording another name.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        InputError
            If the other is no name, or taken.
        OutputError
            If it cannot be done.
        """
        path, wanted = self.path(name), self.folder / f"{check_title(to)}{SUFFIX}"
        if wanted.exists():
            raise InputError(f"there is a recording named {check_title(to)!r} already")
        try:
            return path.rename(wanted)
        except OSError as error:
            raise OutputError(f"{path.name} cannot be renamed: {error.strerror}") from error

    def delete(self, name: str) -> None:
        """Delete a recording, for good.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        OutputError
            If it cannot be done.
        """
        path = self.path(name)
        try:
            path.unlink()
        except OSError as error:
            raise OutputError(f"{path.name} cannot be deleted: {error.strerror}") from error
