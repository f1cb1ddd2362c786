"""B-mode: the envelope of the echo in decibels below the brightest.

    B = 20 log10(|y| / max |y|),    held to -D..0 dB

with the maximum over all frames, so that a clip does not flicker.
"""

import numpy as np

from insonate.core import Image, IQImage, Quantity, RangeError, Step
from insonate.core.checks import check_range
from insonate.core.units import Decibels

VERSION = "1"


def envelope(iq: IQImage) -> np.ndarray:
    """Give the strength of the echo.

    Parameters
    ----------
    iq : IQImage
        Baseband pixels.

    Returns
    -------
    numpy.ndarray
        (n_frames, n_axial, n_lateral) real, not negative.
    """
    return np.asarray(np.abs(iq.values))


def log_compression(
    strength: np.ndarray, *, dynamic_range: Decibels, reference: float | None = None
) -> np.ndarray:
    """Give decibels below a reference, held to the dynamic range.

    Parameters
    ----------
    strength : numpy.ndarray
        Amplitudes, any shape, not negative.
    dynamic_range : float
        What lies further below the reference is held there [dB].
    reference : float, optional
        0 dB; the largest amplitude by default.

    Returns
    -------
    numpy.ndarray
        Like `strength`, from -dynamic_range to 0; all at the bottom where there is no echo at all [dB re reference].

    Raises
    ------
    RangeError
        If the dynamic range is not 1 to 200 dB, or the reference is no amplitude.
    """
    check_range("dynamic_range", dynamic_range, (1, 200), "dB")
    if reference is not None and not 0 < reference < np.inf:
        raise RangeError(f"reference must be a finite amplitude above 0, got {reference:g} (in decibels?)")
    top = float(strength.max(initial=0)) if reference is None else reference
    if top == 0:
        return np.full(strength.shape, -dynamic_range, np.float32)
    ratio = np.asarray(strength, dtype=float) / top
    decibels = 20 * np.log10(np.maximum(ratio, 10 ** (-dynamic_range / 20)))
    return np.asarray(np.clip(decibels, -dynamic_range, 0), dtype=np.float32)


def b_mode(iq: IQImage, *, dynamic_range: Decibels = 60.0, reference: float | None = None) -> Image:
    """Make the B-mode image of baseband pixels.

    Parameters
    ----------
    iq : IQImage
        One frame or more.
    dynamic_range : float
        [dB].
    reference : float, optional
        Amplitude shown as 0 dB; the largest of all frames by default.

    Returns
    -------
    Image
        On the same grid, -dynamic_range..0 [dB re reference].
    """
    values = log_compression(envelope(iq), dynamic_range=dynamic_range, reference=reference)
    settings = {"dynamic_range": float(dynamic_range), "reference": reference}
    step = Step(name="b_mode", settings=settings, version=VERSION)
    return Image(
        values=values,
        quantity=Quantity.B_MODE,
        grid=iq.grid,
        times=iq.times,
        provenance=(*iq.provenance, step),
    )
