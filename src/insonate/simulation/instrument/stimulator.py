"""A nerve stimulator: whether a muscle answers, and the impedance, with the published overlap of near, touching and inside.

Of the two laws of current against distance in CLINICAL.md C1 this takes I(r) = I_0 + k r^2 (Pither 1985) with the anchors of
S-081 (pig sciatic: touching 0.39 +- 0.33 mA, 1 mm away 0.92 +- 0.33 mA, nothing at 5 mm), not the anchor of S-087 (0.2 mA at
the epineurium, 1.0 mA at 2 mm). Both anchors are drawn together for each nerve and visit from shifted lognormals that keep
mean and deviation and never lie at 0.2 mA or less, which was not seen outside a nerve (S-080). Inside, one tip in eight
answers only at 0.8-1.8 mA, the published false reassurance; the others lie below 0.8 mA so that the mean of all is
0.56 mA. The published deviation inside, 0.54 mA, is wider than that range allows: ours is 0.35 mA. With the width of the
pulse the threshold goes as 1 + chronaxie / width (Weiss).
"""

from dataclasses import dataclass

import numpy as np

from insonate.core import StimulationReading, Stimulus
from insonate.core.units import Amperes, CubicMeters, Meters, Ohms, Seconds
from insonate.simulation.facts import facts

LOW_SHAPE = (1.3, 1.11)
"""Of the beta distribution of thresholds inside that are not falsely high; its mean makes that of all 0.56 mA."""
LOWEST_INSIDE: Amperes = 0.05e-3
"""[A]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighborhood:
    """What the tip is near to, for the current."""

    nerve: str | None
    """Name of the nearest nerve; None where none is within reach."""
    distance: Meters
    """To it, negative inside [m]."""
    in_vessel: bool
    """Whether the tip lies in blood."""
    visit: int
    """Counts how often a tip has gone into or out of something: each visit draws anew."""
    washed: CubicMeters
    """Conducting fluid round that nerve [m^3]."""


def motor_answer(nerve: str | None) -> str | None:
    """Give the muscle that answers a nerve; None where it has no motor fibers or is not in the table."""
    table = facts("insonate.simulation.instrument", "responses")["motor"]
    return None if nerve is None else table.get(nerve.lower())


def _shifted(mean: Amperes, deviation: Amperes, floor: Amperes, deviate: float) -> Amperes:
    """Give a lognormal above a floor, of this mean and deviation, at a normal deviate."""
    above = mean - floor
    spread = np.log(1 + (deviation / above) ** 2)
    return float(floor + above * np.exp(np.sqrt(spread) * deviate - spread / 2))


def threshold(seed: int, near: Neighborhood, pulse_width: Seconds) -> Amperes | None:
    """Give the least current that is answered.

    Parameters
    ----------
    seed : int
        Of the individual.
    near : Neighborhood
        Where the tip lies.
    pulse_width : float
        [s].

    Returns
    -------
    float or None
        None where no current is [A].
    """
    values = facts("insonate.simulation.instrument", "instruments")["stimulator"]
    if near.nerve is None or near.distance >= values["no_response"]:
        return None
    rng = np.random.default_rng((seed, 0x571, near.visit, *near.nerve.encode()))
    deviate, chance, place = rng.normal(), rng.random(), rng.beta(*LOW_SHAPE)
    low, high = values["falsely_high"]
    if near.distance < 0:
        falsely = chance < values["falsely_high_share"]
        base = rng.uniform(low, high) if falsely else LOWEST_INSIDE + place * (low - LOWEST_INSIDE)
    else:
        floor = values["lowest_outside"]
        contact = _shifted(values["contact_mean"], values["contact_deviation"], floor, deviate)
        away = _shifted(values["near_mean"], values["near_deviation"], floor, deviate)
        steepness = max(away - contact, 0.1e-3) / 1e-3**2
        base = contact + steepness * near.distance**2
    wider = (1 + values["chronaxie"] / pulse_width) / (1 + values["chronaxie"] / values["reference_width"])
    return float(base * wider * (1 + (near.washed / values["washed_out"]) * 3))


def impedance(seed: int, near: Neighborhood, reading: int) -> Ohms:
    """Give the impedance at the tip.

    Parameters
    ----------
    seed : int
        Of the individual.
    near : Neighborhood
        Where the tip lies.
    reading : int
        Number of the reading, for its noise.

    Returns
    -------
    float
        [ohm].
    """
    values = facts("insonate.simulation.instrument", "instruments")["impedance"]
    rng = np.random.default_rng((seed, 0x1A9, near.visit))
    inside = near.nerve is not None and near.distance < 0
    mean, deviation = (
        values[f"{'inside' if inside else 'outside'}_{name}"] for name in ("mean", "deviation")
    )
    at_tip = max(rng.normal(mean, deviation), 2e3)
    if near.in_vessel:
        at_tip *= values["vessel_factor"]
    noise = np.random.default_rng((seed, 0x1AA, near.visit, reading)).normal(0, values["reading_noise"])
    return float(at_tip * (1 + noise))


def stimulated(
    seed: int, near: Neighborhood, stimulus: Stimulus, time: Seconds, reading: int
) -> StimulationReading:
    """Give what one stimulus brings.

    Parameters
    ----------
    seed : int
        Of the individual.
    near : Neighborhood
        Where the tip lies.
    stimulus : Stimulus
        What is set.
    time : float
        Of the pulse [s].
    reading : int
        Number of the reading.

    Returns
    -------
    StimulationReading
        An absent twitch is no proof of distance.
    """
    values = facts("insonate.simulation.instrument", "instruments")["stimulator"]
    ohms = impedance(seed, near, reading)
    delivered = min(stimulus.current, values["compliance"] / ohms)
    least = threshold(seed, near, stimulus.pulse_width)
    muscle, grade = motor_answer(near.nerve), 0
    if least is not None and muscle is not None and delivered >= least:
        grade = 2 if delivered >= least * values["strong"] else 1
    return StimulationReading(
        stimulus=stimulus,
        delivered=float(delivered),
        muscle=muscle if grade else None,
        grade=grade,
        impedance=ohms,
        time=time,
    )
