"""The thread of the one examination: what is known, told to it; what it says, told to the page; what a step sets going.

Choosing begins the recording, taking a path lays the needle on the skin, ending the record makes the report. Nothing here
reaches the truth: the report is made by a process of its own.
"""

import threading
import time

import numpy as np

from insonate.app import messages
from insonate.app.examination import Examination
from insonate.app.messages import ReportFact, ReportFinding, ReportNow, StageRow, ThreadNow
from insonate.app.reporting import Reporting
from insonate.core import Grid, InputError, InsonateError, NeedlePath, Pose
from insonate.core.units import Meters, Seconds
from insonate.guidance.thread import Advice, Facts, Stage, Thread
from insonate.pipeline.live import Live, Seen

SEEN_LASTS: Seconds = 2.5
"""A target that was labelled longer ago is not in view any more; on a slow machine one labelling takes a second [s]."""

OFF_PLANE: Meters = 2e-3
"""A goal further off the picture's plane is not shown, and not gone to; a design assumption [m]."""

TIP_LASTS: Seconds = 0.5
"""A tip that was told longer ago is unknown [s]."""


class Leading:
    """Leads one examination along its thread."""

    def __init__(self, examination: Examination) -> None:
        """Begin at the first stage."""
        self.examination = examination
        self.reporting = Reporting()
        self._lock = threading.RLock()
        self._thread = Thread(examination.procedure)
        self._of = (-1, "")
        self._middle: tuple[Seen, tuple[Meters, Meters] | None] | None = None
        self._way: np.ndarray | None = None  # entry and goal of the path that was taken, in the patient

    def stop(self) -> None:
        """Give up a report that is being made."""
        self.reporting.forget()

    # --- what the page says ---

    def go_on(self, viewer: int, reason: str | None) -> None:
        """Go on in the thread.

        Parameters
        ----------
        viewer : int
            Who.
        reason : str or None
            Why the stage is left before it is done.

        Raises
        ------
        InputError
            If another is the pilot, or the stage is not done and no reason is given.
        """
        self.examination.pilots.check(viewer)
        with self._lock:
            thread, facts, who = self._current(), self._facts(None), f"viewer {viewer}"
            left, noted = thread.stage, len(thread.log)
            if left is Stage.PLAN:
                self._way = None
                if facts.path is not None:
                    self._lay(facts.path, viewer)
                    self.examination.take_path(facts.path, self._clock())
                    self._way = self._in_patient(facts.path)
            thread.next(facts, who, self._clock(), reason)
            if left is Stage.CHOOSE and thread.stage is Stage.CHECK:
                self.reporting.forget()
                if self.examination.live is not None and self.examination.recorded is None:
                    self.examination.record(True)
            for one in thread.log[noted:]:
                self.examination.keep("step", {"time": one.time, "who": one.who, "what": one.what})
            if left is Stage.RECORD:
                self._end()
            if left is Stage.REPORT:
                self.examination.freeze(False)

    def go_back(self, viewer: int, stage: str) -> None:
        """Go back to an earlier stage.

        Raises
        ------
        InputError
            If another is the pilot, or there is no such stage behind.
        """
        self.examination.pilots.check(viewer)
        try:
            wanted = Stage(stage)
        except ValueError:
            raise InputError(f"there is no stage {stage[:20]!r}") from None
        with self._lock:
            thread = self._current()
            thread.back(wanted, f"viewer {viewer}", self._clock())
            one = thread.log[-1]
            self.examination.keep("step", {"time": one.time, "who": one.who, "what": one.what})

    def _lay(self, path: NeedlePath, viewer: int) -> None:
        cockpit = self.examination.cockpit
        if cockpit is not None and path.unit == "m":
            cockpit.lay(path.entry, path.angle, viewer)

    def _end(self) -> None:
        examination = self.examination
        try:
            block = examination.block()
        except InsonateError:
            block = None
        examination.record(False)
        if block is not None:
            block["target"] = examination.procedure.target.structures[0]
            examination.freeze(
                True
            )  # what is looked back upon is over, and the picture would take the time of the report
            self.reporting.make(block)

    def _pose(self) -> Pose | None:
        live = self.examination.live
        return None if live is None else live.readings.probe

    def _in_patient(self, path: NeedlePath) -> np.ndarray | None:
        """Give entry and goal of a path, (2, 3); None where lengths or the probe's place are not known."""
        pose = self._pose()
        if path.unit != "m" or pose is None:
            return None
        return pose.apply(np.array([[place[1], 0.0, place[0]] for place in (path.entry, path.target)]))

    def _in_picture(self) -> tuple[tuple[Meters, Meters], tuple[Meters, Meters]] | None:
        """Give them in the picture as the probe is held now; None where the goal has left its plane."""
        pose = self._pose()
        if self._way is None or pose is None:
            return None
        entry, goal = pose.inverse().apply(self._way)
        if abs(goal[1]) > OFF_PLANE:
            return None
        return (float(entry[2]), float(entry[0])), (float(goal[2]), float(goal[0]))

    # --- what is said to the page ---

    def now(self, hands: messages.Hands | None) -> ThreadNow | None:
        """Say where the thread is; None before there is a source.

        Parameters
        ----------
        hands : Hands or None
            As the page is told of them; None where there are none.
        """
        if self.examination.live is None:
            return None
        with self._lock:
            thread = self._current()
            before = thread.stage
            advice = thread.advise(self._facts(hands))
            self._hurry(advice, hands)
            if thread.stage is not before:
                self.examination.keep(
                    "step", {"time": self._clock(), "who": "the thread", "what": f"left {before.value}"}
                )
            return self._said(advice)

    def _hurry(self, advice: Advice, hands: messages.Hands | None) -> None:
        """Let time run faster while the syringe is held and there is only to wait; its end needs nobody here."""
        live = self.examination.live
        if live is not None and hands is not None and advice.waits and hands.injector.pressing:
            live.hurry(True, by="the thread")
        elif live is not None and live.compression > 1:
            live.hurry(False, by="the thread")

    def _said(self, advice: Advice) -> ThreadNow:
        number = advice.stage.number
        way = self._in_picture() if advice.stage is Stage.PERFORM else None
        return ThreadNow(
            stages=[
                StageRow(
                    id=one.value,
                    state="done" if one.number < number else "now" if one.number == number else "later",
                )
                for one in Stage
            ],
            part=None if advice.part is None else advice.part.value,
            do=advice.do,
            why=advice.why,
            hand=advice.hand,
            ready=advice.ready,
            entry=None if way is None else list(way[0]),
            goal=None if way is None else list(way[1]),
            report=self.reporting.state,
            share=round(self.reporting.share, 2),
        )

    def report(self) -> ReportNow:
        """Say how far the report is, and what it found."""
        reporting = self.reporting
        facts = reporting.facts
        return ReportNow(
            state=reporting.state,
            share=reporting.share,
            trouble=reporting.trouble,
            sentence=str(facts.get("sentence", "")),
            findings=[
                ReportFinding(severity=one["severity"], sentence=one["sentence"], time_s=one["time_s"])
                for one in facts.get("findings", ())
            ],
            facts=[ReportFact(name=name, value=value) for name, value in _told(facts)],
        )

    # --- what is known ---

    def _current(self) -> Thread:
        """Give the thread, begun anew where source or procedure is another than before."""
        examination = self.examination
        of = (examination.stream, examination.procedure.id)
        if of != self._of:
            self._of, self._thread = of, Thread(examination.procedure)
            self._middle = self._way = None
        return self._thread

    def _clock(self) -> Seconds:
        live = self.examination.live
        probe = None if live is None else live.readings.probe
        return 0.0 if probe is None else probe.time

    def _facts(self, hands: messages.Hands | None) -> Facts:
        live, cockpit = self.examination.live, self.examination.cockpit
        if hands is None and cockpit is not None:
            hands = cockpit.now(0)
        seen = None if live is None else live.seen
        fresh = seen is not None and live is not None and _is_fresh(seen, live, self._thread)
        guided = seen.guided if fresh and seen is not None else None
        plan = None if guided is None else guided.plan
        target, path = None, None
        if guided is not None and plan is not None and guided.scene.segmentation is not None:
            if plan.target is not None:
                target = guided.scene.segmentation.structures[plan.target - 1].name
            # a needle is held on the left of the probe only
            path = next((one for one in plan.paths if cockpit is None or one.entry[1] < 0), None)
        tip = _tip(hands)
        return Facts(
            held=cockpit is not None,
            target=target,
            place=None if target is None or seen is None else self._place(seen),
            path=path,
            way=self._in_picture(),
            reason=self._reason(path, None if plan is None else plan.reason),
            now=self._clock(),
            slid=0.0 if hands is None else _slid(hands),
            at_edge=live is not None and live.at_edge,
            inserted=0.0 if hands is None else hands.needle.inserted,
            tip=None if tip is None else (tip[0], tip[1]),
            off=0.0 if tip is None else tip[2],
            injected=None if hands is None else hands.injector.volume,
            aspirated=None if hands is None else hands.injector.aspirated,
            compression=1 if live is None else live.compression,
            report=self.reporting.state,
        )

    def _reason(self, path: NeedlePath | None, otherwise: str | None) -> str:
        if self._thread.stage is Stage.CHOOSE:
            return f"{self.examination.procedure.name}. Or look around as you like."
        if path is not None:
            unknown = f"; unknown: {', '.join(path.unknown)}" if path.unknown else ""
            near = min(
                (one for one in path.clearances if one.distance is not None),
                key=lambda one: one.distance or 0.0,
                default=None,
            )
            if near is None or near.distance is None or near.unit != "m":
                return "Clearance unknown" + unknown
            return f"{1e3 * near.distance:.1f} mm to {near.structure}{unknown}"
        return otherwise or "Looking for the target."

    def _place(self, seen: Seen) -> tuple[Meters, Meters] | None:
        """Give where the middle of the target lies, worked out once for each labelling."""
        if self._middle is None or self._middle[0] is not seen:
            self._middle = (seen, _middle(seen))
        return self._middle[1]


def _is_fresh(seen: Seen, live: Live, thread: Thread) -> bool:
    if seen.guided is None or seen.guided.plan.procedure != thread.procedure.id:
        return False
    return live.frozen or time.time() - seen.made <= SEEN_LASTS


def _middle(seen: Seen) -> tuple[Meters, Meters] | None:
    guided = seen.guided
    if guided is None or guided.plan.target is None or guided.scene.segmentation is None:
        return None
    image = guided.scene.image
    if image is None or not isinstance(image.grid, Grid):
        return None
    rows, columns = np.nonzero(guided.scene.segmentation.mask(guided.plan.target, 0))
    if not len(rows):
        return None
    grid = image.grid
    return float(grid.axial[0] + rows.mean() * (grid.axial[1] - grid.axial[0])), float(
        grid.lateral[0] + columns.mean() * (grid.lateral[1] - grid.lateral[0])
    )


def _slid(hands: messages.Hands) -> Meters:
    """Give where the probe is, along its face as it is turned now."""
    probe = hands.probe
    return float(probe.x * np.cos(probe.rotation) + probe.y * np.sin(probe.rotation))


def _tip(hands: messages.Hands | None) -> list[float] | None:
    """Give where the tracker had the tip last: down, right, off the plane [m]; None if that was too long ago.

    None as well while the picture speaks against it. A tracker that misses one look does not take the step away under the
    hand; cues wait as long (`needle.blind`).
    """
    track = None if hands is None else hands.track
    if (
        track is None
        or track.tip is None
        or track.tip_age is None
        or track.tip_age > TIP_LASTS
        or track.doubt
    ):
        return None
    return track.tip


def _told(facts: dict[str, object]) -> list[tuple[str, str]]:
    """Give the numbers of a report in words, the nearest first."""
    out = []
    for name, key, form in (
        ("Time with the needle", "needling_s", "{:.0f} s"),
        ("Passes", "passes", "{:.0f}"),
        ("Tip in view while advancing", "in_view", "%"),
        ("Gone blind", "blind_mm", "{:.1f} mm"),
    ):
        value = facts.get(key)
        out.append((name, _number(value, form)))
    approaches = facts.get("approaches")
    if isinstance(approaches, list):
        out += [(f"Needle to {one['structure']}", _distance(one["shaft_mm"])) for one in approaches[:4]]
    out.append(("Edge of the target with fluid", _number(facts.get("ring"), "%")))
    out.append(("Furthest from the planned path", _number(facts.get("beside_mm"), "{:.1f} mm")))
    told = facts.get("told")
    if isinstance(told, list):
        count = {level: sum(one["level"] == level for one in told) for level in ("caution", "stop")}
        out.append(("Cautions, stops told", f"{count['caution']}, {count['stop']}"))
    return out


def _number(value: object, form: str) -> str:
    if not isinstance(value, int | float):
        return "unknown"
    return f"{100 * value:.0f} %" if form == "%" else form.format(value)


def _distance(millimeters: float) -> str:
    if millimeters < 0:
        return f"{-millimeters:.1f} mm inside"
    return f"{millimeters:.1f} mm"
