"""The screen of a real scanner, through the browser: the server, and the whole path with a real clip."""

import os

import numpy as np
import pytest

import insonate
from app.browser import PLAIN, browsing, live, serving, until, view
from app.serving import Client, with_sources
from conftest import shared_data
from insonate.app.examination import Examination
from insonate.app.server import create_app

BEGUN = {"name": "USB grabber", "rows": 40, "columns": 60, "spacing_mm": 0.1}
FRAME = bytes(range(240)) * 10


@pytest.fixture
def examination(monkeypatch, tmp_path):
    with_sources(monkeypatch)
    one = Examination("LL01", recordings=tmp_path)
    one.show_patient()
    yield one
    one.stop()


@pytest.fixture
def client(examination):
    return Client(create_app(examination))


def test_a_screen_is_shown_as_a_real_source_of_its_spacing(client, examination):
    hello = client.post("/api/grabber", json=BEGUN).json()
    assert (hello["source"], hello["simulated"], hello["spacing_known"]) == (
        "my machine, USB grabber",
        False,
        True,
    )
    path = f"/api/grabber/frame?stream={hello['stream']}"
    assert client.post(path, content=FRAME).status_code == 204
    frame = examination.live.wait(0, 10)
    assert frame.pixels.shape == (40, 60)
    assert frame.image.grid.spacing == pytest.approx((1e-4, 1e-4))
    assert examination.live.wait(frame.number, 0.3) is None  # nothing more came, nothing more is shown


def test_without_a_ruler_lengths_are_in_pixels(client):
    hello = client.post("/api/grabber", json=BEGUN | {"spacing_mm": None}).json()
    assert not hello["spacing_known"] and not hello["spacing_can_be_supplied"]


@pytest.mark.parametrize(
    "wrong",
    [{"rows": 31}, {"columns": 5000}, {"spacing_mm": 0}, {"spacing_mm": 11}, {"name": ""}, {"rows": "40"}],
)
def test_what_no_screen_is_is_refused_and_what_was_shown_goes_on(client, examination, wrong):
    before = examination.stream
    assert client.post("/api/grabber", json=BEGUN | wrong).status_code == 422
    assert examination.stream == before


def test_frames_of_another_size_or_for_another_source_are_refused(client, examination):
    assert client.post(f"/api/grabber/frame?stream={examination.stream}", content=FRAME).status_code == 409
    stream = client.post("/api/grabber", json=BEGUN).json()["stream"]
    path = f"/api/grabber/frame?stream={stream}"
    answer = client.post(path, content=FRAME[:-1])
    assert answer.status_code == 422 and "got 2399" in answer.json()["error"]
    assert client.post(path, content=bytes(2048 * 2048 + 1)).status_code == 413
    client.post("/api/simulated")
    assert client.post(path, content=FRAME).status_code == 409


def test_a_screen_that_another_screen_took_the_place_of_is_refused(client, examination):
    before, now = (client.post("/api/grabber", json=BEGUN).json()["stream"] for _ in range(2))
    assert client.post(f"/api/grabber/frame?stream={before}", content=FRAME).status_code == 409
    assert client.post(f"/api/grabber/frame?stream={now}", content=FRAME).status_code == 204


# --- the whole path ---

WIDE, HIGH, LEFT, TOP = 1280, 720, 300, 60
"""Of a scanner's screen, and where its picture lies [pixels]."""
RULER, APART = 1200, 100
"""Column of its ruler, and pixels between marks that are 10 mm apart."""


def screen(path, frames):
    """Write what a grabber would give of a scanner's screen: a real clip, a frame around it, a ruler; as YUV4MPEG2."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDE} H{HIGH} F25:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames:
            grey = np.full((HIGH, WIDE), 20, np.uint8)
            rows, columns = frame.shape
            grey[TOP : TOP + rows, LEFT : LEFT + columns] = frame
            for mark in range(100, 701, APART):
                grey[mark - 1 : mark + 2, RULER : RULER + 20] = 255
            file.write(b"FRAME\n" + grey.tobytes() + bytes([128]) * (WIDE * HIGH // 2))
    return path


@pytest.fixture(scope="module")
def clip():
    folder = shared_data("vessel-doppler")
    image = insonate.open(sorted(folder.glob("*BMode*.mov"))[0])[0]
    grey = np.clip(255 * image.values[:25], 0, 255).astype(np.uint8)
    return grey[:, : HIGH - TOP, : RULER - LEFT - 20]


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.data
def test_a_real_clip_goes_the_whole_way_from_a_grabber_to_a_labelled_recorded_picture(clip, tmp_path):
    fed = screen(tmp_path / "screen.y4m", clip)
    flags = (
        *PLAIN,
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={fed}",
    )
    rows, columns = clip.shape[1:]
    with serving() as server, browsing(flags=flags) as page:
        live(page, server.url)
        page.get_by_role("button", name="My machine").click()
        until(lambda: "Click one corner" in page.inner_text(".does"), 30)

        def click(x, y):
            box = page.locator(".board").bounding_box()
            page.mouse.click(box["x"] + x / WIDE * box["width"], box["y"] + y / HIGH * box["height"])

        click(LEFT, TOP)
        until(lambda: "opposite corner" in page.inner_text(".does"))
        click(LEFT + columns, TOP + rows)
        until(lambda: "Good." in page.inner_text(".does"))
        page.get_by_role("button", name="Go on to the ruler").click()
        click(RULER + 10, 200)
        click(RULER + 10, 600)
        page.get_by_label("Both marks are").fill("40")
        until(
            lambda: (
                "One pixel is 0.1" in page.inner_text(".does")
                or "One pixel is 0.09" in page.inner_text(".does")
            )
        )
        if stills := os.environ.get("INSONATE_STILLS"):
            page.screenshot(path=f"{stills}/page-machine.png")
        page.get_by_role("button", name="Show it").click()
        until(lambda: "my machine" in page.inner_text("footer"), 30)
        until(lambda: view(page) == "live", 30)
        assert "SIMULATED" not in page.inner_text("body")
        until(lambda: "Grabbed" in page.inner_text("footer"))
        assert "cm" in page.inner_text(".gutter.right")  # as it was marked
        until(lambda: page.locator("path[data-role=structure]").count() > 0, 60)
        assert "not a medical device" in page.inner_text(".picture")
        shown = page.evaluate("() => document.querySelector('.canvas canvas').toDataURL().length")
        assert shown > 10_000
        if stills:
            page.screenshot(path=f"{stills}/machine-live.png")
        page.locator("button.rec").click()
        until(lambda: page.get_attribute("button.rec", "aria-pressed") == "true", 20)
        page.wait_for_timeout(1500)
        page.get_by_role("button", name="Simulated patient").click()
        until(lambda: "SIMULATED" in page.inner_text("header"), 60)
        until(lambda: "Grabbed" not in page.inner_text("footer"))
        page.get_by_role("button", name="Recordings").click()
        until(lambda: "my machine" in page.inner_text("dialog") or page.locator("dialog li").count() > 0, 20)
        # a frame that was on its way when the source changed is refused, and the browser says so
        assert [said for said in page.complaints if "409 (Conflict)" not in said] == []
