"""A smoke of each benchmark: it runs, and every row has a value, a unit and what it is held to."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.__main__ import names

ROOT = Path(__file__).resolve().parents[1]

ELSEWHERE = {"app"}
"""Needs a browser and its pace: its smoke is the tests of the page."""


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(names()) - ELSEWHERE))
def test_a_smoke_of_each(name):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--quick", "--json"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["machine"]["cores"] and told["versions"]["numpy"]
    for row in told["rows"]:
        assert row["id"] and row["what"] and row["unit"], row
        assert math.isfinite(row["value"]), row
        assert row["met"] in (True, False, None)
        assert (row["target"] is None) == (row["met"] is None), row
