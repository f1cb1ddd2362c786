"""Make the pictures of the page for the documentation: a real server, a real browser.

    python docs/screenshots.py [--data DIR]

Needs a Chromium; the picture with a real image needs the data set usgra-seg, else it is left as it is.
"""

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "images"
REAL = "0055.png"
"""A femoral picture of usgra-seg (TMK, CC BY 4.0)."""


def main() -> None:
    """Make all of them."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "src")]
    from app.browser import browsing, drop, live, serving, until, view

    parser = argparse.ArgumentParser(description="Make the pictures of the page.")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    data = parser.parse_args().data
    OUT.mkdir(exist_ok=True)
    real = data / "usgra-seg" / "images" / REAL

    def planned(page: object) -> bool:
        return page.locator("path[data-role=path]").count() > 0

    def colored(page: object) -> int:
        return page.evaluate(
            """() => {
                const canvas = document.querySelector('[data-flow]')
                if (!canvas) return 0
                const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
                return data.filter((value, index) => index % 4 === 3 && value).length
            }"""
        )

    with serving() as server:
        for width, height in ((1280, 720), (1920, 1080), (820, 1180)):
            with browsing(width, height) as page:
                live(page, server.url)
                until(lambda page=page: planned(page), 120)
                page.keyboard.press("f")
                page.wait_for_selector("[data-view=frozen]")
                page.keyboard.press("f")
                page.wait_for_selector("[data-view=live]")
                until(lambda page=page: planned(page), 120)
                page.screenshot(path=OUT / f"page-{width}.png")
        with browsing() as page:
            live(page, server.url)
            page.wait_for_selector(".hands")
            page.keyboard.press("n")
            for _ in range(22):
                page.keyboard.press("ArrowUp")
            until(lambda: page.locator("path[data-role=structure]").count() > 0, 120)
            until(lambda: page.locator("[data-needle=seen]").count() > 0, 60, every=0.02)
            page.screenshot(path=OUT / "page-needle.png")
            page.keyboard.press("w")
            page.wait_for_selector("dialog[open]")
            page.screenshot(path=OUT / "page-why.png")
            page.keyboard.press("Escape")
            page.wait_for_selector("dialog", state="detached")
            page.keyboard.down("ArrowDown")
            until(lambda: "Needle outside" in page.inner_text(".plan"))
            page.keyboard.up("ArrowDown")
            page.get_by_role("button", name="Patient 7").click()
            page.wait_for_selector("dialog[open]")
            time.sleep(0.5)
            page.screenshot(path=OUT / "page-patient.png")
            page.keyboard.press("Escape")
        with browsing() as page:
            live(page, server.url)
            until(lambda: planned(page), 120)
            page.keyboard.press("f")
            page.wait_for_selector("[data-view=frozen]")
            time.sleep(1.5)
            page.screenshot(path=OUT / "page-frozen.png")
            page.keyboard.press("d")
            until(lambda: page.locator("[data-answer]").count() > 0, 60)
            page.keyboard.press("l")  # the true outlines alone
            time.sleep(0.5)
            page.screenshot(path=OUT / "page-answers.png")
            page.keyboard.press("l")
            page.keyboard.press("d")
            page.keyboard.press("c")
            page.wait_for_selector(".layer.on")
            box = page.locator(".picture").bounding_box()

            def at(x: float, y: float) -> tuple[float, float]:
                return box["x"] + x * box["width"], box["y"] + y * box["height"]

            for kind, marks in (
                ("Distance", ((0.35, 0.1), (0.35, 0.3))),
                ("Angle", ((0.6, 0.2), (0.6, 0.35), (0.8, 0.35))),
                ("Area", ((0.2, 0.6), (0.4, 0.6), (0.4, 0.75), (0.2, 0.75), (0.2, 0.6))),
            ):
                page.get_by_role("radio", name=kind).click()
                for mark in marks:
                    page.mouse.click(*at(*mark))
            page.screenshot(path=OUT / "page-measure.png")
            page.keyboard.press("Escape")
            page.keyboard.press("f")
            page.wait_for_selector("[data-view=live]")
            page.keyboard.press("p")
            page.keyboard.press("h")
            for _ in range(6):
                page.keyboard.press("ArrowRight")
                time.sleep(0.2)
            until(lambda: planned(page), 120)
            page.screenshot(path=OUT / "page-compare.png")
            page.keyboard.press("h")
            page.keyboard.press("2")
            for _ in range(12):
                page.keyboard.press("t")
                time.sleep(0.2)
            until(lambda: colored(page) > 500, 60, every=0.03)
            page.screenshot(path=OUT / "page-color.png")
            page.keyboard.press("1")
            page.keyboard.press("?")
            page.wait_for_selector("dialog[open]")
            page.screenshot(path=OUT / "page-help.png")
            page.keyboard.press("Escape")
            if real.is_file():
                drop(page, real)
                until(lambda: real.name in page.inner_text("footer") and view(page) == "live", 60)
                page.get_by_label("Depth shown").fill("4")
                page.get_by_role("button", name="Set").click()
                until(lambda: page.locator("path[data-role=structure]").count() > 0, 60)
                time.sleep(1.5)
                page.screenshot(path=OUT / "page-real.png")
            server.kill()
            page.wait_for_selector("[data-view=disconnected]")
            time.sleep(0.3)
            page.screenshot(path=OUT / "page-disconnected.png")


if __name__ == "__main__":
    main()
