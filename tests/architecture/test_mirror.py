"""Tests mirror the source: a module's test is found without searching, or the list says where it is."""

from pathlib import Path

from architecture.tree import CHECKOUT, Module, modules

ELSEWHERE = Path(__file__).with_name("tested_elsewhere.txt")


def test_file(module: Module) -> Path:
    """Where the test of a module belongs."""
    *rooms, name = module.name.split(".")[1:]
    return CHECKOUT.joinpath("tests", *rooms, f"test_{name.strip('_')}.py")


test_file.__test__ = False


def listed() -> dict[str, str]:
    """Modules tested elsewhere, and where."""
    lines = ELSEWHERE.read_text(encoding="utf-8").splitlines()
    return dict(line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#"))


def test_every_module_has_a_test_of_its_name_or_is_listed():
    missing = {m.name for m in modules() if not m.is_room and "." in m.name and not test_file(m).exists()}
    missing.discard("insonate.__main__")
    assert sorted(missing - set(listed())) == []


def test_the_list_is_true():
    names = {m.name: m for m in modules()}
    for name, where in listed().items():
        assert name in names, f"{name} is listed and does not exist"
        assert not test_file(names[name]).exists(), f"{name} is listed and has a test of its own"
        assert (CHECKOUT / "tests" / where).exists(), f"{name} is listed with {where}, which does not exist"
