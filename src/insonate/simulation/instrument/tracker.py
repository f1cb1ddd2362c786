"""A needle tracker: late, noisy, a little off, and sometimes blind.

What it says of the time t arrives at t + latency + jitter. Its tip is off by a constant left from calibration and by noise
of each reading, its covariance holds both. It loses sight by chance, and stays blind for a few ticks.
"""

from collections import deque

import numpy as np

from insonate.core import CoordinateFrame, NeedlePose, NeedleState
from insonate.core.units import Seconds
from insonate.simulation.facts import facts

MOST_WAITING = 64
"""Readings on their way; more than a tracker's latency ever holds."""


class Tracker:
    """One tracker; it has memory."""

    def __init__(self, seed: int) -> None:
        """Draw latency and calibration of this seed."""
        values = facts("insonate.simulation.instrument", "instruments")["tracker"]
        rng = np.random.default_rng((seed, 0x7AC))
        self._values = values
        self._seed = seed
        self._latency = float(rng.uniform(*values["latency"]))
        self._offset = rng.normal(0, values["calibration"], 3)
        self._blind = False
        self._waiting: deque[tuple[Seconds, NeedlePose]] = deque(maxlen=MOST_WAITING)

    def watch(self, tick: int, time: Seconds, tip: np.ndarray, heading: np.ndarray) -> None:
        """Take one reading.

        Parameters
        ----------
        tick : int
            Of the patient's clock; with the seed it decides the noise.
        time : float
            Of the reading [s].
        tip, heading : numpy.ndarray
            (3,) where the tip is, and the unit vector there, patient frame [m].
        """
        rng = np.random.default_rng((self._seed, 0x7AD, tick))
        chance = 1 / self._values["drop_length"] if self._blind else self._values["drop_out"]
        if rng.random() < chance:
            self._blind = not self._blind
        noise, turn = (
            rng.normal(0, self._values["noise"], 3),
            rng.normal(0, self._values["direction_noise"], 3),
        )
        jitter = rng.normal(0, self._values["jitter"])
        if self._blind:
            pose = NeedlePose(
                state=NeedleState.LOST,
                tip=None,
                direction=None,
                covariance=None,
                frame=CoordinateFrame.PATIENT,
                time=time,
            )
        else:
            seen = heading + turn
            spread = self._values["noise"] ** 2 + self._values["calibration"] ** 2
            pose = NeedlePose(
                state=NeedleState.TIP,
                tip=tip + self._offset + noise,
                direction=seen / np.linalg.norm(seen),
                covariance=np.eye(3) * spread,
                frame=CoordinateFrame.PATIENT,
                time=time,
            )
        self._waiting.append((time + max(self._latency + jitter, 0.0), pose))

    def arrived(self, time: Seconds) -> list[NeedlePose]:
        """Give what has arrived by a time, in the order it was read."""
        out = []
        while self._waiting and self._waiting[0][0] <= time:
            out.append(self._waiting.popleft()[1])
        return out

    def state(self) -> tuple[object, ...]:
        """Give its memory as plain values, for a digest."""
        return (self._blind, tuple((when, pose.time, pose.state.value) for when, pose in self._waiting))
