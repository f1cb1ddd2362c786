"""The solids of an individual, made of its blocks in order: each may lie on one before it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from insonate.simulation.anatomy.relief import relief, shell
from insonate.simulation.anatomy.shapes import Solid, arch, ellipsoid, tube

KINDS = ("relief", "shell", "ellipsoid", "arch", "tube")
"""Kinds of block that have an inside."""


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
    return made
