"""What the simulated patient's scenes show, rows of the algorithms' §1.2 and 1.3: needle, shadow, anisotropy, blood, motion.

A part of the benchmark `simulation`. Each value is held against a closed form or against what was imposed; a row without a
target says what is so.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.calibration import calibration
from benchmarks.rows import row
from insonate.core import (
    ChannelData,
    CoordinateFrame,
    Grid,
    MoveProbe,
    Pose,
    SetControl,
)
from insonate.imaging.beamforming import delay_and_sum
from insonate.simulation.acoustics.shadow import BACK, line_of_sight
from insonate.simulation.answer import replay
from insonate.simulation.course import TICK, Course, Settings
from insonate.simulation.facts import facts
from insonate.simulation.instrument.needle import diameters, draw, shade
from insonate.simulation.medium import Plane
from insonate.simulation.motion.contact import Contact, layers
from insonate.simulation.motion.insertion import Insertion, drawn_shaft
from insonate.simulation.motion.tubes import Wall
from insonate.simulation.patient import SimulatedPatient, body_of, machine
from insonate.simulation.points import lay
from insonate.simulation.streams import plane_thickness

TESTS = Path(__file__).resolve().parents[1] / "tests"
LENGTH = 8e-3
"""Of the shaft whose lobe is measured [m]."""
PASSED = 1e3
"""Doppler shift of a peak whose upper half a wall filter of PRF / N, 250 Hz, leaves alone [Hz]."""
MUSCLE = 35.0
"""How far below a needle that is seen best muscle lies, CLINICAL F2 [dB]."""


@contextmanager
def _tests() -> Iterator[None]:
    """Let the truths that the tests are held to be imported."""
    sys.path.insert(0, str(TESTS))
    try:
        yield
    finally:
        sys.path.remove(str(TESTS))


def _held(x: float = 0.0, y: float = 0.0, z: float = 0.0, *, rock: float = 0.0, turn: float = 0.0) -> Pose:
    c, s, cc, ss = np.cos(rock), np.sin(rock), np.cos(turn), np.sin(turn)
    rocked = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    turned = np.array([[cc, -ss, 0], [ss, cc, 0], [0, 0, 1]])
    return Pose(
        rotation=turned @ rocked,
        translation=np.array([x, y, z]),
        source=CoordinateFrame.PROBE,
        target=CoordinateFrame.PATIENT,
        time=0,
    )


ENGINE = machine()
PLANE = Plane(
    pose=_held(), shape=ENGINE.shape, lateral_step=ENGINE.lateral_step, axial_step=ENGINE.axial_step
)
MIDDLE = PLANE.shape[0] // 2


def _shaft(degrees: float, *, depth: float = 16e-3, length: float = LENGTH) -> Any:
    way = np.array([np.cos(np.radians(degrees)), 0, np.sin(np.radians(degrees))])
    return drawn_shaft(np.array([0, 0, depth]) - way * length / 2, way, length, 0.0, 1e9)


def _drawn(degrees: float, *, gauge: int = 22, echogenic: bool = False, **settings: float) -> np.ndarray:
    into = np.zeros(PLANE.shape, np.float32)
    draw(into, PLANE, _shaft(degrees, **settings), gauge=gauge, echogenic=echogenic, seed=1)
    return into


def needle(quick: bool) -> list[dict[str, Any]]:
    """The needle in the picture, and its shadow."""
    engine = machine()
    at = engine.probe.element_positions[:, 0]
    angles = np.radians(np.arange(-40, 40.01, 0.25))

    def arriving(degrees: float) -> np.ndarray:
        """Energy at the center frequency for each direction of arrival."""
        echoes = engine.echoes(engine.spectrum(_drawn(degrees)), 0.0)
        spectrum = np.fft.fft(echoes, axis=1)
        frequency = (
            np.fft.fftfreq(echoes.shape[1], 1 / engine.sampling_frequency) + engine.demodulation_frequency
        )
        center = np.abs(frequency - engine.probe.center_frequency) < 0.4e6
        turns = np.sin(angles)[:, None, None] * at[None, :, None] * frequency[None, None, center]
        late = np.exp(2j * np.pi * turns / engine.sound_speed)
        return np.asarray((np.abs((spectrum[None, :, center] * late).sum(axis=1)) ** 2).sum(axis=1))

    directions, widths = [], []
    wavelength = engine.sound_speed / engine.probe.center_frequency
    for degrees in (0.0, 6.0, 12.0) if quick else (0.0, 3.0, 6.0, 9.0, 12.0):
        energy = arriving(degrees)
        best = int(np.argmax(energy))
        directions.append(abs(abs(np.degrees(angles[best])) - 2 * degrees))
        above = np.flatnonzero(energy > energy[best] / 2)
        sines = np.sin(angles)
        low = np.interp(
            energy[best] / 2, energy[above[0] - 1 : above[0] + 1], sines[above[0] - 1 : above[0] + 1]
        )
        high = np.interp(
            -energy[best] / 2, -energy[above[-1] : above[-1] + 2], sines[above[-1] : above[-1] + 2]
        )
        # Along a line at the tilt b the phase of what goes out at the angle t is k s (sin b (1 + cos t) - cos b sin t):
        # its slope over sin t is cos b / cos 2b where t = 2b, the length shown.
        shown = LENGTH * np.cos(np.radians(degrees)) / np.cos(2 * np.radians(degrees))
        widths.append(abs((high - low) / (0.886 * wavelength / shown) - 1))
    spacings = []
    for gauge in (18, 22):
        column = np.abs(_drawn(0.0, gauge=gauge)[MIDDLE])
        middle = column[1:-1]
        peaks = (middle > column[:-2]) & (middle >= column[2:]) & (middle > 0.03 * column.max())
        rows = np.flatnonzero(peaks) + 1
        inner = diameters(gauge)[1]
        top = (16e-3 - diameters(gauge)[0] / 2) / PLANE.axial_step
        for bounce in (1, 2):
            due = top + bounce * inner / PLANE.axial_step
            spacings.append(float(np.abs(rows - due).min()) * PLANE.axial_step * 1e3)
    grid = Grid(axial=np.arange(6e-3, 26e-3, 1e-4), lateral=np.linspace(-6e-3, 6e-3, 61))

    def bright(degrees: float, *, echogenic: bool = False) -> float:
        echoes = engine.echoes(engine.spectrum(_drawn(degrees, echogenic=echogenic, length=20e-3)), 0.0)
        picture = np.abs(delay_and_sum(engine.channel_data(echoes, 0.0, 0.0), grid).values[0])
        x, z = np.meshgrid(grid.lateral, grid.axial)
        tilt = np.radians(degrees)
        near = np.abs((z - 16e-3) * np.cos(tilt) - x * np.sin(tilt)) < 0.8e-3
        along = np.abs(x * np.cos(tilt) + (z - 16e-3) * np.sin(tilt)) < 5e-3
        return float(20 * np.log10(np.median(picture[near & along]) + 1e-12))

    steps = (0, 10, 20, 35, 50) if quick else (0, 5, 10, 15, 20, 25, 30, 35, 40, 50, 60)
    levels = np.array([bright(float(d)) for d in steps])
    rises = np.maximum(np.diff(np.maximum(levels, levels[0] - MUSCLE)), 0)
    at_35 = steps.index(35)
    gain = bright(35.0, echogenic=True) - levels[at_35]
    left = np.ones(PLANE.shape, np.float32)
    shade(left, PLANE, _shaft(0.0, depth=12e-3, length=30e-3), gauge=22)
    line = left[MIDDLE:, round(20e-3 / PLANE.axial_step)]
    edge = float(np.interp((line[0] + 1) / 2, line, np.arange(len(line))) * PLANE.lateral_step)
    return [
        row(
            "simulation/needle-direction",
            f"specular lobe of a shaft of {LENGTH * 1e3:g} mm tilted to 12 degrees, beside twice its tilt, worst",
            [max(directions)],
            "degrees",
            sense="max",
            target=0.5,
            truth="closed form",
        ),
        row(
            "simulation/needle-width",
            "its width at half power in the sine of the angle, beside 0.886 wavelengths over the length shown, worst",
            [max(widths)],
            "1",
            sense="max",
            target=0.05,
            truth="closed form",
        ),
        row(
            "simulation/needle-reverberation",
            "echoes within the tube, 18 and 22 G, first and second, beside multiples of the inner diameter, worst",
            [max(spacings)],
            "mm",
            sense="max",
            target=0.05,
            truth="closed form",
        ),
        row(
            "simulation/needle-monotone",
            f"plain shaft, {steps[0]} to {steps[-1]} degrees: largest rise of its brightness with tilt, while over muscle",
            [float(rises.max())],
            "dB",
            sense="max",
            target=0.5,
            truth="needle phantoms: it falls",
        ),
        row(
            "simulation/needle-loss",
            "brightness that a plain shaft has lost at 35 degrees",
            [float(levels[0] - levels[at_35])],
            "dB",
            sense="min",
            target=15.0,
            truth="most of it, ALGORITHMS R 9",
        ),
        row("simulation/needle-echogenic", "what dimples give back at 35 degrees", [gain], "dB", truth="-"),
        row(
            "simulation/needle-shadow-edge",
            "half of the shadow's edge 8 mm below a tip, beside the tip; a beam is 0.4 mm wide",
            [abs(edge * 1e3 - 15.0)],
            "mm",
            sense="max",
            target=0.6,
            truth="closed form",
        ),
        row(
            "simulation/needle-shadow",
            "level in the shadow of a 22 G shaft in the plane",
            [20 * float(np.log10(line[0]))],
            "dB",
            truth="share of the beam that it covers",
        ),
    ]


def shadow() -> list[dict[str, Any]]:
    """Bone in front of speckle, and air."""
    n, m = 256, 400
    loss = np.zeros((n, m), np.float32)
    loss[:128, 100:110] = 5e4
    left = line_of_sight(loss, lateral_step=0.15e-3, axial_step=0.04e-3, steering_angle=0.0, back=BACK)
    row_at = 300
    line = left[:, row_at]
    half = float(np.interp(0.5 * line.max(), line[100:200], np.arange(100, 200)))
    beam = (
        0.2053 * (row_at - 110) * 0.04 / (0.04 * 190) / 0.15
    )  # a wavelength times an f-number of one, in columns
    return [
        row(
            "simulation/shadow-edge",
            "bone's edge, half of the amplitude 8 mm below it, off the line straight down",
            [abs(half - 127.5) * 0.15],
            "mm",
            sense="max",
            target=max(beam * 0.15, 0.4),
            truth="one beam",
        ),
        row(
            "simulation/shadow-level",
            "well inside a shadow of bone, line of sight",
            [20 * float(np.log10(max(line[40], 1e-9)))],
            "dB",
            sense="max",
            target=-25.0,
            truth="-",
        ),
    ]


def anisotropy(quick: bool) -> list[dict[str, Any]]:
    """Fibrils as lines of coherent points, tilted: brightness and the tilt at which half of it is left."""
    engine, rng = machine(), np.random.default_rng(4)
    grid = Grid(axial=np.arange(13e-3, 19e-3, 5e-5), lateral=np.linspace(-3e-3, 3e-3, 41))
    wavelength = engine.sound_speed / engine.probe.center_frequency
    steps = np.arange(0, 21, 2.0 if quick else 1.0)
    rows = []
    half_tilts = {}
    for name, length in (("tendon", 3.0e-3), ("nerve", 0.8e-3)):
        count = 60 if quick else 150
        x, z = rng.uniform(-4e-3, 4e-3, count), rng.uniform(14e-3, 18e-3, count)
        levels = []
        for degrees in steps:
            tilt = np.radians(degrees)
            into = np.zeros(engine.shape, np.float32)
            along = np.arange(-length / 2, length / 2, wavelength / 6)
            px = (x[:, None] + along * np.cos(tilt)).ravel()
            pz = (z[:, None] + along * np.sin(tilt)).ravel()
            points = np.stack([px, 0 * px, pz], axis=1)
            plane = Plane(
                pose=_held(),
                shape=engine.shape,
                lateral_step=engine.lateral_step,
                axial_step=engine.axial_step,
            )
            lay(into, plane, points, np.ones(len(px)), thickness=1e-3)
            echoes = engine.echoes(engine.spectrum(into), 0.0)
            picture = delay_and_sum(engine.channel_data(echoes, 0.0, 0.0), grid).values[0]
            levels.append(10 * np.log10((np.abs(picture[20:-20]) ** 2).mean()))
        found = np.array(levels) - levels[0]
        expected = _line_array(length, wavelength, steps)
        half_tilts[name] = (float(np.interp(6.0, -found, steps)), float(np.interp(6.0, -expected, steps)))
        rows.append(
            row(
                f"simulation/anisotropy-{name}",
                f"fibrils of {length * 1e3:g} mm: tilt of half brightness, less that of the line-array formula "
                f"({half_tilts[name][1]:.1f} degrees)",
                [abs(half_tilts[name][0] - half_tilts[name][1])],
                "degrees",
                sense="max",
                target=1.0,
                truth="line array through the receive aperture",
            )
        )
    rows.append(
        row(
            "simulation/anisotropy-order",
            "tilt of half brightness: nerve over tendon (published: about 10 and 2 degrees)",
            [half_tilts["nerve"][0] / half_tilts["tendon"][0]],
            "1",
            sense="min",
            target=2.0,
            truth="ALGORITHMS R 8",
        )
    )
    return rows


def tilted(quick: bool) -> list[dict[str, Any]]:
    """The femoral crease tilted out of the plane, as one plane and as seven: how bright nerve and tendon are."""
    steps = (0.0, 8.0, 12.0) if quick else (0.0, 3.0, 6.0, 9.0, 12.0)
    body = body_of(Settings(), 7)
    wanted = {
        one.tissue.value: k
        for k, one in enumerate(body.structures, 1)
        if one.tissue.value in ("tendon", "nerve")
    }
    rows = []
    for slices in (1, 7):
        settings = Settings(angles=(0.0,), slices=slices)
        levels: dict[str, list[float]] = {name: [] for name in wanted}
        for degrees in steps:
            powers: dict[str, list[float]] = {name: [] for name in wanted}
            for y in (0.0,) if quick else (-2e-3, 2e-3):
                patient = SimulatedPatient(7, settings, body=body)
                patient._noise = np.float32(0)
                move = MoveProbe(pose=_tilted(degrees, y), contact_force=0.3, time=0, given_by="benchmark")
                (frame,) = (o for o in patient.advance([move], TICK) if isinstance(o, ChannelData))
                medium = patient._cutter.cut(patient._course).medium
                columns = slice(MIDDLE - 110, MIDDLE + 110, 2)
                lines = slice(round(4e-3 / PLANE.axial_step), round(36e-3 / PLANE.axial_step), 3)
                grid = Grid(axial=medium.plane.axial[lines], lateral=medium.plane.lateral[columns])
                picture = delay_and_sum(frame, grid).values[0]
                labels = medium.labels[columns, lines].T
                for name, label in wanted.items():
                    powers[name].append(float((np.abs(picture[labels == label]) ** 2).mean()))
            for name, values in powers.items():
                levels[name].append(10 * float(np.log10(np.mean(values))))
        for name, found in levels.items():
            lost = np.maximum.accumulate(found[0] - np.array(found))
            target = (8.0, 12.0) if name == "nerve" else (1.0, 7.0)
            rows.append(
                row(
                    f"simulation/anisotropy-{name}-{slices}",
                    f"femoral {name} tilted out of the plane, heard in {slices}: where half of its brightness is lost "
                    f"(90 is never; {lost[-1]:.1f} dB lost at 12 degrees)",
                    [float(np.interp(6.0, lost, steps, right=90.0))],
                    "degrees",
                    sense="in",
                    target=target,
                    truth="ALGORITHMS R 7, R 8: nerve about 10, tendon 2 to 7",
                )
            )
    return rows


def _tilted(degrees: float, y: float) -> Pose:
    """Hold the probe turned about its array, looking at one place 20 mm down."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    at = np.array([-5e-3, y, 20e-3]) - rotation[:, 2] * 20e-3 / rotation[2, 2]
    return Pose(
        rotation=rotation,
        translation=at,
        source=CoordinateFrame.PROBE,
        target=CoordinateFrame.PATIENT,
        time=0,
    )


def _line_array(length: float, wavelength: float, degrees: np.ndarray) -> np.ndarray:
    """Give the brightness of a line seen by an aperture of an f-number of 1.75 under a Hann window, re no tilt [dB].

    The aperture hears directions u about straight up, each sinc(L (sin b + sin(b + u)) / wavelength) strong, and puts them
    together in phase.
    """
    half = np.arctan(1 / (2 * 1.75))
    u = np.linspace(-half, half, 401)
    weight = np.ones_like(u)
    out = []
    for tilt in np.radians(degrees):
        lobe = np.sinc(length * (np.sin(tilt) + np.sin(tilt + u)) / wavelength)
        out.append((weight * lobe**2).sum())
    power = np.array(out)
    return np.asarray(10 * np.log10(power / power[0]))


def blood(quick: bool) -> list[dict[str, Any]]:
    """Velocity in a simulated artery, by a reference lag-one estimate."""
    with _tests():
        from simulation.analytic_body import ARTERY, AnalyticBody
        from simulation.kasai import doppler, sampled, shift_of
    from scipy.ndimage import binary_erosion

    body, settings = AnalyticBody(), Settings(angles=(0.0,), truth_step=2e-4)

    def control(name: str, value: float, time: float = 0.0) -> SetControl:
        return SetControl(name=name, value=value, time=time, given_by="benchmark")

    commands = [
        MoveProbe(pose=_held(4e-3, turn=np.pi / 2), contact_force=0.5, time=0, given_by="benchmark"),
        control("ticks_per_frame", 20),
        *(
            control(f"color_{name}", value)
            for name, value in {
                "rate": 8e3,
                "steering": 0.35,
                "top": 0.012,
                "bottom": 0.024,
                "left": -0.006,
                "right": 0.006,
                "shots": 32,
            }.items()
        ),
    ]
    until = 0.25 if quick else 1.8
    patient = SimulatedPatient(7, settings, body=body)
    ensembles = [o for o in patient.advance(commands, until) if isinstance(o, ChannelData) and o.is_ensemble]
    truths = {round(t.time / TICK): t for t in replay(7, settings, commands, until, body=body)}
    grid = Grid(axial=np.arange(0.0135, 0.0225, 2e-4), lateral=np.linspace(-4e-3, 4e-3, 41))
    biases, raw, spreads, slow = [], [], [], []
    for ensemble in ensembles:
        truth = truths[round(float(ensemble.times[0, 0]) / TICK)]  # type: ignore[index]
        if np.abs(truth.velocity).max() < 0.15:
            continue
        rows = np.searchsorted(truth.grid.axial, grid.axial - 1e-9)
        columns = np.abs(truth.grid.lateral[:, None] - grid.lateral).argmin(axis=0)
        rhythm, middle = patient._course.rhythm, float(ensemble.times.mean())  # type: ignore[union-attr]
        onward = rhythm.arterial_speed(middle) / rhythm.arterial_speed(truth.time)
        imposed = onward * shift_of(truth.velocity[np.ix_(rows, columns)], ensemble)
        held = sampled(imposed, radius=4e-3, thickness=plane_thickness())
        lumen = binary_erosion(truth.labels[np.ix_(rows, columns)] == ARTERY, iterations=2)
        peak = float(np.abs(imposed[lumen]).max())
        quick_part = lumen & (np.abs(imposed) > 0.5 * peak)
        found, _ = doppler(ensemble, grid)
        bias = abs(float((found - held)[quick_part].mean())) / peak
        if peak < PASSED:
            slow.append(bias)
            continue
        biases.append(bias)
        raw.append(abs(float((found - imposed)[quick_part].mean())) / peak)
        spreads.append(float((found - held)[quick_part].std()) / 4e3)
    rows_of_slow = [
        row(
            "simulation/blood-slow",
            "the same of ensembles from 0.15 m/s on whose shift stays below 1 kHz: a wall filter of 250 Hz takes a part",
            slow,
            "1",
            truth="what slice and window hold",
        )
    ]
    return [
        *(rows_of_slow if slow else []),
        row(
            "simulation/blood-bias",
            f"lag-one velocity in an artery, 70 degrees, {len(biases)} fast ensembles, mean error over the peak",
            biases,
            "1",
            sense="max",
            target=0.03,
            truth="what slice and window hold of what was imposed, above half of the peak",
        ),
        row(
            "simulation/blood-plane",
            "the same beside the speed in the image plane alone: an artery of 8 mm in a slice that is thick",
            raw,
            "1",
            sense="max",
            target=0.03,
            truth="what was imposed, above half of the peak",
        ),
        row(
            "simulation/blood-deviation",
            "its deviation over Nyquist's",
            spreads,
            "1",
            sense="max",
            target=0.05,
            truth="what was imposed",
        ),
    ]


def cost(quick: bool) -> list[dict[str, Any]]:
    """What color and a thick slice add to a frame of the femoral crease."""
    body, unit = body_of(Settings(), 7), calibration()

    def spent(shots: float, slices: int = 1) -> float:
        """CPU time of two ticks, one ensemble with them, the least of several [core-ms]."""
        patient = SimulatedPatient(7, Settings(slices=slices), body=body)
        on = SetControl(name="color_shots", value=shots, time=0, given_by="benchmark")
        list(patient.advance([on], 2 * TICK))
        costs = []
        for pair in range(3 if quick else 8):
            start = time.process_time()
            list(patient.advance((), (2 * pair + 4) * TICK))
            costs.append(1e3 * (time.process_time() - start))
        return min(costs)

    plain = spent(0)
    color, thick = (spent(8) - plain) / 2, (spent(0, slices=7) - plain) / 2
    return [
        row(
            "simulation/color-frame",
            "color box, ensembles of 8 shots ten times a second: what it adds to each of 20 frames",
            [color],
            "core-ms",
            sense="max",
            target=20.0,
            truth="clock",
        ),
        row(
            "simulation/color-frame-ratio",
            "the same over the calibration kernel",
            [color / unit],
            "1",
            truth="clock",
        ),
        row("simulation/slices-7", "what seven planes add to a frame", [thick], "core-ms", truth="clock"),
    ]


def deformation(quick: bool) -> list[dict[str, Any]]:
    """Walls, layers, volume, needle and fluid."""
    with _tests():
        from simulation.analytic_body import ARTERY, NERVE, AnalyticBody
        from simulation.inclusion import cnr, squeezed
        from simulation.motion.test_contact import places, slopes
    body = AnalyticBody()
    course = Course(7, body)
    tube = course.tubes[ARTERY]
    grown = Wall(tube=tube, area=1.05**2)
    away = np.linspace(5e-3, 12e-3, 40)
    at = np.array([4e-3, 0, 18e-3]) + away[:, None] * np.array([1.0, 0, 0])
    moved = (grown.forth(at) - at)[:, 0]
    exact = np.sqrt(away**2 + (1.05**2 - 1) * 4e-3**2) - away
    stack = layers(body)
    contact = Contact(stack, _held(), 4.0)
    depth = np.linspace(0.011, 0.04, 60)
    line = np.stack([0 * depth, 0 * depth, depth], axis=1)
    up = np.array([0, 0, 1e-5])
    strain = -(contact._flow(line + up)[:, 2] - contact._flow(line - up)[:, 2]) / 2e-5
    expected = np.interp(depth, stack.depth, stack.compliance)
    springs = np.abs(strain / strain.mean() / (expected / expected.mean()) - 1)
    volumes = []
    for force in (1.0, 5.0, 15.0):
        pressed = Contact(stack, _held(turn=0.5), force)
        change = np.abs(np.linalg.det(slopes(pressed.back, places() + np.array([0, 0, pressed.sunk]))) - 1)
        volumes.append(float(np.quantile(change, 0.99)))

    def within(points: np.ndarray, labels: tuple[int, ...]) -> dict[int, np.ndarray]:
        return {label: body.distance(label, points) for label in labels}

    pushed = Insertion(body.structures)
    for inserted in np.arange(1e-3, 20.5e-3, 1e-3):
        pushed.follow(drawn_shaft(np.zeros(3), np.array([0, 0, 1.0]), inserted, 0.0, 1e9), within, TICK)
    roll = pushed.maps(lambda p: p)[0]
    beside = roll.middle + np.stack([np.linspace(0, 4e-3, 4001), 0 * np.arange(4001), 0 * np.arange(4001)], 1)
    turned = (beside - roll.back(beside))[:, 2]
    zone = float(np.linspace(0, 4e-3, 4001)[np.flatnonzero(turned < 0)[0]]) * 1e3
    behind = float(np.linalg.norm(roll.middle - pushed.shaft.tip)) * 1e3 if pushed.shaft is not None else 0.0
    limit = float(facts("insonate.simulation.motion", "motion")["insertion"]["tent_fascia"]) * 1e3
    tents = []
    probe = Insertion(body.structures)
    for inserted in np.arange(1e-3, 14e-3, 1e-4):
        probe.follow(drawn_shaft(np.zeros(3), np.array([0, 0, 1.0]), inserted, 0.0, 1e9), within, TICK)
        if inserted > 5e-3:
            tents.append(probe.tent * 1e3)
    rows = [
        row(
            "simulation/wall",
            "tissue round an artery grown by 5 %, displacement beside area kept, worst",
            [float(np.abs(moved / exact - 1).max())],
            "1",
            sense="max",
            target=0.01,
            truth="closed form",
        ),
        row(
            "simulation/layers",
            "strain of pressed layers beside a chain of springs, worst",
            [float(springs.max())],
            "1",
            sense="max",
            target=0.02,
            truth="closed form",
        ),
        row(
            "simulation/layers-median",
            "the same, the median over depth",
            [float(np.median(springs))],
            "1",
            sense="max",
            target=0.02,
            truth="closed form",
        ),
        row(
            "simulation/volume",
            "change of volume of tissue pressed with 1, 5, 15 N, 99 % of places",
            volumes,
            "1",
            sense="max",
            target=0.01,
            truth="none",
        ),
        row(
            "simulation/roll-beside",
            "rolling zones beside the needle: where tissue turns back",
            [zone],
            "mm",
            sense="in",
            target=(1.30, 1.38),
            truth="measured, ALGORITHMS 1.3: 1.34",
        ),
        row(
            "simulation/roll-behind",
            "the same behind the tip",
            [behind],
            "mm",
            sense="in",
            target=(4.40, 4.66),
            truth="measured, ALGORITHMS 1.3: 4.53",
        ),
        row(
            "simulation/tent",
            "largest tent of a fascia before it pops",
            [max(tents)],
            "mm",
            sense="in",
            target=(0.85 * limit, limit),
            truth=f"limit of {limit:g} mm, a design",
        ),
    ]
    rows += _fluid(body, NERVE)
    contrasts, biases = [], []
    for seed in range(1 if quick else 3):
        found, truth, inside, side = squeezed(seed=seed)
        contrasts.append(cnr(found.strain[inside], found.strain[side]))
        ratio = found.strain[side].mean() / found.strain[inside].mean()
        biases.append(abs(ratio / (truth.strain[side].mean() / truth.strain[inside].mean()) - 1))
    return [
        *rows,
        row(
            "simulation/inclusion",
            "strain of an 8 mm inclusion three times stiffer, 1 % applied: CNRe",
            contrasts,
            "1",
            sense="min",
            target=10.0,
            truth="plane strain in closed form",
        ),
        row(
            "simulation/inclusion-contrast",
            "its strain contrast beside the truth",
            biases,
            "1",
            sense="max",
            target=0.15,
            truth="plane strain in closed form",
        ),
    ]


def _fluid(body: Any, nerve: int) -> list[dict[str, Any]]:
    """A milliliter and a half in a plane, in a nerve and in a vessel, counted on a lattice."""
    with _tests():
        from simulation.scripts import inject, needle_to, probe
    step = 5e-4
    axes = [np.arange(-0.026, 0.012, step), np.arange(-0.029, 0.029, step), np.arange(0.006, 0.03, step)]
    lattice = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    counted, areas = {}, {}
    for name, goal in {
        "plane": (-0.0115, 0.0, 0.0175),
        "nerve": (-0.008, 0.0, 0.0175),
        "vessel": (0.004, 0.0, 0.018),
    }.items():
        course = Course(7, body)
        commands = [probe(force=0.5), *needle_to(goal, speed=0.04), inject(1.5), inject(3.0, rate=0.0)]
        while course.time < 3.2:
            for command in commands:
                if course.time - TICK < command.time <= course.time or (
                    course.tick == 0 and command.time <= 0
                ):
                    course.obey(command)
            course.advance()
        wet = course.now.fluid(lattice) > 0
        counted[name] = float(wet.sum()) * step**3 / max(course.syringe.volume, 1e-12)
        plane = np.stack(
            np.meshgrid(np.arange(-0.02, 0.004, 1e-4), [0.0], np.arange(0.008, 0.028, 1e-4), indexing="ij"),
            -1,
        ).reshape(-1, 3)
        inside = body.distance(nerve, course.now.origin(plane)) < 0
        soaked = course.now.fluid(plane) > 0
        ours = inside & ~soaked if name != "nerve" else inside | soaked
        areas[name] = float(ours.sum()) * 1e-8 / (np.pi * 2.5e-3**2)
    return [
        row(
            "simulation/fluid-volume",
            "fluid of 1.5 mL beside a nerve, counted in cells of 0.5 mm, less what was given",
            [abs(counted["plane"] - 1)],
            "1",
            sense="max",
            target=0.01,
            truth="what was given",
        ),
        row(
            "simulation/fluid-in-nerve",
            "the same in a nerve",
            [abs(counted["nerve"] - 1)],
            "1",
            sense="max",
            target=0.01,
            truth="what was given",
        ),
        row(
            "simulation/fluid-in-vessel",
            "share of it to be seen where it was given into an artery",
            [counted["vessel"]],
            "1",
            sense="max",
            target=0.0,
            truth="the blood takes it",
        ),
        row(
            "simulation/nerve-area",
            "section of a nerve ringed by fluid, over that at rest",
            [areas["plane"]],
            "1",
            sense="in",
            target=(0.95, 1.05),
            truth="pushed, not swollen",
        ),
        row(
            "simulation/nerve-swollen",
            "section of a nerve that fluid was given into, over that at rest",
            [areas["nerve"]],
            "1",
            sense="min",
            target=1.3,
            truth="it swells",
        ),
    ]


def tracking(quick: bool) -> list[dict[str, Any]]:
    """Speckle of the compiled body, moved by micrometers and found again."""
    with _tests():
        from simulation.anatomy.phantoms import flesh, held
        from simulation.anatomy.test_body import cut, echoes
    before = echoes(cut(flesh(), held()))
    seen = np.angle((before[:, 1:] * before[:, :-1].conj()).sum()) / 0.04e-3
    errors = []
    for moved in (5e-6, 20e-6) if quick else (2e-6, 5e-6, 8e-6, 12e-6, 20e-6, -17e-6):
        motion = np.zeros((3, 3, 3))
        motion[..., 2] = moved
        after = echoes(cut(flesh(), held(), motion=motion))
        inner = (slice(None), slice(30, -30))
        errors.append(abs(float(np.angle(np.vdot(after[inner], before[inner])) / seen / moved) - 1))
    envelopes = [np.abs(echoes(cut(flesh(), held(0, y)))) for y in (-4e-3, -2e-3, 0.0, 2e-3, 4e-3)]
    inner_part = np.concatenate([one[:, 20:-20].ravel() for one in envelopes])
    return [
        row(
            "simulation/tracking",
            "speckle of the compiled body, moved down by 2 to 20 um, found by phase, worst",
            [max(errors)],
            "1",
            sense="max",
            target=0.05,
            truth="what was imposed",
        ),
        row(
            "simulation/speckle",
            "its envelope through a small linear system, mean over deviation",
            [float(inner_part.mean() / inner_part.std())],
            "1",
            sense="in",
            target=(1.88, 1.94),
            truth="Rayleigh: 1.913",
        ),
    ]


def rows() -> list[dict[str, Any]]:
    """All of them."""
    quick = bool(os.environ.get("INSONATE_BENCHMARK_QUICK"))
    made = needle(quick) + shadow() + anisotropy(quick) + tilted(quick) + tracking(quick) + blood(quick)
    return made + cost(quick) + deformation(quick)
