"""A region is data: every number is cited, every slip is named, and a seed makes one individual of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.core import FormatError, RangeError, Tissue, UnknownNameError
from insonate.simulation.anatomy import read, region, regions
from insonate.simulation.anatomy.language import evaluated
from refusals import refused
from simulation.anatomy.phantoms import LAYERED, ROD

VALUES = {"a": 2.0, "b": 3.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [("a + b", 5), ("a - b * 2", -4), ("max(a, b) / a", 1.5), ("-(a)", -2), (4, 4), ("min(a, 1, b)", 1)],
)
def test_sums_are_worked_out(text, value):
    assert evaluated(text, VALUES, "here") == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["__import__('os')", "a ** b", "c", "a.real", "[1]", "'x'", "lambda: 1", "True + c"]
)
def test_nothing_else_is_evaluated(text):
    with refused(
        FormatError, f"here: '{text}' must be made of numbers, names of quantities, + - * /, min and max"
    ):
        evaluated(text, VALUES, "here")


def test_what_is_no_sum_is_refused():
    with refused(FormatError, "here: 'a +' is no sum"):
        evaluated("a +", VALUES, "here")


def test_every_shipped_region_reads():
    assert "femoral_crease" in regions()
    for name in regions():
        assert region(name).windows


def test_a_region_is_known_by_its_name_with_spaces():
    assert region("femoral crease").name == "femoral_crease"


@given(seed=st.integers(0, 2**32 - 1), variant=st.sampled_from(["usual", *region("femoral_crease").variants]))
@settings(max_examples=40)
def test_every_individual_keeps_to_the_limits(seed, variant):
    of = region("femoral_crease")
    drawn = of.individual(seed, variant=variant).quantities
    changed = {} if variant == "usual" else of.variants[variant].get("set", {})
    for name, quantity in of.quantities.items():
        if name not in changed:
            assert quantity.limits[0] <= drawn[name] <= quantity.limits[1]
        else:
            assert drawn[name] == changed[name]


def test_sizes_have_their_mean_and_spread():
    of = region("femoral_crease")
    drawn = np.array([of.individual(seed).quantities["artery_width_mm"] for seed in range(150)])
    quantity = of.quantities["artery_width_mm"]
    assert drawn.mean() == pytest.approx(quantity.mean, abs=4 * quantity.spread / 12)
    assert drawn.std() == pytest.approx(quantity.spread, rel=0.2)


def test_a_pathology_scales_what_it_says():
    of = region("femoral_crease")
    well, ill = of.individual(3), of.individual(3, pathologies=["lymphadenopathy"])
    assert ill.quantities["node_height_mm"] == pytest.approx(2.1 * well.quantities["node_height_mm"])
    assert ill.quantities["artery_width_mm"] == well.quantities["artery_width_mm"]


def test_a_variant_moves_no_other_size():
    of = region("femoral_crease")
    assert of.individual(3).quantities == of.individual(3, variant="high_division").quantities


@pytest.mark.parametrize(
    ("found", "replaced", "message"),
    [
        ('tissue = "artery"', 'tissue = "wood"', None),
        ('name = "rod"\n', "", "phantom.toml: tube '' must have 'name'"),
        ('name = "rod"', 'name = "rod"\ncolor = 3', "phantom.toml: tube 'rod': 'color' is no part of a tube"),
        (
            'source = "test"\nevidence = "D"\n\n[[tube]]',
            'evidence = "D"\n\n[[tube]]',
            "phantom.toml: surface 'skin of it' must have a source and a tag of A, B, C, S, M, U, D",
        ),
        ("[[tube]]", "[[rope]]", "phantom.toml: 'rope' is no part of the language (arch, ellipsoid, halo, pathologies, "
         "quantities, relief, shell, surface, tube, variants, windows)"),
        ("[windows.all]", "[quantities.w]", None),
    ],
)  # fmt: skip
def test_a_slip_is_named(found, replaced, message):
    text = ROD.replace(found, replaced, 1)
    assert text != ROD
    if message is None:
        with pytest.raises(FormatError):
            read(text=text, name="phantom")
        return
    with refused(FormatError, message):
        read(text=text, name="phantom")


def test_a_tissue_must_be_known():
    words = ", ".join(sorted(tissue.value for tissue in Tissue))
    with refused(FormatError, f"phantom.toml: tube 'rod': tissue must be one of {words}, got 'wood'"):
        read(text=ROD.replace('tissue = "artery"', 'tissue = "wood"'), name="phantom")


def test_negative_sizes_are_refused_by_name():
    of = read(text=ROD.replace("width_mm = 8", "width_mm = -8", 1), name="phantom")
    with refused(RangeError, "phantom: width_mm of 'rod' must be positive, got -8"):
        of.individual(1)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, "7"])
def test_a_seed_is_a_whole_number(seed):
    with refused(RangeError, f"seed must be a whole number in 0..4294967295, got {seed!r}"):
        region("femoral_crease").individual(seed)


def test_unknown_names_are_refused():
    of = region("femoral_crease")
    with refused(
        UnknownNameError,
        "variant of femoral_crease must be one of usual, high_division, circumflex_across, high_profunda, "
        "accessory_vein, medial_cutaneous_nerve, got 'none'",
    ):
        of.individual(1, variant="none")
    with refused(
        UnknownNameError,
        "pathology of femoral_crease must be one of lymphadenopathy, swollen_nerve, got 'cold'",
    ):
        of.individual(1, pathologies=["cold"])
    with refused(UnknownNameError, "window of femoral_crease must be one of crease, medial, got 'x'"):
        of.window("x")
    with (
        refused(UnknownNameError, "region must be one of femoral_crease, got 'knee'")
        if regions() == ("femoral_crease",)
        else pytest.raises(UnknownNameError)
    ):
        region("knee")


def test_a_change_of_what_is_not_there_is_refused():
    text = ROD + '\n[variants.odd]\nsource = "test"\nevidence = "D"\nset = { girth_mm = 3 }\n'
    with refused(FormatError, "phantom.toml: variants.odd changes 'girth_mm', which is no quantity of it"):
        read(text=text, name="phantom")


def test_text_that_is_no_toml_is_refused_in_one_line():
    with pytest.raises(FormatError, match=r"phantom.toml is no TOML: .*") as caught:
        read(text="a = = 3", name="phantom")
    assert "\n" not in str(caught.value)


def test_a_layer_thinner_than_nothing_is_refused_by_name():
    of = read(
        text=LAYERED.replace("{ x_mm = 14, to_mm = 5 }", "{ x_mm = 14, from_mm = 6, to_mm = 5 }"),
        name="phantom",
    )
    with refused(RangeError, "phantom: to_mm of 'tendon' must be from_mm (6) or more, got 5"):
        of.individual(1)
