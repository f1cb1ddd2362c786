"""What a cut shows: labels and speckle that belong to the tissue, whatever the pose; variants that change the topology."""

import numpy as np
import pytest
from scipy.ndimage import label as components

from insonate.core import AxesError, RangeError
from refusals import refused
from simulation.anatomy.phantoms import DEPTH, RADIUS, STILL, chest, femoral, flesh, held, plane, rod

CARRIER = 58e3
"""Wavenumber of an echo at 7.1 MHz there and back [rad/m]."""

TRACKED = 0.05
"""Of the imposed displacement: the mark of issue 11."""

SNR, SNR_ERROR = 1.913, 0.05
"""Mean over deviation of a Rayleigh envelope, and the mark of issue 11."""


def cut(body, pose, *, motion=STILL, shape=(128, 500)):
    return body.cut(plane(pose, shape), motion)


def echoes(medium):
    """Give what a small linear system sees: a pulse of 0.2 mm along, a beam of 0.4 mm across."""
    z = (np.arange(41) - 20) * 0.04e-3
    pulse = np.exp(-0.5 * (z / 0.1e-3) ** 2 + 1j * CARRIER * z)
    x = (np.arange(15) - 7) * 0.15e-3
    beam = np.exp(-0.5 * (x / 0.25e-3) ** 2)
    lines = np.apply_along_axis(np.convolve, 1, medium.reflectivity.astype(complex), pulse, "valid")
    return np.apply_along_axis(np.convolve, 0, lines, beam, "valid")


def alike(a, b):
    """Give the correlation of two complex pictures."""
    return np.abs(np.vdot(a, b)) / np.sqrt(np.vdot(a, a).real * np.vdot(b, b).real)


def test_a_round_tube_is_cut_as_a_disk():
    medium = cut(rod(), held())
    inside = medium.labels == rod().label("rod")
    x, z = medium.plane.lateral[:, None], medium.plane.axial[None, :]
    truth = np.hypot(x, z - DEPTH) < RADIUS
    assert inside.sum() == pytest.approx(truth.sum(), rel=0.005)
    wrong = inside != truth
    edge = np.abs(np.hypot(x, z - DEPTH) - RADIUS)
    assert edge[wrong].max() < 0.06e-3  # a fifth of a voxel


def test_the_sign_and_value_of_the_distance_are_those_of_the_tube():
    at = np.random.default_rng(0).uniform([-0.014, -0.005, 0.001], [0.014, 0.005, 0.023], (500, 3))
    truth = np.hypot(at[:, 0], at[:, 2] - DEPTH) - RADIUS
    assert np.allclose(rod().distance(rod().label("rod"), at), truth, atol=1e-9)
    layer = rod().distance(rod().label("flesh"), at)
    far = np.abs(truth) > 1.5e-3
    assert (layer[far] * truth[far] < 0).all()
    assert np.abs(np.abs(layer) - np.abs(truth))[(truth < 0) & far].max() < 1.5e-3


def test_labels_agree_with_distances_in_the_shipped_region():
    body = femoral()
    medium = cut(body, held(-0.004), shape=(256, 700))
    points = medium.plane.points(medium.plane.lateral, medium.plane.axial)
    for name in ("femoral artery", "femoral nerve"):
        distance = body.distance(body.label(name), points.reshape(-1, 3)).reshape(medium.labels.shape)
        inside = medium.labels == body.label(name)
        sure = np.abs(distance) > 0.35e-3
        assert (inside == (distance < 0))[sure].mean() > 0.9995


@pytest.mark.parametrize("yaw", [0.5, np.pi / 2, 2.4])
def test_a_place_has_one_label_whatever_the_plane(yaw):
    body = femoral()
    straight = cut(body, held(0.001, 0.0005), shape=(64, 700))
    turned = cut(body, held(0.001, 0.0005, yaw=yaw), shape=(64, 700))
    assert (straight.labels[32] == turned.labels[32]).mean() > 0.995


def test_a_tilted_plane_cuts_what_it_meets():
    body = rod()
    tilt = 0.3
    medium = cut(body, held(tilt=tilt))
    middle = medium.labels[64] == body.label("rod")
    assert middle.sum() * 0.04e-3 == pytest.approx(2 * RADIUS / np.cos(tilt), rel=0.01)


def test_above_the_skin_there_is_nothing():
    medium = cut(rod(), held(z=-2e-3))
    assert (medium.labels[:, :50] == 0).all()
    assert not medium.reflectivity[:, :50].any()
    assert (medium.labels[:, 51:] > 0).all()


def test_a_plane_outside_is_refused():
    with refused(
        RangeError,
        "the middle of the plane must lie within the window (-15..15, -6..6, 0..24 mm), got (0, 9, 10) mm",
    ):
        cut(rod(), held(0, 0.009))


def test_motion_needs_its_axes():
    with refused(AxesError, "displacement must be (lateral, axial, 3), got shape (4, 3)"):
        rod().cut(plane(held()), np.zeros((4, 3)))


def test_a_label_is_found_by_name_or_refused():
    assert rod().structures[rod().label("rod") - 1].name == "rod"
    with refused(RangeError, "'knee' is no structure of this window, which has flesh, rod"):
        rod().label("knee")


@pytest.mark.parametrize("moved", [2e-6, 5e-6, 12e-6, 20e-6, -17e-6])
def test_speckle_rides_with_tissue_by_less_than_a_sample(moved):
    motion = np.zeros((3, 3, 3))
    motion[..., 2] = moved
    before, after = echoes(cut(flesh(), held())), echoes(cut(flesh(), held(), motion=motion))
    inner = (slice(None), slice(30, -30))
    phase = np.angle(np.vdot(after[inner], before[inner]))
    weight = np.abs(before[inner]) ** 2
    seen = np.angle(before[:, 31:-29] * before[:, 30:-30].conj())
    carrier = (weight[:, : seen.shape[1]] * seen).sum() / weight[:, : seen.shape[1]].sum() / 0.04e-3
    assert phase / carrier == pytest.approx(moved, rel=TRACKED)
    assert alike(before, after * 1) > 0.97


@pytest.mark.parametrize("moved", [(0, 0, 10e-6), (50e-6, 0, 0), (0, 0.2e-3, 5e-6), (37e-6, 0.1e-3, 7e-6)])
def test_interpolation_keeps_the_strength_of_speckle(moved):
    motion = np.broadcast_to(np.array(moved), (2, 2, 3))
    still, now = (np.std(cut(flesh(), held(), motion=one).reflectivity[:, 5:]) for one in (STILL, motion))
    assert now == pytest.approx(still, rel=0.03)  # of 128 x 495 samples, a third of them independent


def test_speckle_rides_with_tissue_along_the_array():
    """Moved by a column and a half, the picture is found again there."""
    motion = np.zeros((2, 2, 3))
    motion[..., 0] = 0.225e-3
    before, after = echoes(cut(flesh(), held())), echoes(cut(flesh(), held(), motion=motion))
    shifts = np.arange(-3, 7)
    match = [alike(before[10:-10], after[10 + s : len(after) - 10 + s]) for s in shifts]
    best = int(np.argmax(match))
    left, middle, right = match[best - 1 : best + 2]
    found = (shifts[best] + 0.5 * (left - right) / (left - 2 * middle + right)) * 0.15e-3
    assert found == pytest.approx(0.225e-3, rel=TRACKED)


def test_strain_moves_speckle_with_depth():
    motion = np.zeros((2, 40, 3))
    motion[..., 2] = np.linspace(0, -20e-6, 40)
    before, after = echoes(cut(flesh(), held())), echoes(cut(flesh(), held(), motion=motion))
    product = before * after.conj()
    n = product.shape[1]
    for share in (0.25, 0.5, 0.75):
        at = slice(int(share * n) - 25, int(share * n) + 25)
        phase = np.angle(product[:, at].sum())
        depth = share * n / 499
        assert phase / CARRIER == pytest.approx(-20e-6 * (depth + 20 / 499), abs=1.2e-6)


def test_speckle_is_another_out_of_the_plane():
    here = echoes(cut(flesh(), held()))
    match = [alike(here, echoes(cut(flesh(), held(0, y)))) for y in (0.0, 0.05e-3, 0.2e-3, 1.2e-3)]
    assert match[0] == pytest.approx(1)
    assert match[1] > 0.97
    assert 0.5 < match[2] < 0.97
    assert match[3] < 0.15


def test_first_order_statistics_are_those_of_developed_speckle():
    envelopes = [np.abs(echoes(cut(flesh(), held(0, y)))) for y in (-4e-3, -2e-3, 0.0, 2e-3, 4e-3)]
    inner = np.concatenate([one[:, 20:-20].ravel() for one in envelopes])
    assert inner.mean() / inner.std() == pytest.approx(SNR, abs=SNR_ERROR)


def test_a_sheet_is_coherent_and_fades_when_it_turns():
    """The wall of the rod echoes at top and bottom; a wall that runs down does not answer."""
    seen = np.abs(echoes(cut(rod(), held())))
    x = (np.arange(seen.shape[0]) - (128 // 2 - 7)) * 0.15e-3
    z = (np.arange(seen.shape[1]) + 20) * 0.04e-3
    radius = np.hypot(x[:, None], z[None, :] - DEPTH)
    wall = np.abs(radius - RADIUS) < 0.1e-3
    steep = np.abs(x[:, None]) > 0.9 * RADIUS
    flat = np.abs(x[:, None]) < 0.1 * RADIUS
    flesh_level = np.median(seen[:, z < 6e-3])
    assert seen[wall & flat].mean() > 10 * flesh_level
    assert seen[wall & steep].mean() < 0.1 * seen[wall & flat].mean()


def test_blood_lets_more_through_and_bone_nothing():
    medium = cut(rod(), held())
    assert medium.transmission[0, -1] == pytest.approx(1)
    expected = 10 ** (0.55 * 2 * RADIUS * 1e3 / 20)
    assert medium.transmission[64, -1] == pytest.approx(expected, rel=0.01)
    from simulation.anatomy.phantoms import ROD, compiled_text

    bone = cut(compiled_text(ROD.replace('"artery"', '"bone"')), held())
    assert 20 * np.log10(bone.transmission[64, -1]) < -25
    assert bone.transmission[0, -1] == pytest.approx(1)


def pleura_at(x):
    """Where the pleura of the phantom lies, away from the rib [m]."""
    return 14e-3 + 0.1 * x


def test_the_distance_to_the_pleura_is_that_of_its_plane_and_the_lung_lies_below():
    body = chest()
    lung = body.label("pleura")
    x = np.full(50, -15e-3)
    z = np.linspace(2e-3, 28e-3, 50)
    measured = body.distance(lung, np.stack([x, np.zeros(50), z], axis=1))
    assert measured == pytest.approx((pleura_at(-15e-3) - z) / np.hypot(1, 0.1), abs=2e-5)
    medium = cut(body, held(), shape=(256, 720))
    column = int(np.argmin(np.abs(medium.plane.lateral + 15e-3)))
    below = medium.plane.axial > pleura_at(-15e-3) + 0.3e-3
    within = medium.plane.axial < 29e-3
    assert (medium.labels[column][below & within] == lung).all()


def test_the_pleura_passes_behind_the_rib():
    body = chest()
    rib = body.label("rib")
    medium = cut(body, held(), shape=(256, 720))
    column = np.flatnonzero((medium.labels == rib).any(axis=1))
    assert len(column) > 20
    points = np.array([[12e-3, 0.0, 16e-3]])
    assert body.distance(rib, points)[0] == pytest.approx(0, abs=1e-5)
    assert body.distance(body.label("pleura"), points)[0] > 0.2e-3
    assert 20 * np.log10(medium.transmission[column, -1].min()) < -25


def test_a_lung_is_dark_below_a_bright_line_and_rings_in_places():
    medium = cut(chest(), held(), shape=(256, 720))
    x, z = medium.plane.lateral, medium.plane.axial
    image = np.abs(medium.reflectivity)
    free = (x > -18e-3) & (x < -13e-3)
    depth = z[None, :] - pleura_at(x)[:, None]
    line = image[free][np.abs(depth[free]) < 0.1e-3].max()
    flesh = np.sqrt((image[free][depth[free] < -1e-3] ** 2).mean())
    deep = np.sqrt((image[free][(depth[free] > 8e-3) & (depth[free] < 12e-3)] ** 2).mean())
    assert line > 20 * flesh
    assert deep < 0.3 * flesh
    rung = np.where(free[:, None] & (depth > 0.5e-3) & (depth < 4e-3), image, 0).max(axis=1)[free]
    assert rung.max() > 5 * flesh  # a comet's tail
    assert np.median(rung) < 0.25 * rung.max()  # but not everywhere


def test_properties_belong_to_labels():
    body = femoral()
    artery = body.label("femoral artery")
    assert body.properties["sound_speed"][artery] == 1577
    assert body.properties["shear_modulus"][artery] == 0
    assert all(len(table) == len(body.structures) + 1 for table in body.properties.values())
    assert body.properties["attenuation"][body.label("iliopsoas")] == 96


SPECK = 80
"""Samples, half a square millimeter: the compiled outline is uneven by less than a voxel."""


def pieces(mask):
    """Give how many pieces larger than a speck."""
    found, _ = components(mask)
    return int((np.bincount(found.ravel())[1:] > SPECK).sum())


def sections(body, name, y=0.0):
    """Give how many pieces of a structure a transverse plane meets."""
    medium = cut(body, held(-0.010, y), shape=(390, 900))
    return pieces(medium.labels == body.label(name))


def names(body):
    return {one.name for one in body.structures}


def test_usually_one_nerve_and_one_artery_lie_under_the_crease():
    body = femoral()
    assert sections(body, "femoral nerve") == 1
    assert sections(body, "femoral artery") == 1
    assert "profunda femoris artery" not in names(body)
    assert "accessory femoral vein" not in names(body)


def test_the_nerve_may_have_divided():
    body = femoral(7, "high_division")
    assert "femoral nerve" not in names(body)
    parts = [body.label(f"{which} division of femoral nerve") for which in ("anterior", "posterior")]
    medium = cut(body, held(-0.010), shape=(390, 900))
    both = np.isin(medium.labels, parts)
    assert pieces(both) == 2


def test_an_artery_may_cross_in_front_of_the_nerve():
    """Straight down onto the nerve, a needle meets the lateral circumflex artery first."""
    body = femoral(7, "circumflex_across")
    medium = cut(body, held(-0.010), shape=(390, 900))
    nerve = medium.labels == body.label("femoral nerve")
    artery = medium.labels == body.label("lateral circumflex femoral artery")
    over = nerve.any(axis=1) & artery.any(axis=1)
    assert over.sum() > 0.3 * nerve.any(axis=1).sum()
    for column in np.flatnonzero(over):
        assert np.flatnonzero(artery[column]).max() < np.flatnonzero(nerve[column]).min()
    assert "lateral circumflex femoral artery" not in names(femoral())


def test_the_deep_artery_may_leave_high():
    body = femoral(7, "high_profunda")
    medium = cut(body, held(-0.010, -0.004), shape=(390, 900))
    arteries = np.isin(medium.labels, [body.label("femoral artery"), body.label("profunda femoris artery")])
    pieces, count = components(arteries)
    sizes = np.bincount(pieces.ravel())[1:] * 0.15 * 0.04
    assert (sizes > 5).sum() == 2 or (
        medium.labels == body.label("profunda femoris artery")
    ).sum() * 0.006 > 8
    assert count >= 1


def test_there_may_be_a_second_vein_behind_the_artery():
    body = femoral(7, "accessory_vein")
    medium = cut(body, held(-0.010), shape=(390, 900))
    second, artery = (medium.labels == body.label(n) for n in ("accessory femoral vein", "femoral artery"))
    column = int(np.flatnonzero(artery.any(axis=1)).mean())
    assert second[column].any()
    assert np.flatnonzero(second[column]).min() > np.flatnonzero(artery[column]).max()


def test_the_cutaneous_nerve_may_run_far_medially():
    def middle(body):
        medium = cut(body, held(-0.010), shape=(390, 900))
        inside = medium.labels == body.label("lateral femoral cutaneous nerve")
        return medium.plane.points(medium.plane.lateral, medium.plane.axial)[inside][:, 0].mean()

    assert middle(femoral()) < -0.024
    assert middle(femoral(7, "medial_cutaneous_nerve")) > -0.018


@pytest.mark.parametrize(
    ("pathology", "name", "least"),
    [("lymphadenopathy", "superficial inguinal node", 1.5), ("swollen_nerve", "femoral nerve", 1.45)],
)
def test_a_pathology_enlarges_what_it_names(pathology, name, least):
    def area(body):
        return (cut(body, held(0.002), shape=(390, 900)).labels == body.label(name)).sum()

    assert area(femoral(7, "usual", (pathology,))) > least * area(femoral())


def test_every_pose_inside_can_be_cut():
    body = femoral()
    rng = np.random.default_rng(4)
    for _ in range(6):
        pose = held(
            *rng.uniform([-0.02, -0.003], [0.015, 0.003]), yaw=rng.uniform(-3, 3), tilt=rng.uniform(-0.1, 0.1)
        )
        medium = body.cut(plane(pose, (96, 600)), rng.normal(0, 3e-4, (5, 6, 3)))
        assert np.isfinite(medium.reflectivity).all()
        assert medium.labels.max() <= len(body.structures)
        assert (medium.transmission >= 0).all()


def test_columns_that_nobody_asks_for_are_left_empty_and_change_no_other():
    body, motion = rod(), np.random.default_rng(0).normal(0, 3e-4, (5, 6, 3))
    at = plane(held(), (96, 600))
    whole, part = body.cut(at, motion), body.cut(at, motion, columns=slice(20, 60))
    for name, rest in (("reflectivity", 0), ("labels", 0), ("transmission", 1)):
        made = getattr(part, name)
        assert np.array_equal(made[20:60], getattr(whole, name)[20:60])
        assert (made[:20] == rest).all() and (made[60:] == rest).all()
