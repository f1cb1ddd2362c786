"""What the server and the page say to each other: one typed, versioned schema for both ends.

The page's types are generated from these models (`web/messages.py`). Pictures travel as binary frames (`FRAME`), all else as
JSON. Lengths are in meters, or pixels where spacing is unknown, as `unit` says; times are seconds since 1970.
"""

import struct
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from insonate.pipeline.live import Frame, extent
from insonate.pipeline.scheduling import COLOR, COMPOUNDING, DENSITY, LABELLING

VERSION = 1

FRAME = struct.Struct("<4sHHIIHHIdddddd")
"""magic "INSO", version, flags (1: simulated, 2: meters, `HELD_BACK`), number, lost, rows, columns, waited, source time [s],
made [s], axial and lateral of the first pixel, step between rows and between columns; then rows x columns grey bytes.
`waited`: from the earliest input that this frame is the first to obey until it was made [ms], plus one; 0: there is none."""

MAGIC = b"INSO"
SIMULATED, METERS = 1, 2
HELD_BACK = {DENSITY: 4, COMPOUNDING: 8, LABELLING: 16, COLOR: 32}
"""Flags of what was left out of a frame, because the machine was too slow."""


class Message(BaseModel):
    """Anything said: no key but those named, no number that is none."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Control(Message):
    """One control of the machine."""

    name: str
    value: float
    low: float
    high: float
    unit: str


class PresetName(Message):
    """One preset of how a picture is formed and shown."""

    name: str
    about: str
    own: bool
    """Whether it is the user's own, and can be deleted."""


class Preset(Message):
    """Set all controls of the picture as a preset has them, keep those of now as one, or forget one."""

    type: Literal["preset"] = "preset"
    deed: Literal["apply", "save", "delete"]
    name: str


class ProcedureName(Message):
    """One procedure of the catalog."""

    id: str
    name: str
    review: str
    view: str


class Patient(Message):
    """One simulated patient, and who examines it: no operator is a hand at the page."""

    region: Annotated[str, Field(max_length=80)] = "femoral_crease"
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 7
    variant: Annotated[str, Field(max_length=80)] = "usual"
    pathologies: Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=20)] = []
    window: Annotated[str, Field(max_length=80)] | None = None
    operator: Annotated[str, Field(max_length=80)] | None = None


class RegionName(Message):
    """One region of the simulated patient, with what can be chosen in it."""

    region: str
    windows: list[str]
    variants: list[str]
    pathologies: list[str]


class Color(Message):
    """Where flow is looked for [m], with how many shots a second [Hz] and at which angle [rad]; from either end."""

    type: Literal["color"] = "color"
    on: bool
    left: float
    right: float
    top: float
    bottom: float
    rate: float
    steering: float


class AnswerKey(Message):
    """Lay the answer key of a simulated patient over the picture, or take it away."""

    type: Literal["answer"] = "answer"
    on: bool


class Flow(Message):
    """What was seen of flow last, a signed byte a pixel."""

    type: Literal["flow"] = "flow"
    rows: int
    columns: int
    origin: list[float]
    """Axial and lateral of the first pixel [m]."""
    step: list[float]
    nyquist: float
    """127 stands for it, toward the probe; -128 is unknown [m/s]."""
    velocities: str
    """Base64 of rows x columns bytes."""
    made: float
    toward: list[str]
    """Colors of flow toward the probe, slow and as fast as can be told."""
    away: list[str]


class NoFlow(Message):
    """What was seen of flow is true no more: it is looked for elsewhere, or not at all."""

    type: Literal["no_flow"] = "no_flow"


class Hello(Message):
    """First word of the server, and again when source, controls or procedure change."""

    type: Literal["hello"] = "hello"
    version: int = VERSION
    software: str
    stream: int
    """Counts the sources shown; the numbers of frames start anew with each."""
    source: str
    simulated: bool
    patient: Patient | None
    """Which simulated patient is shown; None where it is something else."""
    spacing_known: bool
    spacing_can_be_supplied: bool
    controls: list[Control]
    center_frequency: float | None
    """Of the probe; None where it is not known [Hz]."""
    presets: list[PresetName]
    procedure: str
    procedures: list[ProcedureName]
    names: list[str]
    """What the procedure calls its target and its hazards: a structure can be called so by a click."""
    frozen: bool
    held: int | None
    """Number of the frame that is held; until the page has drawn it, it shows one that came before, and does not say that
    the picture is frozen."""
    recording: bool
    """Whether what is shown is being recorded."""
    hands: bool
    """Whether the source obeys probe, needle, syringe and stimulator."""
    answers: bool
    """Whether an answer key can be laid over it: it is a simulated patient, held by hand."""
    color: Color | None
    """Where flow is looked for; None where the source gives no shots for it."""


class HazardRow(Message):
    """One hazard: known where it lies or not, and how near the best path comes."""

    structure: str
    tissue: str
    color: str
    dash: list[float]
    known: bool
    reason: str
    margin_mm: float
    clearance: str
    interval_mm: list[float] | None
    """Distance, and both ends of its 95 % interval; None where it is not known in millimeters."""
    keeps_margin: bool | None


class PathRow(Message):
    """One planned path, in words and numbers."""

    rank: int
    length: str
    angle_deg: float
    nearest: str
    keeps_margins: bool | None
    unknown: list[str]
    reason: str


class Guidance(Message):
    """What was made of one frame: structures and paths to draw, hazards, what to do next."""

    type: Literal["guidance"] = "guidance"
    frame: int
    made: float
    procedure: str
    target: str | None
    hazards: list[HazardRow]
    paths: list[PathRow]
    reason: str
    next_step: str
    drawing: dict[str, Any] | None


class Confirmed(Message):
    """The picture has not changed since it was labelled: what was made of it holds for this later frame too."""

    type: Literal["confirmed"] = "confirmed"
    frame: int
    made: float


class CarriedLine(Message):
    """How far one line of the drawing has moved since, down and to the right in the drawing's unit."""

    line: int
    """Its place in the drawing's list."""
    axial: float | None
    """None where it is unknown where it lies now."""
    lateral: float | None
    sure: float | None
    """How far that is believed, 0..1: less with every second."""


class Carried(Message):
    """Where the outlines of guidance lie in a later frame, by both pictures: drawn, and used for nothing else."""

    type: Literal["carried"] = "carried"
    of: int
    """The frame that the guidance was made of."""
    frame: int
    age: float
    lines: list[CarriedLine]


class Status(Message):
    """How the stream is."""

    type: Literal["status"] = "status"
    offered_hz: float
    lost: int
    watching: int
    problem: str | None
    at_edge: bool
    """Whether the last movement was held at the edge of the window."""
    compression: int
    """How many times faster time goes than on the wall, or went where this is a recording."""
    recorded: float | None
    """How long it has been recorded [s]; None while it is not."""
    recording_trouble: str | None
    """Why recording ended by itself."""


class StageRow(Message):
    """One stage of the thread."""

    id: str
    state: Literal["done", "now", "later"]


class ThreadNow(Message):
    """Where the examination is in its thread, and the one thing to do next."""

    type: Literal["thread"] = "thread"
    stages: list[StageRow]
    part: str | None
    """Of the stage that is performed."""
    do: str
    """What to do; key caps in braces."""
    why: str
    hand: str | None
    """"probe" or "needle", where one is needed."""
    ready: bool
    """Whether the stage can be left without a reason."""
    goal: list[float] | None
    """Where the tip should come to rest by the path that was taken, down and to the right [m]; None where not known."""
    entry: list[float] | None
    """Where that path passes the skin [m]."""
    report: Literal["none", "making", "ready", "failed"]
    share: float
    """Of the report that is made, 0..1."""


class ReportFinding(Message):
    """One thing to do better."""

    severity: str
    sentence: str
    time_s: float | None


class ReportFact(Message):
    """One number of a report, in words."""

    name: str
    value: str
    """With its unit."""


class ReportNow(Message):
    """What is looked back upon."""

    state: Literal["none", "making", "ready", "failed"]
    share: float
    trouble: str | None
    sentence: str
    findings: list[ReportFinding]
    facts: list[ReportFact]


class RecordingName(Message):
    """One recording that was kept."""

    name: str
    source: str
    began: float | None
    """Seconds since 1970 [s]."""
    size: int
    """[bytes]"""
    simulated: bool


class Reference(Message):
    """How large a structure of healthy adults is, in words, with where that is from."""

    structure: str
    measure: str
    words: str
    who: str
    source: str
    evidence: str
    review: str


class ProbeNow(Message):
    """How the probe is held: where it meets the skin [m], its angles [rad], how hard it presses [N]."""

    x: float
    y: float
    rotation: float
    tilt: float
    rock: float
    force: float


class NeedleNow(Message):
    """How the needle is held [m, rad]."""

    beside: float
    angle: float
    yaw: float
    inserted: float
    length: float
    bevel: float


class TrackNow(Message):
    """Where the tracker sees the needle, in the image: axial, lateral, and off its plane [m]."""

    state: str
    """"tip", "shaft only" or "lost"."""
    age: float
    """Since it was so [s]."""
    tip: list[float] | None
    """Axial, lateral, off the plane; where lost, the last that was known."""
    tip_age: float | None
    """Since the tip was there [s]."""
    tail: list[float] | None
    """Where the shaft entered the skin, as the tip is told."""
    in_plane: bool | None
    """Whether the tip lies within half a slice; None where it is not known."""
    under_skin: bool | None
    """Whether the needle is under the skin, by the commands; None where nobody here gives them, as with an agent."""
    shown: bool | None
    """Whether the picture shows the needle there too; None where no picture could tell lately."""
    doubt: str
    """Why the tracker is not relied on, if it is not."""
    ellipse: list[float] | None
    """95 % region of the tip in the plane: both half axes, and the angle of the first to the lateral axis [m, m, rad]."""
    diameter: float
    """Outer, of the shaft [m]."""


class Replayed(Message):
    """Where a recording has the needle at this moment; None where nothing tracked one."""

    type: Literal["replayed"] = "replayed"
    track: TrackNow | None


class NearRow(Message):
    """How near the needle is to one structure, or that it is unknown."""

    structure: str
    interval_mm: list[float] | None
    """Distance, and both ends of its 95 % interval."""
    margin_mm: float
    keeps_margin: bool | None
    reason: str


class StimulatorNow(Message):
    """What the stimulator is set to, and what its last stimulus brought."""

    on: bool
    current: float
    pulse_width: float
    rate: float
    delivered: float | None
    muscle: str | None
    grade: int | None
    impedance: float | None
    age: float | None


class InjectorNow(Message):
    """What the syringe says."""

    pressing: bool
    drawing: bool
    flow: float
    """It is pressed at [m^3/s]."""
    slowest: float
    """[m^3/s]"""
    fastest: float
    """[m^3/s]"""
    step: float
    """Of the flow [m^3/s]."""
    drawn: str | None
    """What comes back now: "nothing", "fluid", "blood" or "air"; None while that is not seen."""
    aspirated: float | None
    """Given when it was drawn last and no blood came, from where the needle still is [m^3]."""
    agent: str
    rate: float | None
    volume: float | None
    pressure: float | None
    age: float | None


class CueRow(Message):
    """One cue that stands."""

    level: str
    """"info", "unknown", "caution" or "stop"."""
    about: str
    rule: str
    message: str
    """What to do."""
    reason: str
    """Why, with numbers."""
    acknowledged_by: str | None
    do: str | None = None
    """The same with the key that does it, its cap in braces; None where no key does."""


class Cues(Message):
    """What stands, loudest first; often as it changes."""

    type: Literal["cues"] = "cues"
    cues: list[CueRow]


class Hands(Message):
    """Both hands and all readings, as often as they change."""

    type: Literal["hands"] = "hands"
    you: int
    """Number of this viewer."""
    pilot: int | None
    """Who holds the probe; None if nobody."""
    asking: int | None
    """Who asks for it."""
    at_edge: bool
    """Whether the last movement was held at the edge of the window."""
    probe: ProbeNow
    needle: NeedleNow
    track: TrackNow | None
    """None where nothing tracks the needle."""
    near: list[NearRow]
    """Empty while the needle is outside."""
    stimulator: StimulatorNow
    injector: InjectorNow


class TrueStructure(Message):
    """One structure of the answer key."""

    name: str
    color: str
    at: list[float] | None
    """Down and right, where it stands in the plane; None where it is not in it [m]."""


class AnswerKeyNow(Message):
    """What the picture truly shows, for who practices on a simulated patient; never used by anything that advises."""

    type: Literal["answer_key"] = "answer_key"
    state: Literal["off", "working", "ready", "failed"]
    share: float
    """Of the time until now that was lived again, 0..1."""
    trouble: str | None
    time: float
    """Of the frame that it is of, on the source's clock [s]."""
    rows: int
    columns: int
    origin: list[float]
    """Down and right, of the first pixel [m]."""
    step: list[float]
    labels: str
    """One byte a pixel, deflated, in base64; empty where there is no answer. 0 is nothing named, k is structure k."""
    structures: list[TrueStructure]


class Problem(Message):
    """Something asked for cannot be done, in one line."""

    type: Literal["problem"] = "problem"
    message: str


class Ack(Message):
    """The viewer has drawn a frame; those sent before it have come too."""

    type: Literal["ack"] = "ack"
    frame: Annotated[int, Field(ge=0)]


class SetControl(Message):
    """The viewer turns a control."""

    type: Literal["control"] = "control"
    name: Annotated[str, Field(max_length=40)]
    value: float


class SetProcedure(Message):
    """The viewer chooses a procedure."""

    type: Literal["procedure"] = "procedure"
    id: Annotated[str, Field(max_length=16)]


class Freeze(Message):
    """The viewer holds the picture, or lets it go on."""

    type: Literal["freeze"] = "freeze"
    on: bool


Step = Annotated[float, Field(ge=-0.1, le=0.1)]
Turn = Annotated[float, Field(ge=-3.2, le=3.2)]
Moment = Annotated[float, Field(ge=0, le=1e12)]


class MoveProbe(Message):
    """The pilot moves the probe by a step [m, rad, N]."""

    type: Literal["probe"] = "probe"
    slide: Step = 0.0
    along: Step = 0.0
    rotate: Turn = 0.0
    tilt: Turn = 0.0
    rock: Turn = 0.0
    press: Annotated[float, Field(ge=-30, le=30)] = 0.0
    at: Moment | None = None
    """When the hand moved, by the page's clock, seconds since 1970 [s]."""


class MoveNeedle(Message):
    """The pilot moves the needle by a step [m, rad]."""

    type: Literal["needle"] = "needle"
    entry: Step = 0.0
    angle: Turn = 0.0
    yaw: Turn = 0.0
    advance: Step = 0.0
    bevel: Turn = 0.0
    at: Moment | None = None
    """When the hand moved, by the page's clock, seconds since 1970 [s]."""


class Press(Message):
    """The pilot presses or draws the syringe, and says so again at least twice a second, or lets go."""

    type: Literal["inject"] = "inject"
    on: bool
    draw: bool = False
    """Whether it is drawn, to see what comes back."""
    flow: float | None = None
    """At which it is pressed from now on [m^3/s]."""


class Stimulate(Message):
    """The pilot switches the stimulator, or sets its current [A]."""

    type: Literal["stimulate"] = "stimulate"
    on: bool
    current: float | None = None


class Acknowledge(Message):
    """A viewer has taken note of a cue."""

    type: Literal["acknowledge"] = "acknowledge"
    rule: Annotated[str, Field(max_length=80)]
    about: Annotated[str, Field(max_length=200)]


class Pilot(Message):
    """A viewer asks for the probe, or hands it over."""

    type: Literal["pilot"] = "pilot"
    give: bool


class Name(Message):
    """A viewer says what an outlined structure is, or that it is not."""

    type: Literal["name"] = "name"
    axial: Annotated[float, Field(ge=-1, le=1)]
    """Of a place in it [m]."""
    lateral: Annotated[float, Field(ge=-1, le=1)]
    name: Annotated[str, Field(max_length=80)] | None


class Next(Message):
    """The pilot goes on in the thread; a reason where the stage is not done."""

    type: Literal["next"] = "next"
    reason: Annotated[str, Field(max_length=200)] | None = None


class Back(Message):
    """The pilot goes back to a stage of the thread."""

    type: Literal["back"] = "back"
    stage: Annotated[str, Field(max_length=20)]


FromServer = (
    ThreadNow
    | Hello
    | Guidance
    | Carried
    | Confirmed
    | Flow
    | NoFlow
    | AnswerKeyNow
    | Replayed
    | Status
    | Hands
    | Cues
    | Problem
)
Said = (
    Ack
    | SetControl
    | Color
    | Preset
    | AnswerKey
    | SetProcedure
    | Freeze
    | MoveProbe
    | MoveNeedle
    | Press
    | Stimulate
    | Pilot
    | Acknowledge
    | Name
    | Next
    | Back
)
FromPage = Annotated[Said, Field(discriminator="type")]

_PAGE: TypeAdapter[Said] = TypeAdapter(FromPage)


def parse(text: str) -> Said:
    """Read what the page says.

    Raises
    ------
    pydantic.ValidationError
        If it is none of the messages.
    """
    return _PAGE.validate_json(text)


def schema() -> dict[str, Any]:
    """Give the JSON schema of all messages, for the page's types."""
    return TypeAdapter(
        FromServer | FromPage | RegionName | RecordingName | ReportNow | Reference
    ).json_schema()


LONGEST_WAIT = 60.0
"""An input said to be older, or from the future, is of another clock and not counted [s]."""


def _waited(frame: Frame) -> int:
    if frame.asked is None or not 0 <= frame.made - frame.asked <= LONGEST_WAIT:
        return 0
    return 1 + round(1e3 * (frame.made - frame.asked))


def packed(frame: Frame, *, lost: int, simulated: bool) -> bytes:
    """Write a frame as bytes.

    Parameters
    ----------
    frame : Frame
        With 8-bit pixels (rows, columns).
    lost : int
        Frames that this viewer was not sent.
    simulated : bool
        Whether no real tissue is seen.

    Returns
    -------
    bytes
        Header and pixels.
    """
    origin, step, unit = extent(frame.image)
    flags = (SIMULATED if simulated else 0) | (METERS if unit == "m" else 0)
    flags |= sum(HELD_BACK[one] for one in frame.dropped)
    rows, columns = frame.pixels.shape
    head = FRAME.pack(
        MAGIC,
        VERSION,
        flags,
        frame.number,
        lost,
        rows,
        columns,
        _waited(frame),
        frame.source_time,
        frame.made,
        *origin,
        *step,
    )
    return head + np.ascontiguousarray(frame.pixels).tobytes()
