import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from insonate.core import ChannelData, Grid, SetControl
from insonate.imaging.beamforming.delay_and_sum import delay_and_sum
from insonate.simulation.answer import replay
from insonate.simulation.course import CONTROLS, TICK, Settings
from insonate.simulation.ensemble import Heard
from insonate.simulation.patient import SimulatedPatient, cutter
from insonate.simulation.section import heard
from insonate.simulation.streams import plane_thickness
from simulation.analytic_body import ARTERY, AnalyticBody
from simulation.kasai import beamformed, doppler, sampled, shift_of
from simulation.scripts import WHO, probe

BODY = AnalyticBody()
SETTINGS = Settings(angles=(0.0,), truth_step=2e-4)
ALONG = probe(force=0.5, turn=np.pi / 2, at=(4e-3, 0, 0))
"""The plane along the artery."""


def control(name, value, time=0.0):
    return SetControl(name=name, value=value, time=time, given_by=WHO)


def color(**values):
    return [control(f"color_{name}", value) for name, value in values.items()]


def observed(commands, until, seed=7):
    one = SimulatedPatient(seed, SETTINGS, body=BODY)
    seen = [o for o in one.advance(commands, until) if isinstance(o, ChannelData)]
    return one, [o for o in seen if o.is_ensemble], [o for o in seen if not o.is_ensemble]


def test_velocity_in_an_artery_is_found_within_three_percent():
    """At the top of the pulse, where the artery runs across the picture: 1 m/s, steered by 20 degrees.

    Beside what the thickness of the slice and the window of the estimate hold, 3 % less than the speed in the plane.
    """
    commands = [
        ALONG,
        control("ticks_per_frame", 20),
        *color(rate=8e3, steering=0.35, top=0.012, bottom=0.024, left=-0.006, right=0.006),
        control("color_shots", 32, time=0.07),
    ]
    patient, (ensemble,), _ = observed(commands, 0.15)
    truth = list(replay(7, SETTINGS, commands, 0.15, body=BODY))[2]
    assert ensemble.times[0, 0] == truth.time == pytest.approx(0.1)
    speed = np.abs(truth.velocity).max()
    assert speed > 0.5
    grid = Grid(axial=np.arange(0.0135, 0.0225, 2e-4), lateral=np.linspace(-4e-3, 4e-3, 41))
    found, power = doppler(ensemble, grid)
    rows = np.searchsorted(truth.grid.axial, grid.axial - 1e-9)
    columns = np.abs(truth.grid.lateral[:, None] - grid.lateral).argmin(axis=0)
    rhythm, middle = patient._course.rhythm, float(ensemble.times.mean())
    onward = rhythm.arterial_speed(middle) / rhythm.arterial_speed(
        truth.time
    )  # the pulse goes on from shot to shot
    imposed = onward * shift_of(truth.velocity[np.ix_(rows, columns)], ensemble)
    lumen = binary_erosion(truth.labels[np.ix_(rows, columns)] == ARTERY, iterations=2)
    quick = lumen & (
        np.abs(imposed) > 0.5 * np.abs(imposed[lumen]).max()
    )  # what a wall filter takes is not its fault
    assert quick.sum() > 300
    held = sampled(imposed, radius=4e-3, thickness=plane_thickness())
    assert (found[quick] * held[quick]).sum() / (held[quick] ** 2).sum() == pytest.approx(1, abs=0.03)
    assert np.std(found[quick] - imposed[quick]) < 0.05 * 4e3  # of Nyquist's
    assert np.corrcoef(found[quick], imposed[quick])[0, 1] > 0.7
    # toward the probe is positive: the artery flows along +x of this plane, the wave comes from the other side
    assert np.sign(np.median(found[quick])) == -np.sign(
        np.median(truth.velocity[..., 0][truth.labels == ARTERY])
    )
    still = ~lumen & (grid.axial[:, None] < 0.0135 + 2e-4)
    assert np.median(power[quick]) > 5 * np.median(power[still])


def test_an_ensemble_is_told_from_a_picture_and_comes_ten_times_a_second():
    _, ensembles, pictures = observed([probe(), *color(shots=4, rate=2e3)], 0.2)
    assert len(pictures) == 4 and len(ensembles) == 2
    assert [e.times[0, 0] for e in ensembles] == pytest.approx([0.0, 2 * TICK])
    one = ensembles[0]
    assert one.n_frames == 4
    np.testing.assert_allclose(np.diff(one.times[:, 0]), 1 / 2e3)
    assert one.provenance[0].settings["shots"] == 4
    direction = one.acquisition.transmits[0].direction
    assert np.arctan2(direction[0], direction[2]) == pytest.approx(0.175)


def test_it_comes_less_often_where_that_is_asked_for():
    _, ensembles, _ = observed([probe(), *color(shots=4, rate=2e3, every=5)], 0.6)
    assert [e.times[0, 0] for e in ensembles] == pytest.approx([0.0, 5 * TICK, 10 * TICK])


def test_color_changes_no_state_and_every_byte_comes_again():
    plain, _, before = observed([probe()], 0.1)
    colored, first, after = observed([probe(), *color(shots=3)], 0.1)
    _, second, _ = observed([probe(), *color(shots=3)], 0.1)
    assert colored._course.controls["color_shots"] == 3
    colored._course.controls["color_shots"] = 0.0
    assert plain._course.digest() == colored._course.digest()
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)
    # without an ensemble at their tick pictures are the same bytes; with one their blood takes another way
    np.testing.assert_array_equal(before[1].samples, after[1].samples)
    other = after[0].samples - before[0].samples
    assert 0 < np.linalg.norm(other) < 1e-2 * np.linalg.norm(before[0].samples)


def test_tissue_stands_still_unless_it_is_asked_to_move():
    """A muscle moved by the wall of the artery, 10 ms from the first shot to the last."""
    commands = [probe(force=0.5), control("ticks_per_frame", 20), *color(rate=1e3, steering=0.0)]
    ends = []
    for moving in (0, 1):
        last = [control("color_moving_tissue", moving), control("color_shots", 10, time=0.07)]
        _, (one,), _ = observed([*commands, *last], 0.15)
        grid = Grid(axial=np.arange(0.0225, 0.0245, 1e-4), lateral=np.linspace(2e-3, 6e-3, 9))
        pictures = beamformed(one, grid)
        ends.append(float(np.angle((pictures[-1] * pictures[0].conj()).sum())))
    assert abs(ends[0]) < 0.02
    assert abs(ends[1]) > 0.1


def test_the_longest_ensemble_ends_before_the_next_tick():
    assert CONTROLS["color_shots"][1] / CONTROLS["color_rate"][0] < TICK


def test_points_are_heard_as_the_map_is():
    one = SimulatedPatient(7, SETTINGS, body=BODY)
    list(one.advance([probe()], 0.05))
    medium = cutter().cut(one._course).medium
    level = heard(medium, 7.5e6) / np.where(medium.reflectivity == 0, 1, medium.reflectivity)
    columns, rows = np.array([200, 256, 300]), np.array([120, 400, 800])
    places = np.stack([medium.plane.lateral[columns], 0 * rows, medium.plane.axial[rows]], axis=1)
    found = Heard(medium, 7.5e6).points(places, np.ones(3))
    np.testing.assert_allclose(found, level[columns, rows], rtol=0.02)
    beside = Heard(medium, 7.5e6).points(places + np.array([0, 0.9e-3, 0]), np.ones(3))
    np.testing.assert_allclose(beside, found * np.exp(-0.5), rtol=1e-6)


def test_blood_in_a_picture_is_another_after_a_tick_and_tissue_is_not():
    """Tissue is made faint and noise left out, so that no side lobe of what stands still covers the lumen."""
    faint = AnalyticBody()
    faint.echo = np.full_like(faint.echo, 3e-4)
    faint.echo[ARTERY] = 1e-5
    one = SimulatedPatient(7, SETTINGS, body=faint)
    one._noise = np.float32(0)
    frames = [o for o in one.advance([ALONG], 0.2) if isinstance(o, ChannelData)]

    def likeness(top, bottom):
        grid = Grid(axial=np.arange(top, bottom, 1e-4), lateral=np.linspace(-4e-3, 4e-3, 41))
        a, b = (delay_and_sum(frame, grid).values[0] for frame in frames[2:4])
        return abs(np.vdot(a, b)) / np.linalg.norm(a) / np.linalg.norm(b)

    assert likeness(0.025, 0.030) > 0.8
    assert likeness(0.0155, 0.0195) < 0.3
