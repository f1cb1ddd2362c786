"""What the benchmarks of guidance count by: how a probe strays, and which names they hold to the truth."""

import numpy as np
import pytest
from benchmarks.recognition import strayed

from simulation.motion.poses import held


@pytest.mark.parametrize("seed", range(40, 48))
def test_a_probe_strays_no_further_than_is_said_and_stays_a_probe(seed):
    pose = held()
    moved = strayed(pose, seed)
    rotation = moved.rotation
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    across, along, down = moved.translation - pose.translation
    assert abs(across) <= 6e-3
    assert abs(along) <= 1e-2
    assert down == 0
    assert np.degrees(np.arccos(rotation[2, 2])) <= 10 + 1e-9
    turn = np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))
    assert abs(turn) <= 25 + 1e-9
    assert (strayed(pose, seed).rotation == rotation).all()
