import numpy as np
import pytest

from insonate.core import Probe, RangeError, Waveform
from insonate.simulation.acoustics.pulse import record, two_way_spectrum
from refusals import refused
from tolerances import RTOL_FLOAT64

CENTER = 5e6
PROBE = Probe.linear(
    name="any", n_elements=2, pitch=0.3e-3, center_frequency=CENTER, fractional_bandwidth=0.6
)
CUT = 3e-3
"""What cutting the band at -60 dB leaves out of a pulse, of its height."""


def planned(spectrum=None, **changes):
    settings = {"duration": 10e-6, "last_echo": 8e-6} | changes
    return record(spectrum or two_way_spectrum(PROBE), CENTER, **settings)


def echo(kept, delay):
    return (kept.pulse * np.exp(2j * np.pi * kept.frequencies * delay))[None, None]


def test_the_amplitude_is_halved_at_the_edges_of_the_band():
    spectrum = two_way_spectrum(PROBE)
    np.testing.assert_allclose(
        np.abs(spectrum(CENTER * np.array([0.7, 1, 1.3]))), [0.5, 1, 0.5], rtol=RTOL_FLOAT64
    )


def test_a_pulse_is_a_gaussian_of_height_one_where_the_echo_comes():
    kept, delay = planned(sampling_frequency=100e6), 4.237e-6
    rf = kept.samples(echo(kept, delay), np.array([0.0]))[0, 0]
    t = np.arange(kept.n_samples) / 100e6 - delay
    sigma = 0.6 * CENTER / np.sqrt(8 * np.log(2))
    truth = np.exp(-0.5 * (2 * np.pi * sigma * t) ** 2) * np.cos(2 * np.pi * CENTER * t)
    np.testing.assert_allclose(rf, truth, atol=CUT)


def test_baseband_turned_back_is_rf():
    delay, start = 4.237e-6, 1.3e-6
    high = planned(sampling_frequency=40e6)
    low = planned(sampling_frequency=40e6, demodulation_frequency=4.9e6)
    rf = high.samples(echo(high, delay), np.array([start]))[0, 0]
    iq = low.samples(echo(low, delay), np.array([start]))[0, 0]
    clock = start + np.arange(low.n_samples) / 40e6
    np.testing.assert_allclose((iq * np.exp(2j * np.pi * 4.9e6 * clock)).real, rf, atol=1e-9)
    assert np.argmax(np.abs(iq)) == pytest.approx((delay - start) * 40e6, abs=1)


def test_a_burst_is_as_long_as_its_cycles():
    few, many = (
        two_way_spectrum(PROBE, Waveform(center_frequency=CENTER, cycles=n))(
            np.array([CENTER, CENTER * 1.125])
        )
        for n in (2, 8)
    )
    assert abs(few[1]) > 0.5
    assert abs(many[1]) < 0.07 * abs(
        many[0]
    )  # eight cycles have their first zero an eighth of the carrier beside it
    flipped = two_way_spectrum(PROBE, Waveform(center_frequency=CENTER, cycles=2, polarity=-1))(
        np.array([CENTER])
    )
    np.testing.assert_allclose(flipped, -few[:1])


def test_a_burst_begins_and_ends_as_a_sine():
    """The burst's own spectrum, without the probe, is that of a sine cut to three periods."""
    burst = Waveform(center_frequency=CENTER, cycles=3)
    wide = Probe.linear(
        name="wide", n_elements=2, pitch=1e-3, center_frequency=CENTER, fractional_bandwidth=2
    )
    f = np.linspace(3e6, 7e6, 9)
    response = two_way_spectrum(wide)(f)
    t, dt = np.linspace(-1.5 / CENTER, 1.5 / CENTER, 20001, retstep=True)
    sine = np.sin(2 * np.pi * CENTER * t)
    truth = np.trapezoid(sine * np.exp(2j * np.pi * np.outer(f, t)), dx=dt, axis=1) * 2 * CENTER / 3
    np.testing.assert_allclose(two_way_spectrum(wide, burst)(f) / response, truth, atol=1e-5)


def test_a_late_echo_does_not_come_round():
    kept = planned(last_echo=30e-6)
    rf = kept.samples(echo(kept, 30e-6), np.array([0.0]))[0, 0]
    assert np.abs(rf).max() < CUT


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"sampling_frequency": 15e6},
            "sampling_frequency must be at least 19.47 MHz to carry the band, got 15 MHz",
        ),
        ({"duration": 10.0}, "duration must lie in 1e-07..0.1 s, got 10 (microseconds?)"),
        ({"duration": 0.09}, "samples of the record must lie in 1..1.04858e+06 samples, got 1.80007e+06"),
        ({"band": (6e6, 5e6)}, "lower edge of the band must lie in 1000..5e+06 Hz, got 6e+06 (MHz?)"),
        ({"band": (5e6, 5e6 + 10)}, None),
    ],
)
def test_a_record_that_cannot_be_is_refused(changes, message):
    if message is None:
        with pytest.raises(RangeError):
            planned(**changes)
        return
    with refused(RangeError, message):
        planned(**changes)


def test_an_unknown_bandwidth_is_refused():
    unknown = Probe.linear(name="any", n_elements=2, pitch=0.3e-3, center_frequency=CENTER)
    with refused(RangeError, "the probe's fractional bandwidth must be known, got None"):
        two_way_spectrum(unknown)
