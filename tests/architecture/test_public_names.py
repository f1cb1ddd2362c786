"""The public names, pinned: a name removed is a line removed, seen in review.

After a wanted change: `python tests/architecture/test_public_names.py` writes the list anew.
"""

import ast
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from architecture.tree import Module, modules

PINNED = Path(__file__).with_name("public_names.txt")


def own_names(room: Module) -> list[str] | None:
    """What `__all__` of a room lists, or None if it has none."""
    for node in room.tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def public_names() -> list[str]:
    """Full names that the rooms offer, in order."""
    return sorted(
        f"{room.name}.{name}" for room in modules() if room.is_room for name in own_names(room) or ()
    )


def test_public_names_are_the_pinned_ones():
    assert public_names() == PINNED.read_text(encoding="utf-8").split()


def test_a_room_that_offers_names_lists_them():
    for room in modules():
        offers = any(
            isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{room.name}.")
            for node in room.tree.body
        )
        if room.is_room and offers:
            assert own_names(room), f"{room.name} re-exports names and has no __all__"


if __name__ == "__main__":
    PINNED.write_text("\n".join(public_names()) + "\n", encoding="utf-8")
