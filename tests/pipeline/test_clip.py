"""A recording written as a clip and read back: each moment shows the newest frame, and a gap goes dark and says so."""

import numpy as np
import pytest

from insonate.core import FormatError, InputError
from insonate.display.caption import LINE
from insonate.formats import video
from insonate.pipeline.clip import DARK, GAP, write_clip
from insonate.record.timeline import Log
from refusals import refused

RATE = 20.0
BRIGHT = {1: 60, 2: 120, 3: 180, 4: 240}


def recorded(path, frames, *, simulated=True, until=2.0, cues=()):
    log = Log(path)
    log.append(0.0, "begin", {"source": "a test", "simulated": simulated})
    events = [(at, "frame", number) for at, number in frames] + [(at, "cues", row) for at, row in cues]
    for at, kind, what in sorted(events, key=lambda one: one[0]):
        if kind == "cues":
            log.append(at, kind, {"time": at, "cues": what})
            continue
        content = {"number": what, "shape": [60, 80], "step": [5e-4, 5e-4], "source_time": at}
        log.append(at, kind, content, np.full((60, 80), BRIGHT[what], np.uint8).tobytes())
    log.append(until, "note", {})
    log.close(until)
    return path


def shown(path):
    """Brightness of the frame in each picture, and the pictures."""
    values = 255 * video.read(path)[0].values
    return values[:, LINE + 100 : LINE + 380, 100:380].mean(axis=(1, 2)), values


def test_each_moment_shows_the_newest_frame_and_a_gap_goes_dark(tmp_path):
    kept = recorded(tmp_path / "a.insrec", [(0.1, 1), (0.4, 2), (0.45, 3), (1.8, 4)])
    count = write_clip(kept, tmp_path / "a.mp4", frame_rate=RATE)
    grey, _ = shown(tmp_path / "a.mp4")
    assert count == len(grey) == 39  # two seconds, less the moment before the first frame
    at = (np.arange(len(grey)) + 2) / RATE
    for moment, value in zip(at, grey, strict=True):
        truth = 60 if moment < 0.4 else 120 if moment < 0.45 else 180 if moment < 1.8 else 240
        since = 0.1 if moment < 0.4 else 0.4 if moment < 0.45 else 0.45 if moment < 1.8 else 1.8
        old = moment - since > GAP + 1e-9
        assert value == pytest.approx(truth * (DARK if old else 1), abs=6), moment


def test_what_it_is_stands_above_and_what_was_cued_below(tmp_path):
    said = {"level": "stop", "message": "Hold.", "reason": "0.4 mm to the artery"}
    kept = recorded(tmp_path / "a.insrec", [(0.1, 1), (0.9, 1)], until=1.2, cues=[(0.6, [said])])
    write_clip(kept, tmp_path / "a.mp4", frame_rate=RATE)
    _, pictures = shown(tmp_path / "a.mp4")
    assert pictures[:, :LINE].max(axis=(1, 2)).min() > 150
    cue = pictures[:, -LINE:].max(axis=(1, 2))
    assert cue[0] < 60 < 150 < cue[-1]


def test_where_the_recording_is_damaged_no_silence_says_that_all_is_well(tmp_path):
    said = {"level": "stop", "message": "Hold.", "reason": "0.4 mm to the artery"}
    kept = recorded(tmp_path / "a.insrec", [(0.1, 1), (0.8, 2)], until=1.2, cues=[(0.5, [said])])
    whole = bytearray(kept.read_bytes())
    whole[whole.index(b"Hold.")] ^= 1
    kept.write_bytes(whole)
    write_clip(kept, tmp_path / "a.mp4", frame_rate=RATE)
    _, pictures = shown(tmp_path / "a.mp4")
    assert pictures[-1, -LINE:].max() > 150


def test_progress_is_told_to_the_end(tmp_path):
    told = []
    kept = recorded(tmp_path / "a.insrec", [(0.1, 1)], until=0.5)
    write_clip(
        kept, tmp_path / "a.mp4", frame_rate=RATE, report=lambda done, of, what: told.append((done, of))
    )
    assert told[-1] == (10, 10)


def test_what_is_no_recording_or_holds_no_frame_leaves_no_clip(tmp_path):
    nothing = recorded(tmp_path / "none.insrec", [])
    with refused(InputError, "none.insrec: the recording holds no frame"):
        write_clip(nothing, tmp_path / "a.mp4")
    with refused(InputError, "a clip's name must end in .mp4, got 'a.avi'"):
        write_clip(recorded(tmp_path / "b.insrec", [(0.1, 1)]), tmp_path / "a.avi")
    (tmp_path / "c.insrec").write_bytes(b"no recording")
    with pytest.raises(FormatError):
        write_clip(tmp_path / "c.insrec", tmp_path / "a.mp4")
    assert not (tmp_path / "a.mp4").exists()
