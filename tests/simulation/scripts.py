"""Short procedures for the analytic body, by hand."""

import numpy as np

from insonate.core import AdvanceNeedle, Inject, MoveBody, MoveProbe, SetControl, Stimulate, Stimulus
from simulation.motion.poses import held

WHO = "a test"
ENTRY = np.array([-0.028, 0.0, 0.0])


def probe(time=0.0, force=2.0, **pose):
    return MoveProbe(pose=held(**pose), contact_force=force, time=time, given_by=WHO)


def sparse(every=20, time=0.0):
    """Few frames: they cost most and decide nothing."""
    return SetControl(name="ticks_per_frame", value=every, time=time, given_by=WHO)


def needle_to(goal, start=0.0, speed=0.02, entry=ENTRY, tick=0.05):
    """Advance in a straight line to a place."""
    way = np.asarray(goal, float) - entry
    length = float(np.linalg.norm(way))
    count = int(np.ceil(length / (speed * tick)))
    return [
        AdvanceNeedle(
            entry=entry,
            direction=way / length,
            inserted=length * (i + 1) / count,
            rotation=0.0,
            time=start + i * tick,
            given_by=WHO,
        )
        for i in range(count)
    ]


def inject(time, rate=1e-6, agent="ropivacaine 0.5 %"):
    return Inject(rate=rate, agent=agent, time=time, given_by=WHO)


def stimulate(time, current=2e-3):
    return Stimulate(stimulus=Stimulus(current=current, pulse_width=1e-4, rate=2.0), time=time, given_by=WHO)


def block(goal=(-0.0115, 0.0, 0.0175)):
    """A whole block: probe, needle, stimulus, 1.5 mL beside the nerve."""
    return [
        sparse(),
        probe(),
        *needle_to(goal),
        stimulate(0.5),
        inject(2.0),
        inject(3.5, rate=0.0),
        probe(time=2.5, force=4.0, at=(0.002, 0.001, 0.0)),
    ]


def wild(rng, body, tick):
    """One command of any kind, anywhere: most bodies refuse some."""
    low, high = body.extent
    time = max(tick + int(rng.integers(-3, 6)), 0) * 0.05
    kind = rng.integers(0, 7)
    if kind == 0:
        return probe(
            time=time,
            force=float(rng.choice([0.0, 0.1, 3.0, 20.0, 60.0])),
            angle=float(rng.normal(0, 0.4)),
            turn=float(rng.uniform(-4, 4)),
            at=rng.uniform(low, high) * [1, 1, 0] + [0, 0, rng.uniform(-0.1, 0.03)],
        )
    if kind in (1, 2):
        way = rng.normal(size=3)
        return AdvanceNeedle(
            entry=rng.uniform(low, high) * [1, 1, 0],
            direction=way / np.linalg.norm(way),
            inserted=float(rng.choice([0.0, 1e-5, 0.01, 0.03, 0.3])),
            rotation=float(rng.uniform(-7, 7)),
            time=time,
            given_by=WHO,
        )
    if kind == 3:
        return inject(time, rate=float(rng.choice([-2e-6, 0.0, 1e-8, 2e-6])), agent="D5W")
    if kind == 4:
        return stimulate(time, current=float(rng.choice([0.0, 1e-3, 0.02])))
    if kind == 5:
        return SetControl(name="needle_gauge", value=float(rng.choice([18, 22, 25])), time=time, given_by=WHO)
    return MoveBody(part="iliopsoas", amount=float(rng.uniform(-1, 1)), time=time, given_by=WHO)
