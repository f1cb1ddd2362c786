"""What is so at one moment, in a simulated patient: the answer key. What is known is a `Scene`, never this.

Imported by those alone who may know it (`tests/architecture/test_homes.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from insonate.core.anatomy import Structure
from insonate.core.checks import check_axes, check_finite, check_kind, check_range, frozen
from insonate.core.errors import AxesError, InputError
from insonate.core.grid import Grid
from insonate.core.units import CubicMeters, Meters, Seconds, SquareMeters


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """Everything that a frame cannot show, on the grid of its plane."""

    time: Seconds
    """On the clock of the examination [s]."""
    grid: Grid
    """Where the maps lie: the image plane, probe axes."""
    labels: np.ndarray
    """(n_axial, n_lateral) uint8; 0 is nothing named, k is `structures[k - 1]`."""
    structures: tuple[Structure, ...]
    """What labels 1, 2, … are."""
    displacement: np.ndarray
    """(n_axial, n_lateral, 3) lateral, elevation, axial, from the body at rest [m]."""
    velocity: np.ndarray
    """(n_axial, n_lateral, 3) of tissue and blood [m/s]."""
    shear_modulus: np.ndarray
    """(n_axial, n_lateral) [Pa]."""
    injectate: np.ndarray
    """(n_axial, n_lateral) bool: where injected fluid lies."""
    injected: CubicMeters
    """Volume given so far [m^3]."""
    given: Mapping[str, CubicMeters]
    """How much of it was given while the tip lay in what: "plane", "nerve", "vessel", "outside" [m^3]."""
    needle_tip: np.ndarray | None
    """(3,) in probe axes; None where no needle is under the skin [m]."""
    needle_direction: np.ndarray | None
    """(3,) unit vector from hub to tip, probe axes; None with the tip."""
    clearances: Mapping[str, Meters]
    """Distance from the tip to each structure in three dimensions, negative inside; empty without a needle [m]."""
    shaft_clearances: Mapping[str, Meters]
    """The same from the nearest place of the whole needle under the skin, negative only in what its tip has passed into;
    empty without a needle [m]."""
    cross_sections: Mapping[str, SquareMeters]
    """Area of each nerve in this plane [m^2]."""

    def __post_init__(self) -> None:
        check_range("Truth.time", self.time, (0, 1e9), "s")
        shape = self.grid.shape
        plane = {"labels": "", "shear_modulus": "", "injectate": "", "displacement": " 3", "velocity": " 3"}
        for name, more in plane.items():
            array = np.asarray(getattr(self, name))
            check_axes(f"Truth.{name}", array, f"{shape[0]} {shape[1]}{more}")
            check_finite(f"Truth.{name}", array)
            object.__setattr__(self, name, frozen(array))
        check_kind("Truth.labels", self.labels, ("uint8",))
        check_kind("Truth.injectate", self.injectate, ("bool",))
        if self.labels.size and int(self.labels.max()) > len(self.structures):
            raise AxesError(
                f"Truth.labels must stand for one of {len(self.structures)} structures, got {int(self.labels.max())}"
            )
        check_range("Truth.injected", self.injected, (0, 1e-3), "m^3", hint="mL?")
        if (self.needle_tip is None) != (self.needle_direction is None):
            raise InputError("Truth.needle_tip and needle_direction must be both there or both None")
        for name in ("needle_tip", "needle_direction"):
            value = getattr(self, name)
            if value is not None:
                array = np.asarray(value, dtype=float)
                check_axes(f"Truth.{name}", array, "3")
                check_finite(f"Truth.{name}", array)
                object.__setattr__(self, name, frozen(array))
        tables = (
            ("given", (0.0, 1e-3), "m^3"),
            ("clearances", (-1.0, 1.0), "m"),
            ("shaft_clearances", (-1.0, 1.0), "m"),
            ("cross_sections", (0.0, 1e-2), "m^2"),
        )
        for name, limits, unit in tables:
            table = dict(getattr(self, name))
            for key, value in table.items():
                check_range(f"Truth.{name}[{key}]", value, limits, unit)
            object.__setattr__(self, name, table)
        for name in ("clearances", "shaft_clearances"):
            if self.needle_tip is None and getattr(self, name):
                raise InputError(f"Truth.{name} must be empty without a needle under the skin")
