import numpy as np
import pytest

from insonate.core import RangeError
from insonate.simulation.instrument.needle import diameters, draw, stiffness
from insonate.simulation.medium import Plane
from insonate.simulation.motion.insertion import drawn_shaft
from insonate.simulation.patient import machine
from refusals import refused
from simulation.motion.poses import held

PLANE = Plane(pose=held(), shape=(512, 1024), lateral_step=0.15e-3, axial_step=0.04e-3)


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
    top = (16e-3 - 1.27e-3 / 2) / 0.04e-3
    assert np.abs(strongest - top).min() <= 1
    inner = 0.79e-3 / 0.04e-3
    for bounce in (1, 2, 3):
        assert np.abs(strongest - (top + bounce * inner)).min() <= 1


def test_points_between_samples_keep_their_strength():
    """The band of the map: no wave of it depends on where between two rows the needle lies."""
    k = 2 * np.pi * 7.5e6 * 2 / 1540  # down, for an echo from above
    z = np.arange(1024) * 0.04e-3
    heard = [
        np.abs((drawing(0.0, depth=16e-3 + part * 0.04e-3)[256] * np.exp(1j * k * z)).sum())
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
    moved = Plane(pose=held(at=(3e-3, 0, 2e-3)), shape=PLANE.shape, lateral_step=0.15e-3, axial_step=0.04e-3)
    there = drawing(0.0, plane=moved)
    np.testing.assert_allclose(there[236:276, 300:400], drawing(0.0)[256:296, 350:450], atol=1e-4)


def test_nothing_is_drawn_outside_the_map_or_of_a_needle_not_inserted():
    assert not drawing(0.0, depth=90e-3).any()
    assert not drawing(0.0, length=0.0).any()
