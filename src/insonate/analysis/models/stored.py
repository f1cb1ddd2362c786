"""Weights and cards as they lie in the package: read by name, checked against their hash, opened once.

`weights.toml` has one entry a model (version, file, bytes, sha256, license, card); `cards/NAME.toml` its numbers.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from insonate.core import InputError


def _table(*place: str) -> dict[str, Any]:
    return tomllib.loads(files("insonate.analysis.models").joinpath(*place).read_text(encoding="utf-8"))


@cache
def card(name: str) -> dict[str, Any]:
    """Give the machine-readable card of a model: thresholds, calibration, error rates, license.

    Parameters
    ----------
    name : str
        Of the model.

    Returns
    -------
    dict
        Tables of `cards/NAME.toml`.
    """
    return _table("cards", f"{name}.toml")


@cache
def entry(name: str) -> dict[str, Any]:
    """Give a model's entry in the table of weights: version, file, size, sha256, license."""
    found: dict[str, Any] = _table("weights.toml")[name]
    return found


def content(of: Mapping[str, Any]) -> bytes:
    """Give the bytes of weights, checked against their hash.

    Parameters
    ----------
    of : mapping
        An `entry`.

    Returns
    -------
    bytes
        An ONNX file.

    Raises
    ------
    InputError
        If the hash is another.
    """
    data = files("insonate.analysis.models").joinpath("weights", of["file"]).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != of["sha256"]:
        raise InputError(
            f"weights {of['file']} must have sha256 {of['sha256']}, got {found} (damaged, or of another version?)"
        )
    return data


def session(data: bytes, threads: int) -> Any:
    """Open weights in ONNX Runtime, on the processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
