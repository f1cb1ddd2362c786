import numpy as np
import pytest

from insonate.core import ChannelData, Grid
from insonate.imaging.beamforming.delay_and_sum import delay_and_sum
from insonate.simulation.course import Course, Settings
from insonate.simulation.patient import SimulatedPatient, cutter, machine
from insonate.simulation.section import heard
from insonate.simulation.thickness import Thickness
from simulation.analytic_body import AnalyticBody
from simulation.anatomy.phantoms import femoral
from simulation.scripts import needle_to, probe

GRID = Grid(axial=np.arange(0.006, 0.034, 2e-4), lateral=np.linspace(-0.012, 0.012, 61))


def picture(slices, y=0.0, body=None):
    one = SimulatedPatient(7, Settings(angles=(0.0,), slices=slices), body=body or femoral())
    one._noise = np.float32(0)
    (frame,) = (
        f for f in one.advance([probe(force=0.5, at=(-0.004, y, 0))], 0.05) if isinstance(f, ChannelData)
    )
    return delay_and_sum(frame, GRID).values[0]


def alike(a, b):
    return float(np.abs(np.vdot(a, b)) / np.linalg.norm(a) / np.linalg.norm(b))


def test_speckle_keeps_its_strength_and_holds_longer_out_of_the_plane():
    """A thick slice shares tissue with the one 0.45 mm beside it, a thin one hardly."""
    thin, thick = (tuple(picture(slices, y) for y in (0.0, 4.5e-4)) for slices in (1, 7))
    levels = [10 * np.log10(np.median(np.abs(one[0]) ** 2)) for one in (thin, thick)]
    assert levels[1] == pytest.approx(levels[0], abs=2.0)
    assert alike(*thick) > alike(*thin)
    assert alike(thin[0], thick[0]) > 0.5


def test_needle_and_blood_are_drawn_once():
    """In a body alike all along the limb: what is added by a needle is the same whatever the planes."""
    body = AnalyticBody()
    found = []
    for slices in (1, 3):
        spectra = []
        for commands in ([], needle_to((-0.010, 0, 0.016), speed=0.4)):
            course = Course(7, body)
            for command in [probe(force=0.5), *commands]:
                course.obey(command)
            course.advance()
            own = cutter()
            section = own.cut(course)
            one = Thickness(machine(), cutter, slices) if slices > 1 else None
            if one is None:
                spectra.append(machine().spectrum(heard(section.medium, 7.5e6)))
            else:
                spectra.append(one.spectrum(course, section, ()))
        found.append(spectra[1] - spectra[0])
    # the shadow and the drag of the needle differ in the planes by a little, the needle itself by nothing
    assert alike(*found) > 0.95
    assert np.linalg.norm(found[1]) == pytest.approx(np.linalg.norm(found[0]), rel=0.1)


def test_a_plane_that_leaves_the_window_is_stood_for_by_the_image_plane():
    body = femoral()
    one = SimulatedPatient(7, Settings(angles=(0.0,), slices=3), body=body)
    edge = float(body.extent[1, 1]) - 1e-4
    frames = [f for f in one.advance([probe(at=(-0.004, edge, 0))], 0.05) if isinstance(f, ChannelData)]
    assert np.isfinite(frames[0].samples).all()
