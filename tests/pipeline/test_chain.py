"""The walk from what was read to a plan, stage by stage, on things whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import (
    Grid,
    Image,
    InputError,
    IQImage,
    PixelGrid,
    PolarGrid,
    Quantity,
    RangeError,
    Scene,
)
from insonate.guidance.procedures import procedure
from insonate.pipeline import chain
from insonate.pipeline.chain import (
    as_image,
    cut,
    frame_of,
    grid_of,
    guide,
    guide_scene,
    label,
    one_frame,
    with_depth,
)
from pipeline.fakes import CARRIER, LABELLER, PITCH, RATE, SPEED, bordered, on_grid, painted, picture, shot
from refusals import refused
from strategies import channel_data
from tolerances import ATOL_ZERO, RTOL_FLOAT64

HALF_PIXEL = 0.5
"""A peak on a grid lies within half a pixel of the point that made it."""


@pytest.fixture(autouse=True)
def _labelled_by_brightness(monkeypatch):
    monkeypatch.setattr(chain, "SEGMENTERS", LABELLER)


# --- the grid of channel data ---


@pytest.mark.parametrize("rows", [200, 300, 392])
def test_columns_by_the_pitch_lie_at_simple_shares_of_it(rows):
    data = shot(n_samples=4000)
    plain, grid = (grid_of(data, depth=0.04, rows=rows, by_pitch=by) for by in (False, True))
    share = grid.step[1] / PITCH
    assert min(abs(share * down - round(share * down)) for down in range(1, chain.MOST_SHARES + 1)) < 1e-6
    assert plain.step[1] <= grid.step[1] <= 1.13 * plain.step[1]
    assert grid.step[0] == pytest.approx(grid.step[1], rel=RTOL_FLOAT64)
    assert len(grid.axial) <= rows


def test_a_grid_goes_from_the_pulse_to_the_last_sample_in_quarter_wavelengths():
    grid = grid_of(shot(n_samples=800))
    assert grid.axial[0] == pytest.approx(chain.SHALLOWEST, abs=ATOL_ZERO)
    step = SPEED / CARRIER / 4
    np.testing.assert_allclose(grid.step, (step, step), rtol=RTOL_FLOAT64)
    recorded = 800 / RATE * SPEED / 2
    assert recorded - step < grid.axial[-1] <= recorded
    np.testing.assert_allclose(grid.lateral[0], -grid.lateral[-1], atol=ATOL_ZERO)
    assert 31 * PITCH - step < grid.lateral[-1] - grid.lateral[0] <= 31 * PITCH


def test_a_grid_lies_under_its_array_wherever_that_is():
    data = shot()
    probe = data.acquisition.probe
    aside = replace(probe, element_positions=probe.element_positions + np.array([0.01, 0, 0]))
    grid = grid_of(replace(data, acquisition=replace(data.acquisition, probe=aside)))
    np.testing.assert_allclose(grid.lateral - 0.01, grid_of(data).lateral, atol=ATOL_ZERO)


def test_a_late_start_of_recording_is_where_the_grid_begins():
    data = shot()
    late = replace(data.acquisition.transmits[0], initial_time=10e-6)
    data = replace(data, acquisition=replace(data.acquisition, transmits=(late,)))
    assert grid_of(data).axial[0] == pytest.approx(10e-6 * SPEED / 2, rel=RTOL_FLOAT64)


def test_a_depth_shortens_the_grid_and_never_lengthens_it():
    data = shot()
    whole = grid_of(data)
    assert grid_of(data, depth=0.02).axial[-1] == pytest.approx(0.02, abs=whole.step[0])
    assert grid_of(data, depth=0.02).axial[-1] <= 0.02
    assert grid_of(data, depth=0.4).axial[-1] == whole.axial[-1]
    assert grid_of(data, depth=1e-9).axial[-1] == pytest.approx(2 * chain.SHALLOWEST, abs=whole.step[0])


@given(channel_data(), st.integers(2, 900))
def test_no_grid_has_more_rows_or_columns_than_asked_for(data, rows):
    try:
        grid = grid_of(data, rows=rows)
    except InputError as error:
        assert "must reach deeper than" in str(error)
        return
    assert grid.shape[0] <= rows
    assert grid.shape[1] <= chain.MOST_COLUMNS
    if grid.shape[0] > 1:
        np.testing.assert_allclose(grid.step[0], grid.step[1], rtol=1e-6)


def test_a_very_wide_array_has_larger_pixels_and_not_more():
    data = shot()
    probe = data.acquisition.probe
    wide = replace(probe, element_positions=probe.element_positions * 20, center_frequency=50e6)
    data = replace(data, acquisition=replace(data.acquisition, probe=wide, sampling_frequency=400e6))
    assert grid_of(data).shape[1] == chain.MOST_COLUMNS


def test_channel_data_of_the_pulse_alone_are_refused():
    with refused(InputError, "channel data must reach deeper than 1.0 mm, got samples to 0.8 mm"):
        grid_of(shot(n_samples=20))


# --- images ---


def test_a_point_comes_out_where_it_was():
    image = as_image(shot(depth=0.02, x=1.5e-3))
    row, column = np.unravel_index(image.values[0].argmax(), image.grid.shape)
    step = image.grid.step[0]
    assert image.quantity is Quantity.B_MODE
    assert image.grid.axial[row] == pytest.approx(0.02, abs=2 * step)
    assert image.grid.lateral[column] == pytest.approx(1.5e-3, abs=2 * step)


def test_dynamic_range_and_f_number_reach_the_stages():
    image = as_image(shot(), dynamic_range=40.0, f_number=2.5)
    by_name = {step.name: step.settings for step in image.provenance}
    assert by_name["delay_and_sum"]["f_number"] == 2.5
    assert image.values.min() >= -40.0
    assert as_image(shot(), dynamic_range=90.0).values.min() < -40.0


@pytest.mark.parametrize("kind", ["channel data", "beamformed", "image", "colored"])
def test_one_frame_asked_for_is_that_frame_of_all(kind):
    times = np.array([0.5, 0.75, 1.25])
    if kind == "channel data":
        frames = shot(n_frames=3, times=times[:, None])
        whole = replace(frames, samples=frames.samples * np.float32([1, 2, 3])[:, None, None, None])
    elif kind == "beamformed":
        rng = np.random.default_rng(1)
        whole = IQImage(
            values=rng.normal(size=(3, 20, 10, 2)) @ (1, 1j),
            grid=PixelGrid(rows=20, columns=10, spacing=None),
            times=times,
            center_frequency=5e6,
            sound_speed=1540.0,
        )
    else:
        whole = picture(*(painted(30, 40, seed=k) for k in range(3)), times=times, color=kind == "colored")
    alone = as_image(whole, only_frame=1)
    assert alone.n_frames == 1
    assert alone.times.tolist() == [0.75]
    everything = as_image(whole)
    if kind in ("image", "colored"):
        np.testing.assert_array_equal(alone.values[0], everything.values[1])
    else:  # 0 dB is the loudest of what is shown
        shown = everything.values[1] - everything.values[1].max()
        np.testing.assert_allclose(alone.values[0][shown > -50], shown[shown > -50], atol=1e-3)
    if kind == "colored":
        np.testing.assert_array_equal(alone.color[0], everything.color[1])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"only_frame": 1}, "frame must lie in 1..1, got 2"),
        ({"only_frame": -1}, "frame must lie in 1..1, got 0"),
        ({"dynamic_range": 5}, "dynamic_range must lie in 10..120 dB, got 5"),
        ({"f_number": 0}, "f_number must lie in 0.3..10 1, got 0"),
        ({"f_number": np.nan}, "f_number must lie in 0.3..10 1, got nan"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with refused(RangeError, message):
        as_image(picture(), **settings)


def test_what_is_no_noun_is_refused():
    class Odd:
        n_frames = 1

    with refused(InputError, "expected channel data, baseband pixels or an image, got Odd"):
        as_image(Odd())


def test_one_frame_of_channel_data_keeps_its_time():
    data = shot(n_frames=3, times=np.array([[0.0], [0.1], [0.2]]))
    assert one_frame(data, 2).times.tolist() == [[0.2]]
    assert one_frame(shot(n_frames=2), 1).times is None


def test_one_frame_of_an_image_keeps_its_pose_and_time():
    image = picture(painted(seed=1), painted(seed=2), times=np.array([0.0, 0.5]), color=True)
    second = frame_of(image, 1)
    assert second.times.tolist() == [0.5]
    np.testing.assert_array_equal(second.values[0], image.values[1])
    np.testing.assert_array_equal(second.color[0], image.color[1])


# --- sectors ---


def sector(radius, azimuth, apex=(0, 0, 0)):
    """An image that is bright by its radius alone: 0 at the first sample, 1 at the last."""
    grid = PolarGrid(radius=np.array(radius), azimuth=np.array(azimuth), apex=np.array(apex))
    ramp = (grid.radius - grid.radius[0]) / np.ptp(grid.radius)
    values = np.repeat(ramp[:, None], len(grid.azimuth), axis=1).astype(np.float32)
    return Image(values=values[np.newaxis], quantity=Quantity.BRIGHTNESS, grid=grid)


@pytest.mark.parametrize(
    ("half", "apex"), [(0.4, (0, 0, 0)), (1.2, (0.01, 0, 0)), (2.0, (0, 0, 0)), (np.pi, (0, 0, 0.0))]
)
def test_a_converted_sector_holds_the_value_of_each_radius_and_nothing_is_cut_off(half, apex):
    radius = np.linspace(0.02, 0.06, 200)
    image = as_image(sector(radius, np.linspace(-half, half, 181), apex))
    grid = image.grid
    assert isinstance(grid, Grid)
    r = np.hypot(grid.lateral[None, :] - apex[0], grid.axial[:, None] - apex[2])
    angle = np.arctan2(grid.lateral[None, :] - apex[0], grid.axial[:, None] - apex[2])
    within = (r >= 0.02) & (r <= 0.06) & (np.abs(angle) <= half)
    np.testing.assert_allclose(image.values[0][within], ((r - 0.02) / 0.04)[within], atol=1e-5)
    assert (image.values[0][~within] <= 1e-5).all()
    reach = 0.06 * np.sin(min(half, np.pi / 2))
    assert grid.lateral[0] - apex[0] == pytest.approx(-reach, abs=grid.step[1])
    assert grid.lateral[-1] - apex[0] == pytest.approx(reach, abs=grid.step[1])
    assert grid.axial[-1] == pytest.approx(0.06, abs=grid.step[0])
    assert grid.axial[0] == pytest.approx(
        max(0.02 * np.cos(half) if half < 1.5 else 0.0, 0), abs=grid.step[0]
    )


def test_a_thin_sector_does_not_fill_the_memory():
    image = as_image(sector([1.0, 1.0001], np.linspace(-0.7, 0.7, 5)))
    assert image.grid.shape[0] <= chain.MOST_ROWS
    assert image.grid.shape[1] <= chain.MOST_COLUMNS


@pytest.mark.parametrize(
    ("radius", "azimuth"), [([0.02, 0.03], [0.1]), ([0.02], [-0.1, 0.1])], ids=["one line", "one sample"]
)
def test_a_sector_without_a_surface_is_refused(radius, azimuth):
    grid = PolarGrid(radius=np.array(radius), azimuth=np.array(azimuth), apex=np.zeros(3))
    values = np.zeros((1, len(radius), len(azimuth)), np.float32)
    with refused(InputError, f"a sector needs at least two lines of two samples, got {grid.describe()}"):
        as_image(Image(values=values, quantity=Quantity.BRIGHTNESS, grid=grid))


def test_a_sector_above_the_face_is_refused():
    with refused(InputError, "a sector must reach below the face of the probe, got -10.0 mm"):
        as_image(sector([0.05, 0.06], [-0.3, 0.0, 0.3], (0, 0, -0.07)))


# --- the part that holds echoes ---


def test_a_part_keeps_its_place_on_a_picture():
    image = picture(painted(seed=1), painted(seed=2), color=True)
    part = cut(image, (10, 20, 30, 40))
    np.testing.assert_array_equal(part.values, image.values[:, 10:40, 20:60])
    np.testing.assert_array_equal(part.color, image.color[:, 10:40, 20:60])
    assert (part.grid.corner, part.grid.picture, part.grid.spacing) == ((10, 20), (240, 300), (1e-4, 1e-4))


def test_a_part_keeps_its_place_in_meters():
    image = on_grid(np.zeros((1, 50, 60), np.float32))
    part = cut(image, (5, 7, 10, 20))
    np.testing.assert_array_equal(part.grid.axial, image.grid.axial[5:15])
    np.testing.assert_array_equal(part.grid.lateral, image.grid.lateral[7:27])


def test_the_whole_is_the_image_itself():
    image = picture()
    assert cut(image, (0, 0, 240, 300)) is image


def test_no_part_of_a_sector_is_cut():
    with refused(
        InputError, "an area is cut from a Grid or PixelGrid, got PolarGrid: convert the scan first"
    ):
        cut(sector([0.01, 0.02], [-0.1, 0.1]), (0, 0, 1, 1))


def test_labels_are_sought_within_the_borders_and_told_step_by_step():
    whole, area = bordered(painted())
    told = []
    scene = label(picture(whole, whole), report=lambda *words: told.append(words))
    assert scene.area == pytest.approx(area, abs=1)
    assert scene.image.grid.corner == scene.area[:2]
    assert scene.segmentation.labels.shape == (2, *scene.area[2:])
    assert told == [(0, 2, "labelling"), (0, 2, "labelling"), (1, 2, "labelling"), (2, 2, "labelling")]
    row, column = np.argwhere(scene.segmentation.labels[0] == 1).mean(axis=0)
    assert (row, column) == pytest.approx((60 + 20, 70 + 30) - np.array(scene.area[:2]), abs=HALF_PIXEL)


def test_an_area_that_is_known_is_taken():
    scene = label(picture(), area=(1, 2, 100, 100))
    assert scene.area == (1, 2, 100, 100)
    assert scene.image.grid.shape == (100, 100)


# --- spacing from a depth ---


def test_a_depth_is_that_of_the_echoes_and_not_of_the_picture():
    whole, area = bordered(painted())
    spaced = with_depth(picture(whole, spacing=None), 0.048)
    np.testing.assert_allclose(spaced.grid.spacing, (0.048 / area[2],) * 2, rtol=RTOL_FLOAT64)


@pytest.mark.parametrize(
    ("depth", "shown"),
    [(0.002, "0.002"), (4.0, "4"), (40, "40")],
    ids=["millimeters", "a room", "centimeters"],
)
def test_an_impossible_depth_is_refused(depth, shown):
    message = f"depth must lie in 0.003..0.4 m, got {shown} (centimeters or millimeters?)"
    with refused(RangeError, message):
        with_depth(picture(spacing=None), depth)


def test_a_depth_is_refused_where_the_file_says_its_spacing():
    message = "spacing can only be supplied where it is unknown, the file itself says 0.1 x 0.1 mm"
    with refused(InputError, message):
        with_depth(picture(), 0.04)


# --- the plan ---


@pytest.fixture
def clip():
    """Three frames: nothing, a nerve, a smaller nerve."""
    return picture(
        painted(nerve=None, seed=1),
        painted(seed=2),
        painted(nerve=(60, 70, 9), seed=3),
        times=np.array([0.0, 0.1, 0.2]),
    )


def test_it_is_planned_on_the_frame_whose_target_is_surest(clip):
    guided = guide(clip, procedure("UL03"))
    assert guided.frame == 1
    assert guided.image is clip
    assert guided.whole.segmentation.labels.shape[0] == 3
    assert guided.scene.image.n_frames == guided.scene.segmentation.labels.shape[0] == 1
    np.testing.assert_array_equal(guided.scene.image.values[0], clip.values[1])
    assert guided.scene.image.times.tolist() == guided.scene.segmentation.times.tolist() == [0.1]
    assert guided.plan.procedure == "UL03"
    assert guided.scene.segmentation.structures[guided.plan.target - 1].tissue.value == "nerve"
    assert guided.plan.paths


def test_it_is_planned_on_the_frame_asked_for(clip):
    guided = guide(clip, procedure("UL03"), frame=2)
    assert guided.frame == 2
    np.testing.assert_array_equal(guided.scene.image.values[0], clip.values[2])
    assert guide(clip, procedure("UL03"), frame=0).plan.target is None


def test_what_is_not_known_does_not_choose_the_frame(clip):
    scene = label(clip)
    found = scene.segmentation
    confidence = found.confidence.copy()
    confidence[1] = (
        0.45  # under the threshold of 0.5; summed over the larger nerve, still more than the other
    )
    scene = replace(scene, segmentation=replace(found, confidence=confidence))
    assert guide_scene(scene, clip, procedure("UL03")).frame == 2


def test_where_no_target_is_seen_the_first_frame_is_told_of():
    guided = guide(picture(painted(nerve=None), painted(nerve=None)), procedure("UL03"))
    assert guided.frame == 0
    assert guided.plan.target is None
    assert guided.plan.paths == ()


def test_the_drawing_says_what_was_planned_and_whether_it_is_real(clip):
    real = guide(clip, procedure("UL03")).drawing
    assert real.title == "UL03 Supraclavicular brachial plexus block, not reviewed by a clinician"
    assert "imulated" not in str(real.to_json())
    assert "imulated" in str(guide(clip, procedure("UL03"), simulated=True).drawing.to_json())


@pytest.mark.parametrize("frame", [3, -1])
def test_a_frame_that_is_not_there_is_refused_before_any_work(clip, frame, monkeypatch):
    monkeypatch.setattr(chain, "label", None)
    with refused(RangeError, f"frame must lie in 1..3, got {frame + 1}"):
        guide(clip, procedure("UL03"), frame=frame)


def test_a_scene_without_labels_is_refused(clip):
    with refused(
        InputError, "a scene must hold an image and its segmentation to be planned on, got one without"
    ):
        guide_scene(Scene(image=clip), clip, procedure("UL03"))


def test_a_picture_is_made_with_and_without_a_drawing(clip):
    guided = guide(clip, procedure("UL03"))
    plain, drawn = chain.picture(guided.scene.image), chain.picture(guided.scene.image, guided.drawing)
    assert plain.shape[0] == drawn.shape[0] == 700
    assert plain.dtype == np.uint8
    assert drawn.shape[1] > plain.shape[1]  # what is unknown is written beside the picture
    other = chain.picture(clip, frame=0)
    assert (other != chain.picture(clip, frame=1)).any()
