"""Pictures without nerve or vessel, made by rule: what a network must learn to leave alone.

Two families. Not ultrasound: dead leaves (overlapping discs, whose edges and scales are those of photographs),
1/f noise, gradients, checkers, stripes, charts, lines of text-like marks, flat grey. Ultrasound without anatomy:
speckle, layers of speckle, reverberation bands as of a probe in air, point targets and round cysts on a regular
grid as in a test phantom, deep darkness with noise. All of them come from one generator; nothing is downloaded.

A. Lee, D. Mumford, J. Huang, "Occlusion models for natural images", Int. J. Computer Vision 41, 35-59, 2001
(dead leaves).
"""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter, rotate, zoom

Maker = Callable[[np.random.Generator, int], np.ndarray]


def _unit(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    return np.asarray((values - low) / max(high - low, 1e-9))


def power_noise(rng: np.random.Generator, size: int) -> np.ndarray:
    """Give noise with a power-law spectrum, like clouds or rough surfaces."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.fft2(rng.normal(size=(size, size))) / frequency ** rng.uniform(0.6, 1.8)
    return _unit(np.fft.ifft2(spectrum).real)


def dead_leaves(rng: np.random.Generator, size: int) -> np.ndarray:
    """Give overlapping discs and boxes of all sizes, shaded and textured."""
    y, x = np.mgrid[:size, :size]
    picture = np.full((size, size), rng.uniform())
    texture = power_noise(rng, size)
    biggest = rng.uniform(0.08, 0.35)
    for radius in np.sort(size * np.minimum(biggest, 0.02 / rng.uniform(0.01, 1, rng.integers(40, 200))))[
        ::-1
    ]:
        center, squeeze, angle = rng.uniform(0, size, 2), rng.uniform(0.4, 1), rng.uniform(0, np.pi)
        across = (x - center[0]) * np.cos(angle) + (y - center[1]) * np.sin(angle)
        along = (y - center[1]) * np.cos(angle) - (x - center[0]) * np.sin(angle)
        inside = np.hypot(across, along / squeeze) < radius
        if rng.uniform() < 0.3:
            inside = np.maximum(np.abs(across), np.abs(along) / squeeze) < radius
        shade = rng.uniform(-0.4, 0.4) * across / radius + rng.uniform(0, 0.5) * (texture - 0.5)
        picture[inside] = np.clip(rng.uniform() + shade, 0, 1)[inside]
    return np.asarray(gaussian_filter(picture, rng.uniform(0, 1.2)))


def gradient(rng: np.random.Generator, size: int) -> np.ndarray:
    """Give a smooth ramp or a round glow."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    if rng.uniform() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        picture = x * np.cos(angle) + y * np.sin(angle)
    else:
        center = rng.uniform(-0.4, 0.4, 2)
        picture = rng.choice([-1, 1]) * np.hypot((x - center[0]) * rng.uniform(0.5, 2), y - center[1])
    return np.asarray(_unit(picture) ** rng.uniform(0.5, 2) * rng.uniform(0.3, 1))


def checker(rng: np.random.Generator, size: int) -> np.ndarray:
    """Give a checkerboard or stripes, turned."""
    y, x = np.mgrid[:size, :size]
    angle, period = rng.uniform(0, np.pi), rng.uniform(6, 60)
    across, along = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    wave = np.sin(np.pi * across / period)
    if rng.uniform() < 0.6:
        wave = wave * np.sin(np.pi * along / period)
    low, high = np.sort(rng.uniform(0, 1, 2))
    return np.asarray(low + (high - low) * _unit(np.tanh(wave * rng.uniform(1, 20))))


def text(rng: np.random.Generator, size: int) -> np.ndarray:
    """Give lines of small marks, like a page of writing."""
    picture = np.zeros((size, size))
    row, height = int(rng.integers(2, 20)), int(rng.integers(4, 16))
    while row + height < size:
        column, end = int(rng.integers(2, 30)), int(rng.integers(size // 2, size))
        while column < end:
            width = int(rng.integers(2, height + 1))
            glyph = zoom((rng.uniform(size=(5, 3)) < 0.5).astype(float), (height / 5, width / 3), order=0)
            cut = picture[row : row + glyph.shape[0], column : column + glyph.shape[1]]
            cut[:] = glyph[: cut.shape[0], : cut.shape[1]]
            column += width + (1 if rng.uniform() < 0.8 else height)
        row += height + int(rng.integers(2, height + 4))
    return 1 - picture if rng.uniform() < 0.5 else picture


def chart(rng: np.random.Generator, size: int) -> np.ndarray:
    """Give axes with curves or bars on an even ground."""
    picture = np.zeros((size, size))
    x = np.arange(size)
    for _ in range(rng.integers(1, 5)):
        curve = size * (
            0.5 + 0.35 * gaussian_filter(rng.normal(size=size), rng.uniform(2, 30)) * rng.uniform(1, 6)
        )
        if rng.uniform() < 0.5:
            curve = np.repeat(curve[:: size // 12], size // 12 + 1)[:size]
            picture[np.arange(size)[:, None] > curve[None]] = rng.uniform(0.2, 1)
        else:
            for thick in range(rng.integers(1, 4)):
                picture[np.clip(curve.astype(int) + thick, 0, size - 1), x] = rng.uniform(0.5, 1)
    margin = size // int(rng.integers(8, 14))
    picture[size - margin, margin:] = picture[: size - margin, margin] = 1
    if rng.uniform() < 0.5:
        picture[:: size // 8] = np.maximum(picture[:: size // 8], 0.3)
    return 1 - picture if rng.uniform() < 0.6 else picture


def flat(rng: np.random.Generator, size: int) -> np.ndarray:
    """Give even grey with a little noise."""
    return np.clip(rng.uniform() + rng.uniform(0, 0.2) * rng.normal(size=(size, size)), 0, 1)


def speckle(rng: np.random.Generator, size: int) -> np.ndarray:
    """Give log-compressed fully developed speckle, even or in layers, darker with depth."""
    blur = (rng.uniform(0.6, 2), rng.uniform(1, 5))
    field = gaussian_filter(rng.normal(size=(size, size)), blur) + 1j * gaussian_filter(
        rng.normal(size=(size, size)), blur
    )
    depth = np.linspace(0, 1, size)[:, None]
    level = -rng.uniform(0, 40) * depth
    if rng.uniform() < 0.5:
        bend = np.linspace(-1, 1, size)[None] * rng.uniform(-0.15, 0.15)
        edges = np.sort(rng.uniform(0, 1, rng.integers(1, 6)))
        steps = rng.normal(0, 8, len(edges) + 1)
        level = level + steps[np.searchsorted(edges, depth + bend)]
    decibels = 20 * np.log10(np.abs(field) / np.abs(field).max() + 1e-6) + level
    return np.asarray(np.clip(1 + (decibels + rng.uniform(-25, 15)) / rng.uniform(40, 70), 0, 1))


def air(rng: np.random.Generator, size: int) -> np.ndarray:
    """Give what a probe in air shows: bands at equal distances that fade, over noise that grows with depth."""
    depth = np.arange(size)[:, None] * np.ones((1, size))
    wobble = gaussian_filter(rng.normal(size=size), 20) * rng.uniform(0, 10)
    if rng.uniform() < 0.5:
        center = rng.uniform(0.3, 0.7) * size
        wobble = wobble + rng.uniform(0, 0.4) * (np.arange(size) - center) ** 2 / size
    period, decay = rng.uniform(6, 50), rng.uniform(0.1, 0.7) * size
    bands = np.cos(np.pi * (depth - wobble) / period) ** (2 * rng.integers(1, 12)) * np.exp(-depth / decay)
    across = 0.6 + 0.4 * gaussian_filter(rng.normal(size=size), rng.uniform(1, 10)) * 3
    picture = bands * across + np.exp(-depth / rng.uniform(3, 20)) * rng.uniform(0, 1)
    noise = speckle(rng, size) * rng.uniform(0, 0.4) * (depth / size) ** rng.uniform(0, 2)
    return np.asarray(np.clip(picture * rng.uniform(0.4, 1.2) + noise, 0, 1))


def phantom(rng: np.random.Generator, size: int) -> np.ndarray:
    """Give a test phantom: speckle with points in rows and round cysts in a column."""
    picture = speckle(rng, size) * rng.uniform(0, 0.8)
    y, x = np.mgrid[:size, :size]
    if rng.uniform() < 0.5:
        column, radius = rng.uniform(0.2, 0.8) * size, rng.uniform(3, 14)
        for row in np.arange(radius * 2, size, radius * rng.uniform(3, 6)):
            inside = np.hypot(y - row, x - column) < radius
            picture[inside] *= rng.uniform(0, 0.5)
    points = np.zeros((size, size))
    step = rng.uniform(14, 50)
    rows, columns = np.arange(step, size, step), np.arange(step, size, step * rng.uniform(1, 3))
    pattern = rng.integers(3)
    for row in rows if pattern != 1 else rows[::3]:
        for column in columns if pattern != 0 else [size * 0.5]:
            points[int(row), int(min(column, size - 1))] = 1
    spread = gaussian_filter(points, (rng.uniform(0.7, 2), rng.uniform(1, 6)))
    return np.clip(picture + rng.uniform(0.5, 2) * _unit(spread), 0, 1)


def darkness(rng: np.random.Generator, size: int) -> np.ndarray:
    """Give a bright skin line over darkness with noise: no gel, no contact."""
    depth = np.linspace(0, 1, size)[:, None]
    picture = np.exp(-depth / rng.uniform(0.01, 0.08)) * rng.uniform(0.3, 1)
    columns = 1 + 0.5 * gaussian_filter(rng.normal(size=size), rng.uniform(1, 8)) * 3
    noise = rng.uniform(0.02, 0.2) * np.abs(gaussian_filter(rng.normal(size=(size, size)), 1))
    return np.asarray(np.clip(picture * columns + noise * depth ** rng.uniform(0, 1.5) * 3, 0, 1))


NOT_ULTRASOUND: tuple[Maker, ...] = (
    dead_leaves,
    dead_leaves,
    power_noise,
    gradient,
    checker,
    text,
    chart,
    flat,
)
"""Makers of pictures that are no ultrasound; what is hard to tell comes twice."""

NO_ANATOMY: tuple[Maker, ...] = (speckle, speckle, air, air, phantom, phantom, darkness)
"""Makers of ultrasound without anatomy."""


def negatives(n: int, size: int, *, seed: int) -> np.ndarray:
    """Make pictures without nerve or vessel, all makers in turn.

    Parameters
    ----------
    n : int
        How many.
    size : int
        Rows and columns of each.
    seed : int
        The same pictures for the same seed.

    Returns
    -------
    numpy.ndarray
        (n, size, size) float32 brightness, 0..1.
    """
    rng = np.random.default_rng(seed)
    makers = NOT_ULTRASOUND + NO_ANATOMY
    pictures = np.zeros((n, size, size), np.float32)
    for index in range(n):
        picture = makers[index % len(makers)](rng, size)
        if rng.uniform() < 0.15:
            picture = rotate(picture, rng.uniform(-30, 30), reshape=False, order=1, mode="reflect")
        pictures[index] = np.clip(picture, 0, 1)
    return pictures
