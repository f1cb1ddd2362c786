"""From an individual to volumes that a frame is sliced from.

A voxel holds what its neighborhood needs, in eight bytes: its material, the material beyond the nearest sheet, the signed
distance to that sheet and its unit normal, the sheet's strength, and the strength of the speckle:

    byte 0 material · 1 beyond · 2 distance (int8, DISTANCE_STEP) · 3 sheet (0 none, else SHEET_FLOOR + code SHEET_STEP dB)
    bytes 4-6 normal (int8, 1/127) · 7 echo (ECHO_FLOOR + code ECHO_STEP dB)

A sheet is continued from a voxel as a plane, d(p) = d + n . (p - voxel), so that it lies between voxels where it should.
Sheets are fasciae and walls, which are shapes, and septa of fat and perimysium, which are the level sets of noise that is
long along the fibers: d = phi / |grad phi|. Noise is laid out in the patient's frame: neighboring windows agree.

A window is compiled in slabs across y, two at a time, which bounds memory and uses two cores: what is drawn at random is
drawn alike for each slab, and what a voxel holds depends on places nearer than `HALO` voxels alone.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter

from insonate.core import InputError, RangeError, Structure, Tissue
from insonate.core.checks import check_range
from insonate.core.units import Meters
from insonate.simulation.anatomy import kernels
from insonate.simulation.anatomy.language import MOST_STRUCTURES, Individual, Window
from insonate.simulation.anatomy.relief import Relief, Shell
from insonate.simulation.anatomy.shapes import Solid, Tube, draped, overlap, undulation
from insonate.simulation.anatomy.solids import KINDS, Carved, solids
from insonate.simulation.facts import facts

VERSION = 6
"""Of the volumes: a change of what is compiled changes it."""

DISTANCE_STEP: Meters = 7e-6
"""Of byte 2 [m]."""
SHEET_FLOOR, SHEET_STEP = -28.0, 0.25
"""Of byte 3 [dB]."""
ECHO_FLOOR, ECHO_STEP = -80.0, 0.35
"""Of byte 7 [dB]."""
LARGEST: tuple[Meters, Meters, Meters] = (0.1, 0.06, 0.06)
"""Reach of a window [m]."""
TOUCH: Meters = 0.4e-3
"""How deep two solids may lie in each other: less than two voxels, and the later one wins [m]."""
LOUD_WITHIN = 0.6
"""Of two sheets in a voxel the much louder one is kept, if it passes within so many steps of its middle."""
BEADS: Meters = 0.7e-3
"""How long a septum is even across its fibers [m]."""
BEADED = 3.0
"""How uneven it is over longer ways [dB]."""
FAINTER = 6.0
"""How far the middle of an uneven fascia lies below its strength, which its brightest places reach [dB]."""
NEARBY: Meters = 2e-3
"""Two solids further than this from every point of a lattice of 1 mm do not meet between its points [m]."""
SLAB = 2_000_000
"""Voxels for which noise is looked up at once: memory for their places, 24 MB."""
SLAB_VOXELS = 2_300_000
"""Of a slab of the window, more or less: some 200 bytes a voxel while it is made."""
MOST_CACHED = 2**31
"""Bytes of compiled windows that are kept, some twenty of the largest; of more, those that nobody asked for longest go."""
HALO = 3
"""Voxels of its neighbors that a slab is made with, for slopes and for what lies beyond a sheet."""
WORKERS = 2
"""Slabs at a time."""
FIBER_STRIDE = 4
"""Voxels to one direction of fibers."""
ROUGHNESS: tuple[Meters, Meters, Meters] = (0.55e-3, 0.8e-3, 0.55e-3)
"""Lengths over which an interface strays by a part of a wave, so that its echo is uneven [m]: D, as seen on images."""
FIBROUS = (Tissue.MUSCLE, Tissue.TENDON, Tissue.LIGAMENT, Tissue.NERVE)
"""Tissues that have fibers."""
NAMED_BY = "anatomy of the simulated body, no error"
"""Why structures have proper names here."""
PROPERTIES = ("sound_speed", "attenuation", "attenuation_exponent", "density", "shear_modulus")
"""Of a tissue, by label."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Volumes:
    """What a window is compiled to."""

    origin: np.ndarray
    """(3,) center of the first voxel, patient frame [m]."""
    step: Meters
    """Between voxels [m]."""
    voxels: np.ndarray
    """(nx, ny, nz, 8) uint8, as the module says."""
    fibers: np.ndarray
    """(mx, my, mz, 3) int8 unit vectors along the fibers, every FIBER_STRIDE voxels; 0 where there are none."""
    labels: np.ndarray
    """(n_materials,) uint8 label of each material."""
    echoes: np.ndarray
    """(n_materials,) float32 mean strength of speckle [dB]."""
    passing: np.ndarray
    """(n_materials,) float32 what more than soft tissue comes through, there and back [dB/m]."""
    structures: tuple[Structure, ...]
    """What labels stand for."""
    pleura: np.ndarray
    """(nx, ny) float32 depth of the pleura; (0, 0) where there is none [m]."""


def _tissue(name: str) -> Mapping[str, Any]:
    return facts("insonate.simulation.anatomy", "tissues")[name]


@lru_cache(maxsize=64)
def _lattice(seed: int, name: str) -> np.ndarray:
    """Give periodic noise of unit deviation, correlated over two cells; 1 MB, and each slab asks for the same."""
    rng = np.random.default_rng((seed, crc32(name.encode()), 1))
    noise = gaussian_filter(rng.standard_normal((64, 64, 64), dtype=np.float32), 2, mode="wrap")
    return np.asarray(noise / noise.std())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Texture:
    """Septa, perimysium or fibrils of a material."""

    name: str
    """Of the table of tissues."""
    along: str | None
    """Solid or surface that it follows."""
    pennation: float
    """Between fibers and what they follow [rad]."""
    louder: float
    """Than its table says [dB]."""
    grain: str
    """Axis along which fibers of a surface run."""


@dataclass(kw_only=True, eq=False)
class _Canvas:
    """Volumes under work: of one slab of a window."""

    individual: Individual
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    step: Meters
    solids: Mapping[str, Solid]
    window: tuple[np.ndarray, np.ndarray, np.ndarray]
    """x, y and z of the whole window: what is drawn and named must not depend on the slab."""
    structures: list[Structure] = field(default_factory=list)
    labels: list[int] = field(default_factory=lambda: [0])
    echoes: list[float] = field(default_factory=lambda: [ECHO_FLOOR])
    passing: list[float] = field(default_factory=lambda: [0.0])
    mottles: list[float] = field(default_factory=lambda: [0.0])
    textures: dict[int, _Texture] = field(default_factory=dict)
    heights: dict[str, np.ndarray] = field(default_factory=dict)
    grounds: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (len(self.x), len(self.y), len(self.z))
        self.material = np.zeros(shape, np.uint8)
        self.distance = np.full(shape, 1.0, np.float32)
        self.normal = np.zeros((*shape, 3), np.int8)
        self.sheet = np.full(shape, -99.0, np.float32)
        self.boost = np.zeros(shape, np.float32)
        self.border = np.zeros(shape, bool)

    def named(self) -> tuple[object, ...]:
        """Give all that is said of materials: slabs of one window must agree."""
        return (
            self.structures,
            self.labels,
            self.echoes,
            self.passing,
            self.mottles,
            self.textures,
        )

    def drop(self) -> None:
        """Let go of the volumes, once they are packed."""
        for name in ("material", "distance", "normal", "sheet", "boost", "border"):
            delattr(self, name)
        self.heights.clear()
        self.grounds.clear()

    # -- materials -----------------------------------------------------------------------------------------------

    def structure(self, name: str, tissue: str) -> int:
        """Give the label of a structure, new or known."""
        for at, known in enumerate(self.structures):
            if known.name == name:
                return at + 1
        own = name == tissue
        self.structures.append(
            Structure(name=name, tissue=Tissue(tissue), named_by=None if own else NAMED_BY)
        )
        if len(self.structures) > MOST_STRUCTURES:
            raise InputError(f"{self.individual.region} has more than {MOST_STRUCTURES} structures")
        return len(self.structures)

    def substance(
        self,
        name: str,
        tissue: str,
        *,
        echo: float | None = None,
        mottle: float | None = None,
        texture: str | None = None,
        along: str | None = None,
        block: Mapping[str, Any] | None = None,
    ) -> int:
        """Make a material of a structure."""
        values = _tissue(tissue)
        self.labels.append(self.structure(name, tissue))
        self.echoes.append(float(values["echo"]) if echo is None else echo)
        self.passing.append(float(values["passing"]) * 1e3)
        self.mottles.append(float(values["mottle"]) if mottle is None else mottle)
        at = len(self.labels) - 1
        if texture:
            said = block or {}
            self.textures[at] = _Texture(
                name=texture,
                along=along,
                pennation=float(np.radians(said.get("pennation_deg", 0.0))),
                louder=float(said.get("texture_db", 0.0)),
                grain=said.get("grain", "y"),
            )
        return at

    # -- sheets --------------------------------------------------------------------------------------------------

    def lay(
        self,
        at: Any,
        distance: np.ndarray,
        normal: np.ndarray,
        strength: np.ndarray,
        keep: np.ndarray,
        *,
        border: bool = False,
    ) -> None:
        """Put a sheet where it is nearer than what is there; `at` indexes arrays of one shape; a border parts materials."""
        if isinstance(at[0], slice):
            near = np.nonzero(keep)
            at = tuple(where + part.start for where, part in zip(near, at, strict=True))
            distance, normal, strength = distance[near], normal[near], strength[near]
            keep = np.ones(len(distance), bool)
        kernels.get().lay(
            (self.distance, self.sheet, self.normal, self.border),
            at,
            distance,
            normal,
            strength,
            keep,
            border,
            LOUD_WITHIN * self.step,
        )

    def lay_height(self, height: np.ndarray, strength: np.ndarray, *, border: bool = False) -> None:
        """Lay a surface of these depths over x and y."""
        gx, gy = np.gradient(height, self.step)
        long = np.sqrt(1 + gx**2 + gy**2)
        normal = np.stack([-gx, -gy, np.ones_like(gx)], axis=-1) / long[..., None]
        first = np.floor((height - self.z[0]) / self.step).astype(int)
        i, j = (np.asarray(index) for index in np.indices(height.shape))
        for offset in range(-3, 5):
            k = first + offset
            inside = (k >= 0) & (k < len(self.z))
            at = (i[inside], j[inside], k[inside])
            distance = ((self.z[at[2]] - height[inside]) / long[inside]).astype(np.float32)
            self.lay(
                at,
                distance,
                normal[inside],
                strength[inside].astype(np.float32),
                np.ones(len(at[0]), bool),
                border=border,
            )

    def meets(self, low: np.ndarray, high: np.ndarray, margin: Meters = 1.5e-3) -> bool:
        """Whether a box lies in the window, be it in this slab or not: every slab names the same materials."""
        spans = zip(self.window, low, high, strict=True)
        return all(
            np.searchsorted(axis, b + margin) > np.searchsorted(axis, a - margin) for axis, a, b in spans
        )

    def box(
        self, low: np.ndarray, high: np.ndarray, margin: Meters = 1.5e-3
    ) -> tuple[slice, slice, slice] | None:
        """Give the voxels of a box, None where it lies outside this slab."""
        slices = []
        for axis, (a, b) in zip((self.x, self.y, self.z), zip(low, high, strict=True), strict=True):
            first, last = np.searchsorted(axis, [a - margin, b + margin])
            if last <= first:
                return None
            slices.append(slice(int(first), int(last)))
        return slices[0], slices[1], slices[2]

    def places(self, box: tuple[slice, slice, slice]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give open x, y, z of a box."""
        x, y, z = (axis.astype(np.float32) for axis in (self.x, self.y, self.z))
        return x[box[0]][:, None, None], y[box[1]][None, :, None], z[box[2]][None, None, :]

    def away(self, ground: Relief, box: tuple[slice, slice, slice]) -> np.ndarray:
        """Give the distance from ground in a box: found once for all that lies on it."""
        if ground.name not in self.grounds:
            whole = self.places((slice(None), slice(None), slice(None)))
            shells = [one for one in self.solids.values() if isinstance(one, Shell)]
            highest = max((one.highest for one in shells if one.ground is ground), default=0.0)
            away = ground.distance(whole, (-1.5e-3, highest + 1.5e-3))
            self.grounds[ground.name] = away.astype(np.float32)
        return self.grounds[ground.name][box]

    # -- noise ---------------------------------------------------------------------------------------------------

    def noise(self, name: str, places: Sequence[np.ndarray], lengths: Sequence[Meters]) -> np.ndarray:
        """Give noise of unit deviation at places, with these correlation lengths."""
        shape = np.broadcast_shapes(*(np.shape(place) for place in places))
        out = np.empty(shape, np.float32)
        noise, kernel = _lattice(self.individual.seed, name), kernels.get()
        slab = max(SLAB * shape[0] // max(out.size, 1), 1)
        for first in range(0, shape[0], slab):
            part = out[first : first + slab]
            cells = np.empty((3, *part.shape), np.float32)
            for at, (place, length) in enumerate(zip(places, lengths, strict=True)):
                one = place if place.shape[0] == 1 else place[first : first + slab]
                cells[at] = one / (length / 2)
            part[...] = kernel.lattice(noise, cells.reshape(3, -1)).reshape(part.shape)
        return out


def _gradient(field_: np.ndarray, step: Meters) -> np.ndarray:
    """Give the gradient over three axes, (..., 3); 0 along an axis of one sample."""
    parts = [
        np.gradient(field_, step, axis=axis) if field_.shape[axis] > 1 else np.zeros_like(field_)
        for axis in range(3)
    ]
    return np.stack(parts, axis=-1)


def compile_volumes(individual: Individual, window: Window, *, step: Meters = 0.3e-3) -> Volumes:
    """Compile the window of an individual.

    Parameters
    ----------
    individual : Individual
        Of a region.
    window : Window
        At most 100 x 60 x 60 mm.
    step : float
        Between voxels [m].

    Returns
    -------
    Volumes
        Of the window.

    Raises
    ------
    RangeError
        If the window is larger, or voxels are finer than memory allows.
    InputError
        If two solids lie in each other, or one reaches out of the skin.
    """
    check_range("voxel step", step, (0.15e-3, 1e-3), "m", hint="millimeters?")
    for name, reach, largest in zip("xyz", window.reach, LARGEST, strict=True):
        check_range(
            f"reach of window '{window.name}' along {name}", reach, (5e-3, largest), "m", hint="millimeters?"
        )
    counts = [int(np.ceil(reach / step)) for reach in window.reach]
    if np.prod(counts) > 24e6:
        raise RangeError(
            f"a window must have at most 24 million voxels, got {np.prod(counts) / 1e6:.0f} million"
        )
    x = window.center[0] + (np.arange(counts[0]) - (counts[0] - 1) / 2) * step
    y = window.center[1] + (np.arange(counts[1]) - (counts[1] - 1) / 2) * step
    z = (np.arange(counts[2]) + 0.5) * step
    made = solids(individual.blocks, individual.rng)
    check_apart(individual, made, (x, y, z))
    slabs = _slabs((len(x), len(y), len(z)))
    voxels = np.empty((len(x), len(y), len(z), 8), np.uint8)
    pleura: dict[int, np.ndarray] = {}
    heights: dict[int, dict[str, np.ndarray]] = {}
    told: list[_Canvas] = []

    def work(slab: slice) -> None:
        held = slice(max(slab.start - HALO, 0), min(slab.stop + HALO, len(y)))
        canvas = _Canvas(individual=individual, x=x, y=y[held], z=z, step=step, solids=made, window=(x, y, z))
        _painted(canvas)
        own = slice(slab.start - held.start, slab.stop - held.start)
        voxels[:, slab] = _packed(canvas)[:, own]
        if (depth := _pleura(canvas)).size:
            pleura[slab.start] = depth[:, own]
        followed = {one.along for one in canvas.textures.values()} & set(canvas.heights)
        heights[slab.start] = {str(name): canvas.heights[str(name)][:, own] for name in followed}
        canvas.drop()
        told.append(canvas)

    with ThreadPoolExecutor(min(WORKERS, len(slabs))) as pool:
        for done in [pool.submit(work, slab) for slab in slabs]:
            done.result()
    if any(
        one.named() != told[0].named() for one in told
    ):  # a block that names by slab: what it says must hold
        told.clear()
        pleura.clear()
        heights.clear()
        slabs = [slice(0, len(y))]
        work(slabs[0])
    canvas = told[0]
    for name in heights[0]:
        canvas.heights[name] = np.concatenate([heights[at][name] for at in sorted(heights)], axis=1)
    return Volumes(
        origin=np.array([x[0], y[0], z[0]]),
        step=step,
        voxels=voxels,
        fibers=_fibers(canvas, voxels[..., 0]),
        labels=np.array(canvas.labels, np.uint8),
        echoes=np.array(canvas.echoes, np.float32),
        passing=np.array(canvas.passing, np.float32),
        structures=tuple(canvas.structures),
        pleura=np.concatenate(
            [pleura[at] for at in sorted(pleura)] or [np.zeros((0, 0), np.float32)], axis=1
        ),
    )


def _slabs(shape: tuple[int, int, int]) -> list[slice]:
    """Part the second axis evenly: in twos, so that no thread waits, and not into slices that are mostly halo."""
    pairs = np.prod(shape) / (2 * SLAB_VOXELS)
    count = max(1, min(2 * int(np.ceil(pairs)), shape[1] // (6 * HALO)))
    edges = np.linspace(0, shape[1], count + 1).astype(int)
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def _painted(canvas: _Canvas) -> None:
    """Paint all blocks, one over the other, then what textures their materials have."""
    for kind, block in canvas.individual.blocks:
        if kind == "surface":
            _surface(canvas, block)
        elif kind == "halo":
            _halo(canvas, block)
        else:
            _solid(canvas, kind, block)
            if "companions" in block:
                _companions(canvas, block)
    for at, texture in canvas.textures.items():
        _texture(canvas, at, texture)


def check_apart(individual: Individual, made: Mapping[str, Solid], axes: Sequence[np.ndarray]) -> None:
    """Refuse an anatomy that intersects itself."""
    who = f"{individual.region} (seed {individual.seed}, variant '{individual.variant}')"
    hard = [(block["name"], block) for kind, block in individual.blocks if kind in KINDS]
    boxes = {}
    for name, block in hard:
        low, high = made[name].bounds()
        low = np.maximum(low, [axes[0][0], axes[1][0], -0.01])
        high = np.minimum(high, [axes[0][-1], axes[1][-1], axes[2][-1]])
        if (high <= low).any():
            continue
        boxes[name] = (low, high)
        top = made[name].top(
            np.linspace(low[0], high[0], 60)[:, None], np.linspace(low[1], high[1], 60)[None, :]
        )
        if not np.isnan(top).all() and np.nanmin(top) < 0:
            raise InputError(f"{who}: '{name}' reaches {-np.nanmin(top) * 1e3:.1f} mm out of the skin")
        del block
    soft = {name for name, block in hard if block.get("yields")}
    related = {(name, block["branch_of"]) for name, block in hard if "branch_of" in block}
    names = [name for name in boxes if name not in soft]
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            if (one, other) in related or (other, one) in related:
                continue
            layers = _layers_overlap(made[one], made[other], axes)
            if layers is not None:
                if layers > TOUCH:
                    raise InputError(f"{who}: '{one}' and '{other}' lie {layers * 1e3:.1f} mm in each other")
                continue
            low = np.maximum(boxes[one][0], boxes[other][0])
            high = np.minimum(boxes[one][1], boxes[other][1])
            if (high <= low).any():
                continue
            close = _close(made[one], made[other], low, high)
            if close is None:
                continue
            broad = any(isinstance(made[name], Relief | Shell) for name in (one, other))
            depth = overlap(made[one], made[other], _grid(*close, 0.75e-3 if broad else 0.25e-3))
            if depth > TOUCH:
                raise InputError(f"{who}: '{one}' and '{other}' lie {depth * 1e3:.1f} mm in each other")


def _layers_overlap(one: Solid, other: Solid, axes: Sequence[np.ndarray]) -> Meters | None:
    """Give how deep two layers of one ground lie in each other; None where they do not share one."""
    if isinstance(one, Relief) and isinstance(other, Shell) and other.ground is one:
        return 0.0
    if not isinstance(one, Shell) or not isinstance(other, Shell) or one.ground is not other.ground:
        return None
    x, y = axes[0][::3, None], axes[1][None, ::3]
    (inner, outer), (inner_too, outer_too) = one.faces(x, y), other.faces(x, y)
    return float(max((np.minimum(outer, outer_too) - np.maximum(inner, inner_too)).max(initial=0.0), 0.0))


def _grid(low: np.ndarray, high: np.ndarray, step: Meters) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give open x, y, z over a box, its faces among them, no further apart than a step [m]."""
    x, y, z = (
        np.linspace(a, b, max(int(np.ceil((b - a) / step)), 1) + 1) for a, b in zip(low, high, strict=True)
    )
    return x[:, None, None], y[None, :, None], z[None, None, :]


def _close(
    one: Solid, other: Solid, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Give the part of a box in which two solids may meet, looked for every millimeter; None where they keep apart."""
    coarse = _grid(low, high, 1e-3)
    near = np.maximum(one.distance(coarse), other.distance(coarse)) < NEARBY
    if not near.any():
        return None
    low, high = low.copy(), high.copy()
    for axis, line in enumerate(coarse):
        found = line.ravel()[near.any(axis=tuple(k for k in range(3) if k != axis))]
        low[axis], high[axis] = max(low[axis], found[0] - 1e-3), min(high[axis], found[-1] + 1e-3)
    return low, high


def _strength(canvas: _Canvas, block: Mapping[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Give the strength of a fascia over x and y: it breaks, and fades at its ends [dB]."""
    x, y = canvas.x[:, None], canvas.y[None, :]
    breaks = float(block.get("breaks", 1.0))
    level = block["strength_db"] + np.clip(
        undulation(rng, x, y, length=9e-3, size=3.5 * breaks)
        + undulation(rng, x, y, length=2.2e-3, size=2.0 + 5.0 * breaks)
        + undulation(rng, x, y, length=0.7e-3, size=2.5)
        - FAINTER,
        -60,
        5,
    )
    for key, sign in (("from_x_mm", 1), ("to_x_mm", -1)):
        if key in block:
            level = level - 25 * np.clip(1 - sign * (x - block[key] * 1e-3) / 3e-3, 0, 3)
    return np.asarray(level)


def _surface(canvas: _Canvas, block: Mapping[str, Any]) -> None:
    rng = canvas.individual.rng(block["name"])
    x, y = canvas.x[:, None], canvas.y[None, :]
    height = np.full((len(canvas.x), len(canvas.y)), block["depth_mm"] * 1e-3)
    height += block.get("slope_x", 0.0) * x + block.get("slope_y", 0.0) * y
    height += block.get("bow_mm", 0.0) * 1e-3 * (x / 20e-3) ** 2
    if "profile" in block:
        points = np.array([[point["x_mm"], point["by_mm"]] for point in block["profile"]]) * 1e-3
        height += PchipInterpolator(points[:, 0], points[:, 1])(np.clip(x, points[0, 0], points[-1, 0]))
    for size, length in block.get("waves", ()):
        height += undulation(rng, x, y, length=length * 1e-3, size=size * 1e-3)
    gap = block.get("gap_mm", 0.3) * 1e-3
    for under in (False, True):
        for name in block.get("under" if under else "over", ()):
            if name in canvas.solids:
                height = draped(height, canvas.solids[name], x, y, gap=gap, under=under)
            elif name in canvas.heights:
                other = canvas.heights[name]
                height = np.maximum(height, other + gap) if under else np.minimum(height, other - gap)
    height = np.maximum(height, 0.1e-3)
    canvas.heights[block["name"]] = height
    if "below" in block:
        at = canvas.substance(
            block["below"],
            block["tissue"],
            echo=block.get("echo_db"),
            mottle=block.get("mottle_db"),
            texture=block.get("texture"),
            along=block.get("fiber"),
            block=block,
        )
        first = np.clip(np.ceil((height - canvas.z[0]) / canvas.step), 0, len(canvas.z)).astype(int)
        canvas.material[np.arange(len(canvas.z))[None, None, :] >= first[..., None]] = at
        # where a ply lies at the border it is the border: a mute sheet beside it would take half of its voxels
        between = int(block.get("plies", 1)) % 2 == 0 and block["tissue"] != Tissue.PLEURA.value
        if "strength_db" not in block or between:
            canvas.lay_height(height, np.full(height.shape, -99.0), border=True)
    if "strength_db" in block:
        plies = int(block.get("plies", 1))
        for ply in range(plies):
            shift = (ply - (plies - 1) / 2) * block.get("ply_gap_mm", 0.45) * 1e-3
            wave = undulation(rng, x, y, length=5e-3, size=0.12e-3) if plies > 1 else 0.0
            level = _strength(canvas, block, rng) - (3.0 * ply if ply else 0.0)
            fine = undulation(rng, x, y, length=1.5e-3, size=0.025e-3)
            canvas.lay_height(
                height + shift + wave + fine, level, border="below" in block and ply == plies // 2
            )
    if "comets" in block:
        _comets(canvas, block, height)


def _comets(canvas: _Canvas, block: Mapping[str, Any], height: np.ndarray) -> None:
    """Let a surface ring: short stacks of sheets below it, each fainter, where noise over x and y is high."""
    spec, rng = block["comets"], canvas.individual.rng(f"{block['name']} comets")
    x, y = canvas.x[:, None], canvas.y[None, :]
    width = spec["width_mm"] * 1e-3
    where = undulation(rng, x, y, length=width, size=1.0)
    length = spec["length_mm"] * np.exp(undulation(rng, x, y, length=4 * width, size=0.45))
    rare = float(spec.get("rare", 1.0))
    for number in range(1, int(spec["count"]) + 1):
        below = number * spec["spacing_mm"]
        level = spec["strength_db"] + 9.0 * np.clip(where - rare, -9, 1) - 8.7 * below / length
        fine = undulation(rng, x, y, length=1.2e-3, size=0.03e-3)
        canvas.lay_height(height + below * 1e-3 + fine, level)


def _wall(
    canvas: _Canvas,
    box: tuple[slice, slice, slice],
    distance: np.ndarray,
    wall: Mapping[str, Any],
    name: str,
    keep: np.ndarray | None = None,
) -> None:
    """Lay the sheets of a wall: at the surface, and further plies outside it."""
    plies = int(wall.get("plies", 1))
    apart = wall.get("ply_gap_mm", 0.5) * 1e-3
    near = (distance > -4 * canvas.step) & (distance < 4 * canvas.step + (plies - 1) * apart)
    if keep is not None:
        near &= keep
    where = np.nonzero(near)
    if len(where[0]) == 0:
        return
    gradient = np.stack([_slope(distance, axis, where) for axis in range(3)], axis=-1)
    normal = gradient / np.maximum(np.linalg.norm(gradient, axis=-1, keepdims=True), 1e-9)
    places = canvas.places(box)
    at_places = [places[axis].ravel()[where[axis]] for axis in range(3)]
    uneven = canvas.noise(f"{name} wall", at_places, (1.6e-3, 2.5e-3, 1.6e-3))
    away = distance[where]
    if "rough_mm" in wall:
        away = away + wall["rough_mm"] * 1e-3 * canvas.noise(f"{name} rough", at_places, ROUGHNESS)
    at = tuple(index + part.start for index, part in zip(where, box, strict=True))
    for ply in range(plies):
        shifted = (away - ply * apart).astype(np.float32)
        level = wall["strength_db"] - 4.0 * ply + wall.get("breaks", 1.0) * 5 * np.minimum(uneven, 1)
        canvas.lay(at, shifted, normal, level, np.abs(shifted) < 4 * canvas.step, border=ply == 0)


def _slope(field_: np.ndarray, axis: int, where: tuple[np.ndarray, ...]) -> np.ndarray:
    """Give differences along an axis at some samples."""
    last = field_.shape[axis] - 1
    up = tuple(np.minimum(index + 1, last) if at == axis else index for at, index in enumerate(where))
    down = tuple(np.maximum(index - 1, 0) if at == axis else index for at, index in enumerate(where))
    span = np.maximum(up[axis] - down[axis], 1)
    return np.asarray((field_[up] - field_[down]) / span)


def _solid(canvas: _Canvas, kind: str, block: Mapping[str, Any]) -> None:
    name = block["name"]
    solid = canvas.solids[name]
    if not canvas.meets(*solid.bounds()):
        return
    at = canvas.substance(
        name,
        block["tissue"],
        echo=block.get("echo_db"),
        mottle=block.get("mottle_db"),
        texture=block.get("texture"),
        along=name,
        block=block,
    )
    core: int | None = None
    if "fascicles" in block and isinstance(solid, Tube):
        echo = block["fascicles"].get("echo_db", float(_tissue("nerve")["fascicle_echo"]))
        core = canvas.substance(name, block["tissue"], echo=echo)
    box = canvas.box(*solid.bounds())
    if box is None:
        return
    distance = _distance(canvas, solid, box)
    inside = distance < 0
    if not inside.any():
        return
    canvas.material[box][inside] = at
    canvas.boost[box][inside] = 0
    if block["tissue"] == Tissue.NERVE.value:
        _sheath(canvas, name, box, distance)
    for array, empty in ((canvas.distance, 1.0), (canvas.sheet, -99.0)):
        part = array[box]
        part[distance < 0.5 * canvas.step] = empty
    _wall(canvas, box, distance, block.get("wall", {"strength_db": -99.0}), name)
    if isinstance(solid, Shell) and isinstance(solid.on, Relief):
        # what lies on bone does not take its cortex away
        ground = canvas.individual.block(solid.on.name)
        if "wall" in ground:
            near = distance < 4 * canvas.step
            _wall(canvas, box, canvas.away(solid.on, box), ground["wall"], solid.on.name, near)
    if core is not None and isinstance(solid, Tube):
        _fascicles(canvas, solid, block, box, distance, core)
    if "rind" in block:
        # rough cortex scatters back where a mirror would not
        depth = block["rind"]["depth_mm"] * 1e-3
        level = block["rind"]["echo_db"] * np.exp(np.minimum(distance, 0) / depth)
        canvas.boost[box] += np.where(inside, level, 0).astype(np.float32)
    if "hilum" in block:
        deep = distance + block["hilum"]["depth_mm"] * 1e-3
        canvas.boost[box] += np.where(
            deep < 0, block["hilum"]["echo_db"] * np.clip(-deep / 0.4e-3, 0, 1), 0
        ).astype(np.float32)
    del kind


def _distance(canvas: _Canvas, solid: Solid, box: tuple[slice, slice, slice]) -> np.ndarray:
    """Give the distance of a solid in a box."""
    if isinstance(solid, Relief):
        return canvas.away(solid, box)
    if isinstance(solid, Shell):
        return solid.distance(canvas.places(box), canvas.away(solid.ground, box))
    if isinstance(solid, Carved):
        parts = (_distance(canvas, one, box) for one in solid.others)
        return np.asarray(reduce(np.maximum, (-part for part in parts), _distance(canvas, solid.whole, box)))
    return solid.distance(canvas.places(box))


def _fascicles(
    canvas: _Canvas,
    nerve: Tube,
    block: Mapping[str, Any],
    box: tuple[slice, slice, slice],
    outside: np.ndarray,
    at: int,
) -> None:
    """Fill a nerve with dark fascicles that wander, split and join."""
    spec, rng = block["fascicles"], canvas.individual.rng(f"{block['name']} fascicles")
    close_by = np.nonzero(outside < 6 * canvas.step)  # beyond, `outside` alone decides, and lays no sheet
    places = canvas.places(box)
    x, y, z = (place.ravel()[index] for place, index in zip(places, close_by, strict=True))
    u, v, half = nerve.section((x, y, z))
    along = (x, y, z)[nerve.axis]
    middle, _ = nerve.at(np.array([float(np.mean(nerve.stations[:, 0]))]))
    area = float(np.pi * middle[0, 2] * middle[0, 3])
    count = max(round(spec["count"]), 1)
    radii = rng.lognormal(0, spec.get("size_spread", 0.35), count)
    radii *= np.sqrt(spec["ratio"] * area / (np.pi * np.sum(radii**2)))
    radii = np.sort(np.minimum(radii, 0.85 * min(middle[0, 2:4])))[::-1]
    placed: list[tuple[float, float, float]] = []
    for radius in radii:
        for attempt in range(250):
            angle, far = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform())
            a, b = far * np.cos(angle), far * np.sin(angle)
            shrink = 1 - 0.9 * radius / np.array([middle[0, 2], middle[0, 3]])
            a, b = a * max(shrink[0], 0.05), b * max(shrink[1], 0.05)
            close = 1.05 - 0.25 * attempt / 250
            if all(
                np.hypot((a - p) * middle[0, 2], (b - q) * middle[0, 3]) > (radius + r) * close
                for p, q, r in placed
            ):
                placed.append((a, b, radius))
                break
    nearest = np.full(np.broadcast(u, v).shape, 1.0)
    for one, (a, b, radius) in enumerate(placed):
        partner = placed[rng.integers(len(placed))]
        begin, turn = rng.uniform(-0.03, 0.03), rng.choice([-1.0, 1.0])
        joined = np.clip((turn * (along - begin)) / 9e-3, 0, 1)
        joined = joined * joined * (3 - 2 * joined) * (0.85 if one else 0)
        wander = [0.10 * np.sin(along / rng.uniform(3e-3, 7e-3) + rng.uniform(0, 6.3)) for _ in range(2)]
        du = (u - (a + (partner[0] - a) * joined + wander[0])) * half[..., 0]
        dv = (v - (b + (partner[1] - b) * joined + wander[1])) * half[..., 1]
        tilt, squash = rng.uniform(0, np.pi), rng.uniform(1.0, 1.35)
        cu, cv = np.cos(tilt) * du + np.sin(tilt) * dv, np.cos(tilt) * dv - np.sin(tilt) * du
        angle = np.arctan2(cv, cu)
        swell = 1 + 0.12 * np.sin(along / rng.uniform(2.5e-3, 6e-3) + rng.uniform(0, 6.3))
        edge = (
            radius
            * swell
            * (
                1
                + 0.13 * np.sin(2 * angle + rng.uniform(0, 6.3))
                + 0.08 * np.sin(3 * angle + rng.uniform(0, 6.3))
            )
        )
        nearest = np.minimum(nearest, np.hypot(cu * squash, cv / squash) - edge)
    nearest, within = outside + 0.12e-3, nearest
    nearest[close_by] = np.maximum(within, nearest[close_by])
    inside = nearest < 0
    canvas.material[box][inside] = at
    _wall(
        canvas,
        box,
        nearest,
        {"strength_db": spec["strength_db"], "breaks": 1.0},
        f"{block['name']} fascicles",
        outside < -0.1e-3,
    )


def _companions(canvas: _Canvas, block: Mapping[str, Any]) -> None:
    """Lay small vessels along a tube."""
    spec, parent = block["companions"], canvas.solids[block["name"]]
    if not isinstance(parent, Tube):
        raise InputError(f"{canvas.individual.region}: '{block['name']}' is no tube and has no companions")
    rng = canvas.individual.rng(f"{block['name']} companions")
    taken = {at for at, label in enumerate(canvas.labels) if label and _is_solid(canvas, label)}
    for _ in range(round(spec["count"])):
        along = np.linspace(canvas.window[1][0] - 5e-3, canvas.window[1][-1] + 5e-3, 9)
        values, _ = parent.at(along)
        angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.35, 9))
        gap = (spec["gap_mm"] + np.abs(np.cumsum(rng.normal(0, 0.3, 9)))) * 1e-3
        radius = spec["width_mm"] * rng.uniform(0.6, 1.3) * 0.5e-3
        beside = values[:, 0] + (values[:, 2] + gap + radius) * np.cos(angle)
        depth = values[:, 1] + (values[:, 3] + gap + radius) * np.sin(angle)
        small = np.full(9, 2 * radius)
        twin = Tube(
            name="companion vessel",
            axis=parent.axis,
            stations=np.stack(
                [along, beside, depth, small * rng.uniform(1, 1.5), small, np.zeros(9)], axis=1
            ),
            outline=parent.outline,
        )
        if not canvas.meets(*twin.bounds()) or twin.bounds()[0][2] < 2e-3:
            continue
        at = canvas.substance("companion vessel", "vein")
        box = canvas.box(*twin.bounds())
        if box is None:
            continue
        distance = twin.distance(canvas.places(box))
        inside = (distance < 0) & ~np.isin(canvas.material[box], list(taken))
        canvas.material[box][inside] = at
        canvas.distance[box][inside] = 1.0
        canvas.boost[box][inside] = 0
        keep = ~np.isin(canvas.material[box], list(taken))
        _wall(canvas, box, distance, {"strength_db": spec["strength_db"], "breaks": 1.0}, "companion", keep)


def _is_solid(canvas: _Canvas, label: int) -> bool:
    return canvas.structures[label - 1].tissue not in (Tissue.SKIN, Tissue.FAT, Tissue.MUSCLE, Tissue.FASCIA)


def _sheath(canvas: _Canvas, name: str, box: tuple[slice, slice, slice], distance: np.ndarray) -> None:
    """Brighten the loose tissue close around a nerve, which answers from every side, where its wall only mirrors."""
    values = _tissue("nerve")
    reach = float(values["sheath_reach"])
    near = (distance > 0) & (distance < 2.5 * reach)
    uneven = canvas.noise(f"{name} sheath", canvas.places(box), (1.5e-3, 4e-3, 1.5e-3))
    level = (
        float(values["sheath_echo"])
        * np.exp(-((distance / reach) ** 2))
        * np.clip(1 + 0.4 * uneven, 0.2, 1.5)
    )
    canvas.boost[box] = np.where(near, np.maximum(canvas.boost[box], level), canvas.boost[box])


def _halo(canvas: _Canvas, block: Mapping[str, Any]) -> None:
    """Brighten the connective tissue around solids."""
    reach = block["reach_mm"] * 1e-3
    uneven: np.ndarray | None = None
    for name in block["around"]:
        if name not in canvas.solids:
            continue
        low, high = canvas.solids[name].bounds()
        box = canvas.box(low, high, 2 * reach)
        if box is None:
            continue
        distance = np.maximum(canvas.solids[name].distance(canvas.places(box)), 0)
        uneven = canvas.noise(f"halo {name}", canvas.places(box), (3e-3, 5e-3, 1.5e-3))
        level = block["echo_db"] * np.exp(-((distance / reach) ** 2)) * np.clip(1 + 0.45 * uneven, 0.1, 1.6)
        canvas.boost[box] = np.maximum(canvas.boost[box], level)


def _texture(canvas: _Canvas, at: int, texture: _Texture) -> None:
    """Lay septa or perimysium through a material: level sets of noise that is long along the fibers."""
    inside = canvas.material == at
    spans = [np.flatnonzero(inside.any(axis=tuple(k for k in range(3) if k != axis))) for axis in range(3)]
    if len(spans[0]) == 0:
        return
    box = tuple(slice(max(int(span[0]) - 1, 0), int(span[-1]) + 2) for span in spans)
    values = facts("insonate.simulation.anatomy", "tissues")[f"texture {texture.name}"]
    places = canvas.places((box[0], box[1], box[2]))
    along, solid = texture.along, canvas.solids.get(texture.along or "")
    if isinstance(solid, Shell):
        s, u, v = solid.frame(places, canvas.away(solid.ground, (box[0], box[1], box[2])))
    elif solid is not None:
        s, u, v = solid.frame(places)
    else:
        s, u, v = places[1], places[0], places[2]
        if texture.grain == "x":
            s, u = u, s
        if along is not None and along in canvas.heights:
            v = v - canvas.heights[along][box[0], box[1]][..., None]
    if texture.pennation:
        v = v - np.tan(texture.pennation) * s
    lengths = (float(values["along"]), float(values["across"]), float(values["down"]))
    name = f"{texture.name} {along or at}"
    cloud = float(values.get("cloud", 0.0))
    if cloud:
        noise = canvas.noise(f"{name} cloud", (s, u, v), (0.6 * lengths[0], lengths[1], 1.2 * lengths[2]))
        canvas.boost[box] += np.where(inside[box], np.float32(cloud) * np.clip(noise, -2.5, 2), 0)
    phi = canvas.noise(name, (s, u, v), lengths)
    gradient = _gradient(phi, canvas.step)
    steep = np.linalg.norm(gradient, axis=-1)
    gentle = 0.35 / lengths[2]
    distance = (phi / np.maximum(steep, gentle)).astype(np.float32)
    away = np.abs(distance)
    here = np.abs(canvas.distance[box])
    free = np.nonzero(
        inside[box] & (away < 4 * canvas.step) & (away < here) & (here > np.minimum(away + 0.12e-3, 0.9e-3))
    )
    normal = gradient[free] / np.maximum(steep[free], 1e-9)[..., None]
    s, u, v = (np.broadcast_to(place, distance.shape)[free] for place in (s, u, v))
    unbroken = (float(values.get("unbroken", lengths[0])), 1.2 * lengths[1], 2.5 * lengths[2])
    breaks = np.clip(canvas.noise(f"{name} breaks", (s, u, v), unbroken), -3, 1.6)
    near = distance[free]
    if "rough" in values:
        own = [np.broadcast_to(place, distance.shape)[free] for place in places]
        near = near + np.float32(values["rough"]) * canvas.noise(f"{name} rough", own, ROUGHNESS)
    beads = canvas.noise(f"{name} beads", (s, u, v), (0.4 * lengths[0], BEADS, 2 * lengths[2]))
    level = float(values["strength"]) + texture.louder + float(values["spread"]) * breaks + BEADED * beads
    at_free = tuple(index + part.start for index, part in zip(free, box, strict=True))
    canvas.lay(at_free, near, normal, level, np.ones(len(level), bool))


def _beyond(canvas: _Canvas) -> np.ndarray:
    """Look up the material on the other side of the nearest sheet."""
    beyond = canvas.material.copy()
    near = np.argwhere(canvas.border & (np.abs(canvas.distance) < 1.1 * canvas.step))
    at = tuple(near.T)
    normal = canvas.normal[at].astype(np.float32) / 127
    distance = canvas.distance[at]
    far = (distance + np.sign(distance) * 0.75 * canvas.step) / canvas.step
    other = np.round(near - normal * far[:, None]).astype(int)
    other = np.clip(other, 0, np.array(canvas.material.shape) - 1)
    beyond[at] = canvas.material[tuple(other.T)]
    return beyond


def _packed(canvas: _Canvas) -> np.ndarray:
    """Add what is uneven in every tissue, and pack: the slab's voxels."""
    places = canvas.places((slice(None), slice(None), slice(None)))
    echo = np.take(np.array(canvas.echoes, np.float32), canvas.material)
    uneven = 0.75 * canvas.noise("mottle fine", places, (1.1e-3, 1.4e-3, 0.5e-3))
    uneven += 1.1 * canvas.noise("mottle coarse", places, (5e-3, 8e-3, 2.5e-3))
    echo += uneven * np.take(np.array(canvas.mottles, np.float32), canvas.material)
    echo += canvas.boost
    voxels = np.empty((*canvas.material.shape, 8), np.uint8)
    voxels[..., 0] = canvas.material
    voxels[..., 1] = _beyond(canvas)
    voxels[..., 2] = (
        np.clip(np.round(canvas.distance / DISTANCE_STEP), -127, 127).astype(np.int8).view(np.uint8)
    )
    code = np.round((canvas.sheet - SHEET_FLOOR) / SHEET_STEP)
    voxels[..., 3] = np.clip(code, 0, 255)
    voxels[..., 4:7] = canvas.normal.view(np.uint8)
    voxels[..., 7] = np.clip(np.round((echo - ECHO_FLOOR) / ECHO_STEP), 0, 255)
    return voxels


def _pleura(canvas: _Canvas) -> np.ndarray:
    """Give the depth of what the lung begins with."""
    for kind, block in canvas.individual.blocks:
        if kind == "surface" and block.get("tissue") == Tissue.PLEURA.value:
            return canvas.heights[block["name"]].astype(np.float32)
    return np.zeros((0, 0), np.float32)


def _fibers(canvas: _Canvas, whole: np.ndarray) -> np.ndarray:
    """Give the direction of fibers, coarsely: along tubes of muscle, tendon and nerve, turned by their pennation."""
    half = FIBER_STRIDE // 2
    material = whole[half::FIBER_STRIDE, half::FIBER_STRIDE, half::FIBER_STRIDE]
    out = np.zeros((*material.shape, 3), np.int8)
    names = {at: canvas.structures[label - 1].name for at, label in enumerate(canvas.labels) if label}
    lines = [axis[half::FIBER_STRIDE] for axis in canvas.window]
    for at, name in names.items():
        where = np.argwhere(material == at)
        if len(where) and canvas.structures[canvas.labels[at] - 1].tissue in FIBROUS:
            out[tuple(where.T)] = np.round(127 * _directions(canvas, at, name, where, lines))
    return out


def _directions(
    canvas: _Canvas, at: int, name: str, where: np.ndarray, lines: Sequence[np.ndarray]
) -> np.ndarray:
    """Give the direction of fibers of a material at coarse voxels, (n, 3); 0 where nothing says it."""
    solid, texture = canvas.solids.get(name), canvas.textures.get(at)
    pennation = texture.pennation if texture else 0.0
    if isinstance(solid, Shell):
        return solid.direction(
            np.stack([line[where[:, k]] for k, line in enumerate(lines)], axis=1), pennation
        )
    if isinstance(solid, Tube):
        direction = solid.direction(lines[solid.axis][where[:, solid.axis]])
        direction = direction + np.tan(pennation) * np.eye(3)[solid.across[1]]
    elif texture is not None and texture.along in canvas.heights:
        half, axis = FIBER_STRIDE // 2, 0 if texture.grain == "x" else 1
        slope = np.gradient(canvas.heights[texture.along], canvas.step, axis=axis)
        slope = slope[half::FIBER_STRIDE, half::FIBER_STRIDE][where[:, 0], where[:, 1]]
        direction = np.zeros((len(where), 3))
        direction[:, axis], direction[:, 2] = 1, slope + np.tan(pennation)
    else:
        return np.zeros((len(where), 3))
    return np.asarray(direction / np.linalg.norm(direction, axis=1, keepdims=True))


def key(individual: Individual, text: str, window: Window, step: Meters) -> str:
    """Give the name under which a window is cached: all that it is made from."""
    own = "".join(
        (files("insonate.simulation.anatomy") / name).read_text(encoding="utf-8")
        for name in ("tissues.toml",)
    )
    parts = (VERSION, text, own, individual.seed, individual.variant, individual.pathologies, window, step)
    return f"{individual.region}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:24]}"


def save(volumes: Volumes, path: Path) -> None:
    """Keep volumes, all or nothing; a disk that refuses leaves nothing behind and nothing is said, for it is a cache."""
    names = np.array([[one.name, one.tissue.value] for one in volumes.structures])
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            np.savez(
                file,
                origin=volumes.origin,
                step=volumes.step,
                voxels=volumes.voxels,
                fibers=volumes.fibers,
                labels=volumes.labels,
                echoes=volumes.echoes,
                passing=volumes.passing,
                structures=names,
                pleura=volumes.pleura,
            )
        part.replace(path)
        trim(path.parent, path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def trim(folder: Path, kept: Path) -> None:
    """Take away the windows that were asked for longest ago until the rest is small enough; `kept` stays."""
    known = []
    for path in folder.glob("*.npz"):
        with suppress(OSError):  # another process was quicker
            known.append((path.stat().st_mtime, path.stat().st_size, path))
    total = sum(size for _, size, _ in known)
    for _, size, path in sorted(known):
        if total <= MOST_CACHED:
            return
        if path != kept:
            with suppress(OSError):
                path.unlink()
            total -= size


def load(path: Path) -> Volumes | None:
    """Give what `save` kept, or None where there is nothing whole."""
    try:
        with suppress(OSError):
            os.utime(path)  # asked for now: `trim` takes others first
        with path.open("rb") as whole, np.load(whole, allow_pickle=False) as file:
            return Volumes(
                origin=file["origin"],
                step=float(file["step"]),
                voxels=file["voxels"],
                fibers=file["fibers"],
                labels=file["labels"],
                echoes=file["echoes"],
                passing=file["passing"],
                structures=tuple(
                    Structure(
                        name=str(name),
                        tissue=Tissue(str(tissue)),
                        named_by=None if name == tissue else NAMED_BY,
                    )
                    for name, tissue in file["structures"]
                ),
                pleura=file["pleura"],
            )
    except Exception:
        return None
