"""A recording told on a page: what stood from when to when, what was known for how long, and every word of it as words."""

import re

import numpy as np
import pytest

from insonate.core import FormatError
from insonate.pipeline.recording_page import LASTS, MOST_STILLS, recording_page
from insonate.record.timeline import Log

HOLD = {
    "level": "caution",
    "rule": "clearance",
    "about": "femoral artery",
    "message": "Too near.",
    "reason": "2.0 mm",
}
STOP = {"level": "stop", "rule": "pressure", "about": "injection", "message": "Stop.", "reason": "120 kPa"}
BLIND = {"level": "unknown", "rule": "tip", "about": "needle", "message": "Find it.", "reason": "lost"}


def recorded(path, *, close=True, simulated=True, until=10.0, events=()):
    log = Log(path)
    log.append(
        0.0, "begin", {"source": "a <b>source</b>", "simulated": simulated, "procedure": "LL01", "began": 1.0}
    )
    frames = [
        (
            0.1 * n,
            "frame",
            {"number": n, "shape": [40, 60], "step": [1e-3, 1e-3], "source_time": 0.1 * n},
            np.full((40, 60), 100, np.uint8).tobytes(),
        )
        for n in range(1, int(10 * until))
    ]
    for at, kind, content, data in sorted(
        [*frames, *((*one, b"") for one in events)], key=lambda one: one[0]
    ):
        log.append(at, kind, content, data)
    if close:
        log.close(until)
    else:
        log.let_go()
    return path


def cues(at, *rows):
    return at, "cues", {"time": at, "cues": list(rows)}


def seen(at, **known):
    rows = [{"structure": name.replace("_", " "), "known": flag} for name, flag in known.items()]
    return at, "guidance", {"hazards": rows}


def test_a_cue_is_told_from_when_to_when_and_who_noted_it(tmp_path):
    noted = HOLD | {"acknowledged_by": "viewer 1"}
    page = recording_page(
        recorded(tmp_path / "a.insotime", events=[cues(2.0, HOLD), cues(3.0, noted, BLIND), cues(4.5, BLIND)])
    )
    rows = re.findall(r"<tr><td style.*?</tr>", page)
    assert len(rows) == 2
    assert "CAUTION" in rows[0] and "0:02.0" in rows[0] and "2.5 s" in rows[0] and "viewer 1" in rows[0]
    assert "UNKNOWN" in rows[1] and "to the end" in rows[1] and "nobody" in rows[1]


def test_a_cue_that_comes_again_is_told_twice(tmp_path):
    events = [cues(1.0, STOP), cues(2.0), cues(3.0, STOP), cues(4.0)]
    page = recording_page(recorded(tmp_path / "a.insotime", events=events))
    assert len(re.findall(r"<tr><td style", page)) == 2


def test_a_hazard_was_known_as_long_as_it_was_seen_and_no_longer(tmp_path):
    events = [
        seen(1.0, femoral_artery=True, femoral_vein=False),
        seen(2.0, femoral_artery=True, femoral_vein=True),
        seen(4.0, femoral_artery=False, femoral_vein=True),  # nothing more is seen until the end
    ]
    page = recording_page(recorded(tmp_path / "a.insotime", events=events))
    shares = dict(re.findall(r"<td>(femoral \w+)</td><td>(\d+) %", page))
    assert shares == {
        "femoral artery": f"{100 * 3 / 9:.0f}",
        "femoral vein": f"{100 * (2 + LASTS) / 9:.0f}",
    }


def test_loud_cues_have_a_picture_and_no_page_holds_too_many(tmp_path):
    events = [cues(0.5 + 0.4 * n, *(() if n % 2 else (STOP,))) for n in range(20)]
    page = recording_page(recorded(tmp_path / "a.insotime", events=events))
    assert page.count("<img") == MOST_STILLS
    assert page.count("stop: Stop.") == MOST_STILLS - 1
    assert "first picture" in page


def test_what_it_is_stands_at_the_top_and_no_word_of_it_is_markup(tmp_path):
    events = [cues(1.0, HOLD | {"message": "<script>alert(1)</script>"})]
    page = recording_page(recorded(tmp_path / "a.insotime", events=events))
    assert "SIMULATED" in page and "not a medical device" in page
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "a &lt;b&gt;source" in page
    assert "SIMULATED" not in recording_page(recorded(tmp_path / "b.insotime", simulated=False))


@pytest.mark.parametrize("rows", [None, [3], [{"level": "loud"}], "words"])
def test_cues_of_another_form_are_unknown_and_no_silence(tmp_path, rows):
    page = recording_page(recorded(tmp_path / "a.insotime", events=[(1.0, "cues", {"cues": rows})]))
    assert "No cue above information stood." not in page
    assert "What stood here is not known." in page


def test_what_was_given_and_how_deep_the_needle_went_is_told(tmp_path):
    events = [
        (1.0, "injection", {"volume": 2e-6, "pressure": 3e4, "rate": 0.0, "time": 1.0}),
        (2.0, "injection", {"volume": 5e-6, "pressure": None, "rate": 0.0, "time": 2.0}),
        (2.5, "command", {"kind": "AdvanceNeedle", "inserted": 0.031}),
        (2.6, "step", {"who": "viewer 1", "what": "left plan"}),
    ]
    page = recording_page(recorded(tmp_path / "a.insotime", events=events))
    assert "5.0 mL" in page and "30 kPa" in page and "31 mm" in page and "left plan" in page


def test_where_nothing_was_judged_or_a_part_is_damaged_no_silence_says_that_all_was_well(tmp_path):
    assert "Nothing was judged" in recording_page(recorded(tmp_path / "a.insotime"))
    quiet = recorded(tmp_path / "b.insotime", events=[cues(1.0), seen(1.0, femoral_artery=True)])
    page = recording_page(quiet)
    assert "No cue above information stood." in page
    raw = bytearray(quiet.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    quiet.write_bytes(raw)
    page = recording_page(quiet)
    assert "No cue above information stood." not in page
    assert "UNKNOWN" in page and "What stood here is not known." in page


def test_after_a_damaged_part_nothing_counts_as_known_until_it_is_seen_again(tmp_path):
    path = recorded(tmp_path / "a.insotime", events=[seen(4.0, femoral_artery=True)])
    raw = bytearray(path.read_bytes())
    raw[int(0.45 * len(raw))] ^= 0xFF  # half a second later
    path.write_bytes(raw)
    (share,) = re.findall(r"<td>femoral artery</td><td>(\d+) %", recording_page(path))
    assert int(share) < 100 * 1.0 / 6


def test_damage_and_a_cut_are_told(tmp_path):
    whole = recorded(tmp_path / "a.insotime")
    assert "Every byte is as it was written" in recording_page(whole)
    raw = bytearray(whole.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    (tmp_path / "b.insotime").write_bytes(raw)
    assert "are damaged" in recording_page(tmp_path / "b.insotime")
    assert "was cut off" in recording_page(recorded(tmp_path / "c.insotime", close=False))


def test_what_is_no_recording_is_refused(tmp_path):
    (tmp_path / "a.insotime").write_bytes(b"no")
    with pytest.raises(FormatError):
        recording_page(tmp_path / "a.insotime")
