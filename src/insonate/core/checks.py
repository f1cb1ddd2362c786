"""Checks at the door of every noun: what was expected, what came, the likely slip."""

import difflib
from collections.abc import Collection, Sequence

import numpy as np

from insonate.core.errors import AxesError, RangeError, UnknownNameError


def check_name(what: str, name: str, known: Collection[str]) -> None:
    """Raise `UnknownNameError` unless `name` is one of those known, suggesting the nearest.

    Parameters
    ----------
    what : str
        What is named, for the message.
    name : str
        What came.
    known : collection of str
        The names there are, in the order in which they are told.

    Raises
    ------
    UnknownNameError
        If it is none of them.

    Examples
    --------
    >>> check_name("operator", "exprt", ("expert", "novice"))
    Traceback (most recent call last):
    insonate.core.errors.UnknownNameError: operator must be one of expert, novice, got 'exprt' (did you mean 'expert'?)
    """
    if name in known:
        return
    near = difflib.get_close_matches(str(name)[:80], known, n=1)
    suggestion = f" (did you mean {near[0]!r}?)" if near else ""
    raise UnknownNameError(
        f"{what} must be one of {', '.join(known) or 'none here'}, got {str(name)[:80]!r}{suggestion}"
    )


def check_axes(name: str, array: np.ndarray, axes: str) -> None:
    """Raise `AxesError` unless `array` has one dimension per word of `axes`.

    Parameters
    ----------
    name : str
        What the array is called in the message.
    array : numpy.ndarray
        The array to check.
    axes : str
        Names of the axes, slow to fast; a number fixes the length of that axis.

    Raises
    ------
    AxesError
        If the array is none, or the number of axes or a fixed length differs.

    Examples
    --------
    >>> check_axes("values", np.zeros((2, 3)), "frame axial lateral")
    Traceback (most recent call last):
    insonate.core.errors.AxesError: values must be (frame, axial, lateral), got shape (2, 3)
    """
    expected = axes.split()
    wanted = f"{name} must be ({', '.join(expected)})"
    if not isinstance(array, np.ndarray):
        raise AxesError(f"{wanted} in a numpy array, got {type(array).__name__}")
    fixed = all(not word.isdigit() or int(word) == n for word, n in zip(expected, array.shape, strict=False))
    if array.ndim != len(expected) or not fixed:
        raise AxesError(f"{wanted}, got shape {array.shape}")


def check_range(
    name: str, value: float, limits: tuple[float, float], unit: str, *, hint: str | None = None
) -> None:
    """Raise `RangeError` unless `value` is a finite number within `limits`, both ends included.

    Parameters
    ----------
    name : str
        What the number is called in the message.
    value : float
        The number to check [`unit`].
    limits : (float, float)
        Smallest and largest value allowed [`unit`].
    unit : str
        Unit for the message.
    hint : str, optional
        The likely slip, such as "km/s?".

    Raises
    ------
    RangeError
        If the value is no number, not finite, or outside the limits.

    Examples
    --------
    >>> check_range("sound_speed", 1.54, (300, 6000), "m/s", hint="km/s?")
    Traceback (most recent call last):
    insonate.core.errors.RangeError: sound_speed must lie in 300..6000 m/s, got 1.54 (km/s?)
    """
    low, high = limits
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise RangeError(f"{name} must be a number in {low:g}..{high:g} {unit}, got {value!r}")
    if not low <= value <= high:  # NaN fails both comparisons
        slip = f" ({hint})" if hint and np.isfinite(value) else ""
        raise RangeError(f"{name} must lie in {low:g}..{high:g} {unit}, got {value:g}{slip}")


def check_finite(name: str, array: np.ndarray) -> None:
    """Raise `RangeError` unless every number of `array` is finite.

    Parameters
    ----------
    name : str
        What the array is called in the message.
    array : numpy.ndarray
        Any shape; integers always pass.

    Raises
    ------
    RangeError
        If a value is NaN or infinite; the message gives how many and where the first is.
    """
    if array.dtype.kind in "biu":
        return
    bad = ~np.isfinite(array)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise RangeError(f"{name} must be finite, got {int(bad.sum())} NaN or infinite, the first at {first}")


def check_increasing(name: str, array: np.ndarray, unit: str) -> None:
    """Raise `RangeError` unless the numbers of a line are finite and strictly increase.

    Parameters
    ----------
    name : str
        What the array is called in the message.
    array : numpy.ndarray
        (n,) [`unit`].
    unit : str
        Unit for the message.

    Raises
    ------
    RangeError
        If it is empty, has a NaN, or a value does not exceed the one before.
    """
    check_axes(name, array, "n")
    if array.size == 0:
        raise RangeError(f"{name} must hold at least one value [{unit}], got none")
    check_finite(name, array)
    steps = np.diff(array)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        raise RangeError(
            f"{name} must increase [{unit}], got {array[at]:g} before {array[at + 1]:g} at {at} (reversed?)"
        )


def check_count(name: str, value: int, limits: tuple[int, int], unit: str) -> None:
    """Raise `RangeError` unless `value` is a whole number within `limits`, both ends included.

    Parameters
    ----------
    name : str
        What the number is called in the message.
    value : int
        The number to check [`unit`].
    limits : (int, int)
        Smallest and largest value allowed [`unit`].
    unit : str
        What is counted, for the message.

    Raises
    ------
    RangeError
        If the value is not whole or outside the limits.
    """
    check_range(name, value, limits, unit)
    if not isinstance(value, int | np.integer):
        raise RangeError(f"{name} must be a whole number of {unit}, got {value!r}")


def frame_times(name: str, times: np.ndarray | None, n_frames: int) -> np.ndarray | None:
    """Check the times of frames and freeze them.

    Parameters
    ----------
    name : str
        What the times are called in the message.
    times : numpy.ndarray or None
        (n_frames,) [s]; None where not known.
    n_frames : int
        How many there must be.

    Returns
    -------
    numpy.ndarray or None
        (n_frames,) float64, read-only [s].

    Raises
    ------
    AxesError
        If there is not one time per frame.
    RangeError
        If a time is NaN or infinite.
    """
    if times is None:
        return None
    line = np.asarray(times, dtype=float)
    check_axes(name, line, "frame")
    check_finite(name, line)
    if len(line) != n_frames:
        raise AxesError(f"{name} must have one time per frame ({n_frames}), got {len(line)}")
    return frozen(line)


def check_kind(name: str, array: np.ndarray, kinds: Sequence[str]) -> None:
    """Raise `AxesError` unless the array's dtype is one of `kinds`.

    Parameters
    ----------
    name : str
        What the array is called in the message.
    array : numpy.ndarray
        Any shape.
    kinds : sequence of str
        Names of the dtypes allowed, such as "float32".

    Raises
    ------
    AxesError
        If the dtype is another.
    """
    if array.dtype.name not in kinds:
        raise AxesError(f"{name} must be of {' or '.join(kinds)}, got {array.dtype.name}")


def frozen(array: np.ndarray) -> np.ndarray:
    """Give a read-only view of `array`, so that a noun cannot be changed through its own field.

    Parameters
    ----------
    array : numpy.ndarray
        Any shape; not copied.

    Returns
    -------
    numpy.ndarray
        A view of the same memory that refuses writes.
    """
    view = array.view()
    view.flags.writeable = False
    return view
