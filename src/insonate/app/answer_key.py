"""The answer key of a live patient, asked of a process of its own: this server never holds the truth's means, only answers.

While somebody practices with it, the process (`insonate answer-key`) is told every command as the patient obeyed it, and the
time of the newest frame; it says what each place of that frame truly is. An answer is of one moment: who shows it holds its
time against that of the picture.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal

from insonate.core import Command, InsonateError
from insonate.core.units import Seconds
from insonate.pipeline.commands import plain
from insonate.pipeline.live import Live

State = Literal["working", "ready", "failed"]

REST: Seconds = 0.15
"""Least time between two answers, so that the picture keeps its processor [s]."""

LOOKS: Seconds = 0.03
"""How often it looks for a new frame [s]."""


class AnswerKey:
    """Follows one live patient until it is stopped."""

    def __init__(
        self, live: Live, begin: dict[str, Any], given: Callable[[int], Sequence[Command]], by: str
    ) -> None:
        """Begin to follow.

        Parameters
        ----------
        live : Live
            The patient.
        begin : dict
            Its "seed" and "settings".
        given : callable
            Gives the commands that were obeyed, from the so manyth on.
        by : str
            Who asked for it.
        """
        self.by = by
        self.state: State = "working"
        self.share = 0.0
        """Of the time until now that was lived again, 0..1."""
        self.answer: dict[str, Any] | None = None
        """The newest, as `training.answer_key.as_values` gives it."""
        self.trouble: str | None = None
        """Why there is none, in words."""
        self._live, self._given = live, given
        self._stopped = threading.Event()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "insonate", "answer-key"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
            start_new_session=True,
        )
        threading.Thread(target=self._follow, args=(begin,), daemon=True, name="answer-key").start()

    def stop(self) -> None:
        """End it; what it answered is kept no more."""
        self._stopped.set()
        self.answer = None
        if self._process.poll() is None:
            self._process.kill()

    def _follow(self, begin: dict[str, Any]) -> None:
        process = self._process
        said: list[str] = []
        hearing = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
        hearing.start()
        try:
            with process:  # closes its pipes
                try:
                    self._tell(begin)
                    self._answers()
                finally:
                    if process.poll() is None:
                        process.kill()
                    hearing.join(timeout=1)
        except (OSError, ValueError, InsonateError) as error:
            said.append(str(error))
        if not self._stopped.is_set():
            self.state, self.answer = "failed", None
            self.trouble = said[-1].strip()[:300] if said else "its process ended"

    def _answers(self) -> None:
        told, last = 0, -1.0
        while not self._stopped.is_set():
            frame = self._live.frame
            if frame is None or frame.source_time == last:
                self._stopped.wait(LOOKS)
                continue
            commands = self._given(told)
            told, last = told + len(commands), frame.source_time
            self._tell({"time": last, "commands": [plain(one) for one in commands]})
            answer = self._heard(last)
            if answer is None:
                return
            if not self._stopped.is_set():
                self.answer, self.state, self.share = answer, "ready", 1.0
            self._stopped.wait(REST)

    def _tell(self, values: dict[str, Any]) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(values) + "\n")
            self._process.stdin.flush()

    def _heard(self, until: Seconds) -> dict[str, Any] | None:
        """Wait for the answer; None where the process has ended."""
        for line in self._process.stdout or ():
            values: dict[str, Any] = json.loads(line)
            if "labels" in values:
                return values
            self.share = min(float(values["lived"]) / max(until, 1e-3), 0.99)
        return None
