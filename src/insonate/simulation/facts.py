"""Numbers of the simulated patient, read from the TOML beside the code that uses them: each with its source and tag.

An entry is `name = { value = 1.1, unit = "Hz", source = "…", evidence = "M" }`. Tags: A to C as graded studies, M from
general knowledge, U unsure, D a design assumption of ours.
"""

import tomllib
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from insonate.core import FormatError

TAGS = ("A", "B", "C", "S", "M", "U", "D")
"""Evidence tags; S is a source that `CLINICAL.md` numbers."""


@cache
def facts(package: str, name: str) -> MappingProxyType[str, MappingProxyType[str, Any]]:
    """Read the tables of a file.

    Parameters
    ----------
    package : str
        The room it lies in, such as "insonate.simulation.motion".
    name : str
        Its name without ending.

    Returns
    -------
    mapping
        Value by name, by table, in SI units: a name that ends in `_mm` is given in meters without that ending.

    Raises
    ------
    FormatError
        If an entry has no source or no known tag.
    """
    tables = tomllib.loads((files(package) / f"{name}.toml").read_text(encoding="utf-8"))
    return MappingProxyType(
        {key: MappingProxyType(_values(name, key, table)) for key, table in tables.items()}
    )


def _values(file: str, table: str, entries: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, entry in entries.items():
        missing = {"value", "source", "evidence"} - set(entry)
        if missing or entry["evidence"] not in TAGS or not str(entry["source"]).strip():
            raise FormatError(
                f"{file}.toml: {table}.{key} must have a value, a source and a tag of {', '.join(TAGS)}, got {entry}"
            )
        value = entry["value"]
        if key.endswith("_mm"):
            key = key.removesuffix("_mm")
            value = [one * 1e-3 for one in value] if isinstance(value, list) else value * 1e-3
        values[key] = value
    return values
