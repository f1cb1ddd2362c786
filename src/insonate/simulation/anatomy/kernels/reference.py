"""The slice, and the noise it is made of, in NumPy: readable, and the truth that the other kernels are held to.

Each sample of the plane looks up the voxel of its tissue at rest. The voxel's sheet goes on as a plane,
d = d_v + n . (p - p_v); near it, the planes of the eight voxels around that tell of the same sheet are averaged. What
lies beyond the sheet is the other material. Speckle is noise laid out in the tissue, interpolated linearly and brought back
to its deviation. A sheet answers as A s0 / s exp(-d^2 / 2 s^2), s^2 = s0^2 + (FOOTPRINT width n_lateral)^2:
a column averages over its width, so that steep sheets fade and do not alias.
"""

import numpy as np
from scipy.ndimage import map_coordinates

DISTANCE_STEP = 7e-6
"""Of the stored distance [m]."""
THICKNESS = 32e-6
"""Deviation of a sheet's profile [m]."""
FOOTPRINT = 0.45
"""Deviation of a column's average, in its widths."""
NEAR = 0.15e-3
"""Within which a sheet is refined [m]."""
SAME = 0.09e-3
"""How far two voxels may disagree on the distance of one sheet [m]."""
EDGE = 0.85
"""Part of a wall's normal along the array above which it bends the beam away: the shadow beside a vessel."""

LOUDER = 6.0
"""A sheet louder by so much is kept beside a nearer one [dB]."""
LITTLE = 0.05
"""Weight below which a voxel has no say on a sheet."""
BENT = 0.25
"""Samples of the tile that a segment between nodes may stray by and still count as straight: one line of it serves all.
Where it strays so little across the plane alone, and less than one sample along it, it leans: its middle serves across."""
LINE = 256
"""Samples of the tile that a segment may need down its line, else each of its samples is interpolated by itself."""


def is_available() -> bool:
    """Whether this kernel can run here: always."""
    return True


def lattice(noise: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Interpolate a periodic lattice linearly.

    Parameters
    ----------
    noise : numpy.ndarray
        (n, n, n) float32.
    cells : numpy.ndarray
        (3, m) float32 places, in cells.

    Returns
    -------
    numpy.ndarray
        (m,) float32.
    """
    return np.asarray(map_coordinates(noise, cells, order=1, mode="grid-wrap"), np.float32)


def outline(u: np.ndarray, v: np.ndarray, waves: np.ndarray) -> np.ndarray:
    """Give the radius of an uneven outline over that of its ellipse, at least 0.4.

    Parameters
    ----------
    u, v : numpy.ndarray
        (...) float32 offsets in the section, as shares of the half axes.
    waves : numpy.ndarray
        (..., n) complex64 harmonics 2, 3, … along the tube; all but the last axis broadcast against `u`.

    Returns
    -------
    numpy.ndarray
        (...) float32: 1 + sum of Im(waves_k ((u + i v) / |u + i v|)^(k + 2)).
    """
    turn = (u + 1j * v).astype(np.complex64)
    turn /= np.maximum(np.abs(turn), np.float32(1e-12))
    power, out = turn, np.ones(np.broadcast_shapes(turn.shape, waves.shape[:-1]), np.float32)
    for wave in np.moveaxis(waves, -1, 0):
        power = power * turn
        out += (power * wave).imag
    return np.maximum(out, np.float32(0.4))


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
    """Put a sheet into volumes where it is nearer than what is there, in place.

    A voxel holds one sheet: of two, one that is louder by LOUDER and passes within reach of its middle is kept.

    Parameters
    ----------
    sheets : tuple of numpy.ndarray
        (nx, ny, nz) float32 distance [m], float32 strength [dB], (nx, ny, nz, 3) int8 normal, bool border.
    at : tuple of numpy.ndarray
        Three (n,) indices, each voxel once.
    distance, normal, strength : numpy.ndarray
        (n,) [m], (n, 3) unit vectors, (n,) [dB].
    keep : numpy.ndarray
        (n,) bool, where it is at all.
    border : bool
        Whether it parts materials.
    within : float
        Distance at which a much louder sheet wins [m].
    """
    held, levels, normals, borders = sheets
    new, here = np.abs(distance).astype(np.float32), np.abs(held[at])
    louder = strength.astype(np.float32) - levels[at]
    wins = (louder > LOUDER) & (new < np.float32(within))
    loses = (louder < -LOUDER) & (here < np.float32(within))
    nearer = np.nonzero(keep & (wins | ((new < here) & ~loses)))[0]
    index = tuple(one[nearer] for one in at)
    held[index] = distance[nearer]
    levels[index] = strength[nearer]
    normals[index] = np.round(127 * normal[nearer])
    borders[index] = border


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
    """Slice volumes along bent columns.

    Parameters
    ----------
    nodes : numpy.ndarray
        (n_lateral, n_nodes, 3) places of the tissue at rest, every `stride` samples [m].
    stride : int
        Samples from node to node.
    n_axial : int
        Samples of a column.
    voxels : numpy.ndarray
        (nx, ny, nz, 8) uint8.
    origin : numpy.ndarray
        (3,) center of the first voxel [m].
    step : float
        Between voxels [m].
    noise : numpy.ndarray
        (a, b, c) int8 tile: along the plane, across it, down.
    noise_steps : numpy.ndarray
        (3,) of the tile [m].
    gains : numpy.ndarray
        (3, 64) what brings interpolated noise back to its deviation, by the fraction along each axis.
    turn : numpy.ndarray
        (2,) cosine and sine of the tile's turn about z.
    lateral : numpy.ndarray
        (3,) direction of the array.
    lateral_step : float
        Width of a column [m].
    labels : numpy.ndarray
        (n_materials,) uint8.
    echo_amplitudes, sheet_amplitudes : numpy.ndarray
        (256,) float32 of codes.
    echo_codes : numpy.ndarray
        (n_materials,) uint8 mean echo of each material.
    passing : numpy.ndarray
        (n_materials,) float32 amplitude let through by one sample, 1 for soft tissue.
    edge_loss : float
        The same beside the wall of a vessel.

    Returns
    -------
    reflectivity, labels, transmission : numpy.ndarray
        (n_lateral, n_axial) float32, uint8, float32.
    """
    at = np.arange(n_axial)
    low = np.minimum(at // stride, nodes.shape[1] - 2)
    onward = (at - low * stride).astype(np.float32)[None, :, None]
    places = nodes[:, low] + (nodes[:, low + 1] - nodes[:, low]) / np.float32(stride) * onward
    over = np.float32(1) / np.float32(step)
    cells = ((places - origin.astype(np.float32)) * over).astype(np.float32)
    index = np.floor(cells + np.float32(0.5)).astype(int)
    size = np.array(voxels.shape[:3])
    within = ((index >= 0) & (index < size)).all(axis=-1) & (places[..., 2] >= 0)
    index = np.clip(index, 0, size - 1)
    voxel = voxels[index[..., 0], index[..., 1], index[..., 2]]
    material, beyond, code = (voxel[..., k].astype(int) for k in (0, 1, 3))
    echo = voxel[..., 7].astype(int)
    stored = voxel[..., 2].view(np.int8).astype(np.float32)
    normal = voxel[..., 4:7].view(np.int8).astype(np.float32) / np.float32(127)
    valid = np.abs(stored) < 127
    offset = (cells - index) * np.float32(step)
    distance = stored * np.float32(DISTANCE_STEP) + (normal * offset).sum(axis=-1)
    strength = code.astype(np.float32)
    swap = valid & (distance * stored < 0) & (beyond != material)
    near = within & valid & (np.abs(distance) < NEAR) & ((code > 0) | (beyond != material))
    i, j = np.nonzero(near)
    base = np.floor(cells[i, j]).astype(int)
    part = cells[i, j] - base
    total, summed, strengths = (np.zeros(len(i), np.float32) for _ in range(3))
    for corner in np.ndindex(2, 2, 2):
        there = base + corner
        good = ((there >= 0) & (there < size)).all(axis=1)
        there = np.clip(there, 0, size - 1)
        weight = np.prod(np.where(np.array(corner), part, 1 - part), axis=1)
        one = voxels[there[:, 0], there[:, 1], there[:, 2]]
        its = one[:, 2].view(np.int8).astype(np.float32)
        its_normal = one[:, 4:7].view(np.int8).astype(np.float32) / np.float32(127)
        from_it = its * np.float32(DISTANCE_STEP) + (its_normal * (cells[i, j] - there)).sum(
            axis=1
        ) * np.float32(step)
        alike = (its_normal * normal[i, j]).sum(axis=1) > 0.5
        good &= (weight >= LITTLE) & (np.abs(its) < 127) & alike & (np.abs(from_it - distance[i, j]) < SAME)
        weight = np.where(good, weight, 0).astype(np.float32)
        total += weight
        summed += weight * from_it
        strengths += weight * one[:, 3]
    better = total > 1e-3
    fine = np.where(better, summed / np.where(better, total, 1), distance[i, j])
    strength[i, j] = np.where(better, strengths / np.where(better, total, 1), strength[i, j])
    swap[i, j] = (fine * stored[i, j] < 0) & (beyond[i, j] != material[i, j])
    echo = np.where(swap, echo_codes[beyond], echo)
    material, beyond = np.where(swap, beyond, material), np.where(swap, material, beyond)
    along = np.abs(normal[i, j] @ lateral.astype(np.float32))
    spread = np.sqrt(np.float32(THICKNESS) ** 2 + (np.float32(FOOTPRINT * lateral_step) * along) ** 2)
    coherent = np.zeros(cells.shape[:2], np.float32)
    bright = sheet_amplitudes[(strength[i, j] + np.float32(0.5)).astype(int)]
    coherent[i, j] = bright * np.float32(THICKNESS) / spread * np.exp(-0.5 * (fine / spread) ** 2)
    through = np.where(within, passing[material], np.float32(1))
    beside = (along > EDGE) & ((passing[material[i, j]] > 1) | (passing[beyond[i, j]] > 1))
    through[i, j] *= np.where(beside, np.float32(edge_loss), np.float32(1))
    segments = nodes[:, :-1], nodes[:, 1:]
    grain = _grain(places, segments, low, noise, noise_steps, gains, turn)
    reflectivity = np.where(within, grain * echo_amplitudes[echo] + coherent, 0).astype(np.float32)
    named = np.where(within, labels[material], 0).astype(np.uint8)
    return reflectivity, named, np.cumprod(through, axis=1).astype(np.float32)


def _grain(
    places: np.ndarray,
    segments: tuple[np.ndarray, np.ndarray],
    low: np.ndarray,
    noise: np.ndarray,
    steps: np.ndarray,
    gains: np.ndarray,
    turn: np.ndarray,
) -> np.ndarray:
    """Interpolate the tile: straight down the middle of segments that hardly stray, else sample by sample."""
    cosine, sine = (np.float32(value) for value in turn)

    def turned(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (
            (cosine * at[..., 0] + sine * at[..., 1]) / np.float32(steps[0]),
            (cosine * at[..., 1] - sine * at[..., 0]) / np.float32(steps[1]),
        )

    begin, end = (turned(one) for one in segments)
    down = [one[..., 2] / np.float32(steps[2]) for one in segments]
    count = np.floor(np.maximum(*down)) - np.floor(np.minimum(*down)) + 4
    stray = np.abs(end[0] - begin[0])
    leans = (stray < 1) & (np.abs(end[1] - begin[1]) < BENT) & (count <= LINE)
    straight = leans & (stray < BENT)
    sample = turned(places)
    own = [
        np.where(alike[:, low], ((a + b) / 2)[:, low], here)
        for alike, a, b, here in zip((straight, leans), begin, end, sample, strict=True)
    ]
    own.append(places[..., 2] / np.float32(steps[2]))
    first = [np.floor(one).astype(int) for one in own]
    part = [one - whole for one, whole in zip(own, first, strict=True)]
    gain = np.ones(places.shape[:2], np.float32)
    for axis in range(3):
        gain = gain * gains[axis][(part[axis] * np.float32(63.999)).astype(int)]
    out = np.zeros(places.shape[:2], np.float32)
    for corner in np.ndindex(2, 2, 2):
        weight = np.ones(places.shape[:2], np.float32)
        index = []
        for axis in range(3):
            weight = weight * (part[axis] if corner[axis] else 1 - part[axis])
            index.append((first[axis] + corner[axis]) % noise.shape[axis])
        out += weight * noise[index[0], index[1], index[2]]
    return np.asarray(out * gain, np.float32)
