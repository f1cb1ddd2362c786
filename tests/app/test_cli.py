"""The command line: results on standard output, everything else on standard error, exit codes as documented."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image as Picture

from insonate import __version__
from insonate.app.cli import BAD_INPUT, FAULT, NOT_WRITTEN, OK, main
from insonate.formats import insonate_hdf5
from insonate.record.timeline import Log
from pipeline.fakes import painted, picture


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process: (exit code, standard output, standard error)."""

    def go(*words):
        monkeypatch.setattr(sys, "argv", ["insonate", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        shown = capsys.readouterr()
        return left.value.code, shown.out, shown.err

    return go


@pytest.fixture
def still(tmp_path):
    """A grey picture of nothing in particular."""
    rng = np.random.default_rng(5)
    smooth = np.kron(rng.random((20, 24)), np.ones((12, 12)))
    path = tmp_path / "still.png"
    Picture.fromarray((255 * smooth).astype(np.uint8)).save(path)
    return path


def test_version(run):
    assert run("--version") == (OK, f"insonate {__version__}\n", "")


def test_help_names_every_command(run):
    code, out, _ = run("--help")
    assert code == OK
    for command in ("info", "image", "label", "guide", "procedures", "serve", "doctor", "demo"):
        assert command in out


def test_an_unknown_command_is_wrong_usage(run):
    code, _, err = run("gide")
    assert code == BAD_INPUT
    assert "gide" in err


def test_info_says_what_a_file_holds(run, still):
    code, out, err = run("info", still)
    assert (code, err) == (OK, "")
    assert "240 x 288 pixels, spacing unknown" in out


def test_info_as_json(run, still):
    code, out, _ = run("info", still, "--json")
    (part,) = json.loads(out)["parts"]
    assert code == OK
    assert part["shape"] == [1, 240, 288]
    assert part["spacing_mm"] is None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty file"),
        (b"just words, no picture", "not a kind that is read"),
        (b"\x89PNG\r\n\x1a\nrubbish", "PNG"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_and_exit_code_2(run, tmp_path, content, expected):
    path = tmp_path / "file.png"
    path.write_bytes(content)
    code, out, err = run("info", path)
    assert (code, out) == (BAD_INPUT, "")
    assert expected in err
    assert err.count("\n") == 1


def test_a_missing_file_is_said(run, tmp_path):
    code, _, err = run("info", tmp_path / "none.png")
    assert code == BAD_INPUT
    assert "no such file" in err


def test_errors_are_json_too_where_json_is_wanted(run, tmp_path):
    code, out, _ = run("info", tmp_path / "none.png", "--json")
    error = json.loads(out)["error"]
    assert (code, error["exit_code"], error["kind"]) == (BAD_INPUT, BAD_INPUT, "FormatError")


def test_a_fault_of_ours_is_told_from_a_bad_input(run, still, monkeypatch):
    def broken(path):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("insonate.pipeline.reading.reader_of", broken)
    code, _, err = run("info", still)
    assert code == FAULT
    assert "a fault of ours, ZeroDivisionError" in err


def test_image_writes_a_picture(run, still, tmp_path):
    out = tmp_path / "image.png"
    code, said, _ = run("image", still, "--out", out)
    assert code == OK
    assert "frame 1 of still.png" in said
    with Picture.open(out) as picture:
        assert picture.size[1] == 700


def test_a_frame_that_is_not_there_is_refused(run, still, tmp_path):
    code, _, err = run("image", still, "--out", tmp_path / "image.png", "--frame", 2)
    assert code == BAD_INPUT
    assert "frame must lie in 1..1, got 2" in err
    assert not (tmp_path / "image.png").exists()


def test_label_writes_labels_and_how_sure_they_are(run, still, tmp_path):
    out = tmp_path / "labels"
    code, said, _ = run("label", still, "--out", out)
    assert code == OK
    assert "labels of 1 frame(s) of still.png" in said
    assert sorted(path.name for path in out.iterdir()) == ["confidence.png", "labels.png", "structures.json"]
    with Picture.open(out / "labels.png") as labels:
        assert (labels.mode, labels.size) == ("P", (288, 240))


def test_guide_writes_everything_and_says_it_in_one_line(run, still, tmp_path, schema):
    out = tmp_path / "guided"
    code, said, err = run("guide", still, "--procedure", "UL03", "--out", out)
    assert (code, err) == (OK, "")
    assert said.count("\n") == 1
    assert sorted(path.name for path in out.iterdir()) == [
        "confidence.png",
        "labels.png",
        "overlay.png",
        "report.json",
    ]
    report = json.loads((out / "report.json").read_text())
    jsonschema.validate(report, schema)
    assert report["source"]["spacing_mm"] is None
    assert all(hazard["state"] == "unknown" for hazard in report["hazards"] if hazard["label"] is None)


@pytest.fixture
def schema():
    from importlib.resources import files

    return json.loads((files("insonate.record") / "report.schema.json").read_text(encoding="utf-8"))


def test_guide_takes_a_spacing(run, still, tmp_path):
    code, out, _ = run("guide", still, "-p", "LL01", "-o", tmp_path / "o", "--spacing", "0.1,0.2", "--json")
    assert code == OK
    assert json.loads(out)["parts"][0]["source"]["spacing_mm"] == [0.1, 0.2]


def test_guide_takes_a_depth(run, still, tmp_path):
    code, out, _ = run("guide", still, "-p", "LL01", "-o", tmp_path / "o", "--depth-cm", "4", "--json")
    part = json.loads(out)["parts"][0]
    assert code == OK
    assert part["source"]["spacing_mm"][0] == pytest.approx(40 / part["area"]["rows"], rel=1e-4)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--spacing", "abc"), "--spacing must be one or two lengths"),
        (("--spacing", "0.1", "--depth-cm", "4"), "not both"),
        (("--depth-cm", "400"), "depth must lie in 0.003..0.4 m, got 4 (centimeters or millimeters?)"),
        (("--spacing", "nan"), "--spacing must be one or two lengths"),
        (("--frame", "0"), "frame must lie in 1..1, got 0"),
    ],
)
def test_wrong_settings_leave_nothing_behind(run, still, tmp_path, words, expected):
    code, _, err = run("guide", still, "-p", "LL01", "-o", tmp_path / "o", *words)
    assert code == BAD_INPUT
    assert expected in err
    assert not (tmp_path / "o").exists()


def test_an_unknown_procedure_is_answered_with_the_nearest(run, still, tmp_path):
    code, _, err = run("guide", still, "-p", "UL3", "-o", tmp_path / "o")
    assert code == BAD_INPUT
    assert "UL03" in err
    assert not (tmp_path / "o").exists()


def test_a_place_that_cannot_be_written_has_its_own_exit_code(run, still, tmp_path):
    (tmp_path / "file").write_text("a file")
    code, _, err = run("guide", still, "-p", "UL03", "-o", tmp_path / "file" / "o")
    assert code == NOT_WRITTEN
    assert "cannot be written" in err


def test_procedures_are_listed_shown_and_checked(run):
    code, out, _ = run("procedures", "--json")
    assert code == OK
    assert {one["id"] for one in json.loads(out)} >= {"BU01", "LL01", "LL10", "MU01", "UL01", "UL03", "UL06"}
    assert {one["review"] for one in json.loads(out)} == {"not reviewed by a clinician"}
    code, out, _ = run("procedures", "show", "LL01")
    assert code == OK
    assert "femoral" in out
    code, out, _ = run("procedures", "check")
    assert code == OK
    assert "every number with its source" in out


def test_doctor_tells_what_is_there(run):
    code, out, _ = run("doctor", "--json")
    assert code == OK
    findings = json.loads(out)
    assert "MISSING" not in findings["packages"].values()
    assert findings["choices"]["readers"].startswith("dicom")


def test_serve_refuses_an_address_that_others_could_reach(run):
    code, _, err = run("serve", "--host", "0.0.0.0", "--no-open")
    assert code == BAD_INPUT
    assert "loopback" in err


def test_recordings_are_listed_checked_renamed_and_deleted(run, tmp_path, monkeypatch):
    monkeypatch.setattr("insonate.record.timeline.home", lambda: tmp_path)
    path = tmp_path / "one.insotime"
    log = Log(path)
    log.append(0.0, "begin", {"source": "a test"})
    log.append(0.5, "frame", {}, b"abc")
    log.close(1.0)
    assert run("recordings")[1] == f"one  ({path.stat().st_size / 1e6:.1f} MB, a test)\n"
    assert run("recordings", "check", "one")[:2] == (OK, "one: 3 events, 1.0 s, ended in order\n")
    assert json.loads(run("recordings", "check", path, "--json")[1])["whole"] is True
    assert run("recordings", "rename", "one", "two")[0] == OK
    spoiled = bytearray((tmp_path / "two.insotime").read_bytes())
    spoiled[-90] ^= 1
    (tmp_path / "two.insotime").write_bytes(spoiled)
    code, _, err = run("recordings", "check", "two")
    assert code == BAD_INPUT and "after event 0, are damaged" in err
    code, _, err = run("recordings", "delete", "tow")
    assert (code, "did you mean 'two'?" in err) == (BAD_INPUT, True)
    assert run("recordings", "delete", "two")[0] == OK
    assert run("recordings")[1] == ""


def test_a_recording_is_written_as_a_clip(run, tmp_path):
    log = Log(tmp_path / "one.insotime")
    log.append(0.0, "begin", {"source": "a test"})
    content = {"number": 1, "shape": [20, 30], "step": [1e-3, 1e-3], "source_time": 0.1}
    log.append(0.1, "frame", content, bytes(600))
    log.close(1.0)
    out = tmp_path / "one.mp4"
    assert run("recordings", "clip", log.path, "--out", out)[:2] == (OK, f"{out}: 19 pictures, 0.9 s\n")
    assert out.read_bytes()[4:8] == b"ftyp"
    code, _, err = run("recordings", "clip", log.path, "--out", tmp_path / "one.gif")
    assert code == BAD_INPUT and "must end in .mp4, got 'one.gif'" in err
    page = tmp_path / "one.html"
    code, said, _ = run("recordings", "report", log.path, "--out", page)
    assert code == OK and said.startswith(f"{page}: ")
    assert "a test" in page.read_text() and "<img" in page.read_text()
    code, _, err = run("recordings", "report", log.path, "--out", tmp_path / "one.pdf")
    assert code == BAD_INPUT and "must end in .html, got 'one.pdf'" in err


def test_regions_are_listed_with_what_can_be_chosen(run):
    code, out, _ = run("regions", "--json")
    assert code == OK
    known = {one["region"]: one for one in json.loads(out)}
    assert "high_division" in known["femoral_crease"]["variants"]
    code, out, _ = run("regions")
    assert "femoral_crease\n  windows:      crease, medial\n  variants:     usual, high_division" in out


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("serve", "--variant", "high_divison", "--no-open"), "(did you mean 'high_division'?)"),
        (("serve", "--region", "femural_crease", "--no-open"), "(did you mean 'femoral_crease'?)"),
        (("simulate", "femoral_crease", "--pathology", "swolen_nerve", "--out", "x"), "'swollen_nerve'?)"),
        (("simulate", "femoral_crease", "--window", "medal", "--out", "x"), "(did you mean 'medial'?)"),
        (("simulate", "femoral_crease", "--operator", "exprt", "--out", "x"), "(did you mean 'expert'?)"),
    ],
)
def test_an_unknown_name_of_a_patient_suggests_the_nearest(run, command, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*command)
    assert code == BAD_INPUT
    assert err.rstrip().endswith(told)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_demo_makes_a_picture(run, tmp_path):
    code, said, _ = run("demo", "--out", tmp_path / "demo.png")
    assert code == OK
    assert "the simulated patient" in said
    with Picture.open(tmp_path / "demo.png") as picture:
        assert 600 <= picture.size[1] <= 800  # lower where a path begins far beside the picture


def test_a_picture_that_is_none_is_refused_before_any_work(run, tmp_path):
    code, _, err = run("image", tmp_path / "gone.png", "--out", "a.jpg")
    assert (code, err) == (BAD_INPUT, "insonate: --out must end in .png, got 'a.jpg'\n")


def test_no_memory_is_told_as_an_input_too_large(run, still, monkeypatch):
    def full(path):
        raise MemoryError

    monkeypatch.setattr("insonate.pipeline.reading.reader_of", full)
    assert run("info", still) == (BAD_INPUT, "", "insonate: not enough memory for this input\n")


# --- as users run it: a process of its own ---


def alone(*words, **settings):
    """Run the command line by itself: (exit code, standard output, standard error)."""
    done = subprocess.run(
        [sys.executable, "-m", "insonate", *map(str, words)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        **settings,
    )
    return done.returncode, done.stdout, done.stderr


def test_done_is_0_and_the_result_is_one_json_document(still, tmp_path, schema):
    code, out, err = alone("guide", still, "-p", "ul03", "-o", tmp_path / "o", "--json")
    assert (code, err) == (0, "")
    made = json.loads(out)
    jsonschema.validate(made["parts"][0], schema)
    assert made["parts"][0] == json.loads((tmp_path / "o" / "report.json").read_text(encoding="utf-8"))
    assert made["parts"][0]["source"]["sha256"] == hashlib.sha256(still.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        (("info", "gone.png"), "FormatError", "gone.png: no such file"),
        (("info",), "MissingParameter", "Missing argument 'path'."),
        (("info", "gone.png", "--colour"), "NoSuchOption", "No such option: --colour"),
        (
            ("image", "gone.png", "-o", "a.png", "--frame", "first"),
            "BadParameter",
            "Input should be a valid integer",
        ),
        (("gide",), "UsageError", "No such command 'gide'"),
        (("procedures", "show", "UL3"), "UnknownNameError", "got 'UL3' (did you mean UL03?)"),
        (("guide", "gone.png", "-p", "LL1", "-o", "o"), "UnknownNameError", "(did you mean LL10?)"),
    ],
)
def test_wrong_use_and_wrong_input_are_2_and_one_json_document(tmp_path, words, kind, message):
    code, out, err = alone(*words, "--json", cwd=tmp_path)
    error = json.loads(out)["error"]
    assert (code, error["exit_code"], error["kind"]) == (2, 2, kind)
    assert message in error["message"]
    assert "\n" not in error["message"]
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_result_that_cannot_be_written_is_3_and_one_json_document(still, tmp_path):
    code, out, err = alone("guide", still, "-p", "UL03", "-o", still / "o", "--json")
    error = json.loads(out)["error"]
    assert (code, error["exit_code"], error["kind"]) == (3, 3, "OutputError")
    assert error["message"] == f"{still / 'o'}: cannot be written: {still} is a file, not a folder"
    assert err == f"insonate: {error['message']}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["still.png"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_for_the_result_itself_is_no_traceback(still):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "insonate", "info", str(still)],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr == b"insonate: cannot be written: No space left on device\n"


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_is_130_and_leaves_the_folder_as_it_was(tmp_path, kind):
    clip = tmp_path / "clip.h5"
    insonate_hdf5.write(clip, picture(*[painted(300, 300, seed=k) for k in range(200)]))
    for again in range(
        5
    ):  # on a busy machine the signal may come once all is done: then nothing was interrupted
        out = tmp_path / f"out{again}"
        out.mkdir()
        (out / "report.json").write_text("old")
        words = [sys.executable, "-m", "insonate", "guide", str(clip), "-p", "UL03", "-o", str(out), "--json"]
        with subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # whoever runs the tests in the background ignores it, and so would its children
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  (no thread runs here)
        ) as running:
            end = time.monotonic() + 60
            while not list(out.glob(".*.partial")) and running.poll() is None and time.monotonic() < end:
                time.sleep(0.01)
            running.send_signal(kind)
            said, err = running.communicate(timeout=60)
        if running.returncode != 0:
            break
    assert running.returncode == 130
    assert json.loads(said)["error"]["exit_code"] == 130
    assert err == "insonate: interrupted, nothing was left half-written\n"
    assert {path.name: path.read_text() for path in out.iterdir()} == {"report.json": "old"}


def test_a_name_that_is_no_text_is_told_all_the_same(tmp_path):
    odd = os.fsencode(tmp_path) + b"/caf\xe9.png"
    try:
        with open(odd, "wb"):  # noqa: PTH123  (a path of bytes)
            pass
    except OSError:
        pytest.skip("this file system takes only names that are text")
    for words in ((), ("--json",)):
        done = subprocess.run(
            [sys.executable, "-m", "insonate", "info", odd, *words],
            capture_output=True,
            check=False,
            env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        )
        assert done.returncode == 2
        assert done.stderr.startswith(b"insonate: caf\\udce9.png: expected an image")
        if words:
            assert json.loads(done.stdout)["error"]["message"].startswith("caf\udce9.png: ")


def test_json_is_json_on_a_terminal_of_few_letters(still, tmp_path):
    odd = still.rename(still.with_name("über ….png"))
    done = subprocess.run(
        [sys.executable, "-m", "insonate", "info", odd, "--json"],
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert json.loads(done.stdout)["file"] == "über ….png"


def test_a_reader_of_the_output_that_leaves_is_no_fault():
    with subprocess.Popen(
        [sys.executable, "-m", "insonate", "doctor"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        running.stdout.close()
        err = running.stderr.read()
        running.wait(60)
    assert b"Traceback" not in err
    assert running.returncode == 0
