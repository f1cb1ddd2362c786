"""An opened file as a live source: its frames again and again, at their own pace.

It obeys nothing. Times run on from loop to loop; a file without times plays at 25 frames a second, a still picture is given
ten times a second, so that what watches for a stopped source sees it alive.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from insonate.core import ChannelData, Command, Image, Readable
from insonate.core.units import Seconds
from insonate.pipeline.chain import as_image, frame_of, one_frame

PACE: Seconds = 0.04
"""From frame to frame where the file does not say [s]."""

STILL: Seconds = 0.1
"""From showing to showing of a still picture [s]."""

FASTEST: Seconds = 1 / 60
"""From frame to frame, as fast as most screens show them; what is faster is shown in slow motion [s]."""

SLOWEST: Seconds = 1.0
"""A longer gap between two frames is not waited for [s]."""


class Playback:
    """Frames of one noun, looped."""

    accepts: frozenset[str] = frozenset()
    simulated = False

    def __init__(self, name: str, noun: Readable) -> None:
        """Take what was read; baseband lines are formed to an image at once, channel data frame by frame."""
        self.name = name
        self._noun: ChannelData | Image = noun if isinstance(noun, ChannelData) else as_image(noun)
        self._starts = self._schedule()
        self._given = 0

    def _schedule(self) -> np.ndarray:
        """Give when each frame is shown within a loop, and last how long the loop is (n_frames + 1,) [s]."""
        times = self._noun.times
        if self._noun.n_frames == 1:
            return np.array([0.0, STILL])
        if times is None:
            return np.arange(self._noun.n_frames + 1) * PACE
        line = times if times.ndim == 1 else times[:, 0]
        steps = np.clip(np.diff(line), FASTEST, SLOWEST)
        return np.concatenate([[0.0], np.cumsum(steps), [np.sum(steps) + float(np.median(steps))]])

    @property
    def tick(self) -> Seconds:
        """Usual time from frame to frame [s]."""
        return float(np.median(np.diff(self._starts)))

    def advance(self, commands: Sequence[Command], until: Seconds) -> Iterator[ChannelData | Image]:
        """Give every frame up to a time.

        Parameters
        ----------
        commands : sequence of Command
            Ignored: `accepts` is empty.
        until : float
            On this source's clock, which starts at 0 [s].

        Yields
        ------
        ChannelData or Image
            One frame, with its time on this clock.
        """
        del commands
        n_frames, loop = self._noun.n_frames, float(self._starts[-1])
        while True:
            turn, frame = divmod(self._given, n_frames)
            time = turn * loop + float(self._starts[frame])
            if time >= until:
                return
            self._given += 1
            yield self._frame(frame, time)

    def _frame(self, frame: int, time: Seconds) -> ChannelData | Image:
        if isinstance(self._noun, ChannelData):
            shots = one_frame(self._noun, frame)
            since = 0.0 if shots.times is None else shots.times - shots.times[:, :1]
            return replace(shots, times=np.full(shots.samples.shape[:2], time) + since)
        return replace(frame_of(self._noun, frame), times=np.array([time]))
