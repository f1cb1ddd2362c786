import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import Acquisition, AxesError, Probe, RangeError, Transmit, Waveform
from insonate.core.acquisition import check_frequency, check_sound_speed
from refusals import refused
from strategies import acquisitions, linear_probes
from tolerances import ATOL_ZERO, RTOL_FLOAT64


def probe(**changes):
    return Probe(
        **{
            "name": "pair",
            "element_positions": np.array([[-1e-4, 0, 0], [1e-4, 0, 0]]),
            "element_normals": np.array([[0.0, 0, 1], [0, 0, 1]]),
            "element_width": 1.5e-4,
            "element_height": 5e-3,
            "center_frequency": 7e6,
            "fractional_bandwidth": 0.7,
            "elevation_focus": 0.02,
        }
        | changes
    )


def transmit(**changes):
    return Transmit(
        **{
            "origin": np.zeros(3),
            "direction": np.array([0.0, 0, 1]),
            "focus_distance": 0.03,
            "delays": np.array([0.0, 1e-7]),
            "apodization": np.array([1.0, 0.5]),
            "waveform": Waveform(center_frequency=7e6, cycles=2),
            "initial_time": 1e-6,
        }
        | changes
    )


def acquisition(**changes):
    return Acquisition(
        **{
            "probe": probe(),
            "transmits": (transmit(),),
            "sampling_frequency": 4e7,
            "demodulation_frequency": 0.0,
            "sound_speed": 1540.0,
        }
        | changes
    )


@pytest.mark.parametrize("speed", [300.0, 1540.0, 6000.0])
def test_possible_speeds_of_sound_pass(speed):
    check_sound_speed("sound_speed", speed)


@pytest.mark.parametrize("frequency", [1e5, 5e6, 1e9])
def test_possible_frequencies_pass(frequency):
    check_frequency("center_frequency", frequency)


@pytest.mark.parametrize(
    ("frequency", "message"),
    [
        (7.5, "center_frequency must lie in 100000..1e+09 Hz, got 7.5 (MHz?)"),
        (2e9, "center_frequency must lie in 100000..1e+09 Hz, got 2e+09 (in units of 1/ns?)"),
    ],
)
def test_a_frequency_in_another_unit_is_told_so(frequency, message):
    with refused(RangeError, message):
        check_frequency("center_frequency", frequency)


def test_a_speed_in_kilometers_a_second_is_told_so():
    with refused(RangeError, "sound_speed must lie in 300..6000 m/s, got 1.54 (km/s?)"):
        check_sound_speed("sound_speed", 1.54)


@given(linear_probes())
def test_a_linear_array_is_centered_flat_and_faces_the_body(array):
    np.testing.assert_allclose(array.element_positions.mean(axis=0), 0, atol=ATOL_ZERO)
    assert (array.element_normals == [0, 0, 1]).all()
    assert (array.element_positions[:, 1:] == 0).all()
    assert len(array.element_positions) == array.n_elements


def test_elements_of_a_linear_array_lie_a_pitch_apart_toward_the_marked_side():
    array = Probe.linear(
        name="L7",
        n_elements=4,
        pitch=3e-4,
        center_frequency=7e6,
        element_width=2.5e-4,
        element_height=6e-3,
        fractional_bandwidth=0.6,
        elevation_focus=0.025,
    )
    np.testing.assert_allclose(
        array.element_positions[:, 0], [-4.5e-4, -1.5e-4, 1.5e-4, 4.5e-4], rtol=RTOL_FLOAT64
    )
    assert (array.name, array.center_frequency, array.n_elements) == ("L7", 7e6, 4)
    assert (array.element_width, array.element_height) == (2.5e-4, 6e-3)
    assert (array.fractional_bandwidth, array.elevation_focus) == (0.6, 0.025)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_elements": 0}, "n_elements must lie in 1..4096 elements, got 0"),
        ({"n_elements": 4097}, "n_elements must lie in 1..4096 elements, got 4097"),
        ({"pitch": 0.3}, "pitch must lie in 1e-06..0.01 m, got 0.3 (millimeters?)"),
        ({"pitch": 1e-7}, "pitch must lie in 1e-06..0.01 m, got 1e-07 (millimeters?)"),
    ],
)
def test_no_array_is_made_that_cannot_be(changes, message):
    with refused(RangeError, message):
        Probe.linear(**{"name": "L7", "n_elements": 4, "pitch": 3e-4, "center_frequency": 7e6} | changes)


@pytest.mark.parametrize("n_elements", [1, 4096])
def test_arrays_of_one_and_of_4096_elements_can_be(n_elements):
    array = Probe.linear(name="L7", n_elements=n_elements, pitch=1e-4, center_frequency=7e6)
    assert array.n_elements == n_elements


def test_what_a_file_does_not_say_of_a_probe_is_none():
    unknown = ("element_width", "element_height", "fractional_bandwidth", "elevation_focus")
    made = probe(**dict.fromkeys(unknown))
    assert [getattr(made, name) for name in unknown] == [None] * 4


@pytest.mark.parametrize(
    "changes",
    [
        {"element_positions": np.array([[-0.5, 0, 0], [0.5, 0, 0]])},
        {"element_normals": np.array([[0, 0, 1 + 0.9e-6], [0, 0, 1]])},
        {"element_width": 1e-6},
        {"element_width": 0.1},
        {"element_height": 1e-6},
        {"element_height": 0.1},
        {"fractional_bandwidth": 0.01},
        {"fractional_bandwidth": 2},
        {"elevation_focus": 1e-4},
        {"elevation_focus": 1},
    ],
)
def test_the_limits_of_a_probe_pass(changes):
    probe(**changes)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"element_positions": np.zeros((2, 2))},
            AxesError,
            "Probe.element_positions must be (n_elements, 3), got shape (2, 2)",
        ),
        (
            {"element_normals": np.zeros((2, 2))},
            AxesError,
            "Probe.element_normals must be (n_elements, 3), got shape (2, 2)",
        ),
        (
            {"element_normals": np.array([[0.0, 0, 1]])},
            AxesError,
            "Probe needs one normal per element and at least one element, got 2 positions and 1 normals",
        ),
        (
            {"element_positions": np.zeros((0, 3)), "element_normals": np.zeros((0, 3))},
            AxesError,
            "Probe needs one normal per element and at least one element, got 0 positions and 0 normals",
        ),
        (
            {"element_positions": np.array([[np.nan, 0, 0], [0, 0, 0]])},
            RangeError,
            "Probe.element_positions must be finite, got 1 NaN or infinite, the first at (0, 0)",
        ),
        (
            {"element_normals": np.array([[0, 0, 1], [0, np.nan, 1]])},
            RangeError,
            "Probe.element_normals must be finite, got 1 NaN or infinite, the first at (1, 1)",
        ),
        (
            {"element_positions": np.array([[-19.0, 0, 0], [19, 0, 0]])},
            RangeError,
            "Probe.element_positions must lie in 0..0.5 m, got 19 (millimeters?)",
        ),
        (
            {"element_normals": np.array([[0, 0, 2.0], [0, 0, 1]])},
            RangeError,
            "Probe.element_normals must be unit vectors, got lengths up to 2",
        ),
        (
            {"element_normals": np.array([[0, 0, 0.5], [0, 0, 1]])},
            RangeError,
            "Probe.element_normals must be unit vectors, got lengths up to 1",
        ),
        (
            {"element_width": 0.15},
            RangeError,
            "Probe.element_width must lie in 1e-06..0.1 m, got 0.15 (millimeters?)",
        ),
        (
            {"element_height": 5},
            RangeError,
            "Probe.element_height must lie in 1e-06..0.1 m, got 5 (millimeters?)",
        ),
        (
            {"center_frequency": 7},
            RangeError,
            "Probe.center_frequency must lie in 100000..1e+09 Hz, got 7 (MHz?)",
        ),
        (
            {"fractional_bandwidth": 70},
            RangeError,
            "Probe.fractional_bandwidth must lie in 0.01..2 1, got 70 (percent?)",
        ),
        (
            {"elevation_focus": 20},
            RangeError,
            "Probe.elevation_focus must lie in 0.0001..1 m, got 20 (millimeters?)",
        ),
    ],
)
def test_a_probe_that_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        probe(**changes)


@pytest.mark.parametrize("changes", [{"cycles": 0.25}, {"cycles": 10_000}, {"polarity": -1}, {}])
def test_bursts_within_the_limits_pass(changes):
    made = Waveform(**{"center_frequency": 5e6, "cycles": 2} | changes)
    assert made.polarity == changes.get("polarity", 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"center_frequency": 5}, "Waveform.center_frequency must lie in 100000..1e+09 Hz, got 5 (MHz?)"),
        ({"cycles": 0}, "Waveform.cycles must lie in 0.25..10000 periods, got 0"),
        ({"cycles": 10_001}, "Waveform.cycles must lie in 0.25..10000 periods, got 10001"),
        ({"polarity": 0}, "Waveform.polarity must be +1 or -1, got 0"),
    ],
)
def test_a_burst_that_cannot_be_is_refused(changes, message):
    with refused(RangeError, message):
        Waveform(**{"center_frequency": 5e6, "cycles": 2} | changes)


@given(st.floats(-1.5, 1.5))
def test_a_plane_wave_goes_where_it_is_steered(angle):
    wave = Transmit.plane(steering_angle=angle, initial_time=2e-6)
    np.testing.assert_allclose(wave.direction, [math.sin(angle), 0, math.cos(angle)], atol=ATOL_ZERO)
    assert math.atan2(wave.direction[0], wave.direction[2]) == pytest.approx(angle, abs=ATOL_ZERO)
    assert (wave.origin == 0).all()
    assert (wave.focus_distance, wave.initial_time) == (math.inf, 2e-6)
    assert wave.delays is wave.apodization is wave.waveform is None


def test_a_plane_wave_keeps_its_burst():
    burst = Waveform(center_frequency=5e6, cycles=2)
    assert Transmit.plane(steering_angle=0, initial_time=0, waveform=burst).waveform is burst


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_plane_wave_may_be_steered_along_the_face_and_no_further(sign):
    Transmit.plane(steering_angle=sign * math.pi / 2, initial_time=0)
    with refused(RangeError, f"steering_angle must lie in -1.5708..1.5708 rad, got {sign * 15} (degrees?)"):
        Transmit.plane(steering_angle=sign * 15, initial_time=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"focus_distance": -0.01},
        {"focus_distance": math.inf},
        {"initial_time": -0.1},
        {"initial_time": 0.1},
        {"delays": None, "apodization": None, "waveform": None},
        {"direction": np.array([0, 0, 1 + 0.9e-6])},
    ],
)
def test_transmits_within_the_limits_pass(changes):
    transmit(**changes)


FOCUS = (
    "Transmit.focus_distance must be positive (focused), negative (diverging) or infinite (plane) [m], got "
)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"origin": np.zeros(2)}, AxesError, "Transmit.origin must be (3), got shape (2,)"),
        ({"direction": np.zeros((1, 3))}, AxesError, "Transmit.direction must be (3), got shape (1, 3)"),
        (
            {"origin": [0, 0, np.nan]},
            RangeError,
            "Transmit.origin must be finite, got 1 NaN or infinite, the first at (2,)",
        ),
        (
            {"direction": [np.inf, 0, 0]},
            RangeError,
            "Transmit.direction must be finite, got 1 NaN or infinite, the first at (0,)",
        ),
        ({"direction": [0, 0, 2]}, RangeError, "Transmit.direction must be a unit vector, got length 2"),
        ({"direction": [0, 0, 0.5]}, RangeError, "Transmit.direction must be a unit vector, got length 0.5"),
        ({"focus_distance": 0}, RangeError, FOCUS + "0"),
        ({"focus_distance": math.nan}, RangeError, FOCUS + "nan"),
        (
            {"initial_time": 10},
            RangeError,
            "Transmit.initial_time must lie in -0.1..0.1 s, got 10 (microseconds?)",
        ),
        (
            {"initial_time": -10},
            RangeError,
            "Transmit.initial_time must lie in -0.1..0.1 s, got -10 (microseconds?)",
        ),
        ({"delays": np.zeros((2, 1))}, AxesError, "Transmit.delays must be (n_elements), got shape (2, 1)"),
        (
            {"delays": [0, np.nan]},
            RangeError,
            "Transmit.delays must be finite, got 1 NaN or infinite, the first at (1,)",
        ),
        ({"apodization": np.zeros(())}, AxesError, "Transmit.apodization must be (n_elements), got shape ()"),
        (
            {"apodization": [np.nan, 1]},
            RangeError,
            "Transmit.apodization must be finite, got 1 NaN or infinite, the first at (0,)",
        ),
    ],
)
def test_a_transmit_that_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        transmit(**changes)


@pytest.mark.parametrize("field", ["origin", "direction", "delays", "apodization"])
def test_arrays_of_a_transmit_are_frozen(field):
    own = np.array([0, 0, 1.0])
    kept = getattr(transmit(**{field: own}), field)
    np.testing.assert_array_equal(kept, own)
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 1


@pytest.mark.parametrize("field", ["element_positions", "element_normals"])
def test_arrays_of_a_probe_are_frozen(field):
    with pytest.raises(ValueError, match="read-only"):
        getattr(probe(), field)[0, 0] = 1


def test_lists_become_arrays():
    made = probe(element_positions=[[0, 0, 0]], element_normals=[[0, 0, 1]])
    assert made.element_positions.dtype == made.element_normals.dtype == np.float64
    assert transmit(origin=[0, 0, 0], direction=[0, 0, 1]).direction.dtype == np.float64
    assert transmit(delays=[0, 0], apodization=[1, 1]).delays.dtype == np.float64


@given(acquisitions())
def test_transmits_become_a_tuple(made):
    again = acquisition(probe=made.probe, transmits=list(made.transmits))
    assert again.transmits == made.transmits


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"transmits": ()}, RangeError, "Acquisition.transmits must hold at least one transmit, got none"),
        (
            {"transmits": (transmit(), transmit(delays=np.zeros(3)))},
            AxesError,
            "Acquisition.transmits[1].delays must have one value per element (2), got 3",
        ),
        (
            {"transmits": (transmit(apodization=np.zeros(1)),)},
            AxesError,
            "Acquisition.transmits[0].apodization must have one value per element (2), got 1",
        ),
        (
            {"sampling_frequency": 40},
            RangeError,
            "Acquisition.sampling_frequency must lie in 100000..1e+09 Hz, got 40 (MHz?)",
        ),
        (
            {"demodulation_frequency": 7},
            RangeError,
            "Acquisition.demodulation_frequency must lie in 100000..1e+09 Hz, got 7 (MHz?)",
        ),
        (
            {"sound_speed": 1.54},
            RangeError,
            "Acquisition.sound_speed must lie in 300..6000 m/s, got 1.54 (km/s?)",
        ),
    ],
)
def test_an_acquisition_that_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        acquisition(**changes)


def test_iq_says_its_frequency_and_unknown_delays_need_no_length():
    made = acquisition(demodulation_frequency=7e6, transmits=(transmit(delays=None, apodization=None),))
    assert made.demodulation_frequency == 7e6
