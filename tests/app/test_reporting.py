"""The look back is made by a process of its own: it says how far it is, what it found, and why it could not."""

import json
import sys
import time

import pytest

from app.serving import becomes
from insonate.app import reporting as module
from insonate.app.reporting import Reporting
from insonate.core import InputError
from refusals import refused

SCRIPT = """
import sys, time, pathlib
block, page = sys.argv[-4], sys.argv[-2]
for k in range(4):
    print(k, 4, 'living it again', file=sys.stderr, flush=True); time.sleep({pause})
{then}
"""


@pytest.fixture
def made(monkeypatch):
    """Put a short script in the place of the command."""

    def with_script(then, pause=0.02):
        class Ours(module.subprocess.Popen):
            def __init__(self, command, **more):
                assert command[1:4] == ["-m", "insonate", "debrief"]
                super().__init__(
                    [sys.executable, "-c", SCRIPT.format(pause=pause, then=then), *command[4:]], **more
                )

        monkeypatch.setattr(module.subprocess, "Popen", Ours)
        return Reporting()

    return with_script


def test_a_report_is_made_and_kept(made):
    one = made(
        "pathlib.Path(page).write_text('<p>whole'); print('{\"sentence\": \"Keep clear.\"}')", pause=0.15
    )
    with refused(InputError, "there is no report: end a guided block first"):
        one.page()
    one.make({"seed": 7})
    assert one.state == "making"
    becomes(lambda: one.share >= 0.5)
    becomes(lambda: one.state == "ready")
    assert one.facts == {"sentence": "Keep clear."}
    assert one.page() == b"<p>whole"
    assert one.trouble is None
    one.forget()
    assert one.state == "none"


@pytest.mark.parametrize(
    ("then", "why"),
    [
        ("sys.exit('no such region')", "no such region"),
        ("print('{not json'); pathlib.Path(page).write_text('x')", "Expecting property name"),
        ("print('{}')", "No such file"),
    ],
)
def test_a_report_that_fails_says_why(made, then, why):
    one = made(then)
    one.make({})
    becomes(lambda: one.state == "failed")
    assert why in one.trouble
    with refused(InputError, "there is no report: end a guided block first"):
        one.page()


def test_a_newer_report_takes_the_place_of_one_that_is_being_made(made):
    one = made("time.sleep(0.3); pathlib.Path(page).write_text(pathlib.Path(block).read_text()); print('{}')")
    one.make({"seed": 1})
    first = one._process
    one.make({"seed": 2})
    becomes(lambda: one.state == "ready")
    assert json.loads(one.page()) == {"seed": 2}
    assert first.wait(timeout=5) != 0


def test_a_report_that_never_ends_is_given_up(made, monkeypatch):
    monkeypatch.setattr(module, "LONGEST", 0.2)
    one = made("time.sleep(60)")
    began = time.monotonic()
    one.make({})
    becomes(lambda: one.state == "failed")
    assert time.monotonic() - began < 10
