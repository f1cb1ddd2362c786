"""Results come all or none, and labels lie on the input's own pixels."""

import errno
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from insonate.core import (
    Grid,
    InputError,
    ModelVersion,
    OutputError,
    PixelGrid,
    Segmentation,
    Structure,
    Tissue,
)
from insonate.record.folder import folder, on_picture, write_json, write_picture, write_segmentation
from refusals import refused


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


def test_files_of_before_are_replaced_and_others_left_alone(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    with folder(tmp_path) as room:
        (room / "a.txt").write_text("new")
        (room / "part-1").mkdir()
        (room / "part-1" / "b.txt").write_text("b")
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert found == {"a.txt", "mine.txt", "part-1", "part-1/b.txt"}
    assert (tmp_path / "a.txt").read_text() == "new"
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_what_is_made_lies_on_the_same_disk_as_its_place(tmp_path):
    """A folder that exists may be a disk of its own: no file can be moved into it from outside."""
    with folder(tmp_path) as room:
        assert room.parent == tmp_path
    with folder(tmp_path / "new" / "here") as room:
        assert room.parent == tmp_path / "new"


def broken_on(monkeypatch, call, error):
    """Have the `call`-th move of a file fail."""
    moves = 0
    whole = Path.replace

    def replace(self, target):
        nonlocal moves
        moves += 1
        if moves == call:
            raise error
        return whole(self, target)

    monkeypatch.setattr(Path, "replace", replace)


@pytest.mark.parametrize("call", range(1, 6))  # two are replaced, in two moves each, and one is new
@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()])
def test_a_move_that_fails_on_the_way_puts_everything_back(tmp_path, monkeypatch, call, error):
    (tmp_path / "a.txt").write_text("old a")
    (tmp_path / "b.txt").write_text("old b")
    broken_on(monkeypatch, call, error)
    with pytest.raises(KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else OutputError):  # noqa: SIM117
        with folder(tmp_path) as room:
            for name in ("a.txt", "b.txt", "part-1/c.txt"):
                (room / name).parent.mkdir(exist_ok=True)
                (room / name).write_text("new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.txt": "old a",
        "b.txt": "old b",
    }


def test_a_folder_in_the_place_of_a_file_puts_everything_back(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "b.txt").mkdir()
    with (
        pytest.raises(OutputError, match=r"cannot be written: Is a directory|is a folder"),
        folder(tmp_path) as room,
    ):
        (room / "a.txt").write_text("new")
        (room / "b.txt").write_text("new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_a_failure_takes_away_the_folders_it_made(tmp_path):
    with pytest.raises(RuntimeError), folder(tmp_path / "made" / "here") as room:
        (room / "a.txt").write_text("a")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_nothing_can_be_made_takes_away_what_it_made(tmp_path, monkeypatch):
    whole = Path.mkdir

    def full(self, *arguments, **how):
        if self.name.endswith(".partial") and self.parent.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(self, *arguments, **how)

    monkeypatch.setattr(Path, "mkdir", full)
    out = tmp_path / "made" / "here"
    out.parent.mkdir()
    reason = "cannot be written: No space left on device; nothing was left half-written"
    with refused(OutputError, f"{out}: {reason}"), folder(out):
        pass
    assert list(out.parent.iterdir()) == []


def test_a_name_that_no_system_takes_is_refused(tmp_path):
    out = tmp_path / ("a" * 300)
    reason = "cannot be written: File name too long; nothing was left half-written"
    with refused(OutputError, f"{out}: {reason}"), folder(out):
        pass


def test_an_interruption_while_the_folder_is_made_leaves_nothing_behind(tmp_path, monkeypatch):
    whole = Path.mkdir

    def interrupted(self, *arguments, **how):
        whole(self, *arguments, **how)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "mkdir", interrupted)
    with pytest.raises(KeyboardInterrupt), folder(tmp_path / "here"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing_behind(tmp_path):
    with pytest.raises(KeyboardInterrupt), folder(tmp_path / "here") as room:
        (room / "a.txt").write_text("a")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_an_image_in_meters_goes_back_by_its_area():
    whole = Grid(axial=np.arange(1, 41) * 1e-4, lateral=np.arange(50) * 1e-4)
    part = Grid(axial=whole.axial[5:8], lateral=whole.lateral[7:11])
    values = on_picture(np.arange(12).reshape(3, 4), part, (5, 7, 3, 4), whole)
    assert values.shape == (40, 50)
    np.testing.assert_array_equal(values[5:8, 7:11], np.arange(12).reshape(3, 4))
    assert on_picture(np.ones((40, 50)), whole, None, whole).sum() == 2000


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
