"""What is installed, what is fast, what is missing."""

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "onnxruntime",
    "pydicom",
    "pylibjpeg-openjpeg",
    "pyjpegls",
    "av",
    "h5py",
    "pillow",
    "fastapi",
    "uvicorn",
    "websockets",
)
"""What a full installation has."""


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "MISSING"


def examine() -> dict[str, dict[str, str]]:
    """Look at this installation.

    Returns
    -------
    dict of dict
        By section, a short text by name.
    """
    from insonate.imaging.beamforming import kernels as beamforming
    from insonate.pipeline.catalog import CATALOGS
    from insonate.simulation.acoustics import kernels as acoustics
    from insonate.simulation.anatomy import kernels as anatomy

    page = files("insonate.app") / "static" / "index.html"
    browser = next(
        (name for name in ("chromium", "google-chrome", "firefox") if shutil.which(name)),
        "none found on PATH",
    )
    return {
        "machine": {
            "system": platform.platform(),
            "python": platform.python_version(),
            "cores": str(os.cpu_count()),
        },
        "packages": {"insonate": _installed("insonate")} | {name: _installed(name) for name in PACKAGES},
        "kernels": {
            "delay-and-sum": beamforming.described(),
            "remap, deposit": acoustics.described(),
            "slice": anatomy.described(),
            "compiled": "yes" if "native" in beamforming.available() else "NO: run make native",
        },
        "page": {
            "built": "yes" if page.is_file() else "NO: run make setup",
            "browser": browser,
        },
        "choices": {name: ", ".join(catalog.names()) for name, catalog in CATALOGS.items()},
    }
