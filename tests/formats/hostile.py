"""What every reader must survive: files cut short, flipped, mislabeled, and files that ask for memory.

A reader may give a noun or raise one `InsonateError` with one line. Anything else that escapes it fails the test.
"""

import functools
import pickle
import resource
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from insonate.core import ChannelData, Image, InputError, InsonateError, IQImage

MODEST = 256 << 20
"""A refusal may cost no more memory than this [bytes]; a bomb that goes off costs gigabytes."""

SWOLLEN = 64 << 20
"""What `swelling` inflates to [bytes]."""

FOREIGN = {
    "empty": b"",
    "one byte": b"\x89",
    "text": b"GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n" * 20,
    "zeros": bytes(4096),
    "ones": b"\xff" * 4096,
    "a page": b"<!doctype html><html><body>not found</body></html>" * 10,
    "an archive": b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + bytes(600),
}
"""What is no file of any kind that is read."""

Reader = Callable[[Path], tuple[Any, ...]]


def noun_or_refusal(read: Reader, path: Path) -> tuple[Any, ...] | None:
    """Read, and give the nouns, or None where the reader refuses in one line."""
    try:
        nouns = read(path)
    except InputError as error:
        line = str(error)
        assert line, "a refusal must say why"
        assert "\n" not in line, line
        assert len(line) < 500, line
        return None
    assert nouns
    assert all(isinstance(noun, ChannelData | Image | IQImage) for noun in nouns)
    return nouns


def refusal(read: Reader, path: Path) -> str:
    """Give the one line that the reader refuses with."""
    with pytest.raises(InsonateError) as caught:
        read(path)
    line = str(caught.value)
    assert "\n" not in line, line
    assert path.name in line, "a refusal names its file"
    return line


def truncations(data: bytes, n: int = 60) -> Iterator[bytes]:
    """Give the file cut at `n` places, close to each other where its header is."""
    early = {min(i * i // 4, len(data) - 1) for i in range(n // 2)}
    spread = {len(data) * i // (n // 2 + 1) for i in range(1, n // 2 + 1)}
    for cut in sorted(early | spread | {len(data) - 1}):
        yield data[:cut]


def damaged(data: bytes) -> st.SearchStrategy[bytes]:
    """Give the file with a few bytes changed, or a stretch of it removed or repeated."""

    def flipped(changes: list[tuple[int, int]]) -> bytes:
        made = bytearray(data)
        for at, value in changes:
            made[at] ^= value
        return bytes(made)

    def moved(spans: tuple[int, int, bool]) -> bytes:
        start, length, repeat = spans
        end = min(start + length, len(data))
        return data[:end] + data[start:] if repeat else data[:start] + data[end:]

    last = len(data) - 1
    header = min(last, 400)
    change = st.tuples(st.integers(0, header) | st.integers(0, last), st.integers(1, 255))
    return st.lists(change, min_size=1, max_size=4).map(flipped) | st.tuples(
        st.integers(0, last), st.integers(1, 64), st.booleans()
    ).map(moved)


@contextmanager
def modest_memory(most: int = MODEST) -> Iterator[None]:
    """Fail if the block takes more memory than `most`, by Python's count or by the system's."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10) - before
    assert peak < most, f"{peak >> 20} MiB were asked for"
    assert grown < most, f"the process grew by {grown >> 20} MiB"


@functools.cache
def swelling(*, raw: bool = False) -> bytes:
    """Give 64 MiB of zeros, deflated to 64 KiB."""
    pack = zlib.compressobj(wbits=-zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
    return pack.compress(bytes(SWOLLEN)) + pack.flush()


def pickle_that_acts(mark: Path) -> bytes:
    """Give a pickle that makes the file `mark` when it is loaded."""

    class Acts:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (mark,))

    return pickle.dumps(Acts())


@contextmanager
def full_disk(most: int = 4096) -> Iterator[None]:
    """Let no file grow beyond `most` bytes: a write fails as it does on a full disk, in any library."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
