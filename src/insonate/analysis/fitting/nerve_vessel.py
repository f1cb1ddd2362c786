"""Fit the network for nerve and vessel, measure it on pictures it has not seen, and write its files.

    python -m insonate.analysis.fitting.nerve_vessel prepare --simulated DIR --out DIR [--start FILE]
    python -m insonate.analysis.fitting.nerve_vessel fit --data DIR --out DIR [--only 0 1 final] [--start FILE]
    python -m insonate.analysis.fitting.nerve_vessel finish --data DIR --out DIR

`prepare` fits on simulated pictures alone and leaves `prepared.npz`, weights that `--start` lets every fit begin from (no
real picture has been near them, so a fold judged later is still unseen), and `prepared.onnx`, which `benchmarks looks` asks.
`fit` makes five networks, each without one fold of near-duplicate groups, and one on everything; each leaves one
file in `--out`, and what is there already is not made again. `finish` calibrates on what the five said about the
pictures they had not seen, measures, exports the last one as ONNX, and writes the machine-readable card.
Negatives are made by rule; each fold is also without one in five of their kinds, so that refusal is measured on kinds
not seen either. Two processes with `--only 0 2 4` and `--only 1 3 final` use two cores well.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax

from insonate.analysis.fitting.calibration import bias, temperature, trust
from insonate.analysis.fitting.evaluation import calibration_error, measure, prior, tally
from insonate.analysis.fitting.export import export, export_scores
from insonate.analysis.fitting.gate import feature_space
from insonate.analysis.fitting.grouping import folds, groups, similarity
from insonate.analysis.fitting.loop import Settings, ask, fit
from insonate.analysis.fitting.negatives import NO_ANATOMY, NOT_ULTRASOUND, negatives
from insonate.analysis.fitting.pairs import Pair, lay, read_pairs
from insonate.analysis.fitting.sheet import contact_sheet
from insonate.analysis.fitting.simulated_tissues import read_simulated, renumbered
from insonate.analysis.models.canvas import Placement, from_canvas
from insonate.analysis.models.nerve_vessel import Calibration, read
from insonate.analysis.models.reading import Reading
from insonate.analysis.models.unet import UNet
from insonate.analysis.segmentation.instances import components
from insonate.core import InputError, Tissue

NAME = "nerve_vessel"
VERSION = "1.0.0"
SIZE = 160
N_CLASSES = 3
N_FOLDS = 5
N_NEGATIVES = 240
SEED = 0
FINAL = "final"

SMALLEST = 0.0008
"""Share of a picture's content below which a component is no structure; the smallest true ones are about as large."""

NEARER = (0.45, 0.85)
"""Share of a simulated picture that is left when it is cut around a structure: real ones show nerves larger."""

SMALL_VESSEL = 0.0012
"""Share of a simulated picture below which a vessel is left unmarked, as experts leave companions unmarked."""

THRESHOLD = 0.5
"""Confidence below which a pixel counts as not known."""

BIASES = tuple(np.round(np.arange(-0.2, 1.6, 0.2), 1))
"""Biases tried for nerve and vessel."""

ODDS_WIDTH = 0.5
"""Of the learned judge's step [log odds]."""

DISTANCE_WIDTH = 0.05
"""Of the distance judge's step [standard deviations]."""


def _kinds(n: int) -> np.ndarray:
    """Name of each negative's maker."""
    makers = NOT_ULTRASOUND + NO_ANATOMY
    return np.array([makers[index % len(makers)].__name__ for index in range(n)])


def _kind_fold(n: int) -> np.ndarray:
    """Fold of each negative: whole kinds of them go together."""
    kinds = _kinds(n)
    fold = {kind: index % N_FOLDS for index, kind in enumerate(sorted(set(kinds)))}
    return np.array([fold[kind] for kind in kinds])


def prepare(pictures: Path, out: Path, settings: Settings, start: Path | None = None) -> None:
    """Fit on simulated pictures alone, and leave weights to begin from.

    Parameters
    ----------
    pictures : pathlib.Path
        Folder of simulated pictures, with seeds for fitting.
    out : pathlib.Path
        Where `prepared.npz` and `prepared.onnx` go.
    settings : Settings
        Of the fit.
    start : pathlib.Path, optional
        An earlier `prepared.npz` to go on from.
    """
    weights, before = None, 0
    if start is not None:
        weights = _begun(start, settings)
        with np.load(start, allow_pickle=False) as file:
            before = int(file["steps"])
    some, tissues = read_simulated(pictures, "fitting")
    names = (Tissue.NERVE, Tissue.ARTERY, Tissue.VEIN)
    as_class = np.array([0, 1, 2, 2], np.uint8)
    rng = np.random.default_rng(SEED)
    laid = []
    for one in some:
        mask = as_class[renumbered(one.pair.mask, tissues, names)]
        large = np.isin(mask, (0, 1))
        for vessel in components(mask == 2, floor=SMALL_VESSEL * mask.size):
            large |= vessel
        pair = Pair(
            name=one.pair.name, picture=one.pair.picture, mask=np.where(large, mask, 0).astype(np.uint8)
        )
        laid += [
            lay(shown, size=SIZE, n_classes=N_CLASSES)[:2]
            for shown in (pair, nearer(pair, rng))
            if shown is not None
        ]
    began = time.perf_counter()
    network = fit(
        np.stack([picture for picture, _ in laid]),
        np.stack([mask for _, mask in laid]),
        negatives(N_NEGATIVES, SIZE, seed=SEED + 1),
        settings,
        _progress("prepared", settings.n_steps),
        start=weights,
    )
    out.mkdir(parents=True, exist_ok=True)
    about = {
        "regions": np.array(sorted({one.region for one in some})),
        "individuals": np.array(len({(one.region, one.seed) for one in some})),
        "pictures": np.array(len(some)),
        "steps": np.array(before + settings.n_steps),
        "even": np.array(settings.even),
        "batch": np.array(settings.n_positive + settings.n_negative),
        "device": np.array(settings.device),
        "seconds": np.array(time.perf_counter() - began),
    }
    part = out / "prepared.part.npz"
    np.savez_compressed(part, **about, **_state(network))  # type: ignore[arg-type]
    part.replace(out / "prepared.npz")
    export_scores(network, out / "prepared.onnx", size=SIZE)


def nearer(pair: Pair, rng: np.random.Generator) -> Pair | None:
    """Cut a picture around a place of something labelled, as if it were shown larger.

    Parameters
    ----------
    pair : Pair
        Picture and mask.
    rng : numpy.random.Generator
        Draws how much is left, and where.

    Returns
    -------
    Pair or None
        None where nothing is labelled.
    """
    places = np.argwhere(pair.mask)
    if len(places) == 0:
        return None
    shape = np.array(pair.mask.shape)
    kept = np.maximum((rng.uniform(*NEARER) * shape).astype(int), 1)
    middle = places[rng.integers(len(places))] + rng.uniform(-0.3, 0.3, 2) * kept
    first = np.clip((middle - kept / 2).astype(int), 0, shape - kept)
    rows, columns = (slice(a, a + n) for a, n in zip(first, kept, strict=True))
    return Pair(name=pair.name, picture=pair.picture[rows, columns], mask=pair.mask[rows, columns])


def _state(network: UNet) -> dict[str, np.ndarray]:
    return {f"weight:{key}": value.cpu().numpy() for key, value in network.state_dict().items()}


def _weights(path: Path) -> dict[str, torch.Tensor]:
    with np.load(path, allow_pickle=False) as file:
        return {
            key.removeprefix("weight:"): torch.from_numpy(file[key]) for key in file.files if "weight:" in key
        }


def _begun(path: Path, settings: Settings) -> dict[str, torch.Tensor]:
    """Give weights to begin from, of a network that reads what this fit reads."""
    with np.load(path, allow_pickle=False) as file:
        even = bool(file["even"]) if "even" in file.files else False
    if even != settings.even:
        word = "ranks (--even)" if even else "gray levels (no --even)"
        raise InputError(f"{path.name} was fitted on {word}; fit on with the same")
    return _weights(path)


def _told_of(path: Path) -> str:
    """Say what a prepared network has seen."""
    with np.load(path, allow_pickle=False) as file:
        regions = ", ".join(str(one).replace("_", " ") for one in file["regions"])
        return (
            f"{int(file['pictures'])} simulated pictures of {int(file['individuals'])} individuals ({regions}), "
            f"{int(file['steps'])} steps of {int(file['batch'])}"
        )


def _progress(name: str, n_steps: int) -> Callable[[int, float], None]:
    began = time.perf_counter()

    def told(step: int, loss: float) -> None:
        passed = time.perf_counter() - began
        sys.stderr.write(f"{name}: step {step + 1} of {n_steps}, loss {loss:.3f}, {passed:.0f} s\n")
        sys.stderr.flush()

    return told


def fit_all(data: Path, out: Path, only: list[str], settings: Settings, start: Path | None = None) -> None:
    """Fit the folds named in `only`, and leave a file for each.

    Parameters
    ----------
    data : pathlib.Path
        Folder of pairs.
    out : pathlib.Path
        Where the files go.
    only : list of str
        Numbers of folds, and "final" for the fit on everything.
    settings : Settings
        Of each fit.
    start : pathlib.Path, optional
        `prepared.npz` to begin from.
    """
    weights, first = (None, "random weights") if start is None else (_begun(start, settings), _told_of(start))
    pairs = read_pairs(data, n_classes=N_CLASSES)
    laid = [lay(pair, size=SIZE, n_classes=N_CLASSES) for pair in pairs]
    pictures = np.stack([one[0] for one in laid])
    masks = np.stack([one[1] for one in laid])
    fold = folds(groups(similarity([pair.picture for pair in pairs])), N_FOLDS, seed=SEED)
    other = negatives(N_NEGATIVES, SIZE, seed=SEED + 1)
    unseen = negatives(N_NEGATIVES, SIZE, seed=SEED + 2)
    kind = _kind_fold(N_NEGATIVES)
    out.mkdir(parents=True, exist_ok=True)
    for name in only:
        path = out / f"fit-{name}.npz"
        if path.exists():
            continue
        held = np.zeros(len(pairs), bool) if name == FINAL else fold == int(name)
        held_kind = np.zeros(N_NEGATIVES, bool) if name == FINAL else kind == int(name)
        network = fit(
            pictures[~held],
            masks[~held],
            other[~held_kind],
            settings,
            _progress(name, settings.n_steps),
            start=weights,
        )
        asked = {"known": pictures[~held], "unknown": other[~held_kind]}
        if name == FINAL:
            asked["unseen"] = unseen
        else:
            asked |= {"held": pictures[held], "unseen": unseen[held_kind]}
        answers: dict[str, np.ndarray] = {}
        for key, some in asked.items():
            scores, features, familiarity = ask(network, some, even=settings.even)
            answers |= {f"{key}:features": features, f"{key}:familiarity": familiarity}
            if key in ("held", "unseen"):
                answers[f"{key}:scores"] = scores.astype(np.float16)
        part = out / f"fit-{name}.part.npz"
        kept = {
            "held": held,
            "first": np.array(first),
            "steps": np.array(settings.n_steps),
            "even": np.array(settings.even),
            **_state(network),
            **answers,
        }
        np.savez_compressed(part, **kept)  # type: ignore[arg-type]
        part.replace(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A picture, and what a network said that had not seen it."""

    pair: Pair
    """Picture and mask."""
    mask: np.ndarray
    """(size, size) the mask on the canvas."""
    placement: Placement
    """Where the picture lies on the canvas."""
    fold: int
    """The fold it was held out in."""
    group: int
    """Its group of near-duplicates."""
    scores: np.ndarray
    """(n_classes, size, size) mean of straight and mirrored."""
    odds: float
    """Log odds of being familiar."""
    distance: float
    """Of its features from those of the pictures the network had seen."""

    def inside(self, planes: np.ndarray) -> np.ndarray:
        """Cut planes (..., size, size) of the canvas to the picture's content."""
        place = self.placement
        return planes[..., : place.height, place.left : place.left + place.width]


def _unseen(data: Path, out: Path) -> tuple[list[Unseen], dict[str, np.ndarray]]:
    """All pictures with what was said of them unseen; and the same of negatives, as arrays."""
    pairs = read_pairs(data, n_classes=N_CLASSES)
    group = groups(similarity([pair.picture for pair in pairs]))
    fold = folds(group, N_FOLDS, seed=SEED)
    seen: dict[int, Unseen] = {}
    others: dict[str, list[np.ndarray]] = {"scores": [], "odds": [], "distance": []}
    for number in range(N_FOLDS):
        with np.load(out / f"fit-{number}.npz", allow_pickle=False) as file:
            if not np.array_equal(file["held"], fold == number):
                raise InputError(
                    f"fit-{number}.npz was made from other pairs or groups; remove it and fit again"
                )
            space = feature_space(file["known:features"])
            distance = space.distance(file["held:features"])
            for row, index in enumerate(np.flatnonzero(file["held"])):
                _, mask, placement = lay(pairs[index], size=SIZE, n_classes=N_CLASSES)
                seen[int(index)] = Unseen(
                    pair=pairs[index],
                    mask=mask,
                    placement=placement,
                    fold=number,
                    group=int(group[index]),
                    scores=file["held:scores"][row].astype(np.float32),
                    odds=float(file["held:familiarity"][row]),
                    distance=float(distance[row]),
                )
            others["scores"].append(file["unseen:scores"].astype(np.float32))
            others["odds"].append(file["unseen:familiarity"])
            others["distance"].append(space.distance(file["unseen:features"]))
    return [seen[index] for index in range(len(pairs))], {k: np.concatenate(v) for k, v in others.items()}


def _read(one: Unseen, calibration: Calibration) -> Reading:
    """Read a picture the way it is read in use, with the scores of the network that had not seen it."""
    scores = np.stack([one.scores, one.scores[:, :, ::-1]])
    odds, distance = np.full(2, one.odds), np.full(2, one.distance)
    return read(one.pair.picture, 1.0, calibration=calibration, ask=lambda _: (scores, odds, distance))


def _labels(reading: Reading) -> np.ndarray:
    """Class of each pixel without the components too small to count."""
    labels = np.zeros_like(reading.labels)
    for k in range(1, N_CLASSES):
        for part in components(reading.labels == k, floor=SMALLEST * reading.n_content):
            labels[part] = k
    return labels


def _measured(some: list[Unseen], labels: list[np.ndarray], k: int) -> dict[str, list[float]]:
    """Measures of class k over all pictures."""
    tallies = [
        tally(said == k, one.pair.mask == k, floor=int(SMALLEST * one.pair.mask.size))
        for one, said in zip(some, labels, strict=True)
    ]
    return measure(tallies, np.array([one.group for one in some]))


def _shape(one: Unseen) -> tuple[int, int]:
    rows, columns = one.pair.picture.shape
    return rows, columns


def _prior_labels(some: list[Unseen]) -> list[np.ndarray]:
    """Labels of a rule that ignores the picture: the mean mask of the other folds, cut where their Dice is best."""
    labels = [np.zeros(one.pair.mask.shape, np.uint8) for one in some]
    for number in range(N_FOLDS):
        share = prior(np.stack([one.mask for one in some if one.fold != number]))
        for k in range(1, N_CLASSES):

            def quality(level: float, k: int = k, share: np.ndarray = share, number: int = number) -> float:
                said = share[k] > level
                true = [one.mask == k for one in some if one.fold != number and (one.mask == k).any()]
                return float(np.mean([2 * (said & t).sum() / (said.sum() + t.sum()) for t in true]))

            level = max(np.linspace(0.02, 0.98, 49) * share[k].max(), key=quality)
            for one, said in zip(some, labels, strict=True):
                if one.fold == number:
                    there = from_canvas(share[k][None], one.placement, _shape(one))[0] > level
                    said[there & (said == 0)] = k
    return labels


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _write_toml(path: Path, tables: dict[str, dict[str, object]], first: str) -> None:
    lines = [f"# {first}"]
    for name, table in tables.items():
        lines += ["", f"[{name}]"] if name else []
        lines += [f"{key} = {_toml(value)}" for key, value in table.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _reads_even(out: Path) -> bool:
    """Say whether the fits of a folder read even canvases; a mixture is refused."""
    said = {}
    for name in (*map(str, range(N_FOLDS)), FINAL):
        with np.load(out / f"fit-{name}.npz", allow_pickle=False) as file:
            said[name] = bool(file["even"]) if "even" in file.files else False
    if len(set(said.values())) > 1:
        raise InputError(
            f"all fits in {out} must read even canvases, or none, got {said}; fit the others again"
        )
    return said[FINAL]


def _calibrate(
    some: list[Unseen], judges: tuple[tuple[float, float], tuple[float, float]], *, even: bool
) -> Calibration:
    """Find temperature, bias and trust from pictures unseen."""
    scores, masks = [one.inside(one.scores) for one in some], [one.inside(one.mask) for one in some]
    t = temperature(scores, masks)
    biases = bias(scores, masks, t, grid=BIASES)
    share = np.concatenate([softmax(s / t, axis=0).reshape(N_CLASSES, -1)[:, ::7] for s in scores], axis=1)
    true = np.concatenate([mask.ravel()[::7] for mask in masks])
    labels = np.argmax(share * np.exp(np.array(biases))[:, None], axis=0)
    none, nerve, vessel = (trust(share[k, labels == k], true[labels == k] == k) for k in range(N_CLASSES))
    return Calibration(
        size=SIZE,
        even=even,
        temperature=t,
        bias=biases,
        trust=(none, nerve, vessel),
        odds=judges[0],
        distance=judges[1],
    )


def _limits(known: np.ndarray, width: float, sign: int) -> tuple[float, float]:
    """Center and width of a judge that leaves 99 % of the pictures unseen a familiarity of 0.95 or more."""
    edge = sign * float(np.quantile(sign * known, 0.01))
    return edge - sign * 3 * width, width


def finish(data: Path, out: Path) -> None:
    """Calibrate, measure, export, and write the card.

    Parameters
    ----------
    data : pathlib.Path
        Folder of pairs.
    out : pathlib.Path
        Folder of the fits; gets `nerve_vessel.onnx`, `nerve_vessel.toml`, `weights.toml`, a contact sheet and
        `unseen.npz`.
    """
    some, others = _unseen(data, out)
    odds = np.array([one.odds for one in some])
    distance = np.array([one.distance for one in some])
    judges = _limits(odds, ODDS_WIDTH, 1), _limits(distance, DISTANCE_WIDTH, -1)

    # what is chosen for a fold is chosen on the four others, so that the measures are of pictures unseen throughout
    even = _reads_even(out)
    chosen = [_calibrate([one for one in some if one.fold != k], judges, even=even) for k in range(N_FOLDS)]
    readings = [_read(one, chosen[one.fold]) for one in some]
    labels = [_labels(reading) for reading in readings]
    final = _calibrate(some, judges, even=even)
    confidence = np.concatenate(
        [r.confidence[said == r.labels] for r, said in zip(readings, labels, strict=True)]
    )
    right = np.concatenate(
        [
            (said == one.pair.mask)[said == r.labels]
            for one, r, said in zip(some, readings, labels, strict=True)
        ]
    )
    named = np.concatenate([(said > 0)[said == r.labels] for r, said in zip(readings, labels, strict=True)])
    share = softmax(others["scores"] / final.temperature, axis=1)
    decided = [final.decide(one) for one in share]
    sure = np.stack([np.where(said > 0, trusted, 0) for said, trusted in decided])
    familiar = np.array(
        [final.familiarity(z, d) for z, d in zip(others["odds"], others["distance"], strict=True)]
    )
    gated = sure * familiar[:, None, None] >= THRESHOLD
    kinds = _kinds(N_NEGATIVES)
    held_kinds = np.concatenate([kinds[_kind_fold(N_NEGATIVES) == k] for k in range(N_FOLDS)])
    own = np.array([reading.familiarity for reading in readings])

    with np.load(out / f"fit-{FINAL}.npz", allow_pickle=False) as file:
        network = UNet(n_classes=N_CLASSES)
        network.load_state_dict(_weights(out / f"fit-{FINAL}.npz"))
        first = str(file["first"]) if "first" in file.files else "random weights"
        steps = int(file["steps"]) if "steps" in file.files else Settings().n_steps
        space = feature_space(file["known:features"])
    parameters = sum(one.numel() for one in network.parameters())
    export(network, space, out / f"{NAME}.onnx", size=SIZE)
    content = (out / f"{NAME}.onnx").read_bytes()

    priors = _prior_labels(some)
    tables: dict[str, dict[str, object]] = {
        "": {"name": NAME, "version": VERSION, "license": "Apache-2.0", "parameters": parameters},
        "reading": {
            "size": SIZE,
            "even": final.even,
            "temperature": final.temperature,
            "bias": final.bias,
            "trust": final.trust,
            "smallest": SMALLEST,
            "confidence_threshold": THRESHOLD,
        },
        "gate": {"odds": final.odds, "distance": final.distance},
        "fitted": {
            "data": "usgra-seg (TMK), 204 pairs, CC BY 4.0",
            "first": first,
            "pictures": len(some),
            "groups": len({one.group for one in some}),
            "folds": N_FOLDS,
            "steps": steps,
        },
        "measured.nerve": dict(_measured(some, labels, 1)),
        "measured.vessel": dict(_measured(some, labels, 2)),
        "prior.nerve": dict(_measured(some, priors, 1)),
        "prior.vessel": dict(_measured(some, priors, 2)),
        "human": {"nerve": 0.48, "artery": 0.88, "what": "mean Dice, expert against expert, as published"},
        "measured.confidence": {
            "calibration_error": calibration_error(confidence, right),
            "calibration_error_named": calibration_error(confidence[named], right[named]),
            "known": float((confidence >= THRESHOLD).mean()),
            "right_where_known": float(right[confidence >= THRESHOLD].mean()),
        },
        "measured.gate": {
            "refused": float((own < 0.5).mean()),
            "dimmed": float((own < 0.95).mean()),
            "refused_kinds_unseen": float((familiar < 0.5).mean()),
            "labeled_without_gate": float((sure >= THRESHOLD).mean()),
            "labeled": float(gated.mean()),
            "worst": float(gated.mean(axis=(1, 2)).max()),
        },
        "measured.gate.labeled_of_kind": {
            str(kind): float(gated[held_kinds == kind].mean()) for kind in np.unique(held_kinds)
        },
    }
    _write_toml(
        out / f"{NAME}.toml", tables, "Card of the network for nerve and vessel, made by the fitting script"
    )
    entry: dict[str, object] = {
        "version": VERSION,
        "file": f"{NAME}.onnx",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "license": "Apache-2.0; fitted on usgra-seg (TMK), CC BY 4.0",
        "card": f"cards/{NAME}.md",
    }
    _write_toml(out / "weights.toml", {NAME: entry}, "Weights of all models: version, file, hash, license")
    quality = np.array([_mean_dice(said, one.pair.mask) for one, said in zip(some, labels, strict=True)])
    order = np.argsort(quality)
    middle = len(order) // 2
    shown = {"worst": order[:2], "middle": order[middle - 1 : middle + 1], "best": order[-2:]}
    contact_sheet(
        [
            (f"{word}, mean Dice {quality[index]:.2f}", some[index].pair, labels[index])
            for word, some_of_them in shown.items()
            for index in some_of_them
        ],
        out / f"{NAME}_out_of_fold.png",
    )
    kept: dict[str, object] = {
        "name": [one.pair.name for one in some],
        "fold": [one.fold for one in some],
        "group": [one.group for one in some],
        "dice": quality,
        "odds": odds,
        "distance": distance,
        "other_odds": others["odds"],
        "other_distance": others["distance"],
        "other_kind": held_kinds,
    }
    kept |= {f"labels:{one.pair.name}": said for one, said in zip(some, labels, strict=True)}
    arrays = {key: np.asarray(value) for key, value in kept.items()}
    np.savez_compressed(out / "unseen.npz", **arrays)  # type: ignore[arg-type]


def _mean_dice(said: np.ndarray, true: np.ndarray) -> float:
    """Mean of Dice over the classes the truth holds."""
    return float(np.mean([tally(said == k, true == k).dice or 0.0 for k in (1, 2) if (true == k).any()]))


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Fit the network for nerve and vessel.")
    parser.add_argument("what", choices=["prepare", "fit", "finish"])
    parser.add_argument("--data", type=Path, help="folder with images/*.png and masks/*.png")
    parser.add_argument("--simulated", type=Path, help="folder of simulated pictures to prepare on")
    parser.add_argument("--start", type=Path, help="prepared.npz to begin from")
    parser.add_argument("--out", type=Path, required=True, help="folder for the fits and the result")
    names = [*map(str, range(N_FOLDS)), FINAL]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="fits to make")
    parser.add_argument("--steps", type=int, default=Settings().n_steps, help="batches of each fit")
    parser.add_argument("--threads", type=int, default=1, help="processor threads")
    parser.add_argument(
        "--batch", type=int, default=8, help="pictures in a batch, one in eight without anatomy"
    )
    parser.add_argument("--rate", type=float, default=Settings().rate, help="highest learning rate")
    parser.add_argument("--even", action="store_true", help="the network reads ranks instead of gray levels")
    parser.add_argument("--device", default="cpu", help="where to compute: cpu, cuda")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    n_negative = max(given.batch // 8, 1)
    settings = Settings(
        n_steps=given.steps,
        n_positive=given.batch - n_negative,
        n_negative=n_negative,
        rate=given.rate,
        even=given.even,
        device=given.device,
    )
    if given.what == "prepare":
        if given.simulated is None:
            parser.error("prepare needs --simulated")
        prepare(given.simulated, given.out, settings, given.start)
    elif given.data is None:
        parser.error(f"{given.what} needs --data")
    elif given.what == "fit":
        fit_all(given.data, given.out, given.only, settings, given.start)
    else:
        finish(given.data, given.out)


if __name__ == "__main__":
    main()
