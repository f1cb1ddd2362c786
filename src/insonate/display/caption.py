"""A frame with its words above and below it: what a clip and a still are made of. The words cover no echo."""

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw

from insonate.core.checks import check_axes, check_kind, check_range
from insonate.display.raster import font

SIZE = 17
"""Of the words [pixels]."""
LINE = 24
"""From line to line [pixels]."""
LEAST_WIDE = 480
"""A clip is not narrower, so that its words have room [pixels]."""


def captioned(
    pixels: np.ndarray,
    *,
    shape: tuple[float, float],
    above: tuple[str, str],
    below: tuple[str, ...],
    height: int = 480,
) -> np.ndarray:
    """Draw a frame with words above and below it.

    Parameters
    ----------
    pixels : numpy.ndarray
        (rows, columns) or (rows, columns, 3) uint8.
    shape : (float, float)
        Height and width of what they show, in one unit; their ratio is kept.
    above : (str, str)
        Words at the left and at the right above it.
    below : tuple of str
        Lines below it; what is too long for a line is cut.
    height : int
        Of the frame without words [pixels].

    Returns
    -------
    numpy.ndarray
        (height, width) or (height, width, 3) uint8 as the pixels are, both sides even.
    """
    check_axes("pixels", pixels, "row column" if pixels.ndim == 2 else "row column 3")
    check_kind("pixels", pixels, ("uint8",))
    check_range("height of what is shown", shape[0], (1e-6, 1e6), "its unit")
    inner = max(round(height * shape[1] / shape[0]), 2)
    wide = max(inner, LEAST_WIDE)
    wide += wide % 2
    tall = height + LINE * (1 + len(below))
    tall += tall % 2
    colored = pixels.ndim == 3
    ink, paper = ((235,) * 3, (12,) * 3) if colored else (235, 12)
    picture = Picture.new("RGB" if colored else "L", (wide, tall), paper)
    frame = Picture.fromarray(pixels).resize((inner, height), Picture.Resampling.BILINEAR)
    picture.paste(frame, ((wide - inner) // 2, LINE))
    pen, face = ImageDraw.Draw(picture), font(SIZE)
    pen.text((8, LINE / 2), above[0], fill=ink, font=face, anchor="lm")
    pen.text((wide - 8, LINE / 2), above[1], fill=ink, font=face, anchor="rm")
    for index, line in enumerate(below):
        at = LINE * (index + 1.5) + height
        pen.text((8, at), _cut(pen, line, wide - 16), fill=ink, font=face, anchor="lm")
    return np.asarray(picture)


def _cut(pen: ImageDraw.ImageDraw, line: str, room: float) -> str:
    face = font(SIZE)
    if pen.textlength(line, font=face) <= room:
        return line
    while line and pen.textlength(line + "…", font=face) > room:
        line = line[:-1]
    return line + "…"
