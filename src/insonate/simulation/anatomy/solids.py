"""The solids of an individual, made of its blocks in order: each may lie on one before it.

A solid that is kept `outside` of others is what is left of it: d = max(d, -d1, -d2, ...), a fluid that fills a groove to its
walls. It may be kept outside of what comes later.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from insonate.core import FormatError
from insonate.simulation.anatomy.relief import relief, shell
from insonate.simulation.anatomy.shapes import Places, Solid, arch, ellipsoid, tube

KINDS = ("relief", "shell", "ellipsoid", "arch", "tube")
"""Kinds of block that have an inside."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Carved:
    """What is left of a solid outside of others."""

    whole: Solid
    """Before."""
    others: tuple[Solid, ...]
    """That it is kept out of."""

    @property
    def name(self) -> str:
        """Of the structure."""
        return self.whole.name

    def distance(self, places: Places) -> np.ndarray:
        """Give the signed distance [m]; outside, never more than it."""
        out = self.whole.distance(places)
        for other in self.others:
            out = np.maximum(out, -other.distance(places))
        return np.asarray(out)

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give a box around it [m]."""
        return self.whole.bounds()

    def frame(self, places: Places) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give (along, across, down) in its own axes [m]."""
        return self.whole.frame(places)

    def top(self, x: np.ndarray, y: np.ndarray, *, bottom: bool = False) -> np.ndarray:
        """Give the depth at which the whole begins, or ends, over x and y; NaN where it is not [m]."""
        return self.whole.top(x, y, bottom=bottom)


def solids(
    blocks: Sequence[tuple[str, Mapping[str, Any]]], rng: Callable[[str], np.random.Generator]
) -> dict[str, Solid]:
    """Make every solid of an individual.

    Parameters
    ----------
    blocks : sequence of (str, mapping)
        Kind and resolved content, in order of painting.
    rng : callable
        Gives the generator of a name.

    Returns
    -------
    dict of str to Solid
        By name, in that order.
    """
    made: dict[str, Solid] = {}
    for kind, block in blocks:
        if kind not in KINDS:
            continue
        name = block["name"]
        if kind == "tube":
            made[name] = tube(block, rng(name))
        elif kind == "ellipsoid":
            made[name] = ellipsoid(block, rng(name))
        elif kind == "arch":
            made[name] = arch(block, rng(name))
        else:
            seed = tuple(int(one) for one in rng(name).integers(0, 2**31, 2))
            made[name] = relief(block, seed) if kind == "relief" else shell(block, made, seed)
    whole = dict(made)
    for kind, block in blocks:
        if kind in KINDS and "outside" in block:
            name = block["name"]
            strange = [one for one in block["outside"] if one not in whole]
            if strange:
                raise FormatError(
                    f"{kind} '{name}' is kept outside of '{strange[0]}', which is no solid here"
                )
            made[name] = Carved(whole=whole[name], others=tuple(whole[one] for one in block["outside"]))
    return made
