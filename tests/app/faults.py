"""Faults put in from outside while an expert agent does a block, and what is advised in each.

    python tests/app/faults.py [--only NAME] [--stills DIR]

A source stands between patient and program and spoils what passes: nothing of the program knows of it. Of each fault it is
told what was advised while it lasted, and what of that had not been advised before; with `--stills` the page over it is kept
as a picture, shortly before the fault ends.
"""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from insonate.core import (
    ChannelData,
    Command,
    InjectionReading,
    NeedlePose,
    NeedleState,
    Observation,
    Scene,
    Stimulate,
    StimulationReading,
    Stimulus,
)
from insonate.guidance.procedures import procedure
from insonate.pipeline import live
from insonate.pipeline.patients import Choice
from insonate.pipeline.watch import Watched
from insonate.simulation.course import TICK
from insonate.simulation.operator.operated import OperatedPatient

DIGITS = r"\d+(\.\d+)?"


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong."""

    name: str
    lasts: float
    """On the source's clock [s]."""
    spoils: Callable[[Observation], Observation | None]
    """What becomes of an observation; None where it is lost."""
    stalls: float = 0.0
    """How long the source hangs when it begins, by the clock on the wall [s]."""
    labels: Callable[[Scene], Scene] | None = None
    """What becomes of what was labelled."""
    asks: Command | None = None
    """What is asked of the patient beside the agent, before it begins."""


def offset(one: Observation) -> Observation:
    """A tracker that is 5 mm too deep."""
    if isinstance(one, NeedlePose) and one.tip is not None:
        return replace(one, tip=one.tip + np.array([0.0, 0.0, 5e-3]))
    return one


def aside(one: Observation) -> Observation:
    """A tracker that has the needle 5 mm beside the plane."""
    if isinstance(one, NeedlePose) and one.tip is not None:
        return replace(one, tip=one.tip + np.array([0.0, 5e-3, 0.0]))
    return one


def blind(one: Observation) -> Observation:
    """A tracker that sees nothing."""
    if isinstance(one, NeedlePose):
        return replace(one, state=NeedleState.LOST, tip=None, direction=None, covariance=None)
    return one


def unplugged(one: Observation) -> Observation | None:
    """A tracker that is silent."""
    return None if isinstance(one, NeedlePose) else one


def no_picture(one: Observation) -> Observation | None:
    """A probe that gives no echoes, while all else goes on."""
    return None if isinstance(one, ChannelData) else one


def stretched(one: Observation) -> Observation:
    """Echoes said to be of a probe whose elements lie a third further apart."""
    if isinstance(one, ChannelData):
        probe = one.acquisition.probe
        wide = replace(probe, element_positions=probe.element_positions * np.array([1.33, 1.0, 1.0]))
        return replace(one, acquisition=replace(one.acquisition, probe=wide))
    return one


def ahead(one: Observation) -> Observation:
    """A tracker whose clock has jumped five seconds back."""
    return replace(one, time=one.time - 5.0) if isinstance(one, NeedlePose) else one


def silent(one: Observation) -> Observation | None:
    """A syringe whose gauge is broken."""
    return replace(one, pressure=None) if isinstance(one, InjectionReading) else one


def mute(one: Observation) -> Observation | None:
    """A stimulator that says nothing of what it gives, nor whether a muscle answers."""
    return None if isinstance(one, StimulationReading) else one


def same(one: Observation) -> Observation:
    """Nothing is spoiled."""
    return one


def jumped(scene: Scene) -> Scene:
    """All outlines 8 mm to the left of where they are."""
    if scene.segmentation is None:
        return scene
    grid = scene.segmentation.grid
    away = round(8e-3 / grid.step[1])
    return replace(
        scene,
        segmentation=replace(scene.segmentation, labels=np.roll(scene.segmentation.labels, -away, axis=-1)),
    )


FAULTS = (
    Fault("none", 2.0, same),
    Fault("tracker 5 mm too deep", 3.0, offset),
    Fault("tracker 5 mm beside the plane", 3.0, aside),
    Fault("tracker blind", 2.0, blind),
    Fault("tracker unplugged", 2.0, unplugged),
    Fault("no picture", 2.0, no_picture),
    Fault("source hangs", 2.5, same, stalls=2.5),
    Fault("labels jump 8 mm", 2.5, same, labels=jumped),
    Fault("probe's pitch a third too wide", 3.0, stretched),
    Fault("tracker's clock 5 s back", 3.0, ahead),
    Fault("gauge silent", 3.0, silent),
    Fault(
        "stimulator silent",
        4.0,
        mute,
        asks=Stimulate(
            stimulus=Stimulus(current=5e-4, pulse_width=1e-4, rate=2.0), time=0.0, given_by="a test"
        ),
    ),
)


class Faulty:
    """A patient in the hands of an expert, and one fault."""

    simulated = regional = operated = True
    tick = TICK

    def __init__(self, fault: Fault, choice: Choice) -> None:
        """Compile the patient."""
        self._of = OperatedPatient("expert", choice.seed, choice.settings)
        self._fault = fault
        self.armed = False
        self.accepts = self._of.accepts
        self.name = f"simulated patient, {choice.sentence}, expert"
        self.began: float | None = None
        self.now = 0.0

    def nearest(self, command):
        """Give the nearest command that stays within the window."""
        return self._of.nearest(command)

    @property
    def on(self) -> bool:
        """Whether the fault stands now."""
        return self.began is not None and self.now - self.began < self._fault.lasts

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.began is not None and not self.on

    def advance(self, commands, until) -> Iterator[Observation]:
        """Go on, and spoil what passes."""
        self.now = until
        if self.began is None and self.armed:
            self.began = until
            time.sleep(self._fault.stalls)
        for one in self._of.advance(commands, until):
            given = self._fault.spoils(one) if self.on else one
            if given is not None:
                yield given


def run(fault: Fault, choice: Choice, *, after: float = 3.0) -> dict[str, list[str]]:
    """Play one fault; gives what was advised meanwhile and after, and of the tip, each thing once."""
    source = Faulty(fault, choice)
    said: dict[str, list[str]] = {"before": [], "meanwhile": [], "after": []}
    with spoilt_labels(fault, source):
        running = live.Live(source=source, procedure=procedure("LL01")).start()
        if fault.asks is not None:
            running.command(fault.asks)
        _read(fault, source, running, said, after)
    return said


@contextmanager
def spoilt_labels(fault: Fault, source: Faulty) -> Iterator[None]:
    """Have what is labelled be spoilt while the fault stands."""
    label = live.label

    def labelled(image, **how):
        scene = label(image, **how)
        return fault.labels(scene) if fault.labels is not None and source.on else scene

    live.label = labelled
    try:
        yield
    finally:
        live.label = label


def _read(fault: Fault, source: Faulty, running: live.Live, said: dict[str, list[str]], after: float) -> None:
    try:
        deadline, last = time.monotonic() + 150, None
        while time.monotonic() < deadline and running.problem is None:
            part = "before" if source.began is None else "meanwhile" if source.on else "after"
            watched, hangs = running.alarm.watched, running.silent_for()
            if hangs is not None and hangs > 0.5:
                words = ["caution: watchdog: no frame"]
                time.sleep(0.02)
            elif watched is None or watched is last:
                time.sleep(0.01)
                continue
            else:
                last = watched
                known = sum(one.distance is not None for one in watched.clearances)
                # the needle is seen, and near to what is known
                source.armed = source.armed or (watched.shown is True and known > 0)
                words = [
                    f"{one.level.value}: {one.rule}: {re.sub(DIGITS, 'n', one.reason)}"
                    for one in watched.cues
                    if one.rule != "clearance"
                ]
                words += [f"tip: {_tip(watched)}", f"distances: {'some known' if known else 'none known'}"]
                words += [
                    f"distance unknown: {re.sub(DIGITS, 'n', one.reason)}"
                    for one in watched.clearances
                    if one.distance is None
                ]
            said[part] += [one for one in dict.fromkeys(words) if one not in said[part]]
            if source.over and source.now - source.began - fault.lasts > after:
                break
    finally:
        running.stop()


def still(fault: Fault, choice: Choice, out: Path) -> None:
    """Keep the page over a fault as a picture, shortly before it ends."""
    from app.browser import browsing, view
    from app.serving import served
    from insonate.app import examination as examinations

    source = Faulty(fault, choice)
    examinations.source_of = lambda _: source
    with tempfile.TemporaryDirectory() as room, spoilt_labels(fault, source):
        examination = examinations.Examination("LL01", recordings=Path(room))
        examination.show_patient(replace(choice, operator="expert"))
        with served(examination) as port, browsing() as page:
            page.goto(f"http://127.0.0.1:{port}/")
            if fault.asks is not None:  # by the hand on the page, so that its panel knows of it
                page.wait_for_selector("[role=group][aria-label=Stimulator]")
                page.get_by_role("button", name="Switch on").click()
                page.get_by_role("button", name="Again: on").click()
            alarm, deadline = examination.live.alarm, time.monotonic() + 150
            while source.began is None and time.monotonic() < deadline:
                watched = alarm.watched
                known = watched is not None and any(one.distance is not None for one in watched.clearances)
                source.armed = known and watched.shown is True and view(page) == "live"
                time.sleep(0.02)
            begun = time.monotonic()
            late = max(fault.lasts - 0.7, 0.5)
            while source.now - source.began < late and time.monotonic() - begun < fault.stalls - 0.5:
                time.sleep(0.02)  # a source that hangs has no clock
            while not fault.stalls and source.now - source.began < late:
                time.sleep(0.02)
            page.screenshot(path=out, type="jpeg", quality=82)


def _tip(watched: Watched) -> str:
    if watched.doubt is not None:
        return "doubted"
    return "none" if watched.needle is None else watched.needle.state.value


def main() -> None:
    """Play all of them."""
    parser = argparse.ArgumentParser(description="Spoil a block in many ways and read what is advised.")
    parser.add_argument("--only", help="name of one fault")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--stills", type=Path, help="folder for a picture of the page over each, instead of words"
    )
    given = parser.parse_args()
    for fault in FAULTS:
        if given.only is None or given.only == fault.name:
            if given.stills is not None:
                given.stills.mkdir(parents=True, exist_ok=True)
                name = re.sub(r"[^a-z0-9]+", "-", fault.name.lower()).strip("-")
                still(fault, Choice(seed=given.seed), given.stills / f"fault-{name}.jpg")
                continue
            said = run(fault, Choice(seed=given.seed))
            print(f"\n{fault.name}, {fault.lasts:g} s: {fault.spoils.__doc__}", flush=True)
            for one in said["meanwhile"]:
                print(f"  {'' if one in said['before'] else 'NEW '}{one}", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
