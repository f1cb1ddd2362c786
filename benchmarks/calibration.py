"""The calibration kernel: a piece of work of fixed size, whose CPU time says how fast this machine is just now.

A time divided by it can be compared between machines and between busy and quiet hours; the time alone cannot.
"""

import time
from functools import cache

import numpy as np
from scipy import fft

ROWS, SAMPLES = 128, 2048
"""About one transmit's channel data: 128 elements."""

REPEATS = 15


@cache
def calibration() -> float:
    """Give the CPU time of the kernel in this process.

    Returns
    -------
    float
        Smallest of several runs [ms]: Fourier transform of 128 x 2048 complex64 and back, on one thread.
    """
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((ROWS, SAMPLES, 2), dtype=np.float32).view(np.complex64)[..., 0]
    costs = []
    for _ in range(REPEATS):
        start = time.process_time()
        fft.ifft(fft.fft(samples, axis=1, workers=1), axis=1, workers=1)
        costs.append(1e3 * (time.process_time() - start))
    return min(costs[1:])
