r"""A round part in tissue that is squeezed, in closed form, and a reference estimator of strain.

Plane strain without volume change, far strain E along x and -E along z, moduli m inside a radius a and 1 outside. With the
stream function psi = (E / 2) f(r) sin 2 theta, u_r = psi_theta / r, u_theta = -psi_r:

    inside f = C r^2,   outside f = r^2 + A a^2 + B a^4 / r^2,   B = (m - 1) / (m + 1),  A = -2 B,  C = 1 - B = 2 / (m + 1)

from the continuity of displacement, shear and normal stress at r = a: a part three times stiffer strains half as much.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates, uniform_filter

from insonate.core import Grid
from insonate.imaging.beamforming.delay_and_sum import delay_and_sum
from insonate.simulation.acoustics.profiles import planned

SIGN = 1.0
"""Of the phase of a baseband echo as it goes down: exp(SIGN i k z)."""


def displacement(x, z, *, strain, radius, ratio):
    """Give (u_x, u_z) at places about the middle of the inclusion [m]."""
    r2 = np.maximum(x**2 + z**2, 1e-18)
    b = (ratio - 1) / (ratio + 1)
    inside = r2 < radius**2
    q = radius**2 / r2
    over_r2 = np.where(inside, 1 - b, 1 - 2 * b * q + b * q**2)  # f / r^2
    slope = np.where(inside, 2 * (1 - b), 2 - 2 * b * q**2)  # f' / r
    c2, s2 = (x**2 - z**2) / r2, 2 * x * z / r2
    radial, around = strain * over_r2 * c2, -0.5 * strain * slope * s2  # over r
    return radial * x - around * z, radial * z + around * x


def strain_down(x, z, *, step=1e-6, **settings):
    """Give d u_z / d z."""
    return (displacement(x, z + step, **settings)[1] - displacement(x, z - step, **settings)[1]) / (2 * step)


def tracked(before, after, grid, carrier, *, passes=3, window=(0.8e-3, 1.0e-3)):
    """Give the displacement down between two complex pictures (n_axial, n_lateral), found by phase [m].

    Loupas' mean frequency. Then the second picture is brought back by what is known so far, sideways too as far as tissue
    that is squeezed down must give way to the sides (its middle column stays), and what is left is found again.

    Parameters
    ----------
    before, after : numpy.ndarray
        Beamformed, the carrier taken out.
    grid : Grid
        Of both.
    carrier : float
        Wavenumber there and back that was taken out [rad/m].
    """
    step = float(grid.axial[1] - grid.axial[0])
    across = float(grid.lateral[1] - grid.lateral[0])
    size = (max(round(window[0] / step), 1), max(round(window[1] / across), 1))
    rows, columns = np.indices(before.shape).astype(float)

    def smooth(values):
        return uniform_filter(values.real, size) + 1j * uniform_filter(values.imag, size)

    lag = smooth(before[1:] * before[:-1].conj())
    shift = np.angle(np.concatenate([lag, lag[-1:]])) / step
    found, aside = np.zeros(before.shape), np.zeros(before.shape)
    for _ in range(passes):
        at = (rows + found / step, columns + aside / across)
        back = map_coordinates(after.real, at, order=3, mode="nearest") + 1j * map_coordinates(
            after.imag, at, order=3, mode="nearest"
        )
        back = back * np.exp(1j * SIGN * carrier * found)
        left = np.angle(smooth(back * before.conj()))
        # smoothed, for each pass would restore what its window took, and noise with it
        found = uniform_filter(found - SIGN * left / (carrier + SIGN * shift), size)
        squeezed = -np.cumsum(slope(found, grid, length=2.4e-3), axis=1) * across
        aside = uniform_filter(squeezed - squeezed[:, squeezed.shape[1] // 2, None], size)
    return found


def slope(found, grid, *, length=2e-3):
    """Give the strain as the slope of a straight line through each stretch of the displacement, least squares."""
    step = float(grid.axial[1] - grid.axial[0])
    half = max(round(length / 2 / step), 1)
    weight = np.arange(-half, half + 1) * step
    weight = weight / (weight**2).sum()
    return np.apply_along_axis(lambda line: np.convolve(line, weight[::-1], "same"), 0, found)


def cnr(one, other):
    """Give CNRe = sqrt(2 (m1 - m2)^2 / (v1 + v2))."""
    return float(np.sqrt(2 * (one.mean() - other.mean()) ** 2 / (one.var() + other.var())))


@dataclass(frozen=True)
class Squeezed:
    """What was imposed, or found again, (n_axial, n_lateral)."""

    displacement: np.ndarray
    """Down [m]."""
    strain: np.ndarray
    """1."""


def squeezed(*, seed=0, n=20_000, strain=0.01, radius=4e-3, ratio=3.0, depth=17.5e-3):
    """Squeeze scatterers about an inclusion under engine K, three plane waves, and look at both pictures.

    Returns
    -------
    found, truth : Squeezed
    inside, beside : numpy.ndarray
        Masks well within the inclusion, and beside it at its depth.
    """
    from benchmarks.simulation import PROBE, _laid, _record_of

    settings = {"strain": strain, "radius": radius, "ratio": ratio}
    engine, angles, rng = planned("live", PROBE, depth=28e-3), [-0.1, 0.0, 0.1], np.random.default_rng(seed)
    x, z = rng.uniform(-11e-3, 11e-3, n), rng.uniform(depth - 7.5e-3, depth + 7.5e-3, n)
    strengths = rng.normal(size=n)
    grid = Grid(axial=np.arange(depth - 6e-3, depth + 6e-3, 4e-5), lateral=np.arange(-8.4e-3, 8.4e-3, 1.5e-4))

    def picture(x, z):
        spectrum = engine.spectrum(_laid(engine, x, z, strengths))
        records = [engine.echoes(spectrum, angle) for angle in angles]
        return delay_and_sum(_record_of(engine, records, angles), grid).values[0]

    aside, down = displacement(x, z - depth, **settings)
    carrier = 4 * np.pi * engine.demodulation_frequency / engine.sound_speed
    moved = tracked(picture(x, z), picture(x + aside, z + down), grid, carrier, passes=2)
    xx, zz = np.meshgrid(grid.lateral, grid.axial - depth)
    inner = (slice(25, -25), slice(6, -6))
    found = Squeezed(displacement=moved[inner], strain=slope(moved, grid)[inner])
    imposed = displacement(xx, zz, **settings)[1]
    truth = Squeezed(displacement=imposed[inner], strain=strain_down(xx, zz, **settings)[inner])
    inside = np.hypot(xx, zz) < 0.7 * radius
    beside = (np.abs(xx) > 6.3e-3) & (np.abs(xx) < 8e-3) & (np.abs(zz) < 2e-3)
    return found, truth, inside[inner], beside[inner]
