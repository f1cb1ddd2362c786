"""Numbers of the alerting rules, read from `alerting.toml`: each with its source and evidence tag."""

import tomllib
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from insonate.core import FormatError


@cache
def rules() -> MappingProxyType[str, MappingProxyType[str, float]]:
    """Read the tables.

    Returns
    -------
    mapping
        Value by name, by table, in SI units: a name that ends in `_mm` is given in meters without that ending.

    Raises
    ------
    FormatError
        If a number has no source or tag.
    """
    text = (files("insonate.guidance") / "alerting.toml").read_text(encoding="utf-8")
    return read_rules(text)


def read_rules(text: str) -> MappingProxyType[str, MappingProxyType[str, float]]:
    """Read tables of numbers from TOML; see `rules`."""
    out = {}
    for table, entries in tomllib.loads(text).items():
        values: dict[str, float] = {}
        for name, entry in entries.items():
            if not all(str(entry.get(key, "")).strip() for key in ("value", "unit", "source", "evidence")):
                raise FormatError(
                    f"alerting.toml: {table}.{name} must have a value, a unit, a source and a tag, got {entry}"
                )
            short = name.removesuffix("_mm")
            values[short] = float(entry["value"]) * (1e-3 if short != name else 1.0)
        out[table] = MappingProxyType(values)
    return MappingProxyType(out)
