"""Every choice by name, every plug-in point: the only list.

An entry is written "module:name" and imported on first use, so that listing costs nothing. A package from outside joins
a catalog by an entry point in its group.
"""

import difflib
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from insonate.core.errors import UnknownNameError


class Catalog:
    """Things of one kind, by name."""

    def __init__(self, group: str, entries: Mapping[str, str]) -> None:
        """Take the group's name for entry points, and "module:name" by name; an empty name means the module."""
        self.group = group
        self._entries = dict(entries)

    def entries(self) -> dict[str, str]:
        """Give "module:name" by name, ours first and then those from outside, which cannot replace ours."""
        outside = {point.name: point.value for point in entry_points(group=self.group)}
        return self._entries | {name: value for name, value in outside.items() if name not in self._entries}

    def names(self) -> tuple[str, ...]:
        """Give all names."""
        return tuple(self.entries())

    def get(self, name: str) -> Any:
        """Give the thing of that name.

        Raises
        ------
        UnknownNameError
            If there is none; the message suggests the nearest.
        """
        # Whoever is outside cannot replace ours: those are found without looking, as for every live frame.
        entries = self._entries if name in self._entries else self.entries()
        if name not in entries:
            near = difflib.get_close_matches(name, entries, n=1, cutoff=0.4)
            suggestion = f" (did you mean {near[0]!r}?)" if near else ""
            raise UnknownNameError(
                f"{self.group.removeprefix('insonate.')} must be one of {', '.join(entries)}, got {name!r}{suggestion}"
            )
        module, _, attribute = entries[name].partition(":")
        loaded = import_module(module)
        return getattr(loaded, attribute) if attribute else loaded


READERS = Catalog(
    "insonate.readers",
    {
        "dicom": "insonate.formats.dicom",
        "insonate_hdf5": "insonate.formats.insonate_hdf5",
        "mat_must": "insonate.formats.mat_must",
        "meta_image": "insonate.formats.meta_image",
        "still": "insonate.formats.still",
        "video": "insonate.formats.video",
    },
)
"""File formats: modules with `can_read` and `read`. Asked in this order."""

BEAMFORMERS = Catalog(
    "insonate.beamformers", {"delay_and_sum": "insonate.imaging.beamforming.delay_and_sum:delay_and_sum"}
)
"""Channel data to baseband pixels."""

IMAGERS = Catalog("insonate.imagers", {"b_mode": "insonate.imaging.b_mode.b_mode:b_mode"})
"""Baseband pixels to an image."""

SEGMENTERS = Catalog(
    "insonate.segmenters",
    {
        "nerve_vessel": "insonate.analysis.segmentation:segment",
        "simulated_tissues": "insonate.analysis.segmentation:segment_simulated",
    },
)
"""An image to the structures in it; the second reads pictures of sources marked SIMULATED alone."""

SOURCES = Catalog(
    "insonate.sources",
    {
        "moving_body": "insonate.simulation.moving_body:MovingBody",
        "patient": "insonate.simulation.patient:SimulatedPatient",
    },
)
"""Live sources: commands in, observations out."""

CATALOGS = {
    "readers": READERS,
    "beamformers": BEAMFORMERS,
    "imagers": IMAGERS,
    "segmenters": SEGMENTERS,
    "sources": SOURCES,
}
"""All plug-in points."""
