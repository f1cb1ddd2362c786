"""Color over the live picture: where its box lies, how its shots are taken, and what they showed last.

A box is asked of a source by its controls; each ensemble that comes is beamformed on the box alone, estimated, and written
as one signed byte a pixel: -127..127 for the Nyquist velocity either way, positive toward the probe, and -128 for unknown.
"""

from dataclasses import dataclass

import numpy as np

from insonate.core import ChannelData, Grid, InputError, SetControl
from insonate.core.checks import check_axes, check_range
from insonate.core.units import Hertz, Meters, MetersPerSecond, Radians, Seconds
from insonate.imaging.doppler import color_doppler, shows
from insonate.pipeline.catalog import BEAMFORMERS

EVERY = "color_every"
"""By which it is told how many ticks lie between two ensembles, if it has it."""

OFTEN, SELDOM = 2, 5
"""Ticks between them: ten in a second, and four where that is held back."""

SHOTS = 10
"""In an ensemble: fewer tell slow flow from tissue worse, more take longer."""

CONTROL = "color_shots"
"""A source that accepts it takes ensembles."""

STEP: tuple[Meters, Meters] = (2e-4, 3e-4)
"""Between two rows and two columns of the color [m]."""

UNKNOWN = -128
"""Of a pixel without color."""

SMALLEST: Meters = 3e-3
"""Side of a box [m]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColorBox:
    """Where flow is looked for, and how."""

    left: Meters = -0.01
    """Along the array [m]."""
    right: Meters = 0.01
    """Along the array [m]."""
    top: Meters = 0.008
    """Below the face [m]."""
    bottom: Meters = 0.03
    """Below the face [m]."""
    rate: Hertz = 2e3
    """Of the shots [Hz]."""
    steering: Radians = 0.175
    """Of their plane waves, to the right [rad]."""

    def __post_init__(self) -> None:
        for name in ("left", "right"):
            check_range(f"ColorBox.{name}", getattr(self, name), (-0.03, 0.03), "m", hint="millimeters?")
        for name in ("top", "bottom"):
            check_range(f"ColorBox.{name}", getattr(self, name), (1e-3, 0.04), "m", hint="millimeters?")
        check_range("ColorBox.rate", self.rate, (1e3, 2e4), "Hz", hint="kHz?")
        check_range("ColorBox.steering", self.steering, (-0.35, 0.35), "rad", hint="degrees?")
        for name, size in (("wide", self.right - self.left), ("deep", self.bottom - self.top)):
            if size < SMALLEST - 1e-9:
                raise InputError(
                    f"a color box must be at least {1e3 * SMALLEST:g} mm {name}, got {1e3 * size:.1f} mm"
                )

    def commands(self, *, given_by: str) -> tuple[SetControl, ...]:
        """Give what a source is told to take ensembles of this box; `SetControl` of `CONTROL` to 0 ends it."""
        values = {
            "color_left": self.left,
            "color_right": self.right,
            "color_top": self.top,
            "color_bottom": self.bottom,
            "color_rate": self.rate,
            "color_steering": self.steering,
            CONTROL: float(SHOTS),
        }
        return tuple(
            SetControl(name=name, value=value, time=0.0, given_by=given_by) for name, value in values.items()
        )

    def grid(self) -> Grid:
        """Give the pixels of its color."""
        return Grid(
            axial=np.arange(self.top, self.bottom + STEP[0] / 2, STEP[0]),
            lateral=np.arange(self.left, self.right + STEP[1] / 2, STEP[1]),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flow:
    """What one ensemble showed."""

    velocities: np.ndarray
    """(rows, columns) int8: shares of `nyquist` in 127ths, positive toward the probe; `UNKNOWN` without color."""
    nyquist: MetersPerSecond
    """The fastest that is not folded [m/s]."""
    origin: tuple[Meters, Meters]
    """Axial and lateral of the first pixel [m]."""
    step: tuple[Meters, Meters]
    """Between rows and between columns [m]."""
    time: Seconds
    """Of the first shot, on the source's clock [s]."""
    made: Seconds = 0.0
    """When it was put in place, seconds since 1970 [s]."""

    def __post_init__(self) -> None:
        check_axes("Flow.velocities", self.velocities, "axial lateral")
        if self.velocities.dtype != np.int8:
            raise InputError(f"Flow.velocities must be int8, got {self.velocities.dtype.name}")
        check_range("Flow.nyquist", self.nyquist, (1e-4, 100), "m/s", hint="cm/s?")


def flow_of(ensemble: ChannelData, box: ColorBox) -> Flow:
    """See what one ensemble shows.

    Parameters
    ----------
    ensemble : ChannelData
        A frame for each shot, one plane wave each.
    box : ColorBox
        That it was taken of.

    Returns
    -------
    Flow
        Its color.

    Raises
    ------
    InputError
        If it is no ensemble.
    """
    if not ensemble.is_ensemble or ensemble.times is None:
        raise InputError("flow is seen in the shots of an ensemble with their times")
    grid = box.grid()
    direction = ensemble.acquisition.transmits[0].direction
    iq = BEAMFORMERS.get("delay_and_sum")(ensemble, grid)
    flow = color_doppler(iq, angle=float(np.arctan2(direction[0], direction[2])))
    bytes_ = np.rint(127 * np.clip(flow.doppler_velocity / flow.nyquist_velocity, -1, 1))
    return Flow(
        velocities=np.where(shows(flow), bytes_, UNKNOWN).astype(np.int8),
        nyquist=flow.nyquist_velocity,
        origin=grid.origin,
        step=grid.step,
        time=float(ensemble.times.flat[0]),
    )
