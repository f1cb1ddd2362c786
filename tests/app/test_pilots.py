"""One pilot at a time: whoever asks waits for the hand-over, and two can never fight."""

from hypothesis import given
from hypothesis import strategies as st

from insonate.app.pilots import Pilots
from insonate.core import InputError
from refusals import refused


def test_the_first_who_moves_is_the_pilot_and_others_are_told_who():
    one = Pilots()
    first, second = one.enter(), one.enter()
    one.check(second)
    assert one.pilot == second
    with refused(InputError, "Viewer 2 holds the probe. Ask for it to take over."):
        one.check(first)


def test_it_is_asked_for_and_handed_over():
    one = Pilots()
    first, second = one.enter(), one.enter()
    one.check(first)
    one.ask(second)
    assert (one.pilot, one.asking) == (first, second)
    with refused(InputError, "Only who holds the probe can hand it over."):
        one.give(second)
    one.give(first)
    assert (one.pilot, one.asking) == (second, None)
    one.give(second)  # nobody asks: let go
    assert one.pilot is None
    one.ask(first)  # and nobody holds it
    assert one.pilot == first


def test_a_pilot_who_goes_away_is_followed_by_who_asks():
    one = Pilots()
    first, second, third = one.enter(), one.enter(), one.enter()
    one.check(first)
    one.ask(third)
    assert not one.leave(second)
    assert one.leave(first)
    assert one.pilot == third
    one.ask(third)
    assert one.asking is None  # one's own probe is not asked for


deeds = st.lists(
    st.tuples(st.sampled_from(["enter", "leave", "check", "ask", "give"]), st.integers(1, 4)), max_size=40
)


@given(deeds)
def test_never_are_there_two_and_never_one_who_is_gone(sequence):
    one = Pilots()
    for deed, who in sequence:
        if deed == "enter":
            one.enter()
        elif who in one.viewers:
            before = one.pilot
            try:
                getattr(one, deed)(who)
            except InputError:
                assert before != who and (before is not None or deed == "give")
                assert one.pilot == before
            else:
                if deed == "check":
                    assert one.pilot == who
        assert one.pilot is None or one.pilot in one.viewers
        assert one.asking is None or (one.asking in one.viewers and one.asking != one.pilot)
