"""The main job over every file of the shared real data: each gives a result or one clear line of refusal.

`python -m benchmarks.real_files --table FILE.md` writes the table of the documentation.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.rows import row
from insonate.core import InputError, InsonateError
from insonate.pipeline.files import guide_file

SETS = (
    "usgra-seg",
    "brachial-plexus-dicom",
    "dicom-us",
    "carotid-ccaui",
    "must-planewave",
    "vessel-doppler",
    "itk-rf",
    "plus-rf",
    "itkpocus",
)
PROCEDURE = "UL03"
QUICK = 3
"""Files of each set in a smoke run."""


def data_root() -> Path | None:
    """Give the folder of the shared real data, or None where it is not at hand."""
    root = Path(os.environ.get("INSONATE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    return root if root.is_dir() else None


def run(path: Path) -> dict[str, Any]:
    """Do the main job on one file in a folder that is thrown away.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    dict
        `outcome` "result", "refused" or "fault"; `what`, a sentence; `seconds` of CPU.
    """
    start = time.process_time()
    with tempfile.TemporaryDirectory() as room:
        out = Path(room) / "out"
        try:
            made = guide_file(path, PROCEDURE, out)
            part = made.result["parts"][0]
            outcome = {
                "outcome": "result",
                "what": _words(made.result["parts"]),
                "spacing": part["source"]["spacing_mm"],
            }
            complete = all(list(out.rglob(name)) for name in ("overlay.png", "report.json")) and list(
                out.rglob("labels*.png")
            )
            if not complete:
                outcome = {"outcome": "fault", "what": "files are missing", "spacing": None}
        except InsonateError as error:
            half = out.exists()
            kind = (
                "refused"
                if isinstance(error, InputError) and not half and "\n" not in str(error)
                else "fault"
            )
            outcome = {"outcome": kind, "what": str(error), "spacing": None}
        except Exception as error:
            outcome = {"outcome": "fault", "what": f"{type(error).__name__}: {error}", "spacing": None}
    return {**outcome, "seconds": time.process_time() - start}


def _words(parts: list[dict[str, Any]]) -> str:
    first = parts[0]
    source = first["source"]
    frames = f"{source['n_frames']} frame{'s' if source['n_frames'] > 1 else ''}"
    size = f"{source['rows']} x {source['columns']}"
    more = f", {len(parts)} parts" if len(parts) > 1 else ""
    target = "no target seen" if first["target"] is None else f"target {first['target']['name']}"
    return f"{source['reader']}, {frames} of {size}{more}: {target}, {len(first['paths'])} path(s)"


def files_of(root: Path, name: str) -> list[Path]:
    """Give every file of a data set."""
    return sorted(path for path in (root / name).rglob("*") if path.is_file())


def rows() -> list[dict[str, Any]]:
    """Run over all sets and count."""
    root = data_root()
    if root is None:
        return []
    outcomes: Counter[str] = Counter()
    seconds = []
    for name in SETS:
        files = files_of(root, name)
        for path in files[:QUICK] if os.environ.get("INSONATE_BENCHMARK_QUICK") else files:
            done = run(path)
            outcomes[done["outcome"]] += 1
            seconds.append(done["seconds"])
    count = [float(outcomes["fault"])]
    return [
        row(
            "real-files/faults",
            f"of {sum(outcomes.values())} real files: neither a result nor one line of refusal",
            count,
            "files",
            sense="max",
            target=0,
            truth="shared real data",
        ),
        row(
            "real-files/results",
            "files that gave a result",
            [float(outcomes["result"])],
            "files",
            truth="shared real data",
        ),
        row("real-files/cost", "CPU time of the main job, median over files", seconds, "s", truth="clock"),
    ]


def table(root: Path) -> str:
    """Write the table of the documentation: alike outcomes of one set share a line."""
    lines = [
        "# The main job over real files",
        "",
        f"`insonate guide --procedure {PROCEDURE}` over every file of the real data sets that this project is tested with.",
        "Most of them do not show a supraclavicular view, and what is seen in them is not judged here: the table shows that",
        "each file gives a result or one clear line of refusal, no traceback. Made by",
        "`python -m benchmarks.real_files --table docs/reference/real_files.md`.",
        'Spacing is in millimeters, rows by columns; "unknown" means that the file does not say; lengths are then pixels.',
        "",
        "| data set | files | outcome | spacing (mm) | what |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in SETS:
        grouped: dict[tuple[str, str, str], list[str]] = {}
        for path in files_of(root, name):
            done = run(path)
            place = path.relative_to(root / name).as_posix()
            print(
                f"{name}/{place}: {done['outcome']}: {done['what']} ({done['seconds']:.1f} s)",
                file=sys.stderr,
            )
            spacing = done["spacing"]
            shown = (
                "-"
                if done["outcome"] != "result"
                else "unknown"
                if spacing is None
                else f"{spacing[0]:.4g} x {spacing[1]:.4g}"
            )
            words = done["what"].replace(path.name, "…").replace("|", "/")
            kind = (done["outcome"], shown, words)
            grouped.setdefault(kind, []).append(place)
        for (outcome, spacing, what), members in grouped.items():
            who = members[0] if len(members) == 1 else f"{members[0]} and {len(members) - 1} more"
            lines.append(f"| {name} | {who} | {outcome} | {spacing} | {what} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_files")
    parser.add_argument("--table", type=Path, required=True, help="Markdown file to write")
    wanted = parser.parse_args()
    root = data_root()
    if root is None:
        print("the shared real data is not at hand", file=sys.stderr)
        return 2
    wanted.table.write_text(table(root), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
