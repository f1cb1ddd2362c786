"""Scatterers: points that answer a wave, from a researcher's own list or from the map of a medium."""

from dataclasses import dataclass

import numpy as np

from insonate.core import AxesError, RangeError
from insonate.core.checks import check_axes, check_finite, check_range, frozen
from insonate.simulation.medium import Medium

FARTHEST = 1.0
"""From the middle of the probe: more is a slip of units [m]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scatterers:
    """Points in the frame of the probe (x lateral, y elevation, z axial), each with the strength of its echo."""

    positions: np.ndarray
    """(n, 3) float64 [m]."""
    amplitudes: np.ndarray
    """(n,) float64: in three dimensions the wave that comes back, at 1 m, over the one that came [m]; in two, the area of
    one sample of a map over its axial step times its reflectivity [m]; negative where the echo is inverted."""

    def __post_init__(self) -> None:
        positions = np.array(self.positions, dtype=float)
        amplitudes = np.array(self.amplitudes, dtype=float)
        check_axes("Scatterers.positions", positions, "n 3")
        check_axes("Scatterers.amplitudes", amplitudes, "n")
        if len(positions) == 0 or len(positions) != len(amplitudes):
            raise AxesError(
                "Scatterers needs one amplitude per position and at least one, "
                f"got {len(positions)} positions and {len(amplitudes)} amplitudes"
            )
        check_finite("Scatterers.positions", positions)
        check_finite("Scatterers.amplitudes", amplitudes)
        farthest = float(np.abs(positions).max())
        check_range("Scatterers.positions", farthest, (0, FARTHEST), "m", hint="millimeters?")
        if positions[:, 2].min() <= 0:
            raise RangeError(
                f"Scatterers.positions must lie below the face, z > 0 m, got z of {positions[:, 2].min():g}"
            )
        object.__setattr__(self, "positions", frozen(positions))
        object.__setattr__(self, "amplitudes", frozen(amplitudes))

    def __len__(self) -> int:
        return len(self.amplitudes)

    @classmethod
    def of_medium(cls, medium: Medium) -> "Scatterers":
        """Take every sample of a map that answers as a point in the image plane.

        Parameters
        ----------
        medium : Medium
            Its transmission is taken into the amplitudes.

        Returns
        -------
        Scatterers
            In the plane y = 0, in order of the map; samples on the face are left out.

        Raises
        ------
        AxesError
            If no sample below the face answers.
        """
        plane = medium.plane
        seen = (
            medium.reflectivity if medium.transmission is None else medium.reflectivity * medium.transmission
        )
        columns, rows = np.nonzero(seen[:, 1:])
        rows = rows + 1
        positions = np.stack([plane.lateral[columns], np.zeros(len(columns)), plane.axial[rows]], axis=1)
        return cls(positions=positions, amplitudes=seen[columns, rows] * plane.lateral_step)
