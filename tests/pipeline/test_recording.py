"""A live source is kept and lived again: the same frames and readings, at the times at which they arrived."""

import time
from dataclasses import replace

import numpy as np
import pytest

from insonate.core import (
    AdvanceNeedle,
    Drawn,
    Event,
    FormatError,
    Image,
    InjectionReading,
    InputError,
    NeedlePose,
    NeedleState,
    Pose,
    Source,
    StimulationReading,
    Stimulus,
)
from insonate.guidance.procedures import procedure
from insonate.pipeline import chain, live
from insonate.pipeline.live import Frame, Live, extent
from insonate.pipeline.recording import PAUSE, Recorded, event_of, noun_of
from insonate.record.timeline import Log, Recorder, scan
from insonate.simulation.patient import SimulatedPatient
from pipeline.fakes import LABELLER, picture
from pipeline.test_readings import needle, pose
from refusals import refused
from simulation.analytic_body import AnalyticBody
from simulation.scripts import inject, needle_to, probe

ANSWER = StimulationReading(
    stimulus=Stimulus(current=5e-4, pulse_width=1e-4, rate=2.0),
    delivered=4e-4,
    muscle="quadriceps",
    grade=1,
    impedance=9e3,
    time=0.5,
)
PRESSED = InjectionReading(rate=1e-7, volume=1e-6, pressure=2e4, time=0.5)


def frame(number=3, spacing=(1e-4, 2e-4), source_time=0.5):
    image = picture(spacing=spacing)
    pixels = (np.arange(image.values[0].size) % 251).astype(np.uint8).reshape(image.grid.shape)
    return Frame(number=number, pixels=pixels, image=image, source_time=source_time, made=1.0)


def back(noun, shift=0.0):
    kind, content, data = event_of(noun)
    return noun_of(Event(sequence=0, time=0.0, kind=kind, content=content, data=data), shift=shift)


@pytest.mark.parametrize("spacing", [(1e-4, 2e-4), None])
def test_a_frame_comes_back_as_it_was_drawn(spacing):
    one = frame(spacing=spacing)
    image = back(one, shift=2.0)
    assert isinstance(image, Image)
    np.testing.assert_array_equal(np.rint(255 * image.values[0]), one.pixels)
    assert extent(image) == extent(one.image)
    assert image.times[0] == 2.5


@pytest.mark.parametrize("noun", [ANSWER, PRESSED, replace(PRESSED, rate=-4e-7, drawn=Drawn.BLOOD)])
def test_readings_come_back(noun):
    assert back(noun) == noun


def test_poses_and_commands_come_back():
    assert back(pose(0.2)).translation.tolist() == pose(0.2).translation.tolist()
    seen = back(needle(0.1), shift=1.0)
    assert (seen.state, seen.time) == (NeedleState.TIP, 1.1)
    assert back(needle(0.1, NeedleState.LOST)).tip is None
    for command in (probe(), needle_to((0, 0, 0.02))[0], inject(0.1)):
        assert type(back(command)) is type(command)
    assert event_of("a word") is None


def test_content_that_is_none_of_its_kind_is_named():
    with pytest.raises(FormatError, match="event 4: no needle"):
        noun_of(Event(sequence=4, time=0.0, kind="needle", content={"state": "tip"}))


def kept(path, *events, **begin):
    log = Log(path)
    log.append(0.0, "begin", {"source": "a test", "simulated": True} | begin)
    for at, noun in events:
        kind, content, data = event_of(noun)
        log.append(at, kind, content, data)
    log.close(events[-1][0] if events else 0.0)
    return path


def test_what_came_late_is_late_again(tmp_path):
    path = kept(
        tmp_path / "one.insotime",
        (10.0, pose(0.5)),
        (10.01, frame(source_time=0.5)),
        (10.02, needle(0.45)),
        (10.5, pose(1.0)),
        (10.52, needle(0.95)),
    )
    source = Recorded(path)
    assert isinstance(source, Source) and source.simulated and source.name == "recording of a test"
    assert list(source.advance((), 9.9)) == []
    got = list(source.advance((), 10.6))
    assert [type(one) for one in got] == [Pose, Image, NeedlePose, Pose, NeedlePose]
    assert got[0].time == pytest.approx(10.0) and got[1].times[0] == pytest.approx(10.01)
    assert got[2].time == pytest.approx(10.01 - 0.05) and got[4].time == pytest.approx(10.45)


def test_at_its_end_it_begins_anew(tmp_path):
    path = kept(tmp_path / "one.insotime", (0.5, frame()), (1.0, frame(4)))
    times = [float(one.times[0]) for one in Recorded(path).advance((), 5.0)]
    assert times == pytest.approx([0.5, 1.0, 1.5 + PAUSE, 2.0 + PAUSE, 2.5 + 2 * PAUSE])


def test_what_is_damaged_is_left_out_and_a_beginning_that_is_gone_is_refused(tmp_path):
    path = kept(tmp_path / "one.insotime", (0.5, frame()), (1.0, frame(4)))
    good = path.read_bytes()
    spoiled = bytearray(good)
    spoiled[len(good) // 4] ^= 1
    path.write_bytes(spoiled)
    source = Recorded(path)
    assert len(source.report.damage) == 1
    assert len(list(source.advance((), 1.5))) == 1
    spoiled = bytearray(good)
    spoiled[30] ^= 1
    path.write_bytes(spoiled)
    with refused(
        FormatError, "one.insotime: the beginning of the recording is damaged: what it is of is not known"
    ):
        Recorded(path)
    with refused(InputError, "two.insotime: the recording holds no frame"):
        Recorded(kept(tmp_path / "two.insotime"))


def test_cues_are_those_that_were_recorded(tmp_path):
    log = Log(tmp_path / "one.insotime")
    log.append(0.0, "begin", {"source": "a test", "simulated": True})
    kind, content, data = event_of(frame())
    rows = [{"level": "caution", "message": "Hold."}]
    for at in range(1, 5):
        log.append(float(at), kind, content, data)
        if at == 2:
            log.append(2.5, "cues", {"cues": rows})
    log.append(4.5, "cues", {"cues": []})
    log.close(5.0)
    source, stood = Recorded(log.path), {}
    for until in (1.1, 2.6, 4.1, 4.6):
        list(source.advance((), until))
        stood[until] = list(source.cues)
    assert stood == {1.1: [], 2.6: rows, 4.1: rows, 4.6: []}


@pytest.mark.slow
def test_a_patient_is_recorded_and_lived_again(tmp_path, monkeypatch):
    monkeypatch.setattr(chain, "SEGMENTERS", LABELLER)
    monkeypatch.setattr(live, "RESTED", 0.01)
    recorder = Recorder(tmp_path / "one.insotime", {"source": "a patient", "simulated": True})
    drawn, told = {}, []

    def witness(noun):
        told.append((recorder.seconds, noun))
        if isinstance(noun, Frame):
            drawn[noun.number] = noun
        event = event_of(noun)
        if event is not None:
            recorder.add(*event)

    one = Live(source=SimulatedPatient(7, body=AnalyticBody()), procedure=procedure("LL01"), witness=witness)
    one.start()
    one.command(needle_to((0, 0, 0.02))[-1])
    end = time.monotonic() + 20
    while len(drawn) < 8 and time.monotonic() < end:
        time.sleep(0.01)
    one.stop()
    recorder.close()
    events = [event for event in scan(recorder.path) if isinstance(event, Event)]
    frames = [event for event in events if event.kind == "frame"]
    assert [event.content["number"] for event in frames] == list(drawn)
    for event in frames:
        assert event.data == drawn[event.content["number"]].pixels.tobytes()
    arrived = [at for at, noun in told if isinstance(noun, Frame)]
    np.testing.assert_allclose([event.time for event in frames], arrived, atol=0.05)
    assert any(isinstance(noun_of(event), AdvanceNeedle) for event in events if event.kind == "command")
    replayed = [
        i for i in Recorded(recorder.path).advance((), events[-1].time + 0.01) if isinstance(i, Image)
    ]
    assert len(replayed) == len(frames)
    np.testing.assert_array_equal(
        np.rint(255 * replayed[-1].values[0]),
        np.frombuffer(frames[-1].data, np.uint8).reshape(replayed[-1].grid.shape),
    )
