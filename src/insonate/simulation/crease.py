"""Paint a crease of the groin as a map of reflectivity: speckle in layers, and thin coherent sheets.

    g(x, z) = T(x, z) [ w(x, z) 10^(echo / 20) + sheets(x, z) ]

with w white noise, echo the strength of each tissue, and T what attenuation, blood and bone let through. Fascia is made of
short, wavy, overlapping segments whose brightness with angle follows from the wave itself; the nerve is bright stroma
around dark fascicles; muscle is streaked along its fibers. Nothing here is measured: it is a drawing that behaves as
echoes do, until the simulated patient takes its place.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d, zoom

SKIN, FAT, MUSCLE, BLOOD, STROMA, FASCICLE, BONE = -12.0, -27.0, -32.0, -72.0, -12.0, -27.0, -50.0
"""Strength of the speckle of each tissue [dB]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crease:
    """A painted map, and where its artery lies, for what moves it."""

    reflectivity: np.ndarray
    """(n_lateral, n_axial) float32."""
    artery: tuple[float, float, float]
    """Lateral and axial center, and radius [mm]."""


class _Brush:
    """A map under work, with noise of its own."""

    def __init__(self, rng: np.random.Generator, x: np.ndarray, z: np.ndarray) -> None:
        self.rng, self.x, self.z = rng, x, z
        self.steps = (float(x[1] - x[0]), float(z[1] - z[0]))
        self.echo = np.full((len(x), len(z)), MUSCLE, np.float32)
        self.sheets = np.zeros((len(x), len(z)), np.float32)

    def smooth(self, width: float, height: float) -> np.ndarray:
        """Give noise of unit deviation with these correlation lengths [mm]."""
        coarse = self.rng.normal(size=(len(self.x) // 4, len(self.z) // 4))
        sigma = (max(width / 4 / self.steps[0], 0.3), max(height / 4 / self.steps[1], 0.3))
        noise = gaussian_filter(coarse, sigma, mode="wrap")
        grown = zoom(noise / noise.std(), 4, order=1)
        return np.asarray(grown, dtype=np.float32)

    def curve(self, width: float, size: float) -> np.ndarray:
        """Give a wavy line of this deviation [mm] and correlation length [mm]."""
        noise = gaussian_filter1d(
            self.rng.normal(size=len(self.x)), max(width / self.steps[0], 0.5), mode="wrap"
        )
        return np.asarray(size * noise / noise.std())

    def sheet(
        self, depth: np.ndarray, strength: float, *, breaks: float = 1.0, thickness: float = 0.035
    ) -> None:
        """Add a fascia: segments that overlap, waver, part and vanish along a depth (n_lateral,) [mm]."""
        for _ in range(self.rng.integers(2, 4)):
            middle = depth + self.curve(3.0, 0.09) + self.curve(0.4, 0.012) + self.rng.normal(0, 0.13)
            level = strength + np.clip(self.curve(3.0, 4 + 7 * breaks) + self.curve(0.6, 2.5), -40, 6)
            level -= self.rng.uniform(0, 5)
            away = (self.z[None, :] - middle[:, None]) / (thickness * self.rng.uniform(0.7, 1.6))
            near = np.abs(away) < 4
            self.sheets[near] += (10 ** (level[:, None] / 20) * np.exp(-0.5 * away**2))[near].astype(
                np.float32
            )

    def streaks(
        self, inside: np.ndarray, count: int, tilt: np.ndarray, length: float, strength: float
    ) -> None:
        """Add perimysium: short bright threads along the fibers, only where `inside`."""
        columns, rows = np.nonzero(inside)
        if len(columns) == 0:
            return
        for pick in self.rng.integers(0, len(columns), count):
            i, j = int(columns[pick]), int(rows[pick])
            extent = self.rng.gamma(2.0, length / 2)
            reach = int(extent / 2 / self.steps[0]) + 1
            across = np.arange(max(0, i - reach), min(len(self.x), i + reach + 1))
            along = self.x[across] - self.x[i]
            slope = tilt[i] + self.rng.normal(0, 0.06)
            depth = self.z[j] + slope * along + self.rng.normal(0, 0.012) * along**2 / max(extent, 0.5)
            level = (
                10 ** ((strength + self.rng.normal(0, 4)) / 20)
                * np.cos(np.pi * along / (extent + 0.3)).clip(0) ** 2
            )
            at = np.round(depth / self.steps[1]).astype(int)
            for offset in range(-2, 3):
                row = np.clip(at + offset, 0, len(self.z) - 1)
                weight = np.exp(-0.5 * ((self.z[row] - depth) / 0.035) ** 2)
                self.sheets[across, row] += (level * weight * inside[across, row]).astype(np.float32)

    def blob(
        self, center: tuple[float, float], size: tuple[float, float], turn: float, uneven: float
    ) -> np.ndarray:
        """Give how far each point lies from the middle of an uneven ellipse: 1 on its edge."""
        dx, dz = self.x[:, None] - center[0], self.z[None, :] - center[1]
        u = (dx * np.cos(turn) + dz * np.sin(turn)) / size[0]
        v = (dz * np.cos(turn) - dx * np.sin(turn)) / size[1]
        angle = np.arctan2(v, u)
        edge = 1.0 + sum(
            uneven / n * np.sin(n * angle + self.rng.uniform(0, 2 * np.pi)) for n in (2, 3, 4, 5)
        )
        return np.asarray(np.hypot(u, v) / edge)

    def rim(self, distance: np.ndarray, size: float, strength: float, thickness: float) -> None:
        """Add a bright edge where `distance` passes 1, of uneven strength."""
        away = (distance - 1) * size / thickness
        level = 10 ** ((strength + 5 * self.smooth(1.3, 1.3)) / 20)
        self.sheets += (level * np.exp(-0.5 * np.clip(away, -6, 6) ** 2)).astype(np.float32)


def _nerve(brush: _Brush, center: tuple[float, float], size: tuple[float, float]) -> None:
    turn = 0.13
    outer = brush.blob(center, size, turn, 0.14)
    inside = outer < 1
    brush.echo[inside] = (STROMA + 3 * brush.smooth(0.9, 0.5))[inside]
    brush.sheets[inside] *= 0.15
    brush.rim(outer, size[1], -12, 0.08)
    placed: list[tuple[float, float, float]] = []
    for _ in range(3000):
        if len(placed) >= 22:
            break
        x = center[0] + brush.rng.uniform(-size[0], size[0])
        z = center[1] + brush.rng.uniform(-1.3 * size[1], 1.3 * size[1])
        radius = float(brush.rng.choice([0.22, 0.3, 0.42, 0.62], p=[0.3, 0.3, 0.25, 0.15]))
        i, j = int((x - brush.x[0]) / brush.steps[0]), int(z / brush.steps[1])
        apart = all(
            np.hypot(x - a, z - b) > (radius + r) * brush.rng.uniform(0.9, 1.25) for a, b, r in placed
        )
        if outer[i, j] < 0.85 and apart:
            placed.append((x, z, radius))
    for x, z, radius in placed:
        within = brush.blob((x, z), (radius * 1.15, radius * 0.9), brush.rng.uniform(-0.4, 0.4), 0.12)
        brush.echo[within < 1] = FASCICLE + brush.rng.uniform(-4, 4)
        brush.sheets[within < 1] *= 0.1
        brush.rim(within, radius, -15 + brush.rng.normal(0, 3), 0.06)


def _vessel(
    brush: _Brush, center: tuple[float, float], size: tuple[float, float], wall: float, turn: float
) -> np.ndarray:
    outer = brush.blob(center, size, turn, 0.035)
    lumen = outer < 1
    brush.echo[lumen] = (BLOOD + 6 * brush.smooth(1.5, 1.0))[lumen]
    brush.sheets[lumen] = 0
    small = min(size)
    around = (outer >= 1) & ((outer - 1) * small < 0.55)
    brush.echo[around] = (FAT + 3 + 3 * brush.smooth(1.4, 0.8))[around]
    brush.sheets[around] *= 0.4
    brush.rim(outer, small, wall, 0.07)
    brush.rim(outer - 0.5 / small, small, wall - 4, 0.07)
    return lumen


def _layers(brush: _Brush) -> tuple[np.ndarray, np.ndarray]:
    """Paint skin, fat, fasciae and muscle; give where fat ends and where the deep muscle begins [mm]."""
    x, z = brush.x, brush.z[None, :]
    fat = 7.2 + brush.curve(7, 0.7) + brush.curve(2.5, 0.15) + 0.02 * x
    deep = 23.0 + brush.curve(8, 1.1) + brush.curve(3, 0.25)
    in_fat = (z >= 1.5) & (z < fat[:, None])
    brush.echo[:] = MUSCLE + 3 * brush.smooth(2.5, 0.5) + 2 * brush.smooth(0.7, 0.25)
    brush.echo[in_fat] = (FAT + 3.5 * brush.smooth(2.2, 0.5))[in_fat]
    brush.echo[np.broadcast_to(z < 1.5, brush.echo.shape)] = SKIN
    brush.sheet(np.full(len(x), 1.5), 1, breaks=0.3)
    for _ in range(8):
        depth = brush.rng.uniform(2, 7) + brush.curve(3.5, 0.6) + brush.curve(1.2, 0.12)
        brush.sheet(np.minimum(depth, fat - 0.2), brush.rng.uniform(-15, -5), breaks=1.6)
    brush.sheet(fat, 0, breaks=0.8)
    brush.sheet(fat + 0.9 + brush.curve(8, 0.25), -6, breaks=1.0)
    upper, lower = (z >= fat[:, None]) & (z < deep[:, None]), z >= deep[:, None]
    brush.streaks(upper, 900, np.full(len(x), -0.06) + brush.curve(9, 0.03), 1.3, -22)
    brush.streaks(upper, 110, np.full(len(x), -0.06) + brush.curve(9, 0.03), 5.0, -14)
    brush.streaks(lower, 1100, np.full(len(x), 0.1) + brush.curve(9, 0.03), 1.6, -21)
    brush.streaks(lower, 150, np.full(len(x), 0.1) + brush.curve(9, 0.03), 5.0, -13)
    brush.streaks(in_fat, 160, np.zeros(len(x)), 2.0, -17)
    brush.sheet(12.4 + 0.06 * x + brush.curve(6, 0.6) + brush.curve(2, 0.2), -4, breaks=1.0)
    brush.sheet(deep, -6, breaks=1.2)
    return fat, deep


def paint(rng: np.random.Generator, x: np.ndarray, z: np.ndarray, *, attenuation: float) -> Crease:
    """Paint one individual.

    Parameters
    ----------
    rng : numpy.random.Generator
        Decides the individual.
    x, z : numpy.ndarray
        (n_lateral,), (n_axial,) [mm].
    attenuation : float
        Two-way, at the probe's frequency [dB/mm].

    Returns
    -------
    Crease
        Reflectivity, with the artery for what moves it.
    """
    brush = _Brush(rng, x, z)
    _layers(brush)
    halo = np.exp(-(((x[:, None] + 4) / 9) ** 2) - ((z[None, :] - 15) / 2.6) ** 2)
    brush.echo = np.maximum(brush.echo, np.where(halo > 0.08, -34 + 14 * halo, -99)).astype(np.float32)
    artery = (3.4 + rng.normal(0, 0.3), 16.3 + rng.normal(0, 0.3), 3.9 + rng.normal(0, 0.15))
    _nerve(brush, (-6.6 + rng.normal(0, 0.3), 15.4 + rng.normal(0, 0.2)), (4.9, 1.9))
    vein = _vessel(brush, (artery[0] + 8.6, artery[1] + 1.5), (4.6, 3.0), -8, 0.15)
    lumen = _vessel(brush, artery[:2], (artery[2], artery[2] * 0.96), -3, 0.0)
    bone = 33.0 + 0.012 * (x + 6) ** 2 + brush.curve(8, 0.4)
    beyond = z[None, :] > bone[:, None]
    brush.echo[beyond] = BONE
    brush.sheets[beyond] = 0
    brush.sheet(bone, 8, breaks=0.4, thickness=0.06)
    return Crease(reflectivity=_lit(brush, lumen | vein, beyond, attenuation), artery=artery)


def _lit(brush: _Brush, blood: np.ndarray, bone: np.ndarray, attenuation: float) -> np.ndarray:
    """Put speckle and sheets together under what the way there and back lets through, gain included."""
    lost = np.full(brush.echo.shape, attenuation, np.float32)
    lost[blood] = 0.1 * attenuation
    lost[bone] = 6.0
    along = np.cumsum(lost, axis=1) * brush.steps[1]
    gain = np.minimum(brush.z * attenuation, 24.0)  # a machine's time gain ends before the depth does
    contact = brush.curve(1.3, 0.8)[:, None] * np.minimum(brush.z / 12, 1)[None, :]
    through = 10 ** ((gain[None, :] - along + contact) / 20)
    speckle = (
        brush.rng.normal(size=brush.echo.shape) * 10 ** (brush.echo / 20) * np.exp(0.12 * brush.smooth(8, 5))
    )
    edge = np.clip((brush.x[-1] * 0.97 - np.abs(brush.x)) / 6, 0, 1)[:, None]
    return np.asarray((0.9 * speckle + 2.2 * brush.sheets) * through * edge, dtype=np.float32)
