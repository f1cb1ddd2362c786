"""Where things are: named coordinate frames and the rigid poses between them.

Probe axes: x lateral to the marked side, y elevation (z cross x), z axial, positive away from the face. A pose maps
a point of its `source` frame to its `target` frame:

    p_target = R p_source + t

Poses compose as matrices do, right to left: (target <- middle) @ (middle <- source).
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from insonate.core.checks import check_axes, check_finite, check_range, frozen
from insonate.core.errors import FrameError, RangeError
from insonate.core.units import Seconds

ORTHONORMAL = 1e-6
"""How far R^T R may be from the identity: rounding of a matrix stored with six digits."""


class CoordinateFrame(Enum):
    """The frames that a point can be given in."""

    IMAGE = "image"
    PROBE = "probe"
    MARKER = "marker"
    TRACKER = "tracker"
    NEEDLE = "needle"
    PATIENT = "patient"
    VOLUME = "volume"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pose:
    """A rigid transform from one frame to another at one moment."""

    rotation: np.ndarray
    """(3, 3) proper rotation."""
    translation: np.ndarray
    """(3,) [m]."""
    source: CoordinateFrame
    """The frame a point comes from."""
    target: CoordinateFrame
    """The frame it is mapped to."""
    time: Seconds
    """When it was so [s]."""

    def __post_init__(self) -> None:
        rotation = np.asarray(self.rotation, dtype=float)
        translation = np.asarray(self.translation, dtype=float)
        check_axes("Pose.rotation", rotation, "3 3")
        check_axes("Pose.translation", translation, "3")
        check_finite("Pose.rotation", rotation)
        check_finite("Pose.translation", translation)
        error = float(np.abs(rotation.T @ rotation - np.eye(3)).max())
        if error > ORTHONORMAL or np.linalg.det(rotation) < 0:
            raise RangeError(
                f"Pose.rotation must be a proper rotation, got a matrix off by {error:.2g} with determinant "
                f"{np.linalg.det(rotation):.3g} (scaled or mirrored?)"
            )
        check_range("Pose.time", self.time, (-1e12, 1e12), "s")
        object.__setattr__(self, "rotation", frozen(rotation))
        object.__setattr__(self, "translation", frozen(translation))

    def __matmul__(self, first: "Pose") -> "Pose":
        """Compose: `first` is applied first, then this; the older of the two times is kept."""
        if self.source is not first.target:
            raise FrameError(
                f"'{self.target.value} <- {self.source.value}' cannot follow "
                f"'{first.target.value} <- {first.source.value}'"
            )
        return Pose(
            rotation=self.rotation @ first.rotation,
            translation=self.rotation @ first.translation + self.translation,
            source=first.source,
            target=self.target,
            time=min(self.time, first.time),
        )

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Map points from `source` to `target`.

        Parameters
        ----------
        points : numpy.ndarray
            (..., 3) in the source frame [m].

        Returns
        -------
        numpy.ndarray
            (..., 3) in the target frame [m].
        """
        return np.asarray(points @ self.rotation.T + self.translation)

    def inverse(self) -> "Pose":
        """Give the pose from `target` back to `source`."""
        return Pose(
            rotation=self.rotation.T,
            translation=-self.rotation.T @ self.translation,
            source=self.target,
            target=self.source,
            time=self.time,
        )
