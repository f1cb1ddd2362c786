"""A name that a person gave stays with its structure, follows it and the probe, and is dropped rather than moved on."""

from dataclasses import replace

import numpy as np
import pytest

from insonate.analysis.naming import name_structures
from insonate.core import Grid, InputError, ModelVersion, PixelGrid, Segmentation, Structure, Tissue
from insonate.guidance.procedures import procedure
from insonate.pipeline.annotations import FORGETS, Annotations
from refusals import refused
from simulation.motion.poses import held

LL01 = procedure("LL01")
GRID = Grid(axial=np.arange(200) * 2e-4, lateral=(np.arange(190) - 95) * 2e-4)


def seen(*parts):
    labels = np.zeros((1, *GRID.shape), np.uint8)
    structures, count = [], {}
    for number, (tissue, center) in enumerate(parts, start=1):
        labels[0][
            np.hypot((GRID.axial - center[0])[:, None], (GRID.lateral - center[1])[None, :]) <= 0.002
        ] = number
        count[tissue] = count.get(tissue, 0) + 1
        structures.append(Structure(name=tissue.value, tissue=tissue, instance=count[tissue]))
    return Segmentation(
        labels=labels, structures=tuple(structures), confidence=np.full(labels.shape, 0.9, np.float32), grid=GRID,
        times=None, model=ModelVersion(name="a test", version="1", confidence_threshold=0.5),
    )  # fmt: skip


TWO = ((Tissue.ARTERY, (0.018, 0.004)), (Tissue.ARTERY, (0.028, 0.004)), (Tissue.VEIN, (0.018, 0.012)))


def names(segmentation):
    return [one.name for one in segmentation.structures]


def annotated(name="femoral artery", place=(0.018, 0.004), parts=TWO, **more):
    one = Annotations()
    one.name(seen(*parts), LL01, place, name, by="viewer 1", probe=None, now=0.0, **more)
    return one


def test_a_name_stays_with_its_structure_and_says_who_gave_it():
    later = annotated().applied(seen(*TWO[::-1]), None, 0.5)
    assert names(later) == ["vein", "artery", "femoral artery"]
    assert later.structures[2].named_by == "viewer 1, by a click"
    assert Annotations().applied(later, None, 0.5) is later


def test_a_name_follows_what_moves_and_the_probe():
    there, one = held(at=(0.0, 0.0, 0.0)), Annotations()
    one.name(seen(*TWO), LL01, (0.018, 0.004), "femoral artery", by="viewer 1", probe=there, now=0.0)
    for k in range(1, 6):
        moved = seen((Tissue.ARTERY, (0.018 + 0.002 * k, 0.004)), TWO[2])
        assert "femoral artery" in names(one.applied(moved, there, 0.1 * k))
    one = Annotations()
    one.name(
        seen(*TWO),
        LL01,
        (0.018, 0.004),
        "femoral artery",
        by="viewer 1",
        probe=held(at=(0.0, 0.0, 0.0)),
        now=0.0,
    )
    slid = seen((Tissue.ARTERY, (0.018, -0.006)), (Tissue.ARTERY, (0.018, 0.004)))
    assert names(one.applied(slid, held(at=(0.010, 0.0, 0.0)), 0.2)) == ["femoral artery", "artery"]


def test_a_structure_that_is_not_found_bears_no_name_and_another_does_not_inherit_it():
    one = annotated()
    assert names(one.applied(seen(TWO[1], TWO[2]), None, 0.5)) == ["artery", "vein"]
    assert "femoral artery" in names(one.applied(seen(*TWO), None, 1.0))
    one.applied(seen(TWO[2]), None, 1.1 + FORGETS)
    assert "femoral artery" not in names(one.applied(seen(*TWO), None, 1.2 + FORGETS))


def test_a_name_is_taken_away_and_one_name_is_borne_once():
    one = annotated()
    one.name(seen(*TWO), LL01, (0.028, 0.004), "femoral artery", by="viewer 2", probe=None, now=1.0)
    now = one.applied(seen(*TWO), None, 1.1)
    assert names(now) == ["artery", "femoral artery", "vein"]
    one.name(now, LL01, (0.028, 0.004), None, by="viewer 2", probe=None, now=1.2)
    assert names(one.applied(seen(*TWO), None, 1.3)) == ["artery", "artery", "vein"]


@pytest.mark.parametrize(
    ("place", "name", "why"),
    [
        ((0.005, -0.015), "femoral artery", "no structure is outlined there"),
        (
            (0.018, 0.012),
            "femoral artery",
            "the femoral artery is an artery; what is outlined there is a vein",
        ),
    ],
)
def test_what_does_not_fit_is_refused(place, name, why):
    with refused(InputError, why):
        annotated(name, place)


def test_a_name_of_another_procedure_is_refused():
    with pytest.raises(InputError, match="LL01 knows no 'phrenic nerve': one of"):
        annotated("phrenic nerve")


def test_a_vessel_of_unknown_kind_may_be_either():
    parts = ((Tissue.VESSEL, (0.018, 0.004)),)
    assert names(annotated("femoral vein", parts=parts).applied(seen(*parts), None, 0.1)) == ["femoral vein"]


def test_a_target_named_by_a_person_is_not_named_again_by_rule():
    nerves = ((Tissue.NERVE, (0.018, -0.01)), (Tissue.NERVE, (0.03, -0.01)))
    one = annotated("femoral nerve", (0.03, -0.01), nerves)
    table = {"name": "a test", "version": "1", "measured": {"nerve": {"invented": [0.1, 0.0, 0.2]}}}
    named = name_structures(one.applied(seen(*nerves), None, 0.1), LL01, table=table)
    assert names(named) == ["nerve", "femoral nerve"]


def test_a_name_does_not_pass_to_a_neighbor_of_the_same_tissue():
    one = annotated()
    beside = (Tissue.ARTERY, (0.018, 0.008))  # 2 mm of radius, 4 mm aside: its nearest pixel is 2 mm away
    assert names(one.applied(seen(beside, TWO[2]), None, 0.3)) == ["artery", "vein"]


@pytest.mark.parametrize("spacing", [(2e-4, 2e-4), None])
def test_a_structure_of_a_real_picture_is_named_where_its_spacing_is_known(spacing):
    rows, columns = GRID.shape
    picture = replace(seen(*TWO), grid=PixelGrid(rows=rows, columns=columns, spacing=spacing))
    one, place = Annotations(), (0.018, 0.004 - GRID.lateral[0])
    if spacing is None:
        with refused(InputError, "no structure is outlined there"):
            one.name(picture, LL01, place, "femoral artery", by="viewer 1", probe=None, now=0.0)
        return
    one.name(picture, LL01, place, "femoral artery", by="viewer 1", probe=None, now=0.0)
    assert names(one.applied(picture, None, 0.5)) == ["femoral artery", "artery", "vein"]


@pytest.mark.parametrize(("moved", "keeps"), [(0.0, True), (0.5e-3, True), (2.0e-3, False)])
def test_without_a_tracked_probe_a_name_needs_most_of_its_outline_to_go_on(moved, keeps):
    later = annotated().applied(seen((Tissue.ARTERY, (0.018 + moved, 0.004))), None, 0.5)
    assert ("femoral artery" in names(later)) is keeps
