r"""Thickness of the slice: what lies beside the image plane is heard through the lens, weaker and later.

A face of height h under a lens of focus F makes at the elevation y and depth z, by Fresnel's integral,

    e(y, z) = (i l z)^(-1/2) \int_{-h/2}^{h/2} exp(i k ((y - v)^2 / 2 z - v^2 / 2 F)) dv

the same for what it hears. A map of the plane stands for all elevations when each of its samples holds

    g(x, z) = \sum_y w(y, z) g(x, y, z),   w = e(y, z)^2

at the center frequency: narrow-band, and complex, for what lies beside is late by a part of a period. Engine A in three
dimensions is the truth of it.
"""

import numpy as np
from scipy.special import fresnel

from insonate.core import Probe, RangeError
from insonate.core.checks import check_axes
from insonate.core.units import MetersPerSecond
from insonate.simulation.acoustics.fourier import FourierEngine


def profile(
    probe: Probe, elevations: np.ndarray, depths: np.ndarray, *, sound_speed: MetersPerSecond = 1540.0
) -> np.ndarray:
    """Give the field of the face over elevation and depth, at the center frequency.

    Parameters
    ----------
    probe : Probe
        Its element height known; without a focus there is no lens.
    elevations : numpy.ndarray
        (n_elevations,) y [m].
    depths : numpy.ndarray
        (n_depths,) z > 0 [m].
    sound_speed : float
        [m/s].

    Returns
    -------
    numpy.ndarray
        (n_elevations, n_depths) complex128, time exp(-i w t), 1 far within a high face without a lens.

    Raises
    ------
    RangeError
        If the height is not known, or a depth is not below the face.
    """
    if probe.element_height is None:
        raise RangeError("the probe's element height must be known, got None")
    if np.min(depths) <= 0:
        raise RangeError("depths must lie below the face, z > 0 m")
    y, z = np.asarray(elevations, dtype=float)[:, None], np.asarray(depths, dtype=float)[None, :]
    k = 2 * np.pi * probe.center_frequency / sound_speed
    half = probe.element_height / 2
    curve = 1 / z - (0.0 if probe.elevation_focus is None else 1 / probe.elevation_focus)
    curve = np.where(np.abs(curve) < 1e-3, 1e-3, curve)
    # k/2 (curve v^2 - 2 v y / z + y^2 / z) = k/2 (curve (v - y / z curve)^2 + y^2 / z - y^2 / z^2 curve)
    center = y / (z * curve)
    scale = np.sqrt(k * np.abs(curve) / np.pi)
    (s1, c1), (s0, c0) = fresnel(scale * (half - center)), fresnel(scale * (-half - center))
    integral = ((c1 - c0) + 1j * np.sign(curve) * (s1 - s0)) / scale
    phase = np.exp(0.5j * k * (y**2 / z - y**2 / (z**2 * curve)))
    return np.asarray(integral * phase / np.sqrt(2j * np.pi * z / k))


def weights(
    probe: Probe, elevations: np.ndarray, depths: np.ndarray, *, sound_speed: MetersPerSecond = 1540.0
) -> np.ndarray:
    """Give the weight of each elevation in an echo, there and back, at every depth.

    Parameters
    ----------
    probe, elevations, depths, sound_speed
        As in `profile`.

    Returns
    -------
    numpy.ndarray
        (n_elevations, n_depths) complex64: the square of the field.
    """
    return np.asarray(profile(probe, elevations, depths, sound_speed=sound_speed) ** 2, dtype=np.complex64)


def thick_spectrum(engine: FourierEngine, slices: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Give the spectrum of many parallel slices as engine K takes it, once for any number of transmits.

    Parameters
    ----------
    engine : FourierEngine
        Planned for maps of the slices' shape.
    slices : numpy.ndarray
        (n_elevations, n_lateral, n_axial) reflectivity float32.
    shares : numpy.ndarray
        (n_elevations, n_axial) complex, from `weights`.

    Returns
    -------
    numpy.ndarray
        As `FourierEngine.spectrum` gives it.

    Raises
    ------
    AxesError
        If slices and shares do not fit.
    """
    check_axes("slices", slices, f"{len(shares)} lateral axial")
    check_axes("shares", shares, f"elevation {slices.shape[-1]}")
    seen = np.einsum("yz,yxz->xz", shares, slices)
    return engine.spectrum(np.ascontiguousarray(seen.real, dtype=np.float32)) + np.complex64(
        1j
    ) * engine.spectrum(np.ascontiguousarray(seen.imag, dtype=np.float32))
