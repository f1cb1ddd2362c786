"""The space view: the page's geometry is the server's, and what it draws of a needle is what is known of it."""

import json

import numpy as np
import pytest

from app.browser import browsing, live, module, serving, until
from insonate.pipeline.hands import _direction, _rotation

SEED = 3


def test_a_probe_is_turned_as_the_server_turns_it():
    rng = np.random.default_rng(SEED)
    for _ in range(5):
        rotation, tilt, rock = rng.uniform(-1, 1, 3)
        x, y = rng.uniform(-0.05, 0.05, 2)
        place = rng.uniform(-0.04, 0.04, 3)
        probe = json.dumps({"rotation": rotation, "tilt": tilt, "rock": rock, "x": x, "y": y})
        said = module("space", f"ofProbe({json.dumps(place.tolist())}, {probe})")
        assert said == pytest.approx(_rotation(rotation, tilt, rock) @ place + [x, y, 0], abs=1e-12)


def test_a_needle_points_where_the_server_points_it():
    angles = (0.3, 0.7, -0.2)
    said = module("space", f"heading({angles[0]}, {angles[1]}, {angles[2]})")
    assert said == pytest.approx(_direction(*angles), abs=1e-12)


def test_each_side_shows_what_lies_there():
    # from the foot: right is right, deeper is lower; from above: the head is up
    side, top = module("space", "[seen([0.01, 0.02, 0.03], VIEWS.side), seen([0.01, 0.02, 0.03], VIEWS.top)]")
    assert side[:2] == pytest.approx([0.01, 0.03 - 0.008])
    assert top[:2] == pytest.approx([0.01, -0.02])
    # nearer to the eye is nearer: the foot's side from the foot, the shallow from above
    near = module("space", "[seen([0, -0.02, 0], VIEWS.side)[2], seen([0, 0, 0], VIEWS.top)[2]]")
    far = module("space", "[seen([0, 0.02, 0], VIEWS.side)[2], seen([0, 0, 0.02], VIEWS.top)[2]]")
    assert near[0] > far[0] and near[1] > far[1]


def test_lengths_are_kept_along_the_view():
    turned = module("space", "[[0.01, 0, 0], [0, 0.01, 0], [0, 0, 0.01]].map((one) => seen(one, VIEWS.free))")
    zero = np.array(module("space", "seen([0, 0, 0], VIEWS.free)"))
    axes = (np.array(turned) - zero) / 0.01
    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-9)


def test_a_picture_is_laid_on_its_plane_corner_by_corner():
    probe = json.dumps({"rotation": 0.3, "tilt": -0.2, "rock": 0.1, "x": 0.01, "y": -0.02})
    left, right, deep, columns, rows = -0.019, 0.018, 0.04, 120, 140
    a, b, c, d, e, f = module(
        "space", f"laidOn({columns}, {rows}, {left}, {right}, {deep}, {probe}, VIEWS.free)"
    )
    for column, row in ((0, 0), (columns, 0), (0, rows), (columns, rows), (30, 70)):
        lateral, axial = left + column / columns * (right - left), row / rows * deep
        wanted = module("space", f"seen(ofProbe([{lateral}, 0, {axial}], {probe}), VIEWS.free)")
        assert (a * column + c * row + e, b * column + d * row + f) == pytest.approx(wanted[:2], abs=1e-9)


@pytest.mark.browser
@pytest.mark.slow
def test_outlines_stay_in_the_plane_that_they_were_seen_in_and_the_picture_goes_with_the_probe():
    with serving() as server, browsing() as page:
        live(page, server.url)
        page.wait_for_selector(".hands")
        page.keyboard.press("y")
        page.wait_for_selector("div.space")
        until(lambda: page.locator("div.space .outline").count() > 0, 60)
        until(lambda: "matrix" in (page.get_attribute("[data-space-picture]", "style") or ""), 20)

        def now():
            return page.evaluate(
                """() => ({
                    outline: document.querySelector('div.space .outline')?.getAttribute('d'),
                    plane: document.querySelector('div.space .plane')?.getAttribute('d'),
                    picture: document.querySelector('[data-space-picture]')?.style.transform,
                    frame: document.querySelector('[data-view]').dataset.view,
                })"""
            )

        before = now()
        # outlines are those of one guidance until the next: within it the probe's plane moves on, and they do not
        page.keyboard.press("p")
        kept = 0
        for _ in range(12):
            page.keyboard.press("t")
            after = now()
            if after["outline"] == before["outline"] and after["plane"] != before["plane"]:
                kept += 1
                assert after["picture"] != before["picture"]
            before = after if after["outline"] != before["outline"] else before
            page.wait_for_timeout(60)
        assert kept > 0
        assert page.complaints == []


@pytest.mark.browser
@pytest.mark.slow
def test_the_space_is_shown_from_three_sides_and_its_needle_is_never_surer_than_the_tracker():
    with serving() as server, browsing() as page:
        live(page, server.url)
        page.wait_for_selector(".hands")
        assert not page.locator("div.space").is_visible()
        page.keyboard.press("y")
        page.wait_for_selector("div.space")
        drawn = set()
        for view in ("Free", "Top", "Side"):
            assert page.get_by_role("radio", name=view).get_attribute("aria-checked") == "true"
            drawn.add(page.get_attribute("div.space .skin", "d"))
            page.keyboard.press("y")
        assert len(drawn) == 3
        until(lambda: not page.locator("div.space").is_visible())
        page.keyboard.press("y")
        assert page.get_attribute("[data-space-needle]", "data-space-needle") == "outside"
        page.keyboard.press("n")
        for _ in range(16):
            page.keyboard.press("ArrowUp")
        until(lambda: page.locator("[data-needle]").count() > 0, 60)
        for _ in range(20):
            two = page.evaluate(
                "() => [document.querySelector('[data-needle]')?.dataset.needle,"
                " document.querySelector('[data-space-needle]')?.dataset.spaceNeedle]"
            )
            assert two[0] == two[1] or two[0] is None
        assert page.complaints == []
