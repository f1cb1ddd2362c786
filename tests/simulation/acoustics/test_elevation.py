"""Thickness of the slice against engine A in three dimensions, and against Fresnel's integral summed by hand."""

import numpy as np
import pytest

from insonate.core import AxesError, Probe, RangeError, Transmit
from insonate.simulation.acoustics.elevation import profile, thick_spectrum, weights
from insonate.simulation.acoustics.frequency import transfer
from insonate.simulation.acoustics.scatterers import Scatterers
from refusals import refused
from simulation.acoustics.points import difference, engine, map_of

SPEED, CENTER = 1540.0, 7.5e6
SUMMED = 1e-6
"""Of an integral by Gauss and Legendre's quadrature."""
PARAXIAL = 0.05
"""Fresnel's integral against the full one, at depths of four heights and more."""


def probe(**changes):
    return Probe.linear(
        **{
            "name": "any",
            "n_elements": 2,
            "pitch": 0.3e-3,
            "center_frequency": CENTER,
            "element_width": 0.1e-3,
            "element_height": 4e-3,
            "fractional_bandwidth": 0.6,
            "elevation_focus": 20e-3,
        }
        | changes
    )


@pytest.mark.parametrize("focus", [20e-3, None])
def test_the_field_is_fresnels_integral(focus):
    y, z = np.array([0.0, 0.7e-3, -1.9e-3]), np.array([8e-3, 20e-3, 33e-3])
    nodes, shares = np.polynomial.legendre.leggauss(400)
    v = nodes * 2e-3
    k = 2 * np.pi * CENTER / SPEED
    lens = 0 if focus is None else v**2 / (2 * focus)
    path = (y[:, None, None] - v) ** 2 / (2 * z[None, :, None]) - lens
    truth = np.sum(2e-3 * shares * np.exp(1j * k * path), axis=2) / np.sqrt(2j * np.pi * z / k)
    made = profile(probe(elevation_focus=focus), y, z)
    np.testing.assert_allclose(
        made, truth, atol=1e-3 if focus else SUMMED
    )  # at the focus the curve is held above zero


def test_a_high_face_without_a_lens_makes_a_plane_wave():
    made = profile(probe(element_height=50e-3, elevation_focus=None), np.array([0.0]), np.array([5e-3]))
    np.testing.assert_allclose(np.abs(made), 1, atol=0.05)


def test_what_lies_beside_is_as_weak_and_as_late_as_engine_a_says():
    y, z = np.array([0.0, 0.5e-3, 1.0e-3, 1.6e-3]), np.array([16e-3, 20e-3, 28e-3])
    made = weights(probe(), y, z)
    truth = np.array(
        [
            [
                transfer(
                    Scatterers(positions=np.array([[0.15e-3, yy, zz]]), amplitudes=np.array([1.0])),
                    probe(),
                    [Transmit.plane(steering_angle=0.0, initial_time=0.0)],
                    np.array([CENTER]),
                )[0, 0, 0]
                for zz in z
            ]
            for yy in y
        ]
    )
    made, truth = made / made[:1], truth / truth[:1]
    assert np.abs(made - truth).max() <= PARAXIAL


def test_slices_add_up_with_their_weights():
    made_by = engine(256, n_elements=48)
    slices = np.stack([map_of(made_by, [120], [400], [1.0]), map_of(made_by, [120], [400], [2.0])])
    shares = np.stack([np.full(1024, 0.5), np.full(1024, 0.3j)]).astype(np.complex64)
    made = made_by.echoes(thick_spectrum(made_by, slices, shares), 0.1)
    alone = made_by.echoes(made_by.spectrum(slices[0]), 0.1)
    assert (
        difference(made, (0.5 + 0.6j).conjugate() * alone) < 1e-4
    )  # records turn the other way than the field


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: profile(probe(element_height=None), np.zeros(1), np.ones(1)),
            RangeError,
            "the probe's element height must be known, got None",
        ),
        (
            lambda: profile(probe(), np.zeros(1), np.zeros(1)),
            RangeError,
            "depths must lie below the face, z > 0 m",
        ),
        (
            lambda: thick_spectrum(engine(256, n_elements=48), np.zeros((2, 256, 1024)), np.zeros((3, 1024))),
            AxesError,
            "slices must be (3, lateral, axial), got shape (2, 256, 1024)",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, error, message):
    with refused(error, message):
        call()
