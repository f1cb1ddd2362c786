"""How echoes were taken: the probe, the transmitted waveform, each transmit event, and the receiver's clocks."""

import math
from dataclasses import dataclass

import numpy as np

from insonate.core.checks import check_axes, check_count, check_finite, check_range, frozen
from insonate.core.errors import AxesError, RangeError
from insonate.core.units import Hertz, Meters, MetersPerSecond, Seconds

SOUND_SPEED = (300.0, 6000.0)
"""Air to bone and metal, with room to spare [m/s]."""
FREQUENCY = (1e5, 1e9)
"""From low therapeutic to acoustic microscopy [Hz]."""
APERTURE = 0.5
"""Half a meter: no probe has an element further from its middle [m]."""


def check_sound_speed(name: str, value: float) -> None:
    """Raise `RangeError` unless `value` is a possible speed of sound [m/s]."""
    check_range(name, value, SOUND_SPEED, "m/s", hint="km/s?")


def check_frequency(name: str, value: float) -> None:
    """Raise `RangeError` unless `value` is a possible ultrasound frequency [Hz]."""
    check_range(name, value, FREQUENCY, "Hz", hint="MHz?" if value < FREQUENCY[0] else "in units of 1/ns?")


def _vectors(name: str, array: np.ndarray) -> np.ndarray:
    vectors = np.asarray(array, dtype=float)
    check_axes(name, vectors, "n_elements 3")
    check_finite(name, vectors)
    return frozen(vectors)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probe:
    """An array of transducer elements, in its own frame (x lateral, y elevation, z axial)."""

    name: str
    """Maker's or our own name."""
    element_positions: np.ndarray
    """(n_elements, 3) centers of the elements [m]."""
    element_normals: np.ndarray
    """(n_elements, 3) unit vectors out of the face."""
    element_width: Meters | None
    """Lateral size of one element [m]; None where the file does not say."""
    element_height: Meters | None
    """Elevation size of one element [m]; None where the file does not say."""
    center_frequency: Hertz
    """Center of the band [Hz]."""
    fractional_bandwidth: float | None
    """-6 dB bandwidth over center frequency, 1; None where the file does not say."""
    elevation_focus: Meters | None
    """Depth of the lens focus [m]; None where there is no lens or the file does not say."""

    def __post_init__(self) -> None:
        positions = _vectors("Probe.element_positions", self.element_positions)
        normals = _vectors("Probe.element_normals", self.element_normals)
        if positions.shape != normals.shape or len(positions) == 0:
            raise AxesError(
                f"Probe needs one normal per element and at least one element, got {len(positions)} positions and "
                f"{len(normals)} normals"
            )
        check_range(
            "Probe.element_positions", float(np.abs(positions).max()), (0, APERTURE), "m", hint="millimeters?"
        )
        lengths = np.linalg.norm(normals, axis=1)
        if np.abs(lengths - 1).max() > 1e-6:
            raise RangeError(
                f"Probe.element_normals must be unit vectors, got lengths up to {lengths.max():g}"
            )
        for name in ("element_width", "element_height"):
            if (size := getattr(self, name)) is not None:
                check_range(f"Probe.{name}", size, (1e-6, 0.1), "m", hint="millimeters?")
        check_frequency("Probe.center_frequency", self.center_frequency)
        if self.fractional_bandwidth is not None:
            check_range(
                "Probe.fractional_bandwidth", self.fractional_bandwidth, (0.01, 2), "1", hint="percent?"
            )
        if self.elevation_focus is not None:
            check_range("Probe.elevation_focus", self.elevation_focus, (1e-4, 1), "m", hint="millimeters?")
        object.__setattr__(self, "element_positions", positions)
        object.__setattr__(self, "element_normals", normals)

    @property
    def n_elements(self) -> int:
        """Number of elements."""
        return len(self.element_positions)

    @classmethod
    def linear(
        cls,
        *,
        name: str,
        n_elements: int,
        pitch: Meters,
        center_frequency: Hertz,
        element_width: Meters | None = None,
        element_height: Meters | None = None,
        fractional_bandwidth: float | None = None,
        elevation_focus: Meters | None = None,
    ) -> "Probe":
        """Make a flat linear array centered on its frame.

        Parameters
        ----------
        name : str
            Name of the probe.
        n_elements : int
            Number of elements, 1 to 4096.
        pitch : float
            Distance between neighbors [m].
        center_frequency : float
            Center of the band [Hz].
        element_width, element_height : float, optional
            Size of one element [m].
        fractional_bandwidth : float, optional
            -6 dB bandwidth over center frequency [1].
        elevation_focus : float, optional
            Depth of the lens focus [m].

        Returns
        -------
        Probe
            Elements along x, all facing +z.

        Raises
        ------
        RangeError
            If a size is not one of an ultrasound array.
        """
        check_count("n_elements", n_elements, (1, 4096), "elements")
        check_range("pitch", pitch, (1e-6, 0.01), "m", hint="millimeters?")
        positions = np.zeros((n_elements, 3))
        positions[:, 0] = (np.arange(n_elements) - (n_elements - 1) / 2) * pitch
        normals = np.tile([0.0, 0.0, 1.0], (n_elements, 1))
        return cls(
            name=name,
            element_positions=positions,
            element_normals=normals,
            element_width=element_width,
            element_height=element_height,
            center_frequency=center_frequency,
            fractional_bandwidth=fractional_bandwidth,
            elevation_focus=elevation_focus,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Waveform:
    """What the elements are driven with: a burst of so many cycles."""

    center_frequency: Hertz
    """Carrier [Hz]."""
    cycles: float
    """Length of the burst in periods of the carrier, 1."""
    polarity: int = 1
    """+1, or -1 for the inverted pulse."""

    def __post_init__(self) -> None:
        check_frequency("Waveform.center_frequency", self.center_frequency)
        check_range("Waveform.cycles", self.cycles, (0.25, 10_000), "periods")
        if self.polarity not in (-1, 1):
            raise RangeError(f"Waveform.polarity must be +1 or -1, got {self.polarity!r}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transmit:
    """One transmit event. Time zero is when the wave passes `origin`."""

    origin: np.ndarray
    """(3,) the point the delays are counted from [m]."""
    direction: np.ndarray
    """(3,) unit vector along the beam or the plane wave."""
    focus_distance: Meters
    """In front of the array if positive, a virtual source behind it if negative, a plane wave if infinite [m]."""
    delays: np.ndarray | None
    """(n_elements,) firing times [s]; None where the file does not say."""
    apodization: np.ndarray | None
    """(n_elements,) weights 0..1; None where the file does not say."""
    waveform: Waveform | None
    """The burst; None where the file does not say."""
    initial_time: Seconds
    """Of the first sample, after the wave passes `origin` [s]."""

    def __post_init__(self) -> None:
        for name in ("origin", "direction"):
            vector = np.asarray(getattr(self, name), dtype=float)
            check_axes(f"Transmit.{name}", vector, "3")
            check_finite(f"Transmit.{name}", vector)
            object.__setattr__(self, name, frozen(vector))
        if abs(float(np.linalg.norm(self.direction)) - 1) > 1e-6:
            raise RangeError(
                f"Transmit.direction must be a unit vector, got length {np.linalg.norm(self.direction):g}"
            )
        if math.isnan(self.focus_distance) or self.focus_distance == 0:
            raise RangeError(
                "Transmit.focus_distance must be positive (focused), negative (diverging) or infinite (plane) [m], "
                f"got {self.focus_distance:g}"
            )
        check_range("Transmit.initial_time", self.initial_time, (-0.1, 0.1), "s", hint="microseconds?")
        for name in ("delays", "apodization"):
            if (values := getattr(self, name)) is not None:
                values = np.asarray(values, dtype=float)
                check_axes(f"Transmit.{name}", values, "n_elements")
                check_finite(f"Transmit.{name}", values)
                object.__setattr__(self, name, frozen(values))

    @classmethod
    def plane(
        cls, *, steering_angle: float, initial_time: Seconds, waveform: Waveform | None = None
    ) -> "Transmit":
        """Make a plane wave through the middle of the array.

        Parameters
        ----------
        steering_angle : float
            From +z toward +x [rad].
        initial_time : float
            Of the first sample, after the wave passes the middle [s].
        waveform : Waveform, optional
            The burst.

        Returns
        -------
        Transmit
            With `focus_distance` infinite.

        Raises
        ------
        RangeError
            If the angle is not between -90 and 90 degrees.
        """
        check_range("steering_angle", steering_angle, (-math.pi / 2, math.pi / 2), "rad", hint="degrees?")
        return cls(
            origin=np.zeros(3),
            direction=np.array([math.sin(steering_angle), 0.0, math.cos(steering_angle)]),
            focus_distance=math.inf,
            delays=None,
            apodization=None,
            waveform=waveform,
            initial_time=initial_time,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Acquisition:
    """How one set of channel data was taken."""

    probe: Probe
    """The array."""
    transmits: tuple[Transmit, ...]
    """The transmit events of one frame, in order."""
    sampling_frequency: Hertz
    """Fast-time sampling rate [Hz]."""
    demodulation_frequency: Hertz
    """Of IQ samples [Hz]; 0 for RF."""
    sound_speed: MetersPerSecond
    """Assumed speed of sound [m/s]."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "transmits", tuple(self.transmits))
        if not self.transmits:
            raise RangeError("Acquisition.transmits must hold at least one transmit, got none")
        for i, transmit in enumerate(self.transmits):
            for name in ("delays", "apodization"):
                values = getattr(transmit, name)
                if values is not None and len(values) != self.probe.n_elements:
                    raise AxesError(
                        f"Acquisition.transmits[{i}].{name} must have one value per element "
                        f"({self.probe.n_elements}), got {len(values)}"
                    )
        check_frequency("Acquisition.sampling_frequency", self.sampling_frequency)
        if self.demodulation_frequency != 0:
            check_frequency("Acquisition.demodulation_frequency", self.demodulation_frequency)
        check_sound_speed("Acquisition.sound_speed", self.sound_speed)
