import pytest

from insonate.core import Step


def test_a_step_cannot_be_changed_afterwards():
    own = {"lag": 1}
    step = Step(name="color_doppler", settings=own, version="0.4.0")
    own["lag"] = 2
    assert step.settings == {"lag": 1}
    with pytest.raises(TypeError):
        step.settings["lag"] = 3


def test_settings_are_optional():
    assert dict(Step(name="read", version="1").settings) == {}
