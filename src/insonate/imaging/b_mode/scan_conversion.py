"""Scan conversion: from a sector's lines to a rectangle of pixels.

    r = |p - a|,    azimuth = atan2(x - x_a, z - z_a)

Each pixel takes the value at its radius and azimuth, interpolated linearly between the four samples around it; outside
the sector it takes the smallest value of the image.
"""

from dataclasses import replace

import numpy as np
from scipy.ndimage import map_coordinates

from insonate.core import Grid, Image, InputError, PolarGrid, Step

VERSION = "1"


def scan_convert(image: Image, grid: Grid) -> Image:
    """Put an image of a sector on a rectangular grid.

    Parameters
    ----------
    image : Image
        On a `PolarGrid`.
    grid : Grid
        Where the pixels shall be.

    Returns
    -------
    Image
        (n_frames, n_axial, n_lateral) on `grid`; color is not kept.

    Raises
    ------
    InputError
        If the image is not on a sector.
    """
    sector = image.grid
    if not isinstance(sector, PolarGrid):
        raise InputError(f"scan_convert needs an image on a PolarGrid, got one on a {type(sector).__name__}")
    x = grid.lateral[None, :] - sector.apex[0]
    z = grid.axial[:, None] - sector.apex[2]
    row = np.interp(np.hypot(x, z), sector.radius, np.arange(len(sector.radius)), left=-1, right=-1)
    column = np.interp(np.arctan2(x, z), sector.azimuth, np.arange(len(sector.azimuth)), left=-1, right=-1)
    outside = (row < 0) | (column < 0)
    floor = float(image.values.min())
    frames = []
    for frame in image.values:
        values = map_coordinates(frame, (row, column), order=1, mode="nearest")
        frames.append(np.where(outside, floor, values).astype(image.values.dtype))
    step = Step(name="scan_convert", settings={}, version=VERSION)
    return replace(
        image, values=np.stack(frames), grid=grid, color=None, provenance=(*image.provenance, step)
    )
