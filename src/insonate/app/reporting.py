"""The look back upon a block, made beside the live picture by a process of its own.

Only that process reaches the truth of a simulated patient; this server starts it, hears how far it is, and shows what it
wrote. `insonate debrief` does the same by hand.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Literal

from insonate.core import InputError

State = Literal["none", "making", "ready", "failed"]
"""Of the report."""

TOLD = "INSONATE_PROGRESS"
"""Where it is set, long work says how far it is in plain lines on standard error."""

LONGEST = 900.0
"""A report that takes longer is given up [s]."""


class Reporting:
    """Makes one report at a time, of the newest block that was asked for."""

    def __init__(self) -> None:
        """Begin without one."""
        self.state: State = "none"
        self.share = 0.0
        """Of it that is made, 0..1."""
        self.facts: dict[str, Any] = {}
        """As `insonate debrief --json` gives them, once it is ready."""
        self.trouble: str | None = None
        """Why it failed."""
        self._page = b""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def make(self, block: dict[str, Any]) -> None:
        """Begin to make the report of a block; one that is being made is given up.

        Parameters
        ----------
        block : dict
            Seed, settings and commands, as `Examination.block` gives them.
        """
        self.forget()
        with self._lock:
            self.state, self.share, self.facts, self.trouble, self._page = "making", 0.0, {}, None, b""
            room = tempfile.TemporaryDirectory(prefix="insonate-report-")
            path = Path(room.name) / "examination.json"
            path.write_text(json.dumps(block), encoding="utf-8")
            page = path.with_name("report.html")
            command = [sys.executable, "-m", "insonate", "debrief", str(path), "--out", str(page), "--json"]
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ | {TOLD: "1"},
                start_new_session=True,
            )
            self._process = process
        threading.Thread(target=self._wait, args=(process, page, room), name="report", daemon=True).start()

    def forget(self) -> None:
        """Give up what is being made, and drop what was made."""
        with self._lock:
            process, self._process, self.state = self._process, None, "none"
        if process is not None and process.poll() is None:
            process.kill()

    def page(self) -> bytes:
        """Give the whole report as a page.

        Raises
        ------
        InputError
            If none is ready.
        """
        if self.state != "ready":
            raise InputError("there is no report: end a guided block first")
        return self._page

    def _wait(
        self, process: subprocess.Popen[str], page: Path, room: tempfile.TemporaryDirectory[str]
    ) -> None:
        clock = threading.Timer(LONGEST, process.kill)
        clock.start()
        said: list[str] = []
        hearing = threading.Thread(target=self._hear, args=(process, said), daemon=True)
        hearing.start()
        try:
            with process:  # closes its pipes
                told = process.stdout.read() if process.stdout is not None else ""
                code = process.wait()
                hearing.join(timeout=1)
            facts = json.loads(told) if code == 0 else {}
            written = page.read_bytes() if code == 0 else b""
        except (ValueError, OSError) as error:
            code, facts, written = 1, {}, b""
            said.append(str(error))
        finally:
            clock.cancel()
            room.cleanup()
        with self._lock:
            if self._process is not process:
                return
            self._process = None
            self.facts, self._page = facts, written
            self.state = "ready" if code == 0 else "failed"
            self.trouble = None if code == 0 else (said[-1] if said else f"it ended with code {code}")

    def _hear(self, process: subprocess.Popen[str], said: list[str]) -> None:
        for line in process.stderr or ():
            words = line.split(maxsplit=2)
            if len(words) == 3 and words[0].isdecimal() and words[1].isdecimal():
                if self._process is process:
                    self.share = min(int(words[0]) / max(int(words[1]), 1), 1.0)
            elif line.strip():
                said[:] = [line.strip()[:300]]
