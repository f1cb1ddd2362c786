"""A server as users run it, on this machine alone, with a source that the test holds in its hand."""

import asyncio
import json
import struct
import threading
import time
from contextlib import contextmanager

import httpx
import numpy as np
import uvicorn
from websockets.sync.client import connect

from insonate.app import examination as examinations
from insonate.app.server import create_app, listen, settings
from insonate.pipeline import chain, live
from pipeline.fakes import LABELLER, painted, picture

SOON = 20.0
"""Longer than any step here takes on the busiest machine [s]."""


def becomes(condition):
    """Wait until something holds."""
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.002)


class Steady:
    """A source that gives a new picture every tick: its first row tells which; a nerve below it."""

    accepts = frozenset({"power"})
    simulated = True
    name = "steady"
    tick = 0.01
    fault = None

    def __init__(self):
        self.given = 0
        self.commands = []

    def advance(self, commands, until):
        self.commands += commands
        if self.fault is not None:
            raise self.fault
        values = painted(48, 64, nerve=(20, 30, 6), vessel=None, seed=0)
        values[0, :] = (50 + self.given % 200) / 255
        self.given += 1
        yield picture(values)


def with_sources(monkeypatch, source=Steady):
    """Have the default source be a test's, labelled by brightness; gives those that were made."""
    made = []

    def source_of(choice):
        made.append(source())
        return made[-1]

    monkeypatch.setattr(examinations, "source_of", source_of)
    monkeypatch.setattr(chain, "SEGMENTERS", LABELLER)
    monkeypatch.setattr(live, "RESTED", 0.01)
    return made


class Client:
    """Asks the application without a network, one request at a time."""

    here = "http://127.0.0.1:8787"

    def __init__(self, app, *, raise_faults=True):
        self.transport = httpx.ASGITransport(app=app, raise_app_exceptions=raise_faults)

    def request(self, method, path, **what):
        async def ask():
            async with httpx.AsyncClient(transport=self.transport, base_url=self.here) as client:
                return await client.request(method, path, **what)

        return asyncio.run(ask())

    def get(self, path, **what):
        return self.request("GET", path, **what)

    def post(self, path, **what):
        return self.request("POST", path, **what)


@contextmanager
def served(examination, **how):
    """Run the server as `insonate serve` does; gives its port."""
    server = uvicorn.Server(settings(create_app(examination, **how)))
    with listen("127.0.0.1", 0) as opened:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]}, daemon=True)
        thread.start()
        try:
            becomes(lambda: server.started)
            yield opened.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)
            examination.stop()


class Page:
    """What a page knows of its stream. Reads only when asked, so that it is as slow as the test wants."""

    def __init__(self, socket):
        self.socket = socket
        self.heard, self.frames = [], []
        self.last = self.lost = self.stream = 0

    def say(self, **message):
        self.socket.send(json.dumps(message))

    def next(self, timeout=SOON, *, acknowledge=True):
        """One thing said by the server: a dict, or a frame that is acknowledged."""
        said = self.socket.recv(timeout)
        if isinstance(said, str):
            message = json.loads(said)
            self.heard.append(message)
            if message["type"] == "hello" and message["stream"] != self.stream:
                self.stream, self.last = message["stream"], 0
            return message
        frame = Frame(said)
        if self.last:
            self.lost += frame.number - self.last - 1
        self.last = frame.number
        self.frames.append(frame)
        if acknowledge:
            self.say(type="ack", frame=frame.number)
        return frame

    def until(self, wanted, *, acknowledge=True):
        """Read on until something is said that is wanted."""
        end = time.monotonic() + SOON
        while time.monotonic() < end:
            said = self.next(acknowledge=acknowledge)
            if wanted(said):
                return said
        raise AssertionError("it was never said")

    def frame(self):
        """The next frame."""
        return self.until(lambda said: isinstance(said, Frame))

    def message(self, kind, wanted=lambda message: True):
        """The next message of a kind that is as wanted."""
        return self.until(lambda said: isinstance(said, dict) and said["type"] == kind and wanted(said))

    def drained(self, seconds=0.3):
        """Read all that is on the way, acknowledging nothing; the frames among it."""
        before = len(self.frames)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                self.next(left, acknowledge=False)
            except TimeoutError:
                break
        return self.frames[before:]


class Frame:
    """A frame taken apart by hand, as the documentation of the header says."""

    def __init__(self, data):
        self.magic = data[:4]
        self.version, self.flags = struct.unpack_from("<HH", data, 4)
        self.number, self.lost = struct.unpack_from("<II", data, 8)
        self.rows, self.columns, self.zero = struct.unpack_from("<HHI", data, 16)
        self.source_time, self.made, *self.extent = struct.unpack_from("<6d", data, 24)
        self.pixels = np.frombuffer(data, np.uint8, offset=72).reshape(self.rows, self.columns)


@contextmanager
def page(port, **settings):
    """Open the stream as the page does."""
    address = f"127.0.0.1:{port}"
    settings = {"origin": f"http://{address}", "max_size": None} | settings
    with connect(f"ws://{address}/stream", **settings) as socket:
        yield Page(socket)
