"""A structure that moves as tissue does goes on; one that jumps, splits or changes places does not until seen so twice."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidance.scenes import artery, block, hazard, needle, nerve, scene_of
from insonate.core import PixelGrid, Tissue
from insonate.guidance.continuity import Continuity
from insonate.guidance.trajectory import plan

PROCEDURE = block(hazard("femoral artery", Tissue.ARTERY, 3e-3), needle=needle(0.72e-3))
NERVE = nerve((0.018, 0.028), 0.003)


def seen(*vessels, of=NERVE):
    return scene_of(of, *vessels)


def after(*scenes, stayed=True):
    one = Continuity()
    for scene in scenes:
        one.take(scene, plan(scene, PROCEDURE), stayed=stayed)
    return dict(one.doubts)


HERE = artery((0.018, 0.012), 0.003)
THERE = artery((0.018, 0.019), 0.003)


@given(axial=st.floats(-1.4e-3, 1.4e-3), lateral=st.floats(-1.4e-3, 1.4e-3), radius=st.floats(0.0025, 0.0036))
def test_what_moves_as_tissue_does_goes_on(axial, lateral, radius):
    moved = artery((0.018 + axial, 0.012 + lateral), radius)
    assert after(seen(HERE), seen(moved)) == {}


def test_a_jump_is_told_with_its_length_until_it_is_seen_there_again():
    assert after(seen(HERE), seen(THERE)) == {"femoral artery": "its outline jumped by 7 mm"}
    assert after(seen(HERE), seen(THERE), seen(THERE)) == {}
    back = after(seen(HERE), seen(THERE), seen(HERE))
    assert set(back) == {"femoral artery"}


def test_one_that_was_gone_for_a_picture_is_held_against_where_it_was():
    assert set(after(seen(HERE), seen(), seen(THERE))) == {"femoral artery"}
    assert after(seen(HERE), seen(), seen(HERE)) == {}


def test_a_structure_of_which_half_goes_to_another_is_in_doubt():
    large = artery((0.018, 0.012), 0.006)
    part = artery((0.018, 0.0085), 0.0015)
    assert set(after(seen(large), seen(part))) == {"femoral artery"}


def test_a_target_that_jumps_is_in_doubt_too():
    far = nerve((0.009, 0.028), 0.003)
    assert set(after(seen(HERE), seen(HERE, of=far))) == {"nerve 1"}


def test_structures_that_only_change_numbers_go_on_and_a_new_one_far_from_all_does_not():
    first, second = artery((0.012, 0.010), 0.0025), artery((0.027, 0.010), 0.0025)
    numbered = [replace(one, name="artery", instance=k) for k, one in enumerate((first, second), start=1)]
    swapped = [replace(one, name="artery", instance=k) for k, one in enumerate((second, first), start=1)]
    assert after(seen(*numbered), seen(*swapped)) == {}
    third = replace(artery((0.012, 0.021), 0.0025), name="artery", instance=2)
    assert set(after(seen(*numbered), seen(numbered[0], third))) == {"artery 2"}


def test_from_another_place_of_the_probe_nothing_has_jumped():
    assert after(seen(HERE), seen(THERE), stayed=False) == {}


def test_a_probe_that_moves_takes_no_doubt_away():
    one = Continuity()
    for scene, stayed in ((HERE, True), (THERE, True), (THERE, False)):
        one.take(seen(scene), plan(seen(scene), PROCEDURE), stayed=stayed)
    assert set(one.doubts) == {"femoral artery"}
    one.take(seen(THERE), plan(seen(THERE), PROCEDURE), stayed=True)
    assert one.doubts == {}


def test_what_is_not_labelled_any_more_stays_in_doubt():
    one = Continuity()
    for scene in (seen(HERE), seen(THERE)):
        one.take(scene, plan(scene, PROCEDURE), stayed=True)
    flat = scene_of(nerve((45, 40), 8), grid=PixelGrid(rows=90, columns=120, spacing=None))
    one.take(flat, plan(flat, PROCEDURE), stayed=True)
    assert dict(one.doubts) == {"femoral artery": "nothing is labelled where lengths are known"}


@pytest.mark.parametrize("count", [1, 2])
def test_the_first_time_there_is_nothing_to_be_held_against(count):
    assert after(*[seen(HERE)] * count) == {}
