"""Our own layout gives back every noun without loss, and is read from nobody but us."""

import dataclasses
import enum
import json
import os
from collections.abc import Mapping

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import CHECKOUT
from formats.hostile import (
    FOREIGN,
    damaged,
    full_disk,
    modest_memory,
    noun_or_refusal,
    pickle_that_acts,
    refusal,
    truncations,
)
from insonate.core import (
    Acquisition,
    ChannelData,
    CoordinateFrame,
    FormatError,
    Image,
    InputError,
    OutputError,
    PixelGrid,
    Pose,
    Probe,
    Quantity,
    Step,
    Transmit,
    Waveform,
)
from insonate.formats import insonate_hdf5
from refusals import refused
from strategies import channel_data, images, iq_images, linear_probes, poses, segmentations

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
SETTINGS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)
STEPS = st.lists(
    st.builds(Step, name=TEXTS, settings=st.dictionaries(TEXTS, SETTINGS, max_size=3), version=TEXTS),
    max_size=3,
).map(tuple)
LENGTHS = st.none() | st.floats(1e-4, 0.05)


def line_of_times(draw, *shape):
    """Times of frames, or none."""
    if draw(st.booleans()):
        return None
    return draw(st.floats(-1e6, 1e6)) + np.arange(np.prod(shape)).reshape(shape) * draw(st.floats(1e-4, 1))


@st.composite
def full_images(draw):
    """Images with everything an image can have."""
    image = draw(images())
    n = image.n_frames
    color = None
    if draw(st.booleans()):
        color = np.random.default_rng(draw(st.integers(0, 99))).integers(
            0, 256, (*image.values.shape, 3), np.uint8
        )
    quantity = draw(st.sampled_from(Quantity))
    values = image.values if quantity is Quantity.BRIGHTNESS else -60 * image.values
    return dataclasses.replace(
        image,
        values=values.astype(draw(st.sampled_from([np.float32, np.float64]))),
        quantity=quantity,
        grid=draw(cuts(image.grid)),
        color=color,
        times=line_of_times(draw, n),
        poses=tuple(draw(poses()) for _ in range(n)) if draw(st.booleans()) else None,
        provenance=draw(STEPS),
    )


def cuts(grid):
    """Give the grid, or the same as a cut from a larger picture."""
    if not isinstance(grid, PixelGrid):
        return st.just(grid)
    return st.tuples(st.integers(0, 5), st.integers(0, 5)).map(
        lambda corner: dataclasses.replace(
            grid, corner=corner, picture=(grid.rows + corner[0] + 1, grid.columns + corner[1] + 2)
        )
    ) | st.just(grid)


@st.composite
def full_iq(draw):
    """Baseband images with and without what they need not have."""
    noun = draw(iq_images())
    return dataclasses.replace(
        noun,
        values=noun.values.astype(draw(st.sampled_from([np.complex64, np.complex128]))),
        times=line_of_times(draw, noun.n_frames),
        center_frequency=draw(st.none() | st.floats(1e6, 2e7)),
        sound_speed=draw(st.none() | st.floats(1400, 1700)),
        provenance=draw(STEPS),
    )


@st.composite
def transmits(draw, n_elements):
    """Transmit events of every kind."""
    lines = st.none() | st.lists(st.floats(0, 1), min_size=n_elements, max_size=n_elements).map(np.array)
    angle = draw(st.floats(-0.5, 0.5))
    return Transmit(
        origin=np.array(draw(st.tuples(*3 * [st.floats(-0.1, 0.1)]))),
        direction=np.array([np.sin(angle), 0, np.cos(angle)]),
        focus_distance=draw(st.sampled_from([np.inf, -np.inf]) | st.floats(0.01, 0.1)),
        delays=draw(lines),
        apodization=draw(lines),
        waveform=draw(
            st.none()
            | st.builds(
                Waveform,
                center_frequency=st.floats(1e6, 2e7),
                cycles=st.floats(0.5, 10),
                polarity=st.sampled_from([-1, 1]),
            )
        ),
        initial_time=draw(st.floats(-1e-4, 1e-4)),
    )


@st.composite
def full_channel_data(draw):
    """Channel data, real and complex, of a probe with and without what it need not say."""
    if draw(st.booleans()):
        return dataclasses.replace(draw(channel_data()), provenance=draw(STEPS))
    probe = dataclasses.replace(
        draw(linear_probes()),
        name=draw(TEXTS),
        element_width=draw(LENGTHS),
        element_height=draw(LENGTHS),
        fractional_bandwidth=draw(st.none() | st.floats(0.1, 1.5)),
        elevation_focus=draw(LENGTHS),
    )
    events = tuple(draw(transmits(probe.n_elements)) for _ in range(draw(st.integers(1, 3))))
    real = draw(st.booleans())
    shape = (draw(st.integers(1, 3)), len(events), probe.n_elements, draw(st.integers(1, 5)))
    noise = np.random.default_rng(draw(st.integers(0, 99))).normal(size=(*shape, 2))
    return ChannelData(
        samples=noise[..., 0].astype(np.float32) if real else (noise @ (1, 1j)).astype(np.complex64),
        scale=draw(st.floats(1e-9, 1e9)),
        acquisition=Acquisition(
            probe=probe,
            transmits=events,
            sampling_frequency=draw(st.floats(1e6, 1e8)),
            demodulation_frequency=0.0 if real else draw(st.floats(1e6, 2e7)),
            sound_speed=draw(st.floats(1400, 1700)),
        ),
        times=line_of_times(draw, *shape[:2]),
        provenance=draw(STEPS),
    )


ANY_NOUN = full_images() | full_iq() | full_channel_data()


def assert_same(made, expected, where="noun"):
    """Compare two nouns to the last bit, field by field."""
    if isinstance(expected, np.ndarray):
        assert made.dtype == expected.dtype, where
        np.testing.assert_array_equal(made, expected, err_msg=where)
    elif dataclasses.is_dataclass(expected):
        assert type(made) is type(expected), where
        for field in dataclasses.fields(expected):
            assert_same(getattr(made, field.name), getattr(expected, field.name), f"{where}.{field.name}")
    elif isinstance(expected, Mapping):
        assert made.keys() == expected.keys(), where
        for key in expected:
            assert_same(made[key], expected[key], f"{where}[{key}]")
    elif isinstance(expected, tuple):
        assert isinstance(made, tuple), where
        assert len(made) == len(expected), where
        for i, (one, other) in enumerate(zip(made, expected, strict=True)):
            assert_same(one, other, f"{where}[{i}]")
    elif isinstance(expected, enum.Enum) or expected is None:
        assert made is expected, where
    else:
        assert made == expected, where
        assert isinstance(made, bool) == isinstance(expected, bool), where


# --- without loss ----------------------------------------------------------------------------------------------------


@given(st.lists(ANY_NOUN, min_size=1, max_size=3))
def test_every_noun_comes_back_without_loss(tmp_path_factory, nouns):
    path = tmp_path_factory.getbasetemp() / "nouns.h5"
    insonate_hdf5.write(path, *nouns)
    assert insonate_hdf5.can_read(path)
    assert_same(insonate_hdf5.read(path), tuple(nouns))


def test_the_comparison_itself_sees_a_difference():
    image = Image(values=np.zeros((1, 2, 2)), quantity=Quantity.BRIGHTNESS, grid=picture_grid(2, 2))
    other = dataclasses.replace(image, values=np.array([[[0, 0], [0, 1e-16]]]))
    with pytest.raises(AssertionError):
        assert_same(other, image)
    with pytest.raises(AssertionError):
        assert_same(dataclasses.replace(image, grid=picture_grid(2, 2, spacing=(1e-3, 1e-3))), image)


def picture_grid(rows, columns, spacing=None):
    return PixelGrid(rows=rows, columns=columns, spacing=spacing)


def picture(n_frames=1, **changes):
    values = np.linspace(0, 1, n_frames * 6, dtype=np.float32).reshape(n_frames, 2, 3)
    return Image(**{"values": values, "quantity": Quantity.BRIGHTNESS, "grid": picture_grid(2, 3)} | changes)


def test_more_than_ten_nouns_keep_their_order(tmp_path):
    nouns = [picture(provenance=(Step(name=str(i), version="1"),)) for i in range(23)]
    insonate_hdf5.write(tmp_path / "many.h5", *nouns)
    made = insonate_hdf5.read(tmp_path / "many.h5")
    assert [noun.provenance[0].name for noun in made] == [str(i) for i in range(23)]


def test_a_recording_of_thousands_of_poses_is_kept(tmp_path):
    """An attribute holds no more than 64 KB: the names of 5,000 frames of reference do not fit in one."""
    n = 5000
    one = Pose(
        rotation=np.eye(3),
        translation=np.zeros(3),
        source=CoordinateFrame.IMAGE,
        target=CoordinateFrame.TRACKER,
        time=0.0,
    )
    walk = tuple(dataclasses.replace(one, time=float(i), translation=np.full(3, i * 1e-5)) for i in range(n))
    image = Image(
        values=np.zeros((n, 1, 1), np.float32),
        quantity=Quantity.BRIGHTNESS,
        grid=picture_grid(1, 1),
        poses=walk,
        provenance=(Step(name="long", settings={"note": "x" * 100_000}, version="1"),),
    )
    insonate_hdf5.write(tmp_path / "walk.h5", image)
    (made,) = insonate_hdf5.read(tmp_path / "walk.h5")
    assert made.provenance[0].settings["note"] == "x" * 100_000
    assert_same(made.poses[::499], walk[::499])


def test_one_frame_is_one_chunk_that_a_recorder_can_append(tmp_path):
    path = tmp_path / "clip.h5"
    insonate_hdf5.write(path, picture(4))
    with h5py.File(path, "a") as file:
        values = file["0/values"]
        assert values.chunks == (1, 2, 3)
        values.resize(5, axis=0)
        values[4] = 0.5
    (made,) = insonate_hdf5.read(path)
    assert made.n_frames == 5
    assert (made.values[4] == 0.5).all()


@given(ANY_NOUN)
def test_every_name_of_the_layout_is_documented(tmp_path_factory, noun):
    path = tmp_path_factory.getbasetemp() / "noun.h5"
    insonate_hdf5.write(path, noun)
    names = set()
    with h5py.File(path) as file:
        file.visititems(lambda name, item: names.update([name.rsplit("/", 1)[-1], *item.attrs]))
    page = (CHECKOUT / "docs" / "reference" / "hdf5.md").read_text(encoding="utf-8")
    assert [name for name in names if f"`{name}`" not in page and not name.isdecimal()] == []


def test_the_layout_is_the_one_that_is_documented(tmp_path):
    path = tmp_path / "image.h5"
    insonate_hdf5.write(path, picture(provenance=(Step(name="made", version="1"),)))
    with h5py.File(path) as file:
        assert dict(file.attrs) == {"format": "insonate", "version": 1}
        assert dict(file["0"].attrs) == {
            "noun": "Image",
            "quantity": "BRIGHTNESS",
            "grid": "PixelGrid",
            "rows": 2,
            "columns": 3,
            "corner": pytest.approx([0, 0]),
        }
        assert sorted(file["0"]) == ["provenance", "values"]
        assert json.loads(file["0/provenance"][()]) == [{"name": "made", "settings": {}, "version": "1"}]


# --- writing ---------------------------------------------------------------------------------------------------------


def test_nothing_is_not_written(tmp_path):
    with refused(InputError, "a file must hold 1..1000 nouns, got none"):
        insonate_hdf5.write(tmp_path / "none.h5")
    with refused(InputError, "a file must hold 1..1000 nouns, got 1001"):
        insonate_hdf5.write(tmp_path / "many.h5", *1001 * [picture()])
    assert list(tmp_path.iterdir()) == []


@given(segmentations())
def test_what_is_no_reading_is_refused(tmp_path_factory, noun):
    path = tmp_path_factory.getbasetemp() / "labels.h5"
    line = "a file can hold ChannelData, IQImage and Image, got Segmentation (a result? see `record`)"
    with refused(InputError, line):
        insonate_hdf5.write(path, noun)
    assert not path.exists()


@pytest.mark.parametrize("most", [0, 100, 5000, 20_000])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, most):
    path = tmp_path / "image.h5"
    path.write_bytes(b"old")
    large = Image(
        values=np.random.default_rng(0).random((4, 100, 100), dtype=np.float32),
        quantity=Quantity.BRIGHTNESS,
        grid=picture_grid(100, 100),
    )
    with full_disk(most), pytest.raises(OutputError, match="nothing was left half-written"):
        insonate_hdf5.write(path, large)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


# --- refused: foreign ------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path):
    """An image of two frames in our layout, open for changes by `with h5py.File(kept, "a")`."""
    path = tmp_path / "kept.h5"
    insonate_hdf5.write(path, picture(2, times=np.array([0.0, 0.1])))
    return path


@pytest.mark.parametrize("form", [None, "other", 7])
def test_hdf5_of_others_is_refused(tmp_path, form):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["beamformed"] = np.zeros((4, 4))
        if form is not None:
            file.attrs["format"] = form
    assert insonate_hdf5.can_read(path)
    with refused(
        FormatError, "other.h5: expected HDF5 of the Insonate layout, got another kind of HDF5 file"
    ):
        insonate_hdf5.read(path)


def test_a_later_version_is_refused(kept):
    with h5py.File(kept, "a") as file:
        file.attrs["version"] = 2
    with refused(FormatError, "kept.h5: version 1 of the Insonate layout is read, got version 2"):
        insonate_hdf5.read(kept)


def test_a_file_without_a_noun_is_refused(kept):
    with h5py.File(kept, "a") as file:
        del file["0"]
        file.create_group("notes")
    with refused(FormatError, "kept.h5: expected 1..1000 nouns in an Insonate file, got none"):
        insonate_hdf5.read(kept)


def test_more_nouns_than_are_written_are_refused(kept):
    with h5py.File(kept, "a") as file:
        for number in range(1, 1001):
            file[str(number)] = file["0"]
    with refused(FormatError, "kept.h5: expected 1..1000 nouns in an Insonate file, got 1001"):
        insonate_hdf5.read(kept)


@pytest.mark.parametrize(
    ("attribute", "value", "line"),
    [
        ("noun", "Segmentation", "noun must be one of ChannelData, IQImage, Image, got 'Segmentation'"),
        ("noun", None, "noun must be one of ChannelData, IQImage, Image, got None"),
        ("quantity", "HEAT", "quantity must be one of B_MODE, BRIGHTNESS, got 'HEAT'"),
        ("grid", "Cone", "grid must be Grid, PolarGrid or PixelGrid, got 'Cone'"),
        ("rows", None, "/0 must hold the number rows, which is missing"),
        ("rows", 9, "Image.values must have 9 x 3 pixels as its grid, got shape (2, 2, 3)"),
        ("spacing", [1.0, 1.0], "PixelGrid.spacing must lie in 1e-07..0.01 m, got 1 (millimeters?)"),
    ],
)
def test_what_a_noun_cannot_be_is_refused(kept, attribute, value, line):
    with h5py.File(kept, "a") as file:
        attributes = file["0"].attrs
        if attribute in attributes:
            del attributes[attribute]
        if value is not None:
            attributes[attribute] = value
    with refused(FormatError, f"kept.h5: {line}"):
        insonate_hdf5.read(kept)


@pytest.mark.parametrize(
    ("name", "values", "line"),
    [
        ("values", None, "/0 must hold values, which is missing"),
        ("provenance", None, "/0 must hold provenance, which is missing"),
        (
            "values",
            np.full((2, 2, 3), 200, np.uint8),
            "Image.values must be floating point, got uint8 (8-bit grey? divide by 255)",
        ),
        (
            "values",
            np.full((2, 2, 3), np.nan),
            "Image.values must be finite, got 12 NaN or infinite, the first at (0, 0, 0)",
        ),
        (
            "times",
            np.array([0.0, np.inf]),
            "Image.times must be finite, got 1 NaN or infinite, the first at (1,)",
        ),
        ("times", np.array([0.0]), "Image.times must have one time per frame (2), got 1"),
        ("times", np.array([b"0", b"1"]), "times must be numbers stored in this very file"),
        ("provenance", np.array([1, 2]), "provenance must be text stored in this very file"),
    ],
)
def test_arrays_that_cannot_be_are_refused(kept, name, values, line):
    with h5py.File(kept, "a") as file:
        if name in file["0"]:
            del file["0"][name]
        if values is not None:
            file["0"][name] = values
    with refused(FormatError, f"kept.h5: {line}"):
        insonate_hdf5.read(kept)


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("sound_speed", 1.54, "Acquisition.sound_speed must lie in 300..6000 m/s, got 1.54 (km/s?)"),
        (
            "sampling_frequency",
            40.0,
            "Acquisition.sampling_frequency must lie in 100000..1e+09 Hz, got 40 (MHz?)",
        ),
        ("sound_speed", None, "/0 must hold the number sound_speed, which is missing"),
    ],
)
def test_channel_data_in_other_units_are_refused(tmp_path, field, value, line):
    path = tmp_path / "echoes.h5"
    insonate_hdf5.write(path, echoes())
    with h5py.File(path, "a") as file:
        del file["0"].attrs[field]
        if value is not None:
            file["0"].attrs[field] = value
    with refused(FormatError, f"echoes.h5: {line}"):
        insonate_hdf5.read(path)


def echoes():
    probe = Probe.linear(name="array", n_elements=4, pitch=3e-4, center_frequency=5e6)
    return ChannelData(
        samples=np.arange(4 * 7, dtype=np.int16).reshape(1, 1, 4, 7),
        scale=1.0,
        acquisition=Acquisition(
            probe=probe,
            transmits=(Transmit.plane(steering_angle=0.1, initial_time=0.0),),
            sampling_frequency=2e7,
            demodulation_frequency=0.0,
            sound_speed=1540.0,
        ),
        times=None,
    )


# --- refused: hostile ------------------------------------------------------------------------------------------------


def test_links_to_other_files_are_never_followed(kept, tmp_path):
    secret = tmp_path / "secret.h5"
    insonate_hdf5.write(secret, picture(2))
    for name in ("0", "0/values", "0/times", "0/poses"):
        path = tmp_path / "linked.h5"
        path.write_bytes(kept.read_bytes())
        for link in (h5py.ExternalLink(secret.name, f"/{name}"), h5py.SoftLink("/elsewhere")):
            with h5py.File(path, "a") as file:
                if name in file:
                    del file[name]
                file[name] = link
            refusal(insonate_hdf5.read, path)
            with h5py.File(path, "a") as file:
                del file[name]


def test_a_link_to_a_file_is_not_even_opened(kept, tmp_path):
    """A link to a pipe that nobody writes to would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("times", "poses", "color"):
        with h5py.File(kept, "a") as file:
            if name in file["0"]:
                del file["0"][name]
            file["0"][name] = h5py.ExternalLink("pipe", "/x")
        refusal(insonate_hdf5.read, kept)
        with h5py.File(kept, "a") as file:
            del file["0"][name]


def test_elements_in_other_files_are_never_read(kept, tmp_path):
    (tmp_path / "secret.raw").write_bytes(np.full(12, 0.5, np.float32).tobytes())
    with h5py.File(kept, "a") as file:
        del file["0/values"]
        file["0"].create_dataset(
            "values", (2, 2, 3), np.float32, external=[(str(tmp_path / "secret.raw"), 0, 48)]
        )
    with refused(FormatError, "kept.h5: values must be numbers stored in this very file"):
        insonate_hdf5.read(kept)


def test_virtual_arrays_are_never_read(kept, tmp_path):
    secret = tmp_path / "secret.h5"
    insonate_hdf5.write(secret, picture(2))
    layout = h5py.VirtualLayout((2, 2, 3), np.float32)
    layout[...] = h5py.VirtualSource(str(secret), "0/values", (2, 2, 3))
    with h5py.File(kept, "a") as file:
        del file["0/values"]
        file["0"].create_virtual_dataset("values", layout)
    with refused(FormatError, "kept.h5: values must be numbers stored in this very file"):
        insonate_hdf5.read(kept)


@pytest.mark.parametrize(
    ("shape", "chunks", "claim"),
    [
        ((25_000, 1000, 1000), (1, 1000, 1000), "100.0 GB"),
        ((2**40, 2, 3), (1, 2, 3), "26388.3 GB"),
        ((2, 2, 3), (1 << 20, 20, 60), "5.0 GB"),
    ],
    ids=["frames", "more frames", "chunk"],
)
def test_an_array_that_claims_a_hundred_gigabytes_is_refused_before_memory_is_asked_for(
    kept, shape, chunks, claim
):
    with h5py.File(kept, "a") as file:
        del file["0/values"]
        file["0"].create_dataset("values", shape, np.float32, chunks=chunks, maxshape=(None, None, None))
    with (
        modest_memory(32 << 20),
        refused(FormatError, f"kept.h5: at most 4 GB are read, values claims {claim}"),
    ):
        insonate_hdf5.read(kept)
    assert kept.stat().st_size < 100_000


def test_one_array_under_many_names_counts_each_time(kept, monkeypatch):
    monkeypatch.setattr(insonate_hdf5, "MOST_BYTES", 1000)
    assert len(insonate_hdf5.read(kept)) == 1
    with h5py.File(kept, "a") as file:
        for number in range(1, 20):
            file[str(number)] = file["0"]
    assert "at most 0 GB are read" in refusal(insonate_hdf5.read, kept)


@pytest.mark.parametrize("chunks", [None, (1, 2, 3)], ids=["in one piece", "in chunks"])
def test_frames_that_were_never_stored_are_not_read_as_black(kept, chunks):
    with h5py.File(kept, "a") as file:
        del file["0/values"]
        made = file["0"].create_dataset("values", (2, 2, 3), np.float32, chunks=chunks)
        if chunks:
            made[0] = 0.5
    line = "kept.h5: values was not stored in full (an interrupted recording?)"
    with refused(FormatError, line):
        insonate_hdf5.read(kept)


def test_compressed_chunks_are_read(kept):
    with h5py.File(kept, "a") as file:
        values = file["0/values"][()]
        del file["0/values"]
        file["0"].create_dataset("values", data=values, chunks=(1, 2, 3), compression="gzip", shuffle=True)
    np.testing.assert_array_equal(insonate_hdf5.read(kept)[0].values, values)


def test_the_other_order_of_bytes_is_read_and_becomes_ours(kept):
    with h5py.File(kept, "a") as file:
        values = file["0/values"][()]
        del file["0/values"]
        file["0"]["values"] = values.astype(">f4")
    (made,) = insonate_hdf5.read(kept)
    np.testing.assert_array_equal(made.values, values)
    assert made.values.dtype.isnative


def test_a_pickle_is_never_loaded(kept, tmp_path):
    mark = tmp_path / "loaded"
    pickled = pickle_that_acts(mark)
    for value in (np.void(pickled), np.frombuffer(pickled, np.uint8)):
        with h5py.File(kept, "a") as file:
            for name in ("times", "provenance"):
                if name in file["0"]:
                    del file["0"][name]
                file["0"][name] = value
        refusal(insonate_hdf5.read, kept)
    path = tmp_path / "pickle.h5"
    path.write_bytes(pickled)
    refusal(insonate_hdf5.read, path)
    assert not mark.exists()


@pytest.mark.parametrize(
    "provenance", ["", "{", "3", "[3]", "[{}]", '[{"name": 1, "settings": [], "version": ""}]', "[" * 100_000]
)
def test_provenance_that_cannot_be_is_refused(kept, provenance):
    with h5py.File(kept, "a") as file:
        del file["0/provenance"]
        file["0"].create_dataset("provenance", data=np.array(provenance.encode() or b"\0", dtype=bytes))
    refusal(insonate_hdf5.read, kept)


def test_cut_anywhere_it_is_refused(tmp_path):
    path = tmp_path / "whole.h5"
    insonate_hdf5.write(path, picture(2), echoes())
    data = path.read_bytes()
    cut = tmp_path / "cut.h5"
    for part in truncations(data):
        cut.write_bytes(part)
        assert noun_or_refusal(insonate_hdf5.read, cut) is None, len(part)


@given(st.data())
@pytest.mark.parametrize("kind", ["image", "channel data"])
def test_damaged_anywhere_it_gives_a_noun_or_one_line(tmp_path_factory, kind, data):
    folder = tmp_path_factory.getbasetemp()
    whole = folder / f"whole {kind}.h5"
    if not whole.exists():
        insonate_hdf5.write(whole, picture(2, times=np.array([0.0, 0.1])) if kind == "image" else echoes())
    path = folder / "damaged.h5"
    path.write_bytes(data.draw(damaged(whole.read_bytes())))
    noun_or_refusal(insonate_hdf5.read, path)


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_hdf5_is_refused(tmp_path, kind):
    path = tmp_path / "foreign.h5"
    path.write_bytes(FOREIGN[kind])
    assert not insonate_hdf5.can_read(path)
    refusal(insonate_hdf5.read, path)
