"""A file is written whole or not at all, whatever goes wrong on the way."""

import errno
import os
import stat
from pathlib import Path

import pytest

from formats.hostile import full_disk
from insonate.core import InputError, OutputError
from insonate.formats.writing import replacing
from refusals import refused


def test_the_file_appears_only_when_all_is_done(tmp_path):
    path = tmp_path / "made" / "here" / "a.txt"
    with replacing(path) as room:
        room.write_text("whole")
        assert not path.exists()
        written = room.stat()
    assert path.read_text() == "whole"
    assert path.stat().st_ino == written.st_ino  # moved, not copied: a reader never sees a part of it
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, InputError])
def test_a_failure_keeps_what_was_there_and_leaves_nothing_else(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), replacing(path) as room:
        room.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_said_in_one_line(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    line = f"{path}: cannot be written: File too large; nothing was left half-written"
    with refused(OutputError, line), full_disk(), replacing(path) as room:
        room.write_bytes(bytes(10_000))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_systems_reason_is_given(tmp_path):
    line = f"{tmp_path / 'a'}: cannot be written: No space left on device; nothing was left half-written"
    with refused(OutputError, line), replacing(tmp_path / "a"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []


def test_an_error_without_a_reason_is_given_in_its_own_words(tmp_path):
    line = f"{tmp_path / 'a'}: cannot be written: the library's words; nothing was left half-written"
    with refused(OutputError, line), replacing(tmp_path / "a"):
        raise OSError("the library's words")


def test_an_inner_refusal_is_passed_on_as_it_is(tmp_path):
    with refused(OutputError, "inner"), replacing(tmp_path / "a"):
        raise OutputError("inner")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("a file")
    path = tmp_path / "file" / "a.txt"
    with (
        refused(OutputError, f"{path}: cannot be written: File exists; nothing was left half-written"),
        replacing(path),
    ):
        pass


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.mkdir()
    with pytest.raises(OutputError, match="cannot be written"), replacing(path) as room:
        room.write_text("whole")
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_without_the_right_to_write_is_refused(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"), replacing(tmp_path / "a"):
        pass


def test_the_file_has_the_rights_of_any_other_file_of_the_user(tmp_path):
    other = tmp_path / "other"
    other.write_text("other")
    with replacing(tmp_path / "made") as room:
        room.write_text("made")
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


@pytest.mark.parametrize("name", ["x" * 250, "ä" * 120, "超" * 80])
def test_a_long_name_is_no_obstacle(tmp_path, name):
    with replacing(tmp_path / name) as room:
        room.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_two_writers_do_not_meet(tmp_path):
    path = tmp_path / "a.txt"
    with replacing(path) as first, replacing(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_relative_path_is_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with replacing(Path("a.txt")) as room:
        room.write_text("whole")
    assert (tmp_path / "a.txt").read_text() == "whole"
