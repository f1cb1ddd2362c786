"""A cause of motion as numbers, and back: the numbers say all that the closed form knows."""

import numpy as np

from insonate.simulation.motion.fields import Pool
from insonate.simulation.motion.tubes import Tube, Wall


def test_numbers_of_a_pool_hold_its_volume():
    pool = Pool(middle=np.arange(3.0), normal=np.array([0.0, 0, 1]), volume=2e-6, flatness=3.0)
    move = pool.move
    assert move.kind == "pool"
    assert move.fluid
    assert abs(4 / 3 * np.pi * move.numbers[6] ** 3 - 2e-6) < 1e-18


def test_the_table_of_a_tube_holds_its_stations():
    tube = Tube(
        label=1,
        axis=1,
        along=np.array([0.0, 1e-3, 3e-3]),
        middle=np.arange(6.0).reshape(3, 2),
        radius=np.array([1.0, 2, 3]),
        stretch=np.array([[[2.0, 0.5], [0.5, 0.625]]] * 3),
    )
    table = Wall(tube=tube, area=1.1).move.table
    assert np.array_equal(table[1], [1e-3, 2, 3, 2, 2, 0.5, 0.625])
    assert table.shape == (3, 7)
