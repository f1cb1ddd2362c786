"""The one examination that this server shows: its source, its procedure, and what is said of it."""

import base64
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
from pydantic import ValidationError

from insonate import __version__
from insonate.app.answer_key import AnswerKey
from insonate.app.cockpit import Cockpit, Deed, can_be_held, track_now
from insonate.app.messages import (
    AnswerKeyNow,
    Carried,
    CarriedLine,
    Color,
    Control,
    CueRow,
    Cues,
    Flow,
    Guidance,
    HazardRow,
    Hello,
    NoFlow,
    PathRow,
    Patient,
    PresetName,
    ProcedureName,
    Replayed,
    TrueStructure,
)
from insonate.app.pilots import Pilots
from insonate.core import (
    Clearance,
    Command,
    HazardSighting,
    Image,
    InputError,
    InsonateError,
    NeedlePath,
    PixelGrid,
    Plan,
    Procedure,
    Readable,
    Segmentation,
)
from insonate.core.units import Meters, Seconds
from insonate.devices.grabber import Grabber
from insonate.display.overlay import clearance_text, length_text
from insonate.display.palette import table, tissue_stroke
from insonate.guidance.procedures import procedure as load
from insonate.guidance.procedures import procedures
from insonate.pipeline import flow as flows
from insonate.pipeline import live as live_of
from insonate.pipeline.appearance import CONTROLS
from insonate.pipeline.catalog import SOURCES
from insonate.pipeline.chain import as_image, with_depth
from insonate.pipeline.commands import plain
from insonate.pipeline.flow import ColorBox
from insonate.pipeline.live import Live, Seen
from insonate.pipeline.patients import Choice, source_of
from insonate.pipeline.playback import Playback
from insonate.pipeline.presets import Presets
from insonate.pipeline.presets import home as presets_home
from insonate.pipeline.reading import open as open_file
from insonate.pipeline.reading import supply_spacing
from insonate.pipeline.recording import FORMAT, Recorded, event_of
from insonate.pipeline.tracking import doubt_in, track_of
from insonate.pipeline.watch import Watched
from insonate.record.timeline import Library, Recorder, home
from insonate.record.timeline.log import SUFFIX

PATIENT = "patient"
"""Name of the source that is chosen in parts, and shown where none is named."""

FIRST_PROCEDURE = "LL01"

GROUND = ("skin", "fat")
"""Tissues of the answer key that are not colored: all else lies in them."""

MOST_TOLD, MOST_TAKEN = 20_000, 100
"""Changes of the cues that stand, and paths, that are remembered for the look back."""

MOST_GIVEN = 200_000
"""Commands that are kept of one examination: hours of them."""

MOST_SIDE = 8192
"""Pixels a side of a picture that is shown live: more than any screen, as many as a browser's textures hold."""


class Examination:
    """Holds the live source; others are put in its place whole."""

    def __init__(
        self,
        procedure: str | None = None,
        *,
        recordings: Path | None = None,
        presets: Path | None = None,
    ) -> None:
        """Begin without a source; `show_patient`, `show_source` or `show_file` gives one."""
        self.library = Library(recordings or home())
        """Where recordings are kept."""
        self.presets = Presets(presets or presets_home())
        """How pictures are formed and shown, by name."""
        self._recorder: Recorder | None = None
        self._given: list[Command] = []
        self._told: list[dict[str, Any]] = []
        self._planned: list[dict[str, Any]] = []
        self._procedure = load(procedure or FIRST_PROCEDURE)
        self._choice: Choice | None = None
        self._of_choice: Live | None = None
        self._noun: Readable | None = None
        self._change = threading.RLock()
        self._box = ColorBox()
        self.revision = self.stream = 0
        self.live: Live | None = None
        self.pilots = Pilots()
        """Who holds the probe."""
        self.key: AnswerKey | None = None
        """What the patient truly is, while somebody practices with it."""
        self.cockpit: Cockpit | None = None
        """The hands over the source; None where it obeys none."""
        self.trouble: str | None = None
        """Why there is no first source, in words."""

    def begin(self, show: Callable[[], None]) -> None:
        """Show the first source; where it cannot be had, `trouble` says why."""
        try:
            show()
        except InsonateError as error:
            self.trouble = str(error)
            self.tell()

    def show_patient(self, choice: Choice | None = None) -> None:
        """Show a simulated patient, which is compiled first where it is not kept from before.

        Parameters
        ----------
        choice : Choice, optional
            Which; the one that was shown last by default.

        Raises
        ------
        InputError
            If there is no such patient; what was shown before goes on.
        """
        wanted = choice or self._choice or Choice()
        live = Live(source=source_of(wanted), procedure=self._procedure)
        with self._change:
            self._choice, self._of_choice = wanted, live
            self._replace(live, None)

    def show_source(self, name: str) -> None:
        """Show another live source, by its name in the catalog.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        if name == PATIENT:
            self.show_patient()
            return
        self._replace(Live(source=SOURCES.get(name)(), procedure=self._procedure), None)

    def show_file(self, path: Path, name: str, spacing: tuple[Meters, Meters] | None = None) -> None:
        """Show the first part of a file.

        Parameters
        ----------
        path : pathlib.Path
            The file.
        name : str
            What it is called on the screen.
        spacing : (float, float), optional
            Where the file does not say [m].

        Raises
        ------
        InputError
            If it cannot be read; what was shown before goes on.
        """
        if path.suffix.lower() == SUFFIX:
            self._replace(Live(source=Recorded(path), procedure=self._procedure), None)
            return
        noun = open_file(path)[0]
        self._show(name, noun if spacing is None else supply_spacing(noun, spacing))

    def show_grabber(self, grabber: Grabber) -> None:
        """Show the screen of a real machine; its frames are put in by the page that grabs them."""
        self._replace(Live(source=grabber, procedure=self._procedure), None)

    def supply_depth(self, depth: Meters) -> None:
        """Give the spacing of the picture shown, from the depth that it shows.

        Parameters
        ----------
        depth : float
            From the top to the bottom of the echoes [m].

        Raises
        ------
        InputError
            If its spacing is known, or no picture is shown.
        """
        with self._change:
            live, noun = self.live, self._noun
        if live is None or not isinstance(noun, Image):
            raise InputError("a depth can only be supplied for a picture or clip of unknown spacing")
        self._show(live.source.name, with_depth(noun, depth))

    def _show(self, name: str, noun: Readable) -> None:
        shown = noun if not isinstance(noun, Image) else as_image(noun)
        if isinstance(shown, Image) and max(shown.grid.shape) > MOST_SIDE:
            rows, columns = shown.grid.shape
            raise InputError(f"a picture may have at most {MOST_SIDE} pixels a side, got {rows} x {columns}")
        self._replace(Live(source=Playback(name, shown), procedure=self._procedure), shown)

    @property
    def _shows_patient(self) -> bool:
        return self.live is not None and self.live is self._of_choice

    def _replace(self, live: Live, noun: Readable | None) -> None:
        with self._change:  # the procedure may have been changed while the file was read
            live.procedure = self._procedure
            self._end_recording()
            self._given, self._told, self._planned = [], [], []
            self._drop_key()
            live.witness = partial(self._witness, live)
            before, self.live, self._noun = self.live, live.start(), noun
            self.cockpit = Cockpit(live, self.pilots) if can_be_held(live) else None
            self.stream += 1
            self.revision += 1
        if before is not None:
            before.stop()

    def stop(self) -> None:
        """End the source, and the recording of it."""
        if self.live is not None:
            self.live.stop()
        self._end_recording()
        self._drop_key()

    # --- what is kept ---

    def _witness(self, live: Live, noun: object) -> None:
        """Take what a live source shows, says and is told; from any of its threads."""
        if live is not self.live:
            return
        if isinstance(noun, get_args(Command)) and len(self._given) < MOST_GIVEN:
            self._given.append(noun)
        rows = _rows(noun) if isinstance(noun, Watched) else []
        if isinstance(noun, Watched) and len(self._told) < MOST_TOLD:
            before = self._told[-1]["cues"] if self._told else []
            if not self._told or [_same(one) for one in rows] != [_same(one) for one in before]:
                self._told.append({"time": max(noun.time, 0.0), "cues": rows})
        recorder = self._recorder
        if recorder is None or not recorder.running:
            return
        event = event_of(noun)
        if event is not None:
            recorder.add(*event)
        elif isinstance(noun, Watched):
            recorder.add("cues", {"time": noun.time, "cues": rows})
        elif isinstance(noun, Seen):
            recorder.add("guidance", guidance(noun).model_dump())

    def keep(self, kind: str, content: dict[str, Any]) -> None:
        """Write down something that was said, where a recording runs."""
        recorder = self._recorder
        if recorder is not None and recorder.running:
            recorder.add(kind, content)

    @property
    def procedure(self) -> Procedure:
        """What is planned."""
        return self._procedure

    def record(self, on: bool) -> None:
        """Begin to record what is shown, or end it.

        Raises
        ------
        InputError
            If nothing is shown yet.
        OutputError
            If it cannot be recorded.
        """
        with self._change:
            if not on or (self._recorder is not None and self._recorder.running):
                if not on:
                    self._end_recording()
                self.revision += 1
                return
            if self.live is None:
                raise InputError("there is nothing to record yet")
            name = self.live.source.name
            chosen = _chosen(self._choice) if self._shows_patient else None
            begin = {
                "format": FORMAT,
                "software": f"insonate {__version__}",
                "source": name,
                "simulated": self.live.source.simulated,
                "procedure": self._procedure.id,
                "patient": None if chosen is None else chosen.model_dump(),
            }
            self._recorder = Recorder(self.library.fresh(name), begin)
            self.revision += 1

    def _end_recording(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.close()

    @property
    def recorded(self) -> float | None:
        """How long it has been recorded [s]; None while it is not."""
        recorder = self._recorder
        return recorder.seconds if recorder is not None and recorder.running else None

    @property
    def recording_trouble(self) -> str | None:
        """Why recording ended by itself, in words."""
        return None if self._recorder is None else self._recorder.trouble

    def show_recording(self, name: str) -> None:
        """Show a recording.

        Raises
        ------
        InputError
            If there is none of that name, or it cannot be read.
        """
        self.show_file(self.library.path(name), name)

    def block(self) -> dict[str, Any]:
        """Give the simulated examination so far as its replay: seed, settings and every command.

        Returns
        -------
        dict
            Plain values, as `insonate simulate` writes them and `insonate debrief` reads them.

        Raises
        ------
        InputError
            If no simulated patient is shown that is held by hand.
        """
        with self._change:
            live, choice, given = self.live, self._choice, list(self._given)
            told, planned = list(self._told), list(self._planned)
            if live is None or choice is None or not self._shows_patient:
                raise InputError(
                    "only an examination of a simulated patient is kept as seed, settings and commands"
                )
            if choice.operator is not None:
                raise InputError("an agent's examination is made anew by `insonate simulate`")
            if len(given) >= MOST_GIVEN:
                raise InputError("this examination is too long to be kept as commands")
        seconds = live.elapsed
        return {
            "simulated": True,
            "region": choice.region,
            "seed": choice.seed,
            "operator": "hand",
            "procedure": self._procedure.id,
            "target": None,
            "seconds": seconds,
            "settings": asdict(choice.settings),
            "commands": [plain(one) for one in given if one.time < seconds],
            # nobody told anything, or too much to be kept: that is not known, and not nothing
            "told": [one for one in told if one["time"] < seconds] if 0 < len(told) < MOST_TOLD else None,
            "planned": [one for one in planned if one["time"] < seconds],
        }

    def take_path(self, path: NeedlePath, time: Seconds) -> None:
        """Remember a path that was taken, for the look back; one in pixels is none.

        Parameters
        ----------
        path : NeedlePath
            In the picture of now.
        time : float
            On the source's clock [s].
        """
        if path.unit == "m" and len(self._planned) < MOST_TAKEN:
            self._planned.append(
                {"time": max(time, 0.0), "entry": list(path.entry), "goal": list(path.target)}
            )

    def set_procedure(self, id: str) -> None:
        """Plan another procedure from now on.

        Raises
        ------
        UnknownNameError
            If there is none of that id.
        """
        chosen = load(id)
        with self._change:
            self._procedure = chosen
            self.revision += 1
            if self.live is not None:
                self.live.set_procedure(chosen)

    def set_control(self, name: str, value: float) -> None:
        """Turn a control of the source.

        Raises
        ------
        InputError
            If there is none of that name, or the value is out of range.
        """
        if self.live is not None:
            self.live.set_control(name, value)
            self.tell()

    def preset(self, deed: str, name: str) -> None:
        """Set all controls of the picture as a preset has them, keep those of now as one, or forget one.

        Parameters
        ----------
        deed : str
            "apply", "save" or "delete".
        name : str
            Of the preset.

        Raises
        ------
        InputError
            If there is none of that name, or it cannot be kept.
        OutputError
            If it cannot be written.
        """
        live = self.live
        if live is None:
            raise InputError("nothing is shown yet")
        if deed == "apply":
            live.set_preset(self.presets.get(name))
        elif deed == "save":
            self.presets.save(name, {one: live.values[one] for one in live.controls})
        else:
            self.presets.delete(name)
        self.tell()

    def set_color(self, wanted: Color, viewer: int) -> None:
        """Look for flow, or no more.

        Raises
        ------
        InputError
            If the source gives no shots for it, or the box is none.
        """
        names = ("left", "right", "top", "bottom", "rate", "steering")
        box = ColorBox(**{name: getattr(wanted, name) for name in names})
        live = self.live
        if live is None:
            raise InputError("nothing is shown yet")
        live.set_color(box if wanted.on else None, f"viewer {viewer}")
        self._box = box
        self.tell()

    @property
    def answers(self) -> bool:
        """Whether what is shown has an answer key: a simulated patient that is held by hand."""
        return self._shows_patient and self._choice is not None and self._choice.operator is None

    def show_key(self, on: bool, viewer: int) -> None:
        """Lay the answer key over the picture, or take it away.

        Raises
        ------
        InputError
            If another is the pilot, or there is none.
        """
        self.pilots.check(viewer)
        with self._change:
            live, choice = self.live, self._choice
            if not on:
                self._drop_key()
            elif live is None or choice is None or not self.answers:
                raise InputError("Only a simulated patient that is held by hand has an answer key.")
            elif len(self._given) >= MOST_GIVEN:
                raise InputError("This examination is too long for its answer key.")
            elif self.key is None or self.key.state == "failed":
                self._drop_key()
                begin = {"seed": choice.seed, "settings": asdict(choice.settings)}
                self.key = AnswerKey(live, begin, partial(_from, self._given), f"viewer {viewer}")
                self._note_key("answer key laid over the picture", f"viewer {viewer}")
            self.revision += 1

    def _drop_key(self) -> None:
        key, self.key = self.key, None
        if key is not None:
            key.stop()
            self._note_key("answer key taken away", key.by)

    def _note_key(self, what: str, who: str) -> None:
        live = self.live
        self.keep("step", {"time": 0.0 if live is None else live.elapsed, "who": who, "what": what})

    def obey(self, deed: Deed, viewer: int) -> None:
        """Move probe or needle, press the syringe, set the stimulator.

        Raises
        ------
        InputError
            If it cannot be done now, or another is the pilot.
        """
        if self.cockpit is None:
            raise InputError("What is shown cannot be moved: it is no simulated patient.")
        self.cockpit.obey(deed, viewer)

    def cues(self) -> Cues | None:
        """Say what stands: what is judged now, or what stood when a recording was made; None where nothing is judged."""
        if self.cockpit is not None:
            return self.cockpit.cues()
        source = None if self.live is None else self.live.source
        if not isinstance(source, Recorded):
            return None
        try:
            return Cues(cues=[CueRow(**row) for row in source.cues])
        except (ValidationError, TypeError):  # of another version
            return None

    def replayed(self) -> Replayed | None:
        """Say where a recording has the needle now; None where no recording is shown."""
        live = self.live
        if live is None or not isinstance(live.source, Recorded):
            return None
        probe = live.readings.probe
        track = track_of(
            live.readings,
            0.0 if probe is None else probe.time,
            doubt=live.source.doubt or doubt_in(live.source.cues),
        )
        diameter = live.procedure.needle.diameter.value
        return Replayed(track=None if track is None else track_now(track, diameter))

    def acknowledge(self, rule: str, about: str, viewer: int) -> None:
        """Note that a viewer took note of a cue.

        Raises
        ------
        InputError
            If there is no such cue.
        """
        if self.cockpit is not None:
            self.cockpit.acknowledge(rule, about, viewer)

    def name_structure(self, place: tuple[Meters, Meters], name: str | None, viewer: int) -> None:
        """Give an outlined structure a name of the procedure, or take its name away.

        Raises
        ------
        InputError
            If nothing is outlined there, or the name does not fit.
        """
        if self.live is None:
            raise InputError("nothing is shown yet")
        self.live.name_structure(place, name, f"viewer {viewer}")
        self.keep("name", {"place": list(place), "name": name, "who": f"viewer {viewer}"})

    def freeze(self, on: bool) -> None:
        """Hold the picture, or let it go on."""
        if self.live is not None:
            self.live.freeze(on)
            self.tell()

    def tell(self) -> None:
        """Have every viewer told anew what is shown and what can be set."""
        with self._change:
            self.revision += 1

    def shown(self) -> tuple[Live | None, Hello]:
        """Give the source and what is said of it, together."""
        with self._change:
            return self.live, self.hello()

    def hello(self) -> Hello:
        """Say what is shown and what can be set."""
        with self._change:
            return self._hello()

    def _hello(self) -> Hello:
        live = self.live
        unknown = (
            isinstance(self._noun, Image)
            and isinstance(self._noun.grid, PixelGrid)
            and self._noun.grid.spacing is None
        )
        names = live.controls if live is not None else ()
        source = None if live is None else live.source
        return Hello(
            software=f"insonate {__version__}",
            stream=self.stream,
            source=live.source.name if live is not None else "none",
            simulated=live.source.simulated if live is not None else False,
            patient=_chosen(self._choice) if self._shows_patient else None,
            spacing_known=not (unknown or (isinstance(source, Grabber) and source.grid.spacing is None)),
            spacing_can_be_supplied=unknown,
            controls=[
                Control(name=name, value=live.values[name] if live else first, low=low, high=high, unit=unit)
                for name, (low, high, first, unit) in CONTROLS.items()
                if name in names
            ],
            center_frequency=None if live is None else live.center_frequency,
            presets=[PresetName(name=one.name, about=one.about, own=one.own) for one in self.presets.all()],
            procedure=self._procedure.id,
            procedures=[
                ProcedureName(id=one.id, name=one.name, review=one.review.value, view=one.view)
                for one in procedures()
            ],
            names=list(
                dict.fromkeys(
                    (*self._procedure.target.structures, *(one.structure for one in self._procedure.hazards))
                )
            ),
            frozen=live.frozen if live is not None else False,
            held=live.held if live is not None else None,
            recording=self.recorded is not None,
            hands=self.cockpit is not None,
            answers=self.answers,
            color=None if live is None or not live.colors else color_of(live.color, self._box),
        )


def _from(given: list[Command], first: int) -> list[Command]:
    """Give commands from the so manyth on, as long as all of them were kept."""
    if len(given) >= MOST_GIVEN:
        raise InputError("this examination has become too long for its answer key")
    return given[first:]


def _chosen(choice: Choice | None) -> Patient | None:
    if choice is None:
        return None
    return Patient(
        region=choice.region,
        seed=choice.seed,
        variant=choice.variant,
        pathologies=list(choice.pathologies),
        window=choice.window,
        operator=choice.operator,
    )


def guidance(seen: Seen) -> Guidance:
    """Say what was made of a frame.

    Parameters
    ----------
    seen : Seen
        From the live source.

    Returns
    -------
    Guidance
        With every hazard, known or not, and the drawing.
    """
    if seen.guided is None:
        return Guidance(
            frame=seen.number,
            made=seen.made,
            procedure="",
            target=None,
            hazards=[],
            paths=[],
            reason=seen.problem or "nothing was recognized",
            next_step="Structures unknown: labelling failed.",
            drawing=None,
        )
    plan, scene = seen.guided.plan, seen.guided.scene
    target = None
    if plan.target is not None and scene.segmentation is not None:
        target = scene.segmentation.structures[plan.target - 1].name
    best = {clearance.structure: clearance for clearance in plan.paths[0].clearances} if plan.paths else {}
    return Guidance(
        frame=seen.number,
        made=seen.made,
        procedure=plan.procedure,
        target=target,
        hazards=[_hazard_row(hazard, best.get(hazard.structure)) for hazard in plan.hazards],
        paths=[
            PathRow(
                rank=path.rank,
                length=length_text(path.length, path.unit),
                angle_deg=round(path.angle * 57.29578, 0),
                nearest=_nearest(path.clearances),
                keeps_margins=path.keeps_margins,
                unknown=list(path.unknown),
                reason=path.reason,
            )
            for path in plan.paths
        ],
        reason=plan.reason,
        next_step=_next_step(plan, seen),
        drawing=seen.guided.drawing.to_json(),
    )


def color_of(box: ColorBox | None, last: ColorBox) -> Color:
    """Say where flow is looked for, or was last."""
    shown = box or last
    names = ("left", "right", "top", "bottom", "rate", "steering")
    return Color(on=box is not None, **{name: getattr(shown, name) for name in names})


def key_now(key: AnswerKey | None) -> AnswerKeyNow:
    """Say what the picture truly shows, as far as it is known.

    Parameters
    ----------
    key : AnswerKey or None
        Of the examination; None while nobody asks.

    Returns
    -------
    AnswerKeyNow
        As the page is told.
    """
    answer = None if key is None else key.answer
    tissues = table()["tissue"]
    return AnswerKeyNow(
        state="off" if key is None else key.state,
        share=0.0 if key is None else round(key.share, 2),
        trouble=None if key is None else key.trouble,
        time=0.0 if answer is None else answer["time"],
        rows=0 if answer is None else answer["rows"],
        columns=0 if answer is None else answer["columns"],
        origin=[0.0, 0.0] if answer is None else answer["origin"],
        step=[0.0, 0.0] if answer is None else answer["step"],
        labels="" if answer is None else answer["labels"],
        structures=[
            TrueStructure(
                name=one["name"],
                color=""
                if one["tissue"] in GROUND
                else tissues.get(one["tissue"], tissues["other"])["color"],
                at=one["at"],
            )
            for one in ([] if answer is None else answer["structures"])
        ],
    )


def flow_now(flow: flows.Flow | None) -> Flow | NoFlow:
    """Say what was seen of flow last.

    Parameters
    ----------
    flow : flow.Flow or None
        From the live source.

    Returns
    -------
    Flow or NoFlow
        As the page is told.
    """
    if flow is None:
        return NoFlow()
    rows, columns = flow.velocities.shape
    colors = table()["flow"]
    return Flow(
        rows=rows,
        columns=columns,
        origin=list(flow.origin),
        step=list(flow.step),
        nyquist=flow.nyquist,
        velocities=base64.b64encode(np.ascontiguousarray(flow.velocities).tobytes()).decode("ascii"),
        made=flow.made,
        toward=list(colors["toward"]),
        away=list(colors["away"]),
    )


def carried_on(carried: live_of.Carried) -> Carried:
    """Say how what was seen has moved since.

    Parameters
    ----------
    carried : live.Carried
        From the live source.

    Returns
    -------
    Carried
        A row for every line of a structure.
    """
    rows = []
    for line, shift in carried.shifts:
        axial, lateral, sure = (None, None, None) if shift is None else shift
        rows.append(CarriedLine(line=line, axial=axial, lateral=lateral, sure=sure))
    return Carried(of=carried.of, frame=carried.number, age=carried.age, lines=rows)


def _hazard_row(hazard: HazardSighting, clearance: Clearance | None) -> HazardRow:
    look = tissue_stroke(hazard.tissue)
    return HazardRow(
        structure=hazard.structure,
        tissue=hazard.tissue.value,
        color=look.color,
        dash=list(look.dash),
        known=hazard.known,
        reason=hazard.reason,
        margin_mm=round(1e3 * hazard.margin, 1),
        clearance=_clearance(clearance, known=hazard.known),
        interval_mm=_interval(clearance) if hazard.known else None,
        keeps_margin=None if clearance is None else clearance.keeps_margin,
    )


def _interval(clearance: Clearance | None) -> list[float] | None:
    if clearance is None or clearance.distance is None or clearance.interval is None or clearance.unit != "m":
        return None
    return [round(1e3 * value, 2) for value in (clearance.distance, *clearance.interval)]


def _clearance(clearance: Clearance | None, *, known: bool) -> str:
    if not known:
        return "unknown"
    return "no path" if clearance is None else clearance_text(clearance)


def _nearest(clearances: tuple[Clearance, ...]) -> str:
    known = [clearance for clearance in clearances if clearance.distance is not None]
    near = min(known, key=lambda clearance: clearance.distance or 0.0, default=None)
    return "clearance unknown" if near is None else f"{clearance_text(near)} to {near.structure}"


def _doubt(target: int, segmentation: Segmentation | None) -> str | None:
    """Say so where the target itself is less sure than the model's threshold."""
    if segmentation is None:
        return None
    mask = segmentation.mask(target, 0)
    sure = float(segmentation.confidence[0][mask].mean()) if mask.any() else 0.0
    if sure >= segmentation.model.confidence_threshold:
        return None
    return f"Look again at the {segmentation.structures[target - 1].name}: sure to {100 * sure:.0f} % only."


def _next_step(plan: Plan, seen: Seen) -> str:
    """Give one sentence: the one thing to do next."""
    guided = seen.guided
    wanted = " or ".join(guided.procedure.target.structures) if guided is not None else "target"
    if plan.target is None:
        return f"Move the probe until the {wanted} is in view."
    if not plan.paths:
        return "No straight path: move the probe, or choose another approach."
    if guided is not None and (doubt := _doubt(plan.target, guided.scene.segmentation)) is not None:
        return doubt
    if plan.unknown:
        return f"Look for the {plan.unknown[0]}: it is unknown where it lies."
    return "Compare the planned path with the picture before anything else."


def _rows(watched: Watched) -> list[dict[str, Any]]:
    return [
        {
            "level": cue.level.value,
            "rule": cue.rule,
            "about": cue.about,
            "message": cue.message,
            "reason": cue.reason,
            "acknowledged_by": cue.acknowledged_by,
        }
        for cue in watched.cues
    ]


def _same(row: Mapping[str, Any]) -> tuple[object, ...]:
    """What must differ for a cue to be another; its reason tells a number anew each time."""
    return row["level"], row["rule"], row["about"], row["acknowledged_by"]
