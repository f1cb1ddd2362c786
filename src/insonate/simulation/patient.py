"""The simulated patient: commands in, observations out, on one clock.

State goes on in fixed ticks and by commands alone, so that frames dropped and waits cut otherwise change neither what
comes next nor a byte of it. A command is obeyed at the first tick that is not before its time; one that comes late, at the
next tick, as if it were given then: whoever records commands for a replay gives a late one the time `now`. Nothing of it
tells what is so; that is for `simulation.answer`, from the same seed, settings and commands.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from insonate.core import ChannelData, Command, Observation, Probe
from insonate.core.units import Meters, Seconds
from insonate.simulation import ensemble
from insonate.simulation.acoustics import FourierEngine
from insonate.simulation.acoustics.point_echoes import point_echoes
from insonate.simulation.course import CONTROLS, KINDS, TICK, Course, Settings, due, ticks_until
from insonate.simulation.facts import facts
from insonate.simulation.medium import Body
from insonate.simulation.points import SAMPLE, drop
from insonate.simulation.section import Cutter, Section, heard, hearing
from insonate.simulation.streams import Stream, plane_thickness
from insonate.simulation.thickness import Thickness

HISS = 2**20
"""Samples of the machine's noise that are kept, 8 MB: to draw as many anew for each frame costs four times more."""

COARSER = 2
"""A coarse map has so many times fewer columns: one for each element."""

MOST_WAITING = 10_000
"""Commands that may wait for their time."""


def body_of(settings: Settings, seed: int) -> Body:
    """Compile the individual of a seed, or take it from the cache.

    Parameters
    ----------
    settings : Settings
        Name the region, its variant, pathologies and window.
    seed : int
        Of the individual.

    Returns
    -------
    Body
        Of the window.
    """
    from insonate.simulation.anatomy import compiled

    return compiled(
        settings.region,
        seed,
        variant=settings.variant,
        pathologies=settings.pathologies,
        window=settings.window,
    )


def machine(*, coarser: int = 1) -> FourierEngine:
    """Plan the machine over the patient: a linear array, one plane wave a tick, its map so many times coarser across."""
    tables = facts("insonate.simulation", "patient")
    probe, grid = tables["probe"], tables["map"]
    return FourierEngine(
        probe=Probe.linear(
            name=f"simulated L{probe['n_elements']}, {probe['center_frequency'] / 1e6:g} MHz",
            n_elements=probe["n_elements"],
            pitch=probe["pitch"],
            element_width=probe["element_width"],
            center_frequency=probe["center_frequency"],
            fractional_bandwidth=probe["fractional_bandwidth"],
            element_height=probe["element_height"],
            elevation_focus=probe["elevation_focus"],
        ),
        lateral_step=coarser * grid["lateral_step"],
        axial_step=grid["axial_step"],
        shape=(grid["n_lateral"] // coarser, grid["n_axial"]),
        sound_speed=tables["wave"]["sound_speed"],
        duration=grid["duration"],
        edge=tables["wave"]["filter_edge"],
    )


def cutter(beside: Meters = 0.0, *, coarser: int = 1) -> Cutter:
    """Plan the cuts that the machine's map asks for, in the image plane or so far beside it [m], so many times coarser."""
    grid = facts("insonate.simulation", "patient")["map"]
    nodes = grid["motion_nodes"]
    shape, step = (grid["n_lateral"] // coarser, grid["n_axial"]), coarser * grid["lateral_step"]
    return Cutter(
        shape,
        step,
        grid["axial_step"],
        (nodes[0], nodes[1]),
        beside=beside,
        columns=hearing(shape, step, grid["axial_step"]),
    )


class SimulatedPatient:
    """An individual of a region, under a probe, a needle, a syringe and a stimulator."""

    name = "simulated patient"
    accepts: frozenset[str] = frozenset((*KINDS, *CONTROLS))
    """Kinds of command, and names of controls; a control by the name of a kind does nothing."""
    simulated = True
    regional = True
    """Whether it shows a region of the body, as the network for simulated tissues has learned them."""
    tick: Seconds = TICK
    """From frame to frame [s]."""

    def __init__(self, seed: int = 7, settings: Settings | None = None, *, body: Body | None = None) -> None:
        """Compile the individual and plan the machine.

        Parameters
        ----------
        seed : int
            Decides the individual and all that is drawn.
        settings : Settings, optional
            The region, and how it is seen.
        body : Body, optional
            Instead of the region's.
        """
        settings = settings or Settings()
        self._angles = settings.angles
        self._course = Course(seed, body if body is not None else body_of(settings, seed))
        self._engine = machine()
        self._cutter = cutter()
        self._coarse: tuple[FourierEngine, Cutter] | None = None
        self._thickness = Thickness(self._engine, cutter, settings.slices) if settings.slices > 1 else None
        self._seed = seed
        self._waiting: list[Command] = []
        self._noise = self._quiet()
        long = np.random.default_rng((seed, 0x9015E)).standard_normal((HISS, 2), dtype=np.float32)
        self._hissing = long.view(np.complex64)[:, 0]
        self._ensembles = ensemble.Ensembles(self._engine, self._cutter, float(self._noise), seed)

    @property
    def now(self) -> Seconds:
        """Time of the tick that comes next [s]."""
        return self._course.time

    def nearest(self, command: Command) -> Command:
        """Give the nearest command that stays within the window.

        Parameters
        ----------
        command : Command
            Any.

        Returns
        -------
        Command
            The same object where it lies within.

        Raises
        ------
        InputError
            If this body cannot obey it, wherever it were.
        """
        return self._course.nearest(command)

    def advance(self, commands: Sequence[Command], until: Seconds) -> Iterator[Observation]:
        """Obey commands and go on.

        Parameters
        ----------
        commands : sequence of Command
            Each is obeyed at the first tick not before its time.
        until : float
            On the patient's clock, which starts at 0 [s].

        Returns
        -------
        iterator of Observation
            In the order they were made; time goes on as they are asked for.

        Raises
        ------
        InputError
            If a command cannot be obeyed by this body; nothing has changed then.
        """
        for command in commands:
            self._course.check(command)
        self._waiting = due([*self._waiting, *commands])[-MOST_WAITING:]
        return self._going(ticks_until(until))

    def _going(self, end: int) -> Iterator[Observation]:
        course = self._course
        while course.tick < end:
            while self._waiting and ticks_until(self._waiting[0].time) <= course.tick:
                course.obey(self._waiting.pop(0))
            seen = course.advance()
            frames = self._frames(seen.tick, seen.time)
            yield seen.pose
            yield from frames
            yield from seen.needle
            if seen.stimulation is not None:
                yield seen.stimulation
            if seen.injection is not None:
                yield seen.injection

    def _frames(self, tick: int, time: Seconds) -> list[ChannelData]:
        """Give the picture of a tick, and the ensemble, where they are due."""
        course = self._course
        every = int(course.controls["ticks_per_frame"] * course.controls["time_compression"])
        pictured = tick % every == 0
        colored = ensemble.due(course, tick)
        if not pictured and not colored:
            return []
        if not colored:
            engine, cut = self._machine()
            section = cut.cut(course)
            spectrum = self._spectrum(engine, section, cut.streams(course, section))
            return [self._picture(engine, spectrum, (), tick, time)]
        section = self._cutter.cut(course)
        streams = self._cutter.streams(course, section, moving=True)
        frequency = self._engine.probe.center_frequency
        spectrum = self._spectrum(self._engine, section, ())
        frames = []
        if pictured:
            heard_of = ensemble.Heard(section.medium, frequency)
            points = [(s.places, heard_of.points(s.places, s.strengths)) for s in streams]
            frames.append(self._picture(self._engine, spectrum, points, tick, time))
        return [*frames, self._ensembles.take(course, section, spectrum, streams, tick, time)]

    def _machine(self) -> tuple[FourierEngine, Cutter]:
        """Give the map that a picture is made of: the coarse one where it is asked for and one plane is enough."""
        if self._course.controls["map_coarse"] < 0.5 or self._thickness is not None:
            return self._engine, self._cutter
        if self._coarse is None:
            self._coarse = machine(coarser=COARSER), cutter(coarser=COARSER)
        return self._coarse

    def _spectrum(self, engine: FourierEngine, section: Section, streams: Sequence[Stream]) -> np.ndarray:
        """Give the spectrum of what is heard of a plane, or of all that stand for its thickness, with this blood."""
        medium = section.medium
        if self._thickness is not None:
            return self._thickness.spectrum(self._course, section, streams)
        for stream in streams:
            drop(
                medium.reflectivity,
                medium.plane,
                stream.places,
                stream.strengths,
                thickness=plane_thickness(),
            )
        return engine.spectrum(heard(medium, engine.probe.center_frequency))

    def _picture(
        self,
        engine: FourierEngine,
        spectrum: np.ndarray,
        points: Sequence[tuple[np.ndarray, np.ndarray]],
        tick: int,
        time: Seconds,
    ) -> ChannelData:
        turn = tick // int(
            self._course.controls["time_compression"]
        )  # by its share alone, some angles would never come
        angle = self._angles[turn % len(self._angles)]
        echoes = engine.echoes(spectrum, angle)
        for places, strengths in points:
            echoes = echoes + point_echoes(engine, places[:, [0, 2]], strengths, angle)
        return engine.channel_data(echoes + self._hiss(echoes.shape, tick), angle, time)

    def _hiss(self, shape: tuple[int, int], tick: int) -> np.ndarray:
        """Give the machine's noise on a record: for each element a stretch of one long noise, drawn anew each tick.

        Of all pairs of elements one in five hundred shares some samples then, at other moments of the record.
        """
        starts = np.random.default_rng((self._seed, 0x9015E, tick)).integers(
            0, len(self._hissing) - shape[1], shape[0]
        )
        return self._noise * np.lib.stride_tricks.sliding_window_view(self._hissing, shape[1])[starts]

    def _quiet(self) -> np.float32:
        """Give the noise of the machine, from the echo of a bright fascia half way down."""
        shape = self._engine.shape
        fascia = np.zeros(shape, np.float32)
        fascia[:, shape[1] // 2] = 2.0 * SAMPLE / self._engine.axial_step
        loudest = np.abs(self._engine.echoes(self._engine.spectrum(fascia), 0.0)).max()
        return np.float32(loudest * 10 ** (facts("insonate.simulation", "patient")["wave"]["noise"] / 20))
