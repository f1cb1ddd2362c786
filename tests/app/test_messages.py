"""One schema for both ends: frames byte for byte, and no message that was not agreed on."""

import importlib.util
import json
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.serving import Frame as TakenApart
from architecture.tree import CHECKOUT
from insonate.app import messages
from insonate.app.messages import Ack, Freeze, SetControl, SetProcedure, packed, parse
from insonate.core import Grid, Image, Quantity
from insonate.pipeline.live import Frame
from pipeline.fakes import picture


def frame(image=None, number=7):
    image = picture(spacing=(1e-4, 2e-4)) if image is None else image
    rows, columns = image.grid.shape
    pixels = np.arange(rows * columns, dtype=np.uint32).reshape(rows, columns).astype(np.uint8)
    return Frame(number=number, pixels=pixels, image=image, source_time=1.25, made=time.time())


# --- frames ---


def test_a_frame_byte_for_byte():
    one = frame()
    data = packed(one, lost=3, simulated=True)
    assert len(data) == 72 + 240 * 300
    taken = TakenApart(data)
    assert (taken.magic, taken.version, taken.zero) == (b"INSO", 1, 0)
    assert (taken.number, taken.lost) == (7, 3)
    assert (taken.rows, taken.columns) == (240, 300)
    assert (taken.source_time, taken.made) == (1.25, one.made)
    assert taken.extent == [0.0, 0.0, 1e-4, 2e-4]
    np.testing.assert_array_equal(taken.pixels, one.pixels)


@pytest.mark.parametrize(
    ("spacing", "simulated", "flags"),
    [((1e-4, 1e-4), False, 2), ((1e-4, 1e-4), True, 3), (None, False, 0), (None, True, 1)],
)
def test_flags_tell_a_simulation_and_meters(spacing, simulated, flags):
    assert TakenApart(packed(frame(picture(spacing=spacing)), lost=0, simulated=simulated)).flags == flags


def test_a_frame_tells_where_its_first_pixel_is():
    grid = Grid(axial=0.01 + 1e-4 * np.arange(4), lateral=-0.002 + 2e-4 * np.arange(5))
    image = Image(values=np.zeros((1, 4, 5), np.float32), quantity=Quantity.B_MODE, grid=grid)
    taken = TakenApart(packed(frame(image), lost=0, simulated=False))
    assert taken.extent == pytest.approx([0.01, -0.002, 1e-4, 2e-4])


@pytest.mark.parametrize(
    ("before", "waited"), [(0.0, 1), (0.0834, 84), (59.9, 59_901), (61.0, 0), (-0.5, 0), (None, 0)]
)
def test_a_frame_tells_how_long_the_input_waited_that_it_obeys(before, waited):
    one = frame()
    asked = None if before is None else one.made - before
    assert TakenApart(packed(replace(one, asked=asked), lost=0, simulated=True)).zero == waited


def test_flags_tell_what_was_left_out():
    one = replace(frame(), dropped=("map density", "labelling rate"))
    assert TakenApart(packed(one, lost=0, simulated=True)).flags == 3 + 4 + 16


def test_pixels_that_do_not_lie_in_one_piece_are_packed_in_order():
    one = frame()
    turned = Frame(
        number=1,
        pixels=np.asfortranarray(one.pixels),
        image=one.image,
        source_time=0.0,
        made=0.0,
    )
    np.testing.assert_array_equal(TakenApart(packed(turned, lost=0, simulated=False)).pixels, one.pixels)


# --- words ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"type": "ack", "frame": 3}', Ack(frame=3)),
        ('{"type": "control", "name": "gain", "value": -2.5}', SetControl(name="gain", value=-2.5)),
        ('{"type": "procedure", "id": "UL03"}', SetProcedure(id="UL03")),
        ('{"type": "freeze", "on": true}', Freeze(on=True)),
    ],
)
def test_what_the_page_says_is_understood(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"ack"',
        "{}",
        '{"frame": 3}',
        '{"type": "ack"}',
        '{"type": "ack", "frame": -1}',
        '{"type": "ack", "frame": 1.5}',
        '{"type": "ack", "frame": 1, "more": 1}',
        '{"type": "hello"}',
        '{"type": "control", "name": "gain", "value": NaN}',
        '{"type": "control", "name": "gain", "value": 1e999}',
        '{"type": "control", "name": "' + "x" * 41 + '", "value": 1}',
        '{"type": "procedure", "id": "' + "x" * 17 + '"}',
        '{"type": "freeze", "on": null}',
        "[" * 5000,
    ],
)
def test_what_was_not_agreed_on_is_refused(text):
    with pytest.raises(ValidationError):
        parse(text)


@given(
    st.text(max_size=200)
    | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps)
)
@example('{"type": "ack", "frame": ' + "9" * 4000 + "}")
def test_whatever_is_said_the_answer_is_a_message_or_a_refusal(text):
    try:
        understood = parse(text)
    except ValidationError:
        return
    assert isinstance(understood, Ack | SetControl | SetProcedure | Freeze)


def test_no_message_carries_a_number_that_is_none():
    with pytest.raises(ValidationError):
        messages.Status(offered_hz=float("nan"), lost=0, watching=0, problem=None)


def test_every_message_of_the_server_is_told_apart_by_its_type():
    types = {kind.model_fields["type"].default for kind in messages.FromServer.__args__}
    assert types == {
        "hello",
        "guidance",
        "carried",
        "confirmed",
        "flow",
        "no_flow",
        "answer_key",
        "replayed",
        "status",
        "hands",
        "cues",
        "problem",
        "thread",
    }
    assert TypeAdapter(messages.FromServer).json_schema()


def web_messages():
    spec = importlib.util.spec_from_file_location("web_messages", CHECKOUT / "web" / "messages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_types_of_the_page_are_those_of_the_server():
    written = (CHECKOUT / "web" / "src" / "messages.ts").read_text(encoding="utf-8")
    assert written == web_messages().typescript(), "run: python web/messages.py"


def test_every_message_is_among_the_types_of_the_page():
    script = web_messages().typescript()
    server = [kind.__name__ for kind in messages.FromServer.__args__]
    assert f"export type FromServer = {' | '.join(server)}" in script
    union = messages.FromPage.__origin__.__args__
    assert f"export type FromPage = {' | '.join(kind.__name__ for kind in union)}" in script
    for kind in (*messages.FromServer.__args__, *union):
        body = script.split(f"export interface {kind.__name__} {{")[1].split("}")[0]
        assert [line.split(":")[0].strip() for line in body.strip().splitlines()] == list(kind.model_fields)
