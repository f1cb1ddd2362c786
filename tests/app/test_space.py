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
