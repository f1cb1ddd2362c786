import json

import numpy as np
import pytest

from insonate.core import OutputError, RangeError, UnknownNameError
from insonate.formats import insonate_hdf5, truth, video
from insonate.pipeline.commands import commanded, plain
from insonate.pipeline.fitting_data import simulate_examination
from insonate.simulation.answer import replay
from insonate.simulation.course import Settings
from insonate.simulation.patient import SimulatedPatient
from refusals import refused
from simulation.analytic_body import AnalyticBody
from simulation.scripts import block

BODY = AnalyticBody()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("examination") / "out"
    result = simulate_examination("a test", out, seed=3, seconds=1.0, body=BODY)
    return out, result


def test_all_files_are_there_and_say_that_they_are_simulated(made):
    out, result = made
    names = ["channel_data.h5", "examination.json", "images.h5", "preview.mp4", "truth.h5"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert "SIMULATED a test, seed 3, expert: 20 waves, 4 images with truth" in result.sentence
    told = json.loads((out / "examination.json").read_text())
    assert told["simulated"] is True and told["target"] == "femoral nerve"


def test_channel_data_images_and_truth_are_of_the_same_times(made):
    out, _ = made
    (data,), (image,) = insonate_hdf5.read(out / "channel_data.h5"), insonate_hdf5.read(out / "images.h5")
    truths = truth.read(out / "truth.h5")
    assert data.samples.shape[:3] == (4, 5, 128)
    np.testing.assert_allclose(data.times.ravel(), np.arange(20) * 0.05, atol=1e-12)
    np.testing.assert_allclose(image.times, data.times[:, 0])
    np.testing.assert_allclose([one.time for one in truths], image.times, atol=1e-12)
    assert image.poses[0].time == 0 and len(image.poses) == 4
    assert image.provenance[0].name == "simulate patient"


def test_the_channel_data_are_those_of_the_patient_under_the_commands_told(made):
    out, _ = made
    (data,) = insonate_hdf5.read(out / "channel_data.h5")
    told = json.loads((out / "examination.json").read_text())
    commands = commanded(told["commands"])
    frames = [f for f in SimulatedPatient(3, body=BODY).advance(commands, 1.0) if hasattr(f, "samples")]
    np.testing.assert_array_equal(data.samples[3, 4], frames[19].samples[0, 0])


def test_the_truth_is_the_answer_to_the_commands_told(made):
    out, _ = made
    told = json.loads((out / "examination.json").read_text())
    again = list(replay(3, Settings(), commanded(told["commands"]), 1.0, body=BODY, every=5))
    np.testing.assert_array_equal(again[-1].labels, truth.read(out / "truth.h5")[-1].labels)


def test_the_preview_shows_every_wave(made):
    out, _ = made
    (clip,) = video.read(out / "preview.mp4")
    (image,) = insonate_hdf5.read(out / "images.h5")
    assert clip.values.shape[0] == 20
    np.testing.assert_allclose(clip.times, np.arange(20) * 0.05, atol=2e-3)
    shown = np.clip(1 + image.values[2] / 60, 0, 1)
    rows, columns = clip.values.shape[1:]
    likeness = np.corrcoef(clip.values[10].ravel(), shown[:rows, :columns].ravel())[0, 1]
    assert likeness > 0.9  # a lossy codec


def test_commands_come_back_from_plain_values():
    given = block()
    back = commanded(json.loads(json.dumps([plain(one) for one in given])))
    assert [plain(one) for one in back] == [plain(one) for one in given]
    with refused(
        UnknownNameError,
        "a command must be one of SetControl, MoveProbe, MoveBody, AdvanceNeedle, Inject, Stimulate, got 'Operate'",
    ):
        commanded([{"kind": "Operate"}])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"seconds": 0.1}, RangeError, "--seconds must lie in 0.5..120 s, got 0.1"),
        ({"seconds": 1e4}, RangeError, "--seconds must lie in 0.5..120 s, got 10000"),
        ({"operator": "robot"}, UnknownNameError, "operator must be one of expert, novice, got 'robot'"),
        ({"seed": -1}, RangeError, "seed must lie in 0..4294967295, got -1"),
    ],
)
def test_what_cannot_be_simulated_is_refused_and_leaves_nothing(tmp_path, changes, error, message):
    with refused(error, message):
        simulate_examination("a test", tmp_path / "out", **{"body": BODY} | changes)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing(tmp_path):
    def stop(done, of, what):
        if what == "simulating" and done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_examination("a test", tmp_path / "out", seconds=1.0, body=BODY, report=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        simulate_examination("a test", tmp_path / "file" / "out", seconds=1.0, body=BODY)
