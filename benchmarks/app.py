"""The workstation end to end: server and browser on the same two cores, everything on, beside what others use.

The simulated patient (femoral crease) with the needle moving, the syringe pressed, structures labelled and all recorded,
drawn by a real Chromium without a graphics card; then a clip of 640 x 480 replayed; then, on the same cores and in the same
run, a plain MJPEG page and a Python + pyigtl pipe with pictures of that size. `--seconds N` watches so long (ten minutes by
default, the other three half a minute at most).

What is drawn is counted from outside the page: every frame that came over its socket, and every acknowledgement it gives
from within a frame callback. Input to drawn is from the moment the page sends a move of the needle until the frame callback
after the one that drew the first frame which obeys it, both by the clock of this machine.

Parts that cannot run here (no Chromium, no built page, pyigtl not to be had) say so on standard error and give no row.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rows import row

SECONDS = 600.0
"""The patient is watched, after it has settled [s]."""
OTHERS = 30.0
"""At most, for all else [s]."""
SETTLED = 4.0
"""Before anything is counted [s]."""
WIDTH, HEIGHT, RATE = 640, 480, 60
"""Of the clip, and of what it is held against: pixels, pictures a second."""
CORES = 2
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100

COUNT = """
(() => {
    const seen = (window.__seen = { drawn: [], made: [], input: [], first: 0, last: 0, came: 0 })
    const frames = new Map()
    let within = false
    const later = window.requestAnimationFrame.bind(window)
    window.requestAnimationFrame = (work) => later((time) => {
        within = true
        try { work(time) } finally { within = false }
    })
    const say = WebSocket.prototype.send
    WebSocket.prototype.send = function (text) {
        if (window.__socket !== this) {
            window.__socket = this
            this.addEventListener('message', ({ data }) => {
                if (!(data instanceof ArrayBuffer)) return
                const view = new DataView(data)
                const number = view.getUint32(8, true), waited = view.getUint32(20, true), made = view.getFloat64(32, true)
                if (!seen.first) seen.first = number
                seen.last = number
                seen.came += 1
                frames.set(number, { made, asked: waited ? made - (waited - 1) / 1000 : null })
            })
        }
        say.call(this, text)
        if (!within || typeof text !== 'string' || !text.startsWith('{"type":"ack"')) return
        const number = JSON.parse(text).frame, frame = frames.get(number)
        for (const old of frames.keys()) if (old <= number) frames.delete(old)
        later(() => {
            const now = Date.now() / 1000
            seen.drawn.push(now)
            if (!frame) return
            seen.made.push(now - frame.made)
            if (frame.asked !== null) seen.input.push(now - frame.asked)
        })
    }
})()
"""
"""Runs in the page before its own code, and changes nothing that it does."""

HAND = """
() => {
    let depth = 0, step = 0.001
    const say = (message) => window.__socket.send(JSON.stringify(message))
    const needle = { type: 'needle', entry: 0, angle: 0, yaw: 0, advance: 0, bevel: 0 }
    window.__hand = setInterval(() => {
        depth += step
        if (depth > 0.025 || depth < 0.01) step = depth > 0.025 ? -0.001 : 0.001
        say({ ...needle, advance: step, at: Date.now() / 1000 })
    }, 230)
    window.__press = setInterval(() => say({ type: 'inject', on: true }), 300)
}
"""
"""A hand that advances the needle and withdraws it, four times a second and a bit, with the syringe pressed."""


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


def resident(process: int) -> float:
    """Give the memory that a process holds [MiB]; 0 where the system does not say."""
    status = Path(f"/proc/{process}/statm")
    if not status.is_file():
        return 0.0
    return int(status.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def few_cores() -> Iterator[int]:
    """Hold this process, and all that it starts, to the same two cores; gives how many they are."""
    if not hasattr(os, "sched_setaffinity"):
        yield os.cpu_count() or 1
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:CORES])
    try:
        yield len(os.sched_getaffinity(0))
    finally:
        os.sched_setaffinity(0, before)


def _ask(url: str, content: object) -> None:
    asked = urllib.request.Request(
        url, json.dumps(content).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        answer.read()


def _left_out(what: str, why: str) -> list[dict[str, Any]]:
    sys.stderr.write(f"app: {what} was not run: {why}\n")
    return []


def _quantiles(id: str, what: str, seconds: list[float], target: float | None = None) -> list[dict[str, Any]]:
    """Give median, 95th and 99th percentile as rows [ms]; none where nothing was measured."""
    if not seconds:
        return _left_out(id, "nothing was measured")
    made = []
    for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
        value = 1e3 * float(np.quantile(seconds, share))
        aim = target if name == "p95" else None
        sense = None if aim is None else "max"
        made.append(
            row(f"{id}-{name}", f"{what}, {name}", [value], "ms", sense=sense, target=aim, truth="clock")
        )
    return made


def _each_second(times: list[float], rate: float) -> list[float]:
    """Give how many came in each whole second; the mean rate where there is none."""
    if len(times) < 2:
        return [rate]
    counts = np.histogram(times, np.arange(times[0], times[-1], 1.0))[0] if times[-1] - times[0] > 2 else []
    return [float(one) for one in counts] or [rate]


def patient(seconds: float) -> list[dict[str, Any]]:
    """Watch the simulated patient with everything on."""
    from app.browser import PLAIN, browsing, live, serving

    with tempfile.TemporaryDirectory() as home:
        surroundings = {"XDG_DATA_HOME": home}
        with serving(environment=surroundings) as server, browsing(flags=PLAIN) as page:
            page.add_init_script(COUNT)
            live(page, server.url)
            _ask(f"{server.url.rstrip('/')}/api/recording", {"on": True})
            page.wait_for_timeout(1000)
            page.evaluate(HAND)
            page.wait_for_timeout(1000 * SETTLED)
            page.evaluate("Object.assign(window.__seen, { drawn: [], made: [], input: [] })")
            lost = "document.querySelector('[data-lost]').dataset"
            before = page.evaluate(f"({{ ...{lost}, last: window.__seen.last }})")
            own, others = cpu_of(server.process.pid), cpu_of(os.getpid())
            began, memory = time.monotonic(), [(0.0, resident(server.process.pid))]
            while time.monotonic() - began < seconds:
                page.wait_for_timeout(1000 * min(5.0, max(seconds / 8, 0.5)))
                memory.append((time.monotonic() - began, resident(server.process.pid)))
            passed = time.monotonic() - began
            own, others = cpu_of(server.process.pid) - own, cpu_of(os.getpid()) - others
            seen = page.evaluate("window.__seen")
            page.evaluate("clearInterval(window.__hand), clearInterval(window.__press)")
            page.wait_for_timeout(1500)  # both ends settle
            after = page.evaluate(f"({{ ...{lost}, said: document.querySelector('footer').innerText }})")
    drawn, frames = len(seen["drawn"]), max(len(seen["drawn"]), 1)
    offered = seen["last"] - before["last"]
    here, there = float(after["lost"]), float(after["lostServer"])
    times, sizes = np.array(memory).T
    late = times >= 0.25 * passed
    growth = float(np.polyfit(times[late], sizes[late], 1)[0] * 60) if late.sum() > 2 else 0.0
    sys.stderr.write(
        f"app: patient {passed:.0f} s, {offered} frames offered, {drawn} drawn; the page says: "
        f"{' '.join(after['said'].split())}\n"
    )
    what = f"simulated femoral crease, needle moving, injection, labels, recording, {passed:.0f} s"
    others -= own
    rate = drawn / passed
    return [
        row("app/drawn", f"frames drawn, {what}", [rate], "Hz", sense="min", target=20.0, truth="clock"),
        row(
            "app/drawn-second",
            "of them in each second: median, fewest and most",
            _each_second(seen["drawn"], rate),
            "Hz",
            truth="clock",
        ),
        row("app/offered", "frames the source gave", [offered / passed], "Hz", truth="clock"),
        *_quantiles(
            "app/input-to-drawn", "from a move of the needle to its frame drawn", seen["input"], 120.0
        ),
        *_quantiles("app/made-to-drawn", "from finished frame to drawn", seen["made"]),
        row("app/server", "server, for each frame drawn", [1e3 * own / frames], "core-ms", truth="clock"),
        row(
            "app/browser",
            "browser without a graphics card, for each frame drawn",
            [1e3 * others / frames],
            "core-ms",
            truth="clock",
        ),
        row("app/cores", "cores kept busy by both", [(own + others) / passed], "1", truth="clock"),
        row(
            "app/lost-differ",
            f"frames lost as the page counts them ({here:.0f}) less those the server counts ({there:.0f})",
            [abs(here - there)],
            "frames",
            sense="max",
            target=0,
            truth="two counts of one thing",
        ),
        row(
            "app/memory",
            f"memory of the server at the start and at the end of {passed:.0f} s",
            [float(sizes[0]), float(sizes[-1])],
            "MiB",
            truth="kernel of the system",
        ),
        row(
            "app/memory-growth",
            "the same, straight line through the last three quarters",
            [growth],
            "MiB/min",
            sense="max",
            target=1.0,
            truth="kernel of the system",
        ),
    ]


def _pictures(count: int) -> np.ndarray:
    """Give moving speckle under a bright line, (count, HEIGHT, WIDTH) uint8."""
    rng = np.random.default_rng(0)
    speckle = rng.rayleigh(40, (HEIGHT, WIDTH + count)).clip(0, 255).astype(np.uint8)
    shown = np.stack([speckle[:, n : n + WIDTH] for n in range(count)])
    shown[:, HEIGHT // 3 : HEIGHT // 3 + 4] = 230
    return shown


def replayed(seconds: float) -> list[dict[str, Any]]:
    """Watch a clip of 640 x 480 replayed."""
    import av

    from app.browser import PLAIN, browsing, live, serving

    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "clip.mp4"
        with av.open(str(path), "w") as out:
            stream = out.add_stream("mpeg4", rate=RATE)
            stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", 8_000_000
            for picture in _pictures(2 * RATE):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray")))
            out.mux(stream.encode())
        with (
            serving(str(path), environment={"XDG_DATA_HOME": home}) as server,
            browsing(flags=PLAIN) as page,
        ):
            page.add_init_script(COUNT)
            live(page, server.url)
            page.wait_for_timeout(1000 * SETTLED)
            page.evaluate("Object.assign(window.__seen, { drawn: [], made: [], input: [] })")
            own, others, began = cpu_of(server.process.pid), cpu_of(os.getpid()), time.monotonic()
            page.wait_for_timeout(1000 * seconds)
            passed = time.monotonic() - began
            seen = page.evaluate("window.__seen")
            own, others = cpu_of(server.process.pid) - own, cpu_of(os.getpid()) - others
    drawn = len(seen["drawn"])
    return [
        row(
            "app/replayed",
            f"frames drawn of a clip of {WIDTH} x {HEIGHT}, {RATE} a second, labelled, {passed:.0f} s",
            [drawn / passed],
            "Hz",
            sense="min",
            target=50.0,
            truth="clock",
        ),
        *_quantiles("app/replayed-made-to-drawn", "of it, from finished frame to drawn", seen["made"]),
        row(
            "app/replayed-cost",
            "of it, server and browser for each frame drawn",
            [1e3 * others / max(drawn, 1)],
            "core-ms",
            truth="clock",
        ),
    ]


MJPEG = """
import io, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import numpy as np
from PIL import Image
rate, side = float(sys.argv[2]), 16
shown = np.load(sys.argv[1])
PAGE = b'''<!doctype html><body style="margin:0"><img id="it" src="/stream">
<canvas id="c" width="512" height="16"></canvas><script>
window.__seen = { drawn: [], age: [] }
const c = document.getElementById('c').getContext('2d', { willReadFrequently: true }), it = document.getElementById('it')
let last = -1
const look = () => {
    requestAnimationFrame(look)
    if (!it.naturalWidth) return
    c.drawImage(it, 0, 0, 512, 16, 0, 0, 512, 16)
    const d = c.getImageData(0, 8, 512, 1).data
    let number = 0
    for (let k = 0; k < 30; k++) number = 2 * number + (d[4 * (16 * k + 8)] > 127 ? 1 : 0)
    if (number === last) return
    last = number
    requestAnimationFrame(() => {
        const now = Date.now()
        window.__seen.drawn.push(now / 1000)
        window.__seen.age.push(((now % 1073741824) - number + 1073741824) % 1073741824 / 1000)
    })
}
look()
</script>'''

class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self):
        self.send_response(200)
        if self.path != '/stream':
            self.send_header('Content-Type', 'text/html'); self.end_headers(); self.wfile.write(PAGE); return
        self.send_header('Content-Type', 'multipart/x-mixed-replace; boundary=next'); self.end_headers()
        due, n = time.monotonic(), 0
        while True:
            picture = shown[n % len(shown)].copy()
            number = int(time.time() * 1000) % 2**30
            for k in range(30):
                picture[:side, k * side : (k + 1) * side] = 255 if number >> (29 - k) & 1 else 0
            out = io.BytesIO(); Image.fromarray(picture).save(out, 'JPEG', quality=85)
            body = out.getvalue()
            head = b'--next\\r\\nContent-Type: image/jpeg\\r\\nContent-Length: %d\\r\\n\\r\\n' % len(body)
            self.wfile.write(head + body + b'\\r\\n')
            n += 1; due += 1 / rate
            time.sleep(max(0, due - time.monotonic()))

server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""
"""A page with one picture that is replaced; each picture tells in black and white when it was made."""


def mjpeg(seconds: float) -> list[dict[str, Any]]:
    """Watch the same pictures on a plain MJPEG page."""
    from app.browser import PLAIN, browsing

    with tempfile.TemporaryDirectory() as folder, browsing(flags=PLAIN) as page:
        np.save(f"{folder}/pictures.npy", _pictures(2 * RATE))
        server = subprocess.Popen(
            [sys.executable, "-c", MJPEG, f"{folder}/pictures.npy", str(RATE)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            page.goto(f"http://127.0.0.1:{int(server.stdout.readline())}/")
            page.wait_for_timeout(1000 * min(SETTLED, seconds))
            page.evaluate("Object.assign(window.__seen, { drawn: [], age: [] })")
            both, began = cpu_of(os.getpid()), time.monotonic()
            page.wait_for_timeout(1000 * seconds)
            passed, both = time.monotonic() - began, cpu_of(os.getpid()) - both
            seen = page.evaluate("window.__seen")
        finally:
            server.kill()
            server.communicate()
    drawn = len(seen["drawn"])
    what = f"a plain MJPEG page, {WIDTH} x {HEIGHT}, {RATE} a second"
    return [
        row("app/mjpeg", f"frames drawn, {what}, {passed:.0f} s", [drawn / passed], "Hz", truth="clock"),
        *_quantiles("app/mjpeg-made-to-drawn", f"{what}, from finished picture to drawn", seen["age"]),
        row(
            "app/mjpeg-cost",
            f"{what}, both ends for each frame drawn",
            [1e3 * both / max(drawn, 1)],
            "core-ms",
            truth="clock",
        ),
    ]


IGTL = """
import sys, time
import numpy as np
import pyigtl
side, port, seconds, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
if side == 'server':
    shown = np.load(sys.argv[5])
    server = pyigtl.OpenIGTLinkServer(port=port, local_server=True)
    due, n = time.monotonic(), 0
    while True:
        if server.is_connected():
            server.send_message(pyigtl.ImageMessage(shown[n % len(shown)][None], device_name='US', timestamp=time.time()))
        n += 1; due += 1 / rate
        time.sleep(max(0, due - time.monotonic()))
client = pyigtl.OpenIGTLinkClient('127.0.0.1', port)
came, ages, end = 0, [], None
while end is None or time.monotonic() < end:
    message = client.wait_for_message('US', timeout=5)
    if message is None:
        continue
    if end is None:
        end = time.monotonic() + seconds
    else:
        came += 1; ages.append(time.time() - message.timestamp)
print(came / seconds, *ages)
"""


def igtl(seconds: float) -> list[dict[str, Any]]:
    """Send the same pictures through pyigtl, from one Python to another; nothing is drawn."""
    from app.browser import free_port

    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "venv" / "bin" / "python"
        try:
            venv.create(Path(folder) / "venv", with_pip=True)
            subprocess.run(
                [str(python), "-m", "pip", "install", "-q", "pyigtl"],
                check=True,
                capture_output=True,
                timeout=180,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return _left_out("the pyigtl pipe", f"pyigtl could not be installed ({type(error).__name__})")
        np.save(f"{folder}/pictures.npy", _pictures(2 * RATE))
        port = str(free_port())
        common = [port, str(seconds), str(RATE)]
        server = subprocess.Popen(
            [str(python), "-c", IGTL, "server", *common, f"{folder}/pictures.npy"], stderr=subprocess.DEVNULL
        )
        try:
            done = subprocess.run(
                [str(python), "-c", IGTL, "client", *common],
                capture_output=True,
                text=True,
                timeout=seconds + 60,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _left_out("the pyigtl pipe", "nothing came through it")
        finally:
            server.kill()
            server.wait()
    if done.returncode or not done.stdout.split():
        return _left_out("the pyigtl pipe", (done.stderr.strip().splitlines() or ["no word"])[-1])
    rate, *ages = (float(one) for one in done.stdout.split())
    what = f"Python + pyigtl pipe, {WIDTH} x {HEIGHT}, {RATE} a second, nothing drawn"
    return [
        row("app/igtl", f"frames received, {what}, {seconds:.0f} s", [rate], "Hz", truth="clock"),
        *_quantiles("app/igtl-made-to-received", f"{what}, from sent to received", ages),
    ]


def rows() -> list[dict[str, Any]]:
    """Watch all four."""
    if shutil.which("chromium") is None:
        return _left_out("anything", "no Chromium at hand")
    if not (files("insonate.app") / "static" / "index.html").is_file():
        return _left_out("anything", "the page is not built")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    quick = "INSONATE_BENCHMARK_QUICK" in os.environ
    seconds = float(os.environ.get("INSONATE_BENCHMARK_SECONDS", 4.0 if quick else SECONDS))
    short = min(seconds, OTHERS)
    made: list[dict[str, Any]] = []
    with few_cores() as cores:
        sys.stderr.write(f"app: {cores} cores for both ends\n")
        made += patient(seconds)
        made += replayed(short)
        made += mjpeg(short)
        if not quick:
            made += igtl(short)
    return made
