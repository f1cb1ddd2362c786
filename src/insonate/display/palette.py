"""The colour table, read once."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from insonate.core.anatomy import Tissue
from insonate.display.drawing import Stroke


@cache
def table() -> dict[str, Any]:
    """Give the colour table as it stands in the file."""
    return tomllib.loads((files("insonate.display") / "palette.toml").read_text(encoding="utf-8"))


def ground(name: str) -> str:
    """Give a color of the ground: "background", "panel", "text", "text_dim" or "casing", as #RRGGBB."""
    return str(table()["ground"][name])


def stroke(group: str, name: str) -> Stroke:
    """Give how lines of one kind are drawn.

    Parameters
    ----------
    group : str
        "tissue", "path" or "state".
    name : str
        Entry of that group; an unlisted tissue is drawn as "other".

    Returns
    -------
    Stroke
        Color, width, dash.
    """
    entries = table()[group]
    entry = entries.get(name, entries.get("other", {}))
    return Stroke(
        color=entry["color"],
        width=float(entry.get("width", 1.8)),
        dash=tuple(float(length) for length in entry.get("dash", ())),
        opacity=float(entry.get("opacity", 1.0)),
        double=bool(entry.get("double", False)),
    )


def tissue_stroke(tissue: Tissue) -> Stroke:
    """Give how the outline of a tissue is drawn."""
    return stroke("tissue", tissue.value)


def label_colors(tissues: tuple[Tissue, ...]) -> list[tuple[int, int, int]]:
    """Give one color for each label, the first being black for "no structure named here".

    Parameters
    ----------
    tissues : tuple of Tissue
        Tissue of labels 1, 2, …

    Returns
    -------
    list of (int, int, int)
        Red, green, blue, 0..255.
    """
    return [(0, 0, 0), *(rgb(tissue_stroke(tissue).color) for tissue in tissues)]


def rgb(color: str) -> tuple[int, int, int]:
    """Turn #RRGGBB into three numbers 0..255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
