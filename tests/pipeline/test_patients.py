"""What can be chosen is listed, what cannot is refused with the nearest name, and what is chosen belongs to the replay."""

import numpy as np
import pytest

from insonate.core import InputError, RangeError, Source, UnknownNameError
from insonate.pipeline import patients
from insonate.pipeline.patients import Choice, listed, source_of
from insonate.simulation.course import Settings
from insonate.simulation.operator.operated import OperatedPatient
from insonate.simulation.patient import SimulatedPatient, body_of
from refusals import refused
from simulation.analytic_body import AnalyticBody


def test_every_region_is_listed_and_each_of_its_names_can_be_chosen():
    for entry in listed():
        assert entry["variants"][0] == "usual"
        assert entry["windows"]
        for variant in entry["variants"]:
            for window in entry["windows"]:
                Choice(region=entry["region"], variant=variant, window=window)
        Choice(region=entry["region"], pathologies=tuple(entry["pathologies"]))


def test_the_first_choice_is_the_femoral_crease_in_its_first_window():
    assert Choice().settings == Settings(window="crease")
    assert Choice().sentence == "femoral crease, seed 7"


def test_all_that_is_chosen_is_in_the_settings_and_in_the_sentence():
    choice = Choice(
        region="femoral crease",
        seed=3,
        variant="high_division",
        pathologies=("swollen_nerve",),
        window="medial",
        operator="novice",
    )
    assert choice.settings == Settings(
        region="femoral_crease", variant="high_division", pathologies=("swollen_nerve",), window="medial"
    )
    assert choice.sentence == "femoral crease, seed 3, high division, swollen nerve, window medial, novice"


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"variant": "high_divison"}, "(did you mean 'high_division'?)"),
        ({"pathologies": ("swolen_nerve",)}, "(did you mean 'swollen_nerve'?)"),
        ({"window": "medal"}, "(did you mean 'medial'?)"),
        ({"operator": "exprt"}, "(did you mean 'expert'?)"),
        ({"region": "femoral"}, "(did you mean 'femoral_crease'?)"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(told, message):
    with pytest.raises(UnknownNameError) as caught:
        Choice(**told)
    assert str(caught.value).endswith(message)


def test_a_seed_that_is_none_and_a_pathology_twice_are_refused():
    with refused(RangeError, "seed must be a whole number in 0..4294967295, got -1"):
        Choice(seed=-1)
    with refused(InputError, "a pathology can be chosen once, got swollen_nerve, swollen_nerve"):
        Choice(pathologies=("swollen_nerve", "swollen_nerve"))


def test_the_source_is_of_the_body_that_was_chosen(monkeypatch):
    asked = []

    def body(settings, seed):
        asked.append((settings, seed))
        return AnalyticBody()

    for module in ("patient", "operator.operated"):
        monkeypatch.setattr(f"insonate.simulation.{module}.body_of", body)
    alone = source_of(Choice(variant="high_division", seed=5))
    assert isinstance(alone, SimulatedPatient) and isinstance(alone, Source)
    assert alone.name == "simulated patient, femoral crease, seed 5, high division"
    operated = source_of(Choice(operator="expert"))
    assert isinstance(operated, OperatedPatient) and isinstance(operated, Source)
    assert asked == [
        (Settings(variant="high_division", window="crease"), 5),
        (Settings(window="crease"), 7),
    ]


@pytest.mark.slow
def test_window_and_variant_reach_what_is_compiled():
    usual, medial = body_of(Settings(), 7), body_of(Settings(window="medial"), 7)
    assert medial.extent[0, 0] > usual.extent[0, 0]
    other = body_of(Choice(variant="accessory_vein").settings, 7)
    label = [structure.name for structure in usual.structures].index("femoral vein") + 1
    places = np.random.default_rng(1).uniform(usual.extent[0], usual.extent[1], (3000, 3))
    blood = [(body.distance(label, places) < 0).sum() for body in (usual, other)]
    assert blood[1] != blood[0] or len(other.structures) != len(usual.structures)


def test_the_room_cannot_reach_the_truth():
    assert not hasattr(patients, "replay")
