import numpy as np
import pytest

from insonate.core import AxesError, CoordinateFrame, Pose, Structure, Tissue
from insonate.simulation.acoustics.engine import Attenuation, MediumEngine
from insonate.simulation.acoustics.fourier_medium import FourierMediumEngine, attenuation_of
from insonate.simulation.medium import Medium, Plane
from simulation.acoustics.points import engine

COEFFICIENTS, EXPONENTS = np.array([9e3, 30.0, 80.0]), np.array([1.0, 1.0, 1.2])
"""Outside, whose value must never matter, and of two tissues."""


def medium(made_by, labels=None, transmission=None, coefficients=COEFFICIENTS, point=(140, 600)):
    reflectivity = np.zeros(made_by.shape, np.float32)
    reflectivity[point] = 1
    return Medium(
        plane=Plane(
            pose=Pose(
                rotation=np.eye(3),
                translation=np.zeros(3),
                source=CoordinateFrame.PROBE,
                target=CoordinateFrame.PATIENT,
                time=0.0,
            ),
            shape=made_by.shape,
            lateral_step=made_by.lateral_step,
            axial_step=made_by.axial_step,
        ),
        reflectivity=reflectivity,
        labels=np.ones(made_by.shape, np.uint8) if labels is None else labels,
        structures=(Structure(name="fat", tissue=Tissue.FAT), Structure(name="muscle", tissue=Tissue.MUSCLE)),
        properties={"attenuation": coefficients, "attenuation_exponent": EXPONENTS},
        transmission=transmission,
    )


def made_by_():
    return engine(256, n_elements=48)


def test_without_attenuation_it_is_engine_k():
    made_by = made_by_()
    run: MediumEngine = FourierMediumEngine(engine=made_by)
    scene = medium(made_by, coefficients=np.zeros(3))
    made = run(scene, [0.1, -0.05], time=2.5)
    spectrum = made_by.spectrum(scene.reflectivity)
    for number, angle in enumerate((0.1, -0.05)):
        np.testing.assert_array_equal(made.samples[0, number], made_by.echoes(spectrum, angle))
        np.testing.assert_allclose(made.acquisition.transmits[number].direction[0], np.sin(angle))
    assert made.times.tolist() == [[2.5, 2.5]]


def test_layers_take_their_share():
    """Two layers against the law: what the mean filter takes and what the map adds make up the whole."""
    made_by = made_by_()
    labels = np.ones(made_by.shape, np.uint8)
    labels[:, 300:] = 2
    mean, share = attenuation_of(medium(made_by, labels), 7.5e6)
    fat, muscle = (
        Attenuation(coefficient=c, exponent=e).nepers(np.array(7.5e6))
        for c, e in zip(COEFFICIENTS[1:], EXPONENTS[1:], strict=True)
    )
    step = made_by.axial_step
    lost = 2 * (fat * 299.5 * step + muscle * (600 - 299.5) * step)
    made = share[140, 600] * np.exp(-2 * mean.nepers(np.array(7.5e6)) * 600 * step)
    assert made == pytest.approx(np.exp(-lost), rel=1e-3)


def test_outside_the_body_nothing_is_taken_here():
    made_by = made_by_()
    labels = np.ones(made_by.shape, np.uint8)
    labels[:, :200] = 0
    mean, share = attenuation_of(medium(made_by, labels), 7.5e6)
    assert mean.coefficient == pytest.approx(30.0, rel=1e-9)
    fat = Attenuation(coefficient=30.0).nepers(np.array(7.5e6))
    total = share[0, 600] * np.exp(-2 * fat * 600 * made_by.axial_step)
    assert total == pytest.approx(np.exp(-2 * fat * 400.5 * made_by.axial_step), rel=1e-3)


def test_a_shadow_and_attenuation_weaken_the_echo():
    made_by = made_by_()
    run = FourierMediumEngine(engine=made_by)
    transmission = np.full(made_by.shape, 0.25, np.float32)
    bare = run(medium(made_by, coefficients=np.zeros(3)), [0.0], time=0.0).samples
    dark = run(medium(made_by, coefficients=np.zeros(3), transmission=transmission), [0.0], time=0.0).samples
    np.testing.assert_allclose(dark, 0.25 * bare, rtol=1e-3, atol=1e-6 * np.abs(bare).max())
    taken = run(medium(made_by, coefficients=np.array([0.0, 50.0, 50.0])), [0.0], time=0.0).samples
    decibels = 20 * np.log10(np.linalg.norm(taken) / np.linalg.norm(bare))
    assert (
        -2 * 0.024 * 50 * 7.5 * 1.3 < decibels < -2 * 0.024 * 50 * 7.5 * 0.7
    )  # the spectrum sinks, so less than at 7.5 MHz


def test_a_body_that_is_nowhere_takes_nothing():
    made_by = made_by_()
    mean, share = attenuation_of(medium(made_by, np.zeros(made_by.shape, np.uint8)), 7.5e6)
    assert mean.coefficient == 0
    np.testing.assert_array_equal(share, 1)


def test_a_medium_cut_otherwise_is_refused():
    made_by, other = made_by_(), engine(256, n_axial=512, n_elements=48)
    with pytest.raises(AxesError, match="the medium must be cut as the engine was planned"):
        FourierMediumEngine(engine=made_by)(medium(other, point=(140, 300)), [0.0], time=0.0)
