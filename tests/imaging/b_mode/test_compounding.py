import numpy as np
import pytest

from insonate.core import AxesError, Grid, IQImage, RangeError
from insonate.imaging.b_mode.compounding import Compounding
from refusals import refused
from tolerances import RTOL_FLOAT32

STATISTICAL = 0.02
"""Over four standard errors of the speckle of 160 000 independent pixels."""


def wave(values):
    values = np.atleast_2d(np.asarray(values, np.complex64))[None]
    rows, columns = values.shape[1:]
    grid = Grid(axial=1e-3 + np.arange(rows) * 1e-4, lateral=np.arange(columns) * 1e-4)
    return IQImage(values=values, grid=grid, times=None, center_frequency=5e6, sound_speed=1540.0)


def noise(seed, n=400):
    return np.random.default_rng(seed).standard_normal((n, n, 2)).view(complex)[..., 0]


@pytest.mark.parametrize("incoherent", [0.0, 0.3, 1.0])
def test_one_wave_is_its_own_envelope(incoherent):
    values = noise(0, 8)
    strength = Compounding(4, incoherent=incoherent).add(wave(values))
    np.testing.assert_allclose(strength, np.abs(values), rtol=RTOL_FLOAT32)


@pytest.mark.parametrize(("incoherent", "expected"), [(0.0, 0.0), (1.0, 1.0), (0.36, 0.6)])
def test_opposite_waves_vanish_with_phase_and_stay_without(incoherent, expected):
    both = Compounding(2, incoherent=incoherent)
    both.add(wave([[1.0]]))
    assert both.add(wave([[-1.0]]))[0, 0] == pytest.approx(expected, abs=1e-6)


def test_only_the_last_waves_count():
    last = Compounding(2, incoherent=0.0)
    for value in (100.0, 1.0, 3.0):
        strength = last.add(wave([[value]]))
    assert strength[0, 0] == pytest.approx(2.0)


def test_forgotten_waves_do_not_count():
    one = Compounding(3, incoherent=0.0)
    one.add(wave([[100.0]]))
    one.clear()
    assert one.add(wave([[1.0, 2.0]])).tolist() == [[1.0, 2.0]]


def test_speckle_of_independent_waves_evens_out_as_the_root_of_gamma():
    # the mean power of N independent waves is Gamma(N): signal to noise of its root for N = 4 from the gamma function
    from math import gamma

    waves = Compounding(4, incoherent=1.0)
    for seed in range(4):
        strength = waves.add(wave(noise(seed)))
    mean, square = gamma(4.5) / gamma(4), 4.0
    expected = mean / np.sqrt(square - mean**2)
    assert strength.mean() / strength.std() == pytest.approx(expected, rel=STATISTICAL)


def test_what_does_not_fit_is_refused():
    with refused(RangeError, "incoherent must lie in 0..1 1, got 50 (percent?)"):
        Compounding(3, incoherent=50)
    with refused(RangeError, "n_waves must lie in 1..256 waves, got 0"):
        Compounding(0)
    some = Compounding(3)
    some.add(wave([[1.0, 2.0]]))
    with refused(AxesError, "a wave must have the shape of those before, (1, 2), got (2, 1)"):
        some.add(wave([[1.0], [2.0]]))
    two = wave([[1.0]])
    pair = IQImage(
        values=np.repeat(two.values, 2, axis=0),
        grid=two.grid,
        times=None,
        center_frequency=5e6,
        sound_speed=1540.0,
    )
    with refused(AxesError, "a wave must be one frame, got 2"):
        some.add(pair)
