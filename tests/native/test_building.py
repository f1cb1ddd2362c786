"""Building the native kernels: whole or not at all, with the compiler wanted, and a wheel that serves every Python 3."""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from conftest import CHECKOUT

NATIVE = CHECKOUT / "native"


def script(path=NATIVE / "build_native.py"):
    spec = spec_from_file_location("build_native", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def build_native():
    return script()


def tool(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


needs_a_compiler = pytest.mark.skipif(
    not any(shutil.which(name) for name in ("gcc", "clang")), reason="no compiler is at hand"
)


def test_the_named_compiler_comes_first_with_its_options(build_native, monkeypatch, tmp_path):
    mine = tool(tmp_path, "mine", "exit 1")
    monkeypatch.setenv("CC", f"{mine} -m64")
    assert build_native.compilers()[0] == [mine, "-m64"]
    monkeypatch.setenv("CC", "no-such-compiler")
    assert ["no-such-compiler"] not in build_native.compilers()


def test_without_a_compiler_it_says_so_in_one_line_and_keeps_what_was_built(monkeypatch, tmp_path):
    library = tmp_path / "libinsonate.so"
    library.write_text("built before")
    build_native = script()
    monkeypatch.setattr(build_native, "compilers", list)
    with pytest.raises(OSError, match=r"^no C\+\+ compiler was found$"):
        build_native.build(library)
    assert library.read_text() == "built before"
    hidden = dict(os.environ, PATH=str(tmp_path), CC="")
    done = subprocess.run(
        [sys.executable, "-S", str(NATIVE / "build_native.py")],
        env=hidden,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "The native kernels were not built (no C++ compiler was found): numba's, slower, are used. "
        "Again: make native\n"
    )


def test_a_compiler_that_fails_is_passed_over_and_its_own_words_are_told(build_native, monkeypatch, tmp_path):
    library = tmp_path / "libinsonate.so"
    broken = tool(tmp_path, "broken", "echo 'x.cpp:1:1: error: no such thing' >&2; exit 1")
    monkeypatch.setattr(build_native, "compilers", lambda: [[broken]])
    with pytest.raises(OSError, match=r"broken: x.cpp:1:1: error: no such thing$"):
        build_native.build(library)
    assert list(tmp_path.iterdir()) == [Path(broken)]
    works = tool(tmp_path, "works", 'while [ "$1" != -o ]; do shift; done; echo library > "$2"')
    monkeypatch.setattr(build_native, "compilers", lambda: [[broken], [works]])
    assert build_native.build(library) == works
    assert library.read_text() == "library\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken", "libinsonate.so", "works"]


def test_every_source_is_compiled(build_native):
    sources = {path.stem for path in (NATIVE / "cpp").glob("*.cpp")}
    named = {"kernels_plain", "library", "pool"}.union(*map(set, build_native.INSTRUCTIONS.values()))
    assert named == sources


@needs_a_compiler
@pytest.mark.slow
def test_the_wheel_serves_every_python_of_this_platform_and_works_away_from_the_checkout(tmp_path):
    """Built from a copy, as from an sdist; the library of the checkout stays as it is."""
    copy = tmp_path / "native"
    shutil.copytree(NATIVE, copy, ignore=shutil.ignore_patterns("libinsonate.*", "__pycache__"))
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            tmp_path,
            copy,
        ],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith("insonate_native-0.1.0-py3-none-")
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        packed.extractall(tmp_path / "installed")
    assert sum(name.startswith("insonate_native/libinsonate.") for name in names) == 1
    assert not any(name.endswith((".cpp", ".hpp")) for name in names)
    asked = "import insonate_native as n; print(n.__file__); print(n.available()[-1])"
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            f"import sys; sys.path[:0] = {[str(tmp_path / 'installed'), *sys.path]!r}; {asked}",
        ],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.stdout.splitlines() == [
        str(tmp_path / "installed" / "insonate_native" / "__init__.py"),
        "plain",
    ]
