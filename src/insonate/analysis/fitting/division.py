"""The real pairs, divided once into a working half and a sealed half.

A group of near-duplicates goes to the working half if any picture of it had been looked at before the division, else to
the sealed half, so that

    sealed = { pair : no picture of its group is in `seen` }

Simulated pictures are improved by the working half alone. The sealed half is never looked at; it is scored at the end. The
division stands in `division.toml` as names with the first digits of their files' SHA-256: a pair that changes is refused.
"""

import hashlib
import tomllib
from collections.abc import Collection, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import numpy as np

from insonate.core import FormatError, InputError

DIGITS = 16
"""Hexadecimal digits that are kept of a picture's SHA-256."""

HALVES = ("working", "sealed")
"""Names of the halves."""


def looked_at(name: str, odd: Collection[str]) -> bool:
    """Say whether a picture had been looked at before the division: even numbers all, odd ones by name."""
    return int(name) % 2 == 0 or name in odd


def sealed(group: np.ndarray, seen: Sequence[bool] | np.ndarray) -> np.ndarray:
    """Say which pictures lie in the sealed half: those of groups of which nothing had been seen.

    Parameters
    ----------
    group : numpy.ndarray
        (n,) int, the group of near-duplicates of each picture.
    seen : sequence of bool
        (n,) whether it had been looked at.

    Returns
    -------
    numpy.ndarray
        (n,) bool.
    """
    return ~np.isin(group, np.unique(group[np.asarray(seen, bool)]))


@cache
def division() -> MappingProxyType[str, MappingProxyType[str, str]]:
    """Give the division as it was made: digits of the SHA-256 by name, by half.

    Returns
    -------
    mapping
        "working" and "sealed".
    """
    tables = tomllib.loads(files(__package__).joinpath("division.toml").read_text(encoding="utf-8"))
    return MappingProxyType({half: MappingProxyType(tables[half]) for half in HALVES})


def half(name: str, folder: Path | None = None) -> np.ndarray:
    """Give the names of a half's pairs, in their order.

    Parameters
    ----------
    name : str
        "working" or "sealed".
    folder : pathlib.Path, optional
        Holds `images`; if given, each file must be the one that was divided.

    Returns
    -------
    numpy.ndarray
        (n,) str.

    Raises
    ------
    InputError
        If there is no such half.
    FormatError
        If a picture is missing or another one.
    """
    if name not in HALVES:
        raise InputError(f"half must be one of {', '.join(HALVES)}, got {name!r}")
    digits = division()[name]
    if folder is not None:
        for picture, expected in digits.items():
            path = folder / "images" / f"{picture}.png"
            if not path.is_file():
                raise FormatError(f"the {name} half needs {path}, which is missing")
            found = digest(path)
            if found != expected:
                raise FormatError(
                    f"{path} must have a SHA-256 that begins with {expected}, got {found} (another version of the data?)"
                )
    return np.array(sorted(digits))


def digest(path: Path) -> str:
    """Give the first digits of a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:DIGITS]
