"""Thickness of the slice: planes beside the image plane, heard together through the lens as `acoustics.elevation` has it.

    g(x, z) = sum_y w(y, z) g(x, y, z) / (sum_y |w(y, z)|^2)^(1/2)

so that speckle, another in each plane, keeps its strength at every depth. Needle and blood are drawn once, for they bring a
weight of their own. A live picture has one plane: each further one costs a cut. Where a plane beside would leave the window
the image plane stands for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from insonate.core import RangeError
from insonate.core.units import Meters
from insonate.simulation.acoustics import FourierEngine
from insonate.simulation.acoustics.elevation import thick_spectrum, weights
from insonate.simulation.course import Course
from insonate.simulation.instrument.needle import draw, shade
from insonate.simulation.points import drop
from insonate.simulation.section import Cutter, Section, heard
from insonate.simulation.streams import Stream, plane_thickness

STEP: Meters = 0.45e-3
"""From plane to plane: that of the tissue's noise across the plane [m]."""
NEAREST: Meters = 1e-3
"""Nearer to the face the weights are those of this depth [m]."""


class Thickness:
    """The planes of one machine."""

    def __init__(self, engine: FourierEngine, cutter: Callable[[Meters], Cutter], slices: int) -> None:
        """Plan them.

        Parameters
        ----------
        engine : FourierEngine
            Its probe's height and lens known.
        cutter : callable
            Plans the cuts so far beside the image plane [m].
        slices : int
            Planes, odd.
        """
        offsets = (np.arange(slices) - slices // 2) * STEP
        self._engine = engine
        self._cutters = [cutter(float(offset)) for offset in offsets]
        depths = np.maximum(np.arange(engine.shape[1]) * engine.axial_step, NEAREST)
        shares = weights(engine.probe, offsets, depths, sound_speed=engine.sound_speed)
        self._shares = shares / np.sqrt((np.abs(shares) ** 2).sum(axis=0))

    def spectrum(self, course: Course, section: Section, streams: Sequence[Stream]) -> np.ndarray:
        """Give the spectrum of what is heard of all planes.

        Parameters
        ----------
        course : Course
            The examination.
        section : Section
            Of the image plane now, needle drawn, without blood.
        streams : sequence of Stream
            The blood; none where it is added later.

        Returns
        -------
        numpy.ndarray
            As `FourierEngine.spectrum` gives it.
        """
        frequency, plane, shaft = (
            self._engine.probe.center_frequency,
            section.medium.plane,
            course.insertion.shaft,
        )
        maps = []
        for cutter in self._cutters:
            try:
                medium = cutter.cut(course, needle=False).medium
            except RangeError:
                medium = self._cutters[len(self._cutters) // 2].cut(course, needle=False).medium
            if shaft is not None:
                shade(medium.reflectivity, plane, shaft, gauge=course.gauge)
            maps.append(heard(medium, frequency))
        thin = np.zeros(plane.shape, np.float32)
        if shaft is not None:
            draw(
                thin,
                plane,
                shaft,
                gauge=course.gauge,
                echogenic=course.controls["needle_echogenic"] > 0.5,
                seed=course.seed,
            )
        for stream in streams:
            drop(thin, plane, stream.places, stream.strengths, thickness=plane_thickness())
        once = self._engine.spectrum(heard(replace(section.medium, reflectivity=thin), frequency))
        return np.asarray(thick_spectrum(self._engine, np.stack(maps), self._shares) + once)
