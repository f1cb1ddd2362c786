"""From what was read to advice: form the image, cut off menus, label, name, plan, draw.

ChannelData ─ delay and sum ─► IQImage ─ envelope, log ─► Image ─ area ─ label ─ name ─► Scene ─ plan ─► Plan ─► Drawing
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from insonate.core.anatomy import Segmentation
from insonate.core.channel_data import ChannelData
from insonate.core.checks import check_range
from insonate.core.errors import InputError, RangeError
from insonate.core.grid import Grid, PixelGrid, PolarGrid
from insonate.core.image import Image, IQImage
from insonate.core.plan import Plan
from insonate.core.procedure import Procedure
from insonate.core.scene import Scene
from insonate.core.stages import Readable
from insonate.core.units import Decibels, Meters
from insonate.display.drawing import Drawing
from insonate.display.overlay import guidance_drawing
from insonate.display.raster import rasterise
from insonate.pipeline.catalog import BEAMFORMERS, IMAGERS, SEGMENTERS

Report = Callable[[int, int, str], None]
"""Told how far long work is: (done, of, what)."""

SHALLOWEST: Meters = 1e-3
"""Nearer to the face is the transmit pulse itself [m]."""

MOST_ROWS = 768
"""Rows of an image formed from channel data: finer than any screen shows them."""

MOST_COLUMNS = 2048
"""Columns of it; a header that claims an array of meters does not fill the memory."""


MOST_SHARES = 9
"""Places between two elements that a live image's columns may take."""


def silent(done: int, of: int, what: str) -> None:
    """Report to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guided:
    """One frame of a picture with all that was made of it."""

    image: Image
    """The whole picture, as read or formed; every frame."""
    whole: Scene
    """The part that holds echoes, every frame, with its structures by tissue."""
    scene: Scene
    """The same of the one frame that was planned on, its structures named where a rule allows."""
    frame: int
    """Index of the frame that was planned on."""
    procedure: Procedure
    """What was planned."""
    plan: Plan
    """Target, hazards, paths."""
    drawing: Drawing
    """What is drawn over the scene's image."""


def grid_of(
    data: ChannelData, *, depth: Meters | None = None, rows: int = MOST_ROWS, by_pitch: bool = False
) -> Grid:
    """Give the grid that channel data fills: the array's width, the recorded depth, square pixels of a quarter wavelength.

    Parameters
    ----------
    data : ChannelData
        Echoes of an array.
    depth : float, optional
        Deepest wanted; what was recorded by default [m].
    rows : int
        At most so many; pixels are larger where they must.
    by_pitch : bool
        Whether pixels grow a little, so that columns lie to the elements alike again and again: then few distances are
        told apart, and delay and sum costs half.

    Returns
    -------
    Grid
        Square pixels.

    Raises
    ------
    InputError
        If nothing deeper than the transmit pulse was recorded.
    """
    acquisition = data.acquisition
    speed, probe = acquisition.sound_speed, acquisition.probe
    first = min(transmit.initial_time for transmit in acquisition.transmits)
    last = first + data.samples.shape[-1] / acquisition.sampling_frequency
    top, bottom = max(first * speed / 2, SHALLOWEST), last * speed / 2
    bottom = bottom if depth is None else min(bottom, max(depth, 2 * top))
    if bottom <= top:
        raise InputError(
            f"channel data must reach deeper than {1e3 * top:.1f} mm, got samples to {1e3 * bottom:.1f} mm"
        )
    x = probe.element_positions[:, 0]
    wide = float(np.ptp(x))
    step = max(speed / probe.center_frequency / 4, (bottom - top) / (rows - 1), wide / (MOST_COLUMNS - 1))
    if by_pitch:
        step = _by_pitch(step, np.diff(x))
    width = max(wide, 8 * step)
    middle = float(x.min() + x.max()) / 2
    n_lateral = int(width / step) + 1
    return Grid(
        axial=top + step * np.arange(int((bottom - top) / step) + 1),
        lateral=middle + step * (np.arange(n_lateral) - (n_lateral - 1) / 2),
    )


def _by_pitch(step: Meters, pitches: np.ndarray) -> Meters:
    """Give the next larger simple share of an even pitch; the step itself where there is none an eighth larger."""
    pitch = float(pitches.mean()) if len(pitches) else 0.0
    if pitch <= 0 or np.ptp(pitches) > 1e-9:
        return step
    shares = {pitch * up / down for down in range(1, MOST_SHARES + 1) for up in range(1, 2 * down + 1)}
    return min((one for one in shares if step <= one <= 1.13 * step), default=step)


def _check_frame(frame: int, n_frames: int) -> None:
    if not 0 <= frame < n_frames:
        raise RangeError(f"frame must lie in 1..{n_frames}, got {frame + 1}")


def one_frame(data: ChannelData, frame: int) -> ChannelData:
    """Give one frame of channel data as channel data of one frame."""
    times = None if data.times is None else data.times[frame : frame + 1]
    return replace(data, samples=data.samples[frame : frame + 1], times=times)


def as_image(
    readable: Readable,
    *,
    dynamic_range: Decibels = 60.0,
    f_number: float = 1.5,
    only_frame: int | None = None,
) -> Image:
    """Form the image of anything that was read.

    Parameters
    ----------
    readable : ChannelData, IQImage or Image
        As read.
    dynamic_range : float
        Of the B-mode image [dB].
    f_number : float
        Depth over active aperture, for channel data [1].
    only_frame : int, optional
        Index of the one frame wanted; all by default.

    Returns
    -------
    Image
        On a `Grid` or `PixelGrid`, ready to be labelled.

    Raises
    ------
    RangeError
        If there is no such frame, or a setting is out of range.
    """
    check_range("dynamic_range", dynamic_range, (10, 120), "dB")
    check_range("f_number", f_number, (0.3, 10), "1")
    n_frames = readable.n_frames
    if only_frame is not None:
        _check_frame(only_frame, n_frames)
        chosen = slice(only_frame, only_frame + 1)
        if isinstance(readable, ChannelData):
            readable = one_frame(readable, only_frame)
        elif isinstance(readable, IQImage):
            times = None if readable.times is None else readable.times[chosen]
            readable = replace(readable, values=readable.values[chosen], times=times)
        else:
            readable = frame_of(readable, only_frame)
    if isinstance(readable, ChannelData):
        readable = BEAMFORMERS.get("delay_and_sum")(readable, grid_of(readable), f_number=f_number)
    if isinstance(readable, IQImage):
        readable = IMAGERS.get("b_mode")(readable, dynamic_range=dynamic_range)
    if not isinstance(readable, Image):
        raise InputError(f"expected channel data, baseband pixels or an image, got {type(readable).__name__}")
    return _converted(readable, readable.grid) if isinstance(readable.grid, PolarGrid) else readable


def frame_of(image: Image, frame: int) -> Image:
    """Give one frame of an image as an image of one frame."""
    chosen = slice(frame, frame + 1)
    return replace(
        image,
        values=image.values[chosen],
        times=None if image.times is None else image.times[chosen],
        poses=None if image.poses is None else image.poses[chosen],
        color=None if image.color is None else image.color[chosen],
    )


def _converted(image: Image, grid: PolarGrid) -> Image:
    from insonate.imaging.b_mode.scan_conversion import scan_convert

    if len(grid.radius) < 2 or len(grid.azimuth) < 2:
        raise InputError(f"a sector needs at least two lines of two samples, got {grid.describe()}")
    # The corners of the sector, and where its arcs reach furthest to the left, right and downward.
    turns = np.array([-np.pi / 2, 0.0, np.pi / 2])
    inside = turns[(turns > grid.azimuth[0]) & (turns < grid.azimuth[-1])]
    azimuth = np.concatenate([grid.azimuth[[0, -1]], inside])
    x = grid.apex[0] + np.outer(grid.radius[[0, -1]], np.sin(azimuth))
    z = grid.apex[2] + np.outer(grid.radius[[0, -1]], np.cos(azimuth))
    top, bottom = max(float(z.min()), 0.0), float(z.max())
    left, right = float(x.min()), float(x.max())
    if bottom <= top:
        raise InputError(f"a sector must reach below the face of the probe, got {1e3 * bottom:.1f} mm")
    fine = (grid.radius[-1] - grid.radius[0]) / (MOST_ROWS - 1)
    step = max(fine, (bottom - top) / (MOST_ROWS - 1), (right - left) / (MOST_COLUMNS - 1))
    flat = Grid(
        axial=top + step * np.arange(int((bottom - top) / step * (1 + 1e-12)) + 1),
        lateral=left + step * np.arange(int((right - left) / step * (1 + 1e-12)) + 1),
    )
    return scan_convert(image, flat)


def cut(image: Image, area: tuple[int, int, int, int]) -> Image:
    """Give the part of an image that holds echoes.

    Parameters
    ----------
    image : Image
        On a `Grid` or `PixelGrid`.
    area : (int, int, int, int)
        First row, first column, rows, columns.

    Returns
    -------
    Image
        On the grid of that part.
    """
    row, column, rows, columns = area
    if area == (0, 0, *image.grid.shape):
        return image
    part = (slice(None), slice(row, row + rows), slice(column, column + columns))
    grid = image.grid
    if isinstance(grid, PixelGrid):
        small: Grid | PixelGrid = grid.cut((row, column), (rows, columns))
    elif isinstance(grid, Grid):
        small = Grid(axial=grid.axial[part[1]], lateral=grid.lateral[part[2]])
    else:
        raise InputError(
            f"an area is cut from a Grid or PixelGrid, got {type(grid).__name__}: convert the scan first"
        )
    color = None if image.color is None else image.color[part]
    return replace(image, values=image.values[part], color=color, grid=small)


def label(
    image: Image,
    *,
    segmenter: str = "nerve_vessel",
    area: tuple[int, int, int, int] | None = None,
    simulated: bool = False,
    report: Report = silent,
) -> Scene:
    """Cut off menus and borders, and label what is left, frame by frame.

    Parameters
    ----------
    image : Image
        On a `Grid` or `PixelGrid`.
    segmenter : str
        A name in `SEGMENTERS`.
    area : (int, int, int, int), optional
        First row, first column, rows and columns that hold echoes, where it is known; looked for by default.
    simulated : bool
        Whether no real tissue is seen: some segmenters read such pictures alone.
    report : callable
        Told how far it is.

    Returns
    -------
    Scene
        The part that holds echoes, with its structures.
    """
    from insonate.analysis.quality.area import echo_area

    area = echo_area(image) if area is None else area
    small = cut(image, area)
    report(0, small.n_frames, "labelling")
    found = SEGMENTERS.get(segmenter)(
        small, simulated=simulated, progress=lambda done, of: report(done, of, "labelling")
    )
    return Scene(image=small, segmentation=found, area=area)


def with_depth(image: Image, depth: Meters) -> Image:
    """Give the spacing of a picture from the depth that its echoes show.

    Parameters
    ----------
    image : Image
        A picture of unknown spacing, menus and borders allowed.
    depth : float
        Depth from the top to the bottom of the part that holds echoes [m].

    Returns
    -------
    Image
        With square pixels.

    Raises
    ------
    InputError
        If the file itself defines the spacing, or the depth is impossible.
    """
    from insonate.analysis.quality.area import echo_area

    check_range("depth", depth, (0.003, 0.4), "m", hint="centimeters or millimeters?")
    rows = echo_area(image)[2]
    return image.with_spacing((depth / rows, depth / rows))


def guide(
    image: Image,
    procedure: Procedure,
    *,
    frame: int | None = None,
    simulated: bool = False,
    report: Report = silent,
) -> Guided:
    """Label an image, name its structures, plan needle paths, and draw.

    Parameters
    ----------
    image : Image
        On a `Grid` or `PixelGrid`; lengths are in pixels where spacing is unknown.
    procedure : Procedure
        What is planned.
    frame : int, optional
        Index of the frame to plan on; by default the one whose target is surest.
    simulated : bool
        Whether no real tissue is seen.
    report : callable
        Told how far it is.

    Returns
    -------
    Guided
        Everything that was made.

    Raises
    ------
    RangeError
        If there is no such frame.
    """
    if frame is not None:
        _check_frame(frame, image.n_frames)
    return guide_scene(label(image, report=report), image, procedure, frame=frame, simulated=simulated)


def guide_scene(
    scene: Scene, image: Image, procedure: Procedure, *, frame: int | None = None, simulated: bool = False
) -> Guided:
    """Name the structures of a labelled scene, plan needle paths, and draw.

    Parameters
    ----------
    scene : Scene
        With image and segmentation, as `label` gives it.
    image : Image
        The whole picture it was cut from.
    procedure : Procedure
        What is planned.
    frame : int, optional
        Index of the frame to plan on; by default the one whose target is surest.
    simulated : bool
        Whether no real tissue is seen.

    Returns
    -------
    Guided
        Everything that was made.
    """
    from insonate.analysis.naming import name_structures
    from insonate.analysis.recognition import recognize
    from insonate.guidance.trajectory import plan

    if scene.image is None or scene.segmentation is None:
        raise InputError("a scene must hold an image and its segmentation to be planned on, got one without")
    chosen = _surest(scene.segmentation, procedure) if frame is None else frame
    named = recognize(name_structures(_only(scene.segmentation, chosen), procedure), procedure)
    image_now = frame_of(scene.image, chosen)
    moment = replace(scene, image=image_now, segmentation=named)
    planned = plan(moment, procedure)
    title = f"{procedure.id} {procedure.name}, {procedure.review.value}"
    drawing = guidance_drawing(
        image_now, named, planned.paths, planned.hazards, title=title, simulated=simulated
    )
    return Guided(
        image=image,
        whole=scene,
        scene=moment,
        frame=chosen,
        procedure=procedure,
        plan=planned,
        drawing=drawing,
    )


def _only(segmentation: Segmentation, frame: int) -> Segmentation:
    """Give one frame, its labels unchanged."""
    chosen = slice(frame, frame + 1)
    return replace(
        segmentation,
        labels=segmentation.labels[chosen],
        confidence=segmentation.confidence[chosen],
        times=None if segmentation.times is None else segmentation.times[chosen],
    )


def _surest(segmentation: Segmentation, procedure: Procedure) -> int:
    """Give the frame in which the confidence summed over the target's tissue is largest; the first where there is none."""
    of_tissue = [
        label
        for label, structure in enumerate(segmentation.structures, start=1)
        if structure.tissue is procedure.target.tissue
    ]
    known = segmentation.known()
    scores = [
        float(
            sum(
                segmentation.confidence[f][(segmentation.labels[f] == label) & known[f]].sum()
                for label in of_tissue
            )
        )
        for f in range(len(segmentation.labels))
    ]
    return int(np.argmax(scores)) if scores else 0


def picture(
    image: Image,
    drawing: Drawing | None = None,
    *,
    frame: int = 0,
    height: int = 700,
    dynamic_range: Decibels = 60.0,
) -> np.ndarray:
    """Give one frame as pixels, with its drawing if there is one.

    Parameters
    ----------
    image : Image
        On a `Grid` or `PixelGrid`.
    drawing : Drawing, optional
        What is drawn over it.
    frame : int
        Index of the frame.
    height : int
        Wanted height [pixels].
    dynamic_range : float
        Decibels shown, for B-mode [dB].

    Returns
    -------
    numpy.ndarray
        (height, width, 3) uint8.
    """
    nothing = Drawing(unit=getattr(image.grid, "unit", "m"), lines=(), labels=(), title=None, notice=None)
    return rasterise(image, drawing or nothing, frame=frame, height=height, dynamic_range=dynamic_range)
