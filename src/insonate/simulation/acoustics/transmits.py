"""Transmit events that a researcher fires: focused, diverging, and one element at a time; plane waves are in core.

An element fires when the wave front that is asked for passes it, on the clock of `Transmit` (zero when the front passes
`origin`): t = n (x - o) / c for a plane wave along n, t = (F - |f - x|) / c toward a focus f at the distance F,
t = (|x - v| - |F|) / c from a virtual source v behind the array. Delays of a `Transmit` that has them are taken as they are.
"""

import numpy as np

from insonate.core import Probe, RangeError, Transmit, Waveform
from insonate.core.checks import check_count, check_range
from insonate.core.units import Meters, MetersPerSecond, Seconds

BEHIND = 1e-6
"""Of the virtual source of an element that fires alone: a front that starts at the element, without a focus at 0 m [m]."""


def toward(
    focus: np.ndarray,
    *,
    origin: np.ndarray | None = None,
    apodization: np.ndarray | None = None,
    waveform: Waveform | None = None,
    initial_time: Seconds = 0.0,
) -> Transmit:
    """Make a beam that is focused in front of the array.

    Parameters
    ----------
    focus : numpy.ndarray
        (3,) where [m].
    origin : numpy.ndarray, optional
        (3,) of the beam on the face; the middle by default [m].
    apodization : numpy.ndarray, optional
        (n_elements,) weights 0..1.
    waveform : Waveform, optional
        The burst.
    initial_time : float
        Of the first sample [s].

    Returns
    -------
    Transmit
        Its focus distance positive.

    Raises
    ------
    RangeError
        If the focus does not lie below the face.
    """
    start = np.zeros(3) if origin is None else np.asarray(origin, dtype=float)
    way = np.asarray(focus, dtype=float) - start
    check_range("depth of the focus", float(way[2]), (1e-6, 1.0), "m", hint="millimeters?")
    distance = float(np.linalg.norm(way))
    return Transmit(
        origin=start,
        direction=way / distance,
        focus_distance=distance,
        delays=None,
        apodization=apodization,
        waveform=waveform,
        initial_time=initial_time,
    )


def diverging(
    distance: Meters,
    *,
    steering_angle: float = 0.0,
    apodization: np.ndarray | None = None,
    waveform: Waveform | None = None,
    initial_time: Seconds = 0.0,
) -> Transmit:
    """Make a wave that seems to come from a point behind the array.

    Parameters
    ----------
    distance : float
        Of the virtual source from the middle of the array [m].
    steering_angle : float
        From +z toward +x [rad].
    apodization, waveform, initial_time
        As in `toward`.

    Returns
    -------
    Transmit
        Its focus distance negative.

    Raises
    ------
    RangeError
        If distance or angle cannot be.
    """
    check_range("distance of the virtual source", distance, (1e-6, 1.0), "m", hint="millimeters?")
    check_range("steering_angle", steering_angle, (-np.pi / 2, np.pi / 2), "rad", hint="degrees?")
    return Transmit(
        origin=np.zeros(3),
        direction=np.array([np.sin(steering_angle), 0, np.cos(steering_angle)]),
        focus_distance=-distance,
        delays=None,
        apodization=apodization,
        waveform=waveform,
        initial_time=initial_time,
    )


def single_element(
    probe: Probe, index: int, *, waveform: Waveform | None = None, initial_time: Seconds = 0.0
) -> Transmit:
    """Make the event in which one element fires alone, as a synthetic aperture is taken.

    Parameters
    ----------
    probe : Probe
        The array.
    index : int
        Of the element, from 0.
    waveform, initial_time
        As in `toward`.

    Returns
    -------
    Transmit
        From the element, at time zero.

    Raises
    ------
    RangeError
        If there is no such element.
    """
    check_count("index", index, (0, probe.n_elements - 1), "elements")
    alone = np.zeros(probe.n_elements)
    alone[index] = 1
    return Transmit(
        origin=probe.element_positions[index],
        direction=probe.element_normals[index],
        focus_distance=-BEHIND,
        delays=np.zeros(probe.n_elements),
        apodization=alone,
        waveform=waveform,
        initial_time=initial_time,
    )


def firing_times(transmit: Transmit, probe: Probe, sound_speed: MetersPerSecond) -> np.ndarray:
    """Give when each element fires.

    Parameters
    ----------
    transmit : Transmit
        Its own delays where it has them.
    probe : Probe
        The array.
    sound_speed : float
        [m/s].

    Returns
    -------
    numpy.ndarray
        (n_elements,) after the front passes the origin [s].

    Raises
    ------
    RangeError
        If the transmit has delays for another number of elements.
    """
    if transmit.delays is not None:
        if len(transmit.delays) != probe.n_elements:
            raise RangeError(
                f"Transmit.delays must be one per element ({probe.n_elements}), got {len(transmit.delays)}"
            )
        return transmit.delays
    return passing_times(transmit, probe.element_positions, sound_speed)


def passing_times(transmit: Transmit, points: np.ndarray, sound_speed: MetersPerSecond) -> np.ndarray:
    """Give when the front of a plane, focused or diverging wave passes points, after geometry alone.

    Parameters
    ----------
    transmit : Transmit
        Its delays are not looked at.
    points : numpy.ndarray
        (n, 3) [m].
    sound_speed : float
        [m/s].

    Returns
    -------
    numpy.ndarray
        (n,) [s].
    """
    distance = transmit.focus_distance
    if np.isinf(distance):
        return np.asarray((points - transmit.origin) @ transmit.direction / sound_speed)
    center = transmit.origin + distance * transmit.direction
    away = np.linalg.norm(points - center, axis=1)
    if distance < 0:
        return np.asarray((away + distance) / sound_speed)
    beyond = np.where((points - center) @ transmit.direction > 0, 1.0, -1.0)
    return np.asarray((distance + beyond * away) / sound_speed)
