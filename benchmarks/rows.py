"""The one form of a benchmark's row."""

from collections.abc import Sequence
from statistics import median
from typing import Any


def row(
    id: str,
    what: str,
    values: Sequence[float],
    unit: str,
    *,
    sense: str | None = None,
    target: float | tuple[float, float] | None = None,
    truth: str,
) -> dict[str, Any]:
    """Make a row from repeated measurements: their median, with smallest and largest as spread.

    Parameters
    ----------
    id : str
        Stable name.
    what : str
        What was measured, in words.
    values : sequence of float
        The repeats [`unit`].
    unit : str
        Unit of the values.
    sense : {"max", "min", "in"}, optional
        Whether the value must not exceed, must reach, or must lie in the target; None where there is no target.
    target : float or (float, float), optional
        The target [`unit`].
    truth : str
        What the value is held against: "clock", "closed form", a data set.

    Returns
    -------
    dict
        With keys id, what, value, unit, spread, sense, target, met, truth.
    """
    value = float(median(values))
    met = None
    if sense == "max":
        met = value <= target
    elif sense == "min":
        met = value >= target
    elif sense == "in":
        met = target[0] <= value <= target[1]
    spread = [float(min(values)), float(max(values))]
    return {
        "id": id,
        "what": what,
        "value": value,
        "unit": unit,
        "spread": spread,
        "sense": sense,
        "target": target,
        "met": met,
        "truth": truth,
    }
