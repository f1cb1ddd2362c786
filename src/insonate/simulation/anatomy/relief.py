"""Ground with a surface: bone whose cortex is a depth h over x and y, and layers that lie on it, each a share of its normal.

    h(x, y) = p(x) + q(y) + roughness,    q(y) = (y - y0)^2 / 2 R + slope (y - y0),    inside where z > h,

p monotone between its stations (no overshoot). The signed distance D(x, z) to the profile p is looked up in a table of the
nearest of its points; in space it is that to the profile swept along the tangent of q at the foot f of the normal,

    d = D(x, z - q(f) - q'(f) (y - f)) / sqrt(1 + (D_z q'(f))^2),

exact for a profile of any shape that is straight along y, level or tilted, and to second order where y is bent.

A shell lies between two distances from the ground, each a function of x that ends softly at its sides in y; it lies on the
ground or on another shell, whose outer face is then its inner one, so that what swells below lifts what lies above.
Its own axes are arc length along x, y, and depth as a share of its thickness: fibers converge where it tapers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from insonate.core import FormatError
from insonate.core.units import Meters
from insonate.simulation.anatomy.shapes import TINY, Places, undulation

REFINED: tuple[Meters, Meters] = (-3e-3, 14e-3)
"""Between these distances from the surface the foot of the normal is sought; what is deep in bone is not seen [m]."""
STEPS = 2
"""In which the foot is sought along y."""
FINE: Meters = 0.02e-3
"""Between the points of a profile [m]."""
CELL: Meters = 0.25e-3
"""Of the table of distances [m]."""
CLOSE: Meters = 0.4e-3
"""Nearer than this the distance is that to the tangent at the nearest point [m]."""
MARGIN: Meters = 15e-3
"""A profile goes on straight so far beyond its stations, then stays [m]."""
DEEPEST: Meters = 62e-3
"""What is deeper lies in no window [m]."""


def _gradient(field_: Callable[[np.ndarray], np.ndarray], points: np.ndarray) -> np.ndarray:
    """Give the direction in which something grows at (n, 3) places, by differences, (n, 3) unit vectors."""
    step = 2 * CELL * np.eye(3)
    out = np.stack([field_(points + one) - field_(points - one) for one in step], axis=1)
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), TINY))


@dataclass(frozen=True, kw_only=True, eq=False)
class Relief:
    """Ground: a bone with a surface."""

    name: str
    """Of the structure."""
    stations: np.ndarray
    """(n, 2) x and depth of the surface, x increasing [m]."""
    middle: Meters = 0.0
    """y where it is highest [m]."""
    radius: Meters = np.inf
    """Of its curvature along y, positive where it is convex to the skin [m]."""
    slope: float = 0.0
    """Of depth over y."""
    rough: tuple[tuple[Meters, Meters], ...] = ()
    """Size and length of random undulations [m]."""
    rng_seed: tuple[int, ...] = (0,)
    """Of the undulations."""
    _profile: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.stations) < 2 or (np.diff(self.stations[:, 0]) <= 0).any():
            raise FormatError(f"relief '{self.name}' must have two stations or more, each further along x")
        first, last = self.stations[0, 0], self.stations[-1, 0]
        x = np.arange(first - MARGIN, last + MARGIN + FINE, FINE)
        held = np.clip(x, first, last)
        course = PchipInterpolator(self.stations[:, 0], self.stations[:, 1])
        slopes = course.derivative()(held)
        depth = np.minimum(course(held) + slopes * (x - held), DEEPEST)
        arc = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(depth)))])
        object.__setattr__(self, "_profile", (x, depth, np.gradient(depth, FINE), arc))

    def _bend(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give q and its slope."""
        beside = y - y.dtype.type(self.middle)
        bend, tilt = (beside.dtype.type(one) for one in (1 / self.radius, self.slope))
        return beside * (beside * (bend / 2) + tilt), beside * bend + tilt

    @cached_property
    def _table(self) -> tuple[tuple[Meters, Meters], np.ndarray, np.ndarray, np.ndarray]:
        """Give the corner of a grid over x and z, and distance, its slope down and arc length there."""
        x, depth, slopes, arc = self._profile
        across = np.arange(x[0], x[-1] + CELL, CELL)
        down = np.arange(depth.min() - 20e-3, DEEPEST + CELL, CELL)
        grid = np.stack(np.meshgrid(across, down, indexing="ij"), axis=-1).reshape(-1, 2)
        even = np.searchsorted(arc, np.arange(0, arc[-1], 2 * FINE))  # cliffs have as many points as plains
        points = np.stack([x, depth], axis=1)[even]
        far, nearest = cKDTree(points).query(grid)
        nearest = even[np.minimum(nearest, len(even) - 1)]
        sign = np.where(np.interp(grid[:, 0], x, depth) > grid[:, 1], 1.0, -1.0)
        tangent = (depth[nearest] + slopes[nearest] * (grid[:, 0] - x[nearest]) - grid[:, 1]) / np.hypot(
            1, slopes[nearest]
        )
        away = np.where(far < CLOSE, tangent, sign * far)
        shape = (len(across), len(down))
        table = away.reshape(shape).astype(np.float32)
        return (
            (float(across[0]), float(down[0])),
            table,
            np.gradient(table, np.float32(CELL), axis=1),
            arc[nearest].reshape(shape).astype(np.float32),
        )

    def _look(self, table: np.ndarray, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        corner = self._table[0]
        cells = np.stack(np.broadcast_arrays((x - corner[0]) / CELL, (z - corner[1]) / CELL))
        return np.asarray(map_coordinates(table, cells, order=1, mode="nearest"), x.dtype)

    def _waves(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        out = np.zeros(np.broadcast(x, y).shape, np.result_type(x, y))
        rng = np.random.default_rng(self.rng_seed)
        for size, length in self.rough:
            out += undulation(rng, x, y, length=length, size=size)
        return out

    def distance(self, places: Places, within: tuple[Meters, Meters] = REFINED) -> np.ndarray:
        """Give the signed distance, negative in the ground, refined `within` so much of the surface [m]."""
        x, y, z = places
        _, away, fall, _ = self._table
        level, tilt = self._bend(y)
        under = z - level - self._waves(x, y)
        out = self._look(away, x, under)
        if not tilt.any():
            return out
        shape = out.shape
        steep = self._look(fall, x, under) * tilt
        out = np.asarray(out / np.sqrt(1 + steep**2))
        if np.isinf(self.radius):
            return out
        at = np.nonzero((out > within[0]) & (out < within[1]))
        if len(at[0]) == 0:
            return out
        x, y, under, level, steep = (np.broadcast_to(one, shape)[at] for one in (x, y, under, level, steep))
        near = out[at]
        for _ in range(STEPS):
            foot = y + near * steep / np.sqrt(1 + steep**2)
            at_foot, tilt = self._bend(foot)
            there = under + level - at_foot - tilt * (y - foot)
            steep = self._look(fall, x, there) * tilt
            near = self._look(away, x, there) / np.sqrt(1 + steep**2)
        out[at] = near
        return out

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give a box around it [m]."""
        top = float(self.stations[:, 1].min()) - 3 * sum(size for size, _ in self.rough)
        if self.radius < 0 or self.slope:
            top -= 20e-3
        return np.array([-np.inf, -np.inf, top]), np.array([np.inf, np.inf, np.inf])

    def frame(
        self, places: Places, away: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give (along, across, down) in its own axes: arc length along x, y, distance [m]."""
        x, y, z = places
        away = self.distance(places) if away is None else away
        along = self._look(self._table[3], x, z - self._bend(y)[0])
        return along, np.broadcast_to(y, away.shape), away

    def top(self, x: np.ndarray, y: np.ndarray, *, bottom: bool = False) -> np.ndarray:
        """Give the depth at which it begins over x and y [m]; it has no end: NaN."""
        grid, depth, _, _ = self._profile
        height = np.interp(x, grid, depth) + self._bend(y)[0] + self._waves(x, y)
        return np.full(height.shape, np.nan) if bottom else np.asarray(height)


@dataclass(frozen=True, kw_only=True, eq=False)
class Shell:
    """A layer on ground: cartilage, a tendon round a head of bone, a bursa on it."""

    name: str
    """Of the structure."""
    on: "Relief | Shell"
    """What it lies on."""
    stations: np.ndarray
    """(n, 3) x, inner and outer distance from what it lies on, x increasing [m]."""
    sides: tuple[Meters, Meters] = (-np.inf, np.inf)
    """y where it begins and ends [m]."""
    edge: Meters = 4e-3
    """Over which it thins out toward its sides [m]."""
    grain: str = "x"
    """Fibers run along x, round the ground, or along y."""
    waves: tuple[tuple[Meters, Meters], ...] = ()
    """Size and length of undulations of its outer face [m]."""
    rng_seed: tuple[int, ...] = (0,)
    """Of the undulations."""

    def __post_init__(self) -> None:
        if len(self.stations) < 2 or (np.diff(self.stations[:, 0]) <= 0).any():
            raise FormatError(f"shell '{self.name}' must have two stations or more, each further along x")
        if self.grain not in ("x", "y"):
            raise FormatError(f"shell '{self.name}': grain must be x or y, got '{self.grain}'")

    @property
    def ground(self) -> Relief:
        """What all below it lies on."""
        return self.on if isinstance(self.on, Relief) else self.on.ground

    @cached_property
    def _course(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x = np.arange(self.stations[0, 0], self.stations[-1, 0] + CELL / 4, CELL / 2)
        course = PchipInterpolator(self.stations[:, 0], self.stations[:, 1:], axis=0)
        values = course(np.minimum(x, self.stations[-1, 0]))
        return x, values[:, 0], values[:, 1]

    def faces(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the distance from the ground at which it begins and ends over x and y; equal where it is not [m]."""
        grid, inner, outer = self._course
        below = np.zeros(np.broadcast(x, y).shape) if isinstance(self.on, Relief) else self.on.faces(x, y)[1]
        begins = np.interp(x, grid, inner, left=0.0, right=0.0)
        thick = np.interp(x, grid, outer - inner, left=0.0, right=0.0)
        share = np.ones(np.broadcast(x, y).shape)
        for side, sign in zip(self.sides, (-1, 1), strict=True):
            if np.isfinite(side):
                into = np.clip(1 - sign * (side - y) / self.edge, 0, 1)
                share = share * np.sqrt(1 - into**2)
        rng = np.random.default_rng(self.rng_seed)
        wave = sum(
            (undulation(rng, x, y, length=length, size=size) for size, length in self.waves), np.zeros(1)
        )
        # where it is thin its waves are small, so that it does not tear
        thick = np.maximum(thick + np.clip(wave, -0.45 * thick, 0.45 * thick), 0)
        kind = np.result_type(x, y)
        begins = below + begins * share
        return begins.astype(kind), (begins + thick * share).astype(kind)

    def distance(self, places: Places, away: np.ndarray | None = None) -> np.ndarray:
        """Give the signed distance, from that to its ground where it is known [m]."""
        x, y, _ = places
        inner, outer = self.faces(x, y)
        away = self.ground.distance(places) if away is None else away
        out = np.maximum(inner - away, away - outer)
        # beyond its ends it is as far as they are
        beyond = np.maximum(np.maximum(self.stations[0, 0] - x, x - self.stations[-1, 0]), 0)
        out = np.where(beyond > 0, np.hypot(np.maximum(out, 0), beyond), out)
        return np.asarray(np.where(outer - inner < TINY, np.maximum(out, 1e-5), out))

    @property
    def highest(self) -> Meters:
        """What no part of it is further from the ground than [m]."""
        highest = float(self.stations[:, 1:].max()) * 1.45
        return highest if isinstance(self.on, Relief) else highest + self.on.highest

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give a box around it [m]."""
        x = np.linspace(self.stations[0, 0], self.stations[-1, 0], 100)
        beside = np.array([max(self.sides[0], -0.06), self.ground.middle, min(self.sides[1], 0.06)])
        depth = self.ground.top(x[:, None], beside[None, :])
        reach = self.highest
        steep = np.abs(np.gradient(depth, x, axis=0)).max()
        low = np.array([x[0] - 1e-3, self.sides[0], depth.min() - reach * np.hypot(1, min(steep, 3))])
        return low, np.array([x[-1] + 1e-3, self.sides[1], depth.max() + 1e-3])

    def frame(
        self, places: Places, away: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give (along, across, down) in its own axes; down is stretched to an even thickness [m]."""
        arc, beside, away = self.ground.frame(places, away)
        inner, outer = self.faces(places[0], places[1])
        even = float(np.median(self.stations[:, 2] - self.stations[:, 1]))
        down = (away - inner) / np.maximum(outer - inner, 0.25 * even) * even
        return (arc, beside, down) if self.grain == "x" else (beside, arc, down)

    def direction(self, points: np.ndarray, pennation: float = 0.0) -> np.ndarray:
        """Give the unit vector along its fibers at (n, 3) places, turned out of the ground by a pennation, (n, 3)."""

        def down(at: np.ndarray) -> np.ndarray:
            return self.frame((at[:, 0], at[:, 1], at[:, 2]))[2]

        normal = _gradient(down, points)
        along = np.eye(3)[0 if self.grain == "x" else 1]
        out = along - normal * (normal @ along)[:, None]
        out = out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), TINY) + np.tan(pennation) * normal
        return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True))

    def top(self, x: np.ndarray, y: np.ndarray, *, bottom: bool = False) -> np.ndarray:
        """Give the depth at which it begins, or ends, over x and y; NaN where it is not [m]."""
        inner, outer = self.faces(x, y)
        wanted = inner if bottom else outer
        depth = self.ground.top(x, y)
        flat = np.broadcast_arrays(x, y, depth)
        found = flat[2].astype(float)
        for _ in range(8):
            away = self.ground.distance((np.asarray(flat[0], float), np.asarray(flat[1], float), found))
            found = found + (away - wanted)
        return np.asarray(np.where(outer - inner < TINY, np.nan, found))


def relief(block: Mapping[str, Any], seed: tuple[int, ...]) -> Relief:
    """Make ground of its block; lengths of the block in millimeters."""
    rows = []
    for station in block["stations"]:
        missing = sorted({"x_mm", "z_mm"} - set(station))
        if missing:
            raise FormatError(f"relief '{block['name']}': each station must have '{missing[0]}'")
        rows.append([station["x_mm"] * 1e-3, station["z_mm"] * 1e-3])
    return Relief(
        name=block["name"],
        stations=np.array(rows),
        middle=block.get("middle_mm", 0.0) * 1e-3,
        radius=block["round_mm"] * 1e-3 if "round_mm" in block else np.inf,
        slope=block.get("slope_y", 0.0),
        rough=_lengths(block.get("waves", ())),
        rng_seed=seed,
    )


def shell(block: Mapping[str, Any], made: Mapping[str, Any], seed: tuple[int, ...]) -> Shell:
    """Make a layer of its block, on what was made before; lengths of the block in millimeters."""
    on = made.get(block["on"])
    if not isinstance(on, Relief | Shell):
        known = ", ".join(name for name, one in made.items() if isinstance(one, Relief | Shell))
        raise FormatError(
            f"shell '{block['name']}' must lie on a relief or a shell before it ({known or 'none'}), got '{block['on']}'"
        )
    rows = []
    for station in block["stations"]:
        missing = sorted({"x_mm", "to_mm"} - set(station))
        if missing:
            raise FormatError(f"shell '{block['name']}': each station must have '{missing[0]}'")
        rows.append([station["x_mm"], station.get("from_mm", 0.0), station["to_mm"]])
    return Shell(
        name=block["name"],
        on=on,
        stations=np.array(rows) * 1e-3,
        sides=(block.get("from_y_mm", -np.inf) * 1e-3, block.get("to_y_mm", np.inf) * 1e-3),
        edge=block.get("edge_mm", 4.0) * 1e-3,
        grain=block.get("grain", "x"),
        waves=_lengths(block.get("waves", ())),
        rng_seed=seed,
    )


def _lengths(waves: Any) -> tuple[tuple[Meters, Meters], ...]:
    return tuple((float(size) * 1e-3, float(length) * 1e-3) for size, length in waves)
