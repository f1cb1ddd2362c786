"""A recording as a clip that any player shows: every frame at its time, needle and color on it, what was cued in words.

A moment is shown by the newest frame that had come by then. Where none came for longer than `GAP` the clip goes dark and
says so: it shows no stillness that nobody saw. Words stand above and below the picture, never on it. The needle is drawn as
it was tracked, and as lost or doubted where it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np

from insonate.core import Command, Event, FormatError, Grid, Image, InputError, UnknownNameError
from insonate.core.checks import check_range
from insonate.core.units import Hertz, Meters, Seconds
from insonate.display.caption import captioned
from insonate.display.drawing import Drawing, Line
from insonate.display.overlay import NOTICE
from insonate.display.raster import rasterise
from insonate.formats import video
from insonate.guidance.procedures import procedure
from insonate.pipeline.chain import Report, silent
from insonate.pipeline.flow import Flow
from insonate.pipeline.pace import compression_of
from insonate.pipeline.readings import Readings
from insonate.pipeline.recording import DAMAGED, noun_of
from insonate.pipeline.still import COLOR_OLD, drawn, laid_over
from insonate.pipeline.tracking import doubt_in, track_of
from insonate.record.timeline import Damage, check, scan

GAP: Seconds = 0.5
"""A picture older than this is not shown as if it were new [s]."""
DARK = 0.35
"""How bright it is then."""
HEIGHT = 480
"""Of the picture without its words [pixels]."""


def write_clip(recording: Path, out: Path, *, frame_rate: Hertz = 20.0, report: Report = silent) -> int:
    """Write a recording as a clip.

    Parameters
    ----------
    recording : pathlib.Path
        Of the recording.
    out : pathlib.Path
        Ends in `.mp4`; whole or not at all.
    frame_rate : float
        Of the clip [Hz].
    report : callable
        Told how far it is.

    Returns
    -------
    int
        Pictures written.

    Raises
    ------
    FormatError
        If it is no recording, or its beginning is damaged.
    InputError
        If it holds no frame, or the name does not end in `.mp4`.
    """
    check_range("frame_rate", frame_rate, (1, 60), "Hz")
    held = check(recording)
    if held.begin is None:
        raise FormatError(
            f"{recording.name}: the beginning of the recording is damaged: what it is of is not known"
        )
    kind = "SIMULATED" if held.begin.get("simulated", False) else NOTICE
    source = str(held.begin.get("source", "source unknown"))
    count = max(int(held.seconds * frame_rate), 1)
    diameter = _diameter(str(held.begin.get("procedure", "")))
    pictures = _pictures(recording, count, frame_rate, (source, kind), diameter, report)
    first = next(pictures, None)
    if first is None:
        raise InputError(f"{recording.name}: the recording holds no frame")
    return video.write(out, _all(first, pictures), frame_rate=frame_rate)


def _diameter(id: str) -> Meters:
    """Give how thick the procedure's needle is; 0 where the procedure is not known."""
    try:
        return procedure(id).needle.diameter.value
    except UnknownNameError:
        return 0.0


def _all(first: np.ndarray, rest: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Give pictures of one size: a depth that was changed changes it, and the first one's is kept."""
    yield first
    for one in rest:
        if one.shape == first.shape:
            yield one
            continue
        fitted = np.full_like(first, 12)
        rows, columns = (min(a, b) for a, b in zip(one.shape, first.shape, strict=True))
        fitted[:rows, :columns] = one[:rows, :columns]
        yield fitted


@dataclass(slots=True, kw_only=True)
class _Moment:
    """What had come by a moment of the recording."""

    diameter: Meters
    readings: Readings = field(default_factory=Readings)
    frame: Event | None = None
    flow: tuple[Flow, Seconds] | None = None
    cues: tuple[dict[str, Any], ...] = ()
    compression: int = 1
    lost: bool = False

    def take(self, event: Event | Damage) -> None:
        """Take what came next."""
        if isinstance(event, Damage):
            # what was cued there is lost: silence after it would say that all is well
            self.lost, self.cues = True, ()
            return
        if event.kind == "frame":
            self.frame = event if event.data else self.frame
            return
        if event.kind == "cues":
            rows = event.content.get("cues") or []
            self.cues, self.lost = tuple(one for one in rows if isinstance(one, dict)), False
            return
        noun = _noun(event) if event.kind in ("pose", "needle", "flow", "command") else None
        if isinstance(noun, Flow):
            self.flow = (noun, event.time)
        elif isinstance(noun, get_args(Command)):
            self.compression = compression_of((noun,), self.compression)
        elif noun is not None:
            self.readings.take(noun)

    def needle(self, sides: tuple[Meters, Meters]) -> tuple[tuple[Line, ...], str] | None:
        """Draw the needle as it was tracked; None where none was inside."""
        probe = self.readings.probe
        now = 0.0 if probe is None else probe.time
        # where cues were lost nobody knows whether the tracker was doubted
        track = track_of(self.readings, now, doubt=DAMAGED if self.lost else doubt_in(self.cues))
        return None if track is None else drawn(track, self.diameter, sides)

    def words(self) -> str:
        """Give the words of the loudest cue."""
        return "UNKNOWN: a part of the recording is damaged here" if self.lost else _loudest(self.cues)


def _pictures(
    recording: Path,
    count: int,
    frame_rate: Hertz,
    what: tuple[str, str],
    diameter: Meters,
    report: Report,
) -> Iterator[np.ndarray]:
    events = scan(recording)
    waiting: Event | Damage | None = next(events, None)
    moment = _Moment(diameter=diameter)
    for index in range(count):
        now = (index + 1) / frame_rate
        while waiting is not None and (isinstance(waiting, Damage) or waiting.time <= now):
            moment.take(waiting)
            waiting = next(events, None)
        if moment.frame is not None:
            yield _picture(moment, moment.frame, now, what)
        report(index + 1, count, "writing")


def _loudest(rows: Sequence[Mapping[str, Any]]) -> str:
    """Give the words of the first cue, which is the loudest, by its level."""
    if not rows:
        return ""
    more = f" (+{len(rows) - 1})" if len(rows) > 1 else ""
    return f"{str(rows[0].get('level', '')).upper()}: {rows[0].get('message', '')} {rows[0].get('reason', '')}{more}"


def _picture(moment: _Moment, event: Event, now: Seconds, what: tuple[str, str]) -> np.ndarray:
    content, age = event.content, now - event.time
    try:
        rows, columns = content["shape"]
        pixels = np.frombuffer(event.data, np.uint8).reshape(rows, columns)
        shape = (rows * float(content["step"][0]), columns * float(content["step"][1]))
        number = int(content["number"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise FormatError(f"event {event.sequence}: no frame: {str(error)[:100]}") from error
    old = age > GAP
    minutes, seconds = divmod(now, 60)
    words = f"{int(minutes)}:{seconds:04.1f}   " + (f"NO FRAME FOR {age:.1f} s" if old else f"frame {number}")
    if moment.compression > 1:
        words += f"   time x{moment.compression}"
    shown = np.repeat(pixels[..., np.newaxis], 3, axis=-1)
    if old:
        shown = (shown * DARK).astype(np.uint8)
    elif content.get("kind") == "grid":
        shown, more = _drawn_over(moment, event, now, shown)
        words += more
    return captioned(shown, shape=shape, above=what, below=(words, moment.words()), height=HEIGHT)


def _noun(event: Event) -> object:
    """Give the noun of an event; None where it cannot be read: the needle is lost then, and no color is shown."""
    try:
        return noun_of(event)
    except FormatError:
        return None


def _drawn_over(moment: _Moment, event: Event, now: Seconds, plain: np.ndarray) -> tuple[np.ndarray, str]:
    """Draw needle and color on a frame, as far as they belong to it; the frame as it is where there is neither."""
    image = _noun(event)
    if not isinstance(image, Image) or not isinstance(image.grid, Grid):
        return plain, ""
    lateral = image.grid.lateral
    needle = moment.needle((float(lateral[0]), float(lateral[-1])))
    fresh = moment.flow is not None and now - moment.flow[1] < COLOR_OLD
    over = laid_over(moment.flow[0], image) if moment.flow is not None and fresh else None
    if needle is None and over is None:
        return plain, ""
    lines = () if needle is None else needle[0]
    drawing = Drawing(unit="m", lines=lines, labels=(), title=None, notice=None)
    words = "" if needle is None else f"   {needle[1]}"
    if moment.flow is not None and over is not None:
        words += f"   color to {100 * moment.flow[0].nyquist:.0f} cm/s, red toward the probe"
    return rasterise(image, drawing, height=HEIGHT, over=over), words
