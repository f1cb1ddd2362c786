"""A patient in an agent's hands is a source like any other: the same seed, the same examination."""

import numpy as np

from insonate.core import ChannelData, NeedlePose, Pose, Source
from insonate.simulation.operator.agent import Agent
from insonate.simulation.operator.operated import OperatedPatient
from insonate.simulation.patient import SimulatedPatient
from simulation.analytic_body import AnalyticBody
from simulation.scripts import probe, sparse

BODY = AnalyticBody()


def places(observations):
    return [one.translation.tobytes() for one in observations if isinstance(one, Pose)]


def test_it_is_a_source_with_the_clock_of_its_patient():
    one = OperatedPatient("expert", 3, body=BODY)
    assert isinstance(one, Source)
    assert one.simulated and one.tick == 0.05 and one.now == 0
    seen = list(one.advance([sparse()], 0.2))
    assert one.now == 0.2
    assert len(places(seen)) == 4


def test_it_does_what_the_agent_does_alone():
    one = OperatedPatient("novice", 3, body=BODY)
    here = list(one.advance([sparse()], 1.5))
    patient, agent, seen, there = SimulatedPatient(3, body=BODY), Agent("novice", 3, BODY), [], []
    for tick in range(30):
        given = agent.decide(seen, patient.now)
        seen = list(patient.advance([*([sparse()] if tick == 0 else []), *given], patient.now + patient.tick))
        there += seen
    assert places(here) == places(there)
    assert any(isinstance(one, NeedlePose) for one in here)


def test_how_often_it_is_asked_changes_nothing():
    whole = list(OperatedPatient("expert", 4, body=BODY).advance([sparse()], 1.0))
    parts, one = [], OperatedPatient("expert", 4, body=BODY)
    for k, until in enumerate((0.15, 0.4, 1.0)):
        parts += list(one.advance([sparse()] if k == 0 else [], until))
    assert places(parts) == places(whole)


def test_commands_from_outside_join_in_and_are_held_at_the_edge():
    one = OperatedPatient("expert", 3, body=BODY)
    held = one.nearest(probe(at=(1.0, 0.0, 0.0)))
    assert held.pose.translation[0] < 0.046
    seen = list(one.advance([sparse(every=1), held], 0.1))
    assert sum(isinstance(one, ChannelData) for one in seen) == 2
    at = next(one for one in seen if isinstance(one, Pose))
    assert np.abs(at.translation[0]) < 0.046
