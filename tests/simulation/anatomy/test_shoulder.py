"""The regions around the shoulder: sizes as published, and variants and pathologies that are another topology, in truth.

Region files are data; what is asked here is asked of labels and distances of the compiled body, coarsely.
"""

from functools import cache

import numpy as np
import pytest

from insonate.core import MoveBody, Tissue
from insonate.simulation.anatomy import CompiledBody, Window, region
from insonate.simulation.anatomy.compiler import compile_volumes
from insonate.simulation.course import Course

STEP = 0.6e-3
"""Voxels of a test [m]."""
WINDOWS = {
    "shoulder": Window(name="w", center=(5e-3, 0.0), reach=(46e-3, 12e-3, 36e-3)),
    "biceps_groove": Window(name="w", center=(0.0, 0.0), reach=(30e-3, 10e-3, 28e-3)),
    "posterior_shoulder": Window(name="w", center=(4e-3, 0.0), reach=(50e-3, 10e-3, 46e-3)),
    "trapezius": Window(name="w", center=(14e-3, 0.0), reach=(50e-3, 10e-3, 46e-3)),
    "notch": Window(name="w", center=(-40e-3, -4e-3), reach=(26e-3, 16e-3, 46e-3)),
}
"""Enough to hold what is asked for."""


@cache
def body(where, variant="usual", pathologies=(), seed=7):
    name = where if where in ("shoulder", "biceps_groove", "posterior_shoulder") else "upper_trapezius"
    individual = region(name).individual(seed, variant=variant, pathologies=pathologies)
    return CompiledBody(individual, compile_volumes(individual, WINDOWS[where], step=STEP))


def names(of):
    """Give the name at every voxel, (nx, ny, nz)."""
    known = np.array(["", *(one.name for one in of.structures)])
    return known[np.take(of.volumes.labels, of.volumes.voxels[..., 0])]


def lying(of, name, y=None):
    """Give the places of a structure, in one slice or all, (n, 3) [m]."""
    at = np.argwhere(names(of) == name)
    places = of.volumes.origin + at * of.volumes.step
    return places if y is None else places[np.abs(places[:, 1] - y) < of.volumes.step * 0.6]


def thickness(of, name, x, y=0.0):
    """Give how thick a layer is along its normal over a place [m]."""
    layer = of._solids[name]
    inner, outer = layer.faces(np.array([x]), np.array([y]))
    return float(outer[0] - inner[0])


TISSUES = {
    "shoulder": {
        "humerus": "bone",
        "acromion": "bone",
        "humeral cartilage": "cartilage",
        "supraspinatus tendon": "tendon",
        "subacromial-subdeltoid bursa": "bursa",
        "peribursal fat": "fat",
        "deltoid": "muscle",
    },
    "biceps_groove": {
        "humerus": "bone",
        "long head of biceps": "tendon",
        "transverse humeral ligament": "ligament",
        "subscapularis tendon": "tendon",
        "ascending branch of anterior circumflex humeral artery": "artery",
    },
    "posterior_shoulder": {
        "humeral head": "bone",
        "glenoid": "bone",
        "posterior labrum": "cartilage",
        "infraspinatus": "muscle",
        "suprascapular nerve": "nerve",
        "suprascapular artery": "artery",
    },
    "trapezius": {
        "upper trapezius": "muscle",
        "trigger point": "muscle",
        "second rib": "bone",
        "pleura": "pleura",
        "spinal accessory nerve": "nerve",
    },
    "notch": {
        "scapula": "bone",
        "supraspinatus": "muscle",
        "suprascapular nerve": "nerve",
        "suprascapular artery": "artery",
        "superior transverse scapular ligament": "ligament",
    },
}


@pytest.mark.parametrize("where", TISSUES)
def test_structures_are_there_and_named_with_their_tissue(where):
    of = body(where)
    assert (np.take(of.volumes.labels, of.volumes.voxels[..., 0]) > 0).all()
    named = {one.name: one.tissue.value for one in of.structures}
    for name, tissue in TISSUES[where].items():
        assert named[name] == tissue
        assert len(lying(of, name))
    assert all(one.named_by for one in of.structures if one.name != one.tissue.value)


def test_layers_over_the_head_follow_in_their_order():
    """CLINICAL A1 BU01: deltoid, bright fat, bursa, tendon, then cartilage and bone; bursa at 1-2 cm."""
    of = body("shoulder")
    along = names(of)[round((10e-3 - of.volumes.origin[0]) / STEP), 10]
    order = ["skin", "subcutaneous fat", "deltoid", "peribursal fat", "subacromial-subdeltoid bursa"]
    order += ["supraspinatus tendon", "capsule of shoulder joint", "humeral cartilage", "humerus"]
    found = [one for at, one in enumerate(along) if at == 0 or along[at - 1] != one]
    assert found == [one for one in order if one in found]
    assert {"deltoid", "supraspinatus tendon", "humerus"} <= set(found)
    depth = lying(of, "subacromial-subdeltoid bursa")[:, 2]
    assert 9e-3 < np.median(depth) < 21e-3


@pytest.mark.parametrize("seed", range(6))
def test_sizes_lie_in_their_published_ranges(seed):
    """CLINICAL D3, D5: supraspinatus 4.5-6.5 mm, bursa 2 mm at most, biceps 3-4 mm; trigger point 0.16 +- 0.11 cm2."""
    sizes = region("shoulder").individual(seed).quantities
    assert 4.5 <= sizes["tendon_mm"] <= 6.5
    assert sizes["bursa_mm"] <= 2
    assert 3 <= region("biceps_groove").individual(seed).quantities["biceps_mm"] <= 4
    sizes = region("upper_trapezius").individual(seed).quantities
    assert 9.5 <= sizes["trapezius_mm"] <= 13.8
    assert 0.05 < np.pi / 400 * sizes["knot_width_mm"] * sizes["knot_height_mm"] < 0.27 + 0.11


def test_the_tendon_is_as_thick_as_drawn_and_its_fibers_turn_with_the_head():
    of = body("shoulder")
    drawn = of.individual.quantities["tendon_mm"] * 1e-3
    assert thickness(of, "supraspinatus tendon", 12e-3) == pytest.approx(drawn, abs=0.8e-3)
    beak = [thickness(of, "supraspinatus tendon", x) for x in (-9e-3, -4e-3, 4e-3)]
    assert beak == sorted(beak)
    inside = lying(of, "supraspinatus tendon")
    fibers = of.fibers(inside)
    told = np.linalg.norm(fibers, axis=1) > 0.5
    assert np.abs(fibers[told, 1]).max() < 0.2
    inside, fibers = inside[told], fibers[told]
    upper = of._solids["supraspinatus tendon"].frame(tuple(inside.T))[2] > 0.6 * drawn
    rises = (inside[:, 0] < -4e-3) & upper
    falls = inside[:, 0] > 21e-3
    assert fibers[rises, 2].mean() < -0.1 < 0.03 < fibers[falls, 2].mean()


# --- variants: another topology ---


def test_the_front_of_the_acromion_may_be_a_bone_of_its_own():
    """Usually one bone along y; then two, with a gap between that no sound is stopped in."""
    x = region("shoulder").individual(7).quantities["acromion_x_mm"] * 1e-3 + 4e-3
    for variant, gap in (("usual", False), ("os_acromiale", True)):
        of = body("shoulder", variant)
        bones = [one.name for one in of.structures if one.tissue is Tissue.BONE]
        assert ("os acromiale" in bones) == gap
        high = lying(of, "acromion")
        if gap:
            high = np.concatenate([high, lying(of, "os acromiale")])
        column = high[np.abs(high[:, 0] - x) < STEP]
        holds = {round(float(y) / STEP) for y in column[:, 1]}
        middle = [at for at in range(min(holds), max(holds) + 1) if at not in holds]
        assert bool(middle) == gap


def test_an_accessory_head_may_lie_on_the_long_head_in_the_groove():
    usual, other = body("biceps_groove"), body("biceps_groove", "accessory_biceps_head")
    assert "accessory head of biceps" not in {one.name for one in usual.structures}
    flat = lying(other, "accessory head of biceps", 0.0)
    width, height = np.ptp(flat, axis=0)[[0, 2]]
    assert width == pytest.approx(7.7e-3, abs=1.4e-3)
    assert height < 2.2e-3
    head, bridge = (
        lying(other, name, 0.0) for name in ("long head of biceps", "transverse humeral ligament")
    )
    assert bridge[:, 2].mean() < flat[:, 2].mean() < head[:, 2].mean()


@pytest.mark.parametrize(
    ("variant", "artery", "vein"),
    [
        ("usual", "above", "below"),
        ("artery_below_ligament", "below", "below"),
        ("vessels_above_ligament", "above", "above"),
    ],
)
def test_vessels_pass_the_notch_above_or_below_its_ligament(variant, artery, vein):
    """Polguj 2014, types I, III and II; the nerve always below."""
    of = body("notch", variant)
    bridge = lying(of, "superior transverse scapular ligament", -7e-3)[:, 2].mean()
    for name, side in (("artery", artery), ("vein", vein), ("nerve", "below")):
        depth = lying(of, f"suprascapular {name}", -7e-3)[:, 2].mean()
        assert ("below" if depth > bridge else "above") == side, name


def test_a_bridge_of_bone_may_hide_the_nerve():
    of = body("notch", "ossified_ligament")
    assert "superior transverse scapular ligament" not in {one.name for one in of.structures}
    bridge = lying(of, "bony bridge of the suprascapular notch", -7e-3)
    nerve = lying(of, "suprascapular nerve", -7e-3)
    assert bridge[:, 0].min() < nerve[:, 0].min() < nerve[:, 0].max() < bridge[:, 0].max()
    assert bridge[:, 2].max() < nerve[:, 2].min()
    label = of.label("bony bridge of the suprascapular notch")
    assert of.structures[label - 1].tissue is Tissue.BONE


def test_a_ligament_may_bridge_the_spinoglenoid_notch():
    of = body("posterior_shoulder", "spinoglenoid_ligament")
    bridge, nerve = (lying(of, name, 0.0) for name in ("spinoglenoid ligament", "suprascapular nerve"))
    over = np.abs(bridge[:, 0] - nerve[:, 0].mean()) < 1e-3
    assert bridge[over, 2].max() < nerve[:, 2].min()
    assert "spinoglenoid ligament" not in {one.name for one in body("posterior_shoulder").structures}


# --- pathologies ---


def test_tendinosis_is_thick_and_dark_and_has_lost_fibrils():
    well, ill = body("shoulder"), body("shoulder", "usual", ("supraspinatus_tendinosis",))
    for of, least, most in ((well, 4e-3, 6.6e-3), (ill, 6e-3, 9.5e-3)):
        assert least < thickness(of, "supraspinatus tendon", 12e-3) < most
    levels, sheets = [], []
    for of in (well, ill):
        here = names(of) == "supraspinatus tendon"
        levels.append(of.volumes.voxels[here][:, 7].mean() * 0.35)
        sheets.append((of.volumes.voxels[here][:, 3] > 60).mean())
    assert levels[0] - levels[1] > 9
    assert sheets[1] < 0.6 * sheets[0]


@pytest.mark.parametrize(
    ("where", "pathology", "layer", "x", "most", "least"),
    [
        ("shoulder", "bursitis", "subacromial-subdeltoid bursa", 4e-3, 2e-3, 3e-3),
        ("posterior_shoulder", "joint_effusion", "posterior recess", -2e-3, 0.7e-3, 3e-3),
    ],
)
def test_fluid_fills_a_space_and_lifts_what_covers_it(where, pathology, layer, x, most, least):
    """CLINICAL D3: a bursa of over 3 mm is abnormal. The cover is lifted by as much."""
    well, ill = body(where), body(where, "usual", (pathology,))
    assert thickness(well, layer, x) < most
    assert thickness(ill, layer, x) > least
    cover = {"shoulder": "peribursal fat", "posterior_shoulder": "infraspinatus tendon"}[where]
    lifted = [of._solids[cover].faces(np.array([x]), np.array([0.0]))[0][0] for of in (well, ill)]
    assert lifted[1] - lifted[0] > 0.7 * (least - most)
    dark = [of.volumes.voxels[names(of) == layer][:, 7].mean() for of in (well, ill)]
    assert dark[1] <= dark[0] + 1


def test_the_tendon_of_biceps_swims_in_fluid_or_leaves_its_groove():
    well = body("biceps_groove")
    wet = body("biceps_groove", "usual", ("tenosynovitis",))
    assert len(lying(wet, "biceps tendon sheath")) > 2.5 * len(lying(well, "biceps tendon sheath"))
    out = body("biceps_groove", "usual", ("subluxation",))
    usual, gone = (lying(of, "long head of biceps", 0.0)[:, 0].mean() for of in (well, out))
    assert abs(usual) < 1e-3
    assert gone > 4e-3
    assert "transverse humeral ligament" not in {one.name for one in out.structures}


@pytest.mark.parametrize("where", ["posterior_shoulder", "notch"])
def test_a_swollen_nerve_is_larger(where):
    areas = [
        len(lying(of, "suprascapular nerve", 0.0))
        for of in (body(where), body(where, "usual", ("swollen_nerve",)))
    ]
    assert areas[1] > 1.3 * areas[0]


def test_a_cyst_lies_on_the_nerve_in_the_spinoglenoid_notch():
    of = body("posterior_shoulder", "usual", ("paralabral_cyst",))
    cyst, nerve = (lying(of, name, 0.0) for name in ("paralabral cyst", "suprascapular nerve"))
    assert of.structures[of.label("paralabral cyst") - 1].tissue is Tissue.FLUID
    apart = np.linalg.norm(cyst[:, None] - nerve, axis=2).min()
    assert apart < 3e-3
    assert cyst[:, 2].mean() < nerve[:, 2].mean()


def test_a_trigger_point_is_dark_and_stiff_and_an_active_one_more_so():
    """CLINICAL E1: trapezius 17.1 +- 5.8 kPa; S-051: hypoechoic, stiff."""
    latent, active = body("trapezius"), body("trapezius", "usual", ("active_trigger_point",))
    for of in (latent, active):
        modulus = of.properties["shear_modulus"]
        muscle, knot = (modulus[of.label(name)] for name in ("upper trapezius", "trigger point"))
        assert 6e3 <= muscle <= 34e3
        assert knot > 1.3 * muscle
        here = names(of)
        level = [
            of.volumes.voxels[here == name][:, 7].mean() * 0.35
            for name in ("upper trapezius", "trigger point")
        ]
        assert level[0] - level[1] > 4
    grown = [of.properties["shear_modulus"][of.label("trigger point")] for of in (latent, active)]
    assert grown[1] == pytest.approx(1.6 * grown[0])
    assert len(lying(active, "trigger point")) > 1.3 * len(lying(latent, "trigger point"))


def test_pleura_lies_deep_to_the_trapezius_and_passes_under_the_rib():
    of = body("trapezius")
    lung, rib, muscle = (lying(of, name, 0.0) for name in ("pleura", "second rib", "upper trapezius"))
    assert lung[:, 2].min() > muscle[:, 2].max() + 4e-3
    over = np.abs(lung[:, 0] - rib[:, 0].mean()) < 1e-3
    assert not over.any() or lung[over, 2].min() > rib[:, 2].max() - STEP


# --- what moves ---


def test_a_joint_pulls_the_tendon_along_its_fibers_and_bone_beside_it_less():
    of = body("shoulder")
    course = Course(3, of)
    assert "supraspinatus tendon" in course.muscles()
    inside = lying(of, "supraspinatus tendon")
    middle = inside.mean(axis=0)[None]
    away = middle + np.array([[0, 0, 14e-3]])
    before = [course.now.place(place) for place in (middle, away)]
    course.obey(MoveBody(part="supraspinatus tendon", amount=1.0, time=0.0, given_by="test"))
    for _ in range(30):
        course.advance()
    pulled, deep = (course.now.place(place) - one for place, one in zip((middle, away), before, strict=True))
    assert abs(pulled[0, 0]) == pytest.approx(3e-3, rel=0.25)
    assert abs(pulled[0, 0]) > 4 * abs(pulled[0, 1])
    assert np.abs(deep[0]).max() < 0.5 * abs(pulled[0, 0])


def test_a_muscle_shortens_along_its_own_fibers():
    """Fibers of the deltoid run along the array here: it is shorter along x and thicker in depth."""
    of = body("shoulder")
    course = Course(3, of)
    middle = lying(of, "deltoid").mean(axis=0)
    ends = middle + np.array([[-3e-3, 0, 0], [3e-3, 0, 0], [0, 0, -1.5e-3], [0, 0, 1.5e-3]])
    before = course.now.place(ends)
    course.obey(MoveBody(part="deltoid", amount=1.0, time=0.0, given_by="test"))
    for _ in range(30):
        course.advance()
    after = course.now.place(ends)
    assert np.linalg.norm(after[1] - after[0]) < 0.97 * np.linalg.norm(before[1] - before[0])
    assert np.linalg.norm(after[3] - after[2]) > 1.01 * np.linalg.norm(before[3] - before[2])
