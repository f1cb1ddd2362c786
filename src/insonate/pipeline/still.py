"""A still of the live picture: what is drawn over it with its age, color where there is any, and what it is of in words.

Outlines older than `TOO_OLD`, or of another grid, are left out, and the words below say so. The words that a picture of real
tissue must bear stand above it.
"""

import time
from dataclasses import replace

import numpy as np

from insonate.core import Grid, Image, InputError, PixelGrid, Quantity
from insonate.core.units import Seconds
from insonate.display.caption import captioned
from insonate.display.drawing import Drawing
from insonate.display.flow_colors import flow_colors
from insonate.display.overlay import NOTICE
from insonate.display.raster import rasterise
from insonate.pipeline.flow import UNKNOWN, Flow
from insonate.pipeline.live import Frame, Live, extent

TOO_OLD: Seconds = 3.0
"""Outlines of a picture so much older are those of another [s]."""

COLOR_OLD: Seconds = 0.6
"""Color of shots so much older or newer is of another picture [s]."""

HEIGHT = 720
"""Of the picture without its words [pixels]."""


def still(live: Live) -> np.ndarray:
    """Draw what is shown now.

    Parameters
    ----------
    live : Live
        The source.

    Returns
    -------
    numpy.ndarray
        (height, width, 3) uint8.

    Raises
    ------
    InputError
        If nothing is shown yet.
    """
    frame, seen, flow = live.frame, live.seen, live.flow
    if frame is None:
        raise InputError("there is no picture yet to keep a still of")
    guided = None if seen is None else seen.guided
    age = None if seen is None or guided is None else frame.made - seen.made
    same = guided is not None and guided.scene.image is not None and _alike(guided.scene.image, frame.image)
    drawing = Drawing(unit=extent(frame.image)[2], lines=(), labels=(), title=None, notice=None)
    if guided is None or age is None:
        words = "nothing is labelled"
    elif not same or age > TOO_OLD:
        words = "what was labelled is of another picture, and left out"
    else:
        drawing = _without_words(guided.drawing, inside=_inside(live))
        words = f"outlines {max(age, 0.0):.1f} s older than the picture"
    over = None
    if flow is not None and abs(frame.made - flow.made) < COLOR_OLD:
        over = _over(flow, frame)
        words += f"; color up to {100 * flow.nyquist:.0f} cm/s, red toward the probe; no color is not no flow"
    picture = rasterise(_as_shown(frame), drawing, height=HEIGHT, over=over)
    rows, columns = picture.shape[:2]
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(frame.made))
    state = "held" if live.frozen else "live"
    return captioned(
        picture,
        shape=(float(rows), float(columns)),
        above=(live.source.name, "SIMULATED" if live.source.simulated else NOTICE),
        below=(f"{when}   frame {frame.number}, {state}   {live.procedure.id} {live.procedure.name}", words),
        height=rows,
    )


def _inside(live: Live) -> bool:
    watched = None if live.alarm is None else live.alarm.watched
    return watched is not None and watched.under_skin is not False


def _without_words(drawing: Drawing, *, inside: bool) -> Drawing:
    """Leave out what stands beside the picture, and with a needle inside what is planned afresh in each picture."""
    past = ("path", "clearance", "target") if inside else ()
    return replace(
        drawing,
        lines=tuple(line for line in drawing.lines if line.role not in past),
        labels=tuple(label for label in drawing.labels if label.role not in past),
        title=None,
        notice=None,
    )


def _alike(one: Image, other: Image) -> bool:
    grids = (one.grid, other.grid)
    if not all(isinstance(grid, Grid | PixelGrid) for grid in grids) or one.grid.shape != other.grid.shape:
        return False
    return np.allclose((*one.grid.origin, *one.grid.step), (*other.grid.origin, *other.grid.step))  # type: ignore[union-attr]


def _as_shown(frame: Frame) -> Image:
    """Give the picture with gain and dynamic range, as it is on the screen."""
    return Image(
        values=(frame.pixels / np.float32(255))[np.newaxis].astype(np.float32),
        quantity=Quantity.BRIGHTNESS,
        grid=frame.image.grid,
    )


def _over(flow: Flow, frame: Frame) -> np.ndarray | None:
    """Lay color on the pixels of the picture."""
    grid = frame.image.grid
    if not isinstance(grid, Grid | PixelGrid) or grid.unit != "m":
        return None
    index, inside = [], []
    for axis in (0, 1):
        at = grid.origin[axis] + grid.step[axis] * np.arange(grid.shape[axis])
        near = np.rint((at - flow.origin[axis]) / flow.step[axis]).astype(int)
        inside.append((near >= 0) & (near < flow.velocities.shape[axis]))
        index.append(near.clip(0, flow.velocities.shape[axis] - 1))
    on_grid = flow.velocities[np.ix_(*index)].copy()
    on_grid[~np.logical_and.outer(*inside)] = UNKNOWN
    return flow_colors(on_grid)
