"""The hot loops of Insonate, compiled: NumPy in and out without a copy, other threads of Python go on meanwhile.

Each function has the name and the arguments of Insonate's reference kernel, which says what it computes. What it does
not cover it refuses with `NotCoveredError`, before anything is computed; a caller then takes another kernel.
"""

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from insonate_native import _library

__all__ = [
    "NotCoveredError",
    "available",
    "carried",
    "cut",
    "delay_and_sum",
    "deposit",
    "has",
    "instructions",
    "remap",
    "threads",
]

SETS = ("avx512", "avx2", "neon", "plain")
"""Instruction sets that kernels are written for."""

SAME = 1e-9
"""Distances closer than this are one: 1e-5 of a wavelength [m]."""

MOST_DISTANCES = 2048
"""Tables of more leave the cache."""

MOST = 2**28
"""Pairs of columns and elements, and numbers of any one array."""

WINDOW_STEPS, WINDOW_TAPS = 250, 8

STEEPEST = 1e-5
"""Error that the polynomial of a directivity may have, 1."""


class NotCoveredError(ValueError):
    """Right for a kernel, but not for this one."""


def instructions() -> str:
    """Name the instruction set that is used: the best this processor runs, unless $INSONATE_ISA names another of them."""
    wanted = os.environ.get("INSONATE_ISA", "")
    return (_library.instructions(wanted) if wanted in SETS else "") or _library.instructions("")


def available() -> tuple[str, ...]:
    """Name the instruction sets that this build has and this processor runs, fastest first."""
    return tuple(name for name in SETS if _library.instructions(name))


def has(name: str) -> bool:
    """Whether this build has a job, by its name in the C interface: "slice" came after the first three."""
    return _library.has(name)


def threads() -> int:
    """Give how many threads share a job: all cores this process may use, unless $INSONATE_THREADS says."""
    wanted = os.environ.get("INSONATE_THREADS", "")
    if wanted.isdecimal() and 1 <= int(wanted) <= 256:
        return int(wanted)
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 256)


def _how(wanted: str | None, n_threads: int | None) -> tuple[str, int]:
    chosen = instructions() if wanted is None else wanted
    if chosen not in available():
        raise ValueError(f"instructions must be one of {', '.join(available())}, got {chosen!r}")
    count = threads() if n_threads is None else n_threads
    if not 1 <= count <= 256:
        raise ValueError(f"threads must lie in 1..256, got {count}")
    return chosen, count


def _check(is_covered: bool, what: str) -> None:
    if not is_covered:
        raise NotCoveredError(what)


def _array(values: Any, kind: type, shape: tuple[int | None, ...], name: str) -> np.ndarray:
    """Give contiguous numbers of that type, of that shape."""
    array = np.ascontiguousarray(values, dtype=kind)
    if array.ndim != len(shape) or any(
        n is not None and n != m for n, m in zip(shape, array.shape, strict=True)
    ):
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
    return array


@lru_cache(maxsize=16)
def _distances(lateral: bytes, x: bytes) -> tuple[np.ndarray, np.ndarray] | None:
    """Where columns and elements have few distances: which one each pair has, and the distances; else None."""
    apart = np.abs(np.frombuffer(lateral)[:, None] - np.frombuffer(x))
    order = np.argsort(apart, axis=None, kind="stable")
    rising = apart.ravel()[order]
    begins = np.concatenate([[True], np.diff(rising) > SAME])
    number = np.cumsum(begins) - 1
    n_distances = int(number[-1]) + 1
    if n_distances > min(MOST_DISTANCES, apart.size // 4):
        return None
    distances = rising[begins]
    if (rising - distances[number]).max() > SAME:  # a chain of near ones, not one
        return None
    place = np.empty(apart.size, np.int32)
    place[order] = number
    return place.reshape(apart.shape), distances


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
    instructions: str | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Sum the delayed echoes of one frame.

    Parameters
    ----------
    samples : numpy.ndarray
        (n_transmits, n_elements, n_samples) complex64 baseband echoes.
    arrival : numpy.ndarray
        (n_transmits, n_axial, n_lateral) when the wave passes the pixel, after the first sample [s].
    starts : numpy.ndarray
        (n_transmits,) time of the first sample [s].
    elements : numpy.ndarray
        (n_elements, 3), of one depth, rising in x [m].
    axial, lateral : numpy.ndarray
        (n_axial,), (n_lateral,) pixels, the depths rising [m].
    frequency, sampling_frequency : float
        Carrier taken out of the echoes, and rate [Hz].
    sound_speed : float
        [m/s].
    f_number : float
        Depth over active aperture, 1.
    instructions : str, optional
        One of `available()`.
    threads : int, optional
        That share the work.

    Returns
    -------
    numpy.ndarray
        (n_axial, n_lateral) complex64.

    Raises
    ------
    NotCoveredError
        If elements or depths are in another order, the array is not flat, or a size is beyond the kernel's.
    """
    chosen, count = _how(instructions, threads)
    samples = _array(samples, np.complex64, (None, None, None), "samples")
    n_transmits, n_elements, n_samples = samples.shape
    axial, lateral = (
        _array(axial, np.float64, (None,), "axial"),
        _array(lateral, np.float64, (None,), "lateral"),
    )
    shape = (len(axial), len(lateral))
    arrival = _array(arrival, np.float64, (n_transmits, *shape), "arrival")
    starts = _array(starts, np.float64, (n_transmits,), "starts")
    elements = _array(elements, np.float64, (n_elements, 3), "elements")
    settings = (frequency, sampling_frequency, sound_speed, f_number)
    _check(bool(np.isfinite(settings).all()) and min(settings[1:]) > 0, "settings must be positive")
    if 0 in samples.shape[:2] or 0 in shape or n_samples < 2:
        return np.zeros(shape, np.complex64)
    x, z = np.ascontiguousarray(elements[:, 0]), float(elements[0, 2])
    below = axial - elements[0, 2]
    _check(
        bool(np.isfinite(elements[:, 2]).all()) and np.ptp(elements[:, 2]) <= SAME,
        f"elements must lie at one depth, {z:g} m",
    )
    _check(bool((np.diff(x) >= 0).all() and np.isfinite(x).all()), "elements must rise in x")
    _check(bool((np.diff(below) >= 0).all() and np.isfinite(below).all()), "depths must rise")
    _check(bool(np.isfinite(lateral).all()), "columns must be finite")
    _check(
        n_elements < 2**15 and n_samples < 2**24,
        "records must be shorter than 2^24, elements fewer than 2^15",
    )
    _check(max(samples.size, arrival.size, n_elements * shape[1]) <= MOST, "sizes must stay below 2^28")
    few = _distances(lateral.tobytes(), x.tobytes())
    place, distances = (None, None) if few is None else few
    out = np.empty(shape, np.complex64)
    job = _library.DelayAndSum(
        samples=_library.at(samples, np.complex64, samples.shape),
        arrival=_library.at(arrival, np.float64, (n_transmits, *shape)),
        starts=_library.at(starts, np.float64, (n_transmits,)),
        x=_library.at(x, np.float64, (n_elements,)),
        below=_library.at(below, np.float64, shape[:1]),
        axial=_library.at(axial, np.float64, shape[:1]),
        lateral=_library.at(lateral, np.float64, shape[1:]),
        place=None if place is None else _library.at(place, np.int32, (shape[1], n_elements)),
        distances=None if distances is None else _library.at(distances, np.float64, distances.shape),
        out=_library.at(out, np.complex64, shape),
        transmits=n_transmits,
        elements=n_elements,
        n_samples=n_samples,
        rows=shape[0],
        columns=shape[1],
        n_distances=0 if distances is None else len(distances),
        frequency=frequency,
        rate=sampling_frequency,
        speed=sound_speed,
        f_number=f_number,
    )
    _library.call("delay_and_sum", job, chosen, count)
    return out


@lru_cache(maxsize=8)
def _weights(window: bytes) -> np.ndarray:
    """Weights of all neighbours at fractions of a step, each twice: for a real and an imaginary part."""
    values = np.frombuffer(window, np.float32)
    taps = 2 * (len(values) - 1) // 1000
    fraction = np.arange(WINDOW_STEPS + 2)[:, None] / WINDOW_STEPS
    away = np.abs(fraction + taps // 2 - 1 - np.arange(WINDOW_TAPS))
    weights = np.interp(away, np.arange(len(values)) / 1000, values, right=0.0)
    weights[:, taps:] = 0
    return np.ascontiguousarray(np.repeat(weights, 2, axis=1), dtype=np.float32)


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
    grazing: tuple[float, float],
    period: int | None = None,
    instructions: str | None = None,
    threads: int | None = None,
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
        (taps / 2 * 1000 + 1,) interpolation window over half its width.
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
    instructions : str, optional
        One of `available()`.
    threads : int, optional
        That share the work.

    Returns
    -------
    numpy.ndarray
        (n_lateral, n_frequencies) complex64.

    Raises
    ------
    NotCoveredError
        If the window has another number of taps than 2, 4, 6 or 8, or a size is beyond the kernel's.
    """
    chosen, count = _how(instructions, threads)
    spectrum = _array(spectrum, np.complex64, (None, None), "spectrum")
    rows, columns = spectrum.shape
    lateral = _array(lateral, np.float64, (rows,), "lateral")
    k = _array(wavenumbers, np.float64, (None,), "wavenumbers")
    pulse = _array(pulse, np.float32, k.shape, "pulse")
    window = _array(window, np.float32, (None,), "window")
    taps = 2 * (len(window) - 1) // 1000
    settings = (angle, axial_step, middle, element_width, offset, *grazing)
    _check(len(window) % 1000 == 1 and 2 <= taps <= WINDOW_TAPS, "the window must have 2, 4, 6 or 8 taps")
    _check(
        rows >= 2 and columns >= WINDOW_TAPS, "the spectrum must have two rows or more, as long as the window"
    )
    _check(
        bool(np.isfinite(settings).all()) and axial_step > 0 and 0 <= grazing[0] < grazing[1],
        "settings must be finite",
    )
    _check(
        bool(np.isfinite(k).all() and (k > 0).all() and np.isfinite(lateral).all()),
        "wavenumbers must be positive",
    )
    _check(bool(lateral[1] != 0), "rows must have a step")
    _check(max(spectrum.size, rows * len(k), len(k) * 64) <= MOST, "sizes must stay below 2^28")
    out = np.empty((rows, len(k)), np.complex64)
    if not len(k):
        return out
    weights = _weights(window.tobytes())
    job = _library.Remap(
        spectrum=_library.at(spectrum, np.complex64, (rows, columns)),
        lateral=_library.at(lateral, np.float64, (rows,)),
        k=_library.at(k, np.float64, k.shape),
        pulse=_library.at(pulse, np.float32, k.shape),
        window=_library.at(weights, np.float32, (WINDOW_STEPS + 2, 2 * WINDOW_TAPS)),
        out=_library.at(out, np.complex64, (rows, len(k))),
        rows=rows,
        columns=columns,
        n_frequencies=len(k),
        taps=taps,
        sine=float(np.sin(angle)),
        cosine=float(np.cos(angle)),
        step=2 * np.pi / ((columns if period is None else -period) * axial_step),
        repeats=float(lateral[1]) * rows,
        middle=middle,
        width=element_width,
        offset=offset,
        least=grazing[0],
        full=grazing[1],
    )
    _library.call("remap", job, chosen, count)
    return out


@lru_cache(maxsize=64)
def _directivity(wavelengths: float) -> np.ndarray | None:
    """Sinc of an element many wavelengths wide: a polynomial of odd degree in the squared sine, None where none fits."""
    squared = np.linspace(0, 1, 501)
    truth = np.sinc(wavelengths * np.sqrt(squared))
    for degree in range(1, 18, 2):
        series = np.polynomial.Chebyshev.interpolate(
            lambda s: np.sinc(wavelengths * np.sqrt(s)), degree, domain=[0, 1]
        )
        powers = np.zeros(degree + 1, np.float32)  # of odd degree always: NumPy drops powers that are nought
        coefficients = series.convert(kind=np.polynomial.Polynomial).coef
        powers[degree + 1 - len(coefficients) :] = coefficients[::-1]
        made = np.zeros(squared.shape, np.float32)
        for power in powers:
            made = made * squared.astype(np.float32) + power
        if np.abs(made - truth).max() <= STEEPEST / 10 or (
            degree == 17 and np.abs(made - truth).max() <= STEEPEST
        ):
            return powers
    return None


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
    nearest: float,
    instructions: str | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Lay the echo of every scatterer down on every element's line, as a cubic spline at its moment.

    Parameters
    ----------
    scatterers : numpy.ndarray
        (n_scatterers, 4) float32: x, y, z [m] and amplitude.
    delays : numpy.ndarray
        (n_scatterers,) when the wave passes [s].
    elements : numpy.ndarray
        (n_elements,) x [m].
    n_samples : int
        Of a line.
    sampling_frequency : float
        Of the lines [Hz].
    start : float
        Time of the first sample [s].
    sound_speed : float
        [m/s].
    frequency : float
        That the directivity is of [Hz].
    element_width : float
        [m].
    soft_baffle : bool
        Whether elements lie in a soft baffle.
    from_lines : bool
        Whether waves spread from lines.
    nearest : float
        Distance below which an echo grows no further [m].
    instructions : str, optional
        One of `available()`.
    threads : int, optional
        That share the work.

    Returns
    -------
    numpy.ndarray
        (n_elements, n_samples) float32.

    Raises
    ------
    NotCoveredError
        If an element is too many wavelengths wide, or a size is beyond the kernel's.
    """
    chosen, count = _how(instructions, threads)
    scatterers = _array(scatterers, np.float32, (None, 4), "scatterers")
    delays = _array(delays, np.float64, scatterers.shape[:1], "delays")
    x = _array(elements, np.float64, (None,), "elements")
    settings = (sampling_frequency, start, sound_speed, frequency, element_width, nearest)
    _check(
        bool(np.isfinite(settings).all()) and min(sampling_frequency, sound_speed, nearest) > 0,
        "settings must be finite",
    )
    _check(
        0 <= n_samples < 2**24 and len(x) * max(n_samples, 1) <= MOST,
        "lines must be shorter than 2^24 samples",
    )
    _check(scatterers.size <= MOST, "scatterers must be fewer than 2^26")
    powers = _directivity(abs(element_width) * abs(frequency) / sound_speed)
    _check(powers is not None, "elements must be narrower")
    shape = (len(x), n_samples)
    if 0 in (len(scatterers), *shape):
        return np.zeros(shape, np.float32)
    out = np.empty(shape, np.float32)
    job = _library.Deposit(
        scatterers=_library.at(scatterers, np.float32, scatterers.shape),
        delays=_library.at(delays, np.float64, scatterers.shape[:1]),
        x=_library.at(x, np.float64, x.shape),
        directivity=_library.at(powers, np.float32, powers.shape),
        out=_library.at(out, np.float32, shape),
        n_scatterers=len(scatterers),
        elements=len(x),
        n_samples=n_samples,
        degree=len(powers) - 1,
        soft=int(soft_baffle),
        line=int(from_lines),
        rate=sampling_frequency,
        start=start,
        speed=sound_speed,
        nearest=nearest,
    )
    _library.call("deposit", job, chosen, count)
    return out


def cut(
    nodes: np.ndarray,
    stride: int,
    n_axial: int,
    voxels: np.ndarray,
    origin: np.ndarray,
    step: float,
    noise: np.ndarray,
    noise_steps: np.ndarray,
    gains: np.ndarray,
    turn: np.ndarray,
    lateral: np.ndarray,
    lateral_step: float,
    labels: np.ndarray,
    echo_amplitudes: np.ndarray,
    sheet_amplitudes: np.ndarray,
    echo_codes: np.ndarray,
    passing: np.ndarray,
    edge_loss: float,
    *,
    shapes: Mapping[str, float],
    instructions: str | None = None,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slice volumes along bent columns.

    Parameters
    ----------
    nodes : numpy.ndarray
        (n_lateral, n_nodes, 3) places of the tissue at rest, every `stride` samples [m].
    stride : int
        Samples from node to node.
    n_axial : int
        Samples of a column.
    voxels : numpy.ndarray
        (nx, ny, nz, 8) uint8.
    origin : numpy.ndarray
        (3,) center of the first voxel [m].
    step : float
        Between voxels [m].
    noise : numpy.ndarray
        (a, b, c) int8 tile, its sides powers of two; in any order in memory that keeps the third axis together.
    noise_steps : numpy.ndarray
        (3,) of the tile [m].
    gains : numpy.ndarray
        (3, 64) of interpolated noise.
    turn : numpy.ndarray
        (2,) cosine and sine of the tile's turn about z.
    lateral : numpy.ndarray
        (3,) direction of the array.
    lateral_step : float
        Width of a column [m].
    labels : numpy.ndarray
        (n_materials,) uint8.
    echo_amplitudes, sheet_amplitudes : numpy.ndarray
        (256,) float32 of codes.
    echo_codes : numpy.ndarray
        (n_materials,) uint8.
    passing : numpy.ndarray
        (n_materials,) float32.
    edge_loss : float
        Beside the wall of a vessel, 1.
    shapes : mapping
        The caller's constants: `distance_step`, `thickness`, `near`, `same` [m], `footprint`, `edge`, `little`, `bent` [1].
    instructions : str, optional
        One of `available()`.
    threads : int, optional
        That share the work.

    Returns
    -------
    reflectivity, labels, transmission : numpy.ndarray
        (n_lateral, n_axial) float32, uint8, float32.

    Raises
    ------
    NotCoveredError
        If this build has no slice, the tile's sides are no powers of two, or places are not finite and near.
    """
    chosen, count = _how(instructions, threads)
    _check(has("slice"), "this build has no slice")
    nodes = _array(nodes, np.float32, (None, None, 3), "nodes")
    voxels = _array(voxels, np.uint8, (None, None, None, 8), "voxels")
    if noise.dtype != np.int8 or noise.ndim != 3 or noise.strides[2] != 1 or min(noise.strides) < 0:
        noise = _array(noise, np.int8, (None, None, None), "noise")
    gains = _array(gains, np.float32, (3, 64), "gains")
    echo, sheet = (
        _array(one, np.float32, (256,), "amplitudes") for one in (echo_amplitudes, sheet_amplitudes)
    )
    n_lateral, n_nodes, _ = nodes.shape
    shape = (n_lateral, n_axial)
    tables = []
    for one, kind in ((labels, np.uint8), (echo_codes, np.uint8), (passing, np.float32)):
        _check(len(one) <= 256, "there must be at most 256 materials")
        table = np.zeros(256, kind)
        table[: len(one)] = one
        tables.append(table)
    if 0 in shape or n_nodes < 2:
        raise ValueError(
            f"a slice must have columns of two nodes or more, got {nodes.shape} and {n_axial} samples"
        )
    _check(
        all(side > 0 and side & (side - 1) == 0 for side in noise.shape),
        "the tile's sides must be powers of two",
    )
    _check(stride >= 1 and (n_nodes - 1) * stride >= n_axial, "nodes must reach the end of a column")
    _check(bool(np.isfinite(origin).all()) and min(step, *noise_steps) > 0, "steps must be positive")
    limit = 1e6 * min(step, *noise_steps)
    _check(
        bool((np.abs(nodes) < limit).all()), "places must be finite and near"
    )  # also false for what is no number
    _check(
        max(voxels.size, nodes.size, n_lateral * n_axial, noise.size) <= MOST, "sizes must stay below 2^28"
    )
    reflectivity, through = np.empty(shape, np.float32), np.empty(shape, np.float32)
    named = np.empty(shape, np.uint8)

    job = _library.Slice(
        nodes=_library.at(nodes, np.float32, nodes.shape),
        voxels=_library.at(voxels, np.uint8, voxels.shape),
        noise=int(noise.ctypes.data),
        gains=_library.at(gains, np.float32, gains.shape),
        labels=_library.at(tables[0], np.uint8, (256,)),
        echo_amplitudes=_library.at(echo, np.float32, (256,)),
        sheet_amplitudes=_library.at(sheet, np.float32, (256,)),
        echo_codes=_library.at(tables[1], np.uint8, (256,)),
        passing=_library.at(tables[2], np.float32, (256,)),
        reflectivity=_library.at(reflectivity, np.float32, shape),
        named=_library.at(named, np.uint8, shape),
        through=_library.at(through, np.float32, shape),
        n_lateral=n_lateral,
        n_nodes=n_nodes,
        n_axial=n_axial,
        stride=stride,
        nx=voxels.shape[0],
        ny=voxels.shape[1],
        nz=voxels.shape[2],
        na=noise.shape[0],
        nb=noise.shape[1],
        nc=noise.shape[2],
        along=noise.strides[0],
        across=noise.strides[1],
        origin=_library.floats(origin),
        noise_step=_library.floats(noise_steps),
        lateral=_library.floats(lateral),
        step=step,
        lateral_step=lateral_step,
        cosine=float(turn[0]),
        sine=float(turn[1]),
        edge_loss=edge_loss,
        **shapes,
    )
    _library.call("slice", job, chosen, count)
    return reflectivity, named, through


KINDS = {"drag": 0, "contraction": 1, "slide": 2, "pool": 3, "sleeve": 4, "wall": 5, "contact": 6}
"""Maps of a body that moves, and how many numbers each has beside its table."""

NUMBERS = {"drag": 8, "contraction": 8, "slide": 4, "pool": 8, "sleeve": 3, "wall": 2, "contact": 6}

STATION = 7


class Moves:
    """Maps of a body that moves, checked and packed once, to be carried through again and again."""

    def __init__(self, moves: Sequence[tuple[str, np.ndarray, np.ndarray | None, int, bool]]) -> None:
        """Take the maps.

        Parameters
        ----------
        moves : sequence of (str, numpy.ndarray, numpy.ndarray or None, int, bool)
            Kind, its numbers, the table of a tube ((stations, 7), along rising) or of a contact (flat), the tube's axis, and
            whether a sleeve lies inside; outermost first.

        Raises
        ------
        NotCoveredError
            If a kind is not known.
        """
        self._count = len(moves)
        self.given, self._kept = (_library.Move * max(len(moves), 1))(), []
        for to, (kind, numbers, table, axis, flag) in zip(self.given, moves, strict=False):
            _check(kind in KINDS, f"no motion of kind {kind}")
            numbers = _array(numbers, np.float64, (NUMBERS[kind],), f"numbers of {kind}")
            to.kind, to.axis, to.flag = KINDS[kind], axis, int(flag)
            to.p[: len(numbers)] = numbers.tolist()
            if kind in ("sleeve", "wall"):
                table = _array(table, np.float64, (None, STATION), "stations")
                if len(table) == 0 or axis not in (0, 1, 2):
                    raise ValueError("a tube must have stations along one of three axes")
                to.n = len(table)
            elif kind == "contact":
                table = _profiles(table)
                _check(0 <= numbers[5] <= 1e4, "steps must be few")
            else:
                continue
            self._kept.append(table)
            to.table = table.ctypes.data

    def __len__(self) -> int:
        return self._count


def carried(
    points: np.ndarray,
    moves: Moves | Sequence[tuple[str, np.ndarray, np.ndarray | None, int, bool]],
    *,
    forward: bool = False,
    depth: np.ndarray | None = None,
    instructions: str | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Carry places through maps of a body that moves.

    Parameters
    ----------
    points : numpy.ndarray
        (n, 3) [m].
    moves : Moves, or sequence of (str, numpy.ndarray, numpy.ndarray or None, int, bool)
        Outermost first; what each says is told of `Moves`.
    forward : bool
        From rest to now, else back.
    depth : numpy.ndarray, optional
        (n,) float64, raised in place to how deep places lie in fluid, on the way back [m].
    instructions : str, optional
        One of `available()`.
    threads : int, optional
        That share the work.

    Returns
    -------
    numpy.ndarray
        (n, 3) [m].

    Raises
    ------
    NotCoveredError
        If this build has no motion, or a kind is not known.
    """
    chosen, count = _how(instructions, threads)
    _check(has("motion"), "this build has no motion")
    points = _array(points, np.float64, (None, 3), "points")
    _check(points.size <= MOST and bool(np.isfinite(points).all()), "places must be finite, and below 2^28")
    told = moves if isinstance(moves, Moves) else Moves(moves)
    out = np.empty_like(points)
    job = _library.Motion(
        points=points.ctypes.data,
        moves=_library.ct.addressof(told.given),
        out=out.ctypes.data,
        depth=None if depth is None else _library.at(depth, np.float64, points.shape[:1]),
        n_points=len(points),
        n_moves=len(told),
        forward=int(forward),
    )
    _library.call("motion", job, chosen, count)
    return out


def _profiles(table: Any) -> np.ndarray:
    """Give three profiles in one row of numbers, each [first, step, count, values, slopes], once they are whole."""
    flat = _array(table, np.float64, (None,), "profiles")
    at = 0
    for _ in range(3):
        if at + 3 > len(flat) or not flat[at + 2] >= 3 or not flat[at + 1] > 0:
            raise ValueError("profiles must be three, of three entries or more")
        at += 3 + 2 * int(flat[at + 2])
    if at != len(flat):
        raise ValueError(f"profiles must have {at} numbers, got {len(flat)}")
    return flat
