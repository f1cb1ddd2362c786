"""What is shown, and what is said of it: one source at a time, replaced whole, and nothing unknown said to be known."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Picture

from app.serving import becomes, with_sources
from insonate import __version__
from insonate.app import examination as module
from insonate.app.examination import MOST_SIDE, Examination, guidance
from insonate.core import FormatError, InputError, RangeError, UnknownNameError
from insonate.formats import insonate_hdf5
from insonate.guidance.procedures import procedure, procedures
from insonate.pipeline import chain
from insonate.pipeline.appearance import CONTROLS, SHOWN
from insonate.pipeline.chain import guide
from insonate.pipeline.live import Frame, Seen
from insonate.pipeline.recording import event_of
from insonate.record.timeline import Log
from pipeline.fakes import LABELLER, painted, picture, shot
from refusals import refused


@pytest.fixture(autouse=True)
def made(monkeypatch):
    """Sources that were made."""
    return with_sources(monkeypatch)


@pytest.fixture
def examination():
    one = Examination("UL03")
    yield one
    one.stop()


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "upload.png"
    Picture.fromarray((255 * painted()).astype(np.uint8)).save(path)
    return path


# --- what is shown ---


def test_before_anything_is_shown_it_says_so(examination):
    said = examination.hello()
    assert (said.source, said.stream, said.simulated, said.frozen) == ("none", 0, False, False)
    assert said.controls == []
    assert said.spacing_known is True  # nothing is shown whose spacing could be unknown
    assert examination.shown()[0] is None


def test_it_begins_with_a_procedure_and_refuses_an_unknown_one(examination):
    assert examination.hello().procedure == "UL03"
    assert Examination().hello().procedure == module.FIRST_PROCEDURE
    with pytest.raises(UnknownNameError, match="did you mean UL03"):
        Examination("UL3")


def test_hello_names_everything_that_can_be_chosen(examination):
    examination.show_patient()
    said = examination.hello()
    assert said.software == f"insonate {__version__}"
    assert (said.version, said.stream, said.source, said.simulated) == (1, 1, "steady", True)
    assert [one.id for one in said.procedures] == [one.id for one in procedures()]
    assert {one.review for one in said.procedures} == {"not reviewed by a clinician"}
    assert [(one.name, one.value, one.low, one.high, one.unit) for one in said.controls] == [
        (name, first, low, high, unit)
        for name, (low, high, first, unit) in CONTROLS.items()
        if name in SHOWN  # pictures are not beamformed
    ]


def test_a_source_is_replaced_whole_and_the_old_one_ends(examination):
    examination.show_patient()
    first = examination.live
    revision = examination.revision
    examination.show_patient()
    assert examination.live is not first
    assert examination.hello().stream == 2
    assert examination.revision > revision
    assert not any(thread.is_alive() for thread in first._threads)


def test_a_file_is_shown_under_its_own_name_and_is_real(examination, scan):
    examination.show_file(scan, "my scan.png")
    said = examination.hello()
    assert (said.source, said.simulated) == ("my scan.png", False)
    assert (said.spacing_known, said.spacing_can_be_supplied) == (False, True)
    assert examination.live.wait(0, 20).pixels.shape == (240, 300)


def test_a_file_is_shown_with_the_spacing_given(examination, scan):
    examination.show_file(scan, "scan.png", (1e-4, 2e-4))
    assert examination.hello().spacing_known is True
    assert examination.live.wait(0, 20).image.grid.spacing == (1e-4, 2e-4)


def test_channel_data_are_shown_beamformed(examination, tmp_path):
    insonate_hdf5.write(tmp_path / "echoes.h5", shot())
    examination.show_file(tmp_path / "echoes.h5", "echoes.h5")
    assert examination.live.wait(0, 20).image.grid.unit == "m"
    assert "depth" in [one.name for one in examination.hello().controls]
    assert examination.hello().spacing_can_be_supplied is False


@pytest.mark.parametrize("name", ["words.png", "gone.png"])
def test_a_file_that_cannot_be_read_leaves_what_is_shown(examination, scan, tmp_path, name):
    examination.show_file(scan, "scan.png")
    (tmp_path / "words.png").write_text("words")
    before = examination.live
    with pytest.raises(FormatError):
        examination.show_file(tmp_path / name, name)
    with pytest.raises(InputError):
        examination.show_file(scan, "other.png", (5.0, 5.0))
    assert examination.live is before
    assert examination.hello().source == "scan.png"
    assert (
        examination.live.wait(examination.live.frame.number if examination.live.frame else 0, 20) is not None
    )
    examination.supply_depth(0.048)
    assert examination.hello().source == "scan.png"  # not the name of what was refused


def test_a_picture_larger_than_any_screen_is_refused(examination, tmp_path):
    examination.show_patient()
    tall = np.random.default_rng(0).integers(0, 255, (MOST_SIDE + 1, 20)).astype(np.uint8)
    Picture.fromarray(tall).save(tmp_path / "tall.png")
    with refused(InputError, "a picture may have at most 8192 pixels a side, got 8193 x 20"):
        examination.show_file(tmp_path / "tall.png", "tall.png")
    assert examination.hello().source == "steady"


def test_a_depth_gives_the_spacing_of_the_picture_shown(examination, scan):
    examination.show_file(scan, "scan.png")
    examination.supply_depth(0.048)
    said = examination.hello()
    assert (said.source, said.spacing_known, said.spacing_can_be_supplied, said.stream) == (
        "scan.png",
        True,
        False,
        2,
    )
    assert examination.live.wait(0, 20).image.grid.spacing == pytest.approx((2e-4, 2e-4))


def test_a_depth_is_refused_where_it_makes_no_sense(examination, scan):
    message = "a depth can only be supplied for a picture or clip of unknown spacing"
    with refused(InputError, message):
        examination.supply_depth(0.04)
    examination.show_patient()
    with refused(InputError, message):
        examination.supply_depth(0.04)
    examination.show_file(scan, "scan.png", (1e-4, 1e-4))
    message = "spacing can only be supplied where it is unknown, the file itself says 0.1 x 0.1 mm"
    with refused(InputError, message):
        examination.supply_depth(0.04)


# --- what is asked for ---


def test_controls_and_freeze_reach_the_source_and_are_told_to_all(examination):
    examination.set_control("gain", 3.0)  # nothing is shown: nothing to turn
    examination.freeze(True)
    examination.show_patient()
    revision = examination.revision
    examination.set_control("gain", 3.0)
    examination.freeze(True)
    assert examination.revision == revision + 2
    assert examination.hello().frozen is True
    assert {one.name: one.value for one in examination.hello().controls}["gain"] == 3.0
    with refused(RangeError, "gain must lie in -30..30 dB, got 99"):
        examination.set_control("gain", 99.0)
    assert examination.revision == revision + 2


def test_an_unknown_procedure_changes_nothing(examination):
    examination.show_patient()
    revision = examination.revision
    with pytest.raises(UnknownNameError):
        examination.set_procedure("XX99")
    assert (examination.hello().procedure, examination.revision) == ("UL03", revision)


def test_a_procedure_chosen_while_a_file_is_read_is_the_one_that_is_planned(examination, scan, monkeypatch):
    reading, go_on = threading.Event(), threading.Event()

    class Held(module.Live):
        def __init__(self, **fields):
            super().__init__(**fields)
            reading.set()
            go_on.wait(20)

    monkeypatch.setattr(module, "Live", Held)  # made with the procedure of before, and not in place yet
    showing = threading.Thread(target=examination.show_file, args=(scan, "scan.png"))
    showing.start()
    assert reading.wait(20)
    examination.set_procedure("LL01")
    go_on.set()
    showing.join(20)
    becomes(lambda: examination.live.seen is not None)
    assert examination.live.seen.guided.plan.procedure == examination.hello().procedure == "LL01"


def test_no_change_is_missed_by_whoever_watches(examination):
    """Many change it at once: each change is told, so the last word is of the last state."""
    examination.show_patient()
    before = examination.revision

    def turn():
        for _ in range(300):
            examination.tell()

    threads = [threading.Thread(target=turn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert examination.revision == before + 1200


def test_what_is_shown_and_what_is_said_of_it_are_of_one_moment(examination):
    stop = time.monotonic() + 0.5
    replacing = threading.Thread(target=lambda: [examination.show_patient() for _ in range(12)])
    replacing.start()
    lives = {}
    while replacing.is_alive() or time.monotonic() < stop:
        live, said = examination.shown()
        assert lives.setdefault(said.stream, live) is live
        time.sleep(0.001)
    replacing.join()
    assert examination.hello().stream == 12


# --- guidance in words ---


@pytest.fixture
def guided(monkeypatch):
    """Make guidance of a painted picture."""
    monkeypatch.setattr(chain, "SEGMENTERS", LABELLER)

    def go(id="UL03", **painting):
        spacing = painting.pop("spacing", (1e-4, 1e-4))
        made = guide(picture(painted(**painting), spacing=spacing), procedure(id))
        return made, guidance(Seen(number=41, made=1234.5, guided=made))

    return go


def test_guidance_carries_the_number_and_time_of_its_frame(guided):
    made, said = guided()
    assert (said.frame, said.made, said.procedure) == (41, 1234.5, "UL03")
    assert said.target == made.scene.segmentation.structures[made.plan.target - 1].name
    assert said.reason == made.plan.reason
    assert said.drawing == made.drawing.to_json()


def test_every_hazard_is_told_and_the_unknown_ones_as_unknown(guided):
    made, said = guided()
    assert [row.structure for row in said.hazards] == [one.structure for one in made.plan.hazards]
    for row, hazard in zip(said.hazards, made.plan.hazards, strict=True):
        assert row.known is hazard.known
        assert row.margin_mm == pytest.approx(1e3 * hazard.margin, abs=0.05)
        if not row.known:
            assert (row.clearance, row.interval_mm) == ("unknown", None)
            assert row.keeps_margin is not True
    assert any(not row.known for row in said.hazards)


def test_a_known_clearance_is_told_in_millimeters_with_its_interval(guided):
    made, said = guided()
    rows = [row for row in said.hazards if row.known]
    assert rows
    for row in rows:
        (clearance,) = [one for one in made.plan.paths[0].clearances if one.structure == row.structure]
        expected = [1e3 * value for value in (clearance.distance, *clearance.interval)]
        assert row.interval_mm == pytest.approx(expected, abs=0.006)
        assert row.keeps_margin is clearance.keeps_margin


def test_an_unknown_hazard_is_unknown_whatever_a_path_says_of_it(guided):
    made, _ = guided()
    unseen = tuple(replace(hazard, label=None) for hazard in made.plan.hazards)
    assert any(one.distance is not None for one in made.plan.paths[0].clearances)
    for paths in (made.plan.paths, ()):  # with a distance at hand, and without any path
        plan = replace(made.plan, hazards=unseen, paths=paths)
        said = guidance(Seen(number=1, made=1.0, guided=replace(made, plan=plan)))
        assert {row.clearance for row in said.hazards} == {"unknown"}
        assert {row.interval_mm for row in said.hazards} == {None}
        assert {row.known for row in said.hazards} == {False}


def test_without_spacing_no_millimeters_are_told(guided):
    _, said = guided(spacing=None)
    assert all(row.interval_mm is None for row in said.hazards)
    assert all(path.length.endswith(" px") for path in said.paths)
    assert all(path.keeps_margins is not True for path in said.paths)
    assert said.drawing["unit"] == "px"


def test_paths_are_told_in_degrees_and_best_first(guided):
    made, said = guided()
    assert [path.rank for path in said.paths] == list(range(1, len(made.plan.paths) + 1))
    assert said.paths[0].angle_deg == pytest.approx(np.degrees(made.plan.paths[0].angle), abs=0.5)
    assert said.paths[0].length == f"{1e3 * made.plan.paths[0].length:.1f} mm"
    assert said.paths[0].unknown == list(made.plan.paths[0].unknown)


def test_the_next_step_without_a_target_is_to_look_for_it(guided):
    _, said = guided(nerve=None)
    assert said.target is None
    assert said.paths == []
    assert said.next_step.startswith("Move the probe until the ")
    assert said.next_step.endswith(" is in view.")


def test_the_next_step_over_something_unknown_is_to_look_for_it(guided):
    made, said = guided()
    assert made.plan.unknown
    assert said.next_step == f"Look for the {made.plan.unknown[0]}: it is unknown where it lies."


def test_a_labeller_that_failed_is_told_as_nothing_known():
    said = guidance(Seen(number=3, made=7.0, guided=None, problem="ZeroDivisionError: by zero"))
    assert (said.frame, said.made, said.procedure, said.target) == (3, 7.0, "", None)
    assert (said.hazards, said.paths, said.drawing) == ([], [], None)
    assert said.reason == "ZeroDivisionError: by zero"
    assert said.next_step == "Structures unknown: labelling failed."


def test_no_words_promise_safety(guided):
    _, said = guided()
    words = said.model_dump_json().lower()
    assert not any(word in words for word in ('"safe', " safe", "is clear", '"clear"'))


def test_a_recording_says_the_cues_that_stood_when_it_was_made(examination, tmp_path):
    row = {
        "level": "caution",
        "about": "femoral nerve",
        "rule": "clearance",
        "message": "Hold. Too near to the femoral nerve.",
        "reason": "1.6 mm to femoral nerve (0.9-2.3), margin 2.0 mm",
        "acknowledged_by": None,
        "do": None,
    }
    log = Log(tmp_path / "one.insotime")
    log.append(0.0, "begin", {"source": "a test", "simulated": True})
    shown = Frame(
        number=1,
        pixels=np.zeros((8, 9), np.uint8),
        image=picture(painted()[:8, :9]),
        source_time=0.0,
        made=0.0,
    )
    kind, content, data = event_of(shown)
    log.append(0.1, kind, content, data)
    log.append(0.1, "cues", {"cues": [row]})
    for at in (30.0, 60.0):
        log.append(at, kind, content, data)
    log.close(60.0)
    assert examination.cues() is None
    examination.show_file(log.path, "one")
    becomes(lambda: examination.cues() is not None and examination.cues().cues)
    assert examination.cues().cues[0].model_dump() == row
    assert examination.cockpit is None and examination.hello().simulated
