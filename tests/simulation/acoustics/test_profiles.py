"""The profiles of engine K, held to engine A as ALGORITHMS asks (K1)."""

import numpy as np
import pytest

from insonate.core import AxesError, Probe, RangeError
from insonate.simulation.acoustics.profiles import planned, refitted
from refusals import refused
from simulation.acoustics.closed_forms import SPEED
from simulation.acoustics.held_to_a import difference_from_a

LIVE, ACCURATE = 0.10, 0.03
"""Relative differences from engine A, of points from 5 mm on heard by all elements (K1)."""


def probe(**changes):
    return Probe.linear(
        **{
            "name": "K1",
            "n_elements": 128,
            "pitch": 0.3e-3,
            "center_frequency": 7.5e6,
            "element_width": 0.27e-3,
            "fractional_bandwidth": 0.7,
        }
        | changes
    )


@pytest.mark.parametrize(("profile", "bound"), [("live", LIVE), ("accurate", ACCURATE)])
def test_echoes_are_those_of_the_reference(profile, bound):
    made, correlation = difference_from_a(planned(profile, probe(), depth=41e-3), n=20, degrees=-15.0)
    assert made <= bound
    assert correlation >= 1 - bound**2


def test_the_live_map_is_as_large_as_the_budget_allows():
    engine = planned("live", probe(), depth=41e-3)
    assert engine.shape[0] == 960
    assert engine.shape[1] * engine.axial_step == pytest.approx(41e-3, rel=0.01)
    assert engine.lateral_step == pytest.approx(0.1e-3)


@pytest.mark.parametrize("profile", ["live", "accurate"])
def test_rows_carry_the_band_so_that_what_moves_is_not_folded(profile):
    engine = planned(profile, probe(), depth=41e-3)
    assert SPEED / (4 * engine.axial_step) >= 1.6 * 7.5e6


@pytest.mark.parametrize("center", [5e6, 15e6, 50e6])
@pytest.mark.parametrize("profile", ["live", "accurate"])
def test_arrays_from_5_to_50_mhz_are_planned(center, profile):
    wavelength = 1540 / center
    made = planned(
        profile,
        probe(center_frequency=center, pitch=0.9 * wavelength, element_width=0.8 * wavelength, n_elements=32),
        depth=100 * wavelength,
    )
    assert made.lateral_step <= 0.51 * wavelength
    assert made.shape[1] * made.axial_step >= 100 * wavelength


def test_a_map_refitted_gives_the_same_echoes():
    live, accurate = (planned(name, probe(n_elements=64), depth=20e-3) for name in ("live", "accurate"))
    reflectivity = np.zeros(live.shape, np.float32)
    reflectivity[live.shape[0] // 2 + np.array([-20, 3, 31]), [450, 520, 600]] = [1, -2, 1.5]
    finer = refitted(reflectivity, live, accurate)
    made = live.echoes(live.spectrum(reflectivity), 0.1)
    truth = accurate.echoes(accurate.spectrum(finer), 0.1)
    assert np.linalg.norm(made - truth) <= LIVE * np.linalg.norm(truth)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: planned("quick", probe(), depth=0.04),
            RangeError,
            "profile must be one of live, accurate, got 'quick'",
        ),
        (
            lambda: planned("live", probe(), depth=40),
            RangeError,
            "depth must lie in 0.001..0.5 m, got 40 (millimeters?)",
        ),
        (
            lambda: planned("live", probe(n_elements=1), depth=0.04),
            RangeError,
            "a profile needs a linear array of two elements or more, got one",
        ),
        (
            lambda: refitted(
                np.zeros(planned("accurate", probe(), depth=0.041).shape, np.float32),
                planned("accurate", probe(), depth=0.041),
                planned("live", probe(), depth=0.041),
            ),
            AxesError,
            "columns of the finer map must go into those of the coarser, and rows be as high",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, error, message):
    with refused(error, message):
        call()
