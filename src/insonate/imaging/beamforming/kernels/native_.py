"""Delay and sum in compiled code, from the distribution `insonate-native`: no gathers, the best instructions there are.

Depths of a column that lie side by side need samples that lie side by side; they are permuted in registers. Any grid with
rising depths, any transmit and any flat array is covered; the rest is left to the next kernel.
"""

from functools import cache

import numpy as np

from insonate.imaging.beamforming import kernels


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


def delay_and_sum(
    samples: np.ndarray,
    arrival: np.ndarray,
    starts: np.ndarray,
    elements: np.ndarray,
    axial: np.ndarray,
    lateral: np.ndarray,
    *,
    frequency: float,
    sampling_frequency: float,
    sound_speed: float,
    f_number: float,
) -> np.ndarray:
    """Sum the delayed echoes of one frame; see `reference.delay_and_sum`, which it must agree with.

    Parameters
    ----------
    samples : numpy.ndarray
        (n_transmits, n_elements, n_samples) complex64 baseband echoes.
    arrival : numpy.ndarray
        (n_transmits, n_axial, n_lateral) when the wave passes the pixel, after the first sample [s].
    starts : numpy.ndarray
        (n_transmits,) time of the first sample [s].
    elements : numpy.ndarray
        (n_elements, 3) [m].
    axial, lateral : numpy.ndarray
        (n_axial,), (n_lateral,) pixels [m].
    frequency : float
        Carrier taken out of the echoes [Hz].
    sampling_frequency : float
        [Hz].
    sound_speed : float
        [m/s].
    f_number : float
        Depth over active aperture, 1.

    Returns
    -------
    numpy.ndarray
        (n_axial, n_lateral) complex64.
    """
    import insonate_native

    settings = {
        "frequency": frequency,
        "sampling_frequency": sampling_frequency,
        "sound_speed": sound_speed,
        "f_number": f_number,
    }
    try:
        made = insonate_native.delay_and_sum(samples, arrival, starts, elements, axial, lateral, **settings)
    except insonate_native.NotCoveredError:
        made = kernels.after("native").delay_and_sum(
            samples, arrival, starts, elements, axial, lateral, **settings
        )
    return np.asarray(made)
