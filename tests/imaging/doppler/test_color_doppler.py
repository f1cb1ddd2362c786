"""Color Doppler: tones in closed form, an independent estimator, noise by chance, and a simulated artery."""

import numpy as np
import pytest

from insonate.core import Grid, InputError, IQImage, PixelGrid
from insonate.imaging.doppler import color_doppler, shows
from insonate.imaging.doppler.clutter import response
from simulation.kasai import doppler

GRID = Grid(axial=np.arange(0.01, 0.018, 2e-4), lateral=np.arange(-4e-3, 4e-3, 3e-4))
RATE, FREQUENCY, SPEED = 4e3, 7.5e6, 1540.0
NYQUIST = SPEED * RATE / (4 * FREQUENCY)
SHOTS = 10


def ensemble(values, *, rate=RATE, grid=GRID, **kw):
    return IQImage(
        values=np.broadcast_to(values, (len(values), *grid.shape)).astype(complex),
        grid=grid,
        times=np.arange(len(values)) / rate,
        center_frequency=kw.get("frequency", FREQUENCY),
        sound_speed=kw.get("sound_speed", SPEED),
    )


def tone(velocity, n=SHOTS):
    """What comes toward the probe turns forward: from a depth z the phase is -4 pi f z / c."""
    return np.exp(4j * np.pi * FREQUENCY / SPEED * velocity * np.arange(n) / RATE)[:, None, None]


@pytest.mark.parametrize("share", [-0.95, -0.5, 0.35, 0.8])
def test_a_tone_has_its_velocity_toward_the_probe_positive(share):
    flow = color_doppler(ensemble(tone(share * NYQUIST, 64)))
    assert flow.nyquist_velocity == pytest.approx(NYQUIST)
    np.testing.assert_allclose(flow.doppler_velocity, share * NYQUIST, atol=0.01 * NYQUIST)
    assert flow.coherence.min() > 0.95


def test_flow_beyond_nyquist_is_folded_into_the_other_direction():
    flow = color_doppler(ensemble(tone(1.4 * NYQUIST, 64)))
    np.testing.assert_allclose(flow.doppler_velocity, -0.6 * NYQUIST, atol=0.01 * NYQUIST)


def test_a_steered_wave_measures_along_the_line_that_halves_both_ways():
    flow = color_doppler(ensemble(tone(0.5 * NYQUIST, 64)), angle=0.35)
    assert flow.nyquist_velocity == pytest.approx(NYQUIST / np.cos(0.175))
    np.testing.assert_allclose(flow.doppler_velocity, 0.5 * NYQUIST / np.cos(0.175), rtol=0.03)


def test_tissue_that_stands_still_is_taken_away_whole():
    """45 dB above blood, of any phase."""
    rng = np.random.default_rng(2)
    tissue = 180 * np.exp(2j * np.pi * rng.random((1, *GRID.shape)))
    flow = color_doppler(ensemble(tone(0.5 * NYQUIST) + tissue))
    np.testing.assert_allclose(flow.doppler_velocity, 0.5 * NYQUIST, atol=0.02 * NYQUIST)
    assert shows(flow).all()


@pytest.mark.parametrize("speed", [1e-3, 5e-3, 1e-2])
def test_tissue_that_moves_is_not_shown_as_flow(speed):
    """2-10 mm/s at 45 dB over the noise."""
    rng = np.random.default_rng(3)
    noise = rng.standard_normal((2, SHOTS, *GRID.shape))
    tissue = 10 ** (45 / 20) * tone(speed) * np.exp(2j * np.pi * rng.random((1, *GRID.shape)))
    flow = color_doppler(ensemble(tissue + (noise[0] + 1j * noise[1]) / np.sqrt(2)))
    assert shows(flow).mean() < 0.01
    leaked = np.median(flow.leakage)  # against what the filter lets pass of a steady turn
    whole = 10 * np.log10(response(np.array([speed / NYQUIST / 2]), SHOTS)[0])
    assert leaked == pytest.approx(whole, abs=0.5)


def test_it_agrees_with_another_writing_of_the_same_estimate():
    """The one that judges the simulator: a mean for a filter, a window of pixels."""
    rng = np.random.default_rng(6)
    values = rng.standard_normal((SHOTS, *GRID.shape)) + 1j * rng.standard_normal((SHOTS, *GRID.shape))
    one = ensemble(values)

    class Beamformed:
        times = one.times[:, None]
        n_frames = SHOTS

    import simulation.kasai as other

    before, other.beamformed = other.beamformed, lambda data, grid: values
    try:
        shift, _ = doppler(Beamformed, GRID, window=(5, 3))
    finally:
        other.beamformed = before
    flow = color_doppler(one, degree=0, window=(1e-3, 9e-4))
    np.testing.assert_allclose(flow.doppler_velocity, shift * SPEED / (2 * FREQUENCY), atol=1e-5 * NYQUIST)


def test_what_cannot_be_an_ensemble_is_refused():
    with pytest.raises(InputError, match="at least two shots"):
        color_doppler(ensemble(tone(0.1, 1)))
    uneven = ensemble(tone(0.1))
    with pytest.raises(InputError, match="evenly in time"):
        color_doppler(
            IQImage(
                values=uneven.values,
                grid=GRID,
                times=np.cumsum(np.arange(SHOTS) + 1.0),
                center_frequency=FREQUENCY,
                sound_speed=SPEED,
            )
        )
    with pytest.raises(InputError, match="on a Grid"):
        color_doppler(
            IQImage(
                values=uneven.values,
                grid=PixelGrid(rows=GRID.shape[0], columns=GRID.shape[1], spacing=None),
                times=uneven.times,
                center_frequency=FREQUENCY,
                sound_speed=SPEED,
            )
        )
    with pytest.raises(InputError, match="speed of sound"):
        color_doppler(ensemble(tone(0.1), sound_speed=None))
