"""Every heavy library has one home, core is NumPy and the standard library, and nobody who advises peeks at the truth."""

import sys

import pytest

from architecture.tree import Module, imports, modules, parse

HOMES = {
    "numpy": ("*",),
    "scipy": (
        "signal",
        "formats",
        "simulation",
        "devices",
        "imaging",
        "analysis",
        "guidance",
        "display",
        "training",
    ),
    "contourpy": ("analysis", "guidance", "display"),
    "numba": ("*.kernels",),
    "insonate_native": ("*.kernels",),
    "onnxruntime": ("analysis.models",),
    "onnx": ("analysis.models", "analysis.fitting"),
    "onnxscript": ("analysis.models", "analysis.fitting"),
    "torch": ("analysis.models", "analysis.fitting"),
    "pydicom": ("formats",),
    "pylibjpeg": ("formats",),
    "openjpeg": ("formats",),
    "rle": ("formats",),
    "jpeg_ls": ("formats",),
    "av": ("formats",),
    "h5py": ("formats", "record.timeline"),
    # The fitting script reads its own pairs, by hand and never at run time: until pipeline/fitting_data does, with the
    # simulated patient's.
    "PIL": ("formats", "display", "analysis.fitting"),
    "pydantic": ("pipeline", "app"),
    # kernels: where compiled code is cached; anatomy: where compiled windows are
    "platformdirs": ("*.kernels", "pipeline", "record", "app", "simulation.anatomy"),
    "fastapi": ("app",),
    "starlette": ("app",),
    "uvicorn": ("app",),
    "websockets": ("app",),
    "typer": ("app",),
    "rich": ("app",),
    "structlog": ("app",),
}
"""Rooms that may import a library from outside; a library that is not here has no home yet and may not be used."""

TRUTH = {
    "insonate.core.truth": (
        "core.truth",
        "simulation",
        "formats.truth",
        "training",
        "cohort",
        "pipeline.fitting_data",
    ),
    "insonate.simulation.answer": ("simulation", "training", "cohort", "pipeline.fitting_data"),
}
"""Rooms that may know what is so, rather than what is seen."""


def at_home(module: Module, rooms: tuple[str, ...]) -> bool:
    if "*" in rooms:
        return True
    if "*.kernels" in rooms and "kernels" in module.name.split("."):
        return True
    return module.lies_in(*rooms)


def strangers(module: Module) -> list[str]:
    """Sentences on what a module imports and may not."""
    found = []
    for name in sorted(imports(module)):
        root = name.partition(".")[0]
        owner, _, last = name.rpartition(".")
        if root == "insonate" and last.startswith("_") and not last.startswith("__") and owner != module.name:
            found.append(f"{module.name} imports {name}, which is private to its module")
        for secret, rooms in TRUTH.items():
            if f"{name}.".startswith(f"{secret}.") and not module.lies_in(*rooms):
                found.append(f"{module.name} imports {secret}: nobody who advises may know the truth")
        if root in sys.stdlib_module_names or root in ("insonate", ""):
            continue
        if root not in HOMES:
            found.append(f"{module.name} imports {root}, which has no home in {__name__}.HOMES")
        elif not at_home(module, HOMES[root]):
            found.append(f"{module.name} imports {root}, whose home is {', '.join(HOMES[root])}")
    return found


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_libraries_stay_in_their_homes(module):
    assert strangers(module) == []


@pytest.mark.parametrize(
    "module", [m for m in modules() if m.lies_in("core")], ids=lambda module: module.name
)
def test_core_is_numpy_and_the_standard_library(module):
    roots = {name.partition(".")[0] for name in imports(module)}
    assert roots - sys.stdlib_module_names <= {"insonate", "numpy"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("insonate.guidance.trajectory", "def plan():\n    import torch"),
        ("insonate.guidance.trajectory", "from PIL import Image"),
        ("insonate.imaging.b_mode.envelope", "import numba"),
        ("insonate.display.overlay", "from importlib import import_module\nimport_module('pydicom')"),
        ("insonate.app.server", "import django"),
        ("insonate.guidance.trajectory", "from insonate.core.truth import Truth"),
        ("insonate.guidance.trajectory", "from insonate.core import truth"),
        ("insonate.app.stream", "from insonate.simulation import answer"),
        ("insonate.app.stream", "from insonate.core.grid import _line"),
    ],
)
def test_a_planted_stranger_is_seen(name, text):
    assert len(strangers(parse(name, text))) >= 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("insonate.imaging.beamforming.kernels.numba_", "import numba"),
        ("insonate.formats.dicom.reading", "import pydicom"),
        ("insonate.pipeline.fitting_data", "from insonate.core.truth import Truth"),
    ],
)
def test_nobody_is_a_stranger_at_home(name, text):
    assert strangers(parse(name, text)) == []
