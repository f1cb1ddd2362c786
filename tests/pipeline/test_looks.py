"""The benchmark of looks: skipped by name without the real pairs, and a smoke that never opens the sealed half."""

import numpy as np
import pytest
from benchmarks import looks

from conftest import shared_data
from insonate.pipeline.fitting_pictures import TISSUES, labeled_pictures
from simulation.analytic_body import AnalyticBody


def test_without_the_real_pairs_it_is_skipped_by_name(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("INSONATE_DATA", str(tmp_path))
    assert looks.rows() == []
    assert "usgra-seg" in capsys.readouterr().err


@pytest.mark.data
def test_a_smoke_measures_the_working_half_and_no_picture_of_the_sealed_one(monkeypatch):
    shared_data("usgra-seg")
    monkeypatch.setenv("INSONATE_BENCHMARK_QUICK", "1")

    def make(region, seed, count, folder):
        some = list(labeled_pictures(AnalyticBody(), seed, count))
        arrays = {"needle": np.array([one.needle for one in some])}
        for k, one in enumerate(some):
            arrays |= {f"picture:{k}": one.picture, f"tissues:{k}": one.tissues}
        np.savez(folder / "made.npz", **arrays)
        return folder / "made.npz"

    asked = []
    whole = looks.half
    monkeypatch.setattr(looks, "make", make)
    monkeypatch.setattr(looks, "half", lambda name, folder: asked.append(name) or whole(name, folder))
    found = {row["id"]: row for row in looks.rows()}
    assert asked == ["working"]
    assert not any(name.endswith("sealed") for name in found)
    row = found["looks/distance/speckle_axial/working"]
    assert row["spread"][0] <= row["value"] <= row["spread"][1]
    assert 0 <= found["looks/simulated-only/vessel/mean_dice/working"]["value"] <= 1
    assert found["looks/simulated-only/nerve/mean_dice/working"]["target"] == 0.40


def test_nerve_and_vessel_are_numbered_as_in_the_real_pairs(monkeypatch, tmp_path):
    monkeypatch.setenv("INSONATE_BENCHMARK_QUICK", "1")
    words = [tissue.value for tissue in TISSUES]
    tissues = np.array(
        [[0, words.index("nerve") + 1, words.index("artery") + 1, words.index("vein") + 1]], np.uint8
    )
    path = tmp_path / "made.npz"
    arrays = {"picture:0": tissues, "tissues:0": tissues, "picture:1": tissues, "tissues:1": tissues}
    np.savez(path, needle=np.array([False, True]), **arrays)
    monkeypatch.setattr(looks, "make", lambda *_: path)
    ((pair, number),) = looks.simulated(tmp_path)
    assert number == 0
    np.testing.assert_array_equal(pair.mask, [[0, 1, 2, 2]])


def test_its_seeds_serve_testing_alone():
    assert 700_000 <= looks.FIRST < looks.FIRST + max(looks.INDIVIDUALS.values()) <= 800_000
