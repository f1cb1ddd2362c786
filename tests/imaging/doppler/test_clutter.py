"""The clutter filter: what it takes and lets pass in closed form."""

import numpy as np
import pytest

from insonate.core import RangeError
from insonate.imaging.doppler.clutter import basis, polynomial_filter, response


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_a_polynomial_of_its_degree_is_taken_whole_and_the_next_is_not(degree):
    shots = np.arange(12.0)
    for power in range(degree + 1):
        tissue = ((1 - 2j) * shots**power)[:, None] * np.ones((1, 5))
        assert np.abs(polynomial_filter(tissue, degree=degree)).max() < 1e-9 * np.abs(tissue).max()
    beyond = (shots ** (degree + 1)).astype(complex)[:, None]
    assert np.linalg.norm(polynomial_filter(beyond, degree=degree)) > 1e-4 * np.linalg.norm(beyond)


def test_it_is_a_projection():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((10, 7)) + 1j * rng.standard_normal((10, 7))
    once = polynomial_filter(x)
    np.testing.assert_allclose(polynomial_filter(once), once, atol=1e-12)
    taken = x - once
    np.testing.assert_allclose((once * taken.conj()).sum(axis=0), 0, atol=1e-12)


def test_of_degree_zero_the_response_is_that_of_a_mean():
    """|1 - mean|^2 of a tone: 1 - D^2, with Dirichlet's kernel D = sin(pi N f) / (N sin(pi f))."""
    shift = np.linspace(0.01, 0.49, 25)
    kernel = np.sin(np.pi * 10 * shift) / (10 * np.sin(np.pi * shift))
    np.testing.assert_allclose(response(shift, 10, degree=0), 1 - kernel**2, rtol=1e-10)


def test_the_response_is_what_comes_through():
    shift = np.array([0.0, 0.03, 0.11, 0.4])
    tone = np.exp(2j * np.pi * np.arange(10)[:, None] * shift)
    through = (np.abs(polynomial_filter(tone, degree=2)) ** 2).mean(axis=0)
    np.testing.assert_allclose(response(shift, 10, degree=2), through, atol=1e-12)
    assert response(np.array([0.0]), 10, degree=2) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("n_shots", [2, 3])
def test_too_few_shots_are_refused_with_how_many_it_needs(n_shots):
    with pytest.raises(RangeError, match="at least 4 shots"):
        basis(n_shots, 1)
