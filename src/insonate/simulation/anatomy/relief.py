"""Ground with a surface: bone whose cortex is a depth h over x and y, and layers that lie on it, each a share of its normal.

    h(x, y) = p(x) + (y - y0)^2 / 2 R + slope (y - y0) + roughness,     inside where z > h,

p monotone between its stations (no overshoot). The signed distance is that to the tangent plane at the foot of the normal,
found by fixed point from d = (h - z) / |(h', -1)|:

    f <- q - d N,    d <- (h(f) + h'(f) . (q - f) - z) / |(h'(f), -1)|,    N the unit normal out of the ground,

exact for a plane, and for a surface of curvature k where |d| k < 1.

A shell lies between two distances from the ground, each a function of x that ends softly at its sides in y; it lies on the
ground or on another shell, whose outer face is then its inner one, so that what swells below lifts what lies above.
Its own axes are arc length along x, y, and depth as a share of its thickness: fibers converge where it tapers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from insonate.core import FormatError
from insonate.core.units import Meters
from insonate.simulation.anatomy.shapes import TINY, Places, undulation

REFINED: tuple[Meters, Meters] = (-3e-3, 14e-3)
"""Between these distances from the surface the foot of the normal is sought; what is deep in bone is not seen [m]."""
STEPS = 3
"""Of the fixed point: an error below 10 um at 10 mm from a ball of 24 mm."""
FINE: Meters = 0.1e-3
"""Between the entries of a profile [m]."""
MARGIN: Meters = 30e-3
"""A profile goes on straight so far beyond its stations, then stays [m]."""


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
        depth = course(held) + slopes * (x - held)
        arc = np.concatenate([[0.0], np.cumsum(np.hypot(1, (slopes[1:] + slopes[:-1]) / 2) * FINE)])
        table = tuple(one.astype(np.float32) for one in (x, depth, slopes, arc))
        object.__setattr__(self, "_profile", table)

    def _at(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give depth without roughness, and its slopes over x and y."""
        grid, depth, slopes, _ = self._profile
        beside = y - y.dtype.type(self.middle)
        bend = beside.dtype.type(1 / self.radius)
        tilt = beside.dtype.type(self.slope)
        out = np.interp(x, grid, depth).astype(x.dtype) + beside * (beside * (bend / 2) + tilt)
        return out, np.interp(x, grid, slopes).astype(x.dtype), beside * bend + tilt

    def _waves(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        out = np.zeros(np.broadcast(x, y).shape, np.result_type(x, y))
        rng = np.random.default_rng(self.rng_seed)
        for size, length in self.rough:
            out += undulation(rng, x, y, length=length, size=size)
        return out

    def distance(self, places: Places, within: tuple[Meters, Meters] = REFINED) -> np.ndarray:
        """Give the signed distance, negative in the ground, refined `within` so much of the surface [m]."""
        x, y, z = places
        height, over_x, over_y = self._at(x, y)
        rough = self._waves(x, y)
        long = np.sqrt(1 + over_x**2 + over_y**2)
        out = np.asarray((height + rough - z) / long)
        at = np.nonzero((out > within[0]) & (out < within[1]))
        if len(at[0]) == 0:
            return out
        x, y, z, rough = (np.broadcast_to(one, out.shape)[at] for one in (x, y, z, rough))
        over_x, over_y, long = (np.broadcast_to(one, out.shape)[at] for one in (over_x, over_y, long))
        near = out[at]
        z = z - rough
        for _ in range(STEPS):
            foot_x, foot_y = x - near * over_x / long, y - near * over_y / long
            height, over_x, over_y = self._at(foot_x, foot_y)
            long = np.sqrt(1 + over_x**2 + over_y**2)
            near = (height + over_x * (x - foot_x) + over_y * (y - foot_y) - z) / long
        out[at] = near
        return out

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give a box around it [m]."""
        grid, depth, _, _ = self._profile
        within = (grid >= self.stations[0, 0] - 1e-3) & (grid <= self.stations[-1, 0] + 1e-3)
        top = float(depth[within].min()) - 3 * sum(size for size, _ in self.rough)
        if self.radius < 0 or self.slope:
            top -= 20e-3
        return np.array([-np.inf, -np.inf, top]), np.array([np.inf, np.inf, np.inf])

    def frame(
        self, places: Places, away: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give (along, across, down) in its own axes: arc length along x, y, distance [m]."""
        x, y, _ = places
        _, over_x, over_y = self._at(x, y)
        away = self.distance(places) if away is None else away
        foot = x - away * over_x / np.sqrt(1 + over_x**2 + over_y**2)
        grid, _, _, arc = self._profile
        return np.interp(foot, grid, arc).astype(away.dtype), np.broadcast_to(y, away.shape), away

    def normal(self, points: np.ndarray) -> np.ndarray:
        """Give the unit normal out of the ground at the feet of (n, 3) places, (n, 3)."""
        x, y = points[:, 0], points[:, 1]
        away = self.distance((x, y, points[:, 2]))
        _, over_x, over_y = self._at(x, y)
        for _ in range(STEPS):
            long = np.sqrt(1 + over_x**2 + over_y**2)
            _, over_x, over_y = self._at(x - away * over_x / long, y - away * over_y / long)
        out = np.stack([over_x, over_y, -np.ones_like(over_x)], axis=1)
        return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True))

    def top(self, x: np.ndarray, y: np.ndarray, *, bottom: bool = False) -> np.ndarray:
        """Give the depth at which it begins over x and y [m]; it has no end: NaN."""
        height = self._at(x, y)[0] + self._waves(x, y)
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
        x = np.arange(self.stations[0, 0], self.stations[-1, 0] + FINE / 2, FINE)
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
        normal = self.ground.normal(points)
        along = np.eye(3)[0 if self.grain == "x" else 1]
        out = along - normal * (normal @ along)[:, None]
        out = out / np.linalg.norm(out, axis=1, keepdims=True) + np.tan(pennation) * normal
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
