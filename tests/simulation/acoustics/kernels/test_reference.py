"""The reference remap against the closed form of a single point, whose spectrum is a plane wave."""

import numpy as np
import pytest

from insonate.simulation.acoustics.kernels import reference
from simulation.acoustics.points import engine

ATOL_WINDOW = 2e-4
"""The window of six taps is good to 1e-4 of the spectrum, on each side of the transform."""
WIDTH = 0.2e-3


def remapped(made_by, spectrum, angle, *, offset=0.0, kernel=reference, width=WIDTH):
    plan = made_by._plan
    made = kernel.remap(
        spectrum,
        plan["lateral"],
        plan["wavenumbers"],
        plan["pulse"],
        plan["window"],
        angle=angle,
        axial_step=made_by.axial_step,
        middle=(made_by.shape[1] // 2) * made_by.axial_step,
        element_width=width,
        offset=offset,
        period=made_by.period,
    )
    assert made.dtype == np.complex64
    return made, plan["lateral"], plan["wavenumbers"], plan["pulse"]


def point(made_by, column, row):
    reflectivity = np.zeros(made_by.shape, np.float32)
    reflectivity[column, row] = 1
    return made_by.spectrum(reflectivity)


@pytest.mark.parametrize("row", [0, 3, 61, 100, 127])
@pytest.mark.parametrize("degrees", [-20.0, 0.0, 8.0])
def test_a_point_gives_its_plane_wave_times_pulse_directivity_and_obliquity(row, degrees):
    made_by, column, angle, offset = engine(64, n_axial=128, n_elements=4), 37, np.radians(degrees), 0.4e-4
    made, lateral, k, pulse = remapped(made_by, point(made_by, column, row), angle, offset=offset)
    kx = lateral[:, None] + k * np.sin(angle)
    period = 2 * np.pi / made_by.lateral_step
    kx = (kx + period / 2) % period - period / 2
    steep = np.maximum(1 - (kx / k) ** 2, 0)
    kz = k * np.sqrt(np.where(steep > 0, steep, 1))
    x, z = column * made_by.lateral_step, row * made_by.axial_step
    phase = -(kx - k * np.sin(angle)) * (x - offset) + (kz + k * np.cos(angle)) * z
    argument = kx * WIDTH / 2
    directivity = np.where(
        np.abs(argument) < 1e-12, 1, np.sin(argument) / np.where(argument == 0, 1, argument)
    )
    whole = pulse * directivity * np.exp(1j * phase) / kz
    clear = steep >= reference.GRAZING[1]
    assert 0.5 < clear.mean() < 1
    np.testing.assert_allclose((made * kz)[clear], (whole * kz)[clear], atol=ATOL_WINDOW)
    faded = (steep > reference.GRAZING[0]) & ~clear
    assert (np.abs(made)[faded] <= np.abs(whole)[faded] + ATOL_WINDOW / k.min()).all()
    assert (made[steep <= reference.GRAZING[0]] == 0).all()


def test_grazing_waves_fade_from_all_to_nothing():
    made_by = engine(64, 0.05e-3, n_axial=128, n_elements=4)
    made, lateral, k, pulse = remapped(made_by, point(made_by, 32, 5), 0.0, width=1e-9)
    kx = np.broadcast_to(lateral[:, None], made.shape)
    steep = 1 - (kx / k) ** 2
    low, high = reference.GRAZING
    share = (steep - low) / (high - low)
    inside = (share > 0.01) & (share < 0.99)
    assert inside.sum() > 50
    kept = np.abs(made * k * np.sqrt(np.abs(steep)) / pulse)[inside]
    np.testing.assert_allclose(kept, np.sin(np.pi / 2 * share[inside]) ** 2, atol=1e-3)


def test_it_can_always_run():
    assert reference.is_available()
