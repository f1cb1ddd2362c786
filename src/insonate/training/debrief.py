"""What happened in a simulated block: told from its truth, by the replay of seed, settings and commands.

Definitions, numbers in `debrief.toml`: the needle *advances* at a tick when its inserted length grows faster than 1 mm/s.
Its tip is *in view* when it lies within half a slice of the image plane and within the width and depth of the picture; the
way from a puncture beside the probe to the picture's edge is not counted, unless the tip never comes there. A
*pass* begins with the first advance after a puncture, or after more than 5 mm of drawing back. *Blind* is an advance of more
than half a second with the tip out of view. The *ring* is the share of the target's edge, in the last picture that shows
target and fluid, with fluid within 1 mm. A distance below zero is a contact.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion

from insonate.core import AdvanceNeedle, Command, Level, MoveProbe, Pose, Tissue
from insonate.core.checks import check_count, check_range
from insonate.core.truth import Truth
from insonate.core.units import CubicMeters, Meters, Seconds
from insonate.pipeline.chain import Report, silent
from insonate.simulation.answer import replay
from insonate.simulation.course import TICK, Settings
from insonate.simulation.facts import facts
from insonate.simulation.medium import Body
from insonate.training.block import Planned
from insonate.training.telling import Told
from insonate.training.telling import told as cues_told

GUARDED = (
    Tissue.NERVE,
    Tissue.ARTERY,
    Tissue.VEIN,
    Tissue.VESSEL,
    Tissue.PLEURA,
    Tissue.PERITONEUM,
)
"""Tissues that a needle must not touch."""


BEFORE, AFTER = 0.2, 0.3
"""Around a move of the needle, or of the probe over one, every moment is looked at [s]."""

RESTING, OUTSIDE = 6, 20
"""Ticks from one look to the next while the needle rests under the skin, and while there is none: a look costs a tenth of a
second, and what is left to move it then, pulse and breathing, is slower."""

STEP: Meters = 4e-4
"""Between the pixels of the pictures it looks at; distances do not depend on it [m]."""


class Severity(Enum):
    """How much a finding weighs."""

    HARM = "harm"
    RISK = "risk"
    STYLE = "style"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to do better."""

    severity: Severity
    """How much it weighs."""
    sentence: str
    """What to do, and why, in one sentence."""
    time: Seconds | None
    """When it was so; None for the whole block [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """How near a needle came to one structure."""

    structure: str
    """Its name."""
    tissue: Tissue
    """Of what it is."""
    tip: Meters
    """Nearest distance of the tip, negative inside [m]."""
    tip_time: Seconds
    """When [s]."""
    shaft: Meters
    """Nearest distance of any place of the needle, negative inside [m]."""
    shaft_time: Seconds
    """When [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One tick that was looked at."""

    time: Seconds
    """[s]."""
    inserted: Meters
    """Length of the needle under the skin [m]."""
    advancing: bool
    """Whether it went on."""
    in_view: bool | None
    """Whether its tip was in the picture's plane; None without a needle under the skin."""
    counted: bool
    """Whether it could have been: not on the way from the skin beside the probe to the picture's edge."""
    tip: Mapping[str, Meters]
    """Distance of the tip to each guarded structure, negative inside [m]."""
    injected: CubicMeters
    """So far [m^3]."""
    place: tuple[Meters, Meters, Meters] | None = None
    """Of the tip in the picture: down, to the right, out of the plane; None without one [m]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Debrief:
    """A block, looked back upon."""

    seconds: Seconds
    """How long it was [s]."""
    scanning: Seconds | None
    """From the first touch of the probe to the first puncture; None where one of them never was [s]."""
    needling: Seconds | None
    """From the first puncture until the needle was out, or the end; None without one [s]."""
    punctures: int
    """Of the skin."""
    passes: int
    """Of the needle."""
    advanced: Meters
    """Whole way forward [m]."""
    in_view: float | None
    """Share of the advancing time with the tip in view, 0..1; None if it never advanced."""
    blind: Meters
    """Way forward in blind advances [m]."""
    probe_slips: int
    """Times the probe slid or turned while the needle went on."""
    approaches: tuple[Approach, ...]
    """Nearest first, of every guarded structure."""
    given: Mapping[str, CubicMeters]
    """How much was given where: "plane", "nerve", "vessel", "outside" [m^3]."""
    target: str | None
    """The nerve that was aimed at, if it is known."""
    ring: float | None
    """Share of the target's edge with fluid at it, 0..1; None where no picture shows it."""
    target_gap: Meters | None
    """Mean distance of the tip to the target while fluid was given, negative inside; None without both [m]."""
    findings: tuple[Finding, ...]
    """What to do better, worst first."""
    moments: tuple[Moment, ...]
    """What was looked at, in order."""
    told: tuple[Told, ...] | None = None
    """What the operator was told, and what was done about it; None where nobody kept it."""
    planned: tuple[Planned, ...] = ()
    """Paths that were taken."""

    @property
    def sentence(self) -> str:
        """What to do better next, in one sentence."""
        if self.findings:
            return self.findings[0].sentence
        return "Nothing to mend: the tip stayed in view, nothing was touched, the fluid went where it should."


def debrief(
    seed: int,
    settings: Settings,
    commands: Sequence[Command],
    until: Seconds,
    *,
    body: Body | None = None,
    target: str | None = None,
    told: Sequence[Mapping[str, Any]] | None = None,
    planned: Sequence[Planned] = (),
    every: int = 2,
    report: Report = silent,
) -> Debrief:
    """Live a block again and look back upon it.

    Parameters
    ----------
    seed : int
        Of the individual.
    settings : Settings
        As the patient had them.
    commands : sequence of Command
        All that were obeyed.
    until : float
        End on the patient's clock [s].
    body : Body, optional
        The one that the patient had, instead of the region's.
    target : str, optional
        Name of the nerve that was aimed at.
    told : sequence of mapping, optional
        Each change of the cues that stood, see `telling.told`; by default nobody kept them.
    planned : sequence of Planned
        Paths that were taken.
    every : int
        Look at every so manyth tick; more seldom while the needle rests, and most seldom while none is inside.
    report : callable
        Told how far it is.

    Returns
    -------
    Debrief
        Of the whole.

    Raises
    ------
    InputError
        If a command could not have been obeyed, or a number is out of range.
    FormatError
        If what was told is no list of cues.
    """
    check_range("until", until, (TICK, 7200), "s")
    check_count("every", every, (1, 20), "ticks")
    heard = None if told is None else cues_told(told, commands, until)
    look = _Look(commands, target, every * TICK, heard)
    coarse = replace(settings, truth_step=max(settings.truth_step, STEP))
    worth = _worth(commands)
    for truth in replay(seed, coarse, commands, until, body=body, every=every, at=worth, cleared=GUARDED):
        look.at(truth)
        report(round(truth.time / TICK), round(until / TICK), "living it again")
    taken = tuple(replace(one, until=look.moved_after(one.time)) for one in planned)
    return replace(look.debrief(until), planned=taken)


def _worth(commands: Sequence[Command]) -> Callable[[Seconds], bool]:
    """Tell which moments are looked at: all while the needle is moved, some while it rests, few while it is outside."""
    held = sorted((c for c in commands if isinstance(c, AdvanceNeedle)), key=lambda c: c.time)
    times = np.array([c.time for c in held])
    depth = np.array([c.inserted for c in held])
    moved = times[np.flatnonzero(np.diff(depth, prepend=0.0) != 0)]
    pressed = np.array([c.time for c in commands if isinstance(c, MoveProbe)])

    def at(time: Seconds) -> bool:
        number = int(np.searchsorted(times, time + TICK * 1e-3, side="right")) - 1
        inside = number >= 0 and depth[number] > 0
        since = time - (np.concatenate([moved, pressed]) if inside else moved)
        if np.any((since > -BEFORE) & (since < AFTER)):
            return True
        return round(time / TICK) % (RESTING if inside else OUTSIDE) == 0

    return at


class _Look:
    """Takes one truth after another."""

    def __init__(
        self, commands: Sequence[Command], target: str | None, step: Seconds, told: tuple[Told, ...] | None
    ) -> None:
        self._told = told
        self._rules = facts("insonate.training", "debrief")
        self._held = sorted((c for c in commands if isinstance(c, AdvanceNeedle)), key=lambda c: c.time)
        self._probe = sorted((c for c in commands if isinstance(c, MoveProbe)), key=lambda c: c.time)
        self._target, self._step = target, step
        self._moments: list[Moment] = []
        self._nearest: dict[str, Approach] = {}
        self._ring: float | None = None
        self._gap: list[tuple[CubicMeters, Meters]] = []
        self._given: Mapping[str, CubicMeters] = {}
        self._first_given: dict[str, Seconds] = {}
        self._tissues: dict[str, Tissue] = {}

    def at(self, truth: Truth) -> None:
        """Look at one tick."""
        if not self._tissues:
            self._tissues = {_key(s.name, s.instance): s.tissue for s in truth.structures}
        before = self._moments[-1] if self._moments else None
        # a command is obeyed at the first tick not before its time
        held = [c for c in self._held if c.time <= truth.time + TICK * 1e-3]
        inserted = held[-1].inserted if held and truth.needle_tip is not None else 0.0
        gone = inserted - (0.0 if before is None else before.inserted)
        guarded = {k: v for k, v in truth.clearances.items() if self._tissues.get(k) in GUARDED}
        for key, distance in guarded.items():
            self._note(key, distance, truth.shaft_clearances[key], truth.time)
        since = self._step if before is None else truth.time - before.time
        given = truth.injected - (0.0 if before is None else before.injected)
        for place, volume in truth.given.items():
            if volume > self._given.get(place, 0.0):
                self._first_given.setdefault(place, truth.time)
        self._given = truth.given
        gaps = [
            truth.clearances[_key(s.name, s.instance)]
            for s in truth.structures
            if s.name == self._target and _key(s.name, s.instance) in truth.clearances
        ]
        if given > 0 and gaps:
            self._gap.append((given, min(gaps)))
        ring = self._wet(truth)
        self._ring = self._ring if ring is None else ring
        self._moments.append(
            Moment(
                time=truth.time,
                inserted=inserted,
                advancing=gone > self._rules["needle"]["advance_speed"] * since,
                in_view=self._seen(truth),
                counted=self._under(truth),
                tip=guarded,
                injected=truth.injected,
                place=None
                if truth.needle_tip is None
                else (float(truth.needle_tip[2]), float(truth.needle_tip[0]), float(truth.needle_tip[1])),
            )
        )

    def _note(self, key: str, tip: Meters, shaft: Meters, time: Seconds) -> None:
        old = self._nearest.get(key)
        shaft = min(shaft, tip)
        nearer_tip = old is None or tip < old.tip
        nearer_shaft = old is None or shaft < old.shaft
        self._nearest[key] = Approach(
            structure=key,
            tissue=self._tissues[key],
            tip=tip if old is None or nearer_tip else old.tip,
            tip_time=time if old is None or nearer_tip else old.tip_time,
            shaft=shaft if old is None or nearer_shaft else old.shaft,
            shaft_time=time if old is None or nearer_shaft else old.shaft_time,
        )

    def _seen(self, truth: Truth) -> bool | None:
        tip = truth.needle_tip
        if tip is None:
            return None
        grid = truth.grid
        return bool(
            abs(tip[1]) <= self._rules["needle"]["half_slice"]
            and grid.lateral[0] <= tip[0] <= grid.lateral[-1]
            and 0 <= tip[2] <= grid.axial[-1]
        )

    def _under(self, truth: Truth) -> bool:
        """Tell whether the tip lies within the picture's width, or did since the puncture."""
        if truth.needle_tip is None:
            return False
        before = self._moments[-1] if self._moments else None
        lateral = truth.grid.lateral
        reached = bool(lateral[0] <= truth.needle_tip[0] <= lateral[-1])
        return reached or (before is not None and before.inserted > 0 and before.counted)

    def _wet(self, truth: Truth) -> float | None:
        """Give the share of the target's edge with fluid at it, where the picture shows both."""
        if self._target is None or not truth.injectate.any():
            return None
        labels = [n for n, s in enumerate(truth.structures, start=1) if s.name == self._target]
        nerve = np.isin(truth.labels, labels)
        if not nerve.any():
            return None
        edge = nerve & ~binary_erosion(nerve)
        steps = max(round(self._rules["fluid"]["wet"] / float(truth.grid.axial[1] - truth.grid.axial[0])), 1)
        near = binary_dilation(truth.injectate, iterations=steps)
        return float(near[edge].mean())

    def debrief(self, until: Seconds) -> Debrief:
        """Tell of all of it."""
        moments = self._moments = _reached(self._moments)
        inside = [m for m in moments if m.inserted > 0]
        touched = [c.time for c in self._probe if c.contact_force > 0]
        advancing = [m for m in moments if m.advancing and m.counted]
        view = float(np.mean([bool(m.in_view) for m in advancing])) if advancing else None
        start = inside[0].time if inside else None
        given = sum(volume for volume, _ in self._gap)
        values = Debrief(
            seconds=until,
            scanning=None if start is None or not touched else max(start - touched[0], 0.0),
            needling=None if start is None else min(inside[-1].time + self._step, until) - start,
            punctures=_rises([m.inserted > 0 for m in moments]),
            passes=_passes([m.inserted for m in moments], self._rules["needle"]["withdrawal"]),
            advanced=_forward(moments),
            in_view=view,
            blind=self._blind(),
            probe_slips=self._slips(),
            approaches=tuple(sorted(self._nearest.values(), key=lambda a: a.shaft)),
            given=self._given,
            target=self._target,
            ring=self._ring,
            target_gap=sum(volume * gap for volume, gap in self._gap) / given if given > 0 else None,
            findings=(),
            moments=tuple(moments),
            told=self._told,
        )
        return replace(values, findings=self._findings(values))

    def _blind(self) -> Meters:
        """Give the way forward in advances out of view that took longer than they may."""
        way, run, length = 0.0, 0.0, 0.0
        for before, now in pairwise(self._moments):
            if now.advancing and now.counted and not now.in_view:
                run += now.time - before.time
                length += now.inserted - before.inserted
                continue
            way += length if run > self._rules["needle"]["blind_time"] else 0.0
            run = length = 0.0
        return way + (length if run > self._rules["needle"]["blind_time"] else 0.0)

    def moved_after(self, time: Seconds) -> Seconds:
        """Give when the probe slid or turned further than it may from where it was at a time; infinite if it never did."""
        before = [c.pose for c in self._probe if c.time <= time]
        after = [c for c in self._probe if c.time > time]
        if not before:
            return after[0].time if after else np.inf
        return next((c.time for c in after if self._moved(before[-1], c.pose)), np.inf)

    def _moved(self, then: Pose, now: Pose) -> bool:
        rules = self._rules["probe"]
        slid = np.linalg.norm(now.translation - then.translation)
        turn = now.rotation @ then.rotation.T
        turned = np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))
        return bool(slid > rules["moved"] or turned > rules["turned"])

    def _slips(self) -> int:
        """Count times the probe slid or turned further than it may while the needle went on."""
        rules, count = self._rules["probe"], 0
        runs: list[list[Moment]] = []
        for before, now in pairwise(self._moments):
            if now.advancing:
                if runs and runs[-1][-1] is before:
                    runs[-1].append(now)
                else:
                    runs.append([before, now])
        for run in runs:
            if run[-1].inserted - run[0].inserted < rules["while_advancing"]:
                continue
            poses = [c.pose for c in self._probe if run[0].time <= c.time <= run[-1].time]
            at = 0
            for number in range(1, len(poses)):
                if self._moved(poses[at], poses[number]):
                    count, at = count + 1, number
        return count

    def _findings(self, block: Debrief) -> tuple[Finding, ...]:
        out: list[Finding] = []

        def add(severity: Severity, sentence: str, time: Seconds | None = None) -> None:
            out.append(Finding(severity=severity, sentence=sentence, time=time))

        if block.given.get("vessel", 0.0) > 0:
            add(
                Severity.HARM,
                f"Aspirate and look for spread before you inject: {_mL(block.given['vessel'])} went into a vessel.",
                self._first_given.get("vessel"),
            )
        if block.given.get("nerve", 0.0) > 0:
            add(
                Severity.HARM,
                "Stop at the first swelling of the nerve or rise of pressure: "
                f"{_mL(block.given['nerve'])} went into a nerve.",
                self._first_given.get("nerve"),
            )
        for said in block.told or ():
            if said.level is Level.STOP and said.advanced > self._rules["needle"]["on_after_stop"]:
                add(
                    Severity.RISK,
                    f"Stop when you are told to: the needle went on by {1e3 * said.advanced:.0f} mm under "
                    f'"{said.message}"',
                    said.begin,
                )
        for one in block.approaches:
            if one.shaft == 0 and one.tip > 0:
                add(
                    Severity.RISK,
                    f"Watch what moves as you give, press or turn: the {one.structure} came to lie against the shaft.",
                    one.shaft_time,
                )
            elif one.shaft <= 0:
                what, deep, when = (
                    ("tip", one.tip, one.tip_time) if one.tip <= 0 else ("shaft", one.shaft, one.shaft_time)
                )
                add(
                    Severity.HARM,
                    f"Keep clear of the {one.structure}: the {what} went {-1e3 * deep:.1f} mm into it.",
                    when,
                )
        if block.in_view is not None and block.in_view < self._rules["needle"]["in_view"]:
            add(
                Severity.RISK,
                f"Find the tip before you advance: it was in view for {100 * block.in_view:.0f} % of the advancing time, "
                f"and {1e3 * block.blind:.0f} mm were gone blind.",
            )
        if block.probe_slips:
            times = "once" if block.probe_slips == 1 else f"{block.probe_slips} times"
            add(
                Severity.RISK,
                f"Rest your probe hand on the skin: the probe slipped {times} while the needle moved.",
            )
        total = sum(block.given.values())
        if block.target is not None and total > 0 and block.ring is not None:
            if block.ring < self._rules["fluid"]["ring"]:
                add(
                    Severity.STYLE,
                    f"Place the rest where the fluid is missing: it lies along {100 * block.ring:.0f} % of the "
                    f"{block.target}'s edge.",
                )
        elif block.target is not None and total > 0:
            add(
                Severity.RISK,
                f"Keep the {block.target} in the picture while you inject: none shows it with fluid.",
            )
        if block.passes > 1:
            add(Severity.STYLE, f"Plan the path before the puncture: it took {block.passes} passes.")
        if block.needling is not None and total == 0:
            add(Severity.STYLE, "Finish the block: nothing was injected.")
        order = list(Severity)
        return tuple(sorted(out, key=lambda one: order.index(one.severity)))


def _key(name: str, instance: int) -> str:
    return name if instance == 1 else f"{name} {instance}"


def _reached(moments: Sequence[Moment]) -> list[Moment]:
    """Count the whole way of a needle that never came under the picture: all of it was blind."""
    out: list[Moment] = []
    visit: list[Moment] = []
    for one in [*moments, None]:
        if one is not None and one.inserted > 0:
            visit.append(one)
            continue
        if not any(m.counted for m in visit):
            visit = [replace(m, counted=True) for m in visit]
        out += visit if one is None else [*visit, one]
        visit = []
    return out


def _mL(volume: CubicMeters) -> str:  # noqa: N802 - the unit
    return f"{1e6 * volume:.1f} mL"


def _rises(states: Sequence[bool]) -> int:
    return sum(now and not before for before, now in zip([False, *states], states, strict=False))


def _forward(moments: Sequence[Moment]) -> Meters:
    inserted = [0.0, *(m.inserted for m in moments)]
    return float(np.maximum(np.diff(inserted), 0).sum())


def _passes(inserted: Sequence[Meters], withdrawal: Meters) -> int:
    """Count advances that follow a puncture, or a drawing back of more than `withdrawal`."""
    count, deepest, shallowest, going = 0, 0.0, 0.0, False
    for length in inserted:
        if length <= 0:
            shallowest, going = 0.0, False
        elif going:
            deepest = max(deepest, length)
            if deepest - length > withdrawal:
                shallowest, going = length, False
        else:
            shallowest = min(shallowest, length)
            if length > shallowest:
                count, deepest, going = count + 1, length, True
    return count
