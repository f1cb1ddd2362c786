"""Fit the network that names tissues in simulated pictures, on simulated pictures only, and write its files.

    python -m insonate.pipeline.fitting_pictures --region femoral_crease … --first 500000 --individuals 60 --out FIT
    python -m insonate.analysis.fitting.simulated_tissues fit --pictures FIT --out OUT
    python -m insonate.analysis.fitting.simulated_tissues finish --calibrating CAL --testing TEST --out OUT

Individuals for fitting, calibrating and testing have seeds of their own, far apart: a seed may serve one purpose only
(`SEEDS`), and a file from another range is refused. `fit` leaves `fit.npz`, and every so often `fit.part.npz`, from which a
fit that was cut off can be finished as it stands. `finish` calibrates, measures per tissue and region, and writes ONNX, card
and entry.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import softmax

from insonate.analysis.fitting.calibration import temperature, trust
from insonate.analysis.fitting.evaluation import calibration_error, measure, tally
from insonate.analysis.fitting.export import export_scores
from insonate.analysis.fitting.loop import Settings, fit
from insonate.analysis.fitting.pairs import Pair, lay
from insonate.analysis.models.simulated_tissues import NAME, Calibration, shares
from insonate.analysis.models.unet import UNet
from insonate.core import InputError, Tissue

VERSION = "0.4.0"
SIZE = 192
CHANNELS = (16, 32, 64, 96, 128)
SEEDS = {"fitting": (500_000, 600_000), "calibrating": (600_000, 700_000), "testing": (700_000, 800_000)}
"""First seed of each purpose, and the one after its last."""

SMALLEST = 0.0008
"""Share of a picture below which a component is no structure."""

ENOUGH = 25
"""Pixels right and pixels wrong that a label must have for its trust to be fitted."""

SURFACE = 0.04
"""How thick a bone's surface is, as a share of the picture's depth; under it lies its shadow, which shows nothing."""

THRESHOLD = 0.5
"""Confidence below which a pixel counts as not known."""

EMPHASIS = {
    Tissue.NERVE: 4.0,
    Tissue.ARTERY: 3.0,
    Tissue.VEIN: 3.0,
    Tissue.PLEURA: 3.0,
    Tissue.SKIN: 0.5,
    Tissue.FAT: 0.5,
    Tissue.MUSCLE: 0.5,
}
"""How much a tissue counts in the mean of Dice; 2 for any other. What a needle must not meet is small and counts most."""

KEPT_EVERY = 100
"""Steps between what a fit leaves behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """One simulated picture with its truth."""

    pair: Pair
    """Picture, and tissue of each pixel: 0 is none, k the file's k-th tissue."""
    region: str
    """Of the body."""
    seed: int
    """Of the individual."""
    needle: bool
    """Whether a needle is in it."""


def read_simulated(folder: Path, purpose: str) -> tuple[list[Simulated], tuple[Tissue, ...]]:
    """Read all simulated pictures of a folder, in the order of their names.

    Parameters
    ----------
    folder : pathlib.Path
        Holds `REGION-SEED.npz` as `pipeline.fitting_pictures` makes them.
    purpose : str
        A name in `SEEDS`.

    Returns
    -------
    tuple
        The pictures, and what the numbers in their masks stand for.

    Raises
    ------
    InputError
        If there are none, or a seed belongs to another purpose.
    """
    low, high = SEEDS[purpose]
    out: list[Simulated] = []
    words: tuple[str, ...] = ()
    for path in sorted(folder.glob("*-*.npz")):
        if path.name.endswith(".part.npz"):
            continue
        region, _, number = path.stem.rpartition("-")
        if not low <= int(number) < high:
            raise InputError(f"seeds for {purpose} must lie in {low}..{high - 1}, got {path.name}")
        with np.load(path, allow_pickle=False) as file:
            words = tuple(str(word) for word in file["tissue_names"])
            for k, needle in enumerate(file["needle"]):
                pair = Pair(
                    name=f"{path.stem}:{k}",
                    picture=file[f"picture:{k}"].astype(np.float32) / 255,
                    mask=file[f"tissues:{k}"],
                )
                out.append(Simulated(pair=pair, region=region, seed=int(number), needle=bool(needle)))
    if not out:
        raise InputError(f"expected files REGION-SEED.npz in {folder}, got none")
    return out, tuple(Tissue(word) for word in words)


def seen_classes(some: Sequence[Simulated], tissues: Sequence[Tissue]) -> tuple[Tissue, ...]:
    """Give the tissues that occur, in the order of their numbers."""
    there = np.unique(np.concatenate([np.unique(one.pair.mask) for one in some]))
    return tuple(tissues[k - 1] for k in there if k > 0)


def renumbered(mask: np.ndarray, tissues: Sequence[Tissue], classes: Sequence[Tissue]) -> np.ndarray:
    """Number a mask by the places of its tissues in `classes`; what is not among them is 0."""
    table = np.array([0, *(classes.index(one) + 1 if one in classes else 0 for one in tissues)], np.uint8)
    return np.asarray(table[mask])


def fit_all(pictures: Path, out: Path, settings: Settings, start: Path | None = None) -> None:
    """Fit, and leave `fit.npz`.

    Parameters
    ----------
    pictures : pathlib.Path
        Folder of simulated pictures for fitting.
    out : pathlib.Path
        Where the files go.
    settings : Settings
        Steps, rate, seed; classes are those that occur.
    start : pathlib.Path, optional
        Folder of an earlier fit, whose weights it begins from; its steps and its time are added to what is told.
    """
    some, tissues = read_simulated(pictures, "fitting")
    classes = seen_classes(some, tissues)
    laid = []
    for one in some:
        pair = Pair(
            name=one.pair.name,
            picture=one.pair.picture,
            mask=renumbered(one.pair.mask, tissues, classes),
        )
        laid.append(lay(pair, size=SIZE, n_classes=len(classes) + 1)[:2])
    settings = Settings(
        n_steps=settings.n_steps,
        n_positive=settings.n_positive,
        n_negative=0,
        rate=settings.rate,
        familiarity=0.0,
        seed=settings.seed,
        n_classes=len(classes) + 1,
        channels=CHANNELS,
        emphasis=tuple(EMPHASIS.get(one, 2.0) for one in classes),
        half=settings.half,
        device=settings.device,
    )
    out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    sys.stderr.write(
        f"{len(some)} pictures of {len({one.seed for one in some})} individuals, {len(classes)} tissues\n"
    )

    def progress(step: int, loss: float) -> None:
        passed = time.perf_counter() - began
        sys.stderr.write(
            f"step {step + 1} of {settings.n_steps}, loss {loss:.3f}, {passed:.0f} s, {time.process_time():.0f} core-s\n"
        )
        sys.stderr.flush()

    weights, earlier = _weights(start) if start is not None else (None, None)
    steps = 0 if earlier is None else int(earlier["steps"])
    seconds = 0.0 if earlier is None else float(earlier["core_seconds"])
    about = {
        "classes": np.array([one.value for one in classes]),
        "regions": np.array(sorted({one.region for one in some})),
        "individuals": np.array(len({(one.region, one.seed) for one in some})),
        "pictures": np.array(len(some)),
        "batch": np.array(settings.n_positive),
        "device": np.array(settings.device),
    }

    def save(step: int, network: UNet, name: str) -> None:
        weights = {f"weight:{key}": value.cpu().numpy() for key, value in network.state_dict().items()}
        part = out / "writing.npz"
        arrays = (
            about
            | weights
            | {
                "steps": np.array(steps + step + 1),
                "core_seconds": np.array(seconds + time.process_time()),
            }
        )
        np.savez_compressed(part, **arrays)
        part.replace(out / name)

    def keep(step: int, network: UNet) -> None:
        if step % KEPT_EVERY == KEPT_EVERY - 1:
            save(step, network, "fit.part.npz")

    network = fit(
        np.stack([one for one, _ in laid]),
        np.stack([mask for _, mask in laid]),
        np.zeros((0, SIZE, SIZE), np.float32),
        settings,
        progress,
        start=weights,
        keep=keep,
    )
    save(settings.n_steps - 1, network, "fit.npz")


def _weights(out: Path) -> tuple[dict[str, torch.Tensor], dict[str, np.ndarray]]:
    """Give what a fit left: its weights, and what it was."""
    path = out / "fit.npz"
    path = path if path.exists() else out / "fit.part.npz"
    with np.load(path, allow_pickle=False) as file:
        about = {key: file[key] for key in file.files if not key.startswith("weight:")}
        state = {
            key.removeprefix("weight:"): torch.from_numpy(file[key]) for key in file.files if "weight:" in key
        }
    return state, about


def _fitted(out: Path) -> tuple[UNet, dict[str, np.ndarray]]:
    state, about = _weights(out)
    network = UNet(n_classes=len(about["classes"]) + 1, channels=CHANNELS)
    network.load_state_dict(state)
    network.eval()
    return network, about


def unshadowed(mask: np.ndarray, tissues: Sequence[Tissue]) -> np.ndarray:
    """Tell where a picture can show anything: not deeper in bone, or under it, than its surface is thick.

    Parameters
    ----------
    mask : numpy.ndarray
        (rows, columns) tissue of each pixel, 0 for none, else its number in `tissues` from 1.
    tissues : sequence of Tissue
        Names of the numbers.

    Returns
    -------
    numpy.ndarray
        (rows, columns) bool.
    """
    if Tissue.BONE not in tissues:
        return np.ones(mask.shape, bool)
    bone = mask == list(tissues).index(Tissue.BONE) + 1
    first = np.where(bone.any(axis=0), bone.argmax(axis=0), len(mask))
    return np.asarray(np.arange(len(mask))[:, None] <= first + SURFACE * len(mask))


def _asker(network: UNet) -> object:
    def ask(canvases: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(network(torch.from_numpy(canvases)).scores.numpy())

    return ask


def _line(share: np.ndarray, labelled: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Give how far one label can be trusted; as it stands where too few pixels carry it, or all of them are alike."""
    right = true[labelled]
    if min(right.sum(), (~right).sum()) < ENOUGH:
        return (1.0, 0.0)
    return trust(share[labelled], right)


def finish(calibrating: Path, testing: Path, out: Path) -> None:
    """Calibrate, measure, export, and write card and entry.

    Parameters
    ----------
    calibrating, testing : pathlib.Path
        Folders of simulated pictures with seeds of that purpose.
    out : pathlib.Path
        Folder of the fit; gets `simulated_tissues.onnx`, `simulated_tissues.toml` and `entry.toml`.
    """
    network, about = _fitted(out)
    classes = tuple(Tissue(str(word)) for word in about["classes"])
    ask = _asker(network)
    honest = Calibration(
        size=SIZE, temperature=1.0, classes=classes, trust=((1.0, 0.0),) * (len(classes) + 1)
    )
    some, tissues = read_simulated(calibrating, "calibrating")
    logs, masks, lit = [], [], []
    for one in some:
        share = shares(one.pair.picture, 1.0, calibration=honest, ask=ask)  # type: ignore[arg-type]
        shown = unshadowed(one.pair.mask, tissues)[::4, ::4]
        logs.append(np.log(np.maximum(share[:, ::4, ::4], 1e-7))[:, None, shown])
        masks.append(renumbered(one.pair.mask, tissues, classes)[::4, ::4][None, shown])
        lit.append(shown)
    t = temperature(logs, masks)
    named = honest.named
    grouped = [honest.grouped(softmax(log / t, axis=0)) for log in logs]
    share = np.concatenate([one.reshape(len(named) + 1, -1) for one in grouped], axis=1)
    true = np.concatenate(
        [
            renumbered(one.pair.mask, tissues, named)[::4, ::4][shown]
            for one, shown in zip(some, lit, strict=True)
        ]
    )
    labels = share.argmax(axis=0)
    lines = tuple(_line(share[k], labels == k, true == k) for k in range(len(named) + 1))
    calibration = Calibration(size=SIZE, temperature=t, classes=classes, trust=lines)
    tables = _measured(testing, calibration, ask)
    parameters = sum(one.numel() for one in network.parameters())
    export_scores(network, out / f"{NAME}.onnx", size=SIZE)
    content = (out / f"{NAME}.onnx").read_bytes()
    head: dict[str, dict[str, object]] = {
        "": {
            "name": NAME,
            "version": VERSION,
            "license": "Apache-2.0",
            "parameters": parameters,
            "reads": "pictures of sources marked SIMULATED alone, never a real one",
        },
        "reading": {
            "size": SIZE,
            "temperature": t,
            "classes": [one.value for one in classes],
            "trust": [list(line) for line in lines],
            "smallest": SMALLEST,
            "confidence_threshold": THRESHOLD,
        },
        "fitted": {
            "data": "simulated pictures only",
            "regions": [str(one) for one in about["regions"]],
            "individuals": int(about["individuals"]),
            "pictures": int(about["pictures"]),
            "steps": int(about["steps"]),
            "batch": int(about["batch"]),
            "device": str(about["device"]),
            "core_seconds": round(float(about["core_seconds"])),
            "calibrated_on": len({(one.region, one.seed) for one in some}),
        },
    }
    write_toml(
        out / f"{NAME}.toml",
        head | tables,
        "Card of the network for simulated tissues, made by the fitting script; [value, low, high], 95 % over individuals",
    )
    (out / f"{NAME}.md").write_text(page(head | tables), encoding="utf-8")
    entry: dict[str, object] = {
        "version": VERSION,
        "file": f"{NAME}.onnx",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "license": "Apache-2.0; fitted on simulated pictures only",
        "card": f"cards/{NAME}.md",
    }
    write_toml(out / "entry.toml", {NAME: entry}, "For weights.toml")


def _measured(testing: Path, calibration: Calibration, ask: object) -> dict[str, dict[str, object]]:
    """Measure on individuals not seen, per tissue over all regions and per region."""
    some, tissues = read_simulated(testing, "testing")
    said, true, sure, right = [], [], [], []
    for one in some:
        share = shares(one.pair.picture, 1.0, calibration=calibration, ask=ask)  # type: ignore[arg-type]
        said.append(share.argmax(axis=0).astype(np.uint8))
        true.append(renumbered(one.pair.mask, tissues, calibration.classes))
        grouped = calibration.grouped(share)
        labels = grouped.argmax(axis=0)
        chosen = np.take_along_axis(grouped, labels[None], axis=0)[0]
        shown = unshadowed(one.pair.mask, tissues)[::3, ::3]
        sure.append(calibration.trusted(labels, chosen)[::3, ::3][shown])
        right.append((labels == renumbered(one.pair.mask, tissues, calibration.named))[::3, ::3][shown])
    regions = sorted({one.region for one in some})
    whole: dict[str, dict[str, object]] = {
        "measured": {
            "pictures": len(some),
            "individuals": len({(one.region, one.seed) for one in some}),
            "calibration_error": calibration_error(np.concatenate(sure), np.concatenate(right)),
        }
    }
    for region in ["", *regions]:
        chosen_ones = [k for k, one in enumerate(some) if region in ("", one.region)]
        group = np.unique([some[k].seed for k in chosen_ones], return_inverse=True)[1]
        for number, tissue in enumerate(calibration.classes, start=1):
            tallies = [
                tally(said[k] == number, true[k] == number, floor=int(SMALLEST * true[k].size))
                for k in chosen_ones
            ]
            if not any(one.present for one in tallies):
                continue
            found = measure(tallies, group, n_draws=500)
            kept = (
                "mean_dice",
                "pooled_dice",
                "found",
                "missed",
                "untouched",
                "invented",
                "invented_per_picture",
            )
            key = f"measured.{region + '.' if region else ''}{json.dumps(tissue.value)}"
            whole[key] = {name: found[name] for name in kept}
    return whole


HEAD = """# Model card: {name} {version}

**What it does.** Names tissues in pictures of the simulated patient. It was fitted on simulated pictures only and reads
pictures of sources marked SIMULATED only; a real picture is refused by name. For research and education; it is no medical
device, and nothing in it has been reviewed by a clinician.

**What it is.** A U-Net with {parameters} weights on a canvas of {size} x {size} pixels, as ONNX. Skin, fat, muscle and fluid
are told apart within it but come back as no structure.

**Fitted on** {pictures} pictures of {individuals} individuals ({regions}): {steps} steps
of {batch} pictures, {core_seconds} s of one core beside {device}; calibrated on {calibrated_on}
others. Every picture has its own view, force, moment and setting of the machine. Seeds for
fitting, calibrating and testing lie apart.

## Measured on individuals that neither fitting nor calibration had seen

{tested} pictures of {testers} individuals; 95 % intervals by bootstrap over individuals.
Expected calibration error {error}, without the shadow of bone (deeper than {surface} % of the picture under its surface):
no picture shows what lies there, and it counts as bone in Dice.

| region | tissue | mean Dice | found | missed | invented, of all it labels |
|---|---|---|---|---|---|
"""

FOOT = """
*Found*: a third of its pixels are labelled right, or one labelled component overlaps it with an IoU of 0.3. *Invented*: a
labelled component that touches no true pixel of its class.

**What it misses is unknown.** A structure that it did not name may be there; nothing is clear because nothing was named.
"""


FITTED = ("pictures", "individuals", "steps", "batch", "device", "core_seconds", "calibrated_on")
"""What the card for people says of the fit."""


def page(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the card for people, from the tables of the card for programs.

    Parameters
    ----------
    tables : mapping
        As `finish` makes them.

    Returns
    -------
    str
        Markdown.
    """
    fitted, measured = tables["fitted"], tables["measured"]
    regions = [str(one).replace("_", " ") for one in fitted["regions"]]
    head = HEAD.format(
        name=NAME,
        version=VERSION,
        size=SIZE,
        parameters=tables[""]["parameters"],
        regions=", ".join(regions),
        **{key: fitted[key] for key in FITTED},
        tested=measured["pictures"],
        testers=measured["individuals"],
        surface=f"{100 * SURFACE:.0f}",
        error=f"{measured['calibration_error']:.3f}",
    )
    lines = []
    for key, table in tables.items():
        words = [word.strip('"') for word in key.split(".")[1:]]
        if key.startswith("measured.") and len(words) == 2:
            cells = [_cell(table[name]) for name in ("mean_dice", "found", "missed", "invented")]
            lines.append(f"| {words[0].replace('_', ' ')} | {words[1]} | {' | '.join(cells)} |")
    return head + "\n".join(lines) + "\n" + FOOT


def _cell(triple: Sequence[float]) -> str:
    value, low, high = triple
    return "–" if np.isnan(value) else f"{value:.2f} ({low:.2f}–{high:.2f})"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def write_toml(path: Path, tables: dict[str, dict[str, object]], first: str) -> None:
    """Write tables of plain values, with a first line that says what they are."""
    lines = [f"# {first}"]
    for name, table in tables.items():
        lines += ["", f"[{name}]"] if name else []
        lines += [f"{key} = {_toml(value)}" for key, value in table.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Fit the network for simulated tissues.")
    parser.add_argument("what", choices=["fit", "finish"])
    parser.add_argument("--pictures", type=Path, help="folder of simulated pictures to fit on")
    parser.add_argument("--calibrating", type=Path, help="folder of those to calibrate on")
    parser.add_argument("--testing", type=Path, help="folder of those to measure on")
    parser.add_argument("--out", type=Path, required=True, help="folder for the fit and the result")
    parser.add_argument("--steps", type=int, default=1500, help="batches")
    parser.add_argument("--batch", type=int, default=8, help="pictures in a batch")
    parser.add_argument("--threads", type=int, default=1, help="processor threads")
    parser.add_argument("--start", type=Path, help="folder of an earlier fit to begin from")
    parser.add_argument("--device", default="cpu", help="where to compute: cpu, cuda")
    parser.add_argument("--half", action="store_true", help="compute in 16-bit floats")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    if given.what == "fit":
        if given.pictures is None:
            parser.error("fit needs --pictures")
        fit_all(
            given.pictures,
            given.out,
            Settings(n_steps=given.steps, n_positive=given.batch, half=given.half, device=given.device),
            given.start,
        )
    else:
        if given.calibrating is None or given.testing is None:
            parser.error("finish needs --calibrating and --testing")
        finish(given.calibrating, given.testing, given.out)


if __name__ == "__main__":
    main()
