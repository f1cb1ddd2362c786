"""Write `src/messages.ts`, the page's types, from the server's message schema, so that neither end writes them twice.

`python web/messages.py` writes the file; a test fails if it is not what this would write.
"""

from pathlib import Path
from typing import Any, get_args

TARGET = Path(__file__).resolve().parent / "src" / "messages.ts"


def kind(schema: dict[str, Any]) -> str:
    """Give the TypeScript type of one JSON schema."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "const" in schema:
        return f"'{schema['const']}'"
    if "anyOf" in schema or "oneOf" in schema:
        return " | ".join(kind(part) for part in schema.get("anyOf", schema.get("oneOf", [])))
    match schema.get("type"):
        case "array":
            inner = kind(schema["items"])
            return f"({inner})[]" if "|" in inner else f"{inner}[]"
        case "integer" | "number":
            return "number"
        case "boolean":
            return "boolean"
        case "null":
            return "null"
        case "object":
            return "Record<string, unknown>"
        case _:
            return "string"


def typescript() -> str:
    """Give the whole file."""
    from insonate.app.messages import (
        FRAME,
        HELD_BACK,
        MAGIC,
        METERS,
        SIMULATED,
        VERSION,
        FromServer,
        Said,
        schema,
    )

    found = schema()
    lines = [
        "// Written by web/messages.py from the server's schema. Do not edit.",
        "",
        f"export const VERSION = {VERSION}",
        f"export const MAGIC = '{MAGIC.decode()}'",
        f"export const HEADER_BYTES = {FRAME.size}",
        f"export const SIMULATED = {SIMULATED}",
        f"export const METERS = {METERS}",
        f"export const HELD_BACK: [string, number][] = {[list(one) for one in HELD_BACK.items()]}",
    ]
    for name, definition in sorted(found["$defs"].items()):
        lines += [
            "",
            f"/** {definition.get('description', name).splitlines()[0]} */",
            f"export interface {name} {{",
        ]
        lines += [f"  {key}: {kind(value)}" for key, value in definition["properties"].items()]
        lines.append("}")
    server = [kind.__name__ for kind in get_args(FromServer)]
    page = [kind.__name__ for kind in get_args(Said)]
    lines += [
        "",
        f"export type FromServer = {' | '.join(server)}",
        f"export type FromPage = {' | '.join(page)}",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    TARGET.write_text(typescript(), encoding="utf-8")
