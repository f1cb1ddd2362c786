"""A researcher's own scatterers, from a table in a file to channel data in another."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from insonate.core.acquisition import Transmit
from insonate.core.checks import check_range
from insonate.core.errors import FormatError, InputError, UnknownNameError
from insonate.pipeline.chain import Report, silent
from insonate.pipeline.files import Made

COLUMNS = ("x_mm", "y_mm", "z_mm", "amplitude")
"""Of a table of scatterers; others are refused, so that a slip is seen."""
MOST = 2_000_000
"""Scatterers of one table."""
LONGEST_LINE = 10_000
"""Characters of one line of a table."""
ENGINES = ("A", "B")
"""The reference, and the fast one."""


def read_scatterers(path: Path) -> np.ndarray:
    """Read a table of scatterers.

    Parameters
    ----------
    path : pathlib.Path
        CSV, UTF-8, its first line the names of its columns: x_mm, y_mm, z_mm, amplitude, in any order.

    Returns
    -------
    numpy.ndarray
        (n, 4) float64: x, y, z [m] in the frame of the probe, and amplitude.

    Raises
    ------
    FormatError
        If it is no such table; the message gives the line.
    InputError
        If it cannot be read.
    """
    rows: list[list[float]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = iter(lambda: file.readline(LONGEST_LINE), "")
            table = csv.reader(lines, strict=True)
            names = [name.strip() for name in next(table, [])]
            if sorted(names) != sorted(COLUMNS):
                raise FormatError(
                    f"{path.name}: the first line must name the columns {', '.join(COLUMNS)}, "
                    f"got {', '.join(name[:30] for name in names[:8]) or 'none'}"
                )
            order = [names.index(name) for name in COLUMNS]
            for row in table:
                if not row:
                    continue
                if len(rows) >= MOST:
                    raise FormatError(f"{path.name}: a table can hold {MOST} scatterers, got more")
                rows.append(_numbers(row, order, f"{path.name}, line {table.line_num}"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or type(error).__name__}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"{path.name}: this is no table of scatterers in CSV: {error}") from error
    if not rows:
        raise FormatError(f"{path.name}: a table must hold at least one scatterer, got none")
    values = np.array(rows)
    values[:, :3] *= 1e-3
    return values


def _numbers(row: Sequence[str], order: Sequence[int], where: str) -> list[float]:
    if len(row) != len(COLUMNS):
        raise FormatError(f"{where}: there must be {len(COLUMNS)} values, got {len(row)}")
    numbers = []
    for name, index in zip(COLUMNS, order, strict=True):
        try:
            value = float(row[index])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise FormatError(f"{where}: {name} must be a finite number, got {row[index][:30]!r}")
        numbers.append(value)
    return numbers


def simulate_scatterers(
    path: Path,
    probe: str,
    angles: Sequence[float],
    out: Path,
    *,
    engine: str = "A",
    report: Report = silent,
) -> Made:
    """Simulate plane waves over a table of scatterers and write the channel data.

    Parameters
    ----------
    path : pathlib.Path
        The table, see `read_scatterers`.
    probe : str
        Name of a probe of `simulation.probes`.
    angles : sequence of float
        Of the plane waves [rad].
    out : pathlib.Path
        HDF5 file of ours, `.h5`.
    engine : {"A", "B"}
        Which.
    report : callable
        Told how far it is.

    Returns
    -------
    Made
        One line, and the same for programs.

    Raises
    ------
    InputError
        If something of it cannot be used; nothing was made.
    OutputError
        If it cannot be written.
    """
    from insonate.formats.insonate_hdf5 import write
    from insonate.simulation.acoustics import deposit, frequency
    from insonate.simulation.acoustics.scatterers import Scatterers
    from insonate.simulation.probes import probe as probe_of

    if out.suffix.lower() not in (".h5", ".hdf5"):
        raise InputError(f"--out must end in .h5, got {out.name!r}")
    if engine not in ENGINES:
        raise UnknownNameError(f"engine must be one of {', '.join(ENGINES)}, got {engine!r}")
    if not angles:
        raise InputError("--angles must hold at least one angle, got none")
    for angle in angles:
        check_range("--angles", math.degrees(angle), (-60, 60), "deg")
    array = probe_of(probe)
    table = read_scatterers(path)
    scatterers = Scatterers(positions=table[:, :3], amplitudes=table[:, 3])
    transmits = [Transmit.plane(steering_angle=angle, initial_time=0.0) for angle in angles]
    run = frequency.simulate if engine == "A" else deposit.simulate
    data = run(
        scatterers,
        array,
        transmits,
        progress=lambda done, of: report(done, of, f"simulating with engine {engine}"),
    )
    report(1, 1, "writing")
    write(out, data)
    n_samples = data.samples.shape[-1]
    rate = data.acquisition.sampling_frequency
    result = {
        "file": path.name,
        "out": str(out),
        "scatterers": len(table),
        "probe": probe,
        "engine": engine,
        "angles_deg": [round(math.degrees(angle), 6) for angle in angles],
        "samples": n_samples,
        "sampling_frequency": rate,
    }
    waves = f"{len(transmits)} plane wave{'s' if len(transmits) > 1 else ''}"
    return Made(
        sentence=f"{out}: {len(table)} scatterers of {path.name} under {probe}, {waves}, "
        f"{n_samples} samples at {rate / 1e6:.3g} MHz, engine {engine}",
        result=result,
    )
