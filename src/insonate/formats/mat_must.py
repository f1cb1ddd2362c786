"""MATLAB files of the MUST plane-wave kind: `RF` (sample, element, frame) with a structure `param`.

`param` holds fs, fc [Hz], pitch, width [m], c [m/s], t0 [s], PRF [Hz], TXdelay [s] and bandwidth [%]. t0 is the time of the
first sample after the wave leaves the array. Where fs is below 2 fc the echoes were bandpass-sampled; they are kept as
they are, and unfolded when beamformed. A file with B-mode frames `I` (row, column, frame) of 8 bits is read as pictures.

D. Garcia, "Make the most of MUST, an open-source MATLAB UltraSound Toolbox", IEEE IUS 2021.
"""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from insonate.core import (
    Acquisition,
    ChannelData,
    FormatError,
    Image,
    PixelGrid,
    Probe,
    Quantity,
    Step,
    Transmit,
    Waveform,
)

NAME = "mat_must"
SUFFIXES = (".mat",)
VERSION = "1"

MOST_BYTES = 2 << 30
"""A file that would take more memory is refused."""


def can_read(path: Path) -> bool:
    """Whether the file begins as a MATLAB file of version 5 or 7.3."""
    with path.open("rb") as file:
        return file.read(10) == b"MATLAB 5.0" or _is_73(path)


def _is_73(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(10) == b"MATLAB 7.3"


def _loaded(path: Path) -> dict[str, Any]:
    from scipy.io import loadmat, whosmat

    if _is_73(path):
        raise FormatError(
            f"{path.name}: expected a MATLAB file of version 5 to 7, got 7.3 (save it with -v7)"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            claimed = sum(8 * math.prod(shape) for _, shape, _ in whosmat(path))
            if claimed > MOST_BYTES:
                raise FormatError(
                    f"{path.name}: at most 2 GB are read, its header claims {claimed / 1e9:.1f} GB"
                )
            loaded: dict[str, Any] = loadmat(path, squeeze_me=False, struct_as_record=True)
    except FormatError:
        raise
    except Exception as error:  # the parser raises whatever a damaged file makes it stumble over
        raise FormatError(
            f"{path.name}: expected a whole MATLAB file, got a damaged or truncated one ({error})"
        ) from error
    return loaded


def _number(path: Path, param: np.ndarray, name: str) -> float:
    names = param.dtype.names or ()
    if name not in names:
        raise FormatError(f"{path.name}: param must hold {name}, got {', '.join(names) or 'nothing'}")
    value = np.asarray(param[name].ravel()[0]).ravel()
    if value.size != 1 or value.dtype.kind not in "iuf" or not np.isfinite(value[0]):
        raise FormatError(
            f"{path.name}: param.{name} must be one finite number, got {value.dtype} of size {value.size}"
        )
    return float(value[0])


def _transmit(
    path: Path, param: np.ndarray, x: np.ndarray, speed: float, start: float, waveform: Waveform
) -> Transmit:
    """Give the plane wave whose delays the file holds."""
    names = param.dtype.names or ()
    delays = (
        np.asarray(param["TXdelay"].ravel()[0], dtype=float).ravel()
        if "TXdelay" in names
        else np.zeros(len(x))
    )
    if delays.shape != x.shape or not np.isfinite(delays).all():
        raise FormatError(
            f"{path.name}: param.TXdelay must hold one finite delay per element, got {delays.size}"
        )
    slope, offset = np.polyfit(x, delays, 1)
    if np.abs(delays - slope * x - offset).max() > 1e-9 or abs(slope * speed) >= 1:
        raise FormatError(
            f"{path.name}: only plane waves are read from a MUST file, got delays of a focused one"
        )
    return Transmit.plane(
        steering_angle=math.asin(slope * speed), initial_time=start - float(offset), waveform=waveform
    )


def _channel_data(path: Path, loaded: dict[str, Any]) -> ChannelData:
    rf, param = loaded["RF"], loaded["param"]
    if not isinstance(rf, np.ndarray) or rf.ndim not in (2, 3) or rf.dtype.kind not in "iuf":
        raise FormatError(
            f"{path.name}: RF must be (sample, element, frame) numbers, got {getattr(rf, 'shape', rf)}"
        )
    if not isinstance(param, np.ndarray) or param.size != 1 or param.dtype.names is None:
        raise FormatError(
            f"{path.name}: param must be one structure, got {getattr(param, 'dtype', type(param))}"
        )
    rf = rf[..., np.newaxis] if rf.ndim == 2 else rf
    n_elements = rf.shape[1]
    speed, center = _number(path, param, "c"), _number(path, param, "fc")
    has = param.dtype.names
    bandwidth = _number(path, param, "bandwidth") / 100 if "bandwidth" in has else None
    probe = Probe.linear(
        name="MUST linear array",
        n_elements=n_elements,
        pitch=_number(path, param, "pitch"),
        center_frequency=center,
        element_width=_number(path, param, "width") if "width" in has else None,
        fractional_bandwidth=bandwidth,
    )
    start = _number(path, param, "t0") if "t0" in has else 0.0
    waveform = Waveform(
        center_frequency=center, cycles=1.0 if bandwidth is None else max(1.0, 0.9 / bandwidth)
    )
    transmit = _transmit(path, param, probe.element_positions[:, 0], speed, start, waveform)
    acquisition = Acquisition(
        probe=probe,
        transmits=(transmit,),
        sampling_frequency=_number(path, param, "fs"),
        demodulation_frequency=0.0,
        sound_speed=speed,
    )
    samples = np.ascontiguousarray(rf.transpose(2, 1, 0)[:, np.newaxis])
    rate = _number(path, param, "PRF") if "PRF" in has else None
    return ChannelData(
        samples=samples if samples.dtype == np.int16 else samples.astype(np.float32),
        scale=1.0,
        acquisition=acquisition,
        times=None if not rate else (np.arange(len(samples)) / rate)[:, np.newaxis],
        provenance=(Step(name="read mat_must", settings={"frames": len(samples)}, version=VERSION),),
    )


def read(path: Path) -> tuple[ChannelData | Image, ...]:
    """Read channel data or B-mode frames of MUST.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple of ChannelData or Image
        One.

    Raises
    ------
    FormatError
        If it is damaged, too large, or holds neither.
    """
    loaded = _loaded(path)
    if "RF" in loaded and "param" in loaded:
        return (_channel_data(path, loaded),)
    frames = loaded.get("I")
    if isinstance(frames, np.ndarray) and frames.dtype == np.uint8 and frames.ndim in (2, 3) and frames.size:
        frames = frames[..., np.newaxis] if frames.ndim == 2 else frames
        values = (frames.transpose(2, 0, 1) / 255).astype(np.float32)
        step = Step(name="read mat_must", settings={"variable": "I"}, version=VERSION)
        grid = PixelGrid(rows=values.shape[1], columns=values.shape[2], spacing=None)
        return (Image(values=values, quantity=Quantity.BRIGHTNESS, grid=grid, provenance=(step,)),)
    found = ", ".join(name for name in loaded if not name.startswith("__")) or "nothing"
    raise FormatError(
        f"{path.name}: expected RF with param, or 8-bit frames I, as MUST writes them; got {found}"
    )
