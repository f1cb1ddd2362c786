import numpy as np
import pytest

from insonate.core import AxesError, ColorFlow, Grid, RangeError

GRID = Grid(axial=np.linspace(0.01, 0.02, 5), lateral=np.linspace(-0.01, 0.01, 4))


def flow(**changed):
    maps = {
        name: np.zeros(GRID.shape, np.float32)
        for name in ("doppler_velocity", "power", "leakage", "coherence")
    }
    return ColorFlow(**(maps | {"nyquist_velocity": 0.2, "grid": GRID, "time": 0.0} | changed))


def test_its_maps_are_frozen():
    with pytest.raises(ValueError, match="read-only"):
        flow().power[0, 0] = 1


def test_maps_of_another_size_than_the_grid_are_refused():
    with pytest.raises(AxesError, match="must have \\(5, 4\\) pixels"):
        flow(power=np.zeros((4, 5)))


def test_a_velocity_beyond_nyquist_is_refused():
    with pytest.raises(RangeError, match="cm/s"):
        flow(doppler_velocity=np.full(GRID.shape, 20.0))


def test_a_coherence_beyond_one_is_refused():
    with pytest.raises(RangeError, match="coherence"):
        flow(coherence=np.full(GRID.shape, 2.0))
