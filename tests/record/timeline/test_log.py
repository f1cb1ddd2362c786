"""A recording outlives its program, and no damage to it passes unseen or unnamed."""

import json
import os
import resource
import signal
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.core import Event, FormatError, InputError, OutputError
from insonate.record.timeline.log import BEGIN, END, HEAD, MAGIC, Damage, Log, check, packed, scan
from refusals import refused

KILLS = int(os.environ.get("INSONATE_KILLS", "10"))
"""How many recordings are killed at a random moment; the whole test of the issue is 100."""

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def recorded(path, n=6, *, closed=True, data=b"\x00\xa5REC" * 5):
    """A short recording, whose data look like records here and there."""
    log = Log(path)
    log.append(0.0, BEGIN, {"source": "a test"})
    for k in range(1, n):
        log.append(0.05 * k, "frame", {"number": k}, data)
    if closed:
        log.close(0.05 * n)
    return path


def read(path):
    """Events, and what is damaged."""
    found = list(scan(path))
    return [e for e in found if isinstance(e, Event)], [d for d in found if isinstance(d, Damage)]


def test_a_record_byte_for_byte():
    record = packed(Event(sequence=2, time=0.5, kind="cue", content={"a": 1}, data=b"xyz"))
    mark, length, checked = struct.unpack_from("<4sII", record)
    body = record[12:]
    assert mark == b"\xa5REC" and length == len(body)
    assert checked == zlib.crc32(struct.pack("<I", length) + body)
    (n_text,) = struct.unpack_from("<I", body)
    assert json.loads(body[4 : 4 + n_text]) == {"n": 2, "t": 0.5, "k": "cue", "c": {"a": 1}}
    assert body[4 + n_text :] == b"xyz"


@given(
    st.lists(st.tuples(st.text(min_size=1).filter(str.strip), st.dictionaries(st.text(), PLAIN), st.binary()))
)
@settings(max_examples=25, deadline=None)
def test_what_was_written_is_read(tmp_path_factory, events):
    path = tmp_path_factory.mktemp("log") / "one.insotime"
    log = Log(path)
    for k, (kind, content, data) in enumerate(events):
        log.append(float(k), kind, content, data)
    log.close(float(len(events)))
    known, damage = read(path)
    assert damage == []
    assert [(e.kind, dict(e.content), e.data) for e in known[:-1]] == events
    assert [e.sequence for e in known] == list(range(len(events) + 1))
    assert known[-1].kind == END


def test_it_can_be_read_while_it_is_written(tmp_path):
    log = Log(tmp_path / "one.insotime")
    for k in range(5):
        log.append(float(k), "frame", {})
        assert len(read(log.path)[0]) == k + 1
    assert not check(log.path).closed
    log.close(5.0)
    assert check(log.path).closed


def test_every_flipped_byte_is_noticed_and_named(tmp_path):
    path = recorded(tmp_path / "one.insotime")
    good = path.read_bytes()
    whole, _ = read(path)
    edges = [len(MAGIC)]
    for event in whole:
        edges.append(edges[-1] + len(packed(event)))
    assert edges[-1] == len(good)
    for at in range(len(good)):
        for flip in (0x01, 0xFF) if at % 3 == 0 else (0x80,):
            spoiled = bytearray(good)
            spoiled[at] ^= flip
            path.write_bytes(spoiled)
            events, damage = read(path)
            assert len(damage) == 1, at
            hit = int(np.searchsorted(edges, at, side="right")) - 1  # -1 is the beginning of the file
            left = [e.sequence for e in whole if e.sequence != hit]
            assert [e.sequence for e in events] == left, at  # all others are still there
            assert damage[0].offset <= at < damage[0].offset + damage[0].length
            last = hit == len(whole) - 1
            assert damage[0].at_end == last
            assert damage[0].after == (hit - 1 if hit > 0 else None)
            report = check(path)
            assert not (report.whole and report.closed)
            assert report.damage[0].sentence


def test_damage_is_told_in_words(tmp_path):
    path = recorded(tmp_path / "one.insotime")
    content = bytearray(path.read_bytes())
    content[300] ^= 4
    path.write_bytes(content)
    report = check(path)
    assert not report.whole and report.closed and report.missing == 1
    assert report.damage[0].sentence == "bytes 246..346, after event 2, are damaged"
    path.write_bytes(bytes(content[:-3]))
    left = len(packed(Event(sequence=6, time=0.05 * 6, kind=END))) - 3
    assert check(path).damage[1].sentence == f"the last {left} bytes, after event 5, are no whole record"


def test_wherever_it_is_cut_all_before_is_read(tmp_path):
    path = recorded(tmp_path / "one.insotime")
    good = path.read_bytes()
    whole, _ = read(path)
    edges = np.cumsum([len(MAGIC), *(len(packed(event)) for event in whole)])
    for end in range(len(MAGIC), len(good), 2):
        path.write_bytes(good[:end])
        events, damage = read(path)
        n_whole = int(np.searchsorted(edges, end, side="right")) - 1
        assert len(events) == n_whole
        assert len(damage) == (0 if end in edges else 1)
        report = check(path)
        assert not report.closed
        assert report.whole == (n_whole > 0)


def test_records_that_are_taken_out_are_missed(tmp_path):
    path = recorded(tmp_path / "one.insotime")
    events, _ = read(path)
    with path.open("wb") as file:
        file.write(MAGIC)
        for event in events:
            if event.sequence not in (2, 3):
                file.write(packed(event))
    report = check(path)
    assert report.missing == 2 and not report.whole and report.damage == []


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_file_breaks_the_reading(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("log") / "one.insotime"
    for begun in (b"", MAGIC, MAGIC + HEAD.pack(b"\xa5REC", 5, zlib.crc32(b"\x05\0\0\0hello")) + b"hello"):
        path.write_bytes(begun + content)
        try:
            check(path)
        except FormatError:
            assert not begun


def test_another_file_is_no_recording(tmp_path):
    path = tmp_path / "picture.insotime"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    with refused(FormatError, "picture.insotime: this is no recording of Insonate"):
        check(path)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        check(tmp_path / "gone.insotime")


def test_a_file_that_is_there_is_never_written_over(tmp_path):
    path = recorded(tmp_path / "one.insotime")
    with pytest.raises(OutputError, match="cannot be recorded: File exists"):
        Log(path)
    assert check(path).closed


def test_content_that_is_not_plain_is_refused_and_the_log_goes_on(tmp_path):
    log = Log(tmp_path / "one.insotime")
    with pytest.raises(InputError, match="must be plain values"):
        log.append(0.0, "frame", {"pixels": np.zeros(3)})
    with pytest.raises(InputError, match="must be plain values"):
        log.append(0.0, "frame", {"depth": float("nan")})
    log.append(0.0, "frame", {})
    assert check(log.path).events == 1
    log.let_go()


def test_a_full_disk_ends_it_with_the_last_whole_record(tmp_path):
    log = Log(tmp_path / "one.insotime")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
        with pytest.raises(OutputError, match="recording stopped: File too large"):
            for k in range(100):
                log.append(0.1 * k, "frame", {"number": k}, bytes(300))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    events, damage = read(log.path)
    assert damage == [] and 10 < len(events) == k
    with pytest.raises(OutputError, match="the recording has ended"):
        log.append(0.0, "frame", {})
    log.close()  # nothing more to say


CHILD = """
import sys, time
from pathlib import Path
from insonate.record.timeline import Recorder
recorder = Recorder(Path(sys.argv[1]), {"source": "a child"})
number = 0
while True:
    number += 1
    recorder.add("frame", {"number": number}, bytes(140_000))
    recorder.add("command", {"number": number})
    sys.stdout.write(f"{number} {time.monotonic()}\\n"); sys.stdout.flush()
    time.sleep(0.03)
"""


@pytest.mark.slow
def test_a_killed_program_loses_at_most_a_second(tmp_path):
    rng = np.random.default_rng(1)
    lost = []
    for k in range(KILLS):
        path = tmp_path / f"{k}.insotime"
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
        child.stdout.readline()
        time.sleep(rng.uniform(0, 0.6))
        killed = time.monotonic()
        child.kill()
        told = [line.split() for line in child.communicate()[0].splitlines()]
        told = [(int(words[0]), float(words[1])) for words in told if len(words) == 2]
        report = check(path)
        assert report.whole and not report.closed and report.begin["source"] == "a child"
        kept = {
            (e.kind, e.content["number"])
            for e in scan(path, data=False)
            if isinstance(e, Event) and e.kind != BEGIN
        }
        for number, at in told:
            if ("frame", number) not in kept or ("command", number) not in kept:
                lost.append(killed - at)
        path.unlink()
    assert max(lost, default=0.0) <= 1.0
