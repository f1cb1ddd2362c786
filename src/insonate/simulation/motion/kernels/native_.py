"""Motion in compiled code, from the distribution `insonate-native`: every map of a place before the next place is taken."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from insonate.simulation.motion.move import Move


@cache
def is_available() -> bool:
    """Whether the compiled library is installed, loads here, and has motion."""
    try:
        import insonate_native
    except ImportError:
        return False
    return hasattr(insonate_native, "has") and bool(insonate_native.has("motion"))


def told(moves: Sequence[Move]) -> Any:
    """Pack causes of motion, outermost first, for `carried` to be asked again and again."""
    import insonate_native

    return insonate_native.Moves([(one.kind, one.numbers, one.table, one.axis, one.inside) for one in moves])


def carried(points: np.ndarray, moves: Any, *, forward: bool, depth: np.ndarray | None = None) -> np.ndarray:
    """Carry places through causes of motion.

    Parameters
    ----------
    points : numpy.ndarray
        (n, 3) patient frame [m].
    moves : object
        What `told` gave.
    forward : bool
        From the body at rest to now, else back.
    depth : numpy.ndarray, optional
        (n,) raised in place to how deep places lie in fluid, on the way back [m].

    Returns
    -------
    numpy.ndarray
        (n, 3) [m].
    """
    import insonate_native

    return np.asarray(insonate_native.carried(points, moves, forward=forward, depth=depth))
