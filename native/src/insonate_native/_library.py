"""The compiled library through ctypes: the structs of cpp/interface.hpp, and nothing that decides."""

import ctypes as ct
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np

ABI = 1
"""Of the structs below; the library says its own."""

PATH = Path(__file__).with_name("libinsonate.dylib" if sys.platform == "darwin" else "libinsonate.so")

NO_MEMORY, NO_INSTRUCTIONS = 1, 2


def _fields(pointers: str, integers: str, doubles: str) -> list[tuple[str, type]]:
    kinds = ((pointers, ct.c_void_p), (integers, ct.c_int), (doubles, ct.c_double))
    return [(name, kind) for names, kind in kinds for name in names.split()]


class DelayAndSum(ct.Structure):
    """One frame to beamform."""

    _fields_ = _fields(
        "samples arrival starts x below axial lateral place distances out",
        "transmits elements n_samples rows columns n_distances",
        "frequency rate speed f_number",
    )


class Remap(ct.Structure):
    """One plane wave over a spectrum."""

    _fields_ = _fields(
        "spectrum lateral k pulse window out",
        "rows columns n_frequencies taps",
        "sine cosine step repeats middle width offset least full",
    )


class Deposit(ct.Structure):
    """One transmit over points."""

    _fields_ = _fields(
        "scatterers delays x directivity out",
        "n_scatterers elements n_samples degree soft line",
        "rate start speed nearest",
    )


class Slice(ct.Structure):
    """One plane through a body."""

    _fields_ = [
        *_fields(
            "nodes voxels noise gains labels echo_amplitudes sheet_amplitudes echo_codes passing "
            "reflectivity named through",
            "n_lateral n_nodes n_axial stride nx ny nz na nb nc along across",
            "",
        ),
        *((name, ct.c_float * 3) for name in ("origin", "noise_step", "lateral")),
        *((name, ct.c_float) for name in ("step", "lateral_step", "cosine", "sine", "edge_loss")),
        *((name, ct.c_float) for name in ("distance_step", "thickness", "footprint", "near", "same")),
        *((name, ct.c_float) for name in ("edge", "little", "bent")),
    ]


class Move(ct.Structure):
    """One map of a body that moves."""

    _fields_ = [*_fields("table", "kind axis n flag", ""), ("p", ct.c_double * 8)]


class Motion(ct.Structure):
    """Maps over points."""

    _fields_ = _fields("points moves out depth", "n_points n_moves forward", "")


JOBS = {
    "delay_and_sum": DelayAndSum,
    "remap": Remap,
    "deposit": Deposit,
    "slice": Slice,
    "motion": Motion,
}
"""What can be asked for, and the struct of each."""


def _loaded() -> ct.CDLL:
    try:
        library = ct.CDLL(str(PATH))  # CDLL, not PyDLL: other threads of Python go on during a call
    except OSError as error:
        raise ImportError(f"the native kernels are not built: {error}") from error
    if library.insonate_abi() != ABI:
        raise ImportError("the native kernels were built from other sources: build them anew")
    library.insonate_instructions.argtypes, library.insonate_instructions.restype = [ct.c_char_p], ct.c_char_p
    for name, job in JOBS.items():
        if hasattr(library, f"insonate_{name}"):
            getattr(library, f"insonate_{name}").argtypes = [ct.POINTER(job), ct.c_char_p, ct.c_int]
    return library


_LIBRARY = _loaded()


@lru_cache(maxsize=16)
def instructions(name: str) -> str:
    """Give the instruction set of that name if this machine runs it, else nothing; the best one for no name."""
    return str(_LIBRARY.insonate_instructions(name.encode()).decode())


def has(name: str) -> bool:
    """Whether the library was built with a job: one built before it came still does the others."""
    return hasattr(_LIBRARY, f"insonate_{name}")


def call(name: str, job: ct.Structure, instructions: str, threads: int) -> None:
    """Run one job.

    Raises
    ------
    MemoryError
        If its scratch does not fit.
    """
    failed = getattr(_LIBRARY, f"insonate_{name}")(ct.byref(job), instructions.encode(), threads)
    if failed:
        raise MemoryError(f"not enough memory for {name}")


def at(array: np.ndarray, kind: type, shape: tuple[int, ...]) -> int:
    """Give where an array lies, once its type, shape and order are certain."""
    if array.dtype != kind or array.shape != shape or not array.flags.c_contiguous:
        raise TypeError(f"expected contiguous {np.dtype(kind)} {shape}, got {array.dtype} {array.shape}")
    return int(array.ctypes.data)


def floats(values: np.ndarray) -> ct.Array[ct.c_float]:
    """Give a few numbers as a field of a struct."""
    return (ct.c_float * len(values))(*(float(value) for value in values))
