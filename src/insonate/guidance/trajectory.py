"""Straight in-plane needle paths from the skin to a target, past every hazard.

    clearance of a path to a structure = min over the path of D(p) - r - e

with D the exact Euclidean distance to the structure's pixels (that need not be square), r the needle's radius, and e
what looking up at points may miss: half a pixel's diagonal for the pixel's own extent, the same for the point's place
in its pixel, and half the way between two points. So it is never more than the clearance of the straight line itself.
A path is kept if it holds the margin of every structure that is known, ends at the stand-off outside the target without
crossing it, is no longer than the needle and no steeper than the limit. Nerves that belong to the target, as those of a
plexus do, are one target with it: a path may end beside any of them. Kept paths are ranked by

    score = min(c / m, 3) / 3 + cos(angle) - length / needle length - b

c / m the smallest clearance over its margin (more than three margins are no better than three), cos(angle) because a
shaft along the skin is seen and one along the beam is not, b = 3, more than all the rest, for an entry that the face of
the probe covers (further than its edge inside the picture), because there the probe must first be moved. Each known
structure counts, named or not; a vessel whose kind is not known keeps the largest margin of all vessels of the procedure
and makes none of them known. What the picture does not show is written beside every path: hazards not seen, pixels the
model is not sure of, the stretch outside the picture or in the black beside a sector. No path is ever called free of
danger.

Coordinates are (axial, lateral) = origin + index x step of the image's grid, in its unit; the skin is the first row of the
used area that is lit. Without spacing all is in pixels: margins cannot be judged, and a path only stays off structures.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import distance_transform_edt

from insonate.core import (
    Clearance,
    Grid,
    HazardSighting,
    Image,
    InputError,
    NeedlePath,
    PixelGrid,
    Plan,
    Procedure,
    Scene,
    Segmentation,
    Structure,
    Tissue,
)
from insonate.core.units import Meters, Radians
from insonate.guidance.uncertainty import contact_probability, interval, uncertainty

BESIDE: Meters = 0.03
"""How far beside the picture the needle may enter [m]."""

BESIDE_WIDTHS = 0.5
"""The same where spacing is unknown, in widths of the picture."""

ENTRIES = 72
"""Places along the skin that are tried."""

BEARINGS = 48
"""Places around the target that are tried."""

SAMPLES = 160
"""Points of a path at which distances are looked up."""

MOST_PATHS = 5
"""Alternatives given."""

DIFFERENT = 0.08
"""Two paths differ if entry or end lie this share of the picture's width apart."""

PLENTY = 3.0
"""Margins beyond which more clearance is worth nothing."""

COVERED = 3.0
"""Taken off the score of an entry under the face of the probe, more than all else can add: beside it always wins."""

EDGE = 0.02
"""This share of the picture's width at either side still counts as beside the probe."""

DARK = 8 / 255
"""Darker than this at the top of a column is no skin: the black beside a sector."""

LEVEL = 0.05
"""Skin that differs by less than this share of the picture's height is level."""

OFF = 2.0
"""What a path stays off a structure where spacing is unknown [pixels]."""

EVEN = 0.01
"""Share by which the distances between lines may differ; all are taken for equal."""

NOT_JUDGED = "not judged: spacing unknown"
"""What a margin reads where distance is in pixels."""

HARMED = frozenset(
    {Tissue.NERVE, Tissue.ARTERY, Tissue.VEIN, Tissue.VESSEL, Tissue.PLEURA, Tissue.PERITONEUM}
)
"""Tissues that keep their margin in any procedure. Another, as a bone, is only not gone through, unless the procedure names
it as a hazard; a design assumption, no source tells."""

STAND_OFF_HEIGHTS = 0.04
"""Stand-off where spacing is unknown, in heights of the picture: enough to stay outside, and no length of tissue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Obstacle:
    """A structure that a path must stay off, with its distance map."""

    name: str
    margin: Meters
    required: float  # [unit]
    distance: (
        np.ndarray
    )  # (rows, columns) from each pixel's center to the nearest pixel of the structure [unit]
    reason: str
    belongs: (
        bool  # to the target, as another nerve of a plexus does: the stand-off holds for it, and no margin
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Candidates:
    """Paths under judgement: n of them, sampled at SAMPLES points."""

    entry: np.ndarray  # (n, 2) [unit]
    end: np.ndarray  # (n, 2) [unit]
    length: np.ndarray  # (n,) [unit]
    angle: np.ndarray  # (n,) [rad]
    pixel: np.ndarray  # (n, SAMPLES) nearest pixel, held to the picture, counted along its rows
    seen: np.ndarray  # (n, SAMPLES) whether the picture shows the point

    def at(self, values: np.ndarray) -> np.ndarray:
        """Look up a map (rows, columns) at every point (n, SAMPLES)."""
        return np.asarray(values.ravel()[self.pixel])


def _grid(image: Image) -> Grid | PixelGrid:
    grid = image.grid
    if not isinstance(grid, Grid | PixelGrid):
        raise InputError(
            f"a plan needs a Grid or PixelGrid, got {type(grid).__name__}: convert the scan first"
        )
    if isinstance(grid, Grid):
        for name, line, step in zip(("axial", "lateral"), (grid.axial, grid.lateral), grid.step, strict=True):
            if len(line) > 1 and np.abs(np.diff(line) - step).max() > EVEN * step:
                raise InputError(
                    f"a plan needs evenly spaced lines, got uneven Grid.{name}: resample it first"
                )
    return grid


def _parts(scene: Scene) -> tuple[Image, Segmentation, Grid | PixelGrid]:
    """Give image, segmentation and grid of a scene, if it has all of them and of one frame."""
    image, segmentation = scene.image, scene.segmentation
    if image is None or segmentation is None:
        raise InputError("a plan needs a scene with an image and its segmentation, got one without")
    n_frames = image.n_frames, len(segmentation.labels)
    if n_frames != (1, 1):
        raise InputError(
            f"a plan needs one frame, got {n_frames[0]} of the image and {n_frames[1]} of its labels"
        )
    return image, segmentation, _grid(image)


def choose_target(segmentation: Segmentation, procedure: Procedure) -> int | None:
    """Choose what the needle goes to: a structure that bears the target's name, else the largest of its tissue.

    Parameters
    ----------
    segmentation : Segmentation
        Of one frame.
    procedure : Procedure
        With its target.

    Returns
    -------
    int or None
        A label; None where nothing of the tissue is known.
    """
    known = segmentation.known()
    best: tuple[bool, float] = (False, 0.0)
    chosen = None
    for label, structure in enumerate(segmentation.structures, start=1):
        if structure.tissue is not procedure.target.tissue:
            continue
        mask = (segmentation.labels == label) & known
        weight = float(segmentation.confidence[mask].sum())
        rank = (structure.name in procedure.target.structures, weight)
        if weight > 0 and rank > best:
            best, chosen = rank, label
    return chosen


def _sightings(segmentation: Segmentation, procedure: Procedure, target: int | None) -> list[HazardSighting]:
    """Say of every hazard of the procedure and every further structure whether it is known where it lies."""
    known = segmentation.known()
    present = {
        label: structure
        for label, structure in enumerate(segmentation.structures, start=1)
        if label != target and (segmentation.labels == label).any()
    }
    sure = {label for label in present if (known & (segmentation.labels == label)).any()}
    names = {hazard.structure for hazard in procedure.hazards}
    found = []
    for hazard in procedure.hazards:
        bearing = [label for label, structure in present.items() if structure.name == hazard.structure]
        label = next((label for label in bearing if label in sure), None)
        maybe = [
            structure.tissue.value
            for structure in present.values()
            if structure.name not in names
            and (
                structure.tissue is hazard.tissue
                or (structure.tissue is Tissue.VESSEL and hazard.tissue.is_vessel)
            )
        ]
        if label is not None:
            reason = present[label].named_by or "named in the picture"
        elif bearing:
            reason = "not sure: none of its pixels reaches the confidence threshold of the model"
        elif Tissue.VESSEL.value in maybe:
            reason = (
                "not told apart: the picture shows vessels of unknown kind, any of which may be it or not"
            )
        elif maybe:
            reason = f"not told apart: the picture shows a further {maybe[0]}, which may be it or not"
        else:
            reason = "not seen in the picture"
        found.append(
            HazardSighting(
                structure=hazard.structure,
                tissue=hazard.tissue,
                margin=hazard.margin.value,
                label=label,
                reason=reason,
            )
        )
    named = {sighting.label for sighting in found}
    for label, structure in present.items():
        if label not in named:
            margin, reason = _margin_of(structure, procedure)
            found.append(
                HazardSighting(
                    structure=_words(structure),
                    tissue=structure.tissue,
                    margin=margin,
                    label=label,
                    reason=reason,
                )
            )
    return found


def _with_own(
    sightings: list[HazardSighting],
    segmentation: Segmentation,
    outside: np.ndarray,
    procedure: Procedure,
    grid: Grid | PixelGrid,
) -> list[HazardSighting]:
    """Say which structures belong to the target: those without a name that lie near it, and so on from one to the next.

    None does while a hazard of the same tissue is not known: the phrenic nerve lies as near to a plexus as its roots do.
    """
    together, tissue = procedure.target.together, procedure.target.tissue
    if together is None or grid.unit != "m":
        return sightings
    named = {one.structure for one in procedure.hazards}
    if any(one.structure in named and one.tissue is tissue and not one.known for one in sightings):
        return sightings
    waiting = {
        one.label
        for one in sightings
        if one.label is not None
        and one.tissue is tissue
        and segmentation.structures[one.label - 1].named_by is None
    }
    own: set[int] = set()
    away = outside
    while near := {label for label in waiting if away[segmentation.mask(label)].min() <= together.value}:
        own |= near
        waiting -= near
        if waiting:
            away = distance_transform_edt(~np.isin(segmentation.labels[0], sorted(near)), sampling=grid.step)
    return [
        replace(one, belongs=True, reason="belongs to the target: to be neared, not touched")
        if one.label in own
        else one
        for one in sightings
    ]


def _words(structure: Structure) -> str:
    return f"{structure.name} {structure.instance}"


def _margin_of(structure: Structure, procedure: Procedure) -> tuple[Meters, str]:
    """Give the margin of a structure that is none of the procedure's hazards by name, and why.

    It may yet be any of them that its tissue allows, so it keeps the largest of their margins.
    """
    tissue = structure.tissue
    vague = tissue is Tissue.VESSEL
    margins = [
        hazard.margin.value
        for hazard in procedure.hazards
        if hazard.tissue is tissue or (vague and hazard.tissue.is_vessel)
    ]
    if not margins and tissue not in HARMED:
        return 0.0, f"a {tissue.value}, which the procedure does not name: to be left out, with no margin"
    largest = max([uncertainty().margin(tissue).value, *margins])
    if vague:
        return largest, "a vessel of unknown kind: the largest margin of every vessel named"
    return largest, f"a further {tissue.value} in the picture: the largest margin of its tissue"


def _first_lit(image: Image) -> np.ndarray:
    """Give the first lit row of each column; NaN where the column is black."""
    lit = image.brightness()[0] > DARK
    first = lit.argmax(axis=0).astype(float)
    first[~lit.any(axis=0)] = np.nan
    return np.asarray(first)


def _skin(first: np.ndarray, n_rows: int) -> np.ndarray:
    """Give the row of the skin in each column, from the first lit rows; NaN beside the lit columns.

    A straight array has level skin: dark columns at its top are lost contact. Under a curved one it follows the face; beside
    the face, where the sides of the sector go down, it is level.
    """
    top = np.nanmin(first)
    if np.nanmedian(first) - top <= LEVEL * n_rows:
        return np.full(len(first), top)
    columns = np.flatnonzero(np.isfinite(first))
    skin = np.interp(np.arange(len(first)), columns, first[columns], left=np.nan, right=np.nan)
    middle = (columns[0] + columns[-1]) // 2
    left = int(np.nanargmin(skin[: middle + 1]))
    right = len(skin) - 1 - int(np.nanargmin(skin[middle:][::-1]))
    skin[columns[0] : left] = skin[left]
    skin[right + 1 : columns[-1] + 1] = skin[right]
    return np.asarray(skin)


def _shown(first: np.ndarray, skin: np.ndarray, n_rows: int) -> np.ndarray:
    """Say which pixels show anything (rows, columns): not the black above the first lit row of a column, if it is thick."""
    gap = first - skin > LEVEL * n_rows
    begins = np.where(np.isfinite(first), np.where(gap, first, 0), n_rows)
    return np.asarray(np.arange(n_rows)[:, None] >= begins)


def _entries(skin: np.ndarray, grid: Grid | PixelGrid) -> np.ndarray:
    """Give places on the skin, in the picture and beside it along the same line (n, 2) [unit]."""
    (axial, lateral), (row, column) = grid.origin, grid.step
    columns = np.flatnonzero(np.isfinite(skin))
    first, last = int(columns[0]), int(columns[-1])
    beside = (BESIDE if grid.unit == "m" else BESIDE_WIDTHS * len(skin)) / column
    at = np.concatenate([[first, last], np.linspace(first - beside, last + beside, ENTRIES)])
    rows = np.interp(at, columns, skin[columns])  # beside the picture the skin goes on level
    return np.column_stack([axial + rows * row, lateral + at * column])


def _ends(outside: np.ndarray, stand_off: float, grid: Grid | PixelGrid) -> np.ndarray:
    """Give places at the stand-off around the target, evenly spread (n, 2) [unit]."""
    thick = max(grid.step)
    ring = np.argwhere((outside >= stand_off) & (outside < stand_off + 1.5 * thick))
    if len(ring) == 0:
        return np.zeros((0, 2))
    middle = np.argwhere(outside == 0).mean(axis=0)
    bearing = np.arctan2(*((ring - middle) * grid.step).T)
    chosen = {
        int(np.argmin(np.abs(bearing - turn)))
        for turn in np.linspace(-math.pi, math.pi, BEARINGS, endpoint=False)
    }
    return np.asarray(np.asarray(grid.origin) + ring[sorted(chosen)] * np.asarray(grid.step))


def _candidates(
    entries: np.ndarray,
    ends: np.ndarray,
    shown: np.ndarray,
    grid: Grid | PixelGrid,
    *,
    steepest: Radians,
    longest: float,
) -> _Candidates:
    """Pair every entry with every end, as far as needle and angle allow, and sample the ways between."""
    entry = np.repeat(entries, len(ends), axis=0)
    end = np.tile(ends, (len(entries), 1))
    down, across = (end - entry).T
    length, angle = np.hypot(down, across), np.arctan2(down, np.abs(across))
    fits = (down > 0) & (angle <= steepest) & (length <= longest)
    entry, end = entry[fits], end[fits]
    share = np.linspace(0, 1, SAMPLES)
    inside = np.ones((len(entry), SAMPLES), bool)
    pixel = np.zeros((len(entry), SAMPLES), np.int32)
    for axis, n in enumerate(grid.shape):
        first = (entry[:, axis] - grid.origin[axis]) / grid.step[axis]
        last = (end[:, axis] - grid.origin[axis]) / grid.step[axis]
        index = np.rint(first[:, None] + np.outer(last - first, share)).astype(np.int32)
        inside &= (index >= 0) & (index < n)
        pixel = pixel * n + index.clip(0, n - 1)
    return _Candidates(
        entry=entry,
        end=end,
        length=length[fits],
        angle=angle[fits],
        pixel=pixel,
        seen=inside & shown.ravel()[pixel],
    )


def _half_pixel(grid: Grid | PixelGrid) -> float:
    """Give how far a pixel's corner is from its center [unit]."""
    return float(np.hypot(*grid.step)) / 2


def _half_way(length: np.ndarray) -> np.ndarray:
    """Give how far a place on a path may be from the nearest point that is looked at [unit]."""
    return np.asarray(length / (SAMPLES - 1) / 2)


def _nearest(
    candidates: _Candidates, distance: np.ndarray, grid: Grid | PixelGrid, radius: float
) -> np.ndarray:
    """Give the least distance of each path to a structure, needle's radius taken off (n,) [unit].

    Outside the picture the distance is at least that to the picture's edge pixel nearest, and is counted from there.
    """
    at = candidates.at(distance).min(axis=1)
    missed = 2 * _half_pixel(grid) + _half_way(candidates.length)
    return np.asarray(np.maximum(at - missed - radius, 0.0))


def _obstacles(
    segmentation: Segmentation, sightings: list[HazardSighting], grid: Grid | PixelGrid
) -> list[_Obstacle]:
    found = []
    for sighting in sightings:
        if sighting.label is None:
            continue
        mask = segmentation.mask(sighting.label)
        in_meters = grid.unit == "m"
        found.append(
            _Obstacle(
                name=sighting.structure,
                margin=sighting.margin,
                required=sighting.margin if in_meters else OFF,
                distance=distance_transform_edt(~mask, sampling=grid.step),
                reason=sighting.reason,
                belongs=sighting.belongs,
            )
        )
    return found


def _nothing(procedure: Procedure, target: int | None, sightings: list[HazardSighting], reason: str) -> Plan:
    return Plan(procedure=procedure.id, target=target, hazards=tuple(sightings), paths=(), reason=reason)


def plan(scene: Scene, procedure: Procedure) -> Plan:
    """Plan needle paths for a procedure in one picture.

    Parameters
    ----------
    scene : Scene
        With an image of one frame on a `Grid` or `PixelGrid`, and its segmentation.
    procedure : Procedure
        Target, hazards, needle.

    Returns
    -------
    Plan
        Target, hazards known or unknown, up to `MOST_PATHS` paths that differ, best first; none with the reason.

    Raises
    ------
    InputError
        If the scene has no image or no segmentation or several frames, or the image is on a sector or uneven lines.
    """
    image, segmentation, grid = _parts(scene)
    target = choose_target(segmentation, procedure)
    sightings = _sightings(segmentation, procedure, target)
    wanted = " or ".join(procedure.target.structures)
    if target is None:
        return _nothing(procedure, None, sightings, f"no {wanted} known in the picture: no path is planned")
    first = _first_lit(image)
    if not np.isfinite(first).any():
        return _nothing(procedure, target, sightings, "no skin in the picture: it is black")
    in_meters = grid.unit == "m"
    radius = procedure.needle.diameter.value / 2 if in_meters else 0.0
    body = segmentation.mask(target)
    outside = distance_transform_edt(~body, sampling=grid.step)
    sightings = _with_own(sightings, segmentation, outside, procedure, grid)
    own = [one.label for one in sightings if one.belongs and one.label is not None]
    if own:  # a plexus is gone to from any side of it, and its nerves are all outside the way
        body = np.isin(segmentation.labels[0], [target, *own])
        outside = distance_transform_edt(~body, sampling=grid.step)
    stand_off = procedure.target.standoff.value + radius if in_meters else STAND_OFF_HEIGHTS * grid.shape[0]
    stand_off += _half_pixel(grid)  # distances are to the centers of its pixels
    ends = _ends(outside, stand_off, grid)
    if len(ends) == 0:
        return _nothing(
            procedure, target, sightings, f"no room in the picture for the tip beside the {wanted}"
        )
    skin = _skin(first, grid.shape[0])
    shown = _shown(first, skin, grid.shape[0])
    reach = procedure.needle.length.value if in_meters else math.inf
    candidates = _candidates(
        _entries(skin, grid), ends, shown, grid, steepest=procedure.angle_limit.value, longest=reach
    )
    obstacles = _obstacles(segmentation, sightings, grid)
    nearest = [_nearest(candidates, obstacle.distance, grid, radius) for obstacle in obstacles]
    # The target itself is never entered: the whole way stays outside it, nearly the stand-off away.
    fits = candidates.at(outside).min(axis=1) >= 0.9 * stand_off
    if not fits.any():
        limits = "length and angle" if in_meters else "angle"
        return _nothing(procedure, target, sightings, f"no straight path keeps {limits}")
    # A margin of nothing is no leave to go through.
    holds = [
        obstacle.belongs | ((near >= obstacle.required) & (near > 0))
        for near, obstacle in zip(nearest, obstacles, strict=True)
    ]
    keeps = np.logical_and.reduce([fits, *holds])
    if not keeps.any():
        blocking = sorted(
            {o.name for o, held in zip(obstacles, holds, strict=True) if not (fits & held).any()}
        )
        between = f" ({', '.join(blocking)} in the way)" if blocking else ""
        limits = (
            "length, angle and the margin of every structure"
            if in_meters
            else "angle and every structure's place"
        )
        return _nothing(procedure, target, sightings, f"no straight path keeps {limits}{between}")
    margins = [
        near / max(o.required, 1e-9) for near, o in zip(nearest, obstacles, strict=True) if not o.belongs
    ]
    room = np.min(margins, axis=0) if margins else np.full(len(keeps), PLENTY)
    longest = reach if in_meters else float(np.hypot(*grid.shape))
    score = np.minimum(room, PLENTY) / PLENTY + np.cos(candidates.angle) - candidates.length / longest
    score = score - COVERED * _covered(candidates.entry, grid)
    best = _distinct(candidates, np.where(keeps, score, -np.inf), grid)
    unsure = _from_unsure(segmentation, grid)
    paths = tuple(
        _path(
            rank,
            index,
            candidates,
            nearest,
            obstacles,
            sightings,
            segmentation,
            unsure,
            grid,
            procedure,
            target,
        )
        for rank, index in enumerate(best, start=1)
    )
    return Plan(
        procedure=procedure.id, target=target, hazards=tuple(sightings), paths=paths, reason=paths[0].reason
    )


def _covered(entry: np.ndarray, grid: Grid | PixelGrid) -> np.ndarray:
    """Say which entries the face of the probe covers."""
    across = (entry[:, 1] - grid.origin[1]) / (grid.shape[1] * grid.step[1])
    return np.asarray((across > EDGE) & (across < 1 - EDGE))


def _distinct(candidates: _Candidates, score: np.ndarray, grid: Grid | PixelGrid) -> list[int]:
    """Choose the best paths that differ from each other, best first."""
    apart = DIFFERENT * grid.shape[1] * grid.step[1]
    chosen: list[int] = []
    for index in np.argsort(-score, kind="stable"):
        if len(chosen) == MOST_PATHS or not np.isfinite(score[index]):
            break
        far = all(
            max(
                np.hypot(*(candidates.entry[index] - candidates.entry[other])),
                np.hypot(*(candidates.end[index] - candidates.end[other])),
            )
            >= apart
            for other in chosen
        )
        if far:
            chosen.append(int(index))
    return chosen


def _from_unsure(segmentation: Segmentation, grid: Grid | PixelGrid) -> np.ndarray | None:
    """Give how far each pixel lies from one that the model is not sure of [unit]; None where it is sure of all."""
    unsure = ~segmentation.known()[0]
    return np.asarray(distance_transform_edt(~unsure, sampling=grid.step)) if unsure.any() else None


def _unsure_length(
    candidates: _Candidates, index: int, away: np.ndarray | None, grid: Grid | PixelGrid, corridor: float
) -> float:
    """Give how much of a path's seen way runs past pixels that the model is not sure of, within the corridor [unit]."""
    if away is None:
        return 0.0
    reach = corridor + 2 * _half_pixel(grid) + _half_way(candidates.length[index])
    hit = (away.ravel()[candidates.pixel[index]] <= reach) & candidates.seen[index]
    return float(candidates.length[index] * hit.mean())


def _path(
    rank: int,
    index: int,
    candidates: _Candidates,
    nearest: list[np.ndarray],
    obstacles: list[_Obstacle],
    sightings: list[HazardSighting],
    segmentation: Segmentation,
    unsure: np.ndarray | None,
    grid: Grid | PixelGrid,
    procedure: Procedure,
    target: int,
) -> NeedlePath:
    unit = grid.unit
    clearances = tuple(
        [
            _known(obstacle, float(near[index]), unit, grid)
            for obstacle, near in zip(obstacles, nearest, strict=True)
        ]
        + [_unknown(sighting, unit) for sighting in sightings if sighting.label is None]
    )
    length = float(candidates.length[index])
    not_seen = length * float((~candidates.seen[index]).mean())
    radius = procedure.needle.diameter.value / 2 if unit == "m" else 0.0
    corridor = radius + (uncertainty().sigma if unit == "m" else 1.0)
    doubtful = _unsure_length(candidates, index, unsure, grid, corridor)
    unknown = [sighting.structure for sighting in sightings if sighting.label is None]
    if doubtful > 0:
        unknown.append(f"{_length(doubtful, unit)} of the way past pixels the model is not sure of")
    if not_seen > 0:
        unknown.append(f"{_length(not_seen, unit)} of the way outside what the picture shows")
    if unit == "px":
        unknown.append("every margin: spacing unknown")
    angle = float(candidates.angle[index])
    covered = bool(_covered(candidates.entry[index : index + 1], grid)[0])
    return NeedlePath(
        entry=(float(candidates.entry[index][0]), float(candidates.entry[index][1])),
        target=(float(candidates.end[index][0]), float(candidates.end[index][1])),
        unit=unit,
        length=length,
        angle=angle,
        aims_at=segmentation.structures[target - 1].name,
        clearances=clearances,
        unknown=tuple(unknown),
        not_seen=not_seen,
        rank=rank,
        reason=_reason(clearances, angle, length, unit, unknown)
        + ("; entry under the probe" if covered else ""),
    )


def _known(obstacle: _Obstacle, distance: float, unit: str, grid: Grid | PixelGrid) -> Clearance:
    if unit == "m":
        sigma = uncertainty().sigma
        probability: float | None = contact_probability(distance, sigma)
        reason = obstacle.reason
    else:
        sigma = (
            uncertainty().boundary.value / 1e-3 * 0.01 * grid.shape[0]
        )  # a hundredth of the height, for the interval
        probability = None
        reason = NOT_JUDGED
    return Clearance(
        structure=obstacle.name,
        distance=distance,
        interval=interval(distance, sigma),
        unit=unit,
        contact_probability=probability,
        margin=obstacle.margin,
        reason=reason,
    )


def _unknown(sighting: HazardSighting, unit: str) -> Clearance:
    return Clearance(
        structure=sighting.structure,
        distance=None,
        interval=None,
        unit=None,
        contact_probability=None,
        margin=sighting.margin,
        reason=f"{sighting.reason}; {NOT_JUDGED}" if unit == "px" else sighting.reason,
    )


def _length(length: float, unit: str) -> str:
    return f"{length:.0f} px" if unit == "px" else f"{1e3 * length:.1f} mm"


def _reason(
    clearances: tuple[Clearance, ...], angle: float, length: float, unit: str, unknown: list[str]
) -> str:
    known = [clearance for clearance in clearances if clearance.distance is not None]
    near = min(known, key=lambda clearance: clearance.distance or 0.0, default=None)
    words = [f"{_length(length, unit)} at {math.degrees(angle):.0f} deg to the skin"]
    if near is not None:
        words.append(f"nearest {near.structure} at {_length(near.distance or 0.0, unit)}")
        if unit == "px":
            words.append("margins not judged: spacing unknown")
    words.append(f"unknown: {', '.join(unknown)}" if unknown else "nothing named is unknown")
    return "; ".join(words)
