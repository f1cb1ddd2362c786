"""The fitting script: folds, kinds, limits, the card it writes, and a whole run in miniature."""

import hashlib
import tomllib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

torch = pytest.importorskip("torch", reason="fitting needs torch (the extra 'fit')")

from PIL import Image  # noqa: E402

from insonate.analysis.fitting import nerve_vessel as script  # noqa: E402
from insonate.analysis.fitting.pairs import Pair, lay  # noqa: E402
from insonate.analysis.models import nerve_vessel as runner  # noqa: E402
from insonate.core import InputError  # noqa: E402
from refusals import refused  # noqa: E402

SIZE = 32


@pytest.fixture(name="small")
def _small(monkeypatch):
    """The script on small canvases, with two negatives of each kind."""
    monkeypatch.setattr(script, "SIZE", SIZE)
    monkeypatch.setattr(script, "N_NEGATIVES", 22)


def seen(fold=0, mask=None, name="a", picture=None):
    """A picture unseen by fold `fold`; its scores say exactly what its mask does."""
    mask = np.zeros((SIZE, SIZE), np.uint8) if mask is None else mask
    pair = Pair(
        name=name, picture=np.full(mask.shape, 0.5, np.float32) if picture is None else picture, mask=mask
    )
    _, laid, placement = lay(pair, size=SIZE, n_classes=3)
    scores = 20.0 * np.stack([laid == k for k in range(3)]).astype(np.float32)
    return script.Unseen(
        pair=pair, mask=laid, placement=placement, fold=fold, group=0, scores=scores, odds=9.0, distance=0.0
    )


def square(k=1, at=(8, 8), side=12):
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[at[0] : at[0] + side, at[1] : at[1] + side] = k
    return mask


CALIBRATION = runner.Calibration(
    size=SIZE,
    even=False,
    temperature=1.0,
    bias=(0.0, 0.0, 0.0),
    trust=((1.0, 0.0), (1.0, 0.0), (1.0, 0.0)),
    odds=(0.0, 1.0),
    distance=(5.0, 1.0),
)


def test_every_fold_is_without_whole_kinds_of_negatives():
    kinds, fold = script._kinds(240), script._kind_fold(240)
    assert len(kinds) == len(fold) == 240
    for kind in np.unique(kinds):
        assert len(np.unique(fold[kinds == kind])) == 1
    without = [set(kinds[fold == k]) for k in range(script.N_FOLDS)]
    assert all(without)
    assert sum(map(len, without)) == len(np.unique(kinds))
    assert max(map(len, without)) - min(map(len, without)) <= 1


@given(
    st.lists(st.floats(-20, 20), min_size=5, max_size=300),
    st.floats(0.01, 1),
    st.sampled_from([1, -1]),
)
def test_a_judge_leaves_99_percent_of_the_known_at_95_percent_or_more(values, width, sign):
    known = np.array(values)
    center, same = script._limits(known, width, sign)
    assert same == width
    familiarity = expit(sign * (known - center) / width)
    assert (familiarity >= 0.95).mean() >= 0.99 - 1 / len(known)
    # and no wider than that: one width further out is doubtful
    edge = np.quantile(sign * known, 0.01) * sign
    assert expit(sign * (edge - sign * width - center) / width) < 0.9


def test_inside_is_the_part_of_the_canvas_that_holds_the_picture():
    picture = np.full((20, 40), 0.5, np.float32)
    one = seen(mask=np.zeros((20, 40), np.uint8), picture=picture)
    planes = np.arange(3 * SIZE * SIZE).reshape(3, SIZE, SIZE)
    assert one.inside(planes).shape == (3, 16, 32)
    np.testing.assert_array_equal(one.inside(planes), planes[:, :16])
    assert one.inside(one.mask).shape == (16, 32)


def test_a_picture_is_read_with_the_scores_of_the_network_that_had_not_seen_it():
    one = seen(mask=square(2, at=(8, 3)))  # not in the middle: mirroring it would show
    reading = script._read(one, CALIBRATION)
    np.testing.assert_array_equal(reading.labels, one.pair.mask)
    assert reading.familiarity == pytest.approx(min(expit(9.0), expit(5.0)))


def test_labels_too_small_to_count_are_left_out():
    mask = square(1)
    mask[28, 28] = 1
    mask[2:4, 25:27] = 2
    reading = script._read(seen(mask=mask), CALIBRATION)
    large = replace(reading, n_content=int(3.5 / script.SMALLEST))
    labels = script._labels(large)
    assert labels[10, 10] == 1
    assert labels[28, 28] == 0
    assert labels[3, 26] == 2
    assert labels.dtype == reading.labels.dtype


def test_the_prior_ignores_the_picture_and_its_own_fold():
    """All but one say the same; what the one says of itself does not count."""
    common, odd = square(1) + square(2, at=(24, 2), side=5), square(1, at=(20, 20), side=8)
    some = [seen(fold=k % 5, mask=common, name=str(k)) for k in range(9)] + [
        seen(fold=4, mask=odd, name="odd")
    ]
    labels = script._prior_labels(some)
    np.testing.assert_array_equal(labels[0], common)
    np.testing.assert_array_equal(labels[-1], common)


@pytest.mark.filterwarnings("ignore:All-NaN:RuntimeWarning")  # a rate of nothing is not a number
def test_measures_are_of_the_class_asked_for():
    some = [seen(mask=square(1), name="a"), seen(mask=square(2), name="b")]
    right = [one.pair.mask for one in some]
    wrong = [np.zeros_like(one) for one in right]
    assert script._measured(some, right, 1)["mean_dice"][0] == 1
    assert script._measured(some, wrong, 1)["missed"][0] == 1
    half = [right[0], wrong[1]]
    assert script._measured(some, half, 1)["found"][0] == 1
    assert script._measured(some, half, 2)["found"][0] == 0


def test_the_mean_dice_of_a_picture_is_over_the_classes_it_holds():
    both = square(1) + square(2, at=(22, 22), side=6)
    assert script._mean_dice(both, both) == 1
    assert script._mean_dice(square(1), both) == 0.5
    assert script._mean_dice(np.zeros_like(both), square(1)) == 0


SCALARS = (
    st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.text(st.characters(codec="utf-8", exclude_categories=["C"]))
)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True), SCALARS | st.lists(SCALARS, max_size=3), max_size=5
    )
)
def test_what_is_written_as_a_card_is_read_back(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("card") / "card.toml"
    script._write_toml(path, {"": {"name": "x"}, "part.of": table}, "made by a test")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# made by a test\n")
    assert tomllib.loads(text) == {"name": "x", "part": {"of": table}}


@given(st.floats(-1e6, 1e6))
def test_numbers_of_a_card_keep_four_digits(value):
    (read,) = tomllib.loads(f"value = [{script._toml(value)}]")["value"]
    assert read == pytest.approx(value, rel=5.1e-4, abs=1e-300)


def write_pairs(folder, n=10):
    """Pictures with a nerve and a vessel, no two alike."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index in range(n):
        mask = square(1, at=tuple(rng.integers(2, 14, 2)), side=8)
        row, column = rng.integers(2, 22, 2)
        mask[row : row + 7, column : column + 7] = 2
        coarse = np.kron(rng.uniform(0.1, 0.9, (8, 8)), np.ones((4, 4)))
        picture = np.clip(coarse + 0.2 * (mask == 1) - 0.1 * (mask == 2), 0.1, 1)
        Image.fromarray((255 * picture).astype(np.uint8)).save(folder / "images" / f"{index}.png")
        file = Image.fromarray(mask)
        file.putpalette([0, 0, 0, 255, 255, 0, 255, 0, 0])
        file.save(folder / "masks" / f"{index}.png")


def run(what, data, out, *more):
    script.main([what, "--data", str(data), "--out", str(out), *more])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::RuntimeWarning")
def test_a_whole_run_in_miniature(tmp_path, small, capsys):
    pytest.importorskip("onnx", reason="export needs onnx (the extra 'fit')")
    pytest.importorskip("onnxscript", reason="export needs onnxscript (the extra 'fit')")
    data, out = tmp_path / "data", tmp_path / "out"
    write_pairs(data)
    run("fit", data, out, "--steps", "2", "--only", "0", "1", "final")
    assert sorted(path.name for path in out.iterdir()) == ["fit-0.npz", "fit-1.npz", "fit-final.npz"]
    before = (out / "fit-0.npz").read_bytes()
    run("fit", data, out, "--steps", "2")
    assert (out / "fit-0.npz").read_bytes() == before  # what is there is not made again
    held = []
    for number in range(5):
        with np.load(out / f"fit-{number}.npz") as file:
            held.append(file["held"])
            assert len(file["held:scores"]) == held[-1].sum()
            assert len(file["known:features"]) == 10 - held[-1].sum()
    np.testing.assert_array_equal(np.sum(held, axis=0), np.ones(10))  # each picture is unseen exactly once
    with np.load(out / "fit-final.npz") as file:
        assert not file["held"].any()
        assert "held:scores" not in file.files

    run("finish", data, out)
    card = tomllib.loads((out / "nerve_vessel.toml").read_text(encoding="utf-8"))
    content = (out / "nerve_vessel.onnx").read_bytes()
    entry = tomllib.loads((out / "weights.toml").read_text(encoding="utf-8"))["nerve_vessel"]
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert entry["bytes"] == len(content)
    assert (card["fitted"]["pictures"], card["fitted"]["folds"]) == (10, 5)
    assert set(card) == set(runner.card())  # what the runner reads, and all that the shipped card tells
    assert {name: set(card[name]) for name in ("reading", "gate")} == {
        name: set(runner.card()[name]) for name in ("reading", "gate")
    }
    for tissue in ("nerve", "vessel"):
        for table in ("measured", "prior"):
            assert set(card[table][tissue]) == set(runner.card()[table][tissue])
        value, low, high = card["measured"][tissue]["mean_dice"]
        assert 0 <= low <= value <= high <= 1
    with Image.open(out / "nerve_vessel_out_of_fold.png") as file:
        assert file.size[0] > 900
    with np.load(out / "unseen.npz") as file:
        assert sorted(file["name"].tolist()) == [str(index) for index in range(10)]
        assert sorted(np.unique(file["fold"])) == [0, 1, 2, 3, 4]


@pytest.mark.slow
def test_fits_of_other_pairs_are_refused(tmp_path, small):
    data, out = tmp_path / "data", tmp_path / "out"
    write_pairs(data)
    run("fit", data, out, "--steps", "1", "--only", "0")
    (data / "images" / "9.png").unlink()
    with pytest.raises(
        InputError, match=r"fit-0\.npz was made from other pairs or groups; remove it and fit again"
    ):
        run("finish", data, out)


def test_an_interrupted_fit_leaves_no_file_that_looks_finished(tmp_path, small, monkeypatch):
    data, out = tmp_path / "data", tmp_path / "out"
    write_pairs(data, 5)

    def broken(*_args, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr(script.np, "savez_compressed", broken)
    with pytest.raises(KeyboardInterrupt):
        run("fit", data, out, "--steps", "1", "--only", "final")
    assert not (out / "fit-final.npz").exists()


def test_a_fit_begins_from_what_simulated_pictures_taught(tmp_path, small):
    data, pictures, out = tmp_path / "data", tmp_path / "simulated", tmp_path / "out"
    write_pairs(data)
    pictures.mkdir()
    mask = np.zeros((32, 32), np.uint8)
    mask[4:12, 4:12], mask[16:24, 4:12], mask[16:24, 18:26] = 1, 2, 3
    arrays = {
        "picture:0": (mask * 60 + 20).astype(np.uint8),
        "tissues:0": mask,
        "needle": np.array([False]),
        "tissue_names": np.array(["nerve", "artery", "vein"]),
    }
    np.savez(pictures / "neck-500000.npz", **arrays)
    script.main(["prepare", "--simulated", str(pictures), "--out", str(out), "--steps", "2"])
    for name, more in (("with", ["--start", str(out / "prepared.npz")]), ("without", [])):
        run("fit", data, tmp_path / name, "--steps", "1", "--rate", "1e-12", "--only", "0", *more)
    prepared, held = script._weights(out / "prepared.npz"), script._weights(tmp_path / "with/fit-0.npz")
    kernels = [key for key, one in prepared.items() if one.ndim > 1]
    for key in kernels:  # a step of no size leaves what it began from
        np.testing.assert_allclose(held[key], prepared[key], atol=1e-6)
    other = script._weights(tmp_path / "without/fit-0.npz")
    assert not np.allclose(other[kernels[0]], prepared[kernels[0]], atol=1e-3)
    with np.load(tmp_path / "with/fit-0.npz") as file:
        assert str(file["first"]) == "1 simulated pictures of 1 individuals (neck), 2 steps of 8"
    more = ["--start", str(out / "prepared.npz"), "--steps", "1", "--rate", "1e-12"]
    script.main(["prepare", "--simulated", str(pictures), "--out", str(tmp_path / "more"), *more])
    onward = script._weights(tmp_path / "more/prepared.npz")
    np.testing.assert_allclose(onward[kernels[0]], prepared[kernels[0]], atol=1e-6)
    assert "3 steps" in script._told_of(tmp_path / "more/prepared.npz")
    assert (out / "prepared.onnx").stat().st_size > 1000


@pytest.mark.parametrize(
    "given_",
    [[], ["fit"], ["prepare", "--out", "y"], ["fit", "--data", "x", "--out", "y", "--only", "7"], ["guess"]],
)
def test_a_wrong_command_says_how_it_is_used(given_, capsys):
    with pytest.raises(SystemExit) as caught:
        script.main(given_)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_picture_shown_larger_is_a_part_of_it_that_holds_something():
    picture = np.random.default_rng(0).random((60, 90)).astype(np.float32)
    mask = np.zeros((60, 90), np.uint8)
    mask[20:30, 40:60] = 1
    rng = np.random.default_rng(1)
    for _ in range(20):
        part = script.nearer(Pair(name="a", picture=picture, mask=mask), rng)
        assert part.picture.shape == part.mask.shape
        assert all(0.44 <= n / whole <= 0.86 for n, whole in zip(part.mask.shape, mask.shape, strict=True))
        row, column = np.argwhere(picture == part.picture[0, 0])[0]
        rows, columns = slice(row, row + part.mask.shape[0]), slice(column, column + part.mask.shape[1])
        np.testing.assert_array_equal(part.picture, picture[rows, columns])
        np.testing.assert_array_equal(part.mask, mask[rows, columns])
        assert part.mask.any()
    assert script.nearer(Pair(name="b", picture=picture, mask=np.zeros_like(mask)), rng) is None


def test_fits_on_ranks_and_on_gray_levels_are_not_mixed(tmp_path):
    for name in ("0", "1", "2", "3", "4", "final"):
        np.savez(tmp_path / f"fit-{name}.npz", even=np.array(True))
    assert script._reads_even(tmp_path)
    np.savez(tmp_path / "fit-2.npz", even=np.array(False))
    with pytest.raises(InputError, match=r"must read even canvases, or none, got .*'2': False"):
        script._reads_even(tmp_path)
    with refused(InputError, "fit-1.npz was fitted on ranks (--even); fit on with the same"):
        script._begun(tmp_path / "fit-1.npz", script.Settings(even=False))
