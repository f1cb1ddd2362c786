"""An agent that scans to its target, advances a needle in the plane, injects beside a nerve, and withdraws.

What it knows: where the target lies under the pressed probe, which a trained eye sees in the image, with an error of its
own (`place`), part of which goes once its tip is near and both are seen in one picture (`looks_again`). What it does not
know: where its needle is, other than by the tracker, late and noisy; whether its tip lies in the plane; what is between. It
acts after its reaction time, its hands shake (a first-order Gauss-Markov process), its needle points a little elsewhere than
it means to. It corrects a share of the error that it sees; with the tip out of the plane it stops and moves the probe onto
it, or, as chance has it, goes on blind.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import product

import numpy as np

from insonate.core import (
    AdvanceNeedle,
    Command,
    CoordinateFrame,
    Inject,
    InjectionReading,
    MoveProbe,
    NeedlePose,
    NeedleState,
    Observation,
    Pose,
    Stimulate,
    Stimulus,
    Tissue,
    UnknownNameError,
)
from insonate.core.checks import check_name
from insonate.core.units import CubicMeters, CubicMetersPerSecond, Meters, Pascals, Seconds
from insonate.simulation.facts import facts
from insonate.simulation.medium import Body
from insonate.simulation.motion.contact import Contact, layers
from insonate.simulation.motion.tubes import Tube, trace

KINDS = ("expert", "novice")
"""Operators there are."""
TICK: Seconds = 0.05
"""How often it acts [s]."""
SHAKE: Seconds = 0.4
"""How long a tremor of the hand lasts [s]."""
SWEEP: Meters = 8e-3
"""It begins to scan so far from its target along the limb [m]."""
WIDE: Meters = 8e-3
"""What lies further from the way than this counts alike [m]."""
ALIKE: Meters = 2e-3
"""Another way must be clearer by this to be preferred to one that is clear enough [m]."""
ENOUGH: Meters = 3e-3
"""A way that is not so clear is left for any that is clearer by `BETTER` [m]."""
BETTER: Meters = 3e-4
NEAR_IT: Meters = 10e-3
"""With the tip so near to its goal it looks again where the target lies [m]."""
IN_THE_WAY = (Tissue.BONE, Tissue.PLEURA)
"""Beside vessels, and the other nerves where it knows them."""
WAYS = (
    (0.8, 0.6, 1.0),
    *(
        (beside, slope, off)
        for off in (1.0, 1.5)
        for slope in (0.6, 0.45, 0.8, 0.3)
        for beside in (0.97, 0.8, 0.6, 0.3)
    ),
)
"""Ways that it looks at, the usual one first: how far beside the nerve it ends, as a share of its distance from the middle;
how far it goes down at most for each meter that it goes across; how far away it ends, of its usual distance."""
TOO_HIGH: Pascals = 103e3
"""CLINICAL C3: 15 psi, at which an injection is stopped [Pa]."""
STIMULUS = Stimulus(current=0.5e-3, pulse_width=1e-4, rate=2.0)
"""CLINICAL C1: usual setting near a nerve."""


class Phase(Enum):
    """What it is doing."""

    SCAN = "scan"
    ADVANCE = "advance"
    INJECT = "inject"
    WITHDRAW = "withdraw"
    DONE = "done"


class Agent:
    """One operator over one body; it has memory."""

    def __init__(
        self,
        kind: str,
        seed: int,
        body: Body,
        *,
        target: str | None = None,
        volume: CubicMeters = 5e-6,
        rate: CubicMetersPerSecond = 4e-7,
        agent: str = "ropivacaine 0.5 %",
    ) -> None:
        """Plan the procedure.

        Parameters
        ----------
        kind : str
            "expert" or "novice".
        seed : int
            Of all its errors.
        body : Body
            Where it works.
        target : str, optional
            Name of a nerve, or of another structure, in whose middle the tip is then to rest; by default that of the
            body's window, else the thickest nerve.
        volume : float
            To give [m^3].
        rate : float
            At which [m^3/s].
        agent : str
            What is in the syringe.

        Raises
        ------
        UnknownNameError
            If there is no such operator or structure.
        """
        check_name("operator", kind, KINDS)
        self._values = facts("insonate.simulation.operator", "operators")[kind]
        self._rng = np.random.default_rng((seed, 0x0BE, KINDS.index(kind)))
        self._volume, self._rate, self._agent = volume, rate, agent
        self.kind = kind
        self.phase = Phase.SCAN
        self._act = 0.0
        self._shake = np.zeros(3)
        self._tilt = 0.0
        self._aim = self._rng.normal(0, self._values["aim"], 2)
        self._seen: NeedlePose | None = None
        self._probe: Pose | None = None
        self._read: InjectionReading | None = None
        self._given = 0.0
        self._inserted = 0.0
        self._lost = False
        self._blind = False
        self._tries = 0
        self._plan(body, target)

    # --- the plan ---

    def _plan(self, body: Body, target: str | None) -> None:
        target = target or getattr(body, "target", None)
        self.target, middle, clear = _aim(body, target, float(self._values["stand_off"]))
        """Name of what it goes for, its middle, and how far from there the tip is to rest."""
        self._station = float(np.clip(middle[1], *_within(body, 1)))
        self._slice = (
            self._station + SWEEP if self._station + SWEEP < body.extent[1, 1] else self._station - SWEEP
        )
        self._force = float(self._values["force"])
        self._wrong = wrong = self._rng.normal(0, self._values["place"], 3)
        given_way = layers(body)
        beside_it = (self.target, float(self._values["stand_off"])) if self._values["sees_nerves"] else None
        best: tuple[float, float, np.ndarray, np.ndarray] | None = None
        sides = []
        for side in (-1.0, 1.0):  # from lateral where both sides are alike
            lateral = float(np.clip(middle[0] - 0.3 * side * middle[2], *_within(body, 0)))
            pressed = Contact(given_way, self._held(lateral, self._station), self._force)
            believed = pressed.forth(middle[np.newaxis])[0] + wrong
            believed[1] = self._station
            sides.append((side, lateral, pressed, believed))
        low, high = body.extent[:, 0]
        for (beside, slope, off), (side, lateral, pressed, believed) in product(WAYS, sides):
            # it aims beside the nerve, at its upper edge on the side it comes from
            goal = believed + np.array([side * beside, 0.0, -np.sqrt(1 - beside**2)]) * clear * off
            reach = max(goal[2] / slope, 0.012)
            across = float(np.clip(goal[0] + side * reach, low - 0.03, high + 0.03))
            # beside the face the skin bulges
            entry = pressed.forth(np.array([[across, self._station, 0.0]]))[0]
            free = _clear(body, pressed, entry, goal, beside=beside_it)
            if best is None or free > best[0] + (ALIKE if best[0] > ENOUGH else BETTER):
                best = (free, lateral, goal, entry)
        assert best is not None
        _, self._lateral, self._goal, self._entry = best

    def _held(self, lateral: float, station: float, tilt: float = 0.0) -> Pose:
        c, s = np.cos(tilt), np.sin(tilt)
        return Pose(
            rotation=np.array([[1.0, 0, 0], [0, c, -s], [0, s, c]]),
            translation=np.array([lateral, station, 0.0]),
            source=CoordinateFrame.PROBE,
            target=CoordinateFrame.PATIENT,
            time=0.0,
        )

    # --- what it does ---

    def decide(self, observations: Iterable[Observation], now: Seconds) -> Sequence[Command]:
        """Look at what was observed, and act.

        Parameters
        ----------
        observations : iterable of Observation
            Since it was asked last.
        now : float
            On the clock of the examination [s].

        Returns
        -------
        sequence of Command
            To be obeyed from now on.
        """
        for one in observations:
            if isinstance(one, NeedlePose):
                self._seen = one
            elif isinstance(one, Pose):
                self._probe = one
            elif isinstance(one, InjectionReading):
                self._read = one
        fade = float(np.exp(-TICK / SHAKE))
        fresh = np.sqrt(1 - fade**2)
        self._shake = fade * self._shake + fresh * self._rng.normal(0, self._values["tremor"], 3)
        self._tilt = fade * self._tilt + fresh * float(self._rng.normal(0, self._values["tilt_tremor"]))
        out: list[Command] = []
        if self.phase is Phase.DONE:
            return out
        reacts = now >= self._act
        if reacts:
            self._act = now + self._values["reaction"]
        if self.phase is Phase.SCAN:
            self._scan(now, out)
        elif self.phase is Phase.ADVANCE:
            self._advance(now, out, reacts=reacts)
        elif self.phase is Phase.INJECT:
            self._inject(now, out, reacts=reacts)
        else:
            self._withdraw(now, out)
        out.append(
            MoveProbe(
                pose=self._held(self._lateral + self._shake[0], self._slice + self._shake[1], self._tilt),
                contact_force=float(np.clip(self._force * (1 + self._shake[2] * 200), 0.5, 30)),
                time=now,
                given_by=self.kind,
            )
        )
        return out

    def _scan(self, now: Seconds, out: list[Command]) -> None:
        left = self._station - self._slice
        step = self._values["scan_speed"] * TICK
        if abs(left) > step:
            self._slice += np.copysign(step, left)
            return
        self._slice = self._station
        self.phase = Phase.ADVANCE
        out.append(Stimulate(stimulus=STIMULUS, time=now, given_by=self.kind))

    def _line(self) -> tuple[np.ndarray, Meters]:
        """Give the direction its hand holds and the length to the goal."""
        way = self._goal - self._entry
        length = float(np.linalg.norm(way))
        forward = way / length
        side = np.array([0.0, 1.0, 0.0])
        up = np.cross(side, forward)
        direction = forward + self._aim[0] * side + self._aim[1] * up
        return direction / np.linalg.norm(direction), length

    def _hold(self, now: Seconds, out: list[Command]) -> None:
        direction, _ = self._line()
        out.append(
            AdvanceNeedle(
                entry=self._entry,
                direction=direction,
                inserted=max(self._inserted, 0.0),
                rotation=0.0,
                time=now,
                given_by=self.kind,
            )
        )

    def _tip(self) -> np.ndarray | None:
        seen = self._seen
        return seen.tip if seen is not None and seen.state is NeedleState.TIP else None

    def _advance(self, now: Seconds, out: list[Command], *, reacts: bool) -> None:
        tip = self._tip()
        if reacts and tip is not None and self._probe is not None and self._inserted > 5e-3:
            off = self._probe.inverse().apply(tip)[1]
            self._lost = abs(off) > self._values["lost_after"]
            if self._lost:
                self._blind = self._rng.random() > self._values["stops_when_lost"]
                self._slice += self._values["correction"] * off
            if not self._lost:
                self._look_again(tip)
            self._correct(tip)
        if not (self._lost and not self._blind):
            self._inserted += self._values["speed"] * TICK
        self._hold(now, out)
        direction, length = self._line()
        far = length - self._inserted if tip is None else float((self._goal - tip) @ direction)
        if far <= 0.5e-3 or self._inserted > length + 4e-3:
            self.phase = Phase.INJECT
            self._act = now + self._values["reaction"]

    def _look_again(self, tip: np.ndarray) -> None:
        """Take back a part of the error of where the target lies, once the tip is seen near it: both are in one picture."""
        if np.linalg.norm(self._goal - tip) > NEAR_IT:
            return
        seen = self._values["looks_again"] * self._wrong * np.array([1.0, 0.0, 1.0])
        self._wrong, self._goal = self._wrong - seen, self._goal - seen

    def _correct(self, tip: np.ndarray) -> None:
        """Turn the hub by a share of the angle by which the tip is seen off the line."""
        way = self._goal - self._entry
        forward = way / np.linalg.norm(way)
        side = np.array([0.0, 1.0, 0.0])
        up = np.cross(side, forward)
        off = tip - self._entry
        along = max(float(off @ forward), 5e-3)
        wrong = np.array([off @ side, off @ up]) / along
        self._aim = self._aim - self._values["correction"] * 0.5 * np.clip(wrong, -0.05, 0.05)

    def _inject(self, now: Seconds, out: list[Command], *, reacts: bool) -> None:
        if not reacts:
            return
        read = self._read
        pressed = read is not None and read.pressure is not None and read.pressure > TOO_HIGH
        if read is not None and read.volume >= self._volume:
            out.append(Inject(rate=0.0, agent=self._agent, time=now, given_by=self.kind))
            self.phase = Phase.WITHDRAW
        elif pressed and self._tries < 4:
            out.append(Inject(rate=0.0, agent=self._agent, time=now, given_by=self.kind))
            self._inserted -= 1e-3
            self._tries += 1
            self._read = None
            self._hold(now, out)
        else:
            out.append(Inject(rate=self._rate, agent=self._agent, time=now, given_by=self.kind))

    def _withdraw(self, now: Seconds, out: list[Command]) -> None:
        self._inserted -= 2 * self._values["speed"] * TICK
        self._hold(now, out)
        if self._inserted <= 0:
            out.append(Stimulate(stimulus=None, time=now, given_by=self.kind))
            self.phase = Phase.DONE


def _within(body: Body, axis: int) -> tuple[float, float]:
    low, high = body.extent[:, axis]
    return float(low) + 2e-3, float(high) - 2e-3


def _clear(
    body: Body,
    pressed: Contact,
    entry: np.ndarray,
    goal: np.ndarray,
    *,
    beside: tuple[str, Meters] | None,
) -> Meters:
    """Give how far a straight way stays from all that it must not touch, at most `WIDE`: what a scan before shows.

    Nerves count for one who knows them: `beside` names the one that is gone for, and how far from it the way may end.
    """
    way = entry + (goal - entry) * np.linspace(0.15, 1.0, 60)[:, None]
    at = pressed.back(way)
    clear = WIDE
    for label, structure in enumerate(body.structures, start=1):
        other = beside is not None and structure.tissue is Tissue.NERVE
        if beside is not None and other and structure.name == beside[0]:
            # which is to be neared, and is not as round as it is thought
            clear = min(clear, WIDE / beside[1] * float(body.distance(label, at).min()))
        elif structure.tissue.is_vessel or structure.tissue in IN_THE_WAY or other:
            clear = min(clear, float(body.distance(label, at).min()))
    return clear


def _aim(body: Body, target: str | None, stand_off: Meters) -> tuple[str, np.ndarray, Meters]:
    """Give the name of a target, its middle, and how far from there the tip is to rest: beside a nerve, within all else."""
    others = {
        s.name: label for label, s in enumerate(body.structures, start=1) if s.tissue is not Tissue.NERVE
    }
    if target in others:
        return str(target), _heart(body, others[str(target)]), 0.0
    name, tube = _nerve(body, target)
    at = len(tube.along) // 2
    middle = np.zeros(3)
    middle[tube.axis] = tube.along[at]
    middle[tube.across] = tube.middle[at]
    return name, middle, float(tube.radius[at]) + stand_off


def _heart(body: Body, label: int) -> np.ndarray:
    """Give the place deep in a structure, near the middle of the window, where a layer is thick."""
    low, high = body.extent
    lines = [np.arange(low[0] + 6e-3, high[0] - 6e-3, 1e-3), np.array([(low[1] + high[1]) / 2])]
    lines.append(np.arange(low[2] + 1e-3, high[2], 0.2e-3))
    places = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 3)
    depth = -body.distance(label, places)
    if depth.max() <= 0:
        raise UnknownNameError(
            f"target '{body.structures[label - 1].name}' does not lie in the middle of the window"
        )
    away = np.abs(places[:, 0] - (low[0] + high[0]) / 2) / (high[0] - low[0])
    return np.asarray(places[np.argmax(np.where(depth > 0, depth / depth.max() - away, -np.inf))])


def _nerve(body: Body, target: str | None) -> tuple[str, Tube]:
    """Find the nerve of a name, or the thickest."""
    found: list[tuple[str, Tube]] = []
    for label, structure in enumerate(body.structures, start=1):
        if structure.tissue is Tissue.NERVE and target in (None, structure.name):
            tube = trace(body, label)
            if tube is not None:
                found.append((structure.name, tube))
    if not found:
        names = [s.name for s in body.structures if s.tissue is Tissue.NERVE]
        raise UnknownNameError(f"target must be a nerve of {', '.join(names) or 'none here'}, got {target!r}")
    return max(found, key=lambda one: float(one[1].radius.mean()))
