"""How fast the time of a simulated source goes: as it is, or some times faster while there is only to wait.

It is asked for by a command, which is recorded as any: while time is compressed c times, the source is advanced by c of its
ticks for each of the clock on the wall, and gives one picture of them. The body lives through every tick, so that nothing of
what becomes of it depends on the pace; what is *seen* of it comes c times more seldom, and is that much older to every rule,
which judges by the source's clock. So time runs faster only while nothing warns, and as it is again at once when something
does.
"""

from collections.abc import Iterable

from insonate.core import Command, Cue, Inject, Level, SetControl
from insonate.core.units import Seconds

CONTROL = "time_compression"
"""A source that accepts it is simulated, and can be hurried."""

FASTER = 4
"""So many times; a design assumption. At five no two pictures would lie within what the rules take for new."""


def until(since: Seconds, tick: Seconds, compression: int) -> Seconds:
    """Give up to when a source is advanced, so that the last of the ticks is one that is pictured.

    Parameters
    ----------
    since : float
        Up to when it was advanced before [s].
    tick : float
        Its own [s].
    compression : int
        How many times faster time goes.

    Returns
    -------
    float
        At most so many ticks later, one at least [s].
    """
    if compression == 1:
        return since + tick
    first = round(since / tick)
    last = -(-first // compression) * compression
    return since + (last - first + 1) * tick


def compression_of(commands: Iterable[Command], before: int) -> int:
    """Give how fast time goes after commands [times]."""
    for command in commands:
        if isinstance(command, SetControl) and command.name == CONTROL:
            before = max(int(command.value), 1)
    return before


def warns(cues: Iterable[Cue]) -> Cue | None:
    """Give a cue that lets time run no faster: a caution or a stop, or that needle, picture or pressure is unknown.

    Where a structure is unknown, its row and its cue say so at any pace.
    """
    return next(
        (
            cue
            for cue in cues
            if cue.level in (Level.CAUTION, Level.STOP)
            or (cue.level is Level.UNKNOWN and cue.rule != "clearance")
        ),
        None,
    )


def lets_go(commands: Iterable[Command]) -> bool:
    """Whether the syringe is let go of among commands."""
    return any(isinstance(command, Inject) and command.rate == 0 for command in commands)
