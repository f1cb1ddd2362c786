import numpy as np
import pytest

from insonate.core import AxesError
from insonate.simulation.acoustics.point_echoes import point_echoes
from insonate.simulation.patient import machine
from refusals import refused


@pytest.mark.parametrize("angle", [0.0, 0.175])
def test_points_echo_as_the_same_samples_of_a_map(angle):
    """Engine K beside it, for receive angles that its columns carry: its live profile is 8 % off engine A, and so off B."""
    engine, rng = machine(), np.random.default_rng(0)
    columns, rows = 256 + rng.integers(-20, 20, 60), rng.integers(500, 900, 60)
    strengths = rng.normal(size=60)
    reflectivity = np.zeros(engine.shape, np.float32)
    np.add.at(reflectivity, (columns, rows), strengths)
    points = np.stack([(columns - 256) * engine.lateral_step, rows * engine.axial_step], axis=1)
    truth = engine.echoes(engine.spectrum(reflectivity), angle)[30:98]
    made = point_echoes(engine, points, strengths, angle)[30:98]
    assert np.linalg.norm(made - truth) / np.linalg.norm(truth) < 0.10
    assert np.vdot(made, truth) / np.vdot(made, made) == pytest.approx(1, abs=0.02)


def test_it_is_linear_and_nothing_echoes_nothing():
    engine = machine()
    points = np.array([[0.0, 0.02], [1e-3, 0.03]])
    both = point_echoes(engine, points, np.array([1.0, -2.0]), 0.0)
    one, other = (point_echoes(engine, points[n : n + 1], np.ones(1), 0.0) for n in range(2))
    np.testing.assert_allclose(
        both, one - 2 * other, atol=1e-2 * np.abs(both).max()
    )  # the ends of a cut band
    assert not point_echoes(engine, np.zeros((0, 2)), np.zeros(0), 0.0).any()


def test_what_echoes_after_the_record_is_left_out():
    engine = machine()
    late = engine.duration * engine.sound_speed / 2
    made = point_echoes(engine, np.array([[0.0, late * 1.2]]), np.ones(1), 0.0)
    assert not made.any()


def test_points_need_two_axes():
    with refused(AxesError, "points must be (n, 2), got shape (3, 3)"):
        point_echoes(machine(), np.zeros((3, 3)), np.zeros(3), 0.0)
