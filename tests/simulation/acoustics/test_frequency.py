"""Engine A against closed forms, Rayleigh's integral, the tables of SIMUS, and itself the other way round."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insonate.core import Probe, RangeError, Transmit, UnknownNameError
from insonate.simulation.acoustics import frequency
from insonate.simulation.acoustics.engine import Attenuation
from insonate.simulation.acoustics.frequency import last_echo, pressure, simulate, transfer
from insonate.simulation.acoustics.pulse import two_way_spectrum
from insonate.simulation.acoustics.scatterers import Scatterers
from insonate.simulation.acoustics.transmits import single_element, toward
from refusals import refused
from simulation.acoustics.closed_forms import (
    arrival,
    focal_width,
    piston,
    piston_probe,
    rayleigh,
)
from simulation.acoustics.simus import both, cases, compare

FIELD = 0.01
"""S1: largest error of a field over its largest value."""
WIDTH = 0.01
"""S2: of a focal width (2 % asked, 1 % the stretch)."""
MOMENT = 1e-9
"""S3: of an arrival [s]."""
CORRELATION, DIFFERENCE = 0.999, 0.03
"""S4: against SIMUS."""
EXACT = 1e-10
"""Double precision, summed in another order over hundreds of steps of the frequency."""
PIECES = 2e-3
"""Of what pieces of an element leave: the fourth moments of the smallest that are cut."""


def probe(**changes):
    return Probe.linear(
        **{
            "name": "any",
            "n_elements": 12,
            "pitch": 0.2e-3,
            "center_frequency": 5e6,
            "element_width": 0.18e-3,
            "element_height": 4e-3,
            "fractional_bandwidth": 0.6,
            "elevation_focus": 20e-3,
        }
        | changes
    )


def points(n=6, seed=0, elevation=1e-3, depths=(8e-3, 20e-3)):
    rng = np.random.default_rng(seed)
    return Scatterers(
        positions=np.stack(
            [rng.uniform(-3e-3, 3e-3, n), elevation * rng.uniform(-1, 1, n), rng.uniform(*depths, n)], axis=1
        ),
        amplitudes=rng.normal(size=n),
    )


FLAT = Transmit.plane(steering_angle=0.0, initial_time=0.0)
BAND = np.linspace(3e6, 7e6, 5)


def test_a_circular_piston_has_its_closed_form_on_the_axis():
    radius, center = 2.5e-3, 5e6
    made_of, transmit = piston_probe(radius, center, 160)
    z = np.linspace(radius, 8 * radius, 40)
    made = pressure(np.stack([0 * z, 0 * z, z], axis=1), made_of, transmit, np.array([center]))[:, 0]
    assert np.abs(made - piston(radius, center, z)).max() / 2 <= FIELD


@pytest.mark.parametrize("focus", [None, 12e-3])
@pytest.mark.parametrize("depth", [2.5e-3, 20e-3])
def test_a_rectangular_element_has_rayleighs_integral(focus, depth):
    one = probe(
        n_elements=1,
        element_width=0.27e-3,
        element_height=5e-3,
        center_frequency=7.5e6,
        elevation_focus=focus,
    )
    places = np.array([[x * depth, y, depth] for x in (0, 0.3, 0.8) for y in (0.0, 0.8e-3, 2e-3)])
    made = pressure(places, one, FLAT, np.array([7.5e6]))[:, 0]
    truth = rayleigh(one, places, 7.5e6)
    assert np.abs(made - truth).max() <= FIELD * np.abs(truth).max()


def test_a_full_aperture_makes_a_plane_wave_of_height_one():
    wide = probe(n_elements=600, pitch=0.15e-3, element_width=0.15e-3)
    place = np.array([[0.0, 0, 15e-3], [1e-3, 0, 15e-3]])
    made = np.mean(
        [
            pressure(place, wide, FLAT, np.array([f]), dimensions=2)[:, 0]
            * np.exp(-2j * np.pi * f / 1540 * 15e-3)
            for f in np.linspace(4e6, 6e6, 60)
        ],
        axis=0,
    )  # over a band, for the edges ring at one frequency
    np.testing.assert_allclose(made, 1, atol=0.01)


def test_the_focus_is_as_wide_as_diffraction_says():
    made, expected = focal_width(n_elements=192, pitch=0.1e-3, center_frequency=7.5e6, f_number=4.0)
    assert made == pytest.approx(expected, rel=WIDTH)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_an_echo_comes_when_the_wave_has_gone_there_and_back(dimensions):
    here = arrival(simulate, dimensions=dimensions)
    assert np.abs(here[0] - here[1]).max() <= MOMENT


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=pytest.mark.slow) if case.startswith("linear 7.5 MHz") else case
        for case in cases()
    ],
)
def test_echoes_are_those_of_simus(case):
    correlation, difference = compare(*both(case))
    assert correlation >= CORRELATION
    assert difference <= DIFFERENCE


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("baffle", ["rigid", "soft"])
def test_what_is_sent_and_what_is_heard_may_change_places(dimensions, baffle):
    array = probe()
    echoes = transfer(
        points(elevation=1e-3 if dimensions == 3 else 0.0),
        array,
        [single_element(array, index) for index in range(array.n_elements)],
        BAND,
        dimensions=dimensions,
        baffle=baffle,
        attenuation=Attenuation(coefficient=50.0, exponent=1.1),
    )
    np.testing.assert_allclose(
        echoes, echoes.transpose(1, 0, 2), rtol=EXACT, atol=EXACT * np.abs(echoes).max()
    )


@given(seed=st.integers(0, 1000), factor=st.floats(-5, 5))
@settings(max_examples=10)
def test_echoes_add_up(seed, factor):
    one, other = points(4, seed), points(3, seed + 1)
    together = Scatterers(
        positions=np.concatenate([one.positions, other.positions]),
        amplitudes=np.concatenate([one.amplitudes, factor * other.amplitudes]),
    )
    cut = (2, 12)
    a, b, both_ = (
        transfer(s, probe(), [FLAT, toward(np.array([1e-3, 0, 0.02]))], BAND, pieces=cut)
        for s in (one, other, together)
    )
    np.testing.assert_allclose(
        both_, a + factor * b, rtol=0, atol=EXACT * (np.abs(a).max() + np.abs(b).max() * 5)
    )


def test_elements_apart_add_up_to_a_beam():
    """A synthetic aperture: delayed and summed, single elements make any transmit."""
    array, beam = probe(), toward(np.array([1e-3, 0, 0.015]))
    apart = transfer(points(), array, [single_element(array, i) for i in range(12)], BAND)
    away = np.linalg.norm(array.element_positions - (1e-3, 0, 0.015), axis=1)
    delays = (beam.focus_distance - away) / 1540
    summed = np.einsum("tef,tf->ef", apart, np.exp(2j * np.pi * np.outer(delays, BAND)))
    (made,) = transfer(points(), array, [beam], BAND)
    np.testing.assert_allclose(made, summed, rtol=0, atol=EXACT * np.abs(made).max())


@pytest.mark.parametrize(("dimensions", "power"), [(3, 2), (2, 1)])
def test_the_energy_of_an_echo_spreads(dimensions, power):
    small = probe(n_elements=1, element_height=0.1e-3, element_width=0.05e-3, elevation_focus=None)
    near, far = (
        transfer(
            Scatterers(positions=np.array([[0, 0, z]]), amplitudes=np.array([1.0])),
            small,
            [FLAT],
            np.array([5e6]),
            dimensions=dimensions,
        )
        for z in (0.1, 0.4)
    )
    assert abs(near / far).item() == pytest.approx(4.0**power, rel=1e-5)


@pytest.mark.parametrize("exponent", [1.0, 1.4])
def test_attenuation_takes_what_its_law_says(exponent):
    only = probe(n_elements=1)
    place = Scatterers(positions=np.array([[0, 0, 0.03]]), amplitudes=np.array([1.0]))
    lost = Attenuation(coefficient=70.0, exponent=exponent)
    bare, taken = (
        transfer(place, only, [FLAT], BAND, dimensions=2, attenuation=one)[0, 0] for one in (None, lost)
    )
    decibels = -20 * np.log10(np.abs(taken / bare))
    np.testing.assert_allclose(decibels, 2 * 0.03 * 70 * (BAND / 1e6) ** exponent, rtol=1e-9)


def test_a_wave_without_edges_is_a_plane_wave_everywhere():
    place = Scatterers(positions=np.array([[0.1, 0, 0.02]]), amplitudes=np.array([2.0]))
    array, angle = probe(n_elements=1), 0.2
    wave = Transmit.plane(steering_angle=angle, initial_time=0.0)
    (made,) = transfer(place, array, [wave], BAND, dimensions=2, unbounded=True)[0]
    r = np.hypot(0.1, 0.02)
    k = 2 * np.pi * BAND / 1540
    directivity = np.sinc(0.18e-3 * k / (2 * np.pi) * 0.1 / r)
    came = np.exp(1j * k * (0.1 * np.sin(angle) + 0.02 * np.cos(angle)))
    expected = 2 * came * directivity * np.sqrt(1 / (2 * np.pi * k * r)) * np.exp(1j * (k * r - np.pi / 4))
    np.testing.assert_allclose(made, expected, rtol=PIECES)


def test_pieces_are_as_many_as_needed():
    near = points(depths=(4e-3, 6e-3))
    made, truth = (transfer(near, probe(), [FLAT], BAND, pieces=pieces) for pieces in (None, (6, 160)))
    assert np.abs(made - truth).max() <= PIECES * np.abs(truth).max()


def test_blocks_change_nothing(monkeypatch):
    whole = transfer(points(), probe(), [FLAT], BAND)
    monkeypatch.setattr(frequency, "BLOCK", 1)
    told = []
    apart = transfer(points(), probe(), [FLAT], BAND, progress=lambda done, of: told.append((done, of)))
    np.testing.assert_allclose(apart, whole, rtol=0, atol=EXACT * np.abs(whole).max())
    assert told == [(n, 6) for n in range(1, 7)]


def test_steps_of_the_frequency_lose_no_digits(monkeypatch):
    band = np.linspace(3e6, 7e6, 200)
    stepped = transfer(points(), probe(), [FLAT], band)
    monkeypatch.setattr(frequency, "ANCHOR", 1)
    anew = transfer(points(), probe(), [FLAT], band)
    assert np.abs(stepped - anew).max() <= EXACT * np.abs(anew).max()


def test_a_turned_probe_hears_the_same():
    """Element positions and normals turned together with the scatterers: nothing changes."""
    array, cloud, angle = probe(), points(), 0.4
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    there = Probe(
        name="turned",
        element_positions=array.element_positions @ turn.T,
        element_normals=array.element_normals @ turn.T,
        element_width=array.element_width,
        element_height=array.element_height,
        center_frequency=array.center_frequency,
        fractional_bandwidth=array.fractional_bandwidth,
        elevation_focus=array.elevation_focus,
    )
    fire = [single_element(array, 3), single_element(array, 9)]
    moved = Scatterers(positions=cloud.positions @ turn.T, amplitudes=cloud.amplitudes)
    cut = (2, 12)
    made = transfer(moved, there, [single_element(there, 3), single_element(there, 9)], BAND, pieces=cut)
    truth = transfer(cloud, array, fire, BAND, pieces=cut)
    np.testing.assert_allclose(made, truth, rtol=0, atol=EXACT * np.abs(truth).max())


@pytest.mark.parametrize("baffle", ["rigid", "soft"])
def test_behind_its_face_an_element_hears_nothing(baffle):
    """Curved arrays: what lies below the probe may lie behind an element that is turned away."""
    turned = np.array([[np.sin(1.2), 0.0, np.cos(1.2)]])
    away = Probe(
        name="turned",
        element_positions=np.zeros((1, 3)),
        element_normals=turned,
        element_width=0.2e-3,
        element_height=None,
        center_frequency=5e6,
        fractional_bandwidth=0.6,
        elevation_focus=None,
    )
    before, behind = (
        pressure(np.array([[x, 0, 0.01]]), away, FLAT, BAND, dimensions=2, baffle=baffle)
        for x in (0.01, -0.03)
    )
    assert np.abs(before).min() > 0
    assert np.abs(behind).max() == 0


def test_the_lens_gathers_at_its_focus():
    depth = np.array([[0.0, 0.0, z] for z in np.linspace(5e-3, 60e-3, 111)])
    strong = np.abs(pressure(depth, probe(n_elements=1, element_height=10e-3), FLAT, np.array([5e6]))[:, 0])
    at = np.linspace(5e-3, 60e-3, 111)[np.argmax(strong * np.sqrt(depth[:, 2]))]
    assert at == pytest.approx(20e-3, abs=1.5e-3)


def test_samples_say_how_they_were_taken():
    array = probe()
    made = simulate(points(), array, [FLAT, toward(np.array([0, 0, 0.02]))], demodulation_frequency=5e6)
    assert made.samples.shape[:3] == (1, 2, 12)
    assert made.samples.dtype == np.complex64
    assert made.acquisition.demodulation_frequency == 5e6
    assert made.provenance[0].settings["engine"] == "A"
    rf = simulate(points(), array, [FLAT])
    assert rf.samples.dtype == np.float32
    assert (
        rf.samples.shape[-1] >= last_echo(points(), array, [FLAT], 1540.0) * rf.acquisition.sampling_frequency
    )


def test_the_default_spectrum_is_the_probes():
    given_ = simulate(points(), probe(), [FLAT], spectrum=two_way_spectrum(probe()))
    np.testing.assert_array_equal(given_.samples, simulate(points(), probe(), [FLAT]).samples)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"sound_speed": 1.54}, RangeError, "sound_speed must lie in 300..6000 m/s, got 1.54 (km/s?)"),
        ({"dimensions": 4}, RangeError, "dimensions must be 2 or 3, got 4"),
        ({"baffle": "hard"}, UnknownNameError, "baffle must be one of rigid, soft, got 'hard'"),
        (
            {"dimensions": 2},
            RangeError,
            "points must lie in the plane y = 0 m in two dimensions, got y up to "
            f"{np.abs(points().positions[:, 1]).max():g} (dimensions=3?)",
        ),
        (
            {"probe": probe(element_width=None)},
            RangeError,
            "the probe's element width must be known, got None",
        ),
        (
            {"probe": probe(element_height=None)},
            RangeError,
            "the probe's element height must be known in three dimensions, got None (dimensions=2?)",
        ),
        (
            {"probe": probe(fractional_bandwidth=None)},
            RangeError,
            "the probe's fractional bandwidth must be known, got None",
        ),
        (
            {"pieces": (100, 100)},
            RangeError,
            "an element can be cut into at most 4096 pieces, got 100 x 100 (scatterers too near?)",
        ),
        (
            {"transmits": [toward(np.array([0, 0, 0.02]))], "unbounded": True},
            RangeError,
            "only plane waves can be unbounded, got a focused or diverging one",
        ),
        ({"transmits": []}, RangeError, "transmits must hold at least one transmit, got none"),
    ],
)
def test_what_cannot_be_is_refused(changes, error, message):
    settings_ = {"scatterers": points(), "probe": probe(), "transmits": [FLAT]} | changes
    with refused(error, message):
        simulate(settings_.pop("scatterers"), settings_.pop("probe"), settings_.pop("transmits"), **settings_)
