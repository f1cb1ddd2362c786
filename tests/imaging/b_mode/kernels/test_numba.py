"""The compiled loop of speckle reduction agrees with the reference, edges and slivers included."""

import numpy as np
import pytest

from insonate.core import UnknownNameError
from insonate.imaging.b_mode import kernels
from refusals import refused

ROUNDED = 2e-4
"""Single precision of decibels down to -60, summed over five passes [dB]."""

numba_, reference = kernels.get("numba"), kernels.get("reference")


@pytest.mark.parametrize("shape", [(2, 2), (2, 37), (41, 3), (5, 5), (64, 48), (120, 131)])
@pytest.mark.parametrize("passes", [1, 5])
def test_both_kernels_agree(shape, passes):
    rng = np.random.default_rng(sum(shape))
    picture = (6 * rng.standard_normal(shape) - 40).astype(np.float32)
    picture[shape[0] // 2 :, : shape[1] // 2] += 30
    before = picture.copy()
    made = numba_.evened(picture, passes, 2.2)
    np.testing.assert_allclose(made, reference.evened(picture, passes, 2.2), atol=ROUNDED)
    assert np.array_equal(picture, before)
    assert made.dtype == np.float32


def test_an_unknown_kernel_is_refused_with_the_known_ones():
    with refused(UnknownNameError, "kernel must be one of numba, reference, got 'cuda'"):
        kernels.get("cuda")


def test_the_fastest_is_taken_where_none_is_named():
    assert kernels.get() is numba_
