"""A proper name is given by the stated rule only, with the error rate of the model that drew the structure."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.analysis.models.nerve_vessel import card, nerve_vessel
from insonate.analysis.naming import invented_rate, name_structures
from insonate.core import (
    Hazard,
    Injectate,
    ModelVersion,
    Needle,
    PixelGrid,
    Procedure,
    Segmentation,
    Sourced,
    Structure,
    Target,
    TargetKind,
    Tissue,
)
from insonate.core.procedure import Approach, Review

TABLE = {
    "name": "reader",
    "version": "2",
    "measured": {"nerve": {"invented": [0.234, 0.171, 0.296]}, "vessel": {"invented": [0.1, 0.05, 0.15]}},
}
MODEL = ModelVersion(name="reader", version="2", confidence_threshold=0.5)
RULE = (
    "the largest nerve of a picture taken for ZZ01; of the model's nerves 23 % (17 to 30) are none, and that the picture "
    "shows this view is taken on trust"
)


def number(value):
    return Sourced(value=value, source="test", evidence="D")


def block(*structures, tissue=Tissue.NERVE):
    return Procedure(
        id="ZZ01",
        name="test block",
        target=Target(
            kind=TargetKind.AROUND,
            structures=structures or ("sciatic nerve",),
            tissue=tissue,
            standoff=number(2e-3),
        ),
        hazards=(Hazard(structure="an artery", tissue=Tissue.ARTERY, margin=number(3e-3)),),
        view="",
        landmarks=(),
        approach=Approach.IN_PLANE,
        direction="",
        depth=(number(0.01), number(0.02)),
        angle_limit=number(1.0),
        needle=Needle(gauge=22, diameter=number(7e-4), length=number(0.05)),
        injectate=Injectate(volume=(number(1e-5), number(2e-5))),
        warnings=(),
        review=Review.NOT_REVIEWED,
        sources=("test",),
    )


def strips(*sizes, tissues=None, confidence=0.9, model=MODEL):
    """Structures of so many pixels each, one a row."""
    labels = np.zeros((1, len(sizes), 40), np.uint8)
    for row, size in enumerate(sizes):
        labels[0, row, :size] = row + 1
    tissues = tissues or [Tissue.NERVE] * len(sizes)
    sure = np.empty(labels.shape, np.float32)
    sure[0] = np.reshape(confidence, (-1, 1))
    return Segmentation(
        labels=labels,
        structures=tuple(
            Structure(name=tissue.value, tissue=tissue, instance=index + 1)
            for index, tissue in enumerate(tissues)
        ),
        confidence=sure,
        grid=PixelGrid(rows=len(sizes), columns=40, spacing=None),
        times=None,
        model=model,
    )


def names(segmentation):
    return [structure.name for structure in segmentation.structures]


def test_the_largest_of_its_tissue_is_the_target_and_says_by_which_rule():
    before = strips(10, 30, 12)
    after = name_structures(before, block(), table=TABLE)
    assert names(after) == ["nerve", "sciatic nerve", "nerve"]
    named = after.structures[1]
    assert (named.instance, named.tissue, named.named_by) == (1, Tissue.NERVE, RULE)
    assert after.structures[::2] == before.structures[::2]
    assert after.labels is before.labels or np.array_equal(after.labels, before.labels)
    assert (after.model, after.grid) == (before.model, before.grid)


@pytest.mark.parametrize(("second", "named"), [(15, True), (16, False), (30, False)])
def test_a_second_more_than_half_as_large_makes_the_choice_unsure(second, named):
    for sizes in ((second, 30), (30, second)):
        assert ("sciatic nerve" in names(name_structures(strips(*sizes), block(), table=TABLE))) is named


def test_only_pixels_that_are_known_count():
    confident = strips(30, 10, confidence=[0.49, 0.5])
    assert names(name_structures(confident, block(), table=TABLE)) == ["nerve", "sciatic nerve"]
    none_known = strips(30, 10, confidence=0.49)
    assert name_structures(none_known, block(), table=TABLE) is none_known


def test_other_tissues_do_not_count():
    mixed = strips(10, 40, tissues=[Tissue.NERVE, Tissue.VESSEL])
    assert names(name_structures(mixed, block(), table=TABLE)) == ["sciatic nerve", "vessel"]
    without = strips(40, tissues=[Tissue.VESSEL])
    assert name_structures(without, block(), table=TABLE) is without


def test_several_targets_have_no_rule():
    before = strips(30)
    assert name_structures(before, block("median nerve", "ulnar nerve"), table=TABLE) is before


@pytest.mark.parametrize("tissue", [Tissue.ARTERY, Tissue.VEIN])
def test_artery_and_vein_have_no_rule(tissue):
    before = strips(30, tissues=[tissue])
    assert name_structures(before, block("femoral artery", tissue=tissue), table=TABLE) is before


@pytest.mark.parametrize("changes", [{"name": "another"}, {"version": "1"}])
def test_labels_of_another_model_get_no_name_because_nobody_knows_their_error_rate(changes):
    before = strips(30, model=replace(MODEL, **changes))
    assert name_structures(before, block(), table=TABLE) is before


def test_a_card_that_does_not_say_gives_no_name():
    before = strips(30)
    assert name_structures(before, block(), table=TABLE | {"measured": {"nerve": {}}}) is before


def test_an_empty_picture_is_left_as_it_is():
    before = strips(0)
    assert name_structures(before, block(), table=TABLE) is before


def test_the_default_network_names_with_the_rate_of_its_card():
    rate = card()["measured"]["nerve"]["invented"]
    after = name_structures(strips(30, model=nerve_vessel().version), block())
    assert names(after) == ["sciatic nerve"]
    percent = [f"{100 * share:.0f}" for share in rate]
    assert (
        f"of the model's nerves {percent[0]} % ({percent[1]} to {percent[2]}) are none"
        in after.structures[0].named_by
    )


def test_the_rate_is_that_of_the_tissue():
    assert invented_rate(TABLE, Tissue.NERVE) == (0.234, 0.171, 0.296)
    assert invented_rate(TABLE, Tissue.VESSEL) == (0.1, 0.05, 0.15)
    assert invented_rate(TABLE, Tissue.ARTERY) is None
    assert invented_rate({}, Tissue.NERVE) is None


@given(st.lists(st.integers(0, 40), min_size=1, max_size=5))
def test_at_most_one_structure_is_named_and_only_a_clearly_largest_one(sizes):
    after = name_structures(strips(*sizes), block(), table=TABLE)
    named = [index for index, name in enumerate(names(after)) if name == "sciatic nerve"]
    ranked = sorted(sizes, reverse=True)
    clearly = ranked[0] > 0 and (len(sizes) == 1 or ranked[1] <= ranked[0] / 2)
    assert named == ([sizes.index(ranked[0])] if clearly else [])


@pytest.mark.parametrize(
    ("gap_mm", "spacing", "named"),
    [(2.0, 1e-3, True), (0.5, 1e-3, False), (None, 1e-3, False), (2.0, None, False)],
)
def test_nerves_of_a_plexus_make_the_largest_of_them_no_less_sure(gap_mm, spacing, named):
    """Strips a row apart: 1 mm from middle to middle of the pixels."""
    nerves = strips(20, 18, 15)
    nerves = replace(
        nerves,
        grid=PixelGrid(rows=3, columns=40, spacing=None if spacing is None else (spacing, spacing)),
    )
    one = block("brachial plexus")
    together = None if gap_mm is None else number(1e-3 * gap_mm)
    one = replace(one, target=replace(one.target, together=together))
    names = [s.name for s in name_structures(nerves, one, table=TABLE).structures]
    assert names == (["brachial plexus", "nerve", "nerve"] if named else ["nerve"] * 3)


def test_a_large_nerve_apart_from_the_plexus_makes_it_unsure():
    apart = strips(20, 0, 0, 0, 18)
    apart = replace(apart, grid=PixelGrid(rows=5, columns=40, spacing=(1e-3, 1e-3)))
    one = block("brachial plexus")
    one = replace(one, target=replace(one.target, together=number(2e-3)))
    assert all(s.named_by is None for s in name_structures(apart, one, table=TABLE).structures)
