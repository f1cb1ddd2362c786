"""Engine B, held to engine A."""

import numpy as np
import pytest

from insonate.core import Probe, RangeError, Transmit, UnknownNameError
from insonate.simulation.acoustics import deposit, frequency
from insonate.simulation.acoustics.engine import Attenuation
from insonate.simulation.acoustics.scatterers import Scatterers
from insonate.simulation.acoustics.transmits import diverging, single_element, toward
from refusals import refused
from simulation.acoustics.closed_forms import arrival

CORRELATION, DIFFERENCE = 0.99, 0.06
"""S5 (its stretch): directivity at the center frequency alone, up to 45 degrees."""
EDGES = 0.15
"""What the waves from the edges of a transmit aperture add, which a front of rays has not."""
HEIGHT = 0.03
"""Of the height of an echo, which both engines define alike."""
MOMENT = 2e-9
"""Of an arrival: single precision, and a directivity that does not move the pulse [s]."""


def array(**changes):
    return Probe.linear(
        **{
            "name": "any",
            "n_elements": 64,
            "pitch": 0.15e-3,
            "center_frequency": 5e6,
            "element_width": 0.14e-3,
            "element_height": 4e-3,
            "fractional_bandwidth": 0.6,
        }
        | changes
    )


def cloud(n=30, seed=1):
    rng = np.random.default_rng(seed)
    x, z = rng.uniform(-2.5e-3, 2.5e-3, n), rng.uniform(10e-3, 25e-3, n)
    return Scatterers(positions=np.stack([x, 0 * x, z], axis=1), amplitudes=rng.normal(size=n))


def flat(angle=0.0, **changes):
    return Transmit.plane(steering_angle=angle, initial_time=changes.get("initial_time", 0.0))


def held(scatterers, probe, transmits, **settings):
    truth, made = (
        engine.simulate(scatterers, probe, transmits, **settings).samples for engine in (frequency, deposit)
    )
    assert truth.shape == made.shape
    truth, made = truth.ravel(), made.ravel()
    correlation = np.abs(np.vdot(truth, made)) / np.linalg.norm(truth) / np.linalg.norm(made)
    height = np.vdot(made, truth).real / np.vdot(made, made).real
    return correlation, np.linalg.norm(made - truth) / np.linalg.norm(truth), height


@pytest.mark.parametrize(
    ("transmit", "settings"),
    [
        (flat(), {"unbounded": True}),
        (flat(0.1), {"unbounded": True, "baffle": "soft", "demodulation_frequency": 5e6}),
        (flat(-0.2), {"unbounded": True, "attenuation": Attenuation(coefficient=50.0, exponent=1.1)}),
        (flat(initial_time=5e-6), {"unbounded": True, "sampling_frequency": 40e6, "duration": 20e-6}),
        (single_element(array(), 20), {}),
        (single_element(array(), 20), {"baffle": "soft", "attenuation": Attenuation(coefficient=70.0)}),
    ],
)
def test_echoes_are_those_of_the_reference(transmit, settings):
    correlation, difference, height = held(cloud(), array(), [transmit], dimensions=2, **settings)
    assert correlation >= CORRELATION
    assert difference <= DIFFERENCE
    assert height == pytest.approx(1, abs=HEIGHT)


@pytest.mark.parametrize("transmit", [flat(), flat(0.05), diverging(0.02)])
def test_fronts_of_the_elements_are_as_high_as_those_of_the_reference(transmit):
    correlation, difference, height = held(cloud(), array(), [transmit], dimensions=2)
    assert correlation >= CORRELATION
    assert difference <= EDGES
    assert height == pytest.approx(1, abs=HEIGHT)


def test_echoes_in_three_dimensions_are_those_of_the_reference_near_the_plane():
    """Low elements, far from which there is no elevation to know."""
    low = array(element_height=0.3e-3)
    correlation, difference, height = held(cloud(), low, [single_element(low, 30)], dimensions=3)
    assert correlation >= CORRELATION
    assert difference <= DIFFERENCE
    assert height == pytest.approx(1, abs=HEIGHT)


def test_several_transmits_each_have_their_record():
    events = [flat(-0.1), flat(0.1), single_element(array(), 3)]
    told = []
    made = deposit.simulate(
        cloud(), array(), events, dimensions=2, progress=lambda done, of: told.append((done, of))
    )
    assert told == [(1, 3), (2, 3), (3, 3)]
    for number, event in enumerate(events):
        alone = deposit.simulate(cloud(), array(), [event], dimensions=2, duration=30e-6)
        n = min(alone.samples.shape[-1], made.samples.shape[-1])
        here, there = made.samples[0, number, :, :n], alone.samples[0, 0, :, :n]
        assert np.linalg.norm(here - there) <= 2e-2 * np.linalg.norm(there)  # lines of another sampling


def test_an_echo_comes_when_the_wave_has_gone_there_and_back():
    made, truth = arrival(deposit.simulate, dimensions=2)
    assert np.abs(made - truth).max() <= MOMENT


def test_beyond_the_edge_of_the_beam_nothing_answers():
    beside = Scatterers(positions=np.array([[8e-3, 0, 0.02]]), amplitudes=np.array([1.0]))
    assert np.abs(deposit.simulate(beside, array(), [flat()], dimensions=2).samples).max() == 0
    edgeless = deposit.simulate(beside, array(), [flat()], dimensions=2, unbounded=True)
    assert np.abs(edgeless.samples).max() > 0


@pytest.mark.parametrize(("baffle", "steep"), [("rigid", 1.0), ("soft", 0.0)])
def test_a_steered_front_is_as_high_as_its_elements_make_it(baffle, steep):
    """Elements that move together make the pressure 1 / cos in a rigid baffle, and 1 in a soft one."""
    place = Scatterers(positions=np.array([[0, 0, 0.01]]), amplitudes=np.array([1.0]))
    wave = flat(0.35)
    made, full = (
        np.abs(
            deposit.simulate(place, array(), [wave], dimensions=2, baffle=baffle, unbounded=edgeless).samples
        ).max()
        for edgeless in (False, True)
    )
    directivity = np.sinc(0.14e-3 * 5e6 / 1540 * np.sin(0.35))
    assert made / full == pytest.approx(0.14 / 0.15 * directivity / np.cos(0.35) ** steep, rel=1e-4)


def test_an_echo_at_the_first_sample_is_whole():
    place = Scatterers(positions=np.array([[0, 0, 0.01]]), amplitudes=np.array([1.0]))
    middle = array(n_elements=2)
    first = flat(initial_time=float(np.hypot(0.01, 0.075e-3) + 0.01) / 1540)
    correlation, difference, _ = held(place, middle, [first], dimensions=2, unbounded=True, duration=2e-6)
    assert correlation >= CORRELATION
    assert difference <= DIFFERENCE


def test_apodization_weighs_the_front_where_it_came_from():
    weights = np.linspace(0, 1, 64)
    event = Transmit(
        origin=np.zeros(3),
        direction=np.array([0.0, 0, 1]),
        focus_distance=np.inf,
        delays=None,
        apodization=weights,
        waveform=None,
        initial_time=0.0,
    )
    x = array().element_positions[48, 0]
    place = Scatterers(positions=np.array([[x, 0, 0.01]]), amplitudes=np.array([1.0]))
    weighed, full = (
        np.abs(deposit.simulate(place, array(), [one], dimensions=2).samples).max() for one in (event, flat())
    )
    assert weighed / full == pytest.approx(weights[48], rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"transmits": [toward(np.array([0, 0, 0.02]))]},
            RangeError,
            "engine B knows plane and diverging fronts and elements apart, got a focused one (engine A?)",
        ),
        ({"transmits": []}, RangeError, "transmits must hold at least one transmit, got none"),
        ({"dimensions": 1}, RangeError, "dimensions must be 2 or 3, got 1"),
        ({"baffle": "hard"}, UnknownNameError, "baffle must be one of rigid, soft, got 'hard'"),
        (
            {"probe": array(element_width=None)},
            RangeError,
            "the probe's element width must be known, and its height in three dimensions, got None",
        ),
        (
            {"probe": array(n_elements=1)},
            RangeError,
            "engine B needs a linear array of two elements or more in the plane z = 0, got another one",
        ),
        ({"kernel": "cuda"}, UnknownNameError, None),
    ],
)
def test_what_cannot_be_is_refused(changes, error, message):
    settings = {"scatterers": cloud(), "probe": array(), "transmits": [flat()], "dimensions": 2} | changes
    args = [settings.pop(name) for name in ("scatterers", "probe", "transmits")]
    if message is None:
        with pytest.raises(error):
            deposit.simulate(*args, **settings)
        return
    with refused(error, message):
        deposit.simulate(*args, **settings)


def test_delays_of_its_own_are_refused():
    event = Transmit(
        origin=np.zeros(3),
        direction=np.array([0.0, 0, 1]),
        focus_distance=np.inf,
        delays=np.zeros(64),
        apodization=None,
        waveform=None,
        initial_time=0.0,
    )
    with refused(
        RangeError,
        "engine B follows a front by its geometry, got a transmit with delays of its own (engine A?)",
    ):
        deposit.simulate(cloud(), array(), [event], dimensions=2)
