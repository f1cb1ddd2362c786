"""The whole state of a simulated examination, advanced in fixed ticks by commands alone.

Nothing here depends on how often it is looked at: what is drawn at a tick comes from the seed, the tick and the commands.
Whoever advises must not reach it; the patient keeps it to itself, and `simulation.answer` builds its own.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from insonate.core import (
    AdvanceNeedle,
    Command,
    CoordinateFrame,
    Inject,
    InjectionReading,
    InputError,
    MoveBody,
    MoveProbe,
    NeedlePose,
    Pose,
    RangeError,
    SetControl,
    Stimulate,
    StimulationReading,
    Stimulus,
    Tissue,
)
from insonate.core.checks import check_count, check_name, check_range
from insonate.core.units import CubicMeters, Meters, Newtons, Seconds
from insonate.simulation.edge import BEYOND, HIGHEST, middle_of, nearest
from insonate.simulation.facts import facts
from insonate.simulation.instrument.injector import Syringe, opening
from insonate.simulation.instrument.needle import diameters, stiffness
from insonate.simulation.instrument.stimulator import Neighborhood, stimulated
from insonate.simulation.instrument.tracker import Tracker
from insonate.simulation.medium import Body
from insonate.simulation.motion.contact import STEEPEST, Contact, Layers, indentation, layers
from insonate.simulation.motion.deformation import Deformation, Map
from insonate.simulation.motion.fields import Contraction, Drag, Excursion, Slide
from insonate.simulation.motion.glide import Glide
from insonate.simulation.motion.injection import Deposit, Deposits, Place, beside
from insonate.simulation.motion.insertion import AFAR, Insertion, Shaft, drawn_shaft
from insonate.simulation.motion.rhythm import Rhythm, vein_area, vein_flatness
from insonate.simulation.motion.tubes import Sleeve, Tube, Wall, trace
from insonate.simulation.streams import Streams

TICK: Seconds = 0.05
"""The body's clock goes on in steps of this [s]."""

SLACK = 1e-6
"""Share of a tick by which a time may miss it through rounding."""

FIRST_FORCE: Newtons = 2.0
"""Until it is told otherwise the probe lies on the middle of the window, so hard [N]."""

NEAR: Meters = 0.012
"""The distance to what lies further away is that at rest [m]."""

ELSEWHERE: Meters = 0.8e-3
"""A tip that has gone so far lies in another spot, whose opening pressure is its own: withdrawing by 1 mm is to be worth
something; a design assumption [m]."""

OFFSETS = 2e-4 * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
"""Of places at which a distance is asked for with its slope [m]."""

LEAST_RADIUS: Meters = 0.8e-3
"""The walls of smaller vessels do not move: by less than 0.05 mm if they did [m]."""

CONTROLS = {
    "ticks_per_frame": (1.0, 20.0),
    "time_compression": (1.0, 5.0),
    "map_coarse": (0.0, 1.0),
    "needle_gauge": (18.0, 25.0),
    "needle_echogenic": (0.0, 1.0),
    "color_shots": (0.0, 32.0),
    "color_every": (2.0, 20.0),
    "color_rate": (1e3, 2e4),
    "color_steering": (-0.35, 0.35),
    "color_left": (-0.03, 0.03),
    "color_right": (-0.03, 0.03),
    "color_top": (1e-3, 0.04),
    "color_bottom": (1e-3, 0.04),
    "color_moving_tissue": (0.0, 1.0),
}
"""Smallest and largest value of each control of a patient. While time is compressed, whoever advances it lets so many ticks
go by for each of his own, and pictures and ensembles are so many times fewer; the body lives through every tick though.
A coarse map has half the columns: it costs half, blurs what is steep, and changes nothing of the body. Color's are shots in
an ensemble (0 is off), ticks from one to the next, the rate of the shots [Hz], the angle of their plane waves [rad], the
edges of the box in probe axes [m], and whether tissue moves from shot to shot."""

WHOLE = (
    "ticks_per_frame",
    "time_compression",
    "map_coarse",
    "needle_gauge",
    "needle_echogenic",
    "color_shots",
    "color_every",
    "color_moving_tissue",
)
"""Controls that take whole numbers alone."""

KINDS = ("MoveProbe", "MoveBody", "AdvanceNeedle", "Inject", "Stimulate", "SetControl")
"""Kinds of command it obeys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What, beside seed and commands, decides an examination."""

    region: str = "femoral_crease"
    """Name of the region's file."""
    variant: str = "usual"
    """Of the region."""
    pathologies: tuple[str, ...] = ()
    """Of the region."""
    window: str | None = None
    """Of the region; None is its first."""
    angles: tuple[float, ...] = (-0.175, -0.0875, 0.0, 0.0875, 0.175)
    """Steering angles, one new plane wave a tick in turn [rad]."""
    slices: int = 1
    """Planes that stand for the thickness of the slice; one is live, seven cost as many cuts and are near the truth."""
    truth_step: Meters = 2e-4
    """Between the pixels of a truth [m]."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "pathologies", tuple(self.pathologies))
        object.__setattr__(self, "angles", tuple(float(angle) for angle in self.angles))
        if not 1 <= len(self.angles) <= 64:
            raise RangeError(f"Settings.angles must hold 1..64 angles, got {len(self.angles)}")
        for angle in self.angles:
            check_range("Settings.angles", angle, (-0.6, 0.6), "rad", hint="degrees?")
        check_count("Settings.slices", self.slices, (1, 15), "planes")
        if self.slices % 2 == 0:
            raise RangeError(f"Settings.slices must be odd, for one is the image plane, got {self.slices}")
        check_range("Settings.truth_step", self.truth_step, (5e-5, 2e-3), "m", hint="millimeters?")


@dataclass(slots=True)
class _Part:
    """A muscle that is tensed, or lets go."""

    amount: float
    wanted: float


def ticks_until(time: Seconds) -> int:
    """Give how many ticks lie before a time."""
    return max(int(np.ceil(time / TICK - SLACK)), 0)


def due(commands: Iterable[Command]) -> list[Command]:
    """Give commands in the order in which they are obeyed: by time, and as they came where that is equal."""
    return sorted(commands, key=lambda command: command.time)


class Course:
    """One individual under one hand."""

    def __init__(self, seed: int, body: Body) -> None:
        """Find what moves in a body, and draw what the seed decides."""
        if not 0 <= seed < 2**32:
            raise RangeError(f"seed must lie in 0..{2**32 - 1}, got {seed}")
        self.seed, self.body = seed, body
        self.tick = 0
        self.rhythm = Rhythm.drawn(seed)
        self.layers: Layers = layers(body)
        self.tubes = self._traced()
        self.streams = Streams(seed, self.tubes, body.structures, self.rhythm, least_radius=LEAST_RADIUS)
        self.controls = {
            "ticks_per_frame": 1.0,
            "time_compression": 1.0,
            "map_coarse": 0.0,
            "needle_gauge": 22.0,
            "needle_echogenic": 1.0,
            "color_shots": 0.0,
            "color_every": 2.0,
            "color_rate": 4e3,
            "color_steering": 0.175,
            "color_left": -0.01,
            "color_right": 0.01,
            "color_top": 0.008,
            "color_bottom": 0.03,
            "color_moving_tissue": 0.0,
        }
        self.insertion = Insertion(body.structures)
        self.held: AdvanceNeedle | None = None
        self.deposits = Deposits()
        self.syringe = Syringe()
        self.given: dict[Place, CubicMeters] = {}
        self.stimulus: Stimulus | None = None
        self.next_pulse: Seconds = 0.0
        self.pulses = 0
        self.tracker = Tracker(seed)
        self.place = Place.OUTSIDE
        self.visit = self.spot = 0
        self._spotted: tuple[int, np.ndarray] | None = None
        self.parts: dict[str, _Part] = {}
        self.twitching: tuple[str, Seconds] | None = None
        self._clear: dict[int, tuple[np.ndarray, Meters]] = {}
        self._muscles: dict[str, tuple[np.ndarray, float, np.ndarray] | None] = {}
        self._force = FIRST_FORCE
        self.contact = Contact(self.layers, self._first_pose(), self._force)
        self.now = self._deformation(0.0)
        self.before = self.now
        self.around = self._surroundings()

    def _traced(self) -> dict[int, Tube]:
        wanted = (Tissue.ARTERY, Tissue.VEIN, Tissue.NERVE)
        out = {}
        for label, structure in enumerate(self.body.structures, start=1):
            if structure.tissue in wanted:
                tube = trace(self.body, label)
                if tube is not None:
                    out[label] = tube
        return out

    def _first_pose(self) -> Pose:
        middle = self.body.extent.mean(axis=0)
        return Pose(
            rotation=np.eye(3),
            translation=np.array([middle[0], middle[1], 0.0]),
            source=CoordinateFrame.PROBE,
            target=CoordinateFrame.PATIENT,
            time=0,
        )

    @property
    def time(self) -> Seconds:
        """Of the tick that comes next [s]."""
        return self.tick * TICK

    @property
    def lived(self) -> Seconds:
        """Time of the tick lived through last, at which the body lies as `now` says; 0 before the first [s]."""
        return max(self.tick - 1, 0) * TICK

    # --- commands ---

    def check(self, command: Command) -> None:
        """Refuse a command that this body cannot obey, before anything changes.

        Raises
        ------
        InputError
            Of the kind that fits.
        """
        low, high = self.body.extent
        if isinstance(command, MoveProbe):
            axis, at = command.pose.rotation[:, 2], command.pose.translation
            if axis[2] < STEEPEST:
                raise RangeError(
                    "MoveProbe.pose must look into the body, at most 60 degrees off straight down, got "
                    f"{np.degrees(np.arccos(np.clip(axis[2], -1, 1))):.0f}"
                )
            skin = at - axis * at[2] / axis[2]
            middle = skin + middle_of(axis, indentation(command.contact_force, self.layers.bone))
            places = (("meet the skin", skin, "xy"), ("have the middle of its plane", middle, "xyz"))
            for where, place, axes in places:
                for number, name in enumerate(axes):
                    if not low[number] <= place[number] <= high[number]:
                        raise RangeError(
                            f"MoveProbe.pose must {where} within the window, {name} in "
                            f"{1e3 * low[number]:.1f}..{1e3 * high[number]:.1f} mm, got {1e3 * place[number]:.1f}"
                        )
            check_range("MoveProbe.pose depth", float(at[2]), (-HIGHEST, float(high[2])), "m")
        elif isinstance(command, AdvanceNeedle):
            for number, name in enumerate(("x", "y")):
                check_range(
                    f"AdvanceNeedle.entry {name}",
                    float(command.entry[number]),
                    (float(low[number]) - BEYOND, float(high[number]) + BEYOND),
                    "m",
                    hint="outside the window?",
                )
        elif isinstance(command, MoveBody):
            check_name("MoveBody.part", command.part, self.muscles())
        elif isinstance(command, SetControl):
            if command.name in KINDS:
                return
            check_name("SetControl.name", command.name, CONTROLS)
            unit = {"rate": "Hz", "steering": "rad"}.get(command.name.removeprefix("color_"), "m")
            whole = command.name in WHOLE
            check_range(
                f"SetControl {command.name}", command.value, CONTROLS[command.name], "1" if whole else unit
            )
            if whole and command.value != int(command.value):
                raise RangeError(f"SetControl {command.name} must be a whole number, got {command.value:g}")
            if command.name == "needle_gauge":
                diameters(int(command.value))
        elif not isinstance(command, Inject | Stimulate):
            raise InputError(f"a command must be one of {', '.join(KINDS)}, got {type(command).__name__}")

    def nearest(self, command: Command) -> Command:
        """Give the nearest command that stays within the window: the same object where it does.

        Raises
        ------
        InputError
            If this body cannot obey it, wherever it were.
        """
        try:
            self.check(command)
        except RangeError:
            command = nearest(command, self.body.extent, self.layers.bone)
            self.check(command)
        return command

    def muscles(self) -> tuple[str, ...]:
        """Give the names that `MoveBody` knows here: muscles that it tenses, tendons that a joint pulls along."""
        muscles = tuple(dict.fromkeys(s.name for s in self.body.structures if s.tissue is Tissue.MUSCLE))
        return (*muscles, *self._tendons())

    def obey(self, command: Command) -> None:
        """Obey one command at the beginning of a tick; it was checked."""
        if isinstance(command, MoveProbe):
            self._force = command.contact_force
            self.contact = Contact(self.layers, command.pose, command.contact_force)
        elif isinstance(command, MoveBody):
            part = self.parts.setdefault(command.part, _Part(0.0, 0.0))
            part.wanted = float(command.amount)
        elif isinstance(command, AdvanceNeedle):
            self.held = command
        elif isinstance(command, Inject):
            self.syringe.rate, self.syringe.agent = command.rate, command.agent
        elif isinstance(command, Stimulate):
            if self.stimulus is None:
                self.next_pulse = self.time
            self.stimulus = command.stimulus
        elif command.name in CONTROLS:
            self.controls[command.name] = float(command.value)

    # --- the clock ---

    def advance(self) -> "Observed":
        """Live through one tick."""
        time = self.time
        self.before = self.now
        self._tense(time)
        self._insert()
        self.now = self._deformation(time)
        self.around = self._surroundings()
        before = self.syringe.volume
        self._inject()
        if self.syringe.volume != before:
            had = self.given.get(self.place, 0.0)
            self.given[self.place] = max(had + self.syringe.volume - before, 0.0)
        seen = Observed(
            tick=self.tick,
            time=time,
            pose=self._pose(time),
            needle=self._tracked(time),
            stimulation=self._stimulated(time),
            injection=self._read(time),
        )
        self.tick += 1
        return seen

    def _pose(self, time: Seconds) -> Pose:
        at = self.contact.pose
        return Pose(
            rotation=at.rotation, translation=at.translation, source=at.source, target=at.target, time=time
        )

    def _tense(self, time: Seconds) -> None:
        share = 1 - float(
            np.exp(-TICK / facts("insonate.simulation.motion", "motion")["muscle"]["response_time"])
        )
        for name, part in list(self.parts.items()):
            part.amount += (part.wanted - part.amount) * share
            if part.wanted == 0 and abs(part.amount) < 1e-4:
                del self.parts[name]
        if self.twitching is not None and time - self.twitching[1] > 0.5:
            self.twitching = None

    @property
    def gauge(self) -> int:
        """Of the needle."""
        return int(self.controls["needle_gauge"])

    def _insert(self) -> None:
        shaft: Shaft | None = None
        if self.held is not None and self.held.inserted > 0:
            shaft = drawn_shaft(
                self.held.entry,
                self.held.direction,
                self.held.inserted,
                self.held.rotation,
                stiffness(self.gauge),
            )
        without = Deformation(
            contact=self.now.contact, inner=[m for m in self.now.inner if not _is_needle(m)]
        )

        def within(points: np.ndarray, labels: tuple[int, ...]) -> Mapping[int, np.ndarray]:
            at = without.origin(points)
            return {label: self.body.distance(label, at) for label in labels}

        self.insertion.follow(shaft, within, TICK)

    def soon(self, later: Seconds) -> Deformation:
        """Give how the body will lie within the tick that was lived through last, so much later; it changes nothing [s]."""
        return self._deformation(self.lived + later)

    def _deformation(self, time: Seconds) -> Deformation:
        inner: list[Map] = list(self.insertion.maps(self.contact.back))
        inner.append(
            Slide(
                amount=self.rhythm.slide * self.rhythm.breath(time),
                depth=float(facts("insonate.simulation.motion", "motion")["rhythm"]["slide_depth"]),
            )
        )
        inner += self._lungs(time)
        given = [deposit.maps() for deposit in self.deposits.given]
        for pools, _ in reversed(given):
            inner += pools
        inner += self._contractions(time)
        walls = self._walls(time)
        for _, sleeves in reversed(given):
            inner += [replace(one, tube=one.tube.carried(walls)) for one in sleeves]
        inner += walls
        return Deformation(contact=self.contact, inner=tuple(inner))

    def _lungs(self, time: Seconds) -> list[Glide]:
        return [
            Glide(
                distance=partial(self.body.distance, label),
                amount=self.rhythm.glide * (1 + self.rhythm.breath(time)) / 2,
            )
            for label, structure in enumerate(self.body.structures, start=1)
            if structure.tissue is Tissue.PLEURA
        ]

    def _walls(self, time: Seconds) -> list[Wall]:
        out: list[Wall] = []
        area = vein_area(self._force)
        if any(one.tissue is Tissue.PLEURA for one in self.body.structures):  # near the chest
            area *= self.rhythm.venous_filling(time)
        grown = (1 + self.rhythm.distension(time)) ** 2
        for label, tube in self.tubes.items():
            tissue = self.body.structures[label - 1].tissue
            if float(tube.radius.mean()) < LEAST_RADIUS:
                continue
            if tissue is Tissue.ARTERY:
                out.append(Wall(tube=tube, area=grown))
            elif tissue is Tissue.VEIN and area < 1:
                out.append(Wall(tube=tube, area=area, flat=vein_flatness(area)))
        return out

    def _contractions(self, time: Seconds) -> list[Map]:
        values = facts("insonate.simulation.motion", "motion")["muscle"]
        amounts = {name: part.amount for name, part in self.parts.items()}
        if self.twitching is not None:
            name, since = self.twitching
            phase = max(time - since, 0.0) / values["twitch_time"]
            amounts[name] = amounts.get(name, 0.0) + values["twitch"] * phase * float(np.exp(1 - phase))
        out: list[Map] = []
        for name, amount in amounts.items():
            found = self._muscle(name)
            if found is not None and abs(amount) > 1e-6:
                middle, width, fiber = found
                if name in self._tendons():
                    excursion, reach = values["excursion"] * amount, values["excursion_width"]
                    out.append(
                        Excursion(middle=middle, direction=fiber, amount=float(excursion), width=float(reach))
                    )
                    continue
                strain = float(values["shortening"] * amount)
                out.append(Contraction(middle=middle, fiber=fiber, strain=strain, width=width))
        return out

    def _tendons(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(s.name for s in self.body.structures if s.tissue is Tissue.TENDON))

    def _muscle(self, name: str) -> tuple[np.ndarray, float, np.ndarray] | None:
        """Find middle, reach of contraction and fibers of a muscle or tendon; None where it does not show."""
        if name not in self._muscles:
            low, high = self.body.extent
            lines = [np.arange(low[i] + 2e-3, high[i], 4e-3) for i in range(3)]
            points = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 3)
            inside = np.zeros(len(points), bool)
            for label, structure in enumerate(self.body.structures, start=1):
                if structure.name == name and structure.tissue in (Tissue.MUSCLE, Tissue.TENDON):
                    inside |= self.body.distance(label, points) < 0
            self._muscles[name] = (
                (
                    points[inside].mean(axis=0),
                    float(np.clip(2 * points[inside][:, 2].std(), 4e-3, 2e-2)),
                    _along(self.body, points[inside]),
                )
                if inside.any()
                else None
            )
        return self._muscles[name]

    # --- where the tip is ---

    def _surroundings(self) -> "Surroundings":
        """See what the tip lies in and near, in the body as it is now."""
        shaft = self.insertion.shaft
        if shaft is None:
            self._enter(Place.OUTSIDE)
            return Surroundings(origin=None, nerve=None, distance=np.inf)
        tip = shaft.tip
        origin = self.now.origin(tip[np.newaxis])
        place, nearest, distance = Place.PLANE, None, np.inf
        nerves: list[int] = []
        for label, structure in enumerate(self.body.structures, start=1):
            if structure.tissue.is_vessel:
                if self._unclear(label, tip, origin) < 0:
                    place = Place.VESSEL
            elif structure.tissue is Tissue.NERVE:
                away = self._unclear(label, tip, origin)
                if away < NEAR:
                    nerves.append(label)
                elif away < distance:
                    nearest, distance = label, away
        if nerves:
            count = (len(nerves), 1)
            reached = self.reach(nerves, np.tile(tip, count), np.tile(origin[0], count))
            least = int(np.argmin(reached))
            if reached[least] < distance:
                nearest, distance = nerves[least], float(reached[least])
        # In fluid the tissue of a place is what the fluid parted: that of a nerve's surface lies neither in nor out.
        [fluid] = self.now.fluids_at(tip[np.newaxis])
        if fluid is not None:
            in_nerve = isinstance(fluid, Sleeve) and fluid.in_nerve
            place = Place.NERVE if in_nerve else Place.PLANE
            distance = -abs(distance) if in_nerve else abs(distance)
        elif distance < 0:
            place = Place.NERVE
        self._enter(place)
        return Surroundings(origin=origin[0], nerve=nearest, distance=float(distance))

    def _unclear(self, label: int, tip: np.ndarray, origin: np.ndarray) -> Meters:
        """Give the distance at rest from the tip to a structure, or what it is at least while the tip is far from it [m]."""
        there, known = self._clear.get(label, (tip, 0.0))
        left = known - float(np.linalg.norm(tip - there))
        if left > 2 * AFAR:
            return left
        distance = float(self.body.distance(label, origin)[0])
        self._clear[label] = (tip, distance)
        return distance

    def _enter(self, place: Place) -> None:
        if place is not self.place:
            self.place = place
            self.visit += 1

    def reach(self, labels: Sequence[int], places: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Give the distance now from places to structures, one of each, negative inside.

        The nearest place of a surface at rest is found along the gradient and taken to where it is now; all at once, for
        a motion costs little more for many places than for one. What is far is told as at rest.

        Parameters
        ----------
        labels : sequence of int
            (n,) of the structures.
        places : numpy.ndarray
            (n, 3) as they lie now, patient frame [m].
        origins : numpy.ndarray
            (n, 3) where they were at rest [m].

        Returns
        -------
        numpy.ndarray
            (n,) [m].
        """
        out = np.empty(len(labels))
        near, surfaces = [], []
        for number, (label, origin) in enumerate(zip(labels, origins, strict=True)):
            out[number], slope = self._sloped(label, origin)
            if abs(out[number]) > NEAR:
                continue
            surface = origin - out[number] * slope
            left, slope = self._sloped(label, surface)
            near.append(number)
            surfaces.append(surface - left * slope if abs(left) > 2e-5 else surface)
        if near:
            away = np.linalg.norm(self.now.place(np.array(surfaces)) - np.asarray(places)[near], axis=1)
            out[near] = np.copysign(away, out[near])
        return out

    def gradient(self, label: int, place: np.ndarray) -> np.ndarray:
        """Give the unit vector that leads away from a structure at a place at rest, (3,)."""
        return self._sloped(label, place)[1]

    def _sloped(self, label: int, place: np.ndarray) -> tuple[Meters, np.ndarray]:
        """Give the distance at rest from a place to a structure, and the unit vector that leads away from it."""
        values = self.body.distance(label, place + OFFSETS)
        slope = values[1:4] - values[4:]
        length = float(np.linalg.norm(slope))
        away = slope / length if length > 1e-12 else np.array([0.0, 0.0, 1.0])
        return float(values[0]), np.asarray(away)

    # --- fluid ---

    def _inject(self) -> None:
        self.deposits.rest(TICK)
        distance = self.around.distance
        wanted = opening(self.seed, self.place, distance, self._spot())
        self.syringe.press(wanted, self.gauge, TICK)
        volume = self.syringe.rate * TICK
        if volume > 0:
            volume = min(volume, 1e-4 - self.syringe.volume)
            self.syringe.volume += volume
        if volume == 0 or self.place in (Place.OUTSIDE, Place.VESSEL):
            return
        site = self._site()
        if volume > 0:
            if not self.deposits.continues(self.place, site):
                self.deposits.begin(self._deposit(site))
            self.deposits.add(volume)
        elif self.deposits.given and self.deposits.continues(self.place, site):
            before = self.deposits.given[-1].volume
            self.deposits.add(volume)
            self.syringe.volume = max(self.syringe.volume - (before - self.deposits.given[-1].volume), 0.0)

    def _spot(self) -> int:
        """Give the number of the spot in which the tip lies: another one where it has gone on, or into something else."""
        shaft = self.insertion.shaft
        if shaft is not None:
            spotted = self._spotted
            if (
                spotted is None
                or spotted[0] != self.visit
                or np.linalg.norm(shaft.tip - spotted[1]) > ELSEWHERE
            ):
                self._spotted = (self.visit, np.array(shaft.tip))
                self.spot += 1
        return self.spot

    def _site(self) -> np.ndarray:
        """Give where the tip was before any fluid was there and any force moved it."""
        shaft = self.insertion.shaft
        if shaft is None:
            raise InputError("there is no tip without a needle")
        at = self.now.contact.back(shaft.tip[np.newaxis])
        for one in self.now.inner:
            if _is_needle(one) or isinstance(one, Slide):
                at = one.back(at)
        return np.asarray(at[0])

    def _deposit(self, site: np.ndarray) -> Deposit:
        nerve, origin = self.around.nerve, self.around.origin
        tube = self.tubes.get(nerve) if nerve is not None else None
        near = self.around.distance
        normal = np.array([0.0, 0.0, 1.0])
        sheets = [
            n
            for n, s in enumerate(self.body.structures, start=1)
            if s.tissue in (Tissue.FASCIA, Tissue.NERVE)
        ]
        if origin is not None and sheets:
            away = [abs(float(self.body.distance(n, origin[np.newaxis])[0])) for n in sheets]
            closest = int(np.argmin(away))
            if away[closest] < 5e-3:
                normal = self.gradient(sheets[closest], origin)
        share = 1.0 if self.place is Place.NERVE else self.deposits.share_of_sheath(near)
        values = facts("insonate.simulation.motion", "motion")["injection"]
        channel = None
        if tube is not None and near < values["channel_reach"]:
            channel = beside(tube, site, normal, float(values["pool_flatness"]))
        return Deposit(
            place=self.place,
            site=site,
            normal=normal,
            tube=tube if share > 0 else None,
            channel=channel,
            station=float(origin[tube.axis]) if tube is not None and origin is not None else 0.0,
            share=share if tube is not None else 0.0,
            volume=0.0,
        )

    # --- instruments ---

    def _tracked(self, time: Seconds) -> list[NeedlePose]:
        if self.held is not None:
            shaft = self.insertion.shaft
            tip = self.held.entry if shaft is None else shaft.tip
            heading = self.held.direction if shaft is None else shaft.heading
            self.tracker.watch(self.tick, time, tip, heading)
        return self.tracker.arrived(time)

    def _neighborhood(self) -> Neighborhood:
        nerve = self.around.nerve
        tube = self.tubes.get(nerve) if nerve is not None else None
        conducting = not any(
            word.lower() in self.syringe.agent.lower()
            for word in facts("insonate.simulation.instrument", "instruments")["stimulator"]["nonconducting"]
        )
        return Neighborhood(
            nerve=None if nerve is None else self.body.structures[nerve - 1].name,
            distance=self.around.distance,
            in_vessel=self.place is Place.VESSEL,
            visit=self.visit,
            washed=self.deposits.near(tube) if tube is not None and conducting else 0.0,
        )

    def _stimulated(self, time: Seconds) -> StimulationReading | None:
        if self.stimulus is None or self.insertion.shaft is None or time + SLACK * TICK < self.next_pulse:
            return None
        self.next_pulse = max(self.next_pulse + 1 / self.stimulus.rate, time + TICK * (1 - SLACK))
        self.pulses += 1
        reading = stimulated(self.seed, self._neighborhood(), self.stimulus, time, self.pulses)
        if reading.grade:
            self._twitch(reading.muscle, time)
        return reading

    def _twitch(self, muscle: str | None, time: Seconds) -> None:
        names = self.muscles()
        known = [name for name in names if muscle is not None and muscle.split()[0] in name]
        if known or names:
            self.twitching = ((known or list(names))[0], time)

    def _read(self, time: Seconds) -> InjectionReading | None:
        if not self.syringe.agent:
            return None  # nobody ever took it
        wet = self.syringe.back > 0 and self.place in (Place.PLANE, Place.NERVE) and bool(self.deposits.given)
        fluid = (
            wet and self.deposits.given[-1].volume > 0 and self.deposits.continues(self.place, self._site())
        )
        return self.syringe.reading(self.seed, self.tick, time, self.syringe.shows(self.place, fluid=fluid))

    # --- for those who compare ---

    def digest(self) -> str:
        """Give a hash of everything that decides what comes next."""
        known = hashlib.sha256()

        def tell(*values: object) -> None:
            for value in values:
                plain = value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
                known.update(plain)

        tell(self.tick, self.seed, self._force, self.contact.pose.rotation, self.contact.pose.translation)
        tell(
            sorted(self.controls.items()), self.place, self.visit, self.pulses, self.next_pulse, self.stimulus
        )
        tell(self.spot, *(() if self._spotted is None else self._spotted))
        tell(sorted((name, part.amount, part.wanted) for name, part in self.parts.items()), self.twitching)
        tell(
            self.syringe, self.insertion.tent, self.insertion.recoil, self.insertion.drag, self.insertion.pops
        )
        if self.insertion.shaft is not None:
            tell(self.insertion.shaft.tip, self.insertion.shaft.heading)
        for deposit in self.deposits.given:
            tell(deposit.place, deposit.site, deposit.normal, deposit.station, deposit.share, deposit.volume)
            tell(deposit.age)
        tell(self.tracker.state())
        return known.hexdigest()


def _along(body: Body, points: np.ndarray) -> np.ndarray:
    """Give the main direction of fibers over places, (3,); along the limb where the body does not tell."""
    limb = np.array([0.0, 1.0, 0.0])
    told = getattr(body, "fibers", None)
    fibers = told(points) if told is not None else np.zeros((0, 3))
    if not fibers.any():
        return limb
    main = np.linalg.eigh(fibers.T @ fibers)[1][:, -1]
    return np.asarray(main * np.sign(main[np.argmax(np.abs(main))]))


def _is_needle(one: object) -> bool:
    return isinstance(one, Drag) and not isinstance(one, Excursion)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """What the tip lies near to, in the body as it is now."""

    origin: np.ndarray | None
    """(3,) the tip's place in the body at rest; None without a needle [m]."""
    nerve: int | None
    """Label of the nearest nerve; None without any."""
    distance: Meters
    """To it, negative inside; infinite without any [m]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observed:
    """What instruments said at one tick."""

    tick: int
    """Its number, from 0."""
    time: Seconds
    """[s]."""
    pose: Pose
    """Where the probe is."""
    needle: list[NeedlePose]
    """What arrived from the tracker, each with its own time."""
    stimulation: StimulationReading | None
    """If a stimulus was given."""
    injection: InjectionReading | None
    """Once a syringe was pressed."""
