"""A point whose echoes are computed by hand lands where it is, as wide as it must be, with the phase it has."""

from dataclasses import replace

import numpy as np
import pytest

from imaging.beamforming.echoes import CARRIER, SPEED, WAVELENGTH, echo, linear_probe, transmit
from insonate.core import Grid, InputError, RangeError, UnknownNameError, Waveform
from insonate.imaging.beamforming import delay_and_sum, kernels
from insonate.imaging.beamforming.delay_and_sum import carrier, to_baseband
from refusals import refused

PLACE = 1 / 30
"""How far the peak may lie from the point, in wavelengths: chords between samples 0.1 mm of depth apart flatten it."""
STRENGTH = 0.02
"""Of unit strength: linear interpolation between samples of a 15 % band, and eight-bit rounding of RF."""
PHASE = 0.02
"""The same of the phase [rad]."""
WIDTH = 0.02
"""Relative, of the closed form of a width: the aperture is a whole number of elements, and wide for the paraxial form."""

POINT = (0.0021, 0.0193)
SAMPLINGS = {"rf": 4 * CARRIER, "bandpass-sampled rf": 4 / 3 * CARRIER, "iq": 1.5 * CARRIER}


def plane_time(angle, point=POINT):
    return (point[0] * np.sin(angle) + point[1] * np.cos(angle)) / SPEED


def around(point, reach=(0.6e-3, 0.9e-3), n=(97, 73)):
    return Grid(
        axial=point[1] + np.linspace(-reach[0], reach[0], n[0]),
        lateral=point[0] + np.linspace(-reach[1], reach[1], n[1]),
    )


def only(point):
    return Grid(axial=[point[1]], lateral=[point[0]])


def peak(strength, grid):
    """Give where the strength is largest, between pixels by parabolas [m]."""
    row, column = np.unravel_index(np.argmax(strength), strength.shape)
    assert 0 < row < strength.shape[0] - 1
    assert 0 < column < strength.shape[1] - 1

    def between(line, at, places):
        a, b, c = line[at - 1 : at + 2]
        return places[at] + 0.5 * (a - c) / (a - 2 * b + c) * (places[1] - places[0])

    return (
        between(strength[row], column, grid.lateral),
        between(strength[:, column], row, grid.axial),
    )


def width_at_half(line, places):
    """Give the width where the line passes half its maximum, between samples [m]."""
    above = np.flatnonzero(line >= line.max() / 2)
    first, last = above[0], above[-1]
    half, step = line.max() / 2, places[1] - places[0]
    left = places[first] - step * (line[first] - half) / (line[first] - line[first - 1])
    right = places[last] + step * (line[last] - half) / (line[last] - line[last + 1])
    return right - left


@pytest.mark.parametrize("kernel", ["numba", "reference"])
@pytest.mark.parametrize("kind", SAMPLINGS)
@pytest.mark.parametrize("degrees", [-15.0, 0.0, 10.0])
def test_a_point_under_a_plane_wave_lands_where_it_is(kernel, kind, degrees):
    angle = np.radians(degrees)
    data = echo(
        POINT,
        [plane_time(angle)],
        probe=linear_probe(),
        transmits=[transmit(angle=angle, initial_time=7.31e-6)],
        sampling=SAMPLINGS[kind],
        kind=kind.split()[-1],
        phase=0.6,
    )
    grid = around(POINT)
    made = delay_and_sum(data, grid, f_number=1.5, kernel=kernel)
    x, z = peak(np.abs(made.values[0]), grid)
    assert x == pytest.approx(POINT[0], abs=PLACE * WAVELENGTH)
    assert z == pytest.approx(POINT[1], abs=PLACE * WAVELENGTH)
    (value,) = delay_and_sum(data, only(POINT), f_number=1.5, kernel=kernel).values.ravel()
    assert abs(value) == pytest.approx(1, abs=STRENGTH)
    turned = value * np.exp(4j * np.pi * CARRIER * POINT[1] / SPEED)
    assert np.angle(turned) == pytest.approx(0.6, abs=PHASE)


@pytest.mark.parametrize("kernel", ["numba", "reference"])
@pytest.mark.parametrize(
    ("distance", "point"),
    [
        (-0.02, (0.003, 0.02)),
        (0.03, (0.0, 0.02)),  # before the focus
        (0.015, (0.0, 0.022)),  # behind it
    ],
)
def test_a_point_under_a_curved_wave_lands_where_it_is(kernel, distance, point):
    origin_x = 0.001
    focus = np.array([origin_x, distance])
    way = np.hypot(*(np.array(point) - focus))
    by_hand = {
        -0.02: way - 0.02,
        0.03: 0.03 - way,
        0.015: 0.015 + way,
    }[distance]
    data = echo(
        point,
        [by_hand / SPEED],
        probe=linear_probe(),
        transmits=[transmit(distance, origin=(origin_x, 0, 0), initial_time=4e-6)],
        sampling=2 * CARRIER,
        kind="iq",
    )
    grid = around(point)
    made = delay_and_sum(data, grid, f_number=1.0, kernel=kernel)
    x, z = peak(np.abs(made.values[0]), grid)
    assert x == pytest.approx(point[0], abs=PLACE * WAVELENGTH)
    assert z == pytest.approx(point[1], abs=PLACE * WAVELENGTH)
    (value,) = delay_and_sum(data, only(point), kernel=kernel).values.ravel()
    assert np.angle(value * np.exp(4j * np.pi * CARRIER * point[1] / SPEED)) == pytest.approx(0, abs=PHASE)


def test_compounding_adds_the_transmits_in_phase():
    angles = np.radians([-12, 0, 12])
    data = echo(
        POINT,
        [plane_time(angle) for angle in angles],
        probe=linear_probe(),
        transmits=[
            transmit(angle=a, initial_time=t) for a, t in zip(angles, (1e-6, 2e-6, 3e-6), strict=True)
        ],
        sampling=2 * CARRIER,
        kind="iq",
    )
    (value,) = delay_and_sum(data, only(POINT)).values.ravel()
    assert abs(value) == pytest.approx(1, abs=STRENGTH)
    beside = (POINT[0] + 2.5e-3, POINT[1])
    one = replace(
        data,
        samples=data.samples[:, :1],
        times=data.times[:, :1],
        acquisition=replace(data.acquisition, transmits=data.acquisition.transmits[:1]),
    )
    lone, all_three = (abs(delay_and_sum(d, only(beside)).values.item()) for d in (one, data))
    assert all_three < lone


@pytest.mark.parametrize("f_number", [2.0, 3.0])
def test_a_point_is_as_wide_as_the_f_number_says(f_number):
    """|sinc(x / (wavelength F))| is at half its height 1.207 wavelength F apart."""
    point = (0.0, 0.02)
    aperture = 0.02 / f_number
    elements = 2 * np.floor(aperture / 2 / 0.15e-3 + 0.5)  # pairs whose centers lie within it
    data = echo(
        point,
        [plane_time(0, point)],
        probe=linear_probe(),
        transmits=[transmit()],
        sampling=4 * CARRIER,
        kind="iq",
        sigma=1.5e-6,
    )
    grid = Grid(axial=[0.02], lateral=np.linspace(-2e-3, 2e-3, 401))
    line = np.abs(delay_and_sum(data, grid, f_number=f_number).values[0, 0])
    expected = 1.207 * WAVELENGTH * 0.02 / (elements * 0.15e-3)
    assert width_at_half(line, grid.lateral) == pytest.approx(expected, rel=WIDTH)


def test_a_point_is_as_long_as_its_pulse():
    """A Gaussian pulse of sigma is 2.355 sigma long at half height, and c / 2 of that in depth."""
    data = echo(
        (0.0, 0.02),
        [plane_time(0, (0.0, 0.02))],
        probe=linear_probe(),
        transmits=[transmit()],
        sampling=8 * CARRIER,
        n_samples=2048,
        sigma=0.4e-6,
    )
    grid = Grid(axial=0.02 + np.linspace(-1.5e-3, 1.5e-3, 301), lateral=[0.0])
    line = np.abs(delay_and_sum(data, grid, f_number=3.0).values[0, :, 0])
    assert width_at_half(line, grid.axial) == pytest.approx(2.3548 * 0.4e-6 * SPEED / 2, rel=WIDTH)


def test_all_over_the_spot_the_phase_is_that_of_the_depth_of_its_scatterer():
    data = echo(
        POINT,
        [plane_time(0)],
        probe=linear_probe(),
        transmits=[transmit()],
        sampling=4 * CARRIER,
        kind="iq",
    )
    grid = Grid(axial=POINT[1] + np.linspace(-2e-4, 2e-4, 9), lateral=[POINT[0]])
    values = delay_and_sum(data, grid, f_number=4.0).values[0, :, 0]
    turned = values * np.exp(4j * np.pi * CARRIER * POINT[1] / SPEED)
    oblique = 0.05  # elements at the edge of the aperture see depth under an angle
    np.testing.assert_allclose(np.angle(turned), 0, atol=oblique)


def test_a_deeper_scatterer_turns_the_phase_back_by_two_ways():
    moved = WAVELENGTH / 16
    phases = []
    for depth in (0.02, 0.02 + moved):
        point = (0.0, depth)
        data = echo(
            point,
            [plane_time(0, point)],
            probe=linear_probe(),
            transmits=[transmit()],
            sampling=4 * CARRIER,
            kind="iq",
        )
        phases.append(np.angle(delay_and_sum(data, only((0.0, 0.02)), f_number=4.0).values.item()))
    turn = (phases[1] - phases[0] + np.pi) % (2 * np.pi) - np.pi
    assert turn == pytest.approx(-np.pi / 4, abs=PHASE)


def test_the_known_band_drops_noise_outside_it_and_keeps_the_echo():
    settings = {
        "probe": linear_probe(fractional_bandwidth=0.6),
        "transmits": [transmit()],
        "sampling": 8 * CARRIER,
        "n_samples": 2048,
    }
    data = echo(POINT, [plane_time(0)], **settings)
    time = np.arange(2048) / (8 * CARRIER)
    hum = np.round(4000 * np.sin(2 * np.pi * 9e6 * time)).astype(np.int16)  # beyond 5 +- 2.25 MHz
    noisy = replace(data, samples=data.samples + hum)
    clean, held = (delay_and_sum(d, only(POINT)).values.item() for d in (data, noisy))
    assert held == pytest.approx(clean, abs=1e-3)
    assert abs(clean) == pytest.approx(1, abs=STRENGTH)


def test_the_carrier_is_the_demodulation_else_the_burst_else_the_probe():
    data = echo(POINT, [0.0], probe=linear_probe(), transmits=[transmit()], sampling=4 * CARRIER)
    assert carrier(data) == CARRIER
    burst = replace(transmit(), waveform=Waveform(center_frequency=6e6, cycles=2))
    assert carrier(replace(data, acquisition=replace(data.acquisition, transmits=(burst,)))) == 6e6
    iq = echo(POINT, [0.0], probe=linear_probe(), transmits=[burst], sampling=4 * CARRIER, kind="iq")
    assert carrier(iq) == CARRIER
    assert delay_and_sum(iq, only(POINT)).center_frequency == CARRIER


def test_iq_is_taken_as_it_is():
    iq = echo(POINT, [0.0], probe=linear_probe(), transmits=[transmit()], sampling=4 * CARRIER, kind="iq")
    np.testing.assert_array_equal(to_baseband(iq, 0), iq.samples[0])


def test_every_frame_is_beamformed_with_its_scale_and_its_mean_time():
    one = echo(POINT, [plane_time(0)], probe=linear_probe(), transmits=[transmit()], sampling=4 * CARRIER)
    three = replace(
        one,
        samples=np.concatenate([one.samples, one.samples // 2, 0 * one.samples]),
        scale=3 * one.scale,
        times=np.array([[0.0], [0.1], [0.2]]),
    )
    made = delay_and_sum(three, only(POINT), kernel="reference")
    np.testing.assert_allclose(np.abs(made.values.ravel()), [3, 1.5, 0], atol=3 * STRENGTH)
    assert made.times.tolist() == [0.0, 0.1, 0.2]
    assert made.sound_speed == SPEED
    assert dict(made.provenance[-1].settings) == {"f_number": 1.5, "kernel": "reference"}
    assert delay_and_sum(replace(three, times=None), only(POINT)).times is None


def test_the_time_of_a_frame_is_the_middle_of_its_transmits():
    data = echo(
        POINT, [0.0, 0.0], probe=linear_probe(), transmits=[transmit(), transmit()], sampling=4 * CARRIER
    )
    made = delay_and_sum(replace(data, times=np.array([[0.2, 0.4]])), only(POINT))
    assert made.times.tolist() == pytest.approx([0.3])


def any_data(**changes):
    data = echo(
        POINT, [0.0], probe=linear_probe(4), transmits=[transmit()], sampling=4 * CARRIER, n_samples=64
    )
    return replace(data, acquisition=replace(data.acquisition, **changes))


def moved_probe(**columns):
    probe = linear_probe(4)
    positions, normals = probe.element_positions.copy(), probe.element_normals.copy()
    if "normal" in columns:
        normals[:] = columns.pop("normal")
    for column, values in columns.items():
        positions[:, "xyz".index(column)] += values
    return replace(probe, element_positions=positions, element_normals=normals)


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (
            moved_probe(y=[0, 0, 0, -0.002]),
            "delay_and_sum needs elements in the plane of elevation zero, got one 0.002 m beside it",
        ),
        (
            moved_probe(z=[0, 0.001, 0.001, 0]),
            "delay_and_sum needs a flat array that faces +z, got one 0.001 m deep (curved arrays are not beamformed yet)",
        ),
        (
            moved_probe(normal=[0.6, 0, 0.8]),
            "delay_and_sum needs a flat array that faces +z, got one 0 m deep (curved arrays are not beamformed yet)",
        ),
    ],
)
def test_an_array_that_is_not_flat_is_refused(probe, message):
    with refused(InputError, message):
        delay_and_sum(any_data(probe=probe), only(POINT))


@pytest.mark.parametrize(
    ("rate", "fold"), [(10e6, 5), (5e6, 5), (2.5e6, 5), (5.01e6, 5.01), (9e6, 4.5), (11e6, 5.5)]
)
def test_rf_folded_onto_itself_is_refused(rate, fold):
    message = (
        "RF of 5 MHz must be sampled at a rate that does not fold its band onto itself, got "
        f"{rate / 1e6:g} MHz, which folds at {fold:g} MHz (IQ data?)"
    )
    wide = linear_probe(4, fractional_bandwidth=0.6)
    with refused(InputError, message):
        delay_and_sum(any_data(probe=wide, sampling_frequency=rate), only(POINT))


def test_rf_with_the_fold_beside_its_band_is_not_refused():
    wide = linear_probe(4, fractional_bandwidth=0.6)
    delay_and_sum(any_data(probe=wide, sampling_frequency=12e6), only(POINT))
    delay_and_sum(any_data(sampling_frequency=10.1e6), only(POINT))


@pytest.mark.parametrize("value", [0.29, 11, float("nan")])
def test_an_f_number_that_cannot_be_is_refused(value):
    with refused(RangeError, f"f_number must lie in 0.3..10 1, got {value:g}"):
        delay_and_sum(any_data(), only(POINT), f_number=value)


def test_an_unknown_kernel_is_refused_with_the_known_ones():
    known = ", ".join(kernels.available())
    with refused(UnknownNameError, f"kernel must be one of {known}, got 'cuda'"):
        delay_and_sum(any_data(), only(POINT), kernel="cuda")


def test_echoes_that_are_no_number_are_refused_at_the_door():
    data = echo(POINT, [0.0], probe=linear_probe(4), transmits=[transmit()], sampling=4 * CARRIER, kind="iq")
    samples = data.samples.copy()
    samples[0, 0, 2, 7] = np.nan
    with refused(
        RangeError, "ChannelData.samples must be finite, got 1 NaN or infinite, the first at (0, 0, 2, 7)"
    ):
        replace(data, samples=samples)
