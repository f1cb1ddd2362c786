"""Volumes: as large as they may be, the same for the same seed, whole on disk, and of no anatomy that intersects itself."""

import os
from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from insonate.core import InputError, RangeError, Tissue
from insonate.simulation.anatomy import Window, compiled, compiler, read, region
from insonate.simulation.anatomy.compiler import DISTANCE_STEP, compile_volumes, key, load, save
from refusals import refused
from simulation.anatomy.phantoms import (
    DEPTH,
    FLESH,
    LAYERED,
    RADIUS,
    ROD,
    SMALL,
    compiled_text,
    femoral,
    layered,
    rod,
)

SECOND = ROD + ROD[ROD.index("[[tube]]") :].replace('"rod"', '"other"').replace("x_mm = 0", "x_mm = 6")


def test_an_anatomy_that_intersects_itself_is_refused_by_name():
    of = read(text=SECOND, name="phantom")
    with pytest.raises(InputError) as caught:
        compile_volumes(of.individual(1), of.window())
    assert (
        str(caught.value) == "phantom (seed 1, variant 'usual'): 'rod' and 'other' lie 1.0 mm in each other"
    )


@pytest.mark.parametrize("word", ["yields = true", 'branch_of = "rod"'])
def test_what_yields_or_branches_may_touch(word):
    of = read(text=SECOND.replace('name = "other"', f'name = "other"\n{word}'), name="phantom")
    names = [one.name for one in compile_volumes(of.individual(1), of.window(), step=0.6e-3).structures]
    assert names == ["flesh", "rod", "other"]


def test_what_reaches_out_of_the_skin_is_refused_by_name():
    of = read(text=ROD.replace("z_mm = 12", "z_mm = 3"), name="phantom")
    with refused(InputError, "phantom (seed 1, variant 'usual'): 'rod' reaches 1.0 mm out of the skin"):
        compile_volumes(of.individual(1), of.window())


@pytest.mark.parametrize(
    ("reach", "message"),
    [
        ((0.2, 0.02, 0.02), "reach of window 'w' along x must lie in 0.005..0.1 m, got 0.2 (millimeters?)"),
        (
            (0.02, 0.07, 0.02),
            "reach of window 'w' along y must lie in 0.005..0.06 m, got 0.07 (millimeters?)",
        ),
        ((0.02, 0.02, 40), "reach of window 'w' along z must lie in 0.005..0.06 m, got 40 (millimeters?)"),
    ],
)
def test_a_window_has_its_limits(reach, message):
    individual = read(text=ROD, name="phantom").individual(1)
    with refused(RangeError, message):
        compile_volumes(individual, Window(name="w", center=(0, 0), reach=reach))


def test_memory_has_its_limit():
    individual = read(text=ROD, name="phantom").individual(1)
    with refused(RangeError, "a window must have at most 24 million voxels, got 107 million"):
        compile_volumes(individual, Window(name="w", center=(0, 0), reach=(0.1, 0.06, 0.06)), step=0.15e-3)


def test_the_largest_window_takes_less_than_a_gigabyte():
    counts = np.ceil(np.array([0.1, 0.06, 0.06]) / 0.3e-3)
    assert np.prod(counts) * 8 < 1e9 / 8
    assert np.prod(counts) < 24e6


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    individual = region("femoral_crease").individual(5)
    window = Window(name="w", center=(0, 0), reach=(0.03, 0.006, 0.03))
    one, again = (compile_volumes(individual, window, step=0.6e-3) for _ in range(2))
    assert one.voxels.tobytes() == again.voxels.tobytes()
    assert one.fibers.tobytes() == again.fibers.tobytes()
    other = compile_volumes(region("femoral_crease").individual(6), window, step=0.6e-3)
    assert (other.voxels[..., 0] != one.voxels[..., 0]).mean() > 0.02


def test_neighboring_windows_agree_where_they_overlap():
    individual = region("femoral_crease").individual(5)
    step = 0.6e-3
    left = compile_volumes(
        individual, Window(name="l", center=(0, 0), reach=(50 * step, 10 * step, 50 * step)), step=step
    )
    right = compile_volumes(
        individual,
        Window(name="r", center=(10 * step, 0), reach=(50 * step, 10 * step, 50 * step)),
        step=step,
    )
    assert np.allclose(left.origin + np.array([10 * step, 0, 0]), right.origin)
    labels = [np.take(one.labels, one.voxels[..., 0]) for one in (left, right)]
    names = [np.array(["", *(s.name for s in one.structures)]) for one in (left, right)]
    same = names[0][labels[0][10:]] == names[1][labels[1][:-10]]
    assert same.mean() > 0.995


def test_distances_of_a_wall_are_those_of_the_tube():
    volumes = rod().volumes
    n = volumes.voxels.shape
    x, _, z = (volumes.origin[k] + np.arange(n[k]) * volumes.step for k in range(3))
    truth = np.hypot(x[:, None], z[None, :] - DEPTH) - RADIUS
    stored = volumes.voxels[:, 5, :, 2].view(np.int8) * DISTANCE_STEP
    near = np.abs(truth) < 0.8e-3
    assert np.abs(stored - truth)[near].max() < DISTANCE_STEP
    normal = volumes.voxels[:, 5, :, 4:7].view(np.int8) / 127
    outward = (
        np.stack(np.broadcast_arrays(x[:, None], 0, z[None, :] - DEPTH), axis=-1)
        / (truth + RADIUS)[..., None]
    )
    assert np.abs(normal - outward)[near].max() < 0.03
    inside = volumes.voxels[:, 5, :, 0] == volumes.voxels[n[0] // 2, 5, 40, 0]
    assert (inside == (truth < 0)).all()


def test_the_region_closes_on_itself_and_its_structures_are_named_with_their_tissue():
    body = femoral()
    labels = np.take(body.volumes.labels, body.volumes.voxels[..., 0])
    assert (labels > 0).all()
    named = {one.name: one.tissue.value for one in body.structures}
    for name, tissue in {
        "femoral nerve": "nerve",
        "femoral artery": "artery",
        "femoral vein": "vein",
        "iliopsoas": "muscle",
        "sartorius": "muscle",
        "psoas tendon": "tendon",
        "lateral femoral cutaneous nerve": "nerve",
        "superficial inguinal node": "lymph node",
        "skin": "skin",
        "subcutaneous fat": "fat",
    }.items():
        assert named[name] == tissue
    assert all(one.named_by for one in body.structures if one.name != one.tissue.value)


@pytest.mark.parametrize("seed", [7, 8])
def test_areas_lie_in_their_published_ranges(seed):
    """CLINICAL F5: a common femoral artery of 8-9 mm; a nerve of about 10 x 3 mm; LL01: 2-4 cm deep at most."""
    body = femoral(seed)
    labels = np.take(body.volumes.labels, body.volumes.voxels[:, body.volumes.voxels.shape[1] // 2, :, 0])
    cell = body.volumes.step**2 * 1e6
    artery = (labels == body.label("femoral artery")).sum() * cell
    nerve = (labels == body.label("femoral nerve")).sum() * cell
    assert np.pi / 4 * 6**2 < artery < np.pi / 4 * 11**2
    assert 15 < nerve < 60
    depth = np.nonzero(labels == body.label("femoral nerve"))[1].mean() * body.volumes.step
    assert 8e-3 < depth < 40e-3


def test_fibers_run_along_their_muscle():
    body = femoral()
    at = np.argwhere(body.volumes.voxels[::4, ::4, ::4, 0] > 0)
    places = body.volumes.origin + at * 4 * body.volumes.step
    fibers = body.fibers(places)
    length = np.linalg.norm(fibers, axis=1)
    assert ((length < 1e-9) | (np.abs(length - 1) < 0.02)).all()
    inside = body.distance(body.label("iliopsoas"), places) < -2e-3
    there = inside & (length > 0)
    assert there.sum() > 100
    assert (np.abs(fibers[there, 1]) > 0.9).mean() > 0.9
    assert not body.fibers(np.array([[1.0, 0, 0]])).any()


def test_a_cached_window_comes_back_whole(tmp_path):
    path = tmp_path / "deep" / "window.npz"
    save(rod().volumes, path)
    back = load(path)
    assert back is not None
    assert back.voxels.tobytes() == rod().volumes.voxels.tobytes()
    assert back.structures == rod().volumes.structures
    assert [one.name for one in path.parent.iterdir()] == ["window.npz"]


def test_a_damaged_cache_is_made_anew(tmp_path):
    of = read(text=ROD, name="phantom")
    first = compiled(of, 1, cache_folder=tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    assert load(path) is None
    again = compiled(of, 1, cache_folder=tmp_path)
    assert again.volumes.voxels.tobytes() == first.volumes.voxels.tobytes()
    assert load(path) is not None


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    (tmp_path / "file").write_text("in the way")
    body = compiled(read(text=ROD, name="phantom"), 1, cache_folder=tmp_path / "file")
    assert body.structures[1].name == "rod"


def test_the_key_knows_what_a_window_is_made_from():
    of = region("femoral_crease")
    keys = {
        key(individual, text, window, step)
        for individual in (of.individual(1), of.individual(2), of.individual(1, variant="high_profunda"))
        for text in (of.text, of.text + "# changed")
        for window in of.windows
        for step in (0.3e-3, 0.25e-3)
    }
    assert len(keys) == 3 * 2 * len(of.windows) * 2
    assert SMALL.name == "small"


def test_a_window_made_in_slabs_is_that_made_whole(monkeypatch):
    """Materials to the byte; a few normals differ in their last place, where a slope is summed in another order."""
    individual = region("femoral_crease").individual(5)
    window = Window(name="w", center=(0, 0), reach=(0.05, 0.036, 0.04))
    made = []
    for size, count in ((10**9, 2), (1, 3)):
        monkeypatch.setattr(compiler, "SLAB_VOXELS", size)
        made.append(compile_volumes(individual, window, step=0.6e-3))
        assert len(compiler._slabs(made[-1].voxels.shape[:3])) == count
    one, other = (volumes.voxels.view(np.int8).astype(int) for volumes in made)
    assert (one[..., [0, 1, 2, 7]] == other[..., [0, 1, 2, 7]]).all()
    near = np.abs(one[..., 2]) < 127  # further away no sheet is drawn
    assert (one[near][:, 3] == other[near][:, 3]).all()
    assert np.abs(one - other)[near].max() <= 1
    assert (one != other)[near].mean() < 1e-4
    assert made[0].fibers.tobytes() == made[1].fibers.tobytes()
    assert made[0].structures == made[1].structures


def test_a_block_that_names_by_slab_is_made_whole(monkeypatch):
    """A part of the language that forgot the window, and asks its slab alone, still gets one answer."""
    individual = region("femoral_crease").individual(5)
    window = Window(name="w", center=(0, 0), reach=(0.05, 0.036, 0.04))
    monkeypatch.setattr(compiler, "SLAB_VOXELS", 1)
    truth = compile_volumes(individual, window, step=0.6e-3)
    monkeypatch.setattr(compiler._Canvas, "meets", lambda self, *box: self.box(*box) is not None)
    made = compile_volumes(individual, window, step=0.6e-3)
    assert [one.name for one in made.structures] == [one.name for one in truth.structures]
    assert (made.voxels[..., 0] != truth.voxels[..., 0]).mean() < 1e-3


def column(body, x=0.0):
    """Give names from the skin down, and the depth of each voxel, over a place."""
    volumes = body.volumes
    i = round((x - volumes.origin[0]) / volumes.step)
    labels = np.take(volumes.labels, volumes.voxels[i, volumes.voxels.shape[1] // 2, :, 0])
    depth = volumes.origin[2] + np.arange(len(labels)) * volumes.step
    return [body.structures[label - 1].name for label in labels], depth


def test_layers_lie_on_each_other_in_their_order_and_thickness():
    """16 mm of ridge, then 5 mm of tendon (with waves of 0.1 mm) and 1.5 mm of bursa upward."""
    names, depth = column(layered())
    found = {name: depth[[at for at, one in enumerate(names) if one == name]] for name in set(names)}
    assert found["bone"].min() == pytest.approx(16e-3, abs=0.3e-3)
    assert len(found["tendon"]) * 0.3 == pytest.approx(5, abs=0.6)
    assert len(found["bursa"]) * 0.3 == pytest.approx(1.5, abs=0.35)
    assert names == sorted(names, key=["flesh", "bursa", "tendon", "bone"].index)


def test_labels_of_layers_agree_with_their_distances():
    body = layered()
    rng = np.random.default_rng(1)
    cells = np.stack([rng.integers(0, n, 3000) for n in body.volumes.voxels.shape[:3]], axis=1)
    label = np.take(body.volumes.labels, body.volumes.voxels[tuple(cells.T)][:, 0])
    places = body.volumes.origin + cells * body.volumes.step
    for name in ("bone", "tendon", "bursa"):
        distance = body.distance(body.label(name), places)
        clear = np.abs(distance) > 0.05e-3
        assert ((label == body.label(name)) == (distance < 0))[clear].all()


def held(body, voxels):
    other = copy(body)
    other.volumes, other._layers = replace(body.volumes, voxels=voxels), {}
    return other


def test_a_structure_of_a_single_voxel_is_near_where_it_is_and_one_of_none_is_far():
    body = layered()
    label = body.label("bursa")
    body._solids.pop("bursa")
    for cell in ((30, 9, 60), (31, 10, 61), (32, 11, 62)):  # wherever it lies among those that are picked
        voxels = body.volumes.voxels.copy()
        voxels[..., 0][np.take(body.volumes.labels, voxels[..., 0]) == label] = 0
        assert body.volumes.labels[0] != label
        voxels[(*cell, 0)] = np.flatnonzero(body.volumes.labels == label)[0]
        other = held(body, voxels)
        place = body.volumes.origin + np.array(cell) * body.volumes.step
        away = other.distance(label, place + np.array([[0.0, 0.0, 0.0], [5e-3, 0.0, 0.0]]))
        assert away[0] < 0 and away[1] == pytest.approx(5e-3, abs=3.2 * body.volumes.step)
    voxels[(*cell, 0)] = 0
    assert held(body, voxels).distance(label, place[None] + 0.05)[0] >= 0.5


def test_a_thin_vessel_is_known_all_along_and_not_where_every_third_voxel_meets_it_alone():
    body = layered()
    label = body.label("bursa")
    body._solids.pop("bursa", None)
    voxels = body.volumes.voxels.copy()
    voxels[..., 0][np.take(body.volumes.labels, voxels[..., 0]) == label] = 0
    picked, between = (31, 10, 61), (45, 12, 72)
    for cell in (picked, between):
        voxels[(*cell, 0)] = np.flatnonzero(body.volumes.labels == label)[0]
    other = held(body, voxels)
    other.structures = tuple(
        replace(one, tissue=Tissue.VEIN, named_by="a test") if one.name == "bursa" else one
        for one in body.structures
    )
    places = body.volumes.origin + np.array([picked, between]) * body.volumes.step
    assert (other.distance(label, places) < 0).all()


def test_fibers_of_a_layer_follow_its_ground():
    """The ridge falls by 2 in 20 mm: away from its top fibers lie 0.1 rad off the array, and none lie in the bursa."""
    body = layered()
    right = body.fibers(np.array([[9e-3, 0.0, 14e-3], [-9e-3, 0.0, 14e-3]]))
    slope = (body._solids["bone"].top(np.array([9.3e-3]), np.zeros(1)) - 16e-3) / 9.3e-3
    assert right[0, 2] * right[1, 2] < 0
    assert abs(abs(right[0, 2]) - slope[0]) < 0.1
    assert np.abs(right[:, 0]).min() > 0.97
    assert not body.fibers(np.array([[0.0, 0.0, 9.8e-3]])).any()


def test_two_layers_that_lie_in_each_other_are_refused_by_name():
    text = LAYERED.replace('on = "tendon"', 'on = "bone"')
    of = read(text=text, name="phantom")
    with pytest.raises(InputError, match=r"'tendon' and 'bursa' lie 1\.\d mm in each other"):
        compile_volumes(of.individual(1), of.window())


def test_a_structure_may_be_stiffer_than_its_tissue():
    body = layered()
    modulus = body.properties["shear_modulus"]
    assert modulus[body.label("tendon")] == 70e3
    assert modulus[body.label("bone")] == 5e9


SHEETS = (
    FLESH
    + """
[[surface]]
name = "loud"
depth_mm = 10
strength_db = 6
breaks = 0
source = "test"
evidence = "D"

[[surface]]
name = "soft"
depth_mm = {depth}
strength_db = -20
breaks = 0
source = "test"
evidence = "D"
"""
)


def test_of_two_sheets_in_a_voxel_the_much_louder_one_is_kept():
    """The loud sheet passes through voxels whose middle is nearer to a faint one beside it, and is not torn there."""
    loud = compiled_text(SHEETS.format(depth=25)).volumes.voxels[..., 3].max(axis=2)
    beside = compiled_text(SHEETS.format(depth=10.2)).volumes.voxels[..., 3].max(axis=2)
    assert beside.min() > 60
    assert np.array_equal(loud, beside)


def test_a_surface_may_have_a_profile_and_fibers_along_the_array():
    """Fibers of the layer below rise and fall with it, turned by its pennation."""
    text = (
        FLESH
        + """
[[surface]]
name = "hill"
depth_mm = 8
profile = [{ x_mm = -15, by_mm = 0 }, { x_mm = 15, by_mm = 6 }]
below = "belly"
tissue = "muscle"
texture = "long muscle"
fiber = "hill"
grain = "x"
pennation_deg = 10
source = "test"
evidence = "D"
"""
    )
    body = compiled_text(text)
    fibers = body.fibers(np.array([[0.0, 0.0, 18e-3]]))[0]
    slope = 0.2 + np.tan(np.radians(10))
    assert np.allclose(fibers, np.array([1, 0, slope]) / np.hypot(1, slope), atol=0.02)
    names, depth = column(body, 0.01)
    assert depth[names.index("belly")] == pytest.approx(8e-3 + 5e-3, abs=0.3e-3)


def test_rough_cortex_scatters_and_what_lies_deeper_does_not():
    text = LAYERED.replace('tissue = "bone"', 'tissue = "bone"\nrind = { depth_mm = 0.3, echo_db = 40 }')
    level = compiled_text(text).volumes.voxels[..., 7].astype(int) - layered().volumes.voxels[..., 7].astype(
        int
    )
    names, _ = column(layered())
    first = names.index("bone")
    middle = level[level.shape[0] // 2, level.shape[1] // 2]
    assert middle[first] * 0.35 > 15
    assert (middle[first + 8 :] * 0.35 < 1).all()
    assert not middle[:first].any()


def test_the_cache_keeps_what_was_asked_for_last(monkeypatch, tmp_path):
    volumes = rod().volumes
    names = ["old", "asked for", "new"]
    for age, name in enumerate(names[:2]):
        save(volumes, tmp_path / f"{name}.npz")
        os.utime(tmp_path / f"{name}.npz", (1000 + age, 1000 + age))
    os.utime(tmp_path / "asked for.npz", (999, 999))  # oldest, but for the load
    assert load(tmp_path / "asked for.npz") is not None
    monkeypatch.setattr(compiler, "MOST_CACHED", int(2.5 * (tmp_path / "old.npz").stat().st_size))
    save(volumes, tmp_path / "new.npz")
    assert sorted(path.stem for path in tmp_path.glob("*.npz")) == ["asked for", "new"]
    monkeypatch.setattr(compiler, "MOST_CACHED", 1)
    save(volumes, tmp_path / "new.npz")
    assert [path.stem for path in tmp_path.iterdir()] == ["new"]
