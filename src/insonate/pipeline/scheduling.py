"""What a live picture leaves out where the machine is too slow for it, and takes up again where there is room.

    load = work / period,    averaged over half a second

with work the longer of the two turns that a frame takes, in the thread of its source and in the thread that forms its
image. It is taken by the clock on the wall: who else is on the same cores, as the browser is, takes its share of it.

Left out is, one after the other, what guides least: the density of the simulated map, then depth of compounding, then how
often flow is looked for, then how often structures are labelled. Nothing that guides is ever left out: needle, cues and
clearances are judged at every tick. What was left out is taken up again in the opposite order, after a while with room to
spare; where that proves too much, the next try waits twice as long. What is left out is said with every frame.
"""

from collections.abc import Collection

from insonate.core.units import Seconds

DENSITY, COMPOUNDING, COLOR, LABELLING = "map density", "compounding", "color rate", "labelling rate"

ORDER = (DENSITY, COMPOUNDING, COLOR, LABELLING)
"""What is left out, first to last."""

OVER, UNDER = 0.95, 0.6
"""Load above which something is left out, and below which it is taken up again; apart, so that it does not swing."""

HEAVIEST = 2.0
"""Load that one frame counts for at most: a kernel compiled at the start is no slow machine."""

LATE = 1.05
"""Load above which more than density is left out: frames come late then, and what is seen of them is worth less."""

AVERAGED: Seconds = 0.5
"""Over which the load is averaged [s]."""

DROPS_AFTER: Seconds = 1.0
"""Of too much load [s]."""

TAKES_AFTER: Seconds = 5.0
"""Of room to spare, at first [s]."""

LONGEST: Seconds = 120.0
"""That a new try waits [s]."""

PROVEN: Seconds = 15.0
"""After which what was taken up again has proved to fit [s]."""


class Scheduling:
    """Decides for one live source, frame by frame; it has memory. For one thread alone."""

    def __init__(self) -> None:
        """Begin with everything on."""
        self.dropped: tuple[str, ...] = ()
        """What is left out now, in the order of `ORDER`."""
        self._mean: float | None = None
        self._before: Seconds = 0.0
        self._since: Seconds | None = None
        self._patience = TAKES_AFTER
        self._taken: Seconds | None = None

    def took(self, work: Seconds, period: Seconds, now: Seconds, can: Collection[str] = ORDER) -> bool:
        """Take note of how long a frame took.

        Parameters
        ----------
        work : float
            The longer turn of the frame [s].
        period : float
            From frame to frame [s].
        now : float
            On any clock that goes on steadily [s].
        can : collection of str
            What there is to leave out here, of `ORDER`.

        Returns
        -------
        bool
            Whether `dropped` has changed.
        """
        load = min(work / period, HEAVIEST)
        if self._mean is None:
            self._mean, self._since = load, None
        else:
            share = min(max(now - self._before, 0.0) / AVERAGED, 1.0)
            self._mean += share * (load - self._mean)
        self._before = now
        if self._taken is not None and now - self._taken > PROVEN:
            self._taken, self._patience = None, TAKES_AFTER
        left = [one for one in ORDER if one in can and one not in self.dropped]
        if left and self._mean > (OVER if left[0] == DENSITY else LATE):
            return self._once(now, DROPS_AFTER) and self._drop(left[0])
        if self._mean < UNDER and self.dropped:
            return self._once(now, self._patience) and self._take(now)
        self._since = None
        return False

    def _once(self, now: Seconds, after: Seconds) -> bool:
        """Whether what holds now has held for so long."""
        if self._since is None:
            self._since = now
        return now - self._since >= after

    def _drop(self, one: str) -> bool:
        if self._taken is not None:  # that was too much: the next try waits longer
            self._patience, self._taken = min(2 * self._patience, LONGEST), None
        self._set({*self.dropped, one})
        return True

    def _take(self, now: Seconds) -> bool:
        self._taken = now
        self._set(set(self.dropped[:-1]))
        return True

    def _set(self, dropped: set[str]) -> None:
        self.dropped = tuple(one for one in ORDER if one in dropped)
        self._mean = self._since = None  # what was measured before holds no more
