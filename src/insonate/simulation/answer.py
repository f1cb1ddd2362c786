"""The answer key: what is so at every tick, from the seed, the settings and the commands of an examination.

It lives the examination again and looks at it whole. Imported by those alone who may know
(`tests/architecture/test_homes.py`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import binary_fill_holes

from insonate.core import Command, Grid, Structure, Tissue
from insonate.core.checks import check_count
from insonate.core.truth import Truth
from insonate.core.units import Meters, Seconds
from insonate.simulation.course import NEAR, TICK, Course, Settings, due, ticks_until
from insonate.simulation.facts import facts
from insonate.simulation.medium import Body, Medium
from insonate.simulation.motion.fields import Pool
from insonate.simulation.motion.injection import Place
from insonate.simulation.motion.rhythm import poiseuille
from insonate.simulation.motion.tubes import Sleeve, Wall
from insonate.simulation.patient import body_of
from insonate.simulation.section import Cutter, Section

CLEARED = (
    Tissue.NERVE,
    Tissue.ARTERY,
    Tissue.VEIN,
    Tissue.VESSEL,
    Tissue.FASCIA,
    Tissue.TENDON,
    Tissue.BONE,
    Tissue.PLEURA,
    Tissue.PERITONEUM,
    Tissue.LYMPH_NODE,
)
"""Tissues of structures that a clearance is told to."""

ONWARD: Meters = 1e-3
"""Along a vessel, over which its direction as it lies now is looked for [m]."""

SHAFT_STEP: Meters = 5e-4
"""Between the places of a shaft from which distance is told: at 1 mm from a flat surface too long by 0.03 mm at most [m]."""


def replay(
    seed: int,
    settings: Settings,
    commands: Sequence[Command],
    until: Seconds,
    *,
    body: Body | None = None,
    every: int = 1,
    at: Callable[[Seconds], bool] | None = None,
    cleared: Collection[Tissue] = CLEARED,
) -> Iterator[Truth]:
    """Live an examination again and tell the truth of every tick.

    Parameters
    ----------
    seed : int
        Of the individual.
    settings : Settings
        As the patient had them.
    commands : sequence of Command
        All that were obeyed, with their times.
    until : float
        On the patient's clock [s].
    body : Body, optional
        Instead of the region's; the one that the patient had.
    every : int
        Tell of every so manyth tick only, from the first.
    at : callable, optional
        Tell of those among them only whose time it takes; all by default.
    cleared : collection of Tissue
        Tell the distance of the needle to structures of these.

    Yields
    ------
    Truth
        Of the image plane under the array.
    """
    view = _View(settings, cleared)
    for course, time in _lived(seed, settings, commands, until, body, every):
        if at is None or at(time):
            yield view.truth(course, time)


class Following:
    """An examination that is lived again while it goes on, a step behind it."""

    def __init__(self, seed: int, settings: Settings, *, body: Body | None = None) -> None:
        """Begin where it began.

        Parameters
        ----------
        seed, settings, body
            As of `replay`.
        """
        self._course = Course(seed, body if body is not None else body_of(settings, seed))
        self._view = _View(settings)
        self._waiting: list[Command] = []

    @property
    def time(self) -> Seconds:
        """Of the tick that comes next [s]."""
        return self._course.time

    def advance(self, commands: Sequence[Command], until: Seconds) -> None:
        """Live on, by all commands that were obeyed meanwhile.

        Parameters
        ----------
        commands : sequence of Command
            With the times at which they were obeyed.
        until : float
            On the patient's clock; what lies behind is not lived again [s].

        Raises
        ------
        InputError
            If this body cannot obey one.
        """
        for command in commands:
            self._course.check(command)
        self._waiting = due([*self._waiting, *commands])
        end = ticks_until(until)
        while self._course.tick < end:
            _obey(self._course, self._waiting)
            self._course.advance()

    def truth(self) -> Truth:
        """Tell the truth of the tick that was lived last."""
        return self._view.truth(self._course, self._course.lived)


def media(
    seed: int,
    settings: Settings,
    commands: Sequence[Command],
    until: Seconds,
    *,
    body: Body | None = None,
    every: int = 1,
) -> Iterator[Medium]:
    """Live an examination again and give what a wave meets at every tick, sound or shear, without needle.

    Parameters
    ----------
    seed, settings, commands, until, body, every
        As of `replay`.

    Yields
    ------
    Medium
        Of the image plane under the array, velocity of tissue and blood included, fluid without shear modulus (label 0).
    """
    view = _View(settings)
    for course, time in _lived(seed, settings, commands, until, body, every):
        yield view.medium(course, time)[0]


def _lived(
    seed: int,
    settings: Settings,
    commands: Sequence[Command],
    until: Seconds,
    body: Body | None,
    every: int,
) -> Iterator[tuple[Course, Seconds]]:
    """Give the course after every so manyth tick, and the tick's time."""
    check_count("every", every, (1, 1_000_000), "ticks")
    course = Course(seed, body if body is not None else body_of(settings, seed))
    for command in commands:
        course.check(command)
    waiting, end = due(commands), ticks_until(until)
    while course.tick < end:
        _obey(course, waiting)
        seen = course.advance()
        if seen.tick % every == 0:
            yield course, seen.time


def _obey(course: Course, waiting: list[Command]) -> None:
    """Obey what is due at the tick that comes next."""
    while waiting and ticks_until(waiting[0].time) <= course.tick:
        course.obey(waiting.pop(0))


class _View:
    """Looks at the image plane under the array."""

    def __init__(self, settings: Settings, cleared: Collection[Tissue] = CLEARED) -> None:
        self._cleared = cleared
        tables = facts("insonate.simulation", "patient")
        probe, grid = tables["probe"], tables["map"]
        step = settings.truth_step
        shape = (
            round(probe["n_elements"] * probe["pitch"] / step),
            round(grid["n_axial"] * grid["axial_step"] / step),
        )
        # motion is smoother than a picture: a node for two pixels, and no more than the usual ones
        nodes = (max(2, min(97, shape[0] // 2 + 1)), max(2, min(105, shape[1] // 2 + 1)))
        self._cutter = Cutter(shape, step, step, nodes)
        self._step = step

    def medium(self, course: Course, time: Seconds) -> tuple[Medium, Section]:
        """Give the medium with its velocity, and what it was cut from."""
        section = self._cutter.cut(course, needle=False)
        places, released = self._cutter.nodes(course)
        origin = course.now.origin(places, released=released)
        moved = (places - course.before.place(origin)) / TICK
        to_probe = section.medium.plane.pose.rotation.T
        velocity = self._vectors(moved @ to_probe.T) + self._blood(course, section.medium, time)
        return replace(section.medium, velocity=velocity), section

    def truth(self, course: Course, time: Seconds) -> Truth:
        medium, section = self.medium(course, time)
        plane = medium.plane
        velocity = np.zeros((*plane.shape, 3), np.float32) if medium.velocity is None else medium.velocity
        to_probe = plane.pose.rotation.T
        fluid = self._cutter.spread(section.fluid) > 0
        shaft = course.insertion.shaft
        tip = heading = None
        if shaft is not None:
            tip = plane.pose.inverse().apply(shaft.tip[np.newaxis])[0]
            heading = to_probe @ shaft.heading
        modulus = medium.property("shear_modulus").astype(np.float32)
        modulus[fluid] = 0
        labels = medium.labels
        along = _Along.of(course, self._cleared)
        return Truth(
            time=time,
            grid=Grid(axial=plane.axial, lateral=plane.lateral),
            labels=np.ascontiguousarray(labels.T),
            structures=medium.structures,
            displacement=self._vectors(section.displacement.reshape(-1, 3) @ to_probe.T).transpose(1, 0, 2),
            velocity=velocity.transpose(1, 0, 2),
            shear_modulus=np.ascontiguousarray(modulus.T),
            injectate=np.ascontiguousarray(fluid.T),
            injected=course.syringe.volume,
            given={place.value: volume for place, volume in course.given.items()},
            needle_tip=tip,
            needle_direction=heading,
            clearances=_clearances(course, along),
            shaft_clearances=_shaft_clearances(course, along),
            cross_sections=self._sections(course, labels, fluid),
        )

    def _vectors(self, values: np.ndarray) -> np.ndarray:
        """Interpolate (nodes, 3) to (n_lateral, n_axial, 3)."""
        n, m = self._cutter.node_shape
        return np.stack([self._cutter.spread(values[:, i].reshape(n, m)) for i in range(3)], axis=-1)

    def _blood(self, course: Course, medium: Medium, time: Seconds) -> np.ndarray:
        """Give the speed of blood beyond that of its vessel, probe axes [m/s]."""
        plane = medium.plane
        out = np.zeros((*plane.shape, 3), np.float32)
        for label, tube in course.tubes.items():
            tissue = course.body.structures[label - 1].tissue
            here = medium.labels == label
            if not tissue.is_vessel or not here.any():
                continue
            speed = (
                course.rhythm.arterial_speed(time)
                if tissue is Tissue.ARTERY
                else course.rhythm.venous_speed(time)
            )
            columns, rows = np.nonzero(here)
            places = plane.pose.apply(
                np.stack([plane.lateral[columns], np.zeros(len(columns)), plane.axial[rows]], axis=1)
            )
            rest = course.now.origin(places)
            share = Wall(tube=tube, area=1.0).share_of_radius(rest)
            sign = -1.0 if tissue is Tissue.ARTERY else 1.0  # away from the heart, + is toward the head
            # Along the vessel as it lies now: pressed tissue bends it, and blood goes with it.
            sides = (rest - 0.5 * ONWARD * (way := tube.heading(rest)), rest + 0.5 * ONWARD * way)
            before, after = np.split(course.now.place(np.concatenate(sides)), 2)
            along = (after - before) / ONWARD
            out[columns, rows] = (
                poiseuille(share, sign * speed)[:, None] * (along @ plane.pose.rotation)
            ).astype(np.float32)
        return out

    def _sections(self, course: Course, labels: np.ndarray, fluid: np.ndarray) -> dict[str, float]:
        """Give the area of each nerve in the plane, with the fluid that lies within it."""
        swollen = {id(d.tube) for d in course.deposits.given if d.place is Place.NERVE}
        out: dict[str, float] = {}
        for label, structure in enumerate(course.body.structures, start=1):
            here = labels == label
            if structure.tissue is Tissue.NERVE and here.any():
                if id(course.tubes.get(label)) in swollen:
                    here = here | (fluid & binary_fill_holes(here))
                out[_key(structure)] = float(here.sum()) * self._step**2
        return out


def _key(structure: Structure) -> str:
    return structure.name if structure.instance == 1 else f"{structure.name} {structure.instance}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Along:
    """A needle under the skin, and how far its places lie from each structure at rest."""

    places: np.ndarray
    """(n, 3) from the skin to the tip, which is the last [m]."""
    origins: np.ndarray
    """(n, 3) where the tissue there was at rest [m]."""
    fluids: Sequence[Pool | Sleeve | None]
    """(n,) in which fluid they lie."""
    away: Mapping[int, np.ndarray]
    """(n,) distance at rest of each place to each structure that is told of, by label [m]."""

    @classmethod
    def of(cls, course: Course, tissues: Collection[Tissue]) -> "_Along | None":
        """Look along the needle of a course; None without one under the skin."""
        shaft = course.insertion.shaft
        if shaft is None:
            return None
        count = max(2, int(np.ceil(shaft.inserted / SHAFT_STEP)) + 1)
        places = shaft.at(np.linspace(0, shaft.inserted, count))
        origins = course.now.origin(places)
        return cls(
            places=places,
            origins=origins,
            fluids=course.now.fluids_at(places),
            away={
                label: course.body.distance(label, origins)
                for label, structure in enumerate(course.body.structures, start=1)
                if structure.tissue in tissues
            },
        )

    def reach(self, course: Course, at: Mapping[int, int]) -> dict[int, Meters]:
        """Give the distance now from a place, by its number, to each structure; far away that at rest stands for it."""
        out = {label: float(self.away[label][number]) for label, number in at.items()}
        near = [label for label, resting in out.items() if abs(resting) <= NEAR]
        if near:
            some = [at[label] for label in near]
            reached = course.reach(near, self.places[some], self.origins[some])
            out |= dict(zip(near, reached.tolist(), strict=True))
        return out


def _clearances(course: Course, along: _Along | None) -> dict[str, Meters]:
    """Give the distance of the tip to each structure as all lies now."""
    if along is None or course.around.origin is None:
        return {}
    out: dict[str, Meters] = {}
    for label, now in along.reach(course, dict.fromkeys(along.away, -1)).items():
        distance = _in_fluid(course, label, along.fluids[-1], now)
        key = _key(course.body.structures[label - 1])
        out[key] = min(out.get(key, np.inf), distance)
    return out


def _shaft_clearances(course: Course, along: _Along | None) -> dict[str, Meters]:
    """Give the distance of the nearest place of the needle under the skin to each structure as all lies now.

    Negative only where the tip has passed into it: the side of a shaft cuts nothing.
    """
    if along is None:
        return {}
    away = dict(along.away)
    for label, resting in along.away.items():
        if course.body.structures[label - 1].tissue is Tissue.NERVE:
            outside = [fluid is not None and not _inside(fluid, label) for fluid in along.fluids]
            away[label] = np.where(outside, np.abs(resting), resting)
    nearest = {label: int(np.argmin(one)) for label, one in away.items()}
    out: dict[str, Meters] = {}
    for label, now in along.reach(course, nearest).items():
        structure = course.body.structures[label - 1]
        distance = _in_fluid(course, label, along.fluids[nearest[label]], now)
        entered = label in course.insertion.passed or away[label][-1] < 0  # the last place is the tip
        if label in course.insertion.membranes and not entered:
            distance = max(distance, 0.0)  # fluid or the probe brought it to the shaft
        key = _key(structure)
        out[key] = min(out.get(key, np.inf), distance)
    return out


def _in_fluid(course: Course, label: int, fluid: Pool | Sleeve | None, distance: Meters) -> Meters:
    """Give a distance its sign in fluid: the tissue of such a place is what the fluid parted, the surface of the nerve."""
    if fluid is None or course.body.structures[label - 1].tissue is not Tissue.NERVE:
        return distance
    return -abs(distance) if _inside(fluid, label) else abs(distance)


def _inside(fluid: Pool | Sleeve, label: int) -> bool:
    return isinstance(fluid, Sleeve) and fluid.in_nerve and fluid.tube.label == label
