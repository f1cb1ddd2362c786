"""Where pixels are: on lines in meters, on a sector, or in a picture whose spacing may not be known."""

from dataclasses import dataclass

import numpy as np

from insonate.core.checks import check_axes, check_count, check_finite, check_increasing, check_range, frozen
from insonate.core.errors import RangeError
from insonate.core.units import Meters

REACH = 2.0
"""No echo of medical ultrasound comes from further away [m]."""


def _line(name: str, values: np.ndarray) -> np.ndarray:
    line = np.asarray(values, dtype=float)
    check_increasing(name, line, "m")
    check_range(name, float(np.abs(line).max()), (0, REACH), "m", hint="millimeters?")
    return frozen(line)


def _shown(extent: Meters) -> str:
    return f"{1e3 * extent:.1f} mm"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """A rectangular grid in the probe frame."""

    axial: np.ndarray
    """(n_axial,) depths, increasing away from the face [m]."""
    lateral: np.ndarray
    """(n_lateral,) positions along the array, increasing to the marked side [m]."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "axial", _line("Grid.axial", self.axial))
        object.__setattr__(self, "lateral", _line("Grid.lateral", self.lateral))

    @property
    def shape(self) -> tuple[int, int]:
        """(n_axial, n_lateral)."""
        return len(self.axial), len(self.lateral)

    @property
    def unit(self) -> str:
        """Unit of a length on this grid, always "m"."""
        return "m"

    @property
    def origin(self) -> tuple[float, float]:
        """(axial, lateral) of the first pixel's center [m]."""
        return float(self.axial[0]), float(self.lateral[0])

    @property
    def step(self) -> tuple[float, float]:
        """Mean distance between rows and between columns [m]; 1 mm where there is only one."""

        def mean(line: np.ndarray) -> float:
            return float((line[-1] - line[0]) / (len(line) - 1)) if len(line) > 1 else 1e-3

        return mean(self.axial), mean(self.lateral)

    def describe(self) -> str:
        """Say in a few words what the grid is."""
        depth, width = self.axial[-1] - self.axial[0], self.lateral[-1] - self.lateral[0]
        return f"{self.shape[0]} x {self.shape[1]} pixels, {_shown(depth)} deep, {_shown(width)} wide"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PolarGrid:
    """A sector: radius and azimuth from an apex, in the image plane of the probe frame."""

    radius: np.ndarray
    """(n_axial,) distances from the apex, increasing [m]."""
    azimuth: np.ndarray
    """(n_lateral,) angles from +z toward +x, increasing [rad]."""
    apex: np.ndarray
    """(3,) where radius is zero [m]."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "radius", _line("PolarGrid.radius", self.radius))
        azimuth = np.asarray(self.azimuth, dtype=float)
        check_increasing("PolarGrid.azimuth", azimuth, "rad")
        check_range("PolarGrid.azimuth", float(np.abs(azimuth).max()), (0, np.pi), "rad", hint="degrees?")
        apex = np.asarray(self.apex, dtype=float)
        check_axes("PolarGrid.apex", apex, "3")
        check_finite("PolarGrid.apex", apex)
        object.__setattr__(self, "azimuth", frozen(azimuth))
        object.__setattr__(self, "apex", frozen(apex))

    @property
    def shape(self) -> tuple[int, int]:
        """(n_axial, n_lateral)."""
        return len(self.radius), len(self.azimuth)

    def describe(self) -> str:
        """Say in a few words what the grid is."""
        angle = np.degrees(self.azimuth[-1] - self.azimuth[0])
        return f"{self.shape[0]} x {self.shape[1]} sector, {_shown(self.radius[-1] - self.radius[0])} deep, {angle:.1f} deg"


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelGrid:
    """Rows and columns of a picture, or of a rectangle cut from one. Lengths are in pixels where spacing is None."""

    rows: int
    """Number of rows."""
    columns: int
    """Number of columns."""
    spacing: tuple[Meters, Meters] | None
    """Distance between rows and between columns [m]; None where it is not known."""
    corner: tuple[int, int] = (0, 0)
    """Row and column, in the whole picture, of this grid's first pixel."""
    picture: tuple[int, int] | None = None
    """Rows and columns of the whole picture; None if the grid is the whole of it."""

    def __post_init__(self) -> None:
        check_count("PixelGrid.rows", self.rows, (1, 65_536), "pixels")
        check_count("PixelGrid.columns", self.columns, (1, 65_536), "pixels")
        if self.spacing is not None:
            object.__setattr__(self, "spacing", (float(self.spacing[0]), float(self.spacing[1])))
            for value in self.spacing:
                check_range("PixelGrid.spacing", value, (1e-7, 1e-2), "m", hint="millimeters?")
        rows, columns = self.picture or (self.corner[0] + self.rows, self.corner[1] + self.columns)
        if (
            min(self.corner) < 0
            or self.corner[0] + self.rows > rows
            or self.corner[1] + self.columns > columns
        ):
            raise RangeError(
                f"PixelGrid must lie inside its picture of {rows} x {columns} pixels, got {self.rows} x {self.columns} "
                f"at row {self.corner[0]}, column {self.corner[1]}"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.rows, self.columns

    @property
    def unit(self) -> str:
        """Unit of a length on this grid: "m" where spacing is known, else "px"."""
        return "px" if self.spacing is None else "m"

    @property
    def step(self) -> tuple[float, float]:
        """Length of one row and one column, in `unit`."""
        return (1.0, 1.0) if self.spacing is None else self.spacing

    @property
    def origin(self) -> tuple[float, float]:
        """(axial, lateral) of the first pixel's center, in `unit`: always the corner of this grid."""
        return 0.0, 0.0

    def cut(self, corner: tuple[int, int], shape: tuple[int, int]) -> "PixelGrid":
        """Give the grid of a rectangle of this one.

        Parameters
        ----------
        corner : (int, int)
            Row and column of the rectangle's first pixel, on this grid.
        shape : (int, int)
            Rows and columns of the rectangle.

        Returns
        -------
        PixelGrid
            It remembers where in the whole picture it lies.

        Raises
        ------
        RangeError
            If the rectangle leaves this grid.
        """
        if min(corner) < 0 or corner[0] + shape[0] > self.rows or corner[1] + shape[1] > self.columns:
            raise RangeError(
                f"rectangle must lie inside {self.rows} x {self.columns} pixels, got {shape[0]} x {shape[1]} at row "
                f"{corner[0]}, column {corner[1]}"
            )
        return PixelGrid(
            rows=shape[0],
            columns=shape[1],
            spacing=self.spacing,
            corner=(self.corner[0] + corner[0], self.corner[1] + corner[1]),
            picture=self.picture or self.shape,
        )

    def describe(self) -> str:
        """Say in a few words what the grid is."""
        if self.spacing is None:
            return f"{self.rows} x {self.columns} pixels, spacing unknown"
        axial, lateral = self.spacing
        size = f"{_shown(self.rows * axial)} deep, {_shown(self.columns * lateral)} wide"
        return f"{self.rows} x {self.columns} pixels of {1e3 * axial:.4g} x {1e3 * lateral:.4g} mm, {size}"
