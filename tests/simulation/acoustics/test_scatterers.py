import numpy as np
import pytest

from insonate.core import AxesError, CoordinateFrame, Pose, RangeError, Structure, Tissue
from insonate.simulation.acoustics.scatterers import Scatterers
from insonate.simulation.medium import Medium, Plane
from refusals import refused


def medium(reflectivity, transmission=None):
    plane = Plane(
        pose=Pose(
            rotation=np.eye(3),
            translation=np.zeros(3),
            source=CoordinateFrame.PROBE,
            target=CoordinateFrame.PATIENT,
            time=0.0,
        ),
        shape=reflectivity.shape,
        lateral_step=0.2e-3,
        axial_step=0.05e-3,
    )
    return Medium(
        plane=plane,
        reflectivity=reflectivity.astype(np.float32),
        labels=np.ones(reflectivity.shape, np.uint8),
        structures=(Structure(name="muscle", tissue=Tissue.MUSCLE),),
        properties={},
        transmission=transmission,
    )


def test_a_map_becomes_its_samples_that_answer():
    reflectivity = np.zeros((4, 6))
    reflectivity[0, 3], reflectivity[3, 5], reflectivity[2, 0] = 1.0, -2.0, 9.0  # the last lies on the face
    made = Scatterers.of_medium(medium(reflectivity))
    assert len(made) == 2
    np.testing.assert_allclose(made.positions, [[-0.4e-3, 0, 0.15e-3], [0.2e-3, 0, 0.25e-3]], atol=1e-12)
    np.testing.assert_allclose(made.amplitudes, [0.2e-3, -0.4e-3], rtol=1e-6)


def test_a_shadowed_sample_answers_less():
    reflectivity, transmission = np.zeros((4, 6)), np.ones((4, 6), np.float32)
    reflectivity[1, 2], reflectivity[2, 2], transmission[2, 2], transmission[1, 2] = 1, 1, 0, 0.25
    made = Scatterers.of_medium(medium(reflectivity, transmission))
    np.testing.assert_allclose(made.amplitudes, [0.05e-3], rtol=1e-6)


def test_scatterers_are_copied_and_frozen():
    positions = np.array([[0.0, 0, 0.01]])
    made = Scatterers(positions=positions, amplitudes=np.array([1.0]))
    positions[0, 2] = 5
    assert made.positions[0, 2] == 0.01
    with pytest.raises(ValueError, match="read-only"):
        made.amplitudes[0] = 2


@pytest.mark.parametrize(
    ("positions", "amplitudes", "error", "message"),
    [
        (
            [[0, 0, 20]],
            [1],
            RangeError,
            "Scatterers.positions must lie in 0..1 m, got 20 (millimeters?)",
        ),
        (
            [[0, 0, 0.01], [0, 0, -0.01]],
            [1, 1],
            RangeError,
            "Scatterers.positions must lie below the face, z > 0 m, got z of -0.01",
        ),
        (
            [[0, 0, 0.01]],
            [1, 2],
            AxesError,
            "Scatterers needs one amplitude per position and at least one, got 1 positions and 2 amplitudes",
        ),
        (
            np.zeros((0, 3)),
            [],
            AxesError,
            "Scatterers needs one amplitude per position and at least one, got 0 positions and 0 amplitudes",
        ),
        ([[0, 0.01]], [1], AxesError, "Scatterers.positions must be (n, 3), got shape (1, 2)"),
        (
            [[0, np.nan, 0.01]],
            [1],
            RangeError,
            "Scatterers.positions must be finite, got 1 NaN or infinite, the first at (0, 1)",
        ),
    ],
)
def test_scatterers_that_cannot_be_are_refused(positions, amplitudes, error, message):
    with refused(error, message):
        Scatterers(positions=positions, amplitudes=amplitudes)
