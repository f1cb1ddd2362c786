"""How a result was made: the steps it went through, in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Setting = str | int | float | bool | None | tuple["Setting", ...]
"""What a setting may be, so that every step can be written down as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One verb that was applied, with its settings."""

    name: str
    """The verb, such as "delay_and_sum" or "read dicom"."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    """Its settings by name, in SI units."""
    version: str
    """Version of the software or model that did it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
