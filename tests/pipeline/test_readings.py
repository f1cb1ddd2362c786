"""The newest of each is kept, and the probe as it was then."""

import numpy as np

from insonate.core import (
    CoordinateFrame,
    InjectionReading,
    NeedlePose,
    NeedleState,
    StimulationReading,
    Stimulus,
)
from insonate.core.coordinates import Pose
from insonate.pipeline.readings import MOST_POSES, Readings


def pose(time):
    return Pose(
        rotation=np.eye(3),
        translation=np.array([time, 0.0, 0.0]),
        source=CoordinateFrame.PROBE,
        target=CoordinateFrame.PATIENT,
        time=time,
    )


def needle(time, state=NeedleState.TIP):
    seen = state is NeedleState.TIP
    return NeedlePose(
        state=state,
        tip=np.zeros(3) if seen else None,
        direction=np.array([0.0, 0.0, 1.0]) if seen else None,
        covariance=np.eye(3) * 1e-7 if seen else None,
        frame=CoordinateFrame.PATIENT,
        time=time,
    )


def test_nothing_is_known_at_first():
    one = Readings()
    assert (one.probe, one.probe_at(1.0), one.needle, one.last_tip, one.stimulation, one.injection) == (
        None,
    ) * 6
    assert not one.take("a word")


def test_the_newest_of_each_is_kept():
    one = Readings()
    stimulus = Stimulus(current=5e-4, pulse_width=1e-4, rate=2.0)
    answer = StimulationReading(
        stimulus=stimulus, delivered=5e-4, muscle=None, grade=0, impedance=9e3, time=0.5
    )
    pressed = InjectionReading(rate=1e-7, volume=1e-6, pressure=2e4, time=0.5)
    for reading in (pose(0.1), needle(0.1), answer, pressed, pose(0.2), needle(0.2, NeedleState.LOST)):
        assert one.take(reading)
    assert one.probe.time == 0.2 and one.stimulation is answer and one.injection is pressed
    assert one.needle.state is NeedleState.LOST and one.last_tip.time == 0.1


def test_a_late_needle_is_laid_over_the_probe_as_it_was_then():
    one = Readings()
    for k in range(10):
        one.take(pose(0.05 * k))
    assert one.probe_at(0.2).time == 0.2
    assert one.probe_at(0.23).time == 0.2
    assert one.probe_at(99.0) is one.probe
    for k in range(10, 300):
        one.take(pose(0.05 * k))
    assert one.probe_at(0.0).time == 0.05 * (300 - MOST_POSES)  # the oldest that is kept
