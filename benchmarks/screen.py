"""Frames to the screen: the simulated patient through server and browser on the same cores, and what it costs.

Left out where there is no Chromium or no built page.
"""

import os
import shutil
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from benchmarks.rows import row

SECONDS = 20.0
"""Watched, after the first picture [s]."""

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def cpu_of(process: int) -> float:
    """Give the CPU time that a process and its children have used so far [s]; 0 where the system does not say."""
    total = 0.0
    children: dict[int, list[int]] = {}
    times: dict[int, float] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        number = int(entry.parent.name)
        children.setdefault(int(fields[1]), []).append(number)
        times[number] = (int(fields[11]) + int(fields[12])) / TICKS
    waiting = [process]
    while waiting:
        one = waiting.pop()
        total += times.get(one, 0.0)
        waiting += children.get(one, [])
    return total


def rows() -> list[dict[str, Any]]:
    """Watch the page for a while."""
    if shutil.which("chromium") is None or not (files("insonate.app") / "static" / "index.html").is_file():
        return []
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from app.browser import PLAIN, browsing, live, serving

    seconds = 4.0 if os.environ.get("INSONATE_BENCHMARK_QUICK") else SECONDS
    drawn, middles, highs, lost = [], [], [], []
    with serving() as server, browsing(flags=PLAIN) as page:
        live(page, server.url)
        time.sleep(3)
        read = """() => {
            const text = document.querySelector('footer').innerText
            const number = (pattern) => Number((text.match(pattern) ?? [0, NaN])[1])
            const it = document.querySelector('[data-lost]').dataset
            const frame = document.querySelector('.picture').innerText.match(/frame (\\d+)/)
            return { middle: number(/Latency\\s+(\\d+)/), high: number(/p95\\s+(\\d+)/),
                     differ: Math.abs(it.lost - it.lostServer), lost: Number(it.lost), frame: Number(frame[1]) }
        }"""
        server_before, browser_before = cpu_of(server.process.pid), cpu_of(os.getpid())
        first, began = page.evaluate(read), time.monotonic()
        last = first
        for _ in range(int(seconds / 2)):
            time.sleep(2)
            now = page.evaluate(read)
            drawn.append((now["frame"] - last["frame"] - (now["lost"] - last["lost"])) / 2)
            middles.append(now["middle"])
            highs.append(now["high"])
            last = now
        passed = time.monotonic() - began
        lost = [float(last["differ"])]
        frames = max(last["frame"] - first["frame"], 1)
        own = cpu_of(server.process.pid) - server_before
        others = cpu_of(os.getpid()) - browser_before - own
    return [
        row("screen/drawn", "frames of the simulated patient drawn, wall clock", drawn, "Hz", truth="clock"),
        row("screen/latency", "from finished frame to drawn, median", middles, "ms", truth="clock"),
        row("screen/latency-p95", "the same, 95th percentile", highs, "ms", truth="clock"),
        row(
            "screen/server",
            "server, everything on, per frame",
            [1e3 * own / frames],
            "core-ms",
            truth="clock",
        ),
        row(
            "screen/browser",
            "browser, without a graphics card, per frame",
            [1e3 * others / frames],
            "core-ms",
            truth="clock",
        ),
        row("screen/cores", "cores kept busy by both", [(own + others) / passed], "1", truth="clock"),
        row(
            "screen/lost-differ",
            "lost frames as the page counts them less those that the server counts",
            lost,
            "frames",
            sense="max",
            target=0,
            truth="two counts of one thing",
        ),
    ]
