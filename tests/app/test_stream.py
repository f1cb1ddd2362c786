"""The stream over a real socket: numbered, newest first, losses counted alike at both ends, and never silent."""

import json
import socket
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image as Picture
from websockets.exceptions import ConnectionClosed

from app.serving import Frame, Steady, becomes, page, served, with_sources
from insonate.app import stream
from insonate.app.examination import Examination
from insonate.core import Inject, InputError, MoveProbe, Stimulate
from insonate.formats import insonate_hdf5
from insonate.pipeline import chain, live
from insonate.pipeline.appearance import CONTROLS
from pipeline.fakes import painted, shot
from simulation.motion.poses import held

A_WHILE = 0.5
"""Dozens of ticks of the source [s]."""


@pytest.fixture
def made(monkeypatch):
    """Sources that were made."""
    return with_sources(monkeypatch)


@pytest.fixture
def examination(made):
    one = Examination("UL03")
    one.show_patient()
    yield one
    one.stop()


@pytest.fixture
def port(examination):
    with served(examination) as one:
        yield one


# --- frames ---


def test_the_first_word_is_what_is_shown(port, examination):
    with page(port) as one:
        assert one.next() == examination.hello().model_dump()


def test_frames_are_numbered_newest_first_and_hold_what_the_source_gave(port):
    with page(port) as one:
        frames = [one.frame() for _ in range(20)]
    numbers = [frame.number for frame in frames]
    assert numbers == sorted(set(numbers))
    assert all(later.made >= earlier.made for earlier, later in pairwise(frames))
    for frame in frames:
        assert (frame.magic, frame.version, frame.flags) == (b"INSO", 1, 3)
        assert frame.pixels[0, 0] == 50 + (frame.number - 1) % 200  # the very picture of that number
        assert frame.source_time == pytest.approx(frame.number * Steady.tick)


def test_a_slow_page_is_sent_the_newest_and_both_ends_count_the_same_losses(port):
    with page(port) as one:
        for _ in range(12):
            frame = one.frame()
            assert frame.lost == one.lost
            time.sleep(0.05)
        assert one.lost > 0
        assert one.frames[-1].number - one.frames[0].number + 1 == len(one.frames) + one.lost
        status = one.message("status")
        assert status["lost"] == one.lost or status["lost"] == one.frames[-1].lost


def test_no_more_than_three_are_on_the_way(port):
    with page(port) as one:
        first = one.drained(3 * A_WHILE)
        assert len(first) == stream.WINDOW == 3
        one.say(type="ack", frame=first[0].number)
        assert len(one.drained(A_WHILE)) == 1
        for _ in range(3):  # said again, it opens no more
            one.say(type="ack", frame=one.last)
        later = one.drained(A_WHILE)
        assert len(later) == 3
        assert later[0].lost == one.lost - sum(b.number - a.number - 1 for a, b in pairwise(later))


def test_acknowledging_what_was_never_sent_opens_no_floodgate(port):
    with page(port) as one:
        for _ in range(100):
            one.say(type="ack", frame=10**9)
        assert len(one.drained(A_WHILE)) == stream.WINDOW


def test_two_pages_each_have_their_own_losses(port):
    with page(port) as quick, page(port) as slow:
        slow.next()
        quick.next()
        slow.drained(0.1)
        for _ in range(40):
            frame = quick.frame()
            assert frame.lost == quick.lost
        for _ in range(3):
            slow.say(type="ack", frame=slow.last)
        late = slow.drained(A_WHILE)
        assert late[-1].lost == slow.lost > quick.lost
        assert quick.message("status", lambda status: status["watching"] == 2)
    with page(port) as alone:
        assert alone.message("status", lambda status: status["watching"] == 1)


def test_a_page_that_comes_late_has_lost_nothing(port, examination):
    becomes(lambda: examination.live.frame is not None and examination.live.frame.number > 20)
    with page(port) as one:
        frame = one.frame()
        assert frame.number > 20
        assert frame.lost == 0


def test_the_status_tells_the_pace_of_the_source(port):
    with page(port) as one:
        one.message("status")
        status = one.message("status")
    assert 0.05 / Steady.tick < status["offered_hz"] <= 1.2 / Steady.tick
    assert status["problem"] is None


# --- what is asked for ---


def test_freeze_holds_until_it_is_let_go(port):
    with page(port) as one:
        one.frame()
        one.say(type="freeze", on=True)
        one.message("hello", lambda hello: hello["frozen"])
        for _ in range(3):  # what was on the way when it was asked for
            one.say(type="ack", frame=one.last)
        one.drained(A_WHILE)
        for _ in range(3):
            one.say(type="ack", frame=one.last)
        held = one.frames[-1]
        assert one.drained(2 * A_WHILE) == []
        one.say(type="freeze", on=False)
        one.message("hello", lambda hello: not hello["frozen"])
        following = one.frame()
        assert following.number > held.number
        assert one.frame().number > following.number


def test_gain_changes_the_pixels_of_a_held_picture(port):
    with page(port) as one:
        one.frame()
        one.say(type="freeze", on=True)
        one.message("hello", lambda hello: hello["frozen"])
        for _ in range(6):
            one.say(type="ack", frame=one.last)
        one.drained(A_WHILE)
        held = one.frames[-1]
        for _ in range(3):
            one.say(type="ack", frame=one.last)
        one.say(type="control", name="gain", value=6.0)
        shown = one.frame()
        assert (shown.number, shown.made, shown.source_time) == (held.number + 1, held.made, held.source_time)
        brighter = np.clip(held.pixels / 255.0 + 6 / 60, 0, 1)
        np.testing.assert_allclose(shown.pixels / 255.0, brighter, atol=1.5 / 255)
        if one.heard[-1]["type"] != "hello" or one.heard[-1]["controls"][0]["value"] != 6.0:
            one.message("hello", lambda hello: hello["controls"][0]["value"] == 6.0)


def test_depth_changes_the_extent_of_channel_data(port, tmp_path, examination):
    insonate_hdf5.write(tmp_path / "echoes.h5", shot(0.01, n_samples=1400))
    examination.show_file(tmp_path / "echoes.h5", "echoes.h5")
    with page(port) as one:
        one.message("hello", lambda said: "depth" in [control["name"] for control in said["controls"]])
        deep = one.frame()
        assert deep.flags == 2  # meters, and real
        one.say(type="control", name="depth", value=0.02)
        shallow = one.until(lambda said: isinstance(said, Frame) and said.rows * said.extent[2] < 0.03)
        assert shallow.extent[0] + shallow.rows * shallow.extent[2] == pytest.approx(0.02, abs=0.3e-3)
        assert deep.extent[0] + deep.rows * deep.extent[2] == pytest.approx(0.04, abs=0.3e-3)


def test_what_cannot_be_done_is_said_to_the_page_that_asked(port, examination):
    with page(port) as one, page(port) as other:
        asked = {
            "gain must lie in -30..30 dB, got 99": {"type": "control", "name": "gain", "value": 99},
            "control must be one of gain, dynamic_range, persistence, tgc_1 to tgc_8, power, got 'zoom'": {
                "type": "control",
                "name": "zoom",
                "value": 1,
            },
            "procedure must be one of BU01, LL01, LL10, MU01, UL01, UL03, UL06, got 'UL3' (did you mean UL03?)": {
                "type": "procedure",
                "id": "UL3",
            },
            "not a message of this page": {"type": "reboot"},
        }
        for answer, message in asked.items():
            one.say(**message)
            assert one.message("problem")["message"] == answer
        other.frame()
        assert not [said for said in other.heard if said["type"] == "problem"]
    assert examination.hello().procedure == "UL03"


def test_what_one_page_sets_the_other_is_told(port):
    with page(port) as one, page(port) as other:
        other.message("hello")
        one.say(type="procedure", id="LL01")
        other.message("hello", lambda hello: hello["procedure"] == "LL01")


# --- guidance ---


def test_guidance_tells_the_frame_it_was_made_from(port):
    with page(port) as one:
        said = one.message("guidance")
        assert said["procedure"] == "UL03"
        assert said["target"] is not None
        assert said["drawing"]["lines"]
        made_then = [frame for frame in one.frames if frame.number == said["frame"]]
        assert all(frame.made == said["made"] for frame in made_then)
        assert said["frame"] <= one.last + 1


def test_a_labeller_that_stalls_never_holds_up_the_picture(examination, monkeypatch):
    whole = chain.label

    def slow(image, **how):
        time.sleep(0.6)
        return whole(image, **how)

    monkeypatch.setattr(live, "label", slow)
    with served(examination) as port, page(port) as one:
        one.message("guidance", lambda said: said["frame"] > 1)
        said = one.message("guidance")
        newest = one.frames[-1]
        assert newest.made - said["made"] > 0.5  # the page can tell its age
        assert newest.number - said["frame"] > 10


def test_another_procedure_clears_what_was_said_before_anything_new_is(port):
    with page(port) as one:
        one.message("guidance")
        one.say(type="procedure", id="LL01")
        one.message("hello", lambda hello: hello["procedure"] == "LL01")
        following = one.message("guidance")
        assert following["procedure"] == "LL01"


def test_a_still_picture_is_confirmed_and_not_said_again(port, examination, tmp_path):
    Picture.fromarray((255 * painted()).astype(np.uint8)).save(tmp_path / "scan.png")
    examination.show_file(tmp_path / "scan.png", "scan.png")
    with page(port) as one:
        said = one.message("guidance")
        first, second = one.message("confirmed"), one.message("confirmed")
        assert said["frame"] < first["frame"] < second["frame"]
        assert said["made"] < first["made"] < second["made"]
        assert not [later for later in one.heard if later["type"] == "guidance"][1:]


def test_a_labeller_that_fails_is_told_as_nothing_known(examination, monkeypatch):
    def broken(image, **_):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(live, "label", broken)
    with served(examination) as port, page(port) as one:
        said = one.message("guidance", lambda said: said["drawing"] is None)
        assert (said["reason"], said["paths"], said["hazards"]) == ("ZeroDivisionError: by zero", [], [])
        one.frame()


# --- sources ---


def test_another_source_has_frames_numbered_anew_and_says_so_first(port, examination):
    with page(port) as one:
        one.until(lambda said: isinstance(said, Frame) and said.number > 60)
        examination.show_patient()
        one.message("hello", lambda hello: hello["stream"] == 2)
        assert one.frame().number < 60  # it does not wait for the numbers of before
        for _ in range(10):
            assert one.frame().lost == one.lost  # none between the two is counted


def test_a_page_that_comes_before_the_first_source_waits_for_it(made):
    examination = Examination("UL03")
    with served(examination) as port, page(port) as one:
        assert one.next()["source"] == "none"
        examination.show_patient()
        one.message("hello", lambda hello: hello["source"] == "steady")
        one.frame()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (InputError("the cable is out"), "the cable is out"),
        (KeyError("x"), "the source stopped: KeyError: 'x'"),
    ],
)
def test_a_source_that_breaks_is_told_to_every_page_at_once(port, made, fault, told):
    with page(port) as one, page(port) as other:
        one.frame()
        made[-1].fault = fault
        for each in (one, other):
            each.message("status", lambda status: status["problem"] == told)
        with page(port) as late:
            late.message("status", lambda status: status["problem"] == told)


def test_a_stream_that_breaks_ends_and_does_not_fall_silent(port, monkeypatch, caplog):
    def broken(*_):
        raise ZeroDivisionError("by zero")

    with page(port) as one:
        one.frame()
        monkeypatch.setattr(stream, "guidance", broken)
        monkeypatch.setattr(stream, "packed", broken)
        with pytest.raises(ConnectionClosed) as caught:
            while True:
                one.next()
        assert caught.value.rcvd.code == 1011
    assert "the stream to a page broke" in caplog.text
    monkeypatch.undo()
    with page(port) as again:
        assert again.next()["type"] == "hello"


def test_the_server_ends_though_a_page_is_open(made):
    examination = Examination("UL03")
    examination.show_patient()
    began = time.monotonic()
    with served(examination) as port:
        one = page(port)
        open_page = one.__enter__()
        open_page.frame()
        began = time.monotonic()
    assert time.monotonic() - began < 10
    with pytest.raises(ConnectionClosed):
        while True:
            open_page.next(5)
    one.__exit__(None, None, None)


# --- strangers' words ---


@pytest.fixture(scope="module")
def lasting():
    """One server and one page for many messages."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        with_sources(monkeypatch)
        examination = Examination("UL03")
        examination.show_patient()
        with served(examination) as port, page(port) as one:
            yield one, examination


MESSAGES = st.one_of(
    st.text(max_size=300),
    st.binary(max_size=300),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["ack", "control", "procedure", "freeze", "hello"])},
        optional={
            "frame": st.integers() | st.floats() | st.text(max_size=5),
            "name": st.sampled_from(["gain", "depth", "power", "dynamic_range"]) | st.text(max_size=50),
            "value": st.floats() | st.none() | st.text(max_size=5),
            "id": st.sampled_from(["UL03", "LL01"]) | st.text(max_size=20),
            "on": st.just(False) | st.none(),
        },
    ).map(json.dumps),
)


@given(st.lists(MESSAGES, max_size=8))
@example(["x" * 5000, b"\x00" * 5000, "[" * 4000, '{"type": "ack", "frame": ' + "9" * 4000 + "}"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_page_says_its_stream_goes_on(lasting, messages):
    one, examination = lasting
    for message in messages:
        one.socket.send(message)
    examination.set_procedure("UL03")
    before = one.last
    assert one.frame().number > before
    assert examination.live.problem is None
    assert set(examination.live.values) == set(CONTROLS)
    assert all(np.isfinite(value) for value in examination.live.values.values())


def test_a_message_without_end_ends_that_page_alone(port):
    with page(port) as other, page(port) as one:
        one.frame()
        with pytest.raises(ConnectionClosed) as caught:
            one.socket.send("x" * (1 << 20))
            while True:
                one.next()
        assert caught.value.rcvd.code == 1009
        for _ in range(5):
            other.frame()
    with page(port) as again:
        again.frame()


def test_pages_that_vanish_leave_nothing_behind(port):
    for _ in range(10):
        with page(port) as one:
            one.next()
            one.socket.socket.shutdown(socket.SHUT_RDWR)  # without a word
    with page(port) as last:
        last.message("status", lambda status: status["watching"] == 1)


# --- hands ---


class Body(Steady):
    """Obeys hands, and tells where its probe is."""

    accepts = frozenset({"MoveProbe", "AdvanceNeedle", "Inject", "Stimulate"})

    def __init__(self):
        super().__init__()
        self.pose = held()

    def advance(self, commands, until):
        for command in commands:
            if isinstance(command, MoveProbe):
                self.pose = command.pose
        yield replace(self.pose, time=until)
        yield from super().advance(commands, until)


@pytest.fixture
def body(monkeypatch):
    made = with_sources(monkeypatch, Body)
    one = Examination("UL03")
    one.show_patient()
    with served(one) as port:
        yield one, port, made


def test_two_viewers_cannot_fight_and_the_probe_is_handed_over(body):
    _, port, made = body
    with page(port) as first, page(port) as second:
        mine = first.message("hands")["you"]
        yours = second.message("hands")["you"]
        assert mine != yours
        first.say(type="probe", slide=0.001)
        assert first.message("hands", lambda said: said["probe"]["x"] > 0)["pilot"] == mine
        second.say(type="probe", slide=0.001)
        assert (
            second.message("problem")["message"] == f"Viewer {mine} holds the probe. Ask for it to take over."
        )
        second.say(type="pilot", give=False)
        assert first.message("hands", lambda said: said["asking"] == yours)["pilot"] == mine
        first.say(type="pilot", give=True)
        assert second.message("hands", lambda said: said["pilot"] == yours)["asking"] is None
        second.say(type="probe", slide=0.002)
        becomes(lambda: abs(made[-1].pose.translation[0] - 0.003) < 1e-9)


def test_a_pilot_whose_page_goes_leaves_all_off(body):
    _, port, made = body
    with page(port) as gone:
        gone.message("hands")
        gone.say(type="needle", advance=0.01)
        gone.say(type="stimulate", on=True, current=0.0005)
        gone.say(type="inject", on=True)
        becomes(lambda: any(isinstance(one, Inject) and one.rate > 0 for one in made[-1].commands))
    becomes(lambda: isinstance(made[-1].commands[-1], Stimulate) and made[-1].commands[-1].stimulus is None)
    assert [one.rate for one in made[-1].commands if isinstance(one, Inject)][-1] == 0
    with page(port) as other:
        assert other.message("hands")["pilot"] is None


def test_a_source_that_obeys_no_hands_says_so(examination, port):
    with page(port) as viewer:
        assert viewer.message("hello")["hands"] is False
        viewer.say(type="probe", slide=0.001)
        assert (
            viewer.message("problem")["message"]
            == "What is shown cannot be moved: it is no simulated patient."
        )


@pytest.mark.parametrize(
    "said",
    [
        {"type": "probe", "slide": 5.0},
        {"type": "probe", "slide": "far"},
        {"type": "needle", "advance": 1e9},
        {"type": "needle", "depth": 0.1},
        {"type": "inject"},
        {"type": "stimulate", "on": True, "current": "high"},
        {"type": "pilot", "give": 3},
    ],
)
def test_what_no_hand_could_do_is_no_message(body, said):
    _, port, made = body
    with page(port) as viewer:
        viewer.say(**said)
        assert viewer.message("problem")["message"] == "not a message of this page"
        viewer.frame()
    assert [one.given_by for one in made[-1].commands] in (
        [],
        ["the machine"],
    )  # which holds the needle outside
