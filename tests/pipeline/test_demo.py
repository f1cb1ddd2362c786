"""The picture of the README is made from channel data, whatever source the catalog names, and all or nothing."""

import numpy as np
import pytest
from PIL import Image as Picture

from insonate.core import InputError
from insonate.pipeline import chain, demo
from insonate.pipeline.catalog import Catalog
from pipeline.fakes import LABELLER, Script, on_grid, shot
from refusals import refused


class Points(Script):
    """Echoes of a point, the same with every tick."""

    def __init__(self):
        self.given = 0

    def advance(self, commands, until):
        while True:
            self.given += 1
            yield shot(0.02)


class Pictures(Script):
    def __init__(self):
        super().__init__()

    def advance(self, commands, until):
        yield on_grid(np.zeros((1, 5, 5), np.float32))


@pytest.fixture(autouse=True)
def _labelled_by_brightness(monkeypatch):
    monkeypatch.setattr(chain, "SEGMENTERS", LABELLER)


def from_source(monkeypatch, source):
    made = []

    class Sources(Catalog):
        def get(self, name):
            assert name == "patient"
            return lambda: made.append(source()) or made[-1]

    monkeypatch.setattr(demo, "SOURCES", Sources("insonate.sources", {}))
    return made


def test_it_compounds_the_angles_of_every_moment_and_says_what_it_made(tmp_path, monkeypatch):
    made = from_source(monkeypatch, Points)
    told = []
    said = demo.make_demo(tmp_path / "demo.png", report=lambda *words: told.append(words))
    assert made[0].given == demo.ANGLES * demo.FRAMES
    with Picture.open(tmp_path / "demo.png") as picture:
        assert picture.size[1] == 800
        pixels = np.asarray(picture.convert("RGB"))
    assert said.startswith(
        f"{tmp_path / 'demo.png'}: the simulated patient, Femoral nerve block, 5 path(s); "
    )  # the point is the nerve
    assert (0, demo.FRAMES + 1, "simulating and beamforming") in told
    assert pixels.max() > 200  # the point, which the labeller takes for the nerve
    assert [path.name for path in tmp_path.iterdir()] == ["demo.png"]


def test_a_body_that_gives_no_echoes_is_told(tmp_path, monkeypatch):
    from_source(monkeypatch, Pictures)
    with refused(InputError, "the simulated patient gave no channel data"):
        demo.make_demo(tmp_path / "demo.png")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_no_picture_is_refused_before_any_work(tmp_path, monkeypatch):
    made = from_source(monkeypatch, Points)
    with refused(InputError, "--out must end in .png, got 'demo.jpg'"):
        demo.make_demo(tmp_path / "demo.jpg")
    assert made == []
    assert list(tmp_path.iterdir()) == []
