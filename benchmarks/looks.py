"""How real the simulated pictures look, as numbers: held against real pairs, a working half and a sealed half apart.

Real: the 204 pairs of usgra-seg, divided once (`analysis/fitting/division.toml`). The body is improved by the working half;
goals apply to the sealed one. Nobody here knows the region that a sealed picture shows, so the classifier tells simulated
pictures of femoral crease and neck from real ones of all regions, which is no easier to pass. Simulated: individuals whose
seeds serve testing alone, made here, or kept in the folder that INSONATE_SIMULATED_PICTURES names.
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rows import row
from insonate.analysis.fitting import likeness
from insonate.analysis.fitting.division import HALVES, half
from insonate.analysis.fitting.evaluation import measure, tally
from insonate.analysis.fitting.grouping import folds, groups, similarity
from insonate.analysis.fitting.pairs import Pair, read_pairs
from insonate.analysis.models import stored
from insonate.analysis.models.canvas import content
from insonate.analysis.models.nerve_vessel import Calibration, nerve_vessel, shares
from insonate.analysis.segmentation.instances import components
from insonate.core import Tissue
from insonate.pipeline.fitting_pictures import TISSUES, make

INDIVIDUALS = {"femoral_crease": 5, "neck": 3}
"""How many of each region."""
FIRST, EACH = 700_010, 6
"""First seed, and pictures of each individual."""
QUICK_REAL = 4
"""Real pairs in a smoke run, all of the working half: no smoke looks at the sealed one."""
SMALLEST = 0.0008
"""Share of a picture below which a component is no structure."""
CORNER = 0.68
"""Of a picture's height and width, in which it is asked a second time, larger."""
GOALS = {"auc": 0.85, "nerve": 0.40, "vessel": 0.60}


def quick() -> bool:
    """Say whether only a smoke is wanted."""
    return bool(os.environ.get("INSONATE_BENCHMARK_QUICK"))


def real_folder() -> Path | None:
    """Give the folder of the real pairs, or None where it is not at hand."""
    root = Path(os.environ.get("INSONATE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    folder = root / "usgra-seg"
    return folder if folder.is_dir() else None


def simulated(folder: Path) -> list[tuple[Pair, int]]:
    """Give simulated pictures without a needle, their tissues as nerve 1 and vessel 2, and the individual of each."""
    each = 3 if quick() else EACH
    wanted = [(name, FIRST + k) for name, count in INDIVIDUALS.items() for k in range(count)]
    nerve = TISSUES.index(Tissue.NERVE) + 1
    vessels = [k for k, tissue in enumerate(TISSUES, start=1) if tissue.is_vessel]
    out = []
    for number, (name, seed) in enumerate(wanted[:1] if quick() else wanted):
        path = make(name, seed, each, folder)
        with np.load(path, allow_pickle=False) as file:
            for k, needle in enumerate(file["needle"]):
                if not needle:
                    tissues = file[f"tissues:{k}"]
                    mask = (tissues == nerve) + 2 * np.isin(tissues, vessels)
                    pair = Pair(
                        name=f"{path.stem}:{k}",
                        picture=file[f"picture:{k}"].astype(np.float32) / 255,
                        mask=mask.astype(np.uint8),
                    )
                    out.append((pair, number))
    return out


def _tallied(
    some: Sequence[Pair], said: Sequence[np.ndarray], group: np.ndarray
) -> dict[str, dict[str, list[float]]]:
    out = {}
    for k, name in ((1, "nerve"), (2, "vessel")):
        tallies = [
            tally(labels == k, pair.mask == k, floor=int(SMALLEST * pair.mask.size))
            for pair, labels in zip(some, said, strict=True)
        ]
        out[name] = measure(tallies, group, n_draws=500)
    return out


def _by_foundation(pair: Pair) -> np.ndarray:
    """Label as the network fitted on real pictures does."""
    reading = nerve_vessel().read(pair.picture, 1.0)
    labels = np.zeros_like(reading.labels)
    for k in (1, 2):
        for part in components(reading.labels == k, floor=SMALLEST * reading.n_content):
            labels[part] = k
    return labels


ALONE = Calibration(
    size=160,
    even=True,
    temperature=1.0,
    bias=(0.0, 0.0, 0.0),
    trust=((1.0, 0.0),) * 3,
    odds=(0.0, 1.0),
    distance=(1.0, 1.0),
)
"""How the network that has seen simulated pictures alone is read: as it stands, for nothing real has set its numbers."""


@cache
def _session() -> Any:
    path = Path(os.environ.get("INSONATE_SIMULATED_ONLY", Path(__file__).with_name("simulated_only.onnx")))
    return stored.session(path.read_bytes(), 1)


def _ask(canvases: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ask the network fitted on simulated pictures alone; INSONATE_SIMULATED_ONLY names another `prepared.onnx`."""
    (scores,) = _session().run(None, {"picture": canvases})
    return scores, np.zeros(len(canvases)), np.zeros(len(canvases))  # it has no judge of what is familiar


def _share(picture: np.ndarray) -> np.ndarray:
    return shares(picture, 1.0, calibration=ALONE, ask=_ask)[0]


def _by_simulated_only(pair: Pair) -> np.ndarray:
    """Label a real pair as the network fitted on simulated pictures alone would, for this measurement and nothing else.

    It is asked about the whole picture and about its four corners, larger, and the mean of both is taken.
    """
    rows, columns = content(pair.picture)
    near, times = np.zeros((3, *pair.picture.shape), np.float32), np.zeros(pair.picture.shape, np.float32)
    for lower, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        high, wide = (int(CORNER * (last - first)) for first, last in (rows, columns))
        top, left = rows[1] - high if lower else rows[0], columns[1] - wide if right else columns[0]
        part = (slice(top, top + high), slice(left, left + wide))
        near[:, *part] += _share(pair.picture[part])
        times[part] += 1
    near /= np.maximum(times, 1)
    near[0, times == 0] = 1
    labels = (_share(pair.picture) + near).argmax(axis=0)
    out = np.zeros(labels.shape, np.uint8)
    for k in (1, 2):
        for part_of_it in components(labels == k, floor=SMALLEST * labels.size):
            out[part_of_it] = k
    return out


def _spread(found: Sequence[float]) -> list[float]:
    value, low, high = found
    return [min(low, value), value, max(high, value)]


def _looks(pictures: Sequence[tuple[Pair, int]], real: Sequence[Pair], which: str) -> list[dict[str, Any]]:
    """Compare simulated pictures with real ones of a half."""
    group = groups(similarity([pair.picture for pair in real]))
    converted = [
        [likeness.converted(pair.picture) for pair, _ in pictures],
        [likeness.converted(pair.picture) for pair in real],
    ]
    of = [np.array([number for _, number in pictures]), group]
    textures = [[likeness.texture(one) for one in some] for some in converted]
    crops, member, y = [], [], []
    for k, (some, owner) in enumerate(zip(converted, of, strict=True)):
        for one, number in zip(some, owner, strict=True):
            cut = [likeness.same_histogram(crop) for crop in likeness.crops(one)]
            crops += cut
            member += [2 * int(number) + k] * len(cut)
            y += [k == 0] * len(cut)
    told, owner = np.array(y), np.unique(member, return_inverse=True)[1]
    fold = np.zeros(len(told), int)
    for kind in (True, False):
        fold[told == kind] = folds(np.unique(owner[told == kind], return_inverse=True)[1], 5, seed=0)
    x = likeness.features(np.stack(crops))
    rows = []
    if not quick():
        found = likeness.auc_interval(likeness.scores(x, told, fold), told, owner)
        rows.append(
            row(
                f"looks/auc/{which}",
                f"(a) a small classifier tells {told.sum()} simulated crops (femoral, neck) from {(~told).sum()} real ones",
                _spread(found),
                "1",
                sense="max",
                target=GOALS["auc"],
                truth=f"usgra-seg, {which} half",
            )
        )
    for name, found in likeness.distances(textures[0], textures[1], (of[0], of[1]), n_draws=200).items():
        unit = {"gray": "1", "spectrum": "dB"}.get(name, "simulated / real")
        rows.append(
            row(
                f"looks/distance/{name}/{which}",
                f"(d) {name}",
                _spread(found),
                unit,
                truth=f"usgra-seg, {which} half",
            )
        )
    return rows


def _read_by_foundation(pictures: Sequence[tuple[Pair, int]]) -> list[dict[str, Any]]:
    some = [pair for pair, _ in pictures]
    found = _tallied(
        some, [_by_foundation(pair) for pair in some], np.array([number for _, number in pictures])
    )
    return [
        row(
            f"looks/real-network/{name}/{what}",
            f"(b) the network fitted on real pictures, on simulated ones: {name}, {what.replace('_', ' ')}",
            _spread(found[name][what]),
            "1",
            truth=f"answer key of {len(some)} simulated pictures",
        )
        for name in found
        for what in ("mean_dice", "found", "missed", "invented")
        if np.isfinite(found[name][what]).all()
    ]


def _read_by_simulated_only(real: Sequence[Pair], which: str) -> list[dict[str, Any]]:
    group = groups(similarity([pair.picture for pair in real]))
    found = _tallied(real, [_by_simulated_only(pair) for pair in real], group)
    return [
        row(
            f"looks/simulated-only/{name}/{what}/{which}",
            f"(c) a network fitted on simulated pictures only, on real pairs: {name}, {what.replace('_', ' ')}",
            _spread(found[name][what]),
            "1",
            sense="min" if what == "mean_dice" else None,
            target=GOALS[name] if what == "mean_dice" else None,
            truth=f"usgra-seg, {which} half",
        )
        for name in found
        for what in ("mean_dice", "found", "missed", "invented")
        if np.isfinite(found[name][what]).all()
    ]


def rows() -> list[dict[str, Any]]:
    """Measure both halves; only a few pairs of the working one in a smoke."""
    folder = real_folder()
    if folder is None:
        sys.stderr.write("looks: skipped, real data set 'usgra-seg' is not at hand\n")
        return []
    pairs = {pair.name: pair for pair in read_pairs(folder, n_classes=3)}
    with tempfile.TemporaryDirectory() as made:
        pictures = simulated(Path(os.environ.get("INSONATE_SIMULATED_PICTURES", made)))
    found = _read_by_foundation(pictures)
    for which in HALVES[:1] if quick() else HALVES:
        names = half(which, folder)
        real = [pairs[name] for name in (names[:QUICK_REAL] if quick() else names)]
        found += _looks(pictures, real, which)
        found += _read_by_simulated_only(real, which)
    return found
