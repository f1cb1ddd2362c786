"""The slice against closed forms: a sheet where it is, its profile, and the material on either side of it."""

import numpy as np
import pytest

from insonate.simulation.anatomy.kernels import reference

STEP = 0.3e-3
SHEET = 3.07e-3
"""Depth of a level sheet, between two voxels [m]."""


def slab(slope=0.0):
    """Give voxels of two materials that meet in a sheet."""
    x, y, z = (np.arange(n) * STEP for n in (24, 8, 24))
    normal = np.array([-slope, 0, 1]) / np.hypot(1, slope)
    distance = (z[None, None, :] - SHEET - slope * x[:, None, None] + 0 * y[None, :, None]) * normal[2]
    voxels = np.zeros((24, 8, 24, 8), np.uint8)
    voxels[..., 0] = 1 + (distance > 0)
    voxels[..., 1] = 2 - (distance > 0)
    stored = np.clip(np.round(distance / reference.DISTANCE_STEP), -127, 127)
    voxels[..., 2] = stored.astype(np.int8).view(np.uint8)
    voxels[..., 3] = 200
    voxels[..., 4:7] = np.round(127 * normal).astype(np.int8).view(np.uint8)
    voxels[..., 7] = 10
    return voxels


def cut(voxels, *, x0=1.5e-3, passing=(1, 1, 1)):
    """Cut straight down, without speckle."""
    n_lateral, n_axial, stride = 12, 160, 16
    nodes = np.zeros((n_lateral, n_axial // stride + 1, 3), np.float32)
    nodes[..., 0] = (x0 + np.arange(n_lateral) * 0.15e-3)[:, None]
    nodes[..., 1] = 1e-3
    nodes[..., 2] = np.arange(n_axial // stride + 1) * stride * 0.04e-3
    sheets = np.zeros(256, np.float32)
    sheets[200] = 2.0
    return reference.cut(
        nodes,
        stride,
        n_axial,
        voxels,
        np.zeros(3),
        STEP,
        np.zeros((4, 4, 8), np.int8),
        np.full(3, 1e-4),
        np.ones((3, 64), np.float32),
        np.array([1.0, 0.0]),
        np.array([1.0, 0, 0]),
        0.15e-3,
        np.array([0, 5, 6], np.uint8),
        np.zeros(256, np.float32),
        sheets,
        np.zeros(3, np.uint8),
        np.array(passing, np.float32),
        1.0,
    )


@pytest.mark.parametrize("slope", [0.0, 0.2, -0.35])
def test_a_sheet_lies_where_it_is_between_voxels(slope):
    reflectivity, labels, _ = cut(slab(slope))
    z = np.arange(160) * 0.04e-3
    x = 1.5e-3 + np.arange(12) * 0.15e-3
    truth = SHEET + slope * x
    middle = (reflectivity * z).sum(axis=1) / reflectivity.sum(axis=1)
    assert np.abs(middle - truth).max() < 6e-6  # the stored distance has steps of 7 um
    below = z[None, :] > truth[:, None]
    sure = np.abs(z[None, :] - truth[:, None]) > 8e-6
    assert (labels == np.where(below, 6, 5))[sure].all()


@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_the_profile_keeps_its_area_when_it_is_spread(slope):
    reflectivity, _, _ = cut(slab(slope))
    along = slope / np.hypot(1, slope)
    area = reflectivity.sum(axis=1) * 0.04e-3 / np.hypot(1, slope)  # across the sheet
    assert area.mean() == pytest.approx(2.0 * np.sqrt(2 * np.pi) * reference.THICKNESS, rel=0.02)
    spread = np.hypot(reference.THICKNESS, reference.FOOTPRINT * 0.15e-3 * along)
    assert reflectivity.max() == pytest.approx(2.0 * reference.THICKNESS / spread, rel=0.1)


def test_what_passes_is_the_product_down_the_column():
    _, labels, through = cut(slab(), passing=(1, 0.9, 1.1))
    assert through[3, -1] == pytest.approx(
        0.9 ** (labels[3] == 5).sum() * 1.1 ** (labels[3] == 6).sum(), rel=1e-4
    )


def test_outside_there_is_nothing():
    reflectivity, labels, through = cut(slab(), x0=-0.02)
    assert not reflectivity.any()
    assert not labels.any()
    assert (through == 1).all()


def test_an_outline_of_no_harmonics_is_the_ellipse_and_one_of_three_lobes_has_them():
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    u, v = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    assert (reference.outline(u, v, np.zeros((12, 0), np.complex64)) == 1).all()
    waves = np.array([[0, 0.2]], np.complex64)  # the second is the third harmonic
    assert np.allclose(reference.outline(2 * u, 2 * v, waves), 1 + 0.2 * np.sin(3 * angle), atol=1e-6)
    assert (reference.outline(u, v, -20 * waves)[[1, 5]] == np.float32(0.4)).all()
