import pytest

from insonate.core import (
    Approach,
    Hazard,
    Injectate,
    InputError,
    Needle,
    Procedure,
    RangeError,
    Review,
    Sourced,
    Target,
    TargetKind,
    Tissue,
)
from refusals import refused


def sourced(value):
    return Sourced(value=value, source="derived in the docs", evidence="D")


def target(standoff=0.002, **changes):
    parts = {
        "kind": TargetKind.AROUND,
        "structures": ("femoral nerve",),
        "tissue": Tissue.NERVE,
        "standoff": sourced(standoff),
    }
    return Target(**parts | changes)


def hazard(margin=0.003):
    return Hazard(structure="femoral artery", tissue=Tissue.ARTERY, margin=sourced(margin))


def needle(gauge=22, diameter=7e-4, length=0.05):
    return Needle(gauge=gauge, diameter=sourced(diameter), length=sourced(length))


def procedure(**changes):
    return Procedure(
        **{
            "id": "LL01",
            "name": "femoral nerve block",
            "target": target(),
            "hazards": (hazard(),),
            "view": "inguinal crease, transverse",
            "landmarks": ("femoral artery",),
            "approach": Approach.IN_PLANE,
            "direction": "lateral to medial",
            "depth": (sourced(0.02), sourced(0.04)),
            "angle_limit": sourced(0.8),
            "needle": needle(),
            "injectate": Injectate(volume=(sourced(1e-5), sourced(2e-5))),
            "warnings": (),
            "review": Review.NOT_REVIEWED,
            "sources": ("a page",),
        }
        | changes
    )


def test_words_for_people():
    assert [kind.value for kind in TargetKind] == ["around", "plane", "space", "point"]
    assert [approach.value for approach in Approach] == ["in-plane", "out-of-plane"]
    assert procedure().review.value == "not reviewed by a clinician"
    assert Review.REVIEWED.value == "reviewed by a clinician"


@pytest.mark.parametrize(("source", "evidence"), [("", "D"), ("a page", " "), (" ", "")])
def test_no_clinical_number_without_source_and_tag(source, evidence):
    message = (
        f"a clinical number needs its source and evidence tag, got 0.003 with source {source!r} "
        f"and evidence {evidence!r}"
    )
    with refused(InputError, message):
        Sourced(value=0.003, source=source, evidence=evidence)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: target(structures=()),
            InputError,
            "Target.structures must name at least one structure, got none",
        ),
        (lambda: target(2), RangeError, "Target.standoff must lie in 0..0.05 m, got 2 (millimeters?)"),
        (lambda: target(-0.1), RangeError, "Target.standoff must lie in 0..0.05 m, got -0.1 (millimeters?)"),
        (lambda: hazard(3), RangeError, "Hazard.margin must lie in 0..0.05 m, got 3 (millimeters?)"),
        (lambda: hazard(-0.1), RangeError, "Hazard.margin must lie in 0..0.05 m, got -0.1 (millimeters?)"),
        (lambda: needle(gauge=13), RangeError, "Needle.gauge must lie in 14..34 gauge, got 13"),
        (lambda: needle(gauge=35), RangeError, "Needle.gauge must lie in 14..34 gauge, got 35"),
        (lambda: needle(gauge=22.5), RangeError, "Needle.gauge must be a whole number of gauge, got 22.5"),
        (
            lambda: needle(diameter=0.7),
            RangeError,
            "Needle.diameter must lie in 0.0001..0.003 m, got 0.7 (millimeters?)",
        ),
        (
            lambda: needle(diameter=0),
            RangeError,
            "Needle.diameter must lie in 0.0001..0.003 m, got 0 (millimeters?)",
        ),
        (
            lambda: needle(length=50),
            RangeError,
            "Needle.length must lie in 0.01..0.3 m, got 50 (millimeters?)",
        ),
        (lambda: needle(length=0), RangeError, "Needle.length must lie in 0.01..0.3 m, got 0 (millimeters?)"),
        (
            lambda: Injectate(volume=(sourced(10), sourced(20))),
            RangeError,
            "Injectate.volume must lie in 0..0.0002 m3, got 10 (milliliters?)",
        ),
        (
            lambda: Injectate(volume=(sourced(1e-5), sourced(20))),
            RangeError,
            "Injectate.volume must lie in 1e-05..0.0002 m3, got 20 (milliliters?)",
        ),
        (
            lambda: Injectate(volume=(sourced(2e-5), sourced(1e-5))),
            RangeError,
            "Injectate.volume must lie in 2e-05..0.0002 m3, got 1e-05 (milliliters?)",
        ),
        (
            lambda: Injectate(volume=(sourced(-1e-5), sourced(1e-5))),
            RangeError,
            "Injectate.volume must lie in 0..0.0002 m3, got -1e-05 (milliliters?)",
        ),
        (lambda: procedure(hazards=()), InputError, "Procedure LL01 must name its hazards, got none"),
        (
            lambda: procedure(depth=(sourced(2), sourced(4))),
            RangeError,
            "Procedure.depth must lie in 0..0.3 m, got 2 (centimeters?)",
        ),
        (
            lambda: procedure(depth=(sourced(-0.01), sourced(0.04))),
            RangeError,
            "Procedure.depth must lie in 0..0.3 m, got -0.01 (centimeters?)",
        ),
        (
            lambda: procedure(depth=(sourced(0.04), sourced(0.02))),
            RangeError,
            "Procedure.depth must lie in 0.04..0.3 m, got 0.02 (centimeters?)",
        ),
        (
            lambda: procedure(depth=(sourced(0.02), sourced(4))),
            RangeError,
            "Procedure.depth must lie in 0.02..0.3 m, got 4 (centimeters?)",
        ),
        (
            lambda: procedure(angle_limit=sourced(45)),
            RangeError,
            "Procedure.angle_limit must lie in 0.05..1.6 rad, got 45 (degrees?)",
        ),
        (
            lambda: procedure(angle_limit=sourced(0)),
            RangeError,
            "Procedure.angle_limit must lie in 0.05..1.6 rad, got 0 (degrees?)",
        ),
    ],
)
def test_a_number_in_another_unit_is_told_so(make, error, message):
    with refused(error, message):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: target(0),
        lambda: target(0.05),
        lambda: hazard(0),
        lambda: hazard(0.05),
        lambda: needle(14, 1e-4, 0.01),
        lambda: needle(34, 3e-3, 0.3),
        lambda: Injectate(volume=(sourced(0), sourced(0))),
        lambda: Injectate(volume=(sourced(2e-4), sourced(2e-4))),
        lambda: procedure(depth=(sourced(0), sourced(0.3))),
        lambda: procedure(depth=(sourced(0.3), sourced(0.3)), angle_limit=sourced(0.05)),
        lambda: procedure(angle_limit=sourced(1.6)),
    ],
)
def test_the_limits_pass(make):
    make()
