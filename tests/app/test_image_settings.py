"""Settings of the picture: gain by depth, presets of one's own, persistence, tint; and a picture kept to compare."""

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
        page.get_by_role("button", name="All gains 0").click()
        until(lambda: np.abs(rows(page) - before).max() < 0.5)
        page.keyboard.press("b")
        until(lambda: not page.get_by_role("group", name="Gain by depth").count())
        assert page.complaints == []


def colors(page):
    coded = page.evaluate("() => document.querySelector('.picture .canvas canvas').toDataURL().split(',')[1]")
    return np.asarray(Picture.open(io.BytesIO(base64.b64decode(coded))).convert("RGB"), float)


def test_presets_are_applied_kept_found_again_and_deleted(tmp_path):
    with serving(environment={"XDG_CONFIG_HOME": str(tmp_path)}) as server:
        with browsing(flags=PLAIN) as page:
            live(page, server.url)
            page.keyboard.press("b")
            settings = page.get_by_role("group", name="Image settings")
            settings.get_by_label("Preset").select_option("Superficial nerve")
            until(lambda: page.inner_text("[data-control=depth]") == "3.0 cm")
            until(lambda: "Persist 30 %" in page.inner_text(".gutter.left"))
            until(lambda: "9.0 MHz" in page.inner_text(".gutter.left"))
            settings.get_by_label("Persistence").fill("0.6")
            until(lambda: "Persist 60 %" in page.inner_text(".gutter.left"))
            settings.get_by_role("button", name="Keep as").click()
            page.get_by_label("Name of the preset").fill("Wrist")
            page.keyboard.press("Enter")
            until(lambda: "Wrist (yours)" in settings.inner_text())
            settings.get_by_label("Preset").select_option("General")
            until(lambda: page.inner_text("[data-control=depth]") == "4.0 cm")
            until(lambda: "Persist" not in page.inner_text(".gutter.left"))
            assert page.complaints == []
        with browsing(flags=PLAIN) as page:
            live(page, server.url)
            page.keyboard.press("b")
            settings = page.get_by_role("group", name="Image settings")
            settings.get_by_label("Preset").select_option("Wrist")
            until(lambda: "Persist 60 %" in page.inner_text(".gutter.left"))
            settings.get_by_role("button", name="Delete").click()
            until(lambda: "Wrist" not in settings.inner_text())
            assert page.complaints == []


def test_a_tint_colors_the_greys_and_nothing_else():
    with serving() as server, browsing(flags=PLAIN) as page:
        live(page, server.url)
        page.keyboard.press("f")
        page.wait_for_selector("[data-view=frozen]")
        page.wait_for_timeout(500)
        grey = colors(page)
        assert np.abs(grey - grey[..., :1]).max() == 0
        page.keyboard.press("b")
        page.get_by_label("Map").select_option("Warm")
        until(lambda: np.abs(colors(page) - grey).max() > 20)
        warm = colors(page)
        middle = (grey[..., 0] > 60) & (grey[..., 0] < 200)
        assert (warm[middle][:, 0] > warm[middle][:, 1]).all() and (
            warm[middle][:, 1] > warm[middle][:, 2]
        ).all()
        assert np.abs(warm[..., 1] - grey[..., 1]).max() <= 1
        assert page.complaints == []


def test_a_kept_picture_stands_beside_the_live_one_until_it_is_taken_away():
    with serving() as server, browsing(flags=PLAIN) as page:
        live(page, server.url)
        wide = page.locator(".picture").bounding_box()["width"]
        page.keyboard.press("h")
        kept = page.locator("[data-kept]")
        kept.wait_for()
        number = int(kept.get_attribute("data-kept"))
        assert "KEPT" in kept.inner_text() and "SIMULATED" in kept.inner_text()
        until(lambda: int(page.inner_text(".corner.state").split("frame ")[1].split()[0]) > number + 5)
        assert int(kept.get_attribute("data-kept")) == number
        boxes = kept.bounding_box(), page.locator(".picture").bounding_box()
        assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]  # side by side, at one scale
        assert abs(boxes[0]["width"] - boxes[1]["width"]) <= 2 and boxes[1]["width"] < wide
        shown = page.evaluate(
            """() => {
                const canvas = document.querySelector('[data-kept] canvas')
                const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
                return new Set(data).size
            }"""
        )
        assert shown > 50
        page.keyboard.press("h")
        kept.wait_for(state="detached")
        until(lambda: page.locator(".picture").bounding_box()["width"] == wide)
        assert page.complaints == []
