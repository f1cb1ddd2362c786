"""Somebody who has never seen the page: reads what it says, and does it, word for word.

All that is known beforehand is one grammar: "Press KEY", "Press KEY N times" and "Hold KEY" (until the sentence changes);
anything else is waited for. A key cap is what is framed as a key. Nothing else of the page is looked at: no name of ours, no
state of the program, no picture.

    python tests/app/first_use.py [--stills DIR] [--within SECONDS]

plays a whole first block and prints what was read and done.
"""

import argparse
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

CAPS = {"←": "ArrowLeft", "→": "ArrowRight", "↑": "ArrowUp", "↓": "ArrowDown", "Space": " "}
"""What is written on a key, and what a browser calls it."""

GRAMMAR = re.compile(r"\b(Press|Hold) (Enter|Space|[←→↑↓]|[A-Z]\b)(?: (\d+) times)?")


@dataclass(frozen=True)
class Line:
    """What was read, and what was done."""

    at: float
    said: str
    did: str


def said(page) -> str:
    """Read the bar over the image: its first line."""
    return page.locator("[role=status] b, [role=alert] b").first.inner_text().strip()


def follow(page, *, within: float, until: str, stills: Path | None = None) -> list[Line]:
    """Do what the page says until it says `until`; gives what was read and done."""
    began, lines, last = time.monotonic(), [], ""
    while (now := time.monotonic() - began) < within:
        text = said(page)
        new = text != last
        if new and stills is not None:
            page.screenshot(path=str(stills / f"{len(lines):02d}.png"))
        last = text
        if until in text:
            lines.append(Line(now, text, "done"))
            return lines
        found = GRAMMAR.search(text)
        if found is None:
            if new:
                lines.append(Line(now, text, "waited"))
            time.sleep(0.1)
            continue
        key = CAPS.get(found[2], found[2])
        if found[1] == "Press":
            times = int(found[3] or 1)
            for _ in range(times):
                page.keyboard.press(key)
                time.sleep(0.03)
            lines.append(Line(now, text, f"pressed {found[2]}" + (f" {times} times" if times > 1 else "")))
            settle(page, text)
            continue
        page.keyboard.down(key)
        head = found[0]
        end = time.monotonic() + 40
        while head in said(page) and time.monotonic() < end:
            time.sleep(0.03)
        page.keyboard.up(key)
        lines.append(Line(now, text, f"held {found[2]} for {time.monotonic() - began - now:.1f} s"))
    raise AssertionError(
        "not done in time:\n" + "\n".join(f"{one.at:6.1f} s  {one.said}  [{one.did}]" for one in lines)
    )


def settle(page, text: str) -> None:
    """Look what came of it, and give the page a moment to say something else."""
    time.sleep(0.6)
    end = time.monotonic() + 0.6
    while said(page) == text and time.monotonic() < end:
        time.sleep(0.05)


def main() -> None:
    """Play a whole first block."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from app.browser import browsing, live, serving

    parser = argparse.ArgumentParser(description="Play a first block by what the page says.")
    parser.add_argument("--stills", type=Path, help="folder for a picture of each sentence")
    parser.add_argument("--within", type=float, default=300.0, help="give up after so many seconds")
    given = parser.parse_args()
    if given.stills is not None:
        given.stills.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as room,
        serving(environment={"XDG_DATA_HOME": room}) as running,
        browsing() as page,
    ):
        live(page, running.url)
        for one in follow(page, within=given.within, until="begin again", stills=given.stills):
            print(f"{one.at:6.1f} s  {one.said}  [{one.did}]")
        if given.stills is not None:
            page.wait_for_selector("dialog .sentence")
            page.screenshot(path=str(given.stills / "report.png"))


if __name__ == "__main__":
    main()
