"""Color Doppler: the phase by which what moves turns from shot to shot.

    v = c / (4 pi f cos(a / 2) T) arg R_1,    R_1 = < y_{n+1} y_n^* >

over the shots of an ensemble and a window of pixels, y what the clutter filter leaves, T between two shots, a the angle of
the plane wave. Positive is toward the probe, along the line that halves the angle between the wave and the way back, which
is straight up. Flow faster than c / (4 f cos(a / 2) T) is folded: it shows as the other direction. The mean over the window
is taken before the phase, so that what is strong counts for more and a fold is not averaged away.

Tissue that moves leaks through the filter: of what was taken away, C, whose phase turns by w a shot, about

    L = C G(w / 2 pi) / (1 - G(w / 2 pi))

with G the filter's response. Where nothing but blood echoes, w is the blood's: it is held to what tissue may do.

C. Kasai, K. Namekawa, A. Koyano, R. Omoto, "Real-time two-dimensional blood flow imaging using an autocorrelation
technique", IEEE Trans. Sonics Ultrason. 32(3), 458-464, 1985.
"""

import numpy as np
from scipy.ndimage import uniform_filter

from insonate.core import ColorFlow, Grid, InputError, IQImage, Step
from insonate.core.checks import check_count, check_range
from insonate.core.units import Meters, MetersPerSecond, Radians
from insonate.imaging.doppler.clutter import polynomial_filter, response

VERSION = "1"

FAINTEST = -200.0
"""What is less is written as this [dB]."""

EVEN = 0.01
"""Shots may come this much of their distance beside an even beat."""


def color_doppler(
    iq: IQImage,
    *,
    angle: Radians = 0.0,
    degree: int = 1,
    window: tuple[Meters, Meters] = (8e-4, 1e-3),
    fastest_tissue: MetersPerSecond = 0.015,
) -> ColorFlow:
    """Estimate flow from one ensemble.

    Parameters
    ----------
    iq : IQImage
        A frame for each shot, evenly spaced in time, on a `Grid`.
    angle : float
        Of the plane wave to the probe's axis [rad].
    degree : int
        Of the clutter filter, `clutter.polynomial_filter`.
    window : (float, float)
        Axial and lateral size over which is averaged [m].
    fastest_tissue : float
        What moves faster is no tissue; walls of large arteries and a hand that presses stay below [m/s].

    Returns
    -------
    ColorFlow
        Of every pixel; `priority.shows` tells which can be believed.

    Raises
    ------
    InputError
        If the shots have no times, do not come evenly, or lie on no `Grid`; if frequency or speed of sound is unknown.
    RangeError
        If there are too few shots, or a number is out of range.
    """
    check_range("angle", angle, (-1.0, 1.0), "rad", hint="degrees?")
    check_count("degree", degree, (0, 16), "1")
    for name, side in zip(("axial", "lateral"), window, strict=True):
        check_range(f"window {name}", side, (0, 0.02), "m", hint="millimeters?")
    if not isinstance(iq.grid, Grid):
        raise InputError(f"color Doppler needs pixels on a Grid, got a {type(iq.grid).__name__}")
    if iq.center_frequency is None or iq.sound_speed is None:
        raise InputError("color Doppler needs the frequency of demodulation and the speed of sound")
    check_range("fastest_tissue", fastest_tissue, (0, 1), "m/s", hint="cm/s?")
    shot = _between_shots(iq)
    moving = polynomial_filter(iq.values, degree=degree)
    size = [max(1, round(w / s)) for w, s in zip(window, iq.grid.step, strict=True)]
    lag = (moving[1:] * moving[:-1].conj()).mean(axis=0)
    lag = uniform_filter(lag.real, size) + 1j * uniform_filter(lag.imag, size)
    power = _power(moving)
    whole = uniform_filter(power, size)
    # of the shots that both ends of the lag see, so that a steady tone has 1
    ends = uniform_filter((_power(moving[1:]) + _power(moving[:-1])) / 2, size)
    coherence = np.divide(np.abs(lag), ends, out=np.zeros_like(ends), where=ends > 0)
    clutter = uniform_filter(_power(iq.values - moving), size)
    loudest = max(float((whole + clutter).max(initial=0)), np.finfo(np.float32).tiny)
    nyquist = iq.sound_speed / (4 * iq.center_frequency * np.cos(angle / 2) * shot)
    slow = (iq.values[1:] * iq.values[:-1].conj()).mean(axis=0)
    turn = np.angle(uniform_filter(slow.real, size) + 1j * uniform_filter(slow.imag, size)) / (2 * np.pi)
    turns = np.linspace(0, min(fastest_tissue / nyquist, 1.0) / 2, 65)
    passed = response(turns, iq.n_frames, degree=degree)
    leaks = np.interp(np.abs(turn), turns, passed / np.maximum(1 - passed, 1e-6))
    return ColorFlow(
        doppler_velocity=np.asarray(np.angle(lag) / np.pi * nyquist, dtype=np.float32),
        power=_decibels(whole / loudest),
        leakage=_decibels(clutter * leaks / loudest),
        coherence=np.asarray(np.clip(coherence, 0, 1), dtype=np.float32),
        nyquist_velocity=float(nyquist),
        grid=iq.grid,
        time=None if iq.times is None else float(iq.times[0]),
        provenance=(
            *iq.provenance,
            Step(
                name="color_doppler",
                settings={
                    "angle": angle,
                    "degree": degree,
                    "window": tuple(float(w) for w in window),
                    "fastest_tissue": fastest_tissue,
                },
                version=VERSION,
            ),
        ),
    )


def _between_shots(iq: IQImage) -> float:
    if iq.times is None or iq.n_frames < 2:
        raise InputError(f"an ensemble needs the times of at least two shots, got {iq.n_frames} frames")
    steps = np.diff(iq.times)
    shot = float(steps.mean())
    if shot <= 0 or np.abs(steps - shot).max() > EVEN * shot:
        raise InputError(
            f"the shots of an ensemble must come evenly in time, got {1e3 * steps.min():.3g} to "
            f"{1e3 * steps.max():.3g} ms from one to the next (frames of a clip?)"
        )
    return shot


def _power(values: np.ndarray) -> np.ndarray:
    return np.asarray((values.real**2 + values.imag**2).mean(axis=0))


def _decibels(power: np.ndarray) -> np.ndarray:
    floor = 10 ** (FAINTEST / 10)
    return np.asarray(10 * np.log10(np.maximum(power, floor)), dtype=np.float32)
