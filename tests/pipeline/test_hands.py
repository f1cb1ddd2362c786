"""Hands: steps come to the poses that geometry says, and no sequence of them asks for what cannot be."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.core import AdvanceNeedle, Inject, InputError, MoveProbe, RangeError, Stimulate
from insonate.pipeline.hands import (
    AGENT,
    BESIDE,
    DRAW,
    FIRST_ANGLE,
    FLOW,
    LEAST_FLOW,
    MOST_FLOW,
    MOST_FORCE,
    Hands,
)
from insonate.simulation.course import Course
from refusals import refused
from simulation.analytic_body import AnalyticBody
from simulation.motion.poses import held

COURSE = Course(7, AnalyticBody())
WHO = {"by": "a test"}


@pytest.fixture
def told():
    return []


@pytest.fixture
def hands(told):
    return Hands(lambda one: told.append(one) or one, held())


def test_a_slide_goes_along_the_face_and_a_turned_face_slides_aside(hands, told):
    hands.probe(slide=0.003, **WHO)
    np.testing.assert_allclose(told[-1].pose.translation, [0.003, 0, 0], atol=1e-15)
    hands.probe(rotate=np.pi / 2, **WHO)
    hands.probe(slide=0.002, **WHO)
    np.testing.assert_allclose(told[-1].pose.translation, [0.003, 0.002, 0], atol=1e-15)
    hands.probe(along=-0.001, **WHO)
    np.testing.assert_allclose(told[-1].pose.translation, [0.003, 0.001, 0], atol=1e-15)


def test_tilt_fans_the_plane_and_rock_tips_it_in_itself(hands, told):
    hands.probe(tilt=0.2, **WHO)
    into = told[-1].pose.rotation[:, 2]
    np.testing.assert_allclose(into, [0, -np.sin(0.2), np.cos(0.2)], atol=1e-15)
    np.testing.assert_allclose(told[-1].pose.rotation[:, 0], [1, 0, 0], atol=1e-15)  # the face stays
    hands.probe(tilt=-0.2, rock=0.3, **WHO)
    np.testing.assert_allclose(told[-1].pose.rotation[:, 2], [np.sin(0.3), 0, np.cos(0.3)], atol=1e-15)
    np.testing.assert_allclose(told[-1].pose.rotation[:, 1], [0, 1, 0], atol=1e-15)  # the plane stays


@given(st.floats(-3, 3), st.floats(-0.9, 0.9), st.floats(-0.9, 0.9))
def test_angles_are_read_back_from_the_pose(rotation, tilt, rock):
    hands = Hands(lambda one: one, held())
    hands.probe(rotate=rotation, tilt=tilt, rock=rock, **WHO)
    now = hands.held
    np.testing.assert_allclose([now.rotation, now.tilt, now.rock], [rotation, tilt, rock], atol=1e-12)


def test_force_is_held_between_none_and_the_most_a_hand_gives(hands, told):
    hands.probe(press=-5.0, **WHO)
    assert told[-1].contact_force == 0.0
    hands.probe(press=500.0, **WHO)
    assert told[-1].contact_force == MOST_FORCE


def test_a_needle_outside_waits_beside_the_face_in_the_plane(hands, told):
    hands.probe(slide=0.004, **WHO)
    hands.needle(advance=0.005, **WHO)
    np.testing.assert_allclose(told[-1].entry, [0.004 - BESIDE, 0, 0], atol=1e-15)
    np.testing.assert_allclose(told[-1].direction, [np.cos(FIRST_ANGLE), 0, np.sin(FIRST_ANGLE)], atol=1e-15)
    assert told[-1].inserted == 0.005


def test_a_needle_inside_stays_where_it_entered_though_the_probe_moves(hands, told):
    hands.needle(advance=0.005, **WHO)
    hands.probe(slide=0.01, rotate=0.4, **WHO)
    hands.needle(advance=0.001, angle=0.1, **WHO)
    np.testing.assert_allclose(told[-1].entry, [-BESIDE, 0, 0], atol=1e-15)
    np.testing.assert_allclose(np.arcsin(told[-1].direction[2]), FIRST_ANGLE + 0.1)
    assert told[-1].direction[1] == pytest.approx(0.0)
    with refused(InputError, "Withdraw the needle before you move its entry."):
        hands.needle(entry=0.001, **WHO)
    hands.needle(advance=-1.0, **WHO)
    assert told[-1].inserted == 0.0
    hands.needle(entry=0.002, **WHO)
    at = 0.01 - (BESIDE + 0.002) * np.cos(0.4)
    assert told[-1].entry[0] == pytest.approx(at)


def test_thirds_of_a_step_add_up_to_a_needle_that_is_out(hands, told):
    hands.needle(advance=0.003, **WHO)
    hands.needle(advance=-0.001, **WHO)
    for _ in range(6):
        hands.needle(advance=-0.001 / 3, **WHO)
    assert hands.held.inserted == 0.0
    assert told[-1].inserted == 0.0


def test_yaw_leaves_the_plane_and_a_step_never_outgrows_the_needle(hands, told):
    hands.needle(yaw=0.3, advance=9.0, **WHO)
    assert told[-1].inserted == hands.length == 0.05
    assert np.arctan2(told[-1].direction[1], told[-1].direction[0]) == pytest.approx(0.3)


def test_the_syringe_is_pressed_once_and_let_go_once(hands, told):
    with refused(InputError, "Advance the needle before you inject."):
        hands.inject(on=True, **WHO)
    hands.needle(advance=0.01, **WHO)
    for on in (True, True, False, False):
        hands.inject(on=on, **WHO)
    pressed = [(one.rate, one.agent) for one in told if isinstance(one, Inject)]
    assert pressed == [(FLOW, AGENT), (0.0, AGENT)]


def test_a_syringe_is_drawn_and_pressed_slower(hands, told):
    hands.needle(advance=0.01, **WHO)
    hands.inject(on=False, flow=LEAST_FLOW, **WHO)  # set while it is let go: nothing is told
    hands.inject(on=True, draw=True, **WHO)
    hands.inject(on=True, draw=True, **WHO)
    hands.inject(on=True, **WHO)
    hands.inject(on=True, flow=MOST_FLOW, **WHO)
    assert [one.rate for one in told if isinstance(one, Inject)] == [-DRAW, LEAST_FLOW, MOST_FLOW]
    with refused(RangeError, "flow must lie in 8.33333e-08..5e-07 m^3/s, got 20 (mL/min?)"):
        hands.inject(on=True, flow=20.0, **WHO)
    hands.rest("a watchdog")
    assert told[-1].rate == 0 and not hands.held.syringe
    hands.needle(advance=-0.01, **WHO)
    with refused(InputError, "Advance the needle before you aspirate."):
        hands.inject(on=True, draw=True, **WHO)


def test_the_stimulator_is_set_and_switched(hands, told):
    hands.stimulate(on=True, current=0.6e-3, **WHO)
    assert told[-1].stimulus.current == 0.6e-3
    hands.stimulate(on=False, **WHO)
    assert told[-1].stimulus is None
    hands.stimulate(on=False, current=0.3e-3, **WHO)  # set while off: nothing is told
    assert len(told) == 2 and hands.held.current == 0.3e-3
    with refused(RangeError, "current must lie in 5e-05..0.005 A, got 0.6 (milliamperes?)"):
        hands.stimulate(on=True, current=0.6, **WHO)


def test_a_pilot_who_is_gone_leaves_syringe_and_stimulator_off(hands, told):
    hands.needle(advance=0.01, **WHO)
    hands.inject(on=True, **WHO)
    hands.stimulate(on=True, **WHO)
    hands.rest("a watchdog")
    assert [type(one) for one in told[-2:]] == [Inject, Stimulate]
    assert (told[-2].rate, told[-1].stimulus) == (0.0, None)
    assert isinstance(told[0], AdvanceNeedle) and hands.held.inserted == 0.01


def test_what_is_held_at_the_edge_is_where_the_hand_is():
    hands = Hands(COURSE.nearest, held())
    hands.probe(slide=1.0, **WHO)
    assert hands.held.x == pytest.approx(0.045, abs=1e-6)
    hands.probe(slide=-0.001, **WHO)
    assert hands.held.x == pytest.approx(0.044, abs=1e-6)  # back at once, no way to be made up for


steps = st.floats(-0.5, 0.5) | st.floats(-0.002, 0.002)
moves = st.one_of(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("slide", "along", "tilt", "rotate", "rock", "press"), steps)
    ),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("entry", "angle", "yaw", "advance", "bevel"), steps)),
)


@given(st.lists(moves, max_size=25))
@settings(max_examples=60, deadline=None)
def test_no_sequence_of_steps_asks_for_what_cannot_be(sequence):
    said = []
    hands = Hands(lambda one: said.append(COURSE.nearest(one)) or said[-1], held())
    for move in sequence:
        with suppress(InputError):
            if {"entry", "angle", "yaw", "advance", "bevel"} & set(move):
                hands.needle(**move, **WHO)
            else:
                hands.probe(**move, **WHO)
    for one in said:
        COURSE.check(one)
        assert isinstance(one, MoveProbe | AdvanceNeedle)
