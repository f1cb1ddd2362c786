"""The files of procedures: each number as the clinical tables give it, and every planted fault named."""

import math
import re
import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insonate.core import Approach, InputError, Review, Tissue, UnknownNameError
from insonate.guidance.procedures import catalog, check, procedure, procedures
from insonate.guidance.procedures.catalog import parse
from insonate.guidance.uncertainty import uncertainty
from refusals import refused
from tolerances import RTOL_FLOAT64

IDS = ("BU01", "LL01", "LL10", "MU01", "UL01", "UL03", "UL06")


def text(id="LL01"):
    return (files("insonate.guidance.procedures") / f"{id}.toml").read_text(encoding="utf-8")


def changed(old, new, id="LL01"):
    """The text of a procedure with one thing changed."""
    whole = text(id)
    assert old in whole
    return whole.replace(old, new, 1)


# The tables of CLINICAL.md, once more and by hand: depth [cm], volume [mL], needle length [mm], and the tags of each.
TABLES = {
    "BU01": ((1, 2, "M"), (3, 6, "M"), (50, "M"), "lateral to medial"),
    "MU01": ((0.5, 1.5, "M"), (0.5, 2, "M"), (50, "M"), "lateral to medial"),
    "UL01": ((1, 3, "M"), (7, 15, "S-009"), (50, "M"), "lateral to medial"),
    "LL01": ((2, 4, "M"), (10, 15, "S-018"), (80, "M"), "lateral to medial"),
    "LL10": ((2, 4, "M"), (15, 20, "S-026"), (80, "M"), "lateral to medial"),
    "UL03": ((1, 3, "M"), (20, 25, "S-011"), (50, "M"), "lateral to medial"),
    "UL06": ((0.5, 3, "M"), (15, 25, "M"), (50, "M"), "anterior to posterior, two to four injections"),
}
HAZARDS = {
    "BU01": {"supraspinatus tendon"},
    "MU01": {"pleura", "spinal accessory nerve"},
    "UL01": {"phrenic nerve", "dorsal scapular nerve", "long thoracic nerve", "vertebral artery"},
    "LL01": {"femoral artery", "femoral vein", "lateral circumflex femoral artery", "medial circumflex femoral artery"},
    "LL10": {"popliteal artery", "popliteal vein"},
    "UL03": {"pleura", "subclavian artery", "dorsal scapular artery", "suprascapular artery"},
    "UL06": {"axillary artery", "axillary vein"},
}  # fmt: skip
TARGETS = {
    "BU01": ("subacromial-subdeltoid bursa",),
    "MU01": ("trigger point",),
    "UL01": ("brachial plexus",),
    "LL01": ("femoral nerve",),
    "LL10": ("sciatic nerve",),
    "UL03": ("brachial plexus",),
    "UL06": ("median nerve", "ulnar nerve", "radial nerve", "musculocutaneous nerve"),
}


TISSUES = {"BU01": Tissue.BURSA, "MU01": Tissue.MUSCLE}
"""Of targets that are no nerves: there the tip comes to rest."""


@pytest.mark.parametrize("id", IDS)
def test_every_number_is_that_of_the_clinical_tables(id):
    found = procedure(id)
    (shallow, deep, depth_tag), (least, most, volume_tag), (length, length_tag), direction = TABLES[id]
    assert [number.value for number in found.depth] == pytest.approx([shallow / 100, deep / 100])
    assert {number.evidence for number in found.depth} == {depth_tag}
    assert [number.value for number in found.injectate.volume] == pytest.approx([least * 1e-6, most * 1e-6])
    assert {number.evidence for number in found.injectate.volume} == {volume_tag}
    assert found.needle.gauge == 22
    assert found.needle.diameter.value == pytest.approx(0.72e-3)
    assert found.needle.length.value == pytest.approx(length / 1000)
    assert (found.needle.diameter.evidence, found.needle.length.evidence) == ("M", length_tag)
    assert found.angle_limit.value == pytest.approx(math.radians(60))
    assert found.angle_limit.evidence == "D"
    assert found.direction == direction
    assert found.approach is Approach.IN_PLANE
    assert found.target.structures == TARGETS[id]
    assert found.target.tissue is TISSUES.get(id, Tissue.NERVE)
    assert {one.structure for one in found.hazards} == HAZARDS[id]
    assert found.review is Review.NOT_REVIEWED


@pytest.mark.parametrize("id", IDS)
def test_margins_and_stand_off_are_derived_and_shown_as_such(id):
    found = procedure(id)
    derived = {one: one.margin for one in found.hazards}
    for one, margin in derived.items():
        assert margin == uncertainty().margin(one.tissue)
    least = {Tissue.ARTERY: 3e-3, Tissue.PLEURA: 3e-3, Tissue.VEIN: 2e-3}
    assert all(margin.value >= least.get(one.tissue, 0) for one, margin in derived.items())
    if id in TISSUES:
        assert (found.target.standoff.value, found.target.standoff.evidence) == (0, "D")
    else:
        assert found.target.standoff == uncertainty().margin(Tissue.NERVE)
        derived["target"] = found.target.standoff
    for number in derived.values():
        assert number.evidence == "D"
        assert number.source.endswith("as assumed in guidance/uncertainty.toml; no source gives a distance")


@pytest.mark.parametrize("id", IDS)
def test_a_source_that_a_number_names_is_among_the_sources(id):
    found = procedure(id)
    numbers = [
        *found.depth,
        *found.injectate.volume,
        found.needle.diameter,
        found.needle.length,
        found.angle_limit,
    ]
    listed = " ".join(found.sources)
    for number in numbers:
        tags = re.findall(r"S-\d{3}", f"{number.source} {number.evidence}")
        assert all(tag in listed for tag in tags)
        if number.evidence == "M":
            assert "to be verified" in number.source


def numbers_of(table):
    """Every number in a table that no table of value, unit, source and evidence holds."""
    if isinstance(table, dict):
        if "value" in table:
            return []
        return [n for key, value in table.items() if key != "gauge" for n in numbers_of(value)]
    if isinstance(table, list):
        return [n for value in table for n in numbers_of(value)]
    return [table] if isinstance(table, int | float) else []


@pytest.mark.parametrize("id", IDS)
def test_no_number_stands_alone(id):
    assert numbers_of(tomllib.loads(text(id))) == []


def test_the_check_finds_nothing_and_the_list_is_in_order():
    assert check() == []
    assert tuple(one.id for one in procedures()) == IDS


def test_a_procedure_is_found_by_its_id_whatever_its_case():
    assert procedure(" ul03 ").id == "UL03"


@pytest.mark.parametrize(
    ("id", "suggestion"), [("UL30", " (did you mean UL03?)"), ("L01", " (did you mean UL01?)"), ("???", "")]
)
def test_an_unknown_procedure_suggests_the_nearest(id, suggestion):
    with refused(UnknownNameError, f"procedure must be one of {', '.join(IDS)}, got {id!r}{suggestion}"):
        procedure(id)


PAGES = "NYSORA and AccessAnesthesiology (S-018, S-019); adult of normal build, to be verified"
DEPTH = f'{{ value = 2.0, unit = "cm", source = "{PAGES}", evidence = "M" }}'
KEYS_OF_A_NUMBER = "x.toml: depth[0] must be a number with evidence, source, unit, value, got "
ANGLE = "source = \"steeper than this the shaft is hardly seen in-plane; design assumption\", evidence = \"D\""  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (DEPTH, "2.0", KEYS_OF_A_NUMBER + "2.0"),
        (
            DEPTH,
            '{ value = 2.0, unit = "cm", evidence = "M" }',
            KEYS_OF_A_NUMBER + "{'value': 2.0, 'unit': 'cm', 'evidence': 'M'}",
        ),
        (
            DEPTH,
            '{ value = 2.0, unit = "cm", source = "page" }',
            KEYS_OF_A_NUMBER + "{'value': 2.0, 'unit': 'cm', 'source': 'page'}",
        ),
        (ANGLE, 'source = " ", evidence = "D"', "x.toml: angle_limit.source must be text, got ' '"),
        (ANGLE, 'source = 7, evidence = "D"', "x.toml: angle_limit.source must be text, got 7"),
        (ANGLE, 'source = "page", evidence = ""', "x.toml: angle_limit.evidence must be text, got ''"),
        (
            ANGLE,
            'source = "page", evidence = "S-1"',
            "x.toml: angle_limit must have an evidence tag S-nnn, M, U, C, D, got 'S-1'",
        ),
        (
            ANGLE,
            'source = "page", evidence = "S-0111"',
            "x.toml: angle_limit must have an evidence tag S-nnn, M, U, C, D, got 'S-0111'",
        ),
        ('unit = "deg"', 'unit = "rad"', "x.toml: angle_limit must be in deg, got 'rad'"),
        ('value = 2.0, unit = "cm"', 'value = 2.0, unit = "mm"', "x.toml: depth[0] must be in cm, got 'mm'"),
        ('value = 10.0, unit = "mL"', 'value = 10.0, unit = "L"', "x.toml: injectate.volume[0] must be in mL, got 'L'"),
        ('value = 0.72, unit = "mm"', 'value = 0.72, unit = "cm"', "x.toml: needle.diameter must be in mm, got 'cm'"),
        ("value = 60.0", 'value = "60"', "x.toml: angle_limit must be a number [deg], got '60'"),
        ("value = 60.0", "value = true", "x.toml: angle_limit must be a number [deg], got True"),
        ("value = 60.0", "value = nan", "x.toml: angle_limit must be a number [deg], got nan"),
        ("value = 60.0", "value = inf", "x.toml: angle_limit must be a number [deg], got inf"),
        (
            "value = 60.0",
            "value = 600.0",
            "x.toml: Procedure.angle_limit must lie in 0.05..1.6 rad, got 10.472 (degrees?)",
        ),
        (
            "value = 4.0",
            "value = 1.0",
            "x.toml: Procedure.depth must lie in 0.02..0.3 m, got 0.01 (centimeters?)",
        ),
        ("gauge = 22", 'gauge = "22"', "x.toml: Needle.gauge must be a number in 14..34 gauge, got '22'"),
        (
            'structure = "femoral vein"\ntissue = "vein"',
            'structure = "femoral vien"\ntissue = "vein"',
            "x.toml: hazards[1].structure must be a name in guidance/anatomy.toml, got 'femoral vien' "
            "(did you mean 'femoral vein'?)",
        ),
        (
            'structure = "femoral vein"\ntissue = "vein"',
            'structure = "grail"\ntissue = "vein"',
            "x.toml: hazards[1].structure must be a name in guidance/anatomy.toml, got 'grail'",
        ),
        (
            'structure = "femoral vein"\ntissue = "vein"',
            'structure = "femoral vein"\ntissue = "artery"',
            "x.toml: hazards[1].structure 'femoral vein' must be of tissue vein, got artery",
        ),
        (
            'structure = "femoral vein"\ntissue = "vein"',
            'structure = "femoral artery"\ntissue = "artery"',
            "x.toml: hazards must name each structure once, got femoral artery more than once",
        ),
        (
            'margin = "derived"',
            'margin = "two mm"',
            "x.toml: hazards[0].margin must be a number with evidence, source, unit, value, got 'two mm'",
        ),
        (
            'margin = "derived"',
            "margin = 3.0",
            "x.toml: hazards[0].margin must be a number with evidence, source, unit, value, got 3.0",
        ),
        (
            'structures = ["femoral nerve"]',
            'structures = "femoral nerve"',
            "x.toml: target.structures must be a list of texts, got 'femoral nerve'",
        ),
        (
            'structures = ["femoral nerve"]',
            'structures = ["femoral artery"]',
            "x.toml: target.structures[0] 'femoral artery' must be of tissue artery, got nerve",
        ),
        (
            'structures = ["femoral nerve"]',
            "structures = []",
            "x.toml: Target.structures must name at least one structure, got none",
        ),
        ('kind = "around"', 'kind = "round"', "x.toml: target.kind must be one of around, plane, space, point, got 'round'"),
        ('approach = "in-plane"', "approach = 1", "x.toml: approach must be one of in-plane, out-of-plane, got 1"),
        (
            'review = "not reviewed by a clinician"',
            'review = "fine"',
            "x.toml: review must be one of not reviewed by a clinician, reviewed by a clinician, got 'fine'",
        ),
        ('name = "Femoral', 'nam = "Femoral', "x.toml: missing ['name'], unknown ['nam'] ('nam' for 'name'?)"),
        ("[injectate]", "[injected]", "x.toml: missing ['injectate'], unknown ['injected'] ('injected' for 'injectate'?)"),
        ("gauge = 22\n", "", "x.toml: needle: missing ['gauge'], unknown nothing"),
        ("gauge = 22\n", "gauge = 22\ntip = 1\n", "x.toml: needle: missing nothing, unknown ['tip']"),
        ('name = "Femoral nerve block"', "name = 3", "x.toml: name must be text, got 3"),
        ('"Hematoma."', "3", "x.toml: warnings[1] must be text, got 3"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_named(old, new, message):
    with refused(InputError, message):
        parse("x.toml", changed(old, new))


def test_a_whole_number_is_a_number():
    assert parse("x.toml", changed("value = 60.0", "value = 60")).angle_limit.value == pytest.approx(
        math.radians(60), rel=RTOL_FLOAT64
    )


def test_a_margin_with_a_source_of_its_own_is_kept():
    own = '{ value = 5, unit = "mm", source = "a page", evidence = "S-123" }'
    margin = parse("x.toml", changed('margin = "derived"', f"margin = {own}")).hazards[0].margin
    assert (margin.value, margin.source, margin.evidence) == (pytest.approx(5e-3), "a page", "S-123")


@pytest.mark.parametrize("gone", ["hazards", "target", "needle", "injectate", "depth", "landmarks"])
@pytest.mark.parametrize("instead", ["5", '"text"', "[]", "[1, 2]", "true"])
def test_a_wrong_kind_of_thing_is_refused_in_words(gone, instead):
    table = re.sub(
        rf"(?ms)^\[+{gone}\]+\n.*?(?=^\[|\Z)|^{gone} = \[\n.*?^\]\n|^{gone} = [^\n]*\n", "", text()
    )
    if (gone, instead) == ("landmarks", "[]"):
        assert parse("x.toml", f"{gone} = {instead}\n{table}").landmarks == ()
        return
    with pytest.raises(InputError, match=r"^x\.toml: ") as caught:
        parse("x.toml", f"{gone} = {instead}\n{table}")
    assert gone in str(caught.value).lower() or "must name its hazards" in str(caught.value)


def test_a_number_beyond_all_measure_is_refused():
    with pytest.raises(InputError, match="angle_limit must be a number"):
        parse("x.toml", changed("value = 60.0", f"value = 1{'0' * 400}"))


@given(st.text(max_size=80))
def test_what_is_no_procedure_is_refused_in_one_sentence(nonsense):
    with pytest.raises(InputError, match=r"^x\.toml: "):
        parse("x.toml", nonsense)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("ZZ01", text(), "ZZ01.toml: id must be the name of its file, got 'LL01'"),
        (
            "LL01",
            re.sub(r"(?m)^sources = .*$", "sources = []", text()),
            "LL01.toml: sources must name at least one, got none",
        ),
        (
            "LL01",
            changed('evidence = "D"', 'evidence = "Z"'),
            "LL01.toml: angle_limit must have an evidence tag S-nnn, M, U, C, D, got 'Z'",
        ),
    ],
)
def test_the_check_names_the_file_and_the_fault(tmp_path, monkeypatch, name, content, fault):
    (tmp_path / f"{name}.toml").write_text(content, encoding="utf-8")
    (tmp_path / "UL03.toml").write_text(text("UL03"), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("no procedure", encoding="utf-8")
    monkeypatch.setattr(catalog, "_folder", lambda: tmp_path)
    assert check() == [fault]


def test_nerves_of_a_plexus_belong_together_and_of_one_nerve_none_do():
    for id in ("UL01", "UL03"):
        together = procedure(id).target.together
        assert together is not None and together.value == pytest.approx(4e-3) and together.evidence == "D"
    assert procedure("LL01").target.together is None
