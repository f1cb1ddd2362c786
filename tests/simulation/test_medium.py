import numpy as np
import pytest

from insonate.core import AxesError, CoordinateFrame, FrameError, Pose, RangeError, Structure, Tissue
from insonate.simulation.medium import Medium, Plane
from refusals import refused
from tolerances import ATOL_ZERO

TURNED = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
"""A quarter turn about the beam: the array lies along the limb."""


def held(source=CoordinateFrame.PROBE, target=CoordinateFrame.PATIENT):
    return Pose(rotation=TURNED, translation=np.array([0.01, 0.02, 0]), source=source, target=target, time=0)


def plane(**changes):
    return Plane(**{"pose": held(), "shape": (5, 4), "lateral_step": 1e-3, "axial_step": 5e-4} | changes)


def medium(**changes):
    usual = {
        "plane": plane(),
        "reflectivity": np.zeros((5, 4), np.float32),
        "labels": np.ones((5, 4), np.uint8),
        "structures": (Structure(name="fat", tissue=Tissue.FAT),),
        "properties": {"sound_speed": np.array([1540.0, 1478.0])},
    }
    return Medium(**usual | changes)


def test_columns_are_centered_and_rows_begin_on_the_face():
    assert np.allclose(plane().lateral, [-2e-3, -1e-3, 0, 1e-3, 2e-3], atol=ATOL_ZERO)
    assert np.allclose(plane().axial, [0, 5e-4, 1e-3, 1.5e-3], atol=ATOL_ZERO)


def test_places_of_the_plane_lie_where_the_probe_is_held():
    points = plane().points(np.array([0.0, 2e-3]), np.array([0.0, 1e-3]))
    assert np.allclose(points[0, 1], [0.01, 0.02, 1e-3], atol=ATOL_ZERO)
    assert np.allclose(points[1, 0], [0.01, 0.022, 0], atol=ATOL_ZERO)


def test_a_property_is_looked_up_by_label():
    labels = np.zeros((5, 4), np.uint8)
    labels[2] = 1
    speed = medium(labels=labels).property("sound_speed")
    assert speed[2, 0] == 1478 and speed[0, 0] == 1540


@pytest.mark.parametrize(
    ("make", "changes", "error", "message"),
    [
        (
            plane,
            {"pose": held(CoordinateFrame.PATIENT, CoordinateFrame.PROBE)},
            FrameError,
            "Plane.pose must be 'patient <- probe', got 'probe <- patient'",
        ),
        (plane, {"shape": (1, 4)}, RangeError, "Plane n_lateral must lie in 2..8192 samples, got 1"),
        (
            plane,
            {"axial_step": 0.04},
            RangeError,
            "Plane.axial_step must lie in 1e-06..0.01 m, got 0.04 (millimeters?)",
        ),
        (
            medium,
            {"labels": np.zeros((4, 5), np.uint8)},
            AxesError,
            "Medium.labels must be (5, 4), got shape (4, 5)",
        ),
        (
            medium,
            {"properties": {"density": np.zeros(3)}},
            AxesError,
            "Medium.properties[density] must be (2), got shape (3,)",
        ),
        (
            medium,
            {"velocity": np.zeros((5, 4))},
            AxesError,
            "Medium.velocity must be (5, 4, 3), got shape (5, 4)",
        ),
        (
            medium,
            {"transmission": np.zeros((5, 5), np.float32)},
            AxesError,
            "Medium.transmission must be (5, 4), got shape (5, 5)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, changes, error, message):
    with refused(error, message):
        make(**changes)
