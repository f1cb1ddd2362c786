"""Draw the contact sheet of a region: `python -m benchmarks.contact_sheet REGION [--out FILE]`.

Every view of `contact_sheet.toml` is compiled in a thin slab, heard by nine plane waves, compounded and compressed as a
machine would, and laid over its labels, below what is published about the view. Labels: artery red, vein blue, nerve yellow,
muscle brown, fat ocher, node green, pleura and lung light blue, tendon and bone white.
"""

import argparse
import textwrap
import tomllib
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw

from insonate.core import CoordinateFrame, Pose
from insonate.imaging.b_mode import Compounding, speckle_reduction
from insonate.pipeline.catalog import BEAMFORMERS
from insonate.pipeline.chain import grid_of
from insonate.simulation.acoustics import FourierEngine
from insonate.simulation.anatomy import CompiledBody, Window, region
from insonate.simulation.anatomy.compiler import compile_volumes
from insonate.simulation.facts import facts
from insonate.simulation.medium import Plane
from insonate.simulation.patient import machine
from insonate.simulation.section import heard

ANGLES = np.linspace(-0.17, 0.17, 9)
"""Of the plane waves [rad]."""
RANGE, GAMMA = 57.0, 1.25
"""Dynamic range [dB] and gray curve of the imitated machine."""
SLAB = 9e-3
"""Thickness of what is compiled for an upright view [m]."""
ACROSS, WIDTH = 4, 240
"""Views in a row, pixels of one."""
COLORS = {
    "skin": (205, 160, 140),
    "fat": (228, 200, 90),
    "muscle": (150, 50, 50),
    "fascia": (235, 225, 235),
    "nerve": (255, 240, 0),
    "artery": (255, 0, 0),
    "vein": (40, 80, 255),
    "bone": (245, 245, 245),
    "tendon": (255, 255, 255),
    "lymph node": (60, 180, 90),
    "pleura": (120, 200, 220),
    "cartilage": (150, 220, 160),
    "bursa": (200, 120, 220),
    "fluid": (170, 140, 220),
    "synovium": (110, 90, 140),
    "ligament": (160, 165, 200),
}
"""Of labels."""


def held(x: float, y: float, yaw: float, tilt: float) -> Pose:
    """Give a probe on the skin, turned about the beam and then about the array [m, rad]."""
    c, s = np.cos(yaw), np.sin(yaw)
    about_beam = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    c, s = np.cos(tilt), np.sin(tilt)
    about_array = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return Pose(
        rotation=about_beam @ about_array,
        translation=np.array([x, y, 0.0]),
        source=CoordinateFrame.PROBE,
        target=CoordinateFrame.PATIENT,
        time=0,
    )


def compiled(of: str, view: dict) -> CompiledBody:
    """Compile as much of the view's window as the view needs."""
    known = region(of)
    window = known.window(view.get("window"))
    if not view.get("yaw_deg") and not view.get("tilt_deg"):
        window = Window(
            name=window.name,
            center=(window.center[0], view["y_mm"] * 1e-3),
            reach=(window.reach[0], SLAB, window.reach[2]),
        )
    individual = known.individual(
        view["seed"], variant=view.get("variant", "usual"), pathologies=view.get("pathologies", ())
    )
    return CompiledBody(individual, compile_volumes(individual, window))


def seen(engine: FourierEngine, body: CompiledBody, view: dict) -> tuple[np.ndarray, np.ndarray, float]:
    """Give B-mode and colors of labels, (rows, columns), and height over width."""
    pose = held(
        view["x_mm"] * 1e-3,
        view["y_mm"] * 1e-3,
        np.radians(view.get("yaw_deg", 0.0)),
        np.radians(view.get("tilt_deg", 0.0)),
    )
    plane = Plane(
        pose=pose, shape=engine.shape, lateral_step=engine.lateral_step, axial_step=engine.axial_step
    )
    medium = body.cut(plane, np.zeros((2, 2, 3)))
    spectrum = engine.spectrum(heard(medium, engine.probe.center_frequency))
    fascia = np.zeros(engine.shape, np.float32)
    fascia[:, engine.shape[1] // 2] = 2.0
    quiet = np.abs(engine.echoes(engine.spectrum(fascia), 0.0)).max()
    quiet *= 10 ** (facts("insonate.simulation", "patient")["wave"]["noise"] / 20)
    rng = np.random.default_rng(view["seed"])
    compounding = Compounding(len(ANGLES))
    beamform = BEAMFORMERS.get("delay_and_sum")
    for angle in ANGLES:
        echoes = engine.echoes(spectrum, float(angle))
        noise = rng.standard_normal((*echoes.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
        data = engine.channel_data(echoes + np.float32(quiet) * noise, float(angle), 0.0)
        grid = grid_of(data, depth=view["depth_mm"] * 1e-3, rows=380)
        strength = compounding.add(beamform(data, grid))
    decibels = 20 * np.log10(np.maximum(strength / np.quantile(strength[::4, ::4], 0.998), 1e-6))
    gray = (255 * np.clip(1 + speckle_reduction(decibels) / RANGE, 0, 1) ** GAMMA).astype(np.uint8)
    rows = np.clip((grid.axial / engine.axial_step).round().astype(int), 0, engine.shape[1] - 1)
    columns = (grid.lateral / engine.lateral_step).round().astype(int) + engine.shape[0] // 2
    colors = [(0, 0, 0), *(COLORS.get(one.tissue.value, (128, 128, 128)) for one in body.structures)]
    labels = medium.labels[np.ix_(np.clip(columns, 0, engine.shape[0] - 1), rows)].T
    size = (grid.axial[-1] - grid.axial[0]) / (grid.lateral[-1] - grid.lateral[0])
    return gray, np.array(colors, np.uint8)[labels], float(size)


def cell(engine: FourierEngine, of: str, view: dict) -> Picture.Image:
    """Draw one view: its title, B-mode, labels."""
    gray, colors, size = seen(engine, compiled(of, view), view)
    height = round(WIDTH * size)
    out = Picture.new("RGB", (WIDTH, 2 * height + 16), (20, 20, 20))
    out.paste(
        Picture.fromarray(gray).convert("RGB").resize((WIDTH, height), Picture.Resampling.LANCZOS), (0, 14)
    )
    out.paste(Picture.fromarray(colors).resize((WIDTH, height), Picture.Resampling.NEAREST), (0, height + 16))
    ImageDraw.Draw(out).text((3, 1), view["title"], fill=(235, 235, 235))
    return out


def strip(text: str, width: int) -> Picture.Image:
    """Write what is published about the views below it."""
    lines = textwrap.wrap(text, width // 6 - 2)
    out = Picture.new("RGB", (width, 13 * len(lines) + 8), (20, 20, 20))
    ImageDraw.Draw(out).multiline_text((4, 3), "\n".join(lines), fill=(180, 200, 235), spacing=2)
    return out


def sheet(of: str, sections: list[dict]) -> Picture.Image:
    """Draw all sections of a region."""
    engine = machine()
    width = ACROSS * (WIDTH + 4)
    parts: list[Picture.Image] = []
    for section in sections:
        parts.append(strip(section["described"], width))
        cells = [cell(engine, of, view) for view in section["views"]]
        for first in range(0, len(cells), ACROSS):
            row = cells[first : first + ACROSS]
            part = Picture.new("RGB", (width, max(one.height for one in row) + 4), (20, 20, 20))
            for at, one in enumerate(row):
                part.paste(one, (at * (WIDTH + 4), 0))
            parts.append(part)
    out = Picture.new("RGB", (width, sum(one.height for one in parts)), (20, 20, 20))
    top = 0
    for one in parts:
        out.paste(one, (0, top))
        top += one.height
    return out


def main() -> None:
    """Read the table, draw, write."""
    table = tomllib.loads((Path(__file__).parent / "contact_sheet.toml").read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("region", choices=sorted(table))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    out = asked.out or Path("docs/images") / f"{asked.region}_contact_sheet.png"
    picture = sheet(asked.region, table[asked.region]["sections"])
    # a palette of our own: one that is found merges labels of few pixels with those of many
    own = [(one, one, one) for one in range(0, 256, 2)] + [(180, 200, 235), (90, 100, 118), *COLORS.values()]
    palette = Picture.new("P", (1, 1))
    palette.putpalette([part for color in own for part in color])
    picture.quantize(palette=palette, dither=Picture.Dither.NONE).save(out, optimize=True)
    print(f"{out}: {picture.width} x {picture.height}, {out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
