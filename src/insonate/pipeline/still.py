"""A still of the live picture: what is drawn over it with its age, color where there is any, and what it is of in words.

Outlines older than `TOO_OLD`, or of another grid, are left out, and the words below say so. The words that a picture of real
tissue must bear stand above it.
"""

import math
import time
from dataclasses import replace

import numpy as np

from insonate.core import Grid, Image, InputError, PixelGrid, Quantity
from insonate.core.units import Meters, Seconds
from insonate.display.caption import captioned
from insonate.display.drawing import Drawing, Line
from insonate.display.flow_colors import flow_colors
from insonate.display.needle import needle_lines
from insonate.display.overlay import NOTICE
from insonate.display.raster import rasterise
from insonate.pipeline.flow import UNKNOWN, Flow
from insonate.pipeline.live import Frame, Live, extent
from insonate.pipeline.tracking import Track, doubt_in, track_of
from insonate.pipeline.watch import TRACKED_INSIDE

TOO_OLD: Seconds = 3.0
"""Outlines of a picture so much older are those of another [s]."""

COLOR_OLD: Seconds = 0.6
"""Color of shots so much older or newer is of another picture [s]."""

LONG: Seconds = 1e3
"""Since a source has stopped, as far as its needle goes [s]."""

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
    needle = _needle(live)
    if needle is not None and drawing.unit == "m":
        drawing = replace(drawing, lines=(*drawing.lines, *needle[0]))
        words += f"; {needle[1]}"
    over = None
    if flow is not None and abs(frame.made - flow.made) < COLOR_OLD:
        over = laid_over(flow, frame.image)
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


def _needle(live: Live) -> tuple[tuple[Line, ...], str] | None:
    """Give the needle as it is tracked now, and what is known of its tip in words; None where none is inside."""
    watched = None if live.alarm is None else live.alarm.watched
    probe = live.readings.probe
    cues, doubt = getattr(live.source, "cues", ()), getattr(live.source, "doubt", "")
    silent = (
        LONG if live.problem is not None else live.silent_for() or 0.0
    )  # a source that stands has no clock
    now = silent + (0.0 if probe is None else probe.time)
    track = track_of(live.readings, now, watched=watched, doubt=doubt or doubt_in(cues))
    return None if track is None else drawn(track, live.procedure.needle.diameter.value)


def drawn(
    track: Track, diameter: Meters, sides: tuple[Meters, Meters] | None = None
) -> tuple[tuple[Line, ...], str] | None:
    """Draw a needle that is under the skin.

    Parameters
    ----------
    track : Track
        What is known of it.
    diameter : float
        Outer, of its shaft [m].
    sides : (float, float), optional
        Edges of the picture, beyond which nothing is drawn [m].

    Returns
    -------
    tuple or None
        Its lines, and its tip in words; None where it is outside, or was never seen.
    """
    inside = track.tip is not None and track.tip[0] > TRACKED_INSIDE
    if track.tip is None or track.tail is None or track.under_skin is False or not inside:
        return None
    state, tail = track.tip_state, track.tail[:2]
    if sides is not None:
        tail = _within(track.tip[:2], tail, sides)
    lines = needle_lines(track.tip[:2], tail, track.ellipse, diameter=diameter, state=state)
    if sides is not None:
        lines = tuple(one for one in lines if all(sides[0] <= at <= sides[1] for _, at in one.points))
    words = (
        "tip seen" if state == "seen" else f"tip {state}" if state == "off plane" else f"tip unknown, {state}"
    )
    return lines, words


def _within(
    tip: tuple[Meters, Meters], tail: tuple[Meters, Meters], sides: tuple[Meters, Meters]
) -> tuple[Meters, Meters]:
    """Give where a shaft enters the picture, if it does so between its tail and its tip."""
    edge = min(max(tail[1], sides[0]), sides[1])
    if edge == tail[1] or tip[1] == tail[1]:
        return tail
    share = min((edge - tail[1]) / (tip[1] - tail[1]), 1.0)
    inward = math.copysign(1e-3, tip[1] - tail[1])  # so that its rails lie within too
    return tail[0] + share * (tip[0] - tail[0]), edge + inward


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


def laid_over(flow: Flow, image: Image) -> np.ndarray | None:
    """Lay color on the pixels of a picture.

    Parameters
    ----------
    flow : Flow
        What was seen of it.
    image : Image
        One frame.

    Returns
    -------
    numpy.ndarray or None
        (rows, columns, 4) uint8, color and cover; None where the picture is not in meters.
    """
    grid = image.grid
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
