import pytest

from insonate.core import InputError, RangeError, StimulationReading, Stimulus
from refusals import refused

USUAL = Stimulus(current=5e-4, pulse_width=1e-4, rate=2.0)


def reading(**changes):
    usual = {"delivered": 5e-4, "muscle": "quadriceps", "grade": 2, "impedance": 12e3, "time": 1.0}
    return StimulationReading(**{"stimulus": USUAL} | usual | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"current": 0.5}, "Stimulus.current must lie in 0..0.02 A, got 0.5 (milliamperes?)"),
        ({"pulse_width": 0.1}, "Stimulus.pulse_width must lie in 1e-05..0.002 s, got 0.1 (milliseconds?)"),
        ({"rate": 0}, "Stimulus.rate must lie in 0.1..150 Hz, got 0"),
    ],
)
def test_a_slip_of_units_is_named(changes, message):
    with refused(RangeError, message):
        Stimulus(**{"current": 5e-4, "pulse_width": 1e-4, "rate": 2.0} | changes)


@pytest.mark.parametrize(("muscle", "grade"), [("quadriceps", 1), ("quadriceps", 2), (None, 0), (None, None)])
def test_an_answer_has_its_muscle_and_no_answer_has_none(muscle, grade):
    assert reading(muscle=muscle, grade=grade).grade == grade


@pytest.mark.parametrize(("muscle", "grade"), [("quadriceps", 0), ("quadriceps", None), (None, 1)])
def test_an_answer_without_muscle_and_a_muscle_without_answer_are_refused(muscle, grade):
    with refused(
        InputError,
        f"StimulationReading.muscle must be named with grade 1 or 2 and with no other, got {muscle!r} with grade {grade!r}",
    ):
        reading(muscle=muscle, grade=grade)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"grade": 3}, InputError, "StimulationReading.grade must be 0, 1, 2 or None, got 3"),
        (
            {"impedance": -1.0},
            RangeError,
            "StimulationReading.impedance must lie in 0..1e+07 ohm, got -1 (kiloohms?)",
        ),
        (
            {"delivered": 0.5},
            RangeError,
            "StimulationReading.delivered must lie in 0..0.02 A, got 0.5 (milliamperes?)",
        ),
        ({"time": None}, RangeError, "StimulationReading.time must be a number in -1e+12..1e+12 s, got None"),
    ],
)
def test_what_cannot_be_is_refused(changes, error, message):
    with refused(error, message):
        reading(**changes)
