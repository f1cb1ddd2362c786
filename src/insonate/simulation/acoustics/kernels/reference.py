"""The remap in NumPy: readable, and the truth that the other kernel is held to."""

import numpy as np

GRAZING = (0.05, 0.3)
"""(kz / k)^2 between which the wave fades out: what runs along the array would only wrap around, and a hard edge rings."""

HALF = 0.5 + 1e-9
"""Of the spectrum's period, and a little more: the row in the middle falls to one side, however it is rounded."""


def is_available() -> bool:
    """Whether this kernel can run here: always."""
    return True


def remap(
    spectrum: np.ndarray,
    lateral: np.ndarray,
    wavenumbers: np.ndarray,
    pulse: np.ndarray,
    window: np.ndarray,
    *,
    angle: float,
    axial_step: float,
    middle: float,
    element_width: float,
    offset: float,
) -> np.ndarray:
    """Sample a spectrum on the circles of one plane wave.

    Parameters
    ----------
    spectrum : numpy.ndarray
        (n_lateral, n_padded) complex64.
    lateral : numpy.ndarray
        (n_lateral,) Kx of its rows [rad/m].
    wavenumbers : numpy.ndarray
        (n_frequencies,) k [rad/m].
    pulse : numpy.ndarray
        (n_frequencies,) two-way spectrum of the pulse, 1.
    window : numpy.ndarray
        (TAPS / 2 * 1000 + 1,) interpolation window over half its width.
    angle : float
        Of the plane wave [rad].
    axial_step : float
        Of the map [m].
    middle : float
        Depth that the spectrum is counted from [m].
    element_width : float
        [m].
    offset : float
        Of the elements from the map's columns [m].

    Returns
    -------
    numpy.ndarray
        (n_lateral, n_frequencies) complex64.
    """
    n_padded = spectrum.shape[1]
    taps = 2 * (len(window) - 1) // 1000
    step = 2 * np.pi / (n_padded * axial_step)
    k = wavenumbers[None, :]
    slant = k * np.sin(angle)
    repeats = lateral[1] * len(
        lateral
    )  # the spectrum of a sampled map repeats: take the branch nearest to straight down
    kx = lateral[:, None] + slant
    kx = kx - repeats * np.floor(kx / repeats + HALF)
    steepness = 1 - (kx / k) ** 2
    travels = steepness > GRAZING[0]
    fade = np.clip((steepness - GRAZING[0]) / (GRAZING[1] - GRAZING[0]), 0, 1)
    kz = k * np.sqrt(np.where(travels, steepness, 1.0))
    depth = -(kz + k * np.cos(angle))
    at = depth / step
    first = np.floor(at).astype(int) - taps // 2 + 1
    total = np.zeros(at.shape, np.complex128)
    rows = np.arange(len(lateral))[:, None]
    for tap in range(taps):
        weight = np.interp(np.abs(at - (first + tap)), np.arange(len(window)) / 1000, window, right=0.0)
        total += weight * spectrum[rows, (first + tap) % n_padded]
    directivity = np.sinc(kx * element_width / (2 * np.pi)) * np.sin(0.5 * np.pi * fade) ** 2
    out = total * np.exp(1j * ((kx - slant) * offset - depth * middle)) * pulse * directivity / kz
    return np.asarray(np.where(travels, out, 0), dtype=np.complex64)
