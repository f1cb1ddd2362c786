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
