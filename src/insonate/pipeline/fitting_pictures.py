"""Simulated pictures with the tissue of every pixel, for fitting and for tests, never for advice.

An individual is drawn from a seed and compiled once; from it come many pictures, each with its own place and turn of the
probe, force, heart beat, needle, fluid and setting of the machine. What is seen goes the way of the live patient (map,
echoes, delay and sum, compounding, compression, speckle reduction); what is true is cut from the same plane and tick.

More than half are as the live page reads its own. Otherwise settings of the machine are drawn once a picture, as those of
real machines differ from one preset to the next:

    grey = ((B + gain + slope (z - z0)) / range)^gamma,    held to 0..1

with B the echo in dB below the brightest, z the depth. The ranges stand in `fitting_pictures.toml`.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from insonate.core.anatomy import Tissue
from insonate.core.checks import check_count
from insonate.core.command import AdvanceNeedle, Inject, MoveProbe
from insonate.core.coordinates import CoordinateFrame, Pose
from insonate.core.errors import InputError, RangeError
from insonate.core.grid import Grid
from insonate.core.units import Meters
from insonate.imaging.b_mode import Compounding, speckle_reduction
from insonate.pipeline.appearance import CONTROLS
from insonate.pipeline.catalog import BEAMFORMERS
from insonate.pipeline.chain import grid_of
from insonate.pipeline.fitting_limbs import NAME as LIMB
from insonate.pipeline.fitting_limbs import limb
from insonate.simulation.anatomy import CompiledBody, region
from insonate.simulation.anatomy.compiler import compile_volumes
from insonate.simulation.course import Course, Settings
from insonate.simulation.facts import facts
from insonate.simulation.medium import Body, Medium
from insonate.simulation.patient import cutter, machine
from insonate.simulation.section import Section, heard

TISSUES: tuple[Tissue, ...] = tuple(Tissue)
"""What the numbers 1, 2, … of a map of tissues are; 0 is none."""

ROWS = 380
"""At most, of a picture."""

PATHOLOGY_SHARE = 0.25
"""Chance of each of a region's pathologies in an individual."""

AIMED_AT = frozenset({Tissue.NERVE, Tissue.ARTERY, Tissue.VEIN, Tissue.BURSA, Tissue.TENDON})
"""Beside which needles end, and fluid is given."""

SHALLOWEST: Meters = 4e-3
"""A needle ends so deep at least."""

MOST_TRIES = 50
"""Places of the probe that are drawn until one lies within the window; then it stays where it was."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labeled:
    """One simulated picture and what is so in it."""

    picture: np.ndarray
    """(n_axial, n_lateral) uint8, as a machine shows it."""
    tissues: np.ndarray
    """(n_axial, n_lateral) uint8; 0 is none, k is `TISSUES[k - 1]`."""
    step: Meters
    """Of a pixel, both ways [m]."""
    needle: bool
    """Whether a needle is under the skin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Preset:
    """How the machine is set for one picture."""

    depth: float
    angles: np.ndarray
    incoherent: float
    f_number: float
    passes: int
    range: float
    gain: float
    slope: float
    gamma: float


class _Drawer:
    """Draws numbers within the ranges of the table; a body of no particular place has some of its own."""

    def __init__(self, rng: np.random.Generator, region_name: str = "") -> None:
        self.rng = rng
        table = facts("insonate.pipeline", "fitting_pictures")
        own: Mapping[str, Any] = table.get(region_name, {})
        self.table = {
            block: {name: own.get(f"{block}_{name}", value) for name, value in entries.items()}
            for block, entries in table.items()
        }

    def uniform(self, block: str, name: str) -> float:
        low, high = self.table[block][name]
        return float(self.rng.uniform(low, high))

    def whole(self, block: str, name: str) -> int:
        low, high = self.table[block][name]
        return int(self.rng.integers(int(low), int(high) + 1))

    def chance(self, block: str, name: str) -> bool:
        return bool(self.rng.random() < self.table[block][name])

    def preset(self) -> _Preset:
        if self.chance("machine", "usual"):
            return self._usual()
        count = 2 * self.whole("machine", "angle_pairs") + 1
        widest = self.uniform("machine", "widest_angle")
        return _Preset(
            depth=self.uniform("machine", "depth"),
            angles=np.linspace(-widest, widest, count),
            incoherent=self.uniform("machine", "incoherent"),
            f_number=self.uniform("machine", "f_number"),
            passes=self.whole("machine", "smoothing_passes"),
            range=self.uniform("machine", "dynamic_range"),
            gain=self.uniform("machine", "gain"),
            slope=self.uniform("machine", "gain_slope"),
            gamma=float(np.exp(self.uniform("machine", "log_gamma"))),
        )

    def _usual(self) -> _Preset:
        """Give the live page's own, at a depth that it can be set to."""
        shown = CONTROLS["depth"][2]
        return _Preset(
            depth=shown if self.rng.random() < 0.5 else self.uniform("machine", "depth"),
            angles=np.array(Settings().angles),
            incoherent=0.5,
            f_number=1.5,
            passes=5,
            range=CONTROLS["dynamic_range"][2],
            gain=0.0,
            slope=0.0,
            gamma=1.0,
        )


def labeled_pictures(body: Body, seed: int, count: int, region_name: str = "") -> Iterator[Labeled]:
    """Take pictures of an individual, each with its own view, moment and preset.

    Parameters
    ----------
    body : Body
        Compiled.
    seed : int
        Decides views, moments and presets.
    count : int
        How many.
    region_name : str
        Whose own ranges hold, where the table has any.

    Yields
    ------
    Labeled
        All on square pixels.

    Raises
    ------
    RangeError
        If `count` is not 1 to 100,000.
    """
    check_count("count", count, (1, 100_000), "pictures")
    drawer = _Drawer(np.random.default_rng((seed, 0xF17)), region_name)
    course = Course(seed, body)
    scanner = _Scanner(seed)
    while count > 0:
        _move(course, drawer)
        some = 1
        if drawer.chance("needle", "share"):
            some = min(count, drawer.whole("needle", "pictures"))
            _enter(course, drawer, _aimed(scanner.medium(course), drawer))
        for number in range(some):
            if number:
                _go_on(course, drawer)
            yield scanner.picture(course, drawer.preset())
        count -= some
        if course.insertion.shaft is not None:  # a new examination: the fluid of this one is gone
            course = Course(seed, body)


def _move(course: Course, drawer: _Drawer) -> None:
    """Put the probe somewhere on the window where it may lie, and live on for a moment."""
    for _ in range(MOST_TRIES):
        command = MoveProbe(
            pose=_somewhere(course, drawer),
            contact_force=float(np.exp(drawer.uniform("probe", "log_force"))),
            time=course.time,
            given_by="fitting",
        )
        try:
            course.check(command)
        except RangeError:
            continue
        course.obey(command)
        break
    for _ in range(drawer.whole("probe", "ticks")):
        course.advance()


def _somewhere(course: Course, drawer: _Drawer) -> Pose:
    """Draw a pose over the window, so that most of the picture lies within."""
    low, high = course.body.extent
    yaw = drawer.uniform("probe", "turn")
    if drawer.chance("probe", "along_share"):
        yaw += np.pi / 2
    if drawer.rng.random() < 0.5:
        yaw += np.pi
    half, most = drawer.table["probe"]["half_width"], drawer.table["probe"]["offset"]
    at = np.zeros(3)
    for axis, share in enumerate((abs(np.cos(yaw)), abs(np.sin(yaw)))):
        free = min(max((high[axis] - low[axis]) / 2 - share * half, 0.0), most)
        at[axis] = (low[axis] + high[axis]) / 2 + drawer.rng.uniform(-1, 1) * free
    rotation = (
        _turned(np.array([0.0, 0.0, 1.0]), yaw)
        @ _turned(np.array([0.0, 1.0, 0.0]), drawer.uniform("probe", "rock"))
        @ _turned(np.array([1.0, 0.0, 0.0]), drawer.uniform("probe", "tilt"))
    )
    return Pose(
        rotation=rotation,
        translation=at,
        source=CoordinateFrame.PROBE,
        target=CoordinateFrame.PATIENT,
        time=course.time,
    )


def _turned(axis: np.ndarray, angle: float) -> np.ndarray:
    """Give the rotation about an axis, (3, 3)."""
    across = np.cross(np.eye(3), axis)
    return np.asarray(
        np.cos(angle) * np.eye(3) - np.sin(angle) * across + (1 - np.cos(angle)) * np.outer(axis, axis)
    )


def _enter(course: Course, drawer: _Drawer, aim: tuple[Meters, Meters] | None) -> None:
    """Hold a needle in the image plane, or a little beside it, from one end of the probe; toward a place within reach."""
    pose = course.now.contact.pose
    side = 1.0 if drawer.rng.random() < 0.5 else -1.0
    angle, inserted = drawer.uniform("needle", "angle"), drawer.uniform("needle", "inserted")
    start = np.array(
        [
            side * drawer.uniform("needle", "from_middle"),
            drawer.rng.normal(0, drawer.table["needle"]["beside"]),
            0.0,
        ]
    )
    if aim is not None:
        steep = float(np.arctan2(aim[0], side * (start[0] - aim[1])))
        low, high = drawer.table["needle"]["angle"]
        if low <= steep <= high:
            angle, inserted = steep, float(aim[0] / np.sin(steep))
    heading = np.array([-side * np.cos(angle), 0.0, np.sin(angle)])
    entry, direction = pose.apply(start[None])[0], pose.rotation @ heading
    entry = entry - direction * entry[2] / max(direction[2], 0.1)
    command = AdvanceNeedle(
        entry=entry,
        direction=direction,
        inserted=inserted,
        rotation=0.0,
        time=course.time,
        given_by="fitting",
    )
    course.check(command)
    course.obey(command)
    course.advance()


def _aimed(medium: Medium, drawer: _Drawer) -> tuple[Meters, Meters] | None:
    """Draw a place beside what procedures go to or must not meet, down and to the right; None where the plane has none."""
    numbers = [k for k, one in enumerate(medium.structures, start=1) if one.tissue in AIMED_AT]
    places = np.argwhere(np.isin(medium.labels, numbers))
    if len(places) == 0 or not drawer.chance("needle", "aimed"):
        return None
    # a structure first, then a pixel of it, or large ones would be all that is aimed at
    label = drawer.rng.choice(np.unique(medium.labels[tuple(places.T)]))
    places = np.argwhere(medium.labels == label)
    column, row = places[drawer.rng.integers(len(places))]
    off = drawer.rng.uniform(-1, 1, 2) * drawer.table["needle"]["beyond"]
    return max(float(medium.plane.axial[row] + off[0]), SHALLOWEST), float(
        medium.plane.lateral[column] + off[1]
    )


def _go_on(course: Course, drawer: _Drawer) -> None:
    """Inject for a while."""
    rate = drawer.uniform("needle", "rate")
    course.obey(Inject(rate=rate, agent="ropivacaine 0.5 %", time=course.time, given_by="fitting"))
    for _ in range(drawer.whole("needle", "ticks")):
        course.advance()


class _Scanner:
    """The machine over the patient, with its noise."""

    def __init__(self, seed: int) -> None:
        self._engine, self._cutter = machine(), cutter()
        self._rng = np.random.default_rng((seed, 0x5CA))
        self._noise = self._quiet()

    def _quiet(self) -> float:
        shape = self._engine.shape
        fascia = np.zeros(shape, np.float32)
        fascia[:, shape[1] // 2] = 2.0
        loudest = float(np.abs(self._engine.echoes(self._engine.spectrum(fascia), 0.0)).max())
        return loudest * float(10 ** (facts("insonate.simulation", "patient")["wave"]["noise"] / 20))

    def medium(self, course: Course) -> Medium:
        """Give what the wave meets now."""
        return self._cutter.cut(course).medium

    def picture(self, course: Course, preset: _Preset) -> Labeled:
        section = self._cutter.cut(course)
        grid, strength = self._formed(section, preset)
        loud = float(np.quantile(strength[::4, ::4], 0.999))
        decibels = 20 * np.log10(np.maximum(strength / max(loud, 1e-30), 1e-6))
        decibels = speckle_reduction(decibels, passes=preset.passes)
        below = (grid.axial - grid.axial[0])[:, None]
        shown = 1 + (decibels + preset.gain + preset.slope * (below - preset.depth / 2)) / preset.range
        picture = np.clip(shown, 0, 1) ** preset.gamma
        return Labeled(
            picture=np.asarray(255 * picture + 0.5, np.uint8),
            tissues=self._tissues(section, grid),
            step=float(grid.step[0]),
            needle=course.insertion.shaft is not None,
        )

    def _formed(self, section: Section, preset: _Preset) -> tuple[Grid, np.ndarray]:
        engine = self._engine
        spectrum = engine.spectrum(heard(section.medium, engine.probe.center_frequency))
        compounding = Compounding(len(preset.angles), incoherent=preset.incoherent)
        beamform = BEAMFORMERS.get("delay_and_sum")
        grid: Grid | None = None
        strength = np.zeros(0)
        for angle in preset.angles:
            echoes = engine.echoes(spectrum, float(angle))
            noise = self._rng.standard_normal((*echoes.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
            data = engine.channel_data(echoes + np.float32(self._noise) * noise, float(angle), 0.0)
            grid = grid or grid_of(data, depth=preset.depth, rows=ROWS)
            strength = compounding.add(beamform(data, grid, f_number=preset.f_number))
        if grid is None:
            raise InputError("a preset needs at least one angle, got none")
        return grid, strength

    def _tissues(self, section: Section, grid: Grid) -> np.ndarray:
        medium = section.medium
        table = np.array([0, *(TISSUES.index(one.tissue) + 1 for one in medium.structures)], np.uint8)
        whole = np.take(table, medium.labels)
        whole[self._cutter.spread(section.fluid) > 0] = TISSUES.index(Tissue.FLUID) + 1
        columns = _nearest(medium.plane.lateral, grid.lateral)
        rows = _nearest(medium.plane.axial, grid.axial)
        return np.ascontiguousarray(whole[np.ix_(columns, rows)].T)


def _nearest(of: np.ndarray, at: Sequence[float] | np.ndarray) -> np.ndarray:
    """Give the index of the evenly spaced value nearest to each."""
    step = of[1] - of[0]
    return np.asarray(np.clip(np.round((np.asarray(at) - of[0]) / step), 0, len(of) - 1), int)


def make(region_name: str, seed: int, count: int, out: Path) -> Path:
    """Compile one individual and leave its pictures as one file.

    Parameters
    ----------
    region_name : str
        Of the body, or "limb" for one of no particular place. Window, variant and pathology are drawn from the seed.
    seed : int
        Of the individual and its pictures.
    count : int
        Pictures.
    out : pathlib.Path
        Folder; what is there already is not made again.

    Returns
    -------
    pathlib.Path
        `REGION-SEED.npz` with `picture:N`, `tissues:N` (uint8), `step` (n,) [m], `needle` (n,) bool, `tissue_names`,
        `window`, `variant` and `pathologies`.
    """
    path = out / f"{region_name}-{seed}.npz"
    if path.exists():
        return path
    of = limb(seed) if region_name == LIMB else region(region_name)
    rng = np.random.default_rng((seed, 0xB0D))
    window = str(rng.choice([one.name for one in of.windows]))
    variant = str(rng.choice(["usual", *(name for name in of.variants if name != "usual")]))
    pathologies = tuple(name for name in sorted(of.pathologies) if rng.random() < PATHOLOGY_SHARE)
    individual = of.individual(seed, variant=variant, pathologies=pathologies)
    # not through the cache: each body is used once, and a thousand of them would fill a disk
    body = CompiledBody(individual, compile_volumes(individual, of.window(window)))
    some = list(labeled_pictures(body, seed, count, region_name))
    arrays: dict[str, np.ndarray] = {
        "step": np.array([one.step for one in some]),
        "needle": np.array([one.needle for one in some]),
        "tissue_names": np.array([one.value for one in TISSUES]),
        "window": np.array(window),
        "variant": np.array(variant),
        "pathologies": np.array(pathologies, dtype=str),
    }
    for number, one in enumerate(some):
        arrays |= {f"picture:{number}": one.picture, f"tissues:{number}": one.tissues}
    out.mkdir(parents=True, exist_ok=True)
    part = out / f"{path.stem}.part.npz"
    np.savez_compressed(part, **arrays)  # type: ignore[arg-type]
    part.replace(path)
    return path


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Make simulated pictures with the tissue of every pixel.")
    parser.add_argument("--region", nargs="+", required=True, help="regions, each gets all seeds")
    parser.add_argument("--first", type=int, required=True, help="first seed")
    parser.add_argument("--individuals", type=int, required=True, help="seeds from there on")
    parser.add_argument("--each", type=int, default=12, help="pictures of an individual")
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")
    given = parser.parse_args(arguments)
    for seed in range(given.first, given.first + given.individuals):
        for name in given.region:
            try:
                sys.stderr.write(f"{make(name, seed, given.each, given.out)}\n")
            except (
                InputError
            ) as error:  # an individual whose sizes do not fit is refused by name; take the next
                sys.stderr.write(f"{name} {seed}: {error}\n")


if __name__ == "__main__":
    main()
