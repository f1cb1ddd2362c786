"""Insonate: the open ultrasound workstation for pain medicine.

import insonate
(image,) = insonate.open("scan.dcm")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from insonate.pipeline.reading import open as open

__version__ = "0.1.0"

_LAZY = {"open": "insonate.pipeline.reading"}


def __getattr__(name: str) -> Any:
    """Give a public name on first use, so that importing the package stays quick."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'insonate' has no attribute {name!r}")
