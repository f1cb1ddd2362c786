"""Drawing lists to pixels, by Pillow: the same list that the page draws.

Everything is drawn at twice the size and averaged down, which smooths the lines.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from insonate.core.errors import InputError
from insonate.core.grid import Grid, PixelGrid
from insonate.core.image import Image
from insonate.display.drawing import Drawing, Label, Line, Point
from insonate.display.palette import ground, rgb

OVERSAMPLING = 2
LONGEST_SIDE = 2000
"""No picture of ours is longer than this [pixels]."""


def grey(image: Image, *, frame: int = 0, dynamic_range: float = 60.0) -> np.ndarray:
    """Give one frame as 8-bit grey.

    Parameters
    ----------
    image : Image
        B-mode or brightness.
    frame : int
        Index of the frame.
    dynamic_range : float
        Decibels below the maximum shown as black, for B-mode [dB].

    Returns
    -------
    numpy.ndarray
        (n_axial, n_lateral) uint8.
    """
    return np.asarray(255 * image.brightness(dynamic_range=dynamic_range)[frame] + 0.5, dtype=np.uint8)


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Give the font of all words in pictures, at a size [pixels]."""
    return ImageFont.load_default(size=size)


class _Canvas:
    """A picture under work: places in the drawing's unit become oversampled pixels."""

    def __init__(
        self,
        image: Image,
        grid: Grid | PixelGrid,
        *,
        frame: int,
        height: int,
        sides: tuple[float, float],
        dynamic_range: float,
        over: np.ndarray | None = None,
    ) -> None:
        rows, columns = grid.shape
        axial, lateral = grid.step
        shape = np.array([rows * axial, columns * lateral])
        scale = min(height / shape[0], 1.6 * height / (shape[1] + sum(sides)))
        self.size = tuple(round(value * scale) for value in shape)  # (height, width) of the image alone
        left, right = (round(side * scale) for side in sides)
        self.scale = scale * OVERSAMPLING
        self.origin, self.half = grid.origin, (axial / 2, lateral / 2)
        self.left = left * OVERSAMPLING
        whole = (self.size[1] + left + right, self.size[0])
        self.picture = Picture.new("RGB", (whole[0] * OVERSAMPLING, whole[1] * OVERSAMPLING), ground("panel"))
        shown = Picture.fromarray(grey(image, frame=frame, dynamic_range=dynamic_range)).convert("RGB")
        shown = shown.resize(
            (self.size[1] * OVERSAMPLING, self.size[0] * OVERSAMPLING), Picture.Resampling.BICUBIC
        )
        self.picture.paste(shown, (self.left, 0))
        if over is not None:
            cover = Picture.fromarray(over).resize(shown.size, Picture.Resampling.BILINEAR)
            self.picture.paste(cover, (self.left, 0), cover)
        self.draw = ImageDraw.Draw(self.picture, "RGBA")

    def place(self, point: Point) -> tuple[float, float]:
        y = (point[0] - self.origin[0] + self.half[0]) * self.scale
        x = (point[1] - self.origin[1] + self.half[1]) * self.scale + self.left
        return x, y

    def line(self, line: Line) -> None:
        corners = [self.place(point) for point in line.points]
        if line.closed and line.fill_opacity > 0:
            self.draw.polygon(corners, fill=(*rgb(line.stroke.color), int(255 * line.fill_opacity)))
        if line.closed:
            corners.append(corners[0])
        look = line.stroke
        width = look.width * OVERSAMPLING
        alpha = int(255 * look.opacity)
        pieces = _dashes(corners, [length * OVERSAMPLING for length in look.dash])
        for piece in pieces:
            self.draw.line(
                piece, fill=(*rgb(ground("casing")), int(0.62 * alpha)), width=round(width + 5), joint="curve"
            )
        for piece in pieces:
            self.draw.line(
                piece,
                fill=(*rgb(look.color), alpha),
                width=round(width * (2.2 if look.double else 1)),
                joint="curve",
            )
            if look.double:
                self.draw.line(
                    piece,
                    fill=(*rgb(ground("casing")), alpha),
                    width=max(round(width * 0.7), 1),
                    joint="curve",
                )

    def label(self, label: Label, taken: list[tuple[float, float, float, float]]) -> None:
        size = 13 * OVERSAMPLING
        face, quiet = font(size), font(size * 0.86)
        text_width = face.getlength(label.text)
        detail = f"  {label.detail}" if label.detail else ""
        width = text_width + quiet.getlength(detail) + 1.2 * size
        height = 1.55 * size
        x, y = self.place(label.at)
        x = min(max(x - (0 if label.role == "scale" else width / 2), 4), self.picture.width - width - 4)
        y = min(max(y - height / 2, 4), self.picture.height - height - 4)
        box = _free((x, y, x + width, y + height), taken, self.picture.height)
        taken.append(box)
        if label.anchor is not None:
            end = self.place(label.anchor)
            start = (min(max(end[0], box[0]), box[2]), box[3] if end[1] > box[3] else box[1])
            self.draw.line([start, end], fill=(*rgb(label.color), 220), width=OVERSAMPLING)
        self.draw.rounded_rectangle(box, radius=4 * OVERSAMPLING, fill=(*rgb(ground("background")), 205))
        if label.unknown:
            corners = [
                (box[0], box[1]),
                (box[2], box[1]),
                (box[2], box[3]),
                (box[0], box[3]),
                (box[0], box[1]),
            ]
            for piece in _dashes(corners, [5.0 * OVERSAMPLING, 4.0 * OVERSAMPLING]):
                self.draw.line(piece, fill=(*rgb(label.color), 255), width=OVERSAMPLING)
        else:
            self.draw.rectangle(
                (box[0], box[1], box[0] + 3 * OVERSAMPLING, box[3]), fill=(*rgb(label.color), 255)
            )
        middle = (box[1] + box[3]) / 2
        self.draw.text((box[0] + 0.6 * size, middle), label.text, font=face, fill=ground("text"), anchor="lm")
        self.draw.text(
            (box[0] + 0.6 * size + text_width, middle),
            detail,
            font=quiet,
            fill=ground("text_dim"),
            anchor="lm",
        )

    def words(self, text: str, *, top: bool) -> None:
        """Write words that stay: what is planned at the top left, the notice at the bottom right."""
        size = 12 * OVERSAMPLING
        face = font(size)
        room, width = 8 * OVERSAMPLING, face.getlength(text)
        x = room if top else self.picture.width - width - room
        y = room if top else self.picture.height - size - room
        box = (x - 0.5 * room, y - 0.5 * room, x + width + 0.5 * room, y + size + 0.6 * room)
        self.draw.rectangle(box, fill=(*rgb(ground("background")), 205))
        self.draw.text((x, y), text, font=face, fill=ground("text"))


def _free(
    box: tuple[float, float, float, float], taken: Sequence[tuple[float, float, float, float]], height: float
) -> tuple[float, float, float, float]:
    """Move a box up or down until it covers none of those placed before."""
    step = 0.5 * (box[3] - box[1])
    for turn in range(60):
        shift = step * ((turn + 1) // 2) * (-1 if turn % 2 else 1)
        moved = (box[0], box[1] + shift, box[2], box[3] + shift)
        apart = all(moved[2] < t[0] or moved[0] > t[2] or moved[3] < t[1] or moved[1] > t[3] for t in taken)
        if apart and moved[1] >= 0 and moved[3] <= height:
            return moved
    return box


def _dashes(corners: Sequence[tuple[float, float]], dash: Sequence[float]) -> list[list[tuple[float, float]]]:
    """Cut a line into its dashes; one piece where the line is solid."""
    if not dash:
        return [list(corners)]
    pattern = list(dash) * (2 if len(dash) % 2 else 1)
    pieces: list[list[tuple[float, float]]] = []
    index, left, piece = 0, pattern[0], [corners[0]]
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        length = float(np.hypot(x1 - x0, y1 - y0))
        done = 0.0
        while length - done > left:
            done += left
            at = (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length)
            if index % 2 == 0:
                pieces.append([*piece, at])
            index = (index + 1) % len(pattern)
            left, piece = pattern[index], [at]
        left -= length - done
        piece.append((x1, y1))
    if index % 2 == 0 and len(piece) > 1:
        pieces.append(piece)
    return pieces


def rasterise(
    image: Image,
    drawing: Drawing,
    *,
    frame: int = 0,
    height: int = 700,
    dynamic_range: float = 60.0,
    over: np.ndarray | None = None,
) -> np.ndarray:
    """Draw an image and its drawing list as one picture.

    Parameters
    ----------
    image : Image
        On a `Grid` or `PixelGrid`.
    drawing : Drawing
        In the same unit as the grid.
    frame : int
        Index of the frame.
    height : int
        Wanted height of the picture [pixels].
    dynamic_range : float
        Decibels below the maximum shown as black, for B-mode [dB].
    over : numpy.ndarray, optional
        (n_axial, n_lateral, 4) uint8, color and how far it covers the image, below all lines.

    Returns
    -------
    numpy.ndarray
        (height, width, 3) uint8; it is wider than the image where the drawing reaches beside it.
    """
    grid = image.grid
    if not isinstance(grid, Grid | PixelGrid):
        raise InputError(
            f"a picture needs a Grid or PixelGrid, got {type(grid).__name__}: convert the scan first"
        )
    width = grid.shape[1] * grid.step[1]
    places = [lateral - grid.origin[1] for line in drawing.lines for _, lateral in line.points]
    margin = 0.02 * width
    sides = tuple(
        reach + margin if reach > 0 else 0.0
        for reach in (-min(places, default=0.0), max(places, default=0.0) - width)
    )
    canvas = _Canvas(
        image,
        grid,
        frame=frame,
        height=min(height, LONGEST_SIDE),
        sides=(sides[0], sides[1]),
        dynamic_range=dynamic_range,
        over=over,
    )
    for line in drawing.lines:
        canvas.line(line)
    taken: list[tuple[float, float, float, float]] = []
    for label in drawing.labels:
        canvas.label(label, taken)
    if drawing.title:
        canvas.words(drawing.title, top=True)
    if drawing.notice:
        canvas.words(drawing.notice, top=False)
    small = canvas.picture.resize(
        (canvas.picture.width // OVERSAMPLING, canvas.picture.height // OVERSAMPLING), Picture.Resampling.BOX
    )
    return np.asarray(small)
