"""Expert and novice through whole procedures on simulated patients, judged by the truth of the replay.

No picture is formed: the agents know the target's place with an error of their own and the needle by its tracker. `--quick`
and the default take few seeds; INSONATE_BENCHMARK_SEEDS asks for more (20 for the table of a release).
"""

import os
import sys
from typing import Any

from benchmarks.rows import row
from insonate.core import Command, InputError, Observation, SetControl
from insonate.simulation.course import Settings
from insonate.simulation.operator.agent import KINDS, Agent, Phase
from insonate.simulation.patient import SimulatedPatient, body_of
from insonate.training.debrief import Debrief, Severity, debrief

PROCEDURES = {
    "LL01": ("femoral_crease", None),
    "UL01": ("neck", "interscalene"),
    "UL03": ("neck", "supraclavicular"),
    "BU01": ("shoulder", None),
    "MU01": ("upper_trapezius", "trapezius"),
}
"""Region and window of each procedure."""

FIRST_SEED = 100
LONGEST = 45.0
"""An agent that is not done by then has failed [s]."""


def lived(kind: str, seed: int, settings: Settings) -> tuple[Debrief, bool]:
    """Let an agent do a whole procedure; give its debrief, and whether it finished."""
    body = body_of(settings, seed)
    patient = SimulatedPatient(seed, settings, body=body)
    agent = Agent(kind, seed, body)
    commands: list[Command] = [SetControl(name="ticks_per_frame", value=20, time=0.0, given_by="benchmark")]
    patient._frames = lambda *_: []  # type: ignore[method-assign]  # frames decide nothing and cost most
    seen: list[Observation] = list(patient.advance(commands, patient.tick))
    while agent.phase is not Phase.DONE and patient.now < LONGEST:
        given = list(agent.decide(seen, patient.now))
        commands += given
        seen = list(patient.advance(given, patient.now + patient.tick))
    block = debrief(seed, settings, commands, patient.now, body=body, target=agent.target, every=4)
    return block, agent.phase is Phase.DONE


def rows() -> list[dict[str, Any]]:
    """Give the share of blocks without harm, and how well the tip was seen, for each procedure and kind of operator."""
    quick = bool(os.environ.get("INSONATE_BENCHMARK_QUICK"))
    count = 1 if quick else int(os.environ.get("INSONATE_BENCHMARK_SEEDS", "3"))
    wanted = os.environ.get("INSONATE_BENCHMARK_PROCEDURES", "LL01" if quick else ",".join(PROCEDURES)).split(
        ","
    )
    out = []
    for name in wanted:
        region, window = PROCEDURES[name]
        settings = Settings(region=region) if window is None else Settings(region=region, window=window)
        for kind in KINDS:
            harms, views, done, nearest = [], [], [], []
            seed = FIRST_SEED - 1
            while len(done) < count:
                seed += 1
                try:
                    block, finished = lived(kind, seed, settings)
                except InputError as refused:  # an individual that intersects itself is refused by name
                    print(f"{name} seed {seed}: {refused}", file=sys.stderr, flush=True)
                    continue
                harms.append(sum(one.severity is Severity.HARM for one in block.findings))
                views.append(0.0 if block.in_view is None else block.in_view)
                done.append(finished)
                nearest.append(1e3 * min((one.shaft for one in block.approaches), default=0.02))
                told = f"{name} {kind} seed {seed}: {'done' if finished else 'not done'}, nearest {nearest[-1]:.1f} mm"
                faults = "; ".join(one.sentence for one in block.findings if one.severity is Severity.HARM)
                print(f"{told}. {faults}".strip(), file=sys.stderr, flush=True)
            key = f"{name}-{kind}"
            out += [
                row(
                    f"{key}-without-harm",
                    f"share of {count} blocks finished with neither tip nor shaft in nerve, vessel or pleura",
                    [sum(one and not harm for one, harm in zip(done, harms, strict=True)) / count],
                    "1",
                    sense="min" if kind == "expert" else None,
                    target=1.0 if kind == "expert" else None,
                    truth="replay",
                ),
                row(
                    f"{key}-in-view",
                    "share of the advancing time with the tip in view",
                    views,
                    "1",
                    truth="replay",
                ),
                row(
                    f"{key}-nearest",
                    "nearest approach to nerve, vessel or pleura",
                    nearest,
                    "mm",
                    truth="replay",
                ),
            ]
    return out
