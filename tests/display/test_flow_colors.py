"""Flow has the colors of the table, and what is unknown covers nothing."""

import numpy as np
import pytest

from insonate.core import AxesError
from insonate.display.flow_colors import flow_colors
from insonate.display.palette import rgb, table


def test_ends_and_middle_are_those_of_the_table():
    colors = flow_colors(np.array([[127, 0, -127, -128]], np.int8))[0]
    toward, away = (table()["flow"][side] for side in ("toward", "away"))
    assert tuple(colors[0, :3]) == rgb(toward[1])
    assert tuple(colors[1, :3]) == rgb(toward[0])
    assert tuple(colors[2, :3]) == rgb(away[1])
    assert colors[3, 3] == 0
    assert (colors[:3, 3] > 200).all()


def test_faster_is_brighter_on_either_side():
    luma = flow_colors(np.arange(-127, 128, dtype=np.int8)[np.newaxis])[0, :, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(luma[127:]) >= 0).all()
    assert (np.diff(luma[:127]) <= 0).all()


def test_a_line_is_no_map():
    with pytest.raises(AxesError):
        flow_colors(np.zeros(4, np.int8))
