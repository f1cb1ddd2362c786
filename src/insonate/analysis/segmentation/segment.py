"""The door: an image to labels, structures and confidence, frame by frame.

Each frame is read by the model alone. Its classes are split into separate structures (`instances`), so that each can
be judged by itself; a component below the model's smallest size becomes label 0, with the confidence that nothing is
there. The result is a pure function of the image.
"""

from collections.abc import Callable

import numpy as np

from insonate.analysis.models import PictureModel
from insonate.analysis.models.nerve_vessel import nerve_vessel
from insonate.analysis.models.simulated_tissues import simulated_tissues
from insonate.analysis.segmentation.instances import Instances, components
from insonate.core import Grid, Image, InputError, PixelGrid, Segmentation, Structure

DYNAMIC_RANGE = 60.0
"""Decibels below the maximum that are shown to the model as black."""


def _aspect(grid: Grid | PixelGrid) -> float:
    """Height of a pixel over its width; square where spacing is unknown."""
    if isinstance(grid, PixelGrid):
        return grid.step[0] / grid.step[1]
    steps = [
        np.ptp(line) / (len(line) - 1) if len(line) > 1 else np.nan for line in (grid.axial, grid.lateral)
    ]
    aspect = float(steps[0] / steps[1])
    return aspect if np.isfinite(aspect) else 1.0


def segment(
    image: Image,
    *,
    model: PictureModel | None = None,
    simulated: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Segmentation:
    """Label every frame of an image.

    Parameters
    ----------
    image : Image
        Brightness or B-mode, on a `Grid` or a `PixelGrid`.
    model : PictureModel, optional
        Who reads it; the network for nerve and vessel by default.
    simulated : bool
        Whether the image comes from a source marked SIMULATED.
    progress : callable, optional
        Told how many frames are done, and of how many.

    Returns
    -------
    Segmentation
        On the image's grid. Structures are named by their tissue only.

    Raises
    ------
    InputError
        If the image is on a sector: scan-convert it first. If the model reads simulated pictures only, and this is none.
    """
    grid = image.grid
    if not isinstance(grid, Grid | PixelGrid):
        raise InputError(
            "segment needs an image on lines or in a picture, got one on a sector (scan-convert it first)"
        )
    reader = model or nerve_vessel()
    if reader.only_simulated and not simulated:
        raise InputError(
            f"{reader.version.name} labels pictures of sources marked SIMULATED only, got a real one (it was fitted on no "
            "real picture; nerve_vessel was)"
        )
    aspect = _aspect(grid)
    labels = np.zeros(image.values.shape, np.uint8)
    confidence = np.zeros(image.values.shape, np.float32)
    trackers = [Instances() for _ in reader.tissues]
    order: dict[tuple[int, int], int] = {}  # class and instance -> label
    for frame, picture in enumerate(image.brightness(dynamic_range=DYNAMIC_RANGE)):
        reading = reader.read(picture, aspect)
        confidence[frame] = reading.nothing
        floor = reader.smallest * reading.n_content
        present = np.bincount(reading.labels.ravel(), minlength=len(trackers) + 1)
        for index, tracker in enumerate(trackers):
            if not present[index + 1]:
                continue
            parts = components(reading.labels == index + 1, floor=floor)
            for part, number in zip(parts, tracker.number(parts), strict=True):
                label = order.setdefault((index, number), len(order) + 1)
                labels[frame][part] = label
                confidence[frame][part] = reading.confidence[part]
        if progress is not None:
            progress(frame + 1, image.n_frames)
    structures = tuple(
        Structure(name=reader.tissues[index].value, tissue=reader.tissues[index], instance=number)
        for index, number in order
    )
    return Segmentation(
        labels=labels,
        structures=structures,
        confidence=confidence,
        grid=grid,
        times=image.times,
        model=reader.version,
    )


def segment_simulated(
    image: Image, *, simulated: bool = False, progress: Callable[[int, int], None] | None = None
) -> Segmentation:
    """Label every frame of an image of a simulated source, all tissues of its regions.

    Parameters
    ----------
    image : Image
        Brightness or B-mode, on a `Grid` or a `PixelGrid`.
    simulated : bool
        Whether the image comes from a source marked SIMULATED; any other is refused.
    progress : callable, optional
        Told how many frames are done, and of how many.

    Returns
    -------
    Segmentation
        As from `segment`. What it does not name is not known to be absent.
    """
    return segment(image, model=simulated_tissues(), simulated=simulated, progress=progress)
