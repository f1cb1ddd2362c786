"""Short procedures for the analytic body, by hand."""

import numpy as np

from insonate.core import AdvanceNeedle, Inject, MoveProbe, SetControl, Stimulate, Stimulus
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
