"""Delay and sum: each pixel is the sum of every element's echo at the moment it must have come from there.

    y(p) = sum over transmits i and elements e with |x - x_e| <= (z - z_e) / (2 F) of
           q_ie(t) exp(j 2 pi f t) / N(p),    t = t_i(p) + |p - p_e| / c

with q the baseband echo at carrier f, F the f-number, t_i the transmit's time (`delays`) and N the number of taps.
The result is demodulated at f with the phase of the way there and back: an echo from depth z keeps the phase of its
scatterer. Samples between two are interpolated linearly in the baseband, where the signal is slow; its error is -24 dB
of a 67 % band at two samples a carrier period and falls with the sum over elements.

RF is taken to baseband first. Where it was bandpass-sampled (below twice its carrier) the folded band is unfolded by
`signal.analytic`. Where the probe's fractional bandwidth is known, the baseband is held to it, which keeps the echo and
drops noise.

V. Perrot, M. Polichetti, F. Varray, D. Garcia, "So you think you can DAS? A viewpoint on delay-and-sum beamforming",
Ultrasonics 111, 106309, 2021.
"""

import numpy as np

from insonate.core import ChannelData, Grid, InputError, IQImage, Step
from insonate.core.checks import check_range
from insonate.imaging.beamforming import kernels
from insonate.imaging.beamforming.delays import transmit_times
from insonate.signal.analytic import analytic, is_mirrored
from insonate.signal.demodulation import baseband

VERSION = "1"


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
    signal = analytic(samples.astype(np.float32), mirrored=is_mirrored(frequency, rate))
    starts = np.array([transmit.initial_time for transmit in acquisition.transmits])
    width = None if band is None else band * frequency
    return baseband(signal, frequency, rate, starts[:, None], width=width)


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
        If the array is not flat along x: curved arrays are beamformed by none of the kernels yet.
    """
    check_range("f_number", f_number, (0.3, 10), "1")
    acquisition = data.acquisition
    positions = acquisition.probe.element_positions
    if np.abs(positions[:, 1]).max() > 1e-9:
        raise InputError(
            f"delay_and_sum needs elements in the plane of elevation zero, got one {positions[:, 1].max():g} m beside it"
        )
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
