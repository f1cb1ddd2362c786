"""The fitting script for simulated tissues: its seeds keep apart, its masks are renumbered, and a whole run in miniature."""

import hashlib
import tomllib
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fitting needs torch (the extra 'fit')")

from insonate.analysis.fitting import simulated_tissues as script  # noqa: E402
from insonate.core import InputError, Tissue  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

TISSUES = tuple(Tissue)
SIZE = 32


def file(folder, name, n=2, seed=0):
    """A file of pictures as the generator leaves them: dark, with a bright disc of nerve in fat."""
    rng = np.random.default_rng(seed)
    folder.mkdir(exist_ok=True)
    rows, columns = np.indices((48, 60))
    arrays = {
        "step": np.full(n, 1e-4),
        "needle": np.zeros(n, bool),
        "tissue_names": np.array([one.value for one in TISSUES]),
    }
    for k in range(n):
        inside = np.hypot(rows - rng.integers(12, 36), columns - rng.integers(12, 48)) < 9
        arrays[f"picture:{k}"] = np.where(inside, 200, 50).astype(np.uint8)
        fat, nerve = TISSUES.index(Tissue.FAT) + 1, TISSUES.index(Tissue.NERVE) + 1
        arrays[f"tissues:{k}"] = np.where(inside, nerve, fat).astype(np.uint8)
    np.savez(folder / name, **arrays)


def test_a_seed_serves_one_purpose_only(tmp_path):
    ranges = sorted(script.SEEDS.values())
    assert all(a[1] <= b[0] for a, b in pairwise(ranges))
    file(tmp_path, "femoral_crease-700001.npz")
    with pytest.raises(
        InputError, match=r"seeds for fitting must lie in 500000\.\.599999, got femoral_crease-700001\.npz"
    ):
        script.read_simulated(tmp_path, "fitting")
    some, tissues = script.read_simulated(tmp_path, "testing")
    assert [one.region for one in some] == ["femoral_crease"] * 2 and tissues == TISSUES
    with pytest.raises(InputError, match="got none"):
        script.read_simulated(tmp_path / "nowhere", "testing")


def test_masks_are_numbered_by_the_tissues_that_occur(tmp_path):
    file(tmp_path, "neck-500001.npz")
    some, tissues = script.read_simulated(tmp_path, "fitting")
    classes = script.seen_classes(some, tissues)
    assert classes == (Tissue.FAT, Tissue.NERVE)
    mask = script.renumbered(some[0].pair.mask, tissues, classes)
    assert set(np.unique(mask)) == {1, 2}
    named = script.renumbered(some[0].pair.mask, tissues, (Tissue.NERVE,))
    np.testing.assert_array_equal(named == 1, mask == 2)
    assert set(np.unique(named)) == {0, 1}


def test_a_whole_run_in_miniature(tmp_path, monkeypatch):
    pytest.importorskip("onnxscript", reason="export needs onnxscript (the extra 'fit')")
    monkeypatch.setattr(script, "SIZE", SIZE)
    monkeypatch.setattr(script, "CHANNELS", (8, 8, 8))
    monkeypatch.setattr(script, "KEPT_EVERY", 2)
    for folder, first in (("fit", 500_000), ("cal", 600_000), ("test", 700_000)):
        for k in range(3):
            file(tmp_path / folder, f"femoral_crease-{first + k}.npz", n=4, seed=first + k)
    out = tmp_path / "out"
    script.main(["fit", "--pictures", str(tmp_path / "fit"), "--out", str(out), "--steps", "60"])
    assert (out / "fit.part.npz").exists() and (out / "fit.npz").exists()
    script.main(
        [
            "finish",
            "--calibrating",
            str(tmp_path / "cal"),
            "--testing",
            str(tmp_path / "test"),
            "--out",
            str(out),
        ]
    )
    card = tomllib.loads((out / "simulated_tissues.toml").read_text(encoding="utf-8"))
    assert card["reading"]["classes"] == ["fat", "nerve"]
    assert card["measured"]["nerve"]["mean_dice"][0] > 0.5
    assert card["measured"]["femoral_crease"]["nerve"] == card["measured"]["nerve"]
    told = (out / "simulated_tissues.md").read_text(encoding="utf-8")
    assert "12 pictures of 3 individuals (femoral crease): 60 steps" in told
    value = card["measured"]["nerve"]["mean_dice"][0]
    assert f"| femoral crease | nerve | {value:.2f} (" in told
    entry = tomllib.loads((out / "entry.toml").read_text(encoding="utf-8"))["simulated_tissues"]
    assert entry["sha256"] == hashlib.sha256((out / "simulated_tissues.onnx").read_bytes()).hexdigest()
