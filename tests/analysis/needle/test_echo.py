"""A line of known place in speckle is found where it is, and is not where it is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.analysis.needle import needle_echo
from insonate.analysis.needle.echo import BESIDE, LEAST
from insonate.core import (
    CoordinateFrame,
    Grid,
    Image,
    InputError,
    NeedlePose,
    NeedleState,
    PixelGrid,
    Quantity,
)
from refusals import refused

GRID = Grid(axial=np.arange(380) * 1e-4, lateral=(np.arange(371) - 185) * 1e-4)
TIP = np.array([0.02, 0.0])
HALF = 1e-3


def pose(tip=TIP, angle=0.6, *, elevation=0.0, rise=0.0, state=NeedleState.TIP, side=1.0):
    way = np.array([side * np.cos(angle), rise, np.sin(angle)])
    seen = state is NeedleState.TIP
    return NeedlePose(
        state=state, tip=np.array([tip[1], elevation, tip[0]]) if seen else None, direction=way / np.linalg.norm(way),
        covariance=np.eye(3) * 1e-8 if seen else None, frame=CoordinateFrame.PROBE, time=0.0,
    )  # fmt: skip


def picture(angle=0.6, *, strength=20.0, seed=0, tip=TIP, side=1.0):
    """Speckle (deviation 5.6 dB, grains of a third of a millimeter) and a line half a millimeter wide that ends at a tip."""
    rng = np.random.default_rng(seed)
    grains = rng.normal(size=(2, 95, 93)).repeat(4, axis=1).repeat(4, axis=2)[:, :380, :371]
    power = (grains**2).sum(axis=0)
    way = np.array([np.sin(angle), side * np.cos(angle)])
    away = np.stack(np.meshgrid(GRID.axial, GRID.lateral, indexing="ij"), axis=-1) - tip
    along, across = away @ way, away @ np.array([way[1], -way[0]])
    power = power + 10 ** (strength / 10) * np.exp(-((across / 0.25e-3) ** 2)) * (along <= 0)
    return Image(
        values=(10 * np.log10(power + 1e-6) - 45)[None].astype(np.float32), quantity=Quantity.B_MODE, grid=GRID, times=None
    )  # fmt: skip


def look(image, needle):
    return needle_echo(image, needle, half_slice=HALF, time=1.0)


@settings(max_examples=30, deadline=None)
@given(
    angle=st.floats(0.3, 1.0), seed=st.integers(0, 99), side=st.sampled_from([1.0, -1.0]),
    turn=st.floats(-0.05, 0.05), off=st.floats(-0.6e-3, 0.6e-3),
)  # fmt: skip
def test_a_needle_where_it_is_said_to_lie_stands_out_and_ends_at_its_tip(angle, seed, side, turn, off):
    image = picture(angle, seed=seed, side=side)
    way = np.array([np.sin(angle), side * np.cos(angle)])
    found = look(image, pose(TIP + off * np.array([way[1], -way[0]]), angle + turn, side=side))
    assert found.contrast > 10
    assert found.elsewhere < found.contrast - 4
    assert abs(found.beyond) < 1.5e-3
    assert found.time == 1.0


@settings(max_examples=30, deadline=None)
@given(
    deeper=st.sampled_from([-5e-3, -3e-3, 3e-3, 5e-3]),
    seed=st.integers(0, 99),
    side=st.sampled_from([1.0, -1.0]),
)
def test_a_needle_that_lies_beside_it_is_found_there_with_its_sign(deeper, seed, side):
    angle = 0.6
    across = np.array([np.cos(angle), -side * np.sin(angle)])  # to the deeper side
    found = look(picture(seed=seed, side=side), pose(TIP - deeper * across, angle, side=side))
    assert found.contrast < 5
    assert found.elsewhere > 10
    assert found.offset == pytest.approx(deeper, abs=0.5e-3)


@pytest.mark.parametrize("short", [-4e-3, 4e-3])
def test_an_echo_that_ends_elsewhere_says_how_far_beyond_the_tip(short):
    ends = []
    for seed in range(20):
        way = np.array([np.sin(0.6), np.cos(0.6)])
        ends.append(look(picture(seed=seed), pose(TIP + short * way)).beyond)
    assert np.median(ends) == pytest.approx(-short, abs=0.7e-3)


def test_speckle_alone_shows_no_needle():
    found = [look(picture(seed=seed, strength=-100), pose()) for seed in range(40)]
    assert max(one.contrast for one in found) < 6


def test_where_too_little_lies_in_the_picture_nothing_is_said():
    image = picture()
    assert look(image, pose()).length > LEAST
    assert look(image, pose(state=NeedleState.SHAFT_ONLY)) is None
    assert look(image, pose(elevation=1.1e-3)) is None
    assert look(image, pose(tip=np.array([0.02, -0.016]))) is None
    assert look(image, pose(tip=np.array([0.05, 0.0]))) is None
    assert look(image, pose(rise=0.5)) is None  # it leaves the plane 2.3 mm behind its tip


def test_a_shaft_that_leaves_the_plane_is_looked_at_as_far_as_it_lies_in_it():
    found = look(picture(), pose(rise=0.1))
    assert LEAST < found.length < look(picture(), pose()).length
    assert found.length == pytest.approx(HALF / 0.1 - 1e-3, abs=0.4e-3)


def test_a_picture_without_lengths_is_refused():
    flat = Image(
        values=picture().values, quantity=Quantity.B_MODE, grid=PixelGrid(rows=380, columns=371, spacing=None), times=None
    )  # fmt: skip
    with refused(InputError, "a needle is looked for on a Grid, got PixelGrid"):
        look(flat, pose())
    assert BESIDE < 2e-3
