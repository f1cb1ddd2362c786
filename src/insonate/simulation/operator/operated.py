"""A simulated patient in the hands of an agent: a source that plays a whole examination without a person.

The agent is asked once a tick, with what was observed in the tick before, and its commands go the way of any other hand's.
So the seed, the settings and the operator's name are the replay; commands from outside join those of the agent.
"""

from collections.abc import Iterator, Sequence

from insonate.core import Command, Observation
from insonate.core.units import Seconds
from insonate.simulation.course import TICK, Settings, ticks_until
from insonate.simulation.medium import Body
from insonate.simulation.operator.agent import Agent
from insonate.simulation.patient import SimulatedPatient, body_of


class OperatedPatient:
    """A patient, and an operator who examines it."""

    simulated = True
    regional = True
    """Whether it shows a region of the body, as the network for simulated tissues has learned them."""
    operated = True
    """Whether an agent holds probe and needle."""
    tick: Seconds = TICK
    """From frame to frame [s]."""

    def __init__(
        self,
        operator: str,
        seed: int = 7,
        settings: Settings | None = None,
        *,
        target: str | None = None,
        body: Body | None = None,
    ) -> None:
        """Compile the individual and plan the procedure.

        Parameters
        ----------
        operator : str
            "expert" or "novice".
        seed : int
            Of individual and operator.
        settings : Settings, optional
            The region, and how it is seen.
        target : str, optional
            Name of a nerve; the thickest one by default.
        body : Body, optional
            Instead of the region's.

        Raises
        ------
        UnknownNameError
            If there is no such operator, region or nerve.
        """
        settings = settings or Settings()
        body = body if body is not None else body_of(settings, seed)
        self._agent = Agent(operator, seed, body, target=target)
        self._patient = SimulatedPatient(seed, settings, body=body)
        self._seen: list[Observation] = []
        self.name = f"{self._patient.name}, {operator}"
        self.accepts = self._patient.accepts
        """Kinds of command, and names of controls."""

    @property
    def now(self) -> Seconds:
        """Time of the tick that comes next [s]."""
        return self._patient.now

    def nearest(self, command: Command) -> Command:
        """Give the nearest command that stays within the window; see `SimulatedPatient.nearest`."""
        return self._patient.nearest(command)

    def advance(self, commands: Sequence[Command], until: Seconds) -> Iterator[Observation]:
        """Obey commands, those of the agent last, and go on.

        Parameters
        ----------
        commands : sequence of Command
            Each is obeyed at the first tick not before its time.
        until : float
            On the patient's clock, which starts at 0 [s].

        Yields
        ------
        Observation
            In the order they were made.

        Raises
        ------
        InputError
            If a command cannot be obeyed by this body.
        """
        waiting: Sequence[Command] = commands
        while ticks_until(self._patient.now) < ticks_until(until):
            now = self._patient.now
            given = [self._patient.nearest(one) for one in self._agent.decide(self._seen, now)]
            self._seen = []
            for one in self._patient.advance([*waiting, *given], now + TICK):
                self._seen.append(one)
                yield one
            waiting = ()
