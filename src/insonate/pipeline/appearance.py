"""What a person sets of how a live picture is formed and shown, and the greys that follow.

    v_n = p v_(n-1) + (1 - p) e_n        with persistence p, on the decibels e_n of the picture
    grey = 1 + (v + gain + gain by depth) / dynamic range,    held within 0..1

Persistence is of the eye alone: what is labelled, measured in time or judged is the picture e_n itself.
"""

from collections.abc import Mapping

import numpy as np

from insonate.core import Image, Quantity

BANDS = 8
"""Depths at which gain is set one by one, each in the middle of as many equal parts of the picture."""

TGC = tuple(f"tgc_{band}" for band in range(1, BANDS + 1))
"""Gain at each of those depths beyond the gain of all, from the skin down."""

WAVES = 5
"""Plane waves in the rolling compound, where nobody asks for fewer."""

SHOWN = ("gain", "dynamic_range", "persistence", *TGC)
"""Controls of how any picture is shown."""

FORMED = ("depth", "frequency", "compounding")
"""Controls of how a picture is formed of channel data."""

CONTROLS = {
    "gain": (-30.0, 30.0, 0.0, "dB"),
    "dynamic_range": (30.0, 90.0, 60.0, "dB"),
    "depth": (0.01, 0.045, 0.04, "m"),
    "frequency": (0.75, 1.25, 1.0, "1"),
    "compounding": (1.0, float(WAVES), float(WAVES), "waves"),
    "persistence": (0.0, 0.9, 0.0, "1"),
    **dict.fromkeys(TGC, (-20.0, 20.0, 0.0, "dB")),
}
"""Smallest, largest, first value and unit of each control. Frequency is the middle of the band that is heard, as a share of
the probe's; at 1 all that it hears is kept. Compounding takes whole numbers alone."""

BANDWIDTH = 0.5
"""Width of the band that is heard where another than the probe's is asked for, as a share of the probe's frequency."""


def decibels(image: Image) -> np.ndarray:
    """Give the decibels of an image of one frame; brightness is taken for 60 dB of them.

    Parameters
    ----------
    image : Image
        One frame.

    Returns
    -------
    numpy.ndarray
        (rows, columns), 0 at most where it is a B-mode [dB].
    """
    values = image.values[0]
    return np.asarray(values if image.quantity is Quantity.B_MODE else (values - 1) * 60)


def greys(values: np.ndarray, controls: Mapping[str, float]) -> np.ndarray:
    """Give the pixels of a picture.

    Parameters
    ----------
    values : numpy.ndarray
        (rows, columns) [dB].
    controls : mapping
        Value of each of `SHOWN`.

    Returns
    -------
    numpy.ndarray
        (rows, columns) uint8.
    """
    shown = 1 + (values + gains(len(values), controls)) / controls["dynamic_range"]
    return np.asarray(255 * np.clip(shown, 0, 1) + 0.5, dtype=np.uint8)


def gains(rows: int, controls: Mapping[str, float]) -> np.ndarray:
    """Give the gain of each row: that of all, and between two depths that of both [dB], (rows, 1)."""
    bands = [controls[name] for name in TGC]
    middles = (np.arange(BANDS) + 0.5) / BANDS * rows - 0.5
    by_depth = np.interp(np.arange(rows), middles, bands)[:, None]
    return np.asarray(controls["gain"] + by_depth, dtype=np.float32)


class Persistence:
    """Remembers what was shown, so that the next picture can be mixed with it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._shown: np.ndarray | None = None

    def add(self, values: np.ndarray, share: float) -> np.ndarray:
        """Mix the next picture with what was shown.

        Parameters
        ----------
        values : numpy.ndarray
            (rows, columns) [dB].
        share : float
            Of what was shown, 0..0.9; a picture of another shape is shown as it is.

        Returns
        -------
        numpy.ndarray
            (rows, columns) [dB].
        """
        before = self._shown
        if share > 0 and before is not None and before.shape == values.shape:
            values = share * before + (1 - share) * values
        self._shown = values
        return values

    def clear(self) -> None:
        """Forget what was shown, as when the next picture is of another place."""
        self._shown = None
