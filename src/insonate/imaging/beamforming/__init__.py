"""Channel data to baseband pixels.

One beamformer a file, with the hot loops in `kernels`. No detection, no display.
"""

from insonate.imaging.beamforming.delay_and_sum import delay_and_sum
from insonate.imaging.beamforming.delays import transmit_times

__all__ = ["delay_and_sum", "transmit_times"]
