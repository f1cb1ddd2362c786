"""What is known of needle, syringe and stimulator beside a live picture, and the cues that follow, frame by frame.

It takes every observation and every command of a source in the order they come, and the structures as they were last seen.
Each thing keeps its own time; what is too old is unknown. Structures are those of an earlier frame: they are relied on for a
second, and only while the probe has stayed where it was when they were seen.
"""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from insonate.core import (
    AdvanceNeedle,
    Clearance,
    Command,
    Cue,
    InjectionReading,
    Level,
    NeedleEcho,
    NeedlePose,
    NeedleState,
    Observation,
    Plan,
    Pose,
    Procedure,
    Scene,
    Stimulate,
    StimulationReading,
    Stimulus,
)
from insonate.core.units import CubicMeters, Meters, Radians, Seconds
from insonate.guidance.alerting import Alerting, Judgement
from insonate.guidance.continuity import Continuity
from insonate.guidance.evidence import (
    AspirationRule,
    EchoRule,
    TipRule,
    TwitchRule,
    about_clearances,
    about_image,
    about_pressure,
)
from insonate.guidance.nearness import clearances, in_probe_frame
from insonate.guidance.rules import rules

STRUCTURES_LAST: Seconds = 2.0
"""Structures seen longer ago are not relied on; a design assumption. On two cores that draw the page as well, two labellings
take a second and a half: with less, one would be out of date before the next has come, and nothing could be judged. Each
second of it widens every interval (`drift` in alerting.toml) [s]."""

STAYED: Meters = 1e-3
"""The probe has stayed if it slid less; half a slice [m]."""

STAYED_TURN: Radians = 0.035
"""And turned less: 1 mm at 30 mm from its middle [rad]."""

TRACKED_INSIDE: Meters = 2e-3
"""A tip tracked so deep below the face is under the skin, whoever holds it: more than a tracker's noise [m]."""

MOST_POSES = 256
"""Places of the probe that are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watched:
    """What is known beside one picture."""

    time: Seconds
    """On the source's clock [s]."""
    needle: NeedlePose | None
    """In the probe's frame, without a tip that is doubted or old; None where nothing tells where it or the probe is."""
    doubt: str | None
    """Why the tracker's tip is not relied on: the picture shows the needle elsewhere or not at all. None while it is."""
    shown: bool | None
    """Whether the picture shows the needle where the tracker has it; None where no picture could tell lately."""
    under_skin: bool | None
    """Whether a needle is under the skin, by the commands; None if none was given, or the tracker says otherwise."""
    in_plane: bool | None
    """Whether the tip lies within half a slice of the picture's plane; None if the tip is not known."""
    clearances: tuple[Clearance, ...]
    """To each hazard and the target; empty without a plan or with the needle outside."""
    injection: InjectionReading | None
    """The newest."""
    aspirated: CubicMeters | None
    """How much was given when the syringe was drawn last and no blood came, from where the needle is; None if not so."""
    stimulation: StimulationReading | None
    """The newest."""
    cues: tuple[Cue, ...]
    """Loudest first."""


class Watch:
    """Watches one source; it has memory. Not for several threads at once."""

    def __init__(self, procedure: Procedure) -> None:
        """Begin without having seen anything."""
        self._alerting = Alerting()
        self._echo = EchoRule()
        self._stimulus: tuple[Stimulus, Seconds] | None = None  # what is asked for, and since when
        self.begin(procedure)

    def begin(self, procedure: Procedure) -> None:
        """Begin anew with a procedure: all that was held is forgotten, and all is unknown.

        A tracker that is not relied on stays so: the needle is the same.

        Parameters
        ----------
        procedure : Procedure
            What is done.
        """
        self._procedure = procedure
        self._alerting.forget()
        self._tip, self._twitch, self._drawn = TipRule(), TwitchRule(), AspirationRule()
        self._continuity = Continuity()
        self._labelled: tuple[Scene, Pose | None] | None = None
        self._poses: deque[Pose] = deque(maxlen=MOST_POSES)
        self._needle: NeedlePose | None = None
        self._injection: InjectionReading | None = None
        self._stimulation: StimulationReading | None = None
        self._held: deque[tuple[Seconds, Meters]] = deque(maxlen=MOST_POSES)
        self._another = False  # whether the tracker has a needle inside that no command holds there

    def observe(self, observation: Observation) -> None:
        """Take one observation; pictures are not kept."""
        if isinstance(observation, Pose):
            self._poses.append(observation)
        elif isinstance(observation, NeedlePose):
            if self._needle is None or observation.time >= self._needle.time:
                self._needle = observation
        elif isinstance(observation, InjectionReading):
            self._injection = observation
            self._drawn.take(observation)
        elif isinstance(observation, StimulationReading):
            self._stimulation = observation

    def look(self, echo: NeedleEcho) -> None:
        """Take what a picture shows along the needle."""
        self._echo.look(echo)

    def command(self, command: Command) -> None:
        """Take one command that was given to the source."""
        if isinstance(command, AdvanceNeedle):
            self._held.append((command.time, command.inserted))
            self._drawn.move(command.inserted, command.entry + command.inserted * command.direction)
        elif isinstance(command, Stimulate):
            since = command.time if self._stimulus is None else self._stimulus[1]
            self._stimulus = None if command.stimulus is None else (command.stimulus, since)

    def acknowledge(self, rule: str, about: str, who: str) -> None:
        """Note who took note of a cue; see `guidance.alerting.Alerting.acknowledge`."""
        self._alerting.acknowledge(rule, about, who)

    def judge(
        self,
        scene: Scene | None,
        plan: Plan | None,
        seen: Seconds | None,
        frame: Seconds | None,
        now: Seconds,
    ) -> Watched:
        """Say what is known now.

        Parameters
        ----------
        scene : Scene or None
            Picture and structures as they were last labelled; None if they never were, or the last try failed.
        plan : Plan or None
            Made of that scene.
        seen : float or None
            When that scene's picture was taken [s].
        frame : float or None
            When the newest picture was taken; None if there is none [s].
        now : float
            [s].

        Returns
        -------
        Watched
            With the cues that stand.
        """
        under = self._under_skin(now)
        probe = self._poses[-1] if self._poses else None
        echo = self._echo.judge(now, under_skin=under)
        tracked = self._needle
        needle = None if tracked is None else in_probe_frame(tracked, self._pose_at(tracked.time))
        judgements = [
            about_image(frame, now),
            self._tip.judge(self._needle, now, under_skin=under, advancing=self._advancing(now)),
            echo,
            about_pressure(self._injection, now),
            self._drawn.judge(self._injection, now),
            self._twitch.judge(
                self._stimulation,
                tracked if self._unsure(now) is None else _without_tip(tracked),
                now,
                asked=self._stimulus,
            ),
        ]
        near: tuple[Clearance, ...] = ()
        if under is False or (under is None and needle is None):
            judgements += [self._outside(about, now) for about in self._alerting.spoken_of("clearance")]
        else:
            near = self._near(scene, plan, needle, probe, seen, now)
            judgements += about_clearances(near, now if self._needle is None else self._needle.time)
        if self._unsure(now) is not None:
            needle = _without_tip(needle)
        return Watched(
            time=now,
            needle=needle,
            doubt=self._echo.doubt,
            shown=self._echo.shown(now),
            under_skin=under,
            in_plane=self._in_plane(needle),
            clearances=near,
            injection=self._injection,
            aspirated=self._drawn.clear,
            stimulation=self._stimulation,
            cues=self._alerting.judge(judgements, now),
        )

    # --- what is known ---

    def _under_skin(self, now: Seconds) -> bool | None:
        """Tell whether a needle is under the skin, by the commands; where the tracker said otherwise last, nobody knows."""
        if not self._held or self._held[-1][1] > 0:
            return True if self._held else None
        needle = self._needle
        if needle is not None and now - needle.time <= rules()["alerting"]["stale"]:
            there = in_probe_frame(needle, self._pose_at(needle.time))
            if there is not None and there.tip is not None:
                self._another = bool(there.tip[2] > TRACKED_INSIDE)
        return None if self._another else False

    def _advancing(self, now: Seconds) -> bool | None:
        """Tell whether the needle went on within the last half second, by the commands; None if none was given."""
        if not self._held:
            return None
        since = now - rules()["needle"]["blind"]
        before = [length for time, length in self._held if time <= since]
        start = before[-1] if before else 0.0
        speed = (self._held[-1][1] - start) / rules()["needle"]["blind"]
        return bool(speed > rules()["needle"]["advance_speed"])

    def _pose_at(self, time: Seconds) -> Pose | None:
        """Give where the probe was at a time: the nearest of what is remembered."""
        return min(self._poses, key=lambda pose: abs(pose.time - time), default=None)

    @staticmethod
    def _in_plane(needle: NeedlePose | None) -> bool | None:
        if needle is None or needle.state is not NeedleState.TIP or needle.tip is None:
            return None
        return bool(abs(needle.tip[1]) <= rules()["needle"]["half_slice"])

    def _near(
        self,
        scene: Scene | None,
        plan: Plan | None,
        needle: NeedlePose | None,
        probe: Pose | None,
        seen: Seconds | None,
        now: Seconds,
    ) -> tuple[Clearance, ...]:
        if scene is None or plan is None:
            return tuple(
                _unknown(one.structure, one.margin.value, "no structures are known")
                for one in self._procedure.hazards
            )
        self._follow(scene, plan, seen)
        found = clearances(
            scene, plan, self._procedure, needle, None, age=0.0 if seen is None else now - seen
        )
        all_of_it = self._unsure(now) or self._unreliable(probe, seen, now)
        out = []
        for one in found:
            why = all_of_it or self._continuity.doubts.get(one.structure)
            known = one.distance is not None
            out.append(_unknown(one.structure, one.margin, why) if known and why is not None else one)
        return tuple(out)

    def _unsure(self, now: Seconds) -> str | None:
        """Give why the tip that was tracked last is not relied on; None if it is."""
        silent = 0.0 if self._needle is None else now - self._needle.time
        if silent > rules()["alerting"]["stale"]:
            return f"the tracker is silent for {silent:.1f} s"
        return self._echo.doubt

    def _follow(self, scene: Scene, plan: Plan, seen: Seconds | None) -> None:
        """Hold a new labelling against the one before, from the same place of the probe."""
        if self._labelled is not None and scene is self._labelled[0]:
            return
        there = None if seen is None else self._pose_at(seen)
        then = None if self._labelled is None else self._labelled[1]
        self._continuity.take(scene, plan, stayed=there is None or then is None or stayed(there, then))
        self._labelled = (scene, there)

    def _unreliable(self, probe: Pose | None, seen: Seconds | None, now: Seconds) -> str | None:
        """Give why the structures are not relied on any more; None if they are."""
        if seen is None or now - seen > STRUCTURES_LAST:
            return (
                "structures not seen yet" if seen is None else f"structures last seen {now - seen:.1f} s ago"
            )
        then = self._pose_at(seen)
        if probe is None or then is None:
            return None  # a source without a tracked probe: nobody says that it moved
        if not stayed(probe, then):
            return "the probe has moved since structures were seen"
        return None

    @staticmethod
    def _outside(about: str, now: Seconds) -> Judgement:
        """Judge a needle that is out of the skin, by whoever holds it: it is near to nothing."""
        return Judgement(
            rule="clearance",
            about=about,
            level=None,
            excludes=Level.INFO,
            observed=now,
            message="No needle is under the skin.",
            reason="Needle outside",
        )


def stayed(now: Pose, then: Pose) -> bool:
    """Tell whether a probe is still where it was, as near as a picture can tell.

    Parameters
    ----------
    now, then : Pose
        Patient <- probe.

    Returns
    -------
    bool
        False if it slid or turned out of the slice.
    """
    slid = float(np.linalg.norm(now.translation - then.translation))
    turned = float(np.arccos(np.clip((np.trace(now.rotation @ then.rotation.T) - 1) / 2, -1, 1)))
    return slid <= STAYED and turned <= STAYED_TURN


def _without_tip(needle: NeedlePose | None) -> NeedlePose | None:
    if needle is None or needle.state is not NeedleState.TIP:
        return needle
    return replace(needle, state=NeedleState.SHAFT_ONLY, tip=None, covariance=None)


def _unknown(structure: str, margin: Meters, reason: str) -> Clearance:
    return Clearance(
        structure=structure,
        distance=None,
        interval=None,
        unit=None,
        contact_probability=None,
        margin=margin,
        reason=reason,
    )
