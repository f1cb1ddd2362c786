"""The answer key beside a live picture: what each place of a simulated patient truly is, for who practices.

    begin  {"seed", "settings"}              → lives the examination again, from its start
    step   {"time", "commands": [...]}       → {"time", "labels", "structures", ...} of the frame taken at that time

It is a process of its own (`insonate answer-key`), told every command as it was obeyed: whoever makes the picture, labels it
or advises on it never holds an answer. A line in is a line of JSON out. Labels are one byte a pixel, deflated, in base64:
0 is nothing named, k is structure k; injected fluid is a structure of its own, the last.
"""

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from insonate.core import FormatError, InsonateError
from insonate.core.truth import Truth
from insonate.core.units import Seconds
from insonate.pipeline.commands import commanded
from insonate.simulation.answer import Following
from insonate.simulation.course import TICK, Settings
from insonate.simulation.medium import Body

STEP = 3e-4
"""Between the pixels of an answer [m]."""

FLUID = {"name": "injected fluid", "tissue": "injectate"}
"""As a structure."""

LIVED_AT_ONCE: Seconds = 2.0
"""After so much of the past it says how far it is [s]."""


def answer(lines: Iterable[str], tell: Callable[[str], None], *, body: Body | None = None) -> None:
    """Answer line by line until there are no more.

    Parameters
    ----------
    lines : iterable of str
        One that begins, then steps in the order of their times.
    tell : callable
        Takes each line of the answer, without its end: of how far it is, `{"lived": s}`, or an answer.
    body : Body, optional
        The one that the patient had, instead of the region's.

    Raises
    ------
    FormatError
        If a line is none of these.
    InputError
        If a command could not have been obeyed.
    """
    following: Following | None = None
    for line in lines:
        told = _read(line)
        if following is None:
            following = _begun(told, body)
            continue
        try:
            time, commands = float(told["time"]), commanded(told["commands"])
        except (KeyError, TypeError, ValueError, InsonateError) as error:
            raise FormatError(f"a step needs a time and commands: {str(error)[:100]}") from error
        following.advance(commands, 0.0)
        end = time + TICK  # the frame was taken in the tick that begins then
        while end - following.time > LIVED_AT_ONCE:
            following.advance((), following.time + LIVED_AT_ONCE)
            tell(json.dumps({"lived": round(following.time, 2)}))
        following.advance((), end)
        tell(json.dumps(as_values(following.truth())))


def as_values(truth: Truth) -> dict[str, Any]:
    """Give what is shown of a truth as plain values.

    Parameters
    ----------
    truth : Truth
        Of one frame.

    Returns
    -------
    dict
        `time` [s]; `rows`, `columns`; `origin` and `step`, down and to the right [m]; `labels`; `structures`, each with its
        `name`, `tissue` and where it stands in the plane, `at` (down, right) [m], None where it is not in it.
    """
    labels = np.array(truth.labels)
    rows = [{"name": _name(one.name, one.instance), "tissue": one.tissue.value} for one in truth.structures]
    if truth.injectate.any() and len(rows) < np.iinfo(labels.dtype).max:
        rows.append(dict(FLUID))
        labels[truth.injectate] = len(rows)
    axial, lateral = truth.grid.axial, truth.grid.lateral
    structures = []
    for number, row in enumerate(rows, start=1):
        down, right = np.nonzero(labels == number)
        middle = (
            [float(axial[int(np.median(down))]), float(lateral[int(np.median(right))])] if len(down) else None
        )
        structures.append({**row, "at": middle})
    return {
        "time": truth.time,
        "rows": labels.shape[0],
        "columns": labels.shape[1],
        "origin": [float(axial[0]), float(lateral[0])],
        "step": [float(axial[1] - axial[0]), float(lateral[1] - lateral[0])],
        "labels": base64.b64encode(zlib.compress(np.ascontiguousarray(labels).tobytes(), 1)).decode("ascii"),
        "structures": structures,
    }


def _name(name: str, instance: int) -> str:
    return name if instance == 1 else f"{name} {instance}"


def _read(line: str) -> Mapping[str, Any]:
    try:
        told = json.loads(line)
    except ValueError as error:
        raise FormatError(f"a line must be JSON: {str(error)[:100]}") from error
    if not isinstance(told, dict):
        raise FormatError(f"a line must be a JSON object, got {type(told).__name__}")
    return told


def _begun(told: Mapping[str, Any], body: Body | None) -> Following:
    try:
        seed, settings = int(told["seed"]), Settings(**{**told["settings"], "truth_step": STEP})
    except (KeyError, TypeError, ValueError, InsonateError) as error:
        raise FormatError(f"the first line needs seed and settings: {str(error)[:100]}") from error
    return Following(seed, settings, body=body)
