"""The report keeps to its schema, carries units, and says unknown as null."""

import json
from importlib.resources import files

import jsonschema
import numpy as np
import pytest

from insonate.core import (
    Approach,
    Clearance,
    Hazard,
    HazardSighting,
    Image,
    Injectate,
    ModelVersion,
    Needle,
    NeedlePath,
    PixelGrid,
    Plan,
    Procedure,
    Quantity,
    Review,
    Scene,
    Segmentation,
    Sourced,
    Step,
    Structure,
    Target,
    TargetKind,
    Tissue,
)
from insonate.record.report import length, report, structures

SCHEMA = json.loads((files("insonate.record") / "report.schema.json").read_text(encoding="utf-8"))
SOURCE = {"file": "scan.png", "sha256": "0" * 64, "reader": "still", "part": 1, "parts": 1}


def number(value):
    return Sourced(value=value, source="test", evidence="D")


PROCEDURE = Procedure(
    id="LL01",
    name="Femoral nerve block",
    target=Target(
        kind=TargetKind.AROUND, structures=("femoral nerve",), tissue=Tissue.NERVE, standoff=number(0.002)
    ),
    hazards=(Hazard(structure="femoral artery", tissue=Tissue.ARTERY, margin=number(0.003)),),
    view="femoral crease",
    landmarks=("femoral artery",),
    approach=Approach.IN_PLANE,
    direction="lateral to medial",
    depth=(number(0.02), number(0.04)),
    angle_limit=number(1.0),
    needle=Needle(gauge=22, diameter=number(0.72e-3), length=number(0.05)),
    injectate=Injectate(volume=(number(1e-5), number(1.5e-5))),
    warnings=(),
    review=Review.NOT_REVIEWED,
    sources=(),
)


def scene(spacing=(1e-4, 2e-4)):
    grid = PixelGrid(rows=50, columns=60, spacing=spacing)
    labels = np.zeros((1, 50, 60), np.uint8)
    labels[0, 10:20, 10:30] = 1
    segmentation = Segmentation(
        labels=labels,
        structures=(Structure(name="femoral nerve", tissue=Tissue.NERVE, named_by="rule"),),
        confidence=np.full(labels.shape, 0.75, np.float32),
        grid=grid,
        times=None,
        model=ModelVersion(name="m", version="1", confidence_threshold=0.5),
    )
    image = Image(
        values=np.zeros((1, 50, 60), np.float32),
        quantity=Quantity.BRIGHTNESS,
        grid=grid,
        provenance=(Step(name="read still", settings={"pixels": (50, 60)}, version="1"),),
    )
    return Scene(image=image, segmentation=segmentation, area=(0, 0, 50, 60))


def plan(distance=0.004, interval=(0.003, 0.005), unit="m"):
    clearance = Clearance(
        structure="femoral artery",
        distance=distance,
        interval=interval,
        unit=unit,
        contact_probability=None,
        margin=0.003,
        reason="test",
    )
    path = NeedlePath(
        entry=(0.0, 0.0),
        target=(0.001, 0.001),
        unit="m",
        length=0.0014,
        angle=0.785,
        aims_at="femoral nerve",
        clearances=(clearance,),
        unknown=("femoral vein",),
        not_seen=0.0,
        rank=1,
        reason="test",
    )
    sightings = tuple(
        HazardSighting(structure=name, tissue=tissue, margin=0.003, label=label, reason="test")
        for name, tissue, label in (("femoral artery", Tissue.ARTERY, 2), ("femoral vein", Tissue.VEIN, None))
    )
    return Plan(procedure="LL01", target=1, hazards=sightings, paths=(path,), reason="test")


def made(scene=scene(), plan=plan()):
    return report(scene.image, scene, source=SOURCE, frame=0, procedure=PROCEDURE, plan=plan)


def test_a_report_keeps_to_its_schema():
    jsonschema.validate(made(), SCHEMA)
    json.dumps(made(), allow_nan=False)


def test_a_report_of_labels_alone_keeps_to_its_schema():
    here = scene()
    jsonschema.validate(report(here.image, here, source=SOURCE, frame=0), SCHEMA)


def test_the_schema_would_notice_a_missing_unit():
    broken = made()
    del broken["paths"][0]["length"]["unit"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA)


def test_areas_are_in_square_millimeters_where_spacing_is_known():
    (row,) = structures(scene().segmentation)
    assert row["area"] == {"value": pytest.approx(10 * 20 * 0.1 * 0.2), "unit": "mm2"}
    (row,) = structures(scene(spacing=None).segmentation)
    assert row["area"] == {"value": 200.0, "unit": "px"}


def test_the_target_is_the_structure_with_its_label():
    assert made()["target"]["name"] == "femoral nerve"
    assert made()["target"]["named_by"] == "rule"


def test_hazards_are_known_or_unknown_and_nothing_else():
    states = {hazard["structure"]: (hazard["state"], hazard["label"]) for hazard in made()["hazards"]}
    assert states == {"femoral artery": ("known", 2), "femoral vein": ("unknown", None)}


def test_an_unknown_clearance_is_null_with_a_reason():
    result = made(plan=plan(None, None, None))
    jsonschema.validate(result, SCHEMA)
    (clearance,) = result["paths"][0]["clearances"]
    assert clearance["distance"] is None
    assert clearance["keeps_margin"] is None
    assert clearance["reason"]


def test_a_path_past_something_unknown_never_keeps_its_margins():
    assert made()["paths"][0]["keeps_margins"] is None


def test_spacing_that_is_not_known_is_null():
    assert made(scene=scene(spacing=None))["source"]["spacing_mm"] is None
    assert made()["source"]["spacing_mm"] == [0.1, 0.2]


def test_lengths_carry_their_unit():
    assert length(0.0123, "m") == {"value": 12.3, "unit": "mm"}
    assert length(12.34, "px") == {"value": 12.3, "unit": "px"}
    assert length(None, "m") is None
