"""The slice in Numba: columns one after another, each walked down once, nothing stored between samples."""

# ruff: noqa: RUF046 - a floor is cast for the index
import math
import os
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from insonate.simulation.anatomy.kernels.reference import (
    BENT,
    DISTANCE_STEP,
    EDGE,
    FOOTPRINT,
    LINE,
    LITTLE,
    LOUDER,
    NEAR,
    SAME,
    THICKNESS,
)


def is_available() -> bool:
    """Whether Numba is installed."""
    return find_spec("numba") is not None


def _cache_folder() -> None:
    """Keep compiled code in the user's cache folder, unless told where."""
    if "NUMBA_CACHE_DIR" not in os.environ:
        from platformdirs import user_cache_dir

        os.environ["NUMBA_CACHE_DIR"] = user_cache_dir("insonate", appauthor=False)


@cache
def _compiled() -> Any:
    _cache_folder()
    import numba

    q, thick, foot, reach, same = (np.float32(v) for v in (DISTANCE_STEP, THICKNESS, FOOTPRINT, NEAR, SAME))
    bent, little = np.float32(BENT), np.float32(LITTLE)
    edge, unit, zero, one, half = (np.float32(v) for v in (EDGE, 1 / 127, 0, 1, 0.5))

    @numba.njit(fastmath=True, nogil=True, cache=True)
    def kernel(  # type: ignore[no-untyped-def]
        nodes, stride, n_axial, voxels, origin, step, noise, noise_steps, gains, turn, lateral, width,
        labels, echo_amplitudes, sheet_amplitudes, echo_codes, passing, edge_loss, reflectivity, named, through,
    ):  # fmt: skip
        nx, ny, nz = voxels.shape[0], voxels.shape[1], voxels.shape[2]
        na, nb, nc = noise.shape
        over = one / step
        sa, sb, sc = one / noise_steps[0], one / noise_steps[1], one / noise_steps[2]
        foot_width = foot * width
        whole = np.float32(stride)
        line = np.empty(LINE, np.float32)
        for i in range(nodes.shape[0]):
            passed = one
            for segment in range(nodes.shape[1] - 1):
                begin = segment * stride
                end = min(begin + stride, n_axial)
                if segment == nodes.shape[1] - 2:
                    end = n_axial
                x0, y0, z0 = nodes[i, segment, 0], nodes[i, segment, 1], nodes[i, segment, 2]
                gx = (nodes[i, segment + 1, 0] - x0) / np.float32(stride)
                gy = (nodes[i, segment + 1, 1] - y0) / np.float32(stride)
                gz = (nodes[i, segment + 1, 2] - z0) / np.float32(stride)
                # along a straight segment one line of the tile serves all samples
                a0, b0 = (turn[0] * x0 + turn[1] * y0) * sa, (turn[0] * y0 - turn[1] * x0) * sb
                da, db = (
                    (turn[0] * gx + turn[1] * gy) * sa * whole,
                    (turn[0] * gy - turn[1] * gx) * sb * whole,
                )
                first = int(math.floor(min(z0, z0 + gz * whole) * sc)) - 1
                count = int(math.floor(max(z0, z0 + gz * whole) * sc)) + 3 - first
                straight = abs(da) < bent and abs(db) < bent and count <= LINE
                leans = abs(da) < one and abs(db) < bent and count <= LINE
                if straight:
                    a, b = a0 + half * da, b0 + half * db
                    la, lb = math.floor(a), math.floor(b)
                    pa, pb = a - np.float32(la), b - np.float32(lb)
                    ka, kb = int(la) & (na - 1), int(lb) & (nb - 1)
                    ma, mb = (ka + 1) & (na - 1), (kb + 1) & (nb - 1)
                    gain = gains[0, int(pa * np.float32(63.999))] * gains[1, int(pb * np.float32(63.999))]
                    w00, w01 = (one - pa) * (one - pb) * gain, (one - pa) * pb * gain
                    w10, w11 = pa * (one - pb) * gain, pa * pb * gain
                    begun = first & (nc - 1)
                    if begun + count <= nc:
                        for k in range(count):
                            line[k] = (
                                w00 * np.float32(noise[ka, kb, begun + k])
                                + w01 * np.float32(noise[ka, mb, begun + k])
                                + w10 * np.float32(noise[ma, kb, begun + k])
                                + w11 * np.float32(noise[ma, mb, begun + k])
                            )
                    else:
                        for k in range(count):
                            kc = (begun + k) & (nc - 1)
                            line[k] = (
                                w00 * np.float32(noise[ka, kb, kc])
                                + w01 * np.float32(noise[ka, mb, kc])
                                + w10 * np.float32(noise[ma, kb, kc])
                                + w11 * np.float32(noise[ma, mb, kc])
                            )
                for j in range(begin, end):
                    t = np.float32(j - begin)
                    x, y, z = x0 + gx * t, y0 + gy * t, z0 + gz * t
                    fx, fy, fz = (x - origin[0]) * over, (y - origin[1]) * over, (z - origin[2]) * over
                    ix, iy, iz = (
                        int(math.floor(fx + half)),
                        int(math.floor(fy + half)),
                        int(math.floor(fz + half)),
                    )
                    if ix < 0 or iy < 0 or iz < 0 or ix >= nx or iy >= ny or iz >= nz or z < zero:
                        reflectivity[i, j] = zero
                        named[i, j] = 0
                        through[i, j] = passed
                        continue
                    voxel = voxels[ix, iy, iz]
                    material = np.int64(voxel & 255)
                    echo = np.int64((voxel >> 56) & 255)
                    stored = (voxel << 40) >> 56
                    coherent = zero
                    if -127 < stored < 127 and ((voxel >> 24) & 255 > 0 or (voxel >> 8) & 255 != voxel & 255):
                        nx0 = np.float32((voxel << 24) >> 56) * unit
                        ny0 = np.float32((voxel << 16) >> 56) * unit
                        nz0 = np.float32((voxel << 8) >> 56) * unit
                        distance = (
                            np.float32(stored) * q
                            + (
                                nx0 * (fx - np.float32(ix))
                                + ny0 * (fy - np.float32(iy))
                                + nz0 * (fz - np.float32(iz))
                            )
                            * step
                        )
                        close = abs(distance) < reach
                        strength = zero
                        if close:
                            strength = np.float32((voxel >> 24) & 255)
                            bx, by, bz = int(math.floor(fx)), int(math.floor(fy)), int(math.floor(fz))
                            px, py, pz = fx - np.float32(bx), fy - np.float32(by), fz - np.float32(bz)
                            total, summed, strengths = zero, zero, zero
                            for corner in range(8):
                                cx, cy, cz = corner >> 2, (corner >> 1) & 1, corner & 1
                                weight = (
                                    (px if cx else one - px)
                                    * (py if cy else one - py)
                                    * (pz if cz else one - pz)
                                )
                                if weight < little:
                                    continue
                                ax, ay, az = bx + cx, by + cy, bz + cz
                                if ax < 0 or ay < 0 or az < 0 or ax >= nx or ay >= ny or az >= nz:
                                    continue
                                other = voxels[ax, ay, az]
                                its = (other << 40) >> 56
                                if its <= -127 or its >= 127:
                                    continue
                                mx = np.float32((other << 24) >> 56) * unit
                                my = np.float32((other << 16) >> 56) * unit
                                mz = np.float32((other << 8) >> 56) * unit
                                if mx * nx0 + my * ny0 + mz * nz0 <= half:
                                    continue
                                its_distance = (
                                    np.float32(its) * q
                                    + (
                                        mx * (fx - np.float32(ax))
                                        + my * (fy - np.float32(ay))
                                        + mz * (fz - np.float32(az))
                                    )
                                    * step
                                )
                                if abs(its_distance - distance) >= same:
                                    continue
                                total += weight
                                summed += weight * its_distance
                                strengths += weight * np.float32((other >> 24) & 255)
                            if total > np.float32(1e-3):
                                distance = summed / total
                                strength = strengths / total
                        inner = np.int64((voxel >> 8) & 255)
                        if distance * np.float32(stored) < zero and inner != material:
                            material, inner = inner, material
                            echo = np.int64(echo_codes[material])
                        if close:
                            along = abs(nx0 * lateral[0] + ny0 * lateral[1] + nz0 * lateral[2])
                            variance = thick * thick + foot_width * foot_width * along * along
                            far = distance * distance / variance
                            if far < np.float32(36):
                                coherent = (
                                    sheet_amplitudes[int(strength + half)]
                                    * thick
                                    / math.sqrt(variance)
                                    * math.exp(-half * far)
                                )
                            if along > edge and (passing[material] > one or passing[inner] > one):
                                passed *= edge_loss
                    passed *= passing[material]
                    through[i, j] = passed
                    named[i, j] = labels[material]
                    c = z * sc
                    if straight:
                        lc = math.floor(c)
                        pc = c - np.float32(lc)
                        kc = int(lc) - first
                        grain = ((one - pc) * line[kc] + pc * line[kc + 1]) * gains[
                            2, int(pc * np.float32(63.999))
                        ]
                    else:
                        a = (turn[0] * x + turn[1] * y) * sa
                        b = b0 + half * db if leans else (turn[0] * y - turn[1] * x) * sb
                        la, lb, lc = math.floor(a), math.floor(b), math.floor(c)
                        pa, pb, pc = a - np.float32(la), b - np.float32(lb), c - np.float32(lc)
                        ka, kb, kc = int(la) & (na - 1), int(lb) & (nb - 1), int(lc) & (nc - 1)
                        ma, mb, mc = (ka + 1) & (na - 1), (kb + 1) & (nb - 1), (kc + 1) & (nc - 1)
                        near = (one - pb) * (
                            (one - pc) * np.float32(noise[ka, kb, kc]) + pc * np.float32(noise[ka, kb, mc])
                        ) + pb * (
                            (one - pc) * np.float32(noise[ka, mb, kc]) + pc * np.float32(noise[ka, mb, mc])
                        )
                        away = (one - pb) * (
                            (one - pc) * np.float32(noise[ma, kb, kc]) + pc * np.float32(noise[ma, kb, mc])
                        ) + pb * (
                            (one - pc) * np.float32(noise[ma, mb, kc]) + pc * np.float32(noise[ma, mb, mc])
                        )
                        gain = (
                            gains[0, int(pa * np.float32(63.999))]
                            * gains[1, int(pb * np.float32(63.999))]
                            * gains[2, int(pc * np.float32(63.999))]
                        )
                        grain = ((one - pa) * near + pa * away) * gain
                    reflectivity[i, j] = grain * echo_amplitudes[echo] + coherent

    return kernel


@cache
def _compiled_lattice() -> Any:
    _cache_folder()
    import numba

    @numba.njit(nogil=True, cache=True)
    def kernel(noise, cells, out):  # type: ignore[no-untyped-def]
        n = noise.shape[0]
        one = np.float32(1)
        for k in range(len(out)):
            x, y, z = cells[0, k], cells[1, k], cells[2, k]
            fx, fy, fz = math.floor(x), math.floor(y), math.floor(z)
            px, py, pz = x - np.float32(fx), y - np.float32(fy), z - np.float32(fz)
            i, j, m = int(fx) % n, int(fy) % n, int(fz) % n
            ii, jj, mm = (i + 1) % n, (j + 1) % n, (m + 1) % n
            near = (one - py) * ((one - pz) * noise[i, j, m] + pz * noise[i, j, mm]) + py * (
                (one - pz) * noise[i, jj, m] + pz * noise[i, jj, mm]
            )
            away = (one - py) * ((one - pz) * noise[ii, j, m] + pz * noise[ii, j, mm]) + py * (
                (one - pz) * noise[ii, jj, m] + pz * noise[ii, jj, mm]
            )
            out[k] = (one - px) * near + px * away

    return kernel


def lattice(noise: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Interpolate a periodic lattice linearly: as the reference."""
    out = np.empty(cells.shape[1], np.float32)
    _compiled_lattice()(noise, cells, out)
    return out


@cache
def _compiled_outline() -> Any:
    _cache_folder()
    import numba

    one, least, smallest = np.float32(1), np.float32(1e-12), np.float32(0.4)

    @numba.njit(fastmath=True, nogil=True, cache=True)
    def kernel(u, v, waves, out):  # type: ignore[no-untyped-def]
        nx, ny, nz, n = waves.shape
        for i in range(nx):
            for j in range(ny):
                for k in range(nz):
                    a, b = u[i, j, k], v[i, j, k]
                    size = max(np.float32(math.sqrt(a * a + b * b)), least)
                    a, b = a / size, b / size
                    re, im, total = a, b, one
                    for m in range(n):
                        re, im = re * a - im * b, re * b + im * a
                        wave = waves[i, j, k, m]
                        total += re * wave.imag + im * wave.real
                    out[i, j, k] = max(total, smallest)

    return kernel


@cache
def _compiled_lay() -> Any:
    _cache_folder()
    import numba

    @numba.njit(nogil=True, cache=True)
    def kernel(held, levels, normals, borders, x, y, z, distance, normal, strength, keep, border, within):  # type: ignore[no-untyped-def]
        for n in range(len(x)):
            i, j, k = x[n], y[n], z[n]
            new, here = abs(distance[n]), abs(held[i, j, k])
            louder = strength[n] - levels[i, j, k]
            wins = louder > LOUDER and new < within
            loses = louder < -LOUDER and here < within
            if keep[n] and (wins or (new < here and not loses)):
                held[i, j, k] = distance[n]
                levels[i, j, k] = strength[n]
                borders[i, j, k] = border
                for axis in range(3):
                    normals[i, j, k, axis] = np.int8(round(127 * normal[n, axis]))

    return kernel


def outline(u: np.ndarray, v: np.ndarray, waves: np.ndarray) -> np.ndarray:
    """Give the radius of an uneven outline: as the reference."""
    shape = np.broadcast_shapes(u.shape, v.shape, waves.shape[:-1])
    solid = (*shape, *(1,) * (3 - len(shape)))
    out = np.empty(solid, np.float32)
    u, v = (np.broadcast_to(one, shape).reshape(solid) for one in (u, v))
    _compiled_outline()(u, v, np.broadcast_to(waves, (*shape, waves.shape[-1])).reshape(*solid, -1), out)
    return out.reshape(shape)


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
    given = (distance.astype(np.float32), normal.astype(np.float32), strength.astype(np.float32))
    _compiled_lay()(*sheets, *at, *given, keep, border, np.float32(within))


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
    """Slice volumes along bent columns: as the reference; the tile's sides must be powers of two."""
    shape = (nodes.shape[0], n_axial)
    reflectivity, named, through = (
        np.empty(shape, np.float32),
        np.empty(shape, np.uint8),
        np.empty(shape, np.float32),
    )
    _compiled()(
        np.ascontiguousarray(nodes, np.float32),
        stride,
        n_axial,
        np.ascontiguousarray(voxels).view(np.int64).reshape(voxels.shape[:3]),
        origin.astype(np.float32),
        np.float32(step),
        noise,
        noise_steps.astype(np.float32),
        gains,
        turn.astype(np.float32),
        lateral.astype(np.float32),
        np.float32(lateral_step),
        labels,
        echo_amplitudes,
        sheet_amplitudes,
        echo_codes,
        passing,
        np.float32(edge_loss),
        reflectivity,
        named,
        through,
    )
    return reflectivity, named, through
