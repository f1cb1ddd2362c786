"""Expert and novice through whole procedures on channel data, with all that guides a hand on: what was known and said.

Each block runs live, at the pace of the clock: pictures are formed and labelled, cues judged, as on the page, without one.
Beside it the truth of the replay tells when the needle touched. `--quick` runs one short block.

- known: share of the time with the needle under the skin in which it was known where a hazard lies, for each hazard of the
  procedure by its name; distance: the same for the needle's distance to it, for which the tip must be known too;
- clear at contact: moments at which the tip lay in a nerve or vessel, or the pleura, and no cue stood.
"""

import os
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from benchmarks.operators import FIRST_SEED, LONGEST, PROCEDURES
from benchmarks.rows import row
from insonate.core import Command, InputError, Level, Tissue
from insonate.guidance.procedures import procedure
from insonate.pipeline.live import Live
from insonate.pipeline.watch import STRUCTURES_LAST, Watched
from insonate.simulation.answer import replay
from insonate.simulation.course import Settings
from insonate.simulation.operator.agent import KINDS, Phase
from insonate.simulation.operator.operated import OperatedPatient
from insonate.simulation.patient import body_of

KNOWN = 0.7
"""Goal for the share of time in which a hazard is known."""

EVERY = 2
"""Ticks from one answer of the truth to the next."""

TOUCHED = (Tissue.NERVE, Tissue.ARTERY, Tissue.VEIN, Tissue.PLEURA)
"""What a needle must not lie in, but for the target of a block of a muscle or bursa."""


def lived(
    name: str, kind: str, seed: int
) -> tuple[list[tuple[Watched, frozenset[str]]], list[Command], Settings, bool, float]:
    """Run one block live; give what was watched, all commands, and whether the agent finished."""
    region, window = PROCEDURES[name]
    settings = Settings(region=region) if window is None else Settings(region=region, window=window)
    source = OperatedPatient(kind, seed, settings)
    watched: list[tuple[Watched, frozenset[str]]] = []
    commands: list[Command] = []
    decide = source._agent.decide

    def told(seen: Any, now: float) -> Sequence[Command]:
        given = [source.nearest(one) for one in decide(seen, now)]
        commands.extend(given)
        return given

    source._agent.decide = told  # type: ignore[method-assign]
    live = Live(source=source, procedure=procedure(name))
    live.start()
    try:
        while source._agent.phase is not Phase.DONE and live.elapsed < LONGEST and live.problem is None:
            time.sleep(0.02)
            now = None if live.alarm is None else live.alarm.watched
            if now is not None and (not watched or watched[-1][0] is not now):
                watched.append((now, _placed(live)))  # ten times a second
        end = live.elapsed
    finally:
        live.stop()
    return watched, commands, settings, source._agent.phase is Phase.DONE, end


def _placed(live: Live) -> frozenset[str]:
    """Give the hazards of which it is known where they lie, in a picture that is still relied on."""
    seen, frame = live.seen, live.frame
    if seen is None or seen.guided is None or frame is None or frame.made - seen.made > STRUCTURES_LAST:
        return frozenset()
    return frozenset(one.structure for one in seen.guided.plan.hazards if one.known)


def judged(name: str, kind: str, seed: int) -> dict[str, Any]:
    """Give shares and counts of one block."""
    watched, commands, settings, done, end = lived(name, kind, seed)
    inside = [one for one in watched if one[0].under_skin is not False and one[0].needle is not None]
    of = procedure(name)
    known: dict[str, float] = {}
    distance: dict[str, float] = {}
    for hazard in of.hazards:
        known[hazard.structure] = _share(hazard.structure in placed for _, placed in inside)
        distance[hazard.structure] = _share(
            any(c.structure == hazard.structure and c.distance is not None for c in one.clearances)
            for one, _ in inside
        )
    any_known = _share(any(c.distance is not None for c in one.clearances) for one, _ in inside)
    body = body_of(settings, seed)
    tissues = {s.name if s.instance == 1 else f"{s.name} {s.instance}": s.tissue for s in body.structures}
    moments = {round(one.time / 0.05): one for one, _ in watched}
    said: dict[str, int] = defaultdict(int)
    for truth in replay(seed, settings, commands, end, body=body, every=EVERY):
        at = moments.get(round(truth.time / 0.05))
        if at is None or truth.needle_tip is None:
            continue
        touched = [
            n for n, distance in truth.clearances.items() if distance <= 0 and tissues.get(n) in TOUCHED
        ]
        if not touched:
            continue
        levels = {cue.level for cue in at.cues}
        loud = (
            "loud"
            if levels & {Level.STOP, Level.CAUTION}
            else "unknown"
            if Level.UNKNOWN in levels
            else "clear"
        )
        said[loud] += 1
    return {
        "done": done,
        "known": known,
        "distance": distance,
        "any": any_known,
        "said": dict(said),
        "inside": len(inside),
    }


def _share(flags: Any) -> float:
    held = list(flags)
    return sum(held) / len(held) if held else float("nan")


def rows() -> list[dict[str, Any]]:
    """Give the table: for each procedure and kind of operator what was known, and what was said at contact."""
    quick = bool(os.environ.get("INSONATE_BENCHMARK_QUICK"))
    wanted = os.environ.get("INSONATE_BENCHMARK_PROCEDURES", "MU01" if quick else ",".join(PROCEDURES)).split(
        ","
    )
    out = []
    for name in wanted:
        for kind in ("expert",) if quick else KINDS:
            seed = FIRST_SEED
            while True:
                try:
                    one = judged(name, kind, seed)
                    break
                except InputError as refused:
                    print(f"{name} seed {seed}: {refused}", file=sys.stderr, flush=True)
                    seed += 1
            print(f"{name} {kind} seed {seed}: {one}", file=sys.stderr, flush=True)
            key = f"{name}-{kind}"
            for hazard, share in one["known"].items():
                out.append(
                    row(
                        f"{key}-known-{hazard.replace(' ', '-')}",
                        f"share of the time under the skin in which it was known where the {hazard} lies",
                        [share],
                        "1",
                        sense="min",
                        target=KNOWN,
                        truth="clock",
                    )
                )
            for hazard, share in one["distance"].items():
                out.append(
                    row(
                        f"{key}-distance-{hazard.replace(' ', '-')}",
                        f"share of that time in which the needle's distance to the {hazard} was known",
                        [share],
                        "1",
                        truth="clock",
                    )
                )
            out.append(
                row(
                    f"{key}-known-any",
                    "share of that time in which the distance to anything outlined was known",
                    [one["any"]],
                    "1",
                    truth="clock",
                )
            )
            contact = sum(one["said"].values())
            out.append(
                row(
                    f"{key}-clear-at-contact",
                    f"moments without a cue, of {contact} at which the tip lay in nerve, vessel or pleura",
                    [float(one["said"].get("clear", 0))],
                    "1",
                    sense="max",
                    target=0.0,
                    truth="replay",
                )
            )
    return out
