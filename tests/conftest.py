"""Fixtures by their name in the field, and the way to the shared real data."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A shared machine stops for a second now and then; that is no fault of the code under test.
settings.register_profile(
    "shared machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
    max_examples=int(os.environ.get("INSONATE_EXAMPLES", "100")),  # fewer for the mutation run
)
settings.load_profile("shared machine")

CHECKOUT = Path(__file__).resolve().parents[1]


def shared_data(name: str) -> Path:
    """Folder of one real data set, or a skip that names it.

    It is looked for in $INSONATE_DATA, else in ../shared/data beside the checkout.
    """
    root = Path(os.environ.get("INSONATE_DATA", CHECKOUT.parent / "shared" / "data"))
    folder = root / name
    if not folder.is_dir():
        pytest.skip(f"real data set '{name}' is not at hand")
    return folder


@pytest.fixture(name="shared_data")
def _shared_data():
    return shared_data
