"""Read procedures from their files, strictly.

A number is `{ value, unit, source, evidence }`; the unit must be the one its key calls for, and becomes SI here. A margin
or stand-off may be the words "two sigma" instead: it is then derived from the stated uncertainty (`guidance.uncertainty`).
"""

import difflib
import math
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from insonate.core import (
    Approach,
    Hazard,
    Injectate,
    InputError,
    Needle,
    Procedure,
    Review,
    Sourced,
    Target,
    TargetKind,
    Tissue,
    UnknownNameError,
)
from insonate.guidance.uncertainty import uncertainty

UNITS = {"mm": 1e-3, "cm": 1e-2, "mL": 1e-6, "deg": math.pi / 180}
"""Units a file may use, in SI."""

EVIDENCE = ("M", "U", "C", "D")
"""Tags besides S-nnn: from memory, uncertain, computed, design assumption."""

DERIVED = "two sigma"

KEYS = {
    "": {"id", "name", "review", "view", "landmarks", "approach", "direction", "warnings", "sources", "depth",
         "angle_limit", "target", "needle", "injectate", "hazards"},
    "target": {"kind", "structures", "tissue", "standoff"},
    "needle": {"gauge", "diameter", "length"},
    "injectate": {"volume"},
    "hazards": {"structure", "tissue", "margin"},
}  # fmt: skip
"""What each table must hold, no more and no less."""


def _folder() -> Traversable:
    return files("insonate.guidance.procedures")


def _ids() -> tuple[str, ...]:
    return tuple(sorted(entry.name[:-5] for entry in _folder().iterdir() if entry.name.endswith(".toml")))


def _exactly(where: str, table: Mapping[str, Any], kind: str) -> None:
    if not isinstance(table, Mapping):
        raise InputError(f"{where} must be a table, got {table!r}")
    missing, extra = KEYS[kind] - set(table), set(table) - KEYS[kind]
    if missing or extra:
        near = {key: difflib.get_close_matches(key, missing, n=1) for key in extra}
        slips = "".join(f" ({key!r} for {match[0]!r}?)" for key, match in near.items() if match)
        raise InputError(
            f"{where}: missing {sorted(missing) or 'nothing'}, unknown {sorted(extra) or 'nothing'}{slips}"
        )


def _number(where: str, entry: Any, unit: str) -> Sourced:
    keys = {"value", "unit", "source", "evidence"}
    if not isinstance(entry, Mapping) or set(entry) != keys:
        raise InputError(f"{where} must be a number with {', '.join(sorted(keys))}, got {entry!r}")
    if entry["unit"] != unit:
        raise InputError(f"{where} must be in {unit}, got {entry['unit']!r}")
    tag = str(entry["evidence"])
    if tag not in EVIDENCE and not (tag.startswith("S-") and tag[2:].isdigit()):
        raise InputError(f"{where} must have an evidence tag S-nnn, {', '.join(EVIDENCE)}, got {tag!r}")
    value = entry["value"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where} must be a number [{unit}], got {value!r}")
    return Sourced(value=value * UNITS[unit], source=str(entry["source"]), evidence=tag)


def _distance(where: str, entry: Any) -> Sourced:
    return uncertainty().two_sigma() if entry == DERIVED else _number(where, entry, "mm")


def _choice(where: str, value: Any, kind: Callable[[Any], Any], allowed: list[str]) -> Any:
    if value not in allowed:
        raise InputError(f"{where} must be one of {', '.join(allowed)}, got {value!r}")
    return kind(value)


def _pair(where: str, entries: Any, unit: str) -> tuple[Sourced, Sourced]:
    if not isinstance(entries, list) or len(entries) != 2:
        raise InputError(f"{where} must be two numbers, smallest and largest, got {entries!r}")
    return _number(f"{where}[0]", entries[0], unit), _number(f"{where}[1]", entries[1], unit)


def _tissue(where: str, value: Any) -> Tissue:
    tissue: Tissue = _choice(where, value, Tissue, [tissue.value for tissue in Tissue])
    return tissue


def parse(name: str, text: str) -> Procedure:
    """Read one procedure from its text.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    text : str
        TOML.

    Returns
    -------
    Procedure
        In SI units.

    Raises
    ------
    InputError
        Naming the file and the key that is wrong.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{name}: expected TOML: {error}") from error
    _exactly(name, table, "")
    for part in ("target", "needle", "injectate"):
        _exactly(f"{name}: {part}", table[part], part)
    target, needle = table["target"], table["needle"]
    hazards = []
    for number, hazard in enumerate(table["hazards"]):
        where = f"{name}: hazards[{number}]"
        _exactly(where, hazard, "hazards")
        hazards.append(
            Hazard(
                structure=str(hazard["structure"]),
                tissue=_tissue(f"{where}.tissue", hazard["tissue"]),
                margin=_distance(f"{where}.margin", hazard["margin"]),
            )
        )
    try:
        return Procedure(
            id=str(table["id"]),
            name=str(table["name"]),
            target=Target(
                kind=_choice(
                    f"{name}: target.kind", target["kind"], TargetKind, [k.value for k in TargetKind]
                ),
                structures=tuple(str(structure) for structure in target["structures"]),
                tissue=_tissue(f"{name}: target.tissue", target["tissue"]),
                standoff=_distance(f"{name}: target.standoff", target["standoff"]),
            ),
            hazards=tuple(hazards),
            view=str(table["view"]),
            landmarks=tuple(str(landmark) for landmark in table["landmarks"]),
            approach=_choice(f"{name}: approach", table["approach"], Approach, [a.value for a in Approach]),
            direction=str(table["direction"]),
            depth=_pair(f"{name}: depth", table["depth"], "cm"),
            angle_limit=_number(f"{name}: angle_limit", table["angle_limit"], "deg"),
            needle=Needle(
                gauge=needle["gauge"],
                diameter=_number(f"{name}: needle.diameter", needle["diameter"], "mm"),
                length=_number(f"{name}: needle.length", needle["length"], "mm"),
            ),
            injectate=Injectate(
                volume=_pair(f"{name}: injectate.volume", table["injectate"]["volume"], "mL")
            ),
            warnings=tuple(str(warning) for warning in table["warnings"]),
            review=_choice(f"{name}: review", table["review"], Review, [r.value for r in Review]),
            sources=tuple(str(source) for source in table["sources"]),
        )
    except InputError as error:
        raise InputError(str(error) if str(error).startswith(name) else f"{name}: {error}") from error


@cache
def _load(id: str) -> Procedure:
    return parse(f"{id}.toml", (_folder() / f"{id}.toml").read_text(encoding="utf-8"))


def procedures() -> tuple[Procedure, ...]:
    """Give every procedure there is.

    Returns
    -------
    tuple of Procedure
        In the order of their ids.
    """
    return tuple(_load(id) for id in _ids())


def procedure(id: str) -> Procedure:
    """Give one procedure.

    Parameters
    ----------
    id : str
        Such as "UL03"; case does not matter.

    Returns
    -------
    Procedure
        In SI units.

    Raises
    ------
    UnknownNameError
        If there is none; the message suggests the nearest.
    """
    wanted = id.strip().upper()
    if wanted not in _ids():
        near = difflib.get_close_matches(wanted, _ids(), n=1, cutoff=0.3)
        suggestion = f" (did you mean {near[0]}?)" if near else ""
        raise UnknownNameError(f"procedure must be one of {', '.join(_ids())}, got {id!r}{suggestion}")
    return _load(wanted)


def check() -> list[str]:
    """Check every file, and that each holds the id it is named by and at least one source.

    Returns
    -------
    list of str
        One sentence a fault; empty where all is well.
    """
    faults = []
    for id in _ids():
        try:
            found = parse(f"{id}.toml", (_folder() / f"{id}.toml").read_text(encoding="utf-8"))
        except InputError as error:
            faults.append(str(error))
            continue
        if found.id != id:
            faults.append(f"{id}.toml: id must be the name of its file, got {found.id!r}")
        if not found.sources:
            faults.append(f"{id}.toml: sources must name at least one, got none")
    return faults
