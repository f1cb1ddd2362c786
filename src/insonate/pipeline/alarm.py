"""The alarm beside a live picture: cues judged as the source goes on, whether or not anybody looks.

It stands in the way of the observations, not of the display: what is drawn, sent or labelled late delays no cue. A source
that can hold no needle has none, and none is given before a needle is held or seen for the first time.
"""

import threading
from collections.abc import Callable, Iterable

import numpy as np

from insonate.core import AdvanceNeedle, Command, Cue, Image, NeedleEcho, NeedlePose, Observation
from insonate.core.procedure import Procedure
from insonate.core.units import Seconds
from insonate.pipeline.chain import Guided
from insonate.pipeline.watch import Watch, Watched

EVERY: Seconds = 0.1
"""How often it is judged, on the source's clock [s]."""


class Alarm:
    """Judges one source; commands and observations from one thread, all else from any."""

    def __init__(self, procedure: Procedure, tell: Callable[[object], None]) -> None:
        """Take what is done, and whom to tell of cues that changed."""
        self._watch = Watch(procedure)
        self._tell = tell
        self._lock = threading.Lock()
        self._due: Seconds = 0.0
        self._concerned = False
        self._said: tuple[object, ...] = ()
        self.watched: Watched | None = None
        """What was known when it was judged last; None before."""

    @property
    def cues(self) -> tuple[Cue, ...]:
        """What stands, loudest first."""
        return () if self.watched is None else self.watched.cues

    def begin(self, procedure: Procedure) -> None:
        """Begin anew with another procedure."""
        with self._lock:
            self._watch.begin(procedure)
            self.watched, self._due = None, 0.0

    def take(self, commands: Iterable[Command], observations: Iterable[Observation]) -> None:
        """Take commands as they are given, and observations as they come."""
        with self._lock:
            for command in commands:
                self._concerned |= isinstance(command, AdvanceNeedle)
                self._watch.command(command)
            for one in observations:
                self._concerned |= isinstance(one, NeedlePose)
                self._watch.observe(one)

    def look(self, echo: NeedleEcho) -> None:
        """Take what a picture shows along the needle, however late."""
        with self._lock:
            self._watch.look(echo)

    def judge(self, guided: Guided | None, frame: Seconds | None, now: Seconds) -> None:
        """Judge, if it is time to.

        Parameters
        ----------
        guided : Guided or None
            Structures and plan as they were seen last; None if nothing is known.
        frame : float or None
            When the newest picture was taken [s].
        now : float
            On the source's clock [s].
        """
        with self._lock:
            if not self._concerned or now + 1e-9 < self._due:
                return
            self._due = now + EVERY
            scene = None if guided is None else guided.scene
            plan = None if guided is None else guided.plan
            watched = self._watch.judge(
                scene, plan, _taken(None if scene is None else scene.image), frame, now
            )
            self.watched = watched
            said = tuple((cue.rule, cue.about, cue.level, cue.acknowledged_by) for cue in watched.cues)
            changed, self._said = said != self._said, said
        if changed:
            self._tell(watched)

    def acknowledge(self, rule: str, about: str, who: str) -> None:
        """Note who took note of a cue; it stands until evidence ends it.

        Raises
        ------
        InputError
            If there is no such cue.
        """
        with self._lock:
            self._watch.acknowledge(rule, about, who)
            self._due = 0.0


def _taken(image: Image | None) -> Seconds | None:
    return None if image is None or image.times is None else float(np.asarray(image.times)[0])
