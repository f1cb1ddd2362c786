"""Color over a live picture: asked of the source, seen beside the picture, and gone as soon as it is not true any more."""

import time
from dataclasses import replace

import numpy as np
import pytest

from insonate.core import ChannelData, Event, InputError, RangeError, SetControl
from insonate.guidance.procedures import procedure
from insonate.pipeline import chain, live
from insonate.pipeline.flow import CONTROL, SHOTS, UNKNOWN, ColorBox, Flow, flow_of
from insonate.pipeline.live import Live
from insonate.pipeline.recording import Recorded, event_of, noun_of
from insonate.record.timeline import Log
from insonate.simulation.course import CONTROLS, Settings
from insonate.simulation.patient import SimulatedPatient
from pipeline.fakes import LABELLER, Script, picture
from simulation.analytic_body import AnalyticBody
from simulation.scripts import probe

BODY = AnalyticBody()
SETTINGS = Settings(angles=(0.0,), truth_step=2e-4)
BOX = ColorBox(left=-0.006, right=0.006, top=0.012, bottom=0.024, rate=8e3, steering=0.35)
ALONG = probe(force=0.5, turn=np.pi / 2, at=(4e-3, 0, 0))
"""The plane along the artery."""
SOON = 40.0


def flow(**changed):
    velocities = np.full((4, 5), UNKNOWN, np.int8)
    velocities[1, 2] = -64
    given = {"nyquist": 0.1, "origin": (0.01, -0.002), "step": (2e-4, 3e-4), "time": 1.5}
    return Flow(**({"velocities": velocities} | given | changed))


def becomes(condition):
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(chain, "SEGMENTERS", LABELLER)
    monkeypatch.setattr(live, "RESTED", 0.01)
    running = []

    def go(source):
        running.append(Live(source=source, procedure=procedure("LL01")))
        return running[-1].start()

    yield go
    for one in running:
        one.stop()


def test_every_control_of_a_box_is_one_of_the_patient_within_its_range():
    told = BOX.commands(given_by="a test")
    assert {one.name for one in told} == set(CONTROLS) & {
        name
        for name in CONTROLS
        if name.startswith("color_") and name not in ("color_moving_tissue", "color_every")
    }
    assert (told[-1].name, told[-1].value) == (CONTROL, SHOTS)  # once all else is set
    for one in told:
        low, high = CONTROLS[one.name]
        assert low <= one.value <= high


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"left": -30.0}, "millimeters"),
        ({"rate": 4.0}, "kHz"),
        ({"steering": 10.0}, "degrees"),
        ({"left": 0.008}, "at least 3 mm wide"),
        ({"top": 0.029}, "at least 3 mm deep"),
    ],
)
def test_a_box_that_is_none_is_refused_in_words(changed, said):
    with pytest.raises((RangeError, InputError), match=said):
        ColorBox(**changed)


def ensemble_at_the_top_of_the_pulse():
    commands = [
        ALONG,
        SetControl(name="ticks_per_frame", value=20, time=0.0, given_by="a test"),
        *BOX.commands(given_by="a test"),
    ]
    patient = SimulatedPatient(7, SETTINGS, body=BODY)
    seen = [o for o in patient.advance(commands, 0.15) if isinstance(o, ChannelData) and o.is_ensemble]
    return seen[-1]


def test_an_artery_has_the_color_of_its_direction_and_what_stands_still_none():
    ensemble = ensemble_at_the_top_of_the_pulse()
    assert ensemble.n_frames == SHOTS
    seen = flow_of(ensemble, BOX)
    grid = BOX.grid()
    assert seen.velocities.shape == grid.shape
    assert seen.origin == grid.origin
    assert seen.time == pytest.approx(0.1)
    known = seen.velocities != UNKNOWN
    depth = grid.axial[:, None] + 0 * grid.lateral
    middle = (np.abs(depth - 0.018) < 2e-3) & (np.abs(grid.lateral) < 4e-3)
    assert known[middle].mean() > 0.9
    assert known[depth < 0.0128].mean() < 0.02
    # it flows away from where the wave comes from: away from the probe
    assert (
        np.sign(seen.velocities[middle & known]) == np.sign(np.median(seen.velocities[middle & known]))
    ).mean() > 0.98


def test_what_is_no_ensemble_is_refused():
    patient = SimulatedPatient(7, SETTINGS, body=BODY)
    (shown, *_) = [o for o in patient.advance([ALONG], 0.05) if isinstance(o, ChannelData)]
    with pytest.raises(InputError, match="shots of an ensemble"):
        flow_of(shown, BOX)


def test_flow_is_seen_beside_the_picture_and_is_gone_when_it_is_not_true_any_more(run):
    told = []
    one = Live(source=SimulatedPatient(7, SETTINGS, body=BODY), procedure=procedure("LL01"))
    one.witness = told.append
    one.start()
    try:
        assert one.colors
        assert one.flow is None
        one.command(ALONG)
        one.set_color(BOX, "a test")
        becomes(lambda: one.flow is not None and (one.flow.velocities != UNKNOWN).any())
        first = one.flow
        becomes(lambda: one.flow is not first)
        assert abs(one.flow.time - one.frame.source_time) < 1
        assert any(isinstance(noun, Flow) for noun in told)
        numbers = one.frame.number
        becomes(lambda: one.frame.number > numbers + 3)  # pictures go on
        one.freeze(True)
        time.sleep(0.3)
        held = one.flow
        time.sleep(0.3)
        assert one.flow is held
        slower = ColorBox(left=BOX.left, right=BOX.right, top=BOX.top, bottom=BOX.bottom, rate=4e3)
        one.set_color(slower, "a test")
        assert one.flow is None  # its colors would be read on another scale
        one.freeze(False)
        becomes(lambda: one.flow is not None)
        assert one.flow.nyquist == pytest.approx(held.nyquist / 2, rel=0.03)
        one.set_color(None, "a test")
        assert one.flow is None
        time.sleep(0.4)
        assert one.flow is None
    finally:
        one.stop()


def test_a_box_dragged_while_the_picture_is_held_pushes_no_command_of_a_hand_away(run):
    one = run(SimulatedPatient(7, SETTINGS, body=BODY))
    becomes(lambda: one.frame is not None)
    told = []
    one.witness = told.append
    one.freeze(True)
    time.sleep(0.3)
    one.command(SetControl(name="ticks_per_frame", value=3, time=0.0, given_by="a test"))
    for step in range(60):
        one.set_color(replace(BOX, bottom=0.024 + 1e-4 * step), "a test")
    one.freeze(False)
    becomes(lambda: one.flow is not None)
    controls = [noun for noun in told if isinstance(noun, SetControl)]
    assert ("ticks_per_frame", 3) in [(noun.name, noun.value) for noun in controls]
    assert [noun.value for noun in controls if noun.name == "color_bottom"] == [pytest.approx(0.0299)]


def test_flow_of_another_box_or_of_a_held_picture_is_not_put_in_place():
    one = Live(source=SimulatedPatient(7, SETTINGS, body=BODY), procedure=procedure("LL01"))
    one.color = BOX
    one._place_flow(flow(), replace(BOX, rate=4e3))
    assert one.flow is None
    one.frozen = True
    one._place_flow(flow(), BOX)
    assert one.flow is None
    one.frozen = False
    one._place_flow(flow(), BOX)
    assert one.flow is not None


def test_a_source_that_gives_no_shots_refuses_color(run):
    one = run(Script(picture(), forever=True))
    assert not one.colors
    with pytest.raises(InputError, match="no shots in which flow"):
        one.set_color(BOX, "a test")


def test_flow_is_kept_and_comes_back(tmp_path, run):
    one = flow()
    kind, content, data = event_of(one)
    again = noun_of(Event(sequence=0, time=0.0, kind=kind, content=content, data=data), shift=2.0)
    np.testing.assert_array_equal(again.velocities, one.velocities)
    assert (again.nyquist, again.origin, again.step, again.time) == (0.1, one.origin, one.step, 3.5)
    log = Log(tmp_path / "a.insrec")
    log.append(0.0, "begin", {"source": "a test", "simulated": True, "procedure": "LL01"})
    frame = {
        "number": 1,
        "shape": [6, 8],
        "origin": [0, 0],
        "step": [1e-4, 1e-4],
        "unit": "m",
        "kind": "grid",
    }
    for at in (0.1, 0.2, 0.3):
        log.append(at, "frame", frame | {"source_time": at, "made": at}, bytes(48))
        log.append(at, kind, content, data)
    log.close(0.5)
    replayed = run(Recorded(tmp_path / "a.insrec"))
    becomes(lambda: replayed.flow is not None)
    np.testing.assert_array_equal(replayed.flow.velocities, one.velocities)
    assert not replayed.colors
