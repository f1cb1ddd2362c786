"""Pairs from a folder, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from insonate.analysis.fitting.pairs import lay, read_pairs
from insonate.core import FormatError


def write(folder, name, picture, mask):
    for kind, values in (("images", picture), ("masks", mask)):
        (folder / kind).mkdir(exist_ok=True)
        if values is not None:
            file = Image.fromarray(values)
            if kind == "masks":
                file = Image.fromarray(values, mode="L")
                file.putpalette([0, 0, 0, 255, 255, 0, 255, 0, 0])
            file.save(folder / kind / f"{name}.png")


PICTURE = np.full((30, 40, 3), 128, np.uint8)
MASK = np.zeros((30, 40), np.uint8)
MASK[10:20, 10:30] = 2


@pytest.mark.filterwarnings("ignore:'mode' parameter:DeprecationWarning")
def test_pairs_are_read_in_order_and_laid(tmp_path):
    write(tmp_path, "b", PICTURE, MASK)
    write(tmp_path, "a", PICTURE, MASK)
    pairs = read_pairs(tmp_path, n_classes=3)
    assert [pair.name for pair in pairs] == ["a", "b"]
    np.testing.assert_allclose(pairs[0].picture, 128 / 255, rtol=1e-6)
    picture, mask, placement = lay(pairs[0], size=80, n_classes=3)
    assert picture.shape == mask.shape == (80, 80)
    assert (placement.height, placement.width) == (60, 80)
    assert mask[30, 40] == 2 and mask[5, 5] == 0 and mask[70].max() == 0
    assert (mask == 2).sum() == pytest.approx(4 * (MASK == 2).sum(), rel=0.05)


@pytest.mark.filterwarnings("ignore:'mode' parameter:DeprecationWarning")
@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (None, "is missing"),
        (MASK[:10], "must be"),
        (MASK + 3, "with classes 0..2, got"),
        ("none", "got none"),
    ],
)
def test_what_is_no_pair_is_refused(tmp_path, mask, message):
    if not isinstance(mask, str):
        write(tmp_path, "a", PICTURE, mask)
    with pytest.raises(FormatError, match=message):
        read_pairs(tmp_path, n_classes=3)
