import numpy as np
import pytest

from insonate.core import UnknownNameError
from insonate.simulation.acoustics.profiles import planned
from insonate.simulation.probes import probe, probe_names
from refusals import refused


@pytest.mark.parametrize("name", probe_names())
def test_every_probe_can_be_simulated_with_every_engine(name):
    made = probe(name)
    assert made.name == name
    assert made.element_width < np.diff(made.element_positions[:2, 0])[0]
    assert made.elevation_focus > made.element_height  # the lens is paraxial
    assert 5e6 <= made.center_frequency <= 50e6
    planned("live", made, depth=10e-3)


def test_a_probe_in_numbers():
    made = probe("linear_7_5")
    assert made.n_elements == 128
    assert np.ptp(made.element_positions[:, 0]) == pytest.approx(127 * 0.3e-3)
    assert made.element_height == pytest.approx(4.5e-3)


def test_an_unknown_probe_suggests_the_nearest():
    with refused(
        UnknownNameError,
        "probe must be one of linear_7_5, linear_15, got 'linear_16' (did you mean 'linear_15'?)",
    ):
        probe("linear_16")
