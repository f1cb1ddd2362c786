"""The neck: what lies where in truth, how nerves join and part, variants that change the topology."""

import os
from functools import cache

import numpy as np
import pytest
from scipy.ndimage import label as components

from insonate.core import Tissue
from insonate.guidance.procedures import catalog
from insonate.simulation.anatomy import CompiledBody, Window, compiler, region
from insonate.simulation.anatomy.compiler import compile_volumes
from insonate.simulation.anatomy.solids import solids
from simulation.anatomy.phantoms import STILL, held, plane

LEVELS = {"supraclavicular": -20e-3, "interscalene": 20e-3, "trunks": 1e-3}
"""y of planes across the neck [m]."""
STEP = 0.5e-3
"""Of the compiled slabs [m]."""
SPECK = 60
"""Samples, 0.4 square millimeters: an outline that voxels break is no other piece."""
ALL = "INSONATE_ALL" in os.environ
"""Whether the self-check has time for everybody."""
VARIANTS = ("usual", *region("neck").variants)
DIVISIONS = [
    f"{which} division of {level} trunk"
    for level in ("superior", "middle", "inferior")
    for which in ("anterior", "posterior")
]


@cache
def slab(level, variant="usual", seed=3, pathologies=()):
    """Compile a plane's neighborhood."""
    individual = region("neck").individual(seed, variant=variant, pathologies=pathologies)
    window = Window(name=level, center=(2e-3, LEVELS[level]), reach=(62e-3, 5e-3, 36e-3))
    return CompiledBody(individual, compile_volumes(individual, window, step=STEP))


@cache
def labels(level, variant="usual", seed=3, pathologies=()):
    """(x, z) labels across the neck."""
    return (
        slab(level, variant, seed, pathologies)
        .cut(plane(held(2e-3, LEVELS[level]), (390, 850)), STILL)
        .labels
    )


def where(level, name, variant="usual", seed=3, pathologies=()):
    return labels(level, variant, seed, pathologies) == slab(level, variant, seed, pathologies).label(name)


def middle(mask):
    """(x, z) of a structure's middle [m]."""
    i, j = np.nonzero(mask)
    return np.array([(i.mean() - 195) * 0.15e-3 + 2e-3, j.mean() * 0.04e-3])


def pieces(mask):
    """Give how many pieces larger than a speck."""
    found, _ = components(mask)
    return int((np.bincount(found.ravel())[1:] > SPECK).sum())


def apart(individual):
    """Refuse what the compiler refuses, without compiling: over all windows at once."""
    corners = np.array(
        [[np.subtract(w.center, np.array(w.reach[:2]) / 2), np.add(w.center, np.array(w.reach[:2]) / 2)]
         for w in region("neck").windows]
    )  # fmt: skip
    low, high = corners[:, 0].min(axis=0), corners[:, 1].max(axis=0)
    axes = [np.array([a, b]) for a, b in zip([*low, 0.0], [*high, 44e-3], strict=True)]
    compiler.check_apart(individual, solids(individual.blocks, individual.rng), axes)


@pytest.mark.parametrize(
    ("variant", "seed"),
    [(v, s) for v in VARIANTS for s in range(20)]
    if ALL
    else list(zip(VARIANTS, (0, 4, 9, 13, 18), strict=True)),
)
def test_no_individual_intersects_itself(variant, seed):
    """One seed a variant; with INSONATE_ALL set each of twenty in every variant."""
    apart(region("neck").individual(seed, variant=variant))


def test_windows_are_named_and_small_enough():
    assert [one.name for one in region("neck").windows] == ["supraclavicular", "interscalene", "between"]
    for one in region("neck").windows:
        assert all(size <= most for size, most in zip(one.reach, (0.1, 0.06, 0.06), strict=True))


def test_the_artery_lies_on_the_first_rib_and_the_plexus_beside_and_above_it():
    artery, rib = (middle(where("supraclavicular", name)) for name in ("subclavian artery", "first rib"))
    assert 0 < rib[1] - artery[1] < 14e-3
    assert abs(rib[0] - artery[0]) < 12e-3
    plexus = np.array([middle(where("supraclavicular", name)) for name in DIVISIONS])
    assert (plexus[:, 0] < artery[0] - 4e-3).all()
    assert (plexus[:, 1] < rib[1]).all()
    assert 10e-3 < plexus[:, 1].mean() < 30e-3  # CLINICAL A1 UL03: 1-3 cm
    assert (
        pieces(np.isin(labels("supraclavicular"), [slab("supraclavicular").label(n) for n in DIVISIONS])) >= 4
    )


def test_anterior_scalene_lies_medial_to_the_artery_and_middle_scalene_lateral_to_the_plexus():
    artery = middle(where("supraclavicular", "subclavian artery"))
    assert middle(where("supraclavicular", "anterior scalene"))[0] > artery[0]
    assert middle(where("supraclavicular", "middle scalene"))[0] < artery[0] - 10e-3


def test_the_pleura_lies_below_artery_and_plexus():
    body = slab("supraclavicular")
    lung = body.label("pleura")
    for name in ("subclavian artery", *DIVISIONS):
        i, j = np.nonzero(where("supraclavicular", name))
        points = np.stack([(i - 195) * 0.15e-3 + 2e-3, np.full(len(i), -20e-3), j * 0.04e-3], axis=1)
        assert body.distance(lung, points).min() > 0.3e-3


def test_roots_lie_one_below_the_other_between_the_scalenes():
    roots = np.array([middle(where("interscalene", f"C{n} root")) for n in (5, 6, 7)])
    assert (np.diff(roots[:, 1]) > 3e-3).all()
    assert 8e-3 < roots[0, 1] < roots[-1, 1] < 30e-3  # CLINICAL A1 UL01: 1-3 cm
    front, back = (middle(where("interscalene", f"{which} scalene")) for which in ("anterior", "middle"))
    assert (roots[:, 0] < front[0]).all()
    assert (roots[:, 0] > back[0]).all()


@pytest.mark.parametrize(("root", "low", "high"), [("C5", 3.5, 9), ("C6", 6, 13), ("C7", 6.5, 14)])
def test_areas_of_roots_lie_near_the_published_ones(root, low, high):
    """CLINICAL D1: about 6, 9-10 and 10 mm2, deviation 2-3."""
    area = where("interscalene", f"{root} root").sum() * 0.15 * 0.04
    assert low < area < high


def test_the_phrenic_nerve_lies_on_the_anterior_scalene_and_leaves_the_plexus_on_its_way_down():
    gap = {}
    for level, nearest in (("interscalene", "C5 root"), ("trunks", "superior trunk")):
        phrenic, scalene = (middle(where(level, name)) for name in ("phrenic nerve", "anterior scalene"))
        assert phrenic[1] < scalene[1]
        gap[level] = phrenic[0] - middle(where(level, nearest))[0]
    assert 2e-3 < gap["interscalene"] < gap["trunks"]


def test_c5_and_c6_join_to_the_superior_trunk():
    trunk = where("trunks", "superior trunk")
    assert pieces(trunk) == 1
    trunks = slab("trunks")
    for name in names(trunks) & {"C5 root", "C6 root"}:
        assert (labels("trunks") == trunks.label(name)).sum() <= SPECK
    above = where("interscalene", "C5 root") | where("interscalene", "C6 root")
    assert pieces(above) == 2


def names(body):
    return {one.name for one in body.structures}


def test_vein_and_artery_of_the_neck_lie_medial_to_the_groove():
    vein, artery = (
        middle(where("interscalene", name)) for name in ("internal jugular vein", "common carotid artery")
    )
    root = middle(where("interscalene", "C6 root"))
    assert root[0] + 12e-3 < vein[0] < artery[0]


def test_what_a_procedure_names_here_is_there():
    """UL03: every hazard but the dorsal scapular artery, which a variant has."""
    wanted = {one.structure for one in catalog.procedure("UL03").hazards}
    known = names(slab("supraclavicular")) | names(slab("supraclavicular", "artery_through_plexus"))
    assert {"subclavian artery", "pleura", "dorsal scapular artery"} <= wanted & known
    assert wanted - known <= {"suprascapular artery"}  # it runs along the clavicle, below this plane
    assert "suprascapular artery" in {block.get("name") for _, block in region("neck").blocks}


def test_an_artery_may_pass_through_the_plexus():
    """Usually nothing but nerve and connective tissue is met from the upper divisions to the lower; here an artery is."""
    for variant, expected in (("usual", 0), ("artery_through_plexus", 1)):
        seen = labels("supraclavicular", variant)
        body = slab("supraclavicular", variant)
        upper, lower = (
            middle(where("supraclavicular", f"posterior division of {which} trunk", variant))
            for which in ("superior", "middle")
        )
        way = np.linspace(upper, lower, 200)
        at = seen[((way[:, 0] - 2e-3) / 0.15e-3 + 195).astype(int), (way[:, 1] / 0.04e-3).astype(int)]
        tissues = np.array([None, *(one.tissue for one in body.structures)])[at]
        assert int((tissues == Tissue.ARTERY).any()) == expected


def test_the_uppermost_root_may_pass_through_the_anterior_scalene():
    for variant, inside in (("usual", False), ("root_through_scalene", True)):
        root = where("interscalene", "C5 root", variant)
        i, j = np.nonzero(root)
        row = labels("interscalene", variant)[:, int(j.mean())]
        scalene = slab("interscalene", variant).label("anterior scalene")
        both = (row[: i.min()] == scalene).any() and (row[i.max() :] == scalene).any()
        assert both == inside


def test_there_may_be_a_second_phrenic_nerve():
    assert "accessory phrenic nerve" not in names(slab("trunks"))
    one, other = (
        middle(where("trunks", name, "accessory_phrenic"))
        for name in ("accessory phrenic nerve", "phrenic nerve")
    )
    trunk = middle(where("trunks", "superior trunk", "accessory_phrenic"))
    assert trunk[0] < one[0] < other[0]


def test_a_small_scalene_may_part_artery_and_plexus():
    for variant, expected in (("usual", False), ("scalenus_minimus", True)):
        body, seen = slab("supraclavicular", variant), labels("supraclavicular", variant)
        artery = middle(where("supraclavicular", "subclavian artery", variant))
        nerve = middle(where("supraclavicular", "anterior division of middle trunk", variant))
        way = np.linspace(nerve, artery, 200)
        at = seen[((way[:, 0] - 2e-3) / 0.15e-3 + 195).astype(int), (way[:, 1] / 0.04e-3).astype(int)]
        tissues = np.array([None, *(one.tissue for one in body.structures)])[at]
        assert (tissues == Tissue.MUSCLE).any() == expected


@pytest.mark.parametrize(
    ("pathology", "level", "name"),
    [
        ("swollen_roots", "interscalene", "C5 root"),
        ("swollen_roots", "interscalene", "C6 root"),
    ],
)
def test_a_pathology_enlarges_what_it_names(pathology, level, name):
    assert where(level, name, pathologies=(pathology,)).sum() > 1.2 * where(level, name).sum()


def test_swollen_nodes_are_rounder():
    of = region("neck")
    well, ill = of.individual(3).quantities, of.individual(3, pathologies=["lymphadenopathy"]).quantities
    assert ill["node_height_mm"] / ill["node_width_mm"] > 1.5 * well["node_height_mm"] / well["node_width_mm"]


def test_an_operator_goes_for_a_nerve_of_the_window():
    known = {block.get("name"): block.get("tissue") for _, block in region("neck").blocks}
    for window in region("neck").windows:
        assert known[window.target] == "nerve"
    assert region("femoral_crease").window().target is None
