"""The examples run as they stand, and say what they should."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

EXPECTED = {
    "picture_to_path.py": "unknown",
    "own_channel_data.py": r"brightest at (20\.0\d|19\.9[5-9]) mm, [+-]0\.0\d mm",
}
"""What each says; the point lies at 20 mm and its row of pixels within 0.05 mm of it."""


def test_every_example_is_tested():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_runs(name):
    done = subprocess.run([sys.executable, EXAMPLES / name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(EXPECTED[name], done.stdout), done.stdout
