"""The thread of an examination: the one thing to do next, from choosing to the report.

    choose > check > scan > plan > perform (enter, advance, test dose, inject, withdraw) > record > report

A stage is left by the operator's word, once what it is for is there; to leave it before needs a reason, which is kept. Going
back is free. Within *perform* the parts follow from what is seen: length under the skin, the tracked tip, the volume given.
Nothing is taken as done that is not known: while the tip is unknown the part stays what it is, and says so.

Positions are (axial, lateral) in the picture, lateral to the right of its middle [m]. A key cap stands in braces:
"Hold {↑} to advance." No sentence is an order to treat: volumes are the procedure's reference.
"""

import tomllib
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from importlib.resources import files

import numpy as np

from insonate.core import FormatError, InputError, NeedlePath, Procedure
from insonate.core.units import CubicMeters, Meters, Seconds
from insonate.guidance.rules import rules

MIDDLE: Meters = 6e-3
"""The target is in the middle of the picture when it lies less aside; a design assumption [m]."""

FAR: Meters = 15e-3
"""Further away than this a key is held, nearer it is pressed so many times: what is seen comes late [m]."""

NEAR: Meters = 6e-3
"""The needle is advanced step by step for the last of its way [m]."""

ARRIVED: Meters = 1.2e-3
"""The tip is where it should be when less of the way is left; about the tracker's own spread [m]."""

ASTRAY: Meters = 0.9e-3
"""A tip that lies further off the plane, by the tracker's mean, is turned back: beyond half a slice all is unknown [m]."""

SETTLES: Seconds = 0.4
"""Over which the tip's place off the plane is averaged: the tracker spreads by half a millimeter [s]."""

STANDS: Seconds = 2.0
"""The same while fluid goes in and the needle rests: a chance reading turns nothing then [s]."""

TURNS: Meters = 10e-3
"""A needle less far inside is not turned: little of it would come back [m]."""

BESIDE: Meters = 2.5e-3
"""A tip further beside its path has not followed it: it comes out, to plan anew; five of the tracker's deviations [m]."""

LEFT_AGAIN: Meters = 3e-3
"""The tip has left its goal again when it is so far from it [m]."""

RETURNS = 2
"""So many times it is brought back there once something was given: fluid itself may be what it is kept off by."""

BEGUN: CubicMeters = 2e-7
"""Something was given when it is more than the syringe's dead space; a design assumption [m3]."""

TEST_DOSE: CubicMeters = 1e-6
"""Given first, to see where it goes; a design assumption after common teaching [m3]."""

MOST_REASON = 200
"""Letters of a reason."""

CLOSE: Meters = 2e-3
"""The probe is back where the target was seen when it is less away [m]."""

PATIENCE: Seconds = 2.5
"""So long a target that is not seen is waited for: one labelling takes up to a second [s]."""

SWEEP: Seconds = 3.0
"""Between two turns of looking around [s]."""

STEP: Meters = 1e-3
"""A press of a key moves so far [m]."""


class Stage(Enum):
    """Of the thread, in order."""

    CHOOSE = "choose"
    CHECK = "check"
    SCAN = "scan"
    PLAN = "plan"
    PERFORM = "perform"
    RECORD = "record"
    REPORT = "report"

    @property
    def number(self) -> int:
        """From 1."""
        return list(Stage).index(self) + 1


class Part(Enum):
    """Of *perform*, in order."""

    ENTER = "enter"
    ADVANCE = "advance"
    TEST = "test dose"
    INJECT = "inject"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known when the next thing to do is named."""

    held: bool
    """Whether the source obeys hands; else the operator's own hold another machine."""
    target: str | None
    """Name of the target as it is seen now; None while it is not."""
    place: tuple[Meters, Meters] | None = None
    """Where its middle lies; None where it is not known in meters."""
    path: NeedlePath | None = None
    """The best that can be gone; None without one."""
    way: tuple[tuple[Meters, Meters], tuple[Meters, Meters]] | None = None
    """Entry and goal of the path that was taken, where they lie in the picture as the probe is held now; None where none was
    taken, or its goal lies out of the picture's plane."""
    reason: str = ""
    """Why that path, or why none."""
    now: Seconds = 0.0
    """On the source's clock [s]."""
    slid: Meters = 0.0
    """Where the probe is, along its face; only differences count."""
    at_edge: bool = False
    """Whether the probe cannot go further."""
    inserted: Meters = 0.0
    """Of the needle under the skin."""
    tip: tuple[Meters, Meters] | None = None
    """Where the tip is by the tracker; None while it is unknown."""
    off: Meters = 0.0
    """How far that lies off the plane of the picture, toward the head."""
    injected: CubicMeters | None = None
    """By the syringe's own reading; None while it says nothing."""
    aspirated: CubicMeters | None = None
    """Injected when the syringe was drawn last and no blood came, from where the needle still is; None if not so."""
    compression: int = 1
    """How many times faster time goes than on the wall."""
    report: str = "none"
    """"none", "making", "ready" or "failed"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The one thing to do next."""

    stage: Stage
    """Where the thread is."""
    part: Part | None
    """Of *perform*."""
    do: str
    """What to do, with key caps in braces."""
    why: str
    """Why, or what to look at."""
    hand: str | None
    """The hand that is needed: "probe", "needle", or None."""
    ready: bool
    """Whether the stage can be left without a reason."""
    waits: bool = False
    """Whether a hand has but to go on as it does for a while, so that time may run faster if it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One step of the thread, as it is kept."""

    time: Seconds
    """On the source's clock [s]."""
    who: str
    """Who took it."""
    what: str
    """In words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that is ticked before the needle."""

    do: str
    """What is so."""
    why: str
    """What belongs to it."""


@cache
def checks() -> tuple[Check, ...]:
    """Read what is ticked, in order.

    Raises
    ------
    FormatError
        If one has no source or evidence tag.
    """
    text = (files("insonate.guidance") / "thread.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["check"]
    for row in rows:
        if not all(str(row.get(key, "")).strip() for key in ("do", "why", "source", "evidence")):
            raise FormatError(f"thread.toml: a check needs words, a source and a tag, got {row.get('do')!r}")
    return tuple(Check(do=row["do"], why=row["why"]) for row in rows)


@dataclass(eq=False)
class Thread:
    """Where one examination is in its thread."""

    procedure: Procedure
    """What is done."""
    stage: Stage = Stage.CHOOSE
    """Where it is."""
    ticked: int = 0
    """Of the checks."""
    accepted: NeedlePath | None = None
    """The path that was chosen; where it lies as the probe is held now, `Facts.way` says."""
    log: list[Noted] = field(default_factory=list)
    """Every step, with who took it."""

    def __post_init__(self) -> None:
        self._part = Part.ENTER
        self._given: CubicMeters = 0.0
        self._before: CubicMeters | None = None
        self._last: tuple[Meters, Seconds] | None = None  # where the target was seen last, and when
        self._lost: Seconds | None = None
        self._off: Meters = 0.0
        self._stands: Meters = 0.0
        self._returned = 0
        self._draws: CubicMeters | None = None
        self._strayed = False
        self._told: Seconds | None = None

    # --- what is done by word ---

    def next(self, facts: Facts, who: str, now: Seconds, reason: str | None = None) -> None:
        """Go on: tick the next check, or leave the stage.

        Parameters
        ----------
        facts : Facts
            As they are now.
        who : str
            Who says so.
        now : float
            On the source's clock [s].
        reason : str, optional
            Why the stage is left although it is not done.

        Raises
        ------
        InputError
            If it is not done and no reason is given, or the reason is too long.
        """
        why = None if reason is None else " ".join(reason.split())
        if why is not None and not 0 < len(why) <= MOST_REASON:
            raise InputError(f"a reason must have 1 to {MOST_REASON} letters, got {len(why)}")
        if why is None and self.stage is Stage.CHECK and self.ticked < len(checks()):
            self._note(now, who, f"ticked: {checks()[self.ticked].do}")
            self.ticked += 1
            if self.ticked < len(checks()):
                return
        elif why is None and not self.advise(facts).ready:
            raise InputError(f"To leave '{self.stage.value}' before it is done needs a reason.")
        left = self.stage
        self._note(now, who, f"left {left.value}" + ("" if why is None else f" before it was done: {why}"))
        if left is Stage.PLAN:
            self.accepted, self._part, self._before = facts.path, Part.ENTER, facts.injected
        after = list(Stage)[left.number % len(Stage)]
        if after is Stage.CHOOSE:
            self._begin()
        self.stage = after

    def back(self, stage: Stage, who: str, now: Seconds) -> None:
        """Go back to a stage that was left.

        Raises
        ------
        InputError
            If it lies ahead.
        """
        if stage.number >= self.stage.number:
            raise InputError(f"'{stage.value}' lies ahead of '{self.stage.value}'")
        self._note(now, who, f"back to {stage.value}")
        if stage.number <= Stage.CHECK.number:
            self.ticked = 0
        self.stage = stage

    def _begin(self) -> None:
        self.ticked, self.accepted, self._part, self._before = 0, None, Part.ENTER, None

    def _note(self, now: Seconds, who: str, what: str) -> None:
        self.log.append(Noted(time=now, who=who, what=what))

    # --- what is to be done ---

    def advise(self, facts: Facts) -> Advice:
        """Name the one thing to do next; what is seen of the needle moves *perform* on.

        Parameters
        ----------
        facts : Facts
            As they are now.

        Returns
        -------
        Advice
            One sentence, and a reason.
        """
        match self.stage:
            case Stage.CHOOSE:
                return self._say("Press {Enter} to start a guided block.", facts.reason, ready=True)
            case Stage.CHECK:
                one = checks()[min(self.ticked, len(checks()) - 1)]
                return self._say("Press {Enter}: " + one.do, one.why, ready=False)
            case Stage.SCAN:
                return self._scan(facts)
            case Stage.PLAN:
                return self._plan(facts)
            case Stage.PERFORM:
                return self._perform(facts)
            case Stage.RECORD:
                return self._say(
                    "Press {Enter} to end the recording and look back.",
                    "The needle is out: what was done is kept." if facts.held else "What was shown is kept.",
                    ready=True,
                )
            case Stage.REPORT:
                return self._report(facts)

    def _say(self, do: str, why: str, *, ready: bool, hand: str | None = None, waits: bool = False) -> Advice:
        part = self._part if self.stage is Stage.PERFORM else None
        return Advice(stage=self.stage, part=part, do=do, why=why, hand=hand, ready=ready, waits=waits)

    def _scan(self, facts: Facts) -> Advice:
        if facts.target is None:
            return self._search(facts)
        self._find(facts)
        aside = 0.0 if facts.place is None else facts.place[1]
        if facts.held and abs(aside) > MIDDLE and not facts.at_edge:
            side = "left" if aside < 0 else "right"
            why = f"It lies {1e3 * abs(aside):.0f} mm to the {side}: more of the needle will be seen."
            return self._say(
                f"{self._slide(aside)}: {facts.target} to the middle.", why, ready=True, hand="probe"
            )
        return self._say(
            "Press {Enter} to plan the needle's path.", f"Target in view: {facts.target}.", ready=True
        )

    @staticmethod
    def _slide(aside: Meters) -> str:
        """Say how the probe comes to what lies aside."""
        key = "←" if aside < 0 else "→"
        return f"Hold {{{key}}}" if abs(aside) > FAR else _press(key, round(abs(aside) / STEP))

    def _find(self, facts: Facts) -> None:
        """Remember where the target is."""
        self._lost = None
        if facts.place is not None:
            self._last = (facts.slid + facts.place[1], facts.now)

    def _search(self, facts: Facts) -> Advice:
        """Name how a target is found that is not in view: wait a little, go back to where it was, then look around."""
        wanted = self.procedure.target.structures[0]
        if not facts.held:
            return self._say(f"Find the {wanted}.", self.procedure.view, ready=False)
        if self._lost is None:
            self._lost = facts.now
        missing = facts.now - self._lost
        if missing < PATIENCE:
            return self._say(
                f"Wait. Looking for the {wanted}.",
                "Target unknown: not seen in this picture yet.",
                ready=False,
            )
        aside = None if self._last is None else self._last[0] - facts.slid
        if aside is not None and abs(aside) > CLOSE:
            side = "left" if aside < 0 else "right"
            why = f"Target unknown. It was seen {1e3 * abs(aside):.0f} mm to the {side}."
            return self._say(f"{self._slide(aside)} to look again.", why, ready=False, hand="probe")
        # a slow sweep to and fro, wider each time; it is where it should be, so the plane is as likely at fault
        turn = int(missing / SWEEP)
        key = ("{→}", "{←}", "{←}", "{→}", "{T}", "{G}", "{G}", "{T}")[turn % 8]
        return self._say(
            f"Press {key} 4 times to look for the {wanted}.",
            "Target unknown: not in view.",
            ready=False,
            hand="probe",
        )

    def _plan(self, facts: Facts) -> Advice:
        path = facts.path
        if facts.target is None:
            return self._search(facts)
        self._find(facts)
        if path is None:
            if not facts.held:
                return self._say("Move the probe for a straight path.", facts.reason, ready=False)
            key = "{→}" if facts.place is not None and facts.place[1] > 0 else "{←}"
            return self._say(
                f"Press {key} 2 times for a straight path.", facts.reason, ready=False, hand="probe"
            )
        length = f"{1e3 * path.length:.0f} mm" if path.unit == "m" else f"{path.length:.0f} px"
        do = f"Press {{Enter}} to take path 1: {length} at {np.degrees(path.angle):.0f} deg."
        return self._say(do, facts.reason, ready=True)

    def _perform(self, facts: Facts) -> Advice:
        if not facts.held:
            return self._say(
                "Press {Enter} when the needle is out.",
                "Your own needle is not tracked: its tip is unknown.",
                ready=True,
            )
        if self.accepted is None or self.accepted.unit != "m":
            return self._say(
                "Press {Enter} when the needle is out.",
                "No path was taken: how far the needle must go is unknown.",
                ready=facts.inserted == 0,
            )
        self._follow(facts)
        if self.stage is not Stage.PERFORM:
            return self.advise(facts)
        low = self.procedure.injectate.volume[0].value
        given = self._given
        gone = self._gone(facts)
        match self._part:
            case Part.ENTER:
                return self._say(
                    "Hold {↑} to pass the skin.",
                    "The needle lies on the planned path.",
                    hand="needle",
                    ready=False,
                )
            case Part.ADVANCE:
                return self._advance(facts)
            case Part.TEST | Part.INJECT if facts.tip is None:
                return self._say(
                    "Wait until the tip is seen.",
                    "Tip unknown: where the fluid would go is unknown too.",
                    hand="needle",
                    ready=False,
                )
            case Part.TEST | Part.INJECT if gone is not None and abs(self._stands) > ASTRAY:
                return self._say(
                    gone,
                    f"Tip {1e3 * abs(self._off):.1f} mm off the plane: the fluid goes where nobody looks.",
                    hand="needle",
                    ready=False,
                )
            case Part.TEST | Part.INJECT if self._undrawn(facts):
                return self._say(
                    "Hold {Z} to aspirate: does blood come?",
                    f"{1e6 * given:.1f} mL given. Before the first, and after each 5 mL. No blood is no proof.",
                    hand="needle",
                    ready=False,
                )
            case Part.TEST:
                return self._say(
                    "Hold {Space}: 1 mL test dose.",
                    f"{1e6 * given:.1f} mL given. See where it goes.",
                    hand="needle",
                    ready=False,
                )
            case Part.INJECT:
                faster = "" if facts.compression == 1 else f" Time runs x{facts.compression}."
                return self._say(
                    f"Hold {{Space}} to {1e6 * low:.0f} mL.",
                    f"{1e6 * given:.1f} mL given.{faster} Reference volume of the procedure, no order.",
                    hand="needle",
                    ready=False,
                    waits=True,
                )
            case Part.WITHDRAW:
                return self._say(
                    "Hold {↓} to withdraw.",
                    f"{1e3 * facts.inserted:.0f} mm are still inside.",
                    hand="needle",
                    ready=False,
                )

    def _advance(self, facts: Facts) -> Advice:
        if facts.way is None:
            return self._say(
                "Hold {↓} to withdraw, then plan again.",
                "The way is unknown: the probe has left it.",
                hand="needle",
                ready=False,
            )
        rest = self._rest(facts)
        if rest is None:
            return self._say(
                "Wait until the tip is seen.",
                "Tip unknown: how far it must go is unknown too.",
                hand="needle",
                ready=False,
            )
        left, beside = rest
        if beside > BESIDE:
            return self._say(
                "Hold {↓} to withdraw, then plan again.",
                f"The tip is {1e3 * beside:.1f} mm beside its path.",
                hand="needle",
                ready=False,
            )
        why = f"{1e3 * left:.0f} mm to go, {1e3 * facts.inserted:.0f} mm inside."
        gone = self._gone(facts)
        if gone is not None:
            off = f"Tip {1e3 * abs(self._off):.1f} mm off the plane."
            return self._say(gone, f"{off} {why}", hand="needle", ready=False)
        if left < -ARRIVED:
            do = f"{_press('↓', round(-left / STEP))}: the tip has gone too far."
        elif left > NEAR:
            do = "Hold {↑} to advance along the dashes."
        else:
            do = f"{_press('↑', int(left / STEP))} to reach the target."  # rather short of it than beyond
        return self._say(do, why, hand="needle", ready=False)

    def _undrawn(self, facts: Facts) -> bool:
        """Tell whether the syringe is to be drawn before more is given."""
        if facts.aspirated is None:
            return True
        since = (facts.injected or 0.0) - facts.aspirated
        # fluid comes back while it is drawn: what was given falls again, and it is to be drawn to its end
        if since >= rules()["injection"]["aspirated"] and self._left() > BEGUN:
            self._draws = facts.aspirated
        if self._draws != facts.aspirated:
            self._draws = None
        return self._draws is not None

    def _left(self) -> CubicMeters:
        """Give how much of the reference volume is left to give."""
        return self.procedure.injectate.volume[0].value - self._given

    def _gone(self, facts: Facts) -> str | None:
        """Say how a tip that has left the plane is turned back; None while it lies in it, or too little of it is inside."""
        if abs(self._off) <= ASTRAY or facts.inserted < TURNS:
            return None
        times = min(round(abs(self._off) / (facts.inserted * np.radians(1))), 4)
        return f"{_press('G' if self._off > 0 else 'T', times)}: the tip leaves the picture."

    @staticmethod
    def _rest(facts: Facts) -> tuple[Meters, Meters] | None:
        """Give how much of the way is left, negative beyond its end, and how far the tip is beside it; None if not known."""
        if facts.tip is None or facts.way is None:
            return None
        entry, goal = facts.way
        way = np.subtract(goal, entry)
        along = way / np.linalg.norm(way)
        rest = np.subtract(goal, facts.tip)
        return float(rest @ along), float(abs(rest[0] * along[1] - rest[1] * along[0]))

    def _follow(self, facts: Facts) -> None:
        """Move on by what is seen, as far as it goes."""
        if facts.injected is not None:
            if self._before is None or facts.injected < self._before:
                self._before = facts.injected
            self._given = facts.injected - self._before
        inside = facts.inserted > 0
        self._settle(facts)
        if not inside and self._part is Part.WITHDRAW:
            self.stage = Stage.RECORD
            return
        rest = self._rest(facts)
        if inside:
            self._strayed = facts.way is None or (self._strayed if rest is None else rest[1] > BESIDE)
        elif self._strayed or facts.way is None:
            self._plan_again(facts, "the needle had left its path, or the probe had")
            return
        elif self._part in (Part.ADVANCE, Part.TEST) and self._given < BEGUN:
            # something was in the way: the same way would lead there again
            self._plan_again(facts, "the needle was withdrawn before its goal")
            return
        if not inside:
            self._part = Part.ENTER
        elif self._part is Part.ENTER:
            self._part = Part.ADVANCE
        near = rest is not None and abs(rest[0]) <= ARRIVED and rest[1] <= BESIDE
        far = rest is not None and np.hypot(*rest) > LEFT_AGAIN
        if self._part is Part.TEST and self._given < BEGUN and far:
            self._part = Part.ADVANCE
        elif self._part in (Part.TEST, Part.INJECT) and far and self._returned < RETURNS:
            self._part, self._returned = Part.ADVANCE, self._returned + 1
        if self._part is Part.ADVANCE and near:
            self._part = Part.TEST
        if self._part is Part.TEST and self._given >= TEST_DOSE:
            self._part = Part.INJECT
        if self._part is Part.INJECT and self._given >= self.procedure.injectate.volume[0].value:
            self._part = Part.WITHDRAW

    def _plan_again(self, facts: Facts, why: str) -> None:
        self._note(facts.now, "the thread", f"back to plan: {why}")
        self.stage, self._part, self._strayed = Stage.PLAN, Part.ENTER, False

    def _settle(self, facts: Facts) -> None:
        """Average how far the tip lies off the plane; anew where it was lost."""
        if facts.tip is None:
            self._told = None
            return
        since = np.inf if self._told is None else max(facts.now - self._told, 0.0)
        self._off += (1 - float(np.exp(-since / SETTLES))) * (facts.off - self._off)
        self._stands += (1 - float(np.exp(-since / STANDS))) * (facts.off - self._stands)
        self._told = facts.now

    def _report(self, facts: Facts) -> Advice:
        if facts.report == "making":
            return self._say("Wait for the report.", "The block is lived again, with its truth.", ready=False)
        if facts.report == "failed":
            return self._say("Press {Enter} to begin again.", "The report could not be made.", ready=True)
        why = "The report is open." if facts.report == "ready" else "No report is made of this source."
        return self._say("Press {Enter} to begin again.", why, ready=True)


def _press(key: str, times: int) -> str:
    """Say how often a key is pressed, once at least."""
    return f"Press {{{key}}} {times} times" if times > 1 else f"Press {{{key}}}"
