"""A face pressed into layered tissue: how deep it goes, how tissue gives way, where it loses the skin.

Depth follows force as d = H e (1 - exp(-F / F0)), with H the depth to bone (or the window's floor), e the largest strain.
Below the face every layer carries the same stress, so that its strain goes as its compliance c = 1 / mu (Reuss):

    f(z) = int_z^H c dz / int_d^H c dz,   f = 1 above the face.

Tissue flows with v = (-k f' B P, -(1 - k) f' A Q, A B f) along face, across it and down, where A(x) is the indentation
under the face less a bulge around it, B(y) the same across the face, P and Q their integrals, and k the share that leaves
along the face. As P' = A and Q' = B, div v = A B (-k f' - (1 - k) f' + f') = 0: no volume is made, and as A and B sum to
zero, nothing moves far away. Displacement is the flow over one unit of its own time, which keeps volume when it is large.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from insonate.core import CoordinateFrame, Pose, RangeError, Tissue
from insonate.core.units import Meters, Newtons
from insonate.simulation.facts import facts
from insonate.simulation.medium import Body, Plane
from insonate.simulation.motion import kernels
from insonate.simulation.motion.move import Move

STEP: Meters = 2e-3
"""Most that the face sinks in one step of the midpoint rule, of which there are two at least [m]."""

FINE: Meters = 5e-5
"""Between the entries of a profile across the face [m]."""

SOFT: Meters = 4e-4
"""Over which an edge that rises out of the skin lets go of it [m]."""

SOFTEST = 1e3
"""Shear modulus below which blood and fluid count as this: walls and neighbors carry the stress [Pa]."""

HIGHEST: Meters = 0.009
"""A probe lifted further counts as lifted so far: there is air in either case [m]."""

STEEPEST = 0.5
"""Cosine of the largest angle between the probe's axis and straight down: 60 degrees."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layers:
    """How much each depth of a body gives."""

    depth: np.ndarray
    """(n,) [m]."""
    compliance: np.ndarray
    """(n,) mean of 1 / shear modulus over the window [1/Pa]."""
    bone: Meters
    """Where bone or the floor of the window begins [m]."""


def layers(body: Body) -> Layers:
    """Measure the layers of a body in the middle of its window.

    Parameters
    ----------
    body : Body
        Any.

    Returns
    -------
    Layers
        Smoothed over 2 mm.
    """
    low, high = body.extent
    middle = (low + high) / 2
    floor = float(high[2])
    pose = Pose(
        rotation=np.eye(3),
        translation=np.array([middle[0], middle[1], 0.0]),
        source=CoordinateFrame.PROBE,
        target=CoordinateFrame.PATIENT,
        time=0,
    )
    n = 96
    width = 0.6 * float(high[0] - low[0])
    plane = Plane(pose=pose, shape=(24, n), lateral_step=width / 24, axial_step=floor / n)
    medium = body.cut(plane, np.zeros((2, 2, 3)))
    modulus = np.maximum(medium.property("shear_modulus").astype(float), SOFTEST)
    # ribs carry the chest's wall: below the pleura nothing is pressed
    lungs = [at for at, one in enumerate(body.structures, 1) if one.tissue is Tissue.PLEURA]
    firm = np.isin(medium.labels, lungs)
    soft = np.where((medium.labels > 0) & (modulus < 1e6) & ~firm, 1 / modulus, 0.0)
    compliance = soft.mean(axis=0)
    if not (compliance > 0).any():
        raise RangeError("the body must have soft tissue in the middle of its window, got none")
    compliance[0] = compliance[compliance > 0][0]
    kernel = np.exp(-0.5 * (np.arange(-10, 11) * plane.axial_step / 1e-3) ** 2)
    padded = np.pad(compliance, 10, mode="edge")
    smooth = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    given = np.cumsum(compliance) / compliance.sum()
    return Layers(
        depth=plane.axial,
        compliance=smooth,
        bone=float(min(floor, plane.axial[int(np.searchsorted(given, 0.995))] + 1e-3)),
    )


def indentation(force: Newtons, bone: Meters) -> Meters:
    """Give how deep the middle of the face goes under a force [m]."""
    values = facts("insonate.simulation.motion", "motion")["contact"]
    return float(bone * values["largest_strain"] * (1 - np.exp(-force / values["force_scale"])))


def _hill(x: np.ndarray, half: Meters, edge: Meters) -> np.ndarray:
    """Give 1 within `half` of the middle, 0 far away."""
    return np.asarray(0.5 * (np.tanh((x + half) / edge) - np.tanh((x - half) / edge)))


def _line(size: Meters, edge: Meters, bulge: float) -> np.ndarray:
    """Give places across a face and all that it moves [m]."""
    reach = bulge * size / 2 + 12 * edge
    return np.arange(-reach, reach + FINE / 2, FINE)


class _Table:
    """A function and its slope from one table: the slope is linear between entries, the function its very integral."""

    def __init__(self, first: Meters, step: Meters, slopes: np.ndarray, start: float) -> None:
        self._first, self._step = float(first), float(step)
        values = start + np.concatenate([[0.0], np.cumsum(slopes[1:] + slopes[:-1]) * (step / 2)])
        # flat beyond both ends
        self._values = np.concatenate([values[:1], values, values[-1:]])
        self._slopes = np.concatenate([[0.0], slopes, [0.0]])
        self._slopes[1] = self._slopes[-2] = 0.0

    @classmethod
    def balanced(
        cls, x: np.ndarray, pressed: np.ndarray, size: Meters, edge: Meters, bulge: float, wanted: float
    ) -> "_Table":
        """Give the integral of a profile of the height `wanted` in the middle that bulges around, so that it vanishes."""
        around = _hill(x, bulge * size / 2, 2 * edge) - _hill(x, size / 2 + edge, 2 * edge)
        profile = pressed - pressed.sum() / around.sum() * around
        profile *= wanted / profile[len(x) // 2]
        return cls(x[0], float(x[1] - x[0]), profile, 0.0)

    @property
    def numbers(self) -> np.ndarray:
        """First place, step, count, values and slopes, one entry beyond each end included."""
        return np.concatenate(
            [[self._first, self._step, len(self._values)], self._values, self._slopes], dtype=float
        )

    def at(self, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give values and slopes."""
        where = (place - self._first) / self._step
        np.clip(where, -1, len(self._values) - 2.001, out=where)
        cell = np.floor(where).astype(np.intp)
        part = where - cell
        left = self._slopes[cell + 1]
        bend = self._slopes[cell + 2] - left
        return self._values[cell + 1] + self._step * part * (left + bend * part / 2), left + bend * part


class Contact:
    """One face at one place under one force; immutable."""

    def __init__(self, layers: Layers, pose: Pose, force: Newtons) -> None:
        """Plan the flow of tissue.

        Parameters
        ----------
        layers : Layers
            Of the body.
        pose : Pose
            Patient <- probe, as commanded; it gives where the probe's axis meets the skin, and how it is turned.
        force : float
            [N].
        """
        values = facts("insonate.simulation.motion", "motion")["contact"]
        axis = pose.rotation[:, 2]
        if axis[2] < STEEPEST:
            off = np.degrees(np.arccos(np.clip(axis[2], -1, 1)))
            raise RangeError(
                f"the probe must look into the body, at most 60 degrees off straight down, got {off:.0f}"
            )
        self._gel = float(values["gel"])
        self.sunk: Meters = indentation(force, layers.bone)
        """How deep the middle of the face lies [m]."""
        lifted = float(np.clip(pose.translation[2], -HIGHEST, -float(values["lift"])))
        depth = self.sunk if force > 0 else lifted
        self.pose = Pose(
            rotation=pose.rotation,
            translation=pose.translation + axis * (depth - pose.translation[2]) / axis[2],
            source=pose.source,
            target=pose.target,
            time=pose.time,
        )
        """Where the face is, patient <- probe."""
        self._lateral = pose.rotation[:2, 0] / max(np.hypot(*pose.rotation[:2, 0]), 1e-9)
        self._middle = self.pose.translation[:2]
        self._moves = force > 0
        self._steps = max(2, int(np.ceil(self.sunk / STEP)))
        self.move: Move | None = None
        self._told: Any = None
        """As numbers: share along the face, its direction, its middle, steps; None where nothing is pressed."""
        if self._moves:
            self._plan(layers, values, pose)

    def _plan(self, layers: Layers, table: Mapping[str, Any], pose: Pose) -> None:
        width, depth, edge, bulge = (float(table[k]) for k in ("face_width", "face_depth", "edge", "bulge"))
        self._share = depth / (width + depth)
        x = _line(width, edge, bulge)
        rise = pose.rotation[2, 0] / max(np.hypot(*pose.rotation[:2, 0]), 1e-9)
        pressed = SOFT * np.logaddexp(0, (self.sunk + x * rise) / SOFT)
        self._along = _Table.balanced(x, pressed * _hill(x, width / 2, edge), width, edge, bulge, self.sunk)
        y = _line(depth, edge, bulge)
        self._across = _Table.balanced(y, _hill(y, depth / 2, edge), depth, edge, bulge, 1.0)
        z = np.linspace(0, layers.bone, 801)
        compliance = np.interp(z, layers.depth, layers.compliance) * (z >= self.sunk)
        compliance *= np.clip((layers.bone - z) / 2e-3, 0, 1)
        step = float(z[1] - z[0])
        whole = (compliance.sum() - (compliance[0] + compliance[-1]) / 2) * step
        self._down = _Table(0.0, step, -compliance / whole, 1.0)
        self.move = Move(
            kind="contact",
            numbers=np.array([self._share, *self._lateral, *self._middle, self._steps]),
            table=np.concatenate([self._along.numbers, self._across.numbers, self._down.numbers]),
        )

    def _flow(self, points: np.ndarray) -> np.ndarray:
        """Give the velocity of the flow at (n, 3) places [m]."""
        turn = np.array([self._lateral, [-self._lateral[1], self._lateral[0]]])
        local = (points[:, :2] - self._middle) @ turn.T
        p, a = self._along.at(local[:, 0])
        q, b = self._across.at(local[:, 1])
        down, slope = self._down.at(points[:, 2])
        out = np.empty_like(points, dtype=float)
        out[:, :2] = (
            np.stack([-self._share * slope * b * p, -(1 - self._share) * slope * a * q], axis=1) @ turn
        )
        out[:, 2] = a * b * down
        return out

    def _carried(self, points: np.ndarray, sign: float) -> np.ndarray:
        if not self._moves:
            return points
        kernel = kernels.get()
        if kernel is not None and self.move is not None:
            if self._told is None:
                self._told = kernel.told([self.move])
            return np.asarray(kernel.carried(points, self._told, forward=sign > 0))
        for _ in range(self._steps):
            middle = points + self._flow(points) * (sign / (2 * self._steps))
            points = points + self._flow(middle) * (sign / self._steps)
        return points

    def back(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue was, (n, 3) [m]."""
        return self._carried(points, -1.0)

    def forth(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue is, (n, 3) [m]."""
        return self._carried(points, 1.0)

    def touching(self, lateral: np.ndarray) -> np.ndarray:
        """Give how well each place of the face is coupled to the skin.

        Parameters
        ----------
        lateral : numpy.ndarray
            (n,) along the array [m].

        Returns
        -------
        numpy.ndarray
            (n,) 1 on skin or gel, 0 on air.
        """
        face = self.pose.apply(np.stack([lateral, np.zeros_like(lateral), np.zeros_like(lateral)], axis=1))
        gap = -self.back(face)[:, 2]
        return np.asarray(1 / (1 + np.exp(np.clip((gap - self._gel) / 1e-4, -50, 50))))
