"""Simulated patients to choose from: regions, variants, pathologies and windows by name, and the source of a choice.

What is chosen belongs to the settings of the examination, and so to its replay. Nothing here knows what is so; see rule 8.
"""

from dataclasses import dataclass
from typing import Any

from insonate.core.checks import check_name
from insonate.core.errors import InputError, RangeError
from insonate.core.stages import Source
from insonate.simulation.anatomy import region, regions
from insonate.simulation.course import Settings
from insonate.simulation.operator.agent import KINDS
from insonate.simulation.operator.operated import OperatedPatient
from insonate.simulation.patient import SimulatedPatient

LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One simulated patient, and who examines it."""

    region: str = "femoral_crease"
    """Name of a region's file."""
    seed: int = 7
    """Decides the individual, and all that is drawn by chance."""
    variant: str = "usual"
    """Of the region."""
    pathologies: tuple[str, ...] = ()
    """Of the region."""
    window: str | None = None
    """Where the probe is placed; the region's first by default."""
    operator: str | None = None
    """"expert" or "novice"; None is a hand at the page."""

    def __post_init__(self) -> None:
        if (
            isinstance(self.seed, bool)
            or not isinstance(self.seed, int)
            or not 0 <= self.seed <= LARGEST_SEED
        ):
            raise RangeError(f"seed must be a whole number in 0..{LARGEST_SEED}, got {self.seed!r}")
        of = region(self.region)
        object.__setattr__(self, "region", of.name)
        object.__setattr__(self, "pathologies", tuple(self.pathologies))
        check_name(f"variant of {of.name}", self.variant, ("usual", *of.variants))
        for name in self.pathologies:
            check_name(f"pathology of {of.name}", name, of.pathologies)
        if len(set(self.pathologies)) != len(self.pathologies):
            raise InputError(f"a pathology can be chosen once, got {', '.join(self.pathologies)}")
        object.__setattr__(self, "window", of.window(self.window).name)
        if self.operator is not None:
            check_name("operator", self.operator, KINDS)

    @property
    def settings(self) -> Settings:
        """What decides the examination, beside seed and commands."""
        return Settings(
            region=self.region, variant=self.variant, pathologies=self.pathologies, window=self.window
        )

    @property
    def sentence(self) -> str:
        """What is chosen, in words, such as "femoral crease, seed 7"."""
        words = [self.region.replace("_", " "), f"seed {self.seed}"]
        if self.variant != "usual":
            words.append(self.variant.replace("_", " "))
        words += [name.replace("_", " ") for name in self.pathologies]
        if self.window != region(self.region).window().name:
            words.append(f"window {self.window}")
        if self.operator is not None:
            words.append(self.operator)
        return ", ".join(words)


def source_of(choice: Choice) -> Source:
    """Compile a patient, or take it from the cache, and put a probe on it.

    Parameters
    ----------
    choice : Choice
        Which.

    Returns
    -------
    Source
        Live; its name says what was chosen.
    """
    made: SimulatedPatient | OperatedPatient
    if choice.operator is None:
        made = SimulatedPatient(choice.seed, choice.settings)
    else:
        made = OperatedPatient(choice.operator, choice.seed, choice.settings)
    made.name = f"simulated patient, {choice.sentence}"
    return made


def listed() -> list[dict[str, Any]]:
    """Give every region with what can be chosen in it, as plain values.

    Returns
    -------
    list of dict
        `region`, `windows`, `variants` and `pathologies`; the first window and variant are taken where none is named.
    """
    return [
        {
            "region": of.name,
            "windows": [window.name for window in of.windows],
            "variants": ["usual", *of.variants],
            "pathologies": list(of.pathologies),
        }
        for of in (region(name) for name in regions())
    ]
