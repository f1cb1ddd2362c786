"""Names by place: all of a sign must hold, and where two could be meant there is none."""

from dataclasses import replace

import numpy as np
import pytest

from insonate.analysis.recognition import recognize
from insonate.core import (
    Grid,
    InputError,
    ModelVersion,
    PixelGrid,
    Segmentation,
    Sign,
    Sourced,
    Structure,
    Tissue,
)
from insonate.guidance.procedures import procedure, procedures

LL01, UL03, BU01 = procedure("LL01"), procedure("UL03"), procedure("BU01")
STEP = 2e-4
GRID = Grid(axial=STEP * np.arange(200), lateral=STEP * (np.arange(190) - 95))
MODEL = ModelVersion(name="by hand", version="1", confidence_threshold=0.5)


def disks(*given, grid=GRID, confidence=0.9):
    """Structures as (name, tissue, depth, lateral, diameter) in mm."""
    labels = np.zeros((1, 200, 190), np.uint8)
    z, x = np.meshgrid(STEP * np.arange(200), STEP * (np.arange(190) - 95), indexing="ij")
    for label, (_, _, depth, lateral, diameter) in enumerate(given, start=1):
        labels[0][np.hypot(z - 1e-3 * depth, x - 1e-3 * lateral) <= 5e-4 * diameter] = label
    return Segmentation(
        labels=labels,
        structures=tuple(
            Structure(
                name=name,
                tissue=tissue,
                instance=1 + sum(one[0] == name for one in given[:index]),
                named_by=None if name == tissue.value else "a rule",
            )
            for index, (name, tissue, *_) in enumerate(given)
        ),
        confidence=np.full(labels.shape, confidence, np.float32),
        grid=grid,
        times=None,
        model=MODEL,
    )


NERVE = ("femoral nerve", Tissue.NERVE, 20, -8, 6)
ARTERY = ("artery", Tissue.ARTERY, 20, 3, 8)
VEIN = ("vein", Tissue.VEIN, 21, 13, 7)


def names(*given, of=LL01, **kw):
    return [one.name for one in recognize(disks(*given, **kw), of).structures]


def test_nerve_artery_and_vein_in_a_row_have_their_names_and_say_why():
    named = recognize(disks(NERVE, ARTERY, VEIN), LL01)
    assert [one.name for one in named.structures] == ["femoral nerve", "femoral artery", "femoral vein"]
    said = named.structures[1].named_by
    assert "the only artery of 6 to 11 mm between femoral nerve and vein" in said
    assert "taken on trust" in said and LL01.signs[0].measured in said


def test_on_the_other_side_they_have_them_too():
    mirrored = [
        (name, tissue, depth, -lateral, size) for name, tissue, depth, lateral, size in (NERVE, ARTERY, VEIN)
    ]
    assert names(*mirrored) == ["femoral nerve", "femoral artery", "femoral vein"]


@pytest.mark.parametrize(
    "given",
    [
        (NERVE, ARTERY),  # no vein
        (ARTERY, VEIN),  # no nerve
        (("nerve", *NERVE[1:]), ARTERY, VEIN),  # a nerve that is not known to be the one
        (NERVE, ("artery", Tissue.ARTERY, 20, 3, 4), VEIN),  # too small: a circumflex artery, a branch
        (NERVE, ("artery", Tissue.ARTERY, 20, 3, 13), VEIN),  # too large
        (NERVE, ARTERY, VEIN, ("artery", Tissue.ARTERY, 32, 3, 7)),  # two that could be meant
        (NERVE, ("artery", Tissue.ARTERY, 20, 17, 8), ("vein", Tissue.VEIN, 21, 6, 7)),  # the vein is between
        (NERVE, ("artery", Tissue.ARTERY, 34, 3, 8), VEIN),  # not on a line
        (NERVE, ("vessel", Tissue.VESSEL, 20, 3, 8), VEIN),  # of a kind that nobody told
    ],
)
def test_where_a_part_of_the_sign_is_missing_there_is_no_name(given):
    assert "femoral artery" not in names(*given)
    assert "femoral vein" not in names(*given)


def test_a_speck_within_the_nerve_is_no_vein():
    speck = ("vein", Tissue.VEIN, 20, -5, 2.5)
    assert names(NERVE, ARTERY, VEIN, speck) == ["femoral nerve", "femoral artery", "femoral vein", "vein"]


def test_a_vein_over_the_artery_is_not_beyond_it():
    over = ("vein", Tissue.VEIN, 8, 3, 6)
    assert names(NERVE, ARTERY, VEIN, over) == ["femoral nerve", "femoral artery", "femoral vein", "vein"]


def test_a_neighbor_further_than_a_neighborhood_is_none():
    far, artery, vein = (
        ("femoral nerve", Tissue.NERVE, 20, -17.5, 3),
        ("artery", Tissue.ARTERY, 20, 9, 8),
        ("vein", Tissue.VEIN, 20, 16.5, 4),
    )
    assert names(far, artery, vein)[1] == "artery"
    assert names(("femoral nerve", Tissue.NERVE, 20, -15, 3), artery, vein)[1] == "femoral artery"


def test_bone_over_an_artery_is_not_below_it():
    artery, over = ("artery", Tissue.ARTERY, 20, 6, 8), ("bone", Tissue.BONE, 6, 6, 8)
    assert names(artery, over, ("pleura", Tissue.PLEURA, 35, 2, 14), of=UL03)[0] == "artery"


def test_two_veins_beyond_the_artery_leave_the_vein_without_a_name():
    assert names(NERVE, ARTERY, VEIN, ("vein", Tissue.VEIN, 28, 15, 5)) == [
        "femoral nerve",
        "femoral artery",
        "vein",
        "vein",
    ]


def test_what_is_not_known_counts_for_nothing():
    assert "femoral artery" not in names(NERVE, ARTERY, VEIN, confidence=0.4)


def test_without_spacing_nothing_has_a_size():
    pixels = PixelGrid(rows=200, columns=190, spacing=None)
    assert names(NERVE, ARTERY, VEIN, grid=pixels) == ["femoral nerve", "artery", "vein"]


def test_what_somebody_named_keeps_its_name_and_its_name_is_given_once():
    by_hand = disks(NERVE, ARTERY, VEIN)
    other = list(by_hand.structures)
    other[2] = replace(other[2], name="femoral artery", tissue=Tissue.ARTERY, named_by="viewer 1")
    assert [one.name for one in recognize(replace(by_hand, structures=tuple(other)), LL01).structures] == [
        "femoral nerve",
        "artery",
        "femoral artery",
    ]


def test_an_artery_over_bone_and_pleura_is_the_subclavian():
    artery, rib = ("artery", Tissue.ARTERY, 16, 6, 8), ("bone", Tissue.BONE, 26, 5, 8)
    pleura = ("pleura", Tissue.PLEURA, 35, 2, 14)
    assert names(artery, rib, pleura, of=UL03)[0] == "subclavian artery"
    assert names(artery, rib, of=UL03)[0] == "artery"
    assert names(artery, ("bone", Tissue.BONE, 26, -12, 8), pleura, of=UL03)[0] == "artery"


def test_a_tendon_over_bone_is_the_supraspinatus():
    tendon, bone = ("tendon", Tissue.TENDON, 18, 1, 11), ("bone", Tissue.BONE, 32, -1, 14)
    assert names(tendon, bone, of=BU01)[0] == "supraspinatus tendon"
    assert names(tendon, of=BU01)[0] == "tendon"


def test_every_sign_is_of_a_hazard_and_says_how_often_it_was_right():
    for one in procedures():
        for sign in one.signs:
            assert (sign.structure, sign.tissue) in {
                (hazard.structure, hazard.tissue) for hazard in one.hazards
            }
            assert "right in" in sign.measured


def number(value):
    return Sourced(value=value, source="test", evidence="D")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"above": ()}, "size alone tells no structure"),
        ({"between": ("femoral nerve",)}, "must name two"),
        ({"diameter": (number(6.0), number(11.0))}, "millimeters"),
    ],
)
def test_a_sign_that_says_too_little_is_refused(changed, said):
    sign = {
        "structure": "femoral artery",
        "tissue": Tissue.ARTERY,
        "diameter": (number(6e-3), number(11e-3)),
        "between": (),
        "beyond": (),
        "above": (Tissue.BONE,),
        "measured": "never",
    }
    with pytest.raises(InputError, match=said):
        Sign(**(sign | changed))
