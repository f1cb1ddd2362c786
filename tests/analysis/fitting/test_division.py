"""The division into a working and a sealed half: whole groups, nothing seen in the sealed one, the same files again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import shared_data
from insonate.analysis.fitting.division import HALVES, digest, division, half, looked_at, sealed
from insonate.analysis.fitting.grouping import groups, similarity
from insonate.core import FormatError, InputError


@settings(deadline=None, max_examples=50)
@given(pairs=st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=60))
def test_no_group_straddles_and_nothing_seen_is_sealed(pairs):
    group, seen = np.array([g for g, _ in pairs]), np.array([s for _, s in pairs])
    kept = sealed(group, seen)
    assert not (kept & seen).any()
    for one in np.unique(group):
        assert len(set(kept[group == one])) == 1
        assert kept[group == one][0] == (not seen[group == one].any())


def test_even_numbers_and_those_named_had_been_looked_at():
    assert looked_at("0010", []) and looked_at("0055", ["0055"]) and not looked_at("0055", ["0057"])


def test_the_halves_share_nothing_and_are_whole():
    working, kept = (half(name) for name in HALVES)
    assert not set(working) & set(kept)
    assert (len(working), len(kept)) == (128, 76)
    assert all(int(name) % 2 for name in kept)


def test_an_unknown_half_is_refused():
    with pytest.raises(InputError, match="half must be one of working, sealed, got 'secret'"):
        half("secret")


def test_a_picture_that_is_missing_or_another_is_refused(tmp_path):
    with pytest.raises(FormatError, match="is missing"):
        half("sealed", tmp_path)
    (tmp_path / "images").mkdir()
    for name in division()["sealed"]:
        (tmp_path / "images" / f"{name}.png").write_bytes(b"another")
    with pytest.raises(FormatError, match="another version of the data"):
        half("sealed", tmp_path)


@pytest.mark.data
def test_the_division_is_that_of_the_rule_on_the_real_pairs():
    import tomllib
    from importlib.resources import files

    from insonate.analysis.fitting.pairs import read_pairs

    folder = shared_data("usgra-seg")
    text = files("insonate.analysis.fitting").joinpath("division.toml").read_text(encoding="utf-8")
    odd = tomllib.loads(text)["seen_odd"]
    pairs = read_pairs(folder, n_classes=3)
    group = groups(similarity([pair.picture for pair in pairs]))
    kept = sealed(group, [looked_at(pair.name, odd) for pair in pairs])
    names = np.array([pair.name for pair in pairs])
    assert list(half("sealed", folder)) == list(names[kept])
    assert list(half("working", folder)) == list(names[~kept])
    assert not set(group[kept]) & set(group[~kept])
    assert digest(folder / "images" / f"{names[0]}.png") == division()["working"][names[0]]
