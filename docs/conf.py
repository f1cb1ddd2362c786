"""How the documentation is built: Sphinx, MyST, furo; no network, warnings are errors."""

from insonate import __version__

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
autodoc_default_options = {"members": True, "show-inheritance": False}
templates_path = []
html_static_path = []
nitpicky = False
