"""Shapes as signed distances: negative inside, zero on the surface, in meters.

A tube has a middle c(s) along an axis s, half axes a(s), b(s) and a turn; with (u, v) the offset in its section and
rho = |(u / a, v / b)| / e(angle, s), e its uneven outline, the distance is f / |grad f| to first order:

    d = (rho - 1) rho / |(u / a^2, v / b^2)| / sqrt(1 + (n . c')^2)

exact for a straight round tube. An arch is a tube along a part of a circle, whose nearest place is found by its angle: exact
where its section is round. Surfaces are depths over x and y: sums of waves with random directions and phases, closed
forms of the place, so that neighboring windows agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from scipy.interpolate import PchipInterpolator

from insonate.core import FormatError
from insonate.simulation.anatomy import kernels

TINY = 1e-12
"""Keeps a quotient finite [m or 1]."""

WAVES = 20
"""Of a random undulation."""

MANY = 10_000
"""Places from which on a compiled kernel is worth its call."""

AXES: Mapping[str, int] = {"x": 0, "y": 1, "z": 2}
"""Of the patient."""


Places = tuple[np.ndarray, np.ndarray, np.ndarray]
"""x, y and z of places, broadcast against each other, patient frame [m]."""


class Solid(Protocol):
    """What has an inside."""

    @property
    def name(self) -> str:
        """Of the structure."""
        ...

    def distance(self, places: Places) -> np.ndarray:
        """Give the signed distance [m]."""
        ...

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the smallest and largest corner of a box around it, (3,) each [m]."""
        ...

    def frame(self, places: Places) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give (along, across, down) in its own axes [m]."""
        ...

    def top(self, x: np.ndarray, y: np.ndarray, *, bottom: bool = False) -> np.ndarray:
        """Give the depth at which it begins, or ends, over x and y; NaN where it is not [m]."""
        ...


def undulation(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, *, length: float, size: float
) -> np.ndarray:
    """Give a random undulation.

    Parameters
    ----------
    rng : numpy.random.Generator
        Decides it.
    x, y : numpy.ndarray
        Places, any shape [m].
    length : float
        Correlation length: the Gaussian's deviation [m].
    size : float
        Standard deviation, in the unit of the result.

    Returns
    -------
    numpy.ndarray
        Of the shape of x + y.
    """
    vectors = rng.normal(size=(WAVES, 2)) / length
    vectors[:, 1] *= 0.5  # limbs are more alike along than across
    phases = rng.uniform(0, 2 * np.pi, WAVES)
    if np.ndim(x) == np.ndim(y) == 2 and np.shape(x)[1] == 1 and np.shape(y)[0] == 1:
        # over a grid a wave is the product of two: cos(a + b) = cos a cos b - sin a sin b
        a, b = vectors[:, 0] * x + phases, vectors[:, 1:] * y
        out = np.cos(a) @ np.cos(b) - np.sin(a) @ np.sin(b)
    else:
        out = np.zeros(np.broadcast(x, y).shape)
        for (kx, ky), phase in zip(vectors, phases, strict=True):
            out += np.cos(kx * x + ky * y + phase)
    return np.asarray(out * size * np.sqrt(2 / WAVES))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outline:
    """How an outline strays from an ellipse: harmonics that wander along the tube."""

    sizes: np.ndarray
    """(n,) of harmonics 2, 3, …, 1."""
    phases: np.ndarray
    """(n,) [rad]."""
    drift: np.ndarray
    """(n,) how the phase turns along the tube [rad/m]."""

    @classmethod
    def drawn(cls, rng: np.random.Generator, uneven: float) -> "Outline":
        """Draw one of a given unevenness, 1."""
        orders = np.arange(2, 7)
        return cls(
            sizes=uneven * rng.uniform(0.4, 1.2, 5) / (orders - 1) ** 0.7,
            phases=rng.uniform(0, 2 * np.pi, 5),
            drift=rng.normal(0, 90.0, 5),
        )

    def at(self, u: np.ndarray, v: np.ndarray, along: np.ndarray) -> np.ndarray:
        """Give the radius over that of the ellipse in the direction (u, v), 1."""
        if u.dtype == np.float32 and u.size > MANY:
            waves = self.sizes * np.exp(1j * (self.phases + self.drift * along[..., None]))
            return np.asarray(kernels.get().outline(u, v, waves.astype(np.complex64)))
        kind = np.result_type(u, np.complex64)
        turn = (u + 1j * v).astype(kind)
        turn /= np.maximum(np.abs(turn), TINY)
        power = turn
        out = np.ones(np.broadcast(u, v, along).shape, turn.real.dtype)
        for size, phase, drift in zip(self.sizes, self.phases, self.drift, strict=True):
            power = power * turn
            out += size * (power * np.exp(1j * (phase + drift * along)).astype(kind)).imag
        return np.maximum(out, 0.4)


@dataclass(frozen=True, kw_only=True, eq=False)
class Tube:
    """A solid along a spline."""

    name: str
    """Of the structure."""
    axis: int
    """The axis of the patient along which its stations increase."""
    stations: np.ndarray
    """(n, 6) place along the axis, the two others in their order, width, height [m], turn [rad]."""
    outline: Outline
    """How uneven."""
    closed: tuple[bool, bool] = (False, False)
    """Whether it ends at its first and last station; else it goes on straight."""
    _course: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        order = np.argsort(self.stations[:, 0])
        stations = self.stations[order]
        if len(stations) < 2 or (np.diff(stations[:, 0]) <= 0).any():
            raise FormatError(
                f"tube '{self.name}' must have two stations or more, each further along its axis"
            )
        object.__setattr__(self, "stations", stations)
        course = PchipInterpolator(stations[:, 0], stations[:, 1:], axis=0, extrapolate=True)
        object.__setattr__(self, "_course", (course, course.derivative()))

    @property
    def across(self) -> tuple[int, int]:
        """The two other axes."""
        first, second = (axis for axis in range(3) if axis != self.axis)
        return first, second

    def at(self, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give middle, half axes and turn at places along the axis, (..., 5), and their slopes."""
        ends = self.stations[[0, -1], 0]
        held = np.clip(along, *ends)
        values = self._course[0](held)
        slopes = self._course[1](held)
        values[..., 3] = np.maximum(values[..., 3], TINY)
        beyond = (along - held)[..., None]
        values[..., :2] += slopes[..., :2] * beyond
        values[..., 2:4] /= 2  # widths to half axes
        kind = np.result_type(along, np.float32)
        return values.astype(kind), slopes.astype(kind)

    def _local(self, places: Places) -> tuple[np.ndarray, ...]:
        along = places[self.axis]
        values, slopes = self.at(along)
        first, second = self.across
        du, dv = places[first] - values[..., 0], places[second] - values[..., 1]
        cosine, sine = np.cos(values[..., 4]), np.sin(values[..., 4])
        return along, cosine * du + sine * dv, cosine * dv - sine * du, values, slopes

    def section(self, places: Places) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give places in the section as shares of the half axes, (u, v), 1 on the even outline, and half axes there."""
        _, u, v, values, _ = self._local(places)
        return u / values[..., 2], v / values[..., 3], values[..., 2:4]

    def distance(self, places: Places) -> np.ndarray:
        """Give the signed distance [m]."""
        along, u, v, values, slopes = self._local(places)
        a, b = values[..., 2], values[..., 3]
        un, vn = u / a, v / b
        even = np.hypot(un, vn)
        rho = even
        if self.outline.sizes.any():
            rho = even / self.outline.at(un, vn, along)
        nu, nv = un / a, vn / b
        steep = np.maximum(np.hypot(nu, nv), TINY)
        out = (rho - 1) * even / steep
        out = np.where(rho < 1e-4, -np.minimum(a, b), out)
        if np.abs(slopes[..., :2]).max(initial=0) > 1e-6:
            cosine, sine = np.cos(values[..., 4]), np.sin(values[..., 4])
            tilt = (cosine * nu - sine * nv) * slopes[..., 0] + (sine * nu + cosine * nv) * slopes[..., 1]
            out = out / np.sqrt(1 + (tilt / steep) ** 2)
        for closed, end, sign in zip(self.closed, self.stations[[0, -1], 0], (-1, 1), strict=True):
            if closed:
                beyond = (along - end) * sign
                both = (out > 0) & (beyond > 0)
                out = np.where(
                    both, np.hypot(np.maximum(out, 0), np.maximum(beyond, 0)), np.maximum(out, beyond)
                )
        return np.asarray(out)

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give a box around it [m]."""
        along = np.linspace(self.stations[0, 0] - 0.05, self.stations[-1, 0] + 0.05, 200)
        values, _ = self.at(along)
        swell = 1 + float(np.abs(self.outline.sizes).sum())
        reach = np.maximum(values[:, 2], values[:, 3])[:, None] * swell
        low, high = np.empty(3), np.empty(3)
        low[self.axis], high[self.axis] = -np.inf, np.inf
        for closed, at, sign in zip(self.closed, (0, -1), (-1, 1), strict=True):
            if closed:
                (low if sign < 0 else high)[self.axis] = self.stations[at, 0]
        seen = (along >= max(low[self.axis], along[0])) & (along <= min(high[self.axis], along[-1]))
        inside = values[seen]
        first, second = self.across
        low[[first, second]] = (inside[:, :2] - reach[seen]).min(axis=0)
        high[[first, second]] = (inside[:, :2] + reach[seen]).max(axis=0)
        return low, high

    def frame(self, places: Places) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give (along, across, down) in its own axes [m]."""
        along, u, v, _, _ = self._local(places)
        return along, u, v

    def direction(self, along: np.ndarray) -> np.ndarray:
        """Give the unit vector along it at places of its axis, (..., 3)."""
        _, slopes = self.at(along)
        out = np.zeros((*np.shape(along), 3))
        out[..., self.axis] = 1
        out[..., self.across[0]], out[..., self.across[1]] = slopes[..., 0], slopes[..., 1]
        return np.asarray(out / np.linalg.norm(out, axis=-1, keepdims=True))

    def top(self, x: np.ndarray, y: np.ndarray, *, bottom: bool = False) -> np.ndarray:
        """Give the depth at which it begins, or ends, over x and y; NaN where it is not [m]."""
        shape = np.broadcast(x, y).shape
        x, y = np.broadcast_to(x, shape), np.broadcast_to(y, shape)
        if self.axis == 2:
            return np.full(shape, np.nan)
        along, beside = (y, x) if self.axis == 1 else (x, y)
        values, _ = self.at(along)
        a, b, turn = values[..., 2], values[..., 3], values[..., 4]
        cosine, sine = np.cos(turn), np.sin(turn)
        offset = beside - values[..., 0]
        qz = sine**2 / a**2 + cosine**2 / b**2
        qx = cosine**2 / a**2 + sine**2 / b**2
        mixed = cosine * sine * (1 / a**2 - 1 / b**2)
        inside = mixed**2 * offset**2 - qz * (qx * offset**2 - 1)
        root = np.sqrt(np.where(inside < 0, np.nan, inside))
        depth = values[..., 1] + (-mixed * offset + (root if bottom else -root)) / qz
        for closed, end, sign in zip(self.closed, self.stations[[0, -1], 0], (-1, 1), strict=True):
            if closed:
                depth = np.where((along - end) * sign > 0, np.nan, depth)
        return np.asarray(depth)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ellipsoid:
    """A solid with a middle and three half axes, turned about the limb."""

    name: str
    """Of the structure."""
    middle: np.ndarray
    """(3,) [m]."""
    half: np.ndarray
    """(3,) [m]."""
    turn: float
    """About y, from x toward z [rad]."""
    outline: Outline
    """How uneven."""

    def frame(self, places: Places) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give (along, across, down) in its own axes [m]."""
        x, y, z = (
            place - place.dtype.type(middle) for place, middle in zip(places, self.middle, strict=True)
        )
        cosine, sine = float(np.cos(self.turn)), float(np.sin(self.turn))
        return y, cosine * x + sine * z, cosine * z - sine * x

    def distance(self, places: Places) -> np.ndarray:
        """Give the signed distance [m]."""
        along, u, v = self.frame(places)
        half = [float(size) for size in self.half]
        un, yn, vn = u / half[0], along / half[1], v / half[2]
        even = np.sqrt(un**2 + yn**2 + vn**2)
        rho = even / self.outline.at(un, vn, along) if self.outline.sizes.any() else even
        steep = np.sqrt((un / half[0]) ** 2 + (yn / half[1]) ** 2 + (vn / half[2]) ** 2)
        return np.asarray(np.where(rho < 1e-4, -self.half.min(), (rho - 1) * even / np.maximum(steep, TINY)))

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give a box around it [m]."""
        reach = np.array([self.half[[0, 2]].max(), self.half[1], self.half[[0, 2]].max()])
        reach = reach * (1 + float(np.abs(self.outline.sizes).sum()))
        return self.middle - reach, self.middle + reach

    def top(self, x: np.ndarray, y: np.ndarray, *, bottom: bool = False) -> np.ndarray:
        """Give the depth at which it begins, or ends, over x and y; NaN where it is not [m]."""
        reach = np.array([self.half[[0, 2]].max(), self.half[1]])
        far = ((x - self.middle[0]) / reach[0]) ** 2 + ((y - self.middle[1]) / reach[1]) ** 2
        height = self.half[2] * np.sqrt(np.where(far > 1, np.nan, 1 - far))
        return np.asarray(self.middle[2] + (height if bottom else -height))


@dataclass(frozen=True, kw_only=True, eq=False)
class Arch:
    """A solid along a part of a circle, its ends rounded: a rib."""

    name: str
    """Of the structure."""
    middle: np.ndarray
    """(3,) of the circle [m]."""
    axes: np.ndarray
    """(3, 3) rows: where angles begin, where they go, across the plane of the circle; unit vectors, patient frame."""
    radius: float
    """Of the circle [m]."""
    span: tuple[float, float]
    """First and last angle, less than a whole turn apart [rad]."""
    half: tuple[float, float]
    """Half axes of the section: along the radius, across the plane [m]."""
    turn: float
    """Of the section, from the radius toward across the plane [rad]."""
    outline: Outline
    """How uneven."""

    def __post_init__(self) -> None:
        if not 0 < self.span[1] - self.span[0] <= 2 * np.pi:
            raise FormatError(
                f"arch '{self.name}' must end less than a turn after it begins, got "
                f"{np.degrees(self.span[0]):g} to {np.degrees(self.span[1]):g} degrees"
            )

    def _local(self, places: Places) -> tuple[np.ndarray, ...]:
        """Give the angle held to the span, and the offset from the circle there: outward, across, beyond an end."""
        kind = np.result_type(*places, np.float32)
        p, q, r = (
            sum(
                (place - place.dtype.type(middle)) * kind.type(part)
                for place, middle, part in zip(places, self.middle, axis, strict=True)
            )
            for axis in self.axes
        )
        mean, reach = sum(self.span) / 2, (self.span[1] - self.span[0]) / 2
        angle = np.angle((p + 1j * q) * np.exp(-1j * mean).astype(np.result_type(kind, np.complex64)))
        held = np.clip(angle, -reach, reach)
        cosine, sine = np.cos(held + kind.type(mean)), np.sin(held + kind.type(mean))
        return held, p * cosine + q * sine - kind.type(self.radius), r, q * cosine - p * sine

    def frame(self, places: Places) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give (along, across, down) in its own axes [m]."""
        held, outward, across, beyond = self._local(places)
        cosine, sine = float(np.cos(self.turn)), float(np.sin(self.turn))
        along = held * held.dtype.type(self.radius) + beyond
        return along, cosine * outward + sine * across, cosine * across - sine * outward

    def distance(self, places: Places) -> np.ndarray:
        """Give the signed distance [m]."""
        held, outward, across, beyond = self._local(places)
        cosine, sine = float(np.cos(self.turn)), float(np.sin(self.turn))
        a, b = self.half
        c = min(a, b)
        un, vn = (cosine * outward + sine * across) / a, (cosine * across - sine * outward) / b
        wn = beyond / c
        even = np.sqrt(un**2 + vn**2 + wn**2)
        along = held * held.dtype.type(self.radius)
        rho = even / self.outline.at(un, vn, along) if self.outline.sizes.any() else even
        steep = np.sqrt((un / a) ** 2 + (vn / b) ** 2 + (wn / c) ** 2)
        return np.asarray(np.where(rho < 1e-4, -c, (rho - 1) * even / np.maximum(steep, TINY)))

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give a box around it [m]."""
        angle = np.linspace(*self.span, 181)[:, None]
        line = self.middle + self.radius * (np.cos(angle) * self.axes[0] + np.sin(angle) * self.axes[1])
        reach = max(self.half) * (1 + float(np.abs(self.outline.sizes).sum())) + 1e-3 * self.radius
        return line.min(axis=0) - reach, line.max(axis=0) + reach

    def top(self, x: np.ndarray, y: np.ndarray, *, bottom: bool = False) -> np.ndarray:
        """Give the depth at which it begins, or ends, over x and y; NaN where it is not [m].

        Found between samples 0.25 mm apart.
        """
        shape = np.broadcast(x, y).shape
        out = np.full(shape, np.nan)
        low, high = self.bounds()
        x, y = np.broadcast_to(x, shape), np.broadcast_to(y, shape)
        near = (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
        depth = np.arange(low[2], high[2] + 0.25e-3, 0.25e-3)
        if bottom:
            depth = depth[::-1]
        places = np.argwhere(near)
        for first in range(0, len(places), 20_000):
            at = tuple(places[first : first + 20_000].T)
            line = self.distance((x[at][:, None], y[at][:, None], depth[None, :]))
            inside = line < 0
            begin = np.argmax(inside, axis=1)
            found = inside.any(axis=1)
            rows = np.arange(len(begin))
            before = np.maximum(begin - 1, 0)
            outer, inner = line[rows, before], line[rows, begin]
            part = np.clip(outer / np.where(outer > inner, outer - inner, 1), 0, 1)
            out[at] = np.where(found, depth[before] + part * (depth[begin] - depth[before]), np.nan)
        return out


def draped(
    depth: np.ndarray,
    solid: Solid,
    x: np.ndarray,
    y: np.ndarray,
    *,
    gap: float,
    under: bool = False,
    soft: float = 0.8e-3,
) -> np.ndarray:
    """Lift a surface over a solid, or press it under one, like cloth.

    Parameters
    ----------
    depth : numpy.ndarray
        (nx, ny) of the surface [m].
    solid : Solid
        What is covered.
    x, y : numpy.ndarray
        (nx, 1) and (1, ny) [m].
    gap : float
        Left between [m].
    under : bool
        Pass below instead.
    soft : float
        Over which it bends [m].

    Returns
    -------
    numpy.ndarray
        (nx, ny) [m].
    """
    edge = solid.top(x, y, bottom=under)
    sign = -1.0 if under else 1.0
    far = 0.1
    limit = np.where(np.isnan(edge), far, sign * edge - gap)
    base = sign * depth
    # a soft minimum, widened so that the cloth leaves the solid as a tent and not as a step
    lowered = -soft * np.logaddexp(-limit / soft, -base / soft)
    lifted = np.minimum(base, lowered)
    step = float(abs(x[1, 0] - x[0, 0])) if x.shape[0] > 1 else 1e-3
    steepest = 0.55 * step
    rise = steepest * np.arange(lifted.shape[0])[:, None]
    lifted = np.minimum.accumulate(lifted - rise, axis=0) + rise
    rise = rise[::-1]
    lifted = np.minimum.accumulate((lifted - rise)[::-1], axis=0)[::-1] + rise
    return np.asarray(sign * lifted)


def overlap(one: Solid, other: Solid, places: Places) -> float:
    """Give how deep two solids lie in each other at most over places, 0 where they do not [m]."""
    both = np.minimum(-one.distance(places), -other.distance(places))
    return float(max(both.max(initial=0.0), 0.0))


def tube(block: Mapping[str, Any], rng: np.random.Generator) -> Tube:
    """Make a tube of its block; lengths of the block in millimeters."""
    axis = AXES.get(block.get("axis", "y"))
    if axis is None:
        raise FormatError(f"tube '{block['name']}': axis must be x, y or z, got '{block['axis']}'")
    keys = [f"{name}_mm" for name in "xyz"]
    order = [keys[axis], *(key for at, key in enumerate(keys) if at != axis)]
    rows = []
    for station in block["stations"]:
        missing = sorted({*order, "width_mm", "height_mm"} - set(station))
        if missing:
            raise FormatError(f"tube '{block['name']}': each station must have '{missing[0]}'")
        places = [station[key] * 1e-3 for key in (*order, "width_mm", "height_mm")]
        rows.append([*places, np.radians(station.get("turn_deg", 0.0))])
    ends = block.get("ends", [0, 0])
    return Tube(
        name=block["name"],
        axis=axis,
        stations=np.array(rows),
        outline=Outline.drawn(rng, float(block.get("uneven", 0.0))),
        closed=(bool(ends[0]), bool(ends[1])),
    )


def ellipsoid(block: Mapping[str, Any], rng: np.random.Generator) -> Ellipsoid:
    """Make an ellipsoid of its block; lengths of the block in millimeters, sizes are whole axes."""
    return Ellipsoid(
        name=block["name"],
        middle=np.array([block["x_mm"], block["y_mm"], block["z_mm"]]) * 1e-3,
        half=np.array([block["width_mm"], block["length_mm"], block["height_mm"]]) * 0.5e-3,
        turn=float(np.radians(block.get("turn_deg", 0.0))),
        outline=Outline.drawn(rng, float(block.get("uneven", 0.0))),
    )


def arch(block: Mapping[str, Any], rng: np.random.Generator) -> Arch:
    """Make an arch of its block, its circle flat, then pitched about x and rolled about y; lengths in millimeters."""
    pitch, roll = (np.radians(block.get(key, 0.0)) for key in ("pitch_deg", "roll_deg"))
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]], dtype=float
    )
    about_y = np.array(
        [[np.cos(roll), 0, np.sin(roll)], [0, 1, 0], [-np.sin(roll), 0, np.cos(roll)]], dtype=float
    )
    return Arch(
        name=block["name"],
        middle=np.array([block["x_mm"], block["y_mm"], block["z_mm"]]) * 1e-3,
        axes=about_x @ about_y,
        radius=block["radius_mm"] * 1e-3,
        span=(float(np.radians(block["from_deg"])), float(np.radians(block["to_deg"]))),
        half=(block["width_mm"] * 0.5e-3, block["height_mm"] * 0.5e-3),
        turn=float(np.radians(block.get("turn_deg", 0.0))),
        outline=Outline.drawn(rng, float(block.get("uneven", 0.0))),
    )
