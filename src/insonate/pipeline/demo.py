"""The picture of the README: a body that is not there, from channel data to a planned path."""

from pathlib import Path

import numpy as np

from insonate.core.channel_data import ChannelData
from insonate.core.errors import InputError
from insonate.core.image import Image, IQImage, Quantity
from insonate.core.units import Decibels, Meters
from insonate.imaging.b_mode import Compounding, log_compression, speckle_reduction
from insonate.pipeline.catalog import BEAMFORMERS, SOURCES
from insonate.pipeline.chain import MOST_ROWS, Report, grid_of, guide, picture, silent
from insonate.record.folder import check_picture_name, write_picture

ANGLES = 5
"""Plane waves in each compound."""

FRAMES = 12
"""Moments looked at: as for any clip, the one whose target is surest is planned on."""

DEPTH: Meters = 0.04
"""[m]."""

DYNAMIC_RANGE: Decibels = 60.0
"""[dB]."""

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
    source = SOURCES.get("patient")()
    beamform = BEAMFORMERS.get("delay_and_sum")
    compounding = Compounding(ANGLES)
    moments: list[np.ndarray] = []
    times: list[float] = []
    iq: IQImage | None = None
    for data in source.advance((), until=60.0):
        if not isinstance(data, ChannelData):
            continue
        report(len(moments), FRAMES + 1, "simulating and beamforming")
        iq = beamform(data, grid_of(data, depth=DEPTH, rows=MOST_ROWS))
        strength = compounding.add(iq)
        times.append(0.0 if data.times is None else float(data.times[0, 0]))
        if len(times) % ANGLES == 0:
            moments.append(strength)
        if len(moments) == FRAMES:
            break
    if iq is None or not moments:
        raise InputError("the simulated patient gave no channel data")

    decibels = log_compression(np.stack(moments), dynamic_range=DYNAMIC_RANGE)
    evened = np.stack([speckle_reduction(one) for one in decibels])
    image = Image(
        values=np.maximum(evened - evened.max(), -DYNAMIC_RANGE),
        quantity=Quantity.B_MODE,
        grid=iq.grid,
        times=np.array(times[ANGLES - 1 :: ANGLES]),
    )
    guided = guide(image, procedure(PROCEDURE), simulated=True, report=report)
    shown = guided.scene.image or image
    write_picture(out, picture(shown, guided.drawing, height=800))
    return f"{out}: the simulated patient, {guided.procedure.name}, {len(guided.plan.paths)} path(s); {guided.plan.reason}"
