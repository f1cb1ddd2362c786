"""A needle beside a disk, watched frame by frame; and every way to lose it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidance.scenes import artery, block, hazard, needle, nerve, scene_of
from insonate.core import (
    AdvanceNeedle,
    CoordinateFrame,
    Drawn,
    InjectionReading,
    Level,
    NeedleEcho,
    NeedlePose,
    NeedleState,
    Stimulate,
    StimulationReading,
    Stimulus,
    Tissue,
)
from insonate.guidance.trajectory import plan
from insonate.pipeline.watch import Watch
from simulation.motion.poses import held

PROCEDURE = block(
    hazard("femoral artery", Tissue.ARTERY, 3e-3),
    hazard("femoral vein", Tissue.VEIN, 2e-3),
    needle=needle(0.72e-3),
)
SCENE = scene_of(nerve((0.018, 0.028), 0.003), artery((0.018, 0.014), 0.003))
PLAN = plan(SCENE, PROCEDURE)
TICK = 0.05
FAR, NEAR, IN = 0.001, 0.0095, 0.0125
"""Lateral place of a tip 18 mm deep that comes along the picture: 9.6, 1.1 mm from the artery, and in it."""
PROBE = held(at=(0.0, 0.0, 0.0))


def tip_at(lateral, time, *, elevation=0.0, depth=0.018, state=NeedleState.TIP):
    seen = state is NeedleState.TIP
    return NeedlePose(
        state=state,
        tip=np.array([lateral, elevation, depth]) if seen else None,
        direction=None if state is NeedleState.LOST else np.array([1.0, 0.0, 0.0]),
        covariance=np.eye(3) * 1e-8 if seen else None,
        frame=CoordinateFrame.PATIENT,
        time=time,
    )


def pushed(inserted, time):
    return AdvanceNeedle(
        entry=np.array([-0.02, 0, 0.0]),
        direction=np.array([0.6, 0, 0.8]),
        inserted=inserted,
        rotation=0.0,
        time=time,
        given_by="a test",
    )


class Life:
    """Ticks of one source, as a pipeline would hand them on."""

    def __init__(self):
        self.watch, self.now, self.length = Watch(PROCEDURE), 0.0, 0.0

    def tick(
        self, lateral=FAR, *, seen=0.0, frame=0.0, pose=PROBE, grows=0.0, scene=SCENE, needle=True, **more
    ):
        self.now += TICK
        if pose is not None:
            self.watch.observe(
                type(pose)(
                    **{f: getattr(pose, f) for f in ("rotation", "translation", "source", "target")},
                    time=self.now,
                )
            )
        self.length = max(self.length + grows, 0.0) if self.length or grows else self.length
        if grows is not None and (self.length or grows):
            self.watch.command(pushed(self.length, self.now))
        if needle:
            self.watch.observe(tip_at(lateral, self.now, **more))
        return self.watch.judge(
            scene,
            None if scene is None else PLAN if scene is SCENE else plan(scene, PROCEDURE),
            None if seen is None else self.now - seen,
            None if frame is None else self.now - frame,
            self.now,
        )

    def ticks(self, count, *args, **more):
        for _ in range(count):
            last = self.tick(*args, **more)
        return last


def levels(watched, rule):
    """The loudest of each thing that a rule speaks of."""
    out = {}
    for cue in watched.cues:
        if cue.rule == rule:
            out.setdefault(cue.about, cue.level)
    return out


@pytest.fixture
def life():
    one = Life()
    one.length = 0.01
    return one


def test_before_anything_is_known_nothing_is_quiet():
    watched = Watch(PROCEDURE).judge(None, None, None, None, 0.0)
    assert watched.needle is None and watched.under_skin is None and watched.clearances == ()
    assert levels(watched, "image") == {"image": Level.UNKNOWN} and levels(watched, "tip") == {
        "needle": Level.UNKNOWN
    }


def test_far_from_all_only_what_is_not_seen_is_unknown(life):
    watched = life.ticks(25)
    known = {c.structure: c.distance for c in watched.clearances}
    assert known["femoral artery"] == pytest.approx(0.014 - 0.003 - FAR - 0.36e-3, abs=6e-4)
    assert known["femoral vein"] is None
    assert [(c.about, c.level) for c in watched.cues] == [("femoral vein", Level.UNKNOWN)]
    assert watched.in_plane is True and watched.needle.frame is CoordinateFrame.PROBE


def test_a_needle_that_comes_near_cautions_then_stops_and_ends_a_second_after_it_went_back(life):
    life.ticks(25)
    assert levels(life.tick(NEAR), "clearance")["femoral artery"] is Level.CAUTION
    assert levels(life.tick(IN), "clearance")["femoral artery"] is Level.STOP
    assert levels(life.ticks(20, FAR), "clearance")["femoral artery"] is Level.STOP
    assert "femoral artery" not in levels(life.ticks(2, FAR), "clearance")


LOSSES = {
    "tip lost": {"state": NeedleState.LOST},
    "shaft only": {"state": NeedleState.SHAFT_ONLY},
    "out of plane": {"elevation": 2e-3},
    "tracker unplugged": {"needle": False},
    "structures old": {"seen": 2.2},
    "structures never": {"seen": None},
    "labelling failed": {"scene": None},
    "probe slid": {"pose": held(at=(-0.002, 0.0, 0.0)), "seen": 0.4},
    "probe turned": {"pose": held(angle=0.05), "seen": 0.4},
}


@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss_is_unknown_of_every_structure_and_ends_no_cue(life, loss):
    life.ticks(25)
    life.tick(NEAR)
    watched = life.ticks(1 if "probe" in loss else 12, **LOSSES[loss])
    assert all(one.distance is None for one in watched.clearances)
    about = [cue.level for cue in watched.cues if cue.about == "femoral artery"]
    assert about == [Level.CAUTION, Level.UNKNOWN]


def test_a_label_that_jumps_is_unknown_until_it_is_seen_there_twice(life):
    life.ticks(25)
    life.tick(NEAR)
    away = scene_of(nerve((0.018, 0.028), 0.003), artery((0.03, 0.014), 0.003))
    again = scene_of(nerve((0.018, 0.028), 0.003), artery((0.03, 0.014), 0.003))
    jumped = life.ticks(30, NEAR, scene=away)
    near = next(one for one in jumped.clearances if one.structure == "femoral artery")
    assert near.distance is None and near.reason == "its outline jumped by 12 mm"
    assert [c.level for c in jumped.cues if c.about == "femoral artery"] == [Level.CAUTION, Level.UNKNOWN]
    settled = life.tick(NEAR, scene=again)
    assert next(one for one in settled.clearances if one.structure == "femoral artery").distance > 5e-3


def test_a_distance_to_an_old_outline_is_less_sure(life):
    fresh, old = (
        next(one for one in life.ticks(5, seen=seen).clearances if one.structure == "femoral artery")
        for seen in (0.0, 1.5)
    )
    assert fresh.distance == pytest.approx(old.distance, abs=1e-4)
    assert np.ptp(old.interval) > np.ptp(fresh.interval) + 0.2e-3


def looked(life, count=3, *, agrees=False):
    for _ in range(count):
        shows = (12.0, 4.0) if agrees else (2.0, 11.0)
        life.watch.look(
            NeedleEcho(
                contrast=shows[0], elsewhere=shows[1], offset=5e-3, beyond=0.0, length=0.01, time=life.now
            )
        )


def test_a_tip_that_the_picture_shows_elsewhere_is_known_no_more(life):
    life.ticks(25)
    life.tick(NEAR)
    looked(life, 2)
    assert life.tick(FAR).doubt is None
    looked(life, 1)
    watched = life.ticks(30, FAR)
    assert watched.needle.state is NeedleState.SHAFT_ONLY and watched.in_plane is None
    assert watched.doubt == "an echo lies 5 mm deeper than the tracker's needle" and watched.shown is False
    assert [one.reason for one in watched.clearances if one.structure == "femoral artery"] == [watched.doubt]
    assert all(one.distance is None for one in watched.clearances)
    assert levels(watched, "echo") == {"needle": Level.CAUTION}
    shown = [cue.level for cue in watched.cues if cue.about == "femoral artery"]
    assert shown == [
        Level.CAUTION,
        Level.UNKNOWN,
    ]  # it went away by the word of a tracker that is not relied on
    looked(life, agrees=True)
    watched = life.tick(FAR)
    assert watched.doubt is None and watched.shown is True
    assert watched.clearances[0].distance is not None
    assert levels(watched, "echo") == {"needle": Level.CAUTION}  # it dwells


def test_another_procedure_believes_a_doubted_tracker_no_more_than_the_last(life):
    life.ticks(25)
    looked(life)
    life.watch.begin(PROCEDURE)
    assert life.tick().doubt is not None


def test_a_tracker_that_falls_silent_takes_its_distances_with_it(life):
    life.ticks(25)
    known = [life.tick(needle=False).clearances[0].distance is not None for _ in range(12)]
    assert all(known[:9]) and not any(known[10:])  # half a second
    watched = life.tick(needle=False)
    assert watched.clearances[0].reason == "the tracker is silent for 0.7 s"
    assert watched.needle.state is NeedleState.SHAFT_ONLY and watched.in_plane is None


def test_a_needle_drawn_out_takes_the_doubt_with_it(life):
    life.ticks(25)
    looked(life)
    assert life.tick().doubt is not None
    assert life.tick(grows=-1.0, depth=-1e-3).doubt is None
    assert levels(life.ticks(21, depth=-1e-3), "echo") == {}


def test_a_frozen_stream_is_unknown(life):
    life.ticks(25)
    assert levels(life.tick(frame=0.4), "image") == {}
    assert levels(life.tick(frame=0.6), "image") == {"image": Level.UNKNOWN}


def test_a_lost_tip_that_is_pushed_on_is_a_caution(life):
    life.ticks(25)
    watched = life.ticks(14, state=NeedleState.LOST, grows=0.5e-3)
    assert levels(watched, "tip") == {"needle": Level.CAUTION}
    still = Life()
    still.length = 0.01
    still.ticks(25)
    assert levels(still.ticks(14, state=NeedleState.LOST), "tip") == {"needle": Level.UNKNOWN}


def test_a_needle_drawn_out_ends_what_was_near_after_a_second(life):
    life.ticks(25)
    life.tick(NEAR)
    watched = life.tick(grows=-1.0, depth=-1e-3)
    assert watched.under_skin is False and watched.clearances == ()
    assert levels(watched, "clearance")["femoral artery"] is Level.CAUTION
    assert levels(life.ticks(21, depth=-1e-3), "clearance") == {}


def test_a_needle_that_is_outside_by_the_commands_and_deep_by_the_tracker_is_not_outside(life):
    """An agent holds it, and a hand that holds none says so."""
    life.ticks(25)
    life.tick(IN)
    life.length = 0.0
    life.watch.command(pushed(0.0, life.now))
    watched = life.ticks(40, IN)
    assert watched.under_skin is None
    assert levels(watched, "clearance")["femoral artery"] is Level.STOP
    assert next(one.distance for one in watched.clearances if one.structure == "femoral artery") == 0.0
    watched = life.ticks(40, state=NeedleState.LOST)  # lost inside, it is not outside either
    assert watched.under_skin is None
    assert levels(watched, "clearance")["femoral artery"] is Level.STOP
    assert life.tick(depth=-1e-3).under_skin is False


def test_readings_are_passed_on_and_judged(life):
    life.ticks(25)
    life.watch.observe(InjectionReading(rate=1e-7, volume=1e-6, pressure=120e3, time=life.now))
    life.watch.observe(
        StimulationReading(
            stimulus=Stimulus(current=2e-4, pulse_width=1e-4, rate=2.0),
            delivered=2e-4,
            muscle="quadriceps",
            grade=1,
            impedance=None,
            time=life.now,
        )
    )
    watched = life.tick()
    assert levels(watched, "pressure") == {"injection": Level.STOP}
    assert levels(watched, "twitch") == {"stimulator": Level.STOP}
    assert watched.injection.pressure == 120e3 and watched.stimulation.muscle == "quadriceps"


def test_a_syringe_that_is_drawn_is_judged_and_remembered(life):
    life.length = 0.03
    life.ticks(25)
    watched = life.tick()
    assert watched.aspirated is None and levels(watched, "aspiration") == {}
    for what, level, clear in ((Drawn.NOTHING, {}, 1e-6), (Drawn.BLOOD, {"injection": Level.STOP}, None)):
        life.watch.observe(
            InjectionReading(rate=-4e-7, volume=1e-6, pressure=-2e4, time=life.now, drawn=what)
        )
        watched = life.tick()
        assert levels(watched, "aspiration") == level and watched.aspirated == clear


def test_a_needle_turned_aside_or_pushed_on_is_no_more_where_no_blood_came(life):
    life.length = 0.0  # it commands no needle of its own
    command = AdvanceNeedle(
        entry=np.array([-0.02, 0, 0.0]), direction=np.array([0.6, 0, 0.8]), inserted=0.03, rotation=0.0,
        time=0.0, given_by="a test",
    )  # fmt: skip
    turned = replace(
        command, direction=np.array([0.6 * np.cos(0.1), 0.6 * np.sin(0.1), 0.8])
    )  # 1.8 mm at the tip
    for other, clear in (
        (replace(command, rotation=1.0), 1e-6),
        (turned, None),
        (replace(command, inserted=0.0315), None),
    ):
        life.watch.command(command)
        life.watch.observe(
            InjectionReading(rate=-4e-7, volume=1e-6, pressure=-2e4, time=life.now, drawn=Drawn.NOTHING)
        )
        life.watch.command(other)
        assert life.tick().aspirated == clear


def test_a_stimulator_that_is_told_to_give_and_says_nothing_is_unknown_until_it_speaks(life):
    def told(stimulus):
        life.watch.command(Stimulate(stimulus=stimulus, time=life.now, given_by="a test"))

    def unknown():
        return [cue.reason for cue in life.tick().cues if cue.rule == "twitch"]

    stimulus = Stimulus(current=5e-4, pulse_width=1e-4, rate=2.0)
    told(stimulus)
    assert not any(unknown() for _ in range(15))
    for _ in range(10):
        said = unknown()
    assert said and said[0].startswith("Stimulator told to give 0.50 mA, silent for")
    life.watch.begin(PROCEDURE)  # another procedure: it is on as before
    assert unknown()
    for _ in range(60):
        life.watch.observe(
            StimulationReading(
                stimulus=stimulus, delivered=5e-4, muscle=None, grade=0, impedance=None, time=life.now
            )
        )
        said = unknown()
    assert not said
    told(None)
    assert not unknown()


def test_another_procedure_begins_without_memory(life):
    life.ticks(25)
    life.tick(IN)
    life.watch.begin(PROCEDURE)
    assert levels(life.watch.judge(None, None, None, 0.0, life.now), "clearance") == {}


@given(st.lists(st.sampled_from([*LOSSES, "fine", "fine", "fine", "near", "in"]), max_size=60))
def test_whatever_is_lost_contact_is_never_shown_as_quiet(steps):
    """After a contact that was seen, the stop stands until 21 ticks in a row were fine or near."""
    life = Life()
    life.length = 0.01
    life.ticks(3)
    good = 10**6
    for step in steps:
        more = LOSSES.get(step, {"lateral": {"near": NEAR, "in": IN}.get(step, FAR)})
        watched = life.tick(**more)
        good = 0 if step == "in" else good + 1 if step in ("fine", "near") else (good if good > 10**5 else 0)
        stands = levels(watched, "clearance").get("femoral artery")
        if step in LOSSES and not step.startswith("tracker"):
            assert any(c.about == "femoral artery" and c.level is Level.UNKNOWN for c in watched.cues)
        if good < 20:
            shown = [c.level for c in watched.cues if c.about == "femoral artery"]
            assert Level.STOP in shown, (step, stands)


def test_a_structure_that_one_picture_showed_stands_though_many_after_it_are_sure_of_nothing_there(life):
    """Nerves are missed by pictures that are sure: a label that is not there is no evidence."""
    speck = artery((0.018, 0.004), 0.0015, name="artery")
    speckled = scene_of(nerve((0.018, 0.028), 0.003), artery((0.018, 0.014), 0.003), speck)
    life.ticks(20)
    life.ticks(5, scene=speckled)
    watched = life.ticks(60)
    assert {cue.level for cue in watched.cues if cue.about == "artery 1"} == {Level.CAUTION, Level.UNKNOWN}
