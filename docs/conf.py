"""How the documentation is built: Sphinx, MyST, furo; no network, warnings are errors."""

import ast
import re
from pathlib import Path

from sphinx.application import Sphinx

import insonate.app.server  # noqa: F401  loaded whole first: autodoc's own way of importing trips over pydantic's models
from insonate import __version__
from insonate.guidance.procedures import procedures
from insonate.pipeline.summary import procedure_facts

project = "Insonate"
author = "The Insonate founders"
project_copyright = "2026, The Insonate founders"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Insonate"
html_show_sourcelink = False
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
napoleon_google_docstring = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
default_role = "code"
autodoc_mock_imports = ["torch", "onnx", "onnxscript"]
templates_path = []
html_static_path = []
nitpicky = False
# Types are named in docstrings by their short names, and two rooms may each have a noun of one name.
suppress_warnings = ["ref.python"]


def write_api_pages(_app: object) -> None:
    """Write a page for each room, with every module in it, so that none can be forgotten."""
    source = Path(__file__).resolve().parents[1] / "src" / "insonate"
    pages = Path(__file__).parent / "reference" / "api"
    for stale in pages.glob("*.rst"):
        stale.unlink()
    for room in sorted(path.parent for path in source.glob("*/__init__.py")):
        modules = []
        for path in sorted(room.rglob("*.py")):
            parts = path.relative_to(source.parent).with_suffix("").parts
            modules.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        said = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or room.name
        title = f"{room.name}: {said.splitlines()[0].rstrip('.').removeprefix('The ')}"
        lines = [title, "=" * len(title), ""]
        for module in modules:
            names = module.removeprefix(f"insonate.{room.name}").lstrip(".")
            if names:
                lines += [names, "-" * len(names), ""]
            # A room's own page would only repeat what it re-exports.
            shown = [] if (source.parent / Path(*module.split("."))).is_dir() else ["   :members:"]
            lines += [f".. automodule:: {module}", *(shown or ["   :no-members:"]), ""]
        (pages / f"{room.name}.rst").write_text("\n".join(lines), encoding="utf-8")


def write_procedure_page(_app: Sphinx) -> None:
    """Write every procedure with every number and its source, as the command line shows it."""
    lines = ["# Procedures in full", ""]
    for one in procedures():
        lines += [f"## {one.id}: {one.name}", ""]
        for key, value in procedure_facts(one).items():
            rows = value if isinstance(value, list) else [value]
            lines += [key.replace("_", " "), *(f": {row}" for row in rows), ""]
    page = Path(__file__).parent / "reference" / "procedures_in_full.md"
    page.write_text("\n".join(lines), encoding="utf-8")


SENTENCES: dict[str, dict[str, list[str]]] = {"attribute": {}, "data": {}, "property": {}}


def as_plain_text(
    _app: Sphinx, what: str, name: str, _thing: object, _options: object, lines: list[str]
) -> None:
    """Read docstrings as the plain text they are: |x| and * are letters, an indented equation is shown as it stands."""
    shown = []
    verbatim = False
    for line in lines:
        indented = what == "module" and line.startswith("  ")
        if line.strip():
            if indented and not verbatim:
                shown += ["", "::", ""]
            verbatim = indented
        if verbatim or line.lstrip().startswith(">>>"):
            shown.append(line)
        else:
            parts = line.split("`")
            parts[::2] = [re.sub(r"(?<!\\)([|*])|(?<=\w)(_)(?!\w)", r"\\\1\2", part) for part in parts[::2]]
            shown.append("`".join(parts))
    lines[:] = shown
    if what in SENTENCES:
        SENTENCES[what][name] = shown


def keep_sentences(
    _app: Sphinx, what: str, name: str, _thing: object, _options: object, lines: list[str]
) -> None:
    """Undo napoleon's reading of "word: rest" under a field as its type."""
    if what in SENTENCES:
        lines[:] = SENTENCES[what][name]


def setup(app: Sphinx) -> None:
    """Write the pages of the library before they are read."""
    app.connect("autodoc-process-docstring", as_plain_text, priority=400)  # before napoleon
    app.connect("autodoc-process-docstring", keep_sentences, priority=600)
    app.connect("builder-inited", write_api_pages)
    app.connect("builder-inited", write_procedure_page)
