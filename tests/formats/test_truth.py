import dataclasses

import h5py
import numpy as np
import pytest

from insonate.core import FormatError, Grid, InputError, Structure, Tissue
from insonate.core.anatomy import Side
from insonate.core.truth import Truth
from insonate.formats import truth as truths
from insonate.formats.truth import read, write
from refusals import refused

NERVE = Structure(name="femoral nerve", tissue=Tissue.NERVE, code="7", side=Side.LEFT, named_by="a test")
FAT = Structure(name="fat", tissue=Tissue.FAT, instance=2)


def one(number=0, **changes):
    rng = np.random.default_rng(number)
    usual = {
        "time": 0.05 * number,
        "grid": Grid(axial=np.arange(1, 5) * 1e-3, lateral=np.arange(3) * 1e-3),
        "labels": rng.integers(0, 3, (4, 3)).astype(np.uint8),
        "structures": (NERVE, FAT),
        "displacement": rng.normal(0, 1e-3, (4, 3, 3)).astype(np.float32),
        "velocity": rng.normal(0, 1e-2, (4, 3, 3)).astype(np.float32),
        "shear_modulus": rng.uniform(1e3, 1e4, (4, 3)).astype(np.float32),
        "injectate": rng.random((4, 3)) > 0.5,
        "injected": 1e-7 * number,
        "needle_tip": None if number == 0 else np.array([1e-3, 0, 2e-3]),
        "needle_direction": None if number == 0 else np.array([0.6, 0, 0.8]),
        "given": {} if number == 0 else {"nerve": 1e-7, "vessel": 1e-7 * (number - 1)},
        "clearances": {} if number == 0 else {"femoral nerve": -1e-3 * number, "fat 2": 0.02},
        "shaft_clearances": {} if number == 0 else {"femoral nerve": -1e-3 * number, "fat 2": 0.01},
        "cross_sections": {"femoral nerve": 2e-5},
    }
    return Truth(**usual | changes)


def same(a, b):
    for field in dataclasses.fields(Truth):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if field.name == "grid":
            assert np.array_equal(x.axial, y.axial) and np.array_equal(x.lateral, y.lateral)
        elif isinstance(x, np.ndarray):
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y)
        else:
            assert x == y


def test_truths_come_back_without_loss(tmp_path):
    path = tmp_path / "truth.h5"
    given = [one(number) for number in range(4)]
    assert write(path, iter(given)) == 4
    for before, after in zip(given, read(path), strict=True):
        same(before, after)


def test_nothing_is_no_file(tmp_path):
    with refused(InputError, "a file must hold at least one truth, got none"):
        write(tmp_path / "t.h5", [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "other",
    [
        {"grid": Grid(axial=np.arange(2, 6) * 1e-3, lateral=np.arange(3) * 1e-3)},
        {"structures": (NERVE, FAT, NERVE)},
        {"displacement": np.zeros((4, 3, 3))},
    ],
)
def test_truths_that_differ_are_refused_and_nothing_is_left(tmp_path, other):
    with refused(
        InputError, "truths of one file must share grid, structures and kinds of number, got another one at 1"
    ):
        write(tmp_path / "t.h5", [one(0), one(1, **other)])
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_fails_half_way_leaves_nothing(tmp_path):
    def broken():
        yield one(0)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write(tmp_path / "t.h5", broken())
    assert list(tmp_path.iterdir()) == []


def test_a_bound_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(truths, "MOST_FRAMES", 2)
    with refused(InputError, "a file can hold at most 2 truths and 4 GB, got more"):
        write(tmp_path / "t.h5", [one(n) for n in range(3)])
    monkeypatch.undo()
    path = tmp_path / "t.h5"
    write(path, [one(n) for n in range(3)])
    monkeypatch.setattr(truths, "MOST_FRAMES", 2)
    with refused(FormatError, "t.h5: expected 1..2 truths, got 3"):
        read(path)


def changed(tmp_path, change):
    path = tmp_path / "t.h5"
    write(path, [one(0), one(1)])
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def replace(name, values):
    def change(file):
        del file[name]
        if values is not None:
            file[name] = values

    return change


def version(file):
    file.attrs["version"] = 3


def stranger(file):
    file.attrs["format"] = "insonate"


def unstored(file):
    file["labels"].resize(3, axis=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (version, "t.h5: version 2 of truths is read, got version 3"),
        (stranger, "t.h5: expected HDF5 of truths, got another kind of HDF5 file"),
        (replace("velocity", None), "t.h5: velocity must be numbers stored in this very file"),
        (
            replace("velocity", h5py.ExternalLink("/etc/passwd", "x")),
            "t.h5: velocity must be numbers stored in this very file",
        ),
        (replace("times", np.zeros(3)), "t.h5: labels must have one entry for each of 3 truths, got 2"),
        (replace("structures", 3.0), "t.h5: structures must be text stored in this very file"),
        (unstored, "t.h5: labels was not stored in full (an interrupted writing?)"),
        (
            replace("labels", np.full((2, 4, 3), 9, np.uint8)),
            "t.h5: Truth.labels must stand for one of 2 structures, got 9",
        ),
    ],
)
def test_a_file_that_lies_is_refused(tmp_path, change, message):
    with refused(FormatError, message):
        read(changed(tmp_path, change))


def test_what_is_no_hdf5_is_refused_in_one_line(tmp_path):
    path = tmp_path / "t.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(200))
    with pytest.raises(FormatError, match="expected a whole file of truths, got a damaged or truncated one"):
        read(path)


def test_a_file_cut_short_is_refused(tmp_path):
    path = tmp_path / "t.h5"
    write(path, [one(n) for n in range(20)])
    whole = path.read_bytes()
    for share in (0.3, 0.6, 0.9, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(FormatError):
            read(path)
