"""Tell structures by where they lie: names of hazards, by the signs that a procedure states.

A sign is a size and a place: the only artery of 6 to 11 mm, between the femoral nerve and a vein. All of it must hold in one
picture whose spacing is known, and nothing else of its tissue may have that size there; else the structure keeps the word
for its tissue, and the hazard is unknown. As with the target's name (`naming`), that the picture was taken for the procedure
is taken on trust.

    between a and b:  the angle at the structure from a to b is at least 120 degrees
    beyond b from a:  the ways from a to b and from b to the structure differ by at most 60 degrees
    above a tissue:   that tissue is known below its middle, in the column of its middle

Neighbors further than 25 mm away are none.
"""

from dataclasses import dataclass, replace

import numpy as np

from insonate.core import Grid, PixelGrid, Procedure, Segmentation, Sign
from insonate.core.units import Meters

OPPOSITE = np.radians(120)
"""Least angle between the ways to two neighbors on either side; a design assumption [rad]."""

ONWARD = np.radians(60)
"""Largest angle between a way and its going on; a design assumption [rad]."""

NEIGHBORS: Meters = 0.025
"""No wider than the picture of a usual linear probe is a neighborhood; a design assumption [m]."""


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    label: int
    middle: np.ndarray
    diameter: Meters
    mask: np.ndarray


def recognize(segmentation: Segmentation, procedure: Procedure) -> Segmentation:
    """Name what a procedure's signs tell.

    Parameters
    ----------
    segmentation : Segmentation
        Of one frame, its target named where that is known.
    procedure : Procedure
        That the picture was taken for.

    Returns
    -------
    Segmentation
        The same with proper names where all of a sign holds; all else unchanged.
    """
    if not procedure.signs or len(segmentation.labels) != 1:
        return segmentation
    grid = segmentation.grid
    if not isinstance(grid, Grid | PixelGrid) or grid.unit != "m":
        return segmentation
    for sign in procedure.signs:
        if any(one.name == sign.structure for one in segmentation.structures):
            continue  # somebody has named it
        label = _told(segmentation, sign, _shapes(segmentation))
        if label is None:
            continue
        structures = list(segmentation.structures)
        structures[label - 1] = replace(
            structures[label - 1], name=sign.structure, instance=1, named_by=_rule(sign, procedure)
        )
        segmentation = replace(segmentation, structures=tuple(structures))
    return segmentation


def _shapes(segmentation: Segmentation) -> dict[int, _Shape]:
    """Give what is known of each structure that shows."""
    known = segmentation.known()[0]
    (axial, lateral), (down, right) = segmentation.grid.origin, segmentation.grid.step  # type: ignore[union-attr]
    out = {}
    for label in range(1, len(segmentation.structures) + 1):
        mask = segmentation.mask(label) & known
        rows, columns = np.nonzero(mask)
        if len(rows):
            middle = np.array([axial + down * rows.mean(), lateral + right * columns.mean()])
            out[label] = _Shape(label, middle, 2 * np.sqrt(len(rows) * down * right / np.pi), mask)
    return out


def _told(segmentation: Segmentation, sign: Sign, shapes: dict[int, _Shape]) -> int | None:
    """Give the label that the sign tells; None where none does, or more than one could be meant."""
    low, high = (number.value for number in sign.diameter)
    alike = [
        shape
        for label, shape in shapes.items()
        if segmentation.structures[label - 1].tissue is sign.tissue and low <= shape.diameter <= high
    ]
    if sign.beyond:
        alike = [one for one in alike if _beyond(segmentation, sign.beyond, one, shapes)]
    if len(alike) != 1 or segmentation.structures[alike[0].label - 1].named_by is not None:
        return None
    one = alike[0]
    if sign.between and not _between(segmentation, sign.between, one, shapes):
        return None
    if not all(_above(segmentation, tissue.value, one, shapes) for tissue in sign.above):
        return None
    return one.label


def _called(segmentation: Segmentation, word: str, shapes: dict[int, _Shape]) -> list[_Shape]:
    """Give what bears a name, or is of a tissue."""
    return [
        shape
        for label, shape in shapes.items()
        if word in (segmentation.structures[label - 1].name, segmentation.structures[label - 1].tissue.value)
    ]


def _angle(one: np.ndarray, other: np.ndarray) -> float:
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.arccos(np.clip(one @ other / length, -1, 1))) if length > 0 else 0.0


def _near(one: np.ndarray, other: np.ndarray) -> bool:
    return float(np.linalg.norm(one - other)) <= NEIGHBORS


def _between(
    segmentation: Segmentation, words: tuple[str, ...], one: _Shape, shapes: dict[int, _Shape]
) -> bool:
    firsts, seconds = (
        [
            shape.middle
            for shape in _called(segmentation, word, shapes)
            if shape is not one and _near(shape.middle, one.middle)
        ]
        for word in words
    )
    return any(_angle(a - one.middle, b - one.middle) >= OPPOSITE for a in firsts for b in seconds)


def _beyond(
    segmentation: Segmentation, words: tuple[str, ...], one: _Shape, shapes: dict[int, _Shape]
) -> bool:
    firsts, seconds = ([shape.middle for shape in _called(segmentation, word, shapes)] for word in words)
    return any(
        _near(b, one.middle) and _angle(b - a, one.middle - b) <= ONWARD for a in firsts for b in seconds
    )


def _above(segmentation: Segmentation, word: str, one: _Shape, shapes: dict[int, _Shape]) -> bool:
    rows, columns = np.nonzero(one.mask)
    row, column = int(np.rint(rows.mean())), int(np.rint(columns.mean()))
    return any(
        shape is not one and bool(shape.mask[row:, column].any())
        for shape in _called(segmentation, word, shapes)
    )


def _rule(sign: Sign, procedure: Procedure) -> str:
    low, high = (1e3 * number.value for number in sign.diameter)
    where = []
    if sign.between:
        where.append(f"between {sign.between[0]} and {sign.between[1]}")
    if sign.beyond:
        where.append(f"beyond {sign.beyond[1]}, seen from {sign.beyond[0]}")
    if sign.above:
        where.append(f"above {' and '.join(tissue.value for tissue in sign.above)}")
    return (
        f"the only {sign.tissue.value} of {low:g} to {high:g} mm {', '.join(where)}, in a picture taken for {procedure.id}; "
        f"{sign.measured}; that the picture shows this view is taken on trust"
    )
