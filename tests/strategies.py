"""Hypothesis strategies for the nouns, each within what its noun allows."""

import numpy as np
from hypothesis import strategies as st

from insonate.core import (
    Acquisition,
    ChannelData,
    CoordinateFrame,
    Grid,
    Image,
    IQImage,
    ModelVersion,
    PixelGrid,
    PolarGrid,
    Pose,
    Probe,
    Quantity,
    Segmentation,
    Structure,
    Tissue,
    Transmit,
)

FRAMES = st.sampled_from(CoordinateFrame)
SPACINGS = st.floats(1e-5, 5e-3)
"""Of pixels, from a microscope's to a coarse picture's [m]."""


@st.composite
def rotations(draw) -> np.ndarray:
    """Proper rotations, (3, 3), from a unit quaternion."""
    parts = np.array(draw(st.lists(st.floats(-1, 1), min_size=4, max_size=4)))
    if np.linalg.norm(parts) < 0.1:
        parts = np.array([1.0, 0, 0, 0])
    w, x, y, z = parts / np.linalg.norm(parts)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@st.composite
def points(draw, n: int = 5) -> np.ndarray:
    """Points within half a meter, (n, 3) [m]."""
    numbers = draw(st.lists(st.floats(-0.5, 0.5), min_size=3 * n, max_size=3 * n))
    return np.array(numbers).reshape(n, 3)


@st.composite
def poses(draw, source: CoordinateFrame | None = None, target: CoordinateFrame | None = None) -> Pose:
    """Poses between any two frames, or the ones asked for."""
    return Pose(
        rotation=draw(rotations()),
        translation=draw(points(1))[0],
        source=source or draw(FRAMES),
        target=target or draw(FRAMES),
        time=draw(st.floats(0, 1e4)),
    )


@st.composite
def grids(draw, max_size: int = 12) -> Grid:
    """Rectangular grids of a linear array, a few pixels a side."""
    rows, columns = draw(st.integers(1, max_size)), draw(st.integers(1, max_size))
    return Grid(
        axial=draw(st.floats(0, 0.05)) + np.arange(rows) * draw(SPACINGS),
        lateral=(np.arange(columns) - (columns - 1) / 2) * draw(SPACINGS),
    )


@st.composite
def polar_grids(draw, max_size: int = 12) -> PolarGrid:
    """Sectors of a curved array, up to 90 degrees wide."""
    rows, columns = draw(st.integers(1, max_size)), draw(st.integers(2, max_size))
    half = draw(st.floats(0.05, np.pi / 4))
    return PolarGrid(
        radius=draw(st.floats(0.01, 0.06)) + np.arange(rows) * draw(SPACINGS),
        azimuth=np.linspace(-half, half, columns),
        apex=np.array([0.0, 0.0, -draw(st.floats(0, 0.06))]),
    )


@st.composite
def pixel_grids(draw, max_size: int = 12) -> PixelGrid:
    """Pictures, with spacing known or not."""
    return PixelGrid(
        rows=draw(st.integers(1, max_size)),
        columns=draw(st.integers(1, max_size)),
        spacing=draw(st.none() | st.tuples(SPACINGS, SPACINGS)),
    )


def any_grids() -> st.SearchStrategy:
    """Any kind of grid."""
    return grids() | polar_grids() | pixel_grids()


@st.composite
def linear_probes(draw) -> Probe:
    """Linear arrays of a few elements."""
    return Probe.linear(
        name="strategy",
        n_elements=draw(st.integers(1, 16)),
        pitch=draw(st.floats(5e-5, 1e-3)),
        center_frequency=draw(st.floats(1e6, 2e7)),
    )


@st.composite
def acquisitions(draw) -> Acquisition:
    """Plane waves of a linear array, RF."""
    angles = draw(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=4))
    return Acquisition(
        probe=draw(linear_probes()),
        transmits=tuple(Transmit.plane(steering_angle=angle, initial_time=0.0) for angle in angles),
        sampling_frequency=draw(st.floats(1e6, 1e8)),
        demodulation_frequency=0.0,
        sound_speed=draw(st.floats(1400, 1650)),
    )


@st.composite
def channel_data(draw) -> ChannelData:
    """Noise in int16, of one to three frames."""
    acquisition = draw(acquisitions())
    shape = (draw(st.integers(1, 3)), len(acquisition.transmits), acquisition.probe.n_elements, 8)
    seed = draw(st.integers(0, 2**32 - 1))
    samples = np.random.default_rng(seed).integers(-1000, 1000, shape).astype(np.int16)
    return ChannelData(samples=samples, scale=1.0, acquisition=acquisition, times=None)


@st.composite
def iq_images(draw) -> IQImage:
    """Complex noise on any grid."""
    grid = draw(any_grids())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.normal(size=(draw(st.integers(1, 3)), *grid.shape, 2)) @ (1, 1j)
    return IQImage(values=values, grid=grid, times=None, center_frequency=5e6, sound_speed=1540.0)


@st.composite
def images(draw, grid: Grid | PolarGrid | PixelGrid | None = None) -> Image:
    """Brightness on any grid, or the one asked for."""
    grid = draw(any_grids()) if grid is None else grid
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.random((draw(st.integers(1, 3)), *grid.shape), dtype=np.float32)
    return Image(values=values, quantity=Quantity.BRIGHTNESS, grid=grid)


@st.composite
def segmentations(draw) -> Segmentation:
    """Two structures scattered over any grid, with random confidence."""
    grid = draw(any_grids())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(st.integers(1, 3)), *grid.shape)
    return Segmentation(
        labels=rng.integers(0, 3, shape).astype(np.uint8),
        structures=(
            Structure(name="nerve", tissue=Tissue.NERVE),
            Structure(name="vessel", tissue=Tissue.VESSEL),
        ),
        confidence=rng.random(shape, dtype=np.float32),
        grid=grid,
        times=None,
        model=ModelVersion(name="dice", version="1", confidence_threshold=draw(st.floats(0, 1))),
    )
