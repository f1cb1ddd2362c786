import numpy as np
import pytest

from insonate.simulation import points
from insonate.simulation.course import TICK, Course
from insonate.simulation.motion.rhythm import poiseuille
from insonate.simulation.motion.tubes import Wall
from insonate.simulation.patient import cutter
from insonate.simulation.streams import plane_thickness
from simulation.analytic_body import ARTERY, NERVE, VEIN, AnalyticBody
from simulation.scripts import probe

BODY = AnalyticBody()


def cut(*commands, ticks=3):
    course = Course(7, BODY)
    for command in commands:
        course.obey(command)
    for _ in range(ticks):
        course.advance()
    of = cutter()
    return course, of, of.cut(course)


def test_blood_lies_in_the_vessels_that_show_and_near_the_plane():
    course, of, section = cut(probe(force=0.3))
    streams = {s.label: s for s in of.streams(course, section, moving=True)}
    assert set(streams) == {ARTERY, VEIN}
    plane = section.medium.plane
    for label, stream in streams.items():
        assert np.abs(stream.places[:, 1]).max() < 2 * plane_thickness()
        columns = np.rint(stream.places[:, 0] / plane.lateral_step).astype(int) + plane.shape[0] // 2
        rows = np.rint(stream.places[:, 2] / plane.axial_step).astype(int)
        assert (section.medium.labels[columns, rows] == label).mean() > 0.97
    assert NERVE not in streams


def test_points_go_on_as_the_truth_has_the_blood_move():
    course, of, section = cut(probe(force=0.3, turn=np.pi / 2, at=(4e-3, 0, 0)))
    (stream,) = of.streams(course, section, moving=True)
    start, step = course.lived, 1e-4
    moved = (stream.at(start, start + step) - stream.places) / step
    speed = course.rhythm.arterial_speed(start + step / 2)
    assert start == pytest.approx(2 * TICK) and abs(speed) > 0.3
    assert np.abs(moved[:, 0]).max() == pytest.approx(abs(speed), rel=0.02)
    rest = course.now.origin(section.medium.plane.pose.apply(stream.places))
    share = Wall(tube=course.tubes[ARTERY], area=1.0).share_of_radius(rest)
    np.testing.assert_allclose(np.abs(moved[:, 0]), poiseuille(share, abs(speed)), atol=0.02 * abs(speed))


def test_blood_is_as_strong_as_noise_of_its_level_on_the_map():
    """Power for area: that of white noise of -68 dB on every sample of a map whose rows have the depth `SAMPLE`."""
    course, of, section = cut(probe(force=0.0))
    stream = next(s for s in of.streams(course, section, moving=True) if s.label == ARTERY)
    weight = np.exp(-((stream.places[:, 1] / plane_thickness()) ** 2))
    plane = section.medium.plane
    power = ((stream.strengths / points.weight(plane)) ** 2 * weight).sum()
    samples = (section.medium.labels == ARTERY).sum() * plane.axial_step / points.SAMPLE
    assert 10 * np.log10(power / samples) == pytest.approx(-68, abs=0.7)


def test_a_closing_vein_holds_less_blood():
    loose, pressed = (cut(probe(force=force)) for force in (0.3, 4.0))
    powers = []
    for course, of, section in (loose, pressed):
        stream = [s for s in of.streams(course, section) if s.label == VEIN]
        powers.append((stream[0].strengths ** 2).sum() if stream else 0.0)
    assert powers[1] < 0.5 * powers[0]
