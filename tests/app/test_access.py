"""Access, by axe in a real browser: no fault of WCAG 2.2 A and AA on any screen or state."""

import signal
import time

import pytest
from axe_core_python.sync_playwright import Axe

from app.browser import browsing, live, serving, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def server():
    with serving() as running:
        yield running


def faults(page):
    """What axe holds against a page, each with the place."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]} {node['failureSummary'][:300]}"
        for one in found
        for node in one["nodes"]
    ]


def test_no_screen_has_a_fault_of_access(server):
    with browsing() as page:
        live(page, server.url)
        until(lambda: page.locator("path[data-role=structure]").count() > 0, 60)
        assert faults(page) == []
        for key, what in (
            ("2", "color"),
            ("5", "M-mode"),
            ("b", "gain by depth"),
            ("y", "space"),
            ("c", "calipers"),
        ):
            page.keyboard.press(key)
            page.wait_for_timeout(800)
            assert faults(page) == [], what
            page.keyboard.press("Escape" if key in "bc" else key)
        page.keyboard.press("y")
        page.keyboard.press("y")
        page.keyboard.press("f")
        page.wait_for_selector("[data-view=live]")
        for opened in ("Patient 7", "Recordings", "My machine"):
            page.get_by_role("button", name=opened).first.click()
            page.wait_for_selector("dialog[open]")
            time.sleep(0.3)
            assert faults(page) == [], opened
            page.keyboard.press("Escape")
            page.wait_for_selector("dialog", state="detached")
        page.keyboard.press("?")
        page.wait_for_selector("dialog[open]")
        assert faults(page) == [], "help"
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog", state="detached")
        page.keyboard.press("f")
        page.wait_for_selector("[data-view=frozen]")
        assert faults(page) == [], "frozen"
        page.keyboard.press("f")
        page.wait_for_selector("[data-view=live]")
        page.keyboard.press("n")
        for _ in range(15):
            page.keyboard.press("ArrowUp")
        until(lambda: page.locator("[data-needle]").count() > 0, 60)
        assert faults(page) == [], "needle inside"
        until(lambda: _further(page), 60, every=1.0)
        page.keyboard.press("w")
        page.wait_for_selector("dialog[open]")
        assert faults(page) == [], "why"
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog", state="detached")
        server.process.send_signal(signal.SIGSTOP)
        try:
            page.wait_for_selector("[data-view=lost]")
            assert faults(page) == [], "lost"
        finally:
            server.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize(("width", "height"), [(820, 1180), (1920, 1080)])
def test_nor_has_it_at_another_size(server, width, height):
    with browsing(width, height) as page:
        live(page, server.url)
        until(lambda: page.locator("path[data-role=structure]").count() > 0, 60)
        assert faults(page) == []


def _further(page):
    """Whether a cue stands that says why; the needle goes on until one does."""
    if page.get_by_role("button", name="Why?").count():
        return True
    page.keyboard.press("ArrowUp")
    return False
