"""How far what was outlined in one picture lies away in a later one, by the pictures alone.

    r(u) = sum (a - mean a) (b_u - mean b_u) / sqrt(sum (a - mean a)^2 sum (b_u - mean b_u)^2)

with a the part of the earlier picture about an outline, and b_u the part of the later one that lies u away. The u of the
largest r is the outline's shift, a parabola through its neighbors the rest of it. Each quarter of the part is asked as
well: where quarters that know say another thing, it has not moved as one, and nothing is said. Nor is anything where r
stays low, or is largest at the edge of the search, as after a jump. The later picture is held to the outlined one and
not to the one before it, so that errors do not add up. J. P. Lewis, "Fast normalized cross-correlation", Vision
Interface, 120-123, 1995.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

REACH = 8
"""Steps searched either way."""

COARSE = 2
"""Pixels in a step, at least: a fifth of a millimeter in a picture of 40 mm."""

SIDE = 32
"""Steps that the side of a part may have; larger parts are looked at more coarsely."""

LEAST = 6
"""Steps that a part must have either way, to say anything."""

ALIKE, KNOWS = 0.6, 0.5
"""Likeness r from which a part, and a quarter of it, is believed."""

APART = 3
"""Steps by which a quarter may differ from the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Where an outline lies now, less where it was."""

    rows: float
    """Down [pixels]."""
    columns: float
    """To the right [pixels]."""
    likeness: float
    """r at that place, 0..1."""


Box = tuple[float, float, float, float]
"""First row, first column, last row, last column [pixels]."""


def carried(then: np.ndarray, now: np.ndarray, boxes: Sequence[Box]) -> list[Shift | None]:
    """Find the shifts of outlines.

    Parameters
    ----------
    then, now : numpy.ndarray
        (n_axial, n_lateral) the picture that was outlined, and a later one of the same shape [dB or brightness].
    boxes : sequence of (float, float, float, float)
        About each outline; may reach over the picture's edge.

    Returns
    -------
    list of Shift or None
        One for each box; None where nothing can be said.
    """
    if then.shape != now.shape:
        return [None] * len(boxes)
    kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def coarse(step: int) -> tuple[np.ndarray, np.ndarray]:
        if step not in kept:
            kept[step] = _averaged(then, step), _averaged(now, step)
        return kept[step]

    return [_shift(*coarse(step), box, step) for box, step in ((box, _step(box)) for box in boxes)]


def _step(box: Box) -> int:
    return max(COARSE, int(np.ceil(max(box[2] - box[0], box[3] - box[1]) / SIDE)))


def _averaged(picture: np.ndarray, step: int) -> np.ndarray:
    rows, columns = (n // step * step for n in picture.shape)
    parts = picture[:rows, :columns].reshape(rows // step, step, columns // step, step)
    return np.asarray(parts.mean(axis=(1, 3)), np.float32)


def _shift(then: np.ndarray, now: np.ndarray, box: Box, step: int) -> Shift | None:
    tops = [int(np.floor(value / step)) - 2 for value in box[:2]]
    ends = [int(np.ceil(value / step)) + 3 for value in box[2:]]
    # Only what may be found wherever it went: at the edge, an outline is judged by the part of it that is far enough in.
    tops = [max(top, REACH) for top in tops]
    ends = [min(end, n - REACH) for end, n in zip(ends, then.shape, strict=True)]
    if min(end - top for top, end in zip(tops, ends, strict=True)) < LEAST:
        return None
    part = then[tops[0] : ends[0], tops[1] : ends[1]]
    around = now[tops[0] - REACH : ends[0] + REACH, tops[1] - REACH : ends[1] + REACH]
    middle = [size // 2 for size in part.shape]
    halves = [(slice(0, m), slice(m, None)) for m in middle]
    whole, *quarters = (
        _likeness(part[one], around, one)
        for one in (
            (slice(None), slice(None)),
            *((down, across) for down in halves[0] for across in halves[1]),
        )
    )
    at = np.unravel_index(int(np.argmax(whole)), whole.shape)
    if whole[at] < ALIKE or any(index in (0, 2 * REACH) for index in at):
        return None
    for quarter in quarters:
        its = np.unravel_index(int(np.argmax(quarter)), quarter.shape)
        if quarter[its] >= KNOWS and max(abs(int(a) - int(b)) for a, b in zip(its, at, strict=True)) > APART:
            return None
    row, column = (int(index) for index in at)
    down = row - REACH + _peak(whole[row - 1 : row + 2, column])
    across = column - REACH + _peak(whole[row, column - 1 : column + 2])
    return Shift(rows=step * down, columns=step * across, likeness=float(min(whole[at], 1.0)))


def _likeness(part: np.ndarray, around: np.ndarray, where: tuple[slice, slice]) -> np.ndarray:
    """Give r at every shift, (2 REACH + 1, 2 REACH + 1); 0 where a part is flat."""
    starts = [one.start or 0 for one in where]
    rows, columns = (start + size + 2 * REACH for start, size in zip(starts, part.shape, strict=True))
    windows = np.lib.stride_tricks.sliding_window_view(
        around[starts[0] : rows, starts[1] : columns], part.shape
    ).reshape((2 * REACH + 1) ** 2, -1)
    own = (part - part.mean()).ravel()
    means = windows.mean(axis=1)
    power = np.einsum("ij,ij->i", windows, windows) - windows.shape[1] * means**2
    strength = np.sqrt(np.maximum(power, 0) * float(own @ own))
    r = np.where(strength > 1e-6, windows @ own / np.maximum(strength, 1e-6), 0)
    return np.asarray(r.reshape(2 * REACH + 1, 2 * REACH + 1))


def _peak(three: np.ndarray) -> float:
    """Give where a parabola through three values is largest, counted from the middle one."""
    before, middle, after = (float(value) for value in three)
    bent = before - 2 * middle + after
    return 0.0 if bent >= 0 else float(np.clip(0.5 * (before - after) / bent, -0.5, 0.5))
