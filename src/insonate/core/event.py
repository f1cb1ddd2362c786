"""What happened in an examination: numbered, timed, in order. An examination is its events, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from insonate.core.checks import check_count, check_range
from insonate.core.errors import InputError
from insonate.core.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Event:
    """One thing that was shown, told, read or said."""

    sequence: int
    """Its number in the examination, from 0; a gap is a loss."""
    time: Seconds
    """When it arrived, since the examination began [s]."""
    kind: str
    """Such as "frame", "command", "needle", "cue"."""
    content: Mapping[str, Any] = field(default_factory=dict)
    """Plain values, as JSON holds them."""
    data: bytes = b""
    """What is no text: the pixels of a frame."""

    def __post_init__(self) -> None:
        check_count("Event.sequence", self.sequence, (0, 2**53), "events")
        check_range("Event.time", self.time, (0, 1e9), "s")
        if not self.kind.strip():
            raise InputError("Event.kind must not be empty, got ''")
