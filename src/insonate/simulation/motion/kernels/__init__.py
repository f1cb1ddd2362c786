"""The motion of many places in compiled code; the reference are the closed forms of `fields`, `tubes` and `contact`.

A kernel module has `is_available()`, `told` and `carried`. There is no twin in Numba: without the compiled library the
closed forms themselves are asked, map by map: a body's state then differs by less than 2e-9 m.
"""

from typing import Any

from insonate.simulation.motion.kernels import native_


def get() -> Any:
    """Give the kernel module that can run here; None where there is none."""
    return native_ if native_.is_available() else None
