"""How often a hazard's name is right that a procedure's sign gives, on simulated patients against the truth of every pixel.

Each individual is seen twice: as the probe is placed at first, and slid, turned and tilted by chance, as by a hand that has
not found the view. A name is right where most of what bears it is that structure. INSONATE_BENCHMARK_SEEDS: how many
individuals.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.operators import PROCEDURES
from benchmarks.rows import row
from insonate.core import InputError, MoveProbe, Pose, Segmentation
from insonate.core.truth import Truth
from insonate.guidance.procedures import procedure
from insonate.pipeline.live import Live, Seen, extent
from insonate.pipeline.patients import Choice, source_of
from insonate.simulation.answer import replay
from insonate.simulation.patient import SimulatedPatient

FIRST_SEED = 40
"""None of those that the signs were thought of on: 20 to 33."""

SETTLED = 0.5
"""After which the picture is that of the pose asked for [s]."""

LONGEST = 30.0
"""That a picture is waited for [s]."""


def strayed(pose: Pose, seed: int) -> Pose:
    """Slide by up to 6 mm across and 10 mm along, turn by up to 25 and tilt by up to 10 degrees."""
    rng = np.random.default_rng((seed, 0x5EE7))
    slid = np.array([rng.uniform(-6e-3, 6e-3), rng.uniform(-1e-2, 1e-2), 0])
    turn, tilt = np.radians(rng.uniform(-25, 25)), np.radians(rng.uniform(-10, 10))
    about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    return replace(pose, rotation=pose.rotation @ about_z @ about_x, translation=pose.translation + slid)


def seen_by(choice: Choice, name: str, *, stray: bool) -> tuple[Seen, Truth]:
    """Look once, live; give what was made of the picture, and the truth of it."""
    source = source_of(choice)
    assert isinstance(source, SimulatedPatient)
    live = Live(source=source, procedure=procedure(name)).start()
    commands = []
    try:
        if stray:
            moved = strayed(source._course._first_pose(), choice.seed)
            held = live.command(MoveProbe(pose=moved, contact_force=2.0, time=0.0, given_by="benchmark"))
            commands = [replace(held, time=0.0)]  # type: ignore[call-arg, arg-type]
            since = live.elapsed
        else:
            since = 0.0
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            seen = live.seen
            scene = None if seen is None or seen.guided is None else seen.guided.scene
            if scene is not None and scene.image is not None and scene.image.times is not None:
                at = float(scene.image.times[0])
                if at > since + SETTLED:
                    break
            time.sleep(0.05)
        else:
            raise InputError("no picture was labelled in time")
    finally:
        live.stop()
    assert seen is not None
    return seen, list(replay(choice.seed, choice.settings, commands, at + 0.051))[-1]  # type: ignore[arg-type]


def named(seen: Seen, truth: Truth) -> Iterator[tuple[str, bool]]:
    """Give each name that a rule gave, and whether it is right."""
    assert seen.guided is not None
    scene = seen.guided.scene
    segmentation = scene.segmentation
    assert isinstance(segmentation, Segmentation) and scene.image is not None
    (axial, lateral), (down, right), _ = extent(scene.image)
    labels = segmentation.labels[0]
    rows = np.searchsorted(truth.grid.axial, axial + down * np.arange(labels.shape[0]) - 1e-9)
    columns = np.abs(truth.grid.lateral[:, None] - (lateral + right * np.arange(labels.shape[1]))).argmin(
        axis=0
    )
    so = truth.labels[np.ix_(rows.clip(0, len(truth.grid.axial) - 1), columns)]
    for label, structure in enumerate(segmentation.structures, start=1):
        here = (labels == label) & segmentation.known()[0]
        if structure.named_by is None or not here.any():
            continue
        most, _ = Counter(so[here].tolist()).most_common(1)[0]
        yield structure.name, most > 0 and truth.structures[most - 1].name == structure.name


def rows() -> list[dict[str, Any]]:
    """Give, for each sign, how often it gave a name where its structure was in the picture, and how often it was right."""
    quick = bool(os.environ.get("INSONATE_BENCHMARK_QUICK"))
    count = 1 if quick else int(os.environ.get("INSONATE_BENCHMARK_SEEDS", "5"))
    wanted = os.environ.get("INSONATE_BENCHMARK_PROCEDURES", "LL01" if quick else "LL01,UL03,BU01").split(",")
    out = []
    for name in wanted:
        region, window = PROCEDURES[name]
        given: Counter[str] = Counter()
        right: Counter[str] = Counter()
        there: Counter[str] = Counter()
        of_signs = {sign.structure for sign in procedure(name).signs}
        for seed in range(FIRST_SEED, FIRST_SEED + count):
            for stray in (False, True):
                try:
                    seen, truth = seen_by(Choice(region=region, window=window, seed=seed), name, stray=stray)
                except InputError as refused:
                    print(f"{name} seed {seed}: {refused}", file=sys.stderr, flush=True)
                    continue
                shown = {truth.structures[n - 1].name for n in np.unique(truth.labels) if n > 0}
                there.update(shown)
                for one, correct in named(seen, truth):
                    if one not in of_signs:
                        continue
                    given[one] += 1
                    right[one] += correct
                    if not correct:
                        print(
                            f"{name} seed {seed} stray {stray}: {one} is wrong", file=sys.stderr, flush=True
                        )
        for sign in procedure(name).signs:
            key = f"{name}-{sign.structure.replace(' ', '-')}"
            named_, shown_ = given[sign.structure], there[sign.structure]
            print(
                f"{key}: named {named_}, right {right[sign.structure]}, in the picture {shown_}",
                file=sys.stderr,
            )
            out += [
                row(
                    f"{key}-right",
                    f"share of {named_} names that are right",
                    [right[sign.structure] / named_ if named_ else float("nan")],
                    "1",
                    sense="min",
                    target=0.95,
                    truth="replay",
                ),
                row(
                    f"{key}-named",
                    f"share of the {shown_} pictures that show it in which it is named",
                    [named_ / shown_ if shown_ else float("nan")],
                    "1",
                    truth="replay",
                ),
            ]
    return out
