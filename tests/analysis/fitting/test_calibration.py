"""Temperature and bias are found again where they were planted."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax

from insonate.analysis.fitting.calibration import bias, temperature, trust

STATISTICAL = 0.05
"""Over four standard errors of 13 000 pixels, as measured over 20 seeds."""


def drawn(seed, shape=(3, 180, 180)):
    """Log probabilities, and classes drawn from them."""
    rng = np.random.default_rng(seed)
    logs = log_softmax(rng.normal(0, 2, shape), axis=0)
    chosen = (np.exp(logs).cumsum(axis=0) < rng.uniform(size=shape[1:])).sum(axis=0)
    return logs, np.minimum(chosen, 2)


@pytest.mark.parametrize("planted", [0.6, 1.0, 2.5])
def test_temperature_is_found_again(planted):
    logs, mask = zip(*[drawn(seed) for seed in range(2)], strict=True)
    assert temperature([planted * one for one in logs], mask) == pytest.approx(planted, rel=STATISTICAL)


def test_bias_undoes_scores_that_are_too_shy():
    mask = np.zeros((30, 30), int)
    mask[5:15, 5:15], mask[20:28, 5:15] = 1, 2
    scores = np.log(np.eye(3)[mask].transpose(2, 0, 1) * 0.4 + 0.05)
    scores[0] += 0.7 + np.log((0.45) / 0.05) - 0.1
    # the true class lies 0.6 below "none" in its own pixels
    assert bias([scores], [mask], 1.0, grid=(0.0, 0.4, 0.8, 4.0)) == (0.0, 0.8, 0.8)


@pytest.mark.parametrize(("a", "c"), [(1.0, 0.0), (0.5, -0.4), (1.8, 0.7)])
def test_trust_is_found_again(a, c):
    rng = np.random.default_rng(2)
    odds = rng.normal(1, 1.5, 40_000)
    right = rng.uniform(size=odds.size) < expit(a * odds + c)
    assert trust(expit(odds), right) == pytest.approx((a, c), abs=STATISTICAL)
