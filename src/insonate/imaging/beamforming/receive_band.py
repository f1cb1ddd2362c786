"""Which part of the echo's band is heard: lower is weakened less on its way, higher is finer.

    Y(f) = X(f) exp(-4 ln 2 ((f - f_c) / B)^2),    f in Hz of the echo itself, B the full width at half its height

A pulse holds a band of frequencies; attenuation takes more of the upper ones, diffraction spreads the lower ones more. The
phase of what is left is not touched, so that delays stay what they are.
"""

from dataclasses import replace

import numpy as np
from scipy import fft

from insonate import __version__
from insonate.core import ChannelData, InputError, Step
from insonate.core.checks import check_range
from insonate.core.units import Hertz


def receive_band(data: ChannelData, center: Hertz, bandwidth: Hertz) -> ChannelData:
    """Keep a band of what each element heard.

    Parameters
    ----------
    data : ChannelData
        IQ, or RF sampled at more than twice the frequencies kept.
    center : float
        Middle of the band [Hz].
    bandwidth : float
        Between the frequencies that are weakened to half [Hz].

    Returns
    -------
    ChannelData
        float32 or complex64, of the same shape.

    Raises
    ------
    RangeError
        If a frequency is out of range.
    InputError
        If the middle of the band is not among the frequencies that the samples hold.
    """
    check_range("center", center, (1e4, 1e8), "Hz", hint="MHz?")
    check_range("bandwidth", bandwidth, (1e4, 1e8), "Hz", hint="MHz?")
    acquisition, samples = data.acquisition, data.samples
    rate, carrier = acquisition.sampling_frequency, acquisition.demodulation_frequency
    if abs(center - carrier) > rate / 2:
        raise InputError(
            f"center must lie within {rate / 2e6:.1f} MHz of {carrier / 1e6:.1f} MHz as the samples do, "
            f"got {center / 1e6:.1f} MHz"
        )
    n = samples.shape[-1]
    if carrier:
        weights = _weights(carrier + fft.fftfreq(n, 1 / rate), center, bandwidth)
        heard = fft.ifft(fft.fft(samples, axis=-1) * weights, axis=-1, overwrite_x=True)
    else:
        weights = _weights(fft.rfftfreq(n, 1 / rate), center, bandwidth)
        heard = fft.irfft(fft.rfft(samples.astype(np.float32, copy=False), axis=-1) * weights, n, axis=-1)
    step = Step(
        name="receive band",
        version=__version__,
        settings={"center": float(center), "bandwidth": float(bandwidth)},
    )
    return replace(data, samples=heard, provenance=(*data.provenance, step))


def _weights(frequencies: np.ndarray, center: Hertz, bandwidth: Hertz) -> np.ndarray:
    away = (frequencies - center) / bandwidth
    return np.asarray(np.exp(-4 * np.log(2) * away**2), dtype=np.float32)
