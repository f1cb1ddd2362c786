"""No path of anybody's machine, no registry's address, and no big file is owed to every clone."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from architecture.tree import CHECKOUT

MADE = {".git", ".venv", "node_modules", "mutants", "build", "dist", "_build", "static", "__pycache__"}
MADE |= {".hypothesis", ".mypy_cache", ".ruff_cache"}
MACHINE_PATH = re.compile(r"(?<![\w.:/>-])/(?:home|root|Users|work|opt|mnt|srv)/[\w.]|[A-Z]:\\Users")
REGISTRY = re.compile(
    r'"resolved":\s*"http|--(?:extra-)?index-url|--find-links|pypi\.org/simple|registry\.npmjs\.org'
)
LARGEST = 4 * 2**20
"""Bytes that one file may have."""


def tracked() -> list[Path]:
    """Files that git knows, or where there is no git, all that were not made by a tool."""
    if shutil.which("git") and (CHECKOUT / ".git").exists():
        done = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=False)
        if done.returncode == 0:
            names = done.stdout.decode().split("\0")
            return [CHECKOUT / name for name in names if name and (CHECKOUT / name).is_file()]
    return [p for p in CHECKOUT.rglob("*") if p.is_file() and not MADE & set(p.relative_to(CHECKOUT).parts)]


def found(pattern: re.Pattern[str]) -> list[str]:
    """Places in text files where the pattern is seen, except in this file."""
    places = []
    for path in tracked():
        data = path.read_bytes()
        if path == Path(__file__) or b"\0" in data[:8192] or path.suffix == ".svg":
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), start=1):
            if pattern.search(line):
                places.append(f"{path.relative_to(CHECKOUT)}:{number}: {line.strip()[:100]}")
    return places


def test_no_path_of_a_machine():
    assert found(MACHINE_PATH) == []


def test_no_address_of_a_registry():
    assert found(REGISTRY) == []


def test_no_big_file():
    assert [str(p.relative_to(CHECKOUT)) for p in tracked() if p.stat().st_size > LARGEST] == []


@pytest.mark.parametrize(
    "text", ["open('/home/ann/x')", "cd /root/project", r"C:\Users\ann", '"/opt/data/x.h5"']
)
def test_a_planted_path_is_seen(text):
    assert MACHINE_PATH.search(text)


@pytest.mark.parametrize("text", ["https://host/home/page", "static/work/x", "../root/x", "</root/>"])
def test_what_only_looks_like_a_path_is_let_through(text):
    assert not MACHINE_PATH.search(text)
