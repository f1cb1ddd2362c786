"""Motion in compiled code, from the distribution `insonate-native`: every map of a place before the next place is taken."""

from collections.abc import Sequence
from functools import cache

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


def carried(
    points: np.ndarray, moves: Sequence[Move], *, forward: bool, depth: np.ndarray | None = None
) -> np.ndarray:
    """Carry places through causes of motion.

    Parameters
    ----------
    points : numpy.ndarray
        (n, 3) patient frame [m].
    moves : sequence of Move
        Outermost first.
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

    told = [(one.kind, one.numbers, one.table, one.axis, one.inside) for one in moves]
    return np.asarray(insonate_native.carried(points, told, forward=forward, depth=depth))
