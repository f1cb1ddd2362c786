"""The hot loops of beamforming, in twins that must agree: `reference` is NumPy and the truth.

A kernel module has `is_available()` and the reference's names. No noun, no choice of settings.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

KERNELS = {
    "native": "insonate.imaging.beamforming.kernels.native_",
    "numba": "insonate.imaging.beamforming.kernels.numba_",
    "reference": "insonate.imaging.beamforming.kernels.reference",
}
"""Fastest first."""


def available() -> tuple[str, ...]:
    """Name the kernels that can run here, fastest first."""
    return tuple(name for name in KERNELS if _module(name).is_available())


def chosen() -> str:
    """Name the kernel that is taken where none is asked for."""
    return available()[0]


def described() -> str:
    """Name the kernel that is taken where none is asked for, and the instructions that it uses where it knows."""
    module = get()
    return f"{chosen()} ({module.instructions()})" if hasattr(module, "instructions") else chosen()


def get(name: str | None = None) -> Any:
    """Give a kernel module: the one asked for, else the fastest.

    Raises
    ------
    UnknownNameError
        If there is none of that name that can run here.
    """
    from insonate.core import UnknownNameError

    wanted = chosen() if name is None else name
    if wanted not in available():
        raise UnknownNameError(f"kernel must be one of {', '.join(available())}, got {wanted!r}")
    return _module(wanted)


def after(name: str) -> Any:
    """Give the kernel module for what `name` does not cover: the fastest that comes after it."""
    names = available()
    return _module(names[names.index(name) + 1])


def _module(name: str) -> Any:
    return import_module(KERNELS[name])


Kernel = Callable[..., Any]
"""What `delay_and_sum` of each kernel is."""
