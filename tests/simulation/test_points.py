import numpy as np
import pytest

from insonate.simulation.medium import Plane
from insonate.simulation.points import drop, lay
from simulation.motion.poses import held

PLANE = Plane(pose=held(), shape=(64, 128), lateral_step=0.15e-3, axial_step=0.04e-3)


def made(by, points, strengths, thickness=0.9e-3):
    into = np.zeros(PLANE.shape, np.float32)
    by(into, PLANE, np.atleast_2d(points), np.atleast_1d(strengths), thickness=thickness)
    return into


@pytest.mark.parametrize("by", [lay, drop])
def test_a_point_on_a_sample_is_that_sample(by):
    into = made(by, [4 * 0.15e-3, 0, 60 * 0.04e-3], 2.0)
    assert into[36, 60] == pytest.approx(2)
    into[36, 60] = 0
    assert np.abs(into).max() < 1e-6


def test_a_point_between_samples_is_one_wave_of_the_maps_band():
    """Its spectrum is flat and its phase is that of its place, up to what the window passes."""
    x, z = 4.3 * 0.15e-3, 60.4 * 0.04e-3
    spectrum = np.fft.fft2(made(lay, [x, 0, z], 1.0))
    kx, kz = (
        2 * np.pi * np.fft.fftfreq(n, step) for n, step in zip(PLANE.shape, (0.15e-3, 0.04e-3), strict=True)
    )
    truth = np.exp(-1j * (kx[:, None] * (x + 32 * 0.15e-3) + kz[None, :] * z))
    low = (np.abs(kx) < 0.5 * np.abs(kx).max())[:, None] & (np.abs(kz) < 0.8 * np.abs(kz).max())[None, :]
    assert np.abs(spectrum - truth)[low].max() < 0.05  # six taps along the array


@pytest.mark.parametrize("by", [lay, drop])
def test_beside_the_plane_and_beyond_the_map_it_fades(by):
    assert made(by, [0, 0.9e-3, 2e-3], 1.0).sum() == pytest.approx(np.exp(-0.5), rel=0.02)
    assert not made(by, [[0.05, 0, 2e-3], [0, 0, 0.05]], [1.0, 1.0]).any()


def test_many_add_up():
    points = np.array([[0, 0, 2e-3]] * 3)
    assert made(drop, points, [1.0, 2.0, 3.0]).sum() == pytest.approx(6)
