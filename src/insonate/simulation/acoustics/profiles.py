"""Profiles of engine K: how wide and how finely a map is sampled, for a live picture or for accuracy.

What goes wrong in the Fourier engine is known: echoes from outside the map wrap around in x, and columns carry receive
angles only up to |kx| = pi / step; waves that run along the array fade out before they wrap, and a point near the face
is not heard by elements far to its side. The live profile is two and a half times as wide as the array with columns of half
a wavelength at most; the accurate one is eight times as wide with columns half as wide, so that grazing waves may go on five
times nearer to the face, at seven times the cost.
"""

import numpy as np
from scipy import fft

from insonate.core import AxesError, Probe, RangeError
from insonate.core.checks import check_range
from insonate.core.units import Meters, MetersPerSecond
from insonate.simulation.acoustics.fourier import FourierEngine
from insonate.simulation.acoustics.kernels.reference import GRAZING

WIDTH = {"live": 2.5, "accurate": 8.0}
"""Of the map, over the array's."""
COLUMN = {"live": 0.5, "accurate": 0.25}
"""Widest column, over the wavelength at the center frequency."""
FADE = {"live": GRAZING, "accurate": (0.005, 0.08)}
"""(kz / k)^2 between which grazing waves fade out."""
ROW = 0.15
"""Highest row, over the wavelength: an echo's frequency f is carried up to c / 4 rows, 1.67 of the center. In higher rows
what lies between samples, and so whatever moves, is folded at the top of the band: at 0.2, motion is found 6 % short."""
SLANTED = 1.2
"""Length of the record over that of an echo from straight below the depth: for elements far to the side."""


def planned(
    profile: str, probe: Probe, *, depth: Meters, sound_speed: MetersPerSecond = 1540.0
) -> FourierEngine:
    """Plan an engine for a probe and a depth.

    Parameters
    ----------
    profile : {"live", "accurate"}
        Which.
    probe : Probe
        A linear array.
    depth : float
        Of the map [m].
    sound_speed : float
        [m/s].

    Returns
    -------
    FourierEngine
        Its map at least as deep as asked, sides of lengths that transform fast.

    Raises
    ------
    RangeError
        If there is no such profile, or the probe is no linear array.
    """
    if profile not in WIDTH:
        raise RangeError(f"profile must be one of {', '.join(WIDTH)}, got {profile!r}")
    check_range("depth", depth, (1e-3, 0.5), "m", hint="millimeters?")
    wavelength = sound_speed / probe.center_frequency
    x = probe.element_positions[:, 0]
    if len(x) < 2:
        raise RangeError("a profile needs a linear array of two elements or more, got one")
    pitch = float(np.ptp(x)) / (len(x) - 1)
    column = pitch / np.ceil(pitch / (COLUMN[profile] * wavelength) - 1e-9)
    columns = int(np.ceil(WIDTH[profile] * len(x) * pitch / column))
    return FourierEngine(
        probe=probe,
        lateral_step=float(column),
        axial_step=ROW * wavelength,
        shape=(
            fft.next_fast_len(columns + columns % 2),
            fft.next_fast_len(int(np.ceil(depth / (ROW * wavelength)))),
        ),
        sound_speed=sound_speed,
        duration=2 * SLANTED * depth / sound_speed,
        grazing=FADE[profile],
    )


def refitted(reflectivity: np.ndarray, made_for: FourierEngine, engine: FourierEngine) -> np.ndarray:
    """Put the samples of one engine's map at their places in a finer and wider one, with the same echoes.

    Parameters
    ----------
    reflectivity : numpy.ndarray
        (n_lateral, n_axial) of `made_for`.
    made_for : FourierEngine
        The coarser.
    engine : FourierEngine
        The finer: its columns go a whole number of times into those of the coarser, its rows are as high.

    Returns
    -------
    numpy.ndarray
        (n_lateral, n_axial) float32 of `engine`.

    Raises
    ------
    AxesError
        If the map is not that of `made_for`, or does not fit.
    """
    if reflectivity.shape != made_for.shape:
        raise AxesError(
            f"reflectivity must be (lateral, axial) of {made_for.shape}, got shape {reflectivity.shape}"
        )
    ratio = made_for.lateral_step / engine.lateral_step
    times = round(ratio)
    if times < 1 or abs(ratio - times) > 1e-6 or abs(made_for.axial_step / engine.axial_step - 1) > 1e-9:
        raise AxesError("columns of the finer map must go into those of the coarser, and rows be as high")
    first = engine.shape[0] // 2 - made_for.shape[0] // 2 * times
    last = first + (made_for.shape[0] - 1) * times
    if first < 0 or last >= engine.shape[0] or engine.shape[1] < made_for.shape[1]:
        raise AxesError(f"a map of {made_for.shape} does not fit into one of {engine.shape}")
    wide = np.zeros(engine.shape, np.float32)
    wide[first : last + 1 : times, : made_for.shape[1]] = reflectivity * np.float32(times)
    return wide
