"""What can be chosen or called by name has its line in the reference."""

import pytest

from architecture.tree import CHECKOUT
from insonate.app.cli import app, procedures_app, recordings_app
from insonate.pipeline.catalog import CATALOGS

REFERENCE = CHECKOUT / "docs" / "reference"


def commands() -> list[str]:
    """Every command of the command line."""
    own = [f"insonate {c.name or c.callback.__name__}" for c in app.registered_commands]
    own += [f"insonate procedures {c.name}" for c in procedures_app.registered_commands]
    return own + [f"insonate recordings {c.name}" for c in recordings_app.registered_commands]


@pytest.mark.parametrize("command", commands())
def test_every_command_is_documented(command):
    assert f"`{command}" in (REFERENCE / "command_line.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "catalog", CATALOGS.values() if isinstance(CATALOGS, dict) else CATALOGS, ids=lambda c: c.group
)
def test_every_entry_of_the_catalog_is_documented(catalog):
    page = (REFERENCE / "plug_in_points.md").read_text(encoding="utf-8")
    assert f"`{catalog.group}`" in page
    missing = [name for name in catalog.names() if f"`{name}`" not in page]
    assert missing == []
