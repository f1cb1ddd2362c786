"""Remap and deposit in compiled code, from the distribution `insonate-native`, with the best instructions there are."""

from functools import cache
from typing import Any

import numpy as np

from insonate.simulation.acoustics import kernels
from insonate.simulation.acoustics.kernels.reference import GRAZING, NEAREST


@cache
def is_available() -> bool:
    """Whether the compiled library is installed and loads here."""
    try:
        import insonate_native  # noqa: F401
    except ImportError:
        return False
    return True


def instructions() -> str:
    """Name the instruction set that is used here."""
    import insonate_native

    return str(insonate_native.instructions())


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
    grazing: tuple[float, float] = GRAZING,
    period: int | None = None,
) -> np.ndarray:
    """Sample a spectrum on the circles of one plane wave; see `reference.remap`, which it must agree with.

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
    grazing : (float, float)
        (kz / k)^2 between which the wave fades out, 1.
    period : int, optional
        Where the columns are only the first of so many, and turned round: column j holds Kz = -2 pi j / (period axial_step).
        Every sample that is asked for must lie within them. Else the columns are all, from Kz = 0 upward.

    Returns
    -------
    numpy.ndarray
        (n_lateral, n_frequencies) complex64.
    """
    import insonate_native

    arrays = (spectrum, lateral, wavenumbers, pulse, window)
    settings: dict[str, Any] = {
        "angle": angle,
        "axial_step": axial_step,
        "middle": middle,
        "element_width": element_width,
        "offset": offset,
        "grazing": grazing,
        "period": period,
    }
    try:
        made = insonate_native.remap(*arrays, **settings)
    except insonate_native.NotCoveredError:
        made = kernels.after("native").remap(*arrays, **settings)
    return np.asarray(made)


def deposit(
    scatterers: np.ndarray,
    delays: np.ndarray,
    elements: np.ndarray,
    *,
    n_samples: int,
    sampling_frequency: float,
    start: float,
    sound_speed: float,
    frequency: float,
    element_width: float,
    soft_baffle: bool,
    from_lines: bool,
) -> np.ndarray:
    """Lay the echo of every scatterer down on every element's line; see `reference.deposit`, which it must agree with.

    Parameters
    ----------
    scatterers : numpy.ndarray
        (n_scatterers, 4) float32: x, y, z [m] and amplitude; finite.
    delays : numpy.ndarray
        (n_scatterers,) when the wave passes [s].
    elements : numpy.ndarray
        (n_elements,) x of elements in the face z = 0 [m].
    n_samples : int
        Of a line; echoes beside it are lost.
    sampling_frequency : float
        Of the lines [Hz].
    start : float
        Time of the first sample [s].
    sound_speed : float
        [m/s].
    frequency : float
        That the directivity is taken at [Hz].
    element_width : float
        [m].
    soft_baffle : bool
        Whether elements lie in a soft baffle, else in a rigid one.
    from_lines : bool
        Whether waves spread from lines, as in two dimensions, else from points.

    Returns
    -------
    numpy.ndarray
        (n_elements, n_samples) float32.
    """
    import insonate_native

    arrays = (scatterers, delays, elements)
    settings = {
        "n_samples": n_samples,
        "sampling_frequency": sampling_frequency,
        "start": start,
        "sound_speed": sound_speed,
        "frequency": frequency,
        "element_width": element_width,
        "soft_baffle": soft_baffle,
        "from_lines": from_lines,
    }
    try:
        made = insonate_native.deposit(*arrays, nearest=NEAREST, **settings)
    except insonate_native.NotCoveredError:
        made = kernels.after("native").deposit(*arrays, **settings)
    return np.asarray(made)


def heard(
    levels: np.ndarray, stride: int, reflectivity: np.ndarray, transmission: np.ndarray | None
) -> np.ndarray:
    """Spread levels over the samples of a map, and let the map be heard through them: by the next kernel."""
    return np.asarray(kernels.after("native").heard(levels, stride, reflectivity, transmission))
