"""The recorder: whoever records hands events over and goes on; a thread of its own writes them.

What waits is bounded. Where a disk cannot keep up, the data of frames are left out and their number is kept, with a word
that says so; nothing else is ever left out. When the disk refuses, recording ends, `trouble` says why, and whoever was
recorded goes on.
"""

import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from insonate.core.errors import InsonateError
from insonate.core.units import Seconds
from insonate.record.timeline.log import BEGIN, Log

MOST_WAITING = 64 << 20
"""Data that may wait to be written; frames beyond it are kept without their pixels [bytes]."""


class Recorder:
    """Writes one recording; events may come from any thread."""

    def __init__(self, path: Path, begin: Mapping[str, Any]) -> None:
        """Make the file, and write what is examined.

        Parameters
        ----------
        path : pathlib.Path
            Must not exist.
        begin : mapping
            Plain values.

        Raises
        ------
        OutputError
            If it cannot be made.
        """
        self.path = path
        self.trouble: str | None = None
        """Why it ended by itself, in words."""
        self.left_out = 0
        """Frames whose pixels were left out."""
        self._log = Log(path)
        self._began = time.monotonic()
        self._log.append(0.0, BEGIN, {"began": time.time(), **begin})
        self._waiting: deque[tuple[Seconds, str, Mapping[str, Any], bytes]] = deque()
        self._bytes = 0
        self._news = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._write, daemon=True, name="recorder")
        self._thread.start()

    @property
    def seconds(self) -> Seconds:
        """How long it has been recording [s]."""
        return time.monotonic() - self._began

    @property
    def running(self) -> bool:
        """Whether it takes more."""
        return self.trouble is None and not self._closing

    def add(self, kind: str, content: Mapping[str, Any], data: bytes = b"") -> None:
        """Hand an event over; it gets the time of now."""
        at = self.seconds
        with self._news:
            if not self.running:
                return
            if data and self._bytes + len(data) > MOST_WAITING:
                self.left_out += 1
                content, data = {**content, "left_out": True}, b""
            self._bytes += len(data)
            self._waiting.append((at, kind, content, data))
            self._news.notify()

    def close(self) -> None:
        """Write what waits, and end."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join()

    def _write(self) -> None:
        try:
            while True:
                with self._news:
                    self._news.wait_for(lambda: self._waiting or self._closing)
                    if not self._waiting:
                        break
                    at, kind, content, data = self._waiting.popleft()
                    self._bytes -= len(data)
                self._log.append(at, kind, content, data)
            self._log.close(self.seconds)
        except InsonateError as error:
            with self._news:
                self.trouble = str(error)
                self._waiting.clear()
            self._log.let_go()
