r"""Engine B: echoes laid down in time, one spline for each scatterer and element, and one pulse for all of them.

An echo of the scatterer s comes to an element at t = t_s + r / c, t_s when the front passes it after geometry alone:

    line(t) = \sum_s a_s T_s D O r^(-1/2 or -1) spline(t - t_s - r / c),    echo = line * pulse / sinc(f / fs)^4

with the directivity D of the element and that of the front, in T_s, at the center frequency alone, O the obliquity of the
baffle, and what depends on frequency the same for all (Hankel's (2 pi k)^(-1/2) exp(-i pi / 4) in two dimensions) in the
pulse. The front is a ray: its height is that of the elements it came from, so a scatterer beyond the edge of the beam
answers nothing, and there are no waves from the edges of the array. Attenuation is a sum of a few terms, each a weight in
time on the lines and a filter of the pulse (`attenuation`), as bands of depth are, without their seams.

Units, time zero and amplitudes are those of engine A (`frequency`), which this is held to; it knows no lens, and in three
dimensions the front spreads in the image plane only.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import fft

from insonate.core import Acquisition, ChannelData, Probe, RangeError, Transmit, UnknownNameError, Waveform
from insonate.core.acquisition import check_sound_speed
from insonate.core.units import Hertz, MetersPerSecond, Seconds
from insonate.simulation.acoustics import kernels
from insonate.simulation.acoustics.attenuation import low_rank
from insonate.simulation.acoustics.engine import Attenuation, described
from insonate.simulation.acoustics.frequency import BAFFLES, last_echo
from insonate.simulation.acoustics.pulse import Record, Spectrum, record, two_way_spectrum
from insonate.simulation.acoustics.scatterers import Scatterers
from insonate.simulation.acoustics.transmits import firing_times, passing_times

SAMPLES_A_PERIOD = 4.0
"""Of the highest frequency, on the lines: the spline's first image lies 38 dB below it."""

MARGIN = 8
"""Samples of a line before its first: of splines and pulses that begin there."""


def _ray(
    transmit: Transmit,
    probe: Probe,
    points: np.ndarray,
    *,
    sound_speed: float,
    baffle: str,
    unbounded: bool,
    line: bool,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Give when the front passes points and how high it is, and the power of k it lacks in halves.

    Returns
    -------
    times, heights, halves
        (n,) [s]; (n,) 1; 1 where an element fires alone in two dimensions, 2 in three, else 0.
    """
    x = probe.element_positions[:, 0]
    weights = np.ones(len(x)) if transmit.apodization is None else transmit.apodization
    width, center = float(probe.element_width or 0), probe.center_frequency / sound_speed
    if np.count_nonzero(weights) == 1:
        index = int(np.flatnonzero(weights)[0])
        away = points - probe.element_positions[index]
        r = np.maximum(np.linalg.norm(away, axis=1), 0.5 / center)
        height = weights[index] * width * np.sinc(width * center * away[:, 0] / r)
        height = height * (points[:, 2] / r if baffle == "soft" else 1.0)
        height = height / np.sqrt(r) if line else height * float(probe.element_height or 0) / r
        fired = float(firing_times(transmit, probe, sound_speed)[index])
        return fired + r / sound_speed, height, 1 if line else 2
    if transmit.delays is not None:
        raise RangeError(
            "engine B follows a front by its geometry, got a transmit with delays of its own (engine A?)"
        )
    if 0 < transmit.focus_distance < np.inf:
        raise RangeError(
            "engine B knows plane and diverging fronts and elements apart, got a focused one (engine A?)"
        )
    times = passing_times(transmit, points, sound_speed)
    if unbounded:
        return times, np.ones(len(points)), 0
    if np.isinf(transmit.focus_distance):
        ways = np.broadcast_to(transmit.direction, points.shape)
        shrunk = np.ones(len(points))
    else:
        source = transmit.origin + transmit.focus_distance * transmit.direction
        ways = points - source
        far = np.linalg.norm(ways, axis=1, keepdims=True)
        ways = ways / far
        shrunk = np.sqrt(np.clip((far[:, 0] - points[:, 2] / ways[:, 2]) / far[:, 0], 0, 1))
    crossing = points[:, 0] - points[:, 2] * ways[:, 0] / ways[:, 2]
    pitch = float(np.mean(np.diff(x)))
    places = np.concatenate([[x[0] - pitch / 2], x, [x[-1] + pitch / 2]])
    lit = np.interp(crossing, places, np.concatenate([weights[:1], weights, weights[-1:]]), left=0, right=0)
    height = lit * shrunk * width / pitch * np.sinc(width * center * ways[:, 0])
    return times, height if baffle == "soft" else height / ways[:, 2], 0


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
    kernel: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ChannelData:
    """Simulate the echoes of scatterers as every element of a linear array hears them, fast.

    Parameters
    ----------
    scatterers : Scatterers
        Any number.
    probe : Probe
        A linear array in the face z = 0, evenly spaced; width and bandwidth known, and height in three dimensions.
    transmits : sequence of Transmit
        Plane, diverging, or elements apart.
    sound_speed, dimensions, attenuation, baffle, excitation, spectrum
        As in engine A, `frequency.simulate`.
    sampling_frequency, demodulation_frequency, duration, band
        As there.
    unbounded : bool
        Whether fronts are of height one everywhere.
    kernel : str, optional
        The fastest there is by default.
    progress : callable, optional
        Told how many transmits are done, and of how many.

    Returns
    -------
    ChannelData
        As that of engine A.

    Raises
    ------
    RangeError
        If the array is not linear, a transmit is focused or has delays of its own, or a setting cannot be.
    """
    transmits = tuple(transmits)
    check_sound_speed("sound_speed", sound_speed)
    _check(probe, transmits, dimensions, baffle, scatterers)
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
    lay = kernels.get(kernel).deposit
    spectra = np.empty((len(transmits), probe.n_elements, len(kept.bins)), complex)
    for number, transmit in enumerate(transmits):
        spectra[number] = _echoes(
            scatterers, probe, transmit, kept, lay, sound_speed, dimensions, attenuation, baffle, unbounded
        )
        if progress is not None:
            progress(number + 1, len(transmits))
    samples = kept.samples(spectra, np.array([t.initial_time for t in transmits]))
    return ChannelData(
        samples=samples[np.newaxis].astype(np.complex64 if demodulation_frequency else np.float32),
        scale=1.0,
        acquisition=Acquisition(
            probe=probe,
            transmits=transmits,
            sampling_frequency=kept.sampling_frequency,
            demodulation_frequency=demodulation_frequency,
            sound_speed=sound_speed,
        ),
        times=None,
        provenance=(
            described(
                "B",
                scatterers,
                dimensions=dimensions,
                baffle=baffle,
                unbounded=unbounded,
                attenuation=attenuation,
            ),
        ),
    )


def _check(
    probe: Probe, transmits: tuple[Transmit, ...], dimensions: int, baffle: str, scatterers: Scatterers
) -> None:
    if not transmits:
        raise RangeError("transmits must hold at least one transmit, got none")
    if dimensions not in (2, 3):
        raise RangeError(f"dimensions must be 2 or 3, got {dimensions!r}")
    if baffle not in BAFFLES:
        raise UnknownNameError(f"baffle must be one of {', '.join(BAFFLES)}, got {baffle!r}")
    if probe.element_width is None or (dimensions == 3 and probe.element_height is None):
        raise RangeError(
            "the probe's element width must be known, and its height in three dimensions, got None"
        )
    if dimensions == 2 and (above := float(np.abs(scatterers.positions[:, 1]).max())) > 1e-9:
        raise RangeError(
            f"points must lie in the plane y = 0 m in two dimensions, got y up to {above:g} (dimensions=3?)"
        )
    x = probe.element_positions[:, 0]
    pitches = np.diff(x)
    flat = (
        np.abs(probe.element_positions[:, 1:]).max() < 1e-9 and probe.element_normals[:, 2].min() > 1 - 1e-9
    )
    if len(x) < 2 or np.ptp(pitches) > 1e-9 or pitches[0] <= 0 or not flat:
        raise RangeError(
            "engine B needs a linear array of two elements or more in the plane z = 0, got another one"
        )


def _echoes(
    scatterers: Scatterers,
    probe: Probe,
    transmit: Transmit,
    kept: Record,
    lay: Callable[..., np.ndarray],
    sound_speed: float,
    dimensions: int,
    attenuation: Attenuation | None,
    baffle: str,
    unbounded: bool,
) -> np.ndarray:
    """Give the spectra of one transmit, pulse included, (n_elements, n_frequencies) complex128."""
    line = dimensions == 2
    times, heights, halves = _ray(
        transmit,
        probe,
        scatterers.positions,
        sound_speed=sound_speed,
        baffle=baffle,
        unbounded=unbounded,
        line=line,
    )
    seen = np.flatnonzero(heights)
    table = np.column_stack([scatterers.positions, scatterers.amplitudes * heights])[seen]
    # Lines span a whole number of the record's periods, so that its bins are theirs.
    high = float(kept.frequencies[-1])
    period = 1 / kept.step
    n_samples = fft.next_fast_len(int(np.ceil(SAMPLES_A_PERIOD * high * period)), real=True)
    rate = n_samples / period
    start = transmit.initial_time - MARGIN / rate
    lines = lay(
        np.ascontiguousarray(table, dtype=np.float32),
        times[seen],
        np.ascontiguousarray(probe.element_positions[:, 0]),
        n_samples=n_samples,
        sampling_frequency=rate,
        start=start,
        sound_speed=sound_speed,
        frequency=probe.center_frequency,
        element_width=float(probe.element_width or 0),
        soft_baffle=baffle == "soft",
        from_lines=line,
    )
    frequencies = kept.frequencies
    k = 2 * np.pi * frequencies / sound_speed
    shape = kept.pulse / np.sinc(frequencies / rate) ** 4 * np.exp(2j * np.pi * frequencies * start)
    if line:
        shape = shape * (2 * np.pi * k) ** -0.5 * np.exp(-0.25j * np.pi)
    if halves:
        shape = shape * (k / (2 * np.pi)) ** (halves / 2) * np.exp(-0.25j * np.pi * halves)
    if attenuation is None:
        return np.asarray(fft.rfft(lines, axis=-1)[:, kept.bins].conj() * shape)
    clock = start + np.arange(n_samples) / rate
    filters, weights = low_rank(attenuation, frequencies, np.maximum(clock, 0) * sound_speed)
    total = np.zeros((probe.n_elements, len(frequencies)), complex)
    for passing, weight in zip(filters, weights, strict=True):
        total += fft.rfft(lines * weight.astype(np.float32), axis=-1)[:, kept.bins].conj() * passing
    return np.asarray(total * shape)
