"""Random scenes of points for the deposit kernels."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from insonate.simulation.acoustics.kernels import reference

ROUNDINGS = 6
"""Times over, that a moment is rounded to single precision on its way to a sample: delay, distance, their sum."""
RTOL_STRENGTH = 2e-5
"""Of an echo's strength: its polynomial directivity, and products of single precision."""


@dataclass
class Scene:
    """Arguments of a kernel, and how far a sample may differ."""

    arguments: tuple
    names: dict
    tolerance: float


@st.composite
def deposits(draw):
    """Points before, below and beside an array, some so near that they grow no further, some off the record."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, n_elements, n_samples = draw(st.integers(1, 60)), draw(st.integers(1, 40)), draw(st.integers(1, 500))
    rate, speed = draw(st.floats(1e7, 8e7)), draw(st.floats(1300, 1700))
    scatterers = rng.uniform(-1, 1, (n, 4)).astype(np.float32)
    scatterers[:, :2] *= np.float32(5e-3)
    scatterers[:, 2] = rng.uniform(0, draw(st.sampled_from([1e-4, 1e-2])), n)
    delays = scatterers[:, 2] / speed + rng.uniform(-1, 1, n) * 2 / rate
    elements = (np.arange(n_elements) - (n_elements - 1) / 2) * draw(st.floats(5e-5, 5e-4))
    start = draw(st.sampled_from([0.0, 3e-6, -2e-6]))
    names = {
        "n_samples": n_samples,
        "sampling_frequency": rate,
        "start": start,
        "sound_speed": speed,
        "frequency": draw(st.floats(1e6, 1.2e7)),
        "element_width": draw(st.floats(0, 3e-4)),
        "soft_baffle": draw(st.booleans()),
        "from_lines": draw(st.booleans()),
    }
    away = np.maximum(np.linalg.norm(scatterers[:, :3], axis=1) - np.abs(elements).max(), reference.NEAREST)
    strength = np.abs(scatterers[:, 3]) / (np.sqrt(away) if names["from_lines"] else away)
    farthest = np.linalg.norm(scatterers[:, :3], axis=1).max() + np.abs(elements).max()
    late = ROUNDINGS * 2**-24 * ((np.abs(delays - start).max() + farthest / speed) * rate + 8)
    return Scene((scatterers, delays, elements), names, float(strength.sum() * (late + RTOL_STRENGTH)))
