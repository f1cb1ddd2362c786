"""Your own channel data to a B-mode picture and to a file that keeps it without loss.

One point 20 mm deep is seen by a linear array with one plane wave; the image must show it there.
"""

import tempfile
from pathlib import Path

import numpy as np

import insonate
from insonate.core import Acquisition, ChannelData, Probe, Transmit
from insonate.formats import insonate_hdf5
from insonate.pipeline.chain import as_image

SOUND_SPEED = 1540.0
SAMPLING = 30e6
DEPTH = 0.020


def echoes_of_a_point() -> ChannelData:
    """Give the echoes of one point under the middle of a 128-element array."""
    probe = Probe.linear(name="example L128", n_elements=128, pitch=0.3e-3, center_frequency=7.5e6)
    x = probe.element_positions[:, 0]
    arrival = (DEPTH + np.hypot(DEPTH, x)) / SOUND_SPEED
    time = np.arange(1200) / SAMPLING - arrival[:, None]
    pulse = np.cos(2 * np.pi * 7.5e6 * time) * np.exp(-((time / 0.12e-6) ** 2))
    acquisition = Acquisition(
        probe=probe,
        transmits=(Transmit.plane(steering_angle=0.0, initial_time=0.0),),
        sampling_frequency=SAMPLING,
        demodulation_frequency=0.0,
        sound_speed=SOUND_SPEED,
    )
    samples = pulse[np.newaxis, np.newaxis].astype(np.float32)
    return ChannelData(samples=samples, scale=1.0, acquisition=acquisition, times=None)


def main() -> None:
    """Write, read back, form the image, and find the point."""
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / "point.h5"
        insonate_hdf5.write(path, echoes_of_a_point())
        (data,) = insonate.open(path)
    image = as_image(data)
    row, column = np.unravel_index(np.argmax(image.values[0]), image.values[0].shape)
    print(image.grid.describe())
    print(f"brightest at {1e3 * image.grid.axial[row]:.2f} mm, {1e3 * image.grid.lateral[column]:+.2f} mm")


if __name__ == "__main__":
    main()
