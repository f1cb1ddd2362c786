from dataclasses import replace

import numpy as np
import pytest

from insonate.simulation.motion.injection import MOST_DEPOSITS, Deposit, Deposits, Place, beside
from insonate.simulation.motion.tubes import trace
from simulation.analytic_body import NERVE, AnalyticBody

TUBE = trace(AnalyticBody(), NERVE)


def deposit(**changes):
    usual = {
        "place": Place.PLANE,
        "site": np.array([-5e-3, 0, 0.017]),
        "normal": np.array([1.0, 0, 0]),
        "tube": TUBE,
        "channel": None,
        "station": 0.0,
        "share": 0.4,
        "volume": 2e-6,
    }
    return Deposit(**usual | changes)


def volumes(one):
    pools, sleeves = one.maps()
    return sum(p.volume for p in pools), sum(s.volume for s in sleeves)


def test_fluid_near_a_nerve_is_shared_and_none_is_lost():
    assert volumes(deposit()) == pytest.approx((1.2e-6, 0.8e-6))
    assert volumes(deposit(share=0.0, tube=None)) == pytest.approx((2e-6, 0))


def test_fluid_beside_a_nerve_pushes_it_without_changing_its_section():
    channel = beside(TUBE, np.array([-4.8e-3, 0, 0.017]), np.array([1.0, 0, 0]), 3.5)
    one = deposit(channel=channel)
    assert volumes(one) == pytest.approx((1.2e-6, 0.8e-6))
    apart = one.maps()[0][0]
    x = np.linspace(-16e-3, 2e-3, 361)
    plane = np.stack(np.meshgrid(x, [0.0], 0.026 + x, indexing="ij"), axis=-1).reshape(-1, 3)
    at = apart.back(plane)
    nerve = (AnalyticBody().distance(NERVE, at) < 0) & (apart.depth(plane) < 0)
    cell = (x[1] - x[0]) ** 2
    assert nerve.sum() * cell == pytest.approx(np.pi * 2.5e-3**2, rel=0.01)
    assert plane[nerve].mean(axis=0)[0] < -8.5e-3  # pushed away
    wide = np.ptp(plane[apart.depth(plane) > 0], axis=0)
    assert wide[2] / wide[0] == pytest.approx(3.5, rel=0.1)  # counted in cells, 23 of them thick


def test_fluid_in_a_nerve_swells_it_alone():
    one = deposit(place=Place.NERVE, share=1.0)
    assert volumes(one) == pytest.approx((0, 2e-6))
    assert one.maps()[1][0].inside


def test_a_sheath_takes_more_the_nearer_it_is():
    given = Deposits()
    shares = [given.share_of_sheath(d) for d in (-1e-3, 0, 1e-3, 2e-3, 3e-3, 9e-3)]
    assert shares[0] == shares[1] == pytest.approx(0.65)
    assert (np.diff(shares[1:5]) < 0).all()
    assert shares[4] == shares[5] == 0


def test_a_tip_that_moved_on_or_into_something_makes_a_new_deposit():
    given = Deposits()
    site = np.array([-5e-3, 0, 0.017])
    assert not given.continues(Place.PLANE, site)
    given.begin(deposit(volume=0.0))
    assert given.continues(Place.PLANE, site + np.array([1.9e-3, 0, 0]))
    assert not given.continues(Place.PLANE, site + np.array([2.1e-3, 0, 0]))
    assert not given.continues(Place.NERVE, site)


def test_what_is_added_is_there_and_no_more_is_taken_than_was_given():
    given = Deposits()
    given.begin(deposit(volume=0.0))
    given.add(1e-6)
    given.add(0.5e-6)
    assert given.given[-1].volume == pytest.approx(1.5e-6)
    assert given.near(TUBE) == pytest.approx(0.6e-6)
    given.add(-9e-6)
    assert given.given[-1].volume == 0


def test_deposits_are_bounded():
    given = Deposits()
    for number in range(MOST_DEPOSITS):
        given.begin(deposit(site=np.array([number * 0.01, 0, 0.01])))
    assert given.continues(Place.NERVE, np.array([9.0, 9, 9]))


def reach(one, channel):
    """Give how far fluid lies from where it was given along the nerve, by looking [m], and its volume by counting [m^3]."""
    pools, sleeves = one.maps()
    fluid = pools[0] if channel is not None or not sleeves else sleeves[0]
    axes = [np.arange(-0.016, 0.016, 2.5e-4), np.arange(-0.03, 0.03, 5e-4), np.arange(-0.008, 0.008, 2.5e-4)]
    at = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3) + one.site
    wet = at[fluid.depth(at) > 0]
    return np.abs(wet[:, 1]).max(), len(wet) * 2.5e-4**2 * 5e-4


@pytest.mark.parametrize("with_channel", [True, False])
def test_fluid_left_alone_goes_on_and_none_is_lost(with_channel):
    """Along a channel as t^(1/5), round a point as t^(1/8)."""
    site, normal = np.array([-5e-3, 0, 0.017]), np.array([0, 0, 1.0])
    channel = beside(TUBE, site, normal, 3.5) if with_channel else None
    fresh = deposit(normal=normal, tube=None, share=0.0, channel=channel, volume=1e-6)
    old = replace(fresh, age=600.0)
    (near, volume), (far, later) = reach(fresh, channel), reach(old, channel)
    power = 1 / 5 if with_channel else 1 / 8
    assert far / near == pytest.approx((1 + 600 / 20) ** power, rel=0.06)  # counted in cells of 0.5 mm
    assert volume == pytest.approx(1e-6, rel=0.03)
    assert later == pytest.approx(volume, rel=0.03)


def test_fluid_in_a_nerve_stays_where_it_is():
    one = deposit(place=Place.NERVE, share=1.0)
    old = replace(one, age=600.0)
    assert old.maps()[1][0].half_length == one.maps()[1][0].half_length


def test_age_is_the_mean_over_the_volume():
    given = Deposits()
    given.begin(deposit(volume=0.0))
    given.add(1e-6)
    given.rest(10.0)
    given.add(3e-6)
    assert given.given[-1].age == pytest.approx(2.5)
    given.add(-2e-6)
    assert given.given[-1].age == pytest.approx(2.5)
