"""Delay and sum: each pixel is the sum of every element's echo at the moment it must have come from there.

    y(p) = sum over transmits i and elements e with |x - x_e| <= (z - z_e) / (2 F) of
           q_ie(t) exp(j 2 pi f t) / N(p),    t = t_i(p) + |p - p_e| / c

with q the baseband echo at carrier f, F the f-number, t_i the transmit's time (`delays`) and N the number of taps.
The result is demodulated at f over the depth z, y exp(-j 4 pi f z / c): all over the spot of a scatterer at depth z0 the
phase is that of the scatterer less 4 pi f z0 / c, as on a line of IQ. Samples between two are interpolated linearly in
the baseband, where the signal is slow; its error is -24 dB of a 67 % band at two samples a carrier period and falls with
the sum over elements.

RF is taken to baseband first. Where it was bandpass-sampled (below twice its carrier) the folded band is unfolded by
`signal.analytic`. Where the probe's fractional bandwidth is known, the baseband is held to it, which keeps the echo and
drops noise.

V. Perrot, M. Polichetti, F. Varray, D. Garcia, "So you think you can DAS? A viewpoint on delay-and-sum beamforming",
Ultrasonics 111, 106309, 2021.
"""

import numpy as np

from insonate.core import ChannelData, Grid, InputError, IQImage, Probe, Step
from insonate.core.checks import check_range
from insonate.imaging.beamforming import kernels
from insonate.imaging.beamforming.delays import transmit_times
from insonate.signal.analytic import analytic, is_mirrored
from insonate.signal.demodulation import baseband

VERSION = "1"

FLATNESS = 1e-6
"""A micrometer: a hundredth of a wavelength and less [m]."""


def carrier(data: ChannelData) -> float:
    """Give the frequency that the baseband is counted from [Hz]."""
    acquisition = data.acquisition
    if acquisition.demodulation_frequency:
        return acquisition.demodulation_frequency
    waveform = acquisition.transmits[0].waveform
    return acquisition.probe.center_frequency if waveform is None else waveform.center_frequency


def to_baseband(data: ChannelData, frame: int) -> np.ndarray:
    """Give one frame's echoes at baseband.

    Parameters
    ----------
    data : ChannelData
        RF or IQ.
    frame : int
        Index of the frame.

    Returns
    -------
    numpy.ndarray
        (n_transmits, n_elements, n_samples) complex64, whose phase turns with the carrier taken out.
    """
    samples = data.samples[frame]
    if np.iscomplexobj(samples):
        return np.ascontiguousarray(samples, dtype=np.complex64)
    acquisition, frequency = data.acquisition, carrier(data)
    rate, band = acquisition.sampling_frequency, acquisition.probe.fractional_bandwidth
    _check_sampling(frequency, rate, 0.0 if band is None else band)
    signal = analytic(samples.astype(np.float32), mirrored=is_mirrored(frequency, rate))
    starts = np.array([transmit.initial_time for transmit in acquisition.transmits])
    width = None if band is None else band * frequency
    return baseband(signal, frequency, rate, starts[:, None], width=width)


def _check_sampling(frequency: float, rate: float, band: float) -> None:
    """Refuse RF where a multiple of half the sampling rate lies in the middle half of the band: it cannot be unfolded."""
    fold = round(2 * frequency / rate) * rate / 2
    if fold > 0 and abs(fold - frequency) <= max(band * frequency / 4, 1e-3 * rate):
        raise InputError(
            f"RF of {frequency / 1e6:g} MHz must be sampled at a rate that does not fold its band onto itself, got "
            f"{rate / 1e6:g} MHz, which folds at {fold / 1e6:g} MHz (IQ data?)"
        )


def _check_flat(probe: Probe) -> None:
    y, z = probe.element_positions[:, 1], probe.element_positions[:, 2]
    if np.abs(y).max() > FLATNESS:
        raise InputError(
            f"delay_and_sum needs elements in the plane of elevation zero, got one {np.abs(y).max():g} m beside it"
        )
    if np.ptp(z) > FLATNESS or probe.element_normals[:, 2].min() < 1 - 1e-6:
        raise InputError(
            f"delay_and_sum needs a flat array that faces +z, got one {np.ptp(z):g} m deep (curved arrays are not "
            "beamformed yet)"
        )


def delay_and_sum(
    data: ChannelData, grid: Grid, *, f_number: float = 1.5, kernel: str | None = None
) -> IQImage:
    """Beamform every frame, compounding its transmits.

    Parameters
    ----------
    data : ChannelData
        Echoes of an array whose elements lie in the plane of elevation zero.
    grid : Grid
        Where the pixels are.
    f_number : float
        Depth over the active aperture on reception, 1.
    kernel : str, optional
        "numba" or "reference"; the fastest there is by default.

    Returns
    -------
    IQImage
        (n_frames, n_axial, n_lateral), demodulated at the carrier.

    Raises
    ------
    RangeError
        If the f-number is out of range.
    InputError
        If the array is not flat along x, because curved arrays are beamformed by none of the kernels yet, or RF was
        sampled so that its band is folded onto itself.
    """
    check_range("f_number", f_number, (0.3, 10), "1")
    acquisition = data.acquisition
    positions = acquisition.probe.element_positions
    _check_flat(acquisition.probe)
    frequency = carrier(data)
    arrival = np.stack(
        [
            transmit_times(transmit, grid, acquisition.sound_speed) - transmit.initial_time
            for transmit in acquisition.transmits
        ]
    )
    starts = np.array([transmit.initial_time for transmit in acquisition.transmits])
    work = kernels.get(kernel)
    frames = [
        work.delay_and_sum(
            to_baseband(data, frame),
            arrival,
            starts,
            positions,
            grid.axial,
            grid.lateral,
            frequency=frequency,
            sampling_frequency=acquisition.sampling_frequency,
            sound_speed=acquisition.sound_speed,
            f_number=f_number,
        )
        for frame in range(data.n_frames)
    ]
    step = Step(
        name="delay_and_sum",
        settings={"f_number": f_number, "kernel": kernel or kernels.chosen()},
        version=VERSION,
    )
    return IQImage(
        values=np.stack(frames) * np.float32(data.scale),
        grid=grid,
        times=None if data.times is None else data.times.mean(axis=1),
        center_frequency=frequency,
        sound_speed=acquisition.sound_speed,
        provenance=(*data.provenance, step),
    )
