"""A debrief as a page of its own: what to do better, how near it came, what happened when. No script, nothing loaded."""

from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from insonate.core import Level
from insonate.core.units import Meters
from insonate.display.palette import ground, tissue_stroke
from insonate.formats.writing import replacing
from insonate.training.block import Block
from insonate.training.debrief import Approach, Debrief, Moment, Severity
from insonate.training.telling import Told

WIDTH, HEIGHT, LEFT, RIGHT, TOP = 920, 300, 56, 230, 14
"""Of the chart: its plot begins at LEFT and TOP and leaves RIGHT for names [px]."""
FARTHEST: Meters = 0.02
"""Distances beyond are not drawn [m]."""
LABEL = "SIMULATED PATIENT. Research and education software, not a medical device."

MOST_TOLD = 40
"""Rows of what was told; the rest is counted."""

LEVELS = {
    Level.STOP: "\u2b23 Stop",
    Level.CAUTION: "\u25b2 Caution",
    Level.UNKNOWN: "? Unknown",
    Level.INFO: "\u25cf Info",
}

WORDS = {Severity.HARM: "Harm", Severity.RISK: "Risk", Severity.STYLE: "Better"}
SHAPES = {Severity.HARM: "\u2b23", Severity.RISK: "\u25b2", Severity.STYLE: "\u25cf"}


def as_values(block: Debrief) -> dict[str, Any]:
    """Give a debrief as plain values, lengths in millimeters and volumes in milliliters.

    Parameters
    ----------
    block : Debrief
        Of one block.

    Returns
    -------
    dict
        For JSON; null is not known.
    """

    def mm(value: float | None) -> float | None:
        return None if value is None else round(1e3 * value, 2)

    def s(value: float | None) -> float | None:
        return None if value is None else round(value, 2)

    return {
        "simulated": True,
        "sentence": block.sentence,
        "findings": [
            {"severity": f.severity.value, "sentence": f.sentence, "time_s": s(f.time)}
            for f in block.findings
        ],
        "seconds": s(block.seconds),
        "scanning_s": s(block.scanning),
        "needling_s": s(block.needling),
        "punctures": block.punctures,
        "passes": block.passes,
        "advanced_mm": mm(block.advanced),
        "in_view": None if block.in_view is None else round(block.in_view, 3),
        "blind_mm": mm(block.blind),
        "probe_slips": block.probe_slips,
        "approaches": [
            {
                "structure": a.structure,
                "tissue": a.tissue.value,
                "tip_mm": mm(a.tip),
                "tip_time_s": s(a.tip_time),
                "shaft_mm": mm(a.shaft),
                "shaft_time_s": s(a.shaft_time),
            }
            for a in block.approaches
        ],
        "given_mL": {place: round(1e6 * volume, 3) for place, volume in block.given.items()},
        "target": block.target,
        "ring": None if block.ring is None else round(block.ring, 3),
        "target_gap_mm": mm(block.target_gap),
        "told": None
        if block.told is None
        else [
            {
                "level": one.level.value,
                "rule": one.rule,
                "about": one.about,
                "message": one.message,
                "begin_s": s(one.begin),
                "end_s": s(one.end),
                "acknowledged_by": None if one.acknowledged is None else one.acknowledged[0],
                "advanced_mm": mm(one.advanced),
                "withdrawn_mm": mm(one.withdrawn),
                "given_mL": round(1e6 * one.given, 2),
            }
            for one in block.told
        ],
        "planned": [
            {
                "time_s": s(one.time),
                "entry_mm": [mm(v) for v in one.entry],
                "goal_mm": [mm(v) for v in one.goal],
            }
            for one in block.planned
        ],
        "beside_mm": mm(beside(block)),
    }


def beside(block: Debrief) -> Meters | None:
    """Give how far the tip came from its planned path, in three dimensions: a line from the skin to its goal, no further.

    Parameters
    ----------
    block : Debrief
        Of one block.

    Returns
    -------
    float or None
        The most of all moments under the skin with a path taken before; None where there is none, or the probe moved off
        the picture it was taken in while the needle was inside [m].
    """
    most = None
    for moment in block.moments:
        plan = next((one for one in reversed(block.planned) if one.time <= moment.time), None)
        if plan is None or moment.place is None:
            continue
        if moment.time >= plan.until:
            return None
        entry, goal = np.array([*plan.entry, 0.0]), np.array([*plan.goal, 0.0])
        way = goal - entry
        share = min(float(np.dot(moment.place - entry, way)) / max(float(way @ way), 1e-12), 1.0)
        away = float(np.linalg.norm(moment.place - entry - share * way))
        most = away if most is None else max(most, away)
    return most


def page(block: Debrief, of: Block) -> str:
    """Give the page.

    Parameters
    ----------
    block : Debrief
        What happened.
    of : Block
        What was lived again.

    Returns
    -------
    str
        HTML, complete in itself.
    """
    title = f"Debrief: {of.settings.region.replace('_', ' ')}, seed {of.seed}, {of.operator}"
    findings = (
        "".join(
            f'<li class="{f.severity.value}"><b>{SHAPES[f.severity]} {WORDS[f.severity]}</b> {escape(f.sentence)}'
            f"{'' if f.time is None else f' <span>at {f.time:.1f} s</span>'}</li>"
            for f in block.findings
        )
        or f"<li>{escape(block.sentence)}</li>"
    )
    rows = "".join(
        f"<tr><td>{escape(a.structure)}</td><td>{_distance(a.tip)}</td><td>{a.tip_time:.1f} s</td>"
        f"<td>{_distance(a.shaft)}</td><td>{a.shaft_time:.1f} s</td></tr>"
        for a in block.approaches
    )
    near = (
        '<table><thead><tr><th scope="col">structure</th><th scope="col">tip</th><th scope="col">at</th>'
        f'<th scope="col">whole needle</th><th scope="col">at</th></tr></thead><tbody>{rows}</tbody></table>'
        if rows
        else "<p>No needle was under the skin.</p>"
    )
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in _facts(block)
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(title)}</title><style>{_style()}</style></head><body><main>
<p class="label">{LABEL}</p><h1>{escape(title)}</h1>
<p class="next"><b>Next time</b> {escape(block.sentence)}</p>
<dl>{facts}</dl>
<h2>What happened when</h2>{_chart(block)}
{_way(block)}<h2>What was told, and what was done</h2>{_told(block)}
<h2>To do better</h2><ul>{findings}</ul>
<h2>Nearest approach</h2><p>Below zero is inside. From the truth of the simulated body, in three dimensions.</p>{near}
</main></body></html>
"""


def write_page(path: Path, text: str) -> None:
    """Write a page, whole or not at all.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    text : str
        From `page`.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with replacing(path) as room:
        room.write_text(text, encoding="utf-8")


def _facts(block: Debrief) -> list[tuple[str, str]]:
    def seconds(value: float | None) -> str:
        return "none" if value is None else f"{value:.1f} s"

    def share(value: float | None) -> str:
        return "unknown" if value is None else f"{100 * value:.0f} %"

    total = 1e6 * sum(block.given.values())
    where = {"plane": "along planes", "nerve": "in a nerve", "vessel": "in a vessel", "outside": "outside"}
    given = ", ".join(f"{1e6 * v:.1f} mL {where.get(k, k)}" for k, v in block.given.items() if v > 0)
    return [
        ("scanning", seconds(block.scanning)),
        ("needling", seconds(block.needling)),
        ("punctures, passes", f"{block.punctures}, {block.passes}"),
        ("tip in view while advancing", share(block.in_view)),
        ("advanced blind", f"{1e3 * block.blind:.0f} mm"),
        ("probe slips", str(block.probe_slips)),
        ("injected", given if total > 0 else "nothing"),
        ("fluid along the target's edge", share(block.ring)),
        (
            "furthest from the planned path",
            "unknown" if (away := beside(block)) is None else f"{1e3 * away:.1f} mm",
        ),
    ]


def _distance(value: Meters) -> str:
    return f"<b>{1e3 * value:.1f} mm</b>" if value <= 0 else f"{1e3 * value:.1f} mm"


def _chart(block: Debrief) -> str:
    """Draw distance of the tip against time, and below it when the needle advanced, seen or not, and fluid went in."""
    moments, end = block.moments, max(block.seconds, 1e-3)
    plot = WIDTH - LEFT - RIGHT

    def x(time: float) -> float:
        return LEFT + plot * time / end

    def y(distance: float) -> float:
        low = -4e-3
        return TOP + HEIGHT * (1 - (min(max(distance, low), FARTHEST) - low) / (FARTHEST - low))

    parts = [
        f'<rect x="{LEFT}" y="{y(0):.1f}" width="{plot}" height="{TOP + HEIGHT - y(0):.1f}" fill="#5a1018" '
        'fill-opacity=".55"/>'
    ]
    parts += [
        f'<line x1="{LEFT}" x2="{LEFT + plot}" y1="{y(mm / 1e3):.1f}" y2="{y(mm / 1e3):.1f}" class="grid"/>'
        f'<text x="{LEFT - 8}" y="{y(mm / 1e3) + 4:.1f}" text-anchor="end">{mm} mm</text>'
        for mm in (0, 5, 10, 15, 20)
    ]
    step = next(s for s in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800) if end / s <= 10 or s == 1800)
    bottom = TOP + HEIGHT + (78 if block.told else 56)
    parts += _bars(block.told or (), x)
    parts += [
        f'<text x="{x(tick * step):.1f}" y="{bottom + 14}" text-anchor="middle">{tick * step} s</text>'
        for tick in range(int(end / step) + 1)
    ]
    placed: list[float] = []
    for one in sorted(block.approaches, key=lambda a: -a.tip):
        stroke = tissue_stroke(one.tissue)
        for line in _lines(moments, one):
            points = " ".join(f"{x(t):.1f},{y(d):.1f}" for t, d in line)
            dash = "" if not stroke.dash else f' stroke-dasharray="{" ".join(f"{v:g}" for v in stroke.dash)}"'
            parts.append(
                f'<polyline points="{points}" fill="none" stroke="{stroke.color}" stroke-width="2"{dash}/>'
            )
        if one.tip <= FARTHEST:
            at = y(one.tip)
            while any(abs(at - other) < 15 for other in placed):
                at += 15
            placed.append(at)
            parts.append(
                f'<circle cx="{x(one.tip_time):.1f}" cy="{y(one.tip):.1f}" r="3.5" fill="{stroke.color}"/>'
                f'<text x="{LEFT + plot + 8}" y="{at + 4:.1f}" style="fill:{stroke.color}">'
                f"{escape(one.structure[:34])}</text>"
            )
    parts += _strips(moments, x)
    height = bottom + 22
    words = (
        "Distance of the needle's tip to each structure against time; below it, when the needle advanced in view or "
        "blind, and when fluid was given."
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{words}">{"".join(parts)}</svg>'
        '<p class="key"><span class="seen"></span> advancing, tip in view <span class="blind"></span> advancing, tip not in '
        'view <span class="fluid"></span> injecting <span class="caution"></span> caution '
        '<span class="stop"></span> stop; the dark red band is inside a structure</p>'
    )


def _bars(told: Sequence[Told], x: Callable[[float], float]) -> list[str]:
    """Draw when something was told, louder over quieter."""
    if not told:
        return []
    out = [f'<text x="{LEFT - 8}" y="{TOP + HEIGHT + 64}" text-anchor="end">told</text>']
    for one in sorted(told, key=lambda one: one.level.rank):
        high = {Level.STOP: 14, Level.CAUTION: 10}.get(one.level, 4)
        wide = max(x(one.end) - x(one.begin), 1.5)
        out.append(
            f'<rect class="{one.level.value}" x="{x(one.begin):.1f}" y="{TOP + HEIGHT + 60 - high / 2:.1f}" '
            f'width="{wide:.1f}" height="{high}"/>'
        )
    return out


def _told(block: Debrief) -> str:
    if block.told is None:
        return "<p>Not known: this block was kept without its cues.</p>"
    if not block.told:
        return "<p>Nothing was told: no caution, no stop, and the needle was never lost.</p>"
    # the loudest and longest, in the order they came
    kept = sorted(block.told, key=lambda one: (-one.level.rank, one.begin - one.end))[:MOST_TOLD]
    rows = "".join(
        f'<tr><td>{one.begin:.1f} s</td><td>{one.end - one.begin:.1f} s</td><td class="{one.level.value}">'
        f"{LEVELS[one.level]}</td><td>{escape(one.message)}<br><small>{escape(one.about)}</small></td>"
        f"<td>{escape(one.done)}</td></tr>"
        for one in sorted(kept, key=lambda one: one.begin)
    )
    left = len(block.told) - len(kept)
    more = f"<p>And {left} more, quieter or shorter.</p>" if left else ""
    return (
        '<table><thead><tr><th scope="col">at</th><th scope="col">for</th><th scope="col">level</th>'
        f'<th scope="col">told</th><th scope="col">meanwhile</th></tr></thead><tbody>{rows}</tbody></table>{more}'
    )


def _way(block: Debrief) -> str:
    """Draw the tip's way in the picture, and the planned path as its ghost."""
    ways: list[list[tuple[Meters, Meters]]] = [[]]
    for moment in block.moments:
        if moment.place is None:
            ways += [[]] if ways[-1] else []
        else:
            ways[-1].append((moment.place[0], moment.place[1]))
    ways = [one for one in ways if len(one) > 1]
    if not ways:
        return ""
    ghosts = [one for plan in block.planned for one in (plan.entry, plan.goal)]
    places = np.array([*(one for way in ways for one in way), *ghosts])
    low, high = places.min(axis=0) - 4e-3, places.max(axis=0) + 4e-3
    low[0] = min(low[0], -1e-3)
    scale = min((WIDTH - 2 * LEFT) / float(high[1] - low[1]), 420 / float(high[0] - low[0]))
    wide, deep = scale * float(high[1] - low[1]), scale * float(high[0] - low[0])
    left = (WIDTH - wide) / 2

    def at(place: tuple[Meters, Meters]) -> tuple[float, float]:
        return left + scale * (place[1] - float(low[1])), scale * (place[0] - float(low[0]))

    skin = at((0.0, 0.0))[1]
    parts = [
        f'<line x1="{left:.1f}" x2="{left + wide:.1f}" y1="{skin:.1f}" y2="{skin:.1f}" class="grid"/>'
        f'<text x="{left + 4:.1f}" y="{skin - 4:.1f}">face of the probe</text>'
    ]
    for number, way in enumerate(ways, start=1):
        points = " ".join(f"{one[0]:.1f},{one[1]:.1f}" for one in map(at, way))
        parts.append(f'<polyline points="{points}" fill="none" class="way"/>')
        deepest = at(max(way))
        parts.append(f'<text x="{deepest[0] + 6:.1f}" y="{deepest[1] + 4:.1f}">{number}</text>')
    for plan in block.planned:
        (x1, y1), (x2, y2) = at(plan.entry), at(plan.goal)
        parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="ghost"/>'
            f'<circle cx="{x2:.1f}" cy="{y2:.1f}" r="5" class="ghost"/>'
        )
    end, bar = left + wide - 8, scale * 5e-3
    parts.append(
        f'<line x1="{end - bar:.1f}" x2="{end:.1f}" y1="{deep - 10:.1f}" y2="{deep - 10:.1f}" class="bar"/>'
        f'<text x="{end - bar / 2:.1f}" y="{deep - 16:.1f}" text-anchor="middle">5 mm</text>'
    )
    words = "The way of the needle's tip in the picture, and the planned path beside it."
    key = "dashed: the planned path" if block.planned else "no path was taken"
    return (
        f"<h2>The needle's way</h2>"
        f'<svg viewBox="0 0 {WIDTH} {deep:.0f}" role="img" aria-label="{words}">{"".join(parts)}</svg>'
        f'<p class="key">The tip, by the truth, in the picture of each moment: puncture by puncture; {key}, in the picture '
        "in which it was taken.</p>"
    )


def _lines(moments: Sequence[Moment], one: Approach) -> list[list[tuple[float, float]]]:
    """Give what is drawn of one distance: broken where there is no needle or it is far."""
    out: list[list[tuple[float, float]]] = [[]]
    for moment in moments:
        distance = moment.tip.get(one.structure)
        if distance is None or distance > FARTHEST:
            if out[-1]:
                out.append([])
        else:
            out[-1].append((moment.time, distance))
    return [line for line in out if len(line) > 1]


def _strips(moments: Sequence[Moment], x: Callable[[float], float]) -> list[str]:
    out = [
        f'<text x="{LEFT - 8}" y="{TOP + HEIGHT + 20}" text-anchor="end">needle</text>',
        f'<text x="{LEFT - 8}" y="{TOP + HEIGHT + 42}" text-anchor="end">fluid</text>',
    ]
    for before, now in pairwise(moments):
        left, wide = x(before.time), x(now.time) - x(before.time) + 0.8
        if now.advancing:
            kind = "seen" if now.in_view or not now.counted else "blind"
            high, drop = (10, 0) if kind == "seen" else (14, -2)
            out.append(
                f'<rect class="{kind}" x="{left:.1f}" y="{TOP + HEIGHT + 11 + drop}" width="{wide:.1f}" height="{high}"/>'
            )
        if now.injected > before.injected:
            out.append(
                f'<rect class="fluid" x="{left:.1f}" y="{TOP + HEIGHT + 33}" width="{wide:.1f}" height="10"/>'
            )
    return out


def _style() -> str:
    return f"""
:root{{color-scheme:dark}}body{{margin:0;background:{ground("background")};color:{ground("text")};
font:15px/1.5 Inter,system-ui,sans-serif}}main{{max-width:960px;margin:0 auto;padding:16px}}
h1{{font-size:1.3rem;margin:.2em 0}}h2{{font-size:1.05rem;margin:1.4em 0 .3em}}
.label{{color:{ground("text_dim")};margin:0}}
.next{{background:{ground("panel")};border-radius:6px;padding:12px 16px;font-size:1.15rem}}
.next b{{display:block;font-size:.9rem;color:{ground("text_dim")}}}
dl{{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:8px;margin:0}}
dl div{{background:{ground("panel")};border-radius:6px;padding:8px 12px}}dt{{color:{ground("text_dim")};font-size:.85rem}}
dd{{margin:0;font-variant-numeric:tabular-nums;font-size:1.1rem}}
svg{{width:100%;height:auto;background:{ground("panel")};border-radius:6px}}
svg text{{fill:{ground("text_dim")};font-size:12px}}
.grid{{stroke:#39434d;stroke-width:1}}
rect.seen,.key .seen{{fill:#8DF7A4;background:#8DF7A4}}rect.blind,.key .blind{{fill:#FF5A67;background:#FF5A67}}
rect.caution,.key .caution{{fill:#FFC21A;background:#FFC21A}}rect.stop,.key .stop{{fill:#FF5A67;background:#FF5A67}}
rect.unknown{{fill:#B7C0C9}}td.caution{{color:#FFC21A}}td.stop{{color:#FF5A67}}td.unknown{{color:#B7C0C9}}
td small{{color:{ground("text_dim")}}}
.way{{stroke:#8DF7A4;stroke-width:2.5}}.ghost{{stroke:#fff;stroke-width:2;stroke-dasharray:7 6;fill:none;opacity:.75}}
.bar{{stroke:{ground("text")};stroke-width:2}}
rect.fluid,.key .fluid{{fill:#22C6FF;background:#22C6FF}}
.key span{{display:inline-block;width:18px;height:10px;margin:0 4px 0 12px}}.key{{color:{ground("text_dim")}}}
ul{{list-style:none;padding:0}}li{{background:{ground("panel")};border-radius:6px;padding:8px 12px;margin:6px 0;
border-left:4px solid #66727D}}
li.harm{{border-color:#FF5A67}}li.risk{{border-color:#FFC21A}}li span{{color:{ground("text_dim")}}}
table{{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}}
th,td{{text-align:left;padding:6px 10px;border-bottom:1px solid #39434d}}td b{{color:#FF5A67}}
"""
