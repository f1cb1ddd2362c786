"""Pictures and their masks, from a folder: `images/*.png` and, under the same name, `masks/*.png`.

A mask is a palette PNG whose indices are the classes; pictures are read as brightness (ITU-R 601 luma).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from insonate.analysis.models.canvas import Placement, place, to_canvas
from insonate.core import FormatError


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One picture and what an expert saw in it."""

    name: str
    """File name without its ending."""
    picture: np.ndarray
    """(n_axial, n_lateral) float32 brightness, 0..1."""
    mask: np.ndarray
    """(n_axial, n_lateral) uint8 class of each pixel."""


def read_pairs(folder: Path, *, n_classes: int) -> list[Pair]:
    """Read all pairs of a folder, in the order of their names.

    Parameters
    ----------
    folder : pathlib.Path
        Holds `images` and `masks`.
    n_classes : int
        Classes a mask may hold, background included.

    Returns
    -------
    list of Pair
        All of them.

    Raises
    ------
    FormatError
        If there is no pair, a mask is missing, of another size, or holds another class.
    """
    from PIL import Image

    pairs = []
    for path in sorted((folder / "images").glob("*.png")):
        other = folder / "masks" / path.name
        if not other.is_file():
            raise FormatError(f"every picture needs a mask, {other} is missing")
        with Image.open(path) as file:
            picture = np.asarray(file.convert("L"), np.float32) / 255
        with Image.open(other) as file:
            mask = np.asarray(file, np.uint8)
        if mask.shape != picture.shape or mask.max() >= n_classes:
            raise FormatError(
                f"mask {other} must be {picture.shape} with classes 0..{n_classes - 1}, got {mask.shape} with "
                f"0..{mask.max()} (not a palette PNG?)"
            )
        pairs.append(Pair(name=path.stem, picture=picture, mask=mask))
    if not pairs:
        raise FormatError(f"expected pairs images/*.png and masks/*.png in {folder}, got none")
    return pairs


def lay(pair: Pair, *, size: int, n_classes: int) -> tuple[np.ndarray, np.ndarray, Placement]:
    """Lay a pair on canvases.

    Parameters
    ----------
    pair : Pair
        Picture and mask.
    size : int
        Rows and columns of a canvas.
    n_classes : int
        Classes, background included.

    Returns
    -------
    tuple
        Picture (size, size) float32, mask (size, size) uint8, and where they lie.
    """
    placement = place(pair.picture, size=size)
    shares = [to_canvas((pair.mask == k).astype(np.float32), placement) for k in range(1, n_classes)]
    rest = 1 - np.sum(shares, axis=0)
    return to_canvas(pair.picture, placement), np.argmax([rest, *shares], axis=0).astype(np.uint8), placement
