"""Whether a structure is where it was in the picture before: one that jumps or splits is unknown until it is seen so twice.

    near(A, B) = share of the pixels of A that lie at most `reach` from B;  it goes on if near(now, before) and
    near(before, now) are both at least a half

The first is small where a label jumps, the second where it splits or shrinks to a part, as a name does that goes from one
structure to another. Said of one place of the probe: where that has moved, what lies elsewhere is no jump.
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
        now = {
            name: np.asarray(scene.segmentation.mask(label)[::COARSE, ::COARSE])
            for name, label in _named(scene, plan).items()
        }
        if not stayed or any(
            one.shape != next(iter(now.values())).shape for one in self._last.values() if now
        ):
            self._last, self._doubts = {}, {}
        for name, there in now.items():
            before = self._last.get(name)
            away = None if before is None else _away(there, before, step)
            if away is None:
                self._doubts.pop(name, None)
            else:
                self._doubts[name] = f"its outline jumped by {1e3 * away:.0f} mm"
            if there.any():
                self._last[name] = there


def _named(scene: Scene, plan: Plan) -> dict[str, int]:
    named = {one.structure: one.label for one in plan.hazards if one.label is not None}
    if plan.target is not None and scene.segmentation is not None:
        target = scene.segmentation.structures[plan.target - 1]
        named[target.name if target.named_by is not None else f"{target.name} {target.instance}"] = (
            plan.target
        )
    return named


def _away(now: np.ndarray, before: np.ndarray, step: tuple[Meters, Meters]) -> Meters | None:
    """Give how far a structure went if it did not go on, between the middles; None if it did, or nothing can be said."""
    if not now.any() or not before.any():
        return None
    reach = rules()["continuity"]["reach"]
    near = [
        float((distance_transform_edt(~there, sampling=step)[part] <= reach).mean())
        for part, there in ((now, before), (before, now))
    ]
    if min(near) >= rules()["continuity"]["share"]:
        return None
    middles = [np.argwhere(part).mean(axis=0) * step for part in (now, before)]
    return float(np.linalg.norm(middles[0] - middles[1]))
