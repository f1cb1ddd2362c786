"""Weights and cards lie in the package, and are what the table says."""

import hashlib
import tomllib
from importlib.resources import files

import pytest

from insonate.analysis.models import stored
from insonate.core import InputError
from refusals import refused

NAMES = tuple(
    tomllib.loads(files("insonate.analysis.models").joinpath("weights.toml").read_text(encoding="utf-8"))
)


@pytest.mark.parametrize("name", NAMES)
def test_every_model_has_weights_of_its_hash_and_a_card_of_its_version(name):
    entry = stored.entry(name)
    data = stored.content(entry)
    assert len(data) == entry["bytes"] <= 4 * 2**20
    assert hashlib.sha256(data).hexdigest() == entry["sha256"]
    assert (stored.card(name)["name"], stored.card(name)["version"]) == (name, entry["version"])
    assert files("insonate.analysis.models").joinpath(*entry["card"].split("/")).is_file()


def test_damaged_weights_are_refused():
    entry = stored.entry(NAMES[0])
    wrong = {**entry, "sha256": "0" * 64}
    message = f"weights {entry['file']} must have sha256 {'0' * 64}, got {entry['sha256']} (damaged, or of another version?)"
    with refused(InputError, message):
        stored.content(wrong)
