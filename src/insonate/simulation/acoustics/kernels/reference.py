"""Remap and deposit in NumPy: readable, and the truth that the other kernels are held to."""

import numpy as np

GRAZING = (0.05, 0.3)
"""(kz / k)^2 between which the wave fades out: what runs along the array would only wrap around, and a hard edge rings."""

HALF = 0.5 + 1e-9
"""Of the spectrum's period, and a little more: the row in the middle falls to one side, however it is rounded."""

NEAREST = 1e-4
"""Distance below which an echo grows no further: nearer than half an element nothing here holds [m]."""


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
    grazing: tuple[float, float] = GRAZING,
    period: int | None = None,
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
    n_padded = spectrum.shape[1]
    taps = 2 * (len(window) - 1) // 1000
    step = 2 * np.pi / (n_padded * axial_step) if period is None else -2 * np.pi / (period * axial_step)
    k = wavenumbers[None, :]
    slant = k * np.sin(angle)
    repeats = lateral[1] * len(
        lateral
    )  # the spectrum of a sampled map repeats: take the branch nearest to straight down
    kx = lateral[:, None] + slant
    kx = kx - repeats * np.floor(kx / repeats + HALF)
    steepness = 1 - (kx / k) ** 2
    travels = steepness > grazing[0]
    fade = np.clip((steepness - grazing[0]) / (grazing[1] - grazing[0]), 0, 1)
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
    """Lay the echo of every scatterer down on every element's line, as a cubic spline of unit area at its moment.

    At the moment t = t_s + r / c, r from the middle of the element, an echo has the strength a D O / r, or a D O / sqrt(r)
    where waves spread from lines, with D = sinc(width f sin(angle) / c) and O = z / r in a soft baffle, else 1. The spline
    spreads it over four samples and takes sinc(f / fs)^4 from its spectrum: divide by that together with the pulse.

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
        Of the lines: four or more samples a period of the highest frequency [Hz].
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
    x, y, z, amplitude = np.asarray(scatterers, dtype=float).T
    out = np.zeros((len(elements), n_samples))
    for line, element in zip(out, elements, strict=True):
        distance = np.maximum(np.sqrt((element - x) ** 2 + y**2 + z**2), NEAREST)
        strength = amplitude * np.sinc(element_width * frequency / sound_speed * (element - x) / distance)
        strength = strength / (np.sqrt(distance) if from_lines else distance)
        if soft_baffle:
            strength = strength * z / distance
        at = (delays + distance / sound_speed - start) * sampling_frequency
        first = np.floor(np.clip(at, -8, n_samples + 8)).astype(int)
        share = at - first
        spline = (
            (1 - share) ** 3,
            4 - 3 * share**2 * (2 - share),
            4 - 3 * (1 - share) ** 2 * (1 + share),
            share**3,
        )
        for n, weight in enumerate(spline, start=-1):
            inside = (first + n >= 0) & (first + n < n_samples)
            np.add.at(line, (first + n)[inside], (strength * weight / 6)[inside])
    return out.astype(np.float32)


def heard(
    levels: np.ndarray, stride: int, reflectivity: np.ndarray, transmission: np.ndarray | None
) -> np.ndarray:
    """Spread levels over the samples of a map, and let the map be heard through them.

    Parameters
    ----------
    levels : numpy.ndarray
        (ceil(n_lateral / stride), ceil(n_axial / stride)) float32, one sample in `stride` each way; straight
        between, even after the last.
    stride : int
        Samples from level to level.
    reflectivity : numpy.ndarray
        (n_lateral, n_axial) float32.
    transmission : numpy.ndarray or None
        (n_lateral, n_axial) float32 as well; None is 1.

    Returns
    -------
    numpy.ndarray
        (n_lateral, n_axial) float32, their product.
    """
    n, m = reflectivity.shape
    level = _finer(_finer(levels.T, stride, m).T, stride, n)
    level *= reflectivity
    if transmission is not None:
        level *= transmission
    return level


def _finer(values: np.ndarray, stride: int, samples: int) -> np.ndarray:
    """Interpolate the first axis of a (k, l) array, taken at one sample in `stride`, to all samples."""
    ahead = np.concatenate([values[1:], values[-1:]])
    out = np.empty((len(values), stride, values.shape[1]), np.float32)
    for part in range(stride):
        np.add(values * (1 - part / stride), ahead * (part / stride), out=out[:, part])
    return out.reshape(-1, values.shape[1])[:samples]
