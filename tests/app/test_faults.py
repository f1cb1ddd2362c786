"""One fault of `faults.py` through channel data: the others are played on demand, each takes half a minute."""

from app.faults import FAULTS, run
from insonate.pipeline.patients import Choice


def test_a_tracker_that_is_off_is_found_out_by_the_picture():
    [fault] = [one for one in FAULTS if one.name == "tracker 5 mm too deep"]
    said = run(fault, Choice(seed=7), after=0.5)
    assert "tip: tip" in said["before"] and "distances: some known" in said["before"]
    assert "tip: doubted" in said["meanwhile"]
    assert "tip: doubted" not in said["before"]
    assert any(one.startswith("caution: echo: ") for one in said["meanwhile"])
