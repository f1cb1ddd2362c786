"""The moving body: one clock, one seed, and an artery whose wall moves with the pulse."""

import numpy as np
import pytest

from insonate.core import ChannelData, Grid, RangeError, Source
from insonate.imaging.beamforming import delay_and_sum
from insonate.simulation.crease import paint
from insonate.simulation.moving_body import TICK, MovingBody
from refusals import refused

SEED = 11


@pytest.fixture(scope="module", name="body")
def _body():
    return MovingBody(SEED)


@pytest.fixture(scope="module", name="clip")
def _clip(body):
    return list(body.advance((), 0.4))


def test_one_frame_a_tick_from_zero_up_to_but_not_at_the_end(body, clip):
    assert len(clip) == 8
    assert all(isinstance(frame, ChannelData) for frame in clip)
    np.testing.assert_allclose([frame.times.item() for frame in clip], TICK * np.arange(8), atol=1e-12)
    assert list(body.advance((), 0.4)) == []
    assert list(body.advance((), TICK / 2)) == []  # the clock does not go back


def test_however_time_is_chopped_the_same_seed_gives_the_same_bytes(clip):
    """Nothing at 0, a walk broken off, commands that it does not obey, and steps that are no ticks."""
    again = MovingBody(SEED)
    frames = list(again.advance((), 0.0))
    assert frames == []
    frames.append(next(iter(again.advance((), 1.0))))
    for until in (0.051, 0.17, 0.171, 0.4):
        frames += again.advance(["depth 3 cm", "faster"], until)
    assert [frame.samples.tobytes() for frame in frames] == [frame.samples.tobytes() for frame in clip]
    assert [frame.times.item() for frame in frames] == [frame.times.item() for frame in clip]


def test_another_seed_is_another_body_and_says_that_it_is_simulated(clip):
    other = MovingBody(SEED + 1)
    assert isinstance(other, Source)
    assert other.simulated
    assert other.accepts == frozenset()
    assert other.name == "moving body"
    (frame,) = other.advance((), TICK)
    assert not np.array_equal(frame.samples, clip[0].samples)


def test_three_plane_waves_take_turns(clip):
    angles = [np.degrees(np.arctan2(*frame.acquisition.transmits[0].direction[[0, 2]])) for frame in clip]
    np.testing.assert_allclose(angles, [-10, -5, 0, 5, 10, -10, -5, 0], atol=1e-9)
    assert all(np.isinf(frame.acquisition.transmits[0].focus_distance) for frame in clip)


def test_the_noise_is_sixty_two_decibels_below_the_loudest_echo(clip):
    """Beyond 0.6 of the carrier beside it no echo was simulated: what is there is noise, alike in both parts."""
    samples, acquisition = clip[0].samples[0, 0], clip[0].acquisition
    spectrum = np.fft.fft(samples, axis=-1) / np.sqrt(samples.shape[-1])
    away = np.abs(np.fft.fftfreq(samples.shape[-1], 1 / acquisition.sampling_frequency))
    noise = spectrum[:, away > 0.61 * acquisition.demodulation_frequency]
    for part in (noise.real, noise.imag):
        assert 20 * np.log10(part.std() / np.abs(samples).max()) == pytest.approx(-62, abs=0.1)
    fresh = np.vdot(*(np.fft.fft(frame.samples[0, 0])[:, away > 5e6] for frame in (clip[0], clip[3])))
    assert abs(fresh) < 0.02 * np.linalg.norm(noise) ** 2 * samples.shape[-1]


def artery_of(seed):
    x, z = (np.arange(512) - 256) * 0.15, np.arange(1024) * 0.04
    return paint(np.random.default_rng(seed), x, z, attenuation=0.5 * 7.5 * 2 / 10).artery


def shift(before, after, step):
    """Give how much deeper lines went, by the best correlation of their strengths between samples [m]."""
    before, after = (np.abs(line) - np.abs(line).mean() for line in (before, after))
    lags = np.arange(-20, 21)
    match = [np.sum(before[20:-20] * np.roll(after, -lag, axis=0)[20:-20]) for lag in lags]
    at = int(np.clip(np.argmax(match), 1, len(lags) - 2))
    a, b, c = match[at - 1 : at + 2]
    return step * (lags[at] + 0.5 * (a - c) / (a - 2 * b + c))


def rise(phase):
    """How full the artery is over the pulse."""
    return np.exp(-0.5 * ((phase - 0.18) / 0.09) ** 2) + 0.35 * np.exp(-0.5 * ((phase - 0.48) / 0.14) ** 2)


def test_the_pulse_moves_the_walls_of_the_artery_apart_and_breath_moves_all(clip):
    """Between 0 and 150 ms, at one angle: the walls part by 2 s a, and everything sinks with the breath.

    s is the strain's rise from phase 0 to the phase of sixteen that 0.15 s falls in, 2 of 16; a the artery's radius.
    """
    x, z, radius = (1e-3 * value for value in artery_of(SEED))
    step = 1e-5

    def line(frame, middle, column, reach=1.2e-3):
        grid = Grid(
            axial=middle + np.arange(-reach, reach, step), lateral=column + np.linspace(-8e-4, 8e-4, 9)
        )
        return delay_and_sum(frame, grid).values[0]

    def moved(middle, column):
        return shift(line(clip[0], middle, column), line(clip[3], middle, column), step)

    strain = 0.045 * (rise(2 / 16) - rise(0))
    breath = 0.35e-3 * np.sin(2 * np.pi * 0.23 * 0.15)
    near, far = moved(z - 0.96 * radius, x), moved(z + 0.96 * radius, x)
    parted = 2 * strain * radius
    assert far - near == pytest.approx(parted, rel=0.35)
    assert (far + near) / 2 == pytest.approx(breath, abs=4e-5)
    assert moved(0.0120, -0.014) == pytest.approx(breath, abs=4e-5)


def test_the_pulse_pushes_the_nerve_aside_and_the_hand_moves_all(clip):
    """Between 50 and 200 ms, straight down: u = s a^2 / r away from the artery's center, on top of the hand's tremor."""
    x, z, radius = (1e-3 * value for value in artery_of(SEED))
    step = 1e-5

    def sideways(time):
        return 0.25e-3 * (np.sin(2 * np.pi * 0.31 * time) + 0.5 * np.sin(2 * np.pi * 0.83 * time))

    sunk = 0.35e-3 * (np.sin(2 * np.pi * 0.23 * 0.2) - np.sin(2 * np.pi * 0.23 * 0.05))

    def line(frame, middle, depth, reach=1.5e-3):
        grid = Grid(
            axial=depth + np.linspace(-1e-3, 1e-3, 41), lateral=middle + np.arange(-reach, reach, step)
        )
        return delay_and_sum(frame, grid, f_number=1.0).values[0].T

    beside = x - 1.35 * radius
    moved = shift(line(clip[1], beside, z), line(clip[4], beside, z + sunk), step)
    strain = 0.045 * (rise(3 / 16) - rise(0))
    push = strain * radius**2 / (beside - x)
    assert moved == pytest.approx(sideways(0.2) - sideways(0.05) + push, abs=4e-5)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(seed):
    with refused(RangeError, f"seed must lie in 0..4294967295, got {seed}"):
        MovingBody(seed)


@pytest.mark.parametrize("seed", [1.5, "7", None, True])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    with refused(RangeError, f"seed must be a whole number in 0..4294967295, got {seed!r}"):
        MovingBody(seed)
