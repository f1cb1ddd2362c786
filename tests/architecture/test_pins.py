"""Everything that set-up installs is pinned to one version, and nothing says where it comes from."""

import re
import tomllib

from architecture.tree import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
PINS = (CHECKOUT / "constraints.txt").read_text(encoding="utf-8")


def normal(name: str) -> str:
    """Name of a package as the index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_for() -> set[str]:
    """Packages that the project and its groups name."""
    groups = PROJECT["dependency-groups"].values()
    wanted = [*PROJECT["project"]["dependencies"], *(line for group in groups for line in group)]
    return {normal(re.match(r"[\w.-]+", line).group()) for line in wanted}


def test_every_line_is_one_exact_version():
    for line in PINS.splitlines():
        assert line.startswith("#") or re.fullmatch(r"[\w.-]+==[\w.!]+", line), line


def test_everything_asked_for_is_pinned():
    pinned = {normal(line.partition("==")[0]) for line in PINS.splitlines() if "==" in line}
    assert asked_for() - pinned == set()


def test_what_is_needed_to_fit_is_not_part_of_set_up():
    assert not asked_for() & {"torch", "onnx", "onnxscript"}
