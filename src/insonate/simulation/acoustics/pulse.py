r"""The pulse and its record: which frequencies are heard, and how their spectrum becomes samples.

Two-way response of the probe, a Gaussian whose amplitude is halved at the edges of the fractional bandwidth B, times the
burst of n cycles where there is one (time exp(-i w t), f0 the carrier, T = n / f0, zero in its middle):

    P(f) = exp(-4 ln 2 ((f - fc) / (B fc))^2),   E(f) = +-[sinc(T (f - f0)) - sinc(T (f + f0))] i

A record is s(t) = 2 Re \sum S(f) exp(-2 pi i f t) df, scaled so that S = P gives a pulse of height one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from insonate.core import Probe, RangeError, Waveform
from insonate.core.acquisition import check_frequency
from insonate.core.checks import check_count, check_range
from insonate.core.units import Hertz, Seconds

Spectrum = Callable[[np.ndarray], np.ndarray]
"""Frequencies (n,) [Hz] to a two-way spectrum (n,)."""

FAINT = 1e-3
"""Of the loudest frequency: what is fainter is left out (-60 dB)."""
LOWEST = 0.02
"""Of the center frequency: what lies lower is left out, for a line source there has no far field."""
LONGEST = 1 << 20
"""Samples of one record."""


def two_way_spectrum(probe: Probe, excitation: Waveform | None = None) -> Spectrum:
    """Give the two-way spectrum of a probe's pulse.

    Parameters
    ----------
    probe : Probe
        Its bandwidth must be known.
    excitation : Waveform, optional
        Burst that drives it; a short impulse by default.

    Returns
    -------
    callable
        Frequencies (n,) [Hz] to (n,) complex128.

    Raises
    ------
    RangeError
        If the bandwidth is not known.
    """
    if probe.fractional_bandwidth is None:
        raise RangeError("the probe's fractional bandwidth must be known, got None")
    center, width = probe.center_frequency, probe.fractional_bandwidth * probe.center_frequency

    def spectrum(frequencies: np.ndarray) -> np.ndarray:
        response = np.exp(-4 * np.log(2) * ((frequencies - center) / width) ** 2)
        if excitation is None:
            return np.asarray(response, dtype=complex)
        carrier = excitation.center_frequency
        length = excitation.cycles / carrier
        burst = np.sinc(length * (frequencies - carrier)) - np.sinc(length * (frequencies + carrier))
        return np.asarray(1j * excitation.polarity * burst * response)

    return spectrum


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """The samples of one record, and the frequencies that it is summed from."""

    sampling_frequency: Hertz
    """Of the samples [Hz]."""
    demodulation_frequency: Hertz
    """What the samples were turned down by; 0 for RF [Hz]."""
    n_samples: int
    """Of a record."""
    bins: np.ndarray
    """(n_frequencies,) int, whole steps of `step`, one after the other."""
    step: Hertz
    """From frequency to frequency: one over the time after which the record repeats [Hz]."""
    pulse: np.ndarray
    """(n_frequencies,) complex128, scaled for a pulse of height one."""

    @property
    def frequencies(self) -> np.ndarray:
        """(n_frequencies,) that are heard [Hz]."""
        return self.bins * self.step

    def samples(self, spectra: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Turn spectra into samples.

        Parameters
        ----------
        spectra : numpy.ndarray
            (n_transmits, n_elements, n_frequencies) complex128 with time exp(-i w t), pulse included.
        starts : numpy.ndarray
            (n_transmits,) times of the first sample [s].

        Returns
        -------
        numpy.ndarray
            (n_transmits, n_elements, n_samples) float64 RF or complex128 baseband.
        """
        turned = spectra.conj() * np.exp(2j * np.pi * np.multiply.outer(starts, self.frequencies))[:, None, :]
        period = round(self.sampling_frequency / self.step)
        if not self.demodulation_frequency:
            full = np.zeros((*spectra.shape[:2], period // 2 + 1), complex)
            full[..., self.bins] = turned
            return np.asarray(np.fft.irfft(full, period, axis=-1)[..., : self.n_samples] * period)
        full = np.zeros((*spectra.shape[:2], period), complex)
        full[..., self.bins % period] = turned
        slow = np.fft.ifft(full, axis=-1)[..., : self.n_samples] * (2 * period)
        clock = starts[:, None] + np.arange(self.n_samples) / self.sampling_frequency
        return np.asarray(slow * np.exp(-2j * np.pi * self.demodulation_frequency * clock)[:, None, :])


def record(
    spectrum: Spectrum,
    center_frequency: Hertz,
    *,
    duration: Seconds,
    last_echo: Seconds,
    sampling_frequency: Hertz | None = None,
    demodulation_frequency: Hertz = 0.0,
    band: tuple[Hertz, Hertz] | None = None,
) -> Record:
    """Plan a record.

    Parameters
    ----------
    spectrum : callable
        Two-way, of the pulse.
    center_frequency : float
        Of the probe [Hz].
    duration : float
        Of the record [s].
    last_echo : float
        After the first sample: later ones of the record are kept from coming round to its beginning [s].
    sampling_frequency : float, optional
        By default four times the center frequency or what the band needs, whichever is more; of baseband, the band [Hz].
    demodulation_frequency : float
        0 for RF [Hz].
    band : (float, float), optional
        Frequencies that are heard; by default those above -60 dB [Hz].

    Returns
    -------
    Record
        Frequencies and samples.

    Raises
    ------
    RangeError
        If the sampling does not carry the band, or the record is too long.
    """
    fine = np.linspace(LOWEST * center_frequency, 4 * center_frequency, 20001)
    heard = np.abs(spectrum(fine))
    loud = fine[heard >= FAINT * heard.max()]
    low, high = (float(loud[0]), float(loud[-1])) if band is None else band
    check_range("lower edge of the band", low, (1e3, high), "Hz", hint="MHz?")
    if demodulation_frequency:
        check_frequency("demodulation_frequency", demodulation_frequency)
        needed = 2 * max(high - demodulation_frequency, demodulation_frequency - low, (high - low) / 2)
        rate = needed * 1.01 if sampling_frequency is None else sampling_frequency
    else:
        needed = 2 * high
        rate = max(4 * center_frequency, needed * 1.01) if sampling_frequency is None else sampling_frequency
    check_frequency("sampling_frequency", rate)
    if rate < needed:
        raise RangeError(
            f"sampling_frequency must be at least {needed / 1e6:.4g} MHz to carry the band, got {rate / 1e6:.4g} MHz"
        )
    check_range("duration", duration, (1e-7, 0.1), "s", hint="microseconds?")
    n_samples = max(1, int(np.ceil(duration * rate)))
    ringing = 16 / (high - low)  # of the pulse after its middle, and before that of the first sample
    n_period = int(np.ceil((max(duration, last_echo) + 2 * ringing) * rate))
    check_count("samples of the record", n_period, (1, LONGEST), "samples")
    step = rate / n_period
    bins = np.arange(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)
    if len(bins) == 0:
        raise RangeError(f"the band must be wider than {step:g} Hz, got {low:g}..{high:g} Hz")
    pulse = spectrum(bins * step)
    scale = 2 * np.abs(np.asarray(pulse)).sum()
    return Record(
        sampling_frequency=rate,
        demodulation_frequency=demodulation_frequency,
        n_samples=n_samples,
        bins=bins,
        step=step,
        pulse=pulse / scale,
    )
