"""Recording holds up nobody: what waits is bounded, and when the disk refuses the one who is recorded goes on."""

import threading
import time

from insonate.core import Event, OutputError
from insonate.record.timeline import recorder as module
from insonate.record.timeline.log import BEGIN, END, Log, check, scan
from insonate.record.timeline.recorder import Recorder


def events(path):
    return [one for one in scan(path) if isinstance(one, Event)]


def test_events_are_kept_in_the_order_and_at_the_time_they_came(tmp_path):
    one = Recorder(tmp_path / "one.insotime", {"source": "a test"})
    times = []
    for k in range(20):
        times.append(one.seconds)
        one.add("frame", {"number": k}, bytes([k]))
        time.sleep(0.002)
    one.close()
    first, *rest, last = events(one.path)
    assert (first.kind, first.content["source"], last.kind) == (BEGIN, "a test", END)
    assert abs(first.content["began"] - time.time()) < 60
    assert [e.content["number"] for e in rest] == list(range(20))
    assert all(0 <= e.time - at < 0.5 for e, at in zip(rest, times, strict=True))
    assert check(one.path).whole and one.left_out == 0


def test_events_of_many_threads_are_all_there(tmp_path):
    one = Recorder(tmp_path / "one.insotime", {})
    hands = [
        threading.Thread(target=lambda who=who: [one.add("command", {"who": who, "k": k}) for k in range(50)])
        for who in range(4)
    ]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    one.close()
    told = [(e.content["who"], e.content["k"]) for e in events(one.path) if e.kind == "command"]
    assert len(told) == 200
    for who in range(4):
        assert [k for by, k in told if by == who] == list(range(50))


def test_a_slow_disk_leaves_out_pixels_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 1000)
    gate = threading.Event()
    append = Log.append

    def slow(self, at, kind, content, data=b""):
        if kind != BEGIN:
            gate.wait(20)
        return append(self, at, kind, content, data)

    monkeypatch.setattr(Log, "append", slow)
    one = Recorder(tmp_path / "one.insotime", {})
    for k in range(10):
        one.add("frame", {"number": k}, bytes(300))
        one.add("command", {"number": k})
    gate.set()
    one.close()
    kept = events(one.path)
    frames = [e for e in kept if e.kind == "frame"]
    assert [e.content["number"] for e in frames] == list(range(10))
    assert [e.content["number"] for e in kept if e.kind == "command"] == list(range(10))
    bare = [e for e in frames if not e.data]
    assert len(bare) == one.left_out >= 5
    assert all(e.content["left_out"] for e in bare)


def test_a_disk_that_refuses_ends_the_recording_and_says_why(tmp_path, monkeypatch):
    def full(self, at, kind, content, data=b""):
        raise OutputError("one.insotime: recording stopped: No space left on device")

    one = Recorder(tmp_path / "one.insotime", {})
    monkeypatch.setattr(Log, "append", full)
    one.add("frame", {})
    end = time.monotonic() + 10
    while one.running and time.monotonic() < end:
        time.sleep(0.002)
    assert one.trouble == "one.insotime: recording stopped: No space left on device"
    one.add("frame", {})  # nobody is held up
    one.close()
