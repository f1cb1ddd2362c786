"""A file as a live source: every frame in turn, at its own pace, on one clock that never goes back."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import Image, IQImage, PixelGrid, SetControl, Source
from insonate.pipeline.playback import FASTEST, PACE, SLOWEST, STILL, Playback
from pipeline.fakes import painted, picture, shot
from tolerances import ATOL_ZERO, RTOL_FLOAT64


def clip(n, times=None):
    """Frames that are told apart by their brightness."""
    return picture(*(np.full((4, 5), k / 10, np.float32) for k in range(n)), times=times)


def shown(source, until):
    """(time, brightness in tenths) of every frame up to a time."""
    return [(float(one.times[0]), round(10 * float(one.values.mean()))) for one in source.advance((), until)]


def test_it_is_a_source_that_obeys_nothing_and_is_real():
    source = Playback("scan.png", picture())
    assert isinstance(source, Source)
    assert source.name == "scan.png"
    assert source.accepts == frozenset()
    assert source.simulated is False
    gain = SetControl(name="gain", value=1.0, time=0.0, given_by="operator")
    assert len(list(source.advance([gain], 0.05))) == 1


def test_frames_come_at_their_own_times_and_the_clock_runs_on_from_loop_to_loop():
    source = Playback("clip", clip(3, np.array([5.0, 5.1, 5.3])))
    # steps of 0.1 and 0.2; from the last to the first the median of them
    expected = [(0.0, 0), (0.1, 1), (0.3, 2), (0.45, 0), (0.55, 1), (0.75, 2), (0.9, 0)]
    found = shown(source, 0.95)
    assert [frame for _, frame in found] == [frame for _, frame in expected]
    np.testing.assert_allclose(
        [time for time, _ in found], [time for time, _ in expected], rtol=RTOL_FLOAT64, atol=ATOL_ZERO
    )


def test_without_times_it_plays_at_25_a_second():
    assert len(shown(Playback("clip", clip(5)), 1.0 - 1e-9)) == 25
    assert Playback("clip", clip(5)).tick == pytest.approx(PACE)


def test_a_still_picture_is_shown_ten_times_a_second():
    assert len(shown(Playback("still", clip(1)), 1.0 - 1e-9)) == 10
    assert Playback("still", clip(1)).tick == STILL


def test_long_gaps_are_shortened_and_a_burst_is_slowed():
    times = [time for time, _ in shown(Playback("clip", clip(3, np.array([0.0, 60.0, 60.0001]))), 1.5)]
    assert times[1] == SLOWEST
    assert times[2] - times[1] == pytest.approx(FASTEST)


def test_it_begins_where_it_left_off():
    source = Playback("clip", clip(4))
    halves = shown(source, 0.1) + shown(source, 0.2)
    assert halves == shown(Playback("clip", clip(4)), 0.2)
    assert shown(source, 0.2) == []


@given(
    st.lists(st.floats(1e-4, 5), min_size=1, max_size=8),
    st.lists(st.floats(0.01, 0.6), min_size=1, max_size=12),
)
def test_no_frame_is_skipped_and_no_time_goes_back(gaps, steps):
    source = Playback("clip", clip(len(gaps) + 1, np.concatenate([[0.0], np.cumsum(gaps)])))
    until, found = 0.0, []
    for step in steps:
        until += step
        new = shown(source, until)
        assert all(time < until for time, _ in new)
        found += new
    assert [frame for _, frame in found] == [k % (len(gaps) + 1) for k in range(len(found))]
    assert all(later > earlier for (earlier, _), (later, _) in pairwise(found))


def test_channel_data_stay_channel_data_with_the_times_of_this_clock():
    data = shot(n_frames=2, times=np.array([[3.0], [3.5]]))
    first, second, third = Playback("echoes", data).advance((), 1.1)
    assert [one.times[0, 0] for one in (first, second, third)] == pytest.approx([0.0, 0.5, 1.0])
    np.testing.assert_array_equal(second.samples[0], data.samples[1])
    untimed = next(iter(Playback("echoes", shot()).advance((), 0.05)))
    assert untimed.times.tolist() == [[0.0]]


def test_shots_of_one_frame_keep_their_distance_in_time():
    data = shot(n_frames=2)
    twice = replace(
        data,
        samples=np.repeat(data.samples, 2, axis=1),
        acquisition=replace(data.acquisition, transmits=data.acquisition.transmits * 2),
        times=np.array([[3.0, 3.001], [3.5, 3.502]]),
    )
    first, second = Playback("echoes", twice).advance((), 0.6)
    np.testing.assert_allclose(first.times, [[0.0, 0.001]], atol=1e-9)
    np.testing.assert_allclose(second.times, [[0.5, 0.502]], atol=1e-9)


def test_lines_are_detected_at_once():
    rng = np.random.default_rng(1)
    iq = IQImage(
        values=rng.normal(size=(2, 20, 10, 2)) @ (1, 1j),
        grid=PixelGrid(rows=20, columns=10, spacing=None),
        times=None,
        center_frequency=5e6,
        sound_speed=1540.0,
    )
    (one,) = Playback("lines", iq).advance((), PACE)
    assert isinstance(one, Image)


def test_color_and_grid_are_kept():
    image = picture(painted(30, 40), color=True)
    (one,) = Playback("scan", image).advance((), 0.05)
    assert one.grid is image.grid
    np.testing.assert_array_equal(one.color, image.color)
