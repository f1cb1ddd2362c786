r"""Engine K on a medium: reflectivity, transmission and attenuation of its labels, to one frame of channel data.

Attenuation is in two parts. What the whole plane takes on average is a filter that changes with time (`attenuation`), of
the mean coefficient and exponent, so that the spectrum sinks with depth as it should. What each place takes more or less
than that is a factor of the map, at the center frequency, summed straight down and up:

    g'(x, z) = g(x, z) T(x, z) exp(-2 \int_0^z (a(x, s) - mean a) ds)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from insonate.core import Acquisition, AxesError, ChannelData
from insonate.core.units import Seconds
from insonate.simulation.acoustics.attenuation import attenuated
from insonate.simulation.acoustics.engine import Attenuation
from insonate.simulation.acoustics.fourier import FourierEngine
from insonate.simulation.medium import Medium


@dataclass(frozen=True, slots=True, kw_only=True)
class FourierMediumEngine:
    """Engine K behind the protocol `MediumEngine`."""

    engine: FourierEngine
    """Planned for planes of the medium's shape and steps."""
    kernel: str | None = None
    """Of the remap; the fastest there is by default."""

    def __call__(self, medium: Medium, steering_angles: Sequence[float], *, time: Seconds) -> ChannelData:
        """Give one frame of a medium.

        Parameters
        ----------
        medium : Medium
            Cut as the engine was planned.
        steering_angles : sequence of float
            Of the plane waves, in order; they share one transform [rad].
        time : float
            Of all of them [s].

        Returns
        -------
        ChannelData
            (1, n_angles, n_elements, n_samples) complex64.

        Raises
        ------
        AxesError
            If the medium was cut otherwise.
        """
        plane, engine = medium.plane, self.engine
        steps = (plane.lateral_step / engine.lateral_step, plane.axial_step / engine.axial_step)
        if plane.shape != engine.shape or max(abs(step - 1) for step in steps) > 1e-6:
            raise AxesError(
                f"the medium must be cut as the engine was planned, {engine.shape} samples of "
                f"{engine.lateral_step * 1e3:g} x {engine.axial_step * 1e3:g} mm, got {plane.shape} of "
                f"{plane.lateral_step * 1e3:g} x {plane.axial_step * 1e3:g} mm"
            )
        mean, share = attenuation_of(medium, engine.demodulation_frequency)
        spectrum = engine.spectrum(np.asarray(medium.reflectivity * share, dtype=np.float32))
        records = np.stack(
            [engine.echoes(spectrum, float(angle), kernel=self.kernel) for angle in steering_angles]
        )
        if mean.coefficient > 0:
            half = engine.sampling_frequency / 4
            records = attenuated(
                records,
                mean,
                sampling_frequency=engine.sampling_frequency,
                demodulation_frequency=engine.demodulation_frequency,
                sound_speed=engine.sound_speed,
                band=(engine.demodulation_frequency - half, engine.demodulation_frequency + half),
            )
        described = [engine.acquisition(float(angle)) for angle in steering_angles]
        acquisition = Acquisition(
            probe=engine.probe,
            transmits=tuple(one.transmits[0] for one in described),
            sampling_frequency=engine.sampling_frequency,
            demodulation_frequency=engine.demodulation_frequency,
            sound_speed=engine.sound_speed,
        )
        return ChannelData(
            samples=records[np.newaxis],
            scale=1.0,
            acquisition=acquisition,
            times=np.full((1, len(described)), float(time)),
        )


def attenuation_of(medium: Medium, frequency: float) -> tuple[Attenuation, np.ndarray]:
    """Give the mean attenuation of a medium, and what is left of an echo of each place beside it.

    Parameters
    ----------
    medium : Medium
        Its transmission is taken into the second part.
    frequency : float
        At which places differ [Hz].

    Returns
    -------
    mean, share
        Attenuation, weighted by area, of what lies within the body; (n_lateral, n_axial) float32.
    """
    counts = np.bincount(medium.labels.ravel(), minlength=len(medium.structures) + 1)[
        : len(medium.structures) + 1
    ].astype(float)
    coefficients = np.asarray(medium.properties["attenuation"], dtype=float)
    exponents = np.asarray(medium.properties["attenuation_exponent"], dtype=float)
    counts[0] = 0.0  # what lies outside the body takes nothing here: transmission says what does
    nepers = np.array(
        [
            0.0 if n == 0 else float(Attenuation(coefficient=c, exponent=e).nepers(np.array(frequency)))
            for n, (c, e) in enumerate(zip(coefficients, exponents, strict=True))
        ]
    )
    within = counts.sum()
    if within == 0:
        mean = Attenuation(coefficient=0.0)
    else:
        # Rounded, for the filter is planned once while the medium moves; the map takes what is left.
        loss = counts * nepers
        exponent = float((loss @ exponents) / loss.sum()) if loss.sum() > 0 else 1.0
        exponent = round(20 * exponent) / 20
        one = float(Attenuation(coefficient=1.0, exponent=exponent).nepers(np.array(frequency)))
        mean = Attenuation(coefficient=float(round(float(loss.sum() / within) / one)), exponent=exponent)
    beside = (nepers - float(mean.nepers(np.array(frequency)))).astype(np.float32)
    more = beside[medium.labels]
    summed = np.cumsum(more, axis=1) - 0.5 * (more + more[:, :1])
    share = np.exp(-2 * medium.plane.axial_step * summed)
    return mean, np.asarray(share if medium.transmission is None else share * medium.transmission)
