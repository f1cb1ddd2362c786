"""How large structures of healthy adults are, from `reference_values.toml`: beside what was measured, no limits."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from insonate.core import FormatError

UNITS = {"area": ("mm²", 1e-6)}
"""Unit in the file, and its size in SI, of each measure there is."""

WHO, REVIEW = "healthy adults", "not reviewed by a clinician"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceValue:
    """One measure of one structure."""

    structure: str
    """Its name."""
    measure: str
    """Which: "area"."""
    low: float
    """Smallest usual value, or the mean where there is but one [SI]."""
    high: float
    """Largest [SI]."""
    words: str
    """Both with their spread, as they are shown."""
    source: str
    """Page, and the site that it was measured at."""
    evidence: str
    """Tag: S-nnn read in a page, M from memory to be verified, U uncertain, C computed, D design assumption."""


@cache
def reference_values() -> tuple[ReferenceValue, ...]:
    """Read them.

    Returns
    -------
    tuple of ReferenceValue
        In the order of the file.

    Raises
    ------
    FormatError
        If a value lacks its source or tag, or its limits are none.
    """
    return read_reference_values(
        (files("insonate.guidance") / "reference_values.toml").read_text(encoding="utf-8")
    )


def read_reference_values(text: str) -> tuple[ReferenceValue, ...]:
    """Read values from TOML; see `reference_values`."""
    out = []
    wanted = ("structure", "measure", "low", "high", "unit", "words", "source", "evidence")
    for entry in tomllib.loads(text).get("value", []):
        missing = [key for key in wanted if not str(entry.get(key, "")).strip()]
        if missing:
            raise FormatError(f"reference_values.toml: a value must have {', '.join(missing)}, got {entry}")
        if entry["measure"] not in UNITS or entry["unit"] != UNITS[entry["measure"]][0]:
            raise FormatError(
                f"reference_values.toml: {entry['structure']} must be an area in mm², got {entry['measure']} "
                f"in {entry['unit']}"
            )
        if not 0 < entry["low"] <= entry["high"]:
            raise FormatError(
                f"reference_values.toml: {entry['structure']} must have 0 < low <= high, got {entry['low']} "
                f"and {entry['high']} {entry['unit']}"
            )
        factor = UNITS[entry["measure"]][1]
        out.append(
            ReferenceValue(
                structure=entry["structure"],
                measure=entry["measure"],
                low=factor * entry["low"],
                high=factor * entry["high"],
                words=entry["words"],
                source=entry["source"],
                evidence=entry["evidence"],
            )
        )
    return tuple(out)
