"""The reference of speckle reduction against its law, written out pixel by pixel."""

import numpy as np
import pytest

from insonate.imaging.b_mode.kernels import reference


def test_one_pass_is_the_law_at_a_pixel_in_the_middle():
    picture = np.random.default_rng(0).normal(-30, 6, (13, 13)).astype(np.float32)
    gauss = np.exp(-0.5 * np.arange(-4, 5) ** 2)
    gauss /= gauss.sum()
    spread = np.outer(gauss, gauss)
    smooth = {
        (i, j): float((spread * picture[i - 4 : i + 5, j - 4 : j + 5]).sum())
        for i in range(5, 8)
        for j in range(5, 8)
    }
    slope = np.hypot((smooth[7, 6] - smooth[5, 6]) / 2, (smooth[6, 7] - smooth[6, 5]) / 2)
    weight = 0.5 / (1 + (slope / 2.2) ** 2)
    wanted = picture[6, 6] + weight * (picture[5:8, 5:8].mean() - picture[6, 6])
    assert reference.evened(picture, 1, 2.2)[6, 6] == pytest.approx(wanted, abs=1e-4)
    assert reference.is_available()
