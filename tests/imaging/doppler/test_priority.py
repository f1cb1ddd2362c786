"""What of color Doppler is shown."""

import numpy as np
import pytest

from imaging.doppler.test_color_doppler import GRID, NYQUIST, SHOTS, ensemble, tone
from insonate.core import RangeError
from insonate.imaging.doppler import color_doppler, shows


def test_noise_alone_is_hardly_ever_shown():
    rng = np.random.default_rng(4)
    noise = rng.standard_normal((2, SHOTS, *GRID.shape))
    assert shows(color_doppler(ensemble(noise[0] + 1j * noise[1]))).mean() < 0.003


def test_a_lobe_at_the_depth_of_a_vessel_is_not_shown_and_a_faint_vessel_elsewhere_is():
    weak = 10 ** (-14 / 20)
    strength = np.zeros(GRID.shape)
    strength[4:10, 2:8] = 1
    strength[4:10, 18:24] = weak
    strength[33:39, 18:24] = weak
    rng = np.random.default_rng(5)
    noise = 1e-3 * (
        rng.standard_normal((SHOTS, *GRID.shape)) + 1j * rng.standard_normal((SHOTS, *GRID.shape))
    )
    shown = shows(color_doppler(ensemble(tone(0.5 * NYQUIST) * strength + noise)))
    assert shown[5:9, 3:7].all() and shown[34:38, 19:23].all()
    assert not shown[4:10, 18:24].any()


def test_a_threshold_that_is_none_is_refused():
    flow = color_doppler(ensemble(tone(0.5 * NYQUIST)))
    with pytest.raises(RangeError, match="percent"):
        shows(flow, least_coherence=50)
