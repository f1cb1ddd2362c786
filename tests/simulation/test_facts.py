import pytest

from insonate.core import FormatError
from insonate.simulation import facts as module
from insonate.simulation.facts import facts
from refusals import refused

FILES = [
    ("insonate.simulation", "patient"),
    ("insonate.simulation.motion", "motion"),
    ("insonate.simulation.instrument", "instruments"),
    ("insonate.simulation.instrument", "responses"),
    ("insonate.simulation.operator", "operators"),
]


@pytest.mark.parametrize(("package", "name"), FILES)
def test_every_number_has_its_source(package, name):
    tables = facts(package, name)
    assert sum(len(table) for table in tables.values()) > 0


def test_millimeters_end_at_the_door():
    assert facts("insonate.simulation.motion", "motion")["insertion"]["roll_above"] == pytest.approx(1.34e-3)
    gauges = facts("insonate.simulation.instrument", "instruments")["needle"]
    assert gauges["outer"][3] == pytest.approx(0.72e-3)


@pytest.mark.parametrize(
    "entry",
    [
        {"value": 1.0, "unit": "s", "evidence": "D"},
        {"value": 1.0, "unit": "s", "source": " ", "evidence": "D"},
        {"value": 1.0, "unit": "s", "source": "design", "evidence": "Z"},
    ],
)
def test_a_number_without_source_or_tag_is_refused(entry):
    with refused(
        FormatError,
        f"f.toml: t.n must have a value, a source and a tag of A, B, C, S, M, U, D, got {entry}",
    ):
        module._values("f", "t", {"n": entry})


def test_tables_cannot_be_changed():
    with pytest.raises(TypeError):
        facts("insonate.simulation.motion", "motion")["contact"]["bulge"] = 1
