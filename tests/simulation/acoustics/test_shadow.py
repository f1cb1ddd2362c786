import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.core import RangeError
from insonate.simulation.acoustics.shadow import line_of_sight
from refusals import refused

STEPS = {"lateral_step": 0.2e-3, "axial_step": 0.1e-3}
WITHIN = 0.02
"""Of the half-sample that an interface lies beside its row."""


@given(angle=st.floats(-0.6, 0.6), loss=st.floats(0, 100))
@settings(max_examples=20)
def test_an_even_layer_takes_what_its_length_along_the_way_takes(angle, loss):
    made = line_of_sight(np.full((81, 60), loss), **STEPS, steering_angle=angle, back=(0.0,))
    depth = np.arange(60) * 0.1e-3
    middle = np.exp(-loss * depth * (1 + 1 / np.cos(angle)))
    np.testing.assert_allclose(made[40], middle, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("angle", [-0.3, 0.0, 0.25])
def test_a_shadow_falls_along_the_wave(angle):
    loss = np.zeros((121, 200))
    loss[50:71, 20:22] = 1e5  # a plate from -2 to 2 mm, 2 mm deep
    made = line_of_sight(loss, **STEPS, steering_angle=angle, back=(angle,))
    row = 150  # 15 mm deep
    dark = np.flatnonzero(made[:, row] < 0.5)
    shift = np.tan(angle) * (150 - 21) * 0.1e-3 / 0.2e-3
    assert dark[0] == pytest.approx(50 + shift, abs=2)  # interpolated twice
    assert dark[-1] == pytest.approx(70 + shift, abs=2)
    assert made[60, :20].min() == 1.0
    assert made[round(60 + shift), row] < 10 ** (-25 / 20)


def test_eight_sub_apertures_soften_the_edge():
    loss = np.zeros((121, 200))
    loss[:61, 20] = 1e5
    made = line_of_sight(loss, **STEPS, steering_angle=0.0)
    level = made[:, 180]
    beside = np.unique(level[64:100].round(3))
    assert len(beside) >= 4  # one sub-aperture after the other comes to see
    assert (np.diff(level[61:]) >= -1e-6).all()
    assert level[30] < 10 ** (-25 / 20)
    assert level[115] == pytest.approx(1)


def test_the_mean_is_taken_over_the_ways_back():
    loss = np.random.default_rng(0).uniform(0, 50, (31, 40))
    apart = [line_of_sight(loss, **STEPS, steering_angle=0.1, back=(back,)) for back in (-0.2, 0.3)]
    np.testing.assert_allclose(
        line_of_sight(loss, **STEPS, steering_angle=0.1, back=(-0.2, 0.3)), np.mean(apart, axis=0), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("loss", "settings_", "message"),
    [
        (np.full((3, 3), -1.0), {}, "loss must be finite and at least 0 per meter"),
        (np.full((3, 3), np.nan), {}, "loss must be finite and at least 0 per meter"),
        (
            np.ones((3, 3)),
            {"steering_angle": 10.0},
            "angle must lie in -1.39626..1.39626 rad, got 10 (degrees?)",
        ),
        (np.ones((3, 3)), {"back": ()}, "back must hold at least one direction, got none"),
    ],
)
def test_what_cannot_be_is_refused(loss, settings_, message):
    with refused(RangeError, message):
        line_of_sight(loss, **STEPS | {"steering_angle": 0.0} | settings_)
