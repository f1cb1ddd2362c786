"""Where a tracker has the needle: what is old, off the plane or doubted is told so, live and from a recording alike."""

from dataclasses import replace

import numpy as np
import pytest

from insonate.core import CoordinateFrame, NeedlePose, NeedleState
from insonate.pipeline.readings import Readings
from insonate.pipeline.tracking import CHI_SQUARE, FRESH, LONGEST, doubt_in, track_of
from simulation.motion.poses import held

DIRECTION = np.array([0.8, 0.0, 0.6])


def seen(time=1.0, tip=(0.002, 0.0, 0.018), *, state=NeedleState.TIP):
    known = state is NeedleState.TIP
    return NeedlePose(
        state=state,
        tip=np.array(tip) if known else None,
        direction=None if state is NeedleState.LOST else DIRECTION,
        covariance=np.diag([4e-8, 1e-8, 1e-8]) if known else None,
        frame=CoordinateFrame.PATIENT,
        time=time,
    )


def readings(*needles):
    one = Readings()
    one.take(replace(held(), time=0.0))
    for needle in needles:
        one.take(needle)
    return one


def test_nobody_tracks_and_nothing_is_said():
    assert track_of(readings(), 1.0) is None


def test_a_tip_is_told_down_right_and_off_the_plane_with_its_region():
    track = track_of(readings(seen(tip=(0.002, 0.0005, 0.018))), 1.2)
    assert track.tip == pytest.approx((0.018, 0.002, 0.0005))
    assert track.tail == pytest.approx((0.0, 0.002 - 0.018 / 0.6 * 0.8, 0.0005))
    assert (track.age, track.tip_age) == pytest.approx((0.2, 0.2))
    assert track.ellipse[:2] == pytest.approx((np.sqrt(CHI_SQUARE * 4e-8), np.sqrt(CHI_SQUARE * 1e-8)))
    assert abs(np.sin(track.ellipse[2])) == pytest.approx(0, abs=1e-9)  # the wider half axis lies across
    assert (track.in_plane, track.tip_state) == (True, "seen")
    assert track.under_skin is None and track.shown is None


@pytest.mark.parametrize(
    ("needles", "now", "doubt", "state"),
    [
        ([seen()], 1.0, "", "seen"),
        ([seen(tip=(0.002, 0.0015, 0.018))], 1.0, "", "off plane"),
        ([seen()], 1.0 + FRESH + 0.1, "", "lost"),
        ([seen(), seen(1.1, state=NeedleState.SHAFT_ONLY)], 1.1, "", "lost"),
        ([seen(), seen(1.1, state=NeedleState.LOST)], 1.1, "", "lost"),
        ([seen()], 1.0, "an echo lies 3 mm above", "doubted"),
    ],
)
def test_a_tip_is_seen_only_while_it_is(needles, now, doubt, state):
    assert track_of(readings(*needles), now, doubt=doubt).tip_state == state


def test_a_tip_that_is_lost_keeps_its_last_place_and_its_age():
    track = track_of(readings(seen(), seen(1.4, state=NeedleState.LOST)), 1.5)
    assert track.tip == pytest.approx((0.018, 0.002, 0.0))
    assert track.in_plane is None
    assert (track.age, track.tip_age) == pytest.approx((0.1, 0.5))


def test_a_flat_shaft_is_drawn_a_decimeter_long():
    flat = replace(seen(), direction=np.array([1.0, 0.0, 0.0]))
    track = track_of(readings(flat), 1.0)
    assert track.tail == pytest.approx((0.018, 0.002 - LONGEST, 0.0))


def test_a_recorded_cue_about_the_echo_is_the_doubt():
    assert doubt_in([]) == ""
    assert doubt_in([{"rule": "tip", "reason": "x"}, {"rule": "echo", "reason": "no echo"}]) == "no echo"
    assert doubt_in([{"rule": "echo"}]) == ""
