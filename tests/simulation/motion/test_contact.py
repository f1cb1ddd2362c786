import numpy as np
import pytest

from insonate.core import RangeError
from insonate.simulation.motion.contact import Contact, Layers, indentation, layers
from refusals import refused
from simulation.analytic_body import BONE_AT, FAT_AT, MUSCLE_AT, SHEET_AT, AnalyticBody
from simulation.motion.poses import held

ATOL_DIVERGENCE = 1e-3
"""Slopes are 0.05 and more; central differences that straddle a kink of the tables leave this of a divergence of zero."""
ATOL_VOLUME = 0.01
"""Midpoint steps of 2 mm across layers whose strain changes from 5 to 40 percent within a millimeter, 1."""


@pytest.fixture(scope="module")
def stack():
    return layers(AnalyticBody())


def places(n=1500, seed=0):
    return np.random.default_rng(seed).uniform([-0.04, -0.02, 0.004], [0.04, 0.02, 0.04], (n, 3))


def slopes(field, at, step=2e-6):
    return np.stack([(field(at + step * e) - field(at - step * e)) / (2 * step) for e in np.eye(3)], axis=2)


def test_layers_give_as_their_moduli_say(stack):
    fat = np.interp(5e-3, stack.depth, stack.compliance)
    muscle = np.interp(35e-3, stack.depth, stack.compliance)
    assert fat / muscle == pytest.approx(2.0, rel=0.05)  # 3 and 6 kPa
    assert np.interp(0.5 * (SHEET_AT + MUSCLE_AT), stack.depth, stack.compliance) < fat
    assert np.interp(0.3 * FAT_AT, stack.depth, stack.compliance) < fat
    assert stack.bone == pytest.approx(BONE_AT, abs=2e-3)


def test_the_flow_makes_no_volume(stack):
    contact = Contact(stack, held(angle=0.08, turn=0.3), 8.0)
    trace = np.trace(slopes(contact._flow, places()), axis1=1, axis2=2)
    assert np.abs(trace).max() < ATOL_DIVERGENCE
    assert np.abs(slopes(contact._flow, places())).max() > 0.05


@pytest.mark.parametrize("force", [1.0, 5.0, 15.0])
def test_volume_is_kept_and_the_way_leads_back(stack, force):
    contact = Contact(stack, held(turn=0.5), force)
    at = places() + np.array([0, 0, contact.sunk])
    change = np.abs(np.linalg.det(slopes(contact.back, at)) - 1)
    assert np.quantile(change, 0.99) < ATOL_VOLUME
    assert change.max() < 10 * ATOL_VOLUME
    np.testing.assert_allclose(contact.forth(contact.back(at)), at, atol=1e-4)


@pytest.mark.parametrize("force", [2.0, 6.0])
def test_the_skin_lies_on_the_face(stack, force):
    contact = Contact(stack, held(), force)
    assert contact.sunk == pytest.approx(stack.bone * 0.22 * (1 - np.exp(-force / 7.0)), rel=1e-9)
    assert contact.pose.translation[2] == pytest.approx(contact.sunk)
    skin = contact.back(contact.pose.apply(np.array([[0.0, 0, 0], [0.01, 0, 0], [-0.015, 0, 0]])))
    np.testing.assert_allclose(skin[:, 2], 0, atol=2e-4)


def test_stress_goes_through_the_layers_as_a_chain_of_springs(stack):
    contact = Contact(stack, held(), 4.0)
    depth = np.linspace(0.010, 0.04, 40)
    line = np.stack([np.zeros(40), np.zeros(40), depth], axis=1)
    step = 1e-5
    up = np.array([0, 0, step])
    strain = -(contact._flow(line + up)[:, 2] - contact._flow(line - up)[:, 2]) / (2 * step)
    expected = np.interp(depth, stack.depth, stack.compliance)
    np.testing.assert_allclose(strain / strain[10], expected / expected[10], rtol=0.06)
    assert contact._flow(np.array([[0.0, 0, stack.bone]]))[0, 2] == pytest.approx(0, abs=1e-6)


def test_far_from_the_face_nothing_moves(stack):
    contact = Contact(stack, held(), 10.0)
    far = np.array([[0.25, 0.0, 0.01], [0.0, 0.1, 0.01], [0.0, -0.1, 0.02]])
    np.testing.assert_allclose(contact.back(far), far, atol=1e-12)


def test_deeper_with_force_but_ever_less():
    depth = [indentation(force, 0.04) for force in (0, 3, 6, 9, 12)]
    assert depth[0] == 0 and (np.diff(depth) > 0).all() and (np.diff(depth, 2) < 0).all()


def test_a_flat_face_touches_everywhere_and_a_lifted_one_nowhere(stack):
    lateral = np.linspace(-0.019, 0.019, 128)
    assert Contact(stack, held(), 3.0).touching(lateral).min() > 0.98
    lifted = Contact(stack, held(), 0.0)
    assert lifted.touching(lateral).max() < 1e-6
    assert lifted.pose.translation[2] == pytest.approx(-3e-3)
    np.testing.assert_array_equal(lifted.back(places()), places())
    assert Contact(stack, held(at=(0, 0, -0.2)), 0.0).pose.translation[2] == pytest.approx(-0.009)


def test_a_rocked_face_loses_the_skin_on_the_side_that_rises(stack):
    lateral = np.linspace(-0.019, 0.019, 128)
    # +angle about y: the marked side of the array goes up, out of the body
    touching = Contact(stack, held(angle=0.25), 1.5).touching(lateral)
    assert touching[-1] < 0.05 and touching[0] > 0.95
    pressed = Contact(stack, held(angle=0.25), 20.0).touching(lateral)
    assert pressed.sum() > touching.sum()


def test_a_probe_that_looks_away_is_refused(stack):
    with refused(
        RangeError, "the probe must look into the body, at most 60 degrees off straight down, got 90"
    ):
        Contact(stack, held(angle=np.pi / 2), 3.0)


def test_a_body_without_soft_tissue_is_refused():
    class Stone(AnalyticBody):
        def __init__(self):
            super().__init__()
            self.properties = {name: np.full(9, 1e9) for name in self.properties}

    with refused(RangeError, "the body must have soft tissue in the middle of its window, got none"):
        layers(Stone())


def test_layers_of_one_kind_strain_alike():
    even = Layers(depth=np.linspace(0, 0.05, 96), compliance=np.ones(96), bone=0.04)
    contact = Contact(even, held(), 4.0)
    depth = np.linspace(0.012, 0.034, 20)
    down = contact._flow(np.stack([np.zeros(20), np.zeros(20), depth], axis=1))[:, 2]
    np.testing.assert_allclose(
        np.diff(down) / np.diff(depth), np.diff(down)[0] / np.diff(depth)[0], rtol=0.02
    )
