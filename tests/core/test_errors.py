import pytest

from insonate.core import errors

INPUT = [
    errors.AxesError,
    errors.RangeError,
    errors.FrameError,
    errors.FormatError,
    errors.UnknownNameError,
]


@pytest.mark.parametrize("error", INPUT)
def test_what_came_in_wrong_is_a_value_error_too(error):
    assert issubclass(error, errors.InputError)
    assert issubclass(error, ValueError)
    assert issubclass(error, errors.InsonateError)


def test_what_could_not_be_written_is_an_os_error_and_no_input_error():
    assert issubclass(errors.OutputError, OSError)
    assert issubclass(errors.OutputError, errors.InsonateError)
    assert not issubclass(errors.OutputError, errors.InputError)


def test_one_catch_gets_them_all_and_no_bug():
    assert not issubclass(TypeError, errors.InsonateError)
    assert not issubclass(errors.InsonateError, ValueError)
