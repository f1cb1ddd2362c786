"""The main job, file in and folder out: read, form, label, plan, draw, report; all or nothing."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from insonate.core.errors import InputError
from insonate.core.image import Image
from insonate.core.scene import Scene
from insonate.core.units import Meters
from insonate.pipeline.chain import Guided, Report, as_image, guide, label, picture, silent, with_depth
from insonate.pipeline.reading import open as open_file
from insonate.pipeline.reading import reader_of
from insonate.record.folder import folder, write_json, write_picture, write_segmentation
from insonate.record.report import report as report_of
from insonate.record.report import structures

CHUNK = 1 << 20
OVERLAY_HEIGHT = 800
"""Height of `overlay.png` [pixels]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a command made."""

    sentence: str
    """One line for people."""
    result: dict[str, Any]
    """The same for programs."""


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _source(path: Path, part: int, parts: int) -> dict[str, Any]:
    return {
        "file": path.name.encode(errors="backslashreplace").decode(),  # a name need not be text
        "sha256": _sha256(path),
        "reader": reader_of(path),
        "part": part,
        "parts": parts,
    }


def model_facts(name: str = "nerve_vessel") -> dict[str, Any]:
    """Give version, hash and license of a model's weights, as they stand in the table of weights.

    Parameters
    ----------
    name : str
        Name of the model.

    Returns
    -------
    dict
        Plain values.
    """
    import tomllib

    table = tomllib.loads(
        (resources("insonate.analysis.models") / "weights.toml").read_text(encoding="utf-8")
    )
    return {"name": name, **table[name]}


def _supply(image: Image, spacing: tuple[Meters, Meters] | None, depth: Meters | None) -> Image:
    if spacing is not None and depth is not None:
        raise InputError("give --spacing or --depth-cm, not both")
    if spacing is not None:
        return image.with_spacing(spacing)
    return image if depth is None else with_depth(image, depth)


def _each(
    path: Path, out: Path, work: Callable[[Image, Path, dict[str, Any]], dict[str, Any]], report: Report
) -> list[dict[str, Any]]:
    """Do the same work for every part of a file; parts after the first get folders of their own."""
    nouns = open_file(path)
    results = []
    with folder(out) as room:
        for number, noun in enumerate(nouns, start=1):
            report(0, 1, "forming the image")
            place = room if len(nouns) == 1 else room / f"part-{number}"
            place.mkdir(exist_ok=True)
            results.append(work(as_image(noun), place, _source(path, number, len(nouns))))
    return results


def _named_files(out: Path, parts: int) -> str:
    return f"{out}/" if parts == 1 else f"{out}/part-1 … part-{parts}/"


def label_file(path: Path, out: Path, *, report: Report = silent) -> Made:
    """Label every frame of a file.

    Parameters
    ----------
    path : pathlib.Path
        Image, clip or channel data.
    out : pathlib.Path
        Folder for `labels.png`, `confidence.png` and `structures.json`.
    report : callable
        Told how far it is.

    Returns
    -------
    Made
        A sentence and the result.
    """

    def work(image: Image, place: Path, source: dict[str, Any]) -> dict[str, Any]:
        scene = label(image, report=report)
        names = _write_labels(image, scene, place)
        frames = (
            []
            if scene.segmentation is None
            else [
                {"frame": frame + 1, "structures": structures(scene.segmentation, frame)}
                for frame in range(image.n_frames)
            ]
        )
        result = {
            "source": source,
            "model": model_facts(),
            "frames": frames,
            "files": [*names, "structures.json"],
        }
        write_json(place / "structures.json", result)
        return result

    results = _each(path, out, work, report)
    count = sum(len(frame["structures"]) for result in results for frame in result["frames"])
    frames = sum(len(result["frames"]) for result in results)
    sentence = f"{_named_files(out, len(results))}: labels of {frames} frame(s) of {path.name}, {count} structure(s) named"
    return Made(sentence=sentence, result={"out": str(out), "parts": results})


def _write_labels(image: Image, scene: Scene, place: Path) -> list[str]:
    if scene.segmentation is None:
        return []
    return write_segmentation(place, scene.segmentation, scene.area, image.grid)


def guide_file(
    path: Path,
    procedure: str,
    out: Path,
    *,
    spacing: tuple[Meters, Meters] | None = None,
    depth: Meters | None = None,
    frame: int | None = None,
    report: Report = silent,
) -> Made:
    """Do the main job on one file: label, plan, draw, report.

    Parameters
    ----------
    path : pathlib.Path
        Image, clip or channel data.
    procedure : str
        Id in the catalog of procedures.
    out : pathlib.Path
        Folder for `overlay.png`, `labels.png`, `confidence.png` and `report.json`.
    spacing : (float, float), optional
        Distance between rows and columns, where the file does not say [m].
    depth : float, optional
        Depth that the picture shows, where the file does not say its spacing [m].
    frame : int, optional
        Index of the frame to plan on; by default the one whose target is surest.
    report : callable
        Told how far it is.

    Returns
    -------
    Made
        A sentence and the result.

    Raises
    ------
    InsonateError
        If the file, the procedure, the spacing or the folder cannot be used; nothing is left half-written.
    """
    from insonate.guidance.procedures import procedure as load

    plan_of = load(procedure)

    def work(image: Image, place: Path, source: dict[str, Any]) -> dict[str, Any]:
        guided = guide(_supply(image, spacing, depth), plan_of, frame=frame, report=report)
        return _write_guided(guided, place, source, {"spacing_supplied": spacing, "depth_supplied": depth})

    results = _each(path, out, work, report)
    return Made(sentence=_sentence(path, out, results), result={"out": str(out), "parts": results})


def _write_guided(
    guided: Guided, place: Path, source: dict[str, Any], settings: dict[str, Any]
) -> dict[str, Any]:
    if guided.scene.image is not None:
        write_picture(
            place / "overlay.png", picture(guided.scene.image, guided.drawing, height=OVERLAY_HEIGHT)
        )
    _write_labels(guided.image, guided.whole, place)
    supplied = {key: value for key, value in settings.items() if value is not None}
    result = report_of(
        guided.image,
        guided.scene,
        source=source,
        frame=guided.frame,
        procedure=guided.procedure,
        plan=guided.plan,
        model=model_facts(),
        settings=supplied,
    )
    write_json(place / "report.json", result)
    return result


def _sentence(path: Path, out: Path, results: list[dict[str, Any]]) -> str:
    first = results[0]
    unknown = [hazard["structure"] for hazard in first["hazards"] if hazard["state"] == "unknown"]
    paths = first["paths"]
    if not paths:
        found = f"no path: {first['reason']}"
    else:
        best = paths[0]
        size = best["length"]
        found = f"{len(paths)} path(s), best {size['value']:g} {size['unit']} at {best['angle_deg']:g} deg"
    missing = f"; unknown: {', '.join(unknown)}" if unknown else ""
    return f"{_named_files(out, len(results))}: {first['procedure']['name']} on {path.name}, {found}{missing}"
