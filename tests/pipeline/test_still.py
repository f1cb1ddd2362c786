"""A still shows what is shown, says how old its outlines are, and leaves out what is of another picture."""

import time
from dataclasses import replace

import numpy as np
import pytest

from insonate.core import CoordinateFrame, InputError, NeedlePose, NeedleState
from insonate.display.caption import LINE
from insonate.guidance.procedures import procedure
from insonate.pipeline import chain, live
from insonate.pipeline.flow import UNKNOWN, Flow
from insonate.pipeline.live import Live
from insonate.pipeline.still import COLOR_OLD, TOO_OLD, _within, _without_words, still
from pipeline.fakes import LABELLER, Script, picture
from simulation.motion.poses import held


@pytest.fixture
def shown(monkeypatch):
    monkeypatch.setattr(chain, "SEGMENTERS", LABELLER)
    monkeypatch.setattr(live, "RESTED", 0.01)
    one = Live(source=Script(picture()), procedure=procedure("UL03")).start()
    end = time.monotonic() + 20
    while one.seen is None or one.seen.guided is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    yield one
    one.stop()


def chroma(pixels):
    """How colored each pixel is."""
    return np.ptp(pixels.astype(int), axis=-1)


def test_it_shows_the_picture_with_its_outlines_and_words_beside_it(shown):
    pixels = still(shown)
    assert pixels.ndim == 3 and pixels.shape[0] > 500
    assert (chroma(pixels) > 60).sum() > 300  # outlines
    assert pixels[:LINE].max() > 150 and pixels[-LINE:].max() > 150


@pytest.mark.parametrize("older", [0.0, TOO_OLD + 1])
def test_outlines_that_are_too_old_are_left_out(shown, older):
    shown.frame = replace(shown.frame, made=shown.seen.made + older)
    outlined = (chroma(still(shown)) > 60).sum() > 300
    assert outlined == (older == 0)


@pytest.mark.parametrize("older", [0.0, COLOR_OLD + 0.1])
def test_color_is_laid_where_it_was_seen_as_long_as_it_is_of_the_picture(shown, older):
    shown.frame = replace(shown.frame, made=shown.seen.made + TOO_OLD + 1)  # no outlines
    velocities = np.full((20, 20), UNKNOWN, np.int8)
    velocities[5:15, 5:15] = 127
    shown.flow = Flow(
        velocities=velocities,
        nyquist=0.1,
        origin=(0.005, 0.0),
        step=(5e-4, 5e-4),
        time=0.0,
        made=shown.frame.made - older,
    )
    colored = chroma(still(shown)) > 60
    assert bool(colored.any()) == (older == 0)
    if older == 0:
        rows, _ = np.nonzero(colored)
        grid = shown.frame.image.grid
        scale = (still(shown).shape[0] - 3 * LINE) / (grid.shape[0] * grid.step[0])
        assert np.ptp(rows) / scale == pytest.approx(10 * 5e-4, rel=0.1)
        assert (rows.mean() - LINE) / scale == pytest.approx(0.005 + 9.5 * 5e-4 - grid.origin[0], rel=0.06)


def test_with_a_needle_inside_nothing_that_is_planned_afresh_is_drawn(shown):
    drawing = shown.seen.guided.drawing
    planned = {"path", "clearance", "target"}
    assert planned & {line.role for line in drawing.lines}
    kept = _without_words(drawing, inside=True)
    assert not planned & {one.role for one in (*kept.lines, *kept.labels)}
    assert "structure" in {line.role for line in kept.lines}
    assert _without_words(drawing, inside=False).lines == drawing.lines


def test_before_the_first_picture_there_is_none():
    with pytest.raises(InputError, match="no picture yet"):
        still(Live(source=Script(picture()), procedure=procedure("UL03")))


def test_a_shaft_that_enters_beside_the_picture_is_drawn_from_its_edge():
    assert _within((0.02, 0.0), (0.0, -0.04), (-0.02, 0.02)) == pytest.approx((0.01, -0.019))
    assert _within((0.02, 0.0), (0.0, 0.04), (-0.02, 0.02)) == pytest.approx((0.01, 0.019))
    assert _within((0.02, 0.0), (0.0, -0.01), (-0.02, 0.02)) == (0.0, -0.01)


def test_the_needle_is_drawn_while_it_is_inside_and_told_as_what_it_is(shown):
    plain = still(shown)
    shown.readings.take(replace(held(), time=0.0))
    tip = np.array([0.001, 0.0, 0.015])
    pose = NeedlePose(
        state=NeedleState.TIP,
        tip=tip,
        direction=np.array([0.8, 0.0, 0.6]),
        covariance=np.eye(3) * 1e-7,
        frame=CoordinateFrame.PATIENT,
        time=0.0,
    )
    green = np.array([0x8D, 0xF7, 0xA4])

    def needles():
        return (np.abs(still(shown).astype(int) - green).max(axis=-1) < 50).sum()

    assert (np.abs(plain.astype(int) - green).max(axis=-1) < 50).sum() < 20
    shown.readings.take(pose)
    assert needles() > 100
    shown.problem = "the source stopped"  # nobody knows where it is now
    assert needles() < 20
    shown.problem = None
    shown.readings.take(replace(pose, tip=np.array([0.001, 0.0, 0.001])))  # not yet under the skin
    assert needles() < 20
