"""What is left out, when, and when it comes back, on a clock that the test holds in its hand."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.pipeline.scheduling import (
    COLOR,
    COMPOUNDING,
    DENSITY,
    DROPS_AFTER,
    LABELLING,
    LATE,
    LONGEST,
    ORDER,
    OVER,
    TAKES_AFTER,
    UNDER,
    Scheduling,
)

PERIOD = 0.05


class Clocked:
    """A scheduling whose frames take what the test says."""

    def __init__(self, can=ORDER):
        self.it, self.now, self.can = Scheduling(), 0.0, can
        self.changes = []

    def run(self, load, seconds):
        """Frames of one load; a load may depend on what is left out."""
        end = self.now + seconds
        while self.now < end - 1e-9:
            self.now += PERIOD
            work = load(self.it.dropped) if callable(load) else load
            if self.it.took(work * PERIOD, PERIOD, self.now, self.can):
                self.changes.append((self.now, self.it.dropped))
        return self.it.dropped


def test_a_fast_machine_leaves_nothing_out():
    assert Clocked().run(0.9, 600) == ()


def test_density_goes_first_then_compounding_then_color_then_labelling_and_no_more():
    clocked = Clocked()
    assert clocked.run(1.5, DROPS_AFTER + 3 * PERIOD) == (DENSITY,)
    assert clocked.run(1.5, DROPS_AFTER + 3 * PERIOD) == (DENSITY, COMPOUNDING)
    assert clocked.run(1.5, DROPS_AFTER + 3 * PERIOD) == (DENSITY, COMPOUNDING, COLOR)
    assert clocked.run(1.5, DROPS_AFTER + 3 * PERIOD) == (DENSITY, COMPOUNDING, COLOR, LABELLING)
    assert clocked.run(1.5, 60) == ORDER


def test_what_cannot_be_left_out_is_passed_over():
    assert Clocked((LABELLING,)).run(1.5, 60) == (LABELLING,)


def test_more_than_density_is_left_out_only_where_frames_come_late():
    assert Clocked().run((OVER + LATE) / 2, 600) == (DENSITY,)
    assert Clocked((COMPOUNDING, LABELLING)).run((OVER + LATE) / 2, 600) == ()


def test_one_slow_frame_changes_nothing():
    clocked = Clocked()
    clocked.run(0.7, 2)
    clocked.it.took(90 * PERIOD, PERIOD, clocked.now + 4.5, ORDER)
    clocked.now += 4.5
    assert clocked.run(0.7, 10) == ()


def test_between_the_limits_all_stays_as_it_is():
    clocked = Clocked()
    clocked.run(1.5, DROPS_AFTER + 3 * PERIOD)
    assert clocked.run((OVER + UNDER) / 2, 600) == (DENSITY,)


def test_it_comes_back_last_first_once_there_is_room():
    clocked = Clocked()
    clocked.run(1.5, 10)
    begun = clocked.now
    clocked.run(0.3, 60)
    assert [dropped for at, dropped in clocked.changes if at > begun] == [
        (DENSITY, COMPOUNDING, COLOR),
        (DENSITY, COMPOUNDING),
        (DENSITY,),
        (),
    ]
    first = next(at for at, _ in clocked.changes if at > begun)
    assert first - begun >= TAKES_AFTER


def test_what_swings_is_tried_ever_more_seldom():
    clocked = Clocked((DENSITY,))
    clocked.run(lambda dropped: 0.5 if dropped else 1.2, 900)
    came_back = [at for at, dropped in clocked.changes if not dropped]
    gaps = [round(after - before, 6) for before, after in pairwise(came_back)]
    assert gaps == sorted(gaps)
    assert gaps[0] < 3 * TAKES_AFTER and LONGEST <= gaps[-1] < LONGEST + 10


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.01, 3)), max_size=60))
def test_whatever_it_meets_it_leaves_out_in_order_alone(turns):
    clocked = Clocked()
    for load, seconds in turns:
        dropped = clocked.run(load, seconds)
        assert dropped == ORDER[: len(dropped)]


@pytest.mark.parametrize("now", [-5.0, 0.0])
def test_a_clock_that_goes_back_does_no_harm(now):
    it = Scheduling()
    it.took(PERIOD, PERIOD, 10.0)
    it.took(PERIOD / 2, PERIOD, now)
    assert it.dropped == ()
