"""Paths past disks, judged by plane geometry of their own; and what is not known is never called clear."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from guidance.scenes import (
    COLUMNS,
    ROWS,
    SPACING,
    artery,
    block,
    grid_of,
    half_pixel,
    hazard,
    needle,
    nerve,
    scene_of,
    segment_to_point,
    segment_to_points,
    sourced,
    vessel,
)
from insonate.core import Grid, Image, InputError, PixelGrid, PolarGrid, Quantity, Scene, Tissue
from insonate.guidance import trajectory
from insonate.guidance.procedures import procedure, procedures
from insonate.guidance.trajectory import BESIDE, MOST_PATHS, choose_target, plan
from insonate.guidance.uncertainty import contact_probability, uncertainty
from refusals import refused
from tolerances import RTOL_FLOAT64

SAMPLES = 160
"""Points of a path at which the planner looks."""

DEPTH, WIDTH = ROWS * SPACING[0], COLUMNS * SPACING[1]
HALF = half_pixel(grid_of())
MILLI = 1e-3
ROUNDING = 1e-9
"""Of sums of a few lengths [m]."""

PROMISES = re.compile(r"\b(safe|safely|safety|clear|cleared|harmless|danger-?free|no risk)\b", re.IGNORECASE)

WIDE = grid_of(SPACING, (ROWS, 3 * COLUMNS))
"""So wide that no needle reaches its middle from beside it: all of a path is seen."""

TARGET = nerve((0.018, 0.018), 0.003)
BESIDE_IT = artery((0.018, 0.028), 0.003)


def at_most(n):
    """So many examples, or fewer where the profile asks for fewer: a plan takes a while."""
    return settings(max_examples=min(n, settings().max_examples))


def half_way(path):
    return path.length / (SAMPLES - 1) / 2


def clearances(path):
    return {clearance.structure: clearance for clearance in path.clearances}


def words(result):
    """All that a plan says."""
    texts = [result.reason, *(one.reason for one in result.hazards)]
    for path in result.paths:
        texts += [path.reason, *path.unknown, *(one.reason for one in path.clearances)]
    return texts


PLACES = st.tuples(st.floats(0.008, 0.03), st.floats(0.002, 0.034))


@st.composite
def pictures(draw, n=st.integers(0, 3)):
    """A nerve and some named arteries, each a disk of its own, with the margins asked of them."""
    target = nerve(draw(PLACES), draw(st.floats(0.001, 0.004)))
    others = [
        artery(draw(PLACES), draw(st.floats(0.0008, 0.004)), name=f"artery {letter}")
        for letter in "abc"[: draw(n)]
    ]
    disks = [target, *others]
    for i, one in enumerate(disks):
        for other in disks[:i]:
            assume(math.dist(one.at, other.at) > one.radius + other.radius + 4 * HALF)
    margins = [draw(st.floats(0.0, 0.005)) for _ in others]
    hazards = [hazard(disk.name, disk.tissue, margin) for disk, margin in zip(others, margins, strict=True)]
    return target, others, block(*hazards)


@at_most(40)
@given(pictures())
def test_every_path_keeps_every_margin_of_the_true_disks(drawn):
    target, others, asked = drawn
    result = plan(scene_of(target, *others), asked)
    radius = asked.needle.diameter.value / 2
    for path in result.paths:
        known = clearances(path)
        for disk, danger in zip(others, asked.hazards, strict=False):
            true = segment_to_point(path.entry, path.target, disk.at) - disk.radius - radius
            reported = known[disk.name].distance
            assert true >= danger.margin.value - ROUNDING
            assert danger.margin.value <= reported <= max(true, 0) + ROUNDING
            if path.not_seen == 0:
                # half a pixel four times: the labeled pixels reach beyond the disk, twice each way
                assert reported >= true - 4 * HALF - half_way(path) - ROUNDING


@at_most(40)
@given(pictures())
def test_every_path_ends_beside_its_target_and_does_not_enter_it(drawn):
    target, others, asked = drawn
    result = plan(scene_of(target, *others), asked)
    radius = asked.needle.diameter.value / 2
    stand_off = asked.target.standoff.value + radius
    for path in result.paths:
        tip = math.dist(path.target, target.at) - target.radius
        assert stand_off - ROUNDING <= tip <= stand_off + 1.5 * max(SPACING) + 3 * HALF + ROUNDING
        nearest = segment_to_point(path.entry, path.target, target.at) - target.radius
        assert nearest >= 0.9 * stand_off - HALF - half_way(path) - ROUNDING
        assert path.target[0] > path.entry[0]


@at_most(40)
@given(pictures(), st.floats(0.02, 0.1), st.floats(0.2, 1.4))
def test_every_path_is_within_needle_angle_and_reach(drawn, length, angle):
    target, others, asked = drawn
    limited = replace(asked, needle=needle(length=length), angle_limit=sourced(angle))
    for path in plan(scene_of(target, *others), limited).paths:
        (a, b), (c, d) = path.entry, path.target
        assert path.length == pytest.approx(math.dist(path.entry, path.target), rel=RTOL_FLOAT64)
        assert path.angle == pytest.approx(math.atan2(c - a, abs(d - b)), rel=RTOL_FLOAT64)
        assert path.length <= length + ROUNDING
        assert path.angle <= angle + ROUNDING
        assert a == 0  # the picture is lit from its first row
        assert -BESIDE - ROUNDING <= b <= WIDTH - SPACING[1] + BESIDE + ROUNDING
        outside = max(0.0, -b, b - (WIDTH - SPACING[1])) / max(abs(d - b), 1e-12) * path.length
        assert path.not_seen == pytest.approx(outside, abs=4 * half_way(path) + 2 * HALF)


def score(path, asked, margins):
    """What paths are ranked by, once more from what a path says of itself."""
    room = min(
        (one.distance / margins[one.structure] for one in path.clearances if one.distance is not None),
        default=9,
    )
    covered = 0.02 < path.entry[1] / WIDTH < 0.98
    return min(room, 3) / 3 + math.cos(path.angle) - path.length / asked.needle.length.value - 3 * covered


@at_most(40)
@given(pictures(n=st.integers(1, 3)))
def test_paths_are_ranked_by_clearance_angle_and_length(drawn):
    target, others, asked = drawn
    margins = {one.structure: max(one.margin.value, 1e-9) for one in asked.hazards}
    result = plan(scene_of(target, *others), asked)
    scores = [score(path, asked, margins) for path in result.paths]
    assert scores == sorted(scores, reverse=True)
    assert [path.rank for path in result.paths] == list(range(1, len(scores) + 1))
    assert len(scores) <= MOST_PATHS
    for i, one in enumerate(result.paths):
        for other in result.paths[:i]:
            apart = max(math.dist(one.entry, other.entry), math.dist(one.target, other.target))
            assert apart >= 0.08 * WIDTH - ROUNDING


def test_of_two_sides_the_one_with_more_room_is_first():
    for lateral, sign in ((0.024, -1), (0.012, 1)):
        crowded = artery((0.010, lateral), 0.0015)
        best = plan(scene_of(TARGET, crowded), block()).paths[0]
        assert (best.entry[1] - TARGET.at[1]) * sign > 0


def test_with_room_on_both_sides_the_nearer_and_flatter_side_is_first():
    near_the_left = nerve((0.015, 0.013), 0.003)
    assert plan(scene_of(near_the_left), block()).paths[0].entry[1] < 0.013
    near_the_right = nerve((0.015, 0.023), 0.003)
    assert plan(scene_of(near_the_right), block()).paths[0].entry[1] > 0.023


def test_a_path_in_numbers():
    result = plan(scene_of(TARGET, BESIDE_IT), block(needle=needle(length=0.021)))  # reaches from the edge
    assert (result.procedure, result.target) == ("LL01", 1)
    assert result.reason == result.paths[0].reason
    best = next(path for path in result.paths if path.not_seen == 0)
    known = clearances(best)["femoral artery"]
    assert (best.unit, known.unit, best.aims_at) == ("m", "m", "nerve")
    assert known.margin == 3e-3
    assert known.reason == "named by hand for this test"
    sigma = uncertainty().sigma
    assert known.contact_probability == contact_probability(known.distance, sigma)
    assert known.interval == pytest.approx(
        (known.distance - 1.96 * sigma, known.distance + 1.96 * sigma), rel=1e-3
    )
    assert best.reason == (
        f"{1e3 * best.length:.1f} mm at {math.degrees(best.angle):.0f} deg to the skin; "
        f"nearest femoral artery at {1e3 * known.distance:.1f} mm; nothing named is unknown"
    )
    assert best.unknown == ()
    assert best.not_seen == 0


def looked_at(path, grid):
    """Centers of the pixels (2, SAMPLES) [unit] at which a path's distances are read."""
    share = np.linspace(0, 1, SAMPLES)
    places = [a + share * (b - a) for a, b in zip(path.entry, path.target, strict=True)]
    steps = np.reshape(grid.step, (2, 1))
    index = np.rint((np.stack(places) - np.reshape(grid.origin, (2, 1))) / steps)
    return np.clip(index, 0, np.reshape(grid.shape, (2, 1)) - 1) * steps


def nearest_of(points, mask, grid):
    """Distance of each point to the nearest center of a mask, one by one (n,) [unit]."""
    centers = np.stack(np.nonzero(mask)) * np.reshape(grid.step, (2, 1))
    return np.array([np.hypot(*(centers - point[:, None])).min() for point in points.T])


@pytest.mark.parametrize("spacing", [SPACING, None])
def test_clearance_and_unsure_length_are_those_of_brute_force(spacing):
    """What the planner reads from distance maps, once more from every single pixel."""
    grid = grid_of(spacing)
    scale = (1, 1) if spacing else (1 / 4e-4, 1 / 4e-4)
    target, other = (
        replace(one, at=(one.at[0] * scale[0], one.at[1] * scale[1]), radius=one.radius * scale[0])
        for one in (TARGET, BESIDE_IT)
    )
    scene = with_confidence(scene_of(target, other, grid=grid), (slice(15, 18), slice(20, 70)))
    asked = block()
    radius = asked.needle.diameter.value / 2 if spacing else 0.0
    corridor = radius + (uncertainty().sigma if spacing else 1.0)
    half, paths = half_pixel(grid), plan(scene, asked).paths
    assert any("not sure" in text for path in paths for text in path.unknown)
    for path in paths:
        points = looked_at(path, grid)
        missed = 2 * half + path.length / (SAMPLES - 1) / 2
        nearest = nearest_of(points, scene.segmentation.labels[0] == 2, grid).min() - missed - radius
        assert clearances(path)["femoral artery"].distance == pytest.approx(max(nearest, 0), rel=1e-9)
        near = nearest_of(points, ~scene.segmentation.known()[0], grid) <= corridor + missed
        lateral = path.entry[1] + np.linspace(0, 1, SAMPLES) * (path.target[1] - path.entry[1])
        column = np.rint(lateral / grid.step[1])
        seen = (column >= 0) & (column < COLUMNS)
        length = path.length * (near & seen).mean()
        said = [text for text in path.unknown if "not sure" in text]
        shown = f"{1e3 * length:.1f} mm" if spacing else f"{length:.0f} px"
        assert said == ([f"{shown} of the way past pixels the model is not sure of"] if length else [])
        assert path.not_seen == pytest.approx(path.length * (~seen).mean(), rel=1e-9)


def test_of_several_structures_the_nearest_is_named():
    far, near = (
        artery((0.018, 0.033), 0.002, name="artery far"),
        artery((0.026, 0.026), 0.002, name="artery near"),
    )
    hazards = [hazard(one.name, one.tissue, 1e-3) for one in (far, near)]
    for disks in ((far, near), (near, far)):
        for path in plan(scene_of(TARGET, *disks), block(*hazards)).paths:
            closest = min(path.clearances, key=lambda one: one.distance)
            assert f"; nearest {closest.structure} at {1e3 * closest.distance:.1f} mm; " in path.reason


def test_a_path_of_which_all_is_known_and_far_keeps_its_margins():
    """The property below would pass if no path ever kept its margins; this one does."""
    result = plan(scene_of(TARGET, BESIDE_IT), block(hazard("femoral artery", Tissue.ARTERY, 1e-3)))
    assert True in [path.keeps_margins for path in result.paths]


# Unknown is never clear.


@st.composite
def doubtful(draw):
    """A picture with something that is not known: a hazard not shown, vague vessels, unsure pixels, spacing unknown."""
    target, others, asked = draw(pictures())
    doubts = draw(st.sets(st.sampled_from(["not shown", "vague", "unsure", "spacing"]), min_size=1))
    hazards = list(asked.hazards) if others else []
    if "not shown" in doubts:
        hazards.append(hazard("femoral vein", Tissue.VEIN, 2e-3))
    if "vague" in doubts:
        hazards.append(hazard("femoral artery", Tissue.ARTERY, 3e-3))
        at = draw(PLACES)
        assume(math.dist(at, target.at) > target.radius + 0.003)
        others = [*others, vessel(at, 0.001)]
    if not hazards:
        hazards = [hazard("femoral artery", Tissue.ARTERY, 3e-3)]
    scene = scene_of(target, *others)
    if "unsure" in doubts:
        confidence = scene.segmentation.confidence.copy()
        axial, lateral = np.indices(confidence.shape[1:]) * np.reshape(SPACING, (2, 1, 1))
        at, radius = draw(PLACES), draw(st.floats(2e-4, 0.02))
        blot = np.hypot(axial - at[0], lateral - at[1]) <= radius
        blot &= scene.segmentation.labels[0] != 1
        confidence[0][blot] = draw(st.floats(0, 0.49))
        scene = replace(scene, segmentation=replace(scene.segmentation, confidence=confidence))
    if "spacing" in doubts:
        grid = grid_of(None)
        scene = Scene(
            image=replace(scene.image, grid=grid), segmentation=replace(scene.segmentation, grid=grid)
        )
    return scene, replace(asked, hazards=tuple(hazards))


@at_most(60)
@given(doubtful())
def test_what_is_not_known_is_named_and_no_path_is_called_clear(drawn):
    scene, asked = drawn
    result = plan(scene, asked)
    unsure = np.nonzero(~scene.segmentation.known()[0])
    places = np.stack(unsure) * np.reshape(scene.image.grid.step, (2, 1))
    shown = {one.structure for one in result.hazards if one.known}
    missing = [one.structure for one in asked.hazards if one.structure not in shown]
    assert list(result.unknown) == missing
    for text in words(result):
        assert not PROMISES.search(text)
    for path in result.paths:
        corridor = asked.needle.diameter.value / 2 + uncertainty().sigma if path.unit == "m" else 1.0
        distances = segment_to_points(path.entry, path.target, places)
        over = bool((distances <= corridor).any())
        said = " | ".join(path.unknown)
        assert set(missing) <= set(path.unknown)
        assert ("pixels the model is not sure of" in said) >= over
        if missing or over or path.unit == "px" or path.not_seen > 0:
            assert path.keeps_margins is not True
            assert path.unknown
            assert path.reason.count("; unknown: ") == 1
            assert "nothing named is unknown" not in path.reason
        for one in path.clearances:
            assert (one.distance is None) == (one.structure in missing)


NERVES = [
    one
    for one in procedures()
    if one.target.tissue is not Tissue.NERVE or Tissue.NERVE in {danger.tissue for danger in one.hazards}
]
"""Procedures where a nerve in the picture may be a hazard, or is at least in the way."""


@pytest.mark.parametrize("one", NERVES, ids=lambda one: one.id)
def test_a_nerve_that_may_be_a_hazard_is_not_told_apart(one):
    result = plan(scene_of(TARGET), one)
    assert result.unknown == tuple(hazard.structure for hazard in one.hazards)
    said = {sighting.structure: sighting.reason for sighting in result.hazards}
    for danger in one.hazards:
        assert said[danger.structure].startswith(("not told apart", "not seen in the picture"))
    assert all(path.keeps_margins is not True for path in result.paths)


@pytest.mark.parametrize("one", [one for one in procedures() if one not in NERVES], ids=lambda one: one.id)
def test_a_hazard_that_is_not_shown_is_listed_as_unknown(one):
    result = plan(scene_of(TARGET), one)
    names = tuple(hazard.structure for hazard in one.hazards)
    assert result.unknown == names
    assert [sighting.reason for sighting in result.hazards] == ["not seen in the picture"] * len(names)
    assert [sighting.margin for sighting in result.hazards] == [danger.margin.value for danger in one.hazards]
    assert result.paths
    for path in result.paths:
        assert path.unknown[: len(names)] == names
        assert path.keeps_margins is None
        for clearance in path.clearances:
            assert (clearance.distance, clearance.interval, clearance.unit) == (None, None, None)
            assert clearance.reason == "not seen in the picture"
            assert clearance.margin in [danger.margin.value for danger in one.hazards]


VAGUE = "not told apart: the picture shows vessels of unknown kind, any of which may be it or not"


def test_a_vessel_of_unknown_kind_is_every_vessel_hazard_and_makes_none_of_them_known():
    asked = block(
        hazard("femoral artery", Tissue.ARTERY, 3e-3),
        hazard("femoral vein", Tissue.VEIN, 4.5e-3),
        hazard("pleura", Tissue.PLEURA, 9e-3),
    )
    result = plan(scene_of(TARGET, vessel(BESIDE_IT.at, 0.003, instance=2)), asked)
    assert result.unknown == ("femoral artery", "femoral vein", "pleura")
    assert [one.reason for one in result.hazards[:3]] == [VAGUE, VAGUE, "not seen in the picture"]
    seen = result.hazards[3]
    assert (seen.structure, seen.tissue, seen.label, seen.margin) == ("vessel 2", Tissue.VESSEL, 2, 4.5e-3)
    assert seen.reason == "a vessel of unknown kind: the largest margin of every vessel named"
    for path in result.paths:
        assert clearances(path)["vessel 2"].distance >= 4.5e-3
        assert path.keeps_margins is None


def test_a_vessel_of_unknown_kind_is_held_off_as_an_artery_where_no_vessel_is_named():
    result = plan(scene_of(TARGET, vessel(BESIDE_IT.at, 0.003)), block(hazard("pleura", Tissue.PLEURA, 9e-3)))
    assert result.hazards[1].margin == 3e-3


def test_an_artery_without_a_name_makes_no_artery_known():
    nameless = artery(BESIDE_IT.at, 0.003, name="artery")
    asked = block(hazard("femoral artery", Tissue.ARTERY, 5e-3), hazard("femoral vein", Tissue.VEIN, 9e-3))
    result = plan(scene_of(TARGET, nameless), asked)
    assert result.unknown == ("femoral artery", "femoral vein")
    assert [one.reason for one in result.hazards] == [
        "not told apart: the picture shows a further artery, which may be it or not",
        "not seen in the picture",
        "a further artery in the picture: the largest margin of its tissue",
    ]
    assert result.hazards[2].margin == 5e-3


def test_a_named_hazard_is_known_and_another_is_not():
    result = plan(scene_of(TARGET, BESIDE_IT), procedure("LL01"))
    assert result.hazards[0].label == 2
    assert result.hazards[0].reason == "named by hand for this test"
    assert result.hazards[0].tissue is Tissue.ARTERY
    assert "femoral artery" not in result.unknown
    assert [one.reason for one in result.hazards[1:]] == ["not seen in the picture"] * 3


def test_a_hazard_whose_name_is_the_word_for_its_tissue_is_named_by_the_picture():
    result = plan(
        scene_of(TARGET, artery(BESIDE_IT.at, 0.002, name="pleura", tissue=Tissue.PLEURA)), procedure("UL03")
    )
    pleura = next(one for one in result.hazards if one.structure == "pleura")
    assert (pleura.label, pleura.reason) == (2, "named in the picture")


def test_a_named_hazard_without_a_sure_pixel_is_not_known_and_still_kept_off():
    result = plan(scene_of(TARGET, replace(BESIDE_IT, confidence=0.3)), block())
    assert result.unknown == ("femoral artery",)
    assert (
        result.hazards[0].reason
        == "not sure: none of its pixels reaches the confidence threshold of the model"
    )
    assert (result.hazards[1].structure, result.hazards[1].label) == ("femoral artery 1", 2)
    for path in result.paths:
        assert path.keeps_margins is not True
        assert clearances(path)["femoral artery 1"].distance >= 3e-3


def test_of_two_that_bear_a_hazards_name_the_sure_one_is_it_and_both_are_kept_off():
    unsure = replace(BESIDE_IT, confidence=0.3)
    sure = artery((0.018, 0.008), 0.002)
    result = plan(scene_of(TARGET, unsure, sure), block())
    assert [(one.structure, one.label) for one in result.hazards] == [
        ("femoral artery", 3),
        ("femoral artery 1", 2),
    ]


def test_structures_of_one_name_and_number_are_each_kept_off():
    """Names may repeat; a distance must not be lost because another structure bears the same one."""
    twins = [vessel((0.012, 0.009), 0.0015), vessel((0.012, 0.027), 0.0015)]
    for disks in (twins, twins[::-1]):
        result = plan(scene_of(TARGET, *disks), block())
        assert result.paths
        for path in result.paths:
            known = [one for one in path.clearances if one.structure == "vessel 1"]
            assert len(known) == 2
            for disk, one in zip(disks, known, strict=True):
                true = segment_to_point(path.entry, path.target, disk.at) - disk.radius - 0.36 * MILLI
                assert 3e-3 <= one.distance <= true + ROUNDING


def test_a_structure_that_is_nowhere_in_the_picture_is_no_hazard():
    scene = scene_of(TARGET, artery((0.2, 0.2), 0.001), vessel((0.2, 0.2), 0.001))
    result = plan(scene, block())
    assert [(one.structure, one.label, one.reason) for one in result.hazards] == [
        ("femoral artery", None, "not seen in the picture")
    ]


def test_a_further_nerve_is_kept_off_by_two_sigma():
    second = nerve((0.018, 0.028), 0.0015, instance=2)
    result = plan(scene_of(TARGET, second), block())
    assert result.hazards[1].structure == "nerve 2"
    assert result.hazards[1].margin == uncertainty().margin(Tissue.NERVE).value
    assert result.hazards[1].reason == "a further nerve in the picture: the largest margin of its tissue"


def with_confidence(scene, where, value=0.2):
    confidence = scene.segmentation.confidence.copy()
    confidence[0][where] = value
    return replace(scene, segmentation=replace(scene.segmentation, confidence=confidence))


def test_a_band_of_unsure_pixels_is_measured_along_the_path():
    middle = nerve((0.018, 0.054), 0.003)
    scene = scene_of(middle, grid=WIDE)
    band = (slice(10, 15), slice(None))  # 2 mm of depth, all the way across
    result = plan(with_confidence(scene, band), block(needle=needle(length=0.03)))
    assert all(path.not_seen == 0 for path in result.paths)
    corridor = 0.36 * MILLI + uncertainty().sigma + 2 * HALF
    for path in result.paths:
        (said,) = [text for text in path.unknown if "not sure" in text]
        length = (
            float(re.fullmatch(r"([\d.]+) mm of the way past pixels the model is not sure of", said)[1])
            * MILLI
        )
        # rows 10 to 14, and the corridor above and below
        expected = (4 * SPACING[0] + 2 * (corridor + half_way(path))) / math.sin(path.angle)
        assert length == pytest.approx(expected, abs=0.05 * MILLI + 2 * half_way(path) + SPACING[0])
        assert path.keeps_margins is None
        assert path.reason.endswith(f"; unknown: {', '.join(path.unknown)}; entry under the probe")


def test_unsure_pixels_far_from_a_path_are_not_on_its_way():
    result = plan(with_confidence(scene_of(TARGET, BESIDE_IT), (slice(80, 90), slice(None))), block())
    assert [path.unknown for path in result.paths if path.not_seen == 0] == [()] * sum(
        path.not_seen == 0 for path in result.paths
    )


def test_a_single_unsure_pixel_of_a_large_picture_is_not_stepped_over():
    """Without spacing a path is looked at every few pixels; one between two of them counts too."""
    grid = grid_of(None, (600, 800))
    scene = scene_of(nerve((300, 400), 40), grid=grid)
    best = plan(scene, block()).paths[0]
    for share in (0.3, 0.42, 0.6):
        row, column = (round(a + share * (b - a)) for a, b in zip(best.entry, best.target, strict=True))
        result = plan(with_confidence(scene, (row, column)), block())
        same = next(path for path in result.paths if path.entry == best.entry and path.target == best.target)
        assert any("not sure" in text for text in same.unknown)


def test_the_way_beside_the_picture_is_not_seen():
    narrow = grid_of((4e-4, 3e-4), (90, 60))  # 18 mm wide, so that flat paths come from far beside
    flat = block(angle_limit=sourced(math.radians(25)))
    result = plan(scene_of(nerve((0.018, 0.009), 0.002), grid=narrow), flat)
    assert result.paths
    right = 59 * 3e-4
    for path in result.paths:
        (_, b), (_, d) = path.entry, path.target
        outside = max(0.0, -b, b - right) / abs(d - b) * path.length
        assert outside > 0.005
        assert path.not_seen == pytest.approx(outside, abs=2 * half_way(path) + HALF)
        said = f"{1e3 * path.not_seen:.1f} mm of the way outside what the picture shows"
        assert path.unknown == ("femoral artery", said)
        assert path.keeps_margins is None


# Without spacing.


def test_without_spacing_all_is_in_pixels_and_no_margin_is_judged():
    scene = scene_of(nerve((45, 60), 8), vessel((50, 95), 7), grid=grid_of(None))
    result = plan(scene, procedure("LL01"))
    assert len(result.paths) == MOST_PATHS
    for path in result.paths:
        assert path.unit == "px"
        assert path.keeps_margins is None
        assert path.unknown[-1] == "every margin: spacing unknown"
        near = clearances(path)["vessel 1"].distance
        assert path.reason == (
            f"{path.length:.0f} px at {math.degrees(path.angle):.0f} deg to the skin; nearest vessel 1 at {near:.0f} px; "
            f"margins not judged: spacing unknown; unknown: {', '.join(path.unknown)}"
        )
        outside = [text for text in path.unknown if "outside" in text]
        assert outside == (
            [f"{path.not_seen:.0f} px of the way outside what the picture shows"] if path.not_seen else []
        )
        for one in path.clearances:
            assert "not judged: spacing unknown" in one.reason
            assert one.contact_probability is None
            assert one.keeps_margin is None
        known = clearances(path)["vessel 1"]
        assert known.unit == "px"
        true = segment_to_point(path.entry, path.target, (50, 95)) - 7
        assert 2.0 <= known.distance <= true + ROUNDING
        assert known.interval[0] == pytest.approx(max(known.distance - 1.96 * 0.9, 0), abs=1e-3)
        assert known.interval[1] == pytest.approx(known.distance + 1.96 * 0.9, abs=1e-3)


@at_most(8)
@given(st.floats(150, 450), st.floats(100, 700), st.floats(20, 60), st.integers(0, 2**32 - 1))
def test_without_spacing_a_path_of_a_large_picture_crosses_no_structure(row, column, radius, seed):
    """Points of a path lie several pixels apart there; what lies between them counts too."""
    grid = grid_of(None, (600, 800))
    rng = np.random.default_rng(seed)
    others = [vessel((rng.uniform(60, 500), rng.uniform(20, 780)), rng.uniform(1, 20)) for _ in range(4)]
    others = [one for one in others if math.dist(one.at, (row, column)) > radius + one.radius + 3]
    result = plan(scene_of(nerve((row, column), radius), *others, grid=grid), block())
    for path in result.paths:
        for one in others:
            assert segment_to_point(path.entry, path.target, one.at) - one.radius >= 2.0 - ROUNDING


def test_without_spacing_entries_reach_half_a_width_beside():
    flat = block(angle_limit=sourced(math.radians(40)))
    grid = grid_of(None, (90, 60))
    result = plan(scene_of(nerve((45, 30), 5), grid=grid), flat)
    assert result.paths
    assert all(-30 <= path.entry[1] <= 89 for path in result.paths)
    assert (
        min(path.entry[1] for path in result.paths) < -10 or max(path.entry[1] for path in result.paths) > 69
    )


def test_without_spacing_needle_length_limits_nothing():
    grid = grid_of(None, (900, 60))
    result = plan(scene_of(nerve((700, 30), 10), grid=grid), block(angle_limit=sourced(1.57)))
    assert result.paths
    assert min(path.length for path in result.paths) > 600


# Where the skin is.


def lit(columns, first, rows=ROWS):
    """Brightness of columns whose echoes begin at a row each; black from there up, all black where it is None."""
    brightness = np.zeros((rows, len(columns)))
    for column, row in zip(columns, first, strict=True):
        if row is not None:
            brightness[row:, column] = 0.3
    return brightness


def test_the_skin_is_the_first_lit_row():
    brightness = np.full((ROWS, COLUMNS), 0.3)
    brightness[:7] = 8 / 255  # not brighter than black
    result = plan(scene_of(TARGET, brightness=brightness), block())
    assert {path.entry[0] for path in result.paths} == {7 * SPACING[0]}


def test_dark_columns_at_the_top_of_a_straight_array_are_lost_contact_and_not_seen():
    first = [0] * COLUMNS
    first[:25] = [40] * 25
    brightness = lit(range(COLUMNS), first)
    result = plan(scene_of(TARGET, brightness=brightness), block())
    assert {path.entry[0] for path in result.paths} == {0.0}
    through = [path for path in result.paths if 0 <= path.entry[1] < 20 * SPACING[1]]
    assert through
    for path in through:
        assert path.not_seen > 0
        assert path.keeps_margins is None


def sector_rows(radius_of_face=60, half_width=30, columns=COLUMNS):
    """First lit rows of a curved array: an arc, deepest in its middle, and sides that go down from its ends."""
    middle = (columns - 1) / 2
    first = []
    for column in range(columns):
        away = abs(column - middle)
        if away <= half_width:
            first.append(
                round(math.sqrt(radius_of_face**2 - away**2) - math.sqrt(radius_of_face**2 - half_width**2))
            )
        else:
            first.append(round((away - half_width) * 2))
    return [row if row < ROWS else None for row in first]


def test_beside_a_curved_array_the_skin_is_level_with_the_ends_of_its_face():
    first = sector_rows()
    assert min(row for row in first if row is not None) == 0
    brightness = lit(range(COLUMNS), first)
    result = plan(scene_of(nerve((0.026, 0.018), 0.002), brightness=brightness), block())
    assert result.paths
    for path in result.paths:
        if abs(path.entry[1] - WIDTH / 2) > 30 * SPACING[1]:
            assert path.entry[0] <= SPACING[0]  # never inside the body, at the sector's side
            assert path.not_seen > 0  # through the black beside the sector
            assert path.keeps_margins is None


def test_under_a_curved_array_the_skin_follows_its_face():
    first = sector_rows(radius_of_face=40)
    brightness = lit(range(COLUMNS), first)
    steep = block(angle_limit=sourced(1.5), needle=needle(length=0.022))
    result = plan(scene_of(nerve((0.027, 0.018), 0.002), brightness=brightness), steep)
    entries = [path.entry for path in result.paths]
    under = [(a, b) for a, b in entries if abs(b - WIDTH / 2) < 25 * SPACING[1]]
    assert under
    for axial, lateral in under:
        assert axial == pytest.approx(first[round(lateral / SPACING[1])] * SPACING[0], abs=SPACING[0])
        assert axial > 2 * SPACING[0]


def test_what_is_level_goes_by_the_height_of_the_picture():
    """Ten rows of ninety are not level, however wide the picture is."""
    brightness = np.full((ROWS, 3 * COLUMNS), 0.3)
    brightness[:10, 60:300] = 0
    result = plan(
        scene_of(nerve((0.022, 0.054), 0.003), grid=WIDE, brightness=brightness),
        block(needle=needle(length=0.025)),
    )
    assert result.paths
    for path in result.paths:
        assert path.entry[0] == pytest.approx(10 * SPACING[0])
        assert path.not_seen == 0


def test_a_black_picture_has_no_skin():
    result = plan(scene_of(TARGET, brightness=8 / 255), block())
    assert (result.target, result.paths) == (1, ())
    assert result.reason == "no skin in the picture: it is black"


# Entries under the probe.


def test_an_entry_beside_the_probe_is_preferred_to_any_under_it():
    result = plan(scene_of(TARGET), block())
    assert not any("under the probe" in path.reason for path in result.paths)
    edge = 0.02 * WIDTH
    for path in result.paths:
        assert path.entry[1] <= edge or path.entry[1] >= WIDTH - edge


def test_an_entry_under_the_probe_is_said_to_be_one():
    short = block(needle=needle(length=0.018), angle_limit=sourced(1.5))
    result = plan(scene_of(TARGET), short)  # from beside the picture the needle does not reach
    assert result.paths
    for path in result.paths:
        assert path.reason.endswith("; entry under the probe")
        assert 0.02 * WIDTH < path.entry[1] < 0.98 * WIDTH


@pytest.mark.parametrize("side", [-1, 1])
def test_an_entry_at_the_edge_of_the_picture_is_beside_the_probe(side):
    span = (COLUMNS - 1) * SPACING[1]
    near_the_edge = nerve((0.016, span / 2 + side * 0.006), 0.003)
    result = plan(scene_of(near_the_edge), block(needle=needle(length=0.0152)))
    best = result.paths[0]
    assert best.entry[1] == pytest.approx(0 if side < 0 else span, abs=0.02 * WIDTH)
    assert "under the probe" not in best.reason
    assert best.not_seen < MILLI


# Which target.


def test_the_target_is_the_structure_that_bears_its_name():
    named = nerve((0.02, 0.02), 0.001, name="femoral nerve")
    scene = scene_of(nerve((0.02, 0.008), 0.004), named)
    assert choose_target(scene.segmentation, block()) == 2
    assert plan(scene, block()).paths[0].aims_at == "femoral nerve"


def test_without_a_name_the_target_is_the_largest_of_its_tissue_that_is_sure():
    small, large = nerve((0.02, 0.008), 0.002), nerve((0.02, 0.02), 0.004, instance=2)
    assert choose_target(scene_of(small, large).segmentation, block()) == 2
    assert choose_target(scene_of(large, small).segmentation, block()) == 1
    assert choose_target(scene_of(small, replace(large, confidence=0.3)).segmentation, block()) == 1
    assert choose_target(scene_of(vessel((0.02, 0.02), 0.005), small).segmentation, block()) == 2


def test_a_name_does_not_help_where_no_pixel_is_sure():
    named = nerve((0.02, 0.02), 0.003, name="femoral nerve", confidence=0.3)
    assert choose_target(scene_of(nerve((0.02, 0.008), 0.002), named).segmentation, block()) == 1


@pytest.mark.parametrize("disks", [(), (vessel((0.02, 0.02), 0.003),), (replace(TARGET, confidence=0.49),)])
def test_without_a_target_no_path_is_planned(disks):
    result = plan(scene_of(*disks), procedure("UL06"))
    assert (result.procedure, result.target, result.paths) == ("UL06", None, ())
    assert result.reason == (
        "no median nerve or ulnar nerve or radial nerve or musculocutaneous nerve known in the picture: no path is planned"
    )
    assert result.unknown == ("axillary artery", "axillary vein")


def test_confidence_at_the_threshold_is_enough():
    assert plan(scene_of(replace(TARGET, confidence=0.5)), block()).target == 1


def test_a_single_pixel_can_be_the_target_and_the_first_of_two_alike_is():
    grid = grid_of()
    scene = scene_of(nerve((0.2, 0.2), 0.001), nerve((0.2, 0.2), 0.001, instance=2), grid=grid)
    labels = scene.segmentation.labels.copy()
    labels[0, 40, 60] = 2
    assert choose_target(replace(scene.segmentation, labels=labels), block()) == 2
    labels[0, 40, 70] = 1
    assert choose_target(replace(scene.segmentation, labels=labels), block()) == 1


# Why there is none.


def walled(*disks, grid=None, walls=((12, 14, slice(None)),)):
    """A picture with walls of rows; the last disks are what they are made of."""
    scene = scene_of(*disks, grid=grid)
    labels = scene.segmentation.labels.copy()
    first = len(disks) - len(walls) + 1
    for label, (top, bottom, columns) in enumerate(walls, start=first):
        labels[0, top:bottom, columns] = label
    return Scene(image=scene.image, segmentation=replace(scene.segmentation, labels=labels))


NOWHERE = (900.0, 900.0)


def test_all_that_are_in_the_way_are_named_in_order():
    walls = artery(NOWHERE, 0.001, name="artery b"), artery(NOWHERE, 0.001, name="artery a")
    asked = block(*(hazard(one.name, one.tissue, 1e-3) for one in walls))
    result = plan(walled(TARGET, *walls, walls=((5, 7, slice(None)), (12, 14, slice(None)))), asked)
    assert result.reason.endswith("every structure (artery a, artery b in the way)")


def test_a_margin_of_nothing_is_no_leave_to_go_through():
    wall = artery(NOWHERE, 0.001)
    result = plan(walled(TARGET, wall), block(hazard("femoral artery", Tissue.ARTERY, 0.0)))
    assert result.paths == ()
    assert "femoral artery in the way" in result.reason


@pytest.mark.parametrize(("gap", "passes"), [(6, False), (16, True)])
def test_without_spacing_a_path_stays_two_pixels_off(gap, passes):
    """A gap of six pixels leaves less than two on either side of a pixel-wide way and what it may miss."""
    grid = grid_of(None)
    wall = vessel(NOWHERE, 1)
    scene = walled(nerve((60, 60), 8), wall, grid=grid)
    labels = scene.segmentation.labels.copy()
    labels[0, 12:14, 60 - gap // 2 : 60 + gap // 2] = 0
    steep = block(angle_limit=sourced(1.57))
    result = plan(Scene(image=scene.image, segmentation=replace(scene.segmentation, labels=labels)), steep)
    assert bool(result.paths) == passes


def test_without_spacing_the_tip_stays_a_share_of_the_height_away():
    grid = grid_of(None, (250, 100))
    half = half_pixel(grid)
    for path in plan(scene_of(nerve((120, 50), 12), grid=grid), block()).paths:
        tip = math.dist(path.target, (120, 50)) - 12
        assert 0.04 * 250 <= tip <= 0.04 * 250 + 1.5 + 3 * half


def test_a_wall_in_the_way_is_named():
    scene = scene_of(TARGET, artery((0.2, 0.2), 0.001))
    labels = scene.segmentation.labels.copy()
    labels[0, 12:14] = 2
    walled = Scene(image=scene.image, segmentation=replace(scene.segmentation, labels=labels))
    result = plan(walled, block())
    assert (result.target, result.paths) == (1, ())
    assert result.reason == (
        "no straight path keeps length, angle and the margin of every structure (femoral artery in the way)"
    )
    grid = grid_of(None)
    unmeasured = Scene(
        image=replace(walled.image, grid=grid), segmentation=replace(walled.segmentation, grid=grid)
    )
    assert plan(unmeasured, block()).reason == (
        "no straight path keeps angle and every structure's place (femoral artery in the way)"
    )


def test_several_that_only_together_bar_the_way_are_not_blamed_singly():
    left, right = (
        artery((0.009, 0.006), 0.006, name="artery a"),
        artery((0.009, 0.030), 0.006, name="artery b"),
    )
    asked = block(
        hazard("artery a", Tissue.ARTERY, 5e-3),
        hazard("artery b", Tissue.ARTERY, 5e-3),
        needle=needle(length=0.04),
    )
    result = plan(scene_of(TARGET, left, right), asked)
    assert result.paths == ()
    assert result.reason == "no straight path keeps length, angle and the margin of every structure"


@pytest.mark.parametrize("disks", [(TARGET,), (TARGET, BESIDE_IT)])
def test_a_needle_that_is_too_short_blames_no_structure(disks):
    result = plan(scene_of(*disks), block(needle=needle(length=0.0101)))
    assert (result.target, result.paths, result.reason) == (1, (), "no straight path keeps length and angle")


def test_an_angle_that_is_too_flat_blames_no_structure():
    grid = grid_of(None)
    result = plan(
        scene_of(nerve((60, 60), 8), vessel((60, 95), 7), grid=grid), block(angle_limit=sourced(0.06))
    )
    assert (result.paths, result.reason) == ((), "no straight path keeps angle")


def test_no_room_for_the_tip_is_said():
    filling = scene_of(nerve((0.018, 0.018), 0.1))
    result = plan(filling, block())
    assert (result.target, result.paths) == (1, ())
    assert result.reason == "no room in the picture for the tip beside the femoral nerve"


# What cannot be planned on.


def test_a_scene_without_its_parts_is_refused():
    message = "a plan needs a scene with an image and its segmentation, got one without"
    whole = scene_of(TARGET)
    for scene in (Scene(), Scene(image=whole.image), Scene(segmentation=whole.segmentation)):
        with refused(InputError, message):
            plan(scene, block())


def test_several_frames_are_refused():
    scene = scene_of(TARGET)
    twice = replace(scene.image, values=np.repeat(scene.image.values, 2, axis=0))
    with refused(InputError, "a plan needs one frame, got 2 of the image and 1 of its labels"):
        plan(Scene(image=twice, segmentation=scene.segmentation), block())
    labels, confidence = (
        np.repeat(one, 3, axis=0) for one in (scene.segmentation.labels, scene.segmentation.confidence)
    )
    thrice = replace(scene.segmentation, labels=labels, confidence=confidence)
    with refused(InputError, "a plan needs one frame, got 1 of the image and 3 of its labels"):
        plan(Scene(image=scene.image, segmentation=thrice), block())


def test_a_sector_is_refused():
    sector = PolarGrid(
        radius=0.01 + np.arange(ROWS) * 4e-4, azimuth=np.linspace(-0.5, 0.5, COLUMNS), apex=np.zeros(3)
    )
    scene = scene_of(TARGET)
    image = Image(values=scene.image.values, quantity=Quantity.BRIGHTNESS, grid=sector)
    with refused(InputError, "a plan needs a Grid or PixelGrid, got PolarGrid: convert the scan first"):
        plan(Scene(image=image, segmentation=scene.segmentation), block())


@pytest.mark.parametrize("name", ["axial", "lateral"])
def test_uneven_lines_are_refused(name):
    lines = {"axial": np.arange(ROWS) * 4e-4, "lateral": np.arange(COLUMNS) * 3e-4}
    lines[name] = lines[name].copy()
    lines[name][5:] += 1e-4
    scene = scene_of(TARGET)
    image = Image(values=scene.image.values, quantity=Quantity.BRIGHTNESS, grid=Grid(**lines))
    with refused(InputError, f"a plan needs evenly spaced lines, got uneven Grid.{name}: resample it first"):
        plan(Scene(image=image, segmentation=scene.segmentation), block())


def test_a_grid_of_a_single_row_is_no_reason_to_fail():
    one_row = Grid(axial=np.array([0.01]), lateral=np.arange(COLUMNS) * 3e-4)
    result = plan(scene_of(nerve((0.01, 0.018), 0.002), grid=one_row), block())
    assert result.paths == ()


@pytest.mark.parametrize(
    "asked", [block(), block(needle=needle(length=0.018), angle_limit=sourced(1.5))], ids=["beside", "under"]
)
def test_a_plan_does_not_depend_on_where_the_grid_begins(asked):
    """The same picture elsewhere under the probe: the same plan, moved."""
    shift = (0.004, -0.02)
    moved_grid = Grid(
        axial=shift[0] + np.arange(ROWS) * SPACING[0], lateral=shift[1] + np.arange(COLUMNS) * SPACING[1]
    )
    moved = [replace(disk, at=(disk.at[0] + shift[0], disk.at[1] + shift[1])) for disk in (TARGET, BESIDE_IT)]
    here, there = plan(scene_of(TARGET, BESIDE_IT), asked), plan(scene_of(*moved, grid=moved_grid), asked)
    assert len(here.paths) == len(there.paths) > 0
    assert [path.reason for path in here.paths] == [path.reason for path in there.paths]
    for one, other in zip(here.paths, there.paths, strict=True):
        np.testing.assert_allclose(np.subtract(other.entry, one.entry), shift, atol=1e-9)
        np.testing.assert_allclose(np.subtract(other.target, one.target), shift, atol=1e-9)
        assert other.clearances[0].distance == pytest.approx(one.clearances[0].distance, abs=1e-9)


def test_a_plan_is_mirrored_with_its_picture():
    span = (COLUMNS - 1) * SPACING[1]
    disks = (nerve((0.016, 0.0131), 0.003), artery((0.02, 0.026), 0.003))
    mirrored = [replace(disk, at=(disk.at[0], span - disk.at[1])) for disk in disks]
    here, there = plan(scene_of(*disks), block()).paths[0], plan(scene_of(*mirrored), block()).paths[0]
    assert there.length == pytest.approx(here.length, rel=0.02)
    assert there.entry[1] == pytest.approx(span - here.entry[1], abs=2 * MILLI)


def test_the_whole_picture_counts_not_the_cut():
    """A cut remembers its corner; lengths are still counted from its own first pixel."""
    whole = PixelGrid(rows=ROWS + 30, columns=COLUMNS + 40, spacing=SPACING)
    cut = whole.cut((20, 30), (ROWS, COLUMNS))
    assert plan(scene_of(TARGET, grid=cut), block()) == plan(scene_of(TARGET), block())


# Its parts, in numbers.

NAN = math.nan


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ([3, 2, 4, 60, NAN, 3, 2], [2] * 7),  # a straight array that has lost contact here and there
        ([30, 31, 33, 31, NAN], [30] * 5),
        ([0, 5, 5, 5, 5], [0] * 5),  # level to a twentieth of a hundred rows
        ([0, 6, 6, 6, 0], [0, 6, 6, 6, 0]),
        (
            [NAN, 60, 40, 20, 0, 6, 9, 10, 9, 6, 0, 20, 40, 60, NAN],
            [NAN, 0, 0, 0, 0, 6, 9, 10, 9, 6, 0, 0, 0, 0, NAN],
        ),
        (
            [50, 30, 1, 11, 14, 12, 4, 30, 50, 70],
            [1, 1, 1, 11, 14, 12, 4, 4, 4, 4],
        ),  # each side has its own level
        ([30, 0, 0, 20, 25, 20, 0, 0, 30], [0, 0, 0, 20, 25, 20, 0, 0, 0]),
        ([30, 0, 20, NAN, 30, 0, 40], [0, 0, 20, 25, 30, 0, 0]),  # a black column in the middle is bridged
        ([NAN, NAN, 40, 20, 0, 20, 40], [NAN, NAN, 0, 0, 0, 0, 0]),  # a phased array has but a point
    ],
)
def test_skin_in_numbers(first, expected):
    np.testing.assert_array_equal(trajectory._skin(np.array(first, float), 100), expected)


def test_the_skin_of_one_column_is_where_it_is_lit():
    np.testing.assert_array_equal(trajectory._skin(np.array([7.0]), 100), [7])


def test_what_is_shown_in_numbers():
    first = np.array([3.0, 2, 8, 7, NAN, 60, 2])
    skin = np.full(7, 2.0)
    shown = trajectory._shown(first, skin, 100)
    assert shown.shape == (100, 7)
    np.testing.assert_array_equal((~shown).sum(axis=0), [0, 0, 8, 0, 100, 60, 0])
    assert not shown[:8, 2].any()
    np.testing.assert_array_equal(
        (~trajectory._shown(np.array([40.0, 10]), np.array([0, NAN]), 100)).sum(axis=0), [40, 0]
    )


def test_entries_in_numbers():
    grid = PixelGrid(rows=50, columns=11, spacing=(2e-3, 1e-3))
    entries = trajectory._entries(np.array([NAN, 5, 5, 6, 7, 8, 7, 6, 5, 4, NAN]), grid)
    assert len(entries) == 74
    np.testing.assert_allclose(entries[:2], [(5 * 2e-3, 1e-3), (4 * 2e-3, 9e-3)])
    np.testing.assert_allclose(entries[2:, 1], np.linspace(1e-3 - 0.03, 9e-3 + 0.03, 72), atol=1e-15)
    left, right = entries[2:, 1] < 1e-3, entries[2:, 1] > 9e-3
    np.testing.assert_allclose(entries[2:, 0][left], 5 * 2e-3)
    np.testing.assert_allclose(entries[2:, 0][right], 4 * 2e-3)
    moved = Grid(axial=0.1 + 2e-3 * np.arange(50), lateral=-0.02 + 1e-3 * np.arange(11))
    np.testing.assert_allclose(
        trajectory._entries(np.full(11, 3.0), moved)[:2], [(0.106, -0.02), (0.106, -0.01)]
    )
    pixels = trajectory._entries(np.zeros(11), PixelGrid(rows=50, columns=11, spacing=None))
    np.testing.assert_allclose(pixels[[2, -1], 1], [-5.5, 15.5])


@pytest.mark.parametrize("spacing", [(1e-3, 2e-3), None])
def test_ends_in_numbers(spacing):
    grid = PixelGrid(rows=80, columns=60, spacing=spacing)
    step = np.array(grid.step)
    rows, columns = np.indices(grid.shape)
    middle = np.array([25, 16])  # not in the middle of the picture
    outside = np.maximum(
        np.hypot(*((np.stack([rows, columns], axis=-1) - middle) * step).T).T - 5 * step[0], 0
    )
    stand_off = 6 * step[0]
    ends = trajectory._ends(outside, stand_off, grid)
    assert 40 <= len(ends) <= 48
    away = np.hypot(*(ends - middle * step).T) - 5 * step[0]
    assert away.min() >= stand_off - 1e-9
    assert away.max() < stand_off + 1.5 * step.max() + 1e-9
    bearings = np.sort(np.arctan2(*(ends - middle * step).T))
    assert np.diff(bearings).max() < 0.3  # all the way round: a forty-eighth is 0.13
    assert bearings[0] + 2 * math.pi - bearings[-1] < 0.3
    moved = Grid(axial=0.5 + 1e-3 * np.arange(80), lateral=-0.1 + 2e-3 * np.arange(60))
    if spacing:
        np.testing.assert_allclose(trajectory._ends(outside, stand_off, moved), np.add(ends, (0.5, -0.1)))
    assert trajectory._ends(outside, 1000 * step[0], grid).shape == (0, 2)


def candidates_of(*ways, steepest=1.57, longest=math.inf):
    """What becomes of each way from an entry to an end."""
    grid = grid_of()
    shown = np.ones(grid.shape, bool)
    limits = {"steepest": steepest, "longest": longest}
    return [
        trajectory._candidates(np.array([entry]), np.array([end]), shown, grid, **limits)
        for entry, end in ways
    ]


def test_ways_that_go_up_too_steep_or_too_far_are_left_out():
    down, up, level = (
        ((0.0, 0.0), (0.003, 0.004)),
        ((0.01, 0.0), (0.003, 0.004)),
        ((0.01, 0.0), (0.01, 0.004)),
    )
    assert [len(one.length) for one in candidates_of(down, up, level)] == [1, 0, 0]
    (made,) = candidates_of(down)
    assert made.length[0] == pytest.approx(0.005)
    assert made.angle[0] == pytest.approx(math.atan2(3, 4))
    assert made.pixel.shape == made.seen.shape == (1, SAMPLES)
    assert (made.pixel[0, 0], made.pixel[0, -1]) == (0, round(0.003 / 4e-4) * COLUMNS + round(0.004 / 3e-4))
    at_the_limit = {"steepest": made.angle[0], "longest": made.length[0]}
    assert len(candidates_of(down, **at_the_limit)[0].length) == 1
    assert len(candidates_of(down, **at_the_limit | {"longest": 0.00499})[0].length) == 0
    assert len(candidates_of(down, **at_the_limit | {"steepest": 0.64})[0].length) == 0
    (leftward,) = candidates_of(((0.0, 0.008), (0.003, 0.004)))
    assert leftward.angle[0] == pytest.approx(math.atan2(3, 4))


def test_points_outside_are_not_seen_and_held_to_the_picture():
    span = (COLUMNS - 1) * SPACING[1]
    (made,) = candidates_of(((0.0, -0.01), (0.01, span + 0.01)))
    columns = made.pixel[0] % COLUMNS
    seen = made.seen[0]
    assert 0.5 < seen.mean() < 0.7
    assert set(columns[: SAMPLES // 8]) == {0}
    assert set(columns[-SAMPLES // 8 :]) == {COLUMNS - 1}
    assert not seen[: SAMPLES // 8].any()
    assert not seen[-SAMPLES // 8 :].any()
    (deep,) = candidates_of(((-0.01, 0.01), (DEPTH + 0.01, 0.011)))
    assert set(deep.pixel[0][: SAMPLES // 8] // COLUMNS) == {0}
    assert set(deep.pixel[0][-SAMPLES // 8 :] // COLUMNS) == {ROWS - 1}
    assert not deep.seen[0][: SAMPLES // 8].any()
    assert not deep.seen[0][-SAMPLES // 8 :].any()


@pytest.mark.parametrize(
    ("share", "covered"),
    [(-0.1, False), (0.0, False), (0.019, False), (0.021, True), (0.979, True), (0.981, False), (1.1, False)],
)
def test_what_the_face_of_the_probe_covers(share, covered):
    for origin in (-0.03, 0.0, 0.04):
        grid = Grid(axial=4e-4 * np.arange(ROWS), lateral=origin + 3e-4 * np.arange(COLUMNS))
        entry = np.array([[0.0, origin + share * WIDTH]])
        assert trajectory._covered(entry, grid).tolist() == [covered]


def test_alternatives_differ_in_entry_or_in_end():
    grid = grid_of()
    apart, step = 0.08 * WIDTH, 0.08 * WIDTH / 2
    entries = np.array([(0, 0), (0, step), (0, 0), (0, 3 * step), (0, 0), (0, 0), (0, 0), (0, 0)], float)
    laterals = [0, 0, 1.1 * apart, 0, 5 * apart, 7.5 * apart, 10 * apart, 12.5 * apart]
    ends = np.array([(0.02, 0.02 + lateral) for lateral in laterals])
    kept = trajectory._Candidates(
        entry=entries,
        end=ends,
        length=np.zeros(8),
        angle=np.zeros(8),
        pixel=np.zeros((8, 1)),
        seen=np.zeros((8, 1)),
    )
    score = np.array([9.0, 8, 7, 6, 5, 4, 3, 2])
    assert trajectory._distinct(kept, score, grid) == [
        0,
        2,
        3,
        4,
        5,
    ]  # the second is too near the first, five are enough
    assert trajectory._distinct(kept, -score, grid)[0] == 7
    score[2:] = -math.inf
    assert trajectory._distinct(kept, score, grid) == [0]


def test_skin_and_lit_rows_of_a_picture():
    brightness = np.zeros((ROWS, 4))
    brightness[5:, 0], brightness[9:, 1], brightness[:, 2] = 0.3, 8 / 255, 8.1 / 255
    grid = grid_of(shape=(ROWS, 4))
    image = scene_of(grid=grid, brightness=brightness).image
    np.testing.assert_array_equal(trajectory._first_lit(image), [5, NAN, 0, NAN])


def test_what_no_needle_harms_keeps_no_margin_unless_the_procedure_names_it():
    bone = replace(vessel((0.018, 0.024), 0.003), name="bone", tissue=Tissue.BONE)
    scene = scene_of(nerve((0.018, 0.012), 0.003), bone)
    (told,) = [one for one in plan(scene, block()).hazards if one.known]
    assert (told.structure, told.margin) == ("bone 1", 0.0)
    named = block(hazard("first rib", Tissue.BONE, 2e-3))
    (told,) = [one for one in plan(scene, named).hazards if one.known]
    assert told.margin == pytest.approx(max(2e-3, uncertainty().margin(Tissue.BONE).value))
