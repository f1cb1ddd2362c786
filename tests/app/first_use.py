"""Somebody who has never seen the page: reads what it says, and does it, word for word.

All that is known beforehand is one grammar: "Press KEY", "Press KEY N times" and "Hold KEY" (until the sentence changes);
anything else is waited for. A key cap is what is framed as a key. Nothing else of the page is looked at: no name of ours, no
state of the program, no picture.

    python tests/app/first_use.py [--pointer] [--procedure UL03] [--stills DIR] [--within SECONDS]

plays a whole first block and prints what was read and done. With `--pointer` it presses no key: the key cap in the sentence
is pressed, and held, with the pointer.
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

PATIENTS = {
    "LL01": (),
    "UL01": ("--region", "neck", "--window", "interscalene", "--procedure", "UL01"),
    "UL03": ("--region", "neck", "--window", "supraclavicular", "--procedure", "UL03"),
}
"""Who is shown for a procedure."""

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


class Keys:
    """Hands on the keyboard."""

    def __init__(self, page) -> None:
        self.page = page

    def press(self, cap: str) -> None:
        self.page.keyboard.press(CAPS.get(cap, cap))

    def down(self, cap: str) -> None:
        self.page.keyboard.down(CAPS.get(cap, cap))

    def up(self, cap: str) -> None:
        self.page.keyboard.up(CAPS.get(cap, cap))


class Pointer:
    """A hand that presses the key cap in the sentence."""

    def __init__(self, page) -> None:
        self.page = page

    def press(self, cap: str) -> None:
        if self.down(cap):
            self.up(cap)

    def down(self, cap: str) -> bool:
        """Press where the cap stands now; False where it stands there no more."""
        box = self.page.evaluate(
            """(cap) => {
                const caps = [...document.querySelectorAll('[role=status] b kbd, [role=alert] b kbd')]
                const found = caps.find((one) => one.textContent === cap)
                if (!found) return null
                const { left, top, width, height } = found.getBoundingClientRect()
                return [left + width / 2, top + height / 2]
            }""",
            cap,
        )
        if box is None:
            return False
        self.page.mouse.move(*box)
        self.page.mouse.down()
        return True

    def up(self, cap: str) -> None:
        self.page.mouse.up()


def follow(page, *, within: float, until: str, stills: Path | None = None, hand=None) -> list[Line]:
    """Do what the page says until it says `until`; gives what was read and done."""
    hand = hand or Keys(page)
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
        if found[1] == "Press":
            times = int(found[3] or 1)
            for _ in range(times):
                hand.press(found[2])
                time.sleep(0.03)
            lines.append(Line(now, text, f"pressed {found[2]}" + (f" {times} times" if times > 1 else "")))
            settle(page, text)
            continue
        hand.down(found[2])
        head = found[0]
        end = time.monotonic() + 40
        while head in said(page) and time.monotonic() < end:
            time.sleep(0.03)
        hand.up(found[2])
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
    from app.browser import PLAIN, browsing, live, serving

    parser = argparse.ArgumentParser(description="Play a first block by what the page says.")
    parser.add_argument("--stills", type=Path, help="folder for a picture of each sentence")
    parser.add_argument("--pointer", action="store_true", help="press no key: press the key caps on the page")
    parser.add_argument("--procedure", default="LL01", choices=sorted(PATIENTS), help="what is done")
    parser.add_argument("--within", type=float, default=300.0, help="give up after so many seconds")
    given = parser.parse_args()
    if given.stills is not None:
        given.stills.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as room,
        serving(*PATIENTS[given.procedure], environment={"XDG_DATA_HOME": room}) as running,
        browsing(flags=PLAIN) as page,  # a compositor that imitates a graphics card takes a core of two
    ):
        live(page, running.url)
        hand = Pointer(page) if given.pointer else Keys(page)
        for one in follow(page, within=given.within, until="begin again", stills=given.stills, hand=hand):
            print(f"{one.at:6.1f} s  {one.said}  [{one.did}]")
        if given.stills is not None:
            page.wait_for_selector("dialog .sentence")
            page.screenshot(path=str(given.stills / "report.png"))


if __name__ == "__main__":
    main()
