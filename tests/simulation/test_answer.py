import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from insonate.core import AdvanceNeedle, ChannelData, MoveBody, Tissue, UnknownNameError
from insonate.imaging.beamforming.delay_and_sum import delay_and_sum
from insonate.simulation import answer
from insonate.simulation.answer import media, replay
from insonate.simulation.course import TICK, Course, Settings, due, ticks_until
from insonate.simulation.facts import facts
from insonate.simulation.patient import SimulatedPatient, cutter
from refusals import refused
from simulation.analytic_body import ARTERY, NERVE, AnalyticBody
from simulation.anatomy.phantoms import femoral
from simulation.motion.poses import held
from simulation.scripts import ENTRY, WHO, block, inject, needle_to, probe

BODY = AnalyticBody()
SETTINGS = Settings(truth_step=2e-4)


def answers(commands, until, every=1, **more):
    return list(replay(7, SETTINGS, commands, until, body=BODY, every=every, **more))


def lived(commands, until, seed=7):
    course, waiting = Course(seed, BODY), due(commands)
    while course.tick < ticks_until(until):
        while waiting and ticks_until(waiting[0].time) <= course.tick:
            course.obey(waiting.pop(0))
        course.advance()
    return course


def test_the_replay_tells_of_the_patient_that_was_lived():
    one = SimulatedPatient(7, SETTINGS, body=BODY)
    for _ in one.advance(block(), 2.6):
        pass
    last = answers(block(), 2.6, every=51)[-1]
    course = one._course
    assert last.time == pytest.approx(2.55)
    assert last.injected == course.syringe.volume
    tip = course.now.contact.pose.inverse().apply(course.insertion.shaft.tip[None])[0]
    np.testing.assert_array_equal(last.needle_tip, tip)
    assert last.clearances["femoral nerve"] == course.around.distance


def test_one_truth_a_tick_the_same_every_time():
    first, again = answers(block(), 0.3), answers(block(), 0.3)
    np.testing.assert_allclose([t.time for t in first], np.arange(6) * TICK)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.labels, b.labels)
        np.testing.assert_array_equal(a.displacement, b.displacement)


def test_labels_and_displacement_are_those_of_the_body():
    last = answers([probe(force=3.0)], 0.5, every=9)[-1]
    course = lived([probe(force=3.0)], 0.5)
    z, x = np.meshgrid(last.grid.axial, last.grid.lateral, indexing="ij")
    places = course.now.contact.pose.apply(np.stack([x.ravel(), 0 * x.ravel(), z.ravel()], axis=1))
    rest = course.now.origin(places)
    moved = (places - rest).reshape(*x.shape, 3)
    inner = np.s_[4:, :]
    assert np.abs(last.displacement - moved)[inner].max() < 2e-4  # nodes of 0.4 mm, straight between
    assert (last.labels.ravel() == BODY.labels_at(rest)).mean() > 0.985
    assert last.shear_modulus[last.labels == NERVE].min() == 10e3
    assert last.clearances == {} and last.needle_tip is None


def test_the_section_of_a_nerve_is_its_area():
    last = answers([probe(force=0.2)], 0.1)[-1]
    assert last.cross_sections["femoral nerve"] == pytest.approx(
        np.pi * 2.5e-3**2, rel=0.04
    )  # squares of 0.2 mm


def test_blood_runs_as_poiseuille_says():
    course = lived([probe(force=0.5)], 3 * TICK)
    beat = 1 / course.rhythm.heart_rate
    truths = answers([probe(force=0.5)], beat)
    at = int(np.argmax([course.rhythm.arterial_speed(t.time) for t in truths]))
    top, speed = truths[at], course.rhythm.arterial_speed(truths[at].time)
    inside = top.labels == ARTERY
    along = np.abs(top.velocity[inside][:, 1])
    # the probe presses: what lies under it gives way along the vessel, and its blood goes so much faster
    stretch = course.now.place(np.array([[4e-3, -5e-4, 18e-3], [4e-3, 5e-4, 18e-3]]))
    stretch = float(np.linalg.norm(stretch[1] - stretch[0]) / 1e-3)
    assert 1 <= stretch < 1.05
    assert along.max() == pytest.approx(stretch * speed, rel=0.02)
    assert along.mean() == pytest.approx(stretch * speed / 2, rel=0.03)
    outside = top.velocity[(top.labels == 4)]
    assert np.abs(outside).max() < 0.05


def test_blood_goes_along_a_vessel_as_it_is_pressed():
    """A probe that is rocked and pressed bends the artery along its picture; points of blood and truth go the same way."""
    command = probe(force=6.0, turn=np.pi / 2, angle=0.2, at=(4e-3, 0, 0))
    truth = answers([command], 0.15)[-1]
    course = Course(7, BODY)
    course.obey(command)
    for _ in range(3):
        course.advance()
    of = cutter()
    stream = next(s for s in of.streams(course, of.cut(course), moving=True) if s.label == ARTERY)
    near = (np.abs(stream.places[:, 1]) < 2e-4) & (np.abs(stream.places[:, 0]) < 12e-3)
    moved = ((stream.at(course.lived, course.lived + 1e-3) - stream.places) / 1e-3)[near]
    rows = np.searchsorted(truth.grid.axial, stream.places[near, 2]).clip(0, len(truth.grid.axial) - 1)
    columns = np.abs(truth.grid.lateral - stream.places[near, 0][:, None]).argmin(axis=1)
    inside = truth.labels[rows, columns] == ARTERY
    assert inside.sum() > 200 and truth.time == pytest.approx(course.lived)
    points, told = moved[inside], truth.velocity[rows, columns][inside]
    speed = np.linalg.norm(told, axis=1).max()
    assert np.abs(points.mean(axis=0) - told.mean(axis=0)).max() < 0.02 * speed
    straight = course.rhythm.arterial_speed(truth.time) * held(0.2, np.pi / 2).rotation[1]
    bend = np.degrees(np.arctan2(told[:, 2].mean(), told[:, 0].mean()) - np.arctan2(straight[2], straight[0]))
    assert abs((bend + 90) % 180 - 90) > 2  # it is not as it was at rest


def test_tissue_moves_by_its_velocity():
    before, after = answers([probe(force=0.5)], 0.65)[-2:]
    muscle = (before.labels == 4) & (after.labels == 4)
    change = (after.displacement - before.displacement)[muscle] / TICK
    assert np.abs(after.velocity[muscle]).max() > 5e-4
    np.testing.assert_allclose(after.velocity[muscle], change, atol=4e-4)  # to first order in the slopes


def test_fluid_and_swelling_are_told():
    into = [probe(), *needle_to((-8e-3, 0, 18e-3), speed=0.04), inject(1.5)]
    last = answers(into, 2.5, every=49)[-1]
    assert last.injectate.any() and (last.labels[last.injectate] == 0).all()
    assert last.cross_sections["femoral nerve"] > 1.3 * np.pi * 2.5e-3**2
    assert last.clearances["femoral nerve"] < 0
    assert last.injected == pytest.approx(1e-6)
    assert last.given == {"nerve": pytest.approx(1e-6)}


def test_a_shaft_that_crosses_a_nerve_whose_tip_is_beyond_is_told():
    """The tip lies 1.5 mm behind the nerve, the shaft went through its middle."""
    beyond = [probe(), *needle_to((-8e-3 + 4e-3 * 20 / 26.2, 0, 17e-3 + 4e-3 * 17 / 26.2), speed=0.06)]
    last = answers(beyond, 1.0, every=19)[-1]
    assert last.clearances["femoral nerve"] > 0.5e-3
    assert last.shaft_clearances["femoral nerve"] < -1.0e-3
    assert last.shaft_clearances["femoral artery"] == pytest.approx(
        last.clearances["femoral artery"], abs=3e-4
    )


def along(course):
    return answer._Along.of(course, answer.CLEARED)


def shaft_clearances(course):
    return answer._shaft_clearances(course, along(course))


def test_a_nerve_that_is_brought_to_the_shaft_lies_against_it():
    beyond = [probe(), *needle_to((-8e-3 + 4e-3 * 20 / 26.2, 0, 17e-3 + 4e-3 * 17 / 26.2), speed=0.06)]
    course = lived(beyond, 1.0)
    assert shaft_clearances(course)["femoral nerve"] < -1e-3
    course.insertion.passed = {}  # as if tissue in motion had brought it there
    assert shaft_clearances(course)["femoral nerve"] == 0


def test_a_tip_that_lies_in_a_nerve_is_told_however_it_came_there():
    course = lived([probe(), *needle_to((-8e-3, 0, 18e-3), speed=0.04)], 2.0)
    course.insertion.passed = {}  # as where the hub was turned
    tip, shaft = answer._clearances(course, along(course)), shaft_clearances(course)
    assert tip["femoral nerve"] < -1e-3
    assert shaft["femoral nerve"] <= tip["femoral nerve"] + 1e-4


def test_a_tip_in_fluid_beside_a_nerve_is_not_in_the_nerve():
    """Beyond the nerve's crest, 0.6 mm off, 5 mL part its surface from what lay on it: the needle lies between."""
    goal = np.array([-8e-3, 0, 17.6e-3]) - 3.1e-3 * np.array([np.cos(2.0), 0, np.sin(2.0)])
    for truth in answers([probe(), *needle_to(goal, speed=0.06), inject(0.8, rate=2e-6)], 3.3, every=13)[1:]:
        assert truth.clearances["femoral nerve"] > 0
        assert truth.shaft_clearances["femoral nerve"] > 0
    assert truth.given == {"plane": pytest.approx(truth.injected)}


def test_what_is_given_is_told_by_where_the_tip_lay():
    vessel = [probe(), *needle_to((4e-3, 0, 18e-3), speed=0.06), inject(1.0), inject(1.6, rate=0.0)]
    last = answers(vessel, 2.0, every=39)[-1]
    assert last.given == {"vessel": pytest.approx(last.injected)} and last.injected > 4e-7


def test_the_image_shows_what_the_truth_says():
    """Dark where the truth has fluid: the two come from one state."""
    out = AdvanceNeedle(entry=ENTRY, direction=[0, 0, 1], inserted=0, rotation=0, time=3.5, given_by=WHO)
    commands = [c for c in block() if c.time != 2.5] + [out]
    one = SimulatedPatient(7, Settings(angles=(0.0,)), body=BODY)
    frame = [f for f in one.advance(commands, 4.05) if isinstance(f, ChannelData)][-1]
    truth = answers(commands, 4.05, every=80)[-1]
    assert truth.time == frame.times[0, 0]
    bright = np.abs(delay_and_sum(frame, truth.grid).values[0])
    deep = ((truth.grid.axial > 0.012) & (truth.grid.axial < 0.022))[:, None]
    muscle = binary_erosion((truth.labels == 4) & deep, iterations=4)
    fluid = binary_erosion(truth.injectate & deep, iterations=4)  # 0.8 mm: side lobes of what lies beside
    assert fluid.sum() > 100
    assert np.median(bright[fluid]) < 0.5 * np.median(bright[muscle])


def test_a_command_that_the_body_cannot_obey_is_refused_before_anything():
    with refused(UnknownNameError, "MoveBody.part must be one of iliopsoas, got 'soleus'"):
        next(replay(7, SETTINGS, [MoveBody(part="soleus", amount=1, time=9, given_by=WHO)], 1.0, body=BODY))


def test_a_medium_of_the_femoral_crease_carries_modulus_and_velocity():
    """Each tissue has the modulus of its file; velocity is what displacement does between two ticks."""
    body, settings = femoral(), Settings(truth_step=3e-4)
    tense = [
        probe(force=0.5, at=(-0.004, 0, 0)),
        MoveBody(part="iliopsoas", amount=1.0, time=0.05, given_by=WHO),
    ]
    *_, before, last = replay(7, settings, tense, 0.15, body=body)
    _, after = media(7, settings, tense, 0.15, body=body, every=2)
    tissues = facts("insonate.simulation.anatomy", "tissues")
    modulus = after.property("shear_modulus")
    for label, structure in enumerate(after.structures, start=1):
        here = after.labels == label
        if here.any():
            assert (modulus[here] == tissues[structure.tissue.value]["shear_modulus"]).all()
    assert len(np.unique(modulus)) > 4
    change = (last.displacement - before.displacement).transpose(1, 0, 2) / TICK
    vessels = [n for n, s in enumerate(after.structures, 1) if s.tissue.is_vessel]
    still = (after.labels == before.labels.T) & ~np.isin(after.labels, vessels)
    moved = after.velocity[still]
    largest = np.abs(moved).max()
    assert largest > 1e-3
    assert np.quantile(np.abs(moved - change[still]), 0.99) < 0.1 * largest  # to first order in the slopes
    artery = body.label("femoral artery")
    speed = np.abs(after.velocity[after.labels == artery]).max()
    assert speed > 10 * largest or speed > 0.05
    np.testing.assert_array_equal(after.velocity, last.velocity.transpose(1, 0, 2))


def test_it_tells_of_the_tissues_asked_for():
    commands = [probe(), *needle_to((-8e-3, 0, 17e-3), speed=0.06)]
    every = answers(commands, 0.8, every=15)[-1]
    some = answers(commands, 0.8, every=15, cleared=(Tissue.ARTERY,))[-1]
    assert set(some.clearances) == set(some.shaft_clearances) == {"femoral artery"} < set(every.clearances)
    assert some.clearances["femoral artery"] == every.clearances["femoral artery"]
    assert some.shaft_clearances["femoral artery"] == every.shaft_clearances["femoral artery"]
