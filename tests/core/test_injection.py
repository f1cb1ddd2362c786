import pytest

from insonate.core import Dose, Drawn, InjectionReading, InputError, RangeError
from refusals import refused


def reading(**changes):
    return InjectionReading(**{"rate": 1e-7, "volume": 1e-6, "pressure": 5e4, "time": 1.0} | changes)


def test_what_was_drawn_is_unknown_unless_told():
    assert reading().drawn is None
    assert reading(drawn=Drawn.BLOOD).drawn is Drawn.BLOOD


def test_pressure_may_be_unknown():
    assert reading(pressure=None).pressure is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate": 0.2}, "InjectionReading.rate must lie in -1e-05..1e-05 m^3/s, got 0.2 (mL/s?)"),
        ({"volume": 15.0}, "InjectionReading.volume must lie in 0..0.001 m^3, got 15 (mL?)"),
        ({"volume": -1e-9}, "InjectionReading.volume must lie in 0..0.001 m^3, got -1e-09 (mL?)"),
        (
            {"pressure": 3e6},
            "InjectionReading.pressure must lie in -100000..2e+06 Pa, got 3e+06 (psi or kPa?)",
        ),
        ({"time": float("nan")}, "InjectionReading.time must lie in -1e+12..1e+12 s, got nan"),
    ],
)
def test_a_reading_that_cannot_be_is_refused(changes, message):
    with refused(RangeError, message):
        reading(**changes)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"agent": " "}, InputError, "Dose.agent must not be empty, got ''"),
        ({"mass": 75.0}, RangeError, "Dose.mass must lie in 0..0.01 kg, got 75 (milligrams?)"),
        ({"volume": 15.0}, RangeError, "Dose.volume must lie in 0..0.001 m^3, got 15 (mL?)"),
    ],
)
def test_a_dose_that_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        Dose(**{"agent": "ropivacaine 0.5 %", "mass": 7.5e-5, "volume": 1.5e-5} | changes)


def test_mass_may_be_unknown():
    assert Dose(agent="saline", mass=None, volume=1e-6).mass is None
