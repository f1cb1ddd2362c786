"""Commands go through JSON and come back the same."""

import json

import numpy as np
import pytest

from insonate.core import MoveBody, SetControl, Stimulate, UnknownNameError
from insonate.pipeline.commands import commanded, plain
from simulation.scripts import WHO, inject, needle_to, probe, stimulate


def test_every_kind_comes_back_as_it_was():
    commands = [
        probe(time=0.1, angle=0.2, at=(0.01, 0.0, 0.0)),
        *needle_to((0.0, 0.0, 0.02))[:2],
        inject(0.3),
        stimulate(0.4),
        Stimulate(stimulus=None, time=0.5, given_by=WHO),
        MoveBody(part="iliopsoas", amount=0.5, time=0.6, given_by=WHO),
        SetControl(name="gain", value=3.0, time=0.7, given_by=WHO),
    ]
    told = json.loads(json.dumps([plain(one) for one in commands]))
    back = commanded(told)
    assert [type(one) for one in back] == [type(one) for one in commands]
    assert [plain(one) for one in back] == [plain(one) for one in commands]
    np.testing.assert_array_equal(back[0].pose.rotation, commands[0].pose.rotation)


def test_another_kind_is_refused():
    with pytest.raises(UnknownNameError, match="a command must be one of SetControl, MoveProbe"):
        commanded([{"kind": "Explode"}])
