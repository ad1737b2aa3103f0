"""How the site is made of these pages (``make docs``); nothing is fetched when it is made or read."""

from lorarar.version import __version__

project = html_title = "lorarar"
author = "the authors of lorarar"
release = version = __version__
extensions = ["myst_parser", "sphinx_external_toc", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

myst_heading_anchors = 4  # the anchors that headings have where the pages are read as plain Markdown
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False

html_theme = "furo"
html_copy_source = False
html_show_copyright = False
html_static_path: list[str] = []
