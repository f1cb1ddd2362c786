"""Fluid is told apart by what lay there before, with the probe as it is; where that is unknown, a vessel stays a vessel."""

from dataclasses import replace

import numpy as np
import pytest

from insonate.core import (
    AdvanceNeedle,
    CoordinateFrame,
    Grid,
    InjectionReading,
    ModelVersion,
    MoveProbe,
    NeedlePose,
    NeedleState,
    Scene,
    Segmentation,
    Structure,
    Tissue,
)
from insonate.pipeline import fluid
from insonate.pipeline.fluid import Fluid
from insonate.pipeline.readings import Readings
from simulation.motion.poses import held

GRID = Grid(axial=np.arange(200) * 2e-4, lateral=(np.arange(190) - 95) * 2e-4)
TIP = (0.0145, -0.0055)
ARTERY = (0.018, 0.008, 0.004)
POOL = (0.014, -0.004, 0.002)
VEIN = (0.014, -0.0035, 0.0015)
"""A vein that lies where the pool comes to lie."""


def picture(*vessels):
    labels = np.zeros((1, *GRID.shape), np.uint8)
    for number, (axial, lateral, radius) in enumerate(vessels, start=1):
        labels[0][np.hypot((GRID.axial - axial)[:, None], (GRID.lateral - lateral)[None, :]) <= radius] = (
            number
        )
    structures = tuple(
        Structure(name="vein", tissue=Tissue.VEIN, instance=number) for number in range(1, len(vessels) + 1)
    )
    return Scene(
        segmentation=Segmentation(
            labels=labels, structures=structures, confidence=np.full(labels.shape, 0.9, np.float32), grid=GRID,
            times=None, model=ModelVersion(name="a test", version="1", confidence_threshold=0.5),
        ),
        image=None,
    )  # fmt: skip


def vessels(scene):
    """Tell which structures have pixels left."""
    return sorted({int(number) for number in np.unique(scene.segmentation.labels)} - {0})


class Bench:
    """A probe, a needle whose tip is known, a syringe."""

    def __init__(self):
        self.fluid, self.readings = Fluid(), Readings()
        self.probe()

    def probe(self, **how):
        self.readings.take(held(**how))

    def needle(self, inserted):
        self.fluid.take(
            AdvanceNeedle(
                time=0.0,
                entry=np.zeros(3),
                direction=np.array([1.0, 0.0, 0.0]),
                inserted=inserted,
                rotation=0.0,
                given_by="a test",
            )
        )

    def give(self, milliliters):
        self.readings.take(
            NeedlePose(
                state=NeedleState.TIP, tip=np.array([TIP[1], 0.0, TIP[0]]), direction=np.array([1.0, 0.0, 0.0]),
                covariance=np.eye(3) * 1e-8, frame=CoordinateFrame.PROBE, time=0.0,
            )
        )  # fmt: skip
        self.readings.take(InjectionReading(rate=0.0, volume=1e-6 * milliliters, pressure=None, time=0.0))

    def sees(self, *shown):
        return vessels(self.fluid.apart(picture(*shown), 0.0, self.readings))

    def moved(self):
        self.fluid.take(MoveProbe(time=0.0, pose=held(), contact_force=2.0, given_by="a test"))


@pytest.fixture
def bench():
    return Bench()


def test_what_comes_with_the_fluid_is_told_apart(bench):
    bench.needle(0.02)
    assert bench.sees(ARTERY) == [1]
    bench.give(2)
    assert bench.sees(ARTERY, POOL) == [1]


def test_before_anything_was_given_a_new_vessel_is_one(bench):
    bench.needle(0.02)
    assert bench.sees(ARTERY) == [1]
    assert bench.sees(ARTERY, POOL) == [1, 2]


@pytest.mark.parametrize(("times", "left"), [(1, [1]), (2, [1, 2]), (10, [1, 2])])
def test_a_vessel_that_one_picture_of_ten_had_was_none_and_one_of_five_is(bench, times, left):
    bench.needle(0.02)
    for number in range(10):
        bench.sees(ARTERY, *((VEIN,) if number < times else ()))
    bench.give(2)
    assert bench.sees(ARTERY, POOL) == left


def test_what_one_picture_of_before_missed_another_had(bench):
    bench.needle(0.02)
    bench.sees(ARTERY, VEIN)
    bench.sees(ARTERY)
    bench.give(2)
    assert bench.sees(ARTERY, VEIN) == [1, 2]


@pytest.mark.parametrize("how", ["commanded", "seen"])
def test_with_the_probe_moved_over_a_needle_nothing_is_told_apart(bench, how):
    bench.needle(0.02)
    bench.sees(ARTERY)
    bench.give(2)
    if how == "commanded":
        bench.moved()
    else:
        bench.probe(at=(0.005, 0.0, 0.0))
    assert bench.sees(ARTERY, POOL) == [1, 2]
    bench.give(3)
    assert bench.sees(ARTERY, POOL) == [1, 2]


def test_it_begins_anew_once_the_needle_is_out(bench):
    bench.needle(0.02)
    bench.sees(ARTERY)
    bench.give(2)
    bench.moved()
    bench.needle(0.0)
    assert bench.sees(ARTERY, VEIN) == [1, 2]  # what is left of the first is a vessel of before the second
    bench.needle(0.02)
    bench.give(4)
    assert bench.sees(ARTERY, VEIN) == [1, 2]
    assert bench.sees(ARTERY, POOL, (0.013, -0.012, 0.002)) == [1, 2]


def test_where_nobody_tells_of_the_probe_nothing_is_told_apart():
    bench = Bench()
    bench.readings = Readings()
    bench.sees(ARTERY)
    bench.give(2)
    assert bench.sees(ARTERY, POOL) == [1, 2]


def test_a_picture_without_labels_comes_back_as_it_is(bench):
    bare = replace(picture(ARTERY), segmentation=None)
    assert bench.fluid.apart(bare, 0.0, bench.readings) is bare


def test_a_tip_that_rests_is_one_place_and_one_that_moved_is_another():
    sites = []
    for number in range(50):
        sites = fluid._with(sites, (0.0145, -0.0055 + 1e-6 * number), 1e-8)
    assert len(sites) == 1 and sites[0][1] == pytest.approx(50e-8)
    sites = fluid._with(sites, (0.0155, -0.0055), 2e-8)
    assert [round(1e8 * volume) for _, volume in sites] == [50, 2]
    for number in range(100):
        sites = fluid._with(sites, (0.02 + 1e-3 * number, 0.0), 1e-8)
    assert len(sites) == fluid.MOST_SITES
