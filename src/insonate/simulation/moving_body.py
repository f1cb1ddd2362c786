"""The moving body: a live source of true channel data, until the simulated patient takes its place.

Fixed ticks of 50 ms, one plane wave a tick, three angles in turn. The artery's wall moves with the pulse and pushes its
neighbors, u(r) = s a^2 / r for r > a (incompressible, plane), the whole moves with breath and with the hand that holds
the probe. The same seed and ticks give the same echoes.
"""

import tomllib
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from scipy.ndimage import map_coordinates

from insonate.core import ChannelData, Command, Probe, RangeError
from insonate.core.units import Seconds
from insonate.simulation.acoustics import FourierEngine
from insonate.simulation.crease import Crease, paint

TICK: Seconds = 0.05
"""From frame to frame [s]."""


def _settings() -> dict[str, Any]:
    return tomllib.loads((files("insonate.simulation") / "moving_body.toml").read_text(encoding="utf-8"))


class MovingBody:
    """A painted crease of the groin that pulses and breathes under a linear array."""

    name = "moving body"
    accepts: frozenset[str] = frozenset()
    simulated = True

    def __init__(self, seed: int = 7) -> None:
        """Paint the individual of this seed and plan the engine; about two seconds of one core."""
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
            raise RangeError(f"seed must be a whole number in 0..{2**32 - 1}, got {seed!r}")
        if not 0 <= seed < 2**32:
            raise RangeError(f"seed must lie in 0..{2**32 - 1}, got {seed}")
        settings = _settings()
        self._motion = {
            key: value["value"] if isinstance(value, dict) else value
            for key, value in settings["motion"].items()
        }
        probe, grid = settings["probe"], settings["map"]
        self._angles = np.radians(probe["angles"])
        self._steps = (grid["lateral_step"], grid["axial_step"])
        self._engine = FourierEngine(
            probe=Probe.linear(
                name=probe["name"],
                n_elements=probe["n_elements"],
                pitch=probe["pitch"] / 1e3,
                element_width=probe["element_width"] / 1e3,
                center_frequency=probe["center_frequency"] * 1e6,
                fractional_bandwidth=probe["fractional_bandwidth"],
            ),
            lateral_step=grid["lateral_step"] / 1e3,
            axial_step=grid["axial_step"] / 1e3,
            shape=(grid["n_lateral"], grid["n_axial"]),
            sound_speed=settings["wave"]["sound_speed"]["value"],
            duration=grid["duration"],
        )
        rng = np.random.default_rng(seed)
        x = (np.arange(grid["n_lateral"]) - grid["n_lateral"] // 2) * self._steps[0]
        z = np.arange(grid["n_axial"]) * self._steps[1]
        two_way = settings["wave"]["attenuation"]["value"] * probe["center_frequency"] * 2 / 10  # dB/mm
        crease = paint(rng, x, z, attenuation=two_way)
        self._phases = [
            self._pulsed(crease, x, z, phase / self._motion["phases"])
            for phase in range(self._motion["phases"])
        ]
        self._noise_level = 10 ** (settings["noise"]["level"]["value"] / 20)
        self._loudest: float | None = None
        self._seed = seed
        self._tick = 0

    def _pulsed(self, crease: Crease, x: np.ndarray, z: np.ndarray, phase: float) -> np.ndarray:
        """Give the map at one moment of the pulse."""
        rise = np.exp(-0.5 * ((phase - 0.18) / 0.09) ** 2) + 0.35 * np.exp(
            -0.5 * ((phase - 0.48) / 0.14) ** 2
        )
        growth = self._motion["pulse_strain"] * rise
        x0, z0, radius = crease.artery
        dx, dz = x[:, None] - x0, z[None, :] - z0
        square = np.maximum(dx**2 + dz**2, 1e-6)
        pushed = growth * np.minimum(1.0, radius**2 / square)  # in units of the distance from the center
        columns = np.arange(len(x))[:, None] - dx * pushed / self._steps[0]
        rows = np.arange(len(z))[None, :] - dz * pushed / self._steps[1]
        return np.asarray(map_coordinates(crease.reflectivity, (columns, rows), order=1, mode="nearest"))

    def _shifted(self, time: Seconds) -> np.ndarray:
        """Give the map of the nearest moment of the pulse, moved by breath and hand."""
        motion = self._motion
        share = (time * motion["heart_rate"]) % 1.0
        here = self._phases[int(share * motion["phases"]) % motion["phases"]]
        sideways = motion["tremor"] * (
            np.sin(2 * np.pi * 0.31 * time) + 0.5 * np.sin(2 * np.pi * 0.83 * time)
        )
        down = motion["breathing_shift"] * np.sin(2 * np.pi * motion["breathing_rate"] * time)
        moved = np.roll(here, round(down / self._steps[1]), axis=1)
        columns = sideways / self._steps[0]
        whole = int(np.floor(columns))
        part = np.float32(columns - whole)
        return np.asarray(
            (1 - part) * np.roll(moved, whole, axis=0) + part * np.roll(moved, whole + 1, axis=0)
        )

    def advance(self, commands: Sequence[Command], until: Seconds) -> Iterator[ChannelData]:
        """Give every frame up to a time, one a tick; no command is obeyed.

        Parameters
        ----------
        commands : sequence of Command
            Ignored: `accepts` is empty.
        until : float
            On this source's clock, which starts at 0 [s].

        Yields
        ------
        ChannelData
            One frame, one plane wave.
        """
        del commands
        while self._tick * TICK < until:
            time = self._tick * TICK
            angle = float(self._angles[self._tick % len(self._angles)])
            self._tick += 1
            echoes = self._engine.echoes(self._engine.spectrum(self._shifted(time)), angle)
            if self._loudest is None:
                self._loudest = float(np.abs(echoes).max())
            rng = np.random.default_rng((self._seed, self._tick))
            noise = rng.standard_normal((*echoes.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
            yield self._engine.channel_data(echoes + self._noise_level * self._loudest * noise, angle, time)
