"""A body in closed form: layers, a sheet, and straight tubes along the limb; labels and distances without error.

It is no anatomy: it is there so that what moves, instruments and truth can be held to formulas. Its speckle is one periodic
map of noise, the same all along the limb, that rides with the tissue.
"""

import numpy as np
from scipy.ndimage import map_coordinates

from insonate.core import RangeError, Structure, Tissue
from insonate.simulation.medium import Medium

RULE = "the closed form of a test"

SKIN, FAT, SHEET, MUSCLE, BONE, ARTERY, VEIN, NERVE = range(1, 9)
FAT_AT, SHEET_AT, MUSCLE_AT, BONE_AT = 1.5e-3, 9.0e-3, 9.3e-3, 45e-3
TUBES = {ARTERY: (4e-3, 18e-3, 4e-3), VEIN: (14e-3, 19e-3, 4e-3), NERVE: (-8e-3, 17e-3, 2.5e-3)}
"""Lateral and depth of the middle, and radius [m]."""

TABLE = {  # speed, attenuation dB/m at 1 MHz, exponent, density, shear modulus, echo
    0: (1540, 0.0, 1.0, 1000, 0.0, 0.0),
    SKIN: (1600, 35.0, 1.0, 1090, 20e3, 0.3),
    FAT: (1470, 50.0, 1.0, 950, 3e3, 0.05),
    SHEET: (1600, 100.0, 1.0, 1100, 60e3, 1.0),
    MUSCLE: (1560, 60.0, 1.0, 1050, 6e3, 0.04),
    BONE: (3400, 500.0, 1.0, 1900, 5e9, 0.01),
    ARTERY: (1575, 15.0, 1.2, 1060, 1.0, 0.0005),
    VEIN: (1575, 15.0, 1.2, 1060, 1.0, 0.0005),
    NERVE: (1600, 100.0, 1.0, 1075, 10e3, 0.15),
}
NAMES = ("sound_speed", "attenuation", "attenuation_exponent", "density", "shear_modulus")


def named(name, tissue):
    return Structure(name=name, tissue=tissue, named_by=None if name == tissue.value else RULE)


class AnalyticBody:
    """Satisfies `Body`."""

    structures = (
        named("skin", Tissue.SKIN),
        named("fat", Tissue.FAT),
        named("fascia", Tissue.FASCIA),
        named("iliopsoas", Tissue.MUSCLE),
        named("bone", Tissue.BONE),
        named("femoral artery", Tissue.ARTERY),
        named("femoral vein", Tissue.VEIN),
        named("femoral nerve", Tissue.NERVE),
    )
    extent = np.array([[-0.045, -0.03, 0.0], [0.045, 0.03, 0.05]])

    def __init__(self, seed=0, tubes=TUBES):
        self.tubes = tubes
        self.properties = {
            name: np.array([TABLE[label][column] for label in range(9)], float)
            for column, name in enumerate(NAMES)
        }
        self.echo = np.array([TABLE[label][5] for label in range(9)], np.float32)
        self.noise = np.random.default_rng(seed).standard_normal((512, 1536)).astype(np.float32)

    def labels_at(self, points):
        z = points[:, 2]
        out = np.searchsorted([0, FAT_AT, SHEET_AT, MUSCLE_AT, BONE_AT], z, side="right").astype(np.uint8)
        for label, (x, depth, radius) in self.tubes.items():
            out[np.hypot(points[:, 0] - x, z - depth) < radius] = label
        return out

    def distance(self, label, points):
        z = points[:, 2]
        if label in TUBES:
            x, depth, radius = self.tubes[label]
            return np.hypot(points[:, 0] - x, z - depth) - radius
        edges = [0, FAT_AT, SHEET_AT, MUSCLE_AT, BONE_AT, 1.0]
        return np.maximum(edges[label - 1] - z, z - edges[label])

    def cut(self, plane, displacement, *, columns=slice(None)):
        middle = plane.pose.translation
        if not (self.extent[0, :2] <= middle[:2]).all() or not (middle[:2] <= self.extent[1, :2]).all():
            raise RangeError("the plane's middle lies outside the window")
        n, m = plane.shape
        places = plane.points(plane.lateral, plane.axial).reshape(-1, 3)
        u = np.stack([self._spread(displacement[..., i], (n, m)) for i in range(3)], axis=-1).reshape(-1, 3)
        at = places - u
        labels = self.labels_at(at).reshape(n, m)
        speckle = map_coordinates(
            self.noise, (at[:, 0] / 0.15e-3, at[:, 2] / 0.04e-3), order=1, mode="grid-wrap"
        ).reshape(n, m)
        return Medium(
            plane=plane,
            reflectivity=(speckle * self.echo[labels]).astype(np.float32),
            labels=labels,
            structures=self.structures,
            properties=self.properties,
        )

    @staticmethod
    def _spread(values, shape):
        rows, columns = (np.linspace(0, n - 1, s) for n, s in zip(values.shape, shape, strict=True))
        out = np.stack(
            [np.interp(rows, np.arange(len(values)), values[:, j]) for j in range(values.shape[1])], 1
        )
        i = np.minimum(columns.astype(int), values.shape[1] - 2)
        part = columns - i
        return out[:, i] * (1 - part) + out[:, i + 1] * part
