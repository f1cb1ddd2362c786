"""The source tree as data: every module's name, path and syntax tree."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SOURCE = CHECKOUT / "src"


@dataclass(frozen=True)
class Module:
    """One Python file of the package."""

    name: str
    """Dotted name; a folder's is that of its __init__."""
    path: Path
    """Where it lies."""
    is_room: bool
    """Whether it is a folder's __init__."""
    tree: ast.Module
    """Its syntax."""

    def lies_in(self, *rooms: str) -> bool:
        """Whether it is one of the modules, or inside one of the rooms, named without "insonate."."""
        return any(f"{self.name}.".startswith(f"insonate.{room}.") for room in rooms)


def parse(name: str, text: str, path: Path = Path("-"), *, is_room: bool = False) -> Module:
    """Make a module of a piece of text."""
    return Module(name=name, path=path, is_room=is_room, tree=ast.parse(text))


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        is_room = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_room else parts)
        found.append(parse(name, path.read_text(encoding="utf-8"), path, is_room=is_room))
    return tuple(found)


def imports(module: Module) -> set[str]:
    """Full dotted names that a module imports anywhere, inside functions and type checking too."""
    names = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = node.func
            called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                names.add(node.args[0].value)
    return names
