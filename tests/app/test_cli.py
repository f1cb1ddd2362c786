"""The command line: results on standard output, everything else on standard error, exit codes as documented."""

import json
import sys

import jsonschema
import numpy as np
import pytest
from PIL import Image as Picture

from insonate import __version__
from insonate.app.cli import BAD_INPUT, FAULT, NOT_WRITTEN, OK, main


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
    assert {one["id"] for one in json.loads(out)} >= {"LL01", "LL10", "UL03", "UL06"}
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


def test_demo_makes_a_picture(run, tmp_path):
    code, said, _ = run("demo", "--out", tmp_path / "demo.png")
    assert code == OK
    assert "the moving body" in said
    with Picture.open(tmp_path / "demo.png") as picture:
        assert picture.size[1] == 800
