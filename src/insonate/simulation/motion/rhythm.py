"""Heart and breath: rates and sizes drawn for the individual, and where both stand at a time.

The pulse of an artery is two smooth rises, s(p) = exp(-((p - 0.18) / 0.09)^2 / 2) + d exp(-((p - 0.48) / 0.14)^2 / 2), of
the phase p = time x heart rate; its wall moves by s times the strain. Blood in a round tube follows Poiseuille,
v(r) = v_peak w(p) (1 - r^2 / a^2), whose mean is half its peak, with the triphasic waveform w of a limb's artery.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import erf

from insonate.core.units import Hertz, Meters, MetersPerSecond, Seconds
from insonate.simulation.facts import facts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rhythm:
    """The rates of one individual."""

    heart_rate: Hertz
    """[Hz]."""
    breathing_rate: Hertz
    """[Hz]."""
    arterial_strain: float
    """Of the radius at the top of the pulse, 1."""
    slide: np.ndarray
    """(3,) of deep tissue at the top of a breath [m]."""
    glide: np.ndarray
    """(3,) of the lung along its pleura from the end of a breath out to the top of one [m]."""

    @classmethod
    def drawn(cls, seed: int) -> "Rhythm":
        """Draw those of a seed."""
        values = facts("insonate.simulation.motion", "motion")["rhythm"]
        rng = np.random.default_rng((seed, 0x5EED))
        size, turn = rng.uniform(*values["breathing_slide"]), rng.uniform(-0.5, 0.5)
        return cls(
            heart_rate=float(rng.uniform(*values["heart_rate"])),
            breathing_rate=float(rng.uniform(*values["breathing_rate"])),
            arterial_strain=float(rng.uniform(*values["arterial_strain"])),
            slide=size * np.array([np.sin(turn), np.cos(turn), 0.0]),
            glide=_glide(seed),
        )

    def distension(self, time: Seconds) -> float:
        """Give how much larger than at rest the radius of an artery is, 1."""
        values = facts("insonate.simulation.motion", "motion")["rhythm"]
        phase = (time * self.heart_rate) % 1.0
        rise = sum(
            size * np.exp(-0.5 * ((phase - turn - middle) / width) ** 2)
            for size, middle, width in ((1.0, 0.18, 0.09), (values["dicrotic_share"], 0.48, 0.14))
            for turn in (-1, 0, 1)
        )
        return float(self.arterial_strain * rise)

    def breath(self, time: Seconds) -> float:
        """Give where the breath stands, -1..1."""
        return float(np.sin(2 * np.pi * self.breathing_rate * time))

    def venous_filling(self, time: Seconds) -> float:
        """Give the lumen of a vein as a share of that at rest, 1: less with a breath in."""
        values = facts("insonate.simulation.motion", "motion")["rhythm"]
        return float(1 - values["venous_breath"] * (1 + self.breath(time)) / 2)

    def arterial_speed(self, time: Seconds) -> MetersPerSecond:
        """Give the speed in the middle of an artery [m/s]."""
        values = facts("insonate.simulation.motion", "motion")["rhythm"]
        phase = (time * self.heart_rate) % 1.0
        wave = sum(
            size * np.exp(-0.5 * ((phase - at) / width) ** 2)
            for size, at, width in _waves(values["reverse_share"])
        )
        return float(values["arterial_peak_speed"] * wave)

    def arterial_travel(self, time: Seconds) -> Meters:
        """Give how far the middle of an artery has gone since time 0: the integral of its speed, in closed form [m]."""
        values = facts("insonate.simulation.motion", "motion")["rhythm"]

        def within(phase: float) -> float:
            total = 0.0
            for size, at, width in _waves(values["reverse_share"]):
                s = np.sqrt(2) * width
                total += size * width * np.sqrt(np.pi / 2) * (erf((phase - at) / s) - erf(-at / s))
            return float(total)

        beats, phase = divmod(time * self.heart_rate, 1.0)
        return float(values["arterial_peak_speed"] * (beats * within(1.0) + within(phase)) / self.heart_rate)

    def venous_speed(self, time: Seconds) -> MetersPerSecond:
        """Give the speed in the middle of a vein [m/s]; it falls with a breath in."""
        values = facts("insonate.simulation.motion", "motion")["rhythm"]
        return float(values["venous_speed"] * (1 - 0.5 * self.breath(time)))

    def venous_travel(self, time: Seconds) -> Meters:
        """Give how far the middle of a vein has gone since time 0 [m]."""
        turn = 2 * np.pi * self.breathing_rate
        values = facts("insonate.simulation.motion", "motion")["rhythm"]
        return float(values["venous_speed"] * (time + 0.5 * (np.cos(turn * time) - 1) / turn))


def _waves(reverse: float) -> tuple[tuple[float, float, float], ...]:
    """Give size, phase and width of the three waves of a limb's artery: forward, back, forward."""
    return ((1.0, 0.15, 0.055), (-reverse, 0.36, 0.05), (0.1, 0.55, 0.09))


def _glide(seed: int) -> np.ndarray:
    values = facts("insonate.simulation.motion", "motion")["rhythm"]
    rng = np.random.default_rng((seed, 0x61DE))
    turn = rng.uniform(-0.4, 0.4) + values["lung_glide_turn"]
    return np.asarray(rng.uniform(*values["lung_glide"]) * np.array([np.sin(turn), -np.cos(turn), 0.0]))


def poiseuille(share_of_radius: np.ndarray, middle: MetersPerSecond) -> np.ndarray:
    """Give the speed of blood in a round tube.

    Parameters
    ----------
    share_of_radius : numpy.ndarray
        Distance from the middle over the radius.
    middle : float
        Speed in the middle [m/s].

    Returns
    -------
    numpy.ndarray
        Alike; 0 on and beyond the wall [m/s].
    """
    return np.asarray(middle * np.maximum(1 - share_of_radius**2, 0))


def vein_area(force: float) -> float:
    """Give the lumen of a vein under a probe pressed with a force [N], as a share of that at rest."""
    values = facts("insonate.simulation.motion", "motion")["contact"]
    return float(max(1 / (1 + (force / values["vein_force"]) ** values["vein_power"]), 0.02))


def vein_flatness(area: float) -> Meters:
    """Give the logarithm of the widening of a vein whose lumen has this share left."""
    return float(0.6 * (1 - area))
