"""A recording as a clip that any player shows: every frame at its time, what was cued in words, and what it is.

A moment is shown by the newest frame that had come by then. Where none came for longer than `GAP` the clip goes dark and
says so: it shows no stillness that nobody saw. Words stand above and below the picture, never on it.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from insonate.core import Event, FormatError, InputError
from insonate.core.checks import check_range
from insonate.core.units import Hertz, Seconds
from insonate.display.caption import captioned
from insonate.display.overlay import NOTICE
from insonate.formats import video
from insonate.pipeline.chain import Report, silent
from insonate.record.timeline import Damage, check, scan

GAP: Seconds = 0.5
"""A picture older than this is not shown as if it were new [s]."""
DARK = 0.35
"""How bright it is then."""


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
    pictures = _pictures(recording, count, frame_rate, (source, kind), report)
    first = next(pictures, None)
    if first is None:
        raise InputError(f"{recording.name}: the recording holds no frame")
    return video.write(out, _all(first, pictures), frame_rate=frame_rate)


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


def _pictures(
    recording: Path, count: int, frame_rate: Hertz, what: tuple[str, str], report: Report
) -> Iterator[np.ndarray]:
    events = scan(recording)
    waiting: Event | Damage | None = next(events, None)
    frame: Event | None = None
    cue = ""
    for index in range(count):
        now = (index + 1) / frame_rate
        while waiting is not None and (isinstance(waiting, Damage) or waiting.time <= now):
            if isinstance(
                waiting, Damage
            ):  # what was cued there is lost: silence after it would say that all is well
                cue = "UNKNOWN: a part of the recording is damaged here"
            elif waiting.kind == "frame" and waiting.data:
                frame = waiting
            elif waiting.kind == "cues":
                cue = _loudest(waiting)
            waiting = next(events, None)
        if frame is not None:
            yield _picture(frame, now, what, cue)
        report(index + 1, count, "writing")


def _loudest(event: Event) -> str:
    """Give the words of the first cue, which is the loudest, by its level."""
    rows = event.content.get("cues") or []
    if not rows or not isinstance(rows[0], dict):
        return ""
    more = f" (+{len(rows) - 1})" if len(rows) > 1 else ""
    return f"{str(rows[0].get('level', '')).upper()}: {rows[0].get('message', '')} {rows[0].get('reason', '')}{more}"


def _picture(event: Event, now: Seconds, what: tuple[str, str], cue: str) -> np.ndarray:
    content, age = event.content, now - event.time
    try:
        rows, columns = content["shape"]
        pixels = np.frombuffer(event.data, np.uint8).reshape(rows, columns)
        shape = (rows * float(content["step"][0]), columns * float(content["step"][1]))
        number = int(content["number"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise FormatError(f"event {event.sequence}: no frame: {str(error)[:100]}") from error
    old = age > GAP
    if old:
        pixels = (pixels * DARK).astype(np.uint8)
    minutes, seconds = divmod(now, 60)
    below = f"{int(minutes)}:{seconds:04.1f}   " + (f"NO FRAME FOR {age:.1f} s" if old else f"frame {number}")
    return captioned(pixels, shape=shape, above=what, below=(below, cue))
