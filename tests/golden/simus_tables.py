"""Make `simus_tables.npz`: what PyMUST's SIMUS, an independent simulator, gives for scatterers of ours.

    python -m venv /tmp/oracle && /tmp/oracle/bin/pip install pymust==0.1.9
    /tmp/oracle/bin/python tests/golden/simus_tables.py

Three probes (two linear, one curved) times three transmits (plane, diverging, focused), 200 scatterers each, in two
dimensions, and one case in three: a lens, scatterers a micrometer beside the plane. (Farther from it PyMUST 0.1.9 counts the
path in elevation twice, in the distance and again in the paraxial phase: engine A is held to Rayleigh's integral there.)
PyMUST is LGPL-3: it is called here, and none of its code is kept. Kept are the echoes of eight elements, as int16 of the
loudest; positions and strengths of the scatterers; delays.
"""

from pathlib import Path

import numpy as np

PROBES = {
    "linear 7.5 MHz": {"fc": 7.5e6, "pitch": 0.3e-3, "kerf": 0.03e-3, "Nelements": 128, "bandwidth": 70},
    "linear 15 MHz": {"fc": 15e6, "pitch": 0.1e-3, "kerf": 0.02e-3, "Nelements": 96, "bandwidth": 60},
    "curved 3.5 MHz": {
        "fc": 3.5e6,
        "pitch": 0.5e-3,
        "kerf": 0.05e-3,
        "Nelements": 64,
        "bandwidth": 65,
        "radius": 50e-3,
    },
}
DEPTHS = {"linear 7.5 MHz": (0.008, 0.035), "linear 15 MHz": (0.004, 0.015), "curved 3.5 MHz": (0.02, 0.08)}
TRANSMITS = ("plane", "diverging", "focused")
N_SCATTERERS = 200
N_KEPT = 8
SPEED = 1540.0


def delays(kind: str, x: np.ndarray, z: np.ndarray, depth: float) -> np.ndarray:
    """(n_elements,) firing times, the first at zero [s]."""
    if kind == "plane":
        angle = np.radians(10)
        times = (x * np.sin(angle) + z * np.cos(angle)) / SPEED
    elif kind == "diverging":
        times = np.hypot(x - 2e-3, z + 0.02) / SPEED
    else:
        times = -np.hypot(x + 3e-3, z - depth) / SPEED
    return times - times.min()


def main() -> None:
    """Run SIMUS and write the tables."""
    import pymust

    rng = np.random.default_rng(2024)
    made: dict[str, np.ndarray] = {}
    cases = [(name, kind, False) for name in PROBES for kind in TRANSMITS] + [
        ("linear 7.5 MHz", "focused", True)
    ]
    for name, kind, three in cases:
        param = pymust.utils.Param()
        for key, value in PROBES[name].items():
            param[key] = value
        param.radius = PROBES[name].get("radius", np.inf)
        param.c, param.fs, param.TXnow, param.baffle = SPEED, 4 * param.fc, 1, "soft"
        param.attenuation = 0.5 if kind == "diverging" else 0
        xe, ze, the, _ = (np.asarray(part, dtype=float).ravel() for part in param.getElementPositions())
        low, high = DEPTHS[name]
        half = np.abs(xe).max()
        x = rng.uniform(-half, half, N_SCATTERERS)
        z = rng.uniform(low, high, N_SCATTERERS)
        y = rng.uniform(-1e-6, 1e-6, N_SCATTERERS) if three else np.zeros(N_SCATTERERS)
        strength = rng.normal(size=N_SCATTERERS)
        fire = delays(kind, xe, ze, 0.5 * (low + high)).astype(np.float32).astype(float)
        options = pymust.utils.Options()
        options.FullFrequencyDirectivity = True
        options.ParPool = False
        if three:
            param.height, param.focus = 5e-3, 20e-3
            options.ElementSplitting = 4
        positions = np.stack([x, y, z], axis=1).astype(np.float32).astype(float)
        parts = [column.reshape(1, -1) for column in positions.T]
        points = parts if three else [parts[0], parts[2]]
        rf, _ = pymust.simus(*points, strength.reshape(1, -1), fire.reshape(1, -1), param, options)
        kept = np.linspace(0, len(xe) - 1, N_KEPT).round().astype(int)
        rf = np.asarray(rf)[:, kept].T
        key = f"{name}/{kind}{'/3d' if three else ''}"
        made[f"{key}/positions"] = positions.astype(np.float32)
        made[f"{key}/amplitudes"] = strength
        made[f"{key}/delays"] = fire
        made[f"{key}/elements"] = np.stack([xe, ze, the])
        made[f"{key}/kept"] = kept
        made[f"{key}/rf"] = np.round(rf / np.abs(rf).max() * 32000).astype(np.int16)
        made[f"{key}/settings"] = np.array(
            [param.fc, param.pitch - param.kerf, param.bandwidth / 100, param.attenuation * 100, param.fs]
        )
        print(key, rf.shape)
    np.savez_compressed(Path(__file__).with_suffix(".npz"), **made)


if __name__ == "__main__":
    main()
