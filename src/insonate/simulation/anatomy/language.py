"""The language of regions: one TOML says what a body part is made of, and a seed makes an individual of it.

A file has `quantities` (mean, spread, limits, source and tag each), then shapes in the order in which they are painted,
skin first, each able to name quantities in short sums such as "artery_x + artery_width / 2 + 1":

| block | what it is |
|---|---|
| `surface` | a depth over x and y that undulates and drapes `over` or `under` solids: a fascia, where a tissue begins |
| `tube` | a solid along a spline: nerve, vessel, tendon, muscle belly; calibre, flattening, fascicles, companions |
| `relief` | ground with a surface, a profile over x bent over y: bone, its heads and grooves |
| `shell` | a layer on a relief or on another shell: cartilage, a tendon round a head of bone, a bursa, a cuff muscle |
| `ellipsoid` | a solid with a middle and three half axes: a node, a head of bone |
| `arch` | a solid along a part of a circle, in any plane: a rib |
| `halo` | connective tissue around solids: an echo that fades with distance |

`variants` and `pathologies` set quantities, remove and add shapes. Lengths are in millimeters in the file, where names of
numbers end in `_mm`, and in meters from here on. Every block and every quantity has a source and an evidence tag; those of
a block cover the bare numbers in it.
"""

import ast
import operator
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zlib import crc32

import numpy as np

from insonate.core import FormatError, RangeError, Tissue, UnknownNameError
from insonate.core.checks import check_name
from insonate.simulation.facts import TAGS

MOST_STRUCTURES = 200
"""Materials must fit one byte."""

_ROOM = "insonate.simulation.anatomy"

_CITED = {"source", "evidence"}
_BLOCKS: Mapping[str, tuple[set[str], set[str]]] = MappingProxyType(
    {
        "surface": (
            {"name", "depth_mm"},
            {
                *(
                    "slope_x",
                    "slope_y",
                    "bow_mm",
                    "waves",
                    "over",
                    "under",
                    "gap_mm",
                    "below",
                    "tissue",
                    "texture",
                ),
                *(
                    "strength_db",
                    "breaks",
                    "plies",
                    "ply_gap_mm",
                    "comets",
                    "from_x_mm",
                    "to_x_mm",
                    "fiber",
                    "echo_db",
                    "mottle_db",
                ),
                *("profile", "grain", "pennation_deg", "texture_db", "shear_modulus_kpa"),
            },
        ),
        "relief": (
            {"name", "tissue", "stations"},
            {
                *("middle_mm", "round_mm", "slope_y", "waves", "wall", "rind", "texture", "yields"),
                *("echo_db", "mottle_db", "outside"),
            },
        ),
        "shell": (
            {"name", "tissue", "on", "stations"},
            {
                *("from_y_mm", "to_y_mm", "edge_mm", "waves", "wall", "texture", "grain", "yields"),
                *("pennation_deg", "echo_db", "mottle_db", "texture_db", "shear_modulus_kpa"),
            },
        ),
        "tube": (
            {"name", "tissue", "stations"},
            {
                *(
                    "axis",
                    "uneven",
                    "wall",
                    "texture",
                    "fascicles",
                    "companions",
                    "yields",
                    "branch_of",
                    "ends",
                ),
                *("pennation_deg", "echo_db", "mottle_db", "texture_db", "shear_modulus_kpa"),
                *("rind", "outside"),
            },
        ),
        "ellipsoid": (
            {"name", "tissue", "x_mm", "y_mm", "z_mm", "width_mm", "length_mm", "height_mm"},
            {
                *("turn_deg", "uneven", "wall", "texture", "hilum", "yields", "echo_db", "mottle_db"),
                *("texture_db", "shear_modulus_kpa", "rind", "outside"),
            },
        ),
        "arch": (
            {
                *("name", "tissue", "x_mm", "y_mm", "z_mm", "radius_mm"),
                *("from_deg", "to_deg", "width_mm", "height_mm"),
            },
            {
                *("pitch_deg", "roll_deg", "turn_deg", "uneven", "wall", "texture", "yields"),
                *("branch_of", "echo_db", "mottle_db", "rind", "outside"),
            },
        ),
        "halo": ({"around", "reach_mm", "echo_db"}, {"name"}),
    }
)
"""Keys of each kind of block: those it must have, those it may."""

_WHOLE = (
    *("name", "tissue", "axis", "texture", "below", "fiber", "branch_of", "on", "grain"),
    *("source", "evidence"),
)

_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One size of a body, over people."""

    mean: float
    """In the unit that its name ends in."""
    spread: float
    """Standard deviation, in the same unit."""
    limits: tuple[float, float]
    """What no one is beyond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A named placement of the probe, with its reach."""

    name: str
    """Of the placement."""
    center: tuple[float, float]
    """x and y of its middle [m]."""
    reach: tuple[float, float, float]
    """Size along x, y, z [m]."""
    target: str | None = None
    """Structure that an operator goes for there; None is the thickest nerve."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Individual:
    """A region with every size drawn: what the compiler takes."""

    region: str
    """Name of the region."""
    seed: int
    """Of the individual."""
    variant: str
    """Its course of nerves and vessels."""
    pathologies: tuple[str, ...]
    """What ails it."""
    quantities: Mapping[str, float]
    """Drawn, in the units of the file."""
    blocks: tuple[tuple[str, Mapping[str, Any]], ...]
    """Kind and resolved content of every shape, in order of painting; lengths still in the units of their names."""

    def rng(self, name: str) -> np.random.Generator:
        """Give the generator of one structure: what is added elsewhere does not move it."""
        return np.random.default_rng((self.seed, crc32(name.encode())))

    def block(self, name: str) -> Mapping[str, Any]:
        """Give the block of a structure."""
        for _, content in self.blocks:
            if content.get("name") == name:
                return content
        raise UnknownNameError(f"{self.region} has no '{name}' in variant '{self.variant}'")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Region:
    """A file of the language, checked."""

    name: str
    """As its file."""
    text: str
    """Of the file, for the key of what is compiled from it."""
    windows: tuple[Window, ...]
    """The first is taken where none is named."""
    quantities: Mapping[str, Quantity]
    """By name."""
    blocks: tuple[tuple[str, Mapping[str, Any]], ...]
    """As written."""
    variants: Mapping[str, Mapping[str, Any]]
    """By name; "usual" is none of them."""
    pathologies: Mapping[str, Mapping[str, Any]]
    """By name."""

    def window(self, name: str | None = None) -> Window:
        """Give a window by name, the first by default."""
        known = {window.name: window for window in self.windows}
        if name is None:
            return self.windows[0]
        check_name(f"window of {self.name}", name, known)
        return known[name]

    def individual(self, seed: int, *, variant: str = "usual", pathologies: Sequence[str] = ()) -> Individual:
        """Draw an individual.

        Parameters
        ----------
        seed : int
            Decides every size.
        variant : str
            A name of `variants`, or "usual".
        pathologies : sequence of str
            Names of `pathologies`.

        Returns
        -------
        Individual
            With every expression worked out.

        Raises
        ------
        UnknownNameError
            If there is no such variant or pathology.
        RangeError
            If the seed is no whole number, or a size turns out negative.
        """
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
            raise RangeError(f"seed must be a whole number in 0..{2**32 - 1}, got {seed!r}")
        check_name(f"variant of {self.name}", variant, ("usual", *self.variants))
        changes = [self.variants[variant]] if variant != "usual" else []
        for name in pathologies:
            check_name(f"pathology of {self.name}", name, self.pathologies)
            changes.append(self.pathologies[name])
        values: dict[str, float] = {}
        for name, quantity in self.quantities.items():
            draw = np.random.default_rng((seed, crc32(name.encode()))).normal(quantity.mean, quantity.spread)
            values[name] = float(np.clip(draw, *quantity.limits))
        for change in changes:
            for name, factor in change.get("scale", {}).items():
                values[name] *= factor
            for name, value in change.get("set", {}).items():
                values[name] = float(value)
        bare = {_bare(name): value for name, value in values.items()}
        removed = {name for change in changes for name in change.get("remove", ())}
        blocks = [block for block in self.blocks if block[1].get("name") not in removed]
        for change in changes:
            blocks += [(kind, block) for kind in _BLOCKS for block in change.get(kind, ())]
        order = {"surface": 0, "halo": 2, "relief": 3, "shell": 4, "ellipsoid": 5, "arch": 5, "tube": 6}
        known = [
            (kind, MappingProxyType(_resolved(block, bare, f"{self.name}: {kind} '{block.get('name', '')}'")))
            for kind, block in sorted(
                blocks,
                key=lambda block: (
                    1 if block[1].get("tissue") == "muscle" and block[0] == "tube" else order[block[0]]
                ),
            )
        ]
        for kind, block in known:
            _check_sizes(self.name, kind, block)
        return Individual(
            region=self.name,
            seed=int(seed),
            variant=variant,
            pathologies=tuple(pathologies),
            quantities=MappingProxyType(values),
            blocks=tuple(known),
        )


def _bare(name: str) -> str:
    for unit in ("_mm", "_deg", "_db", "_kpa"):
        name = name.removesuffix(unit)
    return name


def evaluated(expression: str | float, values: Mapping[str, float], where: str) -> float:
    """Work out a sum.

    Parameters
    ----------
    expression : str or float
        Numbers, names, + - * / and min, max.
    values : mapping
        Of the names.
    where : str
        For the message.

    Returns
    -------
    float

    Raises
    ------
    FormatError
        If it is anything else.

    Examples
    --------
    >>> evaluated("depth + 2 * max(fat, 3)", {"depth": 1.0, "fat": 2.0}, "femoral_crease: skin")
    7.0
    """
    if isinstance(expression, int | float) and not isinstance(expression, bool):
        return float(expression)

    def value(node: ast.expr) -> float:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        if isinstance(node, ast.Name) and node.id in values:
            return values[node.id]
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return float(_OPERATORS[type(node.op)](value(node.left), value(node.right)))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -value(node.operand)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
            return {"min": min, "max": max}[node.func.id](value(one) for one in node.args)
        raise FormatError(
            f"{where}: '{expression}' must be made of numbers, names of quantities, + - * /, min and max"
        )

    try:
        tree = ast.parse(str(expression), mode="eval")
    except SyntaxError:
        raise FormatError(f"{where}: '{expression}' is no sum") from None
    return value(tree.body)


def _resolved(block: Mapping[str, Any], values: Mapping[str, float], where: str) -> dict[str, Any]:
    """Work out every expression of a block; words stay words."""

    def one(key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return _resolved(value, values, where)
        if key in _WHOLE or isinstance(value, bool) or value is None:
            return value
        if isinstance(value, list):
            if key in ("over", "under", "around", "outside", "waves"):
                return value
            return [one(key, part) for part in value]
        return evaluated(value, values, where)

    return {key: one(key, value) for key, value in block.items()}


def _check_sizes(region: str, kind: str, block: Mapping[str, Any]) -> None:
    """Refuse what would turn inside out."""
    parts = block["stations"] if kind == "tube" else [block]
    for part in parts:
        for key in ("width_mm", "height_mm", "length_mm", "reach_mm", "radius_mm"):
            if key in part and not part[key] > 0:
                raise RangeError(
                    f"{region}: {key} of '{block.get('name', kind)}' must be positive, got {part[key]:g}"
                )
    if kind == "shell":
        for part in block["stations"]:
            if part.get("to_mm", 0.0) < part.get("from_mm", 0.0):
                raise RangeError(
                    f"{region}: to_mm of '{block['name']}' must be from_mm ({part.get('from_mm', 0.0):g}) or more, "
                    f"got {part['to_mm']:g}"
                )


def read(path: str | Path | None = None, *, text: str | None = None, name: str = "region") -> Region:
    """Read a region.

    Parameters
    ----------
    path : str or pathlib.Path, optional
        A file of the language; its stem is the region's name.
    text : str, optional
        Of the file, instead.
    name : str
        Of the region, with `text`.

    Returns
    -------
    Region
        Checked.

    Raises
    ------
    FormatError
        If the file is not of the language; the message says where.
    """
    if path is not None:
        text, name = Path(path).read_text(encoding="utf-8"), Path(path).stem
    try:
        tree = tomllib.loads(text or "")
    except tomllib.TOMLDecodeError as error:
        raise FormatError(f"{name}.toml is no TOML: {error}") from None
    allowed = {"windows", "quantities", "variants", "pathologies", *_BLOCKS}
    strange = sorted(set(tree) - allowed)
    if strange:
        raise FormatError(
            f"{name}.toml: '{strange[0]}' is no part of the language ({', '.join(sorted(allowed))})"
        )
    windows = tuple(
        Window(
            name=key,
            center=(entry["center_mm"][0] * 1e-3, entry["center_mm"][1] * 1e-3),
            reach=(entry["reach_mm"][0] * 1e-3, entry["reach_mm"][1] * 1e-3, entry["reach_mm"][2] * 1e-3),
            target=entry.get("target"),
        )
        for key, entry in tree.get("windows", {}).items()
    )
    if not windows:
        raise FormatError(f"{name}.toml must have a window, got none")
    blocks = [(kind, block) for kind in _BLOCKS for block in tree.get(kind, ())]
    quantities = {key: _quantity(name, key, entry) for key, entry in tree.get("quantities", {}).items()}
    for family in ("variants", "pathologies"):
        for key, change in tree.get(family, {}).items():
            _cited(f"{name}.toml: {family}.{key}", change)
            blocks_of_it = [(kind, block) for kind in _BLOCKS for block in change.get(kind, ())]
            for kind, block in blocks_of_it:
                _check_block(name, kind, block)
            unknown = [
                one for one in (*change.get("scale", {}), *change.get("set", {})) if one not in quantities
            ]
            if unknown:
                raise FormatError(
                    f"{name}.toml: {family}.{key} changes '{unknown[0]}', which is no quantity of it"
                )
    for kind, block in blocks:
        _check_block(name, kind, block)
    return Region(
        name=name,
        text=text or "",
        windows=windows,
        quantities=MappingProxyType(quantities),
        blocks=tuple(blocks),
        variants=MappingProxyType(tree.get("variants", {})),
        pathologies=MappingProxyType(tree.get("pathologies", {})),
    )


def _cited(where: str, entry: Mapping[str, Any]) -> None:
    if not str(entry.get("source", "")).strip() or entry.get("evidence") not in TAGS:
        raise FormatError(f"{where} must have a source and a tag of {', '.join(TAGS)}")


def _quantity(region: str, key: str, entry: Mapping[str, Any]) -> Quantity:
    where = f"{region}.toml: quantities.{key}"
    _cited(where, entry)
    missing = sorted({"mean", "spread", "limits"} - set(entry))
    if missing:
        raise FormatError(f"{where} must have a {missing[0]}")
    low, high = entry["limits"]
    if not low <= entry["mean"] <= high or entry["spread"] < 0:
        raise FormatError(
            f"{where} must have its mean between its limits and a spread of 0 or more, got {dict(entry)}"
        )
    return Quantity(
        mean=float(entry["mean"]), spread=float(entry["spread"]), limits=(float(low), float(high))
    )


def _check_block(region: str, kind: str, block: Mapping[str, Any]) -> None:
    where = f"{region}.toml: {kind} '{block.get('name', '')}'"
    must, may = _BLOCKS[kind]
    _cited(where, block)
    missing = sorted(must - set(block))
    if missing:
        raise FormatError(f"{where} must have '{missing[0]}'")
    strange = sorted(set(block) - must - may - _CITED)
    if strange:
        raise FormatError(f"{where}: '{strange[0]}' is no part of a {kind}")
    words = {tissue.value for tissue in Tissue}
    if "tissue" in block and block["tissue"] not in words:
        raise FormatError(
            f"{where}: tissue must be one of {', '.join(sorted(words))}, got '{block['tissue']}'"
        )
    if "below" in block and "tissue" not in block:
        raise FormatError(f"{where}: what begins below it must have a tissue")


@cache
def region(name: str) -> Region:
    """Read a region that comes with Insonate, by name.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    stem = name.replace(" ", "_")
    known = regions()
    check_name("region", stem, known)
    return read(text=(files(_ROOM) / "regions" / f"{stem}.toml").read_text(encoding="utf-8"), name=stem)


def regions() -> tuple[str, ...]:
    """Name the regions that come with Insonate."""
    folder = files(_ROOM) / "regions"
    return tuple(
        sorted(one.name.removesuffix(".toml") for one in folder.iterdir() if one.name.endswith(".toml"))
    )
