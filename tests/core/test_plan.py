from dataclasses import replace

import pytest

from insonate.core import Clearance, InputError, NeedlePath, RangeError, Tissue
from insonate.core.plan import HazardSighting, Plan
from refusals import refused

PATH = NeedlePath(
    entry=(0.0, 0.0),
    target=(0.02, 0.0),
    unit="m",
    length=0.02,
    angle=1.5,
    aims_at="nerve",
    clearances=(
        Clearance(
            structure="artery",
            distance=None,
            interval=None,
            unit=None,
            contact_probability=None,
            margin=0.002,
            reason="not seen",
        ),
    ),
    unknown=("artery",),
    not_seen=0.0,
    rank=1,
    reason="the only one",
)


def hazard(**changes):
    seen = {
        "structure": "artery",
        "tissue": Tissue.ARTERY,
        "margin": 0.002,
        "label": 2,
        "reason": "named by a person",
    }
    return HazardSighting(**seen | changes)


def plan(**changes):
    parts = {"procedure": "LL01", "target": 1, "hazards": (hazard(),), "paths": (PATH,), "reason": "nearest"}
    return Plan(**parts | changes)


def test_a_hazard_without_a_place_is_unknown():
    assert hazard().known
    assert not hazard(label=None).known
    assert plan(hazards=[hazard(), hazard(structure="vein", label=None)]).unknown == ("vein",)
    assert plan().unknown == ()


def test_lists_become_tuples():
    made = plan(hazards=[hazard()], paths=[PATH, replace(PATH, rank=2)])
    assert made.hazards == (hazard(),)
    assert made.paths == (PATH, replace(PATH, rank=2))


def test_no_target_no_path():
    assert plan(target=None, paths=()).paths == ()
    with refused(InputError, "Plan cannot hold 1 paths without a target"):
        plan(target=None)


@pytest.mark.parametrize("ranks", [[2], [1, 1], [2, 1], [1, 3]])
def test_ranks_count_from_one(ranks):
    with refused(InputError, f"Plan.paths must be ranked 1, 2, …, got {ranks}"):
        plan(paths=[replace(PATH, rank=rank) for rank in ranks])


@pytest.mark.parametrize("margin", [0, 0.05])
def test_the_limits_of_a_margin_pass(margin):
    assert hazard(margin=margin).margin == margin


@pytest.mark.parametrize("margin", [-0.001, 2])
def test_a_margin_in_millimeters_is_told_so(margin):
    with refused(RangeError, f"HazardSighting.margin must lie in 0..0.05 m, got {margin} (millimeters?)"):
        hazard(margin=margin)
