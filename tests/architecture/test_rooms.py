"""Every room says what it is for, none is a lumber room, and every public thing is described."""

import ast
from itertools import zip_longest

import pytest

from architecture.tree import SOURCE, Module, modules, parse

BANNED = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager", "tools", "stuff"}


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*")), ids=lambda path: path.name)
def test_no_lumber_room(path):
    assert not {part.strip("_") for part in path.with_suffix("").parts[-1].split("_")} & BANNED


@pytest.mark.parametrize("room", [m for m in modules() if m.is_room], ids=lambda module: module.name)
def test_a_room_says_what_it_is_for(room):
    assert len(ast.get_docstring(room.tree) or "") > 20


def undescribed(module: Module) -> list[str]:
    """Public classes, functions, methods and fields of dataclasses without a docstring."""
    missing = [] if ast.get_docstring(module.tree) else [module.name]

    def visit(body: list[ast.stmt], owner: str, *, fields: bool) -> None:
        for node, following in zip_longest(body, body[1:]):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                if node.name.startswith("_"):
                    continue
                if not ast.get_docstring(node):
                    missing.append(f"{owner}.{node.name}")
                if isinstance(node, ast.ClassDef):
                    is_noun = any("dataclass" in ast.unparse(d) for d in node.decorator_list)
                    visit(node.body, f"{owner}.{node.name}", fields=is_noun)
            elif fields and isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                described = (
                    isinstance(following, ast.Expr)
                    and isinstance(following.value, ast.Constant)
                    and isinstance(following.value.value, str)
                )
                if not described and not node.target.id.startswith("_"):
                    missing.append(f"{owner}.{node.target.id}")

    visit(module.tree.body, module.name, fields=False)
    return missing


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_every_public_thing_is_described(module):
    assert undescribed(module) == []


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("x = 1", ["m"]),
        ('"""M."""\ndef f(): pass\ndef _g(): pass', ["m.f"]),
        ('"""M."""\n@dataclass\nclass A:\n    """A."""\n    x: int\n    y: int\n    """Y."""', ["m.A.x"]),
        ('"""M."""\nclass A:\n    """A."""\n    def f(self): pass\n    def __len__(self): pass', ["m.A.f"]),
    ],
)
def test_a_missing_description_is_seen(text, missing):
    assert undescribed(parse("m", text)) == missing
