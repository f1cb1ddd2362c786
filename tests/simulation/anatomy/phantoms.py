"""Regions whose truth is a closed form, and individuals of the shipped region at the price of a test."""

from functools import cache

import numpy as np

from insonate.core import CoordinateFrame, Pose
from insonate.simulation.anatomy import CompiledBody, Window, read, region
from insonate.simulation.anatomy.compiler import compile_volumes
from insonate.simulation.medium import Plane

RADIUS = 4e-3
"""Of the straight tube [m]."""
DEPTH = 12e-3
"""Of its middle [m]."""

ROD = """
[windows.all]
center_mm = [0, 0]
reach_mm = [30, 12, 24]

[[surface]]
name = "skin of it"
depth_mm = 0
below = "flesh"
tissue = "muscle"
mottle_db = 0
source = "test"
evidence = "D"

[[tube]]
name = "rod"
tissue = "artery"
stations = [
  { y_mm = -40, x_mm = 0, z_mm = 12, width_mm = 8, height_mm = 8 },
  { y_mm = 40, x_mm = 0, z_mm = 12, width_mm = 8, height_mm = 8 },
]
wall = { strength_db = 0, breaks = 0 }
source = "test"
evidence = "D"
"""

CHEST = """
[windows.all]
center_mm = [0, 0]
reach_mm = [40, 12, 30]

[[surface]]
name = "skin of it"
depth_mm = 0
below = "flesh"
tissue = "muscle"
mottle_db = 0
source = "test"
evidence = "D"

[[surface]]
name = "pleura"
depth_mm = 14
slope_x = 0.1
under = ["rib"]
below = "pleura"
tissue = "pleura"
strength_db = 10
breaks = 0
comets = { count = 6, spacing_mm = 0.9, width_mm = 1.0, length_mm = 4, strength_db = -2 }
source = "test"
evidence = "D"

[[arch]]
name = "rib"
tissue = "bone"
x_mm = 12
y_mm = -40
z_mm = 13
radius_mm = 40
from_deg = 20
to_deg = 160
width_mm = 12
height_mm = 6
wall = { strength_db = 8, breaks = 0 }
source = "test"
evidence = "D"
"""

FLESH = ROD[: ROD.index("[[tube]]")]

LAYERED = (
    FLESH
    + """
[[relief]]
name = "bone"
tissue = "bone"
stations = [{ x_mm = -20, z_mm = 18 }, { x_mm = 0, z_mm = 16 }, { x_mm = 20, z_mm = 18 }]
wall = { strength_db = 6, breaks = 0 }
source = "test"
evidence = "D"

[[shell]]
name = "tendon"
tissue = "tendon"
on = "bone"
texture = "cuff"
waves = [[0.1, 5]]
stations = [{ x_mm = -14, to_mm = 5 }, { x_mm = 14, to_mm = 5 }]
shear_modulus_kpa = 70
source = "test"
evidence = "D"

[[shell]]
name = "bursa"
tissue = "bursa"
on = "tendon"
stations = [{ x_mm = -14, to_mm = 1.5 }, { x_mm = 14, to_mm = 1.5 }]
source = "test"
evidence = "D"
"""
)
"""A tendon on a ridge of bone, and a bursa on it."""


def compiled_text(text, *, seed=1, step=0.3e-3):
    of = read(text=text, name="phantom")
    individual = of.individual(seed)
    return CompiledBody(individual, compile_volumes(individual, of.window(), step=step))


@cache
def rod():
    return compiled_text(ROD)


@cache
def chest():
    return compiled_text(CHEST)


@cache
def flesh():
    return compiled_text(FLESH)


@cache
def layered():
    return compiled_text(LAYERED)


SMALL = Window(name="small", center=(-10e-3, 0.0), reach=(60e-3, 9e-3, 40e-3))
"""Of the shipped region: enough to hold the bundle."""


@cache
def femoral(seed=7, variant="usual", pathologies=()):
    individual = region("femoral_crease").individual(seed, variant=variant, pathologies=pathologies)
    return CompiledBody(individual, compile_volumes(individual, SMALL, step=0.45e-3))


def held(x=0.0, y=0.0, *, yaw=0.0, tilt=0.0, z=0.0):
    """Give a probe on the skin, turned about the beam and then about the array."""
    c, s = np.cos(yaw), np.sin(yaw)
    about_beam = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    c, s = np.cos(tilt), np.sin(tilt)
    about_array = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return Pose(
        rotation=about_beam @ about_array,
        translation=np.array([x, y, z]),
        source=CoordinateFrame.PROBE,
        target=CoordinateFrame.PATIENT,
        time=0,
    )


def plane(pose, shape=(128, 500)):
    return Plane(pose=pose, shape=shape, lateral_step=0.15e-3, axial_step=0.04e-3)


STILL = np.zeros((2, 2, 3))
"""No motion."""
