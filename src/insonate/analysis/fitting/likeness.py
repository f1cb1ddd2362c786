"""How like two sets of pictures are: can a small classifier tell them apart, and how far do their textures lie apart?

Pictures are brought to one scan conversion (the content's width is taken for the array's, see `APERTURE`) and cut into
square crops. For the classifier each crop gets one and the same histogram of gray: ranks (equal values share theirs) become
the quantiles of a normal distribution. Its features are those of a scattering transform: with psi Morlet wavelets,

    U1 = |x * psi_1|,   U2 = |U1 * psi_2|
    features: log mean U1, log of the deviation over the mean of U1, log mean U2 / mean U1

A logistic regression, L2, is fitted on standardized features; every crop is judged by a fit that has not seen its group.
The area under the curve (AUC) is the share of pairs of one simulated and one real crop in which the simulated one gets the
higher score: 0.5 cannot tell, 1 always tells. Intervals: 95 %, bootstrap over whole groups.

J. Bruna, S. Mallat, "Invariant scattering convolution networks", IEEE Trans. Pattern Anal. 35(8), 1872-1886, 2013.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter, label, map_coordinates
from scipy.optimize import minimize
from scipy.stats import norm, rankdata

from insonate.analysis.models.canvas import content, resize

APERTURE = 38.4e-3
"""Width of the picture's content, where no spacing is known: the array of 128 elements of 0.3 mm, and the usual one [m]."""

STEP = 0.12e-3
"""Of a pixel after scan conversion [m]."""

CROP = 96
"""Rows and columns of a crop: 11.5 mm."""

DARK, LIT = 10 / 255, 0.9
"""Brightness up to which a pixel is nearly black, and the share of a crop that must be brighter, 0..1."""

SCALES, TURNS = 4, 4
"""Of the wavelets: octaves, and directions in half a circle."""

STRENGTH = 3e-3
"""Of the L2 penalty, per crop."""


def converted(picture: np.ndarray, step: float | None = None) -> np.ndarray:
    """Bring a picture's content to pixels of `STEP`.

    Parameters
    ----------
    picture : numpy.ndarray
        (n_axial, n_lateral) brightness, 0..1, square pixels.
    step : float, optional
        Of its pixels; by default the content is as wide as the array [m].

    Returns
    -------
    numpy.ndarray
        (rows, columns) float32.
    """
    rows, columns = content(picture)
    inside = picture[slice(*rows), slice(*columns)]
    step = step or APERTURE / inside.shape[1]
    shape = (max(2, round(inside.shape[0] * step / STEP)), max(2, round(inside.shape[1] * step / STEP)))
    return np.asarray(resize(inside.astype(np.float32), shape))


def crops(picture: np.ndarray) -> np.ndarray:
    """Cut a converted picture into crops that share no more than half of their pixels.

    Parameters
    ----------
    picture : numpy.ndarray
        From `converted`.

    Returns
    -------
    numpy.ndarray
        (n, CROP, CROP); those that are nearly black over more than a tenth are left out: there a picture is told by how its
        few grays were stored, not by what it shows.
    """
    rows, columns = picture.shape
    if min(rows, columns) < CROP:
        return np.zeros((0, CROP, CROP), np.float32)
    tops = np.linspace(0, rows - CROP, max(1, int(np.ceil(rows / CROP)))).astype(int)
    lefts = np.linspace(0, columns - CROP, max(1, int(np.ceil(columns / CROP)))).astype(int)
    cut = [picture[top : top + CROP, left : left + CROP] for top in tops for left in lefts]
    kept = [one for one in cut if (one > DARK).mean() > LIT]
    return np.array(kept, np.float32).reshape(-1, CROP, CROP)


def same_histogram(crop: np.ndarray) -> np.ndarray:
    """Give a crop the histogram of a normal distribution; equal values stay equal."""
    ranks = rankdata(crop, axis=None).reshape(crop.shape)
    return np.asarray(norm.ppf((ranks - 0.5) / crop.size), np.float32)


def _bank() -> list[tuple[int, np.ndarray]]:
    """Scale and frequency response of each wavelet."""
    down, across = np.meshgrid(np.fft.fftfreq(CROP), np.fft.fftfreq(CROP), indexing="ij")
    out = []
    for scale in range(SCALES):
        center, width = 0.375 / 2**scale, 0.15 / 2**scale
        for turn in range(TURNS):
            angle = np.pi * turn / TURNS
            along = down * np.cos(angle) + across * np.sin(angle)
            beside = -down * np.sin(angle) + across * np.cos(angle)
            gabor = np.exp(-(((along - center) / width) ** 2) / 2 - (beside / width) ** 2)
            out.append(
                (scale, (gabor - gabor[0, 0] * np.exp(-((along / width) ** 2) / 2 - (beside / width) ** 2)))
            )
    return out


def features(some: np.ndarray) -> np.ndarray:
    """Give the scattering features of crops with one histogram.

    Parameters
    ----------
    some : numpy.ndarray
        (n, CROP, CROP), each from `same_histogram`.

    Returns
    -------
    numpy.ndarray
        (n, n_features).
    """
    bank = _bank()
    window = np.hanning(CROP)[:, None] * np.hanning(CROP)
    window /= window.sum()
    spectra = np.fft.fft2(some)
    columns = []
    for scale, wavelet in bank:
        first = np.abs(np.fft.ifft2(spectra * wavelet))
        mean = (first * window).sum(axis=(1, 2)) + 1e-6
        power = (first**2 * window).sum(axis=(1, 2))
        columns += [np.log(mean), np.log(np.sqrt(np.maximum(power - mean**2, 0)) / mean + 1e-3)]
        again = np.fft.fft2(first)
        for other, second in bank:
            if other > scale:
                deep = (np.abs(np.fft.ifft2(again * second)) * window).sum(axis=(1, 2))
                columns.append(np.log(deep / mean + 1e-4))
    return np.stack(columns, axis=1)


def logistic(x: np.ndarray, y: np.ndarray, strength: float = STRENGTH) -> np.ndarray:
    """Fit a logistic regression, both classes of equal weight.

    Parameters
    ----------
    x : numpy.ndarray
        (n, k) standardized.
    y : numpy.ndarray
        (n,) bool.
    strength : float
        Of the L2 penalty, per example.

    Returns
    -------
    numpy.ndarray
        (k + 1,) weights, the constant last.
    """
    sign = np.where(y, 1.0, -1.0)
    weight = np.where(y, 0.5 / y.sum(), 0.5 / (~y).sum())
    whole = np.hstack([x, np.ones((len(x), 1))])

    def cost(w: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (whole @ w)
        pull = -sign * weight / (1 + np.exp(np.clip(margin, -50, 50)))
        ridge = np.append(w[:-1], 0.0)
        value = float((weight * np.logaddexp(0, -margin)).sum() + strength * (ridge @ ridge))
        return value, whole.T @ pull + 2 * strength * ridge

    return np.asarray(minimize(cost, np.zeros(whole.shape[1]), jac=True, method="L-BFGS-B").x)


def scores(x: np.ndarray, y: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Judge each example by a fit that has not seen its fold.

    Parameters
    ----------
    x : numpy.ndarray
        (n, k).
    y : numpy.ndarray
        (n,) bool.
    fold : numpy.ndarray
        (n,) int; groups lie in one fold whole.

    Returns
    -------
    numpy.ndarray
        (n,) log odds of True.
    """
    out = np.zeros(len(x))
    for one in np.unique(fold):
        held = fold == one
        mean, deviation = x[~held].mean(axis=0), x[~held].std(axis=0) + 1e-9
        w = logistic((x[~held] - mean) / deviation, y[~held])
        out[held] = ((x[held] - mean) / deviation) @ w[:-1] + w[-1]
    return out


def auc(score: np.ndarray, y: np.ndarray) -> float:
    """Give the area under the curve: the share of pairs in which the true one scores higher, ties half."""
    ranks = rankdata(score)
    n, m = int(y.sum()), int((~y).sum())
    return float((ranks[y].sum() - n * (n + 1) / 2) / (n * m))


def resampled(group: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw whole groups with replacement, and give the indices of their members."""
    members = {one: np.flatnonzero(group == one) for one in np.unique(group)}
    names = list(members)
    return np.concatenate([members[names[k]] for k in rng.integers(len(names), size=len(names))])


def auc_interval(
    score: np.ndarray, y: np.ndarray, group: np.ndarray, *, n_draws: int = 500, seed: int = 0
) -> tuple[float, float, float]:
    """Give the AUC and its interval over groups.

    Parameters
    ----------
    score : numpy.ndarray
        (n,).
    y : numpy.ndarray
        (n,) bool.
    group : numpy.ndarray
        (n,) int; a group holds one class.
    n_draws : int
        Of the bootstrap.
    seed : int
        Of the draws.

    Returns
    -------
    tuple
        Value, low, high.
    """
    rng = np.random.default_rng(seed)
    yes, no = np.flatnonzero(y), np.flatnonzero(~y)
    draws = []
    for _ in range(n_draws):
        drawn = np.concatenate([yes[resampled(group[yes], rng)], no[resampled(group[no], rng)]])
        draws.append(auc(score[drawn], y[drawn]))
    low, high = np.percentile(draws, [2.5, 97.5])
    return auc(score, y), float(low), float(high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texture:
    """What is measured of one picture, before any histogram is changed."""

    speckle_axial: float
    """Width of the autocorrelation at half height, median of even places [m]."""
    speckle_lateral: float
    """The same from side to side [m]."""
    gray: np.ndarray
    """(101,) quantiles of brightness, 0..1."""
    spectrum: np.ndarray
    """(3, 10) power by depth thirds, five octaves down and five across, from coarse to fine [dB re their sum]."""
    fascia_contrast: float
    """Brightness of bright lines over their surroundings, mean, 0..1."""
    fascia_length: float
    """Mean length of bright lines, weighted by length [m]."""
    fascia_share: float
    """Share of pixels on bright lines, 0..1."""


def texture(picture: np.ndarray) -> Texture:
    """Measure a converted picture.

    Parameters
    ----------
    picture : numpy.ndarray
        From `converted`.

    Returns
    -------
    Texture
        Of it.
    """
    axial, lateral = _speckle(picture)
    contrast, length, share = _lines(picture)
    return Texture(
        speckle_axial=axial,
        speckle_lateral=lateral,
        gray=np.quantile(picture, np.linspace(0, 1, 101)),
        spectrum=np.stack([_bands(part) for part in np.array_split(picture, 3)]),
        fascia_contrast=contrast,
        fascia_length=length,
        fascia_share=share,
    )


def _speckle(picture: np.ndarray, size: int = 24) -> tuple[float, float]:
    """Widths of the autocorrelation in the quarter of places that are most even and not black."""
    fine = picture - gaussian_filter(picture, 6)
    patches, unrest = [], []
    for top in range(size // 2, picture.shape[0] - size, size // 2):
        for left in range(0, picture.shape[1] - size + 1, size // 2):
            here = (slice(top, top + size), slice(left, left + size))
            if picture[here].mean() > 0.06:
                patches.append(fine[here])
                unrest.append(float(fine[here].std() / picture[here].mean()))
    if len(patches) < 4:
        return float("nan"), float("nan")
    even = np.argsort(unrest)[: max(4, len(unrest) // 4)]
    widths = []
    for index in even:
        values = patches[index] - patches[index].mean()
        power = np.abs(np.fft.fft2(values, (2 * size, 2 * size))) ** 2
        near = np.fft.ifft2(power).real
        share = 1 - np.arange(size) / size  # of the patch that lies over itself after a shift
        widths.append((_half(near[:size, 0] / share), _half(near[0, :size] / share)))
    axial, lateral = np.median(widths, axis=0) * STEP
    return float(axial), float(lateral)


def _half(curve: np.ndarray) -> float:
    """Full width at half of the value at 0, in samples."""
    below = np.flatnonzero(curve < curve[0] / 2)
    if len(below) == 0:
        return float(2 * len(curve))
    k = below[0]
    return float(2 * (k - 1 + (curve[k - 1] - curve[0] / 2) / (curve[k - 1] - curve[k])))


def _bands(part: np.ndarray) -> np.ndarray:
    """Power in five octaves down and five across, re their sum [dB]."""
    rows, columns = part.shape
    window = np.hanning(rows)[:, None] * np.hanning(columns)
    power = np.abs(np.fft.fft2((part - part.mean()) * window)) ** 2
    edges = 0.5 * 2.0 ** np.arange(-5, 1)
    out = []
    for axis, count in ((0, rows), (1, columns)):
        frequency = np.abs(np.fft.fftfreq(count))
        line = power.sum(axis=1 - axis)
        out += [line[(frequency > low) & (frequency <= high)].sum() for low, high in pairwise(edges)]
    bands = np.maximum(np.array(out), 1e-12)
    return np.asarray(10 * np.log10(bands / bands.sum()))


def _lines(picture: np.ndarray) -> tuple[float, float, float]:
    """Contrast, length and share of bright lines: ridges of the second derivative across them."""
    best = np.full(picture.shape, -np.inf)
    smooth = gaussian_filter(picture, 1.2)
    for angle in np.radians((-40, -20, 0, 20, 40)):
        y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
        down, across = 3 * np.cos(angle), 3 * np.sin(angle)
        above = map_coordinates(smooth, (y - down, x + across), order=1, mode="nearest")
        under = map_coordinates(smooth, (y + down, x - across), order=1, mode="nearest")
        best = np.maximum(best, smooth - np.maximum(above, under))
    ridge = best > 0.08
    numbered, n = label(ridge, np.ones((3, 3)))
    if n == 0:
        return 0.0, 0.0, 0.0
    size = np.bincount(numbered.ravel())[1:]
    columns = np.tile(np.arange(picture.shape[1]), (picture.shape[0], 1))
    low = np.full(n + 1, picture.shape[1])
    high = np.zeros(n + 1, int)
    np.minimum.at(low, numbered.ravel(), columns.ravel())
    np.maximum.at(high, numbered.ravel(), columns.ravel())
    length = (high - low + 1)[1:].astype(float)
    kept = size >= 6
    if not kept.any():
        return 0.0, 0.0, 0.0
    mean = float((length[kept] ** 2).sum() / length[kept].sum() * STEP)
    on = np.isin(numbered, 1 + np.flatnonzero(kept))
    return float(best[on].mean()), mean, float(on.mean())


SCALARS = ("speckle_axial", "speckle_lateral", "fascia_contrast", "fascia_length", "fascia_share")
"""Numbers of a `Texture`, whose distributions are compared."""


def distances(
    simulated: Sequence[Texture],
    real: Sequence[Texture],
    groups: tuple[np.ndarray, np.ndarray],
    *,
    n_draws: int = 300,
    seed: int = 0,
) -> dict[str, tuple[float, float, float]]:
    """Give how far two sets of pictures lie from each other, with intervals over groups.

    Parameters
    ----------
    simulated, real : sequence of Texture
        One per picture.
    groups : tuple of numpy.ndarray
        The group of each simulated and of each real picture.
    n_draws : int
        Of the bootstrap.
    seed : int
        Of the draws.

    Returns
    -------
    dict
        Value, low, high: for each of `SCALARS` the ratio of the medians, simulated over real (1 is alike); "gray", mean
        difference of quantiles of brightness (0..1); "spectrum", root mean square difference over bands and depths [dB].
    """
    rng = np.random.default_rng(seed)

    def value(a: Sequence[Texture], b: Sequence[Texture]) -> dict[str, float]:
        out = {}
        for name in SCALARS:
            ours, theirs = (np.nanmedian([getattr(t, name) for t in some]) for some in (a, b))
            out[name] = float(ours / theirs) if theirs else float("nan")
        out["gray"] = float(np.abs(np.mean([t.gray for t in a], 0) - np.mean([t.gray for t in b], 0)).mean())
        apart = np.mean([t.spectrum for t in a], 0) - np.mean([t.spectrum for t in b], 0)
        out["spectrum"] = float(np.sqrt((apart**2).mean()))
        return out

    center = value(simulated, real)
    draws = []
    for _ in range(n_draws):
        mine, other = (resampled(group, rng) for group in groups)
        draws.append(value([simulated[k] for k in mine], [real[k] for k in other]))
    out: dict[str, tuple[float, float, float]] = {}
    for name, found in center.items():
        low, high = np.nanpercentile([draw[name] for draw in draws], [2.5, 97.5])
        out[name] = (found, float(low), float(high))
    return out
