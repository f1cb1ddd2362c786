r"""Engine A, the reference: echoes of scatterers in the frequency domain, summed over pieces of every element.

With time exp(-i w t), k = w / c and r from the middle of a piece of the face to a point, one element, or any piece of it
so small that the point lies in its far field, averages the wave of its face (or hears the point) as

    R(k) = \sum_pieces O exp(i k (r + L) - a(f) r) / r^(1, 1/2) sinc(k bu) sinc(k bv) / pieces

    bu = width su / 2,   bv = height (sv + v / F) / 2,   L = -v^2 / 2 F + second moments of the piece,

su and sv the direction cosines along the face, v the height of a piece above the middle, F the depth of the lens, O = 1 in a
rigid baffle and cos t in a soft one, a(f) the attenuation. An infinite rigid array without gaps, its elements fired as one,
makes a plane wave of height one; a scatterer of amplitude s sends s R back:

    three dimensions   p = w h k / 2 pi exp(-i pi / 2) R,     echo = s p R                             (s in m, over 1 / r)
    two dimensions     p = w (k / 2 pi)^(1/2) exp(-i pi / 4) R,   echo = s p R (2 pi k)^(-1/2) exp(-i pi / 4)

Two dimensions are line sources in their far field (Hankel, k r >> 1), as engine K has them. The sinc of a piece is written
as waves from its edges, sin(k b) exp(i k r) = (exp(i k (r + b)) - exp(i k (r - b))) / 2i, so that each step of the frequency
is one multiplication. Scatterers do not see each other (Born). Everything is in double precision until it becomes a record.

D. Garcia, "SIMUS: an open-source simulator for medical ultrasound imaging. Part I: theory & examples", Comput. Methods
Programs Biomed. 218, 106726, 2022, for the pieces and the far field; J. W. Goodman, Introduction to Fourier Optics, for the
paraxial lens.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from insonate.core import (
    Acquisition,
    ChannelData,
    Probe,
    RangeError,
    Transmit,
    UnknownNameError,
    Waveform,
)
from insonate.core.acquisition import check_sound_speed
from insonate.core.checks import check_axes, check_finite
from insonate.core.units import Hertz, MetersPerSecond, Seconds
from insonate.simulation.acoustics.engine import Attenuation, described
from insonate.simulation.acoustics.pulse import Spectrum, record, two_way_spectrum
from insonate.simulation.acoustics.scatterers import Scatterers
from insonate.simulation.acoustics.transmits import firing_times, passing_times

BAFFLES = ("rigid", "soft")
"""What holds the elements: an infinite rigid wall, or one that yields to the pressure."""

BLOCK = 1 << 15
"""Waves from edges that are stepped at once: 0.5 MB, of the second cache."""

CURVED = 0.05
"""Largest phase by which a wave may bend over half a piece; what its second moment leaves of it is below 0.5 % [rad]."""

STRAIGHT = 1e-3
"""Phase of the center frequency below which a piece's edges are taken for this far apart: the sinc is off by 2e-7 [rad]."""

MOST_PIECES = 4096
"""Of one element."""

FEW = 4
"""Transmits that are multiplied on one core."""

ANCHOR = 64
"""Steps of the frequency between waves computed anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wave:
    """What stays the same over one call."""

    probe: Probe
    sound_speed: float
    dimensions: int
    attenuation: Attenuation | None
    baffle: str
    pieces: tuple[int, int]


def _wave(
    probe: Probe,
    points: np.ndarray,
    highest: float,
    *,
    sound_speed: float,
    dimensions: int,
    attenuation: Attenuation | None,
    baffle: str,
    pieces: tuple[int, int] | None,
) -> _Wave:
    """Check the settings and choose the pieces."""
    check_sound_speed("sound_speed", sound_speed)
    if dimensions not in (2, 3):
        raise RangeError(f"dimensions must be 2 or 3, got {dimensions!r}")
    if baffle not in BAFFLES:
        raise UnknownNameError(f"baffle must be one of {', '.join(BAFFLES)}, got {baffle!r}")
    if probe.element_width is None:
        raise RangeError("the probe's element width must be known, got None")
    if dimensions == 3 and probe.element_height is None:
        raise RangeError(
            "the probe's element height must be known in three dimensions, got None (dimensions=2?)"
        )
    if dimensions == 2 and (above := float(np.abs(points[:, 1]).max())) > 1e-9:
        raise RangeError(
            f"points must lie in the plane y = 0 m in two dimensions, got y up to {above:g} (dimensions=3?)"
        )
    if np.abs(probe.element_normals[:, 1]).max() > 0.99:
        raise RangeError("elements must not face along y")
    if pieces is None:
        offsets = points[:, 2].min() - probe.element_positions[:, 2].max()
        nearest = max(float(offsets), sound_speed / probe.center_frequency)
        size = np.sqrt(8 * CURVED * nearest * sound_speed / (2 * np.pi * highest))
        across = int(np.ceil(probe.element_width / size))
        along = 1
        if dimensions == 3 and probe.element_height is not None:
            bend = nearest
            if probe.elevation_focus is not None:
                bend = 1 / max(
                    abs(1 / nearest - 1 / probe.elevation_focus), 1 / probe.elevation_focus, 1 / nearest
                )
            finest = np.sqrt(8 * CURVED * bend * sound_speed / (2 * np.pi * highest))
            along = int(np.ceil(probe.element_height / finest))
        pieces = (across, along)
    if pieces[0] * pieces[1] > MOST_PIECES:
        raise RangeError(
            f"an element can be cut into at most {MOST_PIECES} pieces, got {pieces[0]} x {pieces[1]} "
            "(scatterers too near?)"
        )
    return _Wave(
        probe=probe,
        sound_speed=sound_speed,
        dimensions=dimensions,
        attenuation=attenuation,
        baffle=baffle,
        pieces=pieces,
    )


def _edges(wave: _Wave, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the path, share and slant of the waves from all edges of all pieces.

    Returns
    -------
    paths, shares, distances
        (n_edges, n_points, n_elements) path [m] and share of each wave; (n_points, n_elements) from the middle of an
        element [m].
    """
    probe = wave.probe
    normal = probe.element_normals
    along_u = np.stack([normal[:, 2], np.zeros(len(normal)), -normal[:, 0]], axis=1)
    along_u /= np.linalg.norm(along_u, axis=1, keepdims=True)
    along_v = np.cross(normal, along_u)
    away = points[:, None, :] - probe.element_positions[None]
    u = np.einsum("pec,ec->pe", away, along_u)
    v = np.einsum("pec,ec->pe", away, along_v)
    n = np.einsum("pec,ec->pe", away, normal)
    width = float(probe.element_width or 0) / wave.pieces[0]
    shortest = 0.5 * wave.sound_speed / probe.center_frequency
    least = STRAIGHT * wave.sound_speed / (2 * np.pi * probe.center_frequency)
    centers_u = (np.arange(wave.pieces[0]) - (wave.pieces[0] - 1) / 2) * width
    paths, shares = [], []
    three = wave.dimensions == 3
    height = float(probe.element_height or 0) / wave.pieces[1] if three else 0.0
    centers_v = (np.arange(wave.pieces[1]) - (wave.pieces[1] - 1) / 2) * height if three else np.zeros(1)
    bend = 1 / probe.elevation_focus if three and probe.elevation_focus is not None else 0.0
    count = len(centers_u) * len(centers_v)
    for center_v in centers_v:
        for center_u in centers_u:
            du, dv = u - center_u, v - center_v
            r = np.maximum(np.sqrt(du**2 + dv**2 + n**2), shortest)
            su, sv = du / r, dv / r
            cosine = n / r
            share = np.where(cosine > 0, 1.0 if wave.baffle == "rigid" else cosine, 0.0) / count
            share = share / (r if three else np.sqrt(r))
            path = r + width**2 / 24 * (1 - su**2) / r - bend * center_v**2 / 2
            half_u = _slant(0.5 * width * su, least)
            if not three:
                paths += [path + half_u, path - half_u]
                shares += [share / half_u, -share / half_u]
                continue
            path = path + height**2 / 24 * ((1 - sv**2) / r - bend)
            lean = sv + center_v * bend
            half_v = _slant(0.5 * height * lean, least)
            weight = share / (half_u * half_v)
            for sign_u in (1, -1):
                for sign_v in (1, -1):
                    paths.append(path + sign_u * half_u + sign_v * half_v)
                    shares.append(sign_u * sign_v * weight)
    middle = np.maximum(np.sqrt(u**2 + v**2 + n**2), shortest)
    return np.stack(paths), np.stack(shares), middle


def _slant(half: np.ndarray, least: float) -> np.ndarray:
    """Keep waves from two edges apart, that their difference has digits."""
    return np.where(np.abs(half) < least, least, half)


def _hears(wave: _Wave, points: np.ndarray, frequencies: np.ndarray) -> Iterator[np.ndarray]:
    """Give R for one frequency after the other, evenly spaced, (n_points, n_elements) complex128."""
    paths, shares, middle = _edges(wave, points)
    k = 2 * np.pi * frequencies / wave.sound_speed
    step = np.exp(1j * (k[1] - k[0]) * paths) if len(k) > 1 else None
    edges = np.empty(paths.shape, complex)
    order = 1 if wave.dimensions == 2 else 2
    for j, here in enumerate(k):
        if j % ANCHOR == 0:
            np.exp(1j * here * paths, out=edges)
            edges *= shares
        elif step is not None:
            edges *= step
        heard = edges.sum(axis=0)
        heard *= (2j * here) ** -order
        if wave.attenuation is not None:
            heard *= np.exp(-wave.attenuation.nepers(frequencies[j]) * middle)
        yield heard


def _sent(wave: _Wave, k: float) -> complex:
    """Give pressure over R: what an element sends at a wavenumber."""
    width = float(wave.probe.element_width or 0)
    if wave.dimensions == 2:
        return complex(width * np.sqrt(k / (2 * np.pi)) * np.exp(-0.25j * np.pi))
    return complex(width * float(wave.probe.element_height or 0) * k / (2 * np.pi) * -1j)


def _scattered(wave: _Wave, k: float) -> complex:
    """Give echo over s p R: how a scatterer's wave spreads at a wavenumber."""
    return complex((2 * np.pi * k) ** -0.5 * np.exp(-0.25j * np.pi)) if wave.dimensions == 2 else 1.0 + 0j


def _drives(wave: _Wave, transmits: Sequence[Transmit], frequencies: np.ndarray) -> np.ndarray:
    """Give how the elements are driven, (n_frequencies, n_elements, n_transmits)."""
    times = np.stack([firing_times(t, wave.probe, wave.sound_speed) for t in transmits], axis=1)
    weights = np.stack(
        [np.ones(len(times)) if t.apodization is None else t.apodization for t in transmits], axis=1
    )
    return np.asarray(weights * np.exp(2j * np.pi * np.multiply.outer(frequencies, times)))


def _arrives(
    wave: _Wave, points: np.ndarray, transmits: Sequence[Transmit], frequencies: np.ndarray
) -> np.ndarray:
    """Give plane waves without edges at points, (n_frequencies, n_points, n_transmits)."""
    times = np.stack([passing_times(t, points, wave.sound_speed) for t in transmits], axis=1)
    came = np.exp(2j * np.pi * np.multiply.outer(frequencies, times))
    if wave.attenuation is not None:
        lost = np.multiply.outer(wave.attenuation.nepers(frequencies), times * wave.sound_speed)
        came *= np.exp(-lost)
    return np.asarray(came)


def pressure(
    points: np.ndarray,
    probe: Probe,
    transmit: Transmit,
    frequencies: np.ndarray,
    *,
    sound_speed: MetersPerSecond = 1540.0,
    dimensions: int = 3,
    attenuation: Attenuation | None = None,
    baffle: str = "rigid",
    pieces: tuple[int, int] | None = None,
) -> np.ndarray:
    """Give the pressure that a transmit makes at points, over density, sound speed and velocity of the face.

    Parameters
    ----------
    points : numpy.ndarray
        (n, 3) below the face, frame of the probe [m].
    probe : Probe
        Element width known, and height in three dimensions.
    transmit : Transmit
        Its apodization and delays, or its geometry.
    frequencies : numpy.ndarray
        (n_frequencies,) evenly spaced [Hz].
    sound_speed, dimensions, attenuation, baffle, pieces
        As in `simulate`.

    Returns
    -------
    numpy.ndarray
        (n, n_frequencies) complex128 with time exp(-i w t), 1.

    Raises
    ------
    RangeError
        If a setting cannot be.
    """
    points = np.asarray(points, dtype=float)
    check_axes("points", points, "n 3")
    check_finite("points", points)
    frequencies = np.asarray(frequencies, dtype=float)
    wave = _wave(
        probe,
        points,
        float(frequencies.max()),
        sound_speed=sound_speed,
        dimensions=dimensions,
        attenuation=attenuation,
        baffle=baffle,
        pieces=pieces,
    )
    made = np.empty((len(points), len(frequencies)), complex)
    drives = _drives(wave, (transmit,), frequencies)[..., 0]
    k = 2 * np.pi * frequencies / sound_speed
    for block in _blocks(wave, len(points)):
        for j, heard in enumerate(_hears(wave, points[block], frequencies)):
            made[block, j] = _sent(wave, k[j]) * (heard @ drives[j])
    return made


def _product(form: str, heard: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Multiply matrices: on one core where they are thin, for threads cost more than they bring there."""
    return np.asarray(np.einsum(form, heard, other, optimize=other.shape[-1] > FEW))


def _blocks(wave: _Wave, n_points: int) -> Iterator[slice]:
    edges = wave.probe.n_elements * wave.pieces[0] * wave.pieces[1] * (2 if wave.dimensions == 2 else 4)
    size = max(1, BLOCK // edges)
    for first in range(0, n_points, size):
        yield slice(first, min(first + size, n_points))


def transfer(
    scatterers: Scatterers,
    probe: Probe,
    transmits: Sequence[Transmit],
    frequencies: np.ndarray,
    *,
    sound_speed: MetersPerSecond = 1540.0,
    dimensions: int = 3,
    attenuation: Attenuation | None = None,
    baffle: str = "rigid",
    unbounded: bool = False,
    pieces: tuple[int, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Give what each element hears at each frequency, for an impulse, in double precision.

    Parameters
    ----------
    scatterers : Scatterers
        Any number: they are taken in blocks.
    probe : Probe
        Element width known, and height in three dimensions.
    transmits : sequence of Transmit
        Fired one after the other.
    frequencies : numpy.ndarray
        (n_frequencies,) evenly spaced [Hz].
    sound_speed, dimensions, attenuation, baffle, unbounded, pieces, progress
        As in `simulate`.

    Returns
    -------
    numpy.ndarray
        (n_transmits, n_elements, n_frequencies) complex128 with time exp(-i w t), 1.

    Raises
    ------
    RangeError
        If a setting cannot be.
    """
    wave = _wave(
        probe,
        scatterers.positions,
        float(np.max(frequencies)),
        sound_speed=sound_speed,
        dimensions=dimensions,
        attenuation=attenuation,
        baffle=baffle,
        pieces=pieces,
    )
    if unbounded and not all(np.isinf(t.focus_distance) for t in transmits):
        raise RangeError("only plane waves can be unbounded, got a focused or diverging one")
    k = 2 * np.pi * frequencies / sound_speed
    drives = None if unbounded else _drives(wave, transmits, frequencies)
    total = np.zeros((len(frequencies), probe.n_elements, len(transmits)), complex)
    for block in _blocks(wave, len(scatterers)):
        points, strengths = scatterers.positions[block], scatterers.amplitudes[block]
        came = _arrives(wave, points, transmits, frequencies) if unbounded else None
        for j, heard in enumerate(_hears(wave, points, frequencies)):
            if drives is not None:
                field = _product("pe,et->pt", heard, drives[j]) * _sent(wave, k[j])
            elif came is not None:
                field = came[j]
            field = field * (strengths * _scattered(wave, k[j]))[:, None]
            total[j] += _product("pe,pt->et", heard, field)
        if progress is not None:
            progress(block.stop, len(scatterers))
    return np.asarray(total.transpose(2, 1, 0))


def last_echo(
    scatterers: Scatterers, probe: Probe, transmits: Sequence[Transmit], sound_speed: MetersPerSecond
) -> Seconds:
    """Give the latest time at which an echo can come, after any transmit's first sample.

    Parameters
    ----------
    scatterers : Scatterers
        What answers.
    probe : Probe
        What sends and hears.
    transmits : sequence of Transmit
        Fired one after the other.
    sound_speed : float
        [m/s].

    Returns
    -------
    float
        Over all of them [s].
    """
    middle = probe.element_positions.mean(axis=0)
    reach = float(np.linalg.norm(probe.element_positions - middle, axis=1).max())
    farthest = float(np.linalg.norm(scatterers.positions - middle, axis=1).max()) + reach
    firings = [float(firing_times(t, probe, sound_speed).max()) - t.initial_time for t in transmits]
    return 2 * farthest / sound_speed + max(firings)


def simulate(
    scatterers: Scatterers,
    probe: Probe,
    transmits: Sequence[Transmit],
    *,
    sound_speed: MetersPerSecond = 1540.0,
    dimensions: int = 3,
    attenuation: Attenuation | None = None,
    baffle: str = "rigid",
    excitation: Waveform | None = None,
    spectrum: Spectrum | None = None,
    sampling_frequency: Hertz | None = None,
    demodulation_frequency: Hertz = 0.0,
    duration: Seconds | None = None,
    band: tuple[Hertz, Hertz] | None = None,
    unbounded: bool = False,
    pieces: tuple[int, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ChannelData:
    """Simulate the echoes of scatterers as every element hears them.

    Parameters
    ----------
    scatterers : Scatterers
        Any number: memory does not grow with it.
    probe : Probe
        Elements anywhere, facing anywhere but along y; width and bandwidth known, and height in three dimensions, where
        `elevation_focus` is its lens.
    transmits : sequence of Transmit
        Plane, focused, diverging, or elements apart (see `transmits`); delays and apodization are obeyed.
    sound_speed : float
        [m/s].
    dimensions : {3, 2}
        Elements as rectangles under a lens, or as strips without end and scatterers as lines.
    attenuation : Attenuation, optional
        Of the tissue; none by default.
    baffle : {"rigid", "soft"}
        What holds the elements.
    excitation : Waveform, optional
        The burst of all transmits; a short impulse by default. The waveform of a `Transmit` only describes it.
    spectrum : callable, optional
        Two-way spectrum of the pulse, (n,) frequencies [Hz] to (n,) complex, instead of probe and excitation.
    sampling_frequency : float, optional
        By default four times the center frequency, or what the band needs [Hz].
    demodulation_frequency : float
        0 for RF, else the record is complex baseband [Hz].
    duration : float, optional
        Of the record; by default until the last echo [s].
    band : (float, float), optional
        Frequencies that are heard; by default down to -60 dB [Hz].
    unbounded : bool
        Whether plane waves have no edges, as engine K has them; by default they come from the elements.
    pieces : (int, int), optional
        How many pieces an element is cut into across and along; by default as many as the nearest scatterer needs.
    progress : callable, optional
        Told how many scatterers are done, and of how many.

    Returns
    -------
    ChannelData
        One frame; (1, n_transmits, n_elements, n_samples) float32 RF or complex64 baseband.

    Raises
    ------
    RangeError
        If a setting cannot be.

    Examples
    --------
    >>> probe = Probe.linear(name="mine", n_elements=64, pitch=0.3e-3, center_frequency=5e6, element_width=0.27e-3,
    ...                      element_height=5e-3, fractional_bandwidth=0.6, elevation_focus=0.02)
    >>> points = Scatterers(positions=np.array([[0, 0, 0.02]]), amplitudes=np.array([1e-3]))
    >>> simulate(points, probe, [Transmit.plane(steering_angle=0.1, initial_time=0.0)]).samples.shape[:3]
    (1, 1, 64)
    """
    transmits = tuple(transmits)
    check_sound_speed("sound_speed", sound_speed)
    if not transmits:
        raise RangeError("transmits must hold at least one transmit, got none")
    last = last_echo(scatterers, probe, transmits, sound_speed)
    pulse = two_way_spectrum(probe, excitation) if spectrum is None else spectrum
    kept = record(
        pulse,
        probe.center_frequency,
        duration=last + 4 / probe.center_frequency if duration is None else duration,
        last_echo=last,
        sampling_frequency=sampling_frequency,
        demodulation_frequency=demodulation_frequency,
        band=band,
    )
    spectra = transfer(
        scatterers,
        probe,
        transmits,
        kept.frequencies,
        sound_speed=sound_speed,
        dimensions=dimensions,
        attenuation=attenuation,
        baffle=baffle,
        unbounded=unbounded,
        pieces=pieces,
        progress=progress,
    )
    samples = kept.samples(spectra * kept.pulse, np.array([t.initial_time for t in transmits]))
    acquisition = Acquisition(
        probe=probe,
        transmits=transmits,
        sampling_frequency=kept.sampling_frequency,
        demodulation_frequency=demodulation_frequency,
        sound_speed=sound_speed,
    )
    return ChannelData(
        samples=samples[np.newaxis].astype(np.complex64 if demodulation_frequency else np.float32),
        scale=1.0,
        acquisition=acquisition,
        times=None,
        provenance=(
            described(
                "A",
                scatterers,
                dimensions=dimensions,
                baffle=baffle,
                unbounded=unbounded,
                attenuation=attenuation,
            ),
        ),
    )
