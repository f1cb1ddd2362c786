"""What the wave meets: a plane through a body, and everything of it that an echo, a strain or a flow depends on.

A body is looked up, never evaluated: `Body.cut` gives the `Medium` of one plane at one moment. Maps are (lateral, axial)
over the plane, lateral centered under the array, axial from the face of the probe. Motion is told backward: the tissue
found at the place x of the patient was at X = x - u(x) in the body at rest, so that labels, sheets and speckle ride alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from insonate.core import CoordinateFrame, FrameError, Pose, Structure
from insonate.core.checks import check_axes, check_count, check_range
from insonate.core.units import Meters


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """Where a body is cut: the image plane of a probe, sampled."""

    pose: Pose
    """Patient <- probe."""
    shape: tuple[int, int]
    """(n_lateral, n_axial)."""
    lateral_step: Meters
    """Between columns, which are centered on the probe's axis [m]."""
    axial_step: Meters
    """Between rows, the first on the face [m]."""

    def __post_init__(self) -> None:
        if (self.pose.target, self.pose.source) != (CoordinateFrame.PATIENT, CoordinateFrame.PROBE):
            raise FrameError(
                f"Plane.pose must be 'patient <- probe', got '{self.pose.target.value} <- {self.pose.source.value}'"
            )
        for name, count in zip(("n_lateral", "n_axial"), self.shape, strict=True):
            check_count(f"Plane {name}", count, (2, 8192), "samples")
        check_range("Plane.lateral_step", self.lateral_step, (1e-6, 1e-2), "m", hint="millimeters?")
        check_range("Plane.axial_step", self.axial_step, (1e-6, 1e-2), "m", hint="millimeters?")

    @property
    def lateral(self) -> np.ndarray:
        """(n_lateral,) along the array [m]."""
        return (np.arange(self.shape[0]) - self.shape[0] // 2) * self.lateral_step

    @property
    def axial(self) -> np.ndarray:
        """(n_axial,) from the face [m]."""
        return np.arange(self.shape[1]) * self.axial_step

    def points(self, lateral: np.ndarray, axial: np.ndarray) -> np.ndarray:
        """Give places of the plane in the patient frame.

        Parameters
        ----------
        lateral : numpy.ndarray
            (n,) [m].
        axial : numpy.ndarray
            (m,) [m].

        Returns
        -------
        numpy.ndarray
            (n, m, 3) [m].
        """
        x, z = np.meshgrid(lateral, axial, indexing="ij")
        return self.pose.apply(np.stack([x, np.zeros_like(x), z], axis=-1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Medium:
    """One plane of a body at one moment."""

    plane: Plane
    """Where it was cut."""
    reflectivity: np.ndarray
    """(n_lateral, n_axial) float32: speckle, and coherent sheets and threads; 1 is a bright fascia."""
    labels: np.ndarray
    """(n_lateral, n_axial) uint8; 0 is outside the body, k is `structures[k - 1]`."""
    structures: tuple[Structure, ...]
    """What the labels stand for, tissues between named structures included."""
    properties: Mapping[str, np.ndarray]
    """Of each label, label 0 first, (n_labels + 1,): `sound_speed` [m/s], `attenuation` [dB/m at 1 MHz],
    `attenuation_exponent` [1], `density` [kg/m^3], `shear_modulus` [Pa]."""
    transmission: np.ndarray | None = None
    """(n_lateral, n_axial) float32: amplitude of what bone, gas and lost contact let through, there and back; None is 1."""
    velocity: np.ndarray | None = None
    """(n_lateral, n_axial, 3) of tissue and blood, probe axes [m/s]; None is rest."""

    def __post_init__(self) -> None:
        n, m = self.plane.shape
        check_axes("Medium.reflectivity", self.reflectivity, f"{n} {m}")
        check_axes("Medium.labels", self.labels, f"{n} {m}")
        for name, table in self.properties.items():
            check_axes(f"Medium.properties[{name}]", table, f"{len(self.structures) + 1}")
        if self.transmission is not None:
            check_axes("Medium.transmission", self.transmission, f"{n} {m}")
        if self.velocity is not None:
            check_axes("Medium.velocity", self.velocity, f"{n} {m} 3")

    def property(self, name: str) -> np.ndarray:
        """Give one property at every sample, (n_lateral, n_axial), in its unit."""
        return np.take(self.properties[name], self.labels)


class Body(Protocol):
    """An individual, compiled for one window: cut anywhere within it."""

    structures: tuple[Structure, ...]
    """What labels 1, 2, … are."""
    properties: Mapping[str, np.ndarray]
    """As those of `Medium`."""
    extent: np.ndarray
    """(2, 3) smallest and largest corner of the window, patient frame: x lateral, y along the limb, z into the body,
    skin at rest at z = 0 [m]."""

    def cut(self, plane: Plane, displacement: np.ndarray, *, columns: slice = slice(None)) -> Medium:
        """Cut the body.

        Parameters
        ----------
        plane : Plane
            Where.
        displacement : numpy.ndarray
            (n, m, 3) u of the tissue now at each place, patient axes, evenly spaced over the plane's whole width and
            depth and interpolated between [m].
        columns : slice
            Of the plane, those that are asked for; whatever lies in the others will not be heard, and may be left out.

        Returns
        -------
        Medium
            Without needle and fluid; its arrays are made for this call, and the caller may write into them.

        Raises
        ------
        RangeError
            If the plane's middle lies outside the window.
        """
        ...

    def distance(self, label: int, points: np.ndarray) -> np.ndarray:
        """Give the distance from places at rest to a structure.

        Parameters
        ----------
        label : int
            Of the structure.
        points : numpy.ndarray
            (n, 3) patient frame, of the body at rest [m].

        Returns
        -------
        numpy.ndarray
            (n,) negative inside [m].
        """
        ...
