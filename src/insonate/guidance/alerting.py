"""Cues that last: louder at once, quieter only on positive evidence.

For each rule and structure a level is held. A judgement that is louder is taken at once. A quieter one is taken only when
fresh observations without a gap, for a dwell of 1 s, each excluded the level that is held: a whole 95 % interval beyond
its threshold, or the contrary evidence that the rule names. It then falls to the loudest of that dwell. Evidence that is
missing, old or repeated lowers nothing: it adds "unknown", which ends by the same dwell. An observation is fresh if it is
newer than the one before and no older than `stale` when it is judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from insonate.core import Clearance, Cue, InputError, Level
from insonate.core.units import Seconds
from insonate.guidance.rules import rules

SLACK: Seconds = 1e-6
"""Times that are equal but for rounding [s]."""

MISSED = 1.6
"""After so many periods without an observation one is missing."""

NOT_SEEN = "no fresh observation"
"""Why a thing is unknown that is not spoken of any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the newest observation says of one rule and structure."""

    rule: str
    """Name of the rule."""
    about: str
    """Of what."""
    level: Level | None
    """What is advised now; None for nothing, UNKNOWN if it cannot be told."""
    excludes: Level | None
    """The quietest level that the observation rules out, with all louder ones; None if it rules out nothing."""
    observed: Seconds
    """When it was so [s]."""
    message: str
    """What to do."""
    reason: str
    """Why."""
    clearance: Clearance | None = None
    """The distance it is about."""
    period: Seconds = 0.0
    """Usual time between two observations of its kind, where that is long [s]."""
    known: bool = False
    """Whether something was observed although it advises nothing and rules out nothing: it ends that all was unknown."""

    def __post_init__(self) -> None:
        rank = -1 if self.level is None else self.level.rank
        if self.excludes is not None and (self.level is Level.UNKNOWN or self.excludes.rank <= rank):
            raise InputError("Judgement.excludes must be louder than its level, and None for what is unknown")

    @property
    def says(self) -> bool:
        """Whether it says anything."""
        says = self.known or self.level is not None or self.excludes is not None
        return self.level is not Level.UNKNOWN and says


@dataclass(slots=True, kw_only=True)
class _Held:
    """What is held of one rule and structure."""

    words: Judgement
    level: Level | None = None
    since: Seconds
    unknown: Judgement | None = None
    unknown_since: Seconds
    observed: Seconds
    quiet_since: Seconds | None = None
    """Of the run of contrary observations."""
    quiet_level: Level | None = None
    """The loudest of that run."""
    known_since: Seconds | None = None
    """Of the run of observations that said anything."""
    acknowledged: tuple[str, Level] | None = None


class Alerting:
    """Holds the cues of one examination; it has memory."""

    def __init__(self) -> None:
        """Begin with none."""
        self._held: dict[tuple[str, str], _Held] = {}

    def judge(self, judgements: Sequence[Judgement], now: Seconds) -> tuple[Cue, ...]:
        """Take what the newest observations say.

        Parameters
        ----------
        judgements : sequence of Judgement
            At most one for each rule and structure; what was spoken of before and is not now is unknown.
        now : float
            On the clock of the observations [s].

        Returns
        -------
        tuple of Cue
            What stands, loudest first, then the older first.

        Raises
        ------
        InputError
            If a rule and structure is spoken of twice.
        """
        spoken: dict[tuple[str, str], Judgement] = {}
        for one in judgements:
            if spoken.setdefault((one.rule, one.about), one) is not one:
                raise InputError(f"rule {one.rule!r} was judged twice about {one.about!r}")
        for key, one in spoken.items():
            self._take(key, one, now)
        for key, held in self._held.items():
            if key not in spoken:
                self._lose(held, NOT_SEEN, now)
        cues = [cue for key in list(self._held) for cue in self._cues(key, now)]
        return tuple(sorted(cues, key=lambda cue: (-cue.level.rank, cue.since)))

    def acknowledge(self, rule: str, about: str, who: str) -> None:
        """Note that somebody took note of a cue; it stands until evidence ends it, and a louder one is not covered.

        Parameters
        ----------
        rule, about : str
            Of the cue.
        who : str
            A person's name.

        Raises
        ------
        InputError
            If there is no such cue, or nobody is named.
        """
        held = self._held.get((rule, about))
        level = None if held is None else (held.level or (Level.UNKNOWN if held.unknown else None))
        if held is None or level is None:
            raise InputError(f"there is no cue of the rule {rule[:40]!r} about {about[:40]!r}")
        if not who.strip():
            raise InputError("who acknowledges must be named, got ''")
        held.acknowledged = (who, level)

    def spoken_of(self, rule: str) -> tuple[str, ...]:
        """Give what a rule has been spoken of about."""
        return tuple(about for name, about in self._held if name == rule)

    def forget(self) -> None:
        """Begin anew: another patient, another examination."""
        self._held.clear()

    # --- how it goes on ---

    def _take(self, key: tuple[str, str], one: Judgement, now: Seconds) -> None:
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = _Held(words=one, since=now, unknown_since=now, observed=-1e12)
        if now - one.observed > max(rules()["alerting"]["stale"], MISSED * one.period):
            self._raise(
                held, one, now
            )  # what it said was true then: it may raise what is held, and lowers nothing
            self._lose(held, f"last seen {now - one.observed:.1f} s ago", now)
            return
        if one.level is Level.UNKNOWN:
            self._lose(held, one.reason, now, one)
            return
        gap = one.observed - held.observed
        held.observed = max(held.observed, one.observed)
        louder = self._raise(held, one, now)
        if gap > 0:  # the same observation again is no new evidence
            self._know(held, one, gap)
            if not louder:
                self._quieten(held, one, gap, now)

    def _raise(self, held: _Held, one: Judgement, now: Seconds) -> bool:
        """Take a judgement that is louder, or as loud in new words; tell whether it was."""
        if one.level is None or one.level is Level.UNKNOWN:
            return False
        rank = -1 if held.level is None else held.level.rank
        if one.level.rank < rank:
            return False
        if one.level.rank > rank:
            held.level, held.since = one.level, now
        held.words, held.quiet_since = one, None
        return True

    @staticmethod
    def _know(held: _Held, one: Judgement, gap: Seconds) -> None:
        """End "unknown" when something was known for a dwell."""
        values = rules()["alerting"]
        if not one.says:
            held.known_since = None
        elif held.known_since is None or gap > max(values["gap"], MISSED * one.period):
            held.known_since = one.observed
        elif one.observed - held.known_since >= values["dwell"] - SLACK:
            held.unknown = None

    @staticmethod
    def _quieten(held: _Held, one: Judgement, gap: Seconds, now: Seconds) -> None:
        """Let the level fall when nothing but contrary evidence came for a dwell, to the loudest of that dwell."""
        values = rules()["alerting"]
        if held.level is None:
            held.words = one
            return
        if one.excludes is None or one.excludes.rank > held.level.rank:
            held.quiet_since = None
            return
        rank = -1 if one.level is None else one.level.rank
        if held.quiet_since is None or gap > max(values["gap"], MISSED * one.period):
            held.quiet_since, held.quiet_level = one.observed, one.level
        elif held.quiet_level is None or rank > held.quiet_level.rank:
            held.quiet_level = one.level or held.quiet_level
        if one.observed - held.quiet_since >= values["dwell"] - SLACK:
            held.level, held.since, held.words = held.quiet_level, now, one
            held.quiet_since = held.acknowledged = None

    @staticmethod
    def _lose(held: _Held, why: str, now: Seconds, one: Judgement | None = None) -> None:
        held.quiet_since = held.known_since = None
        held.unknown_since = now if held.unknown is None else held.unknown_since
        held.unknown = one or replace(held.words, level=None, excludes=None, reason=why, clearance=None)

    def _cues(self, key: tuple[str, str], now: Seconds) -> list[Cue]:
        held = self._held[key]
        out = []
        if held.level is not None:
            out.append(self._cue(held, held.words, held.level, held.since, now))
        if held.unknown is not None:
            out.append(self._cue(held, held.unknown, Level.UNKNOWN, held.unknown_since, now))
        return out

    @staticmethod
    def _cue(held: _Held, words: Judgement, level: Level, since: Seconds, now: Seconds) -> Cue:
        taken = held.acknowledged
        covered = taken is not None and level.rank <= taken[1].rank
        return Cue(
            level=level,
            about=words.about,
            rule=words.rule,
            message=words.message,
            reason=words.reason,
            clearance=words.clearance,
            time=now,
            since=min(since, now),
            acknowledged_by=taken[0] if taken is not None and covered else None,
        )
