import math

import numpy as np
import pytest

from insonate.core import RangeError
from insonate.simulation.instrument.needle import diameters, draw, shade, stiffness
from insonate.simulation.medium import Plane
from insonate.simulation.motion.insertion import drawn_shaft
from insonate.simulation.patient import machine
from refusals import refused
from simulation.motion.poses import held

PLANE = Plane(pose=held(), shape=(512, 1280), lateral_step=0.15e-3, axial_step=0.032e-3)


def drawing(angle, *, depth=16e-3, length=20e-3, off=0.0, plane=PLANE, **settings):
    """Draw a needle across the middle of the plane, tilted down by `angle`."""
    direction = np.array([np.cos(angle), 0, np.sin(angle)])
    entry = np.array([0, off, depth]) - direction * length / 2
    shaft = drawn_shaft(entry, direction, length, 0.0, 1e9)
    into = np.zeros(plane.shape, np.float32)
    draw(into, plane, shaft, **{"gauge": 22, "echogenic": False, "seed": 1} | settings)
    return into


def test_the_table_of_gauges():
    assert diameters(22) == pytest.approx((0.72e-3, 0.39e-3))
    outer = [diameters(g)[0] for g in (18, 20, 21, 22, 23, 25)]
    assert (np.diff(outer) < 0).all()
    assert stiffness(22) == 1 and stiffness(18) > 5 and stiffness(25) < 0.5
    with refused(RangeError, "gauge must be one of 18, 20, 21, 22, 23, 25 G, got 19"):
        diameters(19)


@pytest.mark.parametrize("degrees", [0.0, 6.0, 12.0])
def test_the_lobe_goes_where_a_mirror_sends_it(degrees):
    engine = machine()
    echoes = engine.echoes(engine.spectrum(drawing(np.radians(degrees), length=8e-3)), 0.0)
    # delayed and summed for each direction of arrival: where most comes from
    at = engine.probe.element_positions[:, 0]
    spectrum = np.fft.fft(echoes, axis=1)
    frequency = np.fft.fftfreq(echoes.shape[1], 1 / engine.sampling_frequency) + engine.demodulation_frequency
    angles = np.radians(np.arange(-30, 30.1, 0.5))
    energy = []
    for angle in angles:
        late = np.exp(2j * np.pi * frequency * (at * np.sin(angle) / engine.sound_speed)[:, None])
        energy.append((np.abs((spectrum * late).sum(axis=0)) ** 2).sum())
    found = np.degrees(angles[int(np.argmax(energy))])
    assert abs(found) == pytest.approx(2 * degrees, abs=0.5)


def test_sound_bounces_within_the_tube():
    into = drawing(0.0, gauge=18)
    column = into[256]
    rows = (
        np.nonzero(
            (column[1:-1] > column[:-2]) & (column[1:-1] >= column[2:]) & (column[1:-1] > 0.02 * column.max())
        )[0]
        + 1
    )
    strongest = rows[column[rows] > 0.03 * column.max()]
    top = (16e-3 - 1.27e-3 / 2) / 0.032e-3
    assert np.abs(strongest - top).min() <= 1
    inner = 0.79e-3 / 0.032e-3
    for bounce in (1, 2, 3):
        assert np.abs(strongest - (top + bounce * inner)).min() <= 1


def test_points_between_samples_keep_their_strength():
    """The band of the map: no wave of it depends on where between two rows the needle lies."""
    k = 2 * np.pi * 7.5e6 * 2 / 1540  # down, for an echo from above
    z = np.arange(1280) * 0.032e-3
    heard = [
        np.abs((drawing(0.0, depth=16e-3 + part * 0.032e-3)[256] * np.exp(1j * k * z)).sum())
        for part in (0, 0.25, 0.5, 0.75)
    ]
    np.testing.assert_allclose(heard, heard[0], rtol=0.01)


def test_out_of_the_plane_it_fades():
    strengths = [np.abs(drawing(0.0, off=off)).sum() for off in (0.0, 0.9e-3, 1.8e-3, 6e-3)]
    assert strengths[1] / strengths[0] == pytest.approx(np.exp(-0.5), rel=0.02)
    assert strengths[3] == 0


def test_an_echogenic_needle_has_more_to_show():
    plain, dimpled = drawing(0.5), drawing(0.5, echogenic=True)
    more = np.abs(dimpled - plain)
    assert more.sum() > 0
    np.testing.assert_array_equal(dimpled, drawing(0.5, echogenic=True))
    assert (dimpled != drawing(0.5, echogenic=True, seed=2)).any()


def test_the_longest_needle_can_be_drawn_with_its_dimples():
    assert drawing(0.0, length=0.3, echogenic=True).any()


def test_the_plane_decides_where_it_is_drawn():
    moved = Plane(pose=held(at=(3e-3, 0, 2e-3)), shape=PLANE.shape, lateral_step=0.15e-3, axial_step=0.032e-3)
    there = drawing(0.0, plane=moved)
    np.testing.assert_allclose(there[236:276, 300:400], drawing(0.0)[256:296, 350:450], atol=1e-4)


def test_nothing_is_drawn_outside_the_map_or_of_a_needle_not_inserted():
    assert not drawing(0.0, depth=90e-3).any()
    assert not drawing(0.0, length=0.0).any()


def shaded(angle, *, depth=12e-3, length=30e-3, off=0.0, gauge=22):
    """What is left of an even map behind a needle through the middle of the plane."""
    direction = np.array([np.cos(angle), 0, np.sin(angle)])
    shaft = drawn_shaft(np.array([0, off, depth]) - direction * length / 2, direction, length, 0.0, 1e9)
    left = np.ones(PLANE.shape, np.float32)
    shade(left, PLANE, shaft, gauge=gauge)
    return left


@pytest.mark.parametrize(("gauge", "off"), [(22, 0.0), (18, 0.0), (22, 0.8e-3)])
def test_a_shaft_in_the_plane_takes_its_share_of_the_beams_thickness(gauge, off):
    outer, sigma = diameters(gauge)[0], 0.9e-3
    covered = sum(sign * 0.5 * math.erf((off + sign * outer / 2) / sigma / math.sqrt(2)) for sign in (1, -1))
    left = shaded(0.0, gauge=gauge, off=off)
    assert left[256, 700] == pytest.approx(1 - covered, rel=0.01)
    assert left[256, 280] == 1  # above it nothing is lost


def test_the_edge_of_the_shadow_lies_under_the_tip_within_a_beam():
    """A beam at 8 mm below the tip is 0.4 mm wide; half of the sub-apertures see what lies right under the tip."""
    left = shaded(0.0)
    row = round(20e-3 / 0.032e-3)
    column = 256 + 15e-3 / 0.15e-3
    full, none = left[256, row], left[256 + 150, row]
    there = np.sqrt(full)
    assert none == 1
    under = left[:, row]
    half_way = np.flatnonzero(under[256:] > (full + 1) / 2)[0] + 256
    assert abs(half_way - column) * 0.15e-3 < 0.6e-3
    # well inside the shadow of the way there, half of the ways back are open
    assert left[int(column) - 2, row] == pytest.approx(there * (1 + there) / 2, rel=0.06)


def test_behind_a_needle_across_the_plane_sound_comes_round():
    """A dot: its shadow is deep right behind it and gone where the aperture looks past it."""
    direction = np.array([0, np.cos(0.6), np.sin(0.6)])
    shaft = drawn_shaft(np.array([0, 0, 12e-3]) - direction * 10e-3, direction, 20e-3, 0.0, 1e9)
    left = np.ones(PLANE.shape, np.float32)
    shade(left, PLANE, shaft, gauge=18)
    row = round(12e-3 / 0.032e-3)
    behind = left[256, row:]
    assert left[256, row + 30] < 0.85
    assert left[256, 1000] > left[256, row + 30]
    assert left[300, row + 30] == pytest.approx(1)
    assert behind.min() > 0.3


def test_no_needle_no_shadow():
    assert (shaded(0.0, length=1e-6) == 1).all()
    assert (shaded(0.0, off=8e-3) == 1).all()
