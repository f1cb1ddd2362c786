"""Keeps apart, picture by picture, what was labelled a vessel before anything was given, and where the tip was while it was.

See `analysis.segmentation.injectate` for the rule. What was taken for a vessel in one of five pictures from this place is
one of before, because each picture misses some, and each takes for one what no other does. With the probe moved or pressed
otherwise it begins anew, once no needle is inside; until then nothing is told apart.
"""

import math
from dataclasses import replace

import numpy as np

from insonate.analysis.segmentation.injectate import injectate, vessels, without
from insonate.core import AdvanceNeedle, Command, MoveProbe, Pose, Scene
from insonate.core.units import CubicMeters, Meters, Seconds
from insonate.guidance.nearness import in_probe_frame
from insonate.pipeline.readings import Readings
from insonate.pipeline.watch import stayed

MOST_SITES = 32
"""Places that are remembered at which something was given."""

APART: Meters = 5e-4
"""Nearer to each other than this, two of them are one; a design assumption [m]."""


SEEN = 0.2
"""A vessel of before was labelled in so many of the pictures at least: a false one flickers, and fluid that comes to lie
where it did is fluid still. What is taken for fluid so comes back as not known, never as clear; a design assumption [1]."""


class Fluid:
    """What was given on one source; one thread tells of commands, another of pictures."""

    def __init__(self) -> None:
        """Begin before anything was given."""
        self.inside = False
        """Whether a needle is under the skin, by the commands."""
        self._moves = 0
        self._before: CubicMeters = 0.0
        self._sites: list[tuple[tuple[Meters, Meters], CubicMeters]] = []
        self._clear: tuple[np.ndarray, int, Pose, int] | None = (
            None  # how often each pixel was a vessel, of how many
        )

    def take(self, command: Command) -> None:
        """Take a command as it is given."""
        if isinstance(command, AdvanceNeedle):
            self.inside = command.inserted > 0
        elif isinstance(command, MoveProbe):
            self._moves += 1

    def apart(self, scene: Scene, at: Seconds, readings: Readings) -> Scene:
        """Take the fluid that was given since the probe came here out of the vessels that are labelled.

        Parameters
        ----------
        scene : Scene
            A picture of one frame and its structures.
        at : float
            When it was taken [s].
        readings : Readings
            Of probe, needle and syringe.

        Returns
        -------
        Scene
            The same one where nothing can be told apart.
        """
        probe, tip, given = readings.probe_at(at), readings.last_tip, readings.injection
        if scene.segmentation is None or probe is None:
            return scene
        volume, moves = 0.0 if given is None else given.volume, self._moves
        here = self._clear is not None and self._clear[3] == moves and stayed(probe, self._clear[2])
        if volume <= self._before or not (here or self.inside):
            there, pictures = vessels(scene.segmentation).astype(np.int32), 1
            if here and self._clear is not None and self._clear[0].shape == there.shape:
                there, pictures = there + self._clear[0], 1 + self._clear[1]
            self._clear, self._before, self._sites = (there, pictures, probe, moves), volume, []
            return scene
        if self._clear is None or not here:
            return scene
        near = None if tip is None else in_probe_frame(tip, readings.probe_at(tip.time))
        more = volume - self._before - sum(part for _, part in self._sites)
        if more > 0 and near is not None and near.tip is not None:
            self._sites = _with(self._sites, (float(near.tip[2]), float(near.tip[0])), more)
        before = self._clear[0] >= max(SEEN * self._clear[1], 1)
        found = injectate(
            scene.segmentation, before, [place for place, _ in self._sites], volume - self._before
        )
        return replace(scene, segmentation=without(scene.segmentation, found))


def _with(
    sites: list[tuple[tuple[Meters, Meters], CubicMeters]], place: tuple[Meters, Meters], more: CubicMeters
) -> list[tuple[tuple[Meters, Meters], CubicMeters]]:
    """Give the places with what was given at one more, or more of it at one that was there."""
    for number, (at, volume) in enumerate(sites):
        if math.dist(at, place) <= APART:
            return [*sites[:number], (at, volume + more), *sites[number + 1 :]]
    return [*sites, (place, more)][-MOST_SITES:]
