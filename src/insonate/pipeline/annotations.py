"""Names that a person gave structures by a click, kept with them from picture to picture as long as they are found again.

A name belongs to a place in the patient. In each later picture it goes to the structure of the same tissue nearest to that
place, at most `REACH` away, and the place follows it. Where none is near, nothing bears the name: it is unknown again, and
after `FORGETS` the name is dropped, so that it cannot settle on another structure that comes into view there later.
"""

import threading
from dataclasses import dataclass, replace

import numpy as np

from insonate.core import Grid, InputError, PixelGrid, Pose, Procedure, Segmentation, Tissue
from insonate.core.units import Meters, Seconds

REACH: Meters = 1.5e-3
"""The nearest pixel of a structure may lie so far from where the middle of the named one was: half of a small vessel, so
that a name does not pass to its neighbor; a design assumption [m]."""

CLICK: Meters = 2e-3
"""A click may miss an outline by so much [m]."""

FORGETS: Seconds = 3.0
"""A name whose structure was not found for so long is dropped [s]."""


@dataclass(slots=True)
class _Named:
    name: str
    tissue: Tissue
    at: np.ndarray
    by: str
    seen: Seconds
    mask: np.ndarray
    """Where it lay last."""


class Annotations:
    """Keeps the names that people gave on one source; asked from one thread, told from another."""

    def __init__(self) -> None:
        """Begin without names."""
        self._named: dict[str, _Named] = {}
        self._lock = threading.Lock()

    def name(
        self,
        segmentation: Segmentation,
        procedure: Procedure,
        place: tuple[Meters, Meters],
        name: str | None,
        *,
        by: str,
        probe: Pose | None,
        now: Seconds,
    ) -> None:
        """Give the structure at a place a name of the procedure, or take its name away.

        Parameters
        ----------
        segmentation : Segmentation
            Of one frame, as it is on the screen.
        procedure : Procedure
            Whose target and hazards have the names.
        place : (float, float)
            Down and to the right of the middle [m].
        name : str or None
            None takes the name away.
        by : str
            Who says so.
        probe : Pose or None
            Patient <- probe, if anybody knows.
        now : float
            [s].

        Raises
        ------
        InputError
            If there is no structure there, the procedure has no such name, or it is the name of another tissue.
        """
        number = _at(segmentation, place, CLICK)
        if number is None:
            raise InputError("no structure is outlined there")
        structure = segmentation.structures[number - 1]
        with self._lock:
            if name is None:
                self._named = {k: one for k, one in self._named.items() if k != structure.name}
                return
            tissues = {one.structure: one.tissue for one in procedure.hazards}
            tissues |= dict.fromkeys(procedure.target.structures, procedure.target.tissue)
            if name not in tissues:
                raise InputError(f"{procedure.id} knows no {name[:60]!r}: one of {', '.join(tissues)}")
            wanted = tissues[name]
            vague = structure.tissue is Tissue.VESSEL and wanted.is_vessel
            if wanted is not structure.tissue and not vague:
                raise InputError(
                    f"the {name} is {_a(wanted)}; what is outlined there is {_a(structure.tissue)}"
                )
            middle = _middle(segmentation, number)
            self._named[name] = _Named(
                name, structure.tissue, _to_patient(middle, probe), by, now, segmentation.mask(number)
            )

    def applied(self, segmentation: Segmentation, probe: Pose | None, now: Seconds) -> Segmentation:
        """Give the structures of a later picture the names that people gave.

        Parameters
        ----------
        segmentation : Segmentation
            Of one frame.
        probe : Pose or None
            Patient <- probe at its time.
        now : float
            When it was taken [s].

        Returns
        -------
        Segmentation
            The same one where no name fits.
        """
        with self._lock:
            structures = list(segmentation.structures)
            taken: set[int] = set()
            for one in list(self._named.values()):
                place = _to_probe(one.at, probe)
                number = _at(segmentation, place, REACH, tissue=one.tissue, but=taken)
                if number is not None and probe is None and not _goes_on(one.mask, segmentation.mask(number)):
                    number = None
                if number is None:
                    if now - one.seen > FORGETS:
                        del self._named[one.name]
                    continue
                taken.add(number)
                one.at, one.seen = _to_patient(_middle(segmentation, number), probe), now
                one.mask = segmentation.mask(number)
                structures[number - 1] = replace(
                    structures[number - 1], name=one.name, instance=1, named_by=f"{one.by}, by a click"
                )
        return replace(segmentation, structures=tuple(structures)) if taken else segmentation


def _goes_on(before: np.ndarray, now: np.ndarray) -> bool:
    """Whether an outline lies where it lay before, by more than half of both: all there is where nobody tracks the probe."""
    return before.shape == now.shape and bool(2 * (before & now).sum() > (before | now).sum())


def _at(
    segmentation: Segmentation,
    place: tuple[Meters, Meters],
    reach: Meters,
    *,
    tissue: Tissue | None = None,
    but: set[int] | None = None,
) -> int | None:
    """Give the number of the structure whose pixels are nearest to a place; None if none is within reach."""
    lines = _lines(segmentation)
    if lines is None:
        return None
    away = np.hypot((lines[0] - place[0])[:, None], (lines[1] - place[1])[None, :])
    best: tuple[float, int] | None = None
    for number, structure in enumerate(segmentation.structures, start=1):
        part = segmentation.mask(number)
        if number in (but or ()) or (tissue is not None and structure.tissue is not tissue) or not part.any():
            continue
        near = float(away[part].min())
        if near <= reach and (best is None or near < best[0]):
            best = (near, number)
    return None if best is None else best[1]


def _middle(segmentation: Segmentation, number: int) -> tuple[Meters, Meters]:
    lines = _lines(segmentation)
    if lines is None:
        raise InputError("a structure can be named where lengths are known in meters")
    rows, columns = np.nonzero(segmentation.mask(number))
    return float(lines[0][rows].mean()), float(lines[1][columns].mean())


def _lines(segmentation: Segmentation) -> tuple[np.ndarray, np.ndarray] | None:
    """Give where rows and columns lie [m]; None where that is not known."""
    grid = segmentation.grid
    if isinstance(grid, Grid):
        return grid.axial, grid.lateral
    if not isinstance(grid, PixelGrid) or grid.spacing is None:
        return None
    rows, columns = grid.shape
    return grid.spacing[0] * np.arange(rows), grid.spacing[1] * np.arange(columns)


def _to_patient(place: tuple[Meters, Meters], probe: Pose | None) -> np.ndarray:
    point = np.array([[place[1], 0.0, place[0]]])
    return np.asarray(point[0] if probe is None else probe.apply(point)[0])


def _to_probe(point: np.ndarray, probe: Pose | None) -> tuple[Meters, Meters]:
    at = point if probe is None else probe.inverse().apply(point[np.newaxis])[0]
    return float(at[2]), float(at[0])


def _a(tissue: Tissue) -> str:
    return f"{'an' if tissue.value[0] in 'aeiou' else 'a'} {tissue.value}"
