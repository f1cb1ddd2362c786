"""An individual, compiled for one window: cut anywhere within it.

Speckle is noise of the tissue: a periodic tile, white within the band that a map of 0.15 x 0.04 mm can hold and empty
beyond it, so that it neither aliases nor loses its place when it moves by less than a sample. It is looked up by straight
lines, with which a wave of k rad/m lags by up to (k step)^2 / 16 of a small move: 2 % at 58 rad/mm in steps of 0.01 mm.
Across the image plane the tile is coarse, as a beam is thick there: a plane that moves by a beam's thickness sees other
speckle. The tile lies along the image plane in steps of 30 degrees about z: turning the probe past such a step changes the
speckle, as turning does.
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
from scipy.ndimage import distance_transform_edt, map_coordinates

from insonate.core import RangeError, Structure, Tissue
from insonate.core.checks import check_axes, check_count
from insonate.core.units import Meters
from insonate.simulation.acoustics.reverberation import mirrored
from insonate.simulation.anatomy import kernels
from insonate.simulation.anatomy.compiler import (
    ECHO_FLOOR,
    ECHO_STEP,
    FIBER_STRIDE,
    PROPERTIES,
    SHEET_FLOOR,
    SHEET_STEP,
    Volumes,
    compile_volumes,
    key,
    load,
    save,
)
from insonate.simulation.anatomy.language import Individual, Region, region
from insonate.simulation.anatomy.shapes import Solid
from insonate.simulation.anatomy.solids import solids
from insonate.simulation.facts import facts
from insonate.simulation.medium import Medium, Plane

STRIDE = 16
"""Samples between the places where motion is looked up; between them tissue moves in straight lines."""
TILE = (256, 32, 1024)
"""Samples of the noise: along the plane, across it, down; powers of two."""
TILE_STEPS: tuple[Meters, Meters, Meters] = (0.1e-3, 0.45e-3, 0.01e-3)
"""Of the noise [m]."""
BAND = (20e3, np.inf, 74e3)
"""Wavenumbers that the noise holds along each axis [rad/m]: below the Nyquist limits of a map of 0.15 x 0.04 mm."""
NOWHERE: Meters = 0.5
"""Distance to a structure of which the window holds no voxel; none that it holds is so far [m]."""

YAW = np.radians(30.0)
"""Steps in which the tile turns with the plane [rad]."""
SHEETS, SPECKLE = 2.2, 0.9
"""Weight of coherent sheets and of speckle in the map, as the crease that came before."""
EDGE_LOSS = 1.2e3
"""Beside the steep wall of a vessel, there and back [dB/m]: D, edge shadow as seen on images."""


@lru_cache(maxsize=2)
def _tile(seed: int) -> np.ndarray:
    """Give the noise, int8 with a deviation of 32."""
    rng = np.random.default_rng((seed, 9))
    noise = np.fft.rfftn(rng.standard_normal(TILE, dtype=np.float32), axes=(0, 2))
    along = np.abs(2 * np.pi * np.fft.fftfreq(TILE[0], TILE_STEPS[0])) <= BAND[0]
    down = 2 * np.pi * np.fft.rfftfreq(TILE[2], TILE_STEPS[2]) <= BAND[2]
    out = np.fft.irfftn(noise * along[:, None, None] * down, s=(TILE[0], TILE[2]), axes=(0, 2))
    small = np.clip(np.round(32 * out / out.std()), -127, 127).astype(np.int8)
    # Across is laid out slowest: a plane needs neighbors along it, and steps of a power of two would share few cache lines.
    return np.ascontiguousarray(small.transpose(1, 0, 2)).transpose(1, 0, 2)


@cache
def _gains() -> np.ndarray:
    """Give what interpolation takes from the deviation, (3, 64): (1-f)^2 + f^2 + 2 f (1-f) r to the power -1/2."""
    part = (np.arange(64) + 0.5) / 64
    out = np.empty((3, 64), np.float32)
    for axis in range(3):
        neighbor = 0.0 if np.isinf(BAND[axis]) else np.sinc(BAND[axis] * TILE_STEPS[axis] / np.pi)
        out[axis] = 1 / np.sqrt((1 - part) ** 2 + part**2 + 2 * part * (1 - part) * neighbor)
    return out


def _among(made: np.ndarray, shape: tuple[int, int], columns: slice, rest: float) -> np.ndarray:
    """Put what was made of some columns among the others of a plane, in which nothing lies."""
    whole = np.zeros(shape, made.dtype) if rest == 0 else np.full(shape, rest, made.dtype)
    whole[columns] = made
    return whole


def _nodes(plane: Plane, displacement: np.ndarray, n_nodes: int, columns: slice) -> np.ndarray:
    """Give where the tissue of every STRIDE-th sample of these columns was at rest, (n_columns, n_nodes, 3) [m]."""
    rotation, rows = plane.pose.rotation, np.arange(n_nodes) * STRIDE
    down = plane.pose.translation + (rows * plane.axial_step)[:, None] * rotation[:, 2]
    across = plane.lateral[columns, None] * rotation[:, 0]
    places = across.astype(np.float32)[:, None, :] + down.astype(np.float32)
    if not displacement.any():
        return np.asarray(places)
    n, m, _ = displacement.shape
    low, share = _between(np.arange(plane.shape[0])[columns], plane.shape[0] - 1, n)
    moved = displacement.astype(np.float32)
    wide = moved[low] + (moved[low + 1] - moved[low]) * share[:, None, None]
    low, share = _between(rows, plane.shape[1] - 1, m)
    # no matrix product: its library would wake threads that spin for longer than this takes
    places -= wide[:, low]
    places -= (wide[:, low + 1] - wide[:, low]) * share[:, None]
    return np.asarray(places)


def _between(wanted: np.ndarray, last: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the value before each of `wanted` samples, of `count` spread evenly over 0..last, and the share of the next."""
    at = np.clip(wanted * ((count - 1) / last), 0, count - 1)
    low = np.minimum(at.astype(int), count - 2)
    return low, (at - low).astype(np.float32)


class CompiledBody:
    """An individual in a window; immutable."""

    def __init__(self, individual: Individual, volumes: Volumes) -> None:
        """Take what was compiled.

        Parameters
        ----------
        individual : Individual
            Whose it is.
        volumes : Volumes
            Of the window.
        """
        self.individual = individual
        """Sizes, variant and pathologies."""
        self.volumes = volumes
        """What is sliced."""
        self.structures: tuple[Structure, ...] = volumes.structures
        """What labels 1, 2, … are."""
        n = np.array(volumes.voxels.shape[:3])
        self.extent = np.stack([volumes.origin - volumes.step / 2, volumes.origin + (n - 0.5) * volumes.step])
        """(2, 3) smallest and largest corner of the window [m]."""
        self.extent[0, 2] = 0.0
        tissues = [
            facts("insonate.simulation.anatomy", "tissues")[one.tissue.value] for one in self.structures
        ]
        water = {
            "sound_speed": 1540.0,
            "attenuation": 0.2,
            "attenuation_exponent": 2.0,
            "density": 1000.0,
            "shear_modulus": 0.0,
        }
        self.properties: Mapping[str, np.ndarray] = MappingProxyType(
            {name: np.array([water[name], *(tissue[name] for tissue in tissues)]) for name in PROPERTIES}
        )
        """By label, label 0 (gel, outside) first."""
        for _, block in individual.blocks:
            named = {block.get("name"), block.get("below")} if "shear_modulus_kpa" in block else set()
            for at, one in enumerate(self.structures, start=1):
                if one.name in named:
                    self.properties["shear_modulus"][at] = block["shear_modulus_kpa"] * 1e3
        self.target: str | None = None
        """What an operator goes for in this window; None is the thickest nerve."""
        self._tile = _tile(individual.seed)
        self._layers: dict[int, tuple[np.ndarray, np.ndarray, Meters]] = {}
        codes = np.arange(256)
        self._echoes = (SPECKLE / 32 * 10 ** ((ECHO_FLOOR + ECHO_STEP * codes) / 20)).astype(np.float32)
        self._sheets = (SHEETS * 10 ** ((SHEET_FLOOR + SHEET_STEP * codes) / 20)).astype(np.float32)
        self._sheets[0] = 0
        self._echo_codes = np.clip(np.round((volumes.echoes - ECHO_FLOOR) / ECHO_STEP), 0, 255).astype(
            np.uint8
        )
        self._solids: Mapping[str, Solid] = solids(individual.blocks, individual.rng)
        self._lung = next(
            (at for at, one in enumerate(self.structures, 1) if one.tissue is Tissue.PLEURA), None
        )
        self._steep = np.zeros((0, 0))
        if self._lung is not None:
            gx, gy = np.gradient(volumes.pleura.astype(float), volumes.step)
            self._steep = np.sqrt(1 + gx**2 + gy**2)

    def label(self, name: str) -> int:
        """Give the label of a structure by its name.

        Raises
        ------
        RangeError
            If this window has none of that name.
        """
        for at, one in enumerate(self.structures):
            if one.name == name:
                return at + 1
        raise RangeError(
            f"'{name}' is no structure of this window, which has {', '.join(s.name for s in self.structures)}"
        )

    def cut(
        self,
        plane: Plane,
        displacement: np.ndarray,
        *,
        columns: slice = slice(None),
        kernel: str | None = None,
    ) -> Medium:
        """Cut the body.

        Parameters
        ----------
        plane : Plane
            Where.
        displacement : numpy.ndarray
            (n, m, 3) u of the tissue now at each place, patient axes, evenly spaced over the plane's whole width and
            depth and interpolated between [m].
        columns : slice
            Of the plane, those that are asked for; in the others nothing lies.
        kernel : str, optional
            "numba" or "reference"; the fastest there is by default.

        Returns
        -------
        Medium
            Without needle and fluid.

        Raises
        ------
        RangeError
            If the plane's middle lies outside the window.
        """
        check_axes("displacement", displacement, "lateral axial 3")
        middle = plane.pose.apply(np.array([[0.0, 0.0, plane.axial[-1] / 2]]))[0]
        if not ((middle >= self.extent[0]) & (middle <= self.extent[1])).all():
            given = ", ".join(f"{value * 1e3:.0f}" for value in middle)
            ranges = ", ".join(f"{low * 1e3:.0f}..{high * 1e3:.0f}" for low, high in self.extent.T)
            raise RangeError(
                f"the middle of the plane must lie within the window ({ranges} mm), got ({given}) mm"
            )
        n_axial = plane.shape[1]
        nodes = _nodes(plane, displacement, -(-n_axial // STRIDE) + 1, columns)
        across = plane.pose.rotation[:, 1]
        yaw = np.round(np.arctan2(-across[0], across[1]) / YAW) * YAW
        volumes = self.volumes
        reflectivity, labels, transmission = kernels.get(kernel).cut(
            nodes,
            STRIDE,
            n_axial,
            volumes.voxels,
            volumes.origin,
            volumes.step,
            self._tile,
            np.array(TILE_STEPS),
            _gains(),
            np.array([np.cos(yaw), np.sin(yaw)]),
            plane.pose.rotation[:, 0],
            plane.lateral_step,
            volumes.labels,
            self._echoes,
            self._sheets,
            self._echo_codes,
            (10 ** (volumes.passing * plane.axial_step / 20)).astype(np.float32),
            float(10 ** (-EDGE_LOSS * plane.axial_step / 20)),
        )
        if len(nodes) < plane.shape[0]:
            reflectivity, labels, transmission = (
                _among(made, plane.shape, columns, rest)
                for made, rest in ((reflectivity, 0), (labels, 0), (transmission, 1))
            )
        if self._lung is not None:
            air = facts("insonate.simulation.anatomy", "tissues")["pleura"]
            strength, face = (float(10 ** (air[name] / 20)) for name in ("mirror", "face"))
            reflectivity = mirrored(reflectivity, labels == self._lung, strength=strength, face=face)
        return Medium(
            plane=plane,
            reflectivity=reflectivity,
            labels=labels,
            structures=self.structures,
            properties=self.properties,
            transmission=transmission,
        )

    def distance(self, label: int, points: np.ndarray) -> np.ndarray:
        """Give the distance from places at rest to a structure.

        Nerves, vessels, nodes and other solids are asked themselves, the lung by the depth of its pleura; other layers by
        their nearest voxel.

        Parameters
        ----------
        label : int
            Of the structure.
        points : numpy.ndarray
            (n, 3) patient frame, of the body at rest [m].

        Returns
        -------
        numpy.ndarray
            (n,) negative inside [m].
        """
        check_count("label", label, (1, len(self.structures)), "structures")
        check_axes("points", points, "n 3")
        solid = self._solids.get(self.structures[label - 1].name)
        if solid is not None:
            return solid.distance((points[:, 0], points[:, 1], points[:, 2]))
        if label == self._lung:
            return self._below_pleura(points)
        if label not in self._layers:
            self._layers[label] = self._layer(label)
        field, origin, step = self._layers[label]
        cells = np.round((points - origin) / step).astype(int)
        held = np.clip(cells, 0, np.array(field.shape) - 1)
        beyond = np.linalg.norm((cells - held) * step, axis=1)
        return np.asarray(field[tuple(held.T)] + beyond)

    def _below_pleura(self, points: np.ndarray) -> np.ndarray:
        """Give the distance to the pleura as to its tangent plane, negative below it, (n,) [m]."""
        volumes = self.volumes
        at = ((points[:, :2] - volumes.origin[:2]) / volumes.step).T
        depth, steep = (
            map_coordinates(field, at, order=1, mode="nearest") for field in (volumes.pleura, self._steep)
        )
        return np.asarray((depth - points[:, 2]) / steep)

    def _layer(self, label: int) -> tuple[np.ndarray, np.ndarray, Meters]:
        coarse = self.volumes.voxels[1::3, 1::3, 1::3, 0]
        inside = np.take(self.volumes.labels, coarse) == label
        step = 3 * self.volumes.step
        if self.structures[label - 1].tissue.is_vessel or not inside.any():  # thinner than these steps
            inside = self._any_of_three(label)
        if not inside.any():
            return np.full(inside.shape, NOWHERE, np.float32), self.volumes.origin + self.volumes.step, step
        field = distance_transform_edt(~inside) - distance_transform_edt(inside)
        field = (field - 0.5 * np.sign(field)) * step
        return field.astype(np.float32), self.volumes.origin + self.volumes.step, step

    def _any_of_three(self, label: int) -> np.ndarray:
        """Tell for each cube of three voxels either way whether a structure lies anywhere in it, as many as a layer has."""
        inside = np.take(self.volumes.labels, self.volumes.voxels[..., 0]) == label
        for axis in range(3):
            parts = [np.take(inside, range(k, inside.shape[axis], 3), axis) for k in range(3)]
            count = parts[1].shape[axis]  # where the picked voxels of a layer are
            whole = parts[1] | np.take(parts[0], range(count), axis)
            last = np.take(parts[2], range(min(count, parts[2].shape[axis])), axis)
            whole[(slice(None),) * axis + (slice(last.shape[axis]),)] |= last
            inside = whole
        return np.asarray(inside)

    def fibers(self, points: np.ndarray) -> np.ndarray:
        """Give the direction of muscle, tendon and nerve fibers.

        Parameters
        ----------
        points : numpy.ndarray
            (n, 3) patient frame, of the body at rest [m].

        Returns
        -------
        numpy.ndarray
            (n, 3) unit vectors; 0 where there are none.
        """
        volumes = self.volumes
        cells = (points - volumes.origin) / volumes.step
        at = np.round((cells - FIBER_STRIDE // 2) / FIBER_STRIDE).astype(int)
        within = ((cells > -0.5) & (cells < np.array(volumes.voxels.shape[:3]) - 0.5)).all(axis=1)
        at = np.clip(at, 0, np.array(volumes.fibers.shape[:3]) - 1)
        return np.asarray(np.where(within[:, None], volumes.fibers[tuple(at.T)] / 127, 0.0))


def compiled(
    name: str | Region,
    seed: int,
    *,
    variant: str = "usual",
    pathologies: Sequence[str] = (),
    window: str | None = None,
    step: Meters = 0.3e-3,
    cache_folder: Path | None = None,
) -> CompiledBody:
    """Compile a window of an individual, or take it from the cache.

    Parameters
    ----------
    name : str or Region
        Of a region that comes with Insonate, or one that was read.
    seed : int
        Decides every size.
    variant : str
        Of the region.
    pathologies : sequence of str
        Of the region.
    window : str, optional
        The region's first by default.
    step : float
        Between voxels [m].
    cache_folder : pathlib.Path, optional
        Where compiled windows are kept as .npz; the user's cache folder by default.

    Returns
    -------
    CompiledBody
        Ready to be cut.
    """
    of = region(name) if isinstance(name, str) else name
    individual = of.individual(seed, variant=variant, pathologies=pathologies)
    wanted = of.window(window)
    path = (cache_folder or _user_cache()) / f"{key(individual, of.text, wanted, step)}.npz"
    volumes = load(path)
    if volumes is None:
        volumes = compile_volumes(individual, wanted, step=step)
        save(volumes, path)
    body = CompiledBody(individual, volumes)
    body.target = wanted.target
    return body


def _user_cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("insonate", appauthor=False) / "anatomy"
