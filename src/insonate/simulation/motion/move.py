"""What a compiled kernel needs of one cause of motion: its kind, a few numbers, and the table of a tube or a face."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Move:
    """One cause of motion as numbers; the class that gives it says what they mean."""

    kind: str
    """`drag`, `contraction`, `slide`, `pool`, `sleeve`, `wall` or `contact`."""
    numbers: np.ndarray
    """(n,) of the kind, SI."""
    table: np.ndarray | None = None
    """(stations, 7) of a tube: along it, middle, radius [m], stretch (00, 01, 11); (n,) the profiles of a face."""
    axis: int = 0
    """A tube runs along this axis of the patient."""
    inside: bool = False
    """Whether fluid lies within the tube rather than round it."""
    fluid: bool = False
    """Whether it is fluid."""
