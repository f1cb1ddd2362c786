"""Whether a structure is where it was in the picture before: one that jumps or splits is unknown until it is seen so twice.

    near(A, B) = share of the pixels of A that lie at most `reach` from B;  it goes on if near(now, before) and
    near(before, now) are both at least a half

The first is small where a label jumps, the second where it splits or shrinks to a part, as a name does that goes from one
structure to another. Said of one place of the probe: where that has moved, what lies elsewhere is no jump, and what was in
doubt stays so until two labellings of the new place agree.
"""

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import distance_transform_edt

from insonate.core import Grid, PixelGrid, Plan, Scene
from insonate.core.units import Meters
from insonate.guidance.rules import rules

COARSE = 3
"""Every third pixel is looked at, either way: a third of a millimeter in a usual picture."""


class Continuity:
    """Follows the structures of one procedure from labelling to labelling; it has memory."""

    def __init__(self) -> None:
        """Begin without having seen any."""
        self._last: dict[str, np.ndarray] = {}
        self._doubts: dict[str, str] = {}
        self._shape: tuple[int, int] | None = None

    @property
    def doubts(self) -> Mapping[str, str]:
        """Why a structure is not where it is said to be, by its name, as clearances have it."""
        return self._doubts

    def take(self, scene: Scene, plan: Plan, *, stayed: bool) -> None:
        """Take what was labelled.

        Parameters
        ----------
        scene : Scene
            One frame and its structures.
        plan : Plan
            Made of it; it names them.
        stayed : bool
            Whether the probe is where it was at the labelling before.
        """
        grid = None if scene.segmentation is None else scene.segmentation.grid
        if scene.segmentation is None or not isinstance(grid, Grid | PixelGrid) or grid.unit != "m":
            self._doubts = dict.fromkeys(self._doubts, "nothing is labelled where lengths are known")
            return
        step = (COARSE * grid.step[0], COARSE * grid.step[1])
        parts = {
            name: (key, np.asarray(scene.segmentation.mask(label)[::COARSE, ::COARSE]))
            for name, (key, label) in _named(scene, plan).items()
        }
        now: dict[str, np.ndarray] = {}
        for key, part in parts.values():
            now[key] = now[key] | part if key in now else part
        shape = scene.segmentation.grid.shape
        if not stayed or shape != self._shape:
            self._last, self._shape = {}, shape
        for name, (key, part) in parts.items():
            if key not in self._last:
                continue  # nothing to be held against: what was in doubt stays so
            away = _away(part, now[key], self._last[key], step)
            if away is None:
                self._doubts.pop(name, None)
            else:
                self._doubts[name] = f"its outline jumped by {1e3 * away:.0f} mm"
        self._last |= {key: part for key, part in now.items() if part.any()}


def _named(scene: Scene, plan: Plan) -> dict[str, tuple[str, int]]:
    """Give what each structure must have been before, and its label, by its name in clearances.

    One with a name must have been itself; one with a number only, which goes by its place among its like, any of them.
    """
    if scene.segmentation is None:
        return {}
    structures = scene.segmentation.structures
    labels = {one.structure: one.label for one in plan.hazards if one.label is not None}
    if plan.target is not None:
        target = structures[plan.target - 1]
        labels[target.name if target.named_by is not None else f"{target.name} {target.instance}"] = (
            plan.target
        )
    return {
        name: (
            name if structures[label - 1].named_by is not None else structures[label - 1].tissue.value,
            label,
        )
        for name, label in labels.items()
    }


def _away(
    part: np.ndarray, now: np.ndarray, before: np.ndarray, step: tuple[Meters, Meters]
) -> Meters | None:
    """Give how far a structure went if it did not go on, between the middles; None if it did, or nothing can be said."""
    if not part.any() or not before.any():
        return None
    reach, share = rules()["continuity"]["reach"], rules()["continuity"]["share"]
    if min(_near(part, before, step, reach), _near(before, now, step, reach)) >= share:
        return None
    middles = [np.argwhere(one).mean(axis=0) * step for one in (part, before)]
    return float(np.linalg.norm(middles[0] - middles[1]))


def _near(of: np.ndarray, to: np.ndarray, step: tuple[Meters, Meters], reach: Meters) -> float:
    return float((distance_transform_edt(~to, sampling=step)[of] <= reach).mean())
