"""A recording written as a clip and read back: each moment shows the newest frame, and a gap goes dark and says so."""

from dataclasses import replace

import av
import numpy as np
import pytest

from insonate.core import CoordinateFrame, FormatError, InputError, NeedlePose, NeedleState, SetControl
from insonate.display.caption import LINE
from insonate.display.palette import table
from insonate.formats import video
from insonate.pipeline.clip import DARK, GAP, write_clip
from insonate.pipeline.commands import plain
from insonate.pipeline.flow import Flow
from insonate.pipeline.recording import Recorded, event_of
from insonate.pipeline.still import COLOR_OLD
from insonate.record.timeline import Log
from refusals import refused
from simulation.motion.poses import held

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


def grid_of(number, at):
    return {
        "number": number,
        "shape": [60, 80],
        "origin": [0.0, -0.02],
        "step": [5e-4, 5e-4],
        "unit": "m",
        "kind": "grid",
        "source_time": at,
        "made": at,
    }


def needled(path, *, cues=(), compressed=False, flow=False):
    """A second of a grey picture with a needle that is tracked for its first half, and color in its first tenths."""
    log = Log(path)
    log.append(0.0, "begin", {"source": "a test", "simulated": True, "procedure": "LL01"})
    if compressed:
        log.append(
            0.01, "command", plain(SetControl(name="time_compression", value=4.0, time=0.0, given_by="x"))
        )
    velocities = np.full((10, 10), 127, np.int8)
    for tick in range(20):
        at = 0.05 * tick + 0.02
        kind, content, _ = event_of(replace(held(), time=at))
        log.append(at, kind, content)
        state = NeedleState.TIP if tick < 10 else NeedleState.LOST
        known = state is NeedleState.TIP
        needle = NeedlePose(
            state=state,
            tip=np.array([0.005, 0.0, 0.015]) if known else None,
            direction=np.array([0.8, 0.0, 0.6]) if known else None,
            covariance=np.diag([1e-7, 1e-8, 1e-7]) if known else None,
            frame=CoordinateFrame.PATIENT,
            time=at,
        )
        kind, content, _ = event_of(needle)
        log.append(at, kind, content)
        if flow and tick == 0:
            seen = Flow(velocities=velocities, nyquist=0.1, origin=(0.02, 0.0), step=(5e-4, 5e-4), time=at)
            kind, content, data = event_of(seen)
            log.append(at, kind, content, data)
        if tick == 2:
            for row in cues:
                log.append(at, "cues", {"time": at, "cues": [row]})
        log.append(at, "frame", grid_of(tick + 1, at), np.full((60, 80), 60, np.uint8).tobytes())
    log.append(1.0, "note", {})
    log.close(1.0)
    return path


def colored(path):
    """The pictures in color."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(int)


def count(pictures, color):
    """How many pixels of each picture are near a color."""
    wanted = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)])
    return (np.abs(pictures[:, LINE : LINE + 480] - wanted).max(axis=-1) < 60).sum(axis=(1, 2))


def greens(pictures):
    """How many pixels of each picture are greener than anything else."""
    red, green, blue = np.moveaxis(pictures[:, LINE : LINE + 480], -1, 0)
    return (green - np.maximum(red, blue) > 40).sum(axis=(1, 2))


def test_the_needle_is_drawn_as_it_was_tracked_and_gray_where_it_was_lost(tmp_path):
    kept = needled(tmp_path / "a.insrec")
    write_clip(kept, tmp_path / "a.mp4", frame_rate=RATE)
    pictures = colored(tmp_path / "a.mp4")
    green = greens(pictures)
    gray = count(pictures, table()["state"]["unknown"]["color"])
    assert green[:8].min() > 100 and green[11:].max() < 20
    assert gray[11:].min() > 100
    assert (
        len({one.shape for one in pictures}) == 1
    )  # a needle that enters beside the picture makes none wider


def test_a_reading_that_cannot_be_read_takes_no_clip_away(tmp_path):
    log = Log(tmp_path / "a.insrec")
    log.append(0.0, "begin", {"source": "a test", "simulated": True, "procedure": "XX99"})
    log.append(0.02, "frame", grid_of(1, 0.02), np.full((60, 80), 60, np.uint8).tobytes())
    for kind in ("pose", "needle", "flow", "command"):
        log.append(0.03, kind, {"nothing": "of it"})
    log.append(0.3, "note", {})
    log.close(0.3)
    assert write_clip(tmp_path / "a.insrec", tmp_path / "a.mp4", frame_rate=RATE) > 3
    assert greens(colored(tmp_path / "a.mp4")).max() < 20


def test_a_tracker_that_was_doubted_is_drawn_as_doubted(tmp_path):
    doubt = {"level": "caution", "rule": "echo", "message": "Hold.", "reason": "an echo lies 3 mm above"}
    kept = needled(tmp_path / "a.insrec", cues=[doubt])
    write_clip(kept, tmp_path / "a.mp4", frame_rate=RATE)
    green = greens(colored(tmp_path / "a.mp4"))
    assert green[0] > 100 and green[4:].max() < 20


def test_where_cues_were_lost_no_tip_is_drawn_as_seen(tmp_path):
    doubt = {"level": "caution", "rule": "echo", "message": "Hold.", "reason": "an echo lies 3 mm above"}
    kept = needled(tmp_path / "a.insrec", cues=[doubt])
    whole = kept.read_bytes()
    at = whole.index(b"an echo lies")
    kept.write_bytes(whole[:at] + b"X" + whole[at + 1 :])
    write_clip(kept, tmp_path / "a.mp4", frame_rate=RATE)
    green = greens(colored(tmp_path / "a.mp4"))
    assert green[0] > 100 and green[4:].max() < 20
    source = Recorded(kept)
    list(source.advance((), 0.1))
    assert source.doubt == ""
    list(source.advance((), 0.4))
    assert source.doubt


def test_color_is_on_the_frames_that_it_belongs_to(tmp_path):
    kept = needled(tmp_path / "a.insrec", flow=True)
    write_clip(kept, tmp_path / "a.mp4", frame_rate=RATE)
    fast = count(colored(tmp_path / "a.mp4"), table()["flow"]["toward"][1])
    assert fast[0] > 500
    assert fast[int(COLOR_OLD * RATE) + 2 :].max() < 100


def test_time_that_ran_faster_is_told(tmp_path):
    for compressed in (False, True):
        kept = needled(tmp_path / f"{compressed}.insrec", compressed=compressed)
        write_clip(kept, tmp_path / f"{compressed}.mp4", frame_rate=RATE)
    plainly, faster = (
        colored(tmp_path / f"{one}.mp4")[:, LINE + 480 : 2 * LINE + 480] for one in (False, True)
    )
    wide = [(one.max(axis=(0, 1, 3)) > 150).nonzero()[0].max() for one in (plainly, faster)]
    assert wide[1] > wide[0] + 30
