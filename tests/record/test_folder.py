"""Results come all or none, and labels lie on the input's own pixels."""

import errno

import numpy as np
import pytest
from PIL import Image as Picture

from insonate.core import InputError, ModelVersion, OutputError, PixelGrid, Segmentation, Structure, Tissue
from insonate.record.folder import folder, on_picture, write_json, write_picture, write_segmentation


def test_files_appear_only_when_all_is_done(tmp_path):
    out = tmp_path / "made" / "here"
    with folder(out) as room:
        (room / "a.txt").write_text("a")
        assert not out.exists()
    assert (out / "a.txt").read_text() == "a"
    assert [path.name for path in out.parent.iterdir()] == ["here"]


def test_a_failure_leaves_nothing_behind(tmp_path):
    out = tmp_path / "here"
    with pytest.raises(RuntimeError), folder(out) as room:
        (room / "a.txt").write_text("a")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_in_words_and_keeps_what_was_there(tmp_path):
    out = tmp_path / "here"
    out.mkdir()
    (out / "a.txt").write_text("old")
    with (
        pytest.raises(OutputError, match="No space left on device; nothing was left half-written"),
        folder(out) as room,
    ):
        (room / "a.txt").write_text("new")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert (out / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "here").write_text("a file")
    with pytest.raises(InputError, match="must be a folder"), folder(tmp_path / "here"):
        pass


def test_a_place_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"), folder(tmp_path / "file" / "here"):
        pass


def test_a_part_goes_back_to_its_place_on_the_picture():
    grid = PixelGrid(rows=40, columns=50, spacing=None).cut((5, 7), (3, 4))
    whole = on_picture(np.ones((3, 4), np.uint8), grid, None, grid)
    assert whole.shape == (40, 50)
    assert whole[5:8, 7:11].all()
    assert whole.sum() == 12


def test_labels_are_an_indexed_picture_of_the_inputs_own_size(tmp_path):
    grid = PixelGrid(rows=40, columns=50, spacing=None).cut((10, 20), (8, 9))
    labels = np.zeros((2, 8, 9), np.uint8)
    labels[1, 2, 3] = 1
    segmentation = Segmentation(
        labels=labels,
        structures=(Structure(name="nerve", tissue=Tissue.NERVE),),
        confidence=np.full(labels.shape, 0.5, np.float32),
        grid=grid,
        times=None,
        model=ModelVersion(name="m", version="1", confidence_threshold=0.5),
    )
    names = write_segmentation(
        tmp_path, segmentation, (10, 20, 8, 9), PixelGrid(rows=40, columns=50, spacing=None)
    )
    assert names == ["labels-0001.png", "confidence-0001.png", "labels-0002.png", "confidence-0002.png"]
    with Picture.open(tmp_path / "labels-0002.png") as picture:
        assert picture.mode == "P"
        values = np.asarray(picture)
    assert values.shape == (40, 50)
    assert np.argwhere(values).tolist() == [[12, 23]]
    sure = np.asarray(Picture.open(tmp_path / "confidence-0001.png"))
    assert sure[0, 0] == 0
    assert sure[12, 23] == 128


def test_json_refuses_a_number_that_is_none(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"distance": float("nan")})


def test_a_picture_must_be_named_png(tmp_path):
    with pytest.raises(InputError, match=r"must end in \.png"):
        write_picture(tmp_path / "a.jpg", np.zeros((2, 2), np.uint8))
