"""How far off a distance may be, from stated deviations, and the margin that follows.

    sigma^2 = tip^2 + boundary^2 + calibration^2,    margin(tissue) = max(2 sigma, least(tissue))

Deviations and least margins stand in `uncertainty.toml`, each with its source. The margin holds where no source gives one.
A vessel whose kind is not known has the largest of all vessels.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from insonate.core import Sourced, Tissue
from insonate.core.units import Meters

Z95 = 1.959963984540054
"""Standard deviations on either side that hold 95 % of a normal distribution."""


def _shown(length: Meters) -> str:
    return f"{1e3 * length:.3g} mm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """One standard deviation of each cause, and the least margin of each tissue."""

    tip: Sourced
    """Of where the tip comes to rest [m]."""
    boundary: Sourced
    """Of where a structure ends [m]."""
    calibration: Sourced
    """Of lengths in the picture [m]."""
    least: Mapping[Tissue, Sourced]
    """Margin that a tissue has at least [m]; a tissue that is not in it has none."""

    @property
    def sigma(self) -> Meters:
        """All causes together [m]."""
        return math.hypot(self.tip.value, self.boundary.value, self.calibration.value)

    def margin(self, tissue: Tissue) -> Sourced:
        """Derive the margin of a tissue where no source gives one.

        Parameters
        ----------
        tissue : Tissue
            What must not be touched.

        Returns
        -------
        Sourced
            Two sigma, or the tissue's least margin where that is more [m]; tagged D.
        """
        deviations = {"tip": self.tip, "boundary": self.boundary, "calibration": self.calibration}
        parts = ", ".join(f"{name} {_shown(number.value)}" for name, number in deviations.items())
        two_sigma = 2 * self.sigma
        derived = f"two sigma of {parts}"
        least = max((self.least[kind].value for kind in _kinds(tissue) if kind in self.least), default=0.0)
        if least > two_sigma:
            source = f"design minimum of {tissue.value}; {derived} would be {_shown(two_sigma)}"
        else:
            source = derived
        source += ", as assumed in guidance/uncertainty.toml; no source gives a distance"
        return Sourced(value=max(two_sigma, least), source=source, evidence="D")


def _kinds(tissue: Tissue) -> tuple[Tissue, ...]:
    """What a tissue may be: a vessel of unknown kind may be any vessel."""
    return tuple(kind for kind in Tissue if kind.is_vessel) if tissue is Tissue.VESSEL else (tissue,)


@cache
def uncertainty() -> Uncertainty:
    """Read the stated deviations and least margins.

    Returns
    -------
    Uncertainty
        In meters.
    """
    table = tomllib.loads((files("insonate.guidance") / "uncertainty.toml").read_text(encoding="utf-8"))

    def numbers(kind: str) -> dict[str, Sourced]:
        return {
            name: Sourced(value=entry["value"] / 1e3, source=entry["source"], evidence=entry["evidence"])
            for name, entry in table[kind].items()
        }

    least = {Tissue(name): number for name, number in numbers("least").items()}
    return Uncertainty(**numbers("deviation"), least=least)


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
