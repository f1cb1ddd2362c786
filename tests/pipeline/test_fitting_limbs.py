"""Bodies of no particular place: written in the language, each another, nothing in each other, made into pictures."""

import numpy as np
import pytest

from insonate.core import RangeError
from insonate.pipeline import fitting_pictures
from insonate.pipeline.fitting_limbs import ASIDE, LOWEST, limb
from insonate.simulation.anatomy import regions
from insonate.simulation.anatomy.compiler import compile_volumes

SEEDS = range(40)
REFUSED = 0.1
"""At most, share of bodies in which two nerves lie in each other all the same: their outline is uneven."""


def kinds(seed):
    individual = limb(seed).individual(seed)
    return [str(content["tissue"]) for kind, content in individual.blocks if kind == "tube"]


def test_the_same_seed_throws_the_same_body_and_another_another():
    assert limb(4).text == limb(4).text
    assert limb(4).text != limb(5).text


def test_bodies_differ_in_what_they_hold():
    all_kinds = [kinds(seed) for seed in SEEDS]
    assert {one.count("nerve") for one in all_kinds} >= {1, 2, 3}
    assert {one.count("artery") for one in all_kinds} == {0, 1, 2}
    assert {one.count("vein") for one in all_kinds} >= {0, 1, 2}
    assert any("tendon" in one for one in all_kinds)


def test_nerves_and_vessels_lie_within_reach_and_apart():
    for seed in SEEDS:
        middle = [
            content["stations"][1]
            for kind, content in limb(seed).individual(seed).blocks
            if kind == "tube" and content["tissue"] in ("nerve", "artery", "vein", "tendon")
        ]
        for number, one in enumerate(middle):
            assert abs(one["x_mm"]) <= ASIDE and one["z_mm"] < LOWEST
            for other in middle[:number]:
                apart = np.hypot(one["x_mm"] - other["x_mm"], one["z_mm"] - other["z_mm"])
                assert apart > (one["height_mm"] + other["height_mm"]) / 2


def test_nearly_all_can_be_compiled():
    refused = 0
    some = range(0, 40, 8)
    for seed in some:
        region = limb(seed)
        try:
            compile_volumes(region.individual(seed), region.windows[0])
        except RangeError:
            refused += 1
    assert refused <= max(REFUSED * len(some), 1)


def test_no_patient_is_made_of_one():
    assert "limb" not in regions()


@pytest.mark.parametrize("region", ["limb", "femoral_crease"])
def test_pictures_of_it_have_ranges_of_their_own(region):
    drawer = fitting_pictures._Drawer(np.random.default_rng(0), region)
    assert (drawer.table["needle"]["share"] == 0) == (region == "limb")
    assert drawer.table["probe"]["half_width"] == 19.2e-3
