"""The slice in compiled code, from the distribution `insonate-native`: what a voxel says is unpacked once for its samples.

What is made once in a window's life (noise, outlines, sheets) is left to the next kernel.
"""

from functools import cache

import numpy as np

from insonate.simulation.anatomy import kernels
from insonate.simulation.anatomy.kernels import reference

SHAPES = {
    "distance_step": reference.DISTANCE_STEP,
    "thickness": reference.THICKNESS,
    "footprint": reference.FOOTPRINT,
    "near": reference.NEAR,
    "same": reference.SAME,
    "edge": reference.EDGE,
    "little": reference.LITTLE,
    "bent": reference.BENT,
}
"""The reference's constants, as the library names them."""


@cache
def is_available() -> bool:
    """Whether the compiled library is installed, loads here, and has the slice."""
    try:
        import insonate_native
    except ImportError:
        return False
    return hasattr(insonate_native, "has") and bool(insonate_native.has("slice"))


def instructions() -> str:
    """Name the instruction set that is used here."""
    import insonate_native

    return str(insonate_native.instructions())


def lattice(noise: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Interpolate a periodic lattice linearly: as the reference."""
    return np.asarray(kernels.after("native").lattice(noise, cells))


def outline(u: np.ndarray, v: np.ndarray, waves: np.ndarray) -> np.ndarray:
    """Give the radius of an uneven outline: as the reference."""
    return np.asarray(kernels.after("native").outline(u, v, waves))


def lay(
    sheets: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    at: tuple[np.ndarray, ...],
    distance: np.ndarray,
    normal: np.ndarray,
    strength: np.ndarray,
    keep: np.ndarray,
    border: bool,
    within: float,
) -> None:
    """Put a sheet into volumes where it is nearer than what is there: as the reference."""
    kernels.after("native").lay(sheets, at, distance, normal, strength, keep, border, within)


def cut(
    nodes: np.ndarray,
    stride: int,
    n_axial: int,
    voxels: np.ndarray,
    origin: np.ndarray,
    step: float,
    noise: np.ndarray,
    noise_steps: np.ndarray,
    gains: np.ndarray,
    turn: np.ndarray,
    lateral: np.ndarray,
    lateral_step: float,
    labels: np.ndarray,
    echo_amplitudes: np.ndarray,
    sheet_amplitudes: np.ndarray,
    echo_codes: np.ndarray,
    passing: np.ndarray,
    edge_loss: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slice volumes along bent columns: as the reference; see there for what is what.

    Parameters
    ----------
    nodes : numpy.ndarray
        (n_lateral, n_nodes, 3) places of the tissue at rest, every `stride` samples [m].
    stride, n_axial : int
        Samples from node to node, and of a column.
    voxels : numpy.ndarray
        (nx, ny, nz, 8) uint8.
    origin : numpy.ndarray
        (3,) center of the first voxel [m].
    step : float
        Between voxels [m].
    noise : numpy.ndarray
        (a, b, c) int8 tile; where a side is no power of two, the next kernel is asked.
    noise_steps, gains, turn : numpy.ndarray
        (3,) [m], (3, 64), (2,) of the tile.
    lateral : numpy.ndarray
        (3,) direction of the array.
    lateral_step : float
        Width of a column [m].
    labels, echo_codes, passing : numpy.ndarray
        (n_materials,) uint8, uint8, float32.
    echo_amplitudes, sheet_amplitudes : numpy.ndarray
        (256,) float32 of codes.
    edge_loss : float
        Beside the wall of a vessel, 1.

    Returns
    -------
    reflectivity, labels, transmission : numpy.ndarray
        (n_lateral, n_axial) float32, uint8, float32.
    """
    import insonate_native

    given = (
        *(
            nodes,
            stride,
            n_axial,
            voxels,
            origin,
            step,
            noise,
            noise_steps,
            gains,
            turn,
            lateral,
            lateral_step,
        ),
        *(labels, echo_amplitudes, sheet_amplitudes, echo_codes, passing, edge_loss),
    )
    try:
        reflectivity, named, through = insonate_native.cut(*given, shapes=SHAPES)
    except insonate_native.NotCoveredError:
        reflectivity, named, through = kernels.after("native").cut(*given)
    return reflectivity, named, through
