"""What the pilot does, and what the instruments say: between messages of the page and the nouns of a live source.

The syringe is a dead man's: it is pressed while the page says so again and again, and let go once that fails. What is told
of the needle is what the tracker sees, laid over the probe as it was at that time; how near it is to a structure, and what
is advised, is what the alarm judged.
"""

import math
import time
from contextlib import suppress

from insonate.app import messages
from insonate.app.messages import (
    CueRow,
    InjectorNow,
    MoveNeedle,
    MoveProbe,
    NearRow,
    NeedleNow,
    Press,
    ProbeNow,
    Stimulate,
    StimulatorNow,
    TrackNow,
)
from insonate.app.pilots import Pilots
from insonate.core import Clearance, Cue, InputError, Level, NeedleState
from insonate.core.units import Meters, Radians, Seconds
from insonate.guidance.rules import rules
from insonate.pipeline.hands import (
    AGENT,
    FLOW_STEP,
    LEAST_FLOW,
    MOST_FLOW,
    PULSE_RATE,
    PULSE_WIDTH,
    Hands,
    Held,
)
from insonate.pipeline.live import Live
from insonate.pipeline.tracking import Track, track_of
from insonate.pipeline.watch import TRACKED_INSIDE

KINDS = ("MoveProbe", "AdvanceNeedle", "Inject", "Stimulate")
"""A source that obeys all of these can be held in the hand."""

LET_GO: Seconds = 0.6
"""The syringe is let go of when the page has not said for so long that it is pressed [s]."""

WATCHDOG = "watchdog"
"""The rule that no picture comes."""

BLIND: Seconds = 1.0
"""Syringe and stimulator are switched off when no picture has come for so long; a design assumption [s]."""

LOOKED_FOR: Seconds = 3.0
"""So long a structure that was too near, and is not labelled now, is waited for before the needle is to go back: most are
labelled again by then, or told to be none [s]."""

LOOKED_AGAIN: Seconds = 5.0
"""For so long a needle that the picture does not show is drawn back in steps; then it is drawn back as it is [s]."""

Deed = MoveProbe | MoveNeedle | Press | Stimulate


def can_be_held(live: Live) -> bool:
    """Whether a source obeys hands."""
    return set(KINDS) <= live.source.accepts


class Cockpit:
    """The hands over one live source, and what its instruments say."""

    def __init__(self, live: Live, pilots: Pilots) -> None:
        """Take a source that can be held, and who may hold it."""
        self.live, self.pilots = live, pilots
        self._hands: Hands | None = None
        self._pressed: Seconds = 0.0
        self._known_at: dict[str, Seconds] = {}  # when it was known last how near each structure is
        self._noted: str | None = None  # who took note of the standstill

    # --- what is done ---

    def obey(self, deed: Deed, viewer: int) -> None:
        """Do what a viewer asks for.

        Parameters
        ----------
        deed : MoveProbe or MoveNeedle or Press or Stimulate
            What.
        viewer : int
            Who.

        Raises
        ------
        InputError
            If another is the pilot, or it cannot be done now.
        """
        self.pilots.check(viewer)
        hands, by = self._held(), f"viewer {viewer}"
        lets_go = isinstance(deed, Press | Stimulate) and not deed.on
        if self.live.frozen and not lets_go:
            raise InputError("The picture is frozen. Let it go on before you move anything.")
        match deed:
            case MoveProbe():
                hands.probe(
                    slide=deed.slide,
                    along=deed.along,
                    rotate=deed.rotate,
                    tilt=deed.tilt,
                    rock=deed.rock,
                    press=deed.press,
                    by=by,
                )
            case MoveNeedle():
                hands.needle(
                    entry=deed.entry,
                    angle=deed.angle,
                    yaw=deed.yaw,
                    advance=deed.advance,
                    bevel=deed.bevel,
                    by=by,
                )
            case Press(on=on, draw=draw, flow=flow):
                self._pressed = time.monotonic()
                hands.inject(on=on, by=by, draw=draw, flow=flow)
            case Stimulate(on=on, current=current):
                hands.stimulate(on=on, current=current, by=by)

    def lay(self, entry: tuple[Meters, Meters], angle: Radians, viewer: int) -> None:
        """Lay a needle that is outside on the skin, so that it goes on along a planned path.

        The face lies deeper than the skin beside it, pressed in by the hand: there the line of the path is further out.

        Parameters
        ----------
        entry : (float, float)
            Where the path begins in the picture, down and to the right of its middle [m].
        angle : float
            To the skin [rad].
        viewer : int
            Who lays it.

        Raises
        ------
        InputError
            If another is the pilot, or it is under the skin.
        """
        self.pilots.check(viewer)
        held = self._held()
        now, probe = held.held, self.live.readings.probe
        pressed = 0.0 if probe is None else max(float(probe.translation[2]), 0.0)
        beside = entry[1] - (entry[0] + pressed) / math.tan(angle)
        held.needle(entry=now.beside - beside, angle=angle - now.angle, yaw=-now.yaw, by=f"viewer {viewer}")

    def watch(self) -> bool:
        """Let go of a syringe whose page has fallen silent, and of all while no picture comes; True if anything was."""
        hands = self._hands
        silent = self.live.silent_for()
        if hands is not None and silent is not None and silent > BLIND:
            was = hands.held.syringe or hands.held.stimulating
            hands.rest("the watchdog")
            return was
        if hands is None or not hands.held.syringe or time.monotonic() - self._pressed < LET_GO:
            return False
        hands.inject(on=False, by="the watchdog")
        return True

    def rest(self) -> None:
        """Leave syringe and stimulator off: their pilot is gone."""
        if self._hands is not None:
            self._hands.rest("the watchdog")

    def _held(self) -> Hands:
        if self._hands is None:
            probe = self.live.readings.probe
            if probe is None:
                raise InputError("There is no patient under the probe yet.")
            needle = self.live.procedure.needle
            self._hands = Hands(self.live.command, probe, length=needle.length.value)
            # an agent holds its own, and so does who is tracked already
            if not getattr(self.live.source, "operated", False) and self.live.readings.needle is None:
                self._hands.needle(by="the machine")  # outside, so that nobody looks for its tip
            with suppress(InputError):  # a gauge that the source has not: it keeps its own
                self.live.set_control("needle_gauge", float(needle.gauge))
        return self._hands

    # --- what is said ---

    def now(self, viewer: int) -> messages.Hands | None:
        """Say how all is held and what the instruments say; None before the first reading."""
        try:
            hands = self._held()
        except InputError:
            return None
        held, live, track = hands.held, self.live, self._track()
        return messages.Hands(
            you=viewer,
            pilot=self.pilots.pilot,
            asking=self.pilots.asking,
            at_edge=live.at_edge,
            probe=ProbeNow(
                x=held.x, y=held.y, rotation=held.rotation, tilt=held.tilt, rock=held.rock, force=held.force
            ),
            needle=NeedleNow(
                beside=held.beside,
                angle=held.angle,
                yaw=held.yaw,
                inserted=held.inserted,
                length=hands.length,
                bevel=held.bevel,
            ),
            track=track,
            near=self._near(track) if held.inserted > 0 or _by_another(track) else [],
            stimulator=self._stimulator(hands),
            injector=self._injector(hands),
        )

    def _clock(self) -> Seconds:
        """Give the time of the source: that of its newest reading."""
        probe = self.live.readings.probe
        return 0.0 if probe is None else probe.time

    def _track(self) -> TrackNow | None:
        watched = None if self.live.alarm is None else self.live.alarm.watched
        track = track_of(self.live.readings, self._clock(), watched=watched)
        return None if track is None else track_now(track, self.live.procedure.needle.diameter.value)

    def _near(self, track: TrackNow | None) -> list[NearRow]:
        watched = None if self.live.alarm is None else self.live.alarm.watched
        # The tracker may have said more since that was judged: a tip that left the plane takes its distances with it.
        seen = track is not None and track.state == NeedleState.TIP.value and track.in_plane is True
        why = (
            None
            if seen or (track is not None and track.doubt)  # each row has that for its reason
            else "the tip is out of the image plane"
            if track and track.tip
            else "the needle's tip is not seen"
        )
        return [] if watched is None else [_near_row(one, why) for one in watched.clearances]

    def cues(self) -> messages.Cues:
        """Say what stands, loudest first."""
        alarm = self.live.alarm
        standing = () if alarm is None else alarm.cues
        return messages.Cues(
            cues=[
                *self._stalled(standing),
                *(
                    CueRow(
                        level=one.level.value,
                        about=one.about,
                        rule=one.rule,
                        message=one.message,
                        reason=one.reason,
                        acknowledged_by=one.acknowledged_by,
                        do=None
                        if self._hands is None
                        else _with_key(one, self._hands.held, self._unseen(one)),
                    )
                    for one in standing
                ),
            ]
        )

    def _unseen(self, cue: Cue) -> Seconds | None:
        """Give for how long it has not been known how near a structure is; None if it is known."""
        watched = None if self.live.alarm is None else self.live.alarm.watched
        now = cue.time if watched is None else watched.time
        for one in () if watched is None else watched.clearances:
            if one.distance is not None:
                self._known_at[one.structure] = now
        known_at = self._known_at.get(cue.about, cue.since)
        return None if known_at >= now else now - known_at

    def _stalled(self, standing: tuple[Cue, ...]) -> list[CueRow]:
        """Say that no picture comes: the rules are judged by the source's clock, and it may be that which has stopped."""
        silent = self.live.silent_for()
        if (
            silent is None
            or silent <= rules()["alerting"]["stale"]
            or any(one.rule == "image" for one in standing)
        ):
            self._noted = None
            return []
        return [
            CueRow(
                level=Level.CAUTION.value,
                about="image",
                rule=WATCHDOG,
                message="Hold. Wait for the image.",
                reason=f"No frame for {silent:.1f} s",
                acknowledged_by=self._noted,
            )
        ]

    def acknowledge(self, rule: str, about: str, viewer: int) -> None:
        """Note that a viewer took note of a cue.

        Raises
        ------
        InputError
            If there is no such cue.
        """
        if rule == WATCHDOG:
            self._noted = f"viewer {viewer}"
        elif self.live.alarm is not None:
            self.live.alarm.acknowledge(rule, about, f"viewer {viewer}")

    def _stimulator(self, hands: Hands) -> StimulatorNow:
        held, read = hands.held, self.live.readings.stimulation
        return StimulatorNow(
            on=held.stimulating,
            current=held.current,
            pulse_width=PULSE_WIDTH,
            rate=PULSE_RATE,
            delivered=None if read is None else read.delivered,
            muscle=None if read is None else read.muscle,
            grade=None if read is None else read.grade,
            impedance=None if read is None else read.impedance,
            age=None if read is None else max(self._clock() - read.time, 0.0),
        )

    def _injector(self, hands: Hands) -> InjectorNow:
        read = self.live.readings.injection
        watched = None if self.live.alarm is None else self.live.alarm.watched
        age = None if read is None else max(self._clock() - read.time, 0.0)
        fresh = read is not None and age is not None and age <= rules()["alerting"]["stale"]
        return InjectorNow(
            pressing=hands.held.injecting,
            drawing=hands.held.drawing,
            flow=hands.held.flow,
            slowest=LEAST_FLOW,
            fastest=MOST_FLOW,
            step=FLOW_STEP,
            drawn=read.drawn.value if fresh and read is not None and read.drawn is not None else None,
            aspirated=None if watched is None else watched.aspirated,
            agent=AGENT,
            rate=None if read is None else read.rate,
            volume=None if read is None else read.volume,
            pressure=None if read is None else read.pressure,
            age=age,
        )


def _by_another(track: TrackNow | None) -> bool:
    """Tell whether a needle is tracked below the skin that no hand here holds: an agent's."""
    return (
        track is not None
        and track.under_skin is None
        and track.tip is not None
        and track.tip[0] > TRACKED_INSIDE
    )


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _with_key(cue: Cue, held: Held, unseen: Seconds | None) -> str | None:
    """Name the key that does what a cue asks for; to what is not seen any more, no step back can be told enough."""
    if held.inserted <= 0:
        return None
    if cue.rule == "pressure" and cue.level is Level.CAUTION and held.flow > LEAST_FLOW:
        return "Press {U} to inject slower: pressure near its limit."
    if cue.rule == "pressure":
        loud = cue.level in (Level.STOP, Level.CAUTION)
        return "Stop injecting. Press {↓} to withdraw 1 mm." if loud else None
    if cue.rule == "aspiration":
        again = cue.message.endswith("again.")
        return "Blood. Hold {Z} to aspirate again." if again else "Blood. Press {↓} to withdraw 1 mm."
    if cue.rule == "echo":
        if cue.time - cue.since > LOOKED_AGAIN:  # steps did not bring it back
            return f"Hold {{↓}} to withdraw: {_first_lower(cue.reason)}."
        return f"Press {{↓}} 2 times, look again: {_first_lower(cue.reason)}."
    if cue.rule != "clearance":
        return None
    if cue.level is Level.STOP:
        return f"Stop. Hold {{↓}} to withdraw from the {cue.about}."
    if cue.level is not Level.CAUTION:
        return None
    if unseen is not None and unseen < LOOKED_FOR:
        return f"Wait. Look for the {cue.about}."
    if unseen is not None:
        return f"Hold {{↓}} to withdraw: {cue.about} not seen now."
    return f"Press {{↓}} 2 times: too near to the {cue.about}."


def track_now(track: Track, diameter: Meters) -> TrackNow:
    """Say where a tracker has the needle.

    Parameters
    ----------
    track : Track
        What is known of it.
    diameter : float
        Outer, of its shaft [m].

    Returns
    -------
    TrackNow
        As the page is told.
    """
    lists = {
        name: None if value is None else list(value)
        for name, value in (("tip", track.tip), ("tail", track.tail), ("ellipse", track.ellipse))
    }
    return TrackNow(
        state=track.state.value,
        age=track.age,
        tip_age=track.tip_age,
        in_plane=track.in_plane,
        under_skin=track.under_skin,
        shown=track.shown,
        doubt=track.doubt,
        diameter=diameter,
        **lists,
    )


def _near_row(one: Clearance, why: str | None) -> NearRow:
    known = why is None and one.distance is not None and one.interval is not None and one.unit == "m"
    interval = None
    if known and one.distance is not None and one.interval is not None:
        interval = [round(1e3 * value, 2) for value in (one.distance, *one.interval)]
    return NearRow(
        structure=one.structure,
        interval_mm=interval,
        margin_mm=round(1e3 * one.margin, 1),
        keeps_margin=one.keeps_margin if known else None,
        reason=why if why is not None and one.distance is not None else one.reason,
    )
