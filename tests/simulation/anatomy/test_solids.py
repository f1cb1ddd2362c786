"""Solids are made in order, each on what came before, and one more moves none of the others."""

import numpy as np

from insonate.simulation.anatomy import read
from insonate.simulation.anatomy.solids import KINDS, solids
from simulation.anatomy.phantoms import LAYERED


def made(text=LAYERED):
    individual = read(text=text, name="phantom").individual(4)
    return solids(individual.blocks, individual.rng)


def test_every_kind_is_made_under_its_name():
    assert list(made()) == ["bone", "tendon", "bursa"]
    assert set(KINDS) == {"relief", "shell", "ellipsoid", "arch", "tube"}


def test_one_more_moves_none_of_the_others():
    more = LAYERED.replace('name = "bursa"', 'name = "gap"').replace('"tendon"\nto', '"gap"\nto')
    at = (np.zeros(9), np.zeros(9), np.linspace(0, 0.02, 9))
    assert np.array_equal(made()["tendon"].distance(at), made(more)["tendon"].distance(at))
