"""Channel data to baseband pixels.

One beamformer a file, with the hot loops in `kernels`. No detection, no display.
"""

from insonate.imaging.beamforming.delay_and_sum import delay_and_sum
from insonate.imaging.beamforming.delays import transmit_times
from insonate.imaging.beamforming.receive_band import receive_band

__all__ = ["delay_and_sum", "receive_band", "transmit_times"]
