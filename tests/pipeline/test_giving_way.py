"""A thread that gives way is nicer than it was, and no other is."""

import os
import sys
import threading

import pytest

from insonate.pipeline import giving_way
from insonate.pipeline.giving_way import NICER, give_way

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="niceness of a thread is Linux's")


def _niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@linux
def test_the_thread_that_asks_gives_way_and_no_other():
    before, seen = _niceness(), []

    def work():
        seen.extend([give_way(), _niceness()])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True, min(before + NICER, 19)]
    assert _niceness() == before


def test_elsewhere_nothing_is_done(monkeypatch):
    monkeypatch.setattr(giving_way.sys, "platform", "darwin")
    before = _niceness() if hasattr(os, "getpriority") else None
    assert give_way() is False
    assert before is None or _niceness() == before


@linux
def test_where_it_is_not_allowed_the_thread_goes_on(monkeypatch):
    def refused(*_):
        raise PermissionError("no")

    monkeypatch.setattr(giving_way.os, "setpriority", refused)
    assert give_way() is False
