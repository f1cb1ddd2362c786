"""Probes by name, for simulation: kinds of linear arrays, each number with its source in `probes.toml`."""

import difflib

from insonate.core import Probe, UnknownNameError
from insonate.simulation.facts import facts

PROBES = "insonate.simulation", "probes"


def probe_names() -> tuple[str, ...]:
    """Name the probes that there are, in the order of the file."""
    return tuple(facts(*PROBES))


def probe(name: str) -> Probe:
    """Give a probe.

    Parameters
    ----------
    name : str
        One of `probe_names`.

    Returns
    -------
    Probe
        A linear array with its size, band and lens.

    Raises
    ------
    UnknownNameError
        If there is none; the message suggests the nearest.
    """
    tables = facts(*PROBES)
    if name not in tables:
        near = difflib.get_close_matches(name, tables, n=1, cutoff=0.3)
        suggestion = f" (did you mean {near[0]!r}?)" if near else ""
        raise UnknownNameError(f"probe must be one of {', '.join(tables)}, got {name!r}{suggestion}")
    return Probe.linear(name=name, **tables[name])
