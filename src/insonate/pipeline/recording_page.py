"""A recording told on one page: what stood and for how long, how much of the time each hazard was known, stills, damage.

It tells what the screen said, and nothing that the screen did not know; the truth of a simulated block is in its debrief.
The page is complete in itself: no script, nothing loaded.
"""

import base64
import time
from collections import defaultdict
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from insonate.core import Event, FormatError, Level
from insonate.core.units import Seconds
from insonate.display.overlay import NOTICE
from insonate.display.palette import ground
from insonate.formats.still import png
from insonate.record.timeline import Damage, check, scan
from insonate.record.timeline.log import Report

LASTS: Seconds = 3.0
"""What was seen of a hazard is relied on so long, if nothing was seen after it [s]."""

MOST_STILLS = 8
"""Pictures on the page."""

MOST_ROWS = 400
"""Of a table; what is left off is counted."""

TALL = 360
"""Of a still [pixels]."""

COLORS = {Level.STOP.value: "#FF5A67", Level.CAUTION.value: "#FFC21A", Level.UNKNOWN.value: "#C9D1D8"}


@dataclass(slots=True)
class _Stood:
    """A cue, from when to when."""

    level: str
    about: str
    rule: str
    message: str
    reason: str
    since: Seconds
    until: Seconds | None = None
    by: str | None = None


@dataclass(slots=True)
class _Told:
    """What is gathered in one walk through the recording."""

    frames: int = 0
    longest: Seconds = 0.0
    last: Seconds | None = None
    stood: list[_Stood] = field(default_factory=list)
    judged: bool = False
    known: dict[str, Seconds] = field(default_factory=lambda: defaultdict(float))
    watched: Seconds = 0.0
    steps: list[tuple[Seconds, str, str]] = field(default_factory=list)
    stills: list[tuple[Seconds, str, Event]] = field(default_factory=list)
    given: float | None = None
    pressure: float | None = None
    inserted: float = 0.0


def recording_page(path: Path) -> str:
    """Tell a recording as a page.

    Parameters
    ----------
    path : pathlib.Path
        Of the recording.

    Returns
    -------
    str
        HTML, complete in itself.

    Raises
    ------
    FormatError
        If it is no recording, or its beginning is damaged.
    """
    report = check(path)
    if report.begin is None:
        raise FormatError(
            f"{path.name}: the beginning of the recording is damaged: what it is of is not known"
        )
    return _page(path.stem, report, _walked(path, report.seconds))


def _walked(path: Path, end: Seconds) -> _Told:
    told = _Told()
    standing: dict[tuple[str, str, str], _Stood] = {}
    hazards: tuple[Seconds, set[str]] | None = None
    newest: Event | None = None
    wanted: str | None = "first picture"
    at: Seconds = 0.0
    for event in scan(path):
        if isinstance(event, Damage):
            if event.at_end:
                continue
            told.stood.append(_lost(at, event.sentence))
            _see(hazards, at, told)
            hazards = (
                None if hazards is None else (at, set())
            )  # nobody knows that it went on, and the time counts
            continue
        at = event.time
        if event.kind == "frame":
            told.frames += 1
            told.longest = max(told.longest, at - (at if told.last is None else told.last))
            told.last, newest = at, event if event.data else newest
            if wanted is not None and event.data and len(told.stills) < MOST_STILLS:
                told.stills.append((at, wanted, event))
                wanted = None
        elif event.kind == "cues":
            loud = _take_cues(event, standing, told)
            if loud is not None and newest is not None and len(told.stills) < MOST_STILLS:
                told.stills.append((at, loud, newest))
        elif event.kind == "guidance":
            _see(hazards, at, told)
            rows = event.content.get("hazards")
            rows = rows if isinstance(rows, list) else []
            names = {str(row.get("structure")) for row in rows if isinstance(row, dict)}
            for name in names:
                told.known[name] += 0.0
            hazards = (
                at,
                {str(r["structure"]) for r in rows if isinstance(r, dict) and r.get("known") is True},
            )
        elif event.kind in ("step", "name"):
            what = event.content.get("what") or f"called it {event.content.get('name') or 'no name'}"
            told.steps.append((at, str(event.content.get("who", "")), str(what)))
        elif event.kind == "injection":
            told.given = _larger(told.given, event.content.get("volume"))
            told.pressure = _larger(told.pressure, event.content.get("pressure"))
        elif event.kind == "command":
            told.inserted = _larger(told.inserted, event.content.get("inserted")) or 0.0
    _see(hazards, end, told)
    for one in standing.values():
        told.stood.append(one)
    told.stood.sort(key=lambda one: one.since)
    return told


def _lost(at: Seconds, why: str) -> _Stood:
    """Give the row that says that nobody can tell what stood."""
    return _Stood(
        level=Level.UNKNOWN.value,
        about="recording",
        rule="recording",
        message="What stood here is not known.",
        reason=why,
        since=at,
    )


def _larger(before: float | None, now: Any) -> float | None:
    if isinstance(now, bool) or not isinstance(now, int | float):
        return before
    return float(now) if before is None else max(before, float(now))


def _see(before: tuple[Seconds, set[str]] | None, now: Seconds, told: _Told) -> None:
    """Count the time since something was seen for those that were known in it."""
    if before is None:
        return
    at, known = before
    told.watched += now - at
    for name in known:
        told.known[name] += min(now - at, LASTS)


def _take_cues(event: Event, standing: dict[tuple[str, str, str], _Stood], told: _Told) -> str | None:
    """Take what stands now; give the words of a loud one that is new."""
    rows = event.content.get("cues")
    told.judged |= isinstance(rows, list)
    now: dict[tuple[str, str, str], dict[str, Any]] = {}
    levels = {level.value for level in Level}
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and row.get("level") in levels for row in rows
    ):
        told.stood.append(_lost(event.time, "cues of a form that is not known here"))
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("level") in COLORS:
            now[str(row.get("level")), str(row.get("rule")), str(row.get("about"))] = row
    loud = None
    for key, row in now.items():
        if key not in standing:
            standing[key] = _Stood(
                level=key[0],
                rule=key[1],
                about=key[2],
                message=str(row.get("message", "")),
                reason=str(row.get("reason", "")),
                since=event.time,
            )
            if loud is None and key[0] in (Level.STOP.value, Level.CAUTION.value):
                loud = f"{key[0]}: {row.get('message', '')}"
        if row.get("acknowledged_by"):
            standing[key].by = str(row["acknowledged_by"])
    for key in [key for key in standing if key not in now]:
        ended = standing.pop(key)
        ended.until = event.time
        told.stood.append(ended)
    return loud


# --- the page ---


def _page(name: str, report: Report, told: _Told) -> str:
    begin = report.begin or {}
    simulated = bool(begin.get("simulated", False))
    label = "SIMULATED. " if simulated else ""
    began = begin.get("began")
    when = (
        time.strftime("%Y-%m-%d %H:%M", time.localtime(began))
        if isinstance(began, int | float)
        else "unknown"
    )
    facts = [
        ("source", str(begin.get("source", "unknown"))),
        ("procedure", str(begin.get("procedure", "unknown"))),
        ("began", when),
        ("length", _clock(report.seconds)),
        ("pictures", f"{told.frames}, {told.frames / max(report.seconds, 1e-9):.1f} a second"),
        ("longest without a picture", f"{told.longest:.2f} s"),
        ("needle, deepest", f"{1e3 * told.inserted:.0f} mm" if told.inserted > 0 else "none was moved"),
        ("given", "unknown" if told.given is None else f"{1e6 * told.given:.1f} mL by the syringe"),
        ("highest pressure", "unknown" if told.pressure is None else f"{told.pressure / 1e3:.0f} kPa"),
    ]
    listed = "".join(f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>" for key, value in facts)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{escape(name)}</title><style>{_style()}</style></head><body><main>
<p class="label">{label}{escape(NOTICE)}</p><h1>{escape(name)}</h1>
{_damage(report)}
<dl>{listed}</dl>
<h2>What stood</h2>{_cues(told)}
<h2>What was known</h2>{_known(told)}
<h2>Pictures</h2>{_stills(told)}
<h2>Steps</h2>{_steps(told)}
</main></body></html>
"""


def _damage(report: Report) -> str:
    lines = [one.sentence for one in report.damage if not one.at_end]
    if report.missing:
        lines.append(f"{report.missing} events that there were are missing")
    if not report.closed:
        lines.append("the recording was cut off: it ends with the last whole event")
    if not lines:
        return "<p>Every byte is as it was written.</p>"
    return f'<ul class="damage">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>'


def _cues(told: _Told) -> str:
    if not told.stood:
        said = (
            "No cue above information stood."
            if told.judged
            else "Nothing was judged: what there was is not known."
        )
        return f"<p>{said}</p>"
    rows = "".join(
        f'<tr><td style="color:{COLORS[one.level]}"><b>{escape(one.level.upper())}</b></td><td>{escape(one.message)}</td>'
        f"<td>{escape(one.reason)}</td><td>{_clock(one.since)}</td>"
        f"<td>{'to the end' if one.until is None else f'{one.until - one.since:.1f} s'}</td>"
        f"<td>{escape(one.by or 'nobody')}</td></tr>"
        for one in told.stood[:MOST_ROWS]
    )
    more = len(told.stood) - MOST_ROWS
    return _table(("level", "what to do", "because, at first", "from", "for", "noted by"), rows, more)


def _known(told: _Told) -> str:
    if not told.known or told.watched <= 0:
        return "<p>No hazard was looked for.</p>"
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{100 * seconds / told.watched:.0f} %</td></tr>"
        for name, seconds in sorted(told.known.items(), key=lambda one: -one[1])
    )
    return (
        "<p>Share of the time from the first labelled picture in which it was known where it lay. "
        "What is not known is not clear.</p>" + _table(("hazard", "known"), rows, 0)
    )


def _stills(told: _Told) -> str:
    figures = []
    for at, why, event in told.stills:
        try:
            rows, columns = event.content["shape"]
            pixels = np.frombuffer(event.data, np.uint8).reshape(rows, columns)
            ratio = columns * float(event.content["step"][1]) / (rows * float(event.content["step"][0]))
        except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError) as error:
            raise FormatError(f"event {event.sequence}: no frame: {str(error)[:100]}") from error
        coded = base64.b64encode(png(pixels)).decode("ascii")
        wide = max(round(TALL * ratio), 1)
        figures.append(
            f'<figure><img alt="Ultrasound picture at {_clock(at)}" width="{wide}" height="{TALL}" '
            f'src="data:image/png;base64,{coded}"><figcaption>{_clock(at)} {escape(why)}</figcaption></figure>'
        )
    return f'<div class="stills">{"".join(figures)}</div>' if figures else "<p>There is none.</p>"


def _steps(told: _Told) -> str:
    if not told.steps:
        return "<p>No thread was followed.</p>"
    rows = "".join(
        f"<tr><td>{_clock(at)}</td><td>{escape(who)}</td><td>{escape(what)}</td></tr>"
        for at, who, what in told.steps[:MOST_ROWS]
    )
    return _table(("at", "who", "what"), rows, len(told.steps) - MOST_ROWS)


def _table(heads: tuple[str, ...], rows: str, more: int) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    rest = f"<p>And {more} more.</p>" if more > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{rest}"


def _clock(seconds: Seconds) -> str:
    minutes, rest = divmod(max(seconds, 0.0), 60)
    return f"{int(minutes)}:{rest:04.1f}"


def _style() -> str:
    return f"""
:root{{color-scheme:dark}}body{{margin:0;background:{ground("background")};color:{ground("text")};
font:15px/1.5 Inter,system-ui,sans-serif}}main{{max-width:1040px;margin:0 auto;padding:16px}}
h1{{font-size:1.3rem;margin:.2em 0}}h2{{font-size:1.05rem;margin:1.4em 0 .3em}}.label{{color:{ground("text_dim")};margin:0}}
dl{{display:grid;grid-template-columns:repeat(auto-fill,minmax(220px,1fr));gap:8px;margin:0}}
dl div{{background:{ground("panel")};border-radius:6px;padding:8px 12px}}dt{{color:{ground("text_dim")};font-size:.85rem}}
dd{{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}}
table{{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}}
th,td{{text-align:left;padding:5px 10px;border-bottom:1px solid #39434d;vertical-align:top}}
.damage li{{color:#FFC21A}}.stills{{display:flex;flex-wrap:wrap;gap:12px}}figure{{margin:0;max-width:100%}}
img{{max-width:100%;height:auto;background:#000}}figcaption{{color:{ground("text_dim")};max-width:40em}}
"""
