"""A cue gets louder at once and quieter only on positive evidence: by hand, then by every sequence that can be drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import InputError, Level
from insonate.guidance.alerting import NOT_SEEN, Alerting, Judgement
from refusals import refused

CAUTION, STOP, UNKNOWN, INFO = Level.CAUTION, Level.STOP, Level.UNKNOWN, Level.INFO
TICK = 0.1
DWELL, GAP, STALE = 1.0, 0.3, 0.5


def says(level, observed, *, excludes="fitting", about="femoral artery", rule="clearance", period=0.0):
    if excludes == "fitting":
        excludes = {None: CAUTION, CAUTION: STOP}.get(level)
    return Judgement(
        rule=rule,
        about=about,
        level=level,
        excludes=excludes,
        observed=observed,
        message="do",
        reason="why",
        period=period,
    )


def run(alerting, levels, start=0.0, tick=TICK, **more):
    """Judge one level a tick, each observed when it is judged; give the levels of the cues of the last."""
    cues = ()
    for number, level in enumerate(levels):
        now = start + number * tick
        spoken = [] if level == "missing" else [says(level, now, **more)]
        cues = alerting.judge(spoken, now)
    return [cue.level for cue in cues]


def test_louder_is_taken_at_once_and_with_its_words():
    alerting = Alerting()
    assert run(alerting, [None, CAUTION]) == [CAUTION]
    [cue] = alerting.judge([says(STOP, 0.2)], 0.2)
    assert (cue.level, cue.since, cue.message, cue.reason) == (STOP, 0.2, "do", "why")


def test_quieter_takes_a_second_of_contrary_evidence():
    alerting = Alerting()
    run(alerting, [STOP])
    assert run(alerting, [None] * 10, start=0.1) == [STOP]
    assert run(alerting, [None], start=1.1) == []


def test_it_falls_no_lower_than_the_loudest_of_the_second():
    alerting = Alerting()
    run(alerting, [STOP])
    assert run(alerting, [CAUTION, *[None] * 10], start=0.1) == [CAUTION]
    alerting = Alerting()
    run(alerting, [STOP])
    assert run(alerting, [None, CAUTION, *[None] * 9], start=0.1) == [CAUTION]


def test_one_lost_observation_begins_the_second_anew_however_short():
    alerting = Alerting()
    run(alerting, [STOP])
    assert run(alerting, [*[None] * 9, UNKNOWN, *[None] * 10], start=0.1) == [STOP, UNKNOWN]


def test_an_observation_from_before_the_warning_does_not_count():
    alerting = Alerting()
    run(alerting, [STOP], start=0.4)
    alerting.judge([says(None, 0.1)], 0.45)
    assert run(alerting, [None] * 10, start=0.5) == [STOP]


def test_what_excludes_nothing_ends_nothing():
    alerting = Alerting()
    run(alerting, [CAUTION])
    assert run(alerting, [None] * 40, start=0.1, excludes=None) == [CAUTION]


def test_what_excludes_stop_does_not_exclude_caution():
    alerting = Alerting()
    run(alerting, [CAUTION])
    assert run(alerting, [None] * 40, start=0.1, excludes=STOP) == [CAUTION]


def test_one_doubt_begins_the_second_anew():
    alerting = Alerting()
    run(alerting, [STOP])
    assert run(alerting, [*[None] * 9, STOP, *[None] * 10], start=0.1) == [STOP]


@pytest.mark.parametrize("lost", [UNKNOWN, "missing"])
def test_lost_evidence_lowers_nothing_and_adds_unknown(lost):
    alerting = Alerting()
    run(alerting, [CAUTION])
    assert run(alerting, [lost] * 50, start=0.1) == [CAUTION, UNKNOWN]
    assert run(alerting, [None] * 10, start=5.1) == [CAUTION, UNKNOWN]
    assert run(alerting, [None], start=6.1) == []


def test_unknown_ends_by_a_second_of_evidence_whatever_it_says():
    alerting = Alerting()
    run(alerting, [CAUTION, UNKNOWN])
    assert run(alerting, [CAUTION] * 10, start=0.2) == [CAUTION, UNKNOWN]
    assert run(alerting, [CAUTION], start=1.2) == [CAUTION]


def test_the_same_observation_again_is_no_new_evidence():
    """A frozen stream that still claims to be young."""
    alerting = Alerting()
    run(alerting, [STOP])
    for number in range(40):
        now = 0.1 + 0.01 * number
        cues = alerting.judge([says(None, 0.1)], now)
    assert [cue.level for cue in cues] == [STOP]


def test_an_old_observation_is_unknown_and_may_still_warn():
    alerting = Alerting()
    [cue] = alerting.judge([says(None, 0.0)], 0.6)
    assert cue.level is UNKNOWN and cue.reason == "last seen 0.6 s ago"
    levels = [cue.level for cue in alerting.judge([says(STOP, 0.1)], 0.8)]
    assert levels == [STOP, UNKNOWN]


def test_rare_observations_may_be_their_period_apart():
    alerting = Alerting()
    run(alerting, [STOP], rule="twitch")
    assert run(alerting, [None] * 2, start=0.5, tick=0.5, rule="twitch", period=0.5) == [STOP]
    assert run(alerting, [None], start=1.5, tick=0.5, rule="twitch", period=0.5) == []
    run(alerting, [STOP], start=2.0, rule="twitch")
    assert run(alerting, [None] * 6, start=2.5, tick=0.5, rule="twitch") == [STOP]


def test_what_was_spoken_of_and_is_not_any_more_is_unknown():
    """A label that jumps to another structure leaves the first unknown."""
    alerting = Alerting()
    alerting.judge([says(None, 0.0, about="vessel 1")], 0.0)
    [cue] = alerting.judge([says(None, 0.1, about="vessel 2")], 0.1)
    assert (cue.about, cue.level, cue.reason) == ("vessel 1", UNKNOWN, NOT_SEEN)


def test_the_loudest_comes_first_then_the_older():
    alerting = Alerting()
    alerting.judge([says(CAUTION, 0.0, about="a")], 0.0)
    cues = alerting.judge(
        [
            says(CAUTION, 0.1, about="b"),
            says(CAUTION, 0.1, about="a"),
            says(STOP, 0.1, about="c"),
            says(UNKNOWN, 0.1, about="d"),
        ],
        0.1,
    )
    assert [cue.about for cue in cues] == ["c", "a", "b", "d"]


def test_an_acknowledged_cue_stands_and_a_louder_one_is_new():
    alerting = Alerting()
    run(alerting, [CAUTION])
    alerting.acknowledge("clearance", "femoral artery", "Dr. A")
    [cue] = alerting.judge([says(CAUTION, 0.1)], 0.1)
    assert cue.acknowledged_by == "Dr. A"
    [cue] = alerting.judge([says(STOP, 0.2)], 0.2)
    assert cue.acknowledged_by is None
    with refused(InputError, "there is no cue of the rule 'clearance' about 'pleura'"):
        alerting.acknowledge("clearance", "pleura", "Dr. A")
    with refused(InputError, "who acknowledges must be named, got ''"):
        alerting.acknowledge("clearance", "femoral artery", " ")


def test_a_cue_that_ended_and_comes_again_is_not_acknowledged():
    alerting = Alerting()
    run(alerting, [CAUTION])
    alerting.acknowledge("clearance", "femoral artery", "Dr. A")
    run(alerting, [None] * 11, start=0.1)
    [cue] = alerting.judge([says(CAUTION, 1.3)], 1.3)
    assert cue.acknowledged_by is None


def test_slips_are_refused():
    alerting = Alerting()
    with refused(InputError, "rule 'clearance' was judged twice about 'femoral artery'"):
        alerting.judge([says(None, 0.0), says(CAUTION, 0.0)], 0.0)
    with refused(
        InputError, "Judgement.excludes must be louder than its level, and None for what is unknown"
    ):
        says(CAUTION, 0.0, excludes=CAUTION)
    with refused(
        InputError, "Judgement.excludes must be louder than its level, and None for what is unknown"
    ):
        says(UNKNOWN, 0.0, excludes=STOP)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.02, 0.05, 0.1, 0.1, 0.1, 0.29, 0.31, 0.7]),  # since the last judging
        st.sampled_from([None, None, None, None, INFO, CAUTION, STOP, UNKNOWN, "missing", "again"]),
        st.sampled_from(["fitting", "fitting", "fitting", None, STOP]),
        st.sampled_from([0.0, 0.0, 0.0, 0.05, 0.4, 0.6]),  # how old it is
    ),
    max_size=80,
)


@given(steps=STEPS)
def test_whatever_comes_nothing_gets_quieter_without_its_second(steps):
    """The oracle knows nothing of dwells: it looks at the record, backwards from each fall."""
    alerting, now, last_observed = Alerting(), 0.0, 0.0
    record, before, was_unknown, spoken_once = [], None, False, False
    for wait, level, excludes, age in steps:
        now += wait
        observed = last_observed if level == "again" else now - age
        known = None if level in ("missing", UNKNOWN) else level
        if level == "missing":
            spoken = None
        elif level == "again":
            spoken, known = says(None, observed), None
        elif level in (STOP, UNKNOWN) or (level is CAUTION and excludes != "fitting"):
            spoken = says(level, observed, excludes=None)
        elif level is INFO:
            spoken = says(INFO, observed, excludes=CAUTION)
        else:
            spoken = says(level, observed, excludes=excludes)
        cues = {cue.level for cue in alerting.judge([] if spoken is None else [spoken], now)}
        fresh = spoken is not None and spoken.level is not UNKNOWN and now - observed <= STALE
        newer = spoken is not None and observed > last_observed
        record.append((now, observed, spoken if fresh and newer else None, spoken is not None and fresh))
        spoken_once = spoken_once or spoken is not None
        if spoken is not None and spoken.level is not UNKNOWN and fresh:
            last_observed = max(last_observed, observed)
        loudest = max((one for one in cues if one is not UNKNOWN), key=lambda one: one.rank, default=None)
        if spoken_once and not fresh:
            assert UNKNOWN in cues  # lost, old or missing is always said
        if fresh and known is not None:
            assert loudest is not None and loudest.rank >= known.rank  # what is seen now is never hidden
        rank, old = (-1 if one is None else one.rank for one in (loudest, before))
        if rank < old:
            run_of = backwards(record)
            assert all(one.excludes is not None and one.excludes.rank <= before.rank for _, one in run_of)
            assert run_of[-1][0] - run_of[0][0] >= DWELL - 1e-5
            assert rank >= max((-1 if one.level is None else one.level.rank) for _, one in run_of)
        if was_unknown and UNKNOWN not in cues:
            run_of = backwards(record)
            assert run_of[-1][0] - run_of[0][0] >= DWELL - 1e-5
        before, was_unknown = loudest, UNKNOWN in cues


def backwards(record):
    """Observations that led up to now: fresh, each newer than the last, none lost or late between, just long enough."""
    run_of = []
    for _, observed, one, young in reversed(record):
        if not young:
            break
        if one is None:
            continue  # the same again: no evidence, no loss
        if run_of and run_of[0][0] - observed > GAP + 1e-9:
            break
        run_of.insert(0, (observed, one))
        if run_of[-1][0] - observed >= DWELL - 1e-5:
            break
    assert run_of
    return run_of
