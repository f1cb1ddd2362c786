"""A file in, a folder out: complete, on the input's own pixels, as its schema says; or nothing at all."""

import errno
import hashlib
import json
from importlib.resources import files

import av
import jsonschema
import numpy as np
import pytest
from PIL import Image as Picture

from insonate.core import FormatError, InputError, OutputError, RangeError, UnknownNameError
from insonate.formats import insonate_hdf5
from insonate.pipeline import chain
from insonate.pipeline.files import guide_file, label_file, model_facts
from pipeline.fakes import LABELLER, bordered, painted, picture, shot
from refusals import refused

SCHEMA = json.loads((files("insonate.record") / "report.schema.json").read_text(encoding="utf-8"))
GUIDED = ["confidence.png", "labels.png", "overlay.png", "report.json"]


@pytest.fixture(autouse=True)
def _labelled_by_brightness(monkeypatch):
    monkeypatch.setattr(chain, "SEGMENTERS", LABELLER)


def grey(frame):
    return (255 * frame + 0.5).astype(np.uint8)


@pytest.fixture
def still(tmp_path):
    """A painted nerve within black borders, as PNG."""
    path = tmp_path / "scan.png"
    Picture.fromarray(grey(bordered(painted(vessel=None))[0])).save(path)
    return path


@pytest.fixture
def clip(tmp_path):
    """Three frames as Insonate HDF5; the nerve is largest in the second and moves 5 pixels down a frame."""
    frames = [
        painted(240, 300, nerve=(60 + 5 * k, 70, 10 + (k == 1) * 4), vessel=None, seed=k) for k in range(3)
    ]
    path = tmp_path / "clip.h5"
    insonate_hdf5.write(path, picture(*frames, times=np.array([0.0, 0.1, 0.2])))
    return path


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def center(path, label=1):
    """Row and column of a label's center in a PNG of labels."""
    with Picture.open(path) as shown:
        assert shown.mode == "P"
        return np.argwhere(np.asarray(shown) == label).mean(axis=0)


def report_in(folder):
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    jsonschema.validate(report, SCHEMA)
    return report


# --- what is made ---


def test_a_picture_is_guided_on_its_own_pixels(still, tmp_path):
    out = tmp_path / "out"
    made = guide_file(still, "UL03", out)
    assert names(out) == GUIDED
    with Picture.open(still) as given, Picture.open(out / "labels.png") as labels:
        assert labels.size == given.size == (365, 285)
    assert center(out / "labels.png") == pytest.approx((60 + 20, 70 + 30), abs=0.5)
    with Picture.open(out / "confidence.png") as sure:
        values = np.asarray(sure)
    assert values[80, 100] == round(0.9 * 255)
    assert values[0, 0] == 0  # outside the echoes nothing is known
    report = report_in(out)
    assert report == made.result["parts"][0]
    assert made.result["out"] == str(out)
    assert report["source"] == {
        "file": "scan.png",
        "sha256": hashlib.sha256(still.read_bytes()).hexdigest(),
        "reader": "still",
        "part": 1,
        "parts": 1,
        "n_frames": 1,
        "rows": 285,
        "columns": 365,
        "spacing_mm": None,
    }
    assert report["frame"] == 1
    assert report["target"]["tissue"] == "nerve"
    assert report["paths"][0]["length"]["unit"] == "px"
    assert {hazard["state"] for hazard in report["hazards"]} == {"unknown"}
    assert report["provenance"]["settings"] == {}


def test_one_sentence_says_what_was_made_and_what_is_unknown(still, tmp_path):
    said = guide_file(still, "UL03", tmp_path / "out").sentence
    assert said.startswith(
        f"{tmp_path / 'out'}/: Supraclavicular brachial plexus block on scan.png, 5 path(s), best "
    )
    assert " px at " in said
    assert "; unknown: " in said
    assert "\n" not in said


def test_where_there_is_no_path_the_sentence_says_why(tmp_path):
    path = tmp_path / "empty.png"
    Picture.fromarray(grey(painted(nerve=None, vessel=None))).save(path)
    made = guide_file(path, "UL03", tmp_path / "out")
    report = report_in(tmp_path / "out")
    assert report["target"] is None
    assert report["paths"] == []
    assert f"no path: {report['reason']}" in made.sentence


def test_a_clip_has_labels_for_every_frame_and_is_planned_on_the_surest(clip, tmp_path):
    out = tmp_path / "out"
    guide_file(clip, "UL03", out)
    numbered = [f"{what}-000{k}.png" for what in ("confidence", "labels") for k in (1, 2, 3)]
    assert names(out) == [*numbered, "overlay.png", "report.json"]
    for k in range(3):
        assert center(out / f"labels-000{k + 1}.png") == pytest.approx((60 + 5 * k, 70), abs=0.5)
    report = report_in(out)
    assert (report["frame"], report["source"]["n_frames"]) == (2, 3)
    assert report["source"]["spacing_mm"] == [0.1, 0.1]
    assert report["target"]["area"]["unit"] == "mm2"
    assert report["target"]["area"]["value"] == pytest.approx(np.pi * 1.4**2, rel=0.02)


def test_a_clip_is_planned_on_the_frame_asked_for(clip, tmp_path):
    guide_file(clip, "UL03", tmp_path / "out", frame=2)
    report = report_in(tmp_path / "out")
    assert report["frame"] == 3
    assert report["target"]["area"]["value"] == pytest.approx(np.pi * 1.0**2, rel=0.03)


def test_a_compressed_clip_is_labelled_frame_by_frame(tmp_path):
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=20)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for k in range(2):
            frame = np.repeat(grey(painted(240, 320, seed=k))[..., None], 3, axis=-1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    made = label_file(path, tmp_path / "out")
    assert names(tmp_path / "out") == [
        *(f"{what}-000{k}.png" for what in ("confidence", "labels") for k in (1, 2)),
        "structures.json",
    ]
    with Picture.open(tmp_path / "out" / "labels-0002.png") as labels:
        assert labels.size == (320, 240)
    assert [frame["frame"] for frame in made.result["parts"][0]["frames"]] == [1, 2]


def test_channel_data_are_formed_labelled_and_guided_in_millimeters(tmp_path):
    path = tmp_path / "echoes.h5"
    insonate_hdf5.write(path, shot())
    guide_file(path, "LL01", tmp_path / "out")
    assert names(tmp_path / "out") == GUIDED
    report = report_in(tmp_path / "out")
    assert report["source"]["reader"] == "insonate_hdf5"
    assert report["source"]["spacing_mm"] == pytest.approx([1e3 * 1540 / 5e6 / 4] * 2, rel=1e-5)
    assert [step["name"] for step in report["provenance"]["steps"]][-2:] == ["delay_and_sum", "b_mode"]
    with Picture.open(tmp_path / "out" / "labels.png") as labels:
        assert labels.size == (report["source"]["columns"], report["source"]["rows"])


def test_every_part_of_a_file_has_a_folder(tmp_path):
    path = tmp_path / "two.h5"
    insonate_hdf5.write(path, picture(painted(seed=1)), picture(painted(200, 220), spacing=None))
    made = guide_file(path, "UL03", tmp_path / "out")
    assert names(tmp_path / "out") == [f"part-{k}/{name}" for k in (1, 2) for name in GUIDED]
    first, second = report_in(tmp_path / "out" / "part-1"), report_in(tmp_path / "out" / "part-2")
    assert [(one["source"]["part"], one["source"]["parts"]) for one in (first, second)] == [(1, 2), (2, 2)]
    assert second["source"]["spacing_mm"] is None
    assert first["source"]["sha256"] == second["source"]["sha256"]
    assert made.sentence.startswith(f"{tmp_path / 'out'}/part-1 … part-2/: ")


def test_labels_alone_are_listed_with_their_files(clip, tmp_path):
    made = label_file(clip, tmp_path / "out")
    (part,) = made.result["parts"]
    assert sorted(part["files"]) == names(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "structures.json").read_text()) == part
    areas = [frame["structures"][0]["area"]["value"] for frame in part["frames"]]
    assert areas == pytest.approx([np.pi * radius**2 for radius in (1.0, 1.4, 1.0)], rel=0.03)
    assert [len(frame["structures"]) for frame in part["frames"]] == [1, 1, 1]
    assert part["source"]["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert part["model"] == model_facts()
    said = f"{tmp_path / 'out'}/: labels of 3 frame(s) of clip.h5, 3 structure(s) named"
    assert made.sentence == said


def test_the_model_is_told_by_the_hash_of_its_weights():
    facts = model_facts()
    weights = files("insonate.analysis.models") / "weights" / facts["file"]
    assert facts["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()


def test_a_name_that_is_no_text_is_written_all_the_same(still, tmp_path):
    odd = still.with_name("caf\udce9.png")  # Latin-1 on a disk of UTF-8
    try:
        still.rename(odd)
    except (OSError, UnicodeError):
        pytest.skip("this file system takes only names that are text")
    guide_file(odd, "UL03", tmp_path / "out")
    assert report_in(tmp_path / "out")["source"]["file"] == "caf\\udce9.png"


# --- spacing and depth ---


def test_a_spacing_supplied_is_used_and_told(still, tmp_path):
    guide_file(still, "UL03", tmp_path / "out", spacing=(1e-4, 2e-4))
    report = report_in(tmp_path / "out")
    assert report["source"]["spacing_mm"] == [0.1, 0.2]
    assert report["provenance"]["settings"] == {"spacing_supplied": [1e-4, 2e-4]}
    assert report["paths"][0]["length"]["unit"] == "mm"
    area = np.pi * (14 * 0.1) * (14 * 0.2)
    assert report["target"]["area"]["value"] == pytest.approx(area, rel=0.02)


def test_a_depth_supplied_is_that_of_the_echoes(still, tmp_path):
    guide_file(still, "UL03", tmp_path / "out", depth=0.048)
    report = report_in(tmp_path / "out")
    assert report["area"]["rows"] == 240
    assert report["source"]["spacing_mm"] == pytest.approx([0.2, 0.2])
    assert report["provenance"]["settings"] == {"depth_supplied": 0.048}


# --- failures leave the folder as it was ---


@pytest.fixture
def before(tmp_path):
    """A folder with results of before, and of somebody else."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text("old")
    (out / "mine.txt").write_text("mine")
    return out


def unchanged(out):
    return {path.name: path.read_text() for path in out.iterdir()} == {
        "report.json": "old",
        "mine.txt": "mine",
    }


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"frame": 1}, RangeError, "frame must lie in 1..1, got 2"),
        (
            {"depth": 4.8},
            RangeError,
            "depth must lie in 0.003..0.4 m, got 4.8 (centimeters or millimeters?)",
        ),
        (
            {"spacing": (0.1, 0.1)},
            RangeError,
            "PixelGrid.spacing must lie in 1e-07..0.01 m, got 0.1 (millimeters?)",
        ),
        ({"spacing": (1e-4, 1e-4), "depth": 0.04}, InputError, "give --spacing or --depth-cm, not both"),
    ],
)
def test_wrong_settings_are_refused(still, before, settings, error, message):
    with refused(error, message):
        guide_file(still, "UL03", before, **settings)
    assert unchanged(before)


def test_a_spacing_is_refused_where_the_file_says_its_own(clip, before):
    message = "spacing can only be supplied where it is unknown, the file itself says 0.1 x 0.1 mm"
    with refused(InputError, message):
        guide_file(clip, "UL03", before, spacing=(2e-4, 2e-4))
    assert unchanged(before)


def test_an_unknown_procedure_is_refused_with_the_nearest_and_before_any_work(tmp_path, before):
    with pytest.raises(UnknownNameError, match=r"got 'UL3' \(did you mean UL03\?\)$"):
        guide_file(tmp_path / "none.png", "UL3", before)
    assert unchanged(before)


def test_a_file_that_cannot_be_read_is_refused(tmp_path, before):
    with refused(FormatError, f"{tmp_path / 'none.png'}: no such file"):
        guide_file(tmp_path / "none.png", "UL03", before)
    assert unchanged(before)


def test_a_label_mask_is_refused(tmp_path, before):
    path = tmp_path / "mask.png"
    mask = Picture.fromarray(np.kron(np.array([[0, 1], [2, 0]]), np.ones((80, 80))).astype(np.uint8), "P")
    mask.putpalette([0, 0, 0, 255, 255, 0, 255, 0, 0])
    mask.save(path)
    message = "mask.png: expected a picture, got what looks like a label mask (3 different values)"
    for make in (lambda: guide_file(path, "UL03", before), lambda: label_file(path, before)):
        with refused(FormatError, message):
            make()
    assert unchanged(before)


@pytest.mark.parametrize("name", ["write_picture", "write_json", "write_segmentation"])
@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), OutputError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (MemoryError(), MemoryError),
    ],
    ids=["full disk", "interrupted", "no memory"],
)
def test_whatever_fails_on_the_way_the_folder_is_as_it_was(still, before, monkeypatch, name, error, seen):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(f"insonate.pipeline.files.{name}", fails)
    with pytest.raises(seen) as caught:
        guide_file(still, "UL03", before)
    assert unchanged(before)
    if seen is OutputError:
        reason = "cannot be written: No space left on device; nothing was left half-written"
        assert str(caught.value) == f"{before}: {reason}"


def test_a_disk_that_fills_while_a_picture_is_written_is_told(still, before, monkeypatch):
    def full(self, *_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Picture.Image, "save", full)
    with pytest.raises(OutputError, match="cannot be written: No space left on device"):
        guide_file(still, "UL03", before)
    assert unchanged(before)


def test_a_second_part_that_fails_takes_the_first_with_it(tmp_path, before, monkeypatch):
    path = tmp_path / "two.h5"
    insonate_hdf5.write(path, picture(), picture(painted(nerve=None)))
    with refused(
        InputError, "spacing can only be supplied where it is unknown, the file itself says 0.1 x 0.1 mm"
    ):
        guide_file(path, "UL03", before, spacing=(1e-4, 1e-4))
    assert unchanged(before)


def test_a_place_under_a_file_cannot_be_written(still, tmp_path):
    out = still / "out"
    with refused(OutputError, f"{out}: cannot be written: {still} is a file, not a folder"):
        guide_file(still, "UL03", out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scan.png"]


def test_a_file_in_the_place_of_the_folder_is_left_alone(still):
    given = still.read_bytes()
    with refused(InputError, f"--out must be a folder, got the file {still}"):
        label_file(still, still)
    assert still.read_bytes() == given


# --- real files ---


@pytest.mark.data
@pytest.mark.parametrize(
    ("data_set", "pattern", "reader"),
    [
        ("usgra-seg", "images/*.png", "still"),
        ("brachial-plexus-dicom", "*.dcm", "dicom"),
        ("dicom-us", "*palette.dcm", "dicom"),
        ("itk-rf", "MouseLiverRF.mha", "meta_image"),
        ("plus-rf", "*RfData.igs.mha", "meta_image"),
        ("must-planewave", "bmode*.mat", "mat_must"),
        ("itkpocus", "*.png", "still"),
    ],
)
def test_a_real_file_gives_a_whole_result(shared_data, tmp_path, monkeypatch, data_set, pattern, reader):
    monkeypatch.undo()  # by the network itself
    path = sorted(shared_data(data_set).glob(pattern))[0]
    guide_file(path, "UL03", tmp_path / "out")
    report = report_in(tmp_path / "out")
    assert report["source"]["reader"] == reader
    frames = report["source"]["n_frames"]
    labels = ["labels.png"] if frames == 1 else [f"labels-{k:04d}.png" for k in range(1, frames + 1)]
    assert [name for name in names(tmp_path / "out") if name.startswith("labels")] == labels
    for hazard in report["hazards"]:
        assert (hazard["state"] == "known") is (hazard["label"] is not None)


@pytest.mark.data
@pytest.mark.parametrize("data_set", ["usgra-seg", "carotid-ccaui"])
def test_real_masks_are_refused_as_masks(shared_data, tmp_path, data_set):
    masks = sorted((shared_data(data_set) / "masks").iterdir())
    assert len(masks) > 20
    for path in masks[::10]:  # all of them are in the table of the documentation
        with pytest.raises(
            FormatError, match=r"expected a picture, got what looks like a label mask \([23] "
        ):
            label_file(path, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.data
@pytest.mark.parametrize("data_set", ["usgra-seg", "itk-rf", "itkpocus", "must-planewave"])
def test_licenses_and_notes_are_refused(shared_data, tmp_path, data_set):
    for name in ("SOURCE.md", "LICENSE"):
        with pytest.raises(FormatError, match=f"^{name}: not a kind that is read"):
            label_file(shared_data(data_set) / name, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
