"""Recordings of a folder: listed, renamed, deleted, and never anything outside it."""

import pytest

from insonate.core import InputError, UnknownNameError
from insonate.record.timeline.library import Library, check_title
from insonate.record.timeline.log import BEGIN, Log
from refusals import refused


def recorded(library, title, began):
    path = library.fresh(title)
    log = Log(path)
    log.append(0.0, BEGIN, {"source": title, "began": began})
    log.close()
    return path


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path / "recordings")


def test_a_folder_that_is_not_there_holds_none(library):
    assert library.entries() == ()


def test_recordings_are_listed_newest_first_with_what_was_examined(library):
    recorded(library, "one", 100.0)
    recorded(library, "two", 200.0)
    (library.folder / "notes.txt").write_text("x")
    (library.folder / "odd.insotime").write_bytes(b"no recording")
    assert [one.begin["source"] for one in library.entries()] == ["two", "one"]
    assert all(one.size == one.path.stat().st_size for one in library.entries())


def test_two_recordings_of_one_second_have_two_names(library):
    assert recorded(library, "one", 0.0) != recorded(library, "one", 0.0)


def test_one_is_renamed_and_deleted(library):
    path = recorded(library, "one", 0.0)
    name = library.entries()[0].name
    library.rename(name, "  Femoral, right (2) ")
    assert [one.name for one in library.entries()] == ["Femoral, right (2)"]
    assert not path.exists()
    library.delete("Femoral, right (2)")
    assert library.entries() == ()


def test_no_name_leaves_the_folder(library, tmp_path):
    recorded(library, "one", 0.0)
    name = library.entries()[0].name
    outside = tmp_path / "secret.insotime"
    outside.write_bytes(b"x")
    for wrong in ("../secret", "/etc/passwd", ".hidden", "", "a/b", "x" * 81, "a\0b", "a\nb"):
        with pytest.raises(InputError):
            check_title(wrong)
        with pytest.raises(InputError):
            library.rename(name, wrong)
        with pytest.raises(UnknownNameError):
            library.delete(wrong)
    assert outside.exists() and len(library.entries()) == 1


def test_a_name_that_is_taken_or_unknown_is_refused(library):
    recorded(library, "one", 0.0)
    first = library.entries()[0].name
    library.rename(first, "kept")
    recorded(library, "two", 1.0)
    other = library.entries()[0].name
    with refused(InputError, "there is a recording named 'kept' already"):
        library.rename(other, "kept")
    with refused(
        UnknownNameError, f"recording must be one of {other}, kept, got 'kep' (did you mean 'kept'?)"
    ):
        Library(library.folder).path("kep")
