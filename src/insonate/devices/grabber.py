"""A real scanner's picture, grabbed from its screen: another hand puts frames in, the newest comes out as an image.

Frames are grey, cropped to the echoes by whoever grabs them. Their spacing is what was marked on the scanner's own
ruler; where nothing was marked it is unknown, and lengths stay in pixels. A frame that is put in before the last was taken
takes its place: what is shown is never older than it must be. When no frame comes, or the same again and again as of a
scanner that is frozen, none comes out, so that what watches the stream sees it stale.
"""

import threading
from collections.abc import Iterator, Sequence

import numpy as np

from insonate.core import Command, Image, InputError, PixelGrid, Quantity
from insonate.core.checks import check_count
from insonate.core.units import Meters, Seconds

LEAST_SIDE, MOST_SIDE = 32, 2048
"""Pixels a side of a frame."""

TICK: Seconds = 0.02
"""How often it is looked for a new frame: screens show 50 or 60 a second [s]."""


class Grabber:
    """One screen; satisfies `core.Source`, and obeys nothing."""

    accepts: frozenset[str] = frozenset()
    simulated = False
    whole = True
    """Its frames are cropped already."""
    tick: Seconds = TICK

    def __init__(
        self, name: str, rows: int, columns: int, *, spacing: tuple[Meters, Meters] | None = None
    ) -> None:
        """Expect frames of one size.

        Parameters
        ----------
        name : str
            Shown on the screen.
        rows, columns : int
            Of each frame [pixels].
        spacing : (float, float), optional
            Between rows and between columns [m].

        Raises
        ------
        InputError
            If a side or the spacing is none that a scanner's picture has.
        """
        check_count("rows", rows, (LEAST_SIDE, MOST_SIDE), "pixels")
        check_count("columns", columns, (LEAST_SIDE, MOST_SIDE), "pixels")
        self.name = name
        self.grid = PixelGrid(rows=rows, columns=columns, spacing=spacing)
        """Where the pixels lie."""
        self.passed_over = 0
        """Frames that another took the place of before they were taken."""
        self._newest: np.ndarray | None = None
        self._last = b""
        self._lock = threading.Lock()

    def put(self, pixels: bytes) -> None:
        """Put one frame in.

        Parameters
        ----------
        pixels : bytes
            Grey of 8 bits, row after row.

        Raises
        ------
        InputError
            If it has not as many bytes as a frame has pixels.
        """
        rows, columns = self.grid.shape
        if len(pixels) != rows * columns:
            raise InputError(
                f"a frame must have {rows} x {columns} = {rows * columns} bytes of grey, got {len(pixels)}"
            )
        grey = np.frombuffer(pixels, np.uint8).reshape(rows, columns)
        with self._lock:
            if (
                pixels == self._last
            ):  # echoes are never twice the same: the screen stands still, and nothing is seen
                return
            self._last = pixels
            self.passed_over += self._newest is not None
            self._newest = grey

    def advance(self, commands: Sequence[Command], until: Seconds) -> Iterator[Image]:
        """Give the newest frame, if it is new.

        Parameters
        ----------
        commands : sequence of Command
            Ignored: `accepts` is empty.
        until : float
            On this source's clock, the time that the frame gets [s].

        Yields
        ------
        Image
            Brightness 0..1.
        """
        del commands
        with self._lock:
            grey, self._newest = self._newest, None
        if grey is not None:
            yield Image(
                values=grey[np.newaxis].astype(np.float32) / 255,
                quantity=Quantity.BRIGHTNESS,
                grid=self.grid,
                times=np.array([until]),
            )
