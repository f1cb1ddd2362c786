"""Motion in compiled code is that of the closed forms, map by map and together, with every instruction set."""

from dataclasses import replace

import numpy as np
import pytest

from insonate.simulation.motion import kernels
from insonate.simulation.motion.fields import Contraction
from insonate.simulation.motion.glide import Glide
from insonate.simulation.motion.kernels import native_
from simulation.motion.test_deformation import places, whole

native = pytest.importorskip(
    "insonate_native", reason="the native kernels are not built: make native", exc_type=ImportError
)
if not native_.is_available():
    pytest.skip("the native kernels were built before motion came: make native", allow_module_level=True)

ATOL_MAP = 1e-15
"""The same formula in double precision, of lengths of centimeters [m]."""
ATOL_SETTLED = 2e-9
"""What twelve steps of a fixed point leave, which the closed form takes for all places together [m]."""
MUSCLE = Contraction(
    middle=np.array([2e-3, 0, 0.02]), fiber=np.array([0.0, 0.6, 0.8]), strain=0.12, width=8e-3
)


def everything():
    deformed = whole()
    inner = (*deformed.inner, MUSCLE, replace(deformed.inner[3], inside=True, station=-2e-3))
    return replace(deformed, inner=inner)


@pytest.mark.parametrize("which", range(9))
@pytest.mark.parametrize("instructions", native.available())
def test_each_map_is_its_closed_form(which, instructions, monkeypatch):
    deformed = everything()
    one = (deformed.contact, *deformed.inner)[which]
    at = places(500, seed=which)
    told = one.move
    monkeypatch.setattr(kernels, "get", lambda: None)  # the contact too gives its closed form
    given = [(told.kind, told.numbers, told.table, told.axis, told.inside)]
    for forward, form in ((False, one.back), (True, one.forth)):
        made = native.carried(at, given, forward=forward, instructions=instructions)
        settled = forward and told.kind in ("drag", "contraction")
        assert np.abs(made - form(at)).max() < (ATOL_SETTLED if settled else ATOL_MAP)
    if told.fluid:
        depth = np.full(len(at), -1.0)
        native.carried(at, given, depth=depth, instructions=instructions)
        assert np.abs(depth - one.depth(at)).max() < ATOL_MAP
        assert (depth > 0).any()


def test_all_together_are_those_one_after_another(monkeypatch):
    deformed, at = everything(), places(3000)
    made = (*deformed.looked(deformed.contact.back(at)), deformed.place(at))
    monkeypatch.setattr(kernels, "get", lambda: None)
    truth = (*deformed.looked(deformed.contact.back(at)), deformed.place(at))
    for one, other, atol in zip(made, truth, (ATOL_MAP, ATOL_MAP, ATOL_SETTLED), strict=True):
        assert np.abs(one - other).max() < atol
    assert np.array_equal(truth[0], deformed.origin(at))
    assert np.array_equal(truth[1], deformed.fluid(at))


def test_a_map_that_it_does_not_know_is_asked_in_its_turn(monkeypatch):
    glide = Glide(distance=lambda at: 0.02 - at[:, 2], amount=np.array([1e-3, 0, 0]))
    deformed = everything()
    deformed = replace(deformed, inner=(*deformed.inner[:2], glide, *deformed.inner[2:]))
    at = places(2000)
    made = deformed.origin(at), deformed.place(at)
    monkeypatch.setattr(kernels, "get", lambda: None)
    assert np.abs(made[0] - deformed.origin(at)).max() < ATOL_MAP
    assert np.abs(made[1] - deformed.place(at)).max() < ATOL_SETTLED


@pytest.mark.parametrize(
    ("move", "why"),
    [
        (("slide", np.zeros(3), None, 0, False), "numbers of slide must have shape"),
        (("wall", np.zeros(2), np.zeros((0, 7)), 0, False), "a tube must have stations"),
        (("wall", np.ones(2), np.zeros((3, 7)), 3, False), "a tube must have stations"),
        (("wall", np.ones(2), np.zeros((3, 6)), 1, False), "stations must have shape"),
        (("contact", np.ones(6), np.zeros(2), 0, False), "profiles must be three"),
        (("contact", np.ones(6), np.array([0.0, 1.0, 9.0, 1.0]), 0, False), "profiles must be three"),
        (
            ("contact", np.full(6, np.nan), np.array([0.0, 1, 3, *range(6)] * 3), 0, False),
            "steps must be few",
        ),
        (("bend", np.zeros(3), None, 0, False), "no motion of kind bend"),
    ],
)
def test_what_would_be_read_beside_is_refused(move, why):
    with pytest.raises(ValueError, match=why):
        native.carried(np.zeros((4, 3)), [move])


def test_places_that_are_none_are_refused():
    with pytest.raises(native.NotCoveredError, match="places must be finite"):
        native.carried(np.full((4, 3), np.nan), [])


def test_without_the_library_the_closed_forms_are_asked(monkeypatch):
    monkeypatch.setattr(native_, "is_available", lambda: False)
    assert kernels.get() is None
