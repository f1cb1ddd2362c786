"""Presets: named settings of how a picture is formed and shown, those that come with the software and a user's own.

A preset names controls of `appearance`; those it does not name go back to their first value. A user's own are kept in one
file of the settings folder (`presets.json`), written whole or not at all. None touches a hand or anything that advises.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from insonate.core import FormatError, InputError, InsonateError
from insonate.core.checks import check_range
from insonate.formats.writing import replacing
from insonate.pipeline.appearance import CONTROLS

MOST = 32
"""Presets of a user's own."""

MOST_NAME = 40
"""Letters of a name."""

MOST_BYTES = 1 << 18
"""A longer file is not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One set of values with its name."""

    name: str
    """As it is shown."""
    values: Mapping[str, float]
    """Of some controls."""
    about: str = ""
    """What it is for, in a few words."""
    own: bool = False
    """Whether it is the user's own."""

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > MOST_NAME or not self.name.isprintable():
            raise InputError(f"a preset needs a name of 1 to {MOST_NAME} letters, got {self.name[:60]!r}")
        for name, value in self.values.items():
            if name not in CONTROLS:
                raise InputError(f"preset {self.name!r}: there is no control {name[:40]!r}")
            low, high, _, unit = CONTROLS[name]
            check_range(f"preset {self.name!r}: {name}", value, (low, high), unit)

    def value(self, control: str) -> float:
        """Give the value that a control takes."""
        return float(self.values.get(control, CONTROLS[control][2]))


@cache
def built_in() -> tuple[Preset, ...]:
    """Give the presets that come with the software, in order."""
    text = (files("insonate.pipeline") / "presets.toml").read_text(encoding="utf-8")
    return tuple(
        Preset(
            name=row["name"],
            about=row["about"],
            values={key: float(value) for key, value in row.items() if key not in ("name", "about")},
        )
        for row in tomllib.loads(text)["preset"]
    )


def home() -> Path:
    """Give the file of a user's own presets, in the settings folder of this system (XDG)."""
    from platformdirs import user_config_path

    return user_config_path("insonate") / "presets.json"


class Presets:
    """All that there are, kept in one file."""

    def __init__(self, file: Path) -> None:
        """Read a user's own, if there are any.

        Parameters
        ----------
        file : pathlib.Path
            Where they are kept; it need not be there.
        """
        self.file = file
        self.trouble: str | None = None
        """Why a user's own cannot be read, in words; the file is left as it is."""
        self._own: dict[str, Preset] = {}
        try:
            self._own = {one.name: one for one in _read(file)}
        except InsonateError as error:
            self.trouble = str(error)

    def all(self) -> tuple[Preset, ...]:
        """Give all, those that come with the software first."""
        return (*built_in(), *self._own.values())

    def get(self, name: str) -> Preset:
        """Give one by its name.

        Raises
        ------
        InputError
            If there is none.
        """
        for one in self.all():
            if one.name == name:
                return one
        raise InputError(f"there is no preset {name[:MOST_NAME]!r}")

    def save(self, name: str, values: Mapping[str, float]) -> None:
        """Keep values under a name; one of the user's own by that name is replaced.

        Raises
        ------
        InputError
            If the name is that of one that comes with the software, or none, or there are too many.
        OutputError
            If it cannot be written.
        """
        words = " ".join(name.split())
        if any(one.name.casefold() == words.casefold() for one in built_in()):
            raise InputError(f"{words!r} comes with the software: choose another name")
        if self.trouble is not None:
            raise InputError(f"your own presets cannot be read, so none is written over them: {self.trouble}")
        if words not in self._own and len(self._own) >= MOST:
            raise InputError(f"there are {MOST} presets of your own already: delete one first")
        kept = {key: float(value) for key, value in values.items() if value != CONTROLS[key][2]}
        self._write({**self._own, words: Preset(name=words, values=kept, own=True)})

    def delete(self, name: str) -> None:
        """Forget one of the user's own.

        Raises
        ------
        InputError
            If there is none of that name.
        OutputError
            If it cannot be written.
        """
        if name not in self._own:
            raise InputError(f"there is no preset of your own named {name[:MOST_NAME]!r}")
        self._write({key: one for key, one in self._own.items() if key != name})

    def _write(self, own: dict[str, Preset]) -> None:
        rows = [{"name": one.name, "values": dict(one.values)} for one in own.values()]
        with replacing(self.file) as room:
            room.write_text(json.dumps({"presets": rows}, indent=1) + "\n", encoding="utf-8")
        self._own = own


def _read(file: Path) -> list[Preset]:
    try:
        if not file.is_file():
            return []
        with file.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{file.name}: cannot be read: {error.strerror or error}") from error
    if len(raw) > MOST_BYTES:
        raise FormatError(f"{file.name}: longer than {MOST_BYTES} bytes")
    try:
        rows: list[dict[str, Any]] = json.loads(raw)["presets"]
        own = [
            Preset(
                name=str(row["name"]), values={str(k): float(v) for k, v in row["values"].items()}, own=True
            )
            for row in rows
        ]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise FormatError(f"{file.name}: no list of presets: {str(error)[:100]}") from error
    return own[:MOST]
