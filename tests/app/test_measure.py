"""Measures on a held picture: the page's own formulas against NumPy and chance, and hands that mark in a real browser."""

import json

import numpy as np
import pytest

from app.browser import browsing, live, module, serving, until

DRAWS = 40_000
SEED = 5


def asked(measures, spread):
    """What the page's module says of each measure: value and half interval."""
    return module(
        "measure",
        f"{json.dumps(measures)}.map((one) => [valueOf(one, {json.dumps(spread)}), crosses(one.marks)])",
    )


def distance(marks):
    return np.hypot(*np.moveaxis(marks[..., 1, :] - marks[..., 0, :], -1, 0))


def angle(marks):
    first, second = marks[..., 0, :] - marks[..., 1, :], marks[..., 2, :] - marks[..., 1, :]
    return np.arccos(
        (first * second).sum(-1) / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)
    )


def area(marks):
    (y, x), (v, u) = np.moveaxis(marks, -1, 0), np.moveaxis(np.roll(marks, -1, axis=-2), -1, 0)
    return np.abs((x * v - u * y).sum(-1)) / 2


OF = {"distance": (distance, 2), "angle": (angle, 3), "area": (area, 9)}


@pytest.mark.parametrize("kind", OF)
def test_a_measure_and_its_interval_are_what_chance_gives(kind):
    rng = np.random.default_rng(SEED)
    truth, count = OF[kind]
    measures, spread = [], (3e-5, 9e-5)
    for _ in range(12):
        around = (
            np.sort(rng.uniform(0, 2 * np.pi, count)) if kind == "area" else rng.uniform(0, 2 * np.pi, count)
        )
        marks = 8e-3 * np.stack([np.sin(around), np.cos(around)], axis=1) * rng.uniform(0.6, 1, (count, 1))
        if kind == "angle":
            marks[1] = 0.01 + marks[1] / 8
        measures.append(marks)
    said = asked([{"kind": kind, "marks": marks.tolist()} for marks in measures], spread)
    for (value, _), marks in zip(said, measures, strict=True):
        assert value["value"] == pytest.approx(truth(marks), rel=1e-9)
        drawn = truth(marks + rng.normal(size=(DRAWS, *marks.shape)) * spread)
        assert value["half"] == pytest.approx(1.96 * drawn.std(), rel=0.05)


def test_an_interval_its_rate_and_their_intervals_are_what_chance_gives():
    rng = np.random.default_rng(SEED)
    spread = (1e-4, 0.02)
    for _ in range(8):
        marks = np.stack([rng.uniform(0, 0.04, 2), rng.uniform(0, 3, 2) + np.array([0, 1.5])], axis=1)
        said = module("measure", f"intervalOf({json.dumps(marks.tolist())}, {json.dumps(spread)})")
        drawn = marks + rng.normal(size=(DRAWS, 2, 2)) * spread
        later = drawn[:, 1, 1] - drawn[:, 0, 1]
        if abs(marks[1, 1] - marks[0, 1]) < 0.5:
            continue
        for name, value, chance in (
            ("time", marks[1, 1] - marks[0, 1], later),
            ("depth", marks[1, 0] - marks[0, 0], drawn[:, 1, 0] - drawn[:, 0, 0]),
            ("rate", 60 / abs(marks[1, 1] - marks[0, 1]), 60 / np.abs(later)),
        ):
            assert said[name]["value"] == pytest.approx(abs(value), rel=1e-9)
            assert said[name]["half"] == pytest.approx(1.96 * chance.std(), rel=0.06)


def test_marks_of_one_moment_have_no_rate():
    said = module("measure", "intervalOf([[0.01, 2], [0.02, 2.01]], [1e-4, 0.02])")
    assert said["rate"] is None
    assert said["depth"]["value"] == pytest.approx(0.01)
    words = module("measure", "intervalWords([[0.01, 2], [0.02, 2.01]], [1e-4, 0.02], 'm')")
    assert "a minute" not in words and "10.0 ±" in words


def test_what_has_no_value_has_none():
    said = asked(
        [
            {"kind": "distance", "marks": [[0.01, 0.02], [0.01, 0.02]]},
            {"kind": "angle", "marks": [[0, 0], [0, 0], [0, 1]]},
            {"kind": "area", "marks": [[0, 0], [0, 1], [0, 2]]},
            {"kind": "area", "marks": [[0, 0], [1, 1], [0, 1], [1, 0]]},
        ],
        (1e-3, 1e-3),
    )
    assert [value for value, _ in said] == [None, None, None, None]
    assert [crossed for _, crossed in said] == [False, False, False, True]


def table(page):
    return page.locator(".strip tr").all_inner_texts()


@pytest.mark.browser
@pytest.mark.slow
def test_hands_measure_by_pointer_and_by_keys_on_a_held_picture():
    with serving() as server, browsing() as page:
        live(page, server.url)
        page.keyboard.press("c")
        page.wait_for_selector(".layer.on")
        assert page.get_attribute("[data-view]", "data-view") == "frozen"
        # a millimeter a press, beside the depth that the picture shows
        for _ in range(5):
            page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        for _ in range(12):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        until(lambda: len(table(page)) == 1)
        assert "12.0 ±" in table(page)[0] and table(page)[0].endswith("mm")
        box = page.locator(".picture").bounding_box()
        one, two = page.evaluate(
            "() => [...document.querySelectorAll('.gutter.right .b')].map((tick) => tick.getBoundingClientRect().top)"
        )[-2:]
        depth = box["height"] / (two - one)  # by the scale beside it [cm]
        page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.25 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.75 * box["height"], steps=3)
        page.mouse.up()
        until(lambda: len(table(page)) == 2)
        assert float(table(page)[1].split()[2]) == pytest.approx(10 * depth / 2, abs=0.15)
        page.get_by_role("radio", name="Area").click()
        box = page.locator(".picture").bounding_box()  # a line more of words above it makes it smaller
        for x, y in ((0.3, 0.3), (0.5, 0.3), (0.5, 0.5), (0.3, 0.5), (0.3, 0.3)):
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        until(lambda: len(table(page)) == 3)
        side = 10 * depth * 0.2
        wide = side * box["width"] / box["height"]
        assert float(table(page)[2].split()[2]) == pytest.approx(side * wide, rel=0.03)
        before = table(page)
        page.keyboard.press("Escape")
        page.keyboard.press("PageUp")
        until(lambda: "Zoom 1." in page.inner_text(".picture"))
        assert table(page) == before  # enlarging changes no measure
        page.keyboard.press("PageDown")
        page.keyboard.press("c")
        page.wait_for_selector(".layer.on")
        page.keyboard.press("Backspace")
        until(lambda: len(table(page)) == 2)
        page.keyboard.press("f")
        page.wait_for_selector("[data-view=live]")
        assert table(page) == []  # the same places are others on the next picture
        assert page.complaints == []


@pytest.mark.browser
@pytest.mark.slow
def test_a_nerve_named_on_a_still_picture_is_measured_beside_its_reference(shared_data):
    picture = shared_data("usgra-seg") / "images" / "0000.png"
    with (
        serving(str(picture), "--spacing", "0.1", "--procedure", "UL06") as server,
        browsing() as page,
    ):
        live(page, server.url)
        label = page.locator("[data-label]", has_text="Nerve")
        until(lambda: label.count() == 1, 60)
        label.click()
        page.locator(".names button", has_text="median nerve").click()
        until(lambda: "median nerve" in label.inner_text().lower())
        box = page.locator(".picture").bounding_box()
        page.keyboard.press("c")
        page.wait_for_selector(".layer.on")
        page.get_by_role("radio", name="Area").click()
        side = 2 / 33.4 * box["height"]  # 2 mm of the whole picture, inside the nerve as its masks have it
        x, y = box["x"] + 0.64 * box["width"] - side / 2, box["y"] + 0.39 * box["height"] - side / 2
        for across, down in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0)):
            page.mouse.click(x + side * across, y + side * down)
        until(lambda: len(table(page)) == 1)
        assert "median nerve" in table(page)[0]
        assert "6" in table(page)[0] and "mean 9.88 mm²" in page.inner_text(".strip")
        assert page.complaints == []
