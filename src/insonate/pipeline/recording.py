"""Nouns of a live source to events of a recording and back, and a recording as a source of its own.

A replayed recording gives every frame as it was drawn, every pose and every reading at the time at which it arrived, so that
whoever watches it judges as then. Times of the source's clock are moved onto that of the recording by what lay between the
two when the newest pose or frame arrived; a reading that came late is as late again. Cues are those that were recorded, not
judged anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from insonate.core import (
    Command,
    CoordinateFrame,
    Drawn,
    Event,
    FormatError,
    Grid,
    Image,
    InjectionReading,
    InputError,
    InsonateError,
    NeedlePose,
    NeedleState,
    PixelGrid,
    Pose,
    Quantity,
    StimulationReading,
    Stimulus,
)
from insonate.core.units import Seconds
from insonate.pipeline.commands import commanded, plain
from insonate.pipeline.flow import Flow
from insonate.pipeline.live import Frame, extent
from insonate.pipeline.pace import compression_of
from insonate.record.timeline import Damage, check, scan

FORMAT = 1
"""Of what events hold."""

DAMAGED = "a part of the recording is damaged"
"""Why it is not known whether the tracker was doubted."""

PAUSE: Seconds = 1.0
"""Between the end of a recording and its beginning anew [s]."""

Kept = Frame | Flow | Command | Pose | NeedlePose | StimulationReading | InjectionReading
"""What is kept of a live source."""


def event_of(noun: object) -> tuple[str, dict[str, Any], bytes] | None:
    """Give kind, content and data of the event that keeps a noun.

    Parameters
    ----------
    noun : object
        A frame, command, pose or reading.

    Returns
    -------
    tuple or None
        None for anything else.
    """
    if isinstance(noun, Frame):
        return "frame", _frame_content(noun), np.ascontiguousarray(noun.pixels).tobytes()
    if isinstance(noun, Flow):
        content = {
            "time": noun.time,
            "shape": list(noun.velocities.shape),
            "origin": list(noun.origin),
            "step": list(noun.step),
            "nyquist": noun.nyquist,
        }
        return "flow", content, np.ascontiguousarray(noun.velocities).tobytes()
    if isinstance(noun, get_args(Command)):
        return "command", plain(noun), b""
    if isinstance(noun, Pose):
        content = {
            "rotation": noun.rotation.tolist(),
            "translation": noun.translation.tolist(),
            "source": noun.source.value,
            "target": noun.target.value,
            "time": noun.time,
        }
        return "pose", content, b""
    if isinstance(noun, NeedlePose):
        arrays = {name: getattr(noun, name) for name in ("tip", "direction", "covariance")}
        content = {
            "state": noun.state.value,
            "frame": noun.frame.value,
            "time": noun.time,
            **{name: None if value is None else value.tolist() for name, value in arrays.items()},
        }
        return "needle", content, b""
    if isinstance(noun, StimulationReading):
        stimulus = noun.stimulus
        content = {
            "stimulus": [stimulus.current, stimulus.pulse_width, stimulus.rate],
            "delivered": noun.delivered,
            "muscle": noun.muscle,
            "grade": noun.grade,
            "impedance": noun.impedance,
            "time": noun.time,
        }
        return "stimulation", content, b""
    if isinstance(noun, InjectionReading):
        names = ("rate", "volume", "pressure", "time")
        drawn = None if noun.drawn is None else noun.drawn.value
        return "injection", {name: getattr(noun, name) for name in names} | {"drawn": drawn}, b""
    return None


def _frame_content(frame: Frame) -> dict[str, Any]:
    origin, step, unit = extent(frame.image)
    rows, columns = frame.pixels.shape
    return {
        "number": frame.number,
        "source_time": frame.source_time,
        "made": frame.made,
        "shape": [rows, columns],
        "origin": list(origin),
        "step": list(step),
        "unit": unit,
        "kind": "grid" if isinstance(frame.image.grid, Grid) else "pixels",
    }


def noun_of(
    event: Event, *, shift: Seconds = 0.0
) -> Image | Flow | Command | Pose | NeedlePose | StimulationReading | InjectionReading | None:
    """Give the noun that an event keeps.

    Parameters
    ----------
    event : Event
        Of a recording.
    shift : float
        Added to times of the source's clock [s].

    Returns
    -------
    noun or None
        A frame as the `Image` that was drawn; None for an event of another kind, and a frame whose pixels were left out.

    Raises
    ------
    FormatError
        If its content is not that of its kind.
    """
    try:
        return _noun_of(event.kind, event.content, event.data, shift)
    except (KeyError, TypeError, ValueError, IndexError, InsonateError) as error:
        raise FormatError(f"event {event.sequence}: no {event.kind}: {str(error)[:100]}") from error


def _noun_of(
    kind: str, content: Mapping[str, Any], data: bytes, shift: Seconds
) -> Image | Flow | Command | Pose | NeedlePose | StimulationReading | InjectionReading | None:
    if kind == "frame":
        return _image(content, data, shift) if data else None
    if kind == "flow":
        rows, columns = content["shape"]
        if not data:
            return None
        return Flow(
            velocities=np.frombuffer(data, np.int8).reshape(rows, columns),
            nyquist=content["nyquist"],
            origin=_pair(content["origin"]),
            step=_pair(content["step"]),
            time=content["time"] + shift,
        )
    if kind == "command":
        return commanded([dict(content)])[0]
    if kind == "pose":
        return Pose(
            rotation=np.array(content["rotation"]),
            translation=np.array(content["translation"]),
            source=CoordinateFrame(content["source"]),
            target=CoordinateFrame(content["target"]),
            time=content["time"] + shift,
        )
    if kind == "needle":
        arrays = {name: content[name] for name in ("tip", "direction", "covariance")}
        return NeedlePose(
            state=NeedleState(content["state"]),
            frame=CoordinateFrame(content["frame"]),
            time=content["time"] + shift,
            **{name: None if value is None else np.array(value) for name, value in arrays.items()},
        )
    if kind == "stimulation":
        current, pulse_width, rate = content["stimulus"]
        return StimulationReading(
            stimulus=Stimulus(current=current, pulse_width=pulse_width, rate=rate),
            delivered=content["delivered"],
            muscle=content["muscle"],
            grade=content["grade"],
            impedance=content["impedance"],
            time=content["time"] + shift,
        )
    if kind == "injection":
        return InjectionReading(
            rate=content["rate"],
            volume=content["volume"],
            pressure=content["pressure"],
            time=content["time"] + shift,
            drawn=None if content.get("drawn") is None else Drawn(content["drawn"]),
        )
    return None


def _pair(values: Sequence[float]) -> tuple[float, float]:
    first, second = values
    return float(first), float(second)


def _image(content: Mapping[str, Any], data: bytes, shift: Seconds) -> Image:
    rows, columns = content["shape"]
    (axial, lateral), (row, column) = content["origin"], content["step"]
    pixels = np.frombuffer(data, np.uint8).reshape(rows, columns)
    grid: Grid | PixelGrid
    if content["kind"] == "grid":
        grid = Grid(axial=axial + row * np.arange(rows), lateral=lateral + column * np.arange(columns))
    else:
        spacing = (float(row), float(column)) if content["unit"] == "m" else None
        grid = PixelGrid(rows=rows, columns=columns, spacing=spacing)
    return Image(
        values=(pixels / np.float32(255))[None].astype(np.float32),
        quantity=Quantity.BRIGHTNESS,
        grid=grid,
        times=np.array([content["source_time"] + shift]),
    )


class Recorded:
    """A recording as a live source: what was observed, when it arrived; at its end it begins anew."""

    accepts: frozenset[str] = frozenset()
    whole = True
    """Its frames hold echoes alone: borders were cut off when they were recorded."""
    tick: Seconds = 0.02
    """How far it is advanced at a time [s]."""

    def __init__(self, path: Path) -> None:
        """Read what the recording holds.

        Parameters
        ----------
        path : pathlib.Path
            Of the recording.

        Raises
        ------
        FormatError
            If it is none, or its beginning cannot be read.
        InputError
            If it cannot be read, or holds no frame.
        """
        self.report = check(path)
        """What it holds, and what of it is damaged."""
        begin = self.report.begin
        if begin is None:
            raise FormatError(
                f"{path.name}: the beginning of the recording is damaged: what it is of is not known"
            )
        self._path = path
        self.name = f"recording of {begin.get('source', 'something')}"
        self.simulated = bool(begin.get("simulated", False))
        self.regional = self.simulated and "patient" in str(begin.get("source", ""))
        """Whether it shows a simulated region of the body."""
        self.cues: tuple[Mapping[str, Any], ...] = ()
        """What stood at this moment of the recording, as it was recorded, loudest first."""
        self.doubt = ""
        """Why it is not known at this moment what stood, where a part is damaged; empty where it is."""
        self.compression = 1
        """How many times faster than on the wall time went at this moment."""
        self._turn: Seconds = 0.0
        self._events = self._readable()
        self._next: Event | None = next(self._events, None)
        if self._next is None or not any(event.kind == "frame" for event in self._readable()):
            raise InputError(f"{path.name}: the recording holds no frame")
        self.doubt = ""
        self._shift: Seconds = 0.0

    def _readable(self) -> Iterator[Event]:
        for one in scan(self._path):
            if isinstance(one, Damage):
                self.doubt = DAMAGED
            else:
                yield one

    def advance(self, commands: Sequence[Command], until: Seconds) -> Iterator[Any]:
        """Give what had arrived by then.

        Parameters
        ----------
        commands : sequence of Command
            Ignored: `accepts` is empty.
        until : float
            Since the replay began [s].

        Yields
        ------
        Observation
            In the order of the recording; commands are not given again.
        """
        del commands
        while self._next is not None and self._turn + self._next.time < until:
            event = self._next
            at = self._turn + event.time
            if event.kind in ("frame", "pose"):
                self._shift = at - float(event.content["source_time" if event.kind == "frame" else "time"])
            noun = noun_of(event, shift=self._shift)
            if event.kind == "cues":  # before the next is looked for: damage may lie between
                self.doubt = ""
            self._next = next(self._events, None)
            if event.kind == "cues":
                self.cues = tuple(event.content.get("cues", ()))
            if self._next is None:
                self.cues, self.compression, self.doubt = (), 1, ""
                self._turn += self.report.seconds + PAUSE
                self._events = self._readable()
                self._next = next(self._events, None)
            if isinstance(noun, get_args(Command)):
                self.compression = compression_of((noun,), self.compression)
            elif noun is not None:
                yield noun
