"""What was injected is told apart from vessels by where and when it appeared; what was there before stands."""

import numpy as np
import pytest

from insonate.analysis.segmentation.injectate import AT_LEAST, injectate, vessels, without
from insonate.core import Grid, ModelVersion, PixelGrid, RangeError, Segmentation, Structure, Tissue
from refusals import refused

GRID = Grid(axial=np.arange(200) * 2e-4, lateral=(np.arange(190) - 95) * 2e-4)
ML = 1e-6


def disc(center, radius):
    return np.hypot((GRID.axial - center[0])[:, None], (GRID.lateral - center[1])[None, :]) <= radius


def seen(*parts, grid=GRID):
    labels = np.zeros((1, *GRID.shape), np.uint8)
    structures = []
    for number, (tissue, mask) in enumerate(parts, start=1):
        labels[0][mask] = number
        structures.append(Structure(name=tissue.value, tissue=tissue, instance=number))
    return Segmentation(
        labels=labels, structures=tuple(structures), confidence=np.full(labels.shape, 0.9, np.float32), grid=grid,
        times=None, model=ModelVersion(name="a test", version="1", confidence_threshold=0.5),
    )  # fmt: skip


ARTERY = (Tissue.ARTERY, disc((0.018, 0.008), 0.004))
NERVE = (Tissue.NERVE, disc((0.018, -0.004), 0.003))
POOL = (Tissue.VEIN, disc((0.014, -0.004), 0.002))
TIP = (0.0145, -0.0055)


def test_a_pool_at_the_tip_is_the_injectate_and_its_pixels_are_not_known():
    before, now = vessels(seen(ARTERY, NERVE)), seen(ARTERY, NERVE, POOL)
    found = injectate(now, before, [TIP], 1 * ML)
    np.testing.assert_array_equal(found, POOL[1])
    left = without(now, found)
    assert not left.labels[0][POOL[1]].any()
    assert not left.known()[0][POOL[1]].any()
    np.testing.assert_array_equal(left.labels[0] == 1, ARTERY[1])
    assert left.known()[0][~POOL[1]].all()


def test_a_vessel_that_was_there_before_stands_wherever_the_tip_is():
    moved = (Tissue.ARTERY, disc((0.0185, 0.0085), 0.004))
    now = seen(moved, NERVE)
    assert not injectate(now, vessels(seen(ARTERY, NERVE)), [(0.018, 0.004)], 5 * ML).any()


def test_fluid_that_runs_up_to_a_vessel_stays_that_vessel():
    joined = (Tissue.ARTERY, ARTERY[1] | disc((0.016, 0.001), 0.004))
    assert not injectate(seen(joined), vessels(seen(ARTERY)), [(0.016, 0.001)], 1 * ML).any()


def test_a_new_vessel_far_from_the_tip_stands_until_the_fluid_could_be_there():
    far = (Tissue.VEIN, disc((0.03, 0.01), 0.002))
    now, before = seen(NERVE, far), vessels(seen(NERVE))
    gap = np.hypot(0.03 - TIP[0], 0.01 - TIP[1]) - 0.002
    least = np.pi * 0.02 * (gap - AT_LEAST) ** 2
    assert not injectate(now, before, [TIP], 0.9 * least).any()
    assert injectate(now, before, [TIP], 1.1 * least).any()


def test_a_nerve_is_never_taken_for_fluid_and_nothing_is_without_injection_or_place():
    before = vessels(seen(ARTERY))
    assert not injectate(seen(ARTERY, NERVE), before, [(0.018, -0.004)], 5 * ML).any()
    now = seen(ARTERY, POOL)
    assert not injectate(now, before, [TIP], 0.0).any()
    assert not injectate(now, before[:-1], [TIP], 1 * ML).any()
    pixels = seen(ARTERY, POOL, grid=PixelGrid(rows=GRID.shape[0], columns=GRID.shape[1], spacing=None))
    assert not injectate(pixels, before, [TIP], 1 * ML).any()
    assert without(now, np.zeros(GRID.shape, bool)) is now


def test_milliliters_are_refused():
    with refused(RangeError, "volume must lie in 0..0.001 m^3, got 5 (milliliters?)"):
        injectate(seen(POOL), vessels(seen()), [TIP], 5.0)


@pytest.mark.parametrize("tissue", [one for one in Tissue if one.is_vessel])
def test_every_kind_of_vessel_counts(tissue):
    now = seen((tissue, POOL[1]))
    assert vessels(now).sum() == POOL[1].sum()
    assert injectate(now, vessels(seen(NERVE)), [TIP], 1 * ML).any()


def test_it_is_found_at_any_of_the_places_where_something_was_given():
    now, before = seen(POOL), vessels(seen(NERVE))
    far = (0.03, 0.012)
    assert not injectate(now, before, [far], 1 * ML).any()
    assert injectate(now, before, [far, TIP], 1 * ML).any()
    assert not injectate(now, before, [], 1 * ML).any()
