"""Simulated examinations to files, with their truth: for fitting, tests and teaching, never for advice.

An operator scans, advances and injects over a simulated patient; channel data, images, the truth of the same frames, a
preview and the commands that made it all go to one folder, all or nothing. Every file says that it is simulated.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from insonate.core.channel_data import ChannelData
from insonate.core.checks import check_name, check_range
from insonate.core.command import Command
from insonate.core.coordinates import Pose
from insonate.core.errors import InputError
from insonate.core.grid import Grid
from insonate.core.image import Image, Quantity
from insonate.core.provenance import Step
from insonate.core.stages import Observation
from insonate.core.truth import Truth
from insonate.core.units import Seconds
from insonate.imaging.b_mode import Compounding, speckle_reduction
from insonate.pipeline.catalog import BEAMFORMERS
from insonate.pipeline.chain import Report, grid_of, silent
from insonate.pipeline.commands import plain
from insonate.pipeline.files import Made
from insonate.record.folder import folder, write_json
from insonate.simulation.answer import replay
from insonate.simulation.course import Settings
from insonate.simulation.medium import Body
from insonate.simulation.operator.agent import KINDS, Agent
from insonate.simulation.patient import SimulatedPatient, body_of

SHORTEST, LONGEST = 0.5, 120.0
"""Of an examination [s]; two minutes of channel data are 3 GB."""

ROWS = 380
"""Of an image."""

DEPTH = 0.04
"""Of an image [m]."""

VERSION = "1"


def simulate_examination(
    region: str,
    out: Path,
    *,
    seed: int = 7,
    operator: str = "expert",
    seconds: Seconds = 20.0,
    variant: str = "usual",
    pathologies: Sequence[str] = (),
    window: str | None = None,
    body: Body | None = None,
    report: Report = silent,
) -> Made:
    """Let an operator examine a simulated patient, and write all of it.

    Parameters
    ----------
    region : str
        Of the body.
    out : pathlib.Path
        Folder for `channel_data.h5`, `images.h5`, `truth.h5`, `preview.mp4` and `examination.json`.
    seed : int
        Of patient and operator.
    operator : str
        "expert" or "novice".
    seconds : float
        How long [s].
    variant : str
        Of the region.
    pathologies : sequence of str
        Of the region.
    window : str, optional
        Of the region; its first by default.
    body : Body, optional
        Instead of the region's.
    report : callable
        Told how far it is.

    Returns
    -------
    Made
        A sentence and the result.

    Raises
    ------
    InputError
        If there is no such region, variant, pathology, window or operator, or a number is out of range.
    OutputError
        If it cannot be written; nothing was left half-written.
    """
    from insonate.formats import insonate_hdf5, truth, video

    check_range("--seconds", seconds, (SHORTEST, LONGEST), "s")
    check_name("operator", operator, KINDS)  # here, before the body is compiled
    settings = Settings(region=region, variant=variant, pathologies=tuple(pathologies), window=window)
    report(0, 1, "compiling the body")
    body = body if body is not None else body_of(settings, seed)
    patient = SimulatedPatient(seed, settings, body=body)
    agent = Agent(operator, seed, body)
    waves = len(settings.angles)
    frames = max(int(seconds / patient.tick / waves + 1e-6), 1)
    ticks = frames * waves
    commands: list[Command] = []
    with folder(out) as room:
        record = _Recording(room, patient, agent, commands, frames, waves, report)
        length = video.write(room / "preview.mp4", record.pictures(), frame_rate=1 / patient.tick)
        report(0, 1, "writing")
        data, images = record.channel_data(), record.images()
        insonate_hdf5.write(room / "channel_data.h5", data)
        insonate_hdf5.write(room / "images.h5", images)
        del data
        record.close()

        def truths() -> Iterator[Truth]:
            whole = replay(seed, settings, commands, ticks * patient.tick, body=body, every=waves)
            for number, one in enumerate(whole):
                report(number, frames, "telling the truth")
                yield one

        truth.write(room / "truth.h5", truths())
        result: dict[str, Any] = {
            "simulated": True,
            "region": region,
            "seed": seed,
            "variant": variant,
            "pathologies": list(pathologies),
            "window": window,
            "operator": operator,
            "target": agent.target,
            "seconds": ticks * patient.tick,
            "waves": ticks,
            "images": frames,
            "truths": frames,
            "previewed": length,
            "settings": dataclasses.asdict(settings),
            "ended": agent.phase.value,
        }
        write_json(room / "examination.json", result | {"commands": [plain(one) for one in commands]})
    return Made(
        sentence=f"{out}/: SIMULATED {region}, seed {seed}, {operator}: {ticks} waves, {frames} images with truth, "
        f"ended in phase '{agent.phase.value}'",
        result=result,
    )


class _Recording:
    """An examination as it is lived: waves to a file of plain numbers, images to a list."""

    def __init__(
        self,
        room: Path,
        patient: SimulatedPatient,
        agent: Agent,
        commands: list[Command],
        frames: int,
        waves: int,
        report: Report,
    ) -> None:
        self._patient, self._agent, self._commands = patient, agent, commands
        self._frames, self._waves, self._report = frames, waves, report
        self._path = room / "waves.npy"
        self._samples: np.ndarray | None = None
        self._first: list[ChannelData] = []
        self._times = np.zeros((frames, waves))
        self._pictures: list[np.ndarray] = []
        self._poses: list[Pose] = []
        self._grid: Grid | None = None

    def pictures(self) -> Iterator[np.ndarray]:
        """Live it, and give one grey picture a tick."""
        compounding = Compounding(self._waves)
        beamform = BEAMFORMERS.get("delay_and_sum")
        seen: list[Observation] = []
        ticks = self._frames * self._waves
        pose: Pose | None = None
        reference: float | None = None
        for tick in range(ticks):
            self._report(tick, ticks, "simulating")
            now = self._patient.now
            given = self._agent.decide(seen, now)
            self._commands.extend(given)
            seen = list(self._patient.advance(given, now + self._patient.tick))
            data = next(one for one in seen if isinstance(one, ChannelData))
            pose = next(one for one in seen if isinstance(one, Pose))
            self._keep(tick, data)
            self._grid = self._grid or grid_of(data, depth=DEPTH, rows=ROWS)
            strength = compounding.add(beamform(data, self._grid))
            loud = float(np.quantile(strength[::4, ::4], 0.999))
            # 0 dB follows the echoes slowly, so that brightness does not jump when a bright layer comes and goes
            reference = loud if reference is None else 0.95 * reference + 0.05 * loud
            values = 20 * np.log10(np.maximum(strength / max(reference, 1e-30), 1e-6))
            values = np.clip(speckle_reduction(values), -120, 0).astype(np.float32)
            if tick % self._waves == 0:
                self._pictures.append(values)
                self._poses.append(pose)
            yield (255 * np.clip(1 + values / 60, 0, 1) + 0.5).astype(np.uint8)

    def _keep(self, tick: int, data: ChannelData) -> None:
        frame, wave = divmod(tick, self._waves)
        if self._samples is None:
            shape = (self._frames, self._waves, *data.samples.shape[2:])
            self._samples = np.lib.format.open_memmap(self._path, mode="w+", dtype=np.complex64, shape=shape)
        self._samples[frame, wave] = data.samples[0, 0]
        if data.times is not None:
            self._times[frame, wave] = data.times[0, 0]
        if frame == 0:
            self._first.append(data)

    def channel_data(self) -> ChannelData:
        """Give all waves: one frame each time all angles have passed."""
        if self._samples is None:
            raise InputError("the patient gave no channel data")
        transmits = tuple(one.acquisition.transmits[0] for one in self._first)
        acquisition = dataclasses.replace(self._first[0].acquisition, transmits=transmits)
        return ChannelData(
            samples=self._samples,
            scale=self._first[0].scale,
            acquisition=acquisition,
            times=self._times,
            provenance=(self._step(),),
        )

    def images(self) -> Image:
        """Give an image for each first wave of a frame, with where the probe was."""
        if self._grid is None:
            raise InputError("the patient gave no channel data")
        return Image(
            values=np.stack(self._pictures),
            quantity=Quantity.B_MODE,
            grid=self._grid,
            times=self._times[:, 0],
            poses=tuple(self._poses),
            provenance=(self._step(),),
        )

    def _step(self) -> Step:
        return Step(name="simulate patient", settings={"operator": self._agent.kind}, version=VERSION)

    def close(self) -> None:
        """Let go of the plain numbers."""
        self._samples = None
        self._path.unlink(missing_ok=True)
