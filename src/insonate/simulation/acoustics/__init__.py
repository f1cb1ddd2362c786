"""What the wave meets to channel data.

One engine a file, its hot loops in `kernels`. No anatomy, no motion.
"""

from insonate.simulation.acoustics.fourier import FourierEngine

__all__ = ["FourierEngine"]
