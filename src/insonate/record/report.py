"""A plan as plain JSON values: what was seen, what is unknown, what could be done, and how it was made.

Every length carries its unit; what is not known is null, with a sentence that says why. The form is fixed by
`report.schema.json` beside this file and described in the documentation.
"""

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from insonate.core.anatomy import Segmentation
from insonate.core.clearance import Clearance
from insonate.core.grid import Grid, PixelGrid, PolarGrid
from insonate.core.image import Image
from insonate.core.needle_path import NeedlePath
from insonate.core.plan import Plan
from insonate.core.procedure import Procedure
from insonate.core.provenance import Step
from insonate.core.scene import Scene

FORM = "insonate-report-1"
"""Name and version of the form."""

NOTICE = "Research and education software, not a medical device. Not for diagnosis. Doses are reference limits, not orders."
"""The first thing a reader of the report sees."""

_PACKAGES = ("insonate", "numpy", "scipy", "onnxruntime", "pydicom", "pillow", "av", "h5py", "numba")


def versions() -> dict[str, str]:
    """Give the versions of all that can change a result."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def length(value: float | None, unit: str | None) -> dict[str, Any] | None:
    """Give a length with its unit: millimeters, or pixels where spacing is unknown; None stays None."""
    if value is None or unit is None:
        return None
    return (
        {"value": round(value, 1), "unit": "px"}
        if unit == "px"
        else {"value": round(1e3 * value, 3), "unit": "mm"}
    )


def _spacing(grid: Grid | PolarGrid | PixelGrid) -> list[float] | None:
    if isinstance(grid, PixelGrid) and grid.spacing is None:
        return None
    return [float(f"{1e3 * step:.6g}") for step in grid.step] if isinstance(grid, Grid | PixelGrid) else None


def structures(segmentation: Segmentation, frame: int = 0) -> list[dict[str, Any]]:
    """List the structures of one frame.

    Parameters
    ----------
    segmentation : Segmentation
        Labels and what they stand for.
    frame : int
        Index of the frame.

    Returns
    -------
    list of dict
        `label`, `name`, `tissue`, `confidence` 0..1, `known`, `area` in mm2 or px, `named_by`.
    """
    grid = segmentation.grid
    rows = []
    for label, structure in enumerate(segmentation.structures, start=1):
        mask = segmentation.mask(label, frame)
        count = int(mask.sum())
        if count == 0:
            continue
        confidence = float(segmentation.confidence[frame][mask].mean())
        if isinstance(grid, PolarGrid) or grid.unit == "px":
            area = {"value": float(count), "unit": "px"}
        else:
            area = {"value": round(count * grid.step[0] * grid.step[1] * 1e6, 3), "unit": "mm2"}
        rows.append(
            {
                "label": label,
                "name": structure.name,
                "instance": structure.instance,
                "tissue": structure.tissue.value,
                "confidence": round(confidence, 4),
                "known": confidence >= segmentation.model.confidence_threshold,
                "area": area,
                "named_by": structure.named_by,
            }
        )
    return rows


def _clearance(clearance: Clearance) -> dict[str, Any]:
    interval = None
    if clearance.interval is not None:
        interval = [length(bound, clearance.unit) for bound in clearance.interval]
    probability = clearance.contact_probability
    return {
        "structure": clearance.structure,
        "distance": length(clearance.distance, clearance.unit),
        "interval_95": interval,
        "contact_probability": None if probability is None else round(probability, 4),
        "margin": length(clearance.margin, "m"),
        "keeps_margin": clearance.keeps_margin,
        "reason": clearance.reason,
    }


def _path(path: NeedlePath) -> dict[str, Any]:
    def place(point: tuple[float, float]) -> dict[str, Any]:
        return {"axial": length(point[0], path.unit), "lateral": length(point[1], path.unit)}

    return {
        "rank": path.rank,
        "aims_at": path.aims_at,
        "entry": place(path.entry),
        "target": place(path.target),
        "length": length(path.length, path.unit),
        "angle_deg": round(float(np.degrees(path.angle)), 1),
        "not_seen": length(path.not_seen, path.unit),
        "clearances": [_clearance(clearance) for clearance in path.clearances],
        "keeps_margins": path.keeps_margins,
        "unknown": list(path.unknown),
        "reason": path.reason,
    }


def _step(step: Step) -> dict[str, Any]:
    return {"name": step.name, "settings": dict(step.settings), "version": step.version}


def _area(image: Image, scene: Scene) -> dict[str, int]:
    row, column, rows, columns = scene.area or (0, 0, *image.grid.shape)
    return {"row": row, "column": column, "rows": rows, "columns": columns}


def report(
    image: Image,
    scene: Scene,
    *,
    source: Mapping[str, Any],
    frame: int,
    procedure: Procedure | None = None,
    plan: Plan | None = None,
    model: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write down what was made of one frame.

    Parameters
    ----------
    image : Image
        The whole picture as read or formed.
    scene : Scene
        The part of the frame that holds echoes, with its segmentation.
    source : mapping
        File name, hash and reader.
    frame : int
        Index of the frame.
    procedure : Procedure, optional
        What was planned; None where only labels were wanted.
    plan : Plan, optional
        Target, hazards, paths.
    model : mapping, optional
        Version and hash of the labelling model's weights.
    settings : mapping, optional
        What the user supplied.

    Returns
    -------
    dict
        Plain values for JSON, of the form `FORM`.
    """
    found = [] if scene.segmentation is None else structures(scene.segmentation)
    made: dict[str, Any] = {
        "form": FORM,
        "notice": NOTICE,
        "source": {
            **source,
            "n_frames": image.n_frames,
            "rows": image.grid.shape[0],
            "columns": image.grid.shape[1],
            "spacing_mm": _spacing(image.grid),
        },
        "area": _area(image, scene),
        "frame": frame + 1,
        "structures": found,
    }
    if procedure is not None and plan is not None:
        target = next((row for row in found if row["label"] == plan.target), None)
        made |= {
            "procedure": {"id": procedure.id, "name": procedure.name, "review": procedure.review.value},
            "target": target,
            "hazards": [
                {
                    "structure": hazard.structure,
                    "tissue": hazard.tissue.value,
                    "state": "known" if hazard.known else "unknown",
                    "label": hazard.label,
                    "margin": length(hazard.margin, "m"),
                    "reason": hazard.reason,
                }
                for hazard in plan.hazards
            ],
            "paths": [_path(path) for path in plan.paths],
            "reason": plan.reason,
        }
    made["provenance"] = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "model": dict(model) if model else None,
        "settings": dict(settings or {}),
        "steps": [_step(step) for step in image.provenance],
    }
    return made
