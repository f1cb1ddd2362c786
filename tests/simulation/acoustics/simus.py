"""The committed tables of SIMUS, and engine A made to answer the same questions."""

from pathlib import Path

import numpy as np

from insonate.core import Probe, Transmit
from insonate.simulation.acoustics.engine import Attenuation
from insonate.simulation.acoustics.frequency import simulate
from insonate.simulation.acoustics.scatterers import Scatterers

TABLES = Path(__file__).resolve().parents[2] / "golden" / "simus_tables.npz"
SPEED = 1540.0


def cases():
    with np.load(TABLES, allow_pickle=False) as tables:
        return sorted({name.rpartition("/")[0] for name in tables.files})


def spectrum_of_simus(center, bandwidth, three):
    """SIMUS's published pulse: a sine of one period through a generalized normal window, in the phase of our echoes.

    In three dimensions it has no factor of frequency in what an element sends.
    """
    power = np.log(126) / np.log(2 / bandwidth)
    width = bandwidth * center / 2 / np.log(2) ** (1 / power)

    def spectrum(frequencies):
        sine = np.sinc((frequencies - center) / center) - np.sinc((frequencies + center) / center)
        return (
            (center / frequencies if three else 1)
            * -sine
            * np.exp(-((np.abs(frequencies - center) / width) ** power))
        )

    return spectrum


def both(case, **changes):
    """Give SIMUS's echoes and ours for one case, ours scaled to fit, (n_kept, n_samples)."""
    with np.load(TABLES, allow_pickle=False) as tables:
        own = [name for name in tables.files if name.rpartition("/")[0] == case]
        table = {name.rpartition("/")[2]: tables[name] for name in own}
    center, width, bandwidth, lost, rate = table["settings"]
    x, z, turn = table["elements"]
    three = case.endswith("/3d")
    probe = Probe(
        name=case,
        element_positions=np.stack([x, 0 * x, z], axis=1),
        element_normals=np.stack([np.sin(turn), 0 * turn, np.cos(turn)], axis=1),
        element_width=float(width),
        element_height=5e-3 if three else None,
        center_frequency=float(center),
        fractional_bandwidth=float(bandwidth),
        elevation_focus=20e-3 if three else None,
    )
    transmit = Transmit(
        origin=np.zeros(3),
        direction=np.array([0.0, 0, 1]),
        focus_distance=np.inf,
        delays=table["delays"],
        apodization=None,
        waveform=None,
        initial_time=0.0,
    )
    truth = table["rf"].astype(float)
    settings = {
        "sound_speed": SPEED,
        "dimensions": 3 if three else 2,
        "attenuation": Attenuation(coefficient=float(lost)) if lost else None,
        "baffle": "soft",
        "spectrum": spectrum_of_simus(center, bandwidth, three),
        "sampling_frequency": float(rate),
        "duration": truth.shape[1] / rate,
        "band": (0.02 * center, 2 * center * (1 - 1e-9)),
    }
    scatterers = Scatterers(positions=table["positions"], amplitudes=table["amplitudes"])
    made = (
        simulate(scatterers, probe, [transmit], **settings | changes)
        .samples[0, 0][table["kept"]]
        .astype(float)
    )
    made = made[:, : truth.shape[1]]
    return truth, made * (np.vdot(made, truth) / np.vdot(made, made))


def compare(truth, made):
    """Give correlation and root-mean-square difference over the root mean square of the truth."""
    correlation = np.vdot(truth, made) / np.linalg.norm(truth) / np.linalg.norm(made)
    return float(correlation), float(np.linalg.norm(made - truth) / np.linalg.norm(truth))
