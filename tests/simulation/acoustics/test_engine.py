import numpy as np
import pytest

from insonate.core import Probe, RangeError, Transmit
from insonate.simulation.acoustics import deposit, frequency
from insonate.simulation.acoustics.engine import Attenuation, ScattererEngine
from insonate.simulation.acoustics.scatterers import Scatterers
from refusals import refused
from tolerances import RTOL_FLOAT64


def test_half_a_decibel_a_centimeter_and_megahertz():
    nepers = Attenuation(coefficient=50.0).nepers(np.array([1e6, 5e6]))
    np.testing.assert_allclose(20 * np.log10(np.exp(-nepers * 0.01)), [-0.5, -2.5], rtol=RTOL_FLOAT64)


def test_attenuation_is_a_power_of_the_frequency():
    one, eight = Attenuation(coefficient=10.0, exponent=1.5).nepers(np.array([1e6, 4e6]))
    assert eight / one == pytest.approx(8, rel=RTOL_FLOAT64)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"coefficient": -1.0}, "Attenuation.coefficient must lie in 0..5000 dB/m at 1 MHz, got -1"),
        ({"coefficient": 50.0, "exponent": 3.0}, "Attenuation.exponent must lie in 0..2 1, got 3"),
    ],
)
def test_attenuation_that_cannot_be_is_refused(settings, message):
    with refused(RangeError, message):
        Attenuation(**settings)


@pytest.mark.parametrize("simulate", [frequency.simulate, deposit.simulate], ids=["A", "B"])
def test_both_engines_take_the_same_and_give_the_same_form(simulate: ScattererEngine):
    probe = Probe.linear(
        name="any",
        n_elements=4,
        pitch=0.3e-3,
        center_frequency=5e6,
        element_width=0.2e-3,
        element_height=4e-3,
        fractional_bandwidth=0.5,
    )
    made = simulate(
        Scatterers(positions=np.array([[0, 0.5e-3, 0.02]]), amplitudes=np.array([1e-3])),
        probe,
        [Transmit.plane(steering_angle=0.1, initial_time=1e-6)],
        sound_speed=1500.0,
        dimensions=3,
        attenuation=Attenuation(coefficient=50.0),
        sampling_frequency=30e6,
        demodulation_frequency=5e6,
        duration=40e-6,
    )
    assert made.samples.shape == (1, 1, 4, 1200)
    assert made.acquisition.sound_speed == 1500.0
    assert made.acquisition.sampling_frequency == 30e6
