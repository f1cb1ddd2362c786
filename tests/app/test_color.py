"""Color on the page: its scale as the server has it, and a box that hands turn on, move and turn off in a real browser."""

import base64
import json
import time

import numpy as np
import pytest

from app.browser import PLAIN, browsing, live, module, serving, until
from app.test_page import press, take


def test_colors_go_from_slow_to_fast_and_what_is_unknown_has_none():
    values = np.array([[-128, 0, 127], [-127, 64, -64]], np.int8)
    flow = {
        "rows": 2,
        "columns": 3,
        "velocities": base64.b64encode(values.tobytes()).decode(),
        "toward": ["#400000", "#ffff00"],
        "away": ["#000040", "#00ffff"],
    }
    pixels = np.array(module("color", f"Array.from(pixelsOf({json.dumps(flow)}))")).reshape(2, 3, 4)
    assert pixels[0, 0].tolist() == [0, 0, 0, 0]
    assert pixels[0, 1, :3].tolist() == [0x40, 0, 0]
    assert pixels[0, 2, :3].tolist() == [255, 255, 0]
    assert pixels[1, 0, :3].tolist() == [0, 255, 255]
    assert (pixels[..., 3][values != -128] > 200).all()
    # toward is red before it is anything else, away blue
    assert pixels[1, 1, 0] > pixels[1, 1, 2]
    assert pixels[1, 2, 2] > pixels[1, 2, 0]


def colored(page):
    """How many pixels have a color; None where no color is shown."""
    return page.evaluate(
        """() => {
            const canvas = document.querySelector('[data-flow]')
            if (!canvas) return null
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
            return data.filter((value, index) => index % 4 === 3 && value).length
        }"""
    )


def left_of(page):
    return page.locator("[data-color-box]").bounding_box()["x"]


@pytest.mark.browser
@pytest.mark.slow
def test_flow_is_turned_on_seen_moved_and_turned_off_by_keys_alone():
    with serving() as server, browsing(flags=PLAIN) as page:
        live(page, server.url)
        take(page, "p")
        page.keyboard.press("2")
        page.wait_for_selector("[data-color-box]")
        until(lambda: colored(page) is not None, 40)
        assert "cm/s" in page.inner_text(".gutter.left")
        for turned in range(
            1, 13
        ):  # across the flow there is none: tilted, the artery has its color with each beat
            press(page, "t", turned, "Tilt")
        until(lambda: (colored(page) or 0) > 200, 40, every=0.05)
        assert "No color is not no flow" in page.inner_text(".picture")
        handle = page.get_by_role("button", name="Move the color box, arrows")
        before = left_of(page)
        handle.focus()
        page.keyboard.press("ArrowRight")
        until(lambda: left_of(page) > before + 5)
        page.get_by_role("button", name="Faster scale").click()
        until(lambda: "+15" in page.inner_text(".gutter.left"), 40)
        page.locator(".picture").focus()
        page.keyboard.press("f")
        page.wait_for_selector("[data-view=frozen]")
        time.sleep(1.5)
        assert colored(page) is not None  # a held picture keeps its color
        page.keyboard.press("f")
        page.wait_for_selector("[data-view=live]")
        page.keyboard.press("2")
        until(lambda: page.locator("[data-color-box]").count() == 0 and colored(page) is None)
        assert page.complaints == []


@pytest.mark.browser
@pytest.mark.slow
def test_a_picture_that_is_dropped_has_no_color_to_turn_on(tmp_path):
    from PIL import Image as Picture

    path = tmp_path / "still.png"
    Picture.fromarray(np.random.default_rng(1).integers(0, 255, (200, 300), np.uint8)).save(path)
    with serving(str(path), "--spacing", "0.1") as server, browsing() as page:
        live(page, server.url)
        assert page.get_by_role("button", name="Color").is_disabled()
        page.keyboard.press("2")
        until(lambda: "no shots in which flow" in page.inner_text("main"))
        assert page.complaints == []


@pytest.mark.browser
@pytest.mark.slow
def test_a_still_is_saved_by_a_key_and_bears_what_it_is_of(tmp_path):
    from PIL import Image as Picture

    with serving() as server, browsing(flags=PLAIN) as page:
        live(page, server.url)
        until(lambda: page.locator("path[data-role=structure]").count() > 0, 60)
        with page.expect_download(timeout=30_000) as saved:
            page.keyboard.press("s")
        assert saved.value.suggested_filename.startswith("still ")
        saved.value.save_as(tmp_path / "still.png")
        pixels = np.asarray(Picture.open(tmp_path / "still.png").convert("RGB"))
        assert pixels.shape[0] > 600
        assert (np.ptp(pixels.astype(int), axis=-1) > 60).sum() > 300  # outlines
        assert page.complaints == []
