"""The whole platform on one page: one protocol a stage. A plain function satisfies the stateless ones."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from insonate.core.anatomy import Segmentation
from insonate.core.channel_data import ChannelData
from insonate.core.command import Command
from insonate.core.coordinates import Pose
from insonate.core.grid import Grid
from insonate.core.image import Image, IQImage
from insonate.core.injection import InjectionReading
from insonate.core.needle import NeedlePose
from insonate.core.plan import Plan
from insonate.core.procedure import Procedure
from insonate.core.scene import Scene
from insonate.core.stimulation import StimulationReading
from insonate.core.units import Seconds

Readable = ChannelData | IQImage | Image
"""What a file can hold."""

Observation = ChannelData | Image | Pose | NeedlePose | StimulationReading | InjectionReading
"""One timed thing that a source gives."""


@runtime_checkable
class Source(Protocol):
    """A live source: commands in, observations out. It has memory and one clock."""

    name: str
    """For people, shown on the screen."""
    accepts: frozenset[str]
    """Names of the controls it obeys; a replayed file obeys none."""
    simulated: bool
    """True where no real tissue is seen, so that the screen says so."""

    def advance(self, commands: Sequence[Command], until: Seconds) -> Iterator[Observation]:
        """Obey `commands`, go on to the time `until` [s], and give what was observed on the way, in order."""
        ...


class Reader(Protocol):
    """Bytes to nouns, for one kind of file."""

    def can_read(self, path: Path) -> bool:
        """Whether the file looks like this kind, from its first bytes, without reading it whole."""
        ...

    def read(self, path: Path) -> tuple[Readable, ...]:
        """Read it: one noun per region and spacing."""
        ...


class Beamformer(Protocol):
    """Echoes of elements to baseband pixels."""

    def __call__(self, data: ChannelData, grid: Grid) -> IQImage:
        """Beamform every frame of `data` on `grid`."""
        ...


class Imager(Protocol):
    """Baseband pixels to an image of one quantity."""

    def __call__(self, iq: IQImage) -> Image:
        """Make the image."""
        ...


class ScanConverter(Protocol):
    """Sector to rectangle."""

    def __call__(self, image: Image, grid: Grid) -> Image:
        """Put `image`, on a `PolarGrid`, on `grid`."""
        ...


class Segmenter(Protocol):
    """An image to the structures in it."""

    def __call__(self, image: Image, *, progress: Callable[[int, int], None] | None = None) -> Segmentation:
        """Label every frame, telling `progress` how many are done and of how many."""
        ...


class Guide(Protocol):
    """What is known to what could be done."""

    def __call__(self, scene: Scene, procedure: Procedure) -> Plan:
        """Plan, best path first."""
        ...
