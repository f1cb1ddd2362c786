import numpy as np
import pytest

from insonate.core import Structure, Tissue
from insonate.simulation import section as section_module
from insonate.simulation.course import Course
from insonate.simulation.medium import Medium, Plane
from insonate.simulation.section import Cutter, heard, hearing
from simulation.analytic_body import AnalyticBody
from simulation.motion.poses import held
from simulation.scripts import block, needle_to, probe
from simulation.test_course import lived

BODY = AnalyticBody()
CUTTER = {"shape": (256, 512), "lateral_step": 0.3e-3, "axial_step": 0.08e-3, "nodes": (97, 53)}


def cut(commands, until=0.5, **settings):
    course, _ = lived(commands, until)
    cutter = Cutter(*CUTTER.values())
    return course, cutter, cutter.cut(course, **settings)


def test_displacement_is_that_of_the_motion_at_the_nodes():
    course, cutter, section = cut([probe(force=4.0)])
    places, _ = cutter.nodes(course)
    np.testing.assert_allclose(section.displacement.reshape(-1, 3), places - course.now.origin(places))


def test_interpolation_between_nodes_is_straight():
    cutter = Cutter(*CUTTER.values())
    x, z = np.linspace(0, 1, 97), np.linspace(0, 1, 53)
    plane = cutter.spread(2 * x[:, None] - 3 * z[None, :])
    np.testing.assert_allclose(
        plane, 2 * np.linspace(0, 1, 256)[:, None] - 3 * np.linspace(0, 1, 512), atol=1e-5
    )


def test_fluid_is_dark_and_named_nothing():
    _, cutter, wet = cut(block(), 3.6, needle=False)
    inside = cutter.spread(wet.fluid) > 2e-4
    assert inside.sum() > 100
    assert (wet.medium.labels[inside] == 0).all()
    around = (wet.medium.labels == 4) & (cutter.spread(wet.fluid) > -2e-3)
    ratio = wet.medium.reflectivity[inside].std() / wet.medium.reflectivity[around].std()
    assert 0.003 < ratio < 0.04  # -40 dB of what was there, nerve among it


def test_the_needle_is_drawn_only_where_asked():
    _, _, with_needle = cut(block(), 1.5)
    _, _, without = cut(block(), 1.5, needle=False)
    assert np.abs(with_needle.medium.reflectivity - without.medium.reflectivity).max() > 1


def test_a_lifted_face_lets_nothing_through_and_rings():
    _, _, lifted = cut([probe(force=0.0)])
    through = lifted.medium.transmission
    assert through[:, 70:].max() < 1e-6
    ringing = np.abs(lifted.medium.reflectivity[128])
    rows = np.nonzero(ringing > 0.05)[0] * 0.08e-3
    np.testing.assert_allclose(rows, np.arange(1, len(rows) + 1) * 0.7e-3, atol=0.05e-3)
    _, _, held_on = cut([probe(force=3.0)])
    assert held_on.medium.transmission is None


def medium(labels, attenuation=100.0, exponent=1.0, transmission=None):
    n, m = labels.shape
    plane = Plane(pose=held(), shape=(n, m), lateral_step=1e-4, axial_step=1e-4)
    return Medium(
        plane=plane,
        reflectivity=np.ones((n, m), np.float32),
        labels=labels,
        structures=(Structure(name="fat", tissue=Tissue.FAT),),
        properties={
            "attenuation": np.array([0.0, attenuation]),
            "attenuation_exponent": np.array([1.0, exponent]),
        },
        transmission=transmission,
    )


@pytest.mark.parametrize(("frequency", "exponent"), [(1e6, 1.0), (4e6, 1.0), (4e6, 1.2)])
def test_what_is_heard_falls_as_there_and_back_takes_and_gain_gives(frequency, exponent):
    loud = 20 * np.log10(heard(medium(np.ones((16, 400), np.uint8), exponent=exponent), frequency))
    depth = np.arange(400) * 1e-4
    taken = 2 * 100 * (frequency / 1e6) ** exponent * depth
    given = np.minimum(900 * depth, 40)
    middle = slice(8, 360)
    # the sum counts each coarse cell whole: up to half a millimeter too much
    np.testing.assert_allclose(loud[5, middle], (given - taken)[middle], atol=2 * 100 * 4**exponent * 5e-4)


def test_what_nothing_passes_is_not_heard():
    through = np.ones((16, 400), np.float32)
    through[:, 200:] = 0
    quiet = heard(medium(np.zeros((16, 400), np.uint8), transmission=through), 5e6)
    assert quiet[:, 200:].max() == 0 and quiet[3, 100] == pytest.approx(10 ** (9 / 20), rel=0.01)


def test_beside_the_array_nothing_is_heard_that_its_wave_does_not_reach():
    """A flat sheet beside the face would else be the first to answer an endless plane wave."""
    loud = heard(medium(np.zeros((512, 400), np.uint8)), 5e6)
    x, z = (np.arange(512) - 256) * 1e-4, np.arange(400) * 1e-4
    inside = np.abs(x)[:, None] < 19.2e-3 + z * np.tan(0.22)
    whole = np.broadcast_to(10 ** (np.minimum(900 * z, 40) / 20), loud.shape)
    assert np.abs(loud / whole - 1)[inside].max() < 0.06
    assert loud[np.abs(x)[:, None] > 22.7e-3 + z * np.tan(0.22)].max() == 0


def test_a_needle_that_is_held_still_is_drawn_as_a_new_one(monkeypatch):
    """Kept for later frames, it changes no byte; moved, turned or under another plane it is drawn anew."""
    course = Course(3, BODY)
    for command in (probe(), *needle_to((-0.01, 0.0, 0.018))[:12]):
        course.obey(command)
    for _ in range(3):
        course.advance()
    of, drawn = Cutter(*CUTTER.values()), []
    own = section_module.echo
    monkeypatch.setattr(section_module, "echo", lambda *a, **k: drawn.append(1) or own(*a, **k))
    first, again = (of.cut(course).medium.reflectivity for _ in range(2))
    assert len(drawn) == 1
    assert np.array_equal(first, again)
    assert np.array_equal(first, Cutter(*CUTTER.values()).cut(course).medium.reflectivity)
    course.controls["needle_gauge"] = 18.0
    thick = of.cut(course).medium.reflectivity
    course.obey(probe(at=(1e-3, 0, 0)))
    course.advance()
    of.cut(course)
    assert len(drawn) == 4
    assert not np.array_equal(thick, first)


def test_all_that_can_be_heard_lies_within_the_columns_that_are_cut():
    course, _ = lived([probe(force=3.0)], 0.1)
    medium = Cutter(*CUTTER.values()).cut(course).medium
    columns = hearing(CUTTER["shape"], CUTTER["lateral_step"], CUTTER["axial_step"])
    loud = heard(medium, 7.5e6)
    assert 0 < columns.start < columns.stop < CUTTER["shape"][0]
    assert not loud[: columns.start].any() and not loud[columns.stop :].any()
    assert loud[columns.start + 8].any() and loud[columns.stop - 9].any()
