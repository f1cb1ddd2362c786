"""A contact sheet of pictures not seen: worst, middle and best, truth beside what the network said."""

from pathlib import Path

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion

from insonate.analysis.fitting.pairs import Pair
from insonate.analysis.models.canvas import content, resize

PANEL = 240
"""Columns of one panel."""

COLORS = ((0, 0, 0), (255, 215, 60), (255, 80, 80))
"""Of none, nerve and vessel."""


def outlined(picture: np.ndarray, mask: np.ndarray, width: int = PANEL) -> np.ndarray:
    """Draw the outlines of a mask on a picture's content.

    Parameters
    ----------
    picture : numpy.ndarray
        (n_axial, n_lateral) brightness, 0..1.
    mask : numpy.ndarray
        (n_axial, n_lateral) class of each pixel.
    width : int
        Columns of the result.

    Returns
    -------
    numpy.ndarray
        (rows, width, 3) uint8.
    """
    rows, columns = content(picture)
    cut = slice(*rows), slice(*columns)
    height = max(1, round((rows[1] - rows[0]) * width / (columns[1] - columns[0])))
    grey = 255 * np.sqrt(np.clip(resize(picture[cut], (height, width)), 0, 1))
    panel = np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)
    for k, color in enumerate(COLORS[1:], start=1):
        there = resize((mask[cut] == k).astype(np.float32), (height, width)) > 0.5
        panel[binary_dilation(there) & ~binary_erosion(there)] = color
    return panel


def contact_sheet(chosen: list[tuple[str, Pair, np.ndarray]], path: Path, *, across: int = 2) -> None:
    """Write the sheet.

    Parameters
    ----------
    chosen : list of (str, Pair, numpy.ndarray)
        Heading, picture with its truth, and the labels that were given.
    path : pathlib.Path
        PNG to write.
    across : int
        Pictures side by side.
    """
    from PIL import Image, ImageDraw

    gap, head = 6, 16
    cells = [
        np.concatenate([outlined(pair.picture, pair.mask), outlined(pair.picture, said)], axis=1)
        for _, pair, said in chosen
    ]
    lines = [range(start, min(start + across, len(cells))) for start in range(0, len(cells), across)]
    heights = [max(len(cells[index]) for index in line) + head + gap for line in lines]
    sheet = Image.new("RGB", (across * (2 * PANEL + gap) - gap, sum(heights) - gap), (24, 24, 28))
    draw = ImageDraw.Draw(sheet)
    top = 0
    for line, height in zip(lines, heights, strict=True):
        for column, index in enumerate(line):
            left = column * (2 * PANEL + gap)
            draw.text((left + 4, top + 2), f"{chosen[index][0]}: expert", fill=(230, 230, 230))
            draw.text(
                (left + PANEL + 4, top + 2), "network, picture not seen in fitting", fill=(230, 230, 230)
            )
            sheet.paste(Image.fromarray(cells[index]), (left, top + head))
        top += height
    sheet.quantize(160, dither=Image.Dither.NONE).save(path, optimize=True)
