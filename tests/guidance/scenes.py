"""Pictures of disks, whose distances to a straight line are known in closed form."""

from dataclasses import dataclass, replace

import numpy as np

from insonate.core import (
    Hazard,
    Image,
    ModelVersion,
    PixelGrid,
    Procedure,
    Quantity,
    Scene,
    Segmentation,
    Sourced,
    Structure,
    Tissue,
)
from insonate.guidance.procedures import procedure

ROWS, COLUMNS = 90, 120
SPACING = (4e-4, 3e-4)
"""Of rows and of columns [m]: a picture of 36 x 36 mm whose pixels are not square."""


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A round structure."""

    at: tuple[float, float]
    """Center (axial, lateral) [unit]."""
    radius: float
    """[unit]"""
    name: str = "nerve"
    tissue: Tissue = Tissue.NERVE
    instance: int = 1
    confidence: float = 0.9


def nerve(at, radius, **more):
    return Disk(at=at, radius=radius, **more)


def vessel(at, radius, **more):
    return Disk(at=at, radius=radius, **{"name": "vessel", "tissue": Tissue.VESSEL} | more)


def artery(at, radius, **more):
    return Disk(at=at, radius=radius, **{"name": "femoral artery", "tissue": Tissue.ARTERY} | more)


def grid_of(spacing=SPACING, shape=(ROWS, COLUMNS)):
    return PixelGrid(rows=shape[0], columns=shape[1], spacing=spacing)


def half_pixel(grid):
    return float(np.hypot(*grid.step)) / 2


def centers(grid):
    """(2, rows, columns) place of each pixel's center [unit]."""
    axial, lateral = np.indices(grid.shape)
    return np.stack([grid.origin[0] + axial * grid.step[0], grid.origin[1] + lateral * grid.step[1]])


def scene_of(*disks, grid=None, brightness=0.3, threshold=0.5, confidence=0.9):
    """A picture in which every disk is a structure; its labeled pixels cover all of it."""
    grid = grid or grid_of()
    axial, lateral = centers(grid)
    labels = np.zeros((1, *grid.shape), np.uint8)
    sure = np.full((1, *grid.shape), confidence, np.float32)
    for label, disk in enumerate(disks, start=1):
        inside = np.hypot(axial - disk.at[0], lateral - disk.at[1]) <= disk.radius + half_pixel(grid)
        labels[0][inside] = label
        sure[0][inside] = disk.confidence
    structures = tuple(
        Structure(
            name=disk.name,
            tissue=disk.tissue,
            instance=disk.instance,
            named_by=None if disk.name == disk.tissue.value else "named by hand for this test",
        )
        for disk in disks
    )
    values = np.broadcast_to(np.float32(brightness), (1, *grid.shape)).copy()
    segmentation = Segmentation(
        labels=labels,
        structures=structures,
        confidence=sure,
        grid=grid,
        times=None,
        model=ModelVersion(name="test", version="1", confidence_threshold=threshold),
    )
    return Scene(
        image=Image(values=values, quantity=Quantity.BRIGHTNESS, grid=grid), segmentation=segmentation
    )


def sourced(value):
    return Sourced(value=value, source="test", evidence="D")


def hazard(structure, tissue, margin):
    return Hazard(structure=structure, tissue=tissue, margin=sourced(margin))


def block(*hazards, **changes) -> Procedure:
    """The femoral nerve block, with other hazards (by default the femoral artery alone, 3 mm)."""
    femoral = procedure("LL01")
    return replace(femoral, hazards=hazards or (hazard("femoral artery", Tissue.ARTERY, 3e-3),), **changes)


def needle(diameter=0.72e-3, length=0.08):
    return replace(procedure("LL01").needle, diameter=sourced(diameter), length=sourced(length))


def segment_to_points(start, end, points) -> np.ndarray:
    """Distance from a straight way to points (2, n), in closed form."""
    start, points = np.reshape(start, (2, 1)), np.asarray(points, float)
    way = np.reshape(end, (2, 1)) - start
    along = np.clip(((points - start) * way).sum(axis=0) / (way**2).sum(), 0, 1)
    return np.hypot(*(start + along * way - points))


def segment_to_point(start, end, point) -> float:
    """The same to one point."""
    return float(segment_to_points(start, end, np.reshape(point, (2, 1)))[0])
