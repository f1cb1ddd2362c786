"""What is said of a noun is what it holds, in the units it names."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import IQImage, PixelGrid, Step
from insonate.guidance.procedures import procedure, procedures
from insonate.pipeline.summary import procedure_facts, summarize
from pipeline.fakes import on_grid, picture, shot
from strategies import channel_data, images, iq_images


def test_a_picture_of_unknown_spacing():
    told = summarize(picture(spacing=None))
    assert told["what"] == "brightness, 1 frame, 240 x 300 pixels, spacing unknown"
    assert told["kind"] == "brightness"
    assert told["spacing_mm"] is None
    assert told["frame_rate_hz"] is None
    assert told["facts"] == {"frame rate": "unknown"}
    assert told["shape"] == [1, 240, 300]


def test_a_clip_of_known_spacing_and_pace():
    values = np.zeros((240, 300), np.float32)
    told = summarize(picture(*[values] * 3, spacing=(1e-4, 2e-4), times=np.array([0.0, 0.1, 0.25])))
    assert told["what"].startswith("brightness, 3 frames, 240 x 300 pixels of 0.1 x 0.2 mm")
    assert told["spacing_mm"] == pytest.approx([0.1, 0.2])
    assert told["frame_rate_hz"] == pytest.approx(2 / 0.25)
    assert told["facts"]["frame rate"] == "8 Hz"


def test_a_region_says_where_in_its_picture_it_lies():
    image = picture()
    part = replace(image, values=image.values[:, 5:15, 7:27], grid=image.grid.cut((5, 7), (10, 20)))
    assert summarize(part)["facts"]["region"] == "at row 5, column 7 of 240 x 300"
    assert "region" not in summarize(image)["facts"]


def test_an_image_in_meters():
    told = summarize(on_grid(np.zeros((1, 50, 60), np.float32), step=1e-4))
    assert told["spacing_mm"] == pytest.approx([0.1, 0.1])


def test_channel_data_in_the_units_of_the_field():
    told = summarize(shot(n_frames=2, times=np.array([[0.0], [0.02]])))
    assert told["what"] == "channel data, 2 frames, 1 transmits, 32 elements, 900 samples of float32"
    assert told["facts"]["probe"] == "test, 5 MHz"
    assert told["facts"]["sampling"] == "20 MHz"
    assert told["facts"]["sound speed"] == "1540 m/s"
    assert told["frame_rate_hz"] == pytest.approx(50)
    assert told["spacing_mm"] is None


def test_baseband_channel_data_name_their_carrier():
    data = shot()
    data = replace(
        data,
        samples=data.samples.astype(np.complex64),
        acquisition=replace(data.acquisition, demodulation_frequency=5e6),
    )
    assert summarize(data)["facts"]["sampling"] == "20 MHz, IQ at 5 MHz"


def test_lines_are_called_beamformed_lines():
    lines = IQImage(
        values=np.ones((1, 4, 3), complex),
        grid=PixelGrid(rows=4, columns=3, spacing=None),
        times=None,
        center_frequency=5e6,
        sound_speed=1540.0,
    )
    assert summarize(lines)["kind"] == "beamformed lines"


def test_every_step_is_told_with_its_settings():
    steps = (
        Step(name="read x", settings={"codec": "h264", "frames": 3}, version="1"),
        Step(name="cut", version="1"),
    )
    facts = summarize(replace(picture(), provenance=steps))["facts"]
    assert facts["read x"] == "codec h264, frames 3"
    assert facts["cut"] == "-"


def test_times_that_stand_still_are_no_rate():
    assert summarize(picture(*[np.zeros((2, 2), np.float32)] * 2, times=np.zeros(2)))["frame_rate_hz"] is None


@given(st.one_of(channel_data(), iq_images(), images()))
def test_anything_can_be_told_as_json(noun):
    told = summarize(noun)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["n_frames"] == noun.n_frames == told["shape"][0]
    assert told["what"].startswith(told["kind"])


# --- procedures ---


@pytest.mark.parametrize("one", procedures(), ids=lambda one: one.id)
def test_every_number_of_a_procedure_is_told_with_its_source(one):
    facts = procedure_facts(one)
    json.dumps(facts, allow_nan=False)
    numbers = [
        facts["standoff"],
        facts["angle_limit"],
        *facts["depth"],
        *facts["volume"],
        *facts["needle"][1:],
    ]
    numbers += facts["hazards"]
    assert all("[" in number and ": " in number.split("[")[1] for number in numbers)
    assert len(facts["hazards"]) == len(one.hazards)
    assert facts["review"] == "not reviewed by a clinician"


def test_lengths_angles_and_volumes_are_in_the_units_they_name():
    one = procedure("LL01")
    facts = procedure_facts(one)
    assert facts["standoff"].startswith(f"{1e3 * one.target.standoff.value:g} mm [")
    assert facts["depth"][0].startswith(f"{1e2 * one.depth[0].value:g} cm [")
    assert facts["angle_limit"].startswith(f"{np.degrees(one.angle_limit.value):g} deg [")
    assert facts["volume"][1].startswith(
        f"{1e6 * one.injectate.volume[1].value:g} mL, a reference and no order ["
    )
    assert facts["needle"][2].startswith(f"{1e3 * one.needle.length.value:g} mm long [")
    assert f"margin {1e3 * one.hazards[0].margin.value:g} mm [" in facts["hazards"][0]
