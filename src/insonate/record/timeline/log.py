"""The file of a recording: records that are only ever added, each complete in itself and checked whole.

    file    "INSOTIME" then a record for each event
    record  mark (4 bytes) · length of the body (u32) · CRC-32 of length and body (u32) · body
    body    length of the text (u32) · text: JSON {"n": sequence, "t": time, "k": kind, "c": content} · data

All numbers are little-endian. CRC-32 (ISO 3309) notices every single flipped byte. Each record is handed to the system as
soon as it is made, so that a program that is killed loses none of them, and once a second the system is asked to put them on
the disk. A record that was being written is cut off at the end of the file; what is damaged within is named by its place,
and reading goes on at the next record that is whole. A file that was closed ends with an event "end".
"""

import json
import os
import struct
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from insonate.core.errors import FormatError, InputError, InsonateError, OutputError
from insonate.core.event import Event
from insonate.core.units import Seconds

SUFFIX = ".insotime"
"""Of a recording."""

MAGIC = b"INSOTIME"
MARK = b"\xa5REC"
HEAD = struct.Struct("<4sII")
TEXT = struct.Struct("<I")

LONGEST = 64 << 20
"""Of a body [bytes]; a length beyond it is damage."""

TO_DISK: Seconds = 1.0
"""How often the system is asked to put what it holds on the disk [s]."""

END = "end"
"""Kind of the last event of a file that was closed."""

BEGIN = "begin"
"""Kind of the first event: what was examined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Bytes of a recording that are no whole record."""

    offset: int
    """Of the first of them in the file [bytes]."""
    length: int
    """How many [bytes]."""
    after: int | None
    """Sequence of the last event before them; None at the beginning."""
    at_end: bool
    """Whether they are the last of the file, as of a record that was being written."""

    @property
    def sentence(self) -> str:
        """Where, in words."""
        where = "at the beginning" if self.after is None else f"after event {self.after}"
        if self.at_end:
            return f"the last {self.length} bytes, {where}, are no whole record"
        return f"bytes {self.offset}..{self.offset + self.length - 1}, {where}, are damaged"


@dataclass(slots=True)
class Report:
    """What a recording holds."""

    events: int = 0
    """How many can be read."""
    seconds: Seconds = 0.0
    """Time of the last [s]."""
    begin: Mapping[str, Any] | None = None
    """Content of the first event; None where it cannot be read."""
    closed: bool = False
    """Whether it was ended, rather than cut off."""
    damage: list[Damage] = field(default_factory=list)
    """What cannot be read."""
    missing: int = 0
    """Events that the numbers say there were, and are not there."""

    @property
    def whole(self) -> bool:
        """Whether nothing of it is damaged or missing; it may have been cut off."""
        return self.begin is not None and not self.missing and all(one.at_end for one in self.damage)


class Log:
    """A recording that is being written. Not for two threads."""

    def __init__(self, path: Path) -> None:
        """Make a new file.

        Parameters
        ----------
        path : pathlib.Path
            Must not exist.

        Raises
        ------
        OutputError
            If it cannot be made.
        """
        self.path = path
        self.bytes_written = len(MAGIC)
        self._next = 0
        self._to_disk = time.monotonic() + TO_DISK
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO | None = path.open("xb", buffering=0)
            self._write(MAGIC)
        except OSError as error:
            raise OutputError(
                f"{path}: cannot be recorded: {error.strerror or type(error).__name__}"
            ) from error

    def append(self, at: Seconds, kind: str, content: Mapping[str, Any], data: bytes = b"") -> Event:
        """Add an event; once this returns, it outlives the program.

        Parameters
        ----------
        at : float
            When it arrived [s].
        kind : str
            What it is.
        content : mapping
            Plain values.
        data : bytes
            What is no text.

        Returns
        -------
        Event
            As it was written.

        Raises
        ------
        OutputError
            If it cannot be written; the file ends with the record before, and takes no more.
        InputError
            If it is too large, or its content is not plain.
        """
        event = Event(sequence=self._next, time=at, kind=kind, content=content, data=data)
        record = packed(event)
        if self._file is None:
            raise OutputError(f"{self.path.name}: the recording has ended")
        try:
            self._write(record)
            if (now := time.monotonic()) >= self._to_disk:
                self._to_disk = now + TO_DISK
                os.fdatasync(self._file.fileno())
        except OSError as error:
            self.let_go()
            raise OutputError(
                f"{self.path.name}: recording stopped: {error.strerror or type(error).__name__}"
            ) from error
        self._next += 1
        self.bytes_written += len(record)
        return event

    def _write(self, record: bytes) -> None:
        if self._file is None:
            return
        view = memoryview(record)
        while view:
            view = view[self._file.write(view) :]

    def let_go(self) -> None:
        """Take half a record away, where the disk lets us, and close the file without a word."""
        if self._file is not None:
            with suppress(OSError):  # reading leaves it out
                self._file.truncate(self.bytes_written)
            self._file.close()
            self._file = None

    def close(self, at: Seconds = 0.0) -> None:
        """End it, with an event that says so."""
        if self._file is None:
            return
        self.append(at, END, {})
        if self._file is not None:
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                raise OutputError(f"{self.path.name}: cannot be kept: {error.strerror}") from error
            finally:
                self._file.close()
                self._file = None


def packed(event: Event) -> bytes:
    """Give the record of an event.

    Raises
    ------
    InputError
        If it is too large, or its content is not plain.
    """
    try:
        text = json.dumps(
            {"n": event.sequence, "t": event.time, "k": event.kind, "c": event.content},
            separators=(",", ":"),
            allow_nan=False,
        ).encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"the content of an event must be plain values, got {error}") from None
    body = TEXT.pack(len(text)) + text + event.data
    if len(body) > LONGEST:
        raise InputError(f"an event must have at most {LONGEST} bytes, got {len(body)}")
    checked = zlib.crc32(body, zlib.crc32(TEXT.pack(len(body))))
    return HEAD.pack(MARK, len(body), checked) + body


def scan(path: Path, *, data: bool = True) -> Iterator[Event | Damage]:
    """Read a recording, event by event, and what is damaged between them.

    Parameters
    ----------
    path : pathlib.Path
        The file; it may still be written to.
    data : bool
        Whether to give the data; they are checked in any case.

    Yields
    ------
    Event or Damage
        In the order of the file.

    Raises
    ------
    FormatError
        If it is no recording.
    InputError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
            if magic != MAGIC:
                begun = file.read(len(MARK))
                if begun != MARK and not (MAGIC.startswith(magic) and not begun):
                    raise FormatError(f"{path.name}: this is no recording of Insonate")
                yield Damage(offset=0, length=len(magic), after=None, at_end=not begun)
            yield from _records(file, len(magic), data=data)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or type(error).__name__}") from error


def _records(file: BinaryIO, start: int, *, data: bool) -> Iterator[Event | Damage]:
    size = os.fstat(file.fileno()).st_size
    at, after = start, None
    while at < size:
        found = _record(file, at, size, data=data)
        if found is not None:
            event, at = found
            after = event.sequence
            yield event
            continue
        following = _next_whole(file, at + 1, size)
        yield Damage(
            offset=at,
            length=(size if following is None else following) - at,
            after=after,
            at_end=following is None,
        )
        if following is None:
            return
        at = following


def _record(file: BinaryIO, at: int, size: int, *, data: bool) -> tuple[Event, int] | None:
    """Give the event of a record and where it ends, or None where there is no whole one."""
    file.seek(at)
    head = file.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    mark, length, checked = HEAD.unpack(head)
    if mark != MARK or length > LONGEST or at + HEAD.size + length > size:
        return None
    body = file.read(length)
    if len(body) < length or zlib.crc32(body, zlib.crc32(TEXT.pack(length))) != checked:
        return None
    try:
        (n_text,) = TEXT.unpack_from(body)
        told = json.loads(body[TEXT.size : TEXT.size + n_text])
        event = Event(
            sequence=told["n"],
            time=told["t"],
            kind=told["k"],
            content=told["c"],
            data=body[TEXT.size + n_text :] if data else b"",
        )
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, InsonateError):
        return None  # whole, and yet none of ours
    return event, at + HEAD.size + length


def _next_whole(file: BinaryIO, start: int, size: int) -> int | None:
    """Give where the next whole record begins."""
    step = 1 << 20
    at = start
    while at < size:
        file.seek(at)
        block = file.read(step + len(MARK) - 1)
        place = block.find(MARK)
        while place >= 0:
            if _record(file, at + place, size, data=False) is not None:
                return at + place
            place = block.find(MARK, place + 1)
        at += step
    return None


def check(path: Path) -> Report:
    """Read a recording whole and say what it holds, and what of it is damaged.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    Report
        Of every record.

    Raises
    ------
    FormatError
        If it is no recording.
    """
    report = Report()
    expected = 0
    for one in scan(path, data=False):
        if isinstance(one, Damage):
            report.damage.append(one)
            continue
        report.events += 1
        report.missing += max(one.sequence - expected, 0)
        expected = one.sequence + 1
        report.seconds = max(report.seconds, one.time)
        report.closed = one.kind == END
        if one.kind == BEGIN and report.begin is None:
            report.begin = one.content
    return report
