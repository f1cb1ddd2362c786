"""How tissue moves, in closed form: maps between the body now and the body at rest, each keeping volume.

Every map has two ways: `back`, from a place now to where its tissue was, X = x - u(x), and `forth`, the inverse. In a plane
across a tube of radius a that grows to b, incompressible tissue outside keeps its area,

    R^2 = r^2 - b^2 + a^2      (for small growth b - a = s a:  u = s a^2 / r),

and round a fluid sphere of radius p, R^3 = r^3 - p^3. Both hold in coordinates stretched by a matrix of determinant one,
which turns circles to ellipses and spheres to flat pools. What is dragged along a direction n by the amount t moves by the
curl of g t (n x r) / 2 with g = exp(-r^2 / 2 w^2), free of divergence:

    u = t g [ n - (n r^2 - r (n . r)) / (2 w^2) ],

which turns back at the distance w sqrt(2) beside the axis: the roll of tissue beside a needle. A muscle that shortens by e
along f moves by the curl of g times the potential of u = e (r - 3 f (f . r)) / 2.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from insonate.core.units import Meters
from insonate.simulation.motion.move import Move

SETTLING = 12
"""Steps of the fixed point that inverts a displacement whose gradient is below one half: an error below 1e-4 of it."""


def grown(offset: np.ndarray, rest: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Give where tissue round a tube was, before its wall moved from one radius to another.

    Parameters
    ----------
    offset : numpy.ndarray
        (n, 2) from the middle, now [m].
    rest, now : numpy.ndarray
        (n,) radius of the wall [m].

    Returns
    -------
    numpy.ndarray
        (n, 2) from the middle, at rest [m]; inside the wall everything scales.
    """
    square = np.einsum("ij,ij->i", offset, offset)
    outside = square >= now**2
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = np.sqrt(np.maximum(1 + (rest**2 - now**2) / np.where(square > 0, square, 1), 0))
        within = rest / now
    return np.asarray(offset * np.where(outside, beyond, within)[:, None])


def sleeved(offset: np.ndarray, core: np.ndarray, area: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give where tissue round a sleeve of fluid was, before the fluid came between it and the core.

    Parameters
    ----------
    offset : numpy.ndarray
        (n, 2) from the middle, now [m].
    core : numpy.ndarray
        (n,) radius within which nothing moves; 0 is fluid in the middle of the core [m].
    area : numpy.ndarray
        (n,) of fluid over pi [m^2].

    Returns
    -------
    numpy.ndarray
        (n, 2) from the middle, before [m].
    numpy.ndarray
        (n,) depth into the fluid, negative outside [m].
    """
    square = np.einsum("ij,ij->i", offset, offset)
    radius = np.sqrt(square)
    outer = np.sqrt(core**2 + area)
    before = np.where(radius <= core, radius, np.sqrt(np.maximum(square - area, core**2)))
    scale = np.where(radius > 0, before / np.where(radius > 0, radius, 1), 1.0)
    return np.asarray(offset * scale[:, None]), np.minimum(
        outer - radius, np.where(core > 0, radius - core, np.inf)
    )


def sleeve_opened(offset: np.ndarray, core: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Give where tissue is, once fluid came: the inverse of `sleeved`."""
    square = np.einsum("ij,ij->i", offset, offset)
    scale = np.where(square > core**2, np.sqrt(1 + area / np.where(square > 0, square, 1)), 1.0)
    return np.asarray(offset * scale[:, None])


def pooled(offset: np.ndarray, radius: Meters) -> tuple[np.ndarray, np.ndarray]:
    """Give where tissue round a sphere of fluid was, before the fluid came.

    Parameters
    ----------
    offset : numpy.ndarray
        (n, 3) from the middle, now [m].
    radius : float
        Of the fluid [m].

    Returns
    -------
    numpy.ndarray
        (n, 3) from the middle, before [m].
    numpy.ndarray
        (n,) depth into the fluid, negative outside [m].
    """
    distance = np.sqrt(np.einsum("ij,ij->i", offset, offset))
    cube = np.maximum(1 - (radius / np.where(distance > 0, distance, 1)) ** 3, 0)
    return np.asarray(offset * np.cbrt(np.where(distance > 0, cube, 0))[:, None]), radius - distance


def pool_opened(offset: np.ndarray, radius: Meters) -> np.ndarray:
    """Give where tissue is, once fluid came: the inverse of `pooled`."""
    distance = np.sqrt(np.einsum("ij,ij->i", offset, offset))
    safe = np.where(distance > 0, distance, 1)
    return np.asarray(offset * np.where(distance > 0, np.cbrt(1 + (radius / safe) ** 3), 0)[:, None])


def dragged(offset: np.ndarray, direction: np.ndarray, amount: Meters, width: Meters) -> np.ndarray:
    """Give the displacement of tissue dragged along a direction.

    Parameters
    ----------
    offset : numpy.ndarray
        (n, 3) from the middle of the drag [m].
    direction : numpy.ndarray
        (3,) unit vector.
    amount : float
        In the middle [m].
    width : float
        The roll turns back at this times the square root of two [m].

    Returns
    -------
    numpy.ndarray
        (n, 3) u [m].
    """
    square = np.einsum("ij,ij->i", offset, offset)
    near = np.exp(-square / (2 * width**2))
    along = offset @ direction
    back = (square[:, None] * direction - along[:, None] * offset) / (2 * width**2)
    return np.asarray(amount * near[:, None] * (direction - back))


def shortened(offset: np.ndarray, fiber: np.ndarray, strain: float, width: Meters) -> np.ndarray:
    """Give the displacement of a muscle that shortens along its fibers and thickens, fading with distance.

    Parameters
    ----------
    offset : numpy.ndarray
        (n, 3) from the middle of the muscle [m].
    fiber : numpy.ndarray
        (3,) unit vector along the fibers.
    strain : float
        By how much it shortens, 1.
    width : float
        Of the fading [m].

    Returns
    -------
    numpy.ndarray
        (n, 3) u [m].
    """
    along = offset @ fiber
    across = offset - along[:, None] * fiber
    square = np.einsum("ij,ij->i", across, across)
    near = np.exp(-(along**2 + square) / (2 * width**2))
    # Stokes' stream function -(e / 2) a rho^2 g: u_a = (1/rho) d/d rho of it, u_rho = -(1/rho) d/da of it.
    in_line = -strain * along * (1 - square / (2 * width**2))
    outward = strain / 2 * (1 - along**2 / width**2)
    return np.asarray(near[:, None] * (in_line[:, None] * fiber + outward[:, None] * across))


def flattened(offset: np.ndarray, rate: np.ndarray, width: np.ndarray, *, steps: int = 3) -> np.ndarray:
    """Carry places along a flow that squeezes the second axis and widens the first, fading with distance.

    The flow has the stream function q x z exp(-(x^2 + z^2) / 2 w^2), so that area is kept; a negative rate undoes it.

    Parameters
    ----------
    offset : numpy.ndarray
        (n, 2) from the middle [m].
    rate : numpy.ndarray
        (n,) q, the logarithm of the widening in the middle.
    width : numpy.ndarray
        (n,) of the fading [m].
    steps : int
        Of the midpoint rule.

    Returns
    -------
    numpy.ndarray
        (n, 2) [m].
    """

    def flow(at: np.ndarray) -> np.ndarray:
        x, z = at[:, 0], at[:, 1]
        near = rate * np.exp(-(x**2 + z**2) / (2 * width**2))
        return np.stack([near * x * (1 - z**2 / width**2), -near * z * (1 - x**2 / width**2)], axis=1)

    for _ in range(steps):
        middle = offset + flow(offset) / (2 * steps)
        offset = offset + flow(middle) / steps
    return offset


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drag:
    """Tissue dragged along a direction."""

    middle: np.ndarray
    """(3,) where it is dragged most [m]."""
    direction: np.ndarray
    """(3,) unit vector."""
    amount: Meters
    """In the middle [m]."""
    width: Meters
    """Of the fading [m]."""

    @property
    def move(self) -> Move:
        """As numbers: middle, direction, amount, width."""
        return Move(kind="drag", numbers=np.array([*self.middle, *self.direction, self.amount, self.width]))

    def _displacement(self, points: np.ndarray) -> np.ndarray:
        out = np.zeros_like(points)
        near = np.einsum("ij,ij->i", points - self.middle, points - self.middle) < (6 * self.width) ** 2
        out[near] = dragged(points[near] - self.middle, self.direction, self.amount, self.width)
        return out

    def back(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue was, (n, 3) [m]."""
        return np.asarray(points - self._displacement(points))

    def forth(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue is, (n, 3) [m]."""
        return _settled(self._displacement, points)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Excursion(Drag):
    """A tendon that a joint pulls along its fibers, with what lies close to it: nothing slips."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contraction:
    """A muscle that shortens."""

    middle: np.ndarray
    """(3,) [m]."""
    fiber: np.ndarray
    """(3,) unit vector."""
    strain: float
    """By how much, 1."""
    width: Meters
    """Of the fading [m]."""

    @property
    def move(self) -> Move:
        """As numbers: middle, fiber, strain, width."""
        numbers = np.array([*self.middle, *self.fiber, self.strain, self.width])
        return Move(kind="contraction", numbers=numbers)

    def _displacement(self, points: np.ndarray) -> np.ndarray:
        return shortened(points - self.middle, self.fiber, self.strain, self.width)

    def back(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue was, (n, 3) [m]."""
        return np.asarray(points - self._displacement(points))

    def forth(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue is, (n, 3) [m]."""
        return _settled(self._displacement, points)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slide:
    """Deep tissue that slides under the skin: u depends on depth alone and has no part along it."""

    amount: np.ndarray
    """(3,) far below the skin; the third is 0 [m]."""
    depth: Meters
    """Where half of it is reached [m]."""

    @property
    def move(self) -> Move:
        """As numbers: amount, depth."""
        return Move(kind="slide", numbers=np.array([*self.amount, self.depth]))

    def _displacement(self, points: np.ndarray) -> np.ndarray:
        z = np.maximum(points[:, 2:], 0)
        return np.asarray(self.amount * (z**2 / (z**2 + self.depth**2)))

    def back(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue was, (n, 3) [m]."""
        return np.asarray(points - self._displacement(points))

    def forth(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue is, (n, 3) [m]."""
        return np.asarray(points + self._displacement(points))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """Fluid along a plane: a flat ellipsoid that pushes tissue apart."""

    middle: np.ndarray
    """(3,) [m]."""
    normal: np.ndarray
    """(3,) unit vector across the plane."""
    volume: float
    """[m^3]."""
    flatness: float
    """Length over thickness."""

    @property
    def move(self) -> Move:
        """As numbers: middle, normal, radius of the sphere of its volume, flatness."""
        numbers = np.array([*self.middle, *self.normal, self._radius, self.flatness])
        return Move(kind="pool", numbers=numbers, fluid=True)

    @property
    def _radius(self) -> Meters:
        return float(np.cbrt(3 * self.volume / (4 * np.pi)))

    def _stretch(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the matrix of determinant one that makes a sphere of it, and its inverse."""
        across = np.outer(self.normal, self.normal)
        long, short = self.flatness ** (1 / 3), self.flatness ** (-2 / 3)
        rest = np.eye(3) - across
        return rest / long + across / short, rest * long + across * short

    def back(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue was, (n, 3) [m]."""
        to, fro = self._stretch()
        offset, _ = pooled((points - self.middle) @ to, self._radius)
        return np.asarray(self.middle + offset @ fro)

    def forth(self, points: np.ndarray) -> np.ndarray:
        """Give where tissue is, (n, 3) [m]."""
        to, fro = self._stretch()
        return np.asarray(self.middle + pool_opened((points - self.middle) @ to, self._radius) @ fro)

    def depth(self, points: np.ndarray) -> np.ndarray:
        """Give how deep places lie in the fluid, negative outside, (n,) [m] of the stretched sphere."""
        to, _ = self._stretch()
        return pooled((points - self.middle) @ to, self._radius)[1]


def _settled(displacement: Callable[[np.ndarray], np.ndarray], points: np.ndarray) -> np.ndarray:
    """Solve x = X + u(x)."""
    now = points
    for _ in range(SETTLING):
        now = points + displacement(now)
    return np.asarray(now)
