"""The edge of a window: the nearest command that stays within it.

A hand that slides on past the edge of what was compiled is held there, as by the edge of a table; it is not an error. A pose
looks along a = R z. It meets the skin, z = 0, at s, and the middle of its plane lies at s + a d, with d half the depth of
the plane and what the face sinks. Both must lie within the window, so that along x and along y

    max(low, low - a d) <= s <= min(high, high - a d),

and s is held between the two, each axis by itself: what is held along one still moves along the other. A pose that is
steeper than a probe can be held, or for which the two cross, is turned upright as far as it must be.
"""

from dataclasses import replace

import numpy as np

from insonate.core import AdvanceNeedle, Command, MoveProbe, Pose
from insonate.core.units import Meters
from insonate.simulation.facts import facts
from insonate.simulation.motion.contact import STEEPEST, indentation

BEYOND: Meters = 0.05
"""A needle may enter so far beside the window [m]."""

HIGHEST: Meters = 0.2
"""A face may be lifted so far [m]."""

INSIDE: Meters = 1e-9
"""What is held lies within by this, more than rounding takes [m]."""

HALVINGS = 40
"""Of the angle by which a pose is turned upright: until nothing is left of it."""


def middle_of(axis: np.ndarray, sunk: Meters) -> np.ndarray:
    """Give the way from where a probe meets the skin to the middle of its plane.

    Parameters
    ----------
    axis : numpy.ndarray
        (3,) unit vector along which it looks, patient frame.
    sunk : float
        How deep the face goes [m].

    Returns
    -------
    numpy.ndarray
        (3,) [m].
    """
    grid = facts("insonate.simulation", "patient")["map"]
    return np.asarray(axis * (sunk / axis[2] + grid["n_axial"] * grid["axial_step"] / 2))


def nearest(command: Command, extent: np.ndarray, bone: Meters) -> Command:
    """Hold a command that leaves the window at its edge.

    Parameters
    ----------
    command : Command
        Any.
    extent : numpy.ndarray
        (2, 3) smallest and largest corner of the window, patient frame [m].
    bone : float
        Depth to which tissue gives way [m].

    Returns
    -------
    Command
        The nearest that lies within; of another kind, the same.
    """
    if isinstance(command, MoveProbe):
        return _held_probe(command, extent, bone)
    if isinstance(command, AdvanceNeedle):
        low, high = extent[0, :2] - BEYOND + INSIDE, extent[1, :2] + BEYOND - INSIDE
        return replace(command, entry=np.append(np.clip(command.entry[:2], low, high), command.entry[2]))
    return command


def _held_probe(command: MoveProbe, extent: np.ndarray, bone: Meters) -> MoveProbe:
    high = extent[1]
    sunk = indentation(command.contact_force, bone)
    rotation = command.pose.rotation
    share = 0.0
    limits = _limits(rotation[:, 2], sunk, extent)
    for _ in range(HALVINGS):
        if limits is not None:
            break
        share = (1 + share) / 2
        rotation = _upright(command.pose.rotation, share)
        limits = _limits(rotation[:, 2], sunk, extent)
    else:
        rotation = _upright(command.pose.rotation, 1.0)
        limits = _limits(rotation[:, 2], sunk, extent)
    if limits is None:  # a window less deep than half a plane: whoever obeys refuses it by name
        return command
    at = command.pose.translation
    lifted = float(np.clip(at[2], -HIGHEST + INSIDE, high[2] - INSIDE))
    axis = rotation[:, 2]
    asked = command.pose.rotation[:, 2]
    skin = at[:2] - asked[:2] * at[2] / asked[2] if asked[2] > INSIDE else at[:2]
    held = np.clip(skin, *limits)
    place = np.append(held + axis[:2] * lifted / axis[2], lifted)
    pose = Pose(
        rotation=rotation,
        translation=place,
        source=command.pose.source,
        target=command.pose.target,
        time=command.pose.time,
    )
    return replace(command, pose=pose)


def _limits(axis: np.ndarray, sunk: Meters, extent: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Give smallest and largest x and y where a probe may meet the skin, (2,) each [m]; None where there is none."""
    if axis[2] < STEEPEST:
        return None
    way = middle_of(axis, sunk)
    low = np.maximum(extent[0], extent[0] - way) + INSIDE
    high = np.minimum(extent[1], extent[1] - way) - INSIDE
    if (low[:2] > high[:2]).any() or not extent[0, 2] <= way[2] <= extent[1, 2]:
        return None
    return low[:2], high[:2]


def _upright(rotation: np.ndarray, share: float) -> np.ndarray:
    """Turn a pose toward looking straight down, by a share of the way, about the axis across both."""
    axis = rotation[:, 2]
    across = np.cross(axis, [0.0, 0.0, 1.0])
    length = float(np.linalg.norm(across))
    across = across / length if length > INSIDE else np.array([1.0, 0.0, 0.0])
    angle = share * float(np.arctan2(length, axis[2]))
    x, y, z = across
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn = np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * skew @ skew
    return np.asarray(turn @ rotation)
