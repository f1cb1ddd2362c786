import numpy as np
import pytest
from hypothesis import given

from insonate.core import Acquisition, AxesError, ChannelData, Probe, RangeError, Step, Transmit
from insonate.core.channel_data import ENSEMBLE
from refusals import refused
from strategies import channel_data


def acquisition(**changes):
    return Acquisition(
        **{
            "probe": Probe.linear(name="L7", n_elements=3, pitch=3e-4, center_frequency=5e6),
            "transmits": tuple(Transmit.plane(steering_angle=a, initial_time=0) for a in (-0.1, 0.1)),
            "sampling_frequency": 2e7,
            "demodulation_frequency": 0,
            "sound_speed": 1540,
        }
        | changes
    )


def data(**changes):
    return ChannelData(
        **{
            "samples": np.arange(4 * 2 * 3 * 5, dtype=np.int16).reshape(4, 2, 3, 5),
            "scale": 1.0,
            "acquisition": acquisition(),
            "times": np.arange(8).reshape(4, 2) / 100,
        }
        | changes
    )


@given(channel_data())
def test_samples_are_kept_as_they_came(made):
    assert made.n_frames == made.samples.shape[0]
    assert made.samples.dtype == np.int16
    assert made.times is None


def test_what_is_given_is_kept():
    step = Step(name="read", version="1")
    made = data(provenance=[step], times=[[0, 1], [2, 3], [4, 5], [6, 7]], scale=0.5)
    assert made.n_frames == 4
    assert made.provenance == (step,)
    assert made.scale == 0.5
    assert made.times.dtype == np.float64
    np.testing.assert_array_equal(made.times, np.arange(8).reshape(4, 2))


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_rf_is_real(dtype):
    assert data(samples=np.ones((1, 2, 3, 1), dtype), times=None).samples.dtype == dtype


def test_iq_is_complex():
    iq = data(
        samples=np.ones((1, 2, 3, 1), np.complex64),
        acquisition=acquisition(demodulation_frequency=5e6),
        times=None,
    )
    assert iq.samples.dtype == np.complex64


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_the_limits_of_scale_pass(scale):
    assert data(scale=scale).scale == scale


REAL = (
    "ChannelData.samples must be complex where demodulation_frequency is set and real where it is 0 Hz, got "
)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"samples": np.zeros((2, 3, 5), np.int16)},
            AxesError,
            "ChannelData.samples must be (frame, transmit, element, sample), got shape (2, 3, 5)",
        ),
        (
            {"samples": np.zeros((4, 2, 3, 5))},
            AxesError,
            "ChannelData.samples must be of int16 or float32 or complex64, got float64",
        ),
        (
            {"samples": np.zeros((0, 2, 3, 5), np.int16)},
            AxesError,
            "ChannelData.samples must hold at least one frame and sample, got shape (0, 2, 3, 5)",
        ),
        (
            {"samples": np.zeros((4, 2, 3, 0), np.int16)},
            AxesError,
            "ChannelData.samples must hold at least one frame and sample, got shape (4, 2, 3, 0)",
        ),
        (
            {"samples": np.zeros((4, 3, 2, 5), np.int16)},
            AxesError,
            "ChannelData.samples must have 2 transmits and 3 elements as its acquisition says, "
            "got 3 and 2 (axes swapped?)",
        ),
        ({"samples": np.zeros((4, 2, 3, 5), np.complex64)}, RangeError, REAL + "complex64 with 0 Hz"),
        (
            {"acquisition": acquisition(demodulation_frequency=5e6)},
            RangeError,
            REAL + "int16 with 5e+06 Hz",
        ),
        (
            {"samples": np.full((4, 2, 3, 5), np.nan, np.float32)},
            RangeError,
            "ChannelData.samples must be finite, got 120 NaN or infinite, the first at (0, 0, 0, 0)",
        ),
        ({"scale": 0}, RangeError, "ChannelData.scale must lie in 1e-30..1e+30 1, got 0"),
        ({"scale": np.inf}, RangeError, "ChannelData.scale must lie in 1e-30..1e+30 1, got inf"),
        (
            {"times": np.zeros(4)},
            AxesError,
            "ChannelData.times must be (frame, transmit), got shape (4,)",
        ),
        (
            {"times": np.full((4, 2), np.nan)},
            RangeError,
            "ChannelData.times must be finite, got 8 NaN or infinite, the first at (0, 0)",
        ),
        ({"times": np.zeros((2, 4))}, AxesError, "ChannelData.times must be (4, 2), got shape (2, 4)"),
    ],
)
def test_data_that_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        data(**changes)


@pytest.mark.parametrize("field", ["samples", "times"])
def test_arrays_are_frozen(field):
    with pytest.raises(ValueError, match="read-only"):
        getattr(data(), field)[0] = 0


def test_an_ensemble_says_so_in_its_provenance():
    assert not data().is_ensemble
    assert data(provenance=(Step(name=ENSEMBLE, version="1"),)).is_ensemble
