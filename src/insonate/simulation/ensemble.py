"""Ensembles for color Doppler: a few plane waves in quick succession, blood moving on over the tissue of one map.

    e_n(t) = T(t) + n / (N - 1) (T'(t) - T(t)) + sum over the points of blood at the time t_n = t_0 + n / f_PRF

T is engine K's echo of the map, T' that of the map at the last shot where tissue is asked to move (else T' = T), the points
are engine B's. The phase of an echo from a depth z turns from shot to shot as exp(-i 2 k v_z / f_PRF), v_z away from the
probe: a lag-one estimate of positive phase is flow toward the probe, which color Doppler shows as positive. A point of blood
keeps to a straight way within an ensemble, a few millimeters at most.

The burst is longer than that of a picture, and as much louder within its band as it is longer; the receiver's filter is
matched to it: B(f) for the burst, B(f)^2 for an echo, B(f) for the noise, with B = exp(-4 ln 2 (f - f_0)^2 / (b f_0)^2).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import fft

from insonate import __version__
from insonate.core import ChannelData, Step
from insonate.core.channel_data import ENSEMBLE
from insonate.core.units import Meters, Seconds
from insonate.simulation.acoustics.fourier import FourierEngine
from insonate.simulation.acoustics.point_echoes import point_echoes
from insonate.simulation.course import Course
from insonate.simulation.facts import facts
from insonate.simulation.medium import Medium
from insonate.simulation.section import COARSER, Cutter, Section, heard, levels
from insonate.simulation.streams import Stream, plane_thickness

FAINTEST = 0.01
"""Noise that the receiver's filter weakens more is left out."""

AROUND: Meters = 1e-3
"""Blood so far beyond the box answers into it [m]."""


def due(course: Course, tick: int) -> bool:
    """Whether an ensemble is taken at a tick."""
    every = int(course.controls["color_every"] * course.controls["time_compression"])
    return course.controls["color_shots"] >= 1 and tick % every == 0


class Ensembles:
    """Takes them with one machine over one course."""

    def __init__(self, engine: FourierEngine, cutter: Cutter, noise: float, seed: int) -> None:
        """Take the machine.

        Parameters
        ----------
        engine : FourierEngine
            Of the picture.
        cutter : Cutter
            Planned for its maps.
        noise : float
            Deviation of the machine's noise on its channels.
        seed : int
            Of that noise.
        """
        values = facts("insonate.simulation", "patient")["color"]
        wide, narrow = float(engine.probe.fractional_bandwidth or 0), float(values["bandwidth"])
        reach = min(1.1 * narrow, 0.6)  # where an echo of its spectrum has fallen by 58 dB, the noise by 29
        heard = replace(engine.probe, fractional_bandwidth=narrow / np.sqrt(2))
        self._engine = replace(
            engine, probe=heard, cycles=float(values["cycles"]), band=(1 - reach, 1 + reach)
        )
        self._louder = np.float32(wide / narrow)
        self._noise = noise * 10 ** (float(values["quieter"]) / 20)
        self._probe, self._cutter, self._seed = engine.probe, cutter, seed
        self._per_bin = engine.sampling_frequency * engine.duration

    def take(
        self,
        course: Course,
        section: Section,
        spectrum: np.ndarray,
        streams: Sequence[Stream],
        tick: int,
        time: Seconds,
    ) -> ChannelData:
        """Take one.

        Parameters
        ----------
        course : Course
            At the tick.
        section : Section
            Of the tick, without blood.
        spectrum : numpy.ndarray
            Of what is heard of it, `FourierEngine.spectrum`.
        streams : sequence of Stream
            The blood, and how it moves on.
        tick : int
            Its number.
        time : float
            Of the first shot [s].

        Returns
        -------
        ChannelData
            A frame for each shot, one plane wave each, complex64; `provenance` names it.
        """
        engine, values = self._engine, course.controls
        shots, angle = int(values["color_shots"]), values["color_steering"]
        later = np.arange(shots) / values["color_rate"]
        first = last = self._louder * engine.echoes(spectrum, angle)
        if values["color_moving_tissue"] > 0.5 and shots > 1:
            moved = self._cutter.cut(course, now=course.soon(float(later[-1])))
            loud = heard(moved.medium, engine.probe.center_frequency)
            last = self._louder * engine.echoes(engine.spectrum(loud), angle)
        sides = sorted((values["color_left"], values["color_right"]))
        depths = sorted((values["color_top"], values["color_bottom"]))
        heard_of = Heard(section.medium, engine.probe.center_frequency)
        rng = np.random.default_rng((self._seed, 0xC0105, tick))
        samples = np.empty((shots, 1, *first.shape), np.complex64)
        for shot in range(shots):
            one = samples[shot, 0]
            one[:] = first + self._quiet(rng, first.shape)
            if last is not first:
                one += np.float32(shot / (shots - 1)) * (last - first)
            blood = [(s.at(time, time + float(later[shot])), s.strengths) for s in streams]
            if blood:
                places = np.concatenate([part for part, _ in blood])
                strengths = np.concatenate([part for _, part in blood])
                inside = (
                    (places[:, 0] > sides[0] - AROUND)
                    & (places[:, 0] < sides[1] + AROUND)
                    & (places[:, 2] > max(depths[0] - AROUND, 0.0))
                    & (places[:, 2] < depths[1] + AROUND)
                )
                places = places[inside]
                strengths = self._louder * heard_of.points(places, strengths[inside])
                one += point_echoes(engine, places[:, [0, 2]], strengths, angle)
        return ChannelData(
            samples=samples,
            scale=1.0,
            acquisition=replace(engine.acquisition(angle), probe=self._probe),
            times=(time + later)[:, np.newaxis],
            provenance=(
                Step(
                    name=ENSEMBLE,
                    settings={
                        "shots": shots,
                        "rate": values["color_rate"],
                        "steering": angle,
                        "lateral": tuple(sides),
                        "axial": tuple(depths),
                        "moving_tissue": values["color_moving_tissue"] > 0.5,
                    },
                    version=__version__,
                ),
            ),
        )

    def _quiet(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Give the machine's noise after the filter, (n_elements, n_samples) complex64: white within the band before it."""
        n = shape[-1]
        offset = fft.fftfreq(n, 1 / self._engine.sampling_frequency)
        width = facts("insonate.simulation", "patient")["color"]["bandwidth"] * self._probe.center_frequency
        passed = np.exp(-4 * np.log(2) * (offset / width) ** 2)
        let = np.flatnonzero(passed > FAINTEST)
        white = rng.standard_normal((*shape[:-1], len(let), 2), dtype=np.float32).view(np.complex64)[..., 0]
        spectrum = np.zeros(shape, np.complex64)
        spectrum[..., let] = white * (self._noise * np.sqrt(self._per_bin) * passed[let]).astype(np.float32)
        return np.asarray(fft.ifft(spectrum, axis=-1) * np.float32(n / self._per_bin))


class Heard:
    """What is heard of points in a medium, as `heard` gives it of a map."""

    def __init__(self, medium: Medium, frequency: float) -> None:
        """Take the medium, and the probe's frequency [Hz]."""
        self._medium, self._levels = medium, levels(medium, frequency)

    def points(self, places: np.ndarray, strengths: np.ndarray) -> np.ndarray:
        """Give what is heard of points.

        Parameters
        ----------
        places : numpy.ndarray
            (n, 3) probe axes [m].
        strengths : numpy.ndarray
            (n,) were they in the plane.

        Returns
        -------
        numpy.ndarray
            (n,).
        """
        plane = self._medium.plane
        n, m = plane.shape
        column = np.clip(np.rint(places[:, 0] / plane.lateral_step).astype(int) + n // 2, 0, n - 1)
        row = np.clip(np.rint(places[:, 2] / plane.axial_step).astype(int), 0, m - 1)
        level = self._levels[column // COARSER, row // COARSER]
        if self._medium.transmission is not None:
            level = level * self._medium.transmission[column, row]
        return np.asarray(strengths * level * np.exp(-0.5 * (places[:, 1] / plane_thickness()) ** 2))
