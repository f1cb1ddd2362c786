"""The hot loop of speckle reduction, in twins that must agree: `reference` is NumPy and the truth.

A kernel module has `is_available()` and the reference's names. No noun, no choice of settings.
"""

from importlib import import_module
from typing import Any

KERNELS = {
    "numba": "insonate.imaging.b_mode.kernels.numba_",
    "reference": "insonate.imaging.b_mode.kernels.reference",
}
"""Fastest first."""


def available() -> tuple[str, ...]:
    """Name the kernels that can run here, fastest first."""
    return tuple(name for name in KERNELS if import_module(KERNELS[name]).is_available())


def get(name: str | None = None) -> Any:
    """Give a kernel module: the one asked for, else the fastest.

    Raises
    ------
    UnknownNameError
        If there is none of that name that can run here.
    """
    from insonate.core import UnknownNameError

    names = available()
    wanted = names[0] if name is None else name
    if wanted not in names:
        raise UnknownNameError(f"kernel must be one of {', '.join(names)}, got {wanted!r}")
    return import_module(KERNELS[wanted])
