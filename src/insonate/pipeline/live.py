"""A live source kept in time: frames numbered, newest first, labelled and planned beside the stream.

One thread advances the source; one forms the image of the frame before and puts it in place; another labels the newest
frame when it is done with the last, so that seeing never holds up the picture. What is drawn over a frame carries the
number and the time of the frame it was made from: whoever shows it says its age. Gain and dynamic range are obeyed for any
source, depth for one that gives channel data.
"""

import contextlib
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeGuard

import numpy as np

from insonate.core import (
    AdvanceNeedle,
    ChannelData,
    Command,
    Grid,
    Image,
    InputError,
    InsonateError,
    IQImage,
    MoveProbe,
    PixelGrid,
    Quantity,
    SetControl,
    Source,
)
from insonate.core.checks import check_range
from insonate.core.procedure import Procedure
from insonate.core.units import Hertz, Meters, Seconds
from insonate.guidance.evidence import LOOKS
from insonate.guidance.nearness import in_probe_frame
from insonate.guidance.rules import rules
from insonate.imaging.b_mode import Compounding, speckle_reduction
from insonate.imaging.beamforming import receive_band
from insonate.pipeline import pace
from insonate.pipeline.alarm import Alarm
from insonate.pipeline.annotations import Annotations
from insonate.pipeline.appearance import (
    BANDWIDTH,
    CONTROLS,
    FORMED,
    SHOWN,
    TGC,
    WAVES,
    Persistence,
    decibels,
    greys,
)
from insonate.pipeline.catalog import BEAMFORMERS
from insonate.pipeline.chain import Guided, as_image, cut, frame_of, grid_of, guide_scene, label, one_frame
from insonate.pipeline.flow import CONTROL, EVERY, OFTEN, ColorBox, Flow, flow_of
from insonate.pipeline.flow import SELDOM as COLOR_SELDOM
from insonate.pipeline.fluid import Fluid
from insonate.pipeline.giving_way import give_way
from insonate.pipeline.presets import Preset
from insonate.pipeline.readings import Readings
from insonate.pipeline.scheduling import COLOR, COMPOUNDING, DENSITY, LABELLING, Scheduling

LOG = logging.getLogger(__name__)

FEWER = 3
"""Plane waves in the rolling compound, where it is held back."""

ROWS = 392
"""Most rows of a live image formed from channel data: at 40 mm the columns lie at thirds of a usual pitch."""

TICK: Seconds = 0.05
"""How far a source is advanced at a time, where it does not say [s]."""

RESTED: Seconds = 0.4
"""Least rest between two labellings, which rest twice as long as they work, so that two cores keep their frames [s]."""

SELDOM = 3
"""Labellings rest so many times longer where their rate is held back."""

DENSITY_CONTROL = "map_coarse"
"""By which a source is told to leave out density, if it has it: 1, and 0 to take it up again."""

CARRIES: Seconds = 0.15
"""From carrying outlines on to the next time [s]."""

HALVES: Seconds = 1.0
"""Age at which an outline that is carried is believed half as much; a design assumption [s]."""

FADED = 0.25
"""Belief below which it is unknown where an outline lies now."""

REAL_SEGMENTER, SIMULATED_SEGMENTER = "nerve_vessel", "simulated_tissues"
"""Who labels a real source, and who a simulated region of the body: each was fitted on its own kind of picture alone."""

MADE_UP: Seconds = 0.1
"""So much lateness of a source's clock is made up for: what a busy moment takes, and no standstill [s]."""

EARLY: Seconds = 0.02
"""A tick begins so much early at most when a hand waits for it [s]."""

PATIENCE: Seconds = 0.1
"""How long a thread waits for another before it looks whether all has ended [s]."""

TRACKED: Seconds = 0.15
"""A picture is held against what a tracker told within this of it: its latency, and a compound of a few waves [s]."""

MOST_COMMANDS = 64
"""Waiting for a source; of more than these, as from a knob turned while the picture is held, the oldest are dropped."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One picture of the stream."""

    number: int
    """Counts from 1; a gap is a loss."""
    pixels: np.ndarray
    """(rows, columns) uint8, gain and dynamic range applied."""
    image: Image
    """The same before gain, one frame."""
    source_time: Seconds
    """On the source's clock [s]."""
    made: Seconds
    """When it was finished, seconds since 1970 [s]."""
    asked: Seconds | None = None
    """When the earliest input came that this frame is the first to obey, by the page's clock; None if none did [s]."""
    dropped: tuple[str, ...] = ()
    """What was left out when it was made, because the machine was too slow: of `scheduling.ORDER`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What was made of one frame, or why nothing was."""

    number: int
    """Of the frame."""
    made: Seconds
    """When that frame was finished, seconds since 1970 [s]."""
    guided: Guided | None
    """Structures, plan and drawing; None where it failed."""
    problem: str | None = None
    """Why there is nothing, in words."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Carried:
    """Where the outlines of an earlier frame lie in a later one, by both pictures alone.

    It is drawn, and nothing else: distances, plans and cues stay with what was seen and with the time when it was, so that
    carrying an outline on can quiet no cue.
    """

    number: int
    """Of the later frame."""
    of: int
    """Of the frame that was labelled."""
    age: Seconds
    """Between both [s]."""
    shifts: tuple[tuple[int, tuple[float, float, float] | None], ...]
    """For each line of a structure its place in the drawing's list, and how far down and to the right it went in the grid's
    unit, with how far that is believed, 0..1; None where that is unknown."""


@dataclass(eq=False)
class Live:
    """Runs one source; read `frame` and `seen`, or wait for the next."""

    source: Source
    """Commands in, observations out."""
    procedure: Procedure
    """What is planned."""
    values: dict[str, float] = field(
        default_factory=lambda: {name: first for name, (_, _, first, _) in CONTROLS.items()}
    )
    """Of the controls."""
    frame: Frame | None = None
    """The newest."""
    seen: Seen | None = None
    """The newest that was labelled."""
    carried: Carried | None = None
    """How what was seen has moved since; None where that was not looked at."""
    color: ColorBox | None = None
    """Where flow is looked for; None while it is not."""
    flow: Flow | None = None
    """What was seen of it last; None where nothing was."""
    problem: str | None = None
    """Why the source stopped, in words; None while it runs."""
    frozen: bool = False
    """Whether the picture is held."""
    held: int | None = None
    """Number of the frame that was the newest when the picture was held."""
    beamforms: bool = False
    """Whether the source gives channel data, so that depth can be set."""
    center_frequency: Hertz | None = None
    """Of the probe; None where it is not known [Hz]."""
    at_edge: bool = False
    """Whether the last movement was held at the edge of the window."""
    readings: Readings = field(default_factory=Readings)
    """What instruments said last."""
    witness: Callable[[object], None] | None = None
    """Told of every frame, command, reading and of what was seen, as it comes; it must hold up nobody."""

    def __post_init__(self) -> None:
        self._news = threading.Condition()
        self._stopped = threading.Event()
        self._given = threading.Event()  # a command, or the end
        self._commands: deque[Command] = deque(maxlen=MOST_COMMANDS)
        self._now: Seconds = 0.0
        self._pace = self._hurried = 1
        self._compounding = Compounding(WAVES)
        self._persistence = Persistence()
        self._lasting: np.ndarray | None = None
        self._reference: float | None = None
        self._band, self._bands = 1.0, False
        self._area: tuple[int, int, int, int] | None = None
        self._shape: tuple[int, int] | None = None
        self._grid: tuple[object, Grid] | None = None
        self._raw: queue.Queue[tuple[ChannelData | Image, Seconds, Seconds | None]] = queue.Queue(maxsize=1)
        self._ensembles: queue.Queue[tuple[ChannelData, ColorBox]] = queue.Queue(maxsize=1)
        self._recolored: tuple[SetControl, ...] = ()
        self._asked: Seconds | None = None
        self._scheduling = Scheduling()
        self._forming: Seconds = 0.0
        self._shown: Seconds = 0.0
        self._looked: Seconds = -1.0
        self._fluid = Fluid()
        self.annotations = Annotations()
        """Names that people gave."""
        self._named = 0
        """How often a name was given or taken away: what was labelled before is labelled again, be it the same picture."""
        self._handing: Seconds = 0.0
        self._relabel = threading.Event()
        self._threads: list[threading.Thread] = []
        self.alarm: Alarm | None = None
        """Cues about the needle; None where the source can hold none."""
        if "AdvanceNeedle" in self.source.accepts:
            self.alarm = Alarm(self.procedure, self._tell)

    # --- for those who watch ---

    def start(self) -> "Live":
        """Begin; `stop` ends it."""
        for work in (self._produce, self._form, self._look, self._color):
            thread = threading.Thread(target=work, daemon=True, name=f"live-{work.__name__.strip('_')}")
            thread.start()
            self._threads.append(thread)
        return self

    def stop(self) -> None:
        """End, and wait until all threads have."""
        self._stopped.set()
        self._given.set()
        self._relabel.set()
        with self._news:
            self._news.notify_all()
        for thread in self._threads:
            thread.join(timeout=10)

    def wait(self, after: int, timeout: Seconds) -> Frame | None:
        """Give the newest frame once its number exceeds `after`; None if none came in time [s]."""
        with self._news:
            self._news.wait_for(
                lambda: self._stopped.is_set() or (self.frame is not None and self.frame.number > after),
                timeout,
            )
            return self.frame if self.frame is not None and self.frame.number > after else None

    @property
    def elapsed(self) -> Seconds:
        """Time on the source's clock up to which it was told to go [s]."""
        return self._now

    @property
    def controls(self) -> tuple[str, ...]:
        """Names of the controls that do something now."""
        if not self.beamforms:
            return SHOWN
        return (*(name for name in FORMED if name != "frequency" or self._bands), *SHOWN)

    def set_control(self, name: str, value: float) -> None:
        """Set a control.

        Parameters
        ----------
        name : str
            One of `controls`, or one that the source accepts.
        value : float
            In the unit of `CONTROLS`.

        Raises
        ------
        InputError
            If there is no such control now, or the value is out of range.
        """
        if name in self.controls:
            low, high, _, unit = CONTROLS[name]
            check_range(name, value, (low, high), unit)
            if name == "compounding" and value != int(value):
                raise InputError(f"compounding must be a whole number of waves, got {value:g}")
            self.values = self.values | {name: float(value)}
            self._refresh()
        elif name in self.source.accepts and name != pace.CONTROL:  # that is for who waits, see `hurry`
            self.command(SetControl(name=name, value=value, time=self._now, given_by="operator"))
        else:
            usual = [one for one in self.controls if one not in TGC]
            known = ", ".join((*usual, f"{TGC[0]} to {TGC[-1]}", *(self.source.accepts - {pace.CONTROL})))
            raise InputError(f"control must be one of {known}, got {name[:40]!r}")

    def set_preset(self, preset: Preset) -> None:
        """Set every control of how the picture is formed and shown, those that a preset does not name to their first value.

        Parameters
        ----------
        preset : Preset
            Controls that do nothing here are passed over.
        """
        self.values = self.values | {name: preset.value(name) for name in self.controls}
        self._refresh()

    def command(self, command: Command) -> Command:
        """Hand a command to the source, held at the edge of the window where it would leave it.

        Parameters
        ----------
        command : Command
            Its time is when the source gets it, whatever it says.

        Returns
        -------
        Command
            What the source will be told.

        Raises
        ------
        InputError
            If the source does not obey its kind, or cannot obey this one anywhere; it goes on as before.
        """
        control = command.name if isinstance(command, SetControl) else None
        if (control or type(command).__name__) not in self.source.accepts:
            raise InputError(f"{self.source.name} does not obey {control or type(command).__name__}")
        nearest = getattr(self.source, "nearest", None)
        held = command if nearest is None else nearest(command)
        with self._news:
            if isinstance(command, MoveProbe | AdvanceNeedle):
                self.at_edge = held is not command
            self._commands.append(held)
        self._given.set()
        return held

    @property
    def colors(self) -> bool:
        """Whether the source takes ensembles, so that flow can be looked for."""
        return CONTROL in self.source.accepts

    def set_color(self, box: ColorBox | None, by: str) -> None:
        """Look for flow in a box, or no more.

        Parameters
        ----------
        box : ColorBox or None
            Where, and how; None ends it.
        by : str
            Who says so.

        Raises
        ------
        InputError
            If the source takes no ensembles.
        """
        if not self.colors:
            raise InputError(f"{self.source.name} gives no shots in which flow could be seen")
        off = (SetControl(name=CONTROL, value=0.0, time=0.0, given_by=by),)
        with self._news:
            # beside the queue: a box that is dragged while the picture is held pushes no other command out of it
            self._recolored = off if box is None else box.commands(given_by=by)
            if (
                box is None
                or self.color is None
                or (box.rate, box.steering) != (self.color.rate, self.color.steering)
            ):
                self.flow = None  # on another scale it would be another color
            self.color = box
            self._news.notify_all()

    @property
    def compression(self) -> int:
        """How many times faster time goes than on the wall; of a recording, how many times it did."""
        return int(getattr(self.source, "compression", self._pace))

    def hurry(self, on: bool, by: str) -> bool:
        """Let time run faster while there is only to wait, or as it is; see `pace`.

        It runs as it is again by itself once something warns, or the syringe is let go of.

        Parameters
        ----------
        on : bool
            Whether it is to run faster.
        by : str
            Who says so.

        Returns
        -------
        bool
            Whether it will; never while something warns, and never for a source that is not simulated.
        """
        can = pace.CONTROL in self.source.accepts and self.source.simulated and not self.frozen
        warned = self.alarm is not None and pace.warns(self.alarm.cues) is not None
        wanted = pace.FASTER if on and can and not warned else 1
        if can and wanted != self._hurried:  # once, though it is asked for again and again until it is obeyed
            self._hurried = wanted
            self.command(SetControl(name=pace.CONTROL, value=float(wanted), time=self._now, given_by=by))
        return wanted > 1

    def silent_for(self) -> Seconds | None:
        """Give since when no picture was shown, by this machine's clock and not by the source's, which may have stopped too.

        Returns
        -------
        float or None
            None while it is held, ended, or has not shown its first [s].
        """
        with self._news:
            if self.frozen or self.frame is None or self.problem is not None or self._stopped.is_set():
                return None
            return time.monotonic() - self._shown

    def touched(self, at: Seconds) -> None:
        """Take note that a command given before was a hand's, moved then by the page's clock [s since 1970]."""
        with self._news:
            self._asked = at if self._asked is None else min(at, self._asked)

    def set_procedure(self, procedure: Procedure) -> None:
        """Plan another procedure from now on; what was planned before is taken away at once."""
        with self._news:
            self.procedure = procedure
            self.seen = self.carried = None
        if self.alarm is not None:
            self.alarm.begin(procedure)
        self._relabel.set()

    def name_structure(self, place: tuple[Meters, Meters], name: str | None, by: str) -> None:
        """Name the structure that is outlined at a place, from now on; see `annotations.Annotations.name`.

        Parameters
        ----------
        place : (float, float)
            Down and to the right of the middle, in the picture that was labelled last [m].
        name : str or None
            A name of the procedure; None takes the name away.
        by : str
            Who says so.

        Raises
        ------
        InputError
            If nothing is outlined there, or the name does not fit.
        """
        seen = self.seen
        if seen is None or seen.guided is None or seen.guided.scene.segmentation is None:
            raise InputError("no structure is outlined now")
        image = seen.guided.scene.image
        at = 0.0 if image is None or image.times is None else float(image.times[0])
        self.annotations.name(
            seen.guided.scene.segmentation,
            self.procedure,
            place,
            name,
            by=by,
            probe=self.readings.probe_at(at),
            now=at,
        )
        with self._news:
            self._named += 1
        self._relabel.set()

    def freeze(self, on: bool) -> None:
        """Hold the picture, or let it go on; no other is shown once this has returned."""
        with self._news:
            if on and not self.frozen:
                self.held = None if self.frame is None else self.frame.number
            self.frozen = on
            if not on:
                self.held, self._shown = None, time.monotonic()
            self._news.notify_all()

    # --- the picture ---

    def _produce(self) -> None:
        tick = float(getattr(self.source, "tick", TICK))
        asked: Seconds | None = None
        due = time.monotonic()
        while self._going():
            # A tick that began late does not make the next ones late: a little is made up for, a standstill is not.
            began = time.monotonic()
            due = max(due + tick, began + tick - MADE_UP)
            self._handing = 0.0
            since = self._now
            with self._news:  # before the commands: what was noted is among them or was given already
                asked, self._asked = self._asked if asked is None else asked, None
                recolored, self._recolored = self._recolored, ()
            # Given now, whatever they say: with this time they are the replay.
            waiting = [*recolored, *(self._commands.popleft() for _ in range(len(self._commands)))]
            waiting += self._slowed(waiting)
            commands = [replace(command, time=since) for command in waiting]
            self._pace = pace.compression_of(commands, self._pace)
            self._now = until = pace.until(since, tick, self._pace)
            try:
                for command in commands:
                    self._fluid.take(command)
                    self._tell(command)
                if self.alarm is not None:
                    self.alarm.take(commands, ())
                given: Iterable[object] = self.source.advance(commands, until)
                for observation in given:
                    if self.readings.take(observation):
                        self._tell(observation)
                        if self.alarm is not None:
                            self.alarm.take((), (observation,))
                    if isinstance(observation, Flow):  # of a recording
                        self._place_flow(observation, None)
                    elif _of_flow(observation):
                        self._hand_ensemble(observation)
                    elif isinstance(observation, ChannelData | Image):
                        for frame in range(observation.n_frames):
                            self._hand(_only(observation, frame), until, asked)
                            asked = None
                    if self._stopped.is_set() or self.problem is not None:
                        return
                self._judge(until)
            except InsonateError as error:
                self._fail(str(error))
                return
            except Exception as error:  # the page must say that the source broke, not fall silent
                self._fail(f"the source stopped: {type(error).__name__}: {error}")
                return
            self._schedule(time.monotonic() - began - self._handing, tick)
            self._wait_until(due)

    def _wait_until(self, due: Seconds) -> None:
        """Wait for the next tick; a command that comes meanwhile has it begin a little early, the one after as planned."""
        if (left := due - EARLY - time.monotonic()) > 0:
            self._stopped.wait(left)
        self._given.clear()
        if (left := due - time.monotonic()) > 0 and not self._commands and not self._stopped.is_set():
            self._given.wait(left)

    def _slowed(self, commands: Iterable[Command]) -> list[Command]:
        """Give the command that lets time go as it is again, where something warns or the syringe is let go of."""
        if pace.compression_of(commands, self._pace) == 1:
            return []
        why = None if self.alarm is None else pace.warns(self.alarm.cues)
        if why is None and not pace.lets_go(commands):
            return []
        self._hurried = 1
        by = "the hand that let go" if why is None else f"the alarm: {why.rule} {why.about}"
        return [SetControl(name=pace.CONTROL, value=1.0, time=0.0, given_by=by)]

    def _hand(self, observation: ChannelData | Image, until: Seconds, asked: Seconds | None) -> None:
        """Leave one frame to the thread that forms images; wait while it has enough to do."""
        began = time.monotonic()
        while not self._stopped.is_set() and self.problem is None:
            try:
                self._raw.put((observation, until, asked), timeout=PATIENCE)
            except queue.Full:
                continue
            break
        self._handing += time.monotonic() - began

    def _hand_ensemble(self, ensemble: ChannelData) -> None:
        """Leave an ensemble to the thread that sees flow; one that still waits there is too old."""
        box = self.color
        if box is None:
            return
        with contextlib.suppress(queue.Empty):
            self._ensembles.get_nowait()
        with contextlib.suppress(queue.Full):
            self._ensembles.put_nowait((ensemble, box))

    def _color(self) -> None:
        """See flow while pictures are formed: they never wait for it."""
        give_way()
        while not self._stopped.is_set():
            try:
                ensemble, box = self._ensembles.get(timeout=PATIENCE)
            except queue.Empty:
                continue
            try:
                flow = flow_of(ensemble, box)
            except Exception as error:  # the picture goes on without color, and says so by having none
                LOG.error("flow could not be seen", exc_info=error)
                continue
            self._place_flow(flow, box)

    def _place_flow(self, flow: Flow, box: ColorBox | None) -> None:
        """Put it in place, if it is of the box of now; while the picture is held what comes later is none of it."""
        with self._news:
            if self.frozen or box is not self.color:
                return
            self.flow = placed = replace(flow, made=time.time())
        self._tell(placed)

    def _schedule(self, work: Seconds, tick: Seconds) -> None:
        """Leave out or take up again what the machine has no time for, or has."""
        can = [
            *((DENSITY,) if DENSITY_CONTROL in self.source.accepts else ()),
            *((COMPOUNDING,) if self.beamforms else ()),
            *((COLOR,) if self.color is not None and EVERY in self.source.accepts else ()),
            LABELLING,
        ]
        before = self._scheduling.dropped
        if not self._scheduling.took(max(work, self._forming), tick, time.monotonic(), can):
            return
        now = self._scheduling.dropped
        if (DENSITY in now) != (DENSITY in before):
            value = float(DENSITY in now)
            self._commands.append(
                SetControl(name=DENSITY_CONTROL, value=value, time=self._now, given_by="the scheduler")
            )
        if (COLOR in now) != (COLOR in before):
            every = float(COLOR_SELDOM if COLOR in now else OFTEN)
            self._commands.append(
                SetControl(name=EVERY, value=every, time=self._now, given_by="the scheduler")
            )

    def _dropped(self) -> tuple[str, ...]:
        """Tell what is left out now: never the labels, which guide, while a needle is under the skin."""
        unsaid = {LABELLING} if self._fluid.inside else set()
        if self.color is None:
            unsaid.add(COLOR)
        return tuple(one for one in self._scheduling.dropped if one not in unsaid)

    def _fail(self, why: str) -> None:
        """Say why the source stopped, once all that it gave before is shown."""
        while self._raw.unfinished_tasks and self.problem is None and not self._stopped.is_set():
            self._stopped.wait(PATIENCE / 10)
        self.problem = self.problem or why

    def _form(self) -> None:
        """Form and show images while the source goes on: both leave the interpreter to the other while they compute."""
        while not self._stopped.is_set():
            try:
                observation, until, asked = self._raw.get(timeout=PATIENCE)
            except queue.Empty:
                continue
            began = time.monotonic()
            try:
                image = self._formed(observation)
                self._forming = time.monotonic() - began
                self._show(image, until, asked)
                self._look_along(image)
            except InsonateError as error:
                self.problem = str(error)
                return
            except Exception as error:
                self.problem = f"the source stopped: {type(error).__name__}: {error}"
                return
            finally:
                self._raw.task_done()

    def _look_along(self, image: Image) -> None:
        """See whether the picture shows the needle where the tracker has it."""
        if self.alarm is None or image.times is None or image.quantity is not Quantity.B_MODE:
            return
        at = float(image.times[0])
        needle = self.readings.needle_at(at)
        if needle is None or abs(at - self._looked) < LOOKS - 1e-6:
            return
        there = in_probe_frame(needle, self.readings.probe_at(needle.time))
        if there is None or abs(needle.time - at) > TRACKED:
            return
        from insonate.analysis.needle import needle_echo

        self._looked = at
        echo = needle_echo(image, there, half_slice=rules()["needle"]["half_slice"], time=at)
        if echo is not None:
            self.alarm.look(echo)

    def _judge(self, now: Seconds) -> None:
        if self.alarm is not None:
            seen, frame = self.seen, self.frame
            guided = None if seen is None else seen.guided
            self.alarm.judge(guided, None if frame is None else frame.source_time, now)

    def _tell(self, what: object) -> None:
        if self.witness is not None:
            self.witness(what)

    def _going(self) -> bool:
        """Wait while the picture is held; False once stopped."""
        with self._news:
            self._news.wait_for(lambda: not self.frozen or self._stopped.is_set())
        return not self._stopped.is_set()

    def _formed(self, observation: ChannelData | Image) -> Image:
        if isinstance(observation, Image):
            image = as_image(observation)
            if getattr(self.source, "whole", False):
                return image
            if self._area is None or self._shape != image.grid.shape:
                from insonate.analysis.quality.area import echo_area

                self._area, self._shape = echo_area(image), image.grid.shape
            return cut(image, self._area)
        if not self.beamforms:
            self._bands, self.beamforms = _bands(observation), True
        depth = self.values["depth"]
        heard = self._heard(observation)
        key = (
            depth,
            self.values["frequency"],
            observation.acquisition.sampling_frequency,
            observation.samples.shape[-1],
        )
        if self._grid is None or self._grid[0] != key:
            self._grid = (key, grid_of(observation, depth=depth, rows=ROWS, by_pitch=True))
            self._compounding.clear()
            self._persistence.clear()
        fewer = COMPOUNDING in self._scheduling.dropped or self._pace > 1  # lest they lie a second apart
        asked = int(self.values["compounding"])
        self._compounding.keep(min(FEWER, asked) if fewer else asked)
        iq = BEAMFORMERS.get("delay_and_sum")(heard, self._grid[1])
        return self._detected(self._compounding.add(iq), iq)

    def _heard(self, data: ChannelData) -> ChannelData:
        """Give the band of the echoes that is asked for; all of it where that is the probe's own."""
        share, own = self.values["frequency"], data.acquisition.probe.center_frequency
        if share != self._band:  # what was loud in another band says nothing of this one
            self._band, self._reference = share, None
        self.center_frequency = own
        return data if share == 1 else receive_band(data, share * own, BANDWIDTH * own)

    def _detected(self, strength: np.ndarray, iq: IQImage) -> Image:
        loud = float(np.quantile(strength[::4, ::4], 0.999))
        # 0 dB follows the echoes slowly, so that brightness does not jump when a bright layer comes and goes.
        self._reference = loud if self._reference is None else 0.95 * self._reference + 0.05 * loud
        floor = CONTROLS["dynamic_range"][1] + CONTROLS["gain"][1]
        values = 20 * np.log10(np.maximum(strength / max(self._reference, 1e-30), 10 ** (-floor / 20)))
        values = np.minimum(speckle_reduction(values), 0)
        return Image(
            values=values[None].astype(np.float32),
            quantity=Quantity.B_MODE,
            grid=iq.grid,
            times=iq.times,
        )

    def _show(self, image: Image, until: Seconds, asked: Seconds | None = None) -> None:
        """Put an image in place as the newest; one that was on its way when the picture was held waits."""
        source_time = until if image.times is None else float(image.times[0])
        with self._news:
            self._news.wait_for(lambda: not self.frozen or self._stopped.is_set())
            if self._stopped.is_set():
                return
            number = 1 if self.frame is None else self.frame.number + 1
            self._lasting = self._persistence.add(decibels(image), self.values["persistence"])
            self.frame = Frame(
                number=number,
                pixels=greys(self._lasting, self.values),
                image=image,
                source_time=source_time,
                made=time.time(),
                asked=asked,
                dropped=self._dropped(),
            )
            self._shown = time.monotonic()
            self._news.notify_all()
            self._tell(self.frame)

    def _refresh(self) -> None:
        """Show a held picture again with the controls of now."""
        with self._news:
            if self.frozen and self.frame is not None and self._lasting is not None:
                self.frame = replace(
                    self.frame,
                    number=self.frame.number + 1,
                    pixels=greys(self._lasting, self.values),
                    asked=None,
                )
                self._tell(self.frame)
                self._news.notify_all()

    # --- what is seen in it ---

    def _look(self) -> None:
        """Label the newest frame again and again; pictures never wait for it."""
        give_way()
        labelled: Image | None = None
        named = 0
        while not self._stopped.is_set():
            with self._news:  # together, so that nothing of one procedure is kept for another
                frame, procedure, seen = self.frame, self.procedure, self.seen
                known = (
                    seen is not None
                    and frame is not None
                    and named == self._named
                    and _same(frame.image, labelled)
                )
                names = self._named
                if known and seen is not None and frame is not None and seen.number != frame.number:
                    self.seen = replace(seen, number=frame.number, made=frame.made)
                    self._news.notify_all()
            if frame is None or known:
                self._relabel.wait(0.1)
                self._relabel.clear()
                continue
            began = time.thread_time()  # waiting for a core is no work
            seen = self._seen(frame, procedure)
            worked = time.thread_time() - began
            with self._news:
                fits = procedure is self.procedure
                if fits:
                    self.seen, self.carried, labelled, named = seen, None, frame.image, names
                    self._news.notify_all()
            if fits:
                self._tell(seen)
            rests = SELDOM if LABELLING in self._dropped() else 1
            self._rest(
                time.monotonic() + rests * max(RESTED, (1 if self._fluid.inside else 2) * worked),
                seen,
            )

    def _rest(self, until: Seconds, seen: Seen) -> None:
        """Label nothing until then; carry what was seen with the pictures that come meanwhile."""
        while (left := until - time.monotonic()) > 0 and not self._stopped.wait(min(left, CARRIES)):
            with self._news:
                frame, fits = self.frame, self.seen is seen
            if not fits or frame is None or left <= CARRIES:
                continue
            found = carry(seen, frame)
            with self._news:
                if self.seen is seen and found is not None:
                    self.carried = found
                    self._news.notify_all()

    def _segmenter(self) -> str:
        """Name who labels this source; a simulated one that shows no region of the body is strange to both."""
        regional = self.source.simulated and getattr(self.source, "regional", False)
        return SIMULATED_SEGMENTER if regional else REAL_SEGMENTER

    def _seen(self, frame: Frame, procedure: Procedure) -> Seen:
        image = frame.image
        if (
            image.quantity is Quantity.B_MODE
        ):  # the network sees what the operator's machine shows at its usual settings
            image = replace(image, values=np.maximum(image.values, -60.0))
        try:
            scene = label(
                image,
                segmenter=self._segmenter(),
                area=(0, 0, *image.grid.shape),
                simulated=self.source.simulated,
            )
            scene = self._fluid.apart(scene, frame.source_time, self.readings)
            if scene.segmentation is not None:
                probe = self.readings.probe_at(frame.source_time)
                named = self.annotations.applied(scene.segmentation, probe, frame.source_time)
                scene = replace(scene, segmentation=named)
            guided = guide_scene(scene, image, procedure, frame=0, simulated=self.source.simulated)
            return Seen(number=frame.number, made=frame.made, guided=guided)
        except Exception as error:  # whatever fails here, the page says that nothing is known
            return Seen(
                number=frame.number, made=frame.made, guided=None, problem=f"{type(error).__name__}: {error}"
            )


def carry(seen: Seen, frame: Frame) -> Carried | None:
    """Carry the outlines of what was seen to a later frame.

    Parameters
    ----------
    seen : Seen
        What was labelled.
    frame : Frame
        Of the same source, later.

    Returns
    -------
    Carried or None
        None where nothing was seen, or the later frame lies on another grid: then nothing is carried.
    """
    from insonate.analysis.segmentation.carrying import carried

    if seen.guided is None or seen.guided.scene.image is None or frame.number <= seen.number:
        return None
    then = seen.guided.scene.image
    if not (then.grid is frame.image.grid or _same_pixels(then.grid, frame.image.grid)):
        return None
    origin, step, _ = extent(then)
    numbers, boxes = [], []
    for number, line in enumerate(seen.guided.drawing.lines):
        if line.role == "structure":
            at = (np.array(line.points) - origin) / step
            numbers.append(number)
            boxes.append((*at.min(axis=0), *at.max(axis=0)))
    age = max(frame.made - seen.made, 0.0)
    now = frame.image.values[0]
    if then.quantity is Quantity.B_MODE:
        now = np.maximum(now, -60.0)
    shifts = []
    for one in carried(then.values[0], now, boxes):
        believed = 0.0 if one is None else one.likeness * 0.5 ** (age / HALVES)
        known = one is not None and believed >= FADED
        shifts.append(
            (one.rows * step[0], one.columns * step[1], believed) if one is not None and known else None
        )
    return Carried(
        number=frame.number, of=seen.number, age=age, shifts=tuple(zip(numbers, shifts, strict=True))
    )


def _bands(data: ChannelData) -> bool:
    """Whether every band that can be asked for is among the frequencies that the samples hold."""
    low, high, _, _ = CONTROLS["frequency"]
    acquisition = data.acquisition
    own, carrier = acquisition.probe.center_frequency, acquisition.demodulation_frequency
    return all(abs(share * own - carrier) < acquisition.sampling_frequency / 2 for share in (low, high))


def _of_flow(observation: object) -> TypeGuard[ChannelData]:
    """Whether it is an ensemble for color Doppler, and no picture."""
    return isinstance(observation, ChannelData) and observation.is_ensemble


def _only(observation: ChannelData | Image, frame: int) -> ChannelData | Image:
    return (
        one_frame(observation, frame)
        if isinstance(observation, ChannelData)
        else frame_of(observation, frame)
    )


def _same(image: Image, other: Image | None) -> bool:
    """Whether two pictures lie in the same place and are equal, as those of a still picture shown again are."""
    if other is None or not (image.grid is other.grid or _same_pixels(image.grid, other.grid)):
        return False
    return image.values is other.values or np.array_equal(image.values, other.values)


def _same_pixels(grid: object, other: object) -> bool:
    return isinstance(grid, PixelGrid) and grid == other


def extent(image: Image) -> tuple[tuple[float, float], tuple[float, float], str]:
    """Give origin, step and unit of an image's grid.

    Parameters
    ----------
    image : Image
        On a `Grid` or `PixelGrid`.

    Returns
    -------
    tuple
        ((axial, lateral), (row step, column step), "m" or "px").
    """
    grid = image.grid
    if not isinstance(grid, Grid | PixelGrid):
        raise InputError(f"a live image needs a Grid or PixelGrid, got {type(grid).__name__}")
    return grid.origin, grid.step, grid.unit
