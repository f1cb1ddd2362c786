"""Distances from a needle to disks, in closed form, and every way in which they are not known."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidance.scenes import (
    artery,
    block,
    centers,
    grid_of,
    half_pixel,
    hazard,
    needle,
    nerve,
    scene_of,
    segment_to_point,
    sourced,
)
from insonate.core import CoordinateFrame, Level, NeedlePose, NeedleState, PixelGrid, Tissue
from insonate.guidance.evidence import about_clearances
from insonate.guidance.nearness import SHAFT_STEP, clearances, in_probe_frame
from insonate.guidance.trajectory import plan
from insonate.guidance.uncertainty import uncertainty
from simulation.motion.poses import held

RADIUS = 0.36e-3
ARTERY = artery((0.018, 0.024), 0.004)
NERVE = nerve((0.018, 0.012), 0.003)
PROCEDURE = block(
    hazard("femoral artery", Tissue.ARTERY, 3e-3),
    hazard("femoral vein", Tissue.VEIN, 2e-3),
    needle=needle(2 * RADIUS),
)
SCENE = scene_of(NERVE, ARTERY)
PLAN = plan(SCENE, PROCEDURE)
SPREAD = 0.5e-3


def pose(tip, angle=0.5, *, elevation=0.0, state=NeedleState.TIP, frame=CoordinateFrame.PROBE, side=1.0):
    """A needle in the picture's plane: tip (axial, lateral), coming from the left, `angle` down."""
    seen = state is NeedleState.TIP
    direction = np.array([side * math.cos(angle), 0, math.sin(angle)])
    return NeedlePose(
        state=state,
        tip=np.array([tip[1], elevation, tip[0]]) if seen else None,
        direction=None if state is NeedleState.LOST else direction,
        covariance=np.eye(3) * SPREAD**2 if seen else None,
        frame=frame,
        time=0.0,
    )


def told(one, *, scene=SCENE, of=PLAN, probe=None, age=0.0):
    return {c.structure: c for c in clearances(scene, of, PROCEDURE, one, probe, age=age)}


@given(
    axial=st.floats(0.002, 0.034),
    lateral=st.floats(0.002, 0.034),
    angle=st.floats(0.1, 1.2),
    side=st.sampled_from([1.0, -1.0]),
)
def test_distance_is_that_of_the_straight_needle_to_the_disk(axial, lateral, angle, side):
    tip = np.array([axial, lateral])
    start = tip - 0.08 * np.array([math.sin(angle), side * math.cos(angle)])
    # within the picture alone: a straight needle leaves it once
    grid = grid_of()
    share = np.linspace(0, 1, 4001)[:, None]
    way = tip + share * (start - tip)
    last = way[
        ((way >= 0) & (way <= np.array(grid.shape) * grid.step - np.array(grid.step) / 2)).all(axis=1)
    ][-1]
    for name, disk in (("femoral artery", ARTERY), ("nerve 1", NERVE)):
        true = max(segment_to_point(tip, last, disk.at) - disk.radius - RADIUS, 0.0)
        found = told(pose(tip, angle, side=side))[name].distance
        assert true - 4 * half_pixel(grid) - 1e-9 <= found <= true + SHAFT_STEP / 2 + 1e-9


def test_the_interval_holds_all_deviations():
    stated = uncertainty()
    for age, drift in ((0.0, 0.0), (1.5, 0.6e-3), (-0.2, 0.0)):  # 0.4 mm a second since it was seen
        one = told(pose((0.018, 0.004)), age=age)["femoral artery"]
        sigma = math.sqrt(SPREAD**2 + stated.boundary.value**2 + stated.calibration.value**2 + drift**2)
        assert one.interval[1] - one.distance == pytest.approx(1.96 * sigma, rel=1e-3)
        assert one.margin == 3e-3 and one.unit == "m"


def test_a_shaft_that_lies_across_a_structure_touches_it_though_the_tip_is_beyond():
    beyond = told(pose((0.0262, 0.0235), angle=0.6))
    assert beyond["nerve 1"].distance == 0.0


def test_the_target_is_told_as_such_and_what_is_not_seen_says_why():
    all_of_it = told(pose((0.018, 0.004)))
    target = all_of_it["nerve 1"]
    assert target.target and target.margin == 0
    assert not any(one.target for name, one in all_of_it.items() if name != "nerve 1")
    vein = all_of_it["femoral vein"]
    assert vein.distance is None and vein.reason == "not seen in the picture"


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (None, "the needle is not tracked"),
        (pose((0, 0), state=NeedleState.LOST), "the needle's tip is not seen (lost)"),
        (pose((0, 0), state=NeedleState.SHAFT_ONLY), "the needle's tip is not seen (shaft only)"),
        (pose((0.01, 0.01), elevation=-1.4e-3), "the tip is 1.4 mm out of the image plane"),
        (pose((0.01, -0.01)), "the tip lies outside the picture"),
        (pose((0.05, 0.01)), "the tip lies outside the picture"),
        (pose((0.01, 0.01), frame=CoordinateFrame.PATIENT), "it is not known where the probe is"),
    ],
)
def test_unknown_says_why_of_every_structure(one, reason):
    found = told(one)
    assert set(found) == {"femoral artery", "femoral vein", "nerve 1"}
    assert all(c.distance is None and c.interval is None for c in found.values())
    assert found["femoral artery"].reason == found["nerve 1"].reason == reason


def test_half_a_slice_off_is_in_the_picture_and_more_is_not():
    assert told(pose((0.01, 0.01), elevation=1.0e-3))["femoral artery"].distance is not None
    assert told(pose((0.01, 0.01), elevation=1.01e-3))["femoral artery"].distance is None


def test_without_spacing_or_structures_nothing_is_known():
    flat = scene_of(
        nerve((45, 40), 8), artery((45, 80), 12), grid=PixelGrid(rows=90, columns=120, spacing=None)
    )
    found = told(pose((0.01, 0.01)), scene=flat, of=plan(flat, PROCEDURE))
    assert found["femoral artery"].reason == "the picture has no lengths: spacing unknown"


def test_a_pose_of_the_patient_is_turned_into_that_of_the_probe():
    probe = held(angle=0.3, turn=0.7, at=(0.01, -0.02, 0.003))
    inside = pose((0.018, 0.004))
    outside = NeedlePose(
        state=NeedleState.TIP,
        tip=probe.apply(inside.tip[None])[0],
        direction=probe.rotation @ inside.direction,
        covariance=probe.rotation @ np.diag([1e-8, 4e-8, 9e-8]) @ probe.rotation.T,
        frame=CoordinateFrame.PATIENT,
        time=0.0,
    )
    back = in_probe_frame(outside, probe)
    np.testing.assert_allclose(back.tip, inside.tip, atol=1e-12)
    np.testing.assert_allclose(back.direction, inside.direction, atol=1e-12)
    np.testing.assert_allclose(back.covariance, np.diag([1e-8, 4e-8, 9e-8]), atol=1e-18)
    a, b = told(outside, probe=probe)["femoral artery"], told(inside)["femoral artery"]
    assert a.distance == pytest.approx(b.distance, abs=1e-9)


def test_a_disk_is_where_its_pixels_are():
    """The closed form above holds for this picture: its axes are axial, lateral."""
    axial, lateral = centers(grid_of())
    inside = SCENE.segmentation.mask(2)
    assert axial[inside].mean() == pytest.approx(ARTERY.at[0], abs=1e-4)
    assert lateral[inside].mean() == pytest.approx(ARTERY.at[1], abs=1e-4)


def plexus(together):
    return replace(PROCEDURE, target=replace(PROCEDURE.target, together=together))


ROOTS = [
    nerve((0.012, 0.012), 0.003),
    nerve((0.020, 0.012), 0.002, instance=2),  # 3 mm below the first
    nerve((0.027, 0.012), 0.002, instance=3),  # 3 mm below the second, 10 mm from the first
    nerve((0.012, 0.030), 0.002, instance=4),  # 13 mm beside
]
CLUSTER = scene_of(*ROOTS, artery((0.020, 0.019), 0.0015))


def test_what_lies_near_the_target_belongs_to_it_and_so_on_from_one_to_the_next():
    of = plan(CLUSTER, plexus(sourced(4e-3)))
    assert {one.structure: one.belongs for one in of.hazards if one.known} == {
        "femoral artery": False, "nerve 2": True, "nerve 3": True, "nerve 4": False,
    }  # fmt: skip
    near = {c.structure: c for c in clearances(CLUSTER, of, PROCEDURE, pose((0.020, 0.0085)), None)}
    assert near["nerve 2"].target and near["nerve 2"].margin == 0
    assert not near["nerve 4"].target and near["nerve 4"].margin > 0
    assert not near["femoral artery"].target


def test_a_plexus_is_gone_to_from_any_side_and_entered_nowhere():
    deep = [nerve((0.021, 0.012), 0.003), nerve((0.013, 0.012), 0.002, instance=2)]
    scene, one, many = scene_of(*deep), plexus(None), plexus(sourced(4e-3))
    alone, together = plan(scene, one), plan(scene, many)
    stand_off = one.target.standoff.value
    above = [
        path for path in together.paths if path.target[0] < 0.013
    ]  # beside the upper, which is the smaller
    assert above and not any(path.target[0] < 0.013 for path in alone.paths)
    for path in together.paths:
        way = np.linspace(path.entry, path.target, 200)
        for at, radius in (((0.021, 0.012), 0.003), ((0.013, 0.012), 0.002)):
            assert np.linalg.norm(way - at, axis=1).min() - radius > 0.8 * stand_off
        assert {one.structure for one in path.clearances if one.distance is not None} == {"nerve 2"}


def test_without_a_word_of_it_or_too_far_nothing_belongs_to_a_target():
    for together in (None, sourced(2e-3)):
        of = plan(CLUSTER, plexus(together))
        assert not any(one.belongs for one in of.hazards)


def test_a_nerve_with_a_name_belongs_to_no_target():
    named = replace(ROOTS[1], name="phrenic nerve", instance=1)
    scene = scene_of(ROOTS[0], named, *ROOTS[2:])
    of = plan(scene, replace(plexus(sourced(4e-3)), hazards=(hazard("phrenic nerve", Tissue.NERVE, 2e-3),)))
    assert not next(one for one in of.hazards if one.structure == "phrenic nerve").belongs


def test_while_a_nerve_that_is_a_hazard_is_not_known_any_nerve_may_be_it():
    hazardous = replace(plexus(sourced(4e-3)), hazards=(hazard("phrenic nerve", Tissue.NERVE, 4e-3),))
    of = plan(CLUSTER, hazardous)
    assert not any(one.belongs for one in of.hazards)
    assert {one.margin for one in of.hazards if one.tissue is Tissue.NERVE} == {4e-3}


BONE = artery((0.018, 0.024), 0.004, name="bone", tissue=Tissue.BONE)


def test_a_bone_that_the_procedure_does_not_name_is_not_watched_and_anything_that_can_be_harmed_is():
    for one, watched in (
        (BONE, False),
        (replace(BONE, name="lymph node", tissue=Tissue.LYMPH_NODE), False),
        (replace(BONE, name="pleura", tissue=Tissue.PLEURA), True),
        (replace(BONE, name="vein", tissue=Tissue.VEIN), True),
        (nerve((0.018, 0.024), 0.002, instance=2), True),
    ):
        scene = scene_of(NERVE, one)
        of = plan(scene, PROCEDURE)
        told = {c.structure for c in clearances(scene, of, PROCEDURE, pose((0.018, 0.001)), None)}
        assert (f"{one.name} {one.instance}" in told) is watched


def test_a_hazard_that_is_named_without_a_margin_is_near_as_soon_as_contact_may_be():
    of_bone = replace(PROCEDURE, hazards=(hazard("first rib", Tissue.BONE, 0.0),))
    scene = scene_of(NERVE, replace(BONE, name="first rib"))
    of = plan(scene, of_bone)
    for lateral, level in ((0.0185, Level.CAUTION), (0.024, Level.STOP), (0.008, None)):
        near = clearances(scene, of, of_bone, pose((0.018, lateral), 0.0), None)
        (told,) = [one for one in about_clearances(near, 0.0) if one.about == "first rib"]
        assert told.level is level
