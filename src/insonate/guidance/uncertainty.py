"""How far off a distance may be, from stated deviations.

    sigma^2 = tip^2 + boundary^2 + calibration^2

The deviations and their sources stand in `uncertainty.toml`. Two sigma is the margin where no source gives one.
"""

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from insonate.core import Sourced
from insonate.core.units import Meters

Z95 = 1.959963984540054
"""Standard deviations on either side that hold 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """One standard deviation of each cause."""

    tip: Sourced
    """Of where the tip comes to rest [m]."""
    boundary: Sourced
    """Of where a structure ends [m]."""
    calibration: Sourced
    """Of lengths in the picture [m]."""

    @property
    def sigma(self) -> Meters:
        """All causes together [m]."""
        return math.hypot(self.tip.value, self.boundary.value, self.calibration.value)

    def two_sigma(self) -> Sourced:
        """Give the margin that follows, with how it was derived."""
        parts = ", ".join(
            f"{name} {1e3 * number.value:g} mm"
            for name, number in (
                ("tip", self.tip),
                ("boundary", self.boundary),
                ("calibration", self.calibration),
            )
        )
        source = f"two sigma of {parts}, as assumed in guidance/uncertainty.toml; no source gives a distance"
        return Sourced(value=2 * self.sigma, source=source, evidence="D")


@cache
def uncertainty() -> Uncertainty:
    """Read the stated deviations.

    Returns
    -------
    Uncertainty
        In meters.
    """
    table = tomllib.loads((files("insonate.guidance") / "uncertainty.toml").read_text(encoding="utf-8"))
    numbers = {
        name: Sourced(value=entry["value"] / 1e3, source=entry["source"], evidence=entry["evidence"])
        for name, entry in table.items()
    }
    return Uncertainty(**numbers)


def contact_probability(distance: Meters, sigma: Meters) -> float:
    """Give the chance that a distance read as `distance` is none at all.

    Parameters
    ----------
    distance : float
        As read [m].
    sigma : float
        Its standard deviation [m].

    Returns
    -------
    float
        P(true distance <= 0) of a normal distribution, 0..1.
    """
    return 0.5 * math.erfc(distance / (sigma * math.sqrt(2)))


def interval(distance: float, sigma: float) -> tuple[float, float]:
    """Give the 95 % interval of a distance, not below zero.

    Parameters
    ----------
    distance, sigma : float
        Distance and its standard deviation, in one unit.

    Returns
    -------
    (float, float)
        In the same unit.
    """
    return max(distance - Z95 * sigma, 0.0), distance + Z95 * sigma
