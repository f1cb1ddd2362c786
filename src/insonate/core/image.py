"""Pictures: beamformed baseband frames, and what is seen in them."""

import struct
import zlib
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from insonate.core.acquisition import check_frequency, check_sound_speed
from insonate.core.checks import check_axes, check_finite, check_range, frame_times, frozen
from insonate.core.coordinates import Pose
from insonate.core.errors import AxesError, InputError
from insonate.core.grid import Grid, PixelGrid, PolarGrid
from insonate.core.provenance import Step
from insonate.core.units import Hertz, Meters, MetersPerSecond


class Quantity(Enum):
    """What the values of an image mean, and their unit."""

    B_MODE = ("B-mode", "dB")
    BRIGHTNESS = ("brightness", "1")

    @property
    def label(self) -> str:
        """Name for people."""
        return self.value[0]

    @property
    def unit(self) -> str:
        """Unit of the values; "1" for none."""
        return self.value[1]


def _check_frames(name: str, values: np.ndarray, shape: tuple[int, int]) -> None:
    check_axes(name, values, "frame axial lateral")
    if len(values) == 0:
        raise AxesError(f"{name} must hold at least one frame, got shape {values.shape}")
    if values.shape[1:] != shape:
        raise AxesError(
            f"{name} must have {shape[0]} x {shape[1]} pixels as its grid, got shape {values.shape}"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IQImage:
    """Beamformed baseband frames, before detection."""

    values: np.ndarray
    """(n_frames, n_axial, n_lateral) complex, demodulated at `center_frequency`."""
    grid: Grid | PolarGrid | PixelGrid
    """Where the pixels lie; a `PixelGrid` where a file of beamformed lines does not give its spacing."""
    times: np.ndarray | None
    """(n_frames,) [s]; None where not known."""
    center_frequency: Hertz | None
    """Of the demodulation [Hz]; None where a file of beamformed lines does not say."""
    sound_speed: MetersPerSecond | None
    """The image was beamformed with [m/s]; None where a file of beamformed lines does not say."""
    provenance: tuple[Step, ...] = ()
    """The steps that made it."""

    def __post_init__(self) -> None:
        _check_frames("IQImage.values", self.values, self.grid.shape)
        if not np.iscomplexobj(self.values):
            raise AxesError(f"IQImage.values must be complex, got {self.values.dtype.name} (an envelope?)")
        check_finite("IQImage.values", self.values)
        if self.center_frequency is not None:
            check_frequency("IQImage.center_frequency", self.center_frequency)
        if self.sound_speed is not None:
            check_sound_speed("IQImage.sound_speed", self.sound_speed)
        object.__setattr__(self, "values", frozen(self.values))
        object.__setattr__(self, "times", frame_times("IQImage.times", self.times, len(self.values)))
        object.__setattr__(self, "provenance", tuple(self.provenance))

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.values)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """Frames of one quantity on one grid."""

    values: np.ndarray
    """(n_frames, n_axial, n_lateral) in the unit of `quantity`; B-mode is 0 dB at its maximum, brightness 0..1."""
    quantity: Quantity
    """What the values mean."""
    grid: Grid | PolarGrid | PixelGrid
    """Where the pixels lie."""
    times: np.ndarray | None = None
    """(n_frames,) [s]; None where not known."""
    poses: tuple[Pose, ...] | None = None
    """One pose per frame; None where not known."""
    color: np.ndarray | None = None
    """(n_frames, n_axial, n_lateral, 3) uint8, the picture as it was stored; None if it was grey."""
    provenance: tuple[Step, ...] = ()
    """The steps that made it."""

    def __post_init__(self) -> None:
        _check_frames("Image.values", self.values, self.grid.shape)
        if self.values.dtype.kind != "f":
            raise AxesError(
                f"Image.values must be floating point, got {self.values.dtype.name} (8-bit grey? divide by 255)"
            )
        check_finite("Image.values", self.values)
        if self.quantity is Quantity.BRIGHTNESS and not (self.values.min() >= 0 and self.values.max() <= 1):
            raise InputError(
                f"Image.values of brightness must lie in 0..1, got {self.values.min():g}..{self.values.max():g} (8-bit?)"
            )
        if self.color is not None:
            check_axes("Image.color", self.color, "frame axial lateral 3")
            if self.color.shape[:3] != self.values.shape or self.color.dtype != np.uint8:
                raise AxesError(
                    f"Image.color must be uint8 of shape {(*self.values.shape, 3)}, got {self.color.dtype.name} of "
                    f"{self.color.shape}"
                )
            object.__setattr__(self, "color", frozen(self.color))
        if self.poses is not None:
            object.__setattr__(self, "poses", tuple(self.poses))
            if len(self.poses) != len(self.values):
                raise AxesError(
                    f"Image.poses must be one per frame ({len(self.values)}), got {len(self.poses)}"
                )
        object.__setattr__(self, "values", frozen(self.values))
        object.__setattr__(self, "times", frame_times("Image.times", self.times, len(self.values)))
        object.__setattr__(self, "provenance", tuple(self.provenance))

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.values)

    def brightness(self, *, dynamic_range: float = 60.0) -> np.ndarray:
        """Give the frames as grey, whatever the quantity.

        Parameters
        ----------
        dynamic_range : float
            Decibels below the maximum that are shown as black, for B-mode [dB].

        Returns
        -------
        numpy.ndarray
            (n_frames, n_axial, n_lateral) float32 from 0 (black) to 1 (white).

        Raises
        ------
        RangeError
            If the dynamic range is not one that can be seen.
        """
        check_range("dynamic_range", dynamic_range, (1, 200), "dB")
        if self.quantity is Quantity.BRIGHTNESS:
            return self.values.astype(np.float32)
        return np.clip(1 + self.values / dynamic_range, 0, 1).astype(np.float32)

    def with_spacing(self, spacing: tuple[Meters, Meters]) -> "Image":
        """Give the same picture with a spacing that somebody supplied.

        Parameters
        ----------
        spacing : (float, float)
            Distance between rows and between columns [m].

        Returns
        -------
        Image
            On a `PixelGrid` with that spacing.

        Raises
        ------
        InputError
            If the image's own grid already says where its pixels are.
        """
        if not isinstance(self.grid, PixelGrid):
            raise InputError(
                "spacing can only be supplied for a picture, this image's grid is already in meters"
            )
        if self.grid.spacing is not None:
            own = " x ".join(f"{1e3 * value:.4g}" for value in self.grid.spacing)
            raise InputError(
                f"spacing can only be supplied where it is unknown, the file itself says {own} mm"
            )
        return replace(self, grid=replace(self.grid, spacing=spacing))

    def _repr_png_(self) -> bytes:
        """Show the first frame in a notebook, as a grey PNG."""
        grey = (255 * self.brightness()[0] + 0.5).astype(np.uint8)
        rows, columns = grey.shape
        lines = np.concatenate(
            [np.zeros((rows, 1), np.uint8), grey], axis=1
        ).tobytes()  # filter 0 on every line

        def chunk(kind: bytes, body: bytes) -> bytes:
            return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

        header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
        parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
