import numpy as np
import pytest

from insonate.core import InputError, Quantity, RangeError, Source
from insonate.devices.grabber import Grabber
from refusals import refused


def frame(grey, shape=(40, 60)):
    return np.full(shape, grey, np.uint8).tobytes()


def test_the_newest_frame_comes_out_once_with_its_time():
    grabber = Grabber("screen", 40, 60, spacing=(1e-4, 2e-4))
    assert list(grabber.advance([], 0.02)) == []
    grabber.put(frame(10))
    grabber.put(frame(51))
    (image,) = grabber.advance([], 0.04)
    assert image.values.shape == (1, 40, 60) and image.quantity is Quantity.BRIGHTNESS
    assert image.values == pytest.approx(0.2)
    assert image.times == pytest.approx([0.04])
    assert image.grid.spacing == (1e-4, 2e-4)
    assert grabber.passed_over == 1
    assert list(grabber.advance([], 0.06)) == []  # nothing new: what watches must see it stale


def test_a_screen_that_stands_still_gives_nothing_new():
    grabber = Grabber("screen", 40, 60)
    for grey, comes in ((1, 1), (1, 0), (1, 0), (2, 1), (1, 1)):
        grabber.put(frame(grey))
        assert len(list(grabber.advance([], 0.0))) == comes


def test_rows_come_one_after_the_other():
    grabber = Grabber("screen", 40, 60)
    rows = np.arange(40, dtype=np.uint8)[:, None].repeat(60, axis=1)
    grabber.put(rows.tobytes())
    (image,) = grabber.advance([], 1.0)
    assert np.array_equal(np.round(255 * image.values[0]).astype(int), rows)
    assert image.grid.spacing is None


def test_it_is_a_source_of_real_pictures_that_obeys_nothing():
    grabber: Source = Grabber("screen", 40, 60)
    assert not grabber.simulated and grabber.accepts == frozenset()


def test_what_is_no_frame_is_refused_and_changes_nothing():
    grabber = Grabber("screen", 40, 60)
    grabber.put(frame(7))
    with refused(InputError, "a frame must have 40 x 60 = 2400 bytes of grey, got 2399"):
        grabber.put(frame(0)[:-1])
    (image,) = grabber.advance([], 0.0)
    assert image.values == pytest.approx(7 / 255)


@pytest.mark.parametrize("size", [(31, 60), (40, 2049), (0, 60)])
def test_a_side_that_no_screen_has_is_refused(size):
    with pytest.raises(InputError):
        Grabber("screen", *size)


def test_a_spacing_in_millimeters_is_a_likely_slip():
    with pytest.raises(RangeError, match="millimeters"):
        Grabber("screen", 40, 60, spacing=(0.1, 0.1))
