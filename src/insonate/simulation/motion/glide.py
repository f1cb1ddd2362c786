"""The lung that glides along its pleura with the breath: tissue above stays, what lies below moves along the surface.

With d the distance to the pleura (negative below) and a the amount, tissue now at x was at

    X = P(x - a g(d(x)), d(x)),    g = 1 below, falling to 0 over `SOFT` toward the pleura,

where P brings a place back to the level of d that it left: the pleura glides in itself and does not bob. Where the pleura is
flat that is a shear and keeps volume; where it is curved the lung, full of air, gives.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from insonate.core.units import Meters

SOFT: Meters = 0.5e-3
"""Over which the motion begins below the pleura [m]."""
DIFFERENCE: Meters = 0.4e-3
"""Of the gradient of the distance [m]."""
ASIDE = DIFFERENCE * np.concatenate([np.eye(3), -np.eye(3)])
SETTLING = 4
"""Steps by which the inverse is improved."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Glide:
    """A lung that moves along its pleura."""

    distance: Callable[[np.ndarray], np.ndarray]
    """Of (n, 3) places to the pleura, negative below [m]."""
    amount: np.ndarray
    """(3,) far below [m]."""

    def _moved(self, points: np.ndarray, sign: float) -> np.ndarray:
        out = np.array(points, dtype=float)
        depth = -np.asarray(self.distance(points), dtype=float)
        below = np.flatnonzero(depth > 0)
        if len(below) == 0 or not self.amount.any():
            return out
        share = np.clip(depth[below] / SOFT, 0, 1)
        at = points[below] + sign * share[:, None] * self.amount
        here = np.asarray(self.distance(at), dtype=float)
        # one question for all six places beside each
        beside = np.asarray(self.distance((at + ASIDE[:, None]).reshape(-1, 3)), dtype=float).reshape(6, -1)
        slope = (beside[:3] - beside[3:]).T
        slope /= np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-12)
        out[below] = at - (here + depth[below])[:, None] * slope
        return out

    def back(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue was, (n, 3) [m]."""
        return self._moved(points, -1.0)

    def forth(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue is, (n, 3) [m]."""
        now = self._moved(points, 1.0)
        if np.array_equal(now, points):  # all lie above the pleura, and stay
            return now
        for _ in range(SETTLING):
            now = now + points - self.back(now)
        return now
