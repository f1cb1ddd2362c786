import pytest

from insonate.core import FormatError
from insonate.guidance.rules import read_rules, rules
from refusals import refused


def test_numbers_are_in_si_units_and_as_written():
    assert rules()["alerting"]["dwell"] == 1.0
    assert rules()["stimulator"]["withdrawn"] == pytest.approx(1e-3)
    assert rules()["injection"]["pressure"] == pytest.approx(15 * 6894.757, rel=1e-5)


def test_a_number_without_source_is_refused():
    with refused(
        FormatError,
        "alerting.toml: a.b must have a value, a unit, a source and a tag, got "
        "{'value': 1, 'unit': 's', 'source': '', 'evidence': 'D'}",
    ):
        read_rules('[a]\nb = { value = 1, unit = "s", source = "", evidence = "D" }')
