"""M-mode in a real browser: its newest column is the line of the picture, gaps stay black, another line begins anew."""

import base64
import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from app.browser import PLAIN, browsing, live, number, serving, until
from insonate.display.overlay import NOTICE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def canvas(page, where):
    coded = page.evaluate(f"() => document.querySelector('{where} canvas').toDataURL().split(',')[1]")
    return np.asarray(Picture.open(io.BytesIO(base64.b64decode(coded))).convert("L"), float)


def filled(page):
    return (canvas(page, ".sweep").max(axis=0) > 0).mean()


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_the_newest_column_is_the_line_of_the_picture(share):
    with serving() as server, browsing(flags=PLAIN) as page:
        live(page, server.url)
        page.keyboard.press("5")
        page.wait_for_selector(".sweep canvas")
        page.get_by_role("slider", name="Line").fill(str(share))
        until(lambda: filled(page) > 0.1, 60)
        page.keyboard.press("f")
        page.wait_for_selector("[data-view=frozen]")
        held = number(page)
        time.sleep(0.5)
        picture, strip = canvas(page, ".canvas"), canvas(page, ".sweep")
        at = round(share * (picture.shape[1] - 1))
        rows = np.linspace(0, len(picture) - 1, len(strip)).round().astype(int)
        line, newest = picture[rows, at], strip[:, -1]
        others = [
            np.corrcoef(picture[rows, i], newest)[0, 1]
            for i in range(0, picture.shape[1], 40)
            if abs(i - at) > 30
        ]
        assert np.corrcoef(line, newest)[0, 1] > 0.97 > max(others)
        assert number(page) == held
        assert np.array_equal(canvas(page, ".sweep"), strip)  # a held picture moves nothing
        page.keyboard.press("f")
        page.wait_for_selector("[data-view=live]")
        until(lambda: filled(page) > 0.3, 60)
        page.get_by_role("slider", name="Line").fill("0.7")
        until(lambda: filled(page) < 0.2, 20, every=0.02)
        assert page.complaints == []


def test_what_was_not_seen_stays_black():
    with serving() as server, browsing(flags=PLAIN) as page:
        live(page, server.url)
        page.keyboard.press("5")
        until(lambda: filled(page) > 0.05, 60)
        page.evaluate("() => { const end = performance.now() + 1500; while (performance.now() < end); }")
        before = number(page)
        until(lambda: number(page) > before + 5, 20)
        columns = canvas(page, ".sweep").max(axis=0) > 0
        unseen = ~columns[int(np.argmax(columns)) :]
        assert unseen.sum() >= 80  # 1.5 s of 6 s across 600 columns are 150


def test_an_interval_is_measured_on_the_strip_by_keys_and_by_pointer():
    with serving() as server, browsing(flags=PLAIN) as page:
        live(page, server.url)
        page.keyboard.press("5")
        until(lambda: filled(page) > 0.3, 60)
        page.keyboard.press("c")
        page.wait_for_selector("[data-view=frozen]")
        page.get_by_role("radio", name="Interval").click()
        page.wait_for_selector(".sweep .layer.on")
        rows = page.locator(".picture .strip tr, .stage .strip tr")
        page.locator(".sweep .layer").focus()
        page.keyboard.press("Enter")
        for _ in range(10):  # a fiftieth of 6 s a press
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        until(lambda: rows.count() == 1)
        said = rows.first.inner_text()
        assert "1.20 ±" in said and "50 ±" in said and "a minute" in said and "0.0" in said
        box = page.locator(".sweep .layer").bounding_box()
        for x, y in ((0.5, 0.25), (0.75, 0.75)):
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        until(lambda: rows.count() == 2)
        said = rows.nth(1).inner_text()
        assert "1.50 ±" in said and "40 ±" in said
        assert "19." in said or "20." in said  # half of 40 mm, as the strip is as deep as the picture
        page.keyboard.press("Backspace")
        until(lambda: rows.count() == 1)
        page.keyboard.press("f")
        page.wait_for_selector("[data-view=live]")
        assert rows.count() == 0
        page.keyboard.press("5")
        page.keyboard.press("c")
        page.wait_for_selector("[data-view=frozen]")
        assert page.get_by_role("radio", name="Interval").count() == 0
        assert page.complaints == []


def test_a_strip_is_kept_as_a_picture_that_says_what_it_is_of():
    with serving() as server, browsing(flags=PLAIN) as page:
        live(page, server.url)
        page.keyboard.press("5")
        until(lambda: filled(page) > 0.3, 60)
        page.keyboard.press("f")
        page.wait_for_selector("[data-view=frozen]")
        with page.expect_download() as kept:
            page.get_by_role("button", name="Save strip").click()
        assert kept.value.suggested_filename.startswith("M-mode ")
        picture = np.asarray(Picture.open(kept.value.path()).convert("L"), float)
        assert picture.shape == (40 + 480 + 76, 80 + 1200 + 40)
        inner, strip = picture[40:520, 80:1280], canvas(page, ".sweep")
        shown = np.asarray(Picture.fromarray(strip.astype(np.uint8)).resize((1200, 480)), float)
        assert np.corrcoef(inner.ravel(), shown.ravel())[0, 1] > 0.97
        above, below, depth = picture[:40], picture[520:], picture[40:520, :72]
        assert min(above.max(), below.max(), depth.max()) > 200  # words and marks are there
        assert above[:, 1100:1280].max() > 200  # and SIMULATED
        assert page.complaints == []


def test_what_a_kept_strip_of_real_tissue_bears_is_what_every_overlay_does():
    source = (Path(__file__).parents[2] / "web/src/drawing.ts").read_text(encoding="utf-8")
    assert f"export const NOTICE = '{NOTICE}'" in source
