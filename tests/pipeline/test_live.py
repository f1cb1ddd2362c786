"""A source kept in time: numbers without a hole, a freeze that holds, guidance that never outlives its evidence."""

import gc
import os
import sys
import threading
import time
import weakref
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.core import (
    Grid,
    Image,
    Inject,
    InputError,
    MoveProbe,
    PixelGrid,
    PolarGrid,
    Quantity,
    RangeError,
    SetControl,
)
from insonate.guidance.procedures import procedure
from insonate.pipeline import chain, live, scheduling
from insonate.pipeline.appearance import BANDS, CONTROLS, FORMED, SHOWN, TGC
from insonate.pipeline.live import Frame, Live, extent
from insonate.pipeline.playback import Playback
from insonate.pipeline.presets import Preset
from insonate.simulation.patient import SimulatedPatient
from pipeline.fakes import LABELLER, Script, bordered, painted, picture, shot
from refusals import refused
from simulation.motion.poses import held
from simulation.test_edge import BODY, needles, others, probes

SOON = 20.0
"""Longer than any step here takes on the busiest machine [s]."""

WHILE = 0.15
"""Long enough for many ticks of a script [s]."""


def becomes(condition):
    """Wait until something holds."""
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.002)


@pytest.fixture(autouse=True)
def _labelled_by_brightness(monkeypatch):
    monkeypatch.setattr(chain, "SEGMENTERS", LABELLER)
    monkeypatch.setattr(live, "RESTED", 0.01)


@pytest.fixture
def run():
    """Start a source, and stop it whatever happens."""
    running = []

    def go(source, id="UL03", *, before=None):
        one = Live(source=source, procedure=procedure(id))
        running.append(one)
        if before is not None:
            before(one)
        return one.start()

    yield go
    for one in running:
        if hasattr(one.source, "gate"):
            one.source.gate.set()
        one.stop()


def flat(value, times=None):
    """One frame of one grey."""
    return picture(np.full((24, 30), value, np.float32), times=times)


# --- frames ---


def test_every_frame_of_the_source_has_a_number_and_no_other(run):
    one = run(Script(*(flat(k / 40) for k in range(40))))
    received = lost = last = 0
    while last < 40:
        frame = one.wait(last, SOON)
        lost += frame.number - last - 1
        received += 1
        last = frame.number
        time.sleep(0.013)  # slower than the source: some are passed over
    assert received + lost == 40
    assert lost > 0
    assert one.frame.pixels[0, 0] == round(255 * 39 / 40)
    assert one.wait(40, WHILE) is None


def test_frames_that_come_in_one_observation_are_all_counted(run):
    one = run(Script(picture(*(np.full((24, 30), k / 10, np.float32) for k in range(5)))))
    becomes(lambda: one.frame is not None and one.frame.number == 5)
    assert one.frame.image.n_frames == 1
    assert one.frame.pixels[0, 0] == round(255 * 0.4)


def test_a_frame_tells_the_time_of_its_observation_and_when_it_was_finished(run):
    before = time.time()
    one = run(Script(flat(0.5, times=np.array([7.25]))))
    frame = one.wait(0, SOON)
    assert frame.source_time == 7.25
    assert before <= frame.made <= time.time()
    untimed = run(Script(flat(0.5))).wait(0, SOON)
    assert untimed.source_time == pytest.approx(Script.tick)


def test_the_clock_of_the_source_goes_on_tick_by_tick(run):
    source = Script(flat(0.5), forever=True)
    one = run(source)
    one.wait(3, SOON)
    one.stop()
    np.testing.assert_allclose(source.until, Script.tick * np.arange(1, len(source.until) + 1))


def test_borders_are_cut_off(run):
    whole, area = bordered(painted())
    frame = run(Script(picture(whole))).wait(0, SOON)
    assert frame.image.grid.corner == pytest.approx(area[:2], abs=1)
    assert frame.pixels.shape == pytest.approx(area[2:], abs=1)


def test_grey_follows_gain_and_dynamic_range(run):
    one = run(Script(flat(0.4), forever=True))
    one.set_control("gain", 13.0)
    one.set_control("dynamic_range", 80.0)
    becomes(lambda: one.frame is not None and one.frame.pixels[0, 0] != round(255 * 0.4))
    number = one.frame.number
    frame = one.wait(number + 2, SOON)
    decibels = 60 * (0.4 - 1)
    assert frame.pixels[0, 0] == round(255 * (1 + (decibels + 13) / 80))
    assert one.values["gain"] == 13.0


def test_gain_by_depth_holds_at_its_depth_and_goes_over_between(run):
    one = run(Script(picture(np.full((80, 10), 0.4, np.float32)), forever=True))
    one.wait(0, SOON)
    one.freeze(True)
    one.set_control("tgc_3", 12.0)
    one.set_control("tgc_4", -6.0)
    grey = one.frame.pixels[:, 0].astype(float)
    expected = 255 * (0.4 + np.interp(np.arange(80), [14.5, 24.5, 34.5, 44.5], [0, 12, -6, 0]) / 60)
    assert grey == pytest.approx(expected, abs=1)
    assert BANDS == 8 and (grey[:14] == grey[0]).all() and (grey[46:] == grey[0]).all()


def test_what_is_too_bright_or_too_dark_stays_at_the_end_of_the_scale(run):
    one = run(Script(picture(np.tile(np.float32([0.3, 0.9]), (24, 15))), forever=True))
    one.set_control("gain", 30.0)
    frame = one.wait(one.wait(0, SOON).number + 3, SOON)
    assert (frame.pixels.min(), frame.pixels.max()) == (round(255 * 0.8), 255)
    one.set_control("gain", -30.0)
    frame = one.wait(one.frame.number + 3, SOON)
    assert (frame.pixels.min(), frame.pixels.max()) == (0, round(255 * 0.4))


# --- channel data ---


def test_depth_changes_what_is_beamformed(run):
    one = run(Script(shot(0.01, n_samples=1400), forever=True))
    frame = one.wait(0, SOON)
    assert one.controls == (*FORMED, *SHOWN)
    assert frame.image.grid.axial[-1] == pytest.approx(CONTROLS["depth"][2], abs=2 * frame.image.grid.step[0])
    one.set_control("depth", 0.02)
    becomes(lambda: one.frame.image.grid.axial[-1] < 0.03)
    assert one.frame.image.grid.axial[-1] == pytest.approx(0.02, abs=2 * frame.image.grid.step[0])
    image = one.frame.image
    rows, columns = np.nonzero(image.values[0] == 0)  # at full scale, which a thousandth of the pixels reach
    assert image.grid.axial[rows].mean() == pytest.approx(0.01, abs=0.2e-3)
    assert image.grid.lateral[columns].mean() == pytest.approx(0.0, abs=0.2e-3)


def after(strengths):
    """Decibels between the first of two waves like it and both compounded: half of the power with phase, half without."""
    first, second = strengths
    together = np.sqrt(0.5 * ((first + second) / 2) ** 2 + 0.5 * (first**2 + second**2) / 2)
    return 20 * np.log10(together / (0.95 * abs(first) + 0.05 * together))


def test_plane_waves_are_compounded_half_with_their_phase_and_half_without(run):
    data = shot(0.01)
    first = run(Script(data)).wait(0, SOON).image.values
    turned = replace(louder(data, -1), times=np.array([[0.5]]))
    one = run(Script(data, turned))
    becomes(lambda: one.frame is not None and one.frame.number == 2)
    seen = (first > -60) & (first < -1)
    np.testing.assert_allclose(one.frame.image.values[seen] - first[seen], after((1, -1)), atol=1e-3)
    assert one.frame.source_time == 0.5


def louder(data, factor):
    """The same echoes, so many times as strong."""
    return replace(data, samples=np.float32(factor) * data.samples)


def test_fewer_waves_and_another_band_are_obeyed(run):
    one = run(Script(shot(0.01, n_samples=1400), forever=True))
    plain = one.wait(one.wait(0, SOON).number + 6, SOON)
    assert one.center_frequency == 5e6
    with refused(InputError, "compounding must be a whole number of waves, got 2.5"):
        one.set_control("compounding", 2.5)
    one.set_control("compounding", 1.0)
    becomes(lambda: len(one._compounding._waves) == 1)
    one.set_control("frequency", 0.8)
    becomes(lambda: not np.array_equal(one.frame.image.values, plain.image.values))
    assert one.frame.image.values.max() == 0  # what was loud in the other band is forgotten


def test_a_band_that_was_not_sampled_is_not_offered(run):
    data = shot(0.01, n_samples=1400)
    slow = replace(data, acquisition=replace(data.acquisition, sampling_frequency=12e6))  # up to 6 MHz
    one = run(Script(slow, forever=True))
    assert one.wait(0, SOON) is not None, one.problem
    assert "frequency" not in one.controls and "depth" in one.controls
    with refused(InputError, one_line_of(one)):
        one.set_control("frequency", 1.2)
    assert one.problem is None


def one_line_of(one):
    usual = [name for name in one.controls if name not in TGC]
    known = ", ".join((*usual, f"{TGC[0]} to {TGC[-1]}", *one.source.accepts))
    return f"control must be one of {known}, got 'frequency'"


def test_persistence_is_of_the_eye_alone(run):
    source = Script(flat(0.1), *(flat(0.9) for _ in range(5)))
    one = run(source, before=lambda it: it.set_control("persistence", 0.9))
    becomes(lambda: one.frame is not None and one.frame.number == 6)
    assert (one.frame.image.values == np.float32(0.9)).all()
    faded = 0.1 + 0.8 * (1 - 0.9**5)
    assert one.frame.pixels[0, 0] == round(255 * faded)
    one.freeze(True)
    one.set_control("gain", 6.0)  # of what is shown, not of the last picture alone
    assert one.frame.pixels[0, 0] == round(255 * (faded + 0.1))


def test_a_preset_sets_what_it_names_and_the_rest_to_its_first_value(run):
    one = run(Script(flat(0.5), forever=True))
    one.set_control("gain", 9.0)
    one.set_preset(Preset(name="x", values={"dynamic_range": 40.0, "depth": 0.02}))
    assert (one.values["gain"], one.values["dynamic_range"]) == (0.0, 40.0)
    assert one.values["depth"] == 0.04  # it does nothing to a picture


def test_brightness_follows_the_echoes_slowly(run):
    first = run(Script(shot(0.01))).wait(0, SOON).image.values
    one = run(Script(shot(0.01), louder(shot(0.01), 0.1)))
    becomes(lambda: one.frame is not None and one.frame.number == 2)
    seen = (first > -60) & (first < 0)
    np.testing.assert_allclose(one.frame.image.values[seen] - first[seen], after((1, 0.1)), atol=1e-3)


def test_a_sudden_loud_echo_stays_within_the_scale(run):
    one = run(Script(shot(0.01), louder(shot(0.01), 100)))
    becomes(lambda: one.frame is not None and one.frame.number == 2)
    assert one.frame.image.values.max() == 0.0
    assert one.frame.image.quantity is Quantity.B_MODE


def test_a_picture_has_no_depth_control(run):
    one = run(Script(flat(0.5)))
    one.wait(0, SOON)
    with refused(
        InputError,
        "control must be one of gain, dynamic_range, persistence, tgc_1 to tgc_8, power, got 'depth'",
    ):
        one.set_control("depth", 0.02)


# --- controls ---


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("gain", 31.0, "gain must lie in -30..30 dB, got 31"),
        ("gain", float("nan"), "gain must lie in -30..30 dB, got nan"),
        ("dynamic_range", 29.0, "dynamic_range must lie in 30..90 dB, got 29"),
    ],
)
def test_a_control_out_of_range_is_refused_and_changes_nothing(run, name, value, message):
    one = run(Script(flat(0.5)))
    with refused(RangeError, message):
        one.set_control(name, value)
    assert one.values == {name: first for name, (_, _, first, _) in CONTROLS.items()}


def test_a_control_that_is_not_there_is_refused_in_short(run):
    one = run(Script(flat(0.5)))
    with refused(
        InputError,
        f"control must be one of gain, dynamic_range, persistence, tgc_1 to tgc_8, power, got '{'x' * 40}'",
    ):
        one.set_control("x" * 5000, 1.0)


def test_a_control_of_the_source_reaches_it_with_the_time_of_its_clock(run):
    source = Script(flat(0.5), forever=True)
    one = run(source)
    one.wait(3, SOON)
    one.set_control("power", 0.5)
    becomes(lambda: source.commands)
    (command,) = source.commands
    assert (command.name, command.value, command.given_by) == ("power", 0.5, "operator")
    assert command.time in source.until


def test_a_knob_turned_while_the_picture_is_held_does_not_fill_the_memory(run):
    source = Script(flat(0.5), forever=True)
    one = run(source)
    one.wait(0, SOON)
    one.freeze(True)
    time.sleep(WHILE)
    for step in range(1000):
        one.set_control("power", float(step))
    one.freeze(False)
    becomes(lambda: source.commands)
    assert [command.value for command in source.commands] == list(range(1000 - live.MOST_COMMANDS, 1000))


# --- freeze ---


def test_freeze_holds_the_picture_and_goes_on_with_the_next(run):
    one = run(Script(*(flat(k / 1000) for k in range(1000))))
    one.wait(2, SOON)
    one.freeze(True)
    held = one.frame
    time.sleep(WHILE)
    assert one.frame is held
    one.freeze(False)
    following = one.wait(held.number, SOON)
    expected = round(255 * (following.number - 1) / 1000)  # number n shows the n-th picture: none was lost
    assert following.pixels[0, 0] == expected


def test_a_frame_on_its_way_when_the_picture_is_held_waits(run):
    source = Script(flat(0.1), flat(0.9))
    one = run(source, before=lambda _: source.gate.clear())
    assert source.held.wait(SOON)
    one.freeze(True)
    source.gate.set()
    time.sleep(WHILE)
    assert one.frame is None
    one.freeze(False)
    becomes(lambda: one.frame is not None and one.frame.number == 2)


def test_gain_changes_the_pixels_of_a_held_picture_and_nothing_else(run):
    one = run(Script(flat(0.4), forever=True))
    one.wait(0, SOON)
    one.freeze(True)
    held = one.frame
    one.set_control("gain", 6.0)
    shown = one.frame
    assert shown.number == held.number + 1
    assert shown.pixels[0, 0] == round(255 * (0.4 + 6 / 60))
    assert shown.image is held.image
    assert (shown.made, shown.source_time) == (held.made, held.source_time)
    time.sleep(WHILE)
    assert one.frame is shown
    one.freeze(True)  # a second time: what is held stays what was held
    assert one.held == held.number
    one.freeze(False)
    assert one.held is None


# --- what is seen in it ---


def test_what_is_seen_carries_the_number_and_time_of_its_frame(run):
    one = run(Script(picture()))
    frame = one.wait(0, SOON)
    becomes(lambda: one.seen is not None)
    assert (one.seen.number, one.seen.made) == (frame.number, frame.made)
    assert one.seen.guided.plan.procedure == "UL03"
    assert one.seen.guided.plan.target is not None
    assert one.seen.problem is None
    assert "imulated" in str(one.seen.guided.drawing.to_json())


class Slow:
    """Labels only when it is let, and says that it was asked."""

    def __init__(self, monkeypatch):
        self.asked, self.let, self.whole = threading.Semaphore(0), threading.Semaphore(0), chain.label
        monkeypatch.setattr(live, "label", self)

    def __call__(self, image, **settings):
        self.asked.release()
        assert self.let.acquire(timeout=SOON)
        return self.whole(image, **settings)


def test_a_labeller_that_stalls_holds_up_no_picture_and_tells_the_age_of_what_it_saw(run, monkeypatch):
    slow = Slow(monkeypatch)
    frames = []
    pictures = [picture(painted(seed=seed)) for seed in range(300)]
    one = run(Script(*pictures))
    try:
        assert slow.asked.acquire(timeout=SOON)
        frames.append(one.frame)
        newer = one.wait(one.frame.number + 20, SOON)
        assert one.seen is None
        slow.let.release()
        becomes(lambda: one.seen is not None)
        assert one.seen.number <= frames[0].number
        assert one.seen.made <= frames[0].made < newer.made
        np.testing.assert_array_equal(
            one.seen.guided.image.values, pictures[one.seen.number - 1].values
        )  # it is the very frame that it says
    finally:
        slow.let.release(1000)


def test_waiting_for_a_core_is_no_work_to_rest_from(run, monkeypatch):
    waits, at, whole = 0.4, [], chain.label

    def label(image, **settings):
        at.append(time.monotonic())
        time.sleep(waits)
        return whole(image, **settings)

    monkeypatch.setattr(live, "label", label)
    run(Script(*[picture(painted(seed=seed)) for seed in range(20)], forever=True))
    becomes(lambda: len(at) > 4)
    assert min(np.diff(at)) < 2 * waits  # a rest twice as long as the wait would make it three of them


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="niceness of a thread is Linux's")
def test_labels_give_way_to_the_picture(run):
    one = run(Script(picture()))
    becomes(lambda: one.seen is not None)
    nice = {
        thread.name: os.getpriority(os.PRIO_PROCESS, thread.native_id)
        for thread in threading.enumerate()
        if thread.name.startswith("live-") and thread.is_alive()
    }
    assert nice["live-look"] > nice["live-produce"] == nice["live-form"]


def test_another_procedure_takes_the_old_guidance_away_at_once(run, monkeypatch):
    one = run(Script(picture()))
    becomes(lambda: one.seen is not None)
    slow = Slow(monkeypatch)
    one.set_procedure(procedure("LL01"))
    assert one.seen is None
    assert slow.asked.acquire(timeout=SOON)
    assert one.seen is None
    slow.let.release()
    becomes(lambda: one.seen is not None)
    assert one.seen.guided.plan.procedure == "LL01"


def test_what_was_being_labelled_for_the_old_procedure_is_thrown_away(run, monkeypatch):
    slow = Slow(monkeypatch)
    one = run(Script(picture()))
    assert slow.asked.acquire(timeout=SOON)
    one.set_procedure(procedure("LL01"))
    slow.let.release()
    assert slow.asked.acquire(timeout=SOON)  # it looks again
    assert one.seen is None  # and the answer to the old question was not kept
    slow.let.release()
    becomes(lambda: one.seen is not None)
    assert one.seen.guided.plan.procedure == "LL01"


def test_the_same_procedure_chosen_again_on_a_still_picture_is_planned_again(run):
    one = run(Script(picture()))
    becomes(lambda: one.seen is not None)
    one.set_procedure(procedure("UL03"))
    becomes(lambda: one.seen is not None)
    assert one.seen.guided.plan.procedure == "UL03"


def test_procedures_changed_without_a_pause_never_end_the_looking(run):
    one = run(Playback("still", picture()))
    becomes(lambda: one.seen is not None)
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        for id in ("LL01", "UL03"):
            one.set_procedure(procedure(id))
    one.set_procedure(procedure("UL06"))
    becomes(lambda: one.seen is not None)
    assert one.seen.guided.plan.procedure == "UL06"
    assert all(thread.is_alive() for thread in one._threads)


def test_a_still_picture_is_labelled_once_and_confirmed_for_every_later_frame(run, monkeypatch):
    looks = []
    whole = chain.label
    monkeypatch.setattr(live, "label", lambda *a, **k: looks.append(1) or whole(*a, **k))
    one = run(Playback("still", picture()))
    becomes(lambda: one.seen is not None)
    first = one.seen
    becomes(lambda: one.seen.number > first.number + 1)
    later = one.seen
    assert later.guided is first.guided
    assert later.made > first.made
    assert later.number <= one.frame.number
    assert len(looks) == 1


@pytest.mark.parametrize(
    ("marked", "regional", "segmenter"),
    [
        (True, True, "simulated_tissues"),
        (True, False, "nerve_vessel"),
        (False, True, "nerve_vessel"),
        (False, False, "nerve_vessel"),
    ],
)
def test_a_simulated_region_is_labelled_by_the_network_for_it_and_a_real_source_never(
    run, monkeypatch, marked, regional, segmenter
):
    told = []

    def labelled(*given, **chosen):
        told.append((chosen["segmenter"], chosen["simulated"]))
        return chain.label(*given, **chosen)

    monkeypatch.setattr(live, "label", labelled)
    source = Script(picture(painted()))
    source.simulated, source.regional = marked, regional
    one = run(source)
    becomes(lambda: one.seen is not None)
    assert one.seen.problem is None
    assert set(told) == {(segmenter, marked)}
    assert SimulatedPatient.regional


def test_a_picture_that_changes_is_labelled_again(run):
    one = run(Script(picture(painted(seed=1)), *[picture(painted(nerve=None, seed=2))] * 500))
    becomes(lambda: one.seen is not None and one.seen.guided.plan.target is None)


def test_the_same_echoes_at_another_depth_are_labelled_again(run):
    values = np.zeros((1, 30, 30), np.float32)
    line = np.arange(1, 31) * 1e-4
    near, far = (
        Image(values=values, quantity=Quantity.B_MODE, grid=Grid(axial=axial, lateral=line))
        for axial in (line, line * 2)
    )
    one = run(Script(near, *[far] * 500))
    becomes(lambda: one.seen is not None and one.seen.guided.image.grid.axial[-1] == far.grid.axial[-1])


def test_a_labeller_that_fails_is_told_and_the_picture_goes_on(run, monkeypatch):
    def broken(image, **_):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(live, "label", broken)
    one = run(Script(*(flat(k / 1000) for k in range(1000))))
    becomes(lambda: one.seen is not None)
    assert one.seen.guided is None
    assert one.seen.problem == "ZeroDivisionError: by zero"
    number = one.seen.number
    becomes(lambda: one.seen.number > number)  # and it tries again with the next
    assert one.wait(one.frame.number, SOON) is not None
    assert one.problem is None


# --- the end ---


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (InputError("the cable is out"), "the cable is out"),
        (KeyError("probe"), "the source stopped: KeyError: 'probe'"),
    ],
)
def test_a_source_that_fails_is_told_in_words(run, fault, told):
    one = run(Script(flat(0.5), fault))
    becomes(lambda: one.problem is not None)
    assert one.problem == told
    assert one.frame.number == 1


def test_a_picture_that_cannot_be_formed_is_told(run):
    one = run(Script(shot(n_samples=20)))
    becomes(lambda: one.problem is not None)
    assert one.problem == "channel data must reach deeper than 1.0 mm, got samples to 0.8 mm"


@pytest.mark.parametrize("state", ["running", "frozen", "labelling", "waiting"])
def test_stop_ends_all_threads(run, monkeypatch, state):
    slow = Slow(monkeypatch) if state == "labelling" else None
    one = run(Script(*[] if state == "waiting" else [picture()], forever=True))
    if state != "waiting":
        one.wait(0, SOON)
    if state == "frozen":
        one.freeze(True)
    if slow is not None:
        assert slow.asked.acquire(timeout=SOON)
        slow.let.release(1000)
    began = time.monotonic()
    one.stop()
    assert time.monotonic() - began < 5
    assert not [thread for thread in one._threads if thread.is_alive()]
    last = one.frame
    time.sleep(0.03)
    assert one.frame is last
    assert one.wait(10**9, SOON) is None  # whoever waits is let go


def test_whoever_waits_is_let_go_when_it_stops(run):
    one = run(Script())
    found = []
    waiting = threading.Thread(target=lambda: found.append(one.wait(0, SOON)))
    waiting.start()
    one.stop()
    waiting.join(5)
    assert found == [None]


def test_memory_does_not_grow_with_the_frames(run):
    given = []

    class Fresh(Script):
        def advance(self, commands, until):
            values = np.full((1, 24, 30), (len(given) % 100) / 100, np.float32)
            image = Image(
                values=values, quantity=Quantity.BRIGHTNESS, grid=PixelGrid(rows=24, columns=30, spacing=None)
            )
            given.append(weakref.ref(image.values))
            yield image

    source = Fresh()
    source.tick = 0.001
    one = run(source)
    one.wait(400, SOON)
    one.freeze(True)
    gc.collect()
    alive = sum(ref() is not None for ref in given)
    assert len(given) >= 400
    assert alive <= 8  # the newest, the one labelled, the one seen, and those on their way


def test_an_extent_is_that_of_the_grid():
    assert extent(picture(spacing=(1e-4, 2e-4))) == ((0.0, 0.0), (1e-4, 2e-4), "m")
    assert extent(picture(spacing=None)) == ((0.0, 0.0), (1.0, 1.0), "px")
    sector = PolarGrid(radius=np.array([0.01, 0.02]), azimuth=np.array([-0.1, 0.1]), apex=np.zeros(3))
    image = Image(values=np.zeros((1, 2, 2), np.float32), quantity=Quantity.B_MODE, grid=sector)
    with refused(InputError, "a live image needs a Grid or PixelGrid, got PolarGrid"):
        extent(image)


# --- commands ---


class Bounded(Script):
    """Obeys the probe within 45 mm; a control above 5 it cannot obey."""

    accepts = frozenset({"MoveProbe", "power"})

    def __init__(self, *pictures, **how):
        super().__init__(*pictures, **how)
        self.obeyed = []

    def nearest(self, command):
        if isinstance(command, SetControl):
            if command.value > 5:
                raise RangeError("power must lie in 0..5 W, got 9")
            return command
        x = command.pose.translation[0]
        return command if abs(x) <= 0.045 else replace(command, pose=held(at=(0.045 * np.sign(x), 0, 0)))

    def advance(self, commands, until):
        self.obeyed += commands
        yield from super().advance(commands, until)


def slid(x):
    return MoveProbe(pose=held(at=(x, 0.0, 0.0)), contact_force=2.0, time=0.0, given_by="a test")


def test_a_movement_past_the_edge_is_held_there_and_the_stream_goes_on(run):
    one = run(Bounded(flat(0.5), forever=True))
    assert one.command(slid(0.2)).pose.translation[0] == 0.045
    assert one.at_edge
    becomes(lambda: one.source.obeyed)
    one.wait(one.frame.number + 3, SOON)
    assert one.problem is None
    one.command(slid(0.01))
    assert not one.at_edge


def test_what_cannot_be_obeyed_is_refused_singly(run):
    one = run(Bounded(flat(0.5), forever=True))
    with refused(RangeError, "power must lie in 0..5 W, got 9"):
        one.set_control("power", 9.0)
    with refused(InputError, f"{one.source.name} does not obey Inject"):
        one.command(Inject(rate=0.0, agent="water", time=0.0, given_by="a test"))
    one.set_control("power", 4.0)
    becomes(lambda: one.source.obeyed)
    assert [command.value for command in one.source.obeyed] == [4.0]
    assert one.problem is None and one.wait(one.frame.number + 1, SOON) is not None


def test_commands_are_given_the_time_at_which_the_source_gets_them(run):
    one = run(Bounded(flat(0.5), forever=True))
    one.wait(3, SOON)
    one.command(slid(0.01))
    becomes(lambda: one.source.obeyed)
    one.stop()
    assert one.source.obeyed[0].time in one.source.until


def test_the_first_frame_that_obeys_an_input_and_no_other_tells_when_it_was_made(run):
    one, frames = Bounded(flat(0.5), forever=True), []
    live = run(one, before=lambda it: setattr(it, "witness", frames.append))
    live.wait(3, SOON)
    live.command(slid(0.01))
    for at in (1004.0, 1002.0, 1003.0):  # the earliest counts
        live.touched(at)
    becomes(lambda: any(getattr(frame, "asked", None) for frame in frames))
    live.wait(live.frame.number + 5, SOON)
    asked = [frame for frame in frames if isinstance(frame, Frame) and frame.asked is not None]
    assert {frame.asked for frame in asked} <= {1002.0, 1003.0, 1004.0}
    assert min(frame.asked for frame in asked) == 1002.0
    assert len(asked) <= 3
    assert asked[0].source_time > one.obeyed[0].time


def sliding(step):
    """Frames in which everything slides down by so many pixels from one to the next."""
    tall = painted(400, 120, nerve=(120, 60, 14), vessel=None, seed=3)
    return [picture(np.roll(tall, step * n, axis=0)[60:260]) for n in range(3)]


def frames_of(pictures):
    return [
        Frame(
            number=n + 1,
            pixels=np.zeros((1, 1), np.uint8),
            image=one,
            source_time=0.3 * n,
            made=100 + 0.3 * n,
        )
        for n, one in enumerate(pictures)
    ]


def seen_in(frame):
    one = Live(source=Script(flat(0.5)), procedure=procedure("UL03"))
    return one._seen(frame, one.procedure)


def test_outlines_are_carried_with_the_picture_and_believed_less_with_age():
    first, second, third = frames_of(sliding(4))
    seen = seen_in(first)
    near, far = live.carry(seen, second), live.carry(seen, third)
    (line, shift), *_ = near.shifts
    assert seen.guided.drawing.lines[line].role == "structure"
    assert shift[:2] == pytest.approx((4e-4, 0), abs=6e-5)
    assert dict(far.shifts)[line][0] == pytest.approx(8e-4, abs=6e-5)
    assert dict(far.shifts)[line][2] < shift[2] <= 1
    assert (near.of, near.number, far.number) == (1, 2, 3)


def test_a_jump_an_old_outline_and_another_grid_are_unknown():
    first, second, third = frames_of(sliding(4))
    seen = seen_in(first)
    jumped = replace(second, image=sliding(40)[1])
    assert {shift for _, shift in live.carry(seen, jumped).shifts} == {None}
    assert {shift for _, shift in live.carry(seen, replace(third, made=first.made + 5)).shifts} == {None}
    assert live.carry(seen, replace(second, image=flat(0.5))) is None
    assert live.carry(seen, first) is None
    assert live.carry(replace(seen, guided=None), second) is None


def test_what_is_carried_is_never_judged(run, monkeypatch):
    given, moving = [], iter(sliding(4))
    monkeypatch.setattr(live, "CARRIES", 0.01)
    monkeypatch.setattr(live, "RESTED", 0.3)

    class Held(Script):
        accepts = frozenset({"AdvanceNeedle"})

    one = run(Held(*list(moving) * 40, forever=True))
    monkeypatch.setattr(one.alarm, "judge", lambda guided, frame, now: given.append((guided, one.seen)))
    becomes(lambda: one.carried is not None and len(given) > 5)
    assert all(guided is None or guided is not one.carried for guided, _ in given)
    assert {type(guided).__name__ for guided, _ in given} <= {"Guided", "NoneType"}
    seen = one.carried.of
    assert any(guided is not None and shown.number == seen for guided, shown in given if shown is not None)


def test_a_source_that_is_too_slow_is_told_to_leave_out_density_and_every_frame_says_so(run, monkeypatch):
    monkeypatch.setattr(scheduling, "DROPS_AFTER", 0.02)

    class Slow(Script):
        accepts = frozenset({"map_coarse"})
        tick = 0.01

        def advance(self, commands, until):
            time.sleep(0.03)
            return super().advance(commands, until)

    one = run(Slow(flat(0.5), forever=True))
    becomes(lambda: one.frame is not None and one.frame.dropped)
    assert one.frame.dropped[0] == "map density"
    becomes(lambda: one.source.commands)
    told = one.source.commands[0]
    assert (told.name, told.value, told.given_by) == ("map_coarse", 1.0, "the scheduler")


@settings(max_examples=3, deadline=None)
@given(st.lists(probes | needles | others, max_size=30))
def test_no_sequence_of_legal_commands_stops_the_patient(commands):
    one = Live(source=SimulatedPatient(7, body=BODY), procedure=procedure("LL01"))
    one.start()
    try:
        for command in commands:
            with suppress(InputError):  # singly, to whoever gave it
                one.command(command)
        number = 0 if one.frame is None else one.frame.number
        assert one.wait(number + 3, SOON) is not None
        assert one.problem is None
    finally:
        one.stop()
