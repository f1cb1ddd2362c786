import numpy as np
import pytest

from insonate.core import AdvanceNeedle, Inject, MoveProbe, Tissue, UnknownNameError
from insonate.simulation.course import TICK, Course
from insonate.simulation.motion.injection import Place
from insonate.simulation.motion.tubes import trace
from insonate.simulation.operator.agent import Agent, Phase
from refusals import refused
from simulation.analytic_body import NERVE, TUBES, AnalyticBody, named

BODY = AnalyticBody()


def played(kind, seed, seconds=30.0, body=BODY):
    """Let an agent work without looking at frames."""
    course, agent = Course(seed, body), Agent(kind, seed, body)
    given, seen, places = [], [], []
    while course.tick * TICK < seconds and agent.phase is not Phase.DONE:
        commands = agent.decide(seen, course.time)
        given += commands
        for command in commands:
            course.check(command)
            course.obey(command)
        one = course.advance()
        seen = [one.pose, *one.needle, *[r for r in (one.stimulation, one.injection) if r is not None]]
        places.append((agent.phase, course.place, course.around.distance))
    return course, agent, given, places


@pytest.fixture(scope="module")
def games():
    return {kind: [played(kind, seed) for seed in range(6)] for kind in ("expert", "novice")}


def test_a_whole_procedure_plays_without_a_person(games):
    for course, agent, given, _ in games["expert"]:
        assert agent.target == "femoral nerve"
        assert agent.phase is Phase.DONE
        assert course.syringe.volume >= 5e-6
        assert {type(one) for one in given} >= {MoveProbe, AdvanceNeedle, Inject}
        assert course.insertion.shaft is None and course.stimulus is None


def test_an_expert_injects_near_the_nerve_and_rarely_in_it(games):
    injected = [
        next((place, distance) for phase, place, distance in places if phase is Phase.INJECT)
        for _, _, _, places in games["expert"]
    ]
    near = [abs(distance) < 4e-3 for _, distance in injected]
    assert np.mean(near) >= 0.8
    assert sum(place is Place.NERVE for place, _ in injected) <= 2


def errors(game):
    """How far from the stand-off the tip lay when it was to inject."""
    return [
        abs(
            next(distance for phase, _, distance in places if phase is Phase.INJECT)
            - agent._values["stand_off"]
        )
        for _, agent, _, places in game
        if any(phase is Phase.INJECT for phase, _, _ in places)
    ]


def test_a_novice_is_further_off(games):
    assert np.mean(errors(games["novice"])) > 1.3 * np.mean(errors(games["expert"]))


def test_hands_shake_as_much_as_set(games):
    def tremor(game):
        held = np.array([c.pose.translation[0] for c in game[2] if isinstance(c, MoveProbe)])
        return held.std()

    assert tremor(games["expert"][0]) == pytest.approx(0.12e-3, rel=0.5)
    assert tremor(games["novice"][0]) > 2 * tremor(games["expert"][0])


def test_the_same_seed_plays_the_same_and_another_does_not():
    first, again, other = (played("expert", seed, 4.0)[0].digest() for seed in (1, 1, 2))
    assert first == again != other


def test_a_lost_tip_stops_an_expert_until_the_plane_is_on_it():
    agent = Agent("expert", 5, BODY)
    course, seen, stopped = Course(5, BODY), [], 0
    agent._aim = np.array([0.12, 0.0])  # points well out of the plane
    agent._values = dict(agent._values) | {"correction": 0.3, "stops_when_lost": 1.0}
    before = 0.0
    while course.tick < 240 and agent.phase is not Phase.INJECT:
        for command in agent.decide(seen, course.time):
            course.obey(command)
            if isinstance(command, AdvanceNeedle):
                stopped += agent._lost and command.inserted == before
                before = command.inserted
        one = course.advance()
        seen = [one.pose, *one.needle]
    assert stopped > 3
    assert agent.phase is Phase.INJECT  # and it found it again


def test_it_goes_for_the_nerve_that_it_is_told():
    with refused(UnknownNameError, "target must be a nerve of femoral nerve, got 'ulnar nerve'"):
        Agent("expert", 0, BODY, target="ulnar nerve")
    with refused(UnknownNameError, "operator must be one of expert, novice, got 'surgeon'"):
        Agent("surgeon", 0, BODY)
    nowhere = AnalyticBody(tubes={**TUBES, NERVE: (0.3, 0.017, 2e-3)})
    with refused(UnknownNameError, "target must be a nerve of femoral nerve, got None"):
        Agent("expert", 0, nowhere)


def test_it_comes_from_the_side_where_no_vessel_is_near():
    mirrored = AnalyticBody(tubes={label: (-x, z, r) for label, (x, z, r) in TUBES.items()})
    assert Agent("expert", 0, BODY)._entry[0] < TUBES[NERVE][0]
    assert Agent("expert", 0, mirrored)._entry[0] > -TUBES[NERVE][0]


class Aimed(AnalyticBody):
    """A body whose window says which nerve is gone for."""

    target = "ulnar nerve"


def test_it_goes_for_the_nerve_of_the_window_unless_it_is_told_another():
    with refused(UnknownNameError, "target must be a nerve of femoral nerve, got 'ulnar nerve'"):
        Agent("expert", 0, Aimed())
    assert Agent("expert", 0, Aimed(), target="femoral nerve").target == "femoral nerve"


SMALL = np.array([-19e-3, 0.0, 8e-3])
"""Middle of a small nerve on the way from lateral [m]."""


class SmallNerveInTheWay(AnalyticBody):
    """A nerve of 1 mm across the usual way, which only its distance tells."""

    structures = (*AnalyticBody.structures, named("small nerve", Tissue.NERVE))
    target = "femoral nerve"

    def __init__(self):
        super().__init__()
        self.properties = {name: np.append(of, of[NERVE]) for name, of in self.properties.items()}
        self.echo = np.append(self.echo, self.echo[NERVE])

    def distance(self, label, places):
        if label < len(self.structures):
            return super().distance(label, places)
        return np.hypot(places[..., 0] - SMALL[0], places[..., 2] - SMALL[2]) - 0.5e-3


def test_an_expert_looks_for_other_nerves_before_and_a_novice_does_not(monkeypatch):
    monkeypatch.setattr("insonate.simulation.operator.agent._nerve", lambda body, target: _tube(body))

    def nearest(kind):
        agent = Agent(kind, 3, SmallNerveInTheWay())
        way = agent._entry + (agent._goal - agent._entry) * np.linspace(0, 1, 400)[:, None]
        return np.hypot(way[:, 0] - SMALL[0], way[:, 2] - SMALL[2]).min() - 0.5e-3

    assert nearest("expert") > 2e-3
    assert nearest("novice") < nearest("expert") - 1e-3


def _tube(body):
    return "femoral nerve", trace(body, NERVE)


def test_an_expert_sees_better_where_its_target_lies_once_its_tip_is_near():
    for kind, left in (("expert", 0.6), ("novice", 1.0)):
        for seed in range(3):
            first = Agent(kind, seed, BODY)
            _, agent, _, _ = played(kind, seed, seconds=15.0)
            moved = agent._goal - first._goal
            np.testing.assert_allclose(
                moved, agent._wrong - first._wrong, atol=1e-12
            )  # nothing but the error goes
            assert moved[1] == 0  # along the limb nothing shows it
            before, after = (np.linalg.norm(one._wrong[[0, 2]]) for one in (first, agent))
            assert after <= left * before if kind == "expert" else after == before
