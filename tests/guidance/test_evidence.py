"""Each rule at its threshold, on both sides of it, and without evidence."""

import numpy as np
import pytest

from insonate.core import (
    Clearance,
    CoordinateFrame,
    Drawn,
    InjectionReading,
    Level,
    NeedleEcho,
    NeedlePose,
    NeedleState,
    StimulationReading,
    Stimulus,
)
from insonate.guidance.alerting import Alerting
from insonate.guidance.evidence import (
    AspirationRule,
    EchoRule,
    TipRule,
    TwitchRule,
    about_clearances,
    about_image,
    about_pressure,
)

CAUTION, STOP, UNKNOWN, INFO = Level.CAUTION, Level.STOP, Level.UNKNOWN, Level.INFO
PSI15 = 103421.0


def clearance(distance, low=None, high=None, margin=2e-3, unit="m"):
    known = distance is not None
    return Clearance(
        structure="femoral nerve",
        distance=distance,
        interval=(low, high) if known else None,
        unit=unit if known else None,
        contact_probability=None,
        margin=margin,
        reason="not in view",
    )


@pytest.mark.parametrize(
    ("one", "level", "excludes"),
    [
        (clearance(3.0e-3, 2.1e-3, 3.9e-3), None, CAUTION),  # the whole interval beyond the margin
        (
            clearance(2.5e-3, 1.9e-3, 3.1e-3),
            CAUTION,
            STOP,
        ),  # it reaches into the margin, and not to the nerve
        (clearance(0.5e-3, 0.0, 1.4e-3), CAUTION, None),  # contact cannot be ruled out
        (clearance(0.0, 0.0, 0.9e-3), STOP, None),
        (clearance(None), UNKNOWN, None),
        (clearance(40.0, 30.0, 50.0, unit="px"), UNKNOWN, None),  # far, in pixels: nobody knows how far
    ],
)
def test_clearance(one, level, excludes):
    [judgement] = about_clearances([one], observed=3.0)
    assert (judgement.level, judgement.excludes, judgement.observed) == (level, excludes, 3.0)
    assert judgement.about == "femoral nerve" and judgement.clearance is one


def test_words_name_the_structure_and_the_numbers():
    [near] = about_clearances([clearance(1.6e-3, 0.9e-3, 2.3e-3)], 0.0)
    assert (near.message, near.reason) == (
        "Hold. Too near to the femoral nerve.",
        "1.6 mm to femoral nerve (0.9-2.3), margin 2.0 mm",
    )
    [lost] = about_clearances([clearance(None)], 0.0)
    assert lost.reason == "Femoral nerve unknown: not in view"


@pytest.mark.parametrize(("age", "level"), [(0.0, None), (0.5, None), (0.51, UNKNOWN), (9.0, UNKNOWN)])
def test_image(age, level):
    judgement = about_image(10.0 - age, 10.0)
    assert judgement.level is level
    assert judgement.reason == f"No frame for {age:.1f} s"
    assert about_image(None, 10.0).level is UNKNOWN


def pose(state=NeedleState.TIP, time=0.0, tip=(0.0, 0.0, 0.01)):
    seen = state is NeedleState.TIP
    return NeedlePose(
        state=state,
        tip=np.array(tip) if seen else None,
        direction=None if state is NeedleState.LOST else np.array([1.0, 0, 0]),
        covariance=np.eye(3) * 1e-8 if seen else None,
        frame=CoordinateFrame.PATIENT,
        time=time,
    )


def tip(rule, needle, now, *, under_skin=True, advancing=False):
    return rule.judge(needle, now, under_skin=under_skin, advancing=advancing)


def test_a_tip_that_is_seen_is_no_cue_and_a_lost_one_is_unknown():
    rule = TipRule()
    assert tip(rule, pose(), 0.0).level is None
    lost = tip(rule, pose(NeedleState.LOST, time=0.2), 0.2)
    assert (lost.level, lost.excludes, lost.message, lost.reason) == (
        UNKNOWN,
        None,
        "Hold. Find the tip.",
        "Tip not seen for 0.2 s",
    )
    assert (
        tip(rule, pose(NeedleState.SHAFT_ONLY, time=1.4), 1.4).reason == "Tip not seen for 1.4 s, shaft only"
    )


def test_a_lost_tip_that_goes_on_is_a_caution_after_half_a_second():
    for advancing, level in ((True, CAUTION), (None, CAUTION), (False, UNKNOWN)):
        rule = TipRule()
        tip(rule, pose(), 0.0)
        assert tip(rule, pose(NeedleState.LOST, time=0.5), 0.5, advancing=advancing).level is UNKNOWN
        assert tip(rule, pose(NeedleState.LOST, time=0.6), 0.6, advancing=advancing).level is level


def test_a_silent_tracker_is_a_lost_tip():
    rule = TipRule()
    assert tip(rule, pose(time=0.0), 0.5).level is None
    assert tip(rule, pose(time=0.0), 0.6).level is UNKNOWN
    assert tip(TipRule(), None, 3.0, under_skin=None).level is UNKNOWN
    assert tip(TipRule(), None, 3.0, under_skin=False).level is None


def reading(pressure, rate=1e-7, time=1.0):
    return InjectionReading(rate=rate, volume=1e-6, pressure=pressure, time=time)


@pytest.mark.parametrize(
    ("one", "level", "excludes"),
    [
        (reading(PSI15), STOP, None),
        (reading(PSI15 - 1), CAUTION, None),
        (reading(PSI15 - 6895.0), CAUTION, None),
        (reading(PSI15 - 6896.0), None, CAUTION),
        (reading(None), UNKNOWN, None),
        (reading(None, rate=0.0), None, None),
        (None, None, None),
    ],
)
def test_pressure(one, level, excludes):
    judgement = about_pressure(one, 1.0)
    assert (judgement.level, judgement.excludes) == (level, excludes)


def test_pressure_is_told_in_both_units():
    assert about_pressure(reading(PSI15), 1.0).reason == "103 kPa (15 psi), limit 103 kPa"


def move(rule, inserted, aside=0.0):
    rule.move(inserted, np.array([aside, 0.0, inserted]))


def drawn(what, volume=0.0, time=1.0):
    return InjectionReading(rate=-4e-7, volume=volume, pressure=-2e4, time=time, drawn=what)


def test_blood_stops_until_a_needle_drawn_back_draws_none():
    rule = AspirationRule()
    move(rule, 0.030)
    said = []
    for what, inserted in (
        (None, 0.030), (Drawn.NOTHING, 0.030), (Drawn.BLOOD, 0.031), (Drawn.NOTHING, 0.031), (Drawn.AIR, 0.0302),
        (Drawn.NOTHING, 0.0302), (Drawn.AIR, 0.030), (None, 0.030), (Drawn.FLUID, 0.0305),
    ):  # fmt: skip
        move(rule, inserted)
        rule.take(drawn(what))
        judged = rule.judge(drawn(what), 1.0)
        said.append((judged.level, judged.message.split(".")[1].strip(), rule.clear))
    assert said == [
        (None, "", None),
        (None, "", 0.0),
        (STOP, "Withdraw 1 mm", None),
        (STOP, "Withdraw 1 mm", None),  # none from where blood came is no evidence
        (STOP, "Withdraw 1 mm", None),
        (STOP, "Withdraw 1 mm", None),
        (STOP, "Aspirate again", None),  # drawn back by a millimeter; air tells nothing
        (STOP, "Aspirate again", None),
        (None, "", 0.0),  # and on again, half a millimeter: it was drawn back, and no blood comes there
    ]


def test_no_blood_counts_where_it_was_drawn_and_nowhere_else():
    rule = AspirationRule()
    rule.take(drawn(Drawn.NOTHING, 2e-6))
    assert rule.clear is None  # nobody tells how far the needle is in
    move(rule, 0.030)
    rule.take(drawn(Drawn.NOTHING, 2e-6))
    for inserted, clear in (
        (0.0309, 2e-6),
        (0.0311, None),
        (0.0289, None),
        (0.030, 2e-6),
        (0.0, None),
        (0.030, None),
    ):
        move(rule, inserted)
        assert rule.clear == clear


def test_a_needle_turned_aside_is_no_more_where_no_blood_came():
    rule = AspirationRule()
    move(rule, 0.030)
    rule.take(drawn(Drawn.NOTHING, 2e-6))
    move(rule, 0.030, aside=0.9e-3)
    assert rule.clear == 2e-6
    move(rule, 0.030, aside=1.1e-3)
    assert rule.clear is None


def test_what_the_line_was_full_of_before_ends_no_stop():
    rule = AspirationRule()
    move(rule, 0.030)
    rule.take(drawn(Drawn.BLOOD))
    move(rule, 0.028)
    rule.take(drawn(Drawn.NOTHING))  # it was never let go of
    assert rule.judge(drawn(None), 1.0).level is STOP
    rule.take(drawn(None))
    assert rule.judge(drawn(None), 1.0).level is STOP
    rule.take(drawn(Drawn.NOTHING))
    assert rule.judge(drawn(None), 1.0).level is None


def test_a_needle_that_is_out_ends_that_blood_came():
    rule, alerting = AspirationRule(), Alerting()
    move(rule, 0.030)
    rule.take(drawn(Drawn.BLOOD))
    newest = drawn(None, time=1.0)
    assert [cue.level for cue in alerting.judge([rule.judge(newest, 1.0)], 1.0)] == [STOP]
    assert {cue.level for cue in alerting.judge([rule.judge(newest, 3.0)], 3.0)} == {
        STOP,
        UNKNOWN,
    }  # silent since
    move(rule, 0.0)
    for k in range(12):
        cues = alerting.judge([rule.judge(newest, 3.1 + 0.1 * k)], 3.1 + 0.1 * k)
        assert bool(cues) == (k < 10)


def answer(current, grade, time=0.0):
    return StimulationReading(
        stimulus=Stimulus(current=current, pulse_width=1e-4, rate=2.0),
        delivered=current,
        muscle="quadriceps" if grade else None,
        grade=grade,
        impedance=None,
        time=time,
    )


@pytest.mark.parametrize(
    ("current", "grade", "level"),
    [
        (0.2e-3, 1, STOP),
        (0.21e-3, 2, CAUTION),
        (0.3e-3, 1, CAUTION),
        (0.31e-3, 2, None),
        (0.2e-3, 0, None),
        (0.2e-3, None, UNKNOWN),
    ],
)
def test_twitch(current, grade, level):
    judgement = TwitchRule().judge(answer(current, grade), pose(), 0.0)
    assert judgement.level is level and judgement.excludes is None


def test_an_absent_answer_is_no_proof():
    said = TwitchRule().judge(answer(0.4e-3, 0), pose(), 0.0).reason
    assert said == "No answer at 0.40 mA: no proof of distance"


ASKED = (Stimulus(current=5e-4, pulse_width=1e-4, rate=2.0), 3.0)


@pytest.mark.parametrize(
    ("reading", "now", "level"),
    [
        (None, 3.9, None),  # half a period and the age of an observation: it may come yet
        (None, 4.1, UNKNOWN),
        (answer(0.5e-3, 0, 2.0), 4.1, UNKNOWN),  # of before it was switched on
        (answer(0.5e-3, 0, 4.0), 4.1, None),
    ],
)
def test_a_stimulator_that_is_on_and_silent_is_unknown(reading, now, level):
    judged = TwitchRule().judge(reading, pose(), now, asked=ASKED)
    assert judged.level is level
    if level is UNKNOWN:
        assert judged.reason == "Stimulator told to give 0.50 mA, silent for 1.1 s"
    assert TwitchRule().judge(None, pose(), now).level is None  # nobody asked for any


def lived(steps):
    """Two stimuli a second after an answer at 0.2 mA: (current, grade, tip); give the levels that stand at the end."""
    rule, alerting = TwitchRule(), Alerting()
    alerting.judge([rule.judge(answer(0.2e-3, 1), pose(), 0.0)], 0.0)
    for number, (current, grade, where) in enumerate(steps, start=1):
        time = 0.5 * number
        needle = None if where is None else pose(time=time, tip=where)
        cues = alerting.judge([rule.judge(answer(current, grade, time), needle, time)], time)
    return [cue.level for cue in cues]


BACK = (0.0, 0.0, 0.0088)  # 1.2 mm
NEAR = (0.0, 0.0, 0.0092)  # 0.8 mm


def test_a_stimulator_that_speaks_again_is_not_unknown_and_ends_no_stop():
    for first, left in ((answer(0.5e-3, 0), []), (answer(0.2e-3, 1), [STOP])):
        rule, alerting = TwitchRule(), Alerting()
        alerting.judge([rule.judge(first, pose(), 0.0)], 0.0)
        silent = alerting.judge([rule.judge(first, pose(), 9.0)], 9.0)
        assert [cue.level for cue in silent] == [*left, UNKNOWN]
        for number in range(4):
            time = 9.5 + 0.5 * number
            again = answer(0.5e-3, 0, time)
            cues = alerting.judge([rule.judge(again, pose(), time)], time)
        assert [cue.level for cue in cues] == left


def test_a_stop_by_twitch_ends_only_by_drawing_back_and_a_stimulus_as_strong_without_answer():
    assert lived([(0.2e-3, 0, BACK)] * 3) == []
    assert lived([(0.2e-3, 0, NEAR)] * 9) == [STOP]
    assert lived([(0.2e-3, 0, None)] * 9) == [STOP]  # nobody knows where the tip is
    assert lived([(0.1e-3, 0, BACK)] * 9) == [STOP]  # a weaker one proves nothing
    assert lived([(0.5e-3, 2, BACK)] * 9) == [STOP]


@pytest.mark.parametrize(
    ("distance", "touch", "level"),
    [(2.3e-3, 0.02, None), (1.2e-3, 0.14, Level.CAUTION), (0.0, 0.5, Level.STOP)],
)
def test_a_target_is_to_be_neared_and_not_touched(distance, touch, level):
    near = Clearance(
        structure="femoral nerve",
        distance=distance,
        interval=(max(distance - 2.2e-3, 0.0), distance + 2.2e-3),
        unit="m",
        contact_probability=touch,
        margin=0.0,
        reason="the target: to be neared, not touched",
        target=True,
    )
    (judged,) = about_clearances([near], 1.0)
    assert judged.level is level
    assert judged.excludes is (Level.CAUTION if level is None else None)


# --- what the picture shows along the needle ---


def echo(time, contrast=12.0, elsewhere=5.0, offset=5e-3, beyond=0.5e-3):
    return NeedleEcho(
        contrast=contrast, elsewhere=elsewhere, offset=offset, beyond=beyond, length=0.01, time=time
    )


AGAINST = [
    ({"contrast": 3.0, "elsewhere": 11.0}, CAUTION, "An echo lies 5 mm deeper than the tracker's needle"),
    (
        {"contrast": 3.0, "elsewhere": 11.0, "offset": -3e-3},
        CAUTION,
        "An echo lies 3 mm above the tracker's needle",
    ),
    ({"contrast": 8.0, "elsewhere": 12.1}, CAUTION, "An echo lies 5 mm deeper than the tracker's needle"),
    ({"beyond": 2.6e-3}, CAUTION, "The echo ends 3 mm beyond the tracker's tip"),
    ({"beyond": -4.0e-3}, CAUTION, "The echo ends 4 mm short of the tracker's tip"),
    ({"contrast": 6.9, "elsewhere": 6.9}, UNKNOWN, "No echo where the tracker has the needle"),
]


@pytest.mark.parametrize(("shows", "level", "reason"), AGAINST)
def test_a_picture_that_shows_the_needle_elsewhere_brings_doubt_at_the_third_look(shows, level, reason):
    rule = EchoRule()
    for k in range(3):
        assert rule.doubt is None
        assert rule.judge(0.2 * k, under_skin=True).level is None
        rule.look(echo(0.2 * k, **shows))
    judged = rule.judge(0.6, under_skin=True)
    assert (judged.level, judged.excludes, judged.reason) == (level, None, reason)
    assert rule.shown(0.6) is False
    assert rule.judge(60.0, under_skin=True).level is level  # nothing that is missing ends it


@pytest.mark.parametrize(
    "shows",
    [{}, {"contrast": 7.0, "elsewhere": 11.0}, {"beyond": 2.5e-3}, {"beyond": -2.5e-3}, {"elsewhere": 15.9}],
)
def test_three_looks_that_agree_end_doubt_and_two_do_not(shows):
    rule = EchoRule()
    for k in range(4):
        rule.look(echo(0.2 * k, contrast=0.0))
    for k in range(4, 6):
        rule.look(echo(0.2 * k, **shows))
        assert rule.doubt is not None
    rule.look(echo(1.2, contrast=0.0))
    for k in range(7, 10):
        assert rule.doubt is not None
        rule.look(echo(0.2 * k, **shows))
    judged = rule.judge(1.9, under_skin=True)
    assert (rule.doubt, judged.level, judged.excludes, judged.observed) == (None, None, INFO, 1.8)
    assert rule.shown(1.9) is True and rule.shown(2.4) is None
    assert rule.judge(2.4, under_skin=True).excludes is None  # no look lately proves nothing


def test_a_needle_out_of_the_skin_is_not_doubted():
    rule = EchoRule()
    for k in range(3):
        rule.look(echo(0.2 * k, contrast=0.0))
    assert rule.judge(0.6, under_skin=None).level is UNKNOWN
    judged = rule.judge(0.7, under_skin=False)
    assert (rule.doubt, judged.level, judged.excludes) == (None, None, INFO)


def test_a_doubt_that_was_held_is_quiet_a_second_after_the_picture_agrees():
    rule, alerting = EchoRule(), Alerting()
    for k in range(3):
        rule.look(echo(0.2 * k, contrast=3.0, elsewhere=11.0))
    now, shown = 0.6, []
    for k in range(40):
        now += 0.05
        if k % 4 == 0:
            rule.look(echo(now))
        shown.append([cue.level for cue in alerting.judge([rule.judge(now, under_skin=True)], now)])
    first = shown.index([])
    assert shown[0] == [CAUTION] and shown[-1] == []
    assert 0.05 * first >= 0.4 + 1.0 - 0.051
