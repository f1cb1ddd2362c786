"""A recording shown again has its needle where it was tracked, in a real browser, and its clip and still have it too."""

import io
import time

import httpx
import numpy as np
import pytest
from PIL import Image as Picture

from app.browser import PLAIN, browsing, live, serving, until
from app.test_page import take

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def green(png):
    pixels = np.asarray(Picture.open(io.BytesIO(png)).convert("RGB"), int)
    return (np.abs(pixels - [0x8D, 0xF7, 0xA4]).max(axis=-1) < 50).sum()


def test_a_recorded_needle_is_drawn_where_it_was_tracked(tmp_path):
    with serving(environment={"XDG_DATA_HOME": str(tmp_path)}) as server, browsing(flags=PLAIN) as page:
        live(page, server.url)
        page.get_by_role("button", name="Record", exact=True).click()
        page.wait_for_selector(".rec[aria-pressed=true]")
        take(page, "n")
        for _ in range(20):
            page.keyboard.press("ArrowUp")
        page.wait_for_selector("[data-needle=seen]", timeout=40_000)
        time.sleep(2)
        page.locator(".rec").click()
        page.wait_for_selector(".rec[aria-pressed=false]")
        page.get_by_role("button", name="Recordings").click()
        page.get_by_role("button", name="Show").first.click()
        page.keyboard.press("Escape")
        until(lambda: "recording of simulated patient" in page.inner_text("footer"), 40)
        page.wait_for_selector("[data-needle=seen]", timeout=40_000)
        plan = page.inner_text(".plan")
        assert plan.startswith("Tip")
        # a path's distances are none of the needle's
        until(lambda: set(page.locator(".plan .state").all_inner_texts()) == {"replayed"}, 40)

        def still():
            answer = httpx.get(f"{server.url.rstrip('/')}/api/still", timeout=30)
            assert answer.status_code == 200, answer.text
            return green(answer.content) > 100

        until(still, 40)
        assert page.complaints == []
