"""Real echoes of a rotating disk, bandpass-sampled, against the B-mode that shipped with them."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.must_planewave import F_NUMBER, Fit, correlations, fitted, frames_of, pictures, read

from insonate.core import Grid
from insonate.imaging.b_mode import b_mode
from insonate.imaging.beamforming import delay_and_sum

pytestmark = pytest.mark.data

LEAST = 0.90
"""Correlation that the foundation asks for; 0.93 is its mark, and 0.95 was measured."""
GUESS = Fit(left=-0.0125, right=0.0125, top=0.010, bottom=0.035, dynamic_range=32.0)
"""Grid and range of the trial that set the mark, before any fit."""
DISK = (-0.0007, 0.0224, 0.0101)
"""Lateral and axial center and radius of the disk, read off the shipped pictures [m]."""


@pytest.fixture(scope="module", name="disk")
def _disk():
    from conftest import shared_data

    return read(shared_data("must-planewave"))


def test_the_pictures_correlate_with_the_shipped_ones_on_frames_that_were_not_fitted(disk):
    echoes, reference = disk
    fit = fitted(echoes, reference)
    scored = slice(1, None, 6)
    values = correlations(
        pictures(frames_of(echoes, scored), fit, reference.shape[1:], F_NUMBER), reference[scored]
    )
    assert len(values) == 6
    assert min(values) >= LEAST


def test_the_fit_does_not_leave_the_grid_of_the_trial(disk):
    echoes, reference = disk
    fit = fitted(echoes, reference)
    for name in ("left", "right", "top", "bottom"):
        assert getattr(fit, name) == pytest.approx(getattr(GUESS, name), abs=3e-4)


@pytest.mark.parametrize("shift", [(0, 6), (6, 0), (-6, 0)])
def test_the_correlation_notices_six_tenths_of_a_millimeter(disk, shift):
    echoes, reference = disk
    made = pictures(frames_of(echoes, slice(1, 2)), GUESS, reference.shape[1:], F_NUMBER)
    right = correlations(made, reference[1:2])[0]
    assert correlations(np.roll(made, shift, axis=(1, 2)), reference[1:2])[0] < right - 0.1


def test_echoes_left_folded_make_no_such_picture(disk):
    """Taken as if they lay in the first half-zone, the echoes of the bandpass-sampled file do not add up."""
    echoes, reference = disk
    first = frames_of(echoes, slice(0, 1))
    acquisition = first.acquisition
    wrong = replace(
        acquisition,
        probe=replace(acquisition.probe, center_frequency=acquisition.sampling_frequency - 5e6),
        transmits=tuple(replace(one, waveform=None) for one in acquisition.transmits),
    )
    made = pictures(replace(first, acquisition=wrong), GUESS, reference.shape[1:], F_NUMBER)
    assert correlations(made, reference[:1])[0] < 0.6


def test_the_disk_stands_out_from_what_surrounds_it(disk):
    echoes, reference = disk
    grid = Grid(axial=np.linspace(0.010, 0.035, 251), lateral=np.linspace(-0.0125, 0.0125, 251))
    image = b_mode(delay_and_sum(frames_of(echoes, slice(0, 1)), grid, f_number=F_NUMBER), dynamic_range=60)
    x, z, radius = DISK
    away = np.hypot(grid.lateral[None, :] - x, grid.axial[:, None] - z)
    inside, around = away < 0.8 * radius, (away > 1.15 * radius) & (away < 1.4 * radius)
    contrast = np.median(image.values[0][inside]) - np.median(image.values[0][around])
    shipped = np.median(reference[0][inside]) - np.median(reference[0][around])
    assert shipped > 60
    assert contrast > 10


def test_the_disk_turns_as_a_rigid_body_does(disk):
    """The phase from frame to frame grows evenly from side to side, and is zero on the axis."""
    echoes, _ = disk
    x, z, radius = DISK
    grid = Grid(axial=z + np.linspace(-1e-3, 1e-3, 11), lateral=x + np.linspace(-0.7, 0.7, 29) * radius)
    values = delay_and_sum(echoes, grid, f_number=F_NUMBER).values
    turn = np.angle(np.sum(values[1:] * values[:-1].conj(), axis=(0, 1)))
    slope, offset = np.polyfit(grid.lateral, turn, 1)
    assert np.corrcoef(grid.lateral, turn)[0, 1] ** 2 > 0.9
    assert abs(slope) * radius > 0.3
    assert abs(-offset / slope - x) < 0.0005
