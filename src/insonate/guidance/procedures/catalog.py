"""Read procedures from their files, strictly.

A number is `{ value, unit, source, evidence }`; the unit must be the one its key calls for, and becomes SI here. A margin
or stand-off may be the word "derived" instead: it is then the margin of its tissue that follows from the stated uncertainty
(`guidance.uncertainty`). Targets and hazards bear names of `guidance/anatomy.toml`, each with its tissue.
"""

import difflib
import math
import re
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
    Sign,
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

LARGEST = 1e9
"""No number of a procedure is larger, in any unit; NaN and infinity are not smaller."""

SOURCE_TAG = re.compile(r"S-[0-9]{3}")
"""Tag of a page that was read."""

DERIVED = "derived"
"""Stands for a margin or stand-off that no source gives."""

KEYS = {
    "": {"id", "name", "review", "view", "landmarks", "approach", "direction", "warnings", "sources", "depth",
         "angle_limit", "target", "needle", "injectate", "hazards"},
    "target": {"kind", "structures", "tissue", "standoff"},
    "needle": {"gauge", "diameter", "length"},
    "injectate": {"volume"},
    "hazards": {"structure", "tissue", "margin"},
    "signs": {"structure", "tissue", "diameter", "measured"},
}  # fmt: skip
"""What each table must hold, no more and no less."""

OPTIONAL = {"": {"signs"}, "target": {"together"}, "signs": {"between", "beyond", "above"}}
"""What it may hold besides."""


def _folder() -> Traversable:
    return files("insonate.guidance.procedures")


def _ids() -> tuple[str, ...]:
    return tuple(sorted(entry.name[:-5] for entry in _folder().iterdir() if entry.name.endswith(".toml")))


def _exactly(where: str, table: Mapping[str, Any], kind: str) -> None:
    if not isinstance(table, Mapping):
        raise InputError(f"{where} must be a table, got {table!r}")
    missing, extra = KEYS[kind] - set(table), set(table) - KEYS[kind] - OPTIONAL.get(kind, set())
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
    tag = _text(f"{where}.evidence", entry["evidence"])
    if tag not in EVIDENCE and not SOURCE_TAG.fullmatch(tag):
        raise InputError(f"{where} must have an evidence tag S-nnn, {', '.join(EVIDENCE)}, got {tag!r}")
    value = entry["value"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST:
        raise InputError(f"{where} must be a number [{unit}], got {value!r}")
    source = _text(f"{where}.source", entry["source"])
    return Sourced(value=value * UNITS[unit], source=source, evidence=tag)


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where} must be text, got {value!r}")
    return value


def _texts(where: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise InputError(f"{where} must be a list of texts, got {values!r}")
    return tuple(_text(f"{where}[{number}]", value) for number, value in enumerate(values))


@cache
def _anatomy() -> dict[str, Tissue]:
    """Tissue of each proper name."""
    table = tomllib.loads((files("insonate.guidance") / "anatomy.toml").read_text(encoding="utf-8"))
    return {name: Tissue(tissue) for tissue, names in table.items() for name in names}


def _structure(where: str, value: Any, tissue: Tissue) -> str:
    """A proper name that is known, and of this tissue."""
    name, known = _text(where, value), _anatomy()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        suggestion = f" (did you mean {near[0]!r}?)" if near else ""
        raise InputError(f"{where} must be a name in guidance/anatomy.toml, got {name!r}{suggestion}")
    if known[name] is not tissue:
        raise InputError(f"{where} {name!r} must be of tissue {known[name].value}, got {tissue.value}")
    return name


def _distance(where: str, entry: Any, tissue: Tissue) -> Sourced:
    return uncertainty().margin(tissue) if entry == DERIVED else _number(where, entry, "mm")


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
    try:
        return _procedure(name, table)
    except InputError as error:
        raise InputError(str(error) if str(error).startswith(name) else f"{name}: {error}") from error


def _hazard(where: str, entry: Any) -> Hazard:
    _exactly(where, entry, "hazards")
    tissue = _tissue(f"{where}.tissue", entry["tissue"])
    return Hazard(
        structure=_structure(f"{where}.structure", entry["structure"], tissue),
        tissue=tissue,
        margin=_distance(f"{where}.margin", entry["margin"], tissue),
    )


def _hazards(where: str, entries: Any) -> tuple[Hazard, ...]:
    if not isinstance(entries, list):
        raise InputError(f"{where} must be a list of tables, got {entries!r}")
    hazards = tuple(_hazard(f"{where}[{number}]", entry) for number, entry in enumerate(entries))
    names = [hazard.structure for hazard in hazards]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{where} must name each structure once, got {', '.join(twice)} more than once")
    return hazards


def _sign(where: str, entry: Any) -> Sign:
    _exactly(where, entry, "signs")
    tissue = _tissue(f"{where}.tissue", entry["tissue"])
    return Sign(
        structure=_structure(f"{where}.structure", entry["structure"], tissue),
        tissue=tissue,
        diameter=_pair(f"{where}.diameter", entry["diameter"], "mm"),
        between=_neighbors(f"{where}.between", entry.get("between", [])),
        beyond=_neighbors(f"{where}.beyond", entry.get("beyond", [])),
        above=tuple(
            _tissue(f"{where}.above", one) for one in _texts(f"{where}.above", entry.get("above", []))
        ),
        measured=_text(f"{where}.measured", entry["measured"]),
    )


def _neighbors(where: str, entries: Any) -> tuple[str, ...]:
    """Give names of anatomy, or words for a tissue."""
    names = _texts(where, entries)
    words = {tissue.value for tissue in Tissue}
    for name in names:
        if name not in _anatomy() and name not in words:
            near = difflib.get_close_matches(name, [*_anatomy(), *words], n=1)
            suggestion = f" (did you mean {near[0]!r}?)" if near else ""
            raise InputError(
                f"{where} must be names in guidance/anatomy.toml or tissues, got {name!r}{suggestion}"
            )
    return names


def _signs(where: str, entries: Any) -> tuple[Sign, ...]:
    if not isinstance(entries, list):
        raise InputError(f"{where} must be a list of tables, got {entries!r}")
    return tuple(_sign(f"{where}[{number}]", entry) for number, entry in enumerate(entries))


def _target(where: str, entry: Mapping[str, Any]) -> Target:
    tissue = _tissue(f"{where}.tissue", entry["tissue"])
    names = _texts(f"{where}.structures", entry["structures"])
    return Target(
        kind=_choice(f"{where}.kind", entry["kind"], TargetKind, [k.value for k in TargetKind]),
        structures=tuple(
            _structure(f"{where}.structures[{number}]", name, tissue) for number, name in enumerate(names)
        ),
        tissue=tissue,
        standoff=_distance(f"{where}.standoff", entry["standoff"], tissue),
        together=_number(f"{where}.together", entry["together"], "mm") if "together" in entry else None,
    )


def _procedure(name: str, table: Mapping[str, Any]) -> Procedure:
    needle = table["needle"]
    return Procedure(
        id=_text(f"{name}: id", table["id"]),
        name=_text(f"{name}: name", table["name"]),
        target=_target(f"{name}: target", table["target"]),
        hazards=_hazards(f"{name}: hazards", table["hazards"]),
        view=_text(f"{name}: view", table["view"]),
        landmarks=_texts(f"{name}: landmarks", table["landmarks"]),
        approach=_choice(f"{name}: approach", table["approach"], Approach, [a.value for a in Approach]),
        direction=_text(f"{name}: direction", table["direction"]),
        depth=_pair(f"{name}: depth", table["depth"], "cm"),
        angle_limit=_number(f"{name}: angle_limit", table["angle_limit"], "deg"),
        needle=Needle(
            gauge=needle["gauge"],
            diameter=_number(f"{name}: needle.diameter", needle["diameter"], "mm"),
            length=_number(f"{name}: needle.length", needle["length"], "mm"),
        ),
        injectate=Injectate(volume=_pair(f"{name}: injectate.volume", table["injectate"]["volume"], "mL")),
        warnings=_texts(f"{name}: warnings", table["warnings"]),
        review=_choice(f"{name}: review", table["review"], Review, [r.value for r in Review]),
        sources=_texts(f"{name}: sources", table["sources"]),
        signs=_signs(f"{name}: signs", table.get("signs", [])),
    )


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
        near = difflib.get_close_matches(wanted, _ids(), cutoff=0.3)
        turned = [
            id for id in near if sorted(id) == sorted(wanted)
        ]  # two letters or digits the wrong way round
        suggestion = f" (did you mean {[*turned, *near][0]}?)" if near else ""
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
