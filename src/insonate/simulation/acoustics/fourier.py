"""Dense reflectivity to channel data by remapping its Fourier transform: cost does not grow with the scatterers.

In the Born approximation a plane wave at angle a, received along z = 0, samples the two-dimensional spectrum G of the
reflectivity g(x, z) on a circle (time exp(-i w t), k = w / c, kz = sqrt(k^2 - kx^2)):

    R(kx, w) = P(w) D(kx) T(kz / k) / kz G(kx - k sin a, -(kz + k cos a))

with P the two-way pulse spectrum, D = sinc(kx width / 2 pi) the element's directivity, T the fade of grazing waves and
1 / kz the obliquity of a line source. G is taken once on a grid; with kx = Kx + k sin a only Kz falls between its
samples, and is interpolated with a Kaiser-Bessel window over an axis padded twofold. Time zero is when the wave passes the
middle of the array; the steering angle turns from +z toward +x. Echoes from outside the map wrap around in x: keep the
map wider than the array. Columns of the map carry receive angles up to |kx| = pi / step: at a wavelength of 0.2 mm and
columns of 0.15 mm, 43 degrees.

A. J. Devaney, "A filtered backpropagation algorithm for diffraction tomography", Ultrason. Imaging 4(4), 336-350, 1982,
for the circle; J. A. Fessler, B. P. Sutton, "Nonuniform fast Fourier transforms using min-max interpolation", IEEE Trans.
Signal Process. 51(2), 560-574, 2003, for the window.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy import fft

from insonate.core import Acquisition, AxesError, ChannelData, Probe, RangeError, Transmit, Waveform
from insonate.core.acquisition import check_sound_speed
from insonate.core.checks import check_range
from insonate.core.units import Hertz, Meters, MetersPerSecond, Radians, Seconds
from insonate.simulation.acoustics import kernels
from insonate.simulation.acoustics.kernels.reference import GRAZING

TAPS = 6
"""Width of the window: a relative error of the spectrum below 1e-4."""
MOST_ANGLES = 16
"""Whose phases are kept, 0.6 MB each."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FourierEngine:
    """Channel data of a linear array over one map, planned once and used for every frame."""

    probe: Probe
    """A linear array in the plane z = 0, its pitch a whole number of `lateral_step`."""
    lateral_step: Meters
    """Between columns of the map [m]."""
    axial_step: Meters
    """Between rows of the map [m]."""
    shape: tuple[int, int]
    """(n_lateral, n_axial) of the map; it lies below the array, centered, from depth 0."""
    sound_speed: MetersPerSecond
    """[m/s]."""
    duration: Seconds
    """Of the record; echoes later than it wrap around [s]."""
    cycles: float = 1.5
    """Length of the transmitted burst in periods, for the description only."""
    grazing: tuple[float, float] = GRAZING
    """(kz / k)^2 between which waves along the array fade out: lower on a wider map, where they wrap around later."""
    band: tuple[float, float] = (0.4, 1.6)
    """Frequencies that are heard, over the center's: a bandwidth of 0.7 is cut at -18 dB, which leaves side lobes 32 dB
    below the pulse and costs a third less than a cut at -40 dB. A narrower pulse can do with less, and costs less."""
    edge: float = 0.0
    """Share of the band over which it fades at either end, as a raised cosine, 0..1: a receiver's filter. Cut hard (0),
    the pulse has a tail that falls as one over time only, and a wall that lies flat draws a bar through a vessel."""
    _plan: dict[str, np.ndarray] = field(init=False, repr=False, default_factory=dict)
    _slants: dict[float, np.ndarray] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.probe.fractional_bandwidth is None or self.probe.element_width is None:
            raise RangeError(
                "FourierEngine needs a probe whose bandwidth and element width are known, got None"
            )
        check_sound_speed("sound_speed", self.sound_speed)
        check_range("duration", self.duration, (1e-6, 0.01), "s", hint="microseconds?")
        if not 0 < self.grazing[0] < self.grazing[1] <= 1:
            raise RangeError(f"grazing must rise within 0..1, got {self.grazing[0]:g}..{self.grazing[1]:g}")
        if not 0 < self.band[0] < 1 < self.band[1] <= 2:
            raise RangeError(
                f"band must lie about the center frequency within 0..2 of it, got {self.band[0]:g}..{self.band[1]:g}"
            )
        check_range("edge", self.edge, (0.0, 1.0), "")
        for name in ("lateral_step", "axial_step"):
            check_range(name, getattr(self, name), (1e-6, 0.01), "m", hint="millimeters?")
        x = self.probe.element_positions[:, 0]
        pitches = np.diff(x)
        if len(x) < 2 or np.ptp(pitches) > 1e-9 or np.abs(self.probe.element_positions[:, 1:]).max() > 1e-9:
            raise RangeError(
                "FourierEngine needs a linear array of two elements or more in the plane z = 0, got another one"
            )
        pitch = float(pitches.mean()) / self.lateral_step
        if abs(pitch - round(pitch)) > 1e-6:
            raise RangeError(f"the probe's pitch must be a whole number of lateral steps, got {pitch:g}")
        width = self.shape[0] * self.lateral_step
        check_range(
            "width of the map", width, (float(np.ptp(x)) * 1.2, 1.0), "m", hint="narrower than the array?"
        )
        self._plan.update(self._planned())

    def _planned(self) -> dict[str, np.ndarray]:
        n_lateral, n_axial = self.shape
        center, band = self.probe.center_frequency, self.probe.fractional_bandwidth or 0.0
        resolution = 1 / self.duration
        bins = np.arange(int(self.band[0] * center / resolution), int(self.band[1] * center / resolution) + 1)
        frequencies = bins * resolution
        deviation = band * center / (2 * np.sqrt(2 * np.log(2)))
        padded = 2 * n_axial
        wavenumbers = 2 * np.pi * frequencies / self.sound_speed
        # of a real map half the spectrum says all; on the other side of it lies what a coarse map folds
        highest = 2 * wavenumbers[-1] * padded * self.axial_step / (2 * np.pi)
        beta = np.pi * np.sqrt((TAPS / 2) ** 2 * 1.5**2 - 0.8)
        place = np.pi * TAPS * (np.arange(n_axial) - n_axial // 2) / padded
        root = np.sqrt((beta**2 - place**2).astype(complex))
        distance = np.linspace(0, TAPS / 2, TAPS // 2 * 1000 + 1)
        inside = np.maximum(1 - (2 * distance / TAPS) ** 2, 0)
        window = np.where(inside > 0, np.i0(beta * np.sqrt(inside)), 0) / TAPS
        return {
            "bins": bins,
            "wavenumbers": wavenumbers,
            "halved": np.array(highest + TAPS / 2 < n_axial),
            "pulse": np.exp(-0.5 * ((frequencies - center) / deviation) ** 2)
            * self._filter(frequencies / center),
            "lateral": 2 * np.pi * fft.fftfreq(n_lateral, self.lateral_step),
            "window": window.astype(np.float32),
            "evener": (root / np.sinh(root)).real.astype(np.float32),
        }

    def _filter(self, relative: np.ndarray) -> np.ndarray:
        """Give the receiver's filter at frequencies over the center's: 1 in the middle, fading to 0 at the band's ends."""
        below, above = relative - self.band[0], self.band[1] - relative
        inside = np.minimum(below / (1 - self.band[0]), above / (self.band[1] - 1))
        if not self.edge:
            return np.ones_like(inside)
        return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(inside / self.edge, 0, 1)))

    @property
    def sampling_frequency(self) -> Hertz:
        """Of the baseband samples: twice the width of the band, or a little more [Hz]."""
        return self.n_samples / self.duration

    @property
    def n_samples(self) -> int:
        """Baseband samples of a record: a number that transforms fast."""
        return int(fft.next_fast_len(2 * len(self._plan["bins"])))

    @property
    def period(self) -> int | None:
        """After so many columns a spectrum would repeat, where it holds but half of them; None where it holds all."""
        return 2 * self.shape[1] if self._plan["halved"] else None

    @property
    def demodulation_frequency(self) -> Hertz:
        """The bin nearest to the probe's center frequency [Hz]."""
        return round(self.probe.center_frequency * self.duration) / self.duration

    def spectrum(self, reflectivity: np.ndarray) -> np.ndarray:
        """Transform a map, once for any number of transmits.

        Parameters
        ----------
        reflectivity : numpy.ndarray
            (n_lateral, n_axial) float32, unit free.

        Returns
        -------
        numpy.ndarray
            (n_lateral, 2 n_axial) complex64; the columns Kz <= 0 alone, n_axial + 1, where echoes ask for no others
            (`period`).

        Raises
        ------
        AxesError
            If the map has another shape than planned.
        """
        if reflectivity.shape != self.shape:
            raise AxesError(
                f"reflectivity must be (lateral, axial) of {self.shape}, got shape {reflectivity.shape}"
            )
        n_axial = self.shape[1]
        half = n_axial // 2
        wrapped = np.zeros((self.shape[0], 2 * n_axial), np.float32)
        evener = self._plan["evener"]
        np.multiply(reflectivity[:, half:], evener[half:], out=wrapped[:, : n_axial - half])
        np.multiply(reflectivity[:, :half], evener[:half], out=wrapped[:, 2 * n_axial - half :])
        if not self._plan["halved"]:
            return np.asarray(fft.fft2(wrapped))
        rows = fft.rfft(wrapped, axis=1)
        np.conjugate(rows, out=rows)  # Kz < 0 in rising order of its size
        return np.asarray(fft.fft(rows, axis=0, overwrite_x=True))

    def echoes(
        self, spectrum: np.ndarray, steering_angle: Radians, *, kernel: str | None = None
    ) -> np.ndarray:
        """Give what each element receives after one plane wave.

        Parameters
        ----------
        spectrum : numpy.ndarray
            From `spectrum`.
        steering_angle : float
            Of the transmitted plane wave [rad].
        kernel : str, optional
            "numba" or "reference"; the fastest there is by default.

        Returns
        -------
        numpy.ndarray
            (n_elements, n_samples) complex64 baseband at `demodulation_frequency`, from time 0.
        """
        plan = self._plan
        x = self.probe.element_positions[:, 0]
        place = x / self.lateral_step + self.shape[0] // 2
        column = np.floor(place + 1e-6).astype(int)
        received = kernels.get(kernel).remap(
            spectrum,
            plan["lateral"],
            plan["wavenumbers"],
            plan["pulse"],
            plan["window"],
            angle=float(steering_angle),
            axial_step=self.axial_step,
            middle=(self.shape[1] // 2) * self.axial_step,
            element_width=float(self.probe.element_width or 0),
            offset=float(place[0] - column[0]) * self.lateral_step,
            grazing=self.grazing,
            period=self.period,
        )
        at_elements = _every(received, int(column[0]), int(column[1] - column[0]), len(x))
        at_elements *= self._slant(float(steering_angle))
        np.conjugate(at_elements, out=at_elements)
        below = round(self.probe.center_frequency * self.duration) - int(plan["bins"][0])
        slow = np.zeros((len(x), self.n_samples), np.complex64)
        slow[:, : at_elements.shape[1] - below] = at_elements[:, below:]
        slow[:, self.n_samples - below :] = at_elements[:, :below]
        return np.asarray(fft.ifft(slow, axis=1, norm="forward", overwrite_x=True))

    def _slant(self, angle: float) -> np.ndarray:
        """Give exp(i k x sin a), (n_elements, n_bins) complex64; kept for the angles that come again."""
        kept = self._slants
        if angle not in kept:
            if len(kept) >= MOST_ANGLES:
                kept.clear()
            x = self.probe.element_positions[:, :1]
            kept[angle] = np.exp(1j * np.sin(angle) * x * self._plan["wavenumbers"]).astype(np.complex64)
        return kept[angle]

    def acquisition(self, steering_angle: Radians) -> Acquisition:
        """Describe one frame of one plane wave."""
        waveform = Waveform(center_frequency=self.demodulation_frequency, cycles=self.cycles)
        transmit = Transmit.plane(steering_angle=steering_angle, initial_time=0.0, waveform=waveform)
        return Acquisition(
            probe=self.probe,
            transmits=(transmit,),
            sampling_frequency=self.sampling_frequency,
            demodulation_frequency=self.demodulation_frequency,
            sound_speed=self.sound_speed,
        )

    def channel_data(self, samples: np.ndarray, steering_angle: Radians, time: Seconds) -> ChannelData:
        """Wrap the echoes of one plane wave as one frame of channel data.

        Parameters
        ----------
        samples : numpy.ndarray
            (n_elements, n_samples) complex64, from `echoes`.
        steering_angle : float
            Of the transmitted plane wave [rad].
        time : float
            Of the transmit [s].

        Returns
        -------
        ChannelData
            One frame, one transmit.
        """
        return ChannelData(
            samples=samples[np.newaxis, np.newaxis],
            scale=1.0,
            acquisition=self.acquisition(steering_angle),
            times=np.array([[time]]),
        )


def _every(spectrum: np.ndarray, first: int, step: int, count: int) -> np.ndarray:
    """Give one sample in `step` of the inverse transform along the first axis, from `first` on.

    Samples so far apart cannot tell waves apart that differ by their rate: those are added before the transform, which is
    as much shorter.
    """
    n = len(spectrum)
    if step < 2 or n % step:
        return np.asarray(fft.ifft(spectrum, axis=0)[first + step * np.arange(count)])
    lead = first % step
    if lead:
        spectrum = spectrum * np.exp(2j * np.pi * lead / n * np.arange(n)).astype(np.complex64)[:, None]
    folded = spectrum.reshape(step, n // step, -1).sum(axis=0)
    return np.asarray(fft.ifft(folded, axis=0, norm="forward")[first // step :][:count] * np.float32(1 / n))
