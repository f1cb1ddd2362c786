"""The simulated patient, live: core-milliseconds of each part of a frame, a window's compilation, memory over a live run.

The budget of ALGORITHMS 0.4: the femoral crease on a map of 77 x 41 mm, needle beside the nerve, pulse, injection running.
`--minutes 10` lets the patient, the picture and its labelling run as long and watches memory; 20 s by default, 4 s in CI.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.calibration import calibration
from benchmarks.rows import row
from insonate.core import AdvanceNeedle, ChannelData, Inject
from insonate.simulation.anatomy import kernels
from insonate.simulation.patient import SimulatedPatient
from insonate.simulation.section import heard

SEED = 7
INSERTED = 20
"""Ticks in which the needle goes in."""
WHO = "benchmark"
SETTLED = 0.25
"""Of a live run, before memory is looked at: caches are full then."""


def _clocked(work: Callable[[], Any], repeats: int) -> list[float]:
    work()
    costs = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        costs.append(1e3 * (time.process_time() - start))
    return costs


def needled(patient: SimulatedPatient) -> tuple[list[AdvanceNeedle], Inject]:
    """Give the commands that bring a needle beside the femoral nerve of the image plane, and let it inject."""
    body, course = patient._course.body, patient._course
    nerve = next(n for n, one in enumerate(body.structures, start=1) if one.name == "femoral nerve")
    tube, middle = course.tubes[nerve], float(body.extent.mean(axis=0)[1])
    station = int(np.argmin(np.abs(tube.along - middle)))
    goal = np.zeros(3)
    goal[tube.axis], goal[tube.across] = tube.along[station], tube.middle[station]
    goal = course.now.place(goal[np.newaxis])[0]
    goal[1], goal[2] = middle, goal[2] - tube.radius[station] - 0.3e-3
    entry = np.array([goal[0] - 0.025, middle, 0.0])
    way = goal - entry
    length = float(np.linalg.norm(way))
    advances = [
        AdvanceNeedle(
            entry=entry,
            direction=way / length,
            inserted=length * (n + 1) / INSERTED,
            rotation=0.0,
            time=n * patient.tick,
            given_by=WHO,
        )
        for n in range(INSERTED)
    ]
    return advances, Inject(rate=5e-7, agent="ropivacaine 0.5 %", time=1.2, given_by=WHO)


def frames(quick: bool) -> list[dict[str, Any]]:
    """Slice, and slice to channel data, with needle, pulse and injection; one thread."""
    os.environ["INSONATE_THREADS"] = "1"
    try:
        patient = SimulatedPatient(SEED)
        advances, inject = needled(patient)
        ticks = 20 if quick else 100
        rest = []
        list(patient.advance([], 0.1))
        for _ in range(ticks // 4):
            start = time.process_time()
            list(patient.advance([], patient.now + patient.tick))
            rest.append(1e3 * (time.process_time() - start))
        begun = patient.now
        given = [replace(one, time=one.time + begun) for one in (*advances, inject)]
        list(patient.advance(given, begun + 2.0))
        whole = []
        for _ in range(ticks):
            start = time.process_time()
            made = list(patient.advance([], patient.now + patient.tick))
            whole.append(1e3 * (time.process_time() - start))
        assert any(isinstance(one, ChannelData) for one in made)
        course, cutter, engine = patient._course, patient._cutter, patient._engine
        repeats = 5 if quick else 25
        section = cutter.cut(course)
        loud = heard(section.medium, engine.probe.center_frequency)
        spectrum = engine.spectrum(loud)
        displacement = section.displacement
        parts = {
            "slice": (lambda: cutter.cut(course), "slice of the body with motion, fluid and needle", 12.0),
            "cut": (
                lambda: course.body.cut(cutter.plane(course), displacement),
                f"of it the look-up, kernel {kernels.described()}",
                None,
            ),
            "motion": (
                lambda: course.now.looked(cutter.nodes(course)[1]),
                "of it where the nodes were at rest",
                None,
            ),
            "transform": (lambda: engine.spectrum(loud), "engine K, transform of the map", None),
            "echoes": (lambda: engine.echoes(spectrum, 0.0875), "engine K, one plane wave", None),
        }
        unit = calibration()
        shape = f"{engine.shape[0]} x {engine.shape[1]}"
        rows = [
            row(
                "patient/rest-to-channel-data",
                f"one tick and frame of the femoral crease, map {shape}, nothing in it",
                rest,
                "core-ms",
                truth="clock",
            ),
            row(
                "patient/slice-to-channel-data",
                f"the same with needle in, pulse, injection running, map {shape} of 77 x 41 mm",
                whole,
                "core-ms",
                sense="max",
                target=60.0,
                truth="clock",
            ),
            row(
                "patient/slice-to-channel-data-p95",
                "the same, 95th percentile",
                [float(np.quantile(whole, 0.95))],
                "core-ms",
                truth="clock",
            ),
            row(
                "patient/slice-to-channel-data-ratio",
                "the same over the calibration kernel",
                [cost / unit for cost in whole],
                "1",
                truth="clock",
            ),
        ]
        for name, (work, what, target) in parts.items():
            costs = _clocked(work, repeats)
            sense = None if target is None else "max"
            rows.append(
                row(f"patient/{name}", what, costs, "core-ms", sense=sense, target=target, truth="clock")
            )
        return rows
    finally:
        del os.environ["INSONATE_THREADS"]


COMPILE = """
import resource, time
from dataclasses import replace
from insonate.simulation.anatomy import region
from insonate.simulation.anatomy.compiler import LARGEST, compile_volumes
of = region("femoral_crease")
window = replace(of.window(None), reach=LARGEST)
compile_volumes(of.individual(7), replace(window, reach=(0.01, 0.01, 0.02)))  # compiles the kernels
wall, cpu = time.perf_counter(), time.process_time()
compile_volumes(of.individual(7), window{step})
print(time.perf_counter() - wall, time.process_time() - cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def compiling(quick: bool) -> list[dict[str, Any]]:
    """Compile the largest window in a process of its own."""
    script = COMPILE.replace("{step}", ", step=0.6e-3" if quick else "")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    wall, cpu, memory = (float(value) for value in done.stdout.split())
    size = "voxels of 0.6 mm" if quick else "voxels of 0.3 mm"
    return [
        row(
            "patient/compile-wall",
            f"largest window, 100 x 60 x 60 mm, {size}, two threads, wall clock",
            [wall],
            "s",
            sense="max",
            target=10.0,
            truth="clock",
        ),
        row("patient/compile-cpu", "the same, CPU time", [cpu], "core-s", truth="clock"),
        row(
            "patient/compile-memory",
            "the same, most memory of the process",
            [memory],
            "MiB",
            sense="max",
            target=1024.0,
            truth="kernel of the system",
        ),
    ]


def resident() -> float:
    """Give the memory that this process holds [MiB]; 0 where the system does not say."""
    status = Path("/proc/self/statm")
    if not status.is_file():
        return 0.0
    return int(status.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def living(quick: bool) -> list[dict[str, Any]]:
    """Run patient, picture and labelling for a while: frames a second, cost of a frame, and growth of memory."""
    from insonate.guidance import procedures
    from insonate.pipeline.live import Live

    minutes = float(os.environ.get("INSONATE_BENCHMARK_MINUTES", "0"))
    seconds = 60 * minutes if minutes else 4.0 if quick else 20.0
    patient = SimulatedPatient(SEED)
    advances, inject = needled(patient)
    live = Live(source=patient, procedure=procedures.procedure("LL01"))
    memory: list[tuple[float, float]] = []
    came: list[float] = []
    stopped = threading.Event()

    def work() -> None:
        number = 0
        while not stopped.is_set():
            frame = live.wait(number, 0.5)
            if frame is not None:
                number = frame.number
                came.append(time.monotonic())

    watcher = threading.Thread(target=work)
    began, cpu = time.monotonic(), time.process_time()
    live.start()
    watcher.start()
    for command in (*advances, inject):
        live.command(command)
        time.sleep(0.02)
    while time.monotonic() - began < seconds and live.problem is None:
        time.sleep(min(1.0, seconds / 8))
        memory.append((time.monotonic() - began, resident()))
        if minutes and int(memory[-1][0]) % 60 == 0:
            sys.stderr.write(f"{memory[-1][0]:.0f} s: {memory[-1][1]:.1f} MiB, {len(came)} frames\n")
    passed, used = time.monotonic() - began, time.process_time() - cpu
    live.stop()
    stopped.set()
    watcher.join()
    if live.problem is not None:
        raise RuntimeError(live.problem)
    times, sizes = np.array([one for one in memory if one[0] > SETTLED * passed]).T
    growth = float(np.polyfit(times, sizes, 1)[0] * 60) if len(times) > 1 else 0.0
    gaps = 1e3 * np.diff(came)
    length = f"{passed:.0f} s"
    return [
        row(
            "patient/live-frames",
            f"patient, beamforming, labelling and planning without a browser, {length}, wall clock",
            [len(came) / passed],
            "Hz",
            sense="min",
            target=20.0,
            truth="clock",
        ),
        row("patient/live-gap-p50", "between frames, median", [float(np.median(gaps))], "ms", truth="clock"),
        *(
            row(
                f"patient/live-gap-p{share}",
                f"between frames, {share}th percentile",
                [float(np.quantile(gaps, share / 100))],
                "ms",
                truth="clock",
            )
            for share in (95, 99)
        ),
        row(
            "patient/live-cost",
            "the whole of it for each frame",
            [1e3 * used / max(len(came), 1)],
            "core-ms",
            sense="max",
            target=100.0,
            truth="clock",
        ),
        row(
            "patient/live-memory",
            f"memory held, after {SETTLED:.0%} of {length}: smallest and largest",
            [float(sizes.min()), float(sizes.max())],
            "MiB",
            truth="kernel of the system",
        ),
        row(
            "patient/live-growth",
            f"growth of memory in the rest of {length}, straight line",
            [growth],
            "MiB/min",
            sense="max",
            target=1.0,
            truth="kernel of the system",
        ),
    ]


def rows() -> list[dict[str, Any]]:
    """Measure frames, compilation and a live run."""
    quick = bool(os.environ.get("INSONATE_BENCHMARK_QUICK"))
    made: list[dict[str, Any]] = []
    for part in (frames, compiling, living):
        made += part(quick)
    return made
