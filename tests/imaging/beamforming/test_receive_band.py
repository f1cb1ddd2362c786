"""The band that is heard: a tone keeps the weight that the formula gives it, and its phase; RF and IQ agree."""

import numpy as np
import pytest

from insonate.core import Acquisition, ChannelData, InputError, Probe, RangeError, Transmit
from insonate.imaging.beamforming import delay_and_sum, receive_band
from insonate.pipeline.chain import grid_of
from insonate.signal.analytic import analytic
from pipeline.fakes import shot

RATE, CARRIER, N = 40e6, 7.5e6, 1600


def data_of(samples, *, carrier=0.0):
    probe = Probe.linear(name="test", n_elements=len(samples), pitch=0.3e-3, center_frequency=CARRIER)
    acquisition = Acquisition(
        probe=probe,
        transmits=(Transmit.plane(steering_angle=0.0, initial_time=0.0),),
        sampling_frequency=RATE,
        demodulation_frequency=carrier,
        sound_speed=1540.0,
    )
    return ChannelData(samples=samples[None, None], scale=1.0, acquisition=acquisition, times=None)


def tone(frequency, carrier):
    """A whole number of turns, so that it is one line of the spectrum."""
    time = np.arange(N) / RATE
    if carrier:
        return np.exp(2j * np.pi * (frequency - carrier) * time).astype(np.complex64)
    return np.cos(2 * np.pi * frequency * time).astype(np.float32)


@pytest.mark.parametrize("carrier", [0.0, CARRIER])
@pytest.mark.parametrize("frequency", [5e6, 6.5e6, 7.5e6, 9e6])
def test_a_tone_is_weakened_as_the_formula_says_and_keeps_its_phase(frequency, carrier):
    wave = tone(frequency, carrier)
    heard = receive_band(data_of(np.stack([wave, 2 * wave]), carrier=carrier), 6.5e6, 3e6)
    wanted = np.exp(-4 * np.log(2) * ((frequency - 6.5e6) / 3e6) ** 2)
    np.testing.assert_allclose(heard.samples[0, 0, 0], wanted * wave, atol=2e-6)
    np.testing.assert_allclose(heard.samples[0, 0, 1], 2 * wanted * wave, atol=4e-6)
    assert heard.samples.dtype == wave.dtype
    assert wanted == pytest.approx(0.5, abs=1e-6) or frequency != 5e6  # half at half the width


def test_rf_and_its_baseband_hear_the_same():
    rng = np.random.default_rng(3)
    pulse = np.exp(-(((np.arange(64) - 32) / 9) ** 2)) * np.cos(2 * np.pi * CARRIER * np.arange(64) / RATE)
    rf = np.stack([np.convolve(rng.standard_normal(N), pulse, "same") for _ in range(3)]).astype(np.float32)
    first = receive_band(data_of(rf), 6.5e6, 3e6)
    turned = np.exp(-2j * np.pi * CARRIER * np.arange(N) / RATE)

    def iq(samples):
        return (analytic(samples) * turned).astype(np.complex64)

    second = receive_band(data_of(iq(rf), carrier=CARRIER), 6.5e6, 3e6)
    wanted = iq(first.samples[0, 0])
    error = np.abs(second.samples[0, 0] - wanted).max() / np.abs(wanted).max()
    assert error < 1e-4


def test_a_higher_band_is_finer_and_a_point_stays_where_it_is():
    """Half width across of a point at 15 mm, by delay and sum of the same shot: near the ratio of the frequencies."""
    data = shot(0.015, n_samples=1400)

    def across(center):
        heard = receive_band(data, center, 1.5e6)
        grid = grid_of(heard, depth=0.02, rows=400)
        envelope = np.abs(delay_and_sum(heard, grid).values[0])
        row, column = np.unravel_index(envelope.argmax(), envelope.shape)
        line = envelope[row] / envelope[row, column]
        above = np.flatnonzero(line >= 0.5)
        return (
            grid.axial[row],
            grid.lateral[column],
            (above[-1] - above[0]) * (grid.lateral[1] - grid.lateral[0]),
        )

    low, high = across(4e6), across(6e6)
    assert low[0] == pytest.approx(0.015, abs=1e-4) and high[0] == pytest.approx(0.015, abs=1e-4)
    assert abs(low[1]) < 1e-4 and abs(high[1]) < 1e-4
    assert high[2] / low[2] == pytest.approx(4 / 6, rel=0.15)


def test_it_is_kept_among_the_steps():
    heard = receive_band(data_of(np.stack([tone(7.5e6, 0.0)])), 7e6, 3e6)
    assert heard.provenance[-1].name == "receive band"
    assert dict(heard.provenance[-1].settings) == {"center": 7e6, "bandwidth": 3e6}


@pytest.mark.parametrize(("center", "bandwidth", "hint"), [(7.5, 3e6, "MHz"), (7.5e6, 3.0, "MHz")])
def test_megahertz_are_refused(center, bandwidth, hint):
    with pytest.raises(RangeError, match=hint):
        receive_band(data_of(np.stack([tone(7.5e6, 0.0)])), center, bandwidth)


def test_a_band_that_was_not_sampled_is_refused():
    with pytest.raises(InputError, match=r"center must lie within 20.0 MHz of 0.0 MHz"):
        receive_band(data_of(np.stack([tone(7.5e6, 0.0)])), 25e6, 3e6)
