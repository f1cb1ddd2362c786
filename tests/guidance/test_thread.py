"""The thread: one thing to do next, nothing taken as done that is not known, no stage left early without a reason."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.core import FormatError, InputError, NeedlePath
from insonate.guidance import thread as module
from insonate.guidance.procedures import procedure, procedures
from insonate.guidance.thread import ARRIVED, TEST_DOSE, Facts, Part, Stage, Thread, checks
from refusals import refused

LL01 = procedure("LL01")
PLANNED = LL01.injectate.volume[0].value
PATH = NeedlePath(
    entry=(0.0, -0.03), target=(0.02, 0.0), unit="m", length=0.03606, angle=0.588, aims_at="femoral nerve",
    clearances=(), unknown=(), not_seen=0.0, rank=1, reason="straight",
)  # fmt: skip
WAY = (PATH.entry, PATH.target)
SEEN = Facts(held=True, target="femoral nerve", place=(0.02, 0.0), path=PATH, way=WAY, injected=0.0)
GONE = replace(SEEN, target=None, place=None, path=None)


def at(stage, part=None):
    thread = Thread(LL01, stage=stage, accepted=PATH if stage is Stage.PERFORM else None)
    if part is not None:
        thread._part = part
    return thread


def test_a_whole_block_goes_from_choosing_to_the_report():
    thread, said = Thread(LL01), []

    def step(facts):
        advice = thread.advise(facts)
        said.append(advice.do)
        if "{Enter}" in advice.do:
            thread.next(facts, "viewer 1", 0.0)
        return advice

    while thread.stage is not Stage.PERFORM:
        step(SEEN)
    assert thread.accepted is PATH
    for facts in (
        SEEN,
        replace(SEEN, inserted=0.01, tip=(0.0055, -0.0217)),
        replace(SEEN, inserted=0.036, tip=(0.0198, -0.0003)),
        replace(SEEN, inserted=0.036, tip=(0.0198, -0.0003), aspirated=0.0),
        replace(SEEN, inserted=0.036, tip=(0.0198, -0.0003), aspirated=0.0, injected=TEST_DOSE),
        replace(SEEN, inserted=0.036, tip=(0.0198, -0.0003), aspirated=0.0, injected=5e-6),
        replace(SEEN, inserted=0.036, tip=(0.0198, -0.0003), aspirated=5e-6, injected=5e-6),
        replace(SEEN, inserted=0.036, tip=(0.0198, -0.0003), aspirated=5e-6, injected=PLANNED),
        replace(SEEN, inserted=0.0, tip=None, injected=PLANNED),
    ):
        step(facts)
    assert thread.stage is Stage.REPORT
    assert said == [
        "Press {Enter} to start a guided block.",
        *("Press {Enter}: " + one.do for one in checks()),
        "Press {Enter} to plan the needle's path.",
        "Press {Enter} to take path 1: 36 mm at 34 deg.",
        "Hold {↑} to pass the skin.",
        "Hold {↑} to advance along the dashes.",
        "Hold {Z} to aspirate: does blood come?",
        "Hold {Space}: 1 mL test dose.",
        f"Hold {{Space}} to {1e6 * PLANNED:.0f} mL.",
        "Hold {Z} to aspirate: does blood come?",
        f"Hold {{Space}} to {1e6 * PLANNED:.0f} mL.",
        "Hold {↓} to withdraw.",
        "Press {Enter} to end the recording and look back.",
    ]
    assert [one.what for one in thread.log][:3] == [
        "left choose",
        "ticked: " + checks()[0].do,
        "ticked: " + checks()[1].do,
    ]
    assert thread.advise(replace(SEEN, report="making")).ready is False
    thread.next(replace(SEEN, report="ready"), "viewer 1", 0.0)
    assert (thread.stage, thread.ticked, thread.accepted) == (Stage.CHOOSE, 0, None)


# --- leaving and going back ---


@pytest.mark.parametrize("stage", [Stage.SCAN, Stage.PLAN, Stage.PERFORM])
def test_a_stage_that_is_not_done_is_left_for_a_reason_only(stage):
    thread = at(stage)
    with refused(InputError, f"To leave '{stage.value}' before it is done needs a reason."):
        thread.next(GONE, "viewer 1", 1.0)
    assert thread.stage is stage
    thread.next(GONE, "viewer 1", 2.0, "  shown   only ")
    assert thread.stage.number == stage.number + 1
    assert thread.log[-1].what == f"left {stage.value} before it was done: shown only"
    assert (thread.log[-1].who, thread.log[-1].time) == ("viewer 1", 2.0)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_reason_has_words_and_an_end(reason):
    with refused(InputError, f"a reason must have 1 to 200 letters, got {len(reason.strip())}"):
        at(Stage.SCAN).next(GONE, "viewer 1", 0.0, reason)


def test_checks_are_left_all_at_once_for_a_reason():
    thread = at(Stage.CHECK)
    thread.next(SEEN, "viewer 1", 0.0, "done at the table")
    assert thread.stage is Stage.SCAN


def test_going_back_is_free_and_ahead_is_not_back():
    thread = at(Stage.PERFORM)
    thread.back(Stage.SCAN, "viewer 2", 3.0)
    assert thread.stage is Stage.SCAN
    assert thread.log[-1].what == "back to scan"
    for stage in (Stage.SCAN, Stage.REPORT):
        with refused(InputError, f"'{stage.value}' lies ahead of 'scan'"):
            thread.back(stage, "viewer 2", 3.0)
    thread.ticked = 3
    thread.back(Stage.CHECK, "viewer 2", 4.0)
    assert thread.ticked == 0


# --- scanning ---


@pytest.mark.parametrize(
    ("aside", "do"),
    [
        (-0.02, "Hold {←}"), (0.02, "Hold {→}"), (-0.008, "Press {←} 8 times"), (0.0071, "Press {→} 7 times"),
        (0.0059, "Press {Enter}"),
    ],
)  # fmt: skip
def test_the_target_is_brought_to_the_middle(aside, do):
    advice = at(Stage.SCAN).advise(replace(SEEN, place=(0.02, aside)))
    assert advice.do.startswith(do)
    assert advice.ready


def test_a_target_at_the_edge_of_the_window_is_taken_where_it_is():
    assert (
        at(Stage.SCAN).advise(replace(SEEN, place=(0.02, 0.02), at_edge=True)).do.startswith("Press {Enter}")
    )


def test_a_target_that_vanished_is_waited_for_then_gone_back_to_then_looked_for():
    thread = at(Stage.SCAN)
    thread.advise(replace(SEEN, place=(0.02, 0.004), now=0.0, slid=0.01))
    gone = replace(GONE, slid=0.0)  # the probe slid 10 mm to the left since: the target is 14 mm to the right
    assert thread.advise(replace(gone, now=1.0)).do == "Wait. Looking for the femoral nerve."
    advice = thread.advise(replace(gone, now=1.0 + module.PATIENCE))
    assert advice.do == "Press {→} 14 times to look again."
    assert "14 mm to the right" in advice.why
    assert not advice.ready
    there = replace(GONE, slid=0.014)
    keys = {thread.advise(replace(there, now=t)).do[7] for t in range(5, 40)}
    assert keys == {"→", "←", "T", "G"}
    thread.advise(replace(SEEN, now=41.0))
    assert thread.advise(replace(GONE, now=42.0)).do.startswith("Wait")


def test_a_plan_without_target_looks_for_it_and_without_path_moves():
    assert at(Stage.PLAN).advise(GONE).do == "Wait. Looking for the femoral nerve."
    advice = at(Stage.PLAN).advise(replace(SEEN, path=None, reason="a vessel is in the way"))
    assert advice.do == "Press {←} 2 times for a straight path."
    assert advice.why == "a vessel is in the way"
    assert not advice.ready


# --- performing ---


def inside(left, **more):
    """The tip lies on the path, so far before its end."""
    share = 1 - left / 0.036056
    drawn = {"aspirated": more.get("injected", 0.0)} | more
    return replace(SEEN, inserted=0.036056 - left, tip=(0.02 * share, -0.03 + 0.03 * share), **drawn)


@pytest.mark.parametrize(
    ("left", "do"),
    [
        (0.02, "Hold {↑} to advance"), (0.0061, "Hold {↑} to advance"), (0.0059, "Press {↑} 5 times"),
        (0.0016, "Press {↑} to reach"), (-0.0021, "Press {↓} 2 times: the tip has gone too far."),
    ],
)  # fmt: skip
def test_the_needle_goes_the_way_that_is_left(left, do):
    assert at(Stage.PERFORM).advise(inside(left)).do.startswith(do)


@pytest.mark.parametrize("part", [Part.ADVANCE, Part.TEST, Part.INJECT])
def test_a_tip_that_is_not_known_is_waited_for(part):
    thread = at(Stage.PERFORM, part)
    given = {Part.ADVANCE: 0.0, Part.TEST: 5e-7, Part.INJECT: TEST_DOSE}[part]
    advice = thread.advise(replace(SEEN, inserted=0.02, tip=None, injected=given))
    assert (advice.do, advice.part) == ("Wait until the tip is seen.", part)
    assert "unknown" in advice.why
    assert not advice.ready


def test_a_tip_beside_its_path_comes_out_and_is_planned_anew():
    thread = at(Stage.PERFORM)
    for beside, follows in ((0.9 * module.BESIDE, True), (1.1 * module.BESIDE, False)):
        on = inside(0.01)
        off = beside * np.array([-0.8321, 0.5547])  # across the way: 20 mm deep and 30 mm along
        advice = thread.advise(replace(on, tip=tuple(np.add(on.tip, off))))
        assert (advice.do == "Hold {↓} to withdraw, then plan again.") == (not follows)
        assert advice.do.startswith("Hold {↑}") == follows
    assert advice.why == "The tip is 2.8 mm beside its path."
    thread.advise(replace(inside(0.02), tip=None))  # a tip that is lost on the way out takes nothing back
    assert thread.advise(SEEN).stage is Stage.PLAN
    assert thread.log[-1].what == "back to plan: the needle had left its path, or the probe had"


def test_a_way_that_has_left_the_picture_is_unknown():
    thread = at(Stage.PERFORM)
    advice = thread.advise(replace(inside(0.01), way=None))
    assert advice.do == "Hold {↓} to withdraw, then plan again."
    assert "unknown" in advice.why
    assert not advice.ready
    assert thread.advise(replace(SEEN, way=None)).stage is Stage.PLAN


def test_the_way_is_where_it_lies_now():
    """The probe slid 5 mm: the dashes did, and the tip beside where they were is on them."""
    on, slid = inside(0.01), np.array([0.0, 0.005])
    way = tuple(tuple(np.add(place, slid)) for place in WAY)
    moved = replace(on, tip=tuple(np.add(on.tip, slid)), way=way)
    assert at(Stage.PERFORM).advise(moved) == at(Stage.PERFORM).advise(on)


def test_without_a_path_nothing_is_led():
    thread = Thread(LL01, stage=Stage.PERFORM)
    for inserted in (0.0, 0.02):
        advice = thread.advise(replace(SEEN, inserted=inserted, way=None))
        assert advice.do == "Press {Enter} when the needle is out."
        assert "unknown" in advice.why
        assert advice.ready == (inserted == 0.0)
    thread.next(SEEN, "viewer 1", 0.0)
    assert thread.stage is Stage.RECORD


@pytest.mark.parametrize(
    ("off", "do"), [(0.001, "{G} 4 times"), (-0.001, "{T} 4 times"), (0.0008, "Hold {↑}")]
)
def test_a_tip_off_the_plane_is_turned_back(off, do):
    advice = at(Stage.PERFORM).advise(inside(0.024, off=off))
    assert do in advice.do
    assert ("off the plane" in advice.why) == (abs(off) > module.ASTRAY)


@pytest.mark.parametrize("part", [Part.TEST, Part.INJECT])
def test_nothing_is_given_through_a_tip_that_has_left_the_plane(part):
    thread = at(Stage.PERFORM, part)
    for k in range(30):
        assert thread.advise(inside(0.0, off=0.0, now=0.1 * k)).do.startswith("Hold {Space}")
    asked = [thread.advise(inside(0.0, off=-0.0015, now=3.0 + 0.1 * k)) for k in range(40)]
    assert all(one.do.startswith("Hold {Space}") for one in asked[:10])  # a chance reading turns nothing
    said = asked[-1]
    assert said.do.startswith("Press {T}") and "off the plane" in said.why
    assert said.part is part and not said.waits  # what was given stays given
    turned = [thread.advise(inside(0.0, off=0.0, now=7.0 + 0.1 * k)) for k in range(10)]
    assert all(one.do.startswith("Hold {Space}") for one in turned[4:])  # no second turn for what is past


def test_the_syringe_is_drawn_before_the_first_and_after_each_five_milliliters():
    thread = at(Stage.PERFORM, Part.TEST)
    asked = [
        thread.advise(
            inside(0.0, injected=1e-6 * given, aspirated=None if drawn is None else 1e-6 * drawn)
        ).do
        for given, drawn in ((0, None), (0, 0), (1.1, 0), (4.9, 0), (5.1, 0), (5.1, 5.1), (6, None), (9.9, 3))
    ]
    draw = "Hold {Z} to aspirate: does blood come?"
    assert [one == draw for one in asked] == [True, False, False, False, True, False, True, False]


def test_a_syringe_that_is_to_be_drawn_is_drawn_to_the_end_although_fluid_comes_back():
    thread = at(Stage.PERFORM, Part.INJECT)
    said = [
        thread.advise(inside(0.0, injected=1e-6 * given, aspirated=1e-6 * drawn)).do[:8]
        for given, drawn in (
            (4.9, 0),
            (5.1, 0),
            (4.9, 0),
            (4.8, 4.8),
            (9.7, 4.8),
            (9.9, 4.8),
            (9.6, 4.8),
            (9.5, 9.5),
        )
    ]
    assert said == [f"Hold {{{key}}}"[:8] for key in ("Space", "Z", "Z", "Space", "Space", "Z", "Z", "Space")]


def test_one_reading_off_the_plane_turns_nothing():
    thread = at(Stage.PERFORM)
    for k in range(20):
        thread.advise(inside(0.02, off=0.0, now=0.1 * k))
    assert thread.advise(inside(0.02, off=0.0015, now=2.0)).do.startswith("Hold {↑}")
    said = [thread.advise(inside(0.02, off=0.0015, now=2.0 + 0.1 * k)).do for k in range(1, 20)]
    assert said[-1] == "Press {G} 4 times: the tip leaves the picture."
    thread.advise(replace(inside(0.02), tip=None, now=4.0))
    assert thread.advise(inside(0.02, off=0.0, now=4.1)).do.startswith("Hold {↑}")


def test_a_tip_that_leaves_its_goal_is_advanced_again_and_not_forever_once_something_was_given():
    thread = at(Stage.PERFORM)
    assert thread.advise(inside(0.5 * ARRIVED)).part is Part.TEST
    assert thread.advise(inside(0.0025)).part is Part.TEST
    assert thread.advise(inside(0.004)).part is Part.ADVANCE
    assert thread.advise(inside(0.0)).part is Part.TEST
    for dose, part in ((5e-7, Part.TEST), (3e-6, Part.INJECT)):
        away = thread.advise(inside(0.004, injected=dose))
        assert away.part is Part.ADVANCE and away.do == "Press {↑} 3 times to reach the target."
        assert thread.advise(inside(0.0, injected=dose)).part is part
    assert (
        thread.advise(inside(0.004, injected=4e-6)).part is Part.INJECT
    )  # it is kept off: fluid may be what keeps it


def test_what_was_given_before_counts_for_nothing():
    thread = at(Stage.PLAN)
    thread.next(replace(SEEN, injected=8e-6), "viewer 1", 0.0)
    assert thread.advise(inside(0.0, injected=8.5e-6)).part is Part.TEST
    assert thread.advise(inside(0.0, injected=9.1e-6)).part is Part.INJECT


def test_a_needle_out_of_the_skin_before_its_goal_is_planned_again():
    for part in (Part.ADVANCE, Part.TEST):
        thread = at(Stage.PERFORM, part)
        assert thread.advise(SEEN).stage is Stage.PLAN  # the same way would lead to what was in the way
        assert thread.log[-1].what == "back to plan: the needle was withdrawn before its goal"


def test_a_needle_out_of_the_skin_begins_again_once_something_was_given():
    thread = at(Stage.PERFORM, Part.TEST)
    thread.advise(inside(0.0, injected=0.0))
    thread.advise(inside(0.0, injected=5e-7))
    again = thread.advise(replace(SEEN, injected=5e-7))
    assert (again.stage, again.part) == (Stage.PERFORM, Part.ENTER)
    assert at(Stage.PERFORM, Part.WITHDRAW).advise(SEEN).stage is Stage.RECORD


def test_there_is_but_to_wait_while_the_rest_goes_in_and_a_faster_clock_is_told():
    for part in Part:
        said = at(Stage.PERFORM, part).advise(
            replace(SEEN, inserted=0.03, tip=PATH.target, injected=2e-6, aspirated=2e-6)
        )
        assert said.waits == (said.part is Part.INJECT)
    thread = at(Stage.PERFORM, Part.INJECT)
    plain = thread.advise(replace(SEEN, inserted=0.03, tip=PATH.target, aspirated=0.0))
    faster = thread.advise(replace(SEEN, inserted=0.03, tip=PATH.target, aspirated=0.0, compression=4))
    assert faster.do == plain.do
    assert "Time runs x4." in faster.why and "Time" not in plain.why
    assert not thread.advise(replace(SEEN, inserted=0.03, tip=None)).waits  # nobody knows where it would go


def test_hands_elsewhere_are_not_followed():
    other = replace(SEEN, held=False)
    advice = at(Stage.PERFORM).advise(other)
    assert advice.ready
    assert "unknown" in advice.why
    assert at(Stage.SCAN).advise(replace(other, target=None)).do == "Find the femoral nerve."
    assert at(Stage.PLAN).advise(replace(other, path=None)).do == "Move the probe for a straight path."


@pytest.mark.parametrize(
    ("state", "do", "why"),
    [
        ("making", "Wait for the report.", "lived again"), ("failed", "Press {Enter} to begin again.", "could not be made"),
        ("ready", "Press {Enter} to begin again.", "The report is open."),
        ("none", "Press {Enter} to begin again.", "No report"),
    ],
)  # fmt: skip
def test_the_report_is_waited_for(state, do, why):
    advice = at(Stage.REPORT).advise(replace(SEEN, report=state))
    assert advice.do == do
    assert why in advice.why


# --- whatever comes ---

numbers = st.floats(-0.1, 0.1)
facts = st.builds(
    Facts,
    held=st.booleans(),
    target=st.sampled_from([None, "femoral nerve"]),
    place=st.none() | st.tuples(numbers, numbers),
    path=st.sampled_from([None, PATH]),
    way=st.sampled_from([None, WAY]),
    now=st.floats(0, 1e4),
    slid=numbers,
    at_edge=st.booleans(),
    inserted=st.sampled_from([0.0, 0.01, 0.03]),
    tip=st.none() | st.tuples(numbers, numbers),
    off=numbers,
    injected=st.none() | st.floats(0, 2e-5),
    report=st.sampled_from(["none", "making", "ready", "failed"]),
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(facts, st.booleans()), max_size=30), st.sampled_from([one.id for one in procedures()])
)
def test_there_is_always_one_short_sentence_and_an_unknown_tip_never_advances(steps, id):
    thread = Thread(procedure(id))
    for known, goes in steps:
        advice = thread.advise(known)
        assert 0 < len(re.sub(r"[{}]", "", advice.do)) <= 80
        assert advice.stage is thread.stage
        assert len(re.findall(r"\{", advice.do)) <= 1
        if known.tip is None and known.held and advice.part in (Part.ADVANCE, Part.TEST, Part.INJECT):
            assert "{" not in advice.do or "withdraw" in advice.do or "is out" in advice.do
        if known.target is None and known.held:
            assert not (advice.ready and advice.stage in (Stage.SCAN, Stage.PLAN))
        if goes and advice.ready:
            thread.next(known, "anyone", known.now)


def test_what_is_ticked_has_its_source():
    assert len(checks()) == 4
    for one in checks():
        assert len("Press Enter: " + one.do) <= 60
    text = (module.files("insonate.guidance") / "thread.toml").read_text()
    assert text.count("source = ") == text.count("evidence = ") == 4


def test_a_check_without_source_is_refused(monkeypatch):
    class Text:
        def __truediv__(self, _):
            return self

        def read_text(self, encoding):
            return '[[check]]\ndo = "a"\nwhy = "b"\nsource = ""\nevidence = "M"\n'

    monkeypatch.setattr(module, "files", lambda _: Text())
    checks.cache_clear()
    with refused(FormatError, "thread.toml: a check needs words, a source and a tag, got 'a'"):
        checks()
    checks.cache_clear()
