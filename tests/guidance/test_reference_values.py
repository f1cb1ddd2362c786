import re

import pytest

from insonate.core import FormatError
from insonate.guidance.reference_values import read_reference_values, reference_values

ONE = """
[[value]]
structure = "C6 root"
measure = "area"
low = 9.0
high = 10.0
unit = "mm²"
words = "about 9-10 mm²"
source = "CLINICAL D1"
evidence = "M"
"""


def test_each_value_has_its_source_and_lies_between_its_limits():
    values = reference_values()
    assert {one.structure for one in values} >= {"C5 root", "C6 root", "C7 root"}
    assert all(one.source and one.evidence and 1e-6 < one.low <= one.high < 1e-4 for one in values)


def test_a_structure_and_measure_are_told_once():
    told = [(one.structure, one.measure) for one in reference_values()]
    assert len(set(told)) == len(told)


def test_lengths_are_in_meters():
    (one,) = read_reference_values(ONE)
    assert (one.low, one.high) == pytest.approx((9e-6, 10e-6))


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('evidence = "M"', 'evidence = " "', "must have evidence"),
        ('source = "CLINICAL D1"\n', "", "must have source"),
        ("low = 9.0", "low = 11.0", "must have 0 < low <= high, got 11.0 and 10.0 mm²"),
        ('unit = "mm²"', 'unit = "cm²"', "C6 root must be an area in mm², got area in cm²"),
        ('measure = "area"', 'measure = "weight"', "must be an area in mm², got weight"),
    ],
)
def test_a_value_that_cannot_be_believed_is_refused(was, becomes, says):
    with pytest.raises(FormatError, match=re.escape(says)):
        read_reference_values(ONE.replace(was, becomes))
