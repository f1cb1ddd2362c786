"""Gain by depth on the page: a slider brightens its own depth of a held picture, and no other."""

import base64
import io
import os

import numpy as np
import pytest
from PIL import Image as Picture

from app.browser import PLAIN, browsing, live, serving, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def rows(page):
    coded = page.evaluate("() => document.querySelector('.canvas canvas').toDataURL().split(',')[1]")
    return np.asarray(Picture.open(io.BytesIO(base64.b64decode(coded))).convert("L"), float).mean(axis=1)


def test_a_slider_brightens_its_depth_and_all_go_back():
    with serving() as server, browsing(flags=PLAIN) as page:
        live(page, server.url)
        page.keyboard.press("f")
        page.wait_for_selector("[data-view=frozen]")
        page.wait_for_timeout(500)
        before = rows(page)
        page.keyboard.press("b")
        sliders = page.get_by_role("group", name="Gain by depth").get_by_role("slider")
        assert sliders.count() == 8
        sliders.nth(4).fill("12")
        until(lambda: "TGC set" in page.inner_text(".gutter.left"))
        until(lambda: np.abs(rows(page) - before).max() > 10)
        if stills := os.environ.get("INSONATE_STILLS"):
            page.screenshot(path=f"{stills}/page-tgc.png")
        change = rows(page) - before
        middle = len(change) * 9 // 16
        assert change[middle] > 0.8 * change.max() > 10
        assert np.abs(change[: len(change) * 6 // 16]).max() < 1
        assert np.abs(change[len(change) * 12 // 16 :]).max() < 1
        page.get_by_role("button", name="All 0").click()
        until(lambda: np.abs(rows(page) - before).max() < 0.5)
        page.keyboard.press("b")
        until(lambda: not page.get_by_role("group", name="Gain by depth").count())
        assert page.complaints == []
