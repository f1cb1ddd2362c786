from typing import get_args

import pytest

from insonate.core import units


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Meters", "m"),
        ("Seconds", "s"),
        ("Hertz", "Hz"),
        ("Radians", "rad"),
        ("MetersPerSecond", "m/s"),
        ("Decibels", "dB"),
        ("CubicMeters", "m3"),
        ("CubicMetersPerSecond", "m3/s"),
        ("SquareMeters", "m2"),
        ("Kilograms", "kg"),
        ("Newtons", "N"),
        ("Pascals", "Pa"),
        ("Amperes", "A"),
        ("Ohms", "ohm"),
    ],
)
def test_a_unit_is_a_float_that_knows_its_symbol(name, unit):
    assert get_args(getattr(units, name)) == (float, unit)
