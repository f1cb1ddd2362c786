"""The hot loops of slice and compiler, in twins that must agree: `reference` is NumPy and the truth.

A kernel module has `is_available()`, `cut`, `lattice`, `outline` and `lay`. No noun, no choice of settings.
"""

from importlib import import_module
from typing import Any

from insonate.core import UnknownNameError

KERNELS = {
    "native": "insonate.simulation.anatomy.kernels.native_",
    "numba": "insonate.simulation.anatomy.kernels.numba_",
    "reference": "insonate.simulation.anatomy.kernels.reference",
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
    names = available()
    wanted = names[0] if name is None else name
    if wanted not in names:
        raise UnknownNameError(f"kernel must be one of {', '.join(names)}, got {wanted!r}")
    return import_module(KERNELS[wanted])


def chosen() -> str:
    """Name the kernel that is taken where none is asked for."""
    return available()[0]


def described() -> str:
    """Name the kernel that is taken where none is asked for, and the instructions that it uses where it knows."""
    module = get()
    return f"{chosen()} ({module.instructions()})" if hasattr(module, "instructions") else chosen()


def after(name: str) -> Any:
    """Give the kernel module for what `name` does not cover: the fastest that comes after it."""
    names = list(KERNELS)
    slower = (import_module(KERNELS[one]) for one in names[names.index(name) + 1 :])
    return next(one for one in slower if one.is_available())
