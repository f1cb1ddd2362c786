import numpy as np
import pytest

from insonate.core import Transmit
from insonate.simulation.acoustics import frequency
from insonate.simulation.acoustics.attenuation import attenuated, low_rank
from insonate.simulation.acoustics.engine import Attenuation
from simulation.acoustics.points import difference, engine, map_of

BOUND = 1e-3
SMEARED = 0.05
"""Of echoes weighted at their samples' moments in place of their own: the slope of H over the pulse."""


@pytest.mark.parametrize("exponent", [1.0, 1.4])
def test_few_terms_are_the_attenuation(exponent):
    law = Attenuation(coefficient=60.0, exponent=exponent)
    frequencies, paths = np.linspace(3e6, 12e6, 501), np.linspace(0, 0.1, 2000)
    filters, weights = low_rank(law, frequencies, paths, bound=BOUND)
    truth = np.exp(-np.multiply.outer(law.nepers(frequencies), paths))
    left = np.exp(-law.nepers(np.array(3e6 + 0.25 * 9e6)) * paths)
    assert (np.abs(filters.T @ weights - truth) / left).max() <= 2 * BOUND
    assert len(filters) <= 8
    finer, _ = low_rank(law, frequencies, paths, bound=1e-6)
    assert len(finer) > len(filters)


def test_no_attenuation_is_one_term_of_ones():
    filters, weights = low_rank(Attenuation(coefficient=0.0), np.linspace(1e6, 2e6, 9), np.linspace(0, 1, 7))
    np.testing.assert_allclose(filters.T @ weights, 1, rtol=1e-9)


def test_a_long_tone_loses_what_its_frequency_says():
    rate, carrier, tone = 20e6, 7.5e6, 6.5e6
    t = np.arange(4000) / rate
    samples = np.exp(2j * np.pi * (tone - carrier) * t)[None].astype(np.complex64)
    law = Attenuation(coefficient=50.0, exponent=1.2)
    made = attenuated(
        samples,
        law,
        sampling_frequency=rate,
        demodulation_frequency=carrier,
        sound_speed=1540.0,
        band=(3e6, 12e6),
    )
    middle = slice(400, 1200)
    truth = np.exp(-law.nepers(np.array(tone)) * 1540 * t)
    np.testing.assert_allclose(np.abs(made[0, middle]), truth[middle], rtol=0.03, atol=3 * BOUND)


def test_the_engines_echoes_lose_what_engine_a_says():
    made_by = engine(256, n_elements=48)
    columns, rows, strengths = [120, 140], [300, 700], [1.0, 1.0]
    law = Attenuation(coefficient=50.0)
    echoes = made_by.echoes(made_by.spectrum(map_of(made_by, columns, rows, strengths)), 0.0)
    made = attenuated(
        echoes,
        law,
        sampling_frequency=made_by.sampling_frequency,
        demodulation_frequency=made_by.demodulation_frequency,
        sound_speed=1540.0,
        band=(0.4 * 7.5e6, 1.6 * 7.5e6),
    )
    frequencies = np.arange(1, 1000) / made_by.duration
    heard = frequencies[(frequencies >= 3e6) & (frequencies <= 12e6)]
    from insonate.simulation.acoustics.scatterers import Scatterers

    points = Scatterers(
        positions=np.array(
            [[(c - 128) * 0.15e-3, 0, r * 0.04e-3] for c, r in zip(columns, rows, strict=True)]
        ),
        amplitudes=np.array(strengths) * 0.15e-3,
    )
    flat = [Transmit.plane(steering_angle=0.0, initial_time=0.0)]
    ratio = [
        np.linalg.norm(
            frequency.transfer(
                points, made_by.probe, flat, heard, dimensions=2, unbounded=True, attenuation=one
            )
            * np.exp(-0.5 * ((heard - 7.5e6) / (0.7 * 7.5e6 / 2.3548)) ** 2)
        )
        for one in (None, law)
    ]
    assert np.linalg.norm(made) / np.linalg.norm(echoes) == pytest.approx(ratio[1] / ratio[0], rel=SMEARED)
    assert difference(made, echoes) > 0.5
