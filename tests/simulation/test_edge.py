"""Commands held at the edge of the window: no place is refused, nothing inside is moved, and nothing stops the patient."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from insonate.core import (
    AdvanceNeedle,
    CoordinateFrame,
    Inject,
    MoveBody,
    MoveProbe,
    Pose,
    RangeError,
    SetControl,
    Stimulate,
    Stimulus,
    UnknownNameError,
)
from insonate.simulation.course import CONTROLS, Course
from insonate.simulation.edge import BEYOND, middle_of
from insonate.simulation.motion.contact import STEEPEST, indentation
from refusals import refused
from simulation.analytic_body import AnalyticBody
from simulation.motion.poses import held
from simulation.scripts import WHO, probe

BODY = AnalyticBody()
COURSE = Course(7, BODY)
LOW, HIGH = BODY.extent


def rotated(x, y, z):
    """Turn about z, then y, then x."""
    turns = []
    for axis, angle in ((0, x), (1, y), (2, z)):
        c, s = np.cos(angle), np.sin(angle)
        turn = np.eye(3)
        one, other = [k for k in range(3) if k != axis]
        turn[one, one] = turn[other, other] = c
        turn[one, other], turn[other, one] = (-s, s) if axis != 1 else (s, -s)
        turns.append(turn)
    return turns[0] @ turns[1] @ turns[2]


angles = st.floats(-3.2, 3.2)
places = st.floats(-1e4, 1e4) | st.floats(-0.1, 0.1)
moments = st.integers(0, 8).map(lambda tick: tick * 0.05)
poses = st.builds(
    lambda x, y, z, at: Pose(
        rotation=rotated(x, y, z),
        translation=np.array(at),
        source=CoordinateFrame.PROBE,
        target=CoordinateFrame.PATIENT,
        time=0.0,
    ),
    angles,
    angles,
    angles,
    st.tuples(places, places, places),
)
probes = st.builds(
    lambda pose, force, time: MoveProbe(pose=pose, contact_force=force, time=time, given_by=WHO),
    poses,
    st.floats(0, 60),
    moments,
)
needles = st.builds(
    lambda entry, pose, inserted, rotation, time: AdvanceNeedle(
        entry=np.array(entry),
        direction=pose.rotation[:, 2],
        inserted=inserted,
        rotation=rotation,
        time=time,
        given_by=WHO,
    ),
    st.tuples(places, places, st.floats(-0.01, 0.03)),
    poses,
    st.floats(0, 0.3),
    st.floats(-7, 7),
    moments,
)
others = st.one_of(
    st.builds(
        lambda r, t: Inject(rate=r, agent="D5W", time=t, given_by=WHO), st.floats(-2e-6, 2e-6), moments
    ),
    st.builds(
        lambda c, w, r, t: Stimulate(
            stimulus=Stimulus(current=c, pulse_width=w, rate=r), time=t, given_by=WHO
        ),
        st.floats(0, 0.02),
        st.floats(1e-5, 2e-3),
        st.floats(0.1, 150),
        moments,
    ),
    st.builds(lambda t: Stimulate(stimulus=None, time=t, given_by=WHO), moments),
    st.builds(
        lambda n, v, t: SetControl(name=n, value=v, time=t, given_by=WHO),
        st.sampled_from([*CONTROLS, "MoveProbe", "no such"]),
        st.floats(-10, 30) | st.sampled_from([1.0, 18.0, 22.0]),
        moments,
    ),
    st.builds(
        lambda p, a, t: MoveBody(part=p, amount=a, time=t, given_by=WHO),
        st.sampled_from(["iliopsoas", "no such"]),
        st.floats(-1, 1),
        moments,
    ),
)


@given(probes)
@example(probe(at=(1.0, 0.0, 0.0)))
@example(probe(angle=1.5, at=(0.0, 0.029, 0.0)))
@example(probe(angle=3.1))
def test_every_pose_is_held_within_the_window(command):
    held_there = COURSE.nearest(command)
    COURSE.check(held_there)
    again = COURSE.nearest(held_there)
    assert again is held_there  # what is held is not held again
    assert held_there.contact_force == command.contact_force


@given(probes)
def test_a_pose_within_is_not_touched(command):
    try:
        COURSE.check(command)
    except RangeError:
        return
    assert COURSE.nearest(command) is command


def test_what_is_held_along_one_axis_still_moves_along_the_other():
    first = COURSE.nearest(probe(at=(0.2, 0.004, 0.0))).pose
    np.testing.assert_allclose(first.translation, [HIGH[0], 0.004, 0.0], atol=1e-8)
    second = COURSE.nearest(probe(at=(0.2, -0.007, 0.0))).pose
    np.testing.assert_allclose(second.translation, [HIGH[0], -0.007, 0.0], atol=1e-8)
    np.testing.assert_array_equal(second.rotation, np.eye(3))


def test_a_tilted_plane_is_held_where_its_middle_reaches_the_edge():
    angle, force = 0.4, 3.0
    pose = held(angle=angle, at=(0.0, 1.0, 0.0))
    command = MoveProbe(pose=pose, contact_force=force, time=0.0, given_by=WHO)
    skin = COURSE.nearest(command).pose.translation
    axis = pose.rotation[:, 2]
    way = middle_of(axis, indentation(force, COURSE.layers.bone))
    assert skin[1] == pytest.approx(min(HIGH[1], HIGH[1] - way[1]), abs=1e-8)


def test_a_pose_that_looks_away_is_turned_upright_only_as_far_as_it_must():
    command = probe(angle=1.3)
    turned = COURSE.nearest(command).pose.rotation
    cosine = turned[2, 2]
    assert STEEPEST <= cosine < 1
    asked = command.pose.rotation
    assert np.arccos(np.clip((np.trace(turned @ asked.T) - 1) / 2, -1, 1)) < 1.3


@given(needles)
def test_every_entry_is_held_beside_the_window(command):
    held_there = COURSE.nearest(command)
    COURSE.check(held_there)
    assert (np.abs(held_there.entry[:2]) <= HIGH[:2] + BEYOND).all()
    if (np.abs(command.entry[:2]) < HIGH[:2] + BEYOND - 1e-8).all():
        assert held_there is command


def test_what_no_place_could_mend_is_refused_by_name():
    who = {"time": 0.0, "given_by": WHO}
    with refused(
        UnknownNameError,
        "MoveBody.part must be one of iliopsoas, got 'iliopsaos' (did you mean 'iliopsoas'?)",
    ):
        COURSE.nearest(MoveBody(part="iliopsaos", amount=0.1, **who))
    with refused(
        UnknownNameError,
        f"SetControl.name must be one of {', '.join(CONTROLS)}, got 'needle_gage' (did you mean 'needle_gauge'?)",
    ):
        COURSE.nearest(SetControl(name="needle_gage", value=22.0, **who))


@given(st.lists(probes | needles | others, max_size=12))
@settings(max_examples=15)
def test_no_sequence_of_legal_commands_stops_the_body(commands):
    course = Course(7, BODY)
    waiting = []
    for command in commands:
        try:
            waiting.append(course.nearest(command))
        except (RangeError, UnknownNameError):
            continue
    for _ in range(9):
        for command in [one for one in waiting if one.time <= course.time + 1e-9]:
            course.obey(command)
            waiting.remove(command)
        course.advance()
    assert course.tick == 9
