"""What an operator was told in a simulated block, and what was done about it.

A cue is told from when it first stood at a level until it stood there no more. What was done is read off the commands of
that time: how far the needle went on or was drawn back, and how much was given. Nothing here knows the truth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from insonate.core import AdvanceNeedle, Command, FormatError, Inject, Level
from insonate.core.checks import check_range
from insonate.core.units import CubicMeters, Meters, Seconds

OF_THE_NEEDLE = ("tip", "echo", "image")
"""Rules whose "unknown" is told as well: where the needle is."""

MOST_ROWS = 100_000
"""Changes of what stood; more are not read."""

MOST_CUES = 200
"""That stand at once; more are not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One cue at one level, and what was done while it stood."""

    level: Level
    """How loud."""
    rule: str
    """Name of the rule."""
    about: str
    """Of what."""
    message: str
    """What to do, as it was said first."""
    begin: Seconds
    """From when it stood [s]."""
    end: Seconds
    """Until when [s]."""
    acknowledged: tuple[str, Seconds] | None = None
    """Who took note of it, and when; None if nobody did."""
    advanced: Meters = 0.0
    """How far the needle went on while it stood [m]."""
    withdrawn: Meters = 0.0
    """How far it was drawn back [m]."""
    given: CubicMeters = 0.0
    """How much was given [m^3]."""

    @property
    def done(self) -> str:
        """What was done, in words."""
        words = []
        if self.acknowledged is not None:
            who, when = self.acknowledged
            words.append(f"{who} took note after {max(when - self.begin, 0.0):.1f} s")
        for name, way in (("went on by", self.advanced), ("was drawn back by", self.withdrawn)):
            if way >= 5e-4:
                words.append(f"the needle {name} {1e3 * way:.0f} mm")
        if self.given >= 5e-8:
            words.append(f"{1e6 * self.given:.1f} mL were given")
        return ", ".join(words) or "the needle was held"


def told(rows: Sequence[Mapping[str, Any]], commands: Sequence[Command], until: Seconds) -> tuple[Told, ...]:
    """Give what was told, in order.

    Parameters
    ----------
    rows : sequence of mapping
        Each change of what stood: its `time` [s] and its `cues`, each with level, rule, about, message, acknowledged_by.
    commands : sequence of Command
        Of the block.
    until : float
        Its end [s].

    Returns
    -------
    tuple of Told
        Stops and cautions, and where the needle was unknown; in the order they began.

    Raises
    ------
    FormatError
        If a row is none.
    """
    standing: dict[tuple[str, str, Level], Told] = {}
    out: list[Told] = []
    for time, cues in (_row(row) for row in rows[:MOST_ROWS]):
        there = set()
        for cue in cues:
            key = (cue.rule, cue.about, cue.level)
            there.add(key)
            before = standing.get(key, cue)
            if before.acknowledged is None and cue.acknowledged is not None:
                before = replace(before, acknowledged=cue.acknowledged)
            standing[key] = before
        out += [replace(standing.pop(key), end=time) for key in [one for one in standing if one not in there]]
    out += [replace(one, end=max(until, one.begin)) for one in standing.values()]
    return tuple(_answered(one, commands) for one in sorted(out, key=lambda one: one.begin))


def _row(row: Mapping[str, Any]) -> tuple[Seconds, list[Told]]:
    try:
        time = float(row["time"])
        check_range("time of what was told", time, (0, 1e6), "s")
        cues = [_cue(one, time) for one in row["cues"][:MOST_CUES]]
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"what was told is no list of cues: {str(error)[:80]}") from error
    loud = (Level.CAUTION, Level.STOP)
    return time, [
        one for one in cues if one.level in loud or (one.level is Level.UNKNOWN and one.rule in OF_THE_NEEDLE)
    ]


def _cue(values: Mapping[str, Any], time: Seconds) -> Told:
    who = values.get("acknowledged_by")
    return Told(
        level=Level(values["level"]),
        rule=str(values["rule"])[:60],
        about=str(values["about"])[:60],
        message=str(values["message"])[:200],
        begin=time,
        end=time,
        acknowledged=None if who is None else (str(who)[:60], time),
    )


def _answered(one: Told, commands: Sequence[Command]) -> Told:
    """Add what was done while a cue stood."""
    advanced = withdrawn = given = 0.0
    inserted = rate = 0.0
    since = one.begin
    for command in sorted(commands, key=lambda command: command.time):
        if command.time > one.end:
            break
        if isinstance(command, AdvanceNeedle):
            if command.time > one.begin:
                advanced += max(command.inserted - inserted, 0.0)
                withdrawn += max(inserted - command.inserted, 0.0)
            inserted = command.inserted
        elif isinstance(command, Inject):
            if command.time > one.begin:
                given += max(rate, 0.0) * (command.time - since)
                since = command.time
            rate = command.rate
    given += max(rate, 0.0) * max(one.end - since, 0.0)
    return replace(one, advanced=advanced, withdrawn=withdrawn, given=given)
