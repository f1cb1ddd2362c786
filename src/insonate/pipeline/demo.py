"""The picture of the README: a body that is not there, from channel data to a planned path."""

from dataclasses import replace
from pathlib import Path

from insonate.core.channel_data import ChannelData
from insonate.core.errors import InputError
from insonate.core.image import IQImage
from insonate.pipeline.catalog import BEAMFORMERS, IMAGERS, SOURCES
from insonate.pipeline.chain import Report, grid_of, guide, picture, silent
from insonate.record.folder import check_picture_name, write_picture

ANGLES = 3
"""Plane waves in the rolling compound of the demonstration."""

PROCEDURE = "LL01"


def make_demo(out: Path, *, report: Report = silent) -> str:
    """Simulate, beamform, label, plan and draw, and write the picture.

    Parameters
    ----------
    out : pathlib.Path
        PNG to write.
    report : callable
        Told how far it is.

    Returns
    -------
    str
        One line that says what was made.

    Raises
    ------
    InputError
        If the name does not end in `.png`; nothing was made.
    OutputError
        If it cannot be written.
    """
    from insonate.guidance.procedures import procedure

    check_picture_name(out)
    source = SOURCES.get("moving_body")()
    beamform, imager = BEAMFORMERS.get("delay_and_sum"), IMAGERS.get("b_mode")
    summed: IQImage | None = None
    values = None
    for number, data in enumerate(source.advance((), until=10.0)):
        report(number, ANGLES + 1, "simulating and beamforming")
        if not isinstance(data, ChannelData):
            continue
        summed = beamform(data, grid_of(data))
        values = summed.values if values is None else values + summed.values
        if number + 1 >= ANGLES:
            break
    if summed is None or values is None:
        raise InputError("the moving body gave no channel data")

    image = imager(replace(summed, values=values))
    guided = guide(image, procedure(PROCEDURE), simulated=True, report=report)
    shown = guided.scene.image or image
    write_picture(out, picture(shown, guided.drawing, height=800))
    return f"{out}: the moving body, {guided.procedure.name}, {len(guided.plan.paths)} path(s); {guided.plan.reason}"
