from dataclasses import replace

import numpy as np
import pytest

from insonate.core import (
    AdvanceNeedle,
    Drawn,
    InputError,
    MoveBody,
    RangeError,
    SetControl,
    UnknownNameError,
)
from insonate.simulation.course import CONTROLS, TICK, Course, Settings, due, ticks_until
from insonate.simulation.motion.injection import Place
from refusals import refused
from simulation.analytic_body import NERVE, AnalyticBody
from simulation.motion.poses import held
from simulation.scripts import WHO, block, inject, needle_to, probe, stimulate

BODY = AnalyticBody()


def lived(commands, until, seed=7):
    course, waiting, seen = Course(seed, BODY), due(commands), []
    for command in commands:
        course.check(command)
    while course.tick < ticks_until(until):
        while waiting and ticks_until(waiting[0].time) <= course.tick:
            course.obey(waiting.pop(0))
        seen.append(course.advance())
    return course, seen


@pytest.mark.parametrize(
    ("time", "ticks"),
    [(0.0, 0), (0.05, 1), (0.051, 2), (0.15000000000000002, 3), (3 * 0.05 - 1e-9, 3), (-1, 0)],
)
def test_ticks_before_a_time(time, ticks):
    assert ticks_until(time) == ticks


def test_commands_of_one_time_are_obeyed_as_they_came():
    first, second, third = probe(time=1.0), probe(time=0.5), inject(1.0)
    assert due([first, second, third]) == [second, first, third]


@pytest.mark.parametrize(
    ("command", "error", "message"),
    [
        (
            probe(at=(0.2, 0, 0)),
            RangeError,
            "MoveProbe.pose must meet the skin within the window, x in -45.0..45.0 mm, got 200.0",
        ),
        (
            probe(angle=1.5),
            RangeError,
            "MoveProbe.pose must look into the body, at most 60 degrees off straight down, got 86",
        ),
        (
            probe(angle=-0.9, force=0.0, at=(-0.044, 0, 0)),
            RangeError,
            "MoveProbe.pose must have the middle of its plane within the window, x in -45.0..45.0 mm, got -60.0",
        ),
        (
            SetControl(name="ticks_per_frame", value=1.5, time=0, given_by=WHO),
            RangeError,
            "SetControl ticks_per_frame must be a whole number, got 1.5",
        ),
        (
            MoveBody(part="biceps", amount=1, time=0, given_by=WHO),
            UnknownNameError,
            "MoveBody.part must be one of iliopsoas, got 'biceps'",
        ),
        (
            SetControl(name="zoom", value=1, time=0, given_by=WHO),
            UnknownNameError,
            f"SetControl.name must be one of {', '.join(CONTROLS)}, got 'zoom'",
        ),
        (
            SetControl(name="color_rate", value=500, time=0, given_by=WHO),
            RangeError,
            "SetControl color_rate must lie in 1000..20000 Hz, got 500",
        ),
        (
            SetControl(name="color_shots", value=7.5, time=0, given_by=WHO),
            RangeError,
            "SetControl color_shots must be a whole number, got 7.5",
        ),
        (
            SetControl(name="needle_gauge", value=19, time=0, given_by=WHO),
            RangeError,
            "gauge must be one of 18, 20, 21, 22, 23, 25 G, got 19",
        ),
        (
            AdvanceNeedle(
                entry=[0.5, 0, 0], direction=[0, 0, 1], inserted=0.01, rotation=0, time=0, given_by=WHO
            ),
            RangeError,
            "AdvanceNeedle.entry x must lie in -0.095..0.095 m, got 0.5 (outside the window?)",
        ),
        (
            "advance",
            InputError,
            "a command must be one of MoveProbe, MoveBody, AdvanceNeedle, Inject, Stimulate, SetControl, got str",
        ),
    ],
)
def test_what_this_body_cannot_obey_is_refused_by_name(command, error, message):
    with refused(error, message):
        Course(0, BODY).check(command)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(seed):
    with refused(RangeError, f"seed must lie in 0..4294967295, got {seed}"):
        Course(seed, BODY)


def test_settings_are_checked():
    with refused(RangeError, "Settings.angles must lie in -0.6..0.6 rad, got 8 (degrees?)"):
        Settings(angles=(8.0,))
    with refused(RangeError, "Settings.angles must hold 1..64 angles, got 0"):
        Settings(angles=())
    with refused(RangeError, "Settings.slices must be odd, for one is the image plane, got 4"):
        Settings(slices=4)
    with refused(RangeError, "Settings.slices must lie in 1..15 planes, got 17"):
        Settings(slices=17)


def test_the_artery_pulses_and_its_neighbors_follow_as_one_over_the_distance():
    course, _ = lived([probe(force=0.01)], 2.0)
    rest = np.array([[4e-3 + 4e-3, 0, 0.018], [4e-3 + 8e-3, 0, 0.018]])
    moved = []
    for _ in range(30):
        course.advance()
        artery = next(m for m in course.now.inner if getattr(m, "tube", None) and m.tube.label == 6)
        moved.append(artery.forth(rest)[:, 0] - rest[:, 0])
    moved = np.array(moved)
    top = moved[:, 0].max()
    assert top == pytest.approx(course.rhythm.arterial_strain * 4e-3, rel=0.2)
    assert moved[:, 1].max() / top == pytest.approx(0.5, rel=0.05)


def test_a_vein_closes_under_the_probe_and_opens_again():
    def area(force):
        course, _ = lived([probe(force=force)], 0.1)
        x = np.linspace(-8e-3, 8e-3, 81)
        grid = np.stack(np.meshgrid(14e-3 + x, [0.0], 0.02 + x, indexing="ij"), axis=-1).reshape(-1, 3)
        return (BODY.distance(7, course.now.origin(grid)) < 0).mean()

    assert area(0.0) > area(2.0) > 4 * area(9.0)


def test_fluid_rings_and_moves_the_nerve_and_all_of_it_is_there():
    course, seen = lived(block(), 4.0)
    assert seen[-1].injection.volume == pytest.approx(1.5e-6)
    x, y, z = np.linspace(-0.019, 0.0, 77), np.linspace(-0.019, 0.019, 49), np.linspace(0.005, 0.033, 113)
    grid = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).reshape(-1, 3)
    wet = course.now.fluid(grid) > 0
    volume = wet.sum() * (x[1] - x[0]) * (y[1] - y[0]) * (z[1] - z[0])
    assert volume == pytest.approx(1.5e-6, rel=0.01)
    ring = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    on, off = (
        np.stack([-8e-3 + r * np.cos(ring), 0 * ring, 17e-3 + r * np.sin(ring)], axis=1)
        for r in (2.4e-3, 2.6e-3)
    )
    # tissue just outside the nerve has been taken off it all the way round
    assert np.linalg.norm(course.now.place(off) - course.now.place(on), axis=1).min() > 0.35e-3
    middle = course.now.place(np.array([[-8e-3, 0, 17e-3]]))[0]
    before, _ = lived([c for c in block() if not hasattr(c, "rate")], 4.0)
    assert np.linalg.norm(middle - before.now.place(np.array([[-8e-3, 0, 17e-3]]))[0]) > 2e-4


def test_fluid_in_the_nerve_swells_it_under_a_higher_pressure():
    course, seen = lived([probe(), *needle_to((-8e-3, 0, 18e-3), speed=0.04), inject(1.5)], 3.0)
    assert course.place is Place.NERVE
    assert seen[-1].injection.pressure > 15 * 6895
    x = np.linspace(-7e-3, 7e-3, 141)
    middle = course.now.place(np.array([[-8e-3, 0, 17e-3]]))[0]
    grid = middle + np.stack(np.meshgrid(x, [0.0], x, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = (BODY.distance(NERVE, course.now.origin(grid)) < 0) | (course.now.fluid(grid) > 0)
    assert inside.sum() * (x[1] - x[0]) ** 2 > 1.4 * np.pi * 2.5e-3**2


def test_fluid_in_a_vessel_goes_with_the_blood():
    course, seen = lived([probe(), *needle_to((4e-3, 0, 18.5e-3), speed=0.06), inject(1.5, rate=3e-7)], 3.0)
    assert course.place is Place.VESSEL
    assert not course.now.has_fluid
    assert seen[-1].injection.volume == pytest.approx(0.45e-6)
    assert seen[-1].injection.pressure < 15 * 6895


@pytest.mark.parametrize(
    ("goal", "given", "drawn"),
    [
        ((4e-3, 0, 18.5e-3), False, Drawn.BLOOD),
        ((-0.0115, 0, 0.0175), False, Drawn.NOTHING),
        ((-0.0115, 0, 0.0175), True, Drawn.FLUID),
    ],
)
def test_a_drawn_syringe_shows_what_the_tip_lies_in(goal, given, drawn):
    first = [inject(1.0, rate=8e-7)] if given else []
    course, seen = lived([probe(), *needle_to(goal, speed=0.06), *first, inject(2.0, rate=-4e-7)], 3.0)
    told = [one.injection.drawn for one in seen if one.injection is not None]
    assert told[-1] is drawn
    since = [one.time for one in seen if one.injection is not None and one.injection.drawn is not None]
    assert since[0] == pytest.approx(2.5, abs=0.11)  # 0.2 mL at 0.4 mL/s
    assert course.syringe.volume == (pytest.approx(0.4e-6, abs=0.05e-6) if given else 0)


def test_the_tip_has_its_place_in_the_body_as_it_is():
    course, _ = lived([probe(force=6.0), *needle_to((-0.0115, 0, 0.0175), speed=0.04)], 1.5)
    tip = course.insertion.shaft.tip
    angle = np.linspace(0, 2 * np.pi, 720)
    rim = np.stack([-8e-3 + 2.5e-3 * np.cos(angle), 0 * angle, 17e-3 + 2.5e-3 * np.sin(angle)], axis=1)
    nearest = np.linalg.norm(course.now.place(rim) - tip, axis=1).min()
    assert abs(course.around.distance) == pytest.approx(nearest, rel=0.03)


def test_a_stimulus_is_answered_at_its_rate_and_the_muscle_moves():
    course, seen = lived([probe(), *needle_to((-0.0105, 0, 0.0172), speed=0.04), stimulate(1.0, 5e-3)], 4.0)
    times = [one.stimulation.time for one in seen if one.stimulation is not None]
    np.testing.assert_allclose(np.diff(times), 0.5, atol=1e-9)
    assert seen[-1].time - times[-1] < 0.5
    answered = [one.stimulation for one in seen if one.stimulation is not None and one.stimulation.grade]
    assert answered and answered[0].muscle == "quadriceps"
    assert course.twitching is not None


def test_a_muscle_follows_its_command_and_lets_go():
    on = MoveBody(part="iliopsoas", amount=1.0, time=0, given_by=WHO)
    off = MoveBody(part="iliopsoas", amount=0.0, time=1.0, given_by=WHO)
    course, _ = lived([on], 1.0)
    moved = course.now.place(np.array([[0.0, 0.012, 0.027]]))[0] - [0.0, 0.012, 0.027]
    assert moved[1] < -3e-4  # toward its middle
    course, _ = lived([on, off], 3.0)
    assert course.parts == {}


def test_more_than_a_syringe_holds_is_not_given():
    course, _ = lived([probe(), *needle_to((-0.0115, 0, 0.0175), speed=0.04), inject(0.6, rate=2e-6)], 0.7)
    course.syringe.volume = 99.95e-6
    for _ in range(3):
        course.advance()
    assert course.syringe.volume == pytest.approx(1e-4)


def test_the_same_seed_and_commands_are_the_same_state_and_another_seed_is_not():
    first, again, other = lived(block(), 2.5)[0], lived(block(), 2.5)[0], lived(block(), 2.5, seed=8)[0]
    assert first.digest() == again.digest() != other.digest()


def test_a_probe_may_be_turned_and_tells_where_it_is():
    _, seen = lived([probe(force=3.0, turn=np.pi / 2)], TICK)
    assert seen[0].pose.translation[2] > 1e-3
    np.testing.assert_allclose(seen[0].pose.rotation, held(turn=np.pi / 2).rotation)


def test_a_tip_drawn_back_by_a_millimeter_lies_in_another_spot_and_meets_another_pressure(monkeypatch):
    asked = []
    monkeypatch.setattr("insonate.simulation.course.opening", lambda *told: asked.append(told[3]) or 5e4)
    there = needle_to((-0.0115, 0, 0.0165), speed=0.04)
    last = there[-1]
    moves = [
        replace(last, inserted=last.inserted - back, time=time)
        for back, time in ((0.3e-3, 1.5), (1.0e-3, 2.0), (0.2e-3, 2.5))
    ]
    lived([probe(), *there, inject(0.9, rate=2e-7), *moves], 3.0)
    at_rest = [asked[ticks_until(time) - 1] for time in (1.4, 1.9, 2.4, 2.9)]
    first, near, back, again = at_rest
    assert near == first  # a third of a millimeter is the same spot
    assert back > near and again > back


class TwoNerves(AnalyticBody):
    """With another nerve, 6 mm beside the femoral one."""

    structures = (*AnalyticBody.structures, AnalyticBody.structures[NERVE - 1])

    def __init__(self):
        super().__init__()
        self.properties = {name: np.append(values, values[NERVE]) for name, values in self.properties.items()}

    def distance(self, label, points):
        return (
            super().distance(NERVE, points - [6e-3, 0, 0])
            if label > NERVE
            else super().distance(label, points)
        )


@pytest.mark.parametrize(("x", "label"), [(-11.5e-3, NERVE), (1.5e-3, NERVE + 1)])
def test_the_nearest_of_two_nerves_is_told(x, label):
    body = TwoNerves()
    course, waiting = Course(7, body), due([probe(), *needle_to((x, 0, 12e-3), speed=0.06)])
    while course.tick < ticks_until(1.0):
        while waiting and ticks_until(waiting[0].time) <= course.tick:
            course.obey(waiting.pop(0))
        course.advance()
    turn, along = (
        a.ravel() for a in np.meshgrid(np.linspace(0, 2 * np.pi, 721), np.linspace(-3e-3, 3e-3, 61))
    )
    middle, depth, radius = body.tubes[NERVE]
    rim = np.stack([middle + radius * np.cos(turn), along, depth + radius * np.sin(turn)], axis=1)
    tip = course.insertion.shaft.tip
    away = [
        np.linalg.norm(course.now.place(rim + np.array([aside, 0, 0])) - tip, axis=1).min()
        for aside in (0, 6e-3)
    ]
    assert course.around.nerve == label == NERVE + int(np.argmin(away))
    assert course.around.distance == pytest.approx(min(away), rel=0.03)
