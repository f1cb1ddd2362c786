"""The newest of each reading of a source, and where the probe was when a needle was seen: each has its own time."""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TypeGuard

from insonate.core import InjectionReading, NeedlePose, NeedleState, Pose, StimulationReading
from insonate.core.units import Seconds

MOST_POSES = 64
"""Poses of the probe that are kept: three seconds, more than a tracker is late."""


Reading = Pose | NeedlePose | StimulationReading | InjectionReading
"""What an instrument says."""


@dataclass(slots=True, eq=False)
class Readings:
    """What instruments said last; one thread takes, any may look."""

    needle: NeedlePose | None = None
    """From the tracker."""
    last_tip: NeedlePose | None = None
    """The newest that knew the tip."""
    stimulation: StimulationReading | None = None
    """Of the newest stimulus."""
    injection: InjectionReading | None = None
    """At the syringe."""
    arrived: Seconds = 0.0
    """When the newest came, on the clock of this machine [s]."""
    _poses: deque[Pose] = field(default_factory=lambda: deque(maxlen=MOST_POSES))
    _needles: deque[NeedlePose] = field(default_factory=lambda: deque(maxlen=MOST_POSES))

    def take(self, observation: object) -> TypeGuard[Reading]:
        """Take one, if it is a reading; False if it is none."""
        if isinstance(observation, Pose):
            self._poses.append(observation)
        elif isinstance(observation, NeedlePose):
            self.needle = observation
            self._needles.append(observation)
            if observation.state is NeedleState.TIP:
                self.last_tip = observation
        elif isinstance(observation, StimulationReading):
            self.stimulation = observation
        elif isinstance(observation, InjectionReading):
            self.injection = observation
        else:
            return False
        self.arrived = time.monotonic()
        return True

    @property
    def probe(self) -> Pose | None:
        """Where the probe is; None if nobody tells."""
        return self._poses[-1] if self._poses else None

    def probe_at(self, moment: Seconds) -> Pose | None:
        """Give where the probe was at a time of the source's clock [s]: the newest not after it, the oldest if none."""
        known = tuple(self._poses)
        before = [one for one in known if one.time <= moment + 1e-6]
        return before[-1] if before else (known[0] if known else None)

    def needle_at(self, moment: Seconds) -> NeedlePose | None:
        """Give where a needle was seen nearest to a time of the source's clock [s]; None if never."""
        return min(tuple(self._needles), key=lambda one: abs(one.time - moment), default=None)
