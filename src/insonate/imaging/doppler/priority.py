"""What of color Doppler is shown: what is alike from shot to shot, no leak of tissue, and no lobe of another vessel.

    shown where  |R_1| / R_0 >= k,  power >= leakage + m,  power >= P(z) - l

Noise alone has a coherence below k but once in exp(k^2 K) pixels, K the independent pairs of shots in the window. Tissue
that moves is as alike as blood: what it leaks through the clutter filter is known from how it moves. A plane wave lights
all of a depth at once, and an array whose elements lie more than half a wavelength apart hears a vessel faintly in another
direction too (a grating lobe): P(z) is the power that 5 % of what is left exceeds within 4 mm of a depth, and what lies far
below it may be such a lobe. What is not shown is unknown: slow flow, flow across the beam, a vein that is pressed shut, and
a faint vessel beside a strong one have no color.
"""

import numpy as np

from insonate.core import ColorFlow
from insonate.core.checks import check_range
from insonate.core.units import Decibels, Meters

STRONG = 95.0
"""What exceeds this share of what is left at a depth is strong there [%]."""

FEW = 10
"""Of fewer pixels none is called strong."""


def shows(
    flow: ColorFlow,
    *,
    least_coherence: float = 0.5,
    margin: Decibels = 6.0,
    lobes: Decibels = 10.0,
    around: Meters = 4e-3,
) -> np.ndarray:
    """Tell where flow is believed.

    Parameters
    ----------
    flow : ColorFlow
        The estimate.
    least_coherence : float
        k, 0..1.
    margin : float
        m [dB].
    lobes : float
        l [dB].
    around : float
        How far above and below a vessel its lobes lie [m].

    Returns
    -------
    numpy.ndarray
        (n_axial, n_lateral) bool.

    Raises
    ------
    RangeError
        If a number is out of range.
    """
    check_range("least_coherence", least_coherence, (0, 1), "1", hint="percent?")
    check_range("margin", margin, (0, 60), "dB")
    check_range("lobes", lobes, (0, 120), "dB")
    check_range("around", around, (0, 0.1), "m", hint="millimeters?")
    left = (flow.coherence >= least_coherence) & (flow.power >= flow.leakage + margin)
    depths = flow.grid.axial
    first = np.searchsorted(depths, depths - around - 1e-9)
    last = np.searchsorted(depths, depths + around + 1e-9)
    strong = np.full(len(depths), -np.inf)
    for row, (low, high) in enumerate(zip(first, last, strict=True)):
        near = flow.power[low:high][left[low:high]]
        if len(near) >= FEW:
            strong[row] = np.percentile(near, STRONG)
    return np.asarray(left & (flow.power >= strong[:, None] - lobes))
