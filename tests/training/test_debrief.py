"""Blocks by hand over a body in closed form: what the debrief says of them is known beforehand."""

import numpy as np
import pytest

from insonate.core import AdvanceNeedle, RangeError, Tissue
from insonate.simulation.course import Settings
from insonate.simulation.motion.insertion import Insertion
from insonate.training.block import Planned
from insonate.training.debrief import Severity, debrief
from refusals import refused
from simulation.analytic_body import AnalyticBody
from simulation.scripts import ENTRY, WHO, inject, needle_to, probe

BODY = AnalyticBody()
SETTINGS = Settings(truth_step=4e-4)
BESIDE = (-0.0115, 0.0, 0.0165)
"""0.98 mm from the nerve's edge: its middle lies at -8 mm and 17 mm, its radius is 2.5 mm."""


def looked_back(commands, until, **more):
    return debrief(7, SETTINGS, commands, until, body=BODY, target="femoral nerve", **more)


def drawn(command, inserted, time):
    return AdvanceNeedle(
        entry=command.entry,
        direction=command.direction,
        inserted=inserted,
        rotation=0.0,
        time=time,
        given_by=WHO,
    )


@pytest.fixture(scope="module")
def good():
    """0.3 s of scanning, in the plane to the nerve's side, 1.8 mL, out again at 5 s."""
    path = needle_to(BESIDE, start=0.3, speed=0.02)
    out = drawn(path[-1], 0.0, 5.0)
    return looked_back([probe(), *path, inject(2.5, rate=1e-6), inject(4.3, rate=0.0), out], 5.5)


def test_times_and_ways_are_those_of_the_commands(good):
    assert good.scanning == pytest.approx(0.3, abs=0.1)
    assert good.needling == pytest.approx(4.7, abs=0.15)
    assert (good.punctures, good.passes, good.probe_slips) == (1, 1, 0)
    assert good.advanced == pytest.approx(np.linalg.norm(np.subtract(BESIDE, ENTRY)), abs=1e-6)
    assert good.in_view == 1.0 and good.blind == 0.0


def test_the_nearest_is_told_with_its_moment(good):
    nerve = next(one for one in good.approaches if one.structure == "femoral nerve")
    assert nerve.tissue is Tissue.NERVE
    assert nerve.tip == pytest.approx(np.hypot(3.5e-3, 0.5e-3) - 2.5e-3, abs=4e-4)  # the tissue gives way
    assert 1.1 < nerve.tip_time < 5.0
    assert good.approaches == tuple(sorted(good.approaches, key=lambda one: one.shaft))
    assert {one.structure for one in good.approaches} == {"femoral nerve", "femoral artery", "femoral vein"}


def test_fluid_is_told_by_place_and_ring(good):
    assert dict(good.given) == {"plane": pytest.approx(1.8e-6, rel=0.06)}
    assert good.ring is not None and 0.3 < good.ring <= 1.0
    nerve = next(one for one in good.approaches if one.structure == "femoral nerve")
    assert nerve.tip < good.target_gap < 4e-3  # what is given pushes the nerve away


def test_a_block_without_fault_is_not_blamed(good):
    assert [one for one in good.findings if one.severity is not Severity.STYLE] == []


def test_an_advance_beside_the_plane_is_blind():
    """The probe is 3 mm beside the needle's plane: nothing of its way is seen."""
    path = needle_to(BESIDE, speed=0.02)
    block = looked_back([probe(at=(0.0, 0.003, 0.0)), *path], 1.5)
    assert block.in_view == 0.0
    under = block.advanced * (BESIDE[0] + 19.2e-3) / (BESIDE[0] - ENTRY[0])
    assert block.blind == pytest.approx(under, abs=2.1e-3)  # one look is 2 mm
    assert "Find the tip before you advance: it was in view for 0 %" in block.sentence


def test_the_way_to_the_picture_is_counted_only_if_the_tip_never_comes_there():
    """From a puncture 8.8 mm beside the array: the first half of the way, unseen, is nobody's fault."""
    path = needle_to(BESIDE, speed=0.02)
    assert ENTRY[0] < -19.2e-3
    assert looked_back([probe(), *path], 1.5).in_view == 1.0
    short = [one for one in needle_to(BESIDE, speed=0.01) if one.inserted < 8e-3]
    block = looked_back([probe(), *short], 1.0)
    assert block.in_view == 0.0 and block.blind > 6e-3


def test_a_vessel_entered_and_filled_is_worst():
    path = needle_to((4e-3, 0.0, 18e-3), speed=0.06)
    block = looked_back([probe(), *path, inject(1.0, rate=1e-6)], 2.0)
    assert block.given["vessel"] > 4e-7
    assert block.sentence.startswith("Aspirate and look for spread before you inject: ")
    contacts = [one.sentence for one in block.findings if one.sentence.startswith("Keep clear")]
    assert len(contacts) == 1 and "femoral artery: the tip went" in contacts[0]
    artery = block.approaches[0]
    assert artery.structure == "femoral artery" and artery.tip == pytest.approx(
        -4e-3, abs=1.5e-3
    )  # pressed down


def test_a_nerve_crossed_by_the_shaft_alone_is_a_contact():
    way = np.array([20.0, 0, 17.0]) / np.hypot(20, 17)
    block = looked_back(
        [probe(), *needle_to(np.array([-8e-3, 0, 17e-3]) + 4.5e-3 * way, speed=0.1)], 0.7, every=1
    )
    nerve = block.approaches[0]
    assert nerve.structure == "femoral nerve" and nerve.shaft < -1e-3
    assert nerve.tip < 0  # on its way the tip was in it, too
    assert nerve.shaft <= nerve.tip


def test_a_nerve_that_came_to_lie_against_the_shaft_was_not_entered(monkeypatch):
    """As fluid or the probe bring it there: here the needle forgets what its tip has passed into."""
    monkeypatch.setattr(Insertion, "passed", property(lambda _: {}, lambda *_: None), raising=False)
    way = np.array([20.0, 0, 17.0]) / np.hypot(20, 17)
    block = looked_back(
        [probe(), *needle_to(np.array([-8e-3, 0, 17e-3]) + 4.5e-3 * way, speed=0.1)], 1.0, every=9
    )
    nerve = block.approaches[0]
    assert nerve.shaft == 0 < nerve.tip
    told = [one for one in block.findings if "femoral nerve" in one.sentence and "shaft" in one.sentence]
    assert [one.severity for one in told] == [Severity.RISK]
    assert "came to lie against the shaft" in told[0].sentence


def test_drawing_back_far_and_going_on_is_a_pass_and_a_second_hole_a_puncture():
    path = needle_to(BESIDE, speed=0.02)
    length = path[-1].inserted
    more = [
        drawn(path[-1], length - 4e-3, 1.5),  # not far enough for a pass
        drawn(path[-1], length - 1e-3, 1.8),
        drawn(path[-1], length - 8e-3, 2.1),
        drawn(path[-1], length - 2e-3, 2.4),
        drawn(path[-1], 0.0, 2.7),
        drawn(path[-1], 1e-2, 3.0),
    ]
    block = looked_back([probe(), *path, *more], 3.4)
    assert (block.punctures, block.passes) == (2, 3)
    assert any(
        one.sentence == "Plan the path before the puncture: it took 3 passes." for one in block.findings
    )


def test_a_probe_that_slides_while_the_needle_goes_on_slips():
    path = needle_to(BESIDE, speed=0.02)
    slid = [probe(), probe(time=0.4, at=(0.002, 0.0, 0.0)), probe(time=0.6, at=(0.004, 0.0, 0.0))]
    assert looked_back([*slid, *path], 1.4).probe_slips == 1
    still = [probe(), probe(time=1.5, at=(0.004, 0.0, 0.0))]
    assert looked_back([*still, *path], 1.8).probe_slips == 0


def test_nothing_done_is_unknown_not_good():
    block = looked_back([probe()], 0.5)
    assert block.in_view is None and block.needling is None and block.ring is None
    assert block.target_gap is None and block.approaches == () and block.passes == 0


def test_a_number_out_of_range_is_refused():
    with refused(RangeError, "until must lie in 0.05..7200 s, got 0"):
        looked_back([], 0.0)


@pytest.mark.parametrize(("slid", "until"), [(0.002, np.inf), (0.004, 0.6)])
def test_a_planned_path_holds_until_the_probe_leaves_its_picture(slid, until):
    plan = Planned(time=0.5, entry=(0.0, -0.028), goal=(0.018, 0.004))
    commands = [probe(), probe(time=0.6, at=(slid, 0.0, 0.0))]
    block = debrief(7, Settings(truth_step=4e-4), commands, 0.8, body=AnalyticBody(), planned=[plan])
    assert block.planned[0].until == until
