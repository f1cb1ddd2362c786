"""Nouns in a few words and plain values, for the command line and its JSON."""

from typing import Any

import numpy as np

from insonate.core.channel_data import ChannelData
from insonate.core.grid import PixelGrid
from insonate.core.image import IQImage
from insonate.core.procedure import Procedure, Sourced
from insonate.core.stages import Readable


def _rate(times: np.ndarray | None) -> float | None:
    if times is None or len(times) < 2:
        return None
    line = times if times.ndim == 1 else times[:, 0]
    span = float(line[-1] - line[0])
    return None if span <= 0 else (len(line) - 1) / span


def summarize(noun: Readable) -> dict[str, Any]:
    """Say what a noun is.

    Parameters
    ----------
    noun : ChannelData, IQImage or Image
        As read.

    Returns
    -------
    dict
        `kind`; `what`, a sentence; `n_frames`; `frame_rate_hz` or None; `spacing_mm` or None; `facts`, texts by name.
    """
    rate = _rate(noun.times)
    frames = f"{noun.n_frames} frame{'s' if noun.n_frames > 1 else ''}"
    facts: dict[str, str] = {}
    spacing: list[float] | None = None
    if isinstance(noun, ChannelData):
        acquisition = noun.acquisition
        _, transmits, elements, samples = noun.samples.shape
        kind = "channel data"
        size = f"{transmits} transmits, {elements} elements, {samples} samples of {noun.samples.dtype.name}"
        facts["probe"] = f"{acquisition.probe.name}, {acquisition.probe.center_frequency / 1e6:g} MHz"
        facts["sampling"] = f"{acquisition.sampling_frequency / 1e6:g} MHz" + (
            ""
            if acquisition.demodulation_frequency == 0
            else f", IQ at {acquisition.demodulation_frequency / 1e6:g} MHz"
        )
        facts["sound speed"] = f"{acquisition.sound_speed:g} m/s"
    else:
        kind = "beamformed lines" if isinstance(noun, IQImage) else noun.quantity.label
        size = noun.grid.describe()
        if isinstance(noun.grid, PixelGrid):
            spacing = None if noun.grid.spacing is None else [1e3 * value for value in noun.grid.spacing]
            if noun.grid.picture not in (None, noun.grid.shape):
                row, column = noun.grid.corner
                facts["region"] = (
                    f"at row {row}, column {column} of {noun.grid.picture[0]} x {noun.grid.picture[1]}"
                )
        elif (step := getattr(noun.grid, "step", None)) is not None:
            spacing = [1e3 * value for value in step]
    facts["frame rate"] = "unknown" if rate is None else f"{rate:.4g} Hz"
    for step_made in noun.provenance:
        settings = ", ".join(f"{key} {value}" for key, value in step_made.settings.items())
        facts[step_made.name] = settings or "-"
    return {
        "kind": kind,
        "what": f"{kind}, {frames}, {size}",
        "n_frames": noun.n_frames,
        "shape": list((noun.samples if isinstance(noun, ChannelData) else noun.values).shape),
        "frame_rate_hz": rate,
        "spacing_mm": spacing,
        "facts": facts,
    }


def _number(number: Sourced, factor: float, unit: str) -> str:
    return f"{number.value * factor:g} {unit} [{number.evidence}: {number.source}]"


def procedure_facts(procedure: Procedure) -> dict[str, Any]:
    """Give every fact of a procedure as text, each number with its evidence tag and source.

    Parameters
    ----------
    procedure : Procedure
        From the catalog.

    Returns
    -------
    dict
        Texts or lists of texts by name.
    """
    return {
        "id": procedure.id,
        "name": procedure.name,
        "review": procedure.review.value,
        "view": procedure.view,
        "landmarks": list(procedure.landmarks),
        "target": f"{procedure.target.kind.value} {', '.join(procedure.target.structures)}",
        "standoff": _number(procedure.target.standoff, 1e3, "mm"),
        "hazards": [
            f"{hazard.structure} ({hazard.tissue.value}): margin {_number(hazard.margin, 1e3, 'mm')}"
            for hazard in procedure.hazards
        ],
        "approach": f"{procedure.approach.value}, {procedure.direction}",
        "depth": [_number(number, 1e2, "cm") for number in procedure.depth],
        "angle_limit": _number(procedure.angle_limit, 180 / np.pi, "deg"),
        "needle": [
            f"{procedure.needle.gauge} G",
            _number(procedure.needle.diameter, 1e3, "mm outer diameter"),
            _number(procedure.needle.length, 1e3, "mm long"),
        ],
        "volume": [
            _number(number, 1e6, "mL, a reference and no order") for number in procedure.injectate.volume
        ],
        "warnings": list(procedure.warnings),
        "sources": list(procedure.sources),
    }
