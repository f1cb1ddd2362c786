"""Run the benchmarks: `python -m benchmarks [NAME] [--json]`.

Prints the machine, the versions and a list of rows, each `{id, what, value, unit, spread, sense, target, met, truth}`.
`sense` is "max" (value must not exceed target), "min" or "in" (two targets). A missed target is printed as missed.
Times are CPU time, or a ratio to a calibration kernel in the same process, because machines are shared.
"""

import argparse
import importlib
import json
import os
import pkgutil
import platform
import sys
from importlib.metadata import version

import benchmarks

NOT_BENCHMARKS = ("__main__", "calibration", "contact_sheet", "rows", "simulated_scenes")


def names() -> list[str]:
    """Give the benchmarks that exist: modules of this folder with a function `rows`."""
    return [
        module.name
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if module.name not in NOT_BENCHMARKS
    ]


def machine() -> dict[str, object]:
    """Say what this ran on."""
    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):  # noqa: PTH110
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123
            model = next(
                (line.split(":")[1].strip() for line in file if line.startswith("model name")), model
            )
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"processor": model, "cores": os.cpu_count(), "system": platform.platform(), "load_before": load}


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", choices=names(), help="one benchmark; all by default")
    parser.add_argument("--json", action="store_true", help="machine-readable result")
    parser.add_argument("--quick", action="store_true", help="a smoke of each, for CI")
    parser.add_argument("--minutes", type=float, help="how long `patient` runs live to watch its memory")
    parser.add_argument(
        "--seconds", type=float, help="how long `app` watches the patient; ten minutes by default"
    )
    wanted = parser.parse_args()
    if wanted.quick:
        os.environ["INSONATE_BENCHMARK_QUICK"] = "1"
    if wanted.minutes:
        os.environ["INSONATE_BENCHMARK_MINUTES"] = str(wanted.minutes)
    if wanted.seconds:
        os.environ["INSONATE_BENCHMARK_SECONDS"] = str(wanted.seconds)
    rows = []
    for name in [wanted.name] if wanted.name else names():
        rows += importlib.import_module(f"benchmarks.{name}").rows()
    versions = {
        name: version(name) for name in ("numpy", "scipy", "numba", "onnxruntime", "h5py", "pydicom", "av")
    }
    result = {
        "machine": machine(),
        "versions": {"python": platform.python_version(), **versions},
        "rows": rows,
    }
    if wanted.json:
        json.dump(result, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
        print()
        return 0
    print(", ".join(f"{key}: {value}" for key, value in result["machine"].items()))
    for row in rows:
        met = {True: "met", False: "MISSED", None: "-"}[row["met"]]
        print(
            f"{row['id']:<28} {row['value']:>12.4g} {row['unit']:<16} target {row['target']!s:<14} {met:<7} {row['what']}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
