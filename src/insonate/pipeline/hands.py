"""Two hands over a patient: small movements in, whole commands out.

A hand moves by steps, as a key, a drag or a stick does; a source is told where things are. The probe is held by where it
meets the skin and by three angles,

    R = Rz(rotation) Rx(tilt) Ry(rock)

with x along its face, y across the image plane, z into the body: tilt fans the plane about the face, rock tips it heel to
toe. A slide goes along the face as it lies on the skin, or along the limb. A needle outside the skin is carried beside the
face in the image plane; once a part of it is inside, it stays where it entered, and the hand aims and pushes. It points

    d = cos(angle) (cos(yaw) u + sin(yaw) v) + sin(angle) z,    u along the face at entry, v = z x u

Nothing here knows what is under the skin. What would leave the window comes back as the nearest that does not.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from insonate.core import (
    AdvanceNeedle,
    Command,
    CoordinateFrame,
    Inject,
    InputError,
    MoveProbe,
    Pose,
    Stimulate,
    Stimulus,
)
from insonate.core.checks import check_range
from insonate.core.units import CubicMetersPerSecond, Meters, Newtons, Radians

BESIDE: Meters = 0.0215
"""The needle waits so far from the middle of the face: 2 mm beside it [m]."""

FIRST_ANGLE: Radians = 0.52
"""30 degrees to the skin [rad]."""

FIRST_FORCE: Newtons = 2.0
"""[N]"""

STEEPEST: Radians = 1.0
"""The probe may be tilted or rocked so far [rad]."""

OUT: Meters = 1e-5
"""A needle less far inside is out [m]."""

FLATTEST, UPRIGHT = 0.02, 1.55
"""Of the needle to the skin [rad]."""

ASIDE: Radians = 0.8
"""The needle may be yawed so far out of the plane [rad]."""

MOST_FORCE: Newtons = 30.0
"""[N]"""

AGENT = "ropivacaine 0.5 %"
"""In the syringe; a name, no dose."""

FLOW: CubicMetersPerSecond = 20e-6 / 60
"""While the syringe is pressed, at first: 20 mL/min [m^3/s]."""

FLOW_STEP: CubicMetersPerSecond = 5e-6 / 60
"""More or less at a time [m^3/s]."""

LEAST_FLOW, MOST_FLOW = 5e-6 / 60, 30e-6 / 60
"""From 5 to 30 mL/min [m^3/s]."""

DRAW: CubicMetersPerSecond = 4e-7
"""While it is drawn [m^3/s]."""

LEAST_CURRENT, MOST_CURRENT, FIRST_CURRENT = 0.05e-3, 5e-3, 0.5e-3
"""Of the stimulator [A]."""

PULSE_WIDTH, PULSE_RATE = 1e-4, 2.0
"""Of the stimulator [s, Hz]."""


@dataclass(slots=True)
class Held:
    """How both hands are held."""

    x: Meters = 0.0
    """Where the probe meets the skin [m]."""
    y: Meters = 0.0
    """[m]"""
    rotation: Radians = 0.0
    """About the limb's normal [rad]."""
    tilt: Radians = 0.0
    """Fan, about the face [rad]."""
    rock: Radians = 0.0
    """Heel to toe [rad]."""
    force: Newtons = FIRST_FORCE
    """[N]"""
    beside: Meters = -BESIDE
    """Of the needle's entry, along the face from its middle, while outside [m]."""
    angle: Radians = FIRST_ANGLE
    """Of the needle to the skin [rad]."""
    yaw: Radians = 0.0
    """Of the needle out of the image plane as it was at entry [rad]."""
    inserted: Meters = 0.0
    """Under the skin [m]."""
    bevel: Radians = 0.0
    """Turned by so much [rad]."""
    injecting: bool = False
    """Whether the syringe is pressed."""
    drawing: bool = False
    """Whether it is drawn."""
    flow: CubicMetersPerSecond = FLOW
    """At which it is pressed [m^3/s]."""
    current: float = FIRST_CURRENT
    """That the stimulator is set to [A]."""
    stimulating: bool = False
    """Whether it is on."""

    @property
    def syringe(self) -> bool:
        """Whether the syringe is held, pressed or drawn."""
        return self.injecting or self.drawing


class Hands:
    """The hands of one pilot; they remember how they are held."""

    def __init__(self, tell: Callable[[Command], Command], pose: Pose, *, length: Meters = 0.05) -> None:
        """Take hold.

        Parameters
        ----------
        tell : callable
            Hands a command to the source; gives it as it will be obeyed.
        pose : Pose
            Where the probe is now, patient <- probe.
        length : float
            Of the needle [m].
        """
        self._tell, self._length = tell, length
        self.held = Held()
        self._take(pose)
        self._entered: tuple[np.ndarray, float] | None = None

    @property
    def length(self) -> Meters:
        """Of the needle [m]."""
        return self._length

    def probe(
        self,
        *,
        slide: Meters = 0.0,
        along: Meters = 0.0,
        tilt: Radians = 0.0,
        rotate: Radians = 0.0,
        rock: Radians = 0.0,
        press: Newtons = 0.0,
        by: str,
    ) -> None:
        """Move the probe by a step.

        Parameters
        ----------
        slide : float
            Along the face [m].
        along : float
            Along the limb [m].
        tilt, rotate, rock : float
            [rad].
        press : float
            Harder; negative is lighter [N].
        by : str
            Who moves it.

        Raises
        ------
        InputError
            If the source obeys no probe.
        """
        held = self.held
        rotation = float((held.rotation + rotate + np.pi) % (2 * np.pi) - np.pi)
        asked = _rotation(
            rotation,
            float(np.clip(held.tilt + tilt, -STEEPEST, STEEPEST)),
            float(np.clip(held.rock + rock, -STEEPEST, STEEPEST)),
        )
        x = held.x + slide * np.cos(held.rotation)
        y = held.y + slide * np.sin(held.rotation) + along
        force = float(np.clip(held.force + press, 0.0, MOST_FORCE))
        told = self._tell(
            MoveProbe(
                pose=Pose(
                    rotation=asked,
                    translation=np.array([x, y, 0.0]),
                    source=CoordinateFrame.PROBE,
                    target=CoordinateFrame.PATIENT,
                    time=0.0,
                ),
                contact_force=force,
                time=0.0,
                given_by=by,
            )
        )
        if isinstance(told, MoveProbe):
            self._take(told.pose)
            held.force = told.contact_force

    def needle(
        self,
        *,
        entry: Meters = 0.0,
        angle: Radians = 0.0,
        yaw: Radians = 0.0,
        advance: Meters = 0.0,
        bevel: Radians = 0.0,
        by: str,
    ) -> None:
        """Move the needle by a step.

        Parameters
        ----------
        entry : float
            Away from the middle of the face; only while it is outside [m].
        angle : float
            Steeper [rad].
        yaw : float
            Out of the image plane [rad].
        advance : float
            Deeper; negative withdraws [m].
        bevel : float
            Turned [rad].
        by : str
            Who moves it.

        Raises
        ------
        InputError
            If its entry is to be moved while it is inside, or the source obeys no needle.
        """
        held = self.held
        if entry and held.inserted > 0:
            raise InputError("Withdraw the needle before you move its entry.")
        beside = float(np.clip(held.beside - entry, -0.08, 0.0)) if held.beside <= 0 else held.beside
        steep = float(np.clip(held.angle + angle, FLATTEST, UPRIGHT))
        aside = float(np.clip(held.yaw + yaw, -ASIDE, ASIDE))
        inserted = float(np.clip(held.inserted + advance, 0.0, self._length))
        if inserted < OUT:  # steps that do not add up to nothing, by a rounding
            inserted = 0.0
        turned = float((held.bevel + bevel + np.pi) % (2 * np.pi) - np.pi)
        if self._entered is None or held.inserted == 0:
            place = np.array(
                [held.x + beside * np.cos(held.rotation), held.y + beside * np.sin(held.rotation), 0.0]
            )
            entered = (place, held.rotation)
        else:
            entered = self._entered
        told = self._tell(
            AdvanceNeedle(
                entry=entered[0],
                direction=_direction(entered[1], steep, aside),
                inserted=inserted,
                rotation=turned,
                time=0.0,
                given_by=by,
            )
        )
        if isinstance(told, AdvanceNeedle):
            self._entered = (np.asarray(told.entry), entered[1])
        held.beside, held.angle, held.yaw, held.inserted, held.bevel = beside, steep, aside, inserted, turned

    def inject(
        self, *, on: bool, by: str, draw: bool = False, flow: CubicMetersPerSecond | None = None
    ) -> None:
        """Press the syringe, draw it, or let go of it.

        Parameters
        ----------
        on : bool
            Whether it is pressed or drawn.
        by : str
            Who does.
        draw : bool
            Whether it is drawn.
        flow : float, optional
            At which it is pressed from now on; as before by default [m^3/s].

        Raises
        ------
        RangeError
            If the flow is none that a hand keeps.
        InputError
            If there is no needle under the skin, or the source obeys no syringe.
        """
        held = self.held
        wanted = held.flow if flow is None else flow
        check_range("flow", wanted, (LEAST_FLOW, MOST_FLOW), "m^3/s", hint="mL/min?")
        if on and held.inserted <= 0:
            raise InputError(f"Advance the needle before you {'aspirate' if draw else 'inject'}.")
        now = (on and not draw, on and draw, wanted)
        if now[:2] != (held.injecting, held.drawing) or (now[0] and wanted != held.flow):
            rate = 0.0 if not on else -DRAW if draw else wanted
            self._tell(Inject(rate=rate, agent=AGENT, time=0.0, given_by=by))
        held.injecting, held.drawing, held.flow = now

    def stimulate(self, *, on: bool, by: str, current: float | None = None) -> None:
        """Switch the stimulator on or off, or set its current.

        Parameters
        ----------
        on : bool
            Whether it is on.
        by : str
            Who sets it.
        current : float, optional
            As it is by default [A].

        Raises
        ------
        RangeError
            If the current is none that it gives.
        InputError
            If the source obeys no stimulator.
        """
        held = self.held
        wanted = held.current if current is None else current
        check_range("current", wanted, (LEAST_CURRENT, MOST_CURRENT), "A", hint="milliamperes?")
        if on or held.stimulating:
            stimulus = Stimulus(current=wanted, pulse_width=PULSE_WIDTH, rate=PULSE_RATE) if on else None
            self._tell(Stimulate(stimulus=stimulus, time=0.0, given_by=by))
        held.current, held.stimulating = wanted, on

    def rest(self, by: str) -> None:
        """Let go of the syringe and switch the stimulator off, as when a pilot is gone; the needle stays where it is."""
        self.inject(on=False, by=by)
        if self.held.stimulating:
            self.stimulate(on=False, by=by)

    def _take(self, pose: Pose) -> None:
        """Read the angles off a pose."""
        turned, at = pose.rotation, pose.translation
        axis = turned[:, 2]
        skin = at - axis * at[2] / axis[2] if abs(axis[2]) > 1e-6 else at
        held = self.held
        held.x, held.y = float(skin[0]), float(skin[1])
        held.tilt = float(np.arcsin(np.clip(turned[2, 1], -1, 1)))
        held.rotation = float(np.arctan2(-turned[0, 1], turned[1, 1]))
        held.rock = float(np.arctan2(-turned[2, 0], turned[2, 2]))


def _rotation(rotation: Radians, tilt: Radians, rock: Radians) -> np.ndarray:
    """Give Rz(rotation) Rx(tilt) Ry(rock), (3, 3)."""
    (a, b), (c, d), (e, f) = ((np.cos(one), np.sin(one)) for one in (rotation, tilt, rock))
    about_z = np.array([[a, -b, 0], [b, a, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, c, -d], [0, d, c]])
    about_y = np.array([[e, 0, f], [0, 1, 0], [-f, 0, e]])
    return np.asarray(about_z @ about_x @ about_y)


def _direction(rotation: Radians, angle: Radians, yaw: Radians) -> np.ndarray:
    """Give the unit vector of a needle, (3,)."""
    across = np.cos(angle)
    turned = rotation + yaw
    way = np.array([across * np.cos(turned), across * np.sin(turned), np.sin(angle)])
    return np.asarray(way / np.linalg.norm(way))
