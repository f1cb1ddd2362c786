"""What is drawn over an image: structures by color and name, planned paths, clearances, what is unknown, a scale.

An outline runs where the label mask ends (its half level), so it is never rounder or larger than what was labelled.
"""

import math
from collections.abc import Sequence

import contourpy
import numpy as np

from insonate.core.anatomy import Segmentation, Structure
from insonate.core.clearance import Clearance
from insonate.core.errors import InputError
from insonate.core.grid import Grid, PixelGrid
from insonate.core.image import Image
from insonate.core.needle_path import NeedlePath
from insonate.core.plan import HazardSighting
from insonate.display.drawing import Drawing, Label, Line, Point, Stroke
from insonate.display.palette import stroke, tissue_stroke

NOTICE = "research and education, not a medical device"
"""What every overlay on a real image carries."""

SMALLEST_OUTLINE = 4
"""Outlines of fewer corners are single pixels, drawn by nobody."""

_FILL = 0.07


def outlines(mask: np.ndarray, grid: Grid | PixelGrid) -> list[tuple[Point, ...]]:
    """Give the closed outlines of a mask, the largest first.

    Parameters
    ----------
    mask : numpy.ndarray
        (n_axial, n_lateral) bool.
    grid : Grid or PixelGrid
        Where its pixels lie.

    Returns
    -------
    list of tuple of (float, float)
        Each outline's corners as (axial, lateral), in the grid's unit.
    """
    there = [np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0)]
    if not len(there[0]):
        return []
    top, left = (int(line[0]) for line in there)
    part = mask[top : there[0][-1] + 1, left : there[1][-1] + 1]
    padded = np.pad(part.astype(np.float32), 1)  # a structure at the border is closed along it
    loops = contourpy.contour_generator(z=padded).lines(0.5)
    (rows, columns), origin = grid.step, grid.origin
    axial, lateral = origin[0] + top * rows, origin[1] + left * columns
    found = []
    for loop in sorted((np.asarray(line) for line in loops), key=_area, reverse=True):
        if len(loop) >= SMALLEST_OUTLINE:
            at = [(axial + (y - 1) * rows, lateral + (x - 1) * columns) for x, y in loop[:-1]]
            found.append(tuple((float(a), float(b)) for a, b in at))
    return found


def _area(loop: np.ndarray) -> float:
    x, y = loop[:, 0], loop[:, 1]
    return abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2


def structure_title(structure: Structure, structures: Sequence[Structure]) -> str:
    """Give a structure's name, with its number where the name occurs more than once."""
    several = sum(other.name == structure.name for other in structures) > 1
    name = structure.name[:1].upper() + structure.name[1:]
    return f"{name} {structure.instance}" if several else name


def clearance_text(clearance: Clearance) -> str:
    """Say a clearance with unit and interval, or why it is not known."""
    if clearance.distance is None or clearance.interval is None:
        return "unknown"
    if clearance.unit == "px":
        low, high = clearance.interval
        return f"{clearance.distance:.0f} px ({low:.0f} to {high:.0f})"
    low, high = (1e3 * value for value in clearance.interval)
    return f"{1e3 * clearance.distance:.1f} mm ({low:.1f} to {high:.1f})"


def length_text(length: float, unit: str) -> str:
    """Say a length with its unit: millimeters, or pixels where spacing is unknown."""
    return f"{length:.0f} px" if unit == "px" else f"{1e3 * length:.1f} mm"


def _structures(
    segmentation: Segmentation, grid: Grid | PixelGrid, frame: int
) -> tuple[list[Line], list[Label]]:
    lines, labels = [], []
    for label, structure in enumerate(segmentation.structures, start=1):
        mask = segmentation.mask(label, frame)
        if not mask.any():
            continue
        confidence = float(segmentation.confidence[frame][mask].mean())
        sure = confidence >= segmentation.model.confidence_threshold
        look = tissue_stroke(structure.tissue)
        if not sure:
            look = Stroke(color=look.color, width=1.2, dash=stroke("state", "unknown").dash, opacity=0.8)
        name = structure_title(structure, segmentation.structures)
        loops = outlines(mask, grid)
        lines += [
            Line(
                role="structure",
                name=name,
                points=loop,
                stroke=look,
                closed=True,
                fill_opacity=_FILL if sure else 0,
            )
            for loop in loops
        ]
        if loops:
            top = min(loops[0])
            labels.append(
                Label(
                    role="structure",
                    text=name if sure else f"{name}?",
                    detail=f"{100 * confidence:.0f} %",
                    at=(top[0] - 16 * _pixel(grid), top[1]),
                    anchor=top,
                    color=look.color,
                    unknown=not sure,
                )
            )
    return lines, labels


def _pixel(grid: Grid | PixelGrid) -> float:
    """Length of about one screen pixel when the image fills the screen."""
    return grid.shape[0] * grid.step[0] / 500


def _cross_hair(path: NeedlePath, size: float) -> list[Line]:
    a, b = path.target
    look = Stroke(color=stroke("path", "best").color, width=1.6)
    turn = np.linspace(0, 2 * math.pi, 25)[:-1]
    ring = tuple((a + size * math.sin(t), b + size * math.cos(t)) for t in turn)
    arms = [
        ((a + i * size * 0.6, b + j * size * 0.6), (a + i * size * 1.6, b + j * size * 1.6))
        for i, j in ((0, 1), (0, -1), (1, 0), (-1, 0))
    ]
    lines = [Line(role="target", name="Target", points=ring, stroke=look, closed=True)]
    return lines + [Line(role="target", name="Target", points=arm, stroke=look) for arm in arms]


def _path_lines(path: NeedlePath, *, best: bool) -> list[Line]:
    (a0, b0), (a1, b1) = path.entry, path.target
    share = path.not_seen / path.length if path.length else 0.0
    edge = (a0 + share * (a1 - a0), b0 + share * (b1 - b0))
    name = f"Planned path {path.rank}"
    lines = [
        Line(
            role="path",
            name=name,
            points=(edge, (a1, b1)),
            stroke=stroke("path", "best" if best else "other"),
        )
    ]
    if share > 0:
        hidden = Line(
            role="path", name=f"{name}, not seen", points=((a0, b0), edge), stroke=stroke("path", "not_seen")
        )
        lines.insert(0, hidden)
    return lines


def _away(path: NeedlePath) -> int:
    """Give the side that the path does not come from: +1 or -1 along lateral."""
    return 1 if path.entry[1] <= path.target[1] else -1


def _nearest(path: NeedlePath) -> Clearance | None:
    known = [clearance for clearance in path.clearances if clearance.distance is not None]
    return min(known, key=lambda clearance: clearance.distance or 0.0, default=None)


def _scale(grid: Grid | PixelGrid) -> tuple[Line, Label]:
    rows, columns = grid.shape
    width = columns * grid.step[1]
    steps = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05) if grid.unit == "m" else (10, 20, 50, 100, 200, 500, 1000)
    length = max((step for step in steps if step <= 0.3 * width), default=steps[0])
    axial = grid.origin[0] + (rows - 1) * grid.step[0] - 14 * _pixel(grid)
    left = grid.origin[1] + 0.03 * width
    look = Stroke(color="#FFFFFF", width=2.5)
    text = f"{length:.0f} px, spacing unknown" if grid.unit == "px" else f"{1e3 * length:g} mm"
    line = Line(
        role="scale", name=f"Scale bar {text}", points=((axial, left), (axial, left + length)), stroke=look
    )
    return line, Label(role="scale", text=text, at=(axial - 10 * _pixel(grid), left), color="#FFFFFF")


def guidance_drawing(
    image: Image,
    segmentation: Segmentation | None,
    paths: Sequence[NeedlePath] = (),
    hazards: Sequence[HazardSighting] = (),
    *,
    title: str | None = None,
    frame: int = 0,
    simulated: bool = False,
) -> Drawing:
    """Draw what is known over one frame: structures, planned paths, clearance, what is not known, a scale.

    Parameters
    ----------
    image : Image
        The picture drawn over, on a `Grid` or `PixelGrid`.
    segmentation : Segmentation or None
        Structures on the same grid; None if they were not looked for.
    paths : sequence of NeedlePath
        Best first.
    hazards : sequence of HazardSighting
        Those that are not known are written at the side, with the first words of why.
    title : str, optional
        What is planned, in words.
    frame : int
        Index of the frame.
    simulated : bool
        Whether no real tissue is seen; else the drawing carries its notice.

    Returns
    -------
    Drawing
        In the unit of the image's grid.
    """
    grid = image.grid
    if not isinstance(grid, Grid | PixelGrid):
        raise InputError(
            f"a drawing needs a Grid or PixelGrid, got {type(grid).__name__}: convert the scan first"
        )
    lines: list[Line] = []
    labels: list[Label] = []
    if segmentation is not None:
        lines, labels = _structures(segmentation, grid, frame)
    for path in reversed(paths):
        lines += _path_lines(path, best=path is paths[0])
    if paths:
        best = paths[0]
        lines += _cross_hair(best, size=9 * _pixel(grid))
        near = _nearest(best)
        text = "clearance unknown" if near is None else f"{clearance_text(near)} to {near.structure}"
        judged = "" if near is None or near.unit == "m" else "margin not judged: spacing unknown"
        inside = near is not None and near.keeps_margin is False
        labels.append(
            Label(
                role="clearance",
                text=text,
                detail=judged,
                at=(best.target[0] - 26 * _pixel(grid), best.target[1] + _away(best) * 95 * _pixel(grid)),
                anchor=best.target,
                color=stroke("state", "inside_margin" if inside else "clearance").color,
                unknown=near is None,
            )
        )
    rows, columns = grid.shape
    unknown = [hazard for hazard in hazards if not hazard.known]
    for i, hazard in enumerate(unknown):
        at = (
            grid.origin[0] + (rows - 40) * grid.step[0] - (22 * (len(unknown) - i)) * _pixel(grid),
            grid.origin[1] + 0.98 * columns * grid.step[1],
        )
        color = stroke("state", "unknown").color
        labels.append(
            Label(
                role="unknown",
                text=f"? {hazard.structure}",
                detail=hazard.reason.partition(":")[0],
                at=at,
                color=color,
                unknown=True,
            )
        )
    bar, bar_text = _scale(grid)
    return Drawing(
        unit=grid.unit,
        lines=(*lines, bar),
        labels=(*labels, bar_text),
        title=title,
        notice="simulated" if simulated else NOTICE,
    )
