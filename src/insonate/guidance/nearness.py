"""How near the needle is to each structure, now: from its pose and the structures of the picture.

    distance(structure) = min |p - q| - r - e,   p on the needle within the picture, q in the structure's pixels

with r the needle's radius and e half a pixel's diagonal, 0 where they overlap. The needle is its tip and the straight shaft
behind it, as far as the picture shows it. Its interval holds the deviations of the tip (its own covariance), of outlines, of
lengths, and of what may have moved since it was seen: sigma^2 = tip^2 + boundary^2 + calibration^2 + (drift age)^2.
Structures are known in the plane of the picture alone, so all is unknown unless the tip lies within half a slice of it.
"""

import math

import numpy as np

from insonate.core import (
    Clearance,
    CoordinateFrame,
    Grid,
    NeedlePose,
    NeedleState,
    PixelGrid,
    Plan,
    Pose,
    Procedure,
    Scene,
    Segmentation,
)
from insonate.core.units import Meters, Seconds
from insonate.guidance.rules import rules
from insonate.guidance.uncertainty import contact_probability, interval, uncertainty

SHAFT_STEP: Meters = 5e-4
"""Between the places of the shaft that are looked at [m]."""


def clearances(
    scene: Scene,
    plan: Plan,
    procedure: Procedure,
    needle: NeedlePose | None,
    probe: Pose | None,
    *,
    age: Seconds = 0.0,
) -> tuple[Clearance, ...]:
    """Tell how near the needle is to each hazard of a plan and to its target.

    Parameters
    ----------
    scene : Scene
        Picture and structures.
    plan : Plan
        Made of that scene: its hazards, known or not, and its target.
    procedure : Procedure
        The plan's; gives the needle's radius.
    needle : NeedlePose or None
        In the probe's or the patient's frame; None if nobody tells.
    probe : Pose or None
        Patient <- probe at that time; needed for a needle in the patient's frame.
    age : float
        How long before the needle the structures were seen [s].

    Returns
    -------
    tuple of Clearance
        One for each hazard that keeps a margin or is named, the target last if it is known; unknown ones say why.
    """
    named = {one.structure for one in procedure.hazards}
    wanted: list[tuple[str, Meters, int | None, str]] = [
        (one.structure, 0.0 if one.belongs else one.margin, one.label, one.reason)
        for one in plan.hazards
        # what keeps no margin, as a bone that the procedure does not name, is planned around and not watched
        if one.margin > 0 or one.structure in named
    ]
    own = {plan.target, *(one.label for one in plan.hazards if one.belongs)}
    if plan.target is not None and scene.segmentation is not None:
        target = scene.segmentation.structures[plan.target - 1]
        words = target.name if target.named_by is not None else f"{target.name} {target.instance}"
        wanted.append((words, 0.0, plan.target, "the target: to be neared, not touched"))
    points, sigma, why = _needle(scene, needle, probe)
    sigma = math.hypot(sigma, rules()["clearance"]["drift"] * max(age, 0.0))
    out = []
    for structure, margin, label, reason in wanted:
        if points is None or label is None or scene.segmentation is None:
            out.append(_unknown(structure, margin, why if label is not None else reason))
            continue
        away = _nearest(points, scene.segmentation, label, procedure.needle.diameter.value / 2)
        if away is None:
            out.append(_unknown(structure, margin, "none of its pixels is left in the picture"))
            continue
        out.append(
            Clearance(
                structure=structure,
                distance=away,
                interval=interval(away, sigma),
                unit="m",
                contact_probability=contact_probability(away, sigma),
                margin=margin,
                reason=reason,
                target=label in own,
            )
        )
    return tuple(out)


def in_probe_frame(needle: NeedlePose, probe: Pose | None) -> NeedlePose | None:
    """Give a pose in the probe's frame: x along the array, y across the plane, z into the body.

    Parameters
    ----------
    needle : NeedlePose
        In the probe's or the patient's frame.
    probe : Pose or None
        Patient <- probe.

    Returns
    -------
    NeedlePose or None
        None where the probe's place is needed and not known.
    """
    if needle.frame is CoordinateFrame.PROBE:
        return needle
    if probe is None or needle.frame is not CoordinateFrame.PATIENT:
        return None
    turn = probe.rotation.T
    tip = None if needle.tip is None else probe.inverse().apply(needle.tip[np.newaxis])[0]
    direction = None if needle.direction is None else turn @ needle.direction
    if direction is not None:
        direction = direction / np.linalg.norm(direction)
    spread = None if needle.covariance is None else turn @ needle.covariance @ turn.T
    return NeedlePose(
        state=needle.state,
        tip=tip,
        direction=direction,
        covariance=None if spread is None else (spread + spread.T) / 2,
        frame=CoordinateFrame.PROBE,
        time=needle.time,
    )


def _needle(
    scene: Scene, needle: NeedlePose | None, probe: Pose | None
) -> tuple[np.ndarray | None, Meters, str]:
    """Give (n, 2) places axial, lateral of the needle in the picture, its deviation, or why there are none."""
    nothing = math.inf
    if scene.image is None or scene.segmentation is None:
        return None, nothing, "no structures are known"
    grid = scene.image.grid
    if not isinstance(grid, Grid | PixelGrid) or grid.unit != "m":
        return None, nothing, "the picture has no lengths: spacing unknown"
    if needle is None:
        return None, nothing, "the needle is not tracked"
    if needle.state is not NeedleState.TIP:
        return None, nothing, f"the needle's tip is not seen ({needle.state.value})"
    seen = in_probe_frame(needle, probe)
    if seen is None or seen.tip is None or seen.direction is None or seen.covariance is None:
        return None, nothing, "it is not known where the probe is"
    off = abs(float(seen.tip[1]))
    if off > rules()["needle"]["half_slice"]:
        return None, nothing, f"the tip is {1e3 * off:.1f} mm out of the image plane"
    rows, columns = grid.shape
    (first, left), (row, column) = grid.origin, grid.step
    place = np.array([seen.tip[2], seen.tip[0]])
    if not (
        first - row / 2 <= place[0] <= first + (rows - 0.5) * row
        and left - column / 2 <= place[1] <= left + (columns - 0.5) * column
    ):
        return None, nothing, "the tip lies outside the picture"
    heading = np.array([seen.direction[2], seen.direction[0]])
    length = math.hypot(rows * row, columns * column)
    behind = np.arange(0, length, SHAFT_STEP)
    way = place - heading * behind[:, None]
    off_plane = np.abs(seen.tip[1] - seen.direction[1] * behind)
    shown = (
        (way[:, 0] >= first - row / 2)
        & (np.abs(way[:, 1] - (left + (columns - 1) * column / 2)) <= columns * column / 2)
        & (off_plane <= rules()["needle"]["half_slice"])
    )
    shown[0] = True
    tip = math.sqrt(max(float(np.linalg.eigvalsh(seen.covariance)[-1]), 0.0))
    stated = uncertainty()
    return way[shown], math.hypot(tip, stated.boundary.value, stated.calibration.value), ""


def _nearest(points: np.ndarray, segmentation: Segmentation, label: int, radius: Meters) -> Meters | None:
    """Give the least distance of places to the pixels of a structure; None if it has none."""
    mask = segmentation.mask(label)
    if not mask.any():
        return None
    inner = np.zeros_like(mask)
    inner[1:-1, 1:-1] = mask[1:-1, 1:-1] & mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    grid = segmentation.grid
    if not isinstance(grid, Grid | PixelGrid):
        return None
    edge = np.argwhere(mask & ~inner) * np.asarray(grid.step) + np.asarray(grid.origin)
    index = np.rint((points - np.asarray(grid.origin)) / np.asarray(grid.step)).astype(int)
    within = ((index >= 0) & (index < mask.shape)).all(axis=1)
    if mask[tuple(index[within].T)].any():
        return 0.0
    apart = np.sqrt(((points[:, None, :] - edge[None, :, :]) ** 2).sum(axis=-1)).min()
    return max(float(apart) - radius - math.hypot(*grid.step) / 2, 0.0)


def _unknown(structure: str, margin: Meters, reason: str) -> Clearance:
    return Clearance(
        structure=structure,
        distance=None,
        interval=None,
        unit=None,
        contact_probability=None,
        margin=margin,
        reason=reason,
    )
