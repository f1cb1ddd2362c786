"""Choices by name: listed without importing, loaded on use, unknown names answered with the nearest."""

import subprocess
import sys

import pytest

from insonate.core import UnknownNameError
from insonate.pipeline.catalog import CATALOGS, Catalog


def test_a_name_gives_the_thing_itself():
    import math

    catalog = Catalog("insonate.tests", {"root": "math:sqrt", "module": "math"})
    assert catalog.get("root") is math.sqrt
    assert catalog.get("module") is math


def test_an_unknown_name_is_answered_with_the_list_and_the_nearest():
    catalog = Catalog("insonate.beamformers", {"delay_and_sum": "math:sqrt", "stolt": "math:exp"})
    with pytest.raises(
        UnknownNameError, match=r"one of delay_and_sum, stolt, got 'delay_sum' \(did you mean 'delay_and_sum'"
    ):
        catalog.get("delay_sum")


def test_a_name_like_no_other_gets_no_suggestion():
    with pytest.raises(UnknownNameError, match=r"got 'zzz'$"):
        Catalog("insonate.x", {"stolt": "math:exp"}).get("zzz")


def test_an_entry_from_outside_joins_but_does_not_replace_ours(monkeypatch):
    class Point:
        def __init__(self, name, value):
            self.name, self.value = name, value

    outside = [Point("theirs", "math:cos"), Point("ours", "math:cos")]
    monkeypatch.setattr("insonate.pipeline.catalog.entry_points", lambda group: outside)
    catalog = Catalog("insonate.x", {"ours": "math:sin"})
    assert catalog.entries() == {"ours": "math:sin", "theirs": "math:cos"}


@pytest.mark.parametrize("group", CATALOGS)
def test_every_entry_can_be_loaded(group):
    catalog = CATALOGS[group]
    assert catalog.names()
    for name in catalog.names():
        assert catalog.get(name) is not None


def test_listing_the_choices_imports_no_heavy_library():
    code = (
        "import sys; from insonate.pipeline.catalog import CATALOGS; [c.names() for c in CATALOGS.values()]; "
        "print([m for m in ('numba', 'onnxruntime', 'pydicom', 'av', 'h5py', 'fastapi', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
