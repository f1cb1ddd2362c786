"""Echoes of a point computed by hand: one formula for the time there, one for the way back, a Gaussian pulse."""

import numpy as np

from insonate.core import Acquisition, ChannelData, Probe, Transmit

SPEED = 1540.0
CARRIER = 5e6
WAVELENGTH = SPEED / CARRIER


def linear_probe(n_elements=128, pitch=0.15e-3, fractional_bandwidth=None):
    return Probe.linear(
        name="by hand",
        n_elements=n_elements,
        pitch=pitch,
        center_frequency=CARRIER,
        fractional_bandwidth=fractional_bandwidth,
    )


def transmit(focus_distance=np.inf, angle=0.0, origin=(0.0, 0.0, 0.0), initial_time=0.0):
    return Transmit(
        origin=np.array(origin),
        direction=np.array([np.sin(angle), 0.0, np.cos(angle)]),
        focus_distance=focus_distance,
        delays=None,
        apodization=None,
        waveform=None,
        initial_time=initial_time,
    )


def echo(point, times, *, probe, transmits, sampling, n_samples=1024, kind="rf", sigma=0.5e-6, phase=0.0):
    """Give channel data of one frame in which one point answers with unit strength.

    point is (x, z) [m], times the moment each transmit passes it [s], sigma the pulse's length [s] and phase what the
    point adds to its echo [rad].
    """
    point = np.array([point[0], 0.0, point[1]])
    back = np.linalg.norm(probe.element_positions - point, axis=1) / SPEED
    starts = np.array([one.initial_time for one in transmits])
    clock = starts[:, None, None] + np.arange(n_samples) / sampling
    late = clock - (np.asarray(times)[:, None, None] + back[None, :, None])
    pulse = np.exp(-0.5 * (late / sigma) ** 2)
    if kind == "rf":
        samples, demodulation = pulse * np.cos(2 * np.pi * CARRIER * late + phase), 0.0
    else:
        turned = np.exp(1j * (2 * np.pi * CARRIER * (late - clock) + phase))
        samples, demodulation = pulse * turned, CARRIER
    scale = 1.0
    if kind == "rf":
        scale = 1 / 8192
        samples = np.round(samples / scale).astype(np.int16)
    return ChannelData(
        samples=samples[np.newaxis].astype(np.int16 if kind == "rf" else np.complex64),
        scale=scale,
        acquisition=Acquisition(
            probe=probe,
            transmits=tuple(transmits),
            sampling_frequency=sampling,
            demodulation_frequency=demodulation,
            sound_speed=SPEED,
        ),
        times=np.zeros((1, len(transmits))),
    )
