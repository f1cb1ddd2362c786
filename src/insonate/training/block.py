"""A simulated block as it is handed on: seed, settings and every command, from which all of it can be lived again."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from insonate.core import Command, FormatError, InputError
from insonate.core.checks import check_range
from insonate.core.units import Meters, Seconds
from insonate.pipeline.commands import commanded
from insonate.simulation.course import Settings

NAME = "examination.json"
"""Of the file in a folder that `insonate simulate` wrote."""
MOST_PLANNED = 100
"""Paths of one block; more are not read."""
MOST_BYTES = 256 << 20
"""A larger file is not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A path that was taken before the needle went in, in the picture of then."""

    time: Seconds
    """When it was taken [s]."""
    entry: tuple[Meters, Meters]
    """Where it begins, down and to the right of the picture's middle [m]."""
    goal: tuple[Meters, Meters]
    """Where it ends [m]."""
    until: Seconds = math.inf
    """When the probe moved off the picture it was taken in; never by default [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """All that a replay needs."""

    seed: int
    """Of the individual."""
    settings: Settings
    """As the patient had them."""
    commands: tuple[Command, ...]
    """In the order they were given."""
    seconds: Seconds
    """How long it was [s]."""
    target: str | None
    """Name of the nerve that was aimed at; None where nobody said."""
    operator: str
    """Who did it."""
    told: tuple[Mapping[str, Any], ...] | None = None
    """Each change of the cues that stood, see `telling.told`; None where nobody kept them."""
    planned: tuple[Planned, ...] = ()
    """Paths that were taken, in order."""


def read_block(path: Path) -> Block:
    """Read a block.

    Parameters
    ----------
    path : pathlib.Path
        The folder that `insonate simulate REGION` wrote, or its `examination.json`.

    Returns
    -------
    Block
        Ready to be lived again.

    Raises
    ------
    FormatError
        If it is damaged or no such file.
    InputError
        If it cannot be read, or a command cannot be.
    """
    file = path / NAME if path.is_dir() else path
    try:
        if file.stat().st_size > MOST_BYTES:
            raise FormatError(f"{file.name}: at most {MOST_BYTES >> 20} MB are read, it is larger")
        values = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"{path}: expected a folder that `insonate simulate REGION` wrote, or its {NAME}: there is no {file.name}"
        ) from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or type(error).__name__}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{file.name}: this is no JSON: {str(error)[:80]}") from error
    if not isinstance(values, dict) or values.get("simulated") is not True:
        raise FormatError(f"{file.name}: expected a simulated examination, got another kind of file")
    try:
        return _block(values)
    except InputError as error:
        raise FormatError(f"{file.name}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise FormatError(f"{file.name}: not a whole examination: {' '.join(what.split())[:120]}") from error


def _planned(values: Mapping[str, Any]) -> Planned:
    ends = []
    for name in ("entry", "goal"):
        down, right = (float(one) for one in values[name])
        for one in (down, right):
            check_range(f"planned {name}", one, (-0.5, 0.5), "m", hint="millimeters?")
        ends.append((down, right))
    time = float(values["time"])
    check_range("planned time", time, (0, 1e6), "s")
    return Planned(time=time, entry=ends[0], goal=ends[1])


def _block(values: Mapping[str, Any]) -> Block:
    settings = values["settings"]
    seed, seconds = values["seed"], values["seconds"]
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise FormatError(f"seed must be a whole number, got {seed!r}")
    target, told = values.get("target"), values.get("told")
    if told is not None and not isinstance(told, list):
        raise FormatError("told must be a list")
    return Block(
        seed=seed,
        settings=Settings(**{**settings, "pathologies": tuple(settings.get("pathologies", ()))}),
        commands=tuple(commanded(values["commands"])),
        seconds=float(seconds),
        target=None if target is None else str(target)[:200],
        operator=str(values.get("operator", "unknown"))[:200],
        told=None if told is None else tuple(told),
        planned=tuple(_planned(one) for one in values.get("planned", ())[:MOST_PLANNED]),
    )
