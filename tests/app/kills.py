"""Kill the server at random moments while it records and a needle moves; say what the recordings lost.

    python tests/app/kills.py [N]

Each server is one of its own, killed between 0.3 and 4 s after its recording began. What a viewer had seen by then is held
against what is on the disk: the newest frame that is kept, whether all that is kept can be read, and whether it says that it
was cut off.
"""

import json
import random
import sys
import tempfile
import time
from pathlib import Path

import httpx

if __name__ == "__main__":
    sys.path[:0] = [
        str(Path(__file__).resolve().parents[1]),
        str(Path(__file__).resolve().parents[2] / "src"),
    ]

from app.browser import Server
from app.serving import Frame, page
from insonate.record.timeline import Damage, check, scan

SEED = 7
SHORTEST, LONGEST = 0.3, 4.0
"""After which a server is killed [s]."""


def killed(server, moment):
    """Watch, record, move the needle, kill; when the newest frame seen was made, and how many came a second."""
    here = server.url.rstrip("/")
    for _ in range(200):
        try:
            httpx.get(f"{here}/api/state")
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    with page(server.port) as one:
        one.frame()
        httpx.post(f"{here}/api/recording", json={"on": True}).raise_for_status()
        began, moved, newest, count = time.time(), 0.0, 0.0, 0
        while time.time() - began < moment:
            try:
                said = one.next(0.5)
            except TimeoutError:
                continue
            if isinstance(said, Frame):
                newest, count = said.made, count + 1
            if time.time() - moved > 0.1:
                one.say(type="needle", advance=0.001, at=time.time())
                moved = time.time()
        passed = time.time() - began
        server.kill()
    return newest, count / passed


def main():
    """Kill as many as are asked for."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rng, lost, rates, commands, damaged = random.Random(SEED), [], [], 0, []
    for index in range(wanted):
        with tempfile.TemporaryDirectory() as home:
            server = Server(environment={"XDG_DATA_HOME": home})
            try:
                newest, rate = killed(server, rng.uniform(SHORTEST, LONGEST))
            finally:
                server.kill()
            (path,) = (Path(home) / "insonate" / "recordings").iterdir()
            report, events = (
                check(path),
                [one for one in scan(path, data=False) if not isinstance(one, Damage)],
            )
            kept = max((one.content["made"] for one in events if one.kind == "frame"), default=0.0)
            lost.append(max(newest - kept, 0.0) if newest else 0.0)
            rates.append(rate)
            commands += sum(one.kind == "command" for one in events)
            if not report.whole or report.closed:
                damaged.append(index)
            if index % 10 == 9:
                print(f"{index + 1} of {wanted}: worst lost {max(lost):.3f} s", file=sys.stderr, flush=True)
    told = {
        "kills": wanted,
        "worst_lost_s": max(lost),
        "frames_a_second": [min(rates), sorted(rates)[len(rates) // 2], max(rates)],
        "commands_kept": commands,
        "not_whole_or_not_told_as_cut_off": damaged,
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
